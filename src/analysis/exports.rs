//! What tables and exports do not say: headings lost, pages left over, searches that stopped at a round number, results lost; and of a
//! tenant the kinds of records that nobody exported, that its licences do not record, or that it had already thrown away.

use super::Facts;
use super::limits::{list, shortened};
use crate::domain::action::ActionKind;
use crate::domain::outcome::Outcome;
use crate::domain::place::SourceId;
use crate::domain::time::DAY;
use crate::formats::batch::Ignored;
use crate::formats::record_kind::RecordKind;
use crate::formats::remark::Remark;
use crate::ingest::sources::SourceSummary;
use crate::say::{Part, Phrase, say};
use hashbrown::HashSet;

/// Numbers of records at which searches and downloads of Microsoft 365 stop: pages of the message trace (1,000 and 5,000), downloads of
/// sign-ins (100,000 and 250,000), searches of the audit log (5,000 and 50,000), and what tools and portals ask for at most.
const CAPS: [u64; 7] = [1_000, 5_000, 10_000, 30_000, 50_000, 100_000, 250_000];

/// What a remark means that was made about some records.
fn meaning(remark: Remark, n: u64) -> Phrase {
    match remark {
        Remark::NextPage => say!("a page names a following one, which may not have been collected: there may be more records"),
        Remark::QueryError => say!("the search failed for {n} record(s): what they would have said is missing", n),
        Remark::OutcomeLost => say!("an export tool lost the result of {n} sign-in(s): whether they succeeded is unknown", n),
        Remark::Degraded => say!("values of {n} record(s) were cut or printed as text by a tool; parts of them are unreadable", n),
        Remark::DoubtfulTime => say!("{n} time(s) lost their date or hour, or could be read with day and month either way", n),
        Remark::UnknownZone => say!("{n} time(s) stand in the zone chosen when the export was made, which the file does not tell", n),
        Remark::Throttled => {
            say!("access to a mailbox was no longer recorded for up to 24 hours ({n} record(s) say so): what was read then is unknown", n)
        }
        Remark::RolledUp => say!("{n} row(s) may stand for several sign-ins each, so logins are at least as many as counted", n),
        Remark::RecipientsLost => {
            say!("a shell lost the addresses of the recipients of {n} row(s): they are counted, and not named", n)
        }
        Remark::SidAlone => say!(
            "{n} request(s) name their user by a security identifier (SID) alone: they count for the account that other requests give that SID to, or else for nobody",
            n
        ),
        Remark::NoHeading => {
            say!("the heading of a table is lost; its columns were told by what they hold, which may be wrong for some")
        }
        Remark::UnendedTable => say!(
            "the last row of {n} table(s) has no line end; if the export was cut there, the last cell of the row and all rows after it are missing",
            n
        ),
        Remark::NamelessMessage => say!(
            "{n} row(s) name no message; those of one time, sender and subject count as one message, which may be several, or one that another export tells of by its name",
            n
        ),
    }
}

/// Every limitation that exports bring with them.
pub(super) fn export_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let told = Remark::ALL.into_iter().filter_map(|remark| {
        let of: Vec<&SourceSummary> = facts.sources.iter().filter(|s| s.remarks.count(remark) > 0).collect();
        let count: u64 = of.iter().map(|s| s.remarks.count(remark)).sum();
        let paths: Vec<&str> = of.iter().map(|s| s.path.as_str()).collect();
        (count > 0).then(|| say!("Tables and exports: {meaning} ({list}).", meaning = meaning(remark, count), list = list(&paths)))
    });
    let classes = classes(facts).into_iter().chain(applications(facts));
    told.chain(capped(facts))
        .chain(lost_hits(facts))
        .chain(classes)
        .chain(unrecorded(facts))
        .chain(kept(facts))
        .chain(relays(facts))
        .collect()
}

fn capped(facts: Facts<'_>) -> Option<Phrase> {
    let of = facts.sources.iter().filter(|s| s.format.is_some_and(|(_, system)| system == "m365") && CAPS.contains(&records(s)));
    let of: Vec<Part> = of.map(|s| say!("{path} with {n}", path = &s.path, n = records(s)).into()).collect();
    (!of.is_empty()).then(|| {
        say!(
            "Tables and exports: a number of records at which searches stop; there may be more than were exported ({list}).",
            list = shortened(of)
        )
    })
}

