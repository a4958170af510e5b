//! Lives that have ended, in as few bytes as they need.
//!
//! A life takes some hundred bytes this way, its text included, and a case of millions of messages has millions of lives. Each shard
//! packs its own; after each wave they go into the [`Store`] that all shards share.

use super::life::{Attempted, Decision, End, FilterVerdict, Life, NoticeMade, Opener, Span};
use super::queue_id::QueueId;
use super::store::{Position, Store};
use crate::domain::place::{Place, SourceId};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::formats::event::{Action, Program, Status};

/// Stands in place of the position of a life that was taken back or given up.
const GONE: Position = Position { block: u32::MAX, start: 0 };

/// The block of lives that were not put into the store yet.
const FRESH: u32 = u32::MAX - 1;

/// The ended lives of one shard, by number.
#[derive(Default)]
pub(super) struct Packed {
    positions: Vec<Position>,
    /// The keys of the lives' queue ids.
    keys: Vec<u32>,
    /// Lives that are not in the store yet, and the number of the first of them.
    fresh: Vec<u8>,
    first_fresh: usize,
    /// The blocks of lives in the store that were taken back.
    taken: Vec<u32>,
}

impl Packed {
    /// Keeps a life and returns its number.
    pub(super) fn push(&mut self, life: &Life) -> u32 {
        let number = self.positions.len() as u32;
        self.keys.push(life.id.key());
        self.positions.push(Position { block: FRESH, start: self.fresh.len() as u32 });
        Writer(&mut self.fresh).life(life);
        number
    }

    /// Moves what is fresh into the store.
    pub(super) fn settle_down(&mut self, store: &mut Store) {
        for block in self.taken.drain(..) {
            store.release(block);
        }
        let fresh = self.positions.get_mut(self.first_fresh..).unwrap_or_default();
        let lives = fresh.iter().filter(|position| **position != GONE).count() as u32;
        if lives > 0 {
            let base = store.append(&self.fresh, lives);
            for position in fresh.iter_mut().filter(|position| **position != GONE) {
                *position = Position { block: base.block, start: base.start + position.start };
            }
        }
        self.first_fresh = self.positions.len();
        self.fresh.clear();
    }

    /// How many numbers were given out.
    pub(super) fn len(&self) -> u32 {
        self.positions.len() as u32
    }

    /// The numbers of the lives that are here, each with the key of its queue id. They can be asked for once.
    pub(super) fn take_keys(&mut self) -> Vec<(u32, u32)> {
        let keys = std::mem::take(&mut self.keys).into_iter().zip(&self.positions).enumerate();
        keys.filter(|(_, (_, position))| **position != GONE).map(|(number, (key, _))| (key, number as u32)).collect()
    }

    /// First and last instant of a life; `None` if it is no longer here.
    pub(super) fn span(&self, store: &Store, number: u32) -> Option<(Timestamp, Timestamp)> {
        let mut reader = self.reader(store, number)?;
        let opened = Timestamp(reader.fixed());
        Some((opened, opened.plus(reader.signed())))
    }

    /// Some byte of each of the first two cache lines of a life.
    pub(super) fn touch(&self, store: &Store, number: u32) -> u8 {
        self.reader(store, number).map_or(0, |Reader(bytes)| {
            let at = |place: usize| bytes.get(place).copied().unwrap_or(0);
            at(0) ^ at(CACHE_LINE)
        })
    }

    /// Reads a life into `life`; false if it is no longer here.
    pub(super) fn read(&self, store: &Store, number: u32, life: &mut Life) -> bool {
        life.clear();
        let Some(mut reader) = self.reader(store, number) else { return false };
        reader.life(life);
        true
    }

    /// Reads what stands before a life's recipients: enough to tell whether it is the one that is looked for.
    pub(super) fn read_head(&self, store: &Store, number: u32, life: &mut Life) -> bool {
        life.clear();
        let Some(mut reader) = self.reader(store, number) else { return false };
        reader.head(life);
        true
    }

