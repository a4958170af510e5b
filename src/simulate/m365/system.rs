//! How the story's people use the tenant: which program they read and write with, from where, and what the service records of it.

use super::acts::{Act, Actor, Extent};
use super::directory::SERVICE_DOMAIN;
use super::export::Export;
use super::guid::{Guid, Kind};
use super::message::{Copy, End, Message, Way};
use super::post::{Posted, Transport, lure_of, message_id_of, subject_of};
use super::sign_in::{Code, Door, Who};
use super::tenant::{Phone, Tenant};
use crate::domain::time::{DAY, MINUTE, SECOND};
use crate::simulate::SimulateError;
use crate::simulate::cast::{Address, Cast, HOME_DOMAIN};
use crate::simulate::happenings::{
    self, Attempt, Change, Changed, Handed, Letter, Login, MailSystem, Opened, Reading, Sender, Stage, Topic, Visit,
};
use crate::simulate::random::{Random, mix};
use crate::simulate::request::{Forms, Request};
use crate::simulate::tally::Book;
use crate::simulate::truth::HostTotals;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// Microsoft 365 as the story's mail system.
pub(in crate::simulate) struct Cloud {
    tenant: Tenant,
    seed: u64,
    random: Random,
    forms: Forms,
    span: (i64, i64),
    logs: PathBuf,
    /// Messages of an account that the service has refused for their content; with so many the account may not send any more.
    refused: BTreeMap<usize, u64>,
    patience: u64,
    /// Guesses at passwords of accounts so far, and the account that a policy kept although the guess was right.
    guesses: u64,
    kept: Option<usize>,
    /// Messages of mailboxes that were read so far, by which items are numbered.
    read: u64,
}

