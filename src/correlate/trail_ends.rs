//! The one outcome of each recipient of a trail, by the word about it that counts.

use super::own::{Own, split_relay};
use super::smart_host::SmartHost;
use super::trail_facts::Word;
use super::trails::{Recipient as TrailRecipient, Trail, Trails};
use crate::domain::outcome::{By, Outcome, Reason};
use crate::domain::place::Place;
use crate::domain::rows::Recipient;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, Timestamp};
use crate::formats::event::TrailFate;
use hashbrown::{HashMap, HashSet};

/// A recipient that waits has been given up by its server after this long, whether or not the log says so.
pub(super) const QUEUE_LIFETIME: i64 = 5 * DAY;

/// What decides how recipients ended.
pub(super) struct Ends<'a> {
    texts: &'a TextPool,
    own: &'a Own,
    host_ends: &'a HashMap<Text, Timestamp>,
    empty: Text,
    /// First labels of the hosts that tell of deliveries into mailboxes.
    delivering: HashSet<Vec<u8>>,
    smart_host: SmartHost,
}

impl<'a> Ends<'a> {
    pub(super) fn new(
        texts: &'a TextPool,
        own: &'a Own,
        host_ends: &'a HashMap<Text, Timestamp>,
        empty: Text,
        trails: &Trails,
    ) -> Ends<'a> {
        let delivering = trails.delivering().into_iter().map(|host| short(texts.bytes(host))).collect();
        Ends { texts, own, host_ends, empty, delivering, smart_host: SmartHost::new(texts, trails) }
    }

    /// The rows of a message's recipients, those that are only counted included.
    pub(super) fn of(&self, trails: &Trails, number: u32, trail: &Trail) -> Vec<Recipient> {
        let accepted = trail.accepted.as_deref();
        let recipients = trails.recipients_of(trail);
        // What is said of all without naming any is said of those of whom nothing else is.
        let of_all = recipients.iter().find(|r| r.address == self.empty).map(|r| r.word);
        let named = |r: &&TrailRecipient| r.address != self.empty && !(r.replaced && r.word.fate == TrailFate::Named);
        let mut rows: Vec<Recipient> = recipients
            .iter()
            .filter(named)
            .map(|recipient| match of_all.filter(|_| recipient.word.fate == TrailFate::Named) {
                Some(word) => self.recipient(&recipient.with(word)),
                None => self.recipient(recipient),
            })
            .collect();
        let replaced = recipients.iter().any(|r| r.replaced);
        let told = trails.unnamed_of(number);
        let told_most = told.iter().map(|(count, _)| *count).max();
        let counted = accepted.and_then(|a| a.recipients).or(told_most).filter(|_| !replaced).unwrap_or(0);
        let missing = if rows.is_empty() { counted.max(1) } else { counted.saturating_sub(rows.len() as u32) };
        let unnamed = match of_all {
            Some(word) => self.recipient(&TrailRecipient::unnamed(self.empty, word)),
            None => unknown(self.empty, self.empty, accepted.map_or(trail.start, |a| a.line).place),
        };
        let named = rows.len();
        if !told.is_empty() {
            rows.extend(self.counted(told, missing));
        }
        let left = (missing as usize).saturating_sub(rows.len() - named);
        rows.extend(std::iter::repeat_n(unnamed, left));
        rows
    }

    /// Rows of recipients whose addresses are lost, at most so many: each word speaks for as many as it counts. Where final words speak
    /// for more than there are, some speak of the same ones; if they do not agree, none of them is believed.
    fn counted(&self, told: &[(u32, Word)], most: u32) -> Vec<Recipient> {
        let is_final = |word: &Word| word.said().is_final();
        let any_final = told.iter().any(|(_, word)| is_final(word));
        let mut words: Vec<&(u32, Word)> = told.iter().filter(|(_, word)| is_final(word) == any_final).collect();
        words.sort_by_key(|(_, word)| (word.line.at, word.line.place));
        let sum = words.iter().fold(0u32, |sum, (count, _)| sum.saturating_add(*count));
        let ends: Vec<(u32, Recipient)> =
            words.into_iter().map(|(count, word)| (*count, self.recipient(&TrailRecipient::unnamed(self.empty, *word)))).collect();
        let agree = ends.windows(2).all(|pair| matches!(pair, [(_, a), (_, b)] if a.outcome == b.outcome));
        if any_final && sum > most && !agree {
            return Vec::new();
        }
        // A later step on the way is of the same ones as an earlier one.
        let in_turn: Vec<(u32, Recipient)> = if any_final { ends } else { ends.into_iter().rev().collect() };
        let rows = in_turn.into_iter().flat_map(|(count, end)| std::iter::repeat_n(end, count.min(most) as usize));
        rows.take(most as usize).collect()
    }

    fn recipient(&self, recipient: &TrailRecipient) -> Recipient {
        let word = &recipient.word;
        let (outcome, by, reason) = match word.fate {
            TrailFate::Named => (Outcome::Unknown, None, Some(Reason::Other)),
            _ if self.smart_host.takes(self.texts, self.own, word) => (Outcome::Relayed, None, Some(Reason::Other)),
            TrailFate::Delivered => (Outcome::Delivered, None, None),
            TrailFate::HandedOver { outside } => match self.handed_over(word.peer, outside) {
                Outcome::Delivered => (Outcome::Delivered, None, None),
                other => (other, None, Some(Reason::Other)),
            },
            TrailFate::Waiting { outcome, by, reason } => {
                let end = self.host_ends.get(&word.line.host).map_or(0, |end| end.since(word.line.at));
                (if end > QUEUE_LIFETIME { Outcome::Unknown } else { outcome }, by, Some(reason))
            }
            TrailFate::Ended { outcome: Outcome::Expired, reason, .. } => (Outcome::Expired, None, Some(reason)),
            TrailFate::Ended { outcome, by, reason } => {
                let by_peer = || if self.is_own_peer(word.peer) { By::Own } else { By::Remote };
                (outcome, Some(by.unwrap_or_else(by_peer)), Some(reason))
            }
        };
        Recipient {
            message: 0,
            address: recipient.address,
            outcome,
            by,
            reason,
            reply: if outcome == Outcome::Delivered { self.empty } else { word.text },
            relay: word.peer,
            at: (word.fate != TrailFate::Named).then_some(word.line.at),
            attempts: recipient.attempts,
            place: word.line.place,
        }
    }

    fn is_own_peer(&self, peer: Text) -> bool {
        let (name, address) = split_relay(self.texts.bytes(peer));
        !(name.is_empty() && address.is_empty()) && self.own.is_own_client(name, address)
    }

    /// What it means that a next hop took the message. One of ours may stand outside of the system that handed it over, as a relay does.
    fn handed_over(&self, peer: Text, outside: Option<bool>) -> Outcome {
        let (name, address) = split_relay(self.texts.bytes(peer));
        let unnamed = name.is_empty() && address.is_empty();
        let is_own = || !unnamed && self.own.is_own_client(name, address);
        let inside = match outside {
            Some(outside) => !outside || is_own(),
            None => unnamed || is_own(),
        };
        match inside {
            false => Outcome::Delivered,
            // That host tells of deliveries, and tells none of this one.
            true if unnamed || self.delivering.contains(&short(name)) => Outcome::Unknown,
            true => Outcome::Relayed,
        }
    }
}

/// Of a recipient nothing is known.
pub(super) fn unknown(address: Text, empty: Text, place: Place) -> Recipient {
    Recipient {
        message: 0,
        address,
        outcome: Outcome::Unknown,
        by: None,
        reason: Some(Reason::Other),
        reply: empty,
        relay: empty,
        at: None,
        attempts: 0,
        place,
    }
}

fn short(name: &[u8]) -> Vec<u8> {
    name.split(|b| *b == b'.').next().unwrap_or(name).to_ascii_lowercase()
}
