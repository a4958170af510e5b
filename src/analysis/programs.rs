//! The programs that logins came by, in the programs' own words, and who used them.

use super::addresses::is_private;
use super::judge::Judged;
use super::profile::got_in;
use super::tries::SHARED_MIN;
use crate::domain::rows::{IntroducedBy, Introduction, Login, Rows};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};
use std::net::IpAddr;

/// Logins by the introduction they came with.
#[derive(Default)]
pub(super) struct Programs {
    numbers: HashMap<Introduction, usize>,
    /// Indices into [`Rows::logins`], in time order, of each group of introductions that are alike.
    groups: Vec<Vec<u32>>,
}

impl Programs {
    pub(super) fn new(rows: &Rows) -> Programs {
        let mut programs = Programs::default();
        let mut alike: HashMap<(IntroducedBy, Vec<u8>), usize> = HashMap::new();
        for (number, login) in rows.logins.iter().enumerate() {
            let Some(introduction) = login.introduction else { continue };
            let group = *programs.numbers.entry(introduction).or_insert_with(|| {
                *alike.entry((introduction.by, plain(rows.texts.bytes(introduction.words)))).or_insert_with(|| {
                    programs.groups.push(Vec::new());
                    programs.groups.len() - 1
                })
            });
            if let Some(group) = programs.groups.get_mut(group) {
                group.push(number as u32);
            }
        }
        programs
    }

    /// The group of an introduction, if it tells one program from another at all.
    pub(super) fn group(&self, rows: &Rows, introduction: Introduction) -> Option<usize> {
        let words = rows.texts.bytes(introduction.words);
        if says_nothing(words) {
            return None;
        }
        self.numbers.get(&introduction).copied()
    }

    /// The logins of a group, in time order.
    pub(super) fn logins<'r>(&'r self, rows: &'r Rows, group: usize) -> impl Iterator<Item = &'r Login> {
        self.groups.get(group).into_iter().flatten().filter_map(|&login| rows.logins.get(login as usize))
    }

    /// Whether owners use a program: one of them before an incident began, or several accounts whenever it was.
    pub(super) fn is_owners(&self, rows: &Rows, judged: &Judged, group: usize, begin: Timestamp) -> bool {
        let mut owners = Owners::default();
        let owned = |login: &&Login| login.account.is_some_and(|account| got_in(login) && !judged.is_attacker(account, login.address));
        self.logins(rows, group).filter(owned).any(|login| owners.are_known_by(login.account, login.at, begin))
    }
}

/// Accounts that got in by something from a place that is no attacker's.
#[derive(Default)]
pub(super) struct Owners(HashSet<Option<Text>>);

impl Owners {
    /// Takes one of them in; whether that makes it the owners' own.
    pub(super) fn are_known_by(&mut self, account: Option<Text>, at: Timestamp, begin: Timestamp) -> bool {
        self.0.insert(account);
        at < begin || self.0.len() >= SHARED_MIN
    }
}

/// Without what the logs of one request write differently: HttpProxy writes blanks where IIS writes `+`, and commas are lost.
fn plain(words: &[u8]) -> Vec<u8> {
    words.iter().filter(|b| !matches!(b, b' ' | b'+' | b',')).map(u8::to_ascii_lowercase).collect()
}

/// What every other program says too: nothing, the name that each machine has for itself, or an address behind a router.
fn says_nothing(words: &[u8]) -> bool {
    const NAMES: [&str; 6] = ["", "-", "unknown", "localhost", "localhost.localdomain", "localhost.local"];
    let words = String::from_utf8_lossy(words).trim().to_ascii_lowercase();
    let inner = words.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&words);
    let ip = inner.strip_prefix("ipv6:").unwrap_or(inner).parse::<IpAddr>();
    NAMES.contains(&words.as_str()) || ip.is_ok_and(|ip| is_private(ip) || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_every_machine_gives_tell_nothing() {
        for words in ["", "localhost", "LOCALHOST", "[127.0.0.1]", "[192.168.1.5]", "10.0.0.2", "[IPv6:fe80::1]", "[IPv6:::1]", "0.0.0.0"] {
            assert!(says_nothing(words.as_bytes()), "{words}");
        }
        for words in ["ylmf-pc", "[203.0.113.7]", "User", "python-requests/2.31", "WIN-0A1B2C"] {
            assert!(!says_nothing(words.as_bytes()), "{words}");
        }
    }

    #[test]
    fn one_program_in_two_logs_is_one() {
        assert_eq!(plain(b"Mozilla/5.0 (X11, Linux)"), plain(b"Mozilla/5.0+(X11++Linux)"));
        assert_ne!(plain(b"python-requests/2.31"), plain(b"python-requests/2.32"));
    }
}
