//! Queue-id lives: from the lines of one queue file to one record of what became of it.
//!
//! A queue id names a queue file only as long as the file exists; the same id comes back for another message later. A life begins
//! with the line that opened the file and ends when the file is removed. Lives that have ended are packed away, so that what is
//! looked up for each line are the queue files open at that time and not all of the evidence.

use super::life::{Attempted, Decision, End, FilterVerdict, Life, NoticeMade, Opener, Span};
use super::links::is_loopback;
use super::packed::Packed;
use super::queue_id::QueueId;
use super::returned::Returned;
use super::store::Store;
use crate::domain::place::Place;
use crate::domain::rows::fold_reply;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, MINUTE, SECOND, Timestamp};
use crate::formats::event::{Delivery, NoticeKind, Program, QueueEvent, Stage, Status};
use crate::formats::postfix::reply::{self, Accepted};
use hashbrown::{HashMap, HashSet, HashTable};
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// Postfix gives up after this long (`maximal_queue_lifetime`, 5 days); an id that was silent for longer is another message.
pub(super) const QUEUE_LIFETIME: i64 = 5 * DAY;

/// How long after its end a life still takes lines that daemons wrote late.
const LATE_LINES: i64 = 60 * SECOND;

/// How far apart the lines of two daemons about a new queue file can stand in the log in the wrong order.
const REORDER: i64 = 5 * SECOND;

/// How long after its end a life is packed away: well past the last late line, with room for clocks that step back.
const PACK_AFTER: i64 = 3 * MINUTE;

/// The line an event comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) host: Text,
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

/// The lives of earlier waves, and whether a source yet to come may speak of the same time of the same host.
#[derive(Clone, Copy)]
pub(super) struct Past<'s> {
    pub(super) store: &'s Store,
    pub(super) again: bool,
}

/// A queue id as logged and as kept.
#[derive(Clone, Copy)]
struct Name<'a> {
    text: &'a [u8],
    id: QueueId,
}

/// A life that has ended and waits for late lines. A slot may have been given to another life since; then its turn differs.
#[derive(Clone, Copy)]
struct Ended {
    slot: u32,
    turn: u32,
}

/// The lives of one host that have ended, the oldest first.
struct HostLog {
    host: Text,
    latest: Timestamp,
    ended: VecDeque<Ended>,
}

/// A life that lines may still be about.
#[derive(Default)]
struct Slot {
    life: Life,
    turn: u32,
    used: bool,
    /// It was unpacked for a line of another file, and more of them may come.
    recalled: bool,
}

/// The lives of one shard.
#[derive(Default)]
pub(super) struct Lives {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// (host, id) to the slot of the latest life of that name. Never iterated.
    current: HashTable<u32>,
    hosts: Vec<HostLog>,
    packed: Packed,
    /// The login names that opened queue files. Never iterated where the order could show.
    users: HashSet<Text>,
    /// Ids of lives that no line counts the recipients of.
    uncounted: HashSet<QueueId>,
    /// Notices on their way back, which are not packed.
    returned: Returned,
    /// Packed lives that lines of another source may still be about, by (host, id). Never iterated.
    recall: HashMap<(Text, QueueId), Vec<u32>>,
    hasher: hashbrown::DefaultHashBuilder,
    /// Where text is put together before it is interned.
    scratch: Vec<u8>,
    folded: Vec<u8>,
    last: LastTexts,
}

/// The texts interned last, by what they are: the next line most often has the same.
#[derive(Default)]
struct LastTexts {
    user: LastText,
    sender: LastText,
    address: LastText,
    client: LastText,
    relay: LastText,
    reply: LastText,
}

#[derive(Default)]
struct LastText(Option<Text>);

impl LastText {
    fn intern(&mut self, texts: &mut TextPool, text: &[u8]) -> Text {
        match self.0.filter(|last| texts.bytes(*last) == text) {
            Some(last) => last,
            None => *self.0.insert(texts.intern(text)),
        }
    }
}

