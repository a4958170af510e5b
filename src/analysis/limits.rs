//! What the evidence cannot tell, said in sentences.

use super::Facts;
use super::model::Coverage;
use crate::config::Hints;
use crate::domain::outcome::Outcome;
use crate::domain::rows::{ArchiveCopies, Attribution, HostFact, Kind, LoginResult, Message, Protocol};
use crate::domain::text::Text;
use crate::domain::time::MINUTE;
use crate::say::{Part, Phrase, say};
use hashbrown::HashSet;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Every limitation that applies to this run.
pub(super) fn limitations(facts: Facts<'_>, coverage: &[Coverage], problems: &[Phrase]) -> Vec<Phrase> {
    let mut limits: Vec<Phrase> = problems.iter().map(|p| say!("Evidence incomplete: {problem}.", problem = p.clone())).collect();
    let unread: Vec<&str> =
        facts.sources.iter().filter(|s| s.complete && s.format.is_none() && s.ledger.total > 0).map(|s| s.path.as_str()).collect();
    if !unread.is_empty() {
        limits.push(say!("Not read, because it is no log of a known format: {list}.", list = list(&unread)));
    }
    limits.extend(open_line_limit(facts));
    limits.extend(hint_limits(facts));
    limits.extend(time_limits(facts));
    let differing = facts.rows.differing_sign_ins;
    if differing > 0 {
        limits.push(say!(
            "The audit log and the sign-in log give {n} sign-in(s) different results; the sign-in log was followed.",
            n = differing
        ));
    }
    limits.extend(spelling_limit(facts));
    limits.extend(login_limits(facts));
    limits.extend(message_limits(facts));
    limits.extend(super::absent::exchange_limits(facts));
    limits.extend(super::services::service_limits(facts));
    limits.extend(super::absent::tenant_limits(facts));
    limits.extend(super::exports::export_limits(facts));
    let holes: usize = coverage.iter().map(|c| c.gaps.len()).sum();
    if holes > 0 {
        limits.push(say!("The logs have {n} hole(s), listed under coverage; what happened in them is unknown.", n = holes));
    }
    limits
}

/// Logs that break off within a line, or lack no more than its end.
fn open_line_limit(facts: Facts<'_>) -> Option<Phrase> {
    let open: Vec<&str> = facts.sources.iter().filter(|source| source.open_line).map(|source| source.path.as_str()).collect();
    (!open.is_empty()).then(|| {
        say!(
            "The last line of {n} source(s) has no line end: if they were cut short there, it may tell less than it did and lines after it are missing: {list}.",
            n = open.len(),
            list = list(&open)
        )
    })
}

fn hint_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let known = |name: &str| facts.rows.spellings.iter().any(|(_, account)| facts.rows.show(*account) == name);
    let mut limits: Vec<Phrase> = facts
        .settings
        .cases()
        .flat_map(|case| &case.accounts)
        .map(|given| (given, super::hints::meant(facts, given)))
        .filter(|(_, name)| !known(name) && !facts.rows.messages.iter().any(|m| m.account.is_some_and(|a| facts.rows.show(a) == *name)))
        .map(|(given, name)| unknown_account(facts, given, &name))
        .collect();
    limits.extend(unseen_networks(facts));
    if facts.settings.cases().any(|case| case.since.is_some() || case.until.is_some()) {
        limits.push(say!(
            "Only what lies in the asked time window is counted for the incident; earlier and later acts of the same origins are not."
        ));
    }
    limits.extend(window_limits(facts));
    limits
}

/// Said of an account that was asked for and that nobody logged in to or sent as.
fn unknown_account(facts: Facts<'_>, given: &str, name: &str) -> Phrase {
    let rows = facts.rows;
    let written = rows.messages.iter().filter(|message| rows.texts.bytes(message.sender).eq_ignore_ascii_case(name.as_bytes())).count();
    if written == 0 {
        return say!("No line names the account {given} that was asked for; is it spelt as in the logs?", given);
    }
    say!(
        "The account {given} that was asked for stands in the logs as the envelope sender of {n} message(s) alone, which came from hosts that are not known to be the organisation's; give these under hosts or networks in the configuration if they are.",
        given,
        n = written
    )
}

