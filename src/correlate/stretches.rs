//! Stretches of use: requests that follow one another without a long silence are one session, or one act.

use super::lives::Line;
use crate::domain::time::{MINUTE, Timestamp};

/// A longer silence than this begins a new stretch. Web mail asks for news every few minutes, a phone at least every half hour.
pub(super) const IDLE: i64 = 30 * MINUTE;

/// What is counted of the requests of a stretch.
pub(super) trait Counted {
    fn join(&mut self, other: &Self);
}

impl Counted for u64 {
    fn join(&mut self, other: &u64) {
        *self += other;
    }
}

/// Use without a long silence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<C> {
    pub(super) first: Line,
    pub(super) last: Timestamp,
    pub(super) counted: C,
}

impl<C: Counted> Stretch<C> {
    /// A stretch of one request.
    pub(super) fn new(line: Line, counted: C) -> Stretch<C> {
        Stretch { first: line, last: line.at, counted }
    }

    fn touches(&self, next: &Stretch<C>) -> bool {
        next.first.at.since(self.last) <= IDLE && self.first.at.since(next.last) <= IDLE
    }

    fn join(&mut self, next: &Stretch<C>) {
        self.last = self.last.max(next.last);
        if (next.first.at, next.first.place) < (self.first.at, self.first.place) {
            self.first = next.first;
        }
        self.counted.join(&next.counted);
    }
}

/// Puts a stretch behind others, as a part of the last of them if the two touch.
pub(super) fn add<C: Counted>(stretches: &mut Vec<Stretch<C>>, next: Stretch<C>) {
    match stretches.last_mut().filter(|known| known.touches(&next)) {
        Some(known) => known.join(&next),
        None => stretches.push(next),
    }
}

/// Stretches of several sources or shards in the order of time, those that touch as one.
pub(super) fn joined<C: Counted>(mut stretches: Vec<Stretch<C>>) -> Vec<Stretch<C>> {
    stretches.sort_by_key(|s| (s.first.at, s.first.place));
    let mut all = Vec::with_capacity(stretches.len());
    stretches.into_iter().for_each(|next| add(&mut all, next));
    all
}
