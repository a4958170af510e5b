//! Notices on their way back, counted by the hour: they are no messages and are not kept, but how many came in for whom tells of mail
//! whose own logs may be missing.

use super::life::{Life, NoticeMade, Opener};
use super::lives::QUEUE_LIFETIME;
use super::queue_id::QueueId;
use super::remap::Map;
use crate::domain::rows;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, MINUTE, Timestamp};
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
    lost: LostNotices,
}

/// Notices that came to nobody, by the key of the queue id that they were made under: when their queue files were opened.
#[derive(Default)]
pub(super) struct LostNotices(HashMap<u32, Vec<Timestamp>>);

impl LostNotices {
    /// Whether a notice is among them. On its way to another host it may have waited for as long as a queue file lives.
    pub(super) fn holds(&self, notice: NoticeMade) -> bool {
        let waited = |opened: &Timestamp| (-MINUTE..=QUEUE_LIFETIME).contains(&opened.since(notice.at));
        self.0.get(&notice.id).is_some_and(|opened| opened.iter().any(waited))
    }
}

/// The queue id that a notice was made under. A host that it was handed to knows it from the message id, which Postfix puts together of
/// time, queue id and name of the host (`cleanup_message.c`).
fn made_as(life: &Life) -> Option<QueueId> {
    match life.opener {
        Opener::Internal => Some(life.id),
        _ => {
            let id = life.message_id()?.strip_prefix(b"<")?;
            let (time, rest) = id.split_at(memchr::memchr(b'.', id)?);
            let id = rest.get(1..memchr::memchr(b'@', rest)?)?;
            (time.len() == TIME_DIGITS && time.iter().all(u8::is_ascii_digit)).then(|| QueueId::new(id))
        }
    }
}

/// Year to second, as a message id of Postfix begins.
const TIME_DIGITS: usize = 14;

impl Returned {
    /// Notes a notice that came to nobody.
    pub(super) fn lose(&mut self, life: &Life) {
        if let Some(id) = made_as(life) {
            self.lost.0.entry(id.key()).or_default().push(life.opened);
        }
    }

    /// Those that came to nobody. They can be asked for once.
    pub(super) fn take_lost(&mut self) -> LostNotices {
        std::mem::take(&mut self.lost)
    }

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
        for (id, opened) in other.lost.0 {
            self.lost.0.entry(id).or_default().extend(opened);
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
