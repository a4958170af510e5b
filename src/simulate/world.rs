//! The running of a story: an agenda of coming events, the servers that log them, and the book that counts them.
//!
//! Events come in the order of time; each writes lines at its own time or later, so that everything before the next event can go to
//! the log, and memory holds only what is still open.

use super::SimulateError;
use super::campaign::Campaign;
use super::cast::Cast;
use super::envelope::Program;
use super::host::Host;
use super::life::Life;
use super::noise::{Noise, add_clients as add_noise};
use super::put::Put;
use super::random::Random;
use super::session::Session;
use super::tally::Book;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The department's server, where the accounts are.
pub(super) const DEPT: usize = 0;
/// The organisation's core server, in stories with two.
pub(super) const CORE: usize = 1;

/// Something that happens at a time.
pub(super) enum Event {
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
    /// The queue manager tries a message again.
    Retry(Box<Life>),
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

struct Entry {
    at: i64,
    sequence: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    /// The earliest entry is the greatest, as the heap gives the greatest first.
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
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

pub(super) struct World {
    pub(super) hosts: Vec<Host>,
    pub(super) cast: Cast,
    pub(super) random: Random,
    pub(super) book: Book,
    pub(super) campaigns: Vec<Campaign>,
    pub(super) sprays: Vec<Spray>,
    pub(super) sessions: Vec<Option<Session>>,
    pub(super) free_sessions: Vec<usize>,
    /// The first of the mail servers of outside domains among the clients, in the order of the domains.
    pub(super) servers: usize,
    /// The first and the number of the noise makers among the clients.
    pub(super) noise_clients: (usize, usize),
    /// Somebody who does not write until a time.
    pub(super) silent_until: Option<(usize, i64)>,
    /// How much ordinary traffic there is, 1000 for the usual.
    pub(super) bustle: u64,
    /// How much of the internet's noise, 1000 for the usual.
    pub(super) noise: u64,
    /// How long the queue manager tries a message.
    pub(super) lifetime: i64,
    /// Where the evidence ends.
    pub(super) end: i64,
    agenda: BinaryHeap<Entry>,
    sequence: u64,
}

impl World {
    pub(super) fn new(hosts: Vec<Host>, mut cast: Cast, mut random: Random, end: i64) -> World {
        let book = Book::new(cast.people.len());
        let servers = cast.add_servers();
        let noise_clients = add_noise(&mut cast, &mut random);
        World {
            hosts,
            cast,
            random,
            book,
            campaigns: Vec::new(),
            sprays: Vec::new(),
            sessions: Vec::new(),
            free_sessions: Vec::new(),
            servers,
            noise_clients,
            silent_until: None,
            bustle: 1000,
            noise: 1000,
            lifetime: 5 * crate::domain::time::DAY,
            end,
            agenda: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Whether outside mail goes through the core server.
    pub(super) fn two(&self) -> bool {
        self.hosts.len() > 1
    }

    /// The server that talks to the internet.
    pub(super) fn border(&self) -> usize {
        self.hosts.len() - 1
    }

    pub(super) fn plan(&mut self, at: i64, event: Event) {
        self.sequence += 1;
        self.agenda.push(Entry { at, sequence: self.sequence, event });
    }

    /// Runs the story to its end; what is still in a queue then is counted as deferred.
    pub(super) fn run(&mut self, watch: &mut dyn FnMut(u64)) -> Result<(), SimulateError> {
        while let Some(Entry { at, event, .. }) = self.agenda.pop() {
            if at >= self.end - World::LAST_CALL {
                if let Event::Retry(life) = event {
                    self.close_open(&life);
                }
                continue;
            }
            let mut handed_over = false;
            for host in &mut self.hosts {
                handed_over |= host.flush(at);
            }
            if handed_over {
                watch(self.hosts.iter().map(Host::bytes).sum());
            }
            if handed_over && self.hosts.iter().any(Host::failed) {
                // The writer's error comes out when the hosts are finished.
                return Ok(());
            }
            self.happen(at, event);
        }
        Ok(())
    }

    /// The servers start, as the first lines of their logs say.
    pub(super) fn begin_logs(&mut self, at: i64) {
        for (number, host) in self.hosts.iter_mut().enumerate() {
            let at = at + 2_300_000 + number as i64 * 1_700_000;
            let first = host.qmgr - 4;
            if number == DEPT {
                let text = "master: Dovecot v2.3.19.1 (9b53102964) starting up for imap, pop3, lmtp (core dumps disabled)";
                host.line(at - 400_000, Program::Dovecot, 0).text(text);
            }
            host.line(at, Program::Script, first).text("starting the Postfix mail system");
            let text = "daemon started -- version 3.7.11, configuration /etc/postfix";
            host.line(at + 12_000, Program::Master, first + 2).text(text);
        }
    }

    fn happen(&mut self, at: i64, event: Event) {
        match event {
            Event::Day => self.plan_day(at),
            Event::Read { person, client, pop } => self.read_mail(at, person, client, pop),
            Event::Typo { person, client } => self.mistype(at, person, client),
            Event::Write { person, client } => self.write_mail(at, person, client),
            Event::Slip { person } => self.write_to_nobody(at, person),
            Event::Inbound { contact, person } => self.receive(at, contact, person),
            Event::Noise(noise) => self.make_noise(at, noise),
            Event::Campaign { number, last } => self.begin_session(at, number, last),
            Event::Strike(session) => self.strike(at, session),
            Event::Mailing(mailing) => self.mail_list(at, mailing),
            Event::Spray(number) => self.spray(at, number),
            Event::Intrude { taken, client } => self.intrude(at, taken, client),
            Event::Retry(life) => self.run_queue(*life, at),
        }
    }
}
