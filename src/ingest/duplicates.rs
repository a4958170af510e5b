//! The same record in two files counts once.
//!
//! A syslog record often sits in several files (`mail.log` and `syslog`, a host's own log and the central one). Copies are recognised
//! across sources by second, host and body, never within one: two equal lines of one source are two events. Where one source has
//! a line n times and another m times, the true number is the larger.

use crate::domain::time::Timestamp;
use crate::formats::batch::{Alike, Batch, Fingerprint, Ignored};
use hashbrown::{HashMap, HashSet};

/// How often a record was seen, in the source being read and at most in any.
#[derive(Clone, Copy)]
struct Seen {
    most: u32,
    source: u32,
    here: u32,
    /// Of the first of them.
    pid: u32,
    full_host: u32,
}

/// Who told before it the record that a source told last, and the second of one since then that nobody told.
#[derive(Clone, Copy, Default)]
struct Turn {
    teller: Option<u32>,
    untold: Option<i64>,
}

/// Records that may come again in a source not yet read.
#[derive(Default)]
pub(super) struct Duplicates {
    seen: HashMap<(i64, u64), Seen>,
    /// The earliest second of each source that has some, and the latest one read.
    spans: HashMap<u32, (i64, i64)>,
    /// What became of the record before, by source and host.
    turns: HashMap<(u32, u32), Turn>,
    /// The pairs of sources of which the first was read before the second and has only some of its records.
    partial: HashSet<(u32, u32)>,
    /// Records with an id of their own: never forgotten, because exports of them come in any order and repeat themselves.
    unique: HashSet<u64>,
    /// The same by what they say, for exports that leave the id out.
    alike: HashMap<(i64, u64), Told>,
}

/// Records that say the same.
#[derive(Clone, Copy, Default)]
struct Told {
    /// How many there are in truth, as far as is known: as many as have ids of their own, or as one source tells without ids.
    count: u32,
    with_id: u32,
    /// Those without an id in the source read last.
    source: u32,
    here: u32,
}

impl Told {
    /// Whether one more record, of which no copy has the same id, is a copy all the same.
    fn is_copy(&mut self, source: u32, record: &Alike) -> bool {
        let told = if record.has_id {
            self.with_id += 1;
            self.with_id
        } else {
            self.here = if self.source == source { self.here + 1 } else { 1 };
            self.source = source;
            self.here
        };
        let copy = told <= self.count;
        self.count = self.count.max(told);
        copy
    }
}

impl Duplicates {
    /// The latest second up to which records of a source are known; `None` if none is.
    pub(super) fn reach(&self, source: u32) -> Option<i64> {
        self.spans.get(&source).map(|(_, latest)| *latest)
    }

    /// Takes the copies out of a batch's ledger and returns their lines, sorted.
    pub(super) fn take_out(&mut self, source: u32, batch: &mut Batch<'_>) -> Vec<u32> {
        let mut lines = Vec::new();
        let seconds = || batch.fingerprints.iter().map(|f| f.second);
        if let (Some(first), Some(last)) = (seconds().min(), seconds().max()) {
            let span = self.spans.entry(source).or_insert((first, last));
            *span = (first.min(span.0), last.max(span.1));
        }
        for fingerprint in &batch.fingerprints {
            let told_by = self.told_by(source, fingerprint);
            if !fingerprint.used {
                continue;
            }
            self.compare(source, fingerprint, told_by);
            if told_by.is_some() {
                batch.ledger.used -= 1;
                batch.ledger.ignored[Ignored::Duplicate as usize] += 1;
                lines.push(fingerprint.line);
            }
        }
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// Takes the copies of records that carry an id of their own out of a batch's ledger and adds their lines to `lines`, sorted.
    pub(super) fn take_out_unique(&mut self, batch: &mut Batch<'_>, lines: &mut Vec<u32>) {
        for (line, hash) in &batch.unique {
            if !self.unique.insert(*hash) {
                batch.ledger.used -= 1;
                batch.ledger.ignored[Ignored::Duplicate as usize] += 1;
                lines.push(*line);
            }
        }
        lines.sort_unstable();
    }

    /// Takes out the copies, by what they say, of records that have an id in one export and none in another, or none in both.
    pub(super) fn take_out_alike(&mut self, source: u32, batch: &mut Batch<'_>, lines: &mut Vec<u32>) {
        let known = lines.len();
        for record in &batch.alike {
            if lines.get(..known).is_some_and(|known| known.binary_search(&record.line).is_ok()) {
                continue;
            }
            if self.alike.entry((record.second, record.hash)).or_default().is_copy(source, record) {
                batch.ledger.used -= 1;
                batch.ledger.ignored[Ignored::Duplicate as usize] += 1;
                lines.push(record.line);
            }
        }
        lines.sort_unstable();
    }

    /// Notes who told a record before, or that one left it out whose records begin before it and end after it.
    fn compare(&mut self, source: u32, fingerprint: &Fingerprint, told_by: Option<u32>) {
        let turn = self.turns.entry((source, fingerprint.host)).or_default();
        let (teller, untold) = match told_by {
            Some(teller) => (Some(*turn.teller.insert(teller)), turn.untold.take()),
            None => (turn.teller, Some(*turn.untold.insert(fingerprint.second))),
        };
        if let (Some(teller), Some(second)) = (teller.filter(|teller| *teller != source), untold)
            && self.spans.get(&teller).is_some_and(|&(first, last)| first < second && second < last)
        {
            self.partial.insert((teller, source));
        }
    }

    /// The pairs of sources of which the first was read before the second and has only some of its records.
    pub(super) fn partial(&self) -> impl Iterator<Item = (u32, u32)> {
        self.partial.iter().copied()
    }

    /// The source that told a record before, if this one is a copy.
    fn told_by(&mut self, source: u32, fingerprint: &Fingerprint) -> Option<u32> {
        let Fingerprint { second, hash, pid, full_host, .. } = *fingerprint;
        let fresh = Seen { most: 0, source, here: 0, pid, full_host };
        // Another process, or another host, may have said the same words in the same second.
        let mut key = (second, hash);
        if self.seen.get(&key).is_some_and(|seen| differ(seen.pid, pid)) {
            key.1 ^= u64::from(pid).wrapping_mul(SPREAD);
        }
        if self.seen.get(&key).is_some_and(|seen| differ(seen.full_host, full_host)) {
            key.1 ^= u64::from(full_host).wrapping_mul(SPREAD).rotate_left(32);
        }
        let seen = self.seen.entry(key).or_insert(fresh);
        let before = seen.source;
        if seen.source != source {
            seen.source = source;
            seen.here = 0;
        }
        seen.here += 1;
        let copy = seen.here <= seen.most;
        seen.most = seen.most.max(seen.here);
        copy.then_some(before)
    }

    /// Forgets what no source still to be read can repeat; `from` is the earliest first instant among them.
    pub(super) fn forget_before(&mut self, from: Option<Timestamp>) {
        match from {
            Some(from) => {
                self.seen.retain(|(second, _), _| *second >= from.seconds() - 1);
                self.spans.retain(|_, (_, latest)| *latest >= from.seconds() - 1);
            }
            None => {
                self.seen.clear();
                self.spans.clear();
            }
        }
    }
}

/// An odd number that spreads the bits of small ones.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whether both are known and differ.
fn differ(a: u32, b: u32) -> bool {
    a != 0 && b != 0 && a != b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(hashes: &[u64]) -> Batch<'static> {
        let mut batch = Batch::default();
        for (line, hash) in hashes.iter().enumerate() {
            batch.fingerprints.push(Fingerprint { line: line as u32, second: 100, hash: *hash, host: 0, pid: 0, full_host: 0, used: true });
            batch.ledger.total += 1;
            batch.ledger.used += 1;
        }
        batch
    }

