//! Mail that goes out to a filter on another host, whose logs are not in evidence, and comes back: it is no second message.
//!
//! The reply that took it over names an id of that host alone. What ties the two ends is where the one was handed to and the other came
//! from, with the message-id, the sender and the recipient.

use super::gathered::Gathered;
use super::life::{Attempted, Life, Opener};
use super::links::{Links, is_loopback, says_something};
use super::own::split_relay;
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::formats::event::Status;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use std::hash::BuildHasher;

/// How much later than the clock of the host that handed it over a filter may give a message back. Some keep it for a good look.
const KEPT: i64 = DAY;
/// How far the clocks of two hosts may differ otherwise.
const CLOCKS: i64 = 5 * MINUTE;

/// What one shard's lives say of the hosts that may be such filters.
#[derive(Default)]
pub(super) struct Ends {
    /// Relays that took something whose further way nothing tells.
    took: HashSet<Text>,
    /// Clients that handed something in without a login.
    gave: HashSet<Text>,
}

impl Ends {
    /// Notes a recipient that was handed over to where no life is known to carry it on.
    pub(super) fn took(&mut self, attempted: &Attempted) {
        self.took.insert(attempted.relay);
    }

    /// Notes who handed a life in.
    pub(super) fn gave(&mut self, life: &Life) {
        self.gave.extend(stranger(life));
    }
}

/// The client of a life that nobody logged in for.
fn stranger(life: &Life) -> Option<Text> {
    match life.opener {
        Opener::Client { address, user: None, orig_queue_id: None, .. } => Some(address),
        _ => None,
    }
}

/// Ties the lives that came back to those they went out from.
pub(super) fn follow(all: &Gathered, texts: &TextPool, ends: &[Ends], links: &mut Links) {
    let took: HashSet<&[u8]> = ends.iter().flat_map(|ends| &ends.took).map(|relay| split_relay(texts.bytes(*relay)).1).collect();
    let gave = ends.iter().flat_map(|ends| &ends.gave).copied();
    let filters: HashSet<Text> =
        gave.filter(|address| took.contains(texts.bytes(*address)) && !is_loopback(texts.bytes(*address))).collect();
    if filters.is_empty() {
        return;
    }
    let trips = RoundTrips { all, texts, filters };
    let mut back: Vec<(Timestamp, Place, u32)> = trips.each(|number, life| {
        let came_back = stranger(life).is_some_and(|address| trips.filters.contains(&address)) && !links.has_parent(number);
        (came_back && key(life).is_some()).then_some((life.opened, life.place, number))
    });
    back.sort_unstable();
    let wanted: HashSet<u64> = back.iter().filter_map(|(.., number)| key(&all.get(*number))).collect();
    let went_out = trips.each(|number, life| {
        let key = key(life).filter(|key| wanted.contains(key))?;
        life.recipients.iter().any(|attempted| trips.took_by(attempted).is_some()).then_some((key, number))
    });
    let mut by_key: HashMap<u64, Vec<u32>> = HashMap::new();
    for (key, number) in went_out {
        by_key.entry(key).or_default().push(number);
    }
    for (.., number) in back {
        trips.tie(number, &by_key, links);
    }
}

/// By what two lives of one message are found: message-id and sender.
fn key(life: &Life) -> Option<u64> {
    let id = life.message_id().filter(|id| says_something(id))?;
    Some(foldhash::fast::FixedState::with_seed(0).hash_one((id, life.sender?)))
}

struct RoundTrips<'a> {
    all: &'a Gathered,
    texts: &'a TextPool,
    /// Addresses that mail was handed to and came from.
    filters: HashSet<Text>,
}

impl RoundTrips<'_> {
    /// What all lives give, in their order.
    fn each<T: Send>(&self, of: impl Fn(u32, &Life) -> Option<T> + Sync) -> Vec<T> {
        let of_shard = |shard: usize| -> Vec<T> {
            let mut life = Life::default();
            self.all.numbers(shard).filter_map(|number| if self.all.read(number, &mut life) { of(number, &life) } else { None }).collect()
        };
        let found: Vec<Vec<T>> = (0..self.all.shards()).into_par_iter().map(of_shard).collect();
        found.into_iter().flatten().collect()
    }

    /// The filter that took a recipient.
    fn took_by(&self, attempted: &Attempted) -> Option<Text> {
        let (_, address) = split_relay(self.texts.bytes(attempted.relay));
        self.texts.find(address).filter(|address| attempted.status == Status::Sent && self.filters.contains(address))
    }

    /// Gives a life that came back to those that it went out from: each of its recipients is one of theirs.
    fn tie(&self, number: u32, by_key: &HashMap<u64, Vec<u32>>, links: &mut Links) {
        let back = self.all.get(number);
        let mut from = Life::default();
        for &sent in key(&back).and_then(|key| by_key.get(&key)).into_iter().flatten().filter(|sent| **sent != number) {
            if !self.all.read(sent, &mut from) || (from.message_id(), from.sender) != (back.message_id(), back.sender) {
                continue;
            }
            for (at, attempted) in from.recipients.iter().enumerate() {
                let kept = back.opened.since(attempted.at);
                let came_from_there = self.took_by(attempted) == stranger(&back) && (-CLOCKS..=KEPT).contains(&kept);
                if came_from_there && links.onward(sent, at).is_none() && back.names(from.text(attempted.address)) {
                    links.set_onward(sent, at, number);
                }
            }
            if links.has_parent(number) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    /// A message of two recipients that a filter on another host takes and gives back; it may be the same host that gets it.
    fn through(client: &str, back_on: &str, message_id: &str) -> Vec<String> {
        fates(&format!(
            "16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
             16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>
             16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=2 (queue active)
             16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=10.0.0.9[10.0.0.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as FOREIGN9)
             16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<b@x.test>, relay=10.0.0.9[10.0.0.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as FOREIGN9)
             16:01:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
             16:04:02 {back_on} postfix/smtpd[8]: 2A2B3C4D5E: client={client}
             16:04:02 {back_on} postfix/cleanup[6]: 2A2B3C4D5E: message-id=<{message_id}>
             16:04:02 {back_on} postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
             16:04:03 {back_on} postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host mx.x.test[192.0.2.9] said: 550 5.7.1 spam (in reply to end of DATA command))
             16:04:03 {back_on} postfix/qmgr[9]: 2A2B3C4D5E: removed"
        ))
    }

    #[test]
    fn what_comes_back_from_a_filter_on_another_host_is_no_second_message() {
        for back_on in ["mail", "gate"] {
            let truth = ["suzuki@u.example: blocked [a@x.test=blocked b@x.test=relayed]"];
            assert_eq!(through("filter.u.example[10.0.0.9]", back_on, "m1@pc"), truth, "{back_on}");
        }
        // From elsewhere, or with another message-id, it is a message of its own.
        assert_eq!(through("filter.u.example[10.0.0.8]", "mail", "m1@pc").len(), 2);
        assert_eq!(through("filter.u.example[10.0.0.9]", "mail", "m2@pc").len(), 2);
    }
}
