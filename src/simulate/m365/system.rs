//! Microsoft 365 as the story's mail system: what is handed in, what comes from outside, and the export at the end.

use super::acts::{Act, Actor};
use super::directory::SERVICE_DOMAIN;
use super::export::Export;
use super::guid::{Guid, Kind};
use super::message::{Copy, End, Message, Server, Way};
use super::post::{Posted, Transport, lure_of, message_id_of, subject_of};
use super::sign_in::Door;
use super::tenant::Tenant;
use crate::domain::time::{DAY, MINUTE, SECOND};
use crate::simulate::SimulateError;
use crate::simulate::cast::{Address, Cast};
use crate::simulate::happenings::{
    Attempt, Change, Changed, Handed, Letter, Login, MailSystem, Opened, Reading, Recipient, Sender, Stage, Topic, Visit,
};
use crate::simulate::random::{Random, mix};
use crate::simulate::request::{AuditForm, Forms, Request};
use crate::simulate::tally::Fates;
use crate::simulate::truth::HostTotals;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Microsoft 365 as the story's mail system.
pub(in crate::simulate) struct Cloud {
    pub(super) tenant: Tenant,
    pub(super) seed: u64,
    pub(super) random: Random,
    forms: Forms,
    span: (i64, i64),
    logs: PathBuf,
    /// Messages of an account that the service has refused for their content; with so many the account may not send any more.
    refused: BTreeMap<usize, u64>,
    patience: u64,
    /// Guesses at passwords of accounts so far, and the account that a policy kept although the guess was right.
    pub(super) guesses: u64,
    pub(super) kept: Option<usize>,
    /// Messages of mailboxes that were read so far, by which items are numbered.
    pub(super) read: u64,
    /// The server of the organisation through which mail leaves, if not by the service's own.
    relay: Option<Server>,
}

/// Somebody who has logged in by SMTP.
#[derive(Debug)]
pub(in crate::simulate) struct Session {
    client: usize,
}

/// A message that a server of the organisation carries on with.
#[derive(Debug)]
pub(in crate::simulate) struct Onward {
    pub(in crate::simulate) at: i64,
    pub(in crate::simulate) recipients: Vec<Recipient>,
    pub(in crate::simulate) message_id: String,
    /// What became of the other recipients.
    pub(in crate::simulate) fates: Fates,
}

/// How a message comes in, and from where.
#[derive(Clone, Copy)]
struct Source {
    way: Way,
    client: Option<IpAddr>,
}

/// What the service comes back to: nothing, since it carries each message to its end at once.
#[derive(Debug)]
pub(in crate::simulate) enum Never {}

type Scene = Stage<Never>;

/// How long after its arrival a message gets its last word of the server.
const ANSWERED: i64 = 40_000;
/// Refusals until the service keeps an account of a story in its known size from sending.
const PATIENCE: f64 = 96.0;

impl Cloud {
    pub(in crate::simulate) fn new(request: &Request, span: (i64, i64)) -> Cloud {
        Cloud {
            // Its people come when the story begins.
            tenant: Tenant::new(0, &[]),
            seed: request.seed,
            // Chance of its own, so that the story goes alike whatever the system.
            random: Random::new(mix(request.seed ^ 0x365)),
            forms: request.forms,
            span,
            logs: request.out.join("logs"),
            refused: BTreeMap::new(),
            patience: (PATIENCE * request.scale) as u64 + 8,
            guesses: 0,
            kept: None,
            read: 0,
            relay: None,
        }
    }

    /// Lets mail to the outside leave through a server of the organisation.
    pub(in crate::simulate) fn relaying_through(self, name: &str, ip: &str) -> Cloud {
        Cloud { relay: Some(Server { name: name.to_owned(), ip: ip.to_owned() }), ..self }
    }

