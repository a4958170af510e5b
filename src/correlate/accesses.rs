//! Use of mailboxes over the web: many requests of one user, from one place, by one program are one session and one login.

use super::lives::Line;
use super::logins::Spellings;
use super::remap::Map;
use super::stretches::{self, Counted, Stretch};
use crate::domain::account::AccountRules;
use crate::domain::place::Place;
use crate::domain::rows::{AccessScope, Introduction, Login, LoginResult, MailboxUse, Protocol};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{SECOND, Timestamp};
use crate::formats::event::{AccessEvent, AccessFact};
use hashbrown::{HashMap, HashSet};

/// How soon a login form comes back after a wrong password.
const FORM_ANSWER: i64 = 60 * SECOND;

/// How far apart a front end and the back end behind it stamp one login: either may be the first, and either log may end in between.
const SAME_LOGIN: i64 = 60 * SECOND;

/// Who uses what, from where, by which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) account: Text,
    pub(super) address: Option<Text>,
    pub(super) protocol: Protocol,
    /// The program without the characters that the logs of one request write differently.
    client: Option<Text>,
    teller: Teller,
}

/// Whose word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Teller {
    FrontEnd,
    BackEnd,
    /// A message that was sent shows that the account was used; no log says so.
    Message,
}

/// What the requests of a session have in common, and what they read.
#[derive(Clone, Copy, Debug)]
struct Read {
    client: Option<Text>,
    bytes: u64,
}