/// Networks given as the attackers' that nothing came from.
fn unseen_networks(facts: Facts<'_>) -> Vec<Phrase> {
    let given: BTreeSet<IpNet> = facts.settings.cases().flat_map(|case| &case.attacker_networks).copied().collect();
    if given.is_empty() {
        return Vec::new();
    }
    let rows = facts.rows;
    let of_logins = rows.logins.iter().filter_map(|login| login.address);
    let of_messages = rows.messages.iter().filter_map(|message| message.address);
    let of_uses = rows.mailbox_uses.iter().filter_map(|used| used.address);
    let of_actions = rows.actions.iter().filter_map(|action| action.address);
    let seen: HashSet<Text> = of_logins.chain(of_messages).chain(of_uses).chain(of_actions).collect();
    let seen: Vec<IpAddr> = seen.into_iter().filter_map(|address| rows.show(address).parse().ok()).collect();
    let unseen = given.into_iter().filter(|net| !seen.iter().any(|ip| net.contains(ip)));
    unseen
        .map(|net| say!("Nothing in evidence came from {network}, which was given as the attackers'.", network = net.to_string()))
        .collect()
}

/// Accounts that the logs name with a domain and without one, both of which were used. Names that were only tried are a guesser's.
fn spelling_limit(facts: Facts<'_>) -> Option<Phrase> {
    let rows = facts.rows;
    let logged_in = rows.logins.iter().filter(|login| login.result == LoginResult::Success).filter_map(|login| login.account);
    let used: HashSet<Text> = logged_in.chain(rows.messages.iter().filter_map(|message| message.account)).collect();
    let accounts: BTreeSet<String> = used.iter().map(|account| rows.show(*account)).collect();
    let bare = |account: &String| account.split_once('@').map(|(local, _)| local.to_owned()).filter(|local| accounts.contains(local));
    let twice: BTreeSet<String> = accounts.iter().filter_map(bare).collect();
    let names: Vec<&str> = twice.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        say!(
            "The logs name {n} account(s) both with a domain and without one, and each spelling is counted for itself; if they are the same people, give default_domain in the configuration: {list}.",
            n = names.len(),
            list = list(&names)
        )
    })
}

/// A window that was asked for and that the logs do not reach.
fn window_limits(facts: Facts<'_>) -> impl Iterator<Item = Phrase> {
    let first = facts.sources.iter().filter_map(|source| source.first).min();
    let last = facts.sources.iter().filter_map(|source| source.last).max();
    let told = first.zip(last);
    let outside = move |case: &Hints| {
        let (first, last) = told?;
        let before = case.until.is_some_and(|until| until <= first);
        let after = case.since.is_some_and(|since| since > last);
        (before || after).then(|| {
            say!(
                "The logs tell of {first} to {last}; the asked time window lies outside of that, so nothing found in it means nothing.",
                first = facts.stamp(first).prose(),
                last = facts.stamp(last).prose()
            )
        })
    };
    facts.settings.cases().filter_map(outside)
}

