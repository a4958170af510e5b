//! What the analyst told: which account, address and time a hint speaks of, and how the report says so.
//!
//! Each hint is of one case: that of the command line, or one of the configuration's `[[incidents]]`. A case that names neither
//! accounts nor addresses speaks of all; the times of the command line speak of all accounts it does not leave out by naming others.

use super::Facts;
use crate::config::Hints;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::say::{Part, Phrase, say};
use ipnet::IpNet;
use std::net::IpAddr;

/// From when to when acts count; open where nothing is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Asked {
    pub(super) fn holds(self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    /// Whether a stretch has a moment in it.
    pub(super) fn meets(self, first: Timestamp, last: Timestamp) -> bool {
        self.since.is_none_or(|since| last >= since) && self.until.is_none_or(|until| first < until)
    }
}

/// The time that is asked for of an account's use from an address: that of the first case that speaks of them.
pub(super) fn asked(facts: Facts<'_>, account: Text, ip: Option<IpAddr>) -> Asked {
    let speaking = facts.settings.cases().find(|case| {
        // Who names one of the attackers' addresses and a time asks for what all of them did then.
        let of_command_line = std::ptr::eq(*case, &raw const facts.settings.hints);
        let all = case.accounts.is_empty() && (case.attacker_networks.is_empty() || of_command_line);
        all || names_account(facts, case, account) || ip.is_some_and(|ip| names_address(case, ip))
    });
    speaking.map(|case| Asked { since: case.since, until: case.until }).unwrap_or_default()
}

/// Whether any case names the account.
pub(super) fn is_named(facts: Facts<'_>, account: Text) -> bool {
    facts.settings.cases().any(|case| names_account(facts, case, account))
}

/// Whether any case names the address as an attacker's.
pub(super) fn is_attackers(facts: Facts<'_>, ip: IpAddr) -> bool {
    facts.settings.cases().any(|case| names_address(case, ip))
}

fn names_account(facts: Facts<'_>, case: &Hints, account: Text) -> bool {
    if case.accounts.is_empty() {
        return false;
    }
    let name = facts.rows.texts.show(account);
    case.accounts.iter().any(|given| meant(facts, given) == name)
}

/// The account that a given name is of: the logs may have shown it to be another spelling of one.
pub(super) fn meant(facts: Facts<'_>, given: &str) -> String {
    let (rows, name) = (facts.rows, facts.settings.accounts.canonical(given));
    let known = |wanted: &str| {
        let place = rows.spellings.binary_search_by(|(spelling, _)| rows.texts.bytes(*spelling).cmp(wanted.as_bytes())).ok()?;
        rows.spellings.get(place)
    };
    known(given).or_else(|| known(&name)).map_or(name, |(_, account)| rows.show(*account))
}

fn names_address(case: &Hints, ip: IpAddr) -> bool {
    case.attacker_networks.iter().any(|net| net.contains(&ip))
}

/// Every hint, in sentences.
pub(super) fn told(facts: Facts<'_>) -> Vec<Phrase> {
    let list = |nets: &[IpNet]| Part::List(nets.iter().map(|net| Part::from(net.to_string())).collect());
    let mut told = Vec::new();
    for case in facts.settings.cases() {
        let mut parts = Vec::new();
        if !case.accounts.is_empty() {
            parts.push(say!("accounts {list}", list = case.accounts.join(", ")));
        }
        if !case.attacker_networks.is_empty() {
            parts.push(say!("the attackers' addresses {list}", list = list(&case.attacker_networks)));
        }
        parts.extend(case.since.map(|since| say!("from {time}", time = facts.stamp(since).prose())));
        parts.extend(case.until.map(|until| say!("before {time}", time = facts.stamp(until).prose())));
        let joined = parts.into_iter().reduce(|all, part| say!("{all}; {part}", all, part));
        let told_of = joined.map_or_else(|| Part::from(""), Part::from);
        told.push(match case.name.as_deref() {
            Some(name) => say!("An incident ({name}): {parts}.", name, parts = told_of),
            None => say!("An incident: {parts}.", parts = told_of),
        });
    }
    if !facts.settings.trusted_networks.is_empty() {
        told.push(say!("Logins from {list} are the owners' own.", list = list(&facts.settings.trusted_networks)));
    }
    told
}
