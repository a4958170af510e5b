//! What the evidence cannot tell, said in sentences.

use super::Facts;
use super::model::Coverage;
use crate::domain::outcome::Outcome;
use crate::domain::rows::{Attribution, HostFact, Kind, LoginResult, Protocol};

/// Every limitation that applies to this run.
pub(super) fn limitations(facts: Facts<'_>, coverage: &[Coverage], problems: &[String]) -> Vec<String> {
    let mut limits: Vec<String> = problems.iter().map(|p| format!("Evidence incomplete: {p}.")).collect();
    let unread: Vec<&str> =
        facts.sources.iter().filter(|s| s.complete && s.format.is_none() && s.ledger.total > 0).map(|s| s.path.as_str()).collect();
    if !unread.is_empty() {
        limits.push(format!("Not read, because it is no log of a known format: {}.", list(&unread)));
    }
    limits.extend(hint_limits(facts));
    limits.extend(time_limits(facts));
    limits.extend(facts.rows.contradictions.iter().cloned());
    limits.extend(login_limits(facts));
    limits.extend(message_limits(facts));
    limits.extend(super::absent::exchange_limits(facts));
    limits.extend(super::exports::export_limits(facts));
    let holes: usize = coverage.iter().map(|c| c.gaps.len()).sum();
    if holes > 0 {
        limits.push(format!("The logs have {holes} hole(s), listed under coverage; what happened in them is unknown."));
    }
    limits
}

fn hint_limits(facts: Facts<'_>) -> Vec<String> {
    let known = |name: &str| facts.rows.spellings.iter().any(|(_, account)| facts.rows.show(*account) == name);
    let mut limits: Vec<String> = facts
        .settings
        .cases()
        .flat_map(|case| &case.accounts)
        .map(|given| (given, facts.settings.accounts.canonical(given)))
        .filter(|(_, name)| !known(name) && !facts.rows.messages.iter().any(|m| m.account.is_some_and(|a| facts.rows.show(a) == *name)))
        .map(|(given, _)| format!("No line names the account {given} that was asked for; is it spelt as in the logs?"))
        .collect();
    if facts.settings.cases().any(|case| case.since.is_some() || case.until.is_some()) {
        limits.push(
            "Only what lies in the asked time window is counted for the incident; earlier and later acts of the same origins are not."
                .to_owned(),
        );
    }
    limits
}

fn time_limits(facts: Facts<'_>) -> Vec<String> {
    let mut limits = Vec::new();
    let assumed: Vec<&str> = facts.sources.iter().filter(|s| s.zone_from == Some("assumed")).map(|s| s.path.as_str()).collect();
    if !assumed.is_empty() {
        limits.push(format!(
            "Nothing in {} of the sources tells the zone of their time stamps; UTC was assumed (give --log-tz if that is wrong): {}.",
            assumed.len(),
            list(&assumed)
        ));
    }
    let undated: Vec<&str> = facts.sources.iter().filter(|s| s.year_from == Some("assumed")).map(|s| s.path.as_str()).collect();
    if !undated.is_empty() {
        limits.push(format!(
            "Nothing tells the year of {} source(s); 1970 was put in its place (give --year): {}.",
            undated.len(),
            list(&undated)
        ));
    }
    let doubtful: Vec<&str> = facts.sources.iter().filter(|s| s.zone_conflicts > 0).map(|s| s.path.as_str()).collect();
    if !doubtful.is_empty() {
        limits.push(format!(
            "Lines in {} source(s) tell a time of their own that does not fit the zone or year they were read with (see --log-tz, --year): {}.",
            doubtful.len(),
            list(&doubtful)
        ));
    }
    let weak: Vec<&str> = facts.sources.iter().filter(|s| s.year_from == Some("file-mtime")).map(|s| s.path.as_str()).collect();
    if !weak.is_empty() {
        limits.push(format!(
            "The year of {} source(s) rests on the file's modification time alone, which copying changes (give --year if it is wrong): {}.",
            weak.len(),
            list(&weak)
        ));
    }
    let steps = facts.rows.host_notes.iter().filter(|n| n.what == HostFact::ClockStep).count();
    if steps > 0 {
        limits.push(format!("Clocks were stepped {steps} time(s) while logging; times near those lines may be off."));
    }
    limits
}

fn login_limits(facts: Facts<'_>) -> Vec<String> {
    let rows = facts.rows;
    let mut limits = Vec::new();
    let nameless: u64 = rows
        .logins
        .iter()
        .filter(|l| l.account.is_none() && l.result == LoginResult::Failure && l.protocol == Protocol::SmtpAuth)
        .map(|l| u64::from(l.times))
        .sum();
    if nameless > 0 {
        limits.push(format!(
            "{nameless} failed SMTP logins carry no user name (Postfix before 3.9, 3.8.3, 3.7.8, 3.6.12 and 3.5.22 and old builds of Exchange do not log it); they are known by address only."
        ));
    }
    let unnamed = rows.logins.iter().filter(|l| l.account.is_none() && l.result == LoginResult::Success).count();
    if unnamed > 0 {
        limits.push(format!("{unnamed} SMTP session(s) authenticated without any line that names the user; Postfix names the user only when a recipient is accepted."));
    }
    let mailbox = rows.logins.iter().any(|l| l.protocol != Protocol::SmtpAuth && !l.inferred);
    if !mailbox {
        limits.push("No login of a mailbox server (IMAP, POP3, webmail) is in evidence: whether mail was read cannot be told.".to_owned());
    }
    limits
}

fn message_limits(facts: Facts<'_>) -> Vec<String> {
    let rows = facts.rows;
    let mut limits = Vec::new();
    let with = |wanted: Attribution| rows.messages.iter().filter(|m| m.attribution == wanted).count();
    let by_session = with(Attribution::Session);
    if by_session > 0 {
        limits.push(format!(
            "{by_session} refused attempt(s) came in authenticated sessions whose user no line names; they are attributed by their envelope sender, which that account alone uses."
        ));
    }
    let nobody = rows.messages.iter().filter(|m| m.kind == Kind::Submission && m.account.is_none()).count();
    if nobody > 0 {
        limits.push(format!(
            "{nobody} refused attempt(s) came in authenticated sessions whose user no line names and whose envelope sender no account is known by; they are counted under no account."
        ));
    }
    let by_sender = with(Attribution::EnvelopeSender);
    if by_sender > 0 {
        limits.push(format!(
            "{by_sender} message(s) came from hosts or clients of ours whose own logs are not in evidence; they are attributed by envelope sender alone, and their logins are not in evidence."
        ));
    }
    let relayed = rows.recipients.iter().filter(|r| r.outcome == Outcome::Relayed).count();
    if relayed > 0 {
        limits.push(format!(
            "{relayed} recipient(s) were handed to a host of ours whose log is not in evidence; what became of them is not known."
        ));
    }
    if rows.vanished_transactions > 0 {
        limits.push(format!(
            "{} mail transaction(s) got a queue id and were then never mentioned again: broken off by the client, or lines are missing; they are not counted as messages.",
            rows.vanished_transactions
        ));
    }
    if rows.recipients.iter().any(|r| r.outcome == Outcome::Delivered) {
        limits.push(
            "Delivered means that the receiving server took the message; whether it went to the inbox or to junk is not in the logs."
                .to_owned(),
        );
    }
    limits
}

/// Names shown at most.
const NAMES: usize = 4;

pub(super) fn list(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().copied().take(NAMES).collect();
    match names.len().saturating_sub(NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
