//! Messages of systems that give each message an id of its own: the facts about one message, brought together while they come in.
//!
//! Records of one message stand in several files and on several hosts and come in no order. So each fact is weighed against the one
//! known so far by what it says and by its time, never by its turn.

use super::lives::Line;
use super::remap::Map;
use super::trail_facts::{Accepted, Said, Word};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, HOUR, Timestamp};
use crate::formats::TRACE_HOST;
use crate::formats::event::{Acceptance, NoticeKind, TrailEvent, TrailFact, TrailFate, TrailId};
use hashbrown::{HashMap, HashSet};

/// Without an id of the system's own, a message that comes in again under the same Message-ID and sender after this long is another one.
const SAME_MESSAGE: i64 = HOUR;
/// What is said of a recipient this long after anything else about the message is said of another message.
const QUEUE_LIFETIME: i64 = 5 * DAY;
/// No recipient, or no message.
const NONE: u32 = u32::MAX;
/// Recipients of a message that are looked through one by one; those of a message with more are found by a table.
const FEW: u32 = 8;

/// What names a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// An id of the system's own, which is a GUID.
    Guid(u128),
    /// Another id of the system's own.
    Network(Text),
    /// `Message-ID` and sender.
    Message(Text, Text),
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    key: Key,
    pub(super) message_id: Text,
    pub(super) sender: Text,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The earliest record.
    pub(super) start: Line,
    pub(super) accepted: Option<Box<Accepted>>,
    /// The last recipient; each knows the one before it.
    recipients: u32,
    recipient_count: u32,
    /// The message of the same key that came before this one, while records come in.
    same: u32,
}

/// One recipient of one message, with the word about it that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient {
    pub(super) address: Text,
    before: u32,
    pub(super) word: Word,
    pub(super) attempts: u32,
    /// Another address stands in its place.
    pub(super) replaced: bool,
}

impl Recipient {
    /// One that is counted and not named.
    pub(super) fn unnamed(address: Text, word: Word) -> Recipient {
        Recipient { address, before: NONE, word, attempts: 1, replaced: false }
    }

    /// The same recipient with another word about it.
    pub(super) fn with(self, word: Word) -> Recipient {
        Recipient { word, ..self }
    }
}

/// A notice about a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrailNotice {
    pub(super) line: Line,
    /// Empty where the record does not name the message.
    pub(super) about: Text,
    pub(super) to: Text,
    pub(super) kind: NoticeKind,
    /// The notice's own message.
    trail: u32,
}

/// The messages of one shard, then of all.
#[derive(Default)]
pub(super) struct Trails {
    pub(super) all: Vec<Trail>,
    /// The last message of each key; each knows the one before it.
    by_key: HashMap<Key, u32>,
    recipients: Vec<Recipient>,
    /// The recipients of messages that have more than a few.
    by_address: HashMap<(u32, Text), u32>,
    pub(super) notices: Vec<TrailNotice>,
    /// What is said of recipients without addresses, by message.
    unnamed: HashMap<u32, Vec<(u32, Word)>>,
    /// How often a mailbox's records give an address as its own.
    pub(super) owners: HashMap<(Text, Text), u32>,
    /// The system's own id of the last record, as logged, and its message: one row gives several facts.
    last: (Vec<u8>, u32),
    scratch: Vec<u8>,
}

