//! The running of a story: an agenda of coming events, the system that logs them, and what of the story is still open.
//!
//! Events come in the order of time; each writes lines at its own time or later, so that everything before the next event can go to
//! the log, and memory holds only what is still open.

use super::SimulateError;
use super::campaign::{Campaign, Raid};
use super::cast::Cast;
use super::happenings::{Change, MailSystem, Stage};
use super::noise::{Noise, add_clients as add_noise};
use super::random::Random;
use super::tally::Book;
use crate::domain::time::{DAY, MINUTE};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What a mail program's session needs before its first message, in microseconds.
pub(super) const PREAMBLE: i64 = 400_000;

/// How long before the end of the evidence nothing new is begun, so that nothing is cut in the middle of an attempt.
const LAST_CALL: i64 = 2 * MINUTE;

/// Something that happens at a time.
pub(super) enum Event<L> {
    /// A day of ordinary life begins.
    Day,
    /// Somebody reads mail.
    Read {
        person: usize,
        client: usize,
        pop: bool,
    },
    /// Somebody mistypes the password and then gets it right.
    Typo {
        person: usize,
        client: usize,
    },
    /// Somebody writes a message.
    Write {
        person: usize,
        client: usize,
    },
    /// Somebody mistypes an address.
    Slip {
        person: usize,
    },
    /// A message from outside to somebody.
    Inbound {
        contact: u32,
        person: usize,
    },
    Noise(Noise),
    /// The next session of a campaign begins.
    Campaign {
        number: usize,
        last: bool,
    },
    /// The next message of a campaign's open session.
    Strike(usize),
    /// A regular mailing: messages left, recipients each, next number on the list.
    Mailing(Mailing),
    /// A guess at a password, then maybe the right one.
    Spray(usize),
    /// An attacker reads a mailbox.
    Intrude {
        taken: usize,
        client: usize,
    },
    /// An attacker changes an account.
    Change {
        taken: usize,
        client: usize,
        change: Change,
    },
    /// The system comes back to something it put off, such as a message in a queue.
    Later(L),
}

/// What is left of a mailing to a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mailing {
    pub(super) person: usize,
    pub(super) messages: u32,
    pub(super) recipients: u32,
    pub(super) next: u64,
    pub(super) session: Option<usize>,
}

struct Entry<L> {
    at: i64,
    sequence: u64,
    event: Event<L>,
}

impl<L> PartialEq for Entry<L> {
    fn eq(&self, other: &Entry<L>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<L> Eq for Entry<L> {}
impl<L> PartialOrd for Entry<L> {
    fn partial_cmp(&self, other: &Entry<L>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<L> Ord for Entry<L> {
    /// The earliest entry is the greatest, as the heap gives the greatest first.
    fn cmp(&self, other: &Entry<L>) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

/// What is to come, in the order of time and, at one time, in the order in which it was planned.
pub(super) struct Agenda<L> {
    entries: BinaryHeap<Entry<L>>,
    sequence: u64,
}

impl<L> Agenda<L> {
    pub(super) fn add(&mut self, at: i64, event: Event<L>) {
        self.sequence += 1;
        self.entries.push(Entry { at, sequence: self.sequence, event });
    }
}

/// A guess at passwords over a list of names.
pub(super) struct Spray {
    pub(super) clients: Vec<usize>,
    /// Names still to try, the next last.
    pub(super) names: Vec<String>,
    pub(super) gap: i64,
    /// Accounts of the incident that a password fits at the end, the next last.
    pub(super) opens: Vec<usize>,
}

pub(super) struct World<S: MailSystem> {
    pub(super) stage: Stage<S::Later>,
    pub(super) system: S,
    pub(super) campaigns: Vec<Campaign>,
    pub(super) sprays: Vec<Spray>,
    /// Open sessions of campaigns and of mailings; an ended one leaves a free place.
    pub(super) raids: Places<Raid<S::Session>>,
    pub(super) mailings: Places<S::Session>,
    /// The first and the number of the noise makers among the clients.
    pub(super) noise_clients: (usize, usize),
    /// Somebody who does not write until a time.
    pub(super) silent_until: Option<(usize, i64)>,
    /// How much ordinary traffic there is, 1000 for the usual.
    pub(super) bustle: u64,
    /// How much of the internet's noise, 1000 for the usual.
    pub(super) noise: u64,
    /// Where the evidence ends.
    end: i64,
}

impl<S: MailSystem> World<S> {
    pub(super) fn new(system: S, mut cast: Cast, mut random: Random, end: i64) -> World<S> {
        let book = Book::new(cast.people.len());
        let servers = cast.add_servers();
        let noise_clients = add_noise(&mut cast, &mut random);
        let agenda = Agenda { entries: BinaryHeap::new(), sequence: 0 };
        World {
            stage: Stage { cast, random, book, servers, lifetime: 5 * DAY, agenda },
            system,
            campaigns: Vec::new(),
            sprays: Vec::new(),
            raids: Places::default(),
            mailings: Places::default(),
            noise_clients,
            silent_until: None,
            bustle: 1000,
            noise: 1000,
            end,
        }
    }

    pub(super) fn plan(&mut self, at: i64, event: Event<S::Later>) {
        self.stage.plan(at, event);
    }

    /// Runs the story to its end; what is still in a queue then is counted as deferred.
    pub(super) fn run(&mut self, watch: &mut dyn FnMut(u64)) -> Result<(), SimulateError> {
        while let Some(Entry { at, event, .. }) = self.stage.agenda.entries.pop() {
            if at >= self.end - LAST_CALL {
                if let Event::Later(later) = event {
                    self.system.give_up(&mut self.stage, later);
                }
                continue;
            }
            if self.system.flush(at) {
                watch(self.system.bytes());
                if self.system.failed() {
                    // The writer's error comes out when the system is finished.
                    return Ok(());
                }
            }
            self.happen(at, event);
        }
        Ok(())
    }

    fn happen(&mut self, at: i64, event: Event<S::Later>) {
        match event {
            Event::Day => self.plan_day(at),
            Event::Read { person, client, pop } => self.read_mail(at, person, client, pop),
            Event::Typo { person, client } => self.mistype(at, person, client),
            Event::Write { person, client } => self.write_mail(at, person, client),
            Event::Slip { person } => self.write_to_nobody(at, person),
            Event::Inbound { contact, person } => self.receive(at, contact, person),
            Event::Noise(noise) => self.make_noise(at, noise),
            Event::Campaign { number, last } => self.begin_session(at, number, last),
            Event::Strike(raid) => self.strike(at, raid),
            Event::Mailing(mailing) => self.mail_list(at, mailing),
            Event::Spray(number) => self.spray(at, number),
            Event::Intrude { taken, client } => self.intrude(at, taken, client),
            Event::Change { taken, client, change } => self.change(at, taken, client, change),
            Event::Later(later) => self.system.resume(&mut self.stage, at, later),
        }
    }
}

/// Things that are kept until a later event, by number; a number comes again once its thing is taken back.
pub(super) struct Places<T> {
    all: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Places<T> {
    fn default() -> Places<T> {
        Places { all: Vec::new(), free: Vec::new() }
    }
}

impl<T> Places<T> {
    pub(super) fn keep(&mut self, thing: T) -> usize {
        if let Some(free) = self.free.pop() {
            self.all[free] = Some(thing);
            return free;
        }
        self.all.push(Some(thing));
        self.all.len() - 1
    }

    pub(super) fn take(&mut self, number: usize) -> Option<T> {
        let thing = self.all.get_mut(number).and_then(Option::take)?;
        self.free.push(number);
        Some(thing)
    }
}