/// Searches of the audit log that found more than is in their export: pages that were not fetched, or rows that were taken out.
fn lost_hits(facts: Facts<'_>) -> Option<Phrase> {
    let lost = |s: &SourceSummary| {
        let count = |kind| s.kinds.count(kind);
        // Pages overlap at their ends, so that a last hit may stand there twice; it is asked only where no first one is there.
        let found = Some(count(RecordKind::FoundByFirst)).filter(|n| *n > 0).unwrap_or(count(RecordKind::FoundByLast));
        found.saturating_sub(count(RecordKind::Hit))
    };
    let of: Vec<&SourceSummary> = facts.sources.iter().filter(|s| lost(s) > 0).collect();
    let paths: Vec<&str> = of.iter().map(|s| s.path.as_str()).collect();
    (!of.is_empty()).then(|| {
        say!(
            "Searches of the audit log say that they found {n} record(s) more than their exports hold: pages were not collected, or rows were taken out ({list}).",
            n = of.iter().map(|s| lost(s)).sum::<u64>(),
            list = list(&paths)
        )
    })
}

/// Records of a source, without headings and blank lines.
fn records(source: &SourceSummary) -> u64 {
    let ledger = &source.ledger;
    ledger.total - ledger.ignored[Ignored::Framing as usize] - ledger.ignored[Ignored::Empty as usize]
}

/// The sources of a family of formats that hold anything, by how the ids of the formats begin.
fn sources_of<'a>(facts: Facts<'a>, family: &'static [&'static str]) -> impl Iterator<Item = &'a SourceSummary> {
    let of = move |id: &str| family.iter().any(|begin| id.starts_with(begin));
    facts.sources.iter().filter(move |s| s.tells() && s.format.is_some_and(|(id, _)| of(id)))
}

const SIGN_INS: &[&str] = &["m365.sign-ins"];
const AUDIT_LOG: &[&str] = &["m365.audit"];

/// The classes of people's sign-ins, each of which is a download of its own, that no record in evidence is of.
fn classes(facts: Facts<'_>) -> Option<Phrase> {
    let count = |kind| sources_of(facts, SIGN_INS).map(|s| s.kinds.count(kind)).sum::<u64>();
    let (interactive, other) = (count(RecordKind::InteractiveSignIn), count(RecordKind::NonInteractiveSignIn));
    let untold: Vec<&str> =
        sources_of(facts, SIGN_INS).filter(|s| s.kinds.count(RecordKind::UntoldSignIn) > 0).map(|s| s.path.as_str()).collect();
    match (interactive, other, untold.is_empty()) {
        (1.., 0, true) => Some(say!(
            "Every sign-in in evidence is an interactive one. Non-interactive ones, where programs refresh their tokens and older protocols (IMAP, POP3, SMTP) often stand, were not exported: use of accounts that only they show cannot be told."
        )),
        (0, 1.., true) => Some(say!(
            "Every sign-in in evidence is a non-interactive one. Interactive ones, where passwords are typed and guessed, were not exported: logins and failures that only they show cannot be told."
        )),
        (_, 0, false) if count(RecordKind::RefreshedSignIn) == 0 => Some(say!(
            "No sign-in in evidence is known to be a non-interactive one, and these tables do not say of which class theirs are ({list}): if only interactive ones were exported, use of accounts by refreshed tokens and older protocols (IMAP, POP3, SMTP) cannot be told.",
            list = list(&untold)
        )),
        _ => None,
    }
}

/// Applications that were let in and whose own sign-ins, a download of their own too, are not in evidence.
fn applications(facts: Facts<'_>) -> Option<Phrase> {
    let signed_in = sources_of(facts, SIGN_INS).any(|s| s.kinds.count(RecordKind::ApplicationSignIn) > 0);
    let lets_in = [ActionKind::ConsentGranted, ActionKind::ApplicationCredentialAdded, ActionKind::ApplicationChanged];
    let n = facts.rows.actions.iter().filter(|action| lets_in.contains(&action.kind) && !action.failed).count();
    (n > 0 && !signed_in).then(|| {
        say!(
            "{n} change(s) gave applications consent, credentials or owners, and no sign-in of an application (service principal, managed identity) is in evidence: whether one was used cannot be told.",
            n
        )
    })
}

/// Records of the audit log that depend on licences and settings, and what nobody can tell without them.
const RECORDED_BY_LICENCE: [(RecordKind, Phrase); 3] = [
    (
        RecordKind::MailAccess,
        say!(
            "The audit log in evidence has no MailItemsAccessed record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: what was read in mailboxes cannot be told."
        ),
    ),
    (
        RecordKind::MailboxSend,
        say!(
            "The audit log in evidence has no Send, SendAs or SendOnBehalf record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: from where mail was sent out of mailboxes cannot be told."
        ),
    ),
    (
        RecordKind::MailSearch,
        say!(
            "The audit log in evidence has no SearchQueryInitiated record of anybody. Whether they are written depends on licences and settings, and an export may leave them out: whether and for what mailboxes were searched cannot be told."
        ),
    ),
];

