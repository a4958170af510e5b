//! Which kinds of evidence there are, and from when to when each speaks: what nobody recorded is unknown and not none.

use super::Facts;
use super::profile::opens_mailbox;
use super::tally::domain;
use crate::domain::place::SourceId;
use crate::domain::rows::{Attribution, Kind, Login, LoginResult, Message, Protocol, SessionLog, UntoldSession};
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use crate::formats::record_kind::RecordKind;
use crate::ingest::sources::SourceSummary;
use crate::say::{Phrase, say};
use hashbrown::{HashMap, HashSet};

/// How the ids of the formats begin in which a tenant's audit log comes, and in which it tells what became of messages.
const AUDIT_LOG: &[&str] = &["m365.audit"];
const TRACES: &[&str] = &["m365.trace", "m365.defender"];

/// No session for sending lasts longer.
const SESSION_MAX: i64 = DAY;

/// First and last instant of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    /// Whether it has a moment in common with another stretch, a day to either side included: what happens seldom does not happen
    /// at the very edges.
    pub(super) fn meets(self, from: Timestamp, to: Timestamp) -> bool {
        self.from.plus(-DAY) <= to && self.to.plus(DAY) >= from
    }

    /// The stretch that holds both.
    pub(super) fn with(self, other: Span) -> Span {
        Span { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    fn of(times: impl Iterator<Item = Timestamp>) -> Option<Span> {
        times.fold(None, |span: Option<Span>, at| {
            Some(span.map_or(Span { from: at, to: at }, |s| Span { from: s.from.min(at), to: s.to.max(at) }))
        })
    }
}

/// The spans of the kinds of evidence; `None` where there is none of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witnesses {
    /// Messages that accounts handed in, by logs that tell of all of them. The audit log of a tenant is none: it knows what mailbox
    /// programs sent, and nothing of SMTP.
    pub(super) submissions: Option<Span>,
    /// Logins for sending, worked or failed.
    pub(super) smtp_logins: Option<Span>,
    /// The first session for sending whose login is in no log where it should be, so that failures of that time are not either.
    pub(super) unheard_sending: Option<Timestamp>,
    /// Logins to mailboxes, worked or failed, and sessions.
    pub(super) mailboxes: Option<Span>,
    /// Sign-ins at an identity provider, whatever they are for.
    pub(super) sign_ins: Option<Span>,
    /// Sign-ins of which the log names no protocol, so that they may have been for sending.
    pub(super) untold_sign_ins: Option<Span>,
    /// Whether a tenant's audit log is there.
    pub(super) audit_log: bool,
    /// Whether a tenant's audit log, if there is one, records what is read in mailboxes.
    pub(super) mail_access: bool,
    /// For each of [`MAILBOX_LOGS`], whether servers of Exchange are in evidence without it.
    unlogged: [bool; KINDS],
}

const KINDS: usize = 3;

/// The logs in which an Exchange server tells of logins to mailboxes, by the systems of their sources. Each is a log of its own, and
/// most are off unless an administrator turns them on, so one of them says nothing of what another would have said.
const MAILBOX_LOGS: [(&[&str], Phrase); KINDS] = [
    (&["exchange-imap4"], say!("IMAP4 logins to Exchange")),
    (&["exchange-pop3"], say!("POP3 logins to Exchange")),
    (&["exchange-web", "iis"], say!("web logins to Exchange")),
];

impl Witnesses {
    pub(super) fn new(facts: Facts<'_>) -> Witnesses {
        let rows = facts.rows;
        // A login that only a message shows says nothing of those that failed.
        let logins = |wanted: fn(&Login) -> bool| rows.logins.iter().filter(move |l| wanted(l) && !l.inferred).map(|l| l.at);
        let audits = audits(facts);
        let handed_in = rows.messages.iter().filter(|m| m.account.is_some() && !audits.contains(&m.place.source)).map(|m| m.submitted);
        Witnesses {
            submissions: Span::of(handed_in.chain(traced(facts))),
            smtp_logins: Span::of(
                logins(|l| l.protocol == Protocol::SmtpAuth).chain(rows.web_sending.into_iter().flat_map(|(first, last)| [first, last])),
            ),
            unheard_sending: unheard_sending(facts),
            mailboxes: Span::of(logins(opens_mailbox).chain(rows.mailbox_uses.iter().map(|u| u.at))),
            sign_ins: Span::of(logins(|l| l.provider.is_some())),
            untold_sign_ins: Span::of(logins(|l| l.provider.is_some() && l.protocol == Protocol::Other)),
            audit_log: !audits.is_empty(),
            mail_access: super::exports::is_recorded(facts, RecordKind::MailAccess),
            unlogged: unlogged(facts),
        }
    }

