//! Messages without a sender that came in, as notices of failure are: how many, for whom and when.
//!
//! A notice may pass several servers, and each of them counts it; so of what was counted for an address, the place that saw the most
//! of them speaks, and nothing is added up.

use crate::domain::place::Place;
use crate::domain::rows::{Message, Rows};
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

/// What came in within one clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
    /// Those of them that the host which counted them made itself.
    made_here: u64,
    /// The line of the first.
    pub(super) place: Place,
}

/// Who counted it: a host by its queue files, into mailboxes or handed on; or `None`, records of messages.
type Counter = Option<(Text, bool)>;

/// What came in for one receiver, by who counted it and by the hour.
type Counted = BTreeMap<Counter, BTreeMap<i64, Came>>;

/// What came in, by account, or by address where it is no account's.
#[derive(Default)]
pub(super) struct Returned {
    counted: HashMap<Text, Counted>,
    came: HashMap<Text, Vec<Came>>,
    /// What hosts in evidence made themselves, each where it was made.
    made: HashMap<Text, Vec<Came>>,
    /// Addresses that a server in evidence keeps the mailbox of.
    pub(super) mailboxes: HashSet<Text>,
}

impl Returned {
    /// What queue files carried; `mailboxes` tells whose an address is.
    pub(super) fn new(rows: &Rows, mailboxes: &HashMap<Text, Text>) -> Returned {
        let mut returned = Returned::default();
        for row in &rows.returned {
            let whose = mailboxes.get(&row.address).copied().unwrap_or(row.address);
            let (count, made_here) = (u64::from(row.count), u64::from(row.made_here));
            let came = Came { first: row.first, last: row.last, count, made_here, place: row.place };
            returned.add(whose, Some((row.host, row.into_mailbox)), came);
            if row.into_mailbox {
                returned.mailboxes.insert(row.address);
            }
        }
        returned
    }

    /// One more, by a record of its own.
    pub(super) fn came(&mut self, mailboxes: &HashMap<Text, Text>, address: Text, message: &Message) {
        let (at, whose) = (message.submitted, mailboxes.get(&address).copied().unwrap_or(address));
        self.add(whose, None, Came { first: at, last: at, count: 1, made_here: 0, place: message.place });
    }

    fn add(&mut self, whose: Text, counter: Counter, more: Came) {
        if more.made_here > 0 {
            self.made.entry(whose).or_default().push(more);
        }
        let hours = self.counted.entry(whose).or_default().entry(counter).or_default();
        let known = hours.entry(more.first.0.div_euclid(HOUR)).or_insert(Came { count: 0, made_here: 0, ..more });
        known.count += more.count;
        known.made_here += more.made_here;
        known.last = known.last.max(more.last);
        (known.first, known.place) = (known.first, known.place).min((more.first, more.place));
    }

    /// Of each receiver's counts the largest stays.
    pub(super) fn settle(&mut self) {
        let sum = |hours: &BTreeMap<i64, Came>| hours.values().map(|came| came.count).sum::<u64>();
        for (whose, counted) in self.counted.drain() {
            let most = counted.into_values().rev().max_by_key(sum).unwrap_or_default();
            self.came.insert(whose, most.into_values().collect());
        }
    }

    /// What came in for one account or address, hour by hour.
    pub(super) fn to(&self, whose: Text) -> &[Came] {
        self.came.get(&whose).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many came in for one account within a stretch of time that no host in evidence made, by whole hours.
    pub(super) fn made_elsewhere(&self, whose: Text, from: Timestamp, to: Timestamp) -> u64 {
        let within = |came: &&Came| came.last >= from && came.first <= to;
        let made: u64 = self.made.get(&whose).into_iter().flatten().filter(within).map(|came| came.made_here).sum();
        self.to(whose).iter().filter(within).map(|came| came.count).sum::<u64>().saturating_sub(made)
    }

    /// All receivers, in no order.
    pub(super) fn receivers(&self) -> impl Iterator<Item = (Text, &[Came])> {
        self.came.iter().map(|(whose, came)| (*whose, came.as_slice()))
    }
}

/// The most that came on one day of UTC.
pub(super) fn busiest_day(came: &[Came]) -> u64 {
    let days = came.chunk_by(|a, b| a.first.0.div_euclid(DAY) == b.first.0.div_euclid(DAY));
    days.map(|day| day.iter().map(|came| came.count).sum()).max().unwrap_or(0)
}
