//! The lives of all shards, each with a number, and the way to them by queue id.

use super::life::{Decision, Life};
use super::packed::Packed;
use super::queue_id::QueueId;
use super::remap::Map;
use super::store::Store;
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;

/// Bits of a life's number that tell its place within its shard; the others tell the shard.
const PLACE_BITS: u32 = 28;

/// Lives per bucket of the index, about.
const BUCKET_LIVES: usize = 4;

/// All lives, packed.
pub(super) struct Gathered {
    shards: Vec<(Packed, Map)>,
    store: Store,
    index: Index,
    /// Decisions that were logged before the queue id of their life was known.
    early: HashMap<u32, Vec<Decision>>,
}

impl Gathered {
    pub(super) fn new(mut shards: Vec<(Packed, Map)>, store: Store) -> Gathered {
        let mut keys = Vec::with_capacity(shards.iter().map(|(packed, _)| packed.len() as usize).sum());
        for (shard, (packed, _)) in shards.iter_mut().enumerate() {
            keys.extend(packed.take_keys().into_iter().map(|(key, place)| (key, number_of(shard, place))));
        }
        let index = Index::new(keys);
        Gathered { shards, store, index, early: HashMap::new() }
    }

    /// How many shards there are; their lives can be walked side by side.
    pub(super) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The numbers of one shard's lives.
    pub(super) fn numbers(&self, shard: usize) -> impl Iterator<Item = u32> + use<> {
        let count = self.shards.get(shard).map_or(0, |(packed, _)| packed.len());
        (0..count).map(move |n| number_of(shard, n))
    }

    /// Shard and place in it of a life.
    pub(super) fn locate(number: u32) -> (usize, usize) {
        ((number >> PLACE_BITS) as usize, (number & ((1 << PLACE_BITS) - 1)) as usize)
    }

    /// Reads a life into `life`; false if there is none of that number.
    pub(super) fn read(&self, number: u32, life: &mut Life) -> bool {
        let (shard, place) = Gathered::locate(number);
        let Some((packed, map)) = self.shards.get(shard) else { return false };
        if !packed.read(&self.store, place as u32, life) {
            return false;
        }
        map.life(life);
        for decision in self.early.get(&number).into_iter().flatten() {
            life.decided_early(*decision);
        }
        true
    }

    /// Has the memory fetch some lives that are read next: many at once take little longer than one.
    pub(super) fn warm(&self, numbers: impl Iterator<Item = u32>) {
        let touched = numbers.fold(0, |sum: u8, number| {
            let (shard, place) = Gathered::locate(number);
            sum ^ self.shards.get(shard).map_or(0, |(packed, _)| packed.touch(&self.store, place as u32))
        });
        std::hint::black_box(touched);
    }

    /// Reads a life without its recipients and without what was decided about it.
    pub(super) fn read_head(&self, number: u32, life: &mut Life) -> bool {
        let (shard, place) = Gathered::locate(number);
        let Some((packed, map)) = self.shards.get(shard) else { return false };
        let is_there = packed.read_head(&self.store, place as u32, life);
        map.life(life);
        is_there
    }

    /// A life by its number; an empty one if there is none.
    pub(super) fn get(&self, number: u32) -> Life {
        let mut life = Life::default();
        self.read(number, &mut life);
        life
    }

    /// The numbers of lives that may have this id; which of them do, the lives themselves tell.
    pub(super) fn maybe_named(&self, id: QueueId) -> impl Iterator<Item = u32> + '_ {
        self.index.find(id.key())
    }

    /// The life of this name on this host that was opened nearest to an instant, within a day of it. It is read into `life`.
    pub(super) fn nearest(&self, host: Text, id: QueueId, at: Timestamp, life: &mut Life) -> Option<u32> {
        let mut best = None;
        let mut in_hand = None;
        for number in self.maybe_named(id) {
            in_hand = Some(number);
            if !self.read(number, life) || life.id != id || life.host != host {
                continue;
            }
            let distance = life.opened.since(at).abs();
            if distance <= DAY && best.is_none_or(|known| (distance, life.place, number) < known) {
                best = Some((distance, life.place, number));
            }
        }
        let (.., number) = best?;
        if in_hand != Some(number) {
            self.read(number, life);
        }
        Some(number)
    }

    /// Tells a life of a decision that was logged before its queue id was known.
    pub(super) fn decided_early(&mut self, number: u32, decision: Decision) {
        self.early.entry(number).or_default().push(decision);
    }

    /// Says that a life will not be asked for again.
    pub(super) fn give_up(&mut self, number: u32) {
        let (shard, place) = Gathered::locate(number);
        if let Some((packed, _)) = self.shards.get_mut(shard) {
            packed.give_up(&mut self.store, place as u32);
        }
    }
}

fn number_of(shard: usize, place: u32) -> u32 {
    (shard as u32) << PLACE_BITS | place
}

/// Numbers by key, in buckets of keys that share their upper bits.
struct Index {
    entries: Vec<(u32, u32)>,
    /// Where each bucket begins; one more than there are buckets.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    fn new(mut entries: Vec<(u32, u32)>) -> Index {
        entries.par_sort_unstable();
        let bits = (entries.len() / BUCKET_LIVES).max(1).next_power_of_two().trailing_zeros().min(31);
        let shift = 32 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for bucket in 0..=1u64 << bits {
            while entries.get(at).is_some_and(|(key, _)| u64::from(*key) >> shift < bucket) {
                at += 1;
            }
            starts.push(at as u32);
        }
        Index { entries, starts, shift }
    }

    fn find(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let bucket = (u64::from(key) >> self.shift) as usize;
        let (from, to) = (self.starts.get(bucket).copied(), self.starts.get(bucket + 1).copied());
        let entries = self.entries.get(from.unwrap_or(0) as usize..to.unwrap_or(0) as usize).unwrap_or_default();
        entries.iter().filter(move |(known, _)| *known == key).map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_finds_all_its_numbers_and_no_others() {
        for count in [0u32, 1, 3, 1000] {
            let keys: Vec<(u32, u32)> = (0..count).map(|n| ((n / 2).wrapping_mul(0x9e37_79b9), n)).collect();
            let index = Index::new(keys.clone());
            for (key, _) in &keys {
                let found: Vec<u32> = index.find(*key).collect();
                let expected: Vec<u32> = keys.iter().filter(|(k, _)| k == key).map(|(_, n)| *n).collect();
                assert_eq!(found, expected);
            }
            assert_eq!(index.find(1).count(), 0);
        }
    }
}
