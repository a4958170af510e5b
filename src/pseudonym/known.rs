//! The names of a case, as far as sentences and replies may hold them bare: accounts, hosts, files, what the analyst named.
//!
//! A mail address, an IP address or a host's full name is told by its form; these are told only because they are known.

use super::sentence;
use crate::analysis::model::Report;
use crate::config::Settings;
use crate::domain::rows::{HostFact, Rows};
use crate::domain::text::Text;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// What a known name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Path,
    File,
    Host,
    Account,
    Title,
}

/// Words of mailtrail's own sentences, and of common replies. A bare name that is one of them says nothing where it stands, and a
/// pseudonym between the other words of a sentence could be read back from them.
const OWN_WORDS: &str = include_str!("words.txt");

/// Names longer than this many in one automaton would take more memory than they are worth; their parts are known all the same.
const ODD_MAX: usize = 50_000;

/// Known names.
pub(super) struct Known {
    /// By hash, so that a million names take little room; a false find replaces a word too many.
    bare: HashMap<u64, What>,
    /// Names that are more than one word, or that hold letters beyond ASCII.
    odd: BTreeMap<String, What>,
    finder: Option<(AhoCorasick, Vec<What>)>,
    /// Domains by hash: a name that ends in one is a host.
    domains: HashSet<u64>,
    own_words: HashSet<&'static str>,
    /// The seed is fixed, so that a false find is the same in every run.
    hasher: foldhash::quality::FixedState,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            bare: HashMap::new(),
            odd: BTreeMap::new(),
            finder: None,
            domains: HashSet::new(),
            own_words: OWN_WORDS.split_ascii_whitespace().collect(),
            hasher: foldhash::quality::FixedState::with_seed(0x70_73_65_75),
        }
    }
}

impl Known {
    /// What a word is, if it is a known name. It is given in lower case.
    pub(super) fn bare(&self, word: &str) -> Option<What> {
        self.bare.get(&self.hash(word)).copied().filter(|_| !self.is_own_word(word))
    }

    /// Whether a domain is one of the case.
    pub(super) fn is_domain(&self, name: &str) -> bool {
        self.domains.contains(&self.hash(name))
    }

