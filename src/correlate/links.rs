//! From queue file to queue file: filters, forwards, requeues and hops between our own hosts, so that one message stays one.

use super::lives::{Attempted, End, Lives, Opener};
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::formats::event::{Program, Status};
use hashbrown::HashMap;

/// No life.
pub(super) const NONE: u32 = u32::MAX;

/// How long a handed-over queue file may be older than the line that reports the hand-over: the time a filter took.
const HANDOVER_BEFORE: i64 = 10 * MINUTE;

/// How much later its first line may stand: daemons of one host write in any order, clocks of two hosts differ.
const HANDOVER_AFTER: i64 = 5 * MINUTE;

/// Two stamps this close are one piece of agreement.
const CLOSE: i64 = 10 * SECOND;

/// Programs that put mail into a mailbox; what another program does with it may come back as a new message.
const DELIVERY_PROGRAMS: [&[u8]; 6] = [b"dovecot", b"maildrop", b"procmail", b"cyrus", b"virtual", b"local"];

/// The graph of lives.
pub(super) struct Links {
    /// For each attempted recipient, the life that carries it on.
    pub(super) onward: Vec<u32>,
    /// For each life, whether another one led to it.
    pub(super) has_parent: Vec<bool>,
    /// For each requeued life, the life that continues it.
    pub(super) continued: HashMap<u32, u32>,
    /// For each verdict of a filter that passed mail on under another queue id (by its line), the life that carries it on.
    pub(super) released: HashMap<Place, u32>,
}

/// Finds which life leads to which.
pub(super) fn link(all: &Lives, texts: &TextPool) -> Links {
    let index = Index::new(all);
    let mut links = Links {
        onward: vec![NONE; all.attempted.len()],
        has_parent: vec![false; all.lives.len()],
        continued: HashMap::new(),
        released: HashMap::new(),
    };
    for number in 0..all.lives.len() as u32 {
        for at in all.recipient_numbers(number) {
            let attempted = &all.attempted[at as usize];
            let onward = if attempted.status == Status::Sent { index.onward(all, texts, number, attempted) } else { None };
            if let Some(child) = onward {
                links.onward[at as usize] = child;
                links.has_parent[child as usize] = true;
            }
        }
        if let Opener::Pickup { orig_id: Some(old) } = all.lives[number as usize].opener
            && let Some(parent) = index.requeued(all, number, old)
        {
            links.continued.insert(parent, number);
            links.has_parent[number as usize] = true;
        }
    }
    for (&life, verdicts) in &all.verdicts {
        for verdict in verdicts.iter().filter(|v| v.passed) {
            if let Some(child) = verdict.queued_as.and_then(|id| index.released(all, life, id, verdict.at)) {
                links.released.insert(verdict.place, child);
                links.has_parent[child as usize] = true;
            }
        }
    }
    links
}

/// Lives by queue id, and pickups by message id.
struct Index {
    by_id: Vec<(Text, u32)>,
    pickups: HashMap<(Text, Text), Vec<u32>>,
}

impl Index {
    fn new(all: &Lives) -> Index {
        let mut by_id: Vec<(Text, u32)> = all.lives.iter().enumerate().map(|(i, life)| (life.id, i as u32)).collect();
        by_id.sort_unstable();
        let mut pickups: HashMap<(Text, Text), Vec<u32>> = HashMap::new();
        for (i, life) in all.lives.iter().enumerate() {
            if let (Opener::Pickup { orig_id: None }, Some(message_id)) = (life.opener, life.message_id) {
                pickups.entry((life.host, message_id)).or_default().push(i as u32);
            }
        }
        Index { by_id, pickups }
    }

    fn named(&self, id: Text) -> impl Iterator<Item = u32> {
        let from = self.by_id.partition_point(|(known, _)| *known < id);
        self.by_id[from..].iter().take_while(move |(known, _)| *known == id).map(|(_, life)| *life)
    }

    /// The life a successful delivery leads to.
    fn onward(&self, all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted) -> Option<u32> {
        match attempted.next_id {
            Some(id) => self
                .named(id)
                .filter(|&child| child != parent)
                .map(|child| (agreement(all, texts, parent, attempted, child), child))
                .filter(|(facts, _)| *facts >= 2)
                .max_by_key(|(facts, child)| (*facts, std::cmp::Reverse(*child)))
                .map(|(_, child)| child),
            None if attempted.program == Program::Pipe => self.reinjected(all, texts, parent, attempted),
            None => None,
        }
    }

    /// A pipe to a program that gives the message back through `sendmail`: same host, same message id, right after.
    fn reinjected(&self, all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted) -> Option<u32> {
        let life = &all.lives[parent as usize];
        if DELIVERY_PROGRAMS.contains(&texts.bytes(attempted.relay)) {
            return None;
        }
        let message_id = life.message_id.filter(|m| texts.bytes(*m).len() > 2)?;
        let candidates = self.pickups.get(&(life.host, message_id))?;
        candidates.iter().copied().find(|&child| {
            let opened = all.lives[child as usize].opened;
            child != parent && opened >= life.opened && opened.since(attempted.at).abs() <= MINUTE
        })
    }

    fn released(&self, all: &Lives, filter: u32, id: Text, at: Timestamp) -> Option<u32> {
        let host = all.lives[filter as usize].host;
        self.named(id).find(|&child| {
            let life = &all.lives[child as usize];
            child != filter && life.host == host && life.opened.since(at).abs() <= HANDOVER_BEFORE
        })
    }

    fn requeued(&self, all: &Lives, child: u32, old: Text) -> Option<u32> {
        let new = &all.lives[child as usize];
        self.named(old)
            .filter(|&parent| {
                let life = &all.lives[parent as usize];
                parent != child && life.host == new.host && life.end == End::Requeued && new.opened.since(life.last) >= -MINUTE
            })
            .max_by_key(|&parent| all.lives[parent as usize].last)
    }
}

/// Counts the facts that speak for `child` being what `attempted` was handed to. Two are enough: an id alone can be chance.
fn agreement(all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted, child: u32) -> u32 {
    let (from, to) = (&all.lives[parent as usize], &all.lives[child as usize]);
    let lag = to.opened.since(attempted.at);
    let names_parent = matches!(to.opener, Opener::Client { orig_queue_id: Some(orig), .. } if orig == from.id);
    if names_parent {
        return 5;
    }
    if !(-HANDOVER_BEFORE..=HANDOVER_AFTER).contains(&lag) {
        return 0;
    }
    let says_something = |text: Text| texts.bytes(text).len() > 2;
    let mut facts = 0;
    match (from.message_id, to.message_id) {
        (Some(a), Some(b)) if a == b && says_something(a) => facts += 2,
        (Some(a), Some(b)) if says_something(a) && says_something(b) => return 0,
        _ => {}
    }
    facts += u32::from(lag.abs() <= CLOSE);
    facts += u32::from(from.sender.is_some() && from.sender == to.sender);
    facts += u32::from(matches!(to.opener, Opener::Client { .. } | Opener::Internal));
    facts
}
