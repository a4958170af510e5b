//! Counting: messages and recipients by outcome, in both units, each adding up to its total.

use super::model::{BlockedBy, MessageTally, ReasonTally, RecipientTally};
use crate::domain::outcome::{By, MessageOutcome, Outcome, Reason};
use crate::domain::place::Place;
use crate::domain::rows::{Message, Recipient, Rows};
use crate::domain::text::Text;
use crate::domain::text_set::TextSet;
use crate::domain::time::Timestamp;
use hashbrown::HashSet;
use std::collections::BTreeMap;

impl MessageTally {
    pub(super) fn add(&mut self, outcome: MessageOutcome) {
        self.total += 1;
        let slot = match outcome {
            MessageOutcome::PartlyDelivered => &mut self.partly_delivered,
            MessageOutcome::Whole(Outcome::Delivered) => &mut self.delivered,
            MessageOutcome::Whole(Outcome::Blocked) => &mut self.blocked,
            MessageOutcome::Whole(Outcome::Bounced) => &mut self.bounced,
            MessageOutcome::Whole(Outcome::Expired) => &mut self.expired,
            MessageOutcome::Whole(Outcome::Deferred) => &mut self.deferred,
            MessageOutcome::Whole(Outcome::Discarded) => &mut self.discarded,
            MessageOutcome::Whole(Outcome::Held) => &mut self.held,
            MessageOutcome::Whole(Outcome::Relayed) => &mut self.relayed,
            MessageOutcome::Whole(Outcome::Unknown) => &mut self.unknown,
        };
        *slot += 1;
    }
}

impl RecipientTally {
    fn add(&mut self, outcome: Outcome) {
        self.total += 1;
        let slot = match outcome {
            Outcome::Delivered => &mut self.delivered,
            Outcome::Blocked => &mut self.blocked,
            Outcome::Bounced => &mut self.bounced,
            Outcome::Expired => &mut self.expired,
            Outcome::Deferred => &mut self.deferred,
            Outcome::Discarded => &mut self.discarded,
            Outcome::Held => &mut self.held,
            Outcome::Relayed => &mut self.relayed,
            Outcome::Unknown => &mut self.unknown,
        };
        *slot += 1;
    }
}

/// Messages by outcome.
pub(super) fn messages<'r>(messages: impl Iterator<Item = &'r Message>) -> MessageTally {
    let mut tally = MessageTally::default();
    messages.for_each(|m| tally.add(m.outcome));
    tally
}

/// Recipients by outcome, with the different addresses and their domains; the messages come in the order of time. `contacted_at` tells
/// when an address was first written to by others than those counted; an address counts as previously contacted if that was before it
/// was written to here.
pub(super) fn recipients<'r>(
    rows: &Rows,
    messages: impl Iterator<Item = &'r Message>,
    contacted_at: impl Fn(&Message, Text) -> Option<Timestamp>,
) -> RecipientTally {
    let mut tally = RecipientTally::default();
    let mut reached = TextSet::new(rows.texts.len());
    let mut domains: HashSet<&[u8]> = HashSet::new();
    for message in messages {
        for recipient in rows.recipients_of(message) {
            tally.add(recipient.outcome);
            // Known or not is decided when it is first written to.
            if !reached.insert(recipient.address) {
                continue;
            }
            let address = rows.texts.bytes(recipient.address);
            if address.is_empty() {
                continue;
            }
            domains.insert(domain(address));
            tally.distinct += 1;
            let known = contacted_at(message, recipient.address).is_some_and(|t| t < message.submitted);
            tally.previously_contacted += u64::from(known);
        }
    }
    tally.domains = domains.len() as u64;
    tally.new = tally.distinct - tally.previously_contacted;
    tally
}

/// The part of an address after its last `@`.
pub(super) fn domain(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(address, |at| &address[at + 1..])
}

/// Blocked recipients by who refused.
pub(super) fn blocked_by<'r>(recipients: impl Iterator<Item = &'r Recipient>) -> BlockedBy {
    let mut tally = BlockedBy::default();
    for recipient in recipients.filter(|r| r.outcome == Outcome::Blocked) {
        match recipient.by {
            Some(By::Remote) => tally.remote += 1,
            Some(By::Own) | None => tally.own += 1,
        }
    }
    tally
}

/// How many pointers a reason shows.
const POINTERS: usize = 3;

struct Group<'r> {
    recipients: u64,
    messages: u64,
    last_message: u32,
    last_place: Option<Place>,
    sample: &'r Recipient,
    places: Vec<String>,
}

/// Recipients that did not get the message, by outcome, by whom, and reason; most first.
pub(super) fn reasons<'r>(rows: &'r Rows, recipients: impl Iterator<Item = &'r Recipient>) -> Vec<ReasonTally> {
    let mut groups: BTreeMap<(Outcome, Option<By>, Reason), Group<'r>> = BTreeMap::new();
    for recipient in recipients.filter(|r| r.outcome != Outcome::Delivered) {
        let key = (recipient.outcome, recipient.by, recipient.reason.unwrap_or(Reason::Other));
        let group = groups.entry(key).or_insert(Group {
            recipients: 0,
            messages: 0,
            last_message: u32::MAX,
            last_place: None,
            sample: recipient,
            places: Vec::new(),
        });
        group.recipients += 1;
        if group.last_message != recipient.message {
            group.messages += 1;
            group.last_message = recipient.message;
        }
        // Recipients that no line names have one line together.
        if group.places.len() < POINTERS && group.last_place != Some(recipient.place) {
            group.last_place = Some(recipient.place);
            group.places.push(recipient.place.to_string());
        }
    }
    let mut tallies: Vec<ReasonTally> = groups
        .into_iter()
        .map(|((outcome, by, class), group)| ReasonTally {
            outcome: outcome.as_str().to_owned(),
            by: by.map(|b| b.as_str().to_owned()),
            class: class.as_str().to_owned(),
            messages: group.messages,
            recipients: group.recipients,
            sample: rows.reply(group.sample),
            evidence: group.places,
        })
        .collect();
    tallies.sort_by_key(|t| std::cmp::Reverse(t.recipients));
    tallies
}