impl Counted for Read {
    fn join(&mut self, other: &Read) {
        self.client = self.client.or(other.client);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A request that failed.
#[derive(Clone, Copy, Debug)]
struct Denied {
    line: Line,
    account: Option<Text>,
    address: Option<Text>,
    protocol: Protocol,
    client: Option<Text>,
    request: Option<Text>,
    result: LoginResult,
    back_end: bool,
}

/// Address and program.
type PlaceOfUse = (Option<Text>, Option<Text>);

/// A login form, sent in or shown again.
#[derive(Clone, Copy, Debug)]
struct Form {
    line: Line,
    address: Option<Text>,
    client: Option<Text>,
    /// The program as [`Use::client`] has it.
    alike: Option<Text>,
    request: Option<Text>,
    refused: bool,
}

/// The requests of one shard, then of all.
#[derive(Default)]
pub(super) struct Accesses {
    uses: HashMap<Use, Vec<Stretch<Read>>>,
    /// Uses by those whom their requests name by a SID alone, which stands in the account's place.
    by_sid: HashMap<Use, Vec<Stretch<Read>>>,
    /// Who goes by a SID, as other requests say.
    sids: HashSet<(Text, Text)>,
    denied: Vec<Denied>,
    forms: Vec<Form>,
}

impl Accesses {
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, event: &AccessEvent<'_>) {
        let account = event.account.map(|a| texts.intern(a));
        let address = event.address.map(|a| texts.intern(a));
        let client = event.client.map(|c| texts.intern(c));
        let request = event.request.map(|r| texts.intern(r));
        let alike = event.client.map(|c| texts.intern(&without_blanks(c)));
        match event.fact {
            AccessFact::Granted { bytes } => {
                let sid = event.sid.map(|sid| texts.intern(&sid.to_ascii_uppercase()));
                self.sids.extend(sid.zip(account));
                let Some(name) = account.or(sid) else { return };
                let uses = if account.is_some() { &mut self.uses } else { &mut self.by_sid };
                let used = Use {
                    account: name,
                    address,
                    protocol: event.protocol,
                    client: alike,
                    teller: if event.back_end { Teller::BackEnd } else { Teller::FrontEnd },
                };
                stretches::add(uses.entry(used).or_default(), Stretch::new(line, Read { client, bytes }));
            }
            AccessFact::Denied | AccessFact::Stopped => {
                let result = if event.fact == AccessFact::Denied { LoginResult::Failure } else { LoginResult::Stopped };
                let back_end = event.back_end;
                self.denied.push(Denied { line, account, address, protocol: event.protocol, client, request, result, back_end });
            }
            AccessFact::FormSent | AccessFact::FormRefused if event.back_end => {}
            AccessFact::FormSent => self.forms.push(Form { line, address, client, alike, request, refused: false }),
            AccessFact::FormRefused => self.forms.push(Form { line, address, client, alike, request, refused: true }),
        }
    }

    /// Use that the log of another system implies, such as a message sent from a mailbox.
    pub(super) fn implied(&mut self, line: Line, account: Text, address: Text, protocol: Protocol) {
        let used = Use { account, address: Some(address), protocol, client: None, teller: Teller::Message };
        stretches::add(self.uses.entry(used).or_default(), Stretch::new(line, Read { client: None, bytes: 0 }));
    }

    /// Takes in another shard's requests.
    pub(super) fn absorb(&mut self, other: Accesses, map: &Map) {
        let put = |text: &mut Option<Text>| text.iter_mut().for_each(|text| map.put(text));
        for (named, mut used, mut stretches) in
            other.uses.into_iter().map(|(used, s)| (true, used, s)).chain(other.by_sid.into_iter().map(|(used, s)| (false, used, s)))
        {
            map.put(&mut used.account);
            put(&mut used.address);
            put(&mut used.client);
            for stretch in &mut stretches {
                map.put(&mut stretch.first.host);
                put(&mut stretch.counted.client);
            }
            let uses = if named { &mut self.uses } else { &mut self.by_sid };
            uses.entry(used).or_default().extend(stretches);
        }
        self.sids.extend(other.sids.into_iter().map(|(mut sid, mut account)| {
            map.put(&mut sid);
            map.put(&mut account);
            (sid, account)
        }));
        for mut denied in other.denied {
            map.put(&mut denied.line.host);
            [&mut denied.account, &mut denied.address, &mut denied.client, &mut denied.request].into_iter().for_each(put);
            self.denied.push(denied);
        }
        for mut form in other.forms {
            map.put(&mut form.line.host);
            [&mut form.address, &mut form.client, &mut form.alike, &mut form.request].into_iter().for_each(put);
            self.forms.push(form);
        }
    }

    /// One login for each session, one for each failure, and what was read in the sessions.
    pub(super) fn finish(mut self, texts: &mut TextPool, rules: &AccountRules, known: &[Login]) -> (Vec<Login>, Vec<MailboxUse>) {
        let mut spell = Spellings::new(rules);
        self.name_sids(texts, &mut spell);
        let mut sessions = self.sessions();
        let mut first_hand: HashMap<(Text, Protocol), Span> = HashMap::new();
        let by_requests = sessions
            .iter()
            .filter(|(used, _)| used.teller == Teller::FrontEnd)
            .map(|(used, stretch)| (used.account, used.protocol, (stretch.first.at, stretch.last)));
        let by_logins = known
            .iter()
            .filter(|login| login.result == LoginResult::Success)
            .filter_map(|login| Some((login.account?, login.protocol, (login.at, login.at))));
        for (account, protocol, span) in by_requests.chain(by_logins) {
            widen(first_hand.entry((spell.canonical(texts, account), protocol)).or_insert(span), span);
        }
        let covered = covered(&sessions, known);
        // The word of a back end, or of a message, counts where no front end's log speaks, and for accounts that none tells of.
        sessions.retain(|(used, stretch)| {
            let at = stretch.first.at;
            let spoken = covered.get(&used.protocol).is_some_and(|(from, to)| (*from..=*to).contains(&at));
            // A copy may stand beyond the last line of the front end's log.
            let beside = |(from, to): &Span| (from.plus(-SAME_LOGIN)..=to.plus(SAME_LOGIN)).contains(&at);
            let told = first_hand.get(&(spell.canonical(texts, used.account), used.protocol));
            used.teller == Teller::FrontEnd || !told.is_some_and(|span| spoken || beside(span))
        });
        let mut logins: Vec<Login> = sessions.iter().map(|(used, stretch)| success(used, stretch)).collect();
        // A front end's log tells of every failure.
        let told = |denied: &Denied| covered.get(&denied.protocol).is_some_and(|(from, to)| (*from..=*to).contains(&denied.line.at));
        self.denied.retain(|denied| !(denied.back_end && told(denied)));
        let (failures, accepted) = self.failures();
        logins.extend(failures);
        logins.extend(signed_in_again(&sessions, &accepted));
        let uses = sessions
            .iter()
            .filter(|(used, stretch)| used.teller == Teller::FrontEnd && stretch.counted.bytes > 0)
            .map(mailbox_use)
            .collect();
        (logins, uses)
    }

    fn sessions(&mut self) -> Vec<(Use, Stretch<Read>)> {
        let mut sessions = Vec::new();
        for (used, stretches) in self.uses.drain() {
            sessions.extend(stretches::joined(stretches).into_iter().map(|stretch| (used, stretch)));
        }
        sessions.sort_by_key(|(_, stretch)| (stretch.first.at, stretch.first.place));
        sessions
    }

    /// Gives the uses by a SID to whom other requests name by it. One that two accounts go by, or none, is nobody's.
    fn name_sids(&mut self, texts: &mut TextPool, spell: &mut Spellings<'_>) {
        let mut sids: Vec<(Text, Text)> = std::mem::take(&mut self.sids).into_iter().collect();
        // In an order of their own, so that new names are numbered alike in every run.
        sids.sort_by(|a, b| (texts.bytes(a.0), texts.bytes(a.1)).cmp(&(texts.bytes(b.0), texts.bytes(b.1))));
        let mut names: HashMap<Text, (Text, Vec<Text>)> = HashMap::new();
        for (sid, spelling) in sids {
            let account = spell.canonical(texts, spelling);
            let (known, spellings) = names.entry(sid).or_insert((account, Vec::new()));
            if *known == account {
                spellings.push(spelling);
            } else {
                spellings.clear();
                *known = sid;
            }
        }
        let named: Vec<(Use, Vec<Stretch<Read>>)> = std::mem::take(&mut self.by_sid)
            .into_iter()
            .filter_map(|(used, stretches)| {
                // As the other requests of the same session spell it, so that they are one.
                let mut spelt = names.get(&used.account)?.1.iter().map(|spelling| Use { account: *spelling, ..used });
                let first = spelt.clone().next()?;
                Some((spelt.find(|spelt| self.uses.contains_key(spelt)).unwrap_or(first), stretches))
            })
            .collect();
        for (used, stretches) in named {
            self.uses.entry(used).or_default().extend(stretches);
        }
    }

    /// What failed, and the login forms that did not.
    fn failures(&mut self) -> (Vec<Login>, Vec<Form>) {
        let mut logins = Vec::new();
        // Two logs tell of one request; the front end's that names the user comes first.
        self.denied.sort_by_key(|d| (d.back_end, d.account.is_none(), d.line.at, d.line.place));
        let mut seen: HashSet<Text> = HashSet::new();
        for denied in &self.denied {
            if denied.request.is_none_or(|request| seen.insert(request)) {
                let Denied { account, address, protocol, client, result, .. } = *denied;
                logins.push(login(denied.line, account, address, protocol, client, result));
            }
        }
        self.forms.sort_by_key(|f| (f.line.at, f.line.place));
        let mut sent: HashMap<Option<Text>, Vec<Form>> = HashMap::new();
        let mut accepted: Vec<Form> = Vec::new();
        for form in &self.forms {
            if form.request.is_some_and(|request| !seen.insert(request)) {
                continue;
            }
            let waiting = sent.entry(form.address).or_default();
            accepted.extend(waiting.extract_if(.., |sent| form.line.at.since(sent.line.at) > FORM_ANSWER));
            match form.refused {
                false => waiting.push(*form),
                // Each form sent in is answered once; a page asked for without one is no failure.
                true if waiting.pop().is_some() => {
                    logins.push(login(form.line, None, form.address, Protocol::Webmail, form.client, LoginResult::Failure));
                }
                true => {}
            }
        }
        accepted.extend(sent.into_values().flatten());
        accepted.sort_by_key(|form| (form.line.at, form.line.place));
        (logins, accepted)
    }
}

/// Logins by a form that was sent in, and not refused, while a session of that place and program went on: the user signed in again, and
/// the requests that follow are another session. A form that a session begins with is that session's login; one that could be of
/// several users is nobody's.
fn signed_in_again(sessions: &[(Use, Stretch<Read>)], forms: &[Form]) -> Vec<Login> {
    let mut of_place: HashMap<PlaceOfUse, Vec<&(Use, Stretch<Read>)>> = HashMap::new();
    for session in sessions.iter().filter(|(used, _)| used.teller == Teller::FrontEnd && used.protocol == Protocol::Webmail) {
        of_place.entry((session.0.address, session.0.client)).or_default().push(session);
    }
    let mut last: HashMap<Use, Timestamp> = HashMap::new();
    let mut logins = Vec::new();
    for form in forms {
        let at = form.line.at;
        let here = || of_place.get(&(form.address, form.alike)).into_iter().flatten();
        if here().any(|(_, stretch)| (0..=FORM_ANSWER).contains(&stretch.first.at.since(at))) {
            continue;
        }
        let mut going_on = here().filter(|(_, stretch)| stretch.first.at < at && at <= stretch.last);
        let (Some((used, stretch)), None) = (going_on.next(), going_on.next()) else { continue };
        // Two logs may tell of one form, in which no number of the request joins them.
        if last.insert(*used, at).is_none_or(|before| at.since(before) > FORM_ANSWER) && at.since(stretch.first.at) > FORM_ANSWER {
            logins.push(login(form.line, Some(used.account), form.address, used.protocol, form.client, LoginResult::Success));
        }
    }
    logins
}

/// From when to when front ends tell of each way of use.
fn covered(sessions: &[(Use, Stretch<Read>)], known: &[Login]) -> HashMap<Protocol, Span> {
    let told = sessions.iter().filter(|(used, _)| used.teller == Teller::FrontEnd).map(|(used, s)| (used.protocol, s.first.at, s.last));
    let mut spans: HashMap<Protocol, Span> = HashMap::new();
    for (protocol, from, to) in told.chain(known.iter().map(|l| (l.protocol, l.at, l.at))) {
        widen(spans.entry(protocol).or_insert((from, to)), (from, to));
    }
    spans
}

/// First and last instant of something.
type Span = (Timestamp, Timestamp);

fn widen(span: &mut Span, by: Span) {
    *span = (span.0.min(by.0), span.1.max(by.1));
}

/// What HttpProxy writes as blanks, IIS writes as `+` and as commas.
fn without_blanks(client: &[u8]) -> Vec<u8> {
    client.iter().copied().filter(|b| !matches!(b, b' ' | b'+' | b',')).collect()
}

fn success(used: &Use, stretch: &Stretch<Read>) -> Login {
    let login = login(stretch.first, Some(used.account), used.address, used.protocol, stretch.counted.client, LoginResult::Success);
    Login { inferred: used.teller == Teller::Message, ..login }
}

fn login(line: Line, account: Option<Text>, address: Option<Text>, protocol: Protocol, client: Option<Text>, result: LoginResult) -> Login {
    Login {
        at: line.at,
        host: line.host,
        account,
        address,
        protocol,
        result,
        times: 1,
        mechanism: None,
        client,
        introduction: client.map(Introduction::user_agent),
        session: None,
        provider: None,
        place: line.place,
        inferred: false,
    }
}

fn mailbox_use((used, stretch): &(Use, Stretch<Read>)) -> MailboxUse {
    let place: Place = stretch.first.place;
    MailboxUse {
        at: stretch.first.at,
        account: Some(used.account),
        address: used.address,
        session: None,
        protocol: used.protocol,
        bytes_out: stretch.counted.bytes,
        items: None,
        deleted: 0,
        scope: AccessScope::default(),
        place,
    }
}
