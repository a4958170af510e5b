//! Notices on their way back, counted by the hour: they are no messages and are not kept, but how many came in for whom tells of mail
//! whose own logs may be missing.

use super::life::Life;
use super::remap::Map;
use crate::domain::rows;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::HOUR;
use crate::formats::event::{Program, Status};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Host, recipient, hour, and whether it went into a mailbox.
type Key = (Text, Text, i64, bool);

/// The notices of one shard. Addresses have a pool of their own, so that those of the shard keep their numbers.
#[derive(Default)]
pub(super) struct Returned {
    addresses: TextPool,
    hours: HashMap<Key, rows::Returned>,
}

impl Returned {
    /// Counts a notice for everybody who got it.
    pub(super) fn count(&mut self, life: &Life) {
        for word in life.recipients.iter().filter(|word| word.status == Status::Sent) {
            let into_mailbox = matches!(word.program, Program::Lmtp | Program::Local | Program::Virtual | Program::Pipe);
            let address = self.addresses.intern(life.text(word.address));
            let (host, first, last, place) = (life.host, word.at, word.at, word.place);
            self.add(rows::Returned { address, host, first, last, count: 1, into_mailbox, place });
        }
    }

    fn add(&mut self, more: rows::Returned) {
        match self.hours.entry((more.host, more.address, more.first.0.div_euclid(HOUR), more.into_mailbox)) {
            Entry::Vacant(free) => {
                free.insert(more);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += more.count;
                known.last = known.last.max(more.last);
                (known.first, known.place) = (known.first, known.place).min((more.first, more.place));
            }
        }
    }

    /// Takes over what another shard counted; hosts are renumbered by its map.
    pub(super) fn absorb(&mut self, other: Returned, map: &Map) {
        for (_, mut row) in other.hours {
            map.put(&mut row.host);
            row.address = self.addresses.intern(other.addresses.bytes(row.address));
            self.add(row);
        }
    }

    /// The rows, in the order of addresses and time.
    pub(super) fn finish(self, texts: &mut TextPool) -> Vec<rows::Returned> {
        let mut found: Vec<rows::Returned> = self.hours.into_values().collect();
        let name = |row: &rows::Returned| self.addresses.bytes(row.address);
        found.sort_unstable_by(|a, b| (name(a), a.first, a.place, a.into_mailbox).cmp(&(name(b), b.first, b.place, b.into_mailbox)));
        for row in &mut found {
            row.address = texts.intern(self.addresses.bytes(row.address));
        }
        found
    }
}