/// What the lives of a shard have come to.
pub(super) struct Done {
    pub(super) packed: Packed,
    /// The login names that opened queue files.
    pub(super) users: HashSet<Text>,
    /// Ids of lives that no line counts the recipients of.
    pub(super) uncounted: HashSet<QueueId>,
    /// Notices on their way back.
    pub(super) returned: Returned,
}

impl Lives {
    /// Takes in one event of the queue file `id`.
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, id: &[u8], event: &QueueEvent<'_>, past: Past<'_>) {
        self.pack_ended(line, past.again);
        let name = Name { text: id, id: QueueId::new(id) };
        match event {
            QueueEvent::Open { client, sasl_username, orig_queue_id, .. } => {
                let user = sasl_username.map(|u| self.user(texts, u));
                let opener = Opener::Client {
                    address: self.last.address.intern(texts, client.address),
                    name: self.last.client.intern(texts, client.name),
                    user,
                    orig_queue_id: orig_queue_id.map(QueueId::new),
                };
                self.open(texts, line, name, opener, past).from_loopback = is_loopback(client.address);
            }
            QueueEvent::Pickup { sender, orig_id, .. } => {
                let opener = Opener::Pickup { orig_id: orig_id.map(QueueId::new) };
                let sender = texts.intern(sender);
                self.open(texts, line, name, opener, past).sender = Some(sender);
            }
            QueueEvent::MessageId { id: message_id } => self.message_id(texts, line, name, past, message_id),
            QueueEvent::Active { sender, size, recipients } => {
                let null_sender = sender.is_empty();
                self.scratch.clear();
                self.scratch.extend(sender.iter().map(u8::to_ascii_lowercase));
                let sender = self.last.sender.intern(texts, &self.scratch);
                let life = self.touch(texts, line, name, past);
                life.sender = Some(sender);
                life.null_sender = null_sender;
                life.size = Some(*size);
                life.announced = life.announced.max(Some(*recipients));
            }
            QueueEvent::Delivery(delivery) => self.delivery(texts, line, name, past, delivery),
            QueueEvent::Removed { by, cancelled, discarded } => {
                let life = self.touch(texts, line, name, past);
                life.gone = true;
                let end = match (life.end, *by, *cancelled, *discarded) {
                    (End::Expired, ..) => End::Expired,
                    (_, _, true, _) => End::Cancelled,
                    (_, _, _, true) | (_, Program::Postsuper, ..) => End::Deleted,
                    _ => End::Removed,
                };
                self.end(line.host, name.id, end);
            }
            QueueEvent::Expired { .. } => self.touch(texts, line, name, past).end = End::Expired,
            QueueEvent::Requeued => {
                self.touch(texts, line, name, past);
                self.end(line.host, name.id, End::Requeued);
            }
            QueueEvent::Held => self.touch(texts, line, name, past).held = true,
            QueueEvent::Released => self.touch(texts, line, name, past).held = false,
            QueueEvent::Notice { kind, to_postmaster, id: made } => {
                let life = self.touch(texts, line, name, past);
                if *kind == NoticeKind::NonDelivery && !to_postmaster {
                    life.notices.push(NoticeMade { at: line.at, place: line.place, id: QueueId::new(made).key() });
                }
            }
            QueueEvent::Decision { action, sender, recipient, client, reply, .. } => {
                let decision = Decision {
                    action: *action,
                    reply: texts.intern(reply),
                    recipient: recipient.filter(|r| !r.is_empty()).map(|r| self.intern_lower(texts, r)),
                    at: line.at,
                    place: line.place,
                };
                let sender = sender.map(|s| self.intern_lower(texts, s));
                let client = client.map(|c| (texts.intern(c.address), texts.intern(c.name)));
                self.touch(texts, line, name, past).decide(decision, sender, client);
            }
            QueueEvent::Lost { stage } => self.touch(texts, line, name, past).lost |= *stage != Stage::EndOfMessage,
            QueueEvent::Verdict { sender, recipients, passed, quarantined, discarded, queued_as, reply, .. } => {
                let verdicts: Vec<FilterVerdict> = QueueEvent::recipients(recipients)
                    .map(|recipient| FilterVerdict {
                        recipient: self.intern_lower(texts, recipient),
                        passed: *passed,
                        quarantined: *quarantined,
                        discarded: *discarded,
                        queued_as: queued_as.map(QueueId::new),
                        reply: texts.intern(reply),
                        at: line.at,
                        place: line.place,
                    })
                    .collect();
                let sender = self.intern_lower(texts, sender);
                let life = self.touch(texts, line, name, past);
                life.sender.get_or_insert(sender);
                life.verdicts.extend(verdicts);
            }
        }
    }

    /// Moves the lives that were packed in this wave to those of the waves before.
    pub(super) fn settle_down(&mut self, store: &mut Store) {
        self.packed.settle_down(store);
    }

    /// Ends the evidence: all lives are packed.
    pub(super) fn finish(mut self) -> Done {
        let mut open: Vec<u32> = (0..self.slots.len() as u32).filter(|&s| self.slots[s as usize].used).collect();
        open.sort_by_key(|&s| (self.slots[s as usize].life.opened, self.slots[s as usize].life.place));
        for slot in open {
            self.pack(slot, false);
        }
        Done { packed: self.packed, users: self.users, uncounted: self.uncounted, returned: self.returned }
    }

    /// A login name, which is then among those that opened queue files.
    fn user(&mut self, texts: &mut TextPool, user: &[u8]) -> Text {
        let before = self.last.user.0;
        let user = self.last.user.intern(texts, user);
        if before != Some(user) {
            self.users.insert(user);
        }
        user
    }

    fn intern_lower(&mut self, texts: &mut TextPool, text: &[u8]) -> Text {
        self.scratch.clear();
        self.scratch.extend(text.iter().map(u8::to_ascii_lowercase));
        texts.intern(&self.scratch)
    }

    fn hash(&self, host: Text, id: QueueId) -> u64 {
        self.hasher.hash_one((host, id))
    }

    fn find(&self, host: Text, id: QueueId) -> Option<u32> {
        let slots = &self.slots;
        let same = |&s: &u32| slots[s as usize].life.id == id && slots[s as usize].life.host == host;
        self.current.find(self.hash(host, id), same).copied()
    }

    fn begin(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, opener: Opener, past: Past<'_>) -> u32 {
        if let Some(earlier) = self.find(line.host, name.id) {
            self.pack(earlier, past.again);
        }
        let slot = self.slot();
        let life = &mut self.slots[slot as usize].life;
        life.begin(line, name.id, opener);
        if name.id.text().is_none() {
            life.long_id = Some(texts.intern(name.text));
        }
        self.enter(slot);
        slot
    }

    /// A slot without a life.
    fn slot(&mut self) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize].used = true;
        slot
    }

    /// Makes a slot's life the one its name stands for.
    fn enter(&mut self, slot: u32) {
        let life = &self.slots[slot as usize].life;
        let hash = self.hash(life.host, life.id);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |&s: &u32| hasher.hash_one((slots[s as usize].life.host, slots[s as usize].life.id));
        self.current.insert_unique(hash, slot, rehash);
    }

    /// A line that opens a queue file: always a new life, unless lines of other daemons about the same new file were written just before it.
    fn open(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, opener: Opener, past: Past<'_>) -> &mut Life {
        let slot = self.find(line.host, name.id).filter(|&found| {
            let life = &self.slots[found as usize].life;
            // Loggers that keep whole seconds lose the order within them: even `removed` can stand before `client=`.
            let by_decision = matches!((life.opener, opener), (Opener::Client { address: a, user: None, .. }, Opener::Client { address: b, .. }) if a == b)
                && !life.decisions.is_empty();
            let fresh = by_decision || matches!(life.opener, Opener::Unseen | Opener::Internal);
            fresh && line.at.since(life.opened).abs() <= REORDER
        });
        match slot.or_else(|| self.recall_unopened(line, name.id, past.store)) {
            Some(slot) => {
                let life = &mut self.slots[slot as usize].life;
                life.opener = opener;
                life.opened = life.opened.min(line.at);
                life
            }
            None => {
                let slot = self.begin(texts, line, name, opener, past);
                &mut self.slots[slot as usize].life
            }
        }
    }

    /// The life a line without an opener belongs to, begun unseen if there is none.
    fn touch(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, past: Past<'_>) -> &mut Life {
        let open = self.find(line.host, name.id).filter(|&found| {
            let life = &self.slots[found as usize].life;
            let open = life.end == End::Open || life.end == End::Expired && !life.gone;
            line.at.since(life.last) <= if open { QUEUE_LIFETIME } else { LATE_LINES }
        });
        // What stands before the opening of the latest life of that name may be about one before it, if a later file tells of earlier times.
        let is_its_time = open.is_some_and(|found| line.at.since(self.slots[found as usize].life.opened) >= -REORDER);
        // Within one source time goes back only where a clock was set.
        let same_source = |slots: &[Slot], found: u32| slots[found as usize].life.place.source == line.place.source;
        let found = match open.filter(|_| is_its_time) {
            Some(found) if same_source(&self.slots, found) => open,
            Some(found) => self.recall_nearer(line, name.id, found, past.store).or(open),
            None => self.recall(line, name.id, past.store).or_else(|| open.filter(|&found| same_source(&self.slots, found))),
        };
        let slot = found.unwrap_or_else(|| self.begin(texts, line, name, Opener::Unseen, past));
        let life = &mut self.slots[slot as usize].life;
        life.last = life.last.max(line.at);
        life
    }

    /// Unpacks a life that a line of another source is about.
    fn recall(&mut self, line: Line, id: QueueId, store: &Store) -> Option<u32> {
        let fits = |&number: &u32| {
            let span = self.packed.span(store, number);
            span.is_some_and(|(opened, last)| line.at.since(opened) >= -REORDER && line.at.since(last) <= LATE_LINES)
        };
        let place = self.recall.get(&(line.host, id))?.iter().rposition(fits)?;
        self.unpack(line.host, id, place, store)
    }

    /// Unpacks the life that was opened last before a line of another source, if that is not the one at hand: an id that is soon used again
    /// names several of the same minute.
    fn recall_nearer(&mut self, line: Line, id: QueueId, found: u32, store: &Store) -> Option<u32> {
        let at_hand = Some(self.slots[found as usize].life.opened).filter(|opened| *opened <= line.at);
        let known = self.recall.get(&(line.host, id))?.iter().enumerate();
        let opened = |(place, &number): (usize, &u32)| {
            let (opened, last) = self.packed.span(store, number)?;
            (opened <= line.at && Some(opened) > at_hand && line.at.since(last) <= LATE_LINES).then_some((opened, place))
        };
        let (_, place) = known.filter_map(opened).max()?;
        self.unpack(line.host, id, place, store)
    }

    /// Unpacks a life that this line opened, where the file with the lines after it was read before the one with its opening.
    fn recall_unopened(&mut self, line: Line, id: QueueId, store: &Store) -> Option<u32> {
        let known = self.recall.get(&(line.host, id))?;
        let mut life = Life::default();
        let place = known.iter().rposition(|&number| {
            let near = self.packed.span(store, number).is_some_and(|(opened, _)| line.at.since(opened).abs() <= REORDER);
            near && self.packed.read_head(store, number, &mut life) && matches!(life.opener, Opener::Unseen | Opener::Internal)
        })?;
        self.unpack(line.host, id, place, store)
    }

    /// Makes a packed life the one that its name stands for.
    fn unpack(&mut self, host: Text, id: QueueId, place: usize, store: &Store) -> Option<u32> {
        let number = self.recall.get_mut(&(host, id))?.remove(place);
        if let Some(other) = self.find(host, id) {
            self.pack(other, true);
        }
        let slot = self.slot();
        self.packed.take_back(store, number, &mut self.slots[slot as usize].life);
        self.slots[slot as usize].recalled = true;
        self.enter(slot);
        self.wait(slot);
        Some(slot)
    }

    /// cleanup's `message-id=`: without an opener before it, the message was made on the host itself.
    fn message_id(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, past: Past<'_>, message_id: &[u8]) {
        let open = self.find(line.host, name.id).filter(|&f| {
            let life = &self.slots[f as usize].life;
            let patience = match life.end {
                End::Open => QUEUE_LIFETIME,
                _ if life.message_id.is_none() => REORDER,
                _ => return false,
            };
            line.at.since(life.last) <= patience
        });
        let slot = open.unwrap_or_else(|| self.begin(texts, line, name, Opener::Internal, past));
        let life = &mut self.slots[slot as usize].life;
        life.last = life.last.max(line.at);
        if life.message_id.is_none() {
            life.message_id = Some(life.keep(message_id));
        }
    }

    fn delivery(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, past: Past<'_>, delivery: &Delivery<'_>) {
        let relay = self.last.relay.intern(texts, delivery.relay);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend(delivery.recipient.iter().map(u8::to_ascii_lowercase));
        let address_length = scratch.len();
        scratch.extend(delivery.orig_recipient.unwrap_or_default().iter().map(u8::to_ascii_lowercase));
        let (address, orig) = scratch.split_at(address_length);
        let reply = self.reply(texts, delivery, address);
        let life = self.touch(texts, line, name, past);
        if delivery.status == Status::Probe {
            life.probe = true;
        } else {
            if life.opener == Opener::Unseen && life.recipients.is_empty() && delivery.delay_seconds >= 0.0 {
                let arrival = line.at.plus(-((delivery.delay_seconds * 1e6) as i64));
                life.opened = life.opened.min(arrival);
            }
            let word = Attempted {
                address: Span::default(),
                orig: None,
                program: delivery.program,
                status: delivery.status,
                relay,
                reply,
                next_id: delivery.next_id.map(QueueId::new),
                at: line.at,
                attempts: 1,
                place: line.place,
            };
            life.attempted(word, address, delivery.orig_recipient.map(|_| orig));
        }
        self.scratch = scratch;
    }

    /// A delivery's reply, if it says more than that the next hop took the message.
    fn reply(&mut self, texts: &mut TextPool, delivery: &Delivery<'_>, address: &[u8]) -> Text {
        let says_more = delivery.status != Status::Sent || reply::accepted(delivery.program, delivery.reply) != Accepted::Passed;
        let mut folded = std::mem::take(&mut self.folded);
        fold_reply(if says_more { delivery.reply } else { b"" }, address, &mut folded);
        let reply = self.last.reply.intern(texts, &folded);
        self.folded = folded;
        reply
    }

    /// Notes the end of a life's queue file.
    fn end(&mut self, host: Text, id: QueueId, end: End) {
        if let Some(slot) = self.find(host, id) {
            let life = &mut self.slots[slot as usize].life;
            let first = matches!(life.end, End::Open | End::Expired);
            life.end = end;
            if first {
                self.wait(slot);
            }
        }
    }

    /// Puts a life that has ended into the queue of those to be packed.
    fn wait(&mut self, slot: u32) {
        let Slot { life, turn, .. } = &self.slots[slot as usize];
        let (host, ended) = (life.host, Ended { slot, turn: *turn });
        if let Some(log) = self.hosts.iter_mut().find(|log| log.host == host) {
            log.ended.push_back(ended);
        }
    }

    /// Packs what ended long enough before this line of its host.
    fn pack_ended(&mut self, line: Line, again: bool) {
        let Some(at) = self.hosts.iter().position(|log| log.host == line.host) else {
            self.hosts.push(HostLog { host: line.host, latest: line.at, ended: VecDeque::new() });
            return;
        };
        let log = &mut self.hosts[at];
        log.latest = log.latest.max(line.at);
        let latest = log.latest;
        while let Some(&Ended { slot, turn }) = self.hosts[at].ended.front() {
            let waiting = &self.slots[slot as usize];
            let stale = waiting.turn != turn || !waiting.used;
            if !stale && latest.since(waiting.life.last) <= PACK_AFTER {
                break;
            }
            self.hosts[at].ended.pop_front();
            if !stale {
                self.pack(slot, again);
            }
        }
    }

    fn pack(&mut self, slot: u32, again: bool) {
        let life = &self.slots[slot as usize].life;
        let (host, id) = (life.host, life.id);
        if let Ok(entry) = self.current.find_entry(self.hash(host, id), |&s| s == slot) {
            entry.remove();
        }
        let place = &mut self.slots[slot as usize];
        if place.life.announced.is_none() && place.life.recipients.is_empty() {
            self.uncounted.insert(id);
        }
        if place.life.is_lost_notice() {
            self.returned.lose(&place.life);
        }
        if place.life.is_notice() {
            self.returned.count(&place.life);
        } else {
            let number = self.packed.push(&place.life);
            if again || place.recalled {
                self.recall.entry((host, id)).or_default().push(number);
            }
        }
        place.life.clear();
        place.turn = place.turn.wrapping_add(1);
        place.used = false;
        place.recalled = false;
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::{fates, rows_of_files, shown};

    /// A logger that sorts lines into files by program splits each message over two of them.
    #[test]
    fn a_life_that_was_packed_goes_on_with_the_lines_of_another_file() {
        let first = "\
Oct 31 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=2 (queue active)
Oct 31 16:01:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
Oct 31 16:40:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:40:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 16:40:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
Oct 31 18:00:01 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 18:00:01 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 18:00:02 mail postfix/qmgr[9]: 2A2B3C4D5E: removed
";
        let to = |at: &str, id: &str, to: &str, dsn: &str, end: &str| {
            format!(
                "Oct 31 {at} mail postfix/smtp[5]: {id}: to=<{to}@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={end}\n"
            )
        };
        let second = [
            to("16:01:02", "1A2B3C4D5E", "a", "2.0.0", "sent (250 ok)"),
            to("16:01:02", "1A2B3C4D5E", "b", "2.0.0", "sent (250 ok)"),
            to("16:40:02", "1A2B3C4D5E", "c", "5.1.1", "bounced (host mx.x.test[192.0.2.9] said: 550 5.1.1 <c@x.test>: user unknown)"),
            to("18:00:02", "2A2B3C4D5E", "d", "2.0.0", "sent (250 ok)"),
        ]
        .concat();
        let found = shown(&rows_of_files(&[first, &second]));
        let expected =
            ["delivered [a@x.test=delivered b@x.test=delivered]", "bounced [c@x.test=bounced]", "delivered [d@x.test=delivered]"];
        assert_eq!(found, expected.map(|end| format!("suzuki@u.example: {end}")));
    }

    #[test]
    fn a_queue_file_is_opened_by_the_line_of_a_file_that_is_read_after_its_end() {
        let rest = |at: &str, id: &str, to: &str| {
            format!(
                "Oct 31 {at} mail postfix/cleanup[6]: {id}: message-id=<{to}@pc>\n\
                 Oct 31 {at} mail postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)\n\
                 Oct 31 {at} mail postfix/smtp[5]: {id}: to=<{to}@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)\n\
                 Oct 31 {at} mail postfix/qmgr[9]: {id}: removed\n"
            )
        };
        let opened = |at: &str, id: &str| {
            format!("Oct 31 {at} mail postfix/smtpd[7]: {id}: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki\n")
        };
        // The same id names two messages; each opening finds its own.
        let first = [
            "Oct 31 16:00:00 mail postfix/master[1]: daemon started -- version 3.7.11, configuration /etc/postfix\n".to_owned(),
            rest("16:01:01", "1A2B3C4D5E", "a"),
            rest("16:40:01", "1A2B3C4D5E", "b"),
            rest("18:00:01", "2A2B3C4D5E", "c"),
        ];
        let second = [opened("16:01:01", "1A2B3C4D5E"), opened("16:40:01", "1A2B3C4D5E"), opened("18:00:01", "2A2B3C4D5E")];
        let found = shown(&rows_of_files(&[&first.concat(), &second.concat()]));
        let expected = ["a", "b", "c"].map(|to| format!("suzuki@u.example: delivered [{to}@x.test=delivered]"));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_id_used_again_before_the_other_file_is_read_keeps_its_messages_apart() {
        let opened = |at: &str, user: &str| {
            format!("Oct 31 {at} mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username={user}\n")
        };
        let sent = |at: &str, to: &str| {
            format!(
                "Oct 31 {at} mail postfix/smtp[5]: 1A2B3C4D5E: to=<{to}@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)\n\
                 Oct 31 {at} mail postfix/qmgr[9]: 1A2B3C4D5E: removed\n"
            )
        };
        let first = [opened("16:01:01", "suzuki"), opened("16:40:01", "ono")].concat();
        let second = [sent("16:01:02", "a"), sent("16:40:02", "b")].concat();
        let found = shown(&rows_of_files(&[&first, &second]));
        assert_eq!(found, ["suzuki@u.example: delivered [a@x.test=delivered]", "ono@u.example: delivered [b@x.test=delivered]"]);
    }

    #[test]
    fn an_id_used_three_times_in_five_seconds_keeps_its_messages_apart_in_two_files() {
        let opened = |second: u32| {
            format!(
                "Oct 31 16:01:{second:02} mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki\n"
            )
        };
        let refused = |second: u32, to: &str| {
            format!(
                "Oct 31 16:01:{second:02} mail postfix/cleanup[6]: 1A2B3C4D5E: reject: header Subject: x from unknown[203.0.113.5]; from=<suzuki@u.example> to=<{to}@x.test> proto=ESMTP helo=<pc>: 5.7.1 content refused\n"
            )
        };
        let server: String = [8, 10, 12].map(opened).concat();
        let rest: String = [refused(9, "a"), refused(11, "b"), refused(12, "c")].concat();
        let expected = ["a", "b", "c"].map(|to| format!("suzuki@u.example: blocked [{to}@x.test=blocked]"));
        assert_eq!(shown(&rows_of_files(&[&server, &rest])), expected);
    }

    #[test]
    fn the_order_of_lines_within_a_second_does_not_matter() {
        let lines = [
            "16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki",
            "16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>",
            "16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)",
            "16:01:01 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)",
            "16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: removed",
        ];
        for turn in 0..lines.len() {
            for direction in [false, true] {
                let mut order = lines;
                order.rotate_left(turn);
                if direction {
                    order.reverse();
                }
                assert_eq!(fates(&order.join("\n")), ["suzuki@u.example: delivered [a@x.test=delivered]"], "{order:#?}");
            }
        }
    }

    #[test]
    fn a_refusal_logged_before_the_client_line_of_its_second_is_about_the_same_message() {
        let lines = "
            16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: reject: header Subject: x from unknown[203.0.113.5]; from=<suzuki@u.example> to=<d@x.test> proto=ESMTP helo=<pc>: 5.7.1 content refused
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki";
        assert_eq!(fates(lines), ["suzuki@u.example: blocked [d@x.test=blocked]"]);
    }

    #[test]
    fn a_forward_that_keeps_a_copy_has_two_ends() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=291, nrcpt=1 (queue active)
            16:01:01 mail postfix/local[8]: 1A2B3C4D5E: to=<ono@u.example>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)
            16:01:01 mail postfix/cleanup[6]: 2A2B3C4D5F: message-id=<m1@pc>
            16:01:01 mail postfix/local[8]: 1A2B3C4D5E: to=<ono@u.example>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as 2A2B3C4D5F)
            16:01:01 mail postfix/qmgr[9]: 2A2B3C4D5F: from=<suzuki@u.example>, size=429, nrcpt=1 (queue active)
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
            16:01:02 mail postfix/smtp[5]: 2A2B3C4D5F: to=<ono@yonder.test>, orig_to=<ono@u.example>, relay=mx.yonder.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host mx.yonder.test[192.0.2.9] said: 550 5.7.1 spam (in reply to end of DATA command))
            16:01:02 mail postfix/qmgr[9]: 2A2B3C4D5F: removed";
        assert_eq!(fates(lines), ["suzuki@u.example: partly_delivered [ono@u.example=delivered ono@yonder.test=blocked]"]);
    }
}
