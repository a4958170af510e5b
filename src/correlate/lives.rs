//! Queue-id lives: from the lines of one queue file to one record of what became of it.
//!
//! A queue id names a queue file only as long as the file exists; the same id comes back for another message later. A life begins
//! with the line that opened the file and ends when the file is removed.

use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, SECOND, Timestamp};
use crate::formats::event::{Action, Delivery, NoticeKind, Program, QueueEvent, Service, Stage, Status};
use crate::formats::postfix::reply::{self, Accepted};
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

/// Postfix gives up after this long (`maximal_queue_lifetime`, 5 days); an id that was silent for longer is another message.
pub(super) const QUEUE_LIFETIME: i64 = 5 * DAY;

/// How long after its end a life still takes lines that daemons wrote late.
const LATE_LINES: i64 = 60 * SECOND;

/// How far apart the lines of two daemons about a new queue file can stand in the log in the wrong order.
const REORDER: i64 = 5 * SECOND;

/// Recipients of one life beyond which they are looked up by hash rather than by walking the list.
const WALK_MAX: u32 = 16;

/// No recipient.
const NIL: u32 = u32::MAX;

/// How a queue file came to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Opener {
    /// Its first lines are not in evidence.
    Unseen,
    /// Made by a daemon of the same host: a notice, a forward, a probe.
    Internal,
    Client {
        address: Text,
        name: Text,
        service: Service,
        user: Option<Text>,
        orig_queue_id: Option<Text>,
    },
    Pickup {
        orig_id: Option<Text>,
    },
}

/// How a queue file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Not yet, as far as the evidence goes.
    Open,
    Removed,
    /// Returned to the sender at the end of its lifetime or by force.
    Expired,
    /// Deleted by an operator, or discarded by a rule.
    Deleted,
    Requeued,
    /// The transaction was never completed.
    Cancelled,
}

/// What a rule or a milter decided about the whole message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) action: Action,
    pub(super) reply: Text,
    pub(super) recipient: Option<Text>,
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

/// A content filter's verdict about one recipient.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FilterVerdict {
    pub(super) recipient: Text,
    pub(super) passed: bool,
    pub(super) quarantined: bool,
    pub(super) discarded: bool,
    pub(super) queued_as: Option<Text>,
    pub(super) reply: Text,
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

/// Everything known of one queue file.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) host: Text,
    pub(super) id: Text,
    pub(super) opener: Opener,
    /// The first line's instant; the arrival, if the opener was seen.
    pub(super) opened: Timestamp,
    pub(super) last: Timestamp,
    pub(super) place: Place,
    pub(super) sender: Option<Text>,
    pub(super) message_id: Option<Text>,
    pub(super) size: Option<u64>,
    /// Recipients announced by the queue manager.
    pub(super) announced: Option<u32>,
    pub(super) end: End,
    pub(super) held: bool,
    /// The session broke off before the message was accepted.
    pub(super) lost: bool,
    /// A probe's answer was seen: no mail was sent.
    pub(super) probe: bool,
    /// Deliveries to an address that already had one under another original address.
    pub(super) copies: u32,
    first_recipient: u32,
    last_recipient: u32,
    pub(super) recipients: u32,
}

/// The latest word on one recipient of one life.
#[derive(Clone, Debug)]
pub(super) struct Attempted {
    pub(super) address: Text,
    pub(super) orig: Option<Text>,
    pub(super) program: Program,
    pub(super) status: Status,
    pub(super) relay: Text,
    pub(super) reply: Text,
    pub(super) next_id: Option<Text>,
    pub(super) at: Timestamp,
    pub(super) attempts: u32,
    pub(super) place: Place,
    next: u32,
}

impl Attempted {
    /// Whether a later line cannot change it: the first of `sent` and `bounced` is the last word.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.status, Status::Sent | Status::Bounced)
    }
}

/// A notice about a life.
#[derive(Clone, Copy, Debug)]
pub(super) struct LifeNotice {
    pub(super) life: u32,
    pub(super) at: Timestamp,
    pub(super) place: Place,
    /// Queue id of the notice itself.
    pub(super) id: Text,
}

/// A queue id as logged, hashed once for all look-ups.
#[derive(Clone, Copy)]
struct Name<'a> {
    hash: u64,
    bytes: &'a [u8],
}

/// The lives of one shard.
#[derive(Default)]
pub(super) struct Lives {
    pub(super) lives: Vec<Life>,
    pub(super) attempted: Vec<Attempted>,
    pub(super) decisions: HashMap<u32, Vec<Decision>>,
    pub(super) verdicts: HashMap<u32, Vec<FilterVerdict>>,
    /// Non-delivery notices to senders.
    pub(super) notices: Vec<LifeNotice>,
    /// (host, id) to the latest life of that name. Never iterated.
    current: HashTable<u32>,
    /// Recipients of lives that have many. Never iterated.
    many: HashMap<(u32, Text), u32>,
    hasher: hashbrown::DefaultHashBuilder,
}

