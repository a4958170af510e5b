//! The same record in two files counts once.
//!
//! A syslog record often sits in several files (`mail.log` and `syslog`, a host's own log and the central one). Copies are recognised
//! across sources by second, host and body, never within one: two equal lines of one source are two events. Where one source has
//! a line n times and another m times, the true number is the larger. A record that lost its host is a copy of one of the same second,
//! process and body. The journal stamps a record when it arrives, which may be in the second after the one that the program wrote.

use super::repeats::Repeats;
use crate::domain::time::Timestamp;
use crate::formats::batch::{Alike, Batch, Fingerprint, Ignored, Repeated};
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
    /// Sources whose records were stamped by the journal, or may have been.
    journals: HashSet<u32>,
    /// Where a source names no hosts.
    nameless: Option<Nameless>,
    repeats: Repeats,
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

/// Records that tell their process, by second, process and body: a log that lost its hosts still has these.
#[derive(Default)]
struct Nameless {
    with_host: HashMap<(i64, u64), Seen>,
    without: HashMap<(i64, u64), Seen>,
}

impl Duplicates {
    /// Copies of the records of some sources; `nameless` where one of them names no hosts, `journals` the ones that the journal stamped.
    pub(super) fn new(nameless: bool, journals: HashSet<u32>) -> Duplicates {
        Duplicates { nameless: nameless.then(Nameless::default), journals, ..Duplicates::default() }
    }

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
        if !batch.repeats.is_empty() {
            self.take_out_repeats(source, batch, &mut lines);
        }
        lines
    }

    /// Takes what another source has line by line off the numbers of lines that say how often one came again.
    fn take_out_repeats(&mut self, source: u32, batch: &mut Batch<'_>, lines: &mut Vec<u32>) {
        let mut told_elsewhere = Vec::new();
        for repeated in &batch.repeats {
            let line = repeated.print.line;
            if !repeated.print.used || lines.binary_search(&line).is_ok() {
                continue;
            }
            let left = repeated.times - self.known_of(source, repeated);
            if left == 0 {
                told_elsewhere.push(line);
                continue;
            }
            self.repeats.add(source, repeated, left);
            if left < repeated.times {
                batch.shards.iter_mut().flatten().filter(|event| event.line == line).for_each(|event| event.times = left);
            }
        }
        batch.ledger.used -= told_elsewhere.len() as u64;
        batch.ledger.ignored[Ignored::Duplicate as usize] += told_elsewhere.len() as u64;
        lines.extend(told_elsewhere);
        lines.sort_unstable();
    }

    /// How many of the lines that a line stands for another source told of.
    fn known_of(&mut self, source: u32, repeated: &Repeated) -> u32 {
        let Repeated { print, since, times } = *repeated;
        let mut known = 0;
        for second in since..=print.second {
            if known == times {
                break;
            }
            let key = self.key(second, &print);
            known += self.seen.get_mut(&key).map_or(0, |seen| seen.give(source, times - known));
        }
        known + self.repeats.take(source, &print, since, times - known)
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
        let of_any_host = self.nameless.as_mut().and_then(|nameless| nameless.told_by(source, fingerprint));
        let told_by = self.told_by_a_log_of_its_host(source, fingerprint).or(of_any_host);
        told_by.or_else(|| self.repeats.told_by(source, fingerprint))
    }

    fn told_by_a_log_of_its_host(&mut self, source: u32, fingerprint: &Fingerprint) -> Option<u32> {
        let key = self.key(fingerprint.second, fingerprint);
        if !self.seen.get(&key).is_some_and(|seen| seen.has_more_than(source))
            && let Some(before) = self.told_a_second_apart(source, fingerprint)
        {
            return Some(before);
        }
        let seen = self.seen.entry(key).or_insert(Seen::new(source, fingerprint.pid, fingerprint.full_host));
        let (most, before) = (seen.most, seen.source);
        (seen.count(source) <= most).then_some(before)
    }

    /// The source that told a record before, where one of the two was stamped by the journal and the other by the program: the journal's
    /// stamp is the later one.
    fn told_a_second_apart(&mut self, source: u32, fingerprint: &Fingerprint) -> Option<u32> {
        if self.journals.is_empty() {
            return None;
        }
        let by_journal = self.journals.contains(&source);
        let key = self.key(fingerprint.second + if by_journal { -1 } else { 1 }, fingerprint);
        let seen = self.seen.get_mut(&key)?;
        let before = seen.source;
        let otherwise_stamped = before == source || self.journals.contains(&before) != by_journal;
        (otherwise_stamped && seen.give(source, 1) == 1).then_some(before)
    }

    /// What a record of this second is known by.
    fn key(&self, second: i64, fingerprint: &Fingerprint) -> (i64, u64) {
        let Fingerprint { hash, pid, full_host, .. } = *fingerprint;
        // Another process, or another host, may have said the same words in the same second.
        let mut key = (second, hash);
        if self.seen.get(&key).is_some_and(|seen| differ(seen.pid, pid)) {
            key.1 ^= u64::from(pid).wrapping_mul(SPREAD);
        }
        if self.seen.get(&key).is_some_and(|seen| differ(seen.full_host, full_host)) {
            key.1 ^= u64::from(full_host).wrapping_mul(SPREAD).rotate_left(32);
        }
        key
    }

    /// Forgets what no source still to be read can repeat; `from` is the earliest first instant among them.
    pub(super) fn forget_before(&mut self, from: Option<Timestamp>) {
        match from {
            Some(from) => {
                self.seen.retain(|(second, _), _| *second >= from.seconds() - 1);
                for records in self.nameless.iter_mut().flat_map(|n| [&mut n.with_host, &mut n.without]) {
                    records.retain(|(second, _), _| *second >= from.seconds() - 1);
                }
                self.repeats.forget_before(from.seconds() - 1);
                self.spans.retain(|_, (_, latest)| *latest >= from.seconds() - 1);
            }
            None => {
                self.seen.clear();
                self.nameless = self.nameless.take().map(|_| Nameless::default());
                self.repeats = Repeats::default();
                self.spans.clear();
            }
        }
    }
}

