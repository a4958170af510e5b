//! From where a webmail program logs in at mailbox and mail servers: which addresses these are, is told by the logins that go with those
//! at the webmail, and by the messages that its log names.

use super::sends::{Tie, WebSend};
use super::visits::{Try, Visits, is_web};
use super::{is_by_program, is_for_sending};
use crate::correlate::links::is_loopback;
use crate::correlate::own::is_internal_address;
use crate::domain::rows::Rows;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};

/// A web server's address goes with one of this many logins at the webmail, or with more; there may be several servers.
const SHARE: usize = 4;
/// Logins from there that go with one at the webmail, and accounts of theirs if the address is not an internal one.
const BESIDE_MIN: usize = 2;
const ACCOUNTS_MIN: usize = 2;
/// Accounts whose logins go with those at the webmail by more than chance, whatever else logs in from there.
const ACCOUNTS_ENOUGH: usize = 3;
/// A web server is used without a web session once in so many times at most.
const STRAY: u64 = 10;

/// Where a mailbox server saw logins come from: an address, or a host itself, which has more than one address for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whence {
    Host(Text),
    Address(Text),
}

impl Whence {
    fn new(texts: &TextPool, host: Text, address: Text) -> Whence {
        if is_loopback(texts.bytes(address)) { Whence::Host(host) } else { Whence::Address(address) }
    }
}

/// The logins that a mailbox server saw come from one place.
#[derive(Default)]
struct Seen {
    all: u64,
    /// Of accounts that had not logged in at the webmail before.
    stray: u64,
    /// The tries at the webmail that they go with.
    tries: HashSet<Try>,
}

/// Where the program comes from.
pub(super) struct Program {
    addresses: HashSet<Text>,
    /// First labels of the hosts it runs on; `None` where nothing tells, and it may run on any.
    hosts: Option<Vec<Vec<u8>>>,
}

impl Program {
    pub(super) fn new(rows: &Rows, visits: &Visits, sends: &[WebSend], ties: &[Tie]) -> Program {
        let texts = &rows.texts;
        let mut people: HashSet<Text> = rows.logins.iter().filter(|login| is_web(login)).filter_map(|login| login.address).collect();
        people.extend(sends.iter().map(|sent| sent.address));
        let mut seen: HashMap<Whence, Seen> = HashMap::new();
        let mut span: Option<(Timestamp, Timestamp)> = None;
        for login in rows.logins.iter().filter(|login| is_by_program(login.protocol) && !is_for_sending(login.protocol)) {
            let (Some(account), Some(address)) = (login.account, login.address) else { continue };
            span = Some((span.map_or(login.at, |(first, _)| first), login.at));
            let seen = seen.entry(Whence::new(texts, login.host, address)).or_default();
            seen.all += 1;
            match visits.beside(login).next() {
                Some(one) => _ = seen.tries.insert(one),
                None => seen.stray += u64::from(!visits.had_begun(account, login.at)),
            }
        }
        let told = span.map_or(0, |(first, last)| visits.tries_within(first, last));
        let is_server = |(whence, seen): (Whence, Seen)| {
            let is = match whence {
                Whence::Host(_) => !seen.tries.is_empty(),
                Whence::Address(address) => !people.contains(&address) && goes_with_the_webmail(texts, address, &seen, told),
            };
            is.then_some(whence)
        };
        let mut found: HashSet<Whence> = seen.into_iter().filter_map(is_server).collect();
        let handed_in = ties.iter().filter_map(|tie| rows.messages.get(tie.message));
        found.extend(handed_in.filter_map(|message| Some(Whence::new(texts, message.host, message.address?))));
        let mut program = Program { addresses: HashSet::new(), hosts: (!found.is_empty()).then(Vec::new) };
        for whence in found {
            match whence {
                Whence::Host(host) => program.hosts.get_or_insert_default().push(first_label(texts.bytes(host)).to_vec()),
                Whence::Address(address) => _ = program.addresses.insert(address),
            }
        }
        program
    }

    /// Whether the program may have come from an address; `host` is who logged it, where that is known.
    pub(super) fn holds(&self, texts: &TextPool, host: Option<Text>, address: Option<Text>) -> bool {
        let Some(address) = address else { return false };
        if self.addresses.contains(&address) {
            return true;
        }
        if !is_loopback(texts.bytes(address)) {
            return false;
        }
        let Some(hosts) = &self.hosts else { return true };
        // A mailbox server's own log names no host.
        let label = host.map(|host| first_label(texts.bytes(host))).unwrap_or_default();
        hosts.iter().any(|known| known.is_empty() || label.is_empty() || known.eq_ignore_ascii_case(label))
    }
}

fn first_label(host: &[u8]) -> &[u8] {
    host.split(|b| *b == b'.').next().unwrap_or_default()
}

/// Whether an address is a web server's and not that of a program that happens to fetch mail in the same seconds: many tries at the
/// webmail go with a login from there, and its logins are of several accounts, or hardly ever without a web session.
fn goes_with_the_webmail(texts: &TextPool, address: Text, seen: &Seen, told: usize) -> bool {
    let accounts: HashSet<Text> = seen.tries.iter().map(|(account, _, _)| *account).collect();
    let known = is_internal_address(texts.bytes(address)) || accounts.len() >= ACCOUNTS_MIN;
    let alone = known && seen.stray * STRAY <= seen.all && seen.tries.len() >= BESIDE_MIN;
    seen.tries.len() * SHARE >= told && (accounts.len() >= ACCOUNTS_ENOUGH || alone)
}
