//! One queue file from its opening to its end, and what its lines say of it.

use super::lives::Line;
use super::queue_id::QueueId;
use crate::domain::place::{Place, SourceId};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::formats::event::{Action, Program, Status};
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Recipients of one life beyond which they are looked up by hash rather than by walking the list.
const WALK_MAX: usize = 16;

/// How a queue file came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Opener {
    /// Its first lines are not in evidence.
    #[default]
    Unseen,
    /// Made by a daemon of the same host: a notice, a forward, a probe.
    Internal,
    Client {
        address: Text,
        name: Text,
        user: Option<Text>,
        orig_queue_id: Option<QueueId>,
    },
    Pickup {
        orig_id: Option<QueueId>,
    },
}

/// How a queue file ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Not yet, as far as the evidence goes.
    #[default]
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
    pub(super) queued_as: Option<QueueId>,
    pub(super) reply: Text,
    pub(super) at: Timestamp,
    pub(super) place: Place,
}

/// A stretch of a life's own text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// The latest word on one recipient of one life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempted {
    /// In lower case.
    pub(super) address: Span,
    pub(super) orig: Option<Span>,
    pub(super) program: Program,
    pub(super) status: Status,
    pub(super) relay: Text,
    pub(super) reply: Text,
    pub(super) next_id: Option<QueueId>,
    pub(super) at: Timestamp,
    pub(super) attempts: u32,
    pub(super) place: Place,
}

impl Attempted {
    /// Whether a later line cannot change it: the first of `sent` and `bounced` is the last word.
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.status, Status::Sent | Status::Bounced)
    }
}

/// A notice that was made for the sender of a queue file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoticeMade {
    pub(super) at: Timestamp,
    pub(super) place: Place,
    /// The key of its own queue id.
    pub(super) id: u32,
}

/// Everything known of one queue file.
///
/// Message id and addresses are bytes of its own and not interned: most of them occur in one life or two, and there are millions.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) host: Text,
    pub(super) id: QueueId,
    /// The id as logged, if it is too long to be kept in `id`.
    pub(super) long_id: Option<Text>,
    pub(super) opener: Opener,
    /// The first line's instant; the arrival, if the opener was seen.
    pub(super) opened: Timestamp,
    pub(super) last: Timestamp,
    pub(super) place: Place,
    pub(super) sender: Option<Text>,
    /// The queue manager's line named the empty sender, as notices have it.
    pub(super) null_sender: bool,
    /// The client is on the host itself: a filter, most often. Known only while the life is open.
    pub(super) from_loopback: bool,
    pub(super) message_id: Option<Span>,
    pub(super) size: Option<u64>,
    /// Recipients announced by the queue manager.
    pub(super) announced: Option<u32>,
    pub(super) end: End,
    /// The queue file is gone.
    pub(super) gone: bool,
    pub(super) held: bool,
    /// The session broke off before the message was accepted.
    pub(super) lost: bool,
    /// A probe's answer was seen: no mail was sent.
    pub(super) probe: bool,
    /// Deliveries to an address that already had one under another original address.
    pub(super) copies: u32,
    pub(super) recipients: Vec<Attempted>,
    pub(super) decisions: Vec<Decision>,
    pub(super) verdicts: Vec<FilterVerdict>,
    /// Non-delivery notices to its sender.
    pub(super) notices: Vec<NoticeMade>,
    text: Vec<u8>,
    /// Recipients by address, where there are many. Never iterated.
    by_address: HashTable<u32>,
    hasher: hashbrown::DefaultHashBuilder,
}

impl Default for Life {
    fn default() -> Life {
        Life {
            host: Text::FIRST,
            id: QueueId::new(b""),
            long_id: None,
            opener: Opener::Unseen,
            opened: Timestamp(0),
            last: Timestamp(0),
            place: Place { source: SourceId(0), line: 0 },
            sender: None,
            null_sender: false,
            from_loopback: false,
            message_id: None,
            size: None,
            announced: None,
            end: End::Open,
            gone: false,
            held: false,
            lost: false,
            probe: false,
            copies: 0,
            recipients: Vec::new(),
            decisions: Vec::new(),
            verdicts: Vec::new(),
            notices: Vec::new(),
            text: Vec::new(),
            by_address: HashTable::new(),
            hasher: hashbrown::DefaultHashBuilder::default(),
        }
    }
}

impl Life {
    /// Begins anew with the line that opened the queue file, or the first one seen of it.
    pub(super) fn begin(&mut self, line: Line, id: QueueId, opener: Opener) {
        self.clear();
        self.host = line.host;
        self.id = id;
        self.opener = opener;
        self.opened = line.at;
        self.last = line.at;
        self.place = line.place;
    }

    /// Forgets everything but its room, field by field: moving all of a life costs more than writing a small one.
    pub(super) fn clear(&mut self) {
        self.id = QueueId::new(b"");
        self.long_id = None;
        self.opener = Opener::Unseen;
        self.sender = None;
        self.null_sender = false;
        self.from_loopback = false;
        self.message_id = None;
        self.size = None;
        self.announced = None;
        self.end = End::Open;
        self.gone = false;
        self.held = false;
        self.lost = false;
        self.probe = false;
        self.copies = 0;
        self.recipients.clear();
        self.decisions.clear();
        self.verdicts.clear();
        self.notices.clear();
        self.text.clear();
        self.by_address.clear();
    }

