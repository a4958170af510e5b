//! Postfix and Dovecot: a department's server, and in some stories the core server of the organisation that it relays through.

mod delivery;
mod envelope;
mod host;
mod life;
mod logins;
mod noise;
mod replies;
mod session;

use super::SimulateError;
use super::happenings::{Attempt, Door, Handed, Letter, Login, MailSystem, Opened, Reading, Stage, Visit};
use super::m365::Onward;
use super::put::Put;
use super::request::{Hosts, Request};
use super::truth::HostTotals;
use envelope::Program;
use host::{Host, Place};
use life::Life;
use session::{Guest, Session};

/// The department's server, where the accounts are.
const DEPT: usize = 0;
/// The organisation's core server, in stories with two.
const CORE: usize = 1;

const PLACES: [Place; 2] = [
    Place { short: "dept", fqdn: "mail.dept.u.example", ip: "192.0.2.25", first_pid: 14_278 },
    Place { short: "core", fqdn: "smtp-out.u.example", ip: "192.0.2.2", first_pid: 24_997 },
];

type Scene = Stage<Box<Life>>;

/// The servers of the story.
pub(super) struct Postfix {
    hosts: Vec<Host>,
    mailboxes: Mailboxes,
    /// Notices handed to the tenant since somebody looked.
    returned: Vec<Returned>,
}

/// Where mail to the story's people goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mailboxes {
    /// Into mailboxes of the department's server.
    Here,
    /// To the organisation's tenant at Microsoft 365.
    Tenant,
}

/// A notice that was handed to the tenant.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) at: i64,
    pub(super) person: usize,
    pub(super) message_id: Vec<u8>,
}

/// The department's server as others see it.
pub(super) const DEPARTMENT: (&str, &str) = (PLACES[DEPT].fqdn, PLACES[DEPT].ip);

impl Postfix {
    pub(super) fn new(request: &Request, hosts: Hosts, span: (i64, i64)) -> Postfix {
        let places = if hosts == Hosts::Two { &PLACES[..] } else { &PLACES[..1] };
        let hosts = places.iter().map(|place| Host::new(place, &request.layout, request.zone, span, &request.out)).collect();
        Postfix { hosts, mailboxes: Mailboxes::Here, returned: Vec::new() }
    }

    /// The organisation's mailboxes are at its tenant.
    pub(super) fn with_mailboxes_at_the_tenant(self) -> Postfix {
        Postfix { mailboxes: Mailboxes::Tenant, ..self }
    }

    /// The tenant hands on what it took from one of its people; `fates` are those of the recipients that it settled itself.
    pub(super) fn carry_on(&mut self, stage: &mut Scene, client: usize, letter: Letter, onward: Onward) {
        let mut session = self.open(stage, onward.at, DEPT, Guest { client, program: Program::Smtpd, tls: true, person: None });
        let letter = Letter { recipients: onward.recipients, ..letter };
        let done = self.take_as(stage, &mut session, onward.at + 300_000, letter, Some(onward.message_id.into_bytes()), onward.fates);
        self.close(stage, &session, done + 3_000);
    }

    /// The notices handed to the tenant since the last time.
    pub(super) fn returned(&mut self) -> Vec<Returned> {
        std::mem::take(&mut self.returned)
    }

    /// Whether outside mail goes through the core server.
    fn two(&self) -> bool {
        self.hosts.len() > 1
    }

    /// The server that talks to the internet.
    fn border(&self) -> usize {
        self.hosts.len() - 1
    }
}

impl MailSystem for Postfix {
    type Session = Session;
    type Later = Box<Life>;

    /// The servers start, as the first lines of their logs say.
    fn begin(&mut self, _: &mut Scene, at: i64) {
        for (number, host) in self.hosts.iter_mut().enumerate() {
            let at = at + 2_300_000 + number as i64 * 1_700_000;
            let first = host.qmgr - 4;
            if number == DEPT && self.mailboxes == Mailboxes::Here {
                let text = "master: Dovecot v2.3.19.1 (9b53102964) starting up for imap, pop3, lmtp (core dumps disabled)";
                host.line(at - 400_000, Program::Dovecot, 0).text(text);
            }
            host.line(at, Program::Script, first).text("starting the Postfix mail system");
            let text = "daemon started -- version 3.7.11, configuration /etc/postfix";
            host.line(at + 12_000, Program::Master, first + 2).text(text);
        }
    }

    fn connect(&mut self, stage: &mut Scene, at: i64, visit: Visit) -> Opened<Session> {
        let guest = Guest { client: visit.client, program: Program::Submission, tls: visit.tls, person: Some(visit.person) };
        let session = self.open(stage, at, DEPT, guest);
        // The line of the first message tells the login.
        Opened { session, login: None }
    }

    fn submit(&mut self, stage: &mut Scene, session: &mut Session, at: i64, letter: Letter, limited: bool) -> Handed {
        self.hand_in(stage, session, at, letter, limited)
    }

    fn disconnect(&mut self, stage: &mut Scene, session: Session, at: i64) {
        self.close(stage, &session, at);
    }

    fn send(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        self.send_alone(stage, at, client, Some(person), letter);
    }

    fn receive(&mut self, stage: &mut Scene, at: i64, client: usize, letter: Letter) {
        self.send_alone(stage, at, client, None, letter);
    }

    fn read(&mut self, stage: &mut Scene, at: i64, reading: Reading) -> Login {
        self.open_mailbox(stage, at, &reading)
    }

    fn fail_login(&mut self, stage: &mut Scene, at: i64, attempt: Attempt<'_>) {
        match attempt.door {
            Door::Smtp => self.guess(stage, at, attempt),
            Door::Imap => self.put_failed_login(stage, at, attempt),
        }
    }

    fn scan(&mut self, stage: &mut Scene, at: i64, client: usize) {
        self.look(stage, at, client);
    }

    fn refuse_spam(&mut self, stage: &mut Scene, at: i64, client: usize, person: usize) {
        self.turn_away(stage, at, client, person);
    }

    fn resume(&mut self, stage: &mut Scene, at: i64, later: Box<Life>) {
        self.run_queue(stage, *later, at);
    }

    fn give_up(&mut self, stage: &mut Scene, later: Box<Life>) {
        self.close_open(stage, *later);
    }

    fn flush(&mut self, until: i64) -> bool {
        let mut handed_over = false;
        for host in &mut self.hosts {
            handed_over |= host.flush(until);
        }
        handed_over
    }

    fn bytes(&self) -> u64 {
        self.hosts.iter().map(Host::bytes).sum()
    }

    fn failed(&self) -> bool {
        self.hosts.iter().any(Host::failed)
    }

    fn finish(self, end: i64) -> Result<Vec<HostTotals>, SimulateError> {
        let finish = |(host, place): (Host, &Place)| {
            let (lines, bytes) = host.finish(end)?;
            Ok(HostTotals { host: place.short, lines, bytes })
        };
        self.hosts.into_iter().zip(&PLACES).map(finish).collect()
    }
}