impl Seen {
    fn new(source: u32, pid: u32, full_host: u32) -> Seen {
        Seen { most: 0, source, here: 0, pid, full_host }
    }

    /// Counts one more in a source; gives how many it has by now.
    fn count(&mut self, source: u32) -> u32 {
        if self.source != source {
            self.source = source;
            self.here = 0;
        }
        self.here += 1;
        self.most = self.most.max(self.here);
        self.here
    }

    /// Whether another source tells it more often than this one so far.
    fn has_more_than(&self, source: u32) -> bool {
        let here = if self.source == source { self.here } else { 0 };
        here < self.most
    }

    /// Counts up to `wanted` in a source that are in another one too; gives how many that were.
    fn give(&mut self, source: u32, wanted: u32) -> u32 {
        if self.source != source {
            self.source = source;
            self.here = 0;
        }
        let both = (self.most - self.here).min(wanted);
        self.here += both;
        both
    }
}

impl Nameless {
    /// The source that tells of the same second, process and body, with a host where this one has none, or without.
    fn told_by(&mut self, source: u32, fingerprint: &Fingerprint) -> Option<u32> {
        let Fingerprint { second, body, pid, named, .. } = *fingerprint;
        if pid == 0 {
            return None;
        }
        let key = (second, body ^ u64::from(pid).wrapping_mul(SPREAD));
        let (own, other) = if named { (&mut self.with_host, &self.without) } else { (&mut self.without, &self.with_host) };
        let here = own.entry(key).or_insert(Seen::new(source, pid, 0)).count(source);
        other.get(&key).filter(|other| other.source != source && here <= other.most).map(|other| other.source)
    }
}

/// An odd number that spreads the bits of small ones.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whether both are known and differ.
pub(super) fn differ(a: u32, b: u32) -> bool {
    a != 0 && b != 0 && a != b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(hashes: &[u64]) -> Batch<'static> {
        let mut batch = Batch::default();
        for (line, hash) in hashes.iter().enumerate() {
            let (line, hash, host) = (line as u32, *hash, 0);
            let print = Fingerprint { line, second: 100, hash, body: hash, named: true, host, pid: 0, full_host: 0, used: true };
            batch.fingerprints.push(print);
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
    fn a_record_without_a_host_is_a_copy_of_one_of_the_same_process_alone() {
        let of = |pid: u32, hash: u64, named: bool| {
            let mut batch = batch(&[hash]);
            batch.fingerprints.iter_mut().for_each(|f| (f.pid, f.body, f.named) = (pid, 7, named));
            batch
        };
        let (mx1, mx2, none) = (10, 20, 30);
        let mut duplicates = Duplicates::new(true, HashSet::new());
        let mut copies = |source: u32, pid: u32, hash: u64| duplicates.take_out(source, &mut of(pid, hash, hash != none)).len();
        assert_eq!((copies(0, 5, mx1), copies(0, 6, mx1), copies(1, 6, mx2)), (0, 0, 0));
        assert_eq!((copies(2, 5, none), copies(2, 6, none)), (1, 1));
        assert_eq!((copies(3, 8, none), copies(4, 8, mx2)), (0, 1));
        let mut unknown = Duplicates::new(true, HashSet::new());
        assert!(unknown.take_out(0, &mut of(0, mx1, true)).is_empty() && unknown.take_out(1, &mut of(0, none, false)).is_empty());
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
    fn the_journal_stamps_a_copy_in_the_same_second_or_the_next_one() {
        let at = |second: i64| {
            let mut batch = batch(&[7]);
            batch.fingerprints.iter_mut().for_each(|f| f.second = second);
            batch
        };
        let (journal, syslog) = (1, 0);
        let copies = |read: &[(u32, i64)]| -> usize {
            let mut duplicates = Duplicates::new(false, HashSet::from([journal]));
            read.iter().map(|(source, second)| duplicates.take_out(*source, &mut at(*second)).len()).sum()
        };
        assert_eq!(copies(&[(syslog, 100), (journal, 101)]), 1);
        assert_eq!(copies(&[(journal, 101), (syslog, 100)]), 1);
        // Two that each log has, the second of which the journal stamped late.
        assert_eq!(copies(&[(syslog, 100), (syslog, 101), (journal, 100), (journal, 102)]), 2);
        assert_eq!(copies(&[(syslog, 100), (syslog, 101), (journal, 101), (journal, 101)]), 2);
        // No stamp of the journal is earlier, and two logs of one kind have the same stamps.
        assert_eq!(copies(&[(syslog, 101), (journal, 100)]), 0);
        assert_eq!(copies(&[(syslog, 100), (2, 101)]), 0);
        assert_eq!(copies(&[(journal, 100), (journal, 101)]), 0);
    }

    #[test]
    fn what_no_later_source_can_repeat_is_forgotten() {
        let mut duplicates = Duplicates::default();
        duplicates.take_out(0, &mut batch(&[1]));
        duplicates.forget_before(Some(Timestamp::from_seconds(500)));
        assert_eq!((duplicates.reach(0), duplicates.seen.len()), (None, 0));
    }
}