/// The line an event comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) host: Text,
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

impl Lives {
    /// Takes in one event of the queue file `id`.
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, id: &[u8], event: &QueueEvent<'_>) {
        let id = Name { hash: self.hash(line.host, id), bytes: id };
        match event {
            QueueEvent::Open { client, service, sasl_username, orig_queue_id, .. } => {
                let opener = Opener::Client {
                    address: texts.intern(client.address),
                    name: texts.intern(client.name),
                    service: *service,
                    user: sasl_username.map(|u| texts.intern(u)),
                    orig_queue_id: orig_queue_id.map(|q| texts.intern(q)),
                };
                self.open(texts, line, id, opener);
            }
            QueueEvent::Pickup { sender, orig_id, .. } => {
                let opener = Opener::Pickup { orig_id: orig_id.map(|q| texts.intern(q)) };
                let sender = texts.intern(sender);
                let life = self.open(texts, line, id, opener);
                self.lives[life].sender = Some(sender);
            }
            QueueEvent::MessageId { id: message_id } => self.message_id(texts, line, id, message_id),
            QueueEvent::Active { sender, size, recipients } => {
                let sender = texts.intern(&sender.to_ascii_lowercase());
                let life = self.touch(texts, line, id);
                let life = &mut self.lives[life];
                life.sender = Some(sender);
                life.size = Some(*size);
                life.announced = life.announced.max(Some(*recipients));
            }
            QueueEvent::Delivery(delivery) => self.delivery(texts, line, id, delivery),
            QueueEvent::Removed { by, cancelled, discarded } => {
                let life = self.touch(texts, line, id);
                let end = match (self.lives[life].end, *by, *cancelled, *discarded) {
                    (End::Expired, ..) => End::Expired,
                    (_, _, true, _) => End::Cancelled,
                    (_, _, _, true) | (_, Program::Postsuper, ..) => End::Deleted,
                    _ => End::Removed,
                };
                self.lives[life].end = end;
            }
            QueueEvent::Expired { .. } => {
                let life = self.touch(texts, line, id);
                self.lives[life].end = End::Expired;
            }
            QueueEvent::Requeued => {
                let life = self.touch(texts, line, id);
                self.lives[life].end = End::Requeued;
            }
            QueueEvent::Held => {
                let life = self.touch(texts, line, id);
                self.lives[life].held = true;
            }
            QueueEvent::Released => {
                let life = self.touch(texts, line, id);
                self.lives[life].held = false;
            }
            QueueEvent::Notice { kind, to_postmaster, id: notice } => {
                let life = self.touch(texts, line, id);
                if *kind == NoticeKind::NonDelivery && !to_postmaster {
                    self.notices.push(LifeNotice { life: life as u32, at: line.at, place: line.place, id: texts.intern(notice) });
                }
            }
            QueueEvent::Decision { action, sender, recipient, client, reply, .. } => {
                let decision = Decision {
                    action: *action,
                    reply: texts.intern(reply),
                    recipient: recipient.filter(|r| !r.is_empty()).map(|r| texts.intern(&r.to_ascii_lowercase())),
                    at: line.at,
                    place: line.place,
                };
                let sender = sender.map(|s| texts.intern(&s.to_ascii_lowercase()));
                let client = client.map(|c| (texts.intern(c.address), texts.intern(c.name)));
                self.decide(texts, line, id, decision, sender, client);
            }
            QueueEvent::Lost { stage } => {
                let life = self.touch(texts, line, id);
                self.lives[life].lost |= *stage != Stage::EndOfMessage;
            }
            QueueEvent::Verdict { sender, recipients, passed, quarantined, discarded, queued_as, reply, .. } => {
                let verdicts: Vec<FilterVerdict> = QueueEvent::recipients(recipients)
                    .map(|recipient| FilterVerdict {
                        recipient: texts.intern(&recipient.to_ascii_lowercase()),
                        passed: *passed,
                        quarantined: *quarantined,
                        discarded: *discarded,
                        queued_as: queued_as.map(|q| texts.intern(q)),
                        reply: texts.intern(reply),
                        at: line.at,
                        place: line.place,
                    })
                    .collect();
                let sender = texts.intern(&sender.to_ascii_lowercase());
                let life = self.touch(texts, line, id);
                self.lives[life].sender.get_or_insert(sender);
                self.verdicts.entry(life as u32).or_default().extend(verdicts);
            }
        }
    }

    /// The numbers of a life's recipients in [`Lives::attempted`], in the order of their first lines.
    pub(super) fn recipient_numbers(&self, life: u32) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.lives.get(life as usize).map_or(NIL, |l| l.first_recipient);
        std::iter::from_fn(move || {
            let number = at;
            at = self.attempted.get(number as usize)?.next;
            Some(number)
        })
    }

    /// Takes in a decision that was logged before the queue id was known.
    pub(super) fn decided_early(&mut self, life: u32, decision: Decision) {
        let owner = &mut self.lives[life as usize];
        // The queue manager takes up a held message only after its release.
        owner.held |= decision.action == Action::Hold && owner.announced.is_none();
        self.decisions.entry(life).or_default().insert(0, decision);
    }

    /// Adds another shard's lives to these. Lines can no longer be taken in afterwards.
    pub(super) fn absorb(&mut self, other: Lives) {
        let (lives, attempted) = (self.lives.len() as u32, self.attempted.len() as u32);
        let shift = |n: u32| if n == NIL { NIL } else { n + attempted };
        self.lives.extend(other.lives.into_iter().map(|life| Life {
            first_recipient: shift(life.first_recipient),
            last_recipient: shift(life.last_recipient),
            ..life
        }));
        self.attempted.extend(other.attempted.into_iter().map(|a| Attempted { next: shift(a.next), ..a }));
        self.decisions.extend(other.decisions.into_iter().map(|(life, d)| (life + lives, d)));
        self.verdicts.extend(other.verdicts.into_iter().map(|(life, v)| (life + lives, v)));
        self.notices.extend(other.notices.into_iter().map(|n| LifeNotice { life: n.life + lives, ..n }));
    }

    fn hash(&self, host: Text, id: &[u8]) -> u64 {
        self.hasher.hash_one((host, id))
    }

    fn find(&self, texts: &TextPool, host: Text, name: Name<'_>) -> Option<usize> {
        let lives = &self.lives;
        let same = |&i: &u32| lives[i as usize].host == host && texts.bytes(lives[i as usize].id) == name.bytes;
        self.current.find(name.hash, same).map(|&i| i as usize)
    }

    fn begin(&mut self, texts: &mut TextPool, line: Line, name: Name<'_>, opener: Opener) -> usize {
        let id = texts.intern(name.bytes);
        let number = self.lives.len();
        self.lives.push(Life {
            host: line.host,
            id,
            opener,
            opened: line.at,
            last: line.at,
            place: line.place,
            sender: None,
            message_id: None,
            size: None,
            announced: None,
            end: End::Open,
            held: false,
            lost: false,
            probe: false,
            copies: 0,
            first_recipient: NIL,
            last_recipient: NIL,
            recipients: 0,
        });
        let (lives, hasher, texts) = (&self.lives, &self.hasher, &*texts);
        let same = |&i: &u32| lives[i as usize].host == line.host && lives[i as usize].id == id;
        let rehash = |&i: &u32| hasher.hash_one((lives[i as usize].host, texts.bytes(lives[i as usize].id)));
        match self.current.entry(name.hash, same, rehash) {
            hashbrown::hash_table::Entry::Occupied(mut entry) => *entry.get_mut() = number as u32,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(number as u32);
            }
        }
        number
    }

    /// A line that opens a queue file: always a new life, unless lines of other daemons about the same new file were written just before it.
    fn open(&mut self, texts: &mut TextPool, line: Line, id: Name<'_>, opener: Opener) -> usize {
        if let Some(found) = self.find(texts, line.host, id) {
            let life = &mut self.lives[found];
            // Loggers that keep whole seconds lose the order within them: even `removed` can stand before `client=`.
            let by_decision = matches!((life.opener, opener), (Opener::Client { address: a, user: None, .. }, Opener::Client { address: b, .. }) if a == b)
                && self.decisions.contains_key(&(found as u32));
            let fresh = by_decision || matches!(life.opener, Opener::Unseen | Opener::Internal);
            if fresh && line.at.since(life.opened).abs() <= REORDER {
                life.opener = opener;
                life.opened = life.opened.min(line.at);
                return found;
            }
        }
        self.begin(texts, line, id, opener)
    }

    /// The life a line without an opener belongs to, begun unseen if there is none.
    fn touch(&mut self, texts: &mut TextPool, line: Line, id: Name<'_>) -> usize {
        let found = self.find(texts, line.host, id).filter(|&found| {
            let life = &self.lives[found];
            let silence = line.at.since(life.last);
            if life.end == End::Open || life.end == End::Expired { silence <= QUEUE_LIFETIME } else { silence <= LATE_LINES }
        });
        let life = found.unwrap_or_else(|| self.begin(texts, line, id, Opener::Unseen));
        self.lives[life].last = self.lives[life].last.max(line.at);
        life
    }

    /// cleanup's `message-id=`: without an opener before it, the message was made on the host itself.
    fn message_id(&mut self, texts: &mut TextPool, line: Line, id: Name<'_>, message_id: &[u8]) {
        let message_id = texts.intern(message_id);
        let open = self.find(texts, line.host, id).filter(|&f| {
            let life = &self.lives[f];
            let patience = match life.end {
                End::Open => QUEUE_LIFETIME,
                _ if life.message_id.is_none() => REORDER,
                _ => return false,
            };
            line.at.since(life.last) <= patience
        });
        let life = match open {
            Some(found) => found,
            None => self.begin(texts, line, id, Opener::Internal),
        };
        let life = &mut self.lives[life];
        life.last = life.last.max(line.at);
        life.message_id.get_or_insert(message_id);
    }

    fn decide(
        &mut self,
        texts: &mut TextPool,
        line: Line,
        id: Name<'_>,
        decision: Decision,
        sender: Option<Text>,
        client: Option<(Text, Text)>,
    ) {
        let life = self.touch(texts, line, id);
        if let Some(sender) = sender {
            self.lives[life].sender.get_or_insert(sender);
        }
        if let (Opener::Unseen | Opener::Internal, Some((address, name))) = (self.lives[life].opener, client) {
            self.lives[life].opener = Opener::Client { address, name, service: Service::Smtp, user: None, orig_queue_id: None };
        }
        if decision.action == Action::Hold {
            self.lives[life].held = true;
        }
        self.decisions.entry(life as u32).or_default().push(decision);
    }

    fn delivery(&mut self, texts: &mut TextPool, line: Line, id: Name<'_>, delivery: &Delivery<'_>) {
        let life = self.touch(texts, line, id);
        if delivery.status == Status::Probe {
            self.lives[life].probe = true;
            return;
        }
        if self.lives[life].opener == Opener::Unseen && self.lives[life].first_recipient == NIL && delivery.delay_seconds >= 0.0 {
            let arrival = line.at.plus(-((delivery.delay_seconds * 1e6) as i64));
            self.lives[life].opened = self.lives[life].opened.min(arrival);
        }
        let address = texts.intern(&delivery.recipient.to_ascii_lowercase());
        let keeps_reply = delivery.status != Status::Sent || reply::accepted(delivery.program, delivery.reply) != Accepted::Passed;
        let word = Attempted {
            address,
            orig: delivery.orig_recipient.map(|o| texts.intern(&o.to_ascii_lowercase())),
            program: delivery.program,
            status: delivery.status,
            relay: texts.intern(delivery.relay),
            reply: texts.intern(if keeps_reply { delivery.reply } else { b"" }),
            next_id: delivery.next_id.map(|q| texts.intern(q)),
            at: line.at,
            attempts: 1,
            place: line.place,
            next: NIL,
        };
        match self.attempt_of(life, address) {
            // local(8) can do both for one address: put it into the mailbox and forward it under another queue id.
            Some(found) if self.goes_two_ways(found, &word) => self.append(life, word),
            Some(found) => {
                let known = &mut self.attempted[found as usize];
                self.lives[life].copies += u32::from(known.orig != word.orig);
                let attempts = known.attempts + 1;
                if !known.is_settled() {
                    *known = Attempted { next: known.next, orig: known.orig, ..word };
                }
                known.attempts = attempts;
            }
            None => self.append(life, word),
        }
    }

    fn goes_two_ways(&self, found: u32, word: &Attempted) -> bool {
        let known = &self.attempted[found as usize];
        let local = |a: &Attempted| a.program == Program::Local && a.status == Status::Sent;
        local(known) && local(word) && known.next_id != word.next_id
    }

    fn attempt_of(&self, life: usize, address: Text) -> Option<u32> {
        if self.lives[life].recipients > WALK_MAX {
            return self.many.get(&(life as u32, address)).copied();
        }
        let mut at = self.lives[life].first_recipient;
        while at != NIL {
            let known = &self.attempted[at as usize];
            if known.address == address {
                return Some(at);
            }
            at = known.next;
        }
        None
    }

    fn append(&mut self, life: usize, word: Attempted) {
        let number = self.attempted.len() as u32;
        self.attempted.push(word);
        let owner = &mut self.lives[life];
        match owner.last_recipient {
            NIL => owner.first_recipient = number,
            last => self.attempted[last as usize].next = number,
        }
        owner.last_recipient = number;
        owner.recipients += 1;
        if owner.recipients == WALK_MAX + 1 {
            let mut at = owner.first_recipient;
            while at != NIL {
                self.many.insert((life as u32, self.attempted[at as usize].address), at);
                at = self.attempted[at as usize].next;
            }
        } else if owner.recipients > WALK_MAX {
            let address = self.attempted[number as usize].address;
            self.many.insert((life as u32, address), number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

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