    /// Keeps some text.
    pub(super) fn keep(&mut self, text: &[u8]) -> Span {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text);
        Span { start, end: self.text.len() as u32 }
    }

    /// Text that was kept.
    pub(super) fn text(&self, span: Span) -> &[u8] {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The message id as logged; empty if the log says there is none.
    pub(super) fn message_id(&self) -> Option<&[u8]> {
        self.message_id.map(|span| self.text(span))
    }

    /// Whether some recipient has this address, now or before it was rewritten.
    pub(super) fn names(&self, address: &[u8]) -> bool {
        self.recipients.iter().any(|a| self.text(a.address) == address || a.orig.is_some_and(|o| self.text(o) == address))
    }

    /// The decision that ended it, if one did.
    pub(super) fn final_decision(&self) -> Option<Decision> {
        self.decisions.iter().rev().find(|d| matches!(d.action, Action::Reject | Action::TempReject | Action::Discard)).copied()
    }

    /// Whether it is a notice on its way back, made by the host itself or handed over by another one: neither a message of an account
    /// nor part of one. What a filter gave back may be part of anything.
    pub(super) fn is_notice(&self) -> bool {
        self.is_returning() && self.end == End::Removed && self.decisions.is_empty() && self.notices.is_empty()
    }

    /// Whether it is a notice on its way back that came to nobody.
    pub(super) fn is_lost_notice(&self) -> bool {
        let refused = || !self.recipients.is_empty() && self.recipients.iter().all(|r| r.status == Status::Bounced);
        self.is_returning() && (self.end == End::Expired || (self.end == End::Removed && refused()))
    }

    fn is_returning(&self) -> bool {
        let unauthenticated = match self.opener {
            Opener::Internal => true,
            Opener::Client { user, orig_queue_id, .. } => user.is_none() && orig_queue_id.is_none() && !self.from_loopback,
            Opener::Unseen | Opener::Pickup { .. } => false,
        };
        unauthenticated && self.null_sender
    }

    /// Takes in a decision about the whole message.
    pub(super) fn decide(&mut self, decision: Decision, sender: Option<Text>, client: Option<(Text, Text)>) {
        if let Some(sender) = sender {
            self.sender.get_or_insert(sender);
        }
        if let (Opener::Unseen | Opener::Internal, Some((address, name))) = (self.opener, client) {
            self.opener = Opener::Client { address, name, user: None, orig_queue_id: None };
        }
        self.held |= decision.action == Action::Hold;
        self.decisions.push(decision);
    }

    /// Takes in a decision that was logged before the queue id was known.
    pub(super) fn decided_early(&mut self, decision: Decision) {
        // The queue manager takes up a held message only after its release.
        self.held |= decision.action == Action::Hold && self.announced.is_none();
        self.decisions.insert(0, decision);
    }

    /// Takes in the word on a recipient; addresses in lower case.
    pub(super) fn attempted(&mut self, word: Attempted, address: &[u8], orig: Option<&[u8]>) {
        let known = self.recipient(address).and_then(|at| self.recipients.get(at).map(|known| (at, *known)));
        match known {
            // local(8) can do both for one address: put it into the mailbox and forward it under another queue id.
            Some((_, known)) if goes_two_ways(&known, &word) => self.append(word, address, orig),
            Some((at, known)) => {
                self.copies += u32::from(known.orig.map(|o| self.text(o)) != orig);
                let latest = if known.is_settled() { known } else { Attempted { address: known.address, orig: known.orig, ..word } };
                if let Some(room) = self.recipients.get_mut(at) {
                    *room = Attempted { attempts: known.attempts + 1, ..latest };
                }
            }
            None => self.append(word, address, orig),
        }
    }

    fn recipient(&self, address: &[u8]) -> Option<usize> {
        if self.recipients.len() <= WALK_MAX {
            return self.recipients.iter().position(|known| self.text(known.address) == address);
        }
        let same = |&at: &u32| self.recipients.get(at as usize).is_some_and(|known| self.text(known.address) == address);
        self.by_address.find(self.hasher.hash_one(address), same).map(|&at| at as usize)
    }

    fn append(&mut self, word: Attempted, address: &[u8], orig: Option<&[u8]>) {
        let word = Attempted { address: self.keep(address), orig: orig.map(|o| self.keep(o)), ..word };
        self.recipients.push(word);
        match self.recipients.len() {
            count if count == WALK_MAX + 1 => self.index_recipients(),
            count if count > WALK_MAX => self.enter(count - 1),
            _ => {}
        }
    }

    /// Makes recipients findable by their address, if there are many.
    pub(super) fn index_recipients(&mut self) {
        if self.recipients.len() > WALK_MAX {
            (0..self.recipients.len()).for_each(|at| self.enter(at));
        }
    }

    fn enter(&mut self, at: usize) {
        let (recipients, text, hasher) = (&self.recipients, &self.text, &self.hasher);
        let bytes = |at: usize| {
            let span = recipients.get(at).map_or(Span::default(), |r| r.address);
            text.get(span.start as usize..span.end as usize).unwrap_or_default()
        };
        let hash = hasher.hash_one(bytes(at));
        self.by_address.insert_unique(hash, at as u32, |&other| hasher.hash_one(bytes(other as usize)));
    }
}

fn goes_two_ways(known: &Attempted, word: &Attempted) -> bool {
    let local = |a: &Attempted| a.program == Program::Local && a.status == Status::Sent;
    local(known) && local(word) && known.next_id != word.next_id
}
