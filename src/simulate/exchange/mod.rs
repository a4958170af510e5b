//! Exchange on the own premises: one server with the mailboxes, and in some stories a second one that talks to the internet.
//!
//! Accounts submit by SMTP through the front end, or write in Outlook or its web form; the organisation's own filter is a transport
//! rule, so that what it blocks comes back to the sender as a notice.

mod columns;
mod delivery;
mod desk;
mod mailbox;
mod outside;
mod probes;
mod replies;
mod server;
mod session;
mod text;
mod tracking;
mod transport;
mod web;
mod wire;

#[cfg(test)]
mod tests;

use super::SimulateError;
use super::cast::{Address, Cast};
use super::happenings::{Attempt, Change, Changed, Door, Handed, Letter, Login, MailSystem, Opened, Reading, Stage, Topic, Visit};
use super::random::{Random, mix};
use super::request::{Hosts, Request};
use super::truth::HostTotals;
use super::world::Event;
use crate::domain::time::{MINUTE, Zone};
use server::{Place, Server};
use session::Session;
use text::guid;
use transport::Mail;

/// The server with the mailboxes.
const MAILBOX: usize = 0;

const PLACES: [Place; 2] = [
    Place { short: "ex1", name: "EX1", fqdn: "EX1.dept.u.example", ip: "192.0.2.25" },
    Place { short: "ex2", name: "EX2", fqdn: "EX2.dept.u.example", ip: "192.0.2.2" },
];

/// The connector by which servers of the organisation hand messages to each other and to their own mailboxes.
const HUB_CONNECTOR: &str = "Intra-Organization SMTP Send Connector";
/// The connector out into the world.
const BORDER_CONNECTOR: &str = "Outbound to Internet";

type Scene = Stage<Later>;

/// What the servers come back to.
pub(super) enum Later {
    /// A message in a queue.
    Mail(Box<Mail>),
    /// The next round of health tests.
    Probe,
}

/// By what somebody reads and writes mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Outlook,
    Web,
    /// A program with IMAP or POP, and SMTP.
    Internet,
}

/// What the servers know of a person.
struct Owner {
    mailbox: String,
    program: Program,
    /// Whether the web logs show the short name with the domain's.
    short_name: bool,
}

/// The servers of the story.
pub(super) struct Exchange {
    servers: Vec<Server>,
    /// Chance of the servers' own; the story's is left as it is.
    random: Random,
    zone: Zone,
    owners: Vec<Owner>,
    /// Sessions with the mailbox protocols, and messages that the store announced.
    visits: u64,
    noted: u64,
}

impl Exchange {
    pub(super) fn new(request: &Request, hosts: Hosts, span: (i64, i64)) -> Exchange {
        let places = if hosts == Hosts::Two { &PLACES[..] } else { &PLACES[..1] };
        Exchange {
            servers: places.iter().map(|place| Server::new(place, &request.layout, span, &request.out)).collect(),
            random: Random::new(mix(request.seed)),
            zone: request.zone,
            owners: Vec::new(),
            visits: 0,
            noted: 0,
        }
    }

    fn two(&self) -> bool {
        self.servers.len() > 1
    }

    /// The server that talks to the internet.
    fn border(&self) -> usize {
        self.servers.len() - 1
    }

    fn program(&self, person: usize) -> Program {
        self.owners.get(person).map_or(Program::Internet, |owner| owner.program)
    }
}

impl MailSystem for Exchange {
    type Session = Session;
    type Later = Later;

    /// Everybody logs in by the full address.
    fn begin(&mut self, stage: &mut Scene, at: i64) {
        for person in 0..stage.cast.people.len() {
            stage.cast.spell_out(person);
            let program = match self.random.below(10) {
                _ if stage.cast.people[person].pop => Program::Internet,
                0..4 => Program::Internet,
                4..8 => Program::Outlook,
                _ => Program::Web,
            };
            let mailbox = guid(&mut self.random);
            self.owners.push(Owner { mailbox, program, short_name: self.random.chance(330) });
        }
        stage.plan(at + 2 * MINUTE, Event::Later(Later::Probe));
    }

    fn connect(&mut self, stage: &mut Scene, at: i64, visit: Visit) -> Opened<Session> {
        self.open(stage, at, visit)
    }

    fn submit(&mut self, stage: &mut Scene, session: &mut Session, at: i64, letter: Letter, limited: bool) -> Handed {
        self.hand_in(stage, session, at, letter, limited)
    }