/// Whether the audit log in evidence holds a kind of record, of anybody; true where there is no audit log to hold any.
pub(super) fn is_recorded(facts: Facts<'_>, kind: RecordKind) -> bool {
    let mut logs = sources_of(facts, AUDIT_LOG).peekable();
    logs.peek().is_none() || facts.sources.iter().any(|s| s.kinds.count(kind) > 0)
}

fn unrecorded(facts: Facts<'_>) -> impl Iterator<Item = Phrase> {
    RECORDED_BY_LICENCE.into_iter().filter(move |(kind, _)| !is_recorded(facts, *kind)).map(|(_, sentence)| sentence)
}

const TRACES: &[&str] = &["m365.trace", "m365.defender"];

/// Mail that a tenant handed to a relay, and mail of which its trace does not say to whom it was handed.
fn relays(facts: Facts<'_>) -> Vec<Phrase> {
    let traces: HashSet<SourceId> = sources_of(facts, TRACES).map(|s| s.id).collect();
    let relayed = || facts.rows.recipients.iter().filter(|r| r.outcome == Outcome::Relayed && traces.contains(&r.place.source));
    let mut limits = Vec::new();
    if let Some(first) = relayed().next() {
        limits.push(say!(
            "Microsoft 365 handed mail for {n} recipient(s) to one next hop, {hop}, whatever their domain, or to a host of ours: a relay or a filter whose log is not in evidence. What became of it, and the notices made there, are unknown.",
            n = relayed().count(),
            hop = facts.rows.show(first.relay)
        ));
    }
    let nobody = handed_to_nobody(facts);
    if nobody > 0 {
        limits.push(say!(
            "The historical search's summary does not say to which server mail was handed: if the tenant sends through a relay of its own, {n} recipient(s) that count as delivered were only handed to that.",
            n = nobody
        ));
    }
    limits
}

/// Recipients whose messages a trace says were handed on, and not to whom. With the log of a server of ours in evidence they are followed
/// there, if they came there.
pub(super) fn handed_to_nobody(facts: Facts<'_>) -> u64 {
    let followed = facts.sources.iter().any(|s| s.ledger.used > 0 && s.format.is_some_and(|(_, system)| system != "m365"));
    let told = sources_of(facts, TRACES).filter(|s| s.ledger.used > 0);
    let all = told.map(|s| s.kinds.count(RecordKind::HandedToNobody)).sum();
    if followed { 0 } else { all }
}

/// For how many days a tenant keeps its records, by licence and by the command that asks; as Microsoft's documentation has it.
const KEPT: [(&[&str], &[i64], Phrase); 3] = [
    (
        &["m365.sign-ins", "m365.directory"],
        &[7, 30],
        say!("Entra ID keeps sign-ins and its own audit log for 7 days, or for 30 with a paid licence"),
    ),
    (&["m365.trace"], &[10, 90], say!("the message trace goes back 10 days, or 90, by the command that asks")),
    (&["m365.audit"], &[90, 180, 365], say!("the audit log is kept for 90, 180 or 365 days, by licence and by year")),
];

/// An export that reaches back as far as records are kept may begin up to this long before or after the very edge.
const EDGE: i64 = DAY;

/// Exports that begin where the tenant keeps no more.
fn kept(facts: Facts<'_>) -> impl Iterator<Item = Phrase> {
    KEPT.into_iter().filter_map(move |(family, days, kept)| {
        let at_edge = |s: &SourceSummary| {
            // What another system forwarded is kept there.
            let (first, last) = s.first.zip(s.last).filter(|_| s.kinds.count(RecordKind::Forwarded) == 0)?;
            let reach = last.since(first);
            let n = days.iter().find(|n| (reach - **n * DAY).abs() <= EDGE)?;
            Some(say!("{path}: {n} days, from {time}", path = &s.path, n = *n, time = facts.stamp(first).prose()).into())
        };
        let of: Vec<Part> = sources_of(facts, family).filter_map(at_edge).collect();
        (!of.is_empty()).then(|| {
            say!(
                "Retention: {kept}. Exports that reach back just as far may lack what came before: that they show nothing earlier does not mean that there was nothing ({list}).",
                kept,
                list = shortened(of)
            )
        })
    })
}