fn time_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let mut limits = Vec::new();
    let assumed: Vec<&str> = facts.sources.iter().filter(|s| s.zone_from == Some("assumed")).map(|s| s.path.as_str()).collect();
    if !assumed.is_empty() {
        limits.push(say!(
            "Nothing in {n} of the sources tells the zone of their time stamps; UTC was assumed (give --log-tz if that is wrong): {list}.",
            n = assumed.len(),
            list = list(&assumed)
        ));
    }
    let undated: Vec<&str> = facts.sources.iter().filter(|s| s.year_from == Some("assumed")).map(|s| s.path.as_str()).collect();
    if !undated.is_empty() {
        limits.push(say!(
            "Nothing tells the year of {n} source(s); 1970 was put in its place (give --year): {list}.",
            n = undated.len(),
            list = list(&undated)
        ));
    }
    let doubtful: Vec<&str> = facts.sources.iter().filter(|s| s.zone_conflicts > 0).map(|s| s.path.as_str()).collect();
    if !doubtful.is_empty() {
        limits.push(say!(
            "Lines in {n} source(s) tell a time of their own that does not fit the zone or year they were read with (see --log-tz, --year): {list}.",
            n = doubtful.len(),
            list = list(&doubtful)
        ));
    }
    let by_file = |from: Option<&str>| from == Some("file-mtime");
    let rests_on_file = facts.sources.iter().filter(|s| by_file(s.year_from) || by_file(s.zone_from));
    let weak: Vec<&str> = rests_on_file.map(|s| s.path.as_str()).collect();
    if !weak.is_empty() {
        limits.push(say!(
            "The year or zone of {n} source(s) rests on the file's modification time alone, which copying changes (give --year or --log-tz if it is wrong): {list}.",
            n = weak.len(),
            list = list(&weak)
        ));
    }
    let steps = facts.rows.host_notes.iter().filter(|n| n.what == HostFact::ClockStep).count();
    if steps > 0 {
        limits.push(say!("Clocks were stepped {n} time(s) while logging; times near those lines may be off.", n = steps));
    }
    limits.extend(facts.rows.clock_skews.iter().map(|skew| {
        let (least, most) = (skew.least / MINUTE, skew.most / MINUTE);
        let by = if least == most { say!("{n} minute(s)", n = least) } else { say!("{least} to {most} minutes", least, most) };
        say!(
            "The clock of {ahead} was {by} ahead of that of {behind}: {n} recipient(s) were followed from one host to the other by queue id and Message-ID all the same. Which of the two clocks is wrong is not told; times of either may be off by as much.",
            ahead = facts.rows.show(skew.ahead),
            by,
            behind = facts.rows.show(skew.behind),
            n = skew.recipients
        )
    }));
    limits
}

fn login_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let rows = facts.rows;
    let mut limits = Vec::new();
    let nameless: u64 = rows
        .logins
        .iter()
        .filter(|l| l.account.is_none() && l.result == LoginResult::Failure && l.protocol == Protocol::SmtpAuth)
        .map(|l| u64::from(l.times))
        .sum();
    if nameless > 0 {
        limits.push(say!(
            "{n} failed SMTP logins carry no user name (Postfix before 3.9, 3.8.3, 3.7.8, 3.6.12 and 3.5.22 and old builds of Exchange do not log it); they are known by address only.",
            n = nameless
        ));
    }
    let unnamed = rows.logins.iter().filter(|l| l.account.is_none() && l.result == LoginResult::Success).count();
    if unnamed > 0 {
        limits.push(say!("{n} SMTP session(s) authenticated without any line that names the user; Postfix names the user only when a recipient is accepted.",
            n = unnamed
        ));
    }
    let mailbox = rows.logins.iter().any(|l| l.protocol != Protocol::SmtpAuth && !l.inferred);
    if !mailbox {
        limits.push(say!("No login of a mailbox server (IMAP, POP3, webmail) is in evidence: whether mail was read cannot be told."));
    }
    limits
}

