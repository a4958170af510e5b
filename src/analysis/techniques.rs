//! The techniques of MITRE ATT&CK that findings are signs of (<https://attack.mitre.org/techniques/enterprise/>).

use super::model::{AccountChange, Incident, Technique};
use crate::say::{Lang, say};
use std::collections::BTreeMap;

/// Names of the techniques that are told of.
const NAMES: [(&str, &str); 14] = [
    ("T1078", "Valid Accounts"),
    ("T1078.004", "Valid Accounts: Cloud Accounts"),
    ("T1098", "Account Manipulation"),
    ("T1098.002", "Account Manipulation: Additional Email Delegate Permissions"),
    ("T1110", "Brute Force"),
    ("T1110.001", "Brute Force: Password Guessing"),
    ("T1110.003", "Brute Force: Password Spraying"),
    ("T1114.002", "Email Collection: Remote Email Collection"),
    ("T1114.003", "Email Collection: Email Forwarding Rule"),
    ("T1528", "Steal Application Access Token"),
    ("T1534", "Internal Spearphishing"),
    ("T1556.006", "Modify Authentication Process: Multi-Factor Authentication"),
    ("T1564.008", "Hide Artifacts: Email Hiding Rules"),
    ("T1586.002", "Compromise Accounts: Email Accounts"),
];

/// Recipients of the organisation that make a sending one inside it.
const INTERNAL_MIN: u64 = 3;

/// What a change of an account is a sign of, by a part of the action's name; the first that fits.
const CHANGES: [(&str, &str); 8] = [
    ("forward", "T1114.003"),
    ("redirect", "T1114.003"),
    ("rule", "T1564.008"),
    ("permission", "T1098.002"),
    ("delegate", "T1098.002"),
    ("mfa", "T1556.006"),
    ("consent", "T1528"),
    ("password", "T1098"),
];

/// Every technique that an incident shows signs of, in the order of their ids. In the cloud, valid accounts are cloud accounts.
pub(super) fn techniques(incident: &Incident, cloud: bool, lang: Lang) -> Vec<Technique> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut add = |id: &'static str, because: &str| {
        let id = if id == "T1078" && cloud { "T1078.004" } else { id };
        let reasons = found.entry(id).or_default();
        if !reasons.iter().any(|known| known == because) {
            reasons.push(because.to_owned());
        }
    };
    for signal in &incident.basis {
        let known = NAMES.iter().find(|(id, _)| signal.technique.as_deref() == Some(id));
        if let Some((id, _)) = known {
            add(id, &signal.signal);
        }
    }
    if incident.mailbox_access.sessions.is_some_and(|n| n > 0) {
        add("T1114.002", &say!("mailbox sessions").to(lang));
    }
    if incident.messages.as_ref().is_some_and(|m| m.total > 0) {
        add("T1586.002", &say!("messages sent by the account").to(lang));
    }
    if incident.reach.as_ref().is_some_and(|reach| reach.internal >= INTERNAL_MIN) {
        add("T1534", &say!("recipients of the organisation").to(lang));
    }
    if incident.other_accounts.len() >= INTERNAL_MIN as usize {
        add("T1110.003", &say!("other accounts tried").to(lang));
    }
    for change in &incident.account_changes {
        if let Some(id) = technique_of(change) {
            add(id, &change.action);
        }
    }
    found
        .into_iter()
        .map(|(id, because)| {
            let name = NAMES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name).unwrap_or_default();
            Technique { id: id.to_owned(), name: name.to_owned(), because }
        })
        .collect()
}

/// What failed was tried, but nothing of it is left.
fn technique_of(change: &AccountChange) -> Option<&'static str> {
    if change.failed {
        return None;
    }
    CHANGES.iter().find(|(part, _)| change.action.contains(part)).map(|(_, id)| *id)
}