    /// The kinds of logins to Exchange that no log in evidence tells of.
    pub(super) fn unlogged(&self) -> impl Iterator<Item = Phrase> {
        MAILBOX_LOGS.into_iter().zip(self.unlogged).filter(|(_, missing)| *missing).map(|((_, what), _)| what)
    }
}

/// A front end's log is missing where the service behind it tells of a session and it does not, or where a message came in such a
/// session and no log has its login.
fn unheard_sending(facts: Facts<'_>) -> Option<Timestamp> {
    let rows = facts.rows;
    let mut heard: HashMap<(Option<Text>, Option<Text>), Vec<Timestamp>> = HashMap::new();
    if !rows.untold.is_empty() {
        let told = |l: &&Login| l.protocol == Protocol::SmtpAuth && !l.inferred && l.result == LoginResult::Success;
        for login in rows.logins.iter().filter(told) {
            heard.entry((login.account, login.address)).or_default().push(login.at);
        }
    }
    let has_login = |half: &UntoldSession| {
        let of_half = heard.get(&(half.account, half.address)).map(Vec::as_slice).unwrap_or_default();
        of_half.iter().any(|at| half.at.since(*at).abs() <= SESSION_MAX)
    };
    let unheard = rows.untold.iter().filter(|half| half.missing == SessionLog::FrontEnd || !has_login(half));
    unheard.map(|half| half.at).min()
}

/// When mail that accounts sent is in evidence: handed in by somebody who authenticated, or on its way out. What one of the
/// organisation's servers takes from another for mailboxes of its own is no such mail.
pub(super) fn outgoing(facts: Facts<'_>) -> Option<Span> {
    let rows = facts.rows;
    let audits = audits(facts);
    let goes_out = |m: &Message| {
        let inside = m.account.map(|account| domain(rows.texts.bytes(account)));
        rows.recipients_of(m).iter().any(|r| Some(domain(rows.texts.bytes(r.address))) != inside)
    };
    let tells = |m: &&Message| match m.attribution {
        Attribution::Named | Attribution::Session => true,
        Attribution::EnvelopeSender => goes_out(m),
        Attribution::Nothing => m.kind == Kind::Submission,
    };
    let sent = rows.messages.iter().filter(|m| !audits.contains(&m.place.source)).filter(tells).map(|m| m.submitted);
    Span::of(sent.chain(traced(facts)))
}

/// The sources of a tenant's audit log.
fn audits(facts: Facts<'_>) -> HashSet<SourceId> {
    telling(facts, AUDIT_LOG).map(|s| s.id).collect()
}

/// From when to when message traces speak.
fn traced(facts: Facts<'_>) -> impl Iterator<Item = Timestamp> {
    telling(facts, TRACES).flat_map(|s| [s.first, s.last]).flatten()
}

/// The sources whose formats belong to a family.
fn telling<'a>(facts: Facts<'a>, family: &'static [&'static str]) -> impl Iterator<Item = &'a SourceSummary> {
    let of = move |id: &str| family.iter().any(|begin| id.starts_with(begin));
    facts.sources.iter().filter(move |s| s.tells() && s.format.is_some_and(|(id, _)| of(id)))
}

fn unlogged(facts: Facts<'_>) -> [bool; KINDS] {
    let read = facts.sources.iter().filter(|s| s.ledger.used > 0 || s.first.is_some());
    let systems: HashSet<&str> = read.filter_map(|s| Some(s.format?.1)).collect();
    let exchange = systems.iter().any(|system| system.starts_with("exchange-"));
    MAILBOX_LOGS.map(|(logs, _)| exchange && !logs.iter().any(|log| systems.contains(log)))
}