fn message_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let rows = facts.rows;
    let mut limits = Vec::new();
    let with = |wanted: Attribution| rows.messages.iter().filter(|m| m.attribution == wanted).count();
    let by_session = with(Attribution::Session);
    if by_session > 0 {
        limits.push(say!(
            "{n} refused attempt(s) came in authenticated sessions whose user no line names; they are attributed by their envelope sender, which that account alone uses.",
            n = by_session
        ));
    }
    let nobody = rows.messages.iter().filter(|m| m.kind == Kind::Submission && m.account.is_none()).count();
    if nobody > 0 {
        limits.push(say!(
            "{n} refused attempt(s) came in authenticated sessions whose user no line names and whose envelope sender no account is known by; they are counted under no account.",
            n = nobody
        ));
    }
    let by_sender = with(Attribution::EnvelopeSender);
    let by_webmail = |m: &&Message| m.attribution == Attribution::EnvelopeSender && m.protocol == Protocol::Webmail;
    let logged_in_there = rows.messages.iter().filter(by_webmail).count();
    if logged_in_there > 0 {
        limits.push(say!(
            "{n} message(s) were handed in by a webmail program that does not log in for sending; they are attributed by envelope sender, and to the browser that had last logged in at the webmail as that account.",
            n = logged_in_there
        ));
    }
    if by_sender > logged_in_there {
        limits.push(say!(
            "{n} message(s) came from hosts or clients of ours whose own logs are not in evidence; they are attributed by envelope sender alone, and their logins are not in evidence.",
            n = by_sender - logged_in_there
        ));
    }
    let relayed = rows.recipients.iter().filter(|r| r.outcome == Outcome::Relayed).count();
    if relayed > 0 {
        limits.push(say!(
            "{n} recipient(s) were handed to a host of ours whose log is not in evidence; what became of them is not known.",
            n = relayed
        ));
    }
    if rows.vanished_transactions > 0 {
        limits.push(say!(
            "{n} mail transaction(s) got a queue id and were then never mentioned again: broken off by the client, or lines are missing; they are not counted as messages.",
            n = rows.vanished_transactions
        ));
        let of = |(account, n): &(Text, u64)| say!("{account} ({n})", account = rows.show(*account), n = *n);
        if !rows.vanished_of.is_empty() {
            limits.push(say!(
                "Among these transactions are some of users who had logged in: {list}.",
                list = shortened(rows.vanished_of.iter().map(of).map(Part::from).collect())
            ));
        }
    }
    if rows.redirected_messages > 0 {
        limits.push(say!(
            "{n} message(s) were redirected by a rule of a server in evidence: they count by what became of them at the address that the rule names, and the recipients they were written to got nothing.",
            n = rows.redirected_messages
        ));
    }
    if rows.unopened_messages > 0 {
        limits.push(say!(
            "{n} message(s) have no line in evidence that tells who handed them in: they were queued before the logs begin, or the SMTP server's lines are missing; they are counted under no account.",
            n = rows.unopened_messages
        ));
    }
    if rows.doubtful_web_messages > 0 {
        limits.push(say!(
            "{n} message(s) were handed in by webmail while two addresses may both have had a session of the account; they are counted as the one's that logged in last (Roundcube's sendmail.log would tell).",
            n = rows.doubtful_web_messages
        ));
    }
    limits.extend(rows.archive_copies.iter().map(|copies| archive_limit(facts, copies)));
    if rows.untold_messages > 0 {
        limits.push(say!(
            "{n} message(s) that authenticated sessions handed in are told by the SMTP servers' command counters alone: the lines about them are missing; they are not counted.",
            n = rows.untold_messages
        ));
    }
    if rows.forged_senders > 0 {
        limits.push(say!(
            "{n} message(s) bear a sender of the organisation and came from addresses that nobody ever signed in from and that wrote to the organisation alone: they were taken for forged mail from outside and are counted under no account.",
            n = rows.forged_senders
        ));
    }
    if rows.recipients.iter().any(|r| r.outcome == Outcome::Delivered) {
        limits.push(say!(
            "Delivered means that the receiving server took the message; whether it went to the inbox or to junk is not in the logs."
        ));
    }
    limits
}

/// An address that everything went to, as a rule of the server sends it there.
fn archive_limit(facts: Facts<'_>, copies: &ArchiveCopies) -> Phrase {
    let (address, host, n) = (facts.rows.show(copies.address), facts.rows.show(copies.host), copies.messages);
    if copies.taken_out {
        return say!(
            "{n} messages of {host}, nearly all, went to {address} as well, whoever wrote them, as an archive rule (always_bcc) sends them there: it is counted as no recipient of any of them.",
            n,
            host,
            address
        );
    }
    say!(
        "{n} messages of {host}, nearly all, went to {address} as well: if an archive rule (always_bcc, sender_bcc_maps) sends them there, each has one recipient less than counted, and delivered and partly delivered messages are counted too high by these copies.",
        n,
        host,
        address
    )
}

/// Names shown at most.
const NAMES: usize = 4;

pub(super) fn list(names: &[&str]) -> Part {
    shortened(names.iter().copied().map(Part::from).collect())
}

/// The first of some parts, and how many were left out.
pub(super) fn shortened(mut parts: Vec<Part>) -> Part {
    let more = parts.len().saturating_sub(NAMES);
    parts.truncate(NAMES);
    let shown = Part::List(parts);
    match more {
        0 => shown,
        n => say!("{names} and {n} more", names = shown, n).into(),
    }
}