    #[test]
    fn a_copy_in_another_source_is_dropped_and_equal_lines_of_one_source_stay() {
        let mut duplicates = Duplicates::default();
        assert!(duplicates.take_out(0, &mut batch(&[1, 1, 1, 2])).is_empty());
        let mut copy = batch(&[1, 1, 1, 2, 3]);
        assert_eq!(duplicates.take_out(1, &mut copy), [0, 1, 2, 3]);
        assert_eq!((copy.ledger.used, copy.ledger.ignored[Ignored::Duplicate as usize]), (1, 4));
        assert!(copy.ledger.adds_up());
    }

    #[test]
    fn where_two_sources_differ_in_number_the_larger_counts() {
        let mut duplicates = Duplicates::default();
        assert!(duplicates.take_out(0, &mut batch(&[7, 7])).is_empty());
        assert_eq!(duplicates.take_out(1, &mut batch(&[7, 7, 7])), [0, 1]);
        assert_eq!(duplicates.take_out(2, &mut batch(&[7, 7, 7])), [0, 1, 2]);
    }

    #[test]
    fn the_same_words_of_another_process_or_host_are_no_copy_and_a_cut_tag_is_of_any() {
        let of = |pid: u32, full_host: u32| {
            let mut batch = batch(&[7]);
            batch.fingerprints.iter_mut().for_each(|f| (f.pid, f.full_host) = (pid, full_host));
            batch
        };
        let mut duplicates = Duplicates::default();
        let mut copies = |source: u32, pid: u32, full_host: u32| duplicates.take_out(source, &mut of(pid, full_host)).len();
        assert_eq!((copies(0, 5, 9), copies(1, 6, 9), copies(2, 5, 3)), (0, 0, 0));
        assert_eq!((copies(3, 6, 9), copies(4, 5, 0), copies(5, 6, 0), copies(6, 0, 0)), (1, 1, 1, 1));
    }

    #[test]
    fn records_without_ids_are_copies_of_those_that_say_the_same_elsewhere_and_other_ids_are_other_records() {
        let mut duplicates = Duplicates::default();
        let mut copies = |source: u32, has_ids: &[bool]| {
            let mut batch = batch(&vec![0; has_ids.len()]);
            batch.alike = (0..).zip(has_ids).map(|(line, &has_id)| Alike { line, second: 100, hash: 7, has_id }).collect();
            let mut lines = Vec::new();
            duplicates.take_out_alike(source, &mut batch, &mut lines);
            assert!(batch.ledger.adds_up());
            lines.len()
        };
        // Two without ids, the same two with ids and a third, then all three without ids, and a fourth with one.
        assert_eq!((copies(0, &[false, false]), copies(1, &[true, true, true]), copies(2, &[false; 3]), copies(3, &[true])), (0, 2, 3, 0));
    }

    #[test]
    fn what_no_later_source_can_repeat_is_forgotten() {
        let mut duplicates = Duplicates::default();
        duplicates.take_out(0, &mut batch(&[1]));
        duplicates.forget_before(Some(Timestamp::from_seconds(500)));
        assert_eq!((duplicates.reach(0), duplicates.seen.len()), (None, 0));
    }
}