    /// Hands a message over to the transport, and counts it unless a server of the organisation carries on with it.
    fn post<L>(&mut self, scene: &mut Stage<L>, at: i64, letter: &Letter, source: Source, names: Names) -> Option<Onward> {
        let restricted = match letter.sender {
            Sender::Person(person) => self.refused.get(&person).is_some_and(|refused| *refused >= self.patience),
            _ => false,
        };
        let message_id = names.message_id.clone();
        let posted = Posted {
            at,
            sender: names.sender,
            recipients: &letter.recipients,
            subject: names.subject,
            message_id: names.message_id,
            size: u64::from(letter.size),
            way: source.way,
            client: source.client,
            restricted,
            relay: self.relay.as_ref(),
        };
        let mut transport = Transport { tenant: &mut self.tenant, cast: &scene.cast, random: &mut self.random, end: self.span.1 };
        let settled = transport.post(posted);
        let Sender::Person(person) = letter.sender else { return None };
        if settled.fates.own > 0 {
            let refused = self.refused.entry(person).or_default();
            *refused += 1;
            if *refused == self.patience {
                self.tenant.record(at + MINUTE, Act::Restricted { account: person });
                if let (Some(taken), Some(incident)) = (letter.taken.filter(|_| self.is_audited()), &mut scene.book.incident) {
                    incident.changes.push((at + MINUTE, taken, Change::Restricted));
                }
            }
        }
        if let Some(at) = settled.notice {
            scene.count_notice(letter.taken, at);
        }
        if settled.onward.is_empty() {
            scene.count(person, letter.taken, &settled.fates);
            return None;
        }
        Some(Onward { at: at + 2 * SECOND, recipients: settled.onward, message_id, fates: settled.fates })
    }

    /// Whether somebody has exported the audit log.
    fn is_audited(&self) -> bool {
        self.forms.audit != AuditForm::None
    }

    /// A program logs in to send.
    pub(in crate::simulate) fn let_in<L>(&mut self, scene: &Stage<L>, at: i64, visit: Visit) -> Opened<Session> {
        let Visit { person, client, .. } = visit;
        let login = self.log_in(&scene.cast, at, person, client, Door::SmtpAuth);
        Opened { session: Session { client }, login: Some(login) }
    }

    /// A message is handed in by SMTP.
    pub(in crate::simulate) fn take<L>(
        &mut self,
        scene: &mut Stage<L>,
        session: &Session,
        at: i64,
        letter: &Letter,
    ) -> (Handed, Option<Onward>) {
        let from = address(&scene.cast, session.client);
        let names = self.names(&scene.cast, letter);
        let onward = self.post(scene, at, letter, Source { way: Way::SmtpAuth, client: Some(from) }, names);
        (Handed { done: at + ANSWERED, logged: at, proof: None }, onward)
    }

    /// Somebody writes: with Outlook at work, in a browser elsewhere, or by SMTP where mail is kept at home.
    pub(in crate::simulate) fn write<L>(
        &mut self,
        scene: &mut Stage<L>,
        at: i64,
        person: usize,
        client: usize,
        letter: &Letter,
    ) -> Option<Onward> {
        let owner = &scene.cast.people[person];
        let (campus, keeps_mail_at_home) = (client == owner.campus, owner.pop && client == owner.home);
        let mut names = self.names(&scene.cast, letter);
        let from = address(&scene.cast, client);
        if keeps_mail_at_home {
            self.log_in(&scene.cast, at - SECOND, person, client, Door::SmtpAuth);
            return self.post(scene, at, letter, Source { way: Way::SmtpAuth, client: Some(from) }, names);
        }
        names.message_id = format!("{}@TYAPR01MB2103.{SERVICE_DOMAIN}", message_id_of(self.random.next()));
        let door = if campus { Door::Outlook } else { Door::Browser };
        let session = Guid::of(person as u64, Kind::Session, client as u64);
        let by = Actor { account: person, from, door, session };
        let (subject, message_id) = (names.subject.clone(), names.message_id.clone());
        self.tenant.record(at, Act::Send { by, subject, message_id, size: u64::from(letter.size) });
        self.post(scene, at, letter, Source { way: Way::Submitted, client: None }, names)
    }

    /// A message comes from outside.
    pub(in crate::simulate) fn bring<L>(&mut self, scene: &mut Stage<L>, at: i64, client: usize, letter: &Letter) {
        let names = self.names(&scene.cast, letter);
        let from = address(&scene.cast, client);
        self.post(scene, at, letter, Source { way: Way::Inbound, client: Some(from) }, names);
    }

    /// A server of the organisation returns a notice to one of its people.
    pub(in crate::simulate) fn bring_back<L>(&mut self, scene: &Stage<L>, at: i64, person: usize, message_id: &str, from: &str) {
        let id = self.tenant.next_message();
        let to = scene.cast.people[person].address.clone();
        self.tenant.keep(Message {
            at,
            id,
            message_id: message_id.to_owned(),
            sender: "<>".to_owned(),
            subject: "Undelivered Mail Returned to Sender".to_owned(),
            size: 5_200,
            way: Way::Inbound,
            client: from.parse().ok(),
            about: None,
            copies: vec![Copy { to, end: End::Delivered, settled: at + SECOND, deferrals: Vec::new() }],
        });
    }