    /// Reads a life and forgets it here, because it goes on.
    pub(super) fn take_back(&mut self, store: &Store, number: u32, life: &mut Life) {
        self.read(store, number, life);
        life.index_recipients();
        let gone = self.positions.get_mut(number as usize).map(|position| std::mem::replace(position, GONE));
        self.taken.extend(gone.map(|position| position.block).filter(|block| *block != FRESH && *block != GONE.block));
    }

    /// Says that a life in the store will not be asked for again.
    pub(super) fn give_up(&mut self, store: &mut Store, number: u32) {
        let Some(position) = self.positions.get_mut(number as usize) else { return };
        let gone = std::mem::replace(position, GONE);
        store.release(gone.block);
    }

    fn reader<'s>(&'s self, store: &'s Store, number: u32) -> Option<Reader<'s>> {
        let position = self.positions.get(number as usize)?;
        match position.block {
            FRESH => self.fresh.get(position.start as usize..).map(Reader),
            _ => store.bytes(*position).map(Reader),
        }
    }
}

/// Bytes that come from memory together.
const CACHE_LINE: usize = 64;

const HELD: u64 = 1;
const LOST: u64 = 2;
const PROBE: u64 = 4;
const GONE_FILE: u64 = 8;
const NULL_SENDER: u64 = 16;

const ENDS: [End; 6] = [End::Open, End::Removed, End::Expired, End::Deleted, End::Requeued, End::Cancelled];
const ACTIONS: [Action; 5] = [Action::Reject, Action::TempReject, Action::Discard, Action::Hold, Action::Redirect];
const STATUSES: [Status; 6] = [Status::Sent, Status::Bounced, Status::Deferred, Status::SoftBounce, Status::Probe, Status::Other];
const PROGRAMS: [Program; 15] = [
    Program::Smtpd,
    Program::Cleanup,
    Program::Pickup,
    Program::Qmgr,
    Program::Smtp,
    Program::Lmtp,
    Program::Local,
    Program::Virtual,
    Program::Pipe,
    Program::Error,
    Program::Discard,
    Program::Bounce,
    Program::Postsuper,
    Program::Agent,
    Program::Other,
];

/// Writes a life. Numbers take as many bytes as they need, seven bits each.
struct Writer<'b>(&'b mut Vec<u8>);

