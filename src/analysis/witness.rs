//! Which kinds of evidence there are, and from when to when each speaks: what nobody recorded is unknown and not none.

use super::Facts;
use super::profile::is_mailbox;
use crate::domain::rows::Protocol;
use crate::domain::time::{DAY, Timestamp};

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

    fn of(times: impl Iterator<Item = Timestamp>) -> Option<Span> {
        times.fold(None, |span: Option<Span>, at| {
            Some(span.map_or(Span { from: at, to: at }, |s| Span { from: s.from.min(at), to: s.to.max(at) }))
        })
    }
}

/// The spans of the kinds of evidence; `None` where there is none of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witnesses {
    /// Messages that accounts handed in.
    pub(super) submissions: Option<Span>,
    /// Logins for sending, worked or failed.
    pub(super) smtp_logins: Option<Span>,
    /// Logins to mailboxes, worked or failed, and sessions.
    pub(super) mailboxes: Option<Span>,
    /// Sign-ins at an identity provider, whatever they are for.
    pub(super) sign_ins: Option<Span>,
}

impl Witnesses {
    pub(super) fn new(facts: Facts<'_>) -> Witnesses {
        let rows = facts.rows;
        // A login that only a message shows says nothing of those that failed.
        let logins = |wanted: fn(Protocol) -> bool| rows.logins.iter().filter(move |l| wanted(l.protocol) && !l.inferred).map(|l| l.at);
        Witnesses {
            submissions: Span::of(rows.messages.iter().filter(|m| m.account.is_some()).map(|m| m.submitted)),
            smtp_logins: Span::of(logins(|p| p == Protocol::SmtpAuth)),
            mailboxes: Span::of(logins(is_mailbox).chain(rows.mailbox_uses.iter().map(|u| u.at))),
            sign_ins: Span::of(rows.logins.iter().filter(|l| l.provider.is_some()).map(|l| l.at)),
        }
    }
}
