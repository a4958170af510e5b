//! Which figures of an incident are lower bounds, because the log that would complete them is missing for some server or time.

use super::Builder;
use crate::analysis::model::LowerBound;
use crate::analysis::services;
use crate::domain::outcome::Outcome;
use crate::domain::rows::{AccessScope, Kind, Message, SessionLog, UntoldSession};
use crate::domain::text::Text;
use crate::domain::time::DAY;
use crate::formats::service::Service;
use crate::say::{Part, Phrase, say};
use std::collections::BTreeSet;

/// Everything counted in messages and recipients.
const SENT: &[&str] = &["messages", "recipients", "blocked_by", "reasons", "protocols.messages", "origins.messages"];
/// What tells how messages ended.
const ENDS: &[&str] = &[
    "messages.delivered",
    "messages.blocked",
    "messages.bounced",
    "messages.expired",
    "recipients.delivered",
    "recipients.blocked",
    "recipients.bounced",
    "recipients.expired",
    "blocked_by",
    "reasons",
    "returned_notices",
];
/// What different addresses count in.
const ADDRESSES: &[&str] = &["recipients.distinct", "recipients.domains", "recipients.previously_contacted", "recipients.new"];
/// What failed logins count in.
const FAILURES: &[&str] = &["prior_failed_logins", "protocols.failures", "origins.failures", "other_accounts"];
/// What the logins to mailboxes count in.
const SESSIONS: &[&str] = &["mailbox_access.sessions", "protocols.logins", "origins.logins"];

