//! Lines that only say how often the line before them came again, beside a log that has those lines: the true number is the larger.

use super::duplicates::differ;
use crate::formats::batch::{Fingerprint, Repeated};
use hashbrown::HashMap;

/// What such a line told, as far as no other source has the lines it stands for.
#[derive(Clone, Copy)]
struct Told {
    source: u32,
    since: i64,
    until: i64,
    left: u32,
    pid: u32,
    full_host: u32,
}

/// The repetitions that were counted, by the hash of the line that came again.
#[derive(Default)]
pub(super) struct Repeats {
    told: HashMap<u64, Vec<Told>>,
}

impl Repeats {
    /// Notes that so many of a source's repetitions were counted.
    pub(super) fn add(&mut self, source: u32, repeated: &Repeated, left: u32) {
        let Fingerprint { hash, second, pid, full_host, .. } = repeated.print;
        self.told.entry(hash).or_default().push(Told { source, since: repeated.since, until: second, left, pid, full_host });
    }

    /// Whether a line is one of those that another source only counts.
    pub(super) fn stand_for(&mut self, source: u32, line: &Fingerprint) -> bool {
        self.take(source, line, (line.second, line.second), 1) == 1
    }

    /// Takes up to `wanted` off what other sources count of a line within these seconds; gives how many that were.
    pub(super) fn take(&mut self, source: u32, line: &Fingerprint, (since, until): (i64, i64), wanted: u32) -> u32 {
        let Some(known) = self.told.get_mut(&line.hash) else { return 0 };
        let mut taken = 0;
        for told in known.iter_mut().filter(|t| t.source != source && t.since <= until && since <= t.until) {
            if !differ(told.pid, line.pid) && !differ(told.full_host, line.full_host) {
                let here = told.left.min(wanted - taken);
                told.left -= here;
                taken += here;
            }
        }
        taken
    }

    /// Forgets what no line from this second on can be one of.
    pub(super) fn forget_before(&mut self, second: i64) {
        self.told.retain(|_, known| {
            known.retain(|told| told.until >= second);
            !known.is_empty()
        });
    }
}
