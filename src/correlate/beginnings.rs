//! Which lives begin messages, and which accounts use which envelope senders: what is to be known before messages are settled.

use super::life::{Life, Opener};
use super::links::Links;
use super::session_words::SessionWord;
use super::settle::{self, HostLogs};
use super::splits::{Piece, Seeker};
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::Timestamp;
use hashbrown::HashMap;
use rayon::prelude::*;
use std::num::NonZeroU32;

/// A life that begins a message, by the order in which messages are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    pub(super) opened: Timestamp,
    pub(super) place: Place,
    pub(super) number: u32,
}

/// What a look at the lives of one shard gives.
#[derive(Default)]
pub(super) struct Seen {
    /// Those that begin a message if no other life led to them, with the number of the use of a sender that they are.
    roots: Vec<(Root, Option<NonZeroU32>)>,
    /// The different uses of envelope senders, and the number of each, from 1.
    uses: Vec<Used>,
    numbers: HashMap<Used, NonZeroU32>,
    /// Their recipients.
    recipients: usize,
    /// Notices, probes, and what clients broke off.
    others: Vec<u32>,
    /// Lives that may be pieces of messages.
    pieces: Vec<Piece>,
    /// Whether clients are hosts of ours without a log.
    silent: HashMap<(Text, Text), bool>,
}

impl Seen {
    /// The lives that may be pieces of messages. They can be asked for once.
    pub(super) fn take_pieces(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pieces)
    }

    fn number(&mut self, used: Used) -> NonZeroU32 {
        *self.numbers.entry(used).or_insert_with(|| {
            self.uses.push(used);
            NonZeroU32::MIN.saturating_add(self.uses.len() as u32 - 1)
        })
    }
}

/// That an account used an envelope sender.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Used {
    sender: Text,
    account: Text,
}

/// Looks at lives for messages that begin with them.
pub(super) struct Beginnings<'a> {
    pub(super) texts: &'a TextPool,
    pub(super) words: &'a HashMap<u32, SessionWord>,
    pub(super) names: &'a HashMap<Text, Text>,
    pub(super) logs: HostLogs<'a>,
    pub(super) seeker: Seeker<'a>,
    pub(super) empty: Text,
}

impl Beginnings<'_> {
    pub(super) fn look(&self, seen: &mut Seen, number: u32, life: &Life) {
        if !settle::begins_message(self.texts, self.words.get(&number), life) {
            seen.others.push(number);
            return;
        }
        let account = match life.opener {
            Opener::Client { user: Some(user), .. } => self.names.get(&user).copied(),
            _ => None,
        };
        let sender = life.sender.unwrap_or(self.empty);
        let used =
            account.filter(|_| !self.logs.cut_off(self.words.get(&number), life)).map(|account| seen.number(Used { sender, account }));
        seen.recipients += life.recipients.len();
        seen.pieces.extend(self.seeker.piece(number, life, &mut seen.silent));
        seen.roots.push((Root { opened: life.opened, place: life.place, number }, used));
    }
}

/// The lives that begin messages, and what is to be known before they are settled.
#[derive(Default)]
pub(super) struct Begun {
    pub(super) roots: Vec<Root>,
    /// No fewer recipients than they have.
    pub(super) recipients: usize,
    /// Lives that belong to no message.
    pub(super) others: Vec<u32>,
    /// Envelope senders with the accounts that used them; `None` where several did.
    senders: HashMap<Text, Option<Text>>,
}

impl Begun {
    pub(super) fn new(seen: Vec<Seen>, links: &Links) -> Begun {
        let mut begun = Begun::default();
        for Seen { roots, uses, recipients, others, .. } in seen {
            begun.recipients += recipients;
            begun.others.extend(others.into_iter().filter(|other| !links.has_parent(*other)));
            for (root, used) in roots.into_iter().filter(|(root, _)| !links.has_parent(root.number)) {
                begun.roots.push(root);
                if let Some(&Used { sender, account }) = used.and_then(|n| uses.get(n.get() as usize - 1)) {
                    let known = begun.senders.entry(sender).or_insert(Some(account));
                    *known = known.filter(|k| *k == account);
                }
            }
        }
        begun.roots.par_sort_unstable();
        begun
    }

    /// Envelope senders that one account alone used.
    pub(super) fn accounts(&self) -> HashMap<Text, Text> {
        self.senders.iter().filter_map(|(sender, account)| Some((*sender, (*account)?))).collect()
    }
}