impl Builder<'_> {
    /// The attackers' sessions in which refused attempts may have been lost.
    pub(super) fn half_told(&self) -> Vec<&UntoldSession> {
        let of_attackers =
            |half: &&UntoldSession| half.account.is_some_and(|a| self.accounts.contains(&a) && self.judged.is_attacker(a, half.address));
        self.rows().untold.iter().filter(|half| half.missing == SessionLog::Hub).filter(of_attackers).collect()
    }

    /// Every figure that may be larger than said, with the reason.
    pub(super) fn lower_bounds(&self) -> Vec<LowerBound> {
        let mut bounds = Vec::new();
        let mut bound = |figures: &[&[&str]], because: Option<Phrase>| {
            bounds.extend(because.map(|because| LowerBound {
                figures: figures.iter().flat_map(|some| some.iter()).map(|name| (*name).to_owned()).collect(),
                because: self.facts.said(&because),
            }));
        };
        if self.knows_submissions() {
            bound(&[SENT], self.refusals_lost());
            bound(&[SENT], self.store_untold());
            bound(&[SENT], self.unplaced());
            // Origins that stand out by what was refused may be missing, with what they sent.
            bound(&[ENDS, SENT, &["origins"]], self.ends_untold());
        }
        bound(&[ADDRESSES], self.unnamed());
        bound(&[&["mailbox_access.items"]], self.throttled());
        bound(&[FAILURES, SESSIONS, &["accounts", "first_login"]], self.logins_unheard());
        bounds
    }

    fn refusals_lost(&self) -> Option<Phrase> {
        let halves = self.half_told();
        let (first, last) = (halves.first()?, halves.last()?);
        let hosts: BTreeSet<String> = halves.iter().map(|half| self.rows().show(half.host)).collect();
        Some(say!(
            "The receive log of the hub transport does not tell of sessions in which the attackers sent ({hosts}, {from} to {to}): attempts that were refused in them are in no log, so messages, recipients and what was blocked are at least as many as counted.",
            hosts = Part::List(hosts.into_iter().map(Part::from).collect()),
            from = self.facts.stamp(first.at).prose(),
            to = self.facts.stamp(last.at).prose()
        ))
    }

    /// Whether nothing tells of what mailboxes sent.
    fn store_untold(&self) -> Option<Phrase> {
        services::lacks_tracking(self.facts).then(|| {
            say!(
                "No message tracking log of the transport service of Exchange is in evidence: mail sent from Outlook, web mail or phones is not seen, so messages and recipients are at least as many as counted."
            )
        })
    }

    /// Mail of the accounts in the attackers' time that no log gives an address. It is one origin to the judgement, the owner's unless it
    /// stands out by itself, and may be anybody's. Where no mail is known to be theirs, their time does not end with their last login.
    fn unplaced(&self) -> Option<Phrase> {
        let rows = self.rows();
        let (from, last) = self.window()?;
        let sent = self.accounts.iter().any(|account| self.messages_of(*account).next().is_some());
        let to = if sent { last } else { last.plus(DAY) };
        let others = |account: &&Text| !self.judged.is_attacker(**account, None);
        let origins = self.accounts.iter().filter(others).filter_map(|account| self.ground.profiles.origin(*account, None));
        let n = origins.flat_map(|origin| origin.messages(rows)).filter(|m| (from..=to).contains(&m.submitted)).count();
        match (n, sent) {
            (0, _) => None,
            (_, true) => Some(say!(
                "No log gives an address to {n} message(s) that these accounts sent while the attackers were in them: they are counted as the owners', and some may be the attackers'.",
                n
            )),
            (_, false) => Some(say!(
                "No log gives an address to {n} message(s) that these accounts sent while the attackers were in them, or within a day after: they are counted as the owners', and some may be the attackers'.",
                n
            )),
        }
    }

    /// Whether messages that a session shows to have been taken in are tracked nowhere.
    fn ends_untold(&self) -> Option<Phrase> {
        let rows = self.rows();
        let untracked = |m: &&Message| {
            let unnumbered = rows.texts.bytes(m.queue_id).is_empty() && !rows.texts.bytes(m.message_id).is_empty();
            m.kind == Kind::Submission && unnumbered && rows.recipients_of(m).iter().any(|r| r.outcome == Outcome::Unknown)
        };
        let count = self.accounts.iter().flat_map(|account| self.messages_of(*account)).filter(untracked).count();
        (count > 0 && services::any(self.facts, Service::FrontEnd, Service::Hub)).then(|| {
            say!(
                "No message tracking log tells what became of {n} message(s) of the attackers that their sessions show to have been taken in: they count as unknown, so each other outcome, what was blocked and the returned notices are at least as many as counted.",
                n = count
            )
        })
    }

    /// Recipients that no line names.
    fn unnamed(&self) -> Option<Phrase> {
        let rows = self.rows();
        let messages = self.accounts.iter().flat_map(|account| self.messages_of(*account));
        let count = messages.flat_map(|m| rows.recipients_of(m)).filter(|r| rows.texts.bytes(r.address).is_empty()).count();
        (count > 0).then(|| {
            say!(
                "No line names {n} of the recipients: different addresses, their domains, and those known or new are at least as many as counted.",
                n = count
            )
        })
    }

    /// Whether the provider stopped recording what was read, so that the items it recorded are not all.
    fn throttled(&self) -> Option<Phrase> {
        let uses: Vec<_> = self.mailbox_uses(&self.accounts).collect();
        let count = uses.iter().filter(|used| used.scope == AccessScope::Throttled).count();
        (count > 0 && uses.iter().all(|used| used.items.is_some())).then(|| {
            say!(
                "The provider stopped recording access to a mailbox of these accounts for up to 24 hours ({n} record(s) say so): at least as many items were read as counted.",
                n = count
            )
        })
    }

    /// Kinds of logins of which not all are logged.
    fn logins_unheard(&self) -> Option<Phrase> {
        let (_, to) = self.window()?;
        let kinds = self.silent_about_failures(to).into_iter().reduce(|a, b| say!("{a} or {b}", a, b))?;
        Some(say!(
            "No log of {kinds} is in evidence: the attackers may have got in earlier than the first login found, and into more accounts, and failed logins and sessions of that kind are in no figure.",
            kinds
        ))
    }
}