    fn disconnect(&mut self, _: &mut Scene, session: Session, at: i64) {
        self.close(session, at);
    }

    fn send(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        match self.program(person) {
            Program::Internet => self.submit_alone(stage, at, person, client, letter),
            Program::Outlook => {
                self.poll(stage, at, person, client, 1);
                self.submit_to_store(stage, at, person, client, "MOMT", letter);
            }
            Program::Web => self.submit_to_store(stage, at, person, client, "OWA", letter),
        }
    }

    fn receive(&mut self, stage: &mut Scene, at: i64, client: usize, letter: Letter) {
        self.take_from_outside(stage, at, client, letter);
    }

    /// Owners read by what they use; attackers by IMAP, and the third account of an incident in a browser.
    fn read(&mut self, stage: &mut Scene, at: i64, reading: Reading) -> Login {
        match (reading.taken, self.program(reading.person)) {
            (Some(2), _) | (None, Program::Web) => self.read_by_web(stage, at, &reading),
            (None, Program::Outlook) => {
                self.poll(stage, at, reading.person, reading.client, 1 + reading.seen.min(4) as i64);
                Login::new(at, "other")
            }
            _ => self.read_mailbox(stage, at, &reading),
        }
    }

    fn fail_login(&mut self, stage: &mut Scene, at: i64, attempt: Attempt<'_>) {
        let typist = stage
            .cast
            .people
            .iter()
            .position(|person| person.login == attempt.name && (person.campus == attempt.client || person.home == attempt.client));
        match (attempt.door, typist) {
            (Door::Smtp, _) => self.guess(stage, at, attempt),
            (Door::Imap, Some(person)) if self.program(person) != Program::Internet => self.fail_web(stage, at, person, attempt.client),
            (Door::Imap, _) => self.fail_imap(stage, at, attempt),
        }
    }

    fn scan(&mut self, stage: &mut Scene, at: i64, client: usize) {
        self.look(stage, at, client);
    }

    fn refuse_spam(&mut self, stage: &mut Scene, at: i64, client: usize, person: usize) {
        self.turn_away(stage, at, client, person);
    }

    fn change(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize, change: Change) -> Option<Changed> {
        self.change_by_panel(stage, at, person, client, change)
    }

    fn resume(&mut self, stage: &mut Scene, at: i64, later: Later) {
        match later {
            Later::Mail(mail) => self.route(stage, *mail, at),
            Later::Probe => self.probe(stage, at),
        }
    }

    fn give_up(&mut self, stage: &mut Scene, later: Later) {
        if let Later::Mail(mail) = later {
            self.close_open(stage, *mail);
        }
    }

    fn flush(&mut self, until: i64) -> bool {
        let mut handed_over = false;
        for server in &mut self.servers {
            handed_over |= server.flush(until);
        }
        handed_over
    }

    fn bytes(&self) -> u64 {
        self.servers.iter().map(Server::bytes).sum()
    }

    fn failed(&self) -> bool {
        self.servers.iter().any(Server::failed)
    }

    fn finish(self, end: i64) -> Result<Vec<HostTotals>, SimulateError> {
        let finish = |server: Server| {
            let host = server.place.short;
            let (lines, bytes) = server.finish(end)?;
            Ok(HostTotals { host, lines, bytes })
        };
        self.servers.into_iter().map(finish).collect()
    }
}

/// An address as text.
fn address(cast: &Cast, address: Address) -> String {
    let mut out = Vec::with_capacity(40);
    cast.put(&mut out, address);
    String::from_utf8(out).unwrap_or_default()
}

/// The subject line of a message.
fn subject(topic: Topic, random: &mut Random) -> String {
    const EVERYDAY: [&str; 8] = [
        "Minutes, third meeting",
        "Re: your visit",
        "\"Spring\" programme, draft 2",
        "打ち合わせの件",
        "Question about the report",
        "Fwd: schedule",
        "Re: Re: budget; final version",
        "ご連絡",
    ];
    match topic {
        Topic::Everyday => (*random.pick(&EVERYDAY)).to_owned(),
        Topic::Lure(number) => match number % 5 {
            0 => "【重要】メールボックスの容量".to_owned(),
            1 => "Your mailbox will be suspended today".to_owned(),
            _ => format!("Mailbox storage limit reached [Ticket#{number:05}]"),
        },
    }
}
