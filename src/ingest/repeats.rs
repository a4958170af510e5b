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

impl Told {
    /// Whether another source tells of this line, which came from a second on to its own.
    fn may_be(&self, source: u32, line: &Fingerprint, since: i64) -> bool {
        let meets = self.since <= line.second && since <= self.until;
        self.source != source && meets && !differ(self.pid, line.pid) && !differ(self.full_host, line.full_host)
    }
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

    /// The source that counts a line among others, if one does; it is taken off its number.
    pub(super) fn told_by(&mut self, source: u32, line: &Fingerprint) -> Option<u32> {
        let known = self.told.get_mut(&line.hash)?;
        let told = known.iter_mut().find(|told| told.left > 0 && told.may_be(source, line, line.second))?;
        told.left -= 1;
        Some(told.source)
    }

    /// Takes up to `wanted` off what other sources count of a line from a second to its own; gives how many that were.
    pub(super) fn take(&mut self, source: u32, line: &Fingerprint, since: i64, wanted: u32) -> u32 {
        let mut taken = 0;
        for told in self.told.get_mut(&line.hash).into_iter().flatten().filter(|told| told.may_be(source, line, since)) {
            let here = told.left.min(wanted - taken);
            told.left -= here;
            taken += here;
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