/// Somebody who has logged in by SMTP.
#[derive(Debug)]
pub(in crate::simulate) struct Session {
    person: usize,
    client: usize,
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
        }
    }

    /// The story's people become the tenant's accounts, and go by their full addresses.
    pub(in crate::simulate) fn enrol<L>(&mut self, scene: &mut Stage<L>) {
        for person in 0..scene.cast.people.len() {
            scene.cast.spell_out(person);
        }
        let addresses: Vec<String> = scene.cast.people.iter().map(|person| person.address.clone()).collect();
        self.tenant = Tenant::new(mix(self.seed), &addresses);
    }

    /// A mailbox is looked into: by Outlook at work, by a browser or the phone elsewhere, by POP where mail is kept at home, and by IMAP
    /// if it is an attacker.
    pub(in crate::simulate) fn look_into<L>(&mut self, scene: &Stage<L>, at: i64, reading: Reading) -> Login {
        let Reading { person, client, .. } = reading;
        let from = address(&scene.cast, client);
        if reading.taken.is_some() {
            let login = self.log_in(&scene.cast, at, person, client, Door::Imap);
            let session = Guid::of(at as u64, Kind::Session, person as u64);
            self.read_messages(at + 15 * SECOND, Actor { account: person, from, door: Door::Imap, session }, reading.read);
            return login;
        }
        if reading.pop {
            return self.log_in(&scene.cast, at, person, client, Door::Pop);
        }
        let door = match () {
            () if client == scene.cast.people[person].campus && self.random.chance(930) => Door::Outlook,
            () if self.random.chance(300) => Door::Phone,
            () => Door::Browser,
        };
        if door == Door::Browser {
            let taken = scene.book.incident.iter().flat_map(|incident| &incident.accounts).any(|taken| taken.person == person);
            let phone = match person % 3 {
                // A call that is not answered looks like an attack, so those whom the story is about answer it.
                1 if !taken && self.random.chance(40) => Phone::UsedAtTheSecondCall,
                1 => Phone::Used,
                _ => Phone::NotUsed,
            };
            let session = self.tenant.browse(at, person, from, door, phone);
            self.read_messages(at + 20 * SECOND, Actor { account: person, from, door, session }, 1 + reading.read);
            return Login { at, protocol: "browser" };
        }
        let session = self.tenant.refresh(at, person, from, door);
        if self.random.chance(250) {
            self.tenant.read(at + 2 * SECOND, Actor { account: person, from, door, session }, Extent::Folder);
        }
        Login { at, protocol: "modern" }
    }

    /// Wrong passwords, a few seconds apart.
    pub(in crate::simulate) fn refuse_login<L>(&mut self, scene: &mut Stage<L>, at: i64, attempt: Attempt<'_>) {
        let from = address(&scene.cast, attempt.client);
        let people = &scene.cast.people;
        let account = people.iter().position(|person| person.login == attempt.name || person.address == attempt.name);
        let at_work = account.is_some_and(|account| [people[account].campus, people[account].home].contains(&attempt.client));
        for number in 0..attempt.times as i64 {
            let at = at + number * 2 * SECOND;
            match account {
                // An owner, in front of a window that asks.
                Some(account) if at_work => self.tenant.mistype(at, account, from, Door::Browser),
                _ => {
                    let (who, code) = match account {
                        Some(account) => (Who::Account(account), self.refusal(&mut scene.book, at, account, attempt.name)),
                        None => (Who::Nobody(typed(attempt.name)), Code::NoSuchUser),
                    };
                    let door = if attempt.door == happenings::Door::Smtp { Door::SmtpAuth } else { Door::Imap };
                    self.tenant.legacy(at, who, from, door, code);
                }
            }
        }
    }

    /// An account's settings are changed by an attacker, in a browser.
    pub(in crate::simulate) fn alter<L>(&mut self, scene: &Stage<L>, at: i64, account: usize, client: usize, change: Change) -> Changed {
        let from = address(&scene.cast, client);
        let door = if change == Change::SecondFactor { Door::SecurityInfo } else { Door::Browser };
        let session = self.tenant.browse(at - MINUTE, account, from, door, Phone::NotUsed);
        let by = Actor { account, from, door, session };
        match change {
            Change::DeletingRule => self.tenant.record(at, Act::Rule { by, name: "." }),
            Change::Forwarding(contact) => {
                let to = text_of(&scene.cast, Address::Contact(contact));
                self.tenant.record(at, Act::Forward { by, to });
            }
            Change::SecondFactor => {
                self.tenant.record(at, Act::UserUpdated { by });
                self.tenant.record(at, Act::SecurityInfo { by });
            }
        }
        Changed { at, login: Some(Login { at: at - MINUTE, protocol: "browser" }) }
    }

    /// Why a guess at an account's password does not open it. Of the names of a spray, one has the password that was guessed and is kept
    /// by a policy.
    fn refusal(&mut self, book: &mut Book, at: i64, account: usize, name: &str) -> Code {
        let Some(incident) = &mut book.incident else { return Code::BadPassword };
        self.guesses += 1;
        let spared = incident.accounts.iter().all(|taken| taken.person != account);
        if self.guesses > 12 && spared && *self.kept.get_or_insert(account) == account {
            incident.passwords_known.insert(name.to_owned());
            return Code::BlockedByPolicy;
        }
        match at % 13 {
            // The service knows some of the guessers' addresses, and then does not look at the password.
            5 => Code::MaliciousAddress,
            7 => Code::Locked,
            _ => Code::BadPassword,
        }
    }

    fn read_messages(&mut self, at: i64, by: Actor, count: u64) {
        self.tenant.read(at, by, Extent::Messages { first: self.read, count });
        self.read += count;
    }

    fn log_in(&mut self, cast: &Cast, at: i64, person: usize, client: usize, door: Door) -> Login {
        self.tenant.legacy(at, Who::Account(person), address(cast, client), door, Code::Success);
        let protocol = match door {
            Door::SmtpAuth => "smtp-auth",
            Door::Pop => "pop3",
            _ => "imap",
        };
        Login { at, protocol }
    }

    /// Hands a message over to the transport, and counts it.
    fn post(&mut self, scene: &mut Scene, at: i64, letter: &Letter, way: Way, client: Option<IpAddr>, names: Names) {
        let restricted = match letter.sender {
            Sender::Person(person) => self.refused.get(&person).is_some_and(|refused| *refused >= self.patience),
            _ => false,
        };
        let posted = Posted {
            at,
            sender: names.sender,
            recipients: &letter.recipients,
            subject: names.subject,
            message_id: names.message_id,
            size: u64::from(letter.size),
            way,
            client,
            restricted,
        };
        let mut transport = Transport { tenant: &mut self.tenant, cast: &scene.cast, random: &mut self.random, end: self.span.1 };
        let settled = transport.post(posted);
        let Sender::Person(person) = letter.sender else { return };
        if settled.fates.own > 0 {
            let refused = self.refused.entry(person).or_default();
            *refused += 1;
            if *refused == self.patience {
                self.tenant.record(at + MINUTE, Act::Restricted { account: person });
            }
        }
        scene.count(person, letter.taken, &settled.fates);
        if let Some(at) = settled.notice {
            scene.count_notice(letter.taken, at);
        }
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
        let Visit { person, client, .. } = visit;
        let login = self.log_in(&scene.cast, at, person, client, Door::SmtpAuth);
        Opened { session: Session { person, client }, login: Some(login) }
    }

    fn submit(&mut self, scene: &mut Scene, session: &mut Session, at: i64, letter: Letter, _limited: bool) -> Handed {
        let from = address(&scene.cast, session.client);
        debug_assert_eq!(letter.sender, Sender::Person(session.person));
        let names = self.names(&scene.cast, &letter);
        self.post(scene, at, &letter, Way::SmtpAuth, Some(from), names);
        Handed { done: at + ANSWERED, logged: at, proof: None }
    }

    fn disconnect(&mut self, _scene: &mut Scene, _session: Session, _at: i64) {}

    fn send(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        let owner = &scene.cast.people[person];
        let (campus, keeps_mail_at_home) = (client == owner.campus, owner.pop && client == owner.home);
        let mut names = self.names(&scene.cast, &letter);
        let from = address(&scene.cast, client);
        if keeps_mail_at_home {
            self.log_in(&scene.cast, at - SECOND, person, client, Door::SmtpAuth);
            return self.post(scene, at, &letter, Way::SmtpAuth, Some(from), names);
        }
        names.message_id = format!("{}@TYAPR01MB2103.{SERVICE_DOMAIN}", message_id_of(self.random.next()));
        let door = if campus { Door::Outlook } else { Door::Browser };
        let session = Guid::of(person as u64, Kind::Session, client as u64);
        let by = Actor { account: person, from, door, session };
        let (subject, message_id) = (names.subject.clone(), names.message_id.clone());
        self.tenant.record(at, Act::Send { by, subject, message_id, size: u64::from(letter.size) });
        self.post(scene, at, &letter, Way::Submitted, None, names);
    }

    fn receive(&mut self, scene: &mut Scene, at: i64, client: usize, letter: Letter) {
        let names = self.names(&scene.cast, &letter);
        let from = address(&scene.cast, client);
        self.post(scene, at, &letter, Way::Inbound, Some(from), names);
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
        scene.book.inbound_refused += 1;
        let number = self.random.next();
        let end = if number % 3 == 0 { End::Junk } else { End::Quarantined };
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

fn address(cast: &Cast, client: usize) -> IpAddr {
    cast.clients[client].ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn text_of(cast: &Cast, address: Address) -> String {
    let mut text = Vec::new();
    cast.put(&mut text, address);
    String::from_utf8_lossy(&text).into_owned()
}

/// A name as it was typed, with a domain, without which nobody signs in.
fn typed(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{HOME_DOMAIN}") }
}
