//! Which of the logs of Exchange and of Microsoft 365 are not in evidence, and what can then not be known. Several of Exchange's are off
//! unless an administrator turns them on, so that their absence says nothing about use.

use super::Facts;
use crate::domain::rows::{Attribution, Kind};
use crate::say::{Phrase, say};

/// Kinds of logs, by the systems whose sources hold them, and what nobody can tell without them.
const LOGS: &[(&[&str], Phrase)] = &[
    (
        &["exchange-tracking"],
        say!(
            "No message tracking log of Exchange is in evidence: what became of messages cannot be told, and mail sent from Outlook, web mail or phones is not seen at all."
        ),
    ),
    (
        &["exchange-smtp"],
        say!(
            "No SMTP receive protocol log of Exchange is in evidence: logins for sending and their failures cannot be told. Exchange does not write it for its client connectors (ports 587 and 465) unless told to."
        ),
    ),
    (
        &["exchange-imap4", "exchange-pop3"],
        say!(
            "No IMAP4 or POP3 protocol log of Exchange is in evidence: whether mailboxes were read that way cannot be told. Exchange does not write them unless told to."
        ),
    ),
    (
        &["exchange-web", "iis"],
        say!(
            "Neither an HttpProxy log of Exchange nor a log of its web server is in evidence: whether mailboxes were used by web mail, phones, EWS or Outlook cannot be told."
        ),
    ),
];

/// Kinds of exports of Microsoft 365, by how the ids of their formats begin, and what nobody can tell without them.
const EXPORTS: &[(&[&str], Phrase)] = &[
    (
        &["m365.trace", "m365.defender"],
        say!(
            "No message trace of Microsoft 365 is in evidence: what the tenant sent by SMTP, and what became of any of its mail, cannot be told."
        ),
    ),
    (
        &["m365.sign-ins"],
        say!("No sign-in log of Microsoft 365 is in evidence: what its logins were for cannot be told, and failed ones may be missing."),
    ),
    (
        &["m365.audit"],
        say!(
            "No audit log of Microsoft 365 is in evidence: what was read in its mailboxes, and which settings were changed, cannot be told."
        ),
    ),
];

/// What is missing where there are exports of Microsoft 365 at all.
pub(super) fn tenant_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let telling = facts.sources.iter().filter(|s| s.tells());
    let formats: Vec<&str> = telling.filter_map(|s| Some(s.format?.0)).filter(|id| id.starts_with("m365.")).collect();
    if formats.is_empty() {
        return Vec::new();
    }
    let missing = |wanted: &&(&[&str], Phrase)| !wanted.0.iter().any(|begin| formats.iter().any(|id| id.starts_with(begin)));
    EXPORTS.iter().filter(missing).map(|(_, sentence)| sentence.clone()).collect()
}

/// What is missing where there are logs of Exchange at all.
pub(super) fn exchange_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let systems: Vec<&str> =
        facts.sources.iter().filter(|s| s.ledger.used > 0 || s.first.is_some()).filter_map(|s| Some(s.format?.1)).collect();
    if !systems.iter().any(|system| system.starts_with("exchange-")) {
        return Vec::new();
    }
    let missing = |wanted: &&(&[&str], Phrase)| !wanted.0.iter().any(|system| systems.contains(system));
    let mut limits: Vec<Phrase> = LOGS.iter().filter(missing).map(|(_, sentence)| sentence.clone()).collect();
    let inferred = facts.rows.logins.iter().filter(|l| l.inferred).count();
    if inferred > 0 {
        limits.push(say!(
            "{n} login(s) are known by a message alone that was sent after them: the login itself is in no log, and may have been earlier.",
            n = inferred
        ));
    }
    let unjoined = facts
        .rows
        .spellings
        .iter()
        .filter(|(from, to)| facts.rows.show(*from).contains('\\') && !facts.rows.show(*to).contains('@'))
        .count();
    if unjoined > 0 {
        limits.push(say!(
            "{n} login name(s) are written DOMAIN\\user and are not joined with the addresses of the same people; give default_domain in the configuration, and aliases where name and address differ.",
            n = unjoined
        ));
    }
    let nobodys = |m: &&crate::domain::rows::Message| m.kind == Kind::Submission && m.attribution == Attribution::Nothing;
    let nobody = facts.rows.messages.iter().filter(nobodys).count();
    if nobody > 0 && missing(&&LOGS[1]) {
        limits.push(say!("{n} message(s) came from authenticated clients whose user no log in evidence names.", n = nobody));
    }
    limits
}
