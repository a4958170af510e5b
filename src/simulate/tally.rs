//! Figures of the truth, counted while the story happens, by the meanings the report's figures have.

use super::happenings::Change;
use super::random::mix;
use crate::domain::outcome::{MessageOutcome, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// Recipients of one message by outcome, in the order of [`Outcome::ALL`], and who blocked those that were blocked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fates {
    pub(super) counts: [u64; 9],
    pub(super) own: u64,
    pub(super) remote: u64,
}

impl Fates {
    pub(super) fn add(&mut self, outcome: Outcome, recipients: u64) {
        self.counts[outcome as usize] += recipients;
    }

    pub(super) fn blocked_by_own(recipients: u64) -> Fates {
        let mut fates = Fates::default();
        fates.block_by_own(recipients);
        fates
    }

    pub(super) fn block_by_own(&mut self, recipients: u64) {
        self.add(Outcome::Blocked, recipients);
        self.own += recipients;
    }

    pub(super) fn block_by_remote(&mut self, recipients: u64) {
        self.add(Outcome::Blocked, recipients);
        self.remote += recipients;
    }

    pub(super) fn plus(mut self, other: &Fates) -> Fates {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.own += other.own;
        self.remote += other.remote;
        self
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Messages and recipients by outcome.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) messages: [u64; 9],
    pub(super) partly_delivered: u64,
    pub(super) recipients: Fates,
}

impl Tally {
    /// Counts one message.
    pub(super) fn add(&mut self, fates: &Fates) {
        match MessageOutcome::settle(&fates.counts) {
            MessageOutcome::Whole(outcome) => self.messages[outcome as usize] += 1,
            MessageOutcome::PartlyDelivered => self.partly_delivered += 1,
        }
        self.recipients = self.recipients.plus(fates);
    }

    pub(super) fn merge(&mut self, other: &Tally) {
        for (mine, theirs) in self.messages.iter_mut().zip(other.messages) {
            *mine += theirs;
        }
        self.partly_delivered += other.partly_delivered;
        self.recipients = self.recipients.plus(&other.recipients);
    }

    pub(super) fn total(&self) -> u64 {
        self.messages.iter().sum::<u64>() + self.partly_delivered
    }
}

/// First and last second at which something happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span(pub(super) Option<(i64, i64)>);

impl Span {
    pub(super) fn see(&mut self, at: i64) {
        let (first, last) = self.0.unwrap_or((at, at));
        self.0 = Some((first.min(at), last.max(at)));
    }

    pub(super) fn merge(&mut self, other: Span) {
        if let Some((first, last)) = other.0 {
            self.see(first);
            self.see(last);
        }
    }

    pub(super) fn first(self) -> Option<i64> {
        self.0.map(|span| span.0)
    }

    pub(super) fn last(self) -> Option<i64> {
        self.0.map(|span| span.1)
    }
}

/// The first unauthorised login of an account.
#[derive(Clone, Debug)]
pub(super) struct FirstLogin {
    pub(super) at: i64,
    pub(super) client: usize,
    pub(super) protocol: &'static str,
}

/// What came from one address of an attacker.
#[derive(Clone, Debug, Default)]
pub(super) struct OriginUse {
    /// Sessions in which the password was accepted.
    pub(super) logins: u64,
    pub(super) failures: u64,
    pub(super) messages: u64,
    pub(super) span: Span,
}

/// What the attackers did with one account they got into.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    pub(super) person: usize,
    pub(super) first_login: Option<FirstLogin>,
    pub(super) sends: Span,
    pub(super) activity: Span,
    pub(super) tally: Tally,
    /// The same with the department's logs alone.
    pub(super) tally_dept: Tally,
    pub(super) notices: u64,
    pub(super) notice_span: Span,
    /// Strangers written to: all numbers below this one on the account's own list.
    pub(super) strangers: u64,
    /// Contacts of the owner's that the attackers wrote to as well, all of whom the owner had written to before.
    pub(super) contacts: BTreeSet<u32>,
    /// Whom the owner had written to when the attackers' first message went out.
    pub(super) known: Option<Vec<u32>>,
    pub(super) domains: BTreeSet<usize>,
    pub(super) failures_before: u64,
    pub(super) failures_before_by_origin: u64,
    pub(super) mailbox_sessions: u64,
}

/// One incident.
#[derive(Clone, Debug, Default)]
pub(super) struct Incident {
    pub(super) accounts: Vec<Taken>,
    /// By number of the client, in the order they were added.
    pub(super) origins: BTreeMap<usize, OriginUse>,
    /// Failed logins by the origins on accounts they did not get into.
    pub(super) others: BTreeMap<String, u64>,
    /// Those of them whose password was right all the same.
    pub(super) passwords_known: BTreeSet<String>,
    /// Changes that the logs tell: when, to which account by number in the incident, and what.
    pub(super) changes: Vec<(i64, usize, Change)>,
}

/// Everything counted in a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub(super) incident: Option<Incident>,
    /// Owners' and attackers' messages together, by person.
    pub(super) accounts: Vec<Tally>,
    /// Messages by person as the core server alone knows them.
    pub(super) core: Vec<Tally>,
    /// Outside contacts each person wrote to.
    pub(super) written: Vec<BTreeSet<u32>>,
    pub(super) submitted: u64,
    pub(super) inbound: u64,
    pub(super) inbound_refused: u64,
    pub(super) notices: u64,
}

impl Book {
    pub(super) fn new(people: usize) -> Book {
        Book {
            accounts: vec![Tally::default(); people],
            core: vec![Tally::default(); people],
            written: vec![BTreeSet::new(); people],
            ..Book::default()
        }
    }

    pub(super) fn taken(&mut self, number: usize) -> Option<&mut Taken> {
        self.incident.as_mut()?.accounts.get_mut(number)
    }
}

/// The n-th stranger on the list of the `number`-th of `lists` accounts; no two lists share one.
pub(super) fn stranger(lists: usize, number: usize, n: u64) -> u64 {
    n * lists as u64 + number as u64
}

/// Chance by an address's own lot: below `per_mille` of a thousand, salted so that different questions have different answers.
pub(super) fn by_lot(lot: u64, question: u64, per_mille: u64) -> bool {
    mix(lot ^ question) % 1000 < per_mille
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_units_add_up() {
        let mut tally = Tally::default();
        let mut mixed = Fates::default();
        mixed.add(Outcome::Delivered, 1);
        mixed.block_by_remote(2);
        tally.add(&mixed);
        tally.add(&Fates::blocked_by_own(1));
        assert_eq!((tally.total(), tally.partly_delivered, tally.messages[Outcome::Blocked as usize]), (2, 1, 1));
        assert_eq!((tally.recipients.total(), tally.recipients.own, tally.recipients.remote), (4, 1, 2));
    }
}