impl Writer<'_> {
    fn life(&mut self, life: &Life) {
        self.0.extend_from_slice(&life.opened.0.to_le_bytes());
        self.signed(life.last.0 - life.opened.0);
        self.text(life.host);
        self.id(life.id);
        self.optional(life.long_id.map(number_of));
        self.opener(life.opener);
        self.place(life.place);
        let flags = [(life.held, HELD), (life.lost, LOST), (life.probe, PROBE), (life.gone, GONE_FILE), (life.null_sender, NULL_SENDER)];
        self.number(flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
        self.number(life.end as u64);
        self.optional(life.sender.map(number_of));
        self.optional_bytes(life.message_id());
        self.optional(life.size);
        self.optional(life.announced.map(u64::from));
        self.number(life.copies.into());
        self.number(life.recipients.len() as u64);
        for attempted in &life.recipients {
            self.attempted(life, attempted);
        }
        let extras = !(life.decisions.is_empty() && life.verdicts.is_empty() && life.notices.is_empty());
        self.number(extras.into());
        if extras {
            self.extras(life);
        }
    }

    fn attempted(&mut self, life: &Life, attempted: &Attempted) {
        self.bytes(life.text(attempted.address));
        self.optional_bytes(attempted.orig.map(|o| life.text(o)));
        self.number(attempted.program as u64);
        self.number(attempted.status as u64);
        self.text(attempted.relay);
        self.text(attempted.reply);
        self.optional_id(attempted.next_id);
        self.signed(attempted.at.0 - life.opened.0);
        self.number(attempted.attempts.into());
        self.place_near(life.place, attempted.place);
    }

    fn extras(&mut self, life: &Life) {
        self.number(life.decisions.len() as u64);
        for decision in &life.decisions {
            self.number(decision.action as u64);
            self.text(decision.reply);
            self.optional(decision.recipient.map(number_of));
            self.signed(decision.at.0);
            self.place(decision.place);
        }
        self.number(life.verdicts.len() as u64);
        for verdict in &life.verdicts {
            self.text(verdict.recipient);
            let flags = [verdict.passed, verdict.quarantined, verdict.discarded];
            self.number(flags.iter().rev().fold(0, |bits, set| bits * 2 + u64::from(*set)));
            self.optional_id(verdict.queued_as);
            self.text(verdict.reply);
            self.signed(verdict.at.0);
            self.place(verdict.place);
        }
        self.number(life.notices.len() as u64);
        for notice in &life.notices {
            self.signed(notice.at.0);
            self.place(notice.place);
            self.number(notice.id.into());
        }
    }

    fn opener(&mut self, opener: Opener) {
        match opener {
            Opener::Unseen => self.number(0),
            Opener::Internal => self.number(1),
            Opener::Client { address, name, user, orig_queue_id } => {
                self.number(2);
                self.text(address);
                self.text(name);
                self.optional(user.map(number_of));
                self.optional_id(orig_queue_id);
            }
            Opener::Pickup { orig_id } => {
                self.number(3);
                self.optional_id(orig_id);
            }
        }
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    fn text(&mut self, text: Text) {
        self.number(number_of(text));
    }

    fn optional(&mut self, number: Option<u64>) {
        self.number(number.map_or(0, |n| n.saturating_add(1)));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn optional_bytes(&mut self, bytes: Option<&[u8]>) {
        self.optional(bytes.map(|b| b.len() as u64));
        self.0.extend_from_slice(bytes.unwrap_or_default());
    }

    fn id(&mut self, id: QueueId) {
        match id.text() {
            Some(text) => self.bytes(text),
            None => {
                self.number(16);
                self.0.extend_from_slice(&id.stored());
            }
        }
    }

    fn optional_id(&mut self, id: Option<QueueId>) {
        self.number(id.is_some().into());
        if let Some(id) = id {
            self.id(id);
        }
    }

    fn place(&mut self, place: Place) {
        self.number(place.source.0.into());
        self.number(place.line);
    }

    /// A place by its distance from one that most often is a few lines before it.
    fn place_near(&mut self, from: Place, place: Place) {
        self.signed(i64::from(place.source.0) - i64::from(from.source.0));
        self.signed(place.line.wrapping_sub(from.line) as i64);
    }
}

fn number_of(text: Text) -> u64 {
    text.index() as u64
}

/// Reads what [`Writer`] wrote, in the same order.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn life(&mut self, life: &mut Life) {
        self.head(life);
        for _ in 0..self.number() {
            self.attempted(life);
        }
        if self.number() != 0 {
            self.extras(life);
        }
    }

    fn head(&mut self, life: &mut Life) {
        life.opened = Timestamp(self.fixed());
        life.last = life.opened.plus(self.signed());
        life.host = self.text();
        life.id = self.id();
        life.long_id = self.optional_text();
        life.opener = self.opener();
        life.place = self.place();
        let flags = self.number();
        life.held = flags & HELD != 0;
        life.lost = flags & LOST != 0;
        life.probe = flags & PROBE != 0;
        life.gone = flags & GONE_FILE != 0;
        life.null_sender = flags & NULL_SENDER != 0;
        life.end = self.one_of(&ENDS, End::Open);
        life.sender = self.optional_text();
        life.message_id = self.optional_bytes(life);
        life.size = self.optional();
        life.announced = self.optional().map(|n| n as u32);
        life.copies = self.number() as u32;
    }

    fn attempted(&mut self, life: &mut Life) {
        let length = self.number() as usize;
        let address = life.keep(self.take(length));
        let word = Attempted {
            address,
            orig: self.optional_bytes(life),
            program: self.one_of(&PROGRAMS, Program::Other),
            status: self.one_of(&STATUSES, Status::Other),
            relay: self.text(),
            reply: self.text(),
            next_id: self.optional_id(),
            at: life.opened.plus(self.signed()),
            attempts: self.number() as u32,
            place: self.place_near(life.place),
        };
        life.recipients.push(word);
    }

    fn extras(&mut self, life: &mut Life) {
        for _ in 0..self.number() {
            let decision = Decision {
                action: self.one_of(&ACTIONS, Action::Hold),
                reply: self.text(),
                recipient: self.optional_text(),
                at: Timestamp(self.signed()),
                place: self.place(),
            };
            life.decisions.push(decision);
        }
        for _ in 0..self.number() {
            let recipient = self.text();
            let flags = self.number();
            let verdict = FilterVerdict {
                recipient,
                passed: flags & 1 != 0,
                quarantined: flags & 2 != 0,
                discarded: flags & 4 != 0,
                queued_as: self.optional_id(),
                reply: self.text(),
                at: Timestamp(self.signed()),
                place: self.place(),
            };
            life.verdicts.push(verdict);
        }
        for _ in 0..self.number() {
            let notice = NoticeMade { at: Timestamp(self.signed()), place: self.place(), id: self.number() as u32 };
            life.notices.push(notice);
        }
    }

    fn opener(&mut self) -> Opener {
        match self.number() {
            1 => Opener::Internal,
            2 => Opener::Client { address: self.text(), name: self.text(), user: self.optional_text(), orig_queue_id: self.optional_id() },
            3 => Opener::Pickup { orig_id: self.optional_id() },
            _ => Opener::Unseen,
        }
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, b""));
        self.0 = rest;
        taken
    }

    fn fixed(&mut self) -> i64 {
        i64::from_le_bytes(self.take(8).try_into().unwrap_or_default())
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let Some((&byte, rest)) = self.0.split_first() else { break };
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn signed(&mut self) -> i64 {
        let number = self.number();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    fn one_of<T: Copy>(&mut self, all: &[T], default: T) -> T {
        all.get(self.number() as usize).copied().unwrap_or(default)
    }

    fn optional(&mut self) -> Option<u64> {
        self.number().checked_sub(1)
    }

    fn text(&mut self) -> Text {
        Text::from_index(self.number() as usize)
    }

    fn optional_text(&mut self) -> Option<Text> {
        self.optional().map(|n| Text::from_index(n as usize))
    }

    fn optional_bytes(&mut self, life: &mut Life) -> Option<Span> {
        let length = self.optional()? as usize;
        Some(life.keep(self.take(length)))
    }

    fn id(&mut self) -> QueueId {
        let length = self.number() as usize;
        let bytes = self.take(length);
        match <[u8; 16]>::try_from(bytes) {
            Ok(stored) => QueueId::from_stored(stored),
            Err(_) => QueueId::new(bytes),
        }
    }

    fn optional_id(&mut self) -> Option<QueueId> {
        (self.number() != 0).then(|| self.id())
    }

    fn place(&mut self) -> Place {
        Place { source: SourceId(self.number() as u32), line: self.number() }
    }

    fn place_near(&mut self, from: Place) -> Place {
        let source = i64::from(from.source.0) + self.signed();
        Place { source: SourceId(source as u32), line: from.line.wrapping_add(self.signed() as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::lives::Line;

    fn place(line: u64) -> Place {
        Place { source: SourceId(3), line }
    }

    /// A life with everything a life can have.
    fn rich(number: i64) -> Life {
        let mut life = Life::default();
        let line = Line { host: Text::from_index(7), at: Timestamp(1_667_232_062_123_456 + number), place: place(12_527) };
        let opener = Opener::Client {
            address: Text::from_index(1),
            name: Text::from_index(200),
            user: Some(Text::from_index(0)),
            orig_queue_id: Some(QueueId::new(b"4N1Hv20sf8zySl")),
        };
        life.begin(line, QueueId::new(b"0123456789ABCDEF0123"), opener);
        life.long_id = Some(Text::from_index(40_000));
        (life.held, life.null_sender, life.end, life.size, life.announced, life.copies) =
            (true, true, End::Expired, Some(u64::from(u32::MAX) + 1), Some(0), 2);
        life.sender = Some(Text::from_index(9));
        life.message_id = Some(life.keep(b"<m1@pc>"));
        for (n, status) in STATUSES.into_iter().enumerate() {
            let word = Attempted {
                address: Span::default(),
                orig: None,
                program: PROGRAMS[n],
                status,
                relay: Text::from_index(n),
                reply: Text::from_index(300 + n),
                next_id: (n % 2 == 0).then(|| QueueId::new(b"1E240200F1")),
                at: Timestamp(1_667_232_000_000_000 - n as i64),
                attempts: n as u32 + 1,
                place: place(n as u64),
            };
            life.attempted(word, format!("a{n}@x.test").as_bytes(), (n == 3).then_some(b"alias@x.test"));
        }
        life.decisions.push(Decision { action: Action::Redirect, reply: Text::FIRST, recipient: None, at: Timestamp(-5), place: place(1) });
        life.verdicts.push(FilterVerdict {
            recipient: Text::FIRST,
            passed: false,
            quarantined: true,
            discarded: false,
            queued_as: None,
            reply: Text::from_index(3),
            at: Timestamp(6),
            place: place(2),
        });
        life.notices.push(NoticeMade { at: Timestamp(7), place: place(8), id: u32::MAX });
        life
    }

    fn shown(life: &Life) -> String {
        let recipients: Vec<String> = life
            .recipients
            .iter()
            .map(|a| {
                let text = |span| String::from_utf8_lossy(life.text(span)).into_owned();
                let rest = Attempted { address: Span::default(), orig: None, ..*a };
                format!("{} {:?} {rest:?}", text(a.address), a.orig.map(text))
            })
            .collect();
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {recipients:?}",
            (life.host, life.id, life.long_id, life.opener),
            (life.opened, life.last, life.place),
            life.sender,
            life.null_sender,
            life.message_id(),
            life.size,
            life.announced,
            life.end,
            life.gone,
            life.held,
            life.lost,
            life.probe,
            life.copies,
            life.decisions,
            life.verdicts,
            life.notices
        )
    }

    #[test]
    fn a_packed_life_comes_back_as_it_was() {
        let (mut store, mut packed) = (Store::default(), Packed::default());
        let lives: Vec<Life> = [rich(0), Life::default(), rich(9)].into();
        let numbers: Vec<u32> = lives.iter().map(|life| packed.push(life)).collect();
        let mut back = rich(3);
        for _ in ["fresh", "in the store"] {
            for (life, &number) in lives.iter().zip(&numbers) {
                assert!(packed.read(&store, number, &mut back));
                assert_eq!(shown(&back), shown(life));
                assert_eq!(packed.span(&store, number), Some((life.opened, life.last)));
            }
            packed.settle_down(&mut store);
        }
    }

    #[test]
    fn every_word_of_a_life_has_the_number_it_is_read_by() {
        assert!(PROGRAMS.iter().enumerate().all(|(n, p)| *p as usize == n));
        assert!(STATUSES.iter().enumerate().all(|(n, s)| *s as usize == n));
        assert!(ACTIONS.iter().enumerate().all(|(n, a)| *a as usize == n));
        assert!(ENDS.iter().enumerate().all(|(n, e)| *e as usize == n));
    }

    #[test]
    fn what_is_given_up_or_taken_back_is_gone_and_the_others_are_where_they_were() {
        let (mut store, mut packed, mut life) = (Store::default(), Packed::default(), Life::default());
        let early: Vec<u32> = (0..3).map(|n| packed.push(&rich(n))).collect();
        packed.take_back(&store, early[1], &mut life);
        assert_eq!(shown(&life), shown(&rich(1)));
        packed.settle_down(&mut store);
        let late: Vec<u32> = (3..6).map(|n| packed.push(&rich(n))).collect();
        packed.take_back(&store, early[0], &mut life);
        packed.settle_down(&mut store);
        packed.give_up(&mut store, late[0]);
        let left: Vec<i64> = (0..6).filter(|n| packed.read(&store, *n as u32, &mut life) && shown(&life) == shown(&rich(*n))).collect();
        assert_eq!(left, [2, 4, 5]);
        [early[2], late[1], late[2]].into_iter().for_each(|number| packed.give_up(&mut store, number));
        assert_eq!(store.held(), 0);
    }
}