    /// The odd names in a text, in its order: from, to, and what it is.
    pub(super) fn odd_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, What)> + 'a {
        let found = self.finder.iter().flat_map(move |(finder, what)| {
            finder.find_iter(text).filter_map(move |m| Some((m.start(), m.end(), *what.get(m.pattern().as_usize())?)))
        });
        found.filter(|(from, to, _)| stands_alone(text.as_bytes(), *from, *to))
    }

    /// Ends the collecting.
    pub(super) fn finish(mut self) -> Known {
        let odd = std::mem::take(&mut self.odd);
        let what = odd.values().copied().collect();
        let finder = AhoCorasickBuilder::new().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(odd.keys());
        self.finder = finder.ok().filter(|_| !odd.is_empty()).map(|finder| (finder, what));
        self
    }

    fn hash(&self, word: &str) -> u64 {
        self.hasher.hash_one(word.as_bytes())
    }

    fn is_own_word(&self, word: &str) -> bool {
        word.len() < 2 || self.own_words.contains(word) || is_figure(word)
    }

    fn add_bare(&mut self, name: &str, what: What) {
        let hash = self.hash(&name.to_lowercase());
        let known = self.bare.entry(hash).or_insert(what);
        *known = (*known).max(what);
    }

    /// Takes a name in: whole if it is one word, and else as it stands and word by word.
    fn add(&mut self, name: &str, what: What) {
        let name = name.trim();
        if name.len() < 2 || is_figure(name) {
            return;
        }
        if name.bytes().all(is_of_a_word) {
            return self.add_bare(name, what);
        }
        if self.odd.len() < ODD_MAX {
            self.odd.insert(name.to_lowercase(), what);
            // Only ASCII is sought in any case; other letters are sought as they were written, too.
            self.odd.insert(name.to_owned(), what);
        }
    }

    pub(super) fn account(&mut self, name: &str) {
        let (user, domain) = name.rsplit_once('@').unwrap_or((name, ""));
        self.domain(domain);
        if !name.is_ascii() || name.contains('\\') {
            self.add(name, What::Account);
        }
        self.add(user.rsplit_once('\\').map_or(user, |(_, user)| user), What::Account);
    }

    pub(super) fn domain(&mut self, name: &str) {
        let lower = name.trim_matches('.').to_lowercase();
        if lower.contains('.') {
            self.domains.insert(self.hash(&lower));
        }
        if !name.is_ascii() {
            self.add(name, What::Host);
        }
    }

    pub(super) fn host(&mut self, name: &str) {
        self.domain(name);
        if !name.contains('.') && !name.contains(':') {
            self.add(name, What::Host);
        }
    }

    /// What a client calls itself, if that is a name and no common word: anybody can call himself `the`.
    fn client(&mut self, name: &str) {
        if name.len() > 2 && name.bytes().all(is_of_a_word) && !name.bytes().all(|b| b.is_ascii_lowercase()) {
            self.host(name);
        }
    }

    /// A path, and each part of it by itself.
    pub(super) fn path(&mut self, path: &str) {
        if path.contains(['/', '\\', '!']) {
            self.add(path, What::Path);
        }
        for part in path.split(['/', '\\', '!']) {
            self.add(part, What::File);
        }
    }

    pub(super) fn add_settings(&mut self, settings: &Settings) {
        let rules = &settings.accounts;
        rules.aliases.iter().for_each(|(from, to)| [from, to].into_iter().for_each(|name| self.account(name)));
        settings.domains.iter().chain(&rules.default_domain).chain(&settings.hosts).for_each(|name| self.host(name));
        for case in settings.cases() {
            case.accounts.iter().for_each(|name| self.account(name));
            case.name.iter().for_each(|name| self.add(name, What::Title));
        }
    }

    pub(super) fn add_report(&mut self, report: &Report) {
        for source in &report.evidence {
            self.path(&source.path);
            source.hosts.iter().chain(&source.host).for_each(|host| self.host(host));
        }
        report.files.iter().map(|file| &file.path).chain(report.geoip.iter().map(|base| &base.path)).for_each(|path| self.path(path));
    }

    pub(super) fn add_rows(&mut self, rows: &Rows, settings: &Settings) {
        let mut seen = Seen::default();
        let show = |text: Text| rows.show(text);
        for (spelling, account) in &rows.spellings {
            seen.once([*spelling, *account]).for_each(|name| self.account(&show(name)));
        }
        for login in &rows.logins {
            seen.once(login.account).for_each(|name| self.account(&show(name)));
            seen.once([login.host]).for_each(|name| self.host(&show(name)));
            seen.once(login.client).for_each(|name| self.client(&show(name)));
            seen.once(login.address).for_each(|ip| self.holder(&show(ip), settings));
        }
        for action in &rows.actions {
            seen.once(action.account.into_iter().chain(action.actor)).for_each(|name| self.account(&show(name)));
            seen.once(action.address).for_each(|ip| self.holder(&show(ip), settings));
        }
        for returned in &rows.returned {
            seen.once([returned.address]).for_each(|name| self.account(&show(name)));
        }
        for used in &rows.mailbox_uses {
            seen.once(used.account).for_each(|name| self.account(&show(name)));
        }
        for note in &rows.host_notes {
            seen.once([note.host]).for_each(|name| self.host(&show(name)));
            if let HostFact::OwnName { name } = note.what {
                seen.once([name]).for_each(|name| self.host(&show(name)));
            }
        }
        for message in &rows.messages {
            seen.once(message.account).for_each(|name| self.account(&show(name)));
            seen.once([message.host]).for_each(|name| self.host(&show(name)));
            seen.once(message.client).for_each(|name| self.client(&show(name)));
            seen.once(message.address).for_each(|ip| self.holder(&show(ip), settings));
            seen.once([message.sender]).for_each(|name| self.stranger(&rows.texts.show(name)));
        }
        for recipient in &rows.recipients {
            self.stranger(&rows.texts.show(recipient.address));
            let reply = rows.texts.bytes(recipient.reply);
            if !reply.is_empty() {
                self.named_in(&rows.texts.show(recipient.address), &String::from_utf8_lossy(reply));
            }
        }
    }

    /// Who holds the network of an address; a sentence may name him.
    fn holder(&mut self, ip: &str, settings: &Settings) {
        let place = ip.parse().ok().map(|ip| settings.geo.place(ip));
        if let Some(holder) = place.and_then(|place| place.holder) {
            self.add(&holder, What::Title);
        }
    }

    /// An address of somebody else's: found again by its form, unless it holds letters beyond ASCII or ends in no known domain.
    fn stranger(&mut self, address: &str) {
        if !address.is_ascii() {
            self.account(address);
        } else if let Some((_, domain)) = address.rsplit_once('@')
            && !sentence::is_public(domain)
        {
            self.domain(domain);
        }
    }

    /// A reply can speak of its recipient by the name before the `@` alone.
    fn named_in(&mut self, address: &str, reply: &str) {
        let Some((user, _)) = address.rsplit_once('@').filter(|(user, _)| user.len() > 1) else { return };
        let (user, reply) = (user.to_lowercase(), reply.to_lowercase());
        if reply.match_indices(&user).any(|(at, _)| stands_alone(reply.as_bytes(), at, at + user.len())) {
            self.add(&user, What::Account);
        }
    }
}

/// Texts that were looked at, so that each is once.
#[derive(Default)]
struct Seen(HashSet<Text>);

impl Seen {
    fn once(&mut self, texts: impl IntoIterator<Item = Text>) -> std::vec::IntoIter<Text> {
        texts.into_iter().filter(|text| self.0.insert(*text)).collect::<Vec<_>>().into_iter()
    }
}

/// Whether a stretch of a text does not go on as a word of ASCII before or after. Other letters end no word: some scripts have no spaces.
fn stands_alone(text: &[u8], from: usize, to: usize) -> bool {
    let joined = |a: Option<&u8>, b: Option<&u8>| a.zip(b).is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric());
    let before = from.checked_sub(1).and_then(|at| text.get(at));
    let last = to.checked_sub(1).and_then(|at| text.get(at));
    !joined(before, text.get(from)) && !joined(last, text.get(to))
}

fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// A number, a version or a date: replacing one would change a figure. Numbers of six digits and more can be names, of students say.
fn is_figure(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let all = word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b':' | b'+'));
    all && (digits < 6 || digits < word.len())
}