impl Trails {
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, event: &TrailEvent<'_>) {
        let trail = self.trail(texts, line, &event.id, matches!(event.fact, TrailFact::Accepted(_)));
        let by_trace = texts.bytes(line.host) == TRACE_HOST;
        match &event.fact {
            TrailFact::Accepted(acceptance) => self.accepted(texts, line, trail, acceptance),
            TrailFact::Recipient { address, fate, peer, text } => {
                let said = Said { fate: *fate, line, by_trace };
                match self.last_recipient(texts, trail, address) {
                    Some(known) => self.weigh(known, said, |said| said.with(texts.intern(peer), texts.intern(text))),
                    None => {
                        let address = self.lower(texts, address);
                        self.recipient(trail, address, said, |said| said.with(texts.intern(peer), texts.intern(text)));
                    }
                }
            }
            TrailFact::Unnamed { count, fate, peer, text } => {
                let word = Said { fate: *fate, line, by_trace }.with(texts.intern(peer), texts.intern(text));
                self.unnamed.entry(trail).or_default().push((*count, word));
            }
            TrailFact::Mailbox { id, owner } => {
                let pair = (self.lower(texts, id), self.lower(texts, owner));
                *self.owners.entry(pair).or_default() += 1;
            }
            TrailFact::Replaced { address, .. } => {
                let address = self.lower(texts, address);
                let empty = texts.intern(b"");
                let number =
                    self.recipient(trail, address, Said { fate: TrailFate::Named, line, by_trace }, |said| said.with(empty, empty));
                if let Some(recipient) = self.recipients.get_mut(number as usize) {
                    recipient.replaced = true;
                }
            }
            TrailFact::Notice { about, kind, to } => {
                let to = self.lower(texts, to);
                self.notices.push(TrailNotice { line, about: texts.intern(about), to, kind: *kind, trail });
            }
        }
    }

    /// Addresses are the same in any case.
    fn lower(&mut self, texts: &mut TextPool, address: &[u8]) -> Text {
        if !address.iter().any(u8::is_ascii_uppercase) {
            return texts.intern(address);
        }
        self.scratch.clear();
        self.scratch.extend(address.iter().map(u8::to_ascii_lowercase));
        texts.intern(&self.scratch)
    }

    /// The message that a record is about.
    fn trail(&mut self, texts: &mut TextPool, line: Line, id: &TrailId<'_>, comes_in: bool) -> u32 {
        let number = match &self.last {
            (last, number) if !last.is_empty() && last == id.network => *number,
            _ => self.find_or_begin(texts, line, id, comes_in),
        };
        self.names(texts, number, id);
        if let Some(trail) = self.all.get_mut(number as usize) {
            trail.first = trail.first.min(line.at);
            trail.last = trail.last.max(line.at);
            if (line.at, line.place) < (trail.start.at, trail.start.place) {
                trail.start = line;
            }
        }
        number
    }

    fn find_or_begin(&mut self, texts: &mut TextPool, line: Line, id: &TrailId<'_>, comes_in: bool) -> u32 {
        let key = match guid(id.network) {
            _ if id.network.is_empty() => Key::Message(texts.intern(id.message), self.lower(texts, id.sender)),
            Some(guid) => Key::Guid(guid),
            None => Key::Network(texts.intern(id.network)),
        };
        let found = match key {
            Key::Guid(_) | Key::Network(_) => self.by_key.get(&key).copied(),
            Key::Message(..) => self.nearest(key, line.at, if comes_in { SAME_MESSAGE } else { QUEUE_LIFETIME }),
        };
        let number = found.unwrap_or_else(|| self.begin(texts, key, line));
        self.last.0.clear();
        self.last.0.extend_from_slice(id.network);
        self.last.1 = number;
        number
    }

    /// Begins a message of which nothing is known yet but its key.
    fn begin(&mut self, texts: &mut TextPool, key: Key, line: Line) -> u32 {
        let number = u32::try_from(self.all.len()).unwrap_or(NONE - 1);
        let empty = texts.intern(b"");
        self.all.push(Trail {
            key,
            message_id: empty,
            sender: empty,
            first: line.at,
            last: line.at,
            start: line,
            accepted: None,
            recipients: NONE,
            recipient_count: 0,
            same: self.by_key.insert(key, number).unwrap_or(NONE),
        });
        number
    }

    /// Takes `Message-ID` and sender from the first record that tells them.
    fn names(&mut self, texts: &mut TextPool, number: u32, id: &TrailId<'_>) {
        let Some((message_id, sender, key)) = self.all.get(number as usize).map(|t| (t.message_id, t.sender, t.key)) else { return };
        let is_open = |text: Text, told: &[u8]| !told.is_empty() && texts.bytes(text).is_empty();
        let (new_id, new_sender) = (is_open(message_id, id.message), is_open(sender, id.sender));
        if !new_id && !new_sender {
            return;
        }
        let message_id = match key {
            _ if !new_id => message_id,
            Key::Message(message_id, _) => message_id,
            Key::Guid(_) | Key::Network(_) => texts.intern(id.message),
        };
        let sender = if new_sender { self.lower(texts, id.sender) } else { sender };
        if let Some(trail) = self.all.get_mut(number as usize) {
            (trail.message_id, trail.sender) = (message_id, sender);
        }
    }

    /// Of the messages of a key the one that is nearest in time, of equally near ones the first.
    fn nearest(&self, key: Key, at: Timestamp, most: i64) -> Option<u32> {
        let distance = |n: u32| self.all.get(n as usize).map_or(i64::MAX, |trail| trail.first.since(at).max(at.since(trail.last)).max(0));
        let before = |n: &u32| self.all.get(*n as usize).map(|trail| trail.same).filter(|same| *same != NONE);
        let same = std::iter::successors(self.by_key.get(&key).copied(), before);
        same.map(|n| (distance(n), n)).min().filter(|(distance, _)| *distance <= most).map(|(_, n)| n)
    }

    fn accepted(&mut self, texts: &mut TextPool, line: Line, trail: u32, told: &Acceptance<'_>) {
        let mailbox = told.mailbox.map(|m| self.lower(texts, m));
        let owner = told.mailbox_owner.map(|o| self.lower(texts, o));
        if let (Some(mailbox), Some(owner)) = (mailbox, owner) {
            *self.owners.entry((mailbox, owner)).or_default() += 1;
        }
        let known = self.all.get(trail as usize).and_then(|trail| trail.accepted.as_deref());
        if known.is_some_and(|known| known.says_all_of(line, told)) {
            return;
        }
        let new = Accepted {
            kind: told.kind,
            line,
            return_path: told.return_path.map(|p| self.lower(texts, p)),
            account: told.account.map(|a| texts.intern(a)),
            mailbox,
            mailbox_owner: owner,
            address: told.address.map(|a| texts.intern(a)),
            address_is_proxy: told.address_is_proxy,
            client: told.client.map(|c| texts.intern(c)),
            session: told.session.map(|s| (line.host, texts.intern(s))),
            protocol: told.protocol,
            size: told.size,
            recipients: told.recipients,
        };
        let Some(trail) = self.all.get_mut(trail as usize) else { return };
        trail.accepted = Some(match trail.accepted.take() {
            Some(known) => Box::new(known.join(new)),
            None => Box::new(new),
        });
    }

    /// Weighs what is said of a recipient; returns the recipient's number. The texts are asked for only where it counts.
    fn recipient(&mut self, trail: u32, address: Text, said: Said, word: impl FnOnce(Said) -> Word) -> u32 {
        if let Some(number) = self.known_recipient(trail, address) {
            self.weigh(number, said, word);
            return number;
        }
        let tried = u32::from(said.fate != TrailFate::Named);
        let number = u32::try_from(self.recipients.len()).unwrap_or(NONE - 1);
        let Some(message) = self.all.get_mut(trail as usize) else { return number };
        self.recipients.push(Recipient { address, before: message.recipients, word: word(said), attempts: tried, replaced: false });
        message.recipients = number;
        message.recipient_count = message.recipient_count.saturating_add(1);
        match message.recipient_count {
            count if count < FEW => {}
            FEW => self.list_recipients(trail),
            _ => {
                self.by_address.insert((trail, address), number);
            }
        }
        number
    }

    fn weigh(&mut self, recipient: u32, said: Said, word: impl FnOnce(Said) -> Word) {
        let Some(known) = self.recipients.get_mut(recipient as usize) else { return };
        known.attempts += u32::from(said.fate != TrailFate::Named);
        if said.outweighs(known.word.said()) {
            known.word = word(said);
        }
    }

    /// The recipient a message got last, if it has this address: most messages have no other.
    fn last_recipient(&self, texts: &TextPool, trail: u32, address: &[u8]) -> Option<u32> {
        let number = self.all.get(trail as usize)?.recipients;
        let known = texts.bytes(self.recipients.get(number as usize)?.address);
        known.eq_ignore_ascii_case(address).then_some(number)
    }

    fn known_recipient(&self, trail: u32, address: Text) -> Option<u32> {
        let message = self.all.get(trail as usize)?;
        if message.recipient_count >= FEW {
            return self.by_address.get(&(trail, address)).copied();
        }
        self.chain(message).find(|(_, recipient)| recipient.address == address).map(|(number, _)| number)
    }

    /// Puts the recipients of a message that has no longer few of them into the table.
    fn list_recipients(&mut self, trail: u32) {
        let Some(message) = self.all.get(trail as usize) else { return };
        let listed: Vec<(u32, Text)> = self.chain(message).map(|(number, recipient)| (number, recipient.address)).collect();
        self.by_address.extend(listed.into_iter().map(|(number, address)| ((trail, address), number)));
    }

    /// The recipients of a message with their numbers, from the last one.
    fn chain(&self, trail: &Trail) -> impl Iterator<Item = (u32, &Recipient)> {
        let at = |number: u32| Some((number, self.recipients.get(number as usize)?));
        std::iter::successors(at(trail.recipients), move |(_, recipient)| at(recipient.before))
    }

    /// The recipients of a message, in the order in which they were first named.
    pub(super) fn recipients_of(&self, trail: &Trail) -> Vec<Recipient> {
        let mut found = Vec::with_capacity(trail.recipient_count as usize);
        found.extend(self.chain(trail).map(|(_, recipient)| *recipient));
        found.reverse();
        found
    }

    /// What is said of recipients of a message without naming them, each time with their number.
    pub(super) fn unnamed_of(&self, trail: u32) -> &[(u32, Word)] {
        self.unnamed.get(&trail).map(Vec::as_slice).unwrap_or_default()
    }

    /// The notices of failure whose records do not name the message, and those whose do. One notice may be told of by several exports,
    /// of which the better one counts.
    pub(super) fn returned(&self, empty: Text) -> (Vec<&TrailNotice>, Vec<&TrailNotice>) {
        let failures = self.notices.iter().filter(|n| n.kind == NoticeKind::NonDelivery);
        let (mut nameless, named): (Vec<&TrailNotice>, Vec<&TrailNotice>) = failures.partition(|n| n.about == empty);
        let known: HashSet<u32> = named.iter().map(|n| n.trail).collect();
        nameless.sort_by_key(|n| (n.line.at, n.line.place));
        let mut seen: HashSet<(u32, Text)> = HashSet::new();
        nameless.retain(|n| !known.contains(&n.trail) && seen.insert((n.trail, n.to)));
        (nameless, named)
    }

    /// When a notice came back: when it was put into the mailbox of its addressee, or else when it was made.
    pub(super) fn returned_at(&self, notice: &TrailNotice) -> Timestamp {
        let ends = self.all.get(notice.trail as usize).map(|trail| self.recipients_of(trail)).unwrap_or_default();
        ends.iter().filter(|r| r.word.fate == TrailFate::Delivered).map(|r| r.word.line.at).min().unwrap_or(notice.line.at)
    }

    /// All recipients of all messages, with the word about each that counts.
    pub(super) fn words(&self) -> impl Iterator<Item = (Text, &Word)> {
        self.recipients.iter().map(|recipient| (recipient.address, &recipient.word))
    }

    /// Hosts that tell of deliveries into mailboxes.
    pub(super) fn delivering(&self) -> HashSet<Text> {
        let named = self.recipients.iter().map(|recipient| &recipient.word);
        let unnamed = self.unnamed.values().flatten().map(|(_, word)| word);
        named.chain(unnamed).filter(|word| word.fate == TrailFate::Delivered).map(|word| word.line.host).collect()
    }

    /// Takes in another shard's messages.
    pub(super) fn absorb(&mut self, other: Trails, map: &Map) {
        let (trails, recipients) = (self.all.len() as u32, self.recipients.len() as u32);
        for mut trail in other.all {
            trail.remap(map);
            if trail.recipients != NONE {
                trail.recipients += recipients;
            }
            // No record comes in any more that would be looked up by its key.
            self.all.push(trail);
        }
        for mut recipient in other.recipients {
            map.put(&mut recipient.address);
            recipient.word.remap(map);
            if recipient.before != NONE {
                recipient.before += recipients;
            }
            self.recipients.push(recipient);
        }
        for ((trail, mut address), number) in other.by_address {
            map.put(&mut address);
            self.by_address.insert((trail + trails, address), number + recipients);
        }
        for mut notice in other.notices {
            map.put(&mut notice.about);
            map.put(&mut notice.to);
            notice.trail += trails;
            map.put(&mut notice.line.host);
            self.notices.push(notice);
        }
        for (trail, mut words) in other.unnamed {
            words.iter_mut().for_each(|(_, word)| word.remap(map));
            self.unnamed.insert(trail + trails, words);
        }
        for ((mut mailbox, mut owner), times) in other.owners {
            map.put(&mut mailbox);
            map.put(&mut owner);
            *self.owners.entry((mailbox, owner)).or_default() += times;
        }
    }

    /// Gives what records without an id of the system's own say to the message that other records give one: servers of before 2013
    /// and after stand side by side. Returns the messages that are left.
    pub(super) fn join_generations(&mut self, texts: &TextPool) -> Vec<u32> {
        let is_old = |trail: &Trail| matches!(trail.key, Key::Message(..));
        let (old, new): (Vec<u32>, Vec<u32>) = (0..self.all.len() as u32).partition(|n| self.all.get(*n as usize).is_some_and(is_old));
        if old.is_empty() || new.is_empty() {
            return if old.is_empty() { new } else { old };
        }
        let mut by_message: HashMap<Text, Vec<(Timestamp, u32)>> = HashMap::new();
        for &number in &new {
            if let Some(trail) = self.all.get(number as usize).filter(|t| !texts.bytes(t.message_id).is_empty()) {
                by_message.entry(trail.message_id).or_default().push((trail.first, number));
            }
        }
        by_message.values_mut().for_each(|same| same.sort_unstable());
        let mut left = new;
        for number in old {
            match self.same_message(number, &by_message) {
                Some(into) => self.give(number, into),
                None => left.push(number),
            }
        }
        left
    }

    /// The message with an id that is nearest in time to one without.
    fn same_message(&self, number: u32, by_message: &HashMap<Text, Vec<(Timestamp, u32)>>) -> Option<u32> {
        let old = self.all.get(number as usize)?;
        let same = by_message.get(&old.message_id)?;
        let after = same.partition_point(|(first, _)| *first <= old.first);
        let distance = |n: u32| {
            let new = self.all.get(n as usize)?;
            Some(new.first.since(old.last).max(old.first.since(new.last)).max(0))
        };
        let near = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|at| same.get(at));
        near.filter_map(|(_, n)| Some((distance(*n)?, *n))).min().filter(|(distance, _)| *distance <= DAY).map(|(_, n)| n)
    }

    fn give(&mut self, from: u32, into: u32) {
        let Some(old) = self.all.get(from as usize).cloned() else { return };
        for recipient in self.recipients_of(&old) {
            let number = self.recipient(into, recipient.address, recipient.word.said(), |_| recipient.word);
            if let Some(known) = self.recipients.get_mut(number as usize) {
                known.attempts = known.attempts.max(recipient.attempts);
                known.replaced |= recipient.replaced;
            }
        }
        if let Some(words) = self.unnamed.remove(&from) {
            self.unnamed.entry(into).or_default().extend(words);
        }
        if let Some(new) = self.all.get_mut(into as usize) {
            new.first = new.first.min(old.first);
            new.last = new.last.max(old.last);
            if (old.start.at, old.start.place) < (new.start.at, new.start.place) {
                new.start = old.start;
            }
            new.accepted = match (new.accepted.take(), old.accepted) {
                (Some(a), Some(b)) => Some(Box::new(a.join(*b))),
                (a, b) => a.or(b),
            };
        }
    }
}