    /// Spam for somebody, which the service keeps away from the inbox.
    pub(in crate::simulate) fn turn_away<L>(&mut self, scene: &mut Stage<L>, at: i64, client: usize, person: usize) {
        scene.book.inbound_refused += 1;
        let number = self.random.next();
        let end = if number.is_multiple_of(3) { End::Junk } else { End::Quarantined };
        let to = scene.cast.people[person].address.clone();
        let sender = format!("offer{}@firm-{}.example", number % 100_000, number % 180);
        let id = self.tenant.next_message();
        self.tenant.keep(Message {
            at,
            id,
            message_id: format!("{number:016x}@firm-{}.example", number % 180),
            sender,
            subject: "Only today, only for you".to_owned(),
            size: 3_000 + number % 9_000,
            way: Way::Inbound,
            client: Some(address(&scene.cast, client)),
            about: None,
            copies: vec![Copy { to, end, settled: at + SECOND, deferrals: Vec::new() }],
        });
    }

    /// The names a message goes by when a program of the sender's own makes its id.
    fn names(&mut self, cast: &Cast, letter: &Letter) -> Names {
        let number = self.random.next();
        let sender = match letter.sender {
            Sender::Person(person) => cast.people[person].address.clone(),
            Sender::Contact(contact) => text_of(cast, Address::Contact(contact)),
            Sender::Notice => String::new(),
        };
        let subject = match letter.topic {
            Topic::Everyday => subject_of(number),
            Topic::Lure(lure) => lure_of(u64::from(lure)),
        };
        let message_id = format!("{:08x}.{:06x}@{}", number >> 32, number & 0xff_ffff, letter.message_id_host);
        Names { sender, subject, message_id }
    }
}

/// What a message goes by.
struct Names {
    sender: String,
    subject: String,
    message_id: String,
}

impl MailSystem for Cloud {
    type Session = Session;
    type Later = Never;

    fn begin(&mut self, scene: &mut Scene, _at: i64) {
        // The service gives up after a day, whatever an organisation's own servers do.
        scene.lifetime = DAY;
        self.enrol(scene);
    }

    fn connect(&mut self, scene: &mut Scene, at: i64, visit: Visit) -> Opened<Session> {
        self.let_in(scene, at, visit)
    }

    fn submit(&mut self, scene: &mut Scene, session: &mut Session, at: i64, letter: Letter, _limited: bool) -> Handed {
        self.take(scene, session, at, &letter).0
    }

    fn disconnect(&mut self, _scene: &mut Scene, _session: Session, _at: i64) {}

    fn send(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        self.write(scene, at, person, client, &letter);
    }

    fn receive(&mut self, scene: &mut Scene, at: i64, client: usize, letter: Letter) {
        self.bring(scene, at, client, &letter);
    }

    fn read(&mut self, scene: &mut Scene, at: i64, reading: Reading) -> Login {
        self.look_into(scene, at, reading)
    }

    fn fail_login(&mut self, scene: &mut Scene, at: i64, attempt: Attempt<'_>) {
        self.refuse_login(scene, at, attempt);
    }

    fn change(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, change: Change) -> Option<Changed> {
        Some(self.alter(scene, at, person, client, change))
    }

    /// The service shows nothing of it to the tenant.
    fn scan(&mut self, _scene: &mut Scene, _at: i64, _client: usize) {}

    fn refuse_spam(&mut self, scene: &mut Scene, at: i64, client: usize, person: usize) {
        self.turn_away(scene, at, client, person);
    }

    fn resume(&mut self, _scene: &mut Scene, _at: i64, later: Never) {
        match later {}
    }

    fn give_up(&mut self, _scene: &mut Scene, later: Never) {
        match later {}
    }

    fn flush(&mut self, _until: i64) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn failed(&self) -> bool {
        false
    }

    fn finish(self, _end: i64) -> Result<Vec<HostTotals>, SimulateError> {
        let mut export = Export::new(self.logs, self.span.1);
        self.tenant.export(self.forms, self.span, &mut export);
        export.finish()
    }
}

/// The address of a client.
pub(super) fn address(cast: &Cast, client: usize) -> IpAddr {
    cast.clients[client].ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// A mail address as text.
pub(super) fn text_of(cast: &Cast, address: Address) -> String {
    let mut text = Vec::new();
    cast.put(&mut text, address);
    String::from_utf8_lossy(&text).into_owned()
}