impl Trail {
    /// The system's own id as logs show it; `None` where the message has none.
    pub(super) fn network_id(&self, texts: &TextPool) -> Option<Vec<u8>> {
        match self.key {
            Key::Guid(guid) => {
                let digits = format!("{guid:032x}");
                let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map(|(from, to)| digits.get(from..to).unwrap_or_default());
                Some(parts.join("-").into_bytes())
            }
            Key::Network(text) => Some(texts.bytes(text).to_vec()),
            Key::Message(..) => None,
        }
    }

    fn remap(&mut self, map: &Map) {
        match &mut self.key {
            Key::Guid(_) => {}
            Key::Network(text) => map.put(text),
            Key::Message(id, sender) => {
                map.put(id);
                map.put(sender);
            }
        }
        map.put(&mut self.message_id);
        map.put(&mut self.sender);
        map.put(&mut self.start.host);
        if let Some(accepted) = &mut self.accepted {
            accepted.remap(map);
        }
    }
}

/// A GUID in its usual spelling.
fn guid(text: &[u8]) -> Option<u128> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut value = 0u128;
    let mut unfit = 0;
    for (at, byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            unfit |= byte ^ b'-';
            continue;
        }
        let digit = DIGITS[usize::from(*byte)];
        unfit |= digit & NO_DIGIT;
        value = value << 4 | u128::from(digit & 0xf);
    }
    (unfit == 0).then_some(value)
}

/// Marks what is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// The value of each byte as a hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};
