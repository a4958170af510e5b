//! An SMTP session of a client: connection, TLS, login, messages taken and refused, and the counters it ends with.

use super::envelope::Program;
use super::host::QueueId;
use super::life::Life;
use super::replies::{FILTER_REPLY, put_subject};
use super::{DEPT, Postfix, Scene};
use crate::simulate::cast::Address;
use crate::simulate::happenings::{Fate, Handed, Letter, Login, Topic};
use crate::simulate::put::Put;
use crate::simulate::tally::Fates;
use crate::simulate::world::PREAMBLE;

/// Counters of one command: all, and those that went well.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    ok: u64,
}

impl Count {
    fn add(&mut self, ok: bool) {
        self.all += 1;
        self.ok += u64::from(ok);
    }

    fn put(self, out: &mut Vec<u8>, name: &str) {
        if self.all > 0 {
            out.text(" ").text(name).text("=").number(self.ok);
            if self.ok < self.all {
                out.text("/").number(self.all);
            }
        }
    }
}

/// An open session.
#[derive(Clone, Debug)]
pub(in crate::simulate) struct Session {
    host: usize,
    program: Program,
    pid: u32,
    client: usize,
    /// Who logged in; nobody on port 25.
    person: Option<usize>,
    ehlo: Count,
    starttls: Count,
    auth: Count,
    mail: Count,
    rcpt: Count,
    data: Count,
    rset: Count,
    quit: Count,
}

/// Who connects, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guest {
    pub(super) client: usize,
    pub(super) program: Program,
    pub(super) tls: bool,
    /// Who logs in; nobody on port 25.
    pub(super) person: Option<usize>,
}

/// Why the server refuses a message within the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// A policy service, before the recipient is taken.
    RateLimit,
    /// `header_checks`, by the subject line.
    Header,
    /// A filter, at the end of the message.
    Milter,
}

/// How long after a message arrives the line that says so is written; the truth gives the second of that line.
const LOGGED: i64 = 150;

impl Postfix {
    /// Opens a session [`PREAMBLE`] before its first message.
    pub(super) fn open(&mut self, stage: &mut Scene, at: i64, host: usize, guest: Guest) -> Session {
        let Guest { client, program, tls, person } = guest;
        let pid = self.hosts[host].process(program, at, i64::MAX);
        let label = &stage.cast.clients[client].label;
        self.hosts[host].line(at, program, pid).text("connect from ").text(label);
        if tls {
            let body = self.hosts[host].line(at + stage.random.range(40_000, 120_000), program, pid);
            body.text("Anonymous TLS connection established from ").text(label);
            body.text(": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS");
            body.text(" (2048 bits) server-digest SHA256");
        }
        let starttls = tls && program != Program::Smtps;
        let once = Count { all: 1, ok: 1 };
        let twice = Count { all: 2, ok: 2 };
        Session {
            host,
            program,
            pid,
            client,
            person,
            ehlo: if starttls { twice } else { once },
            starttls: if starttls { once } else { Count::default() },
            auth: if person.is_some() { once } else { Count::default() },
            mail: Count::default(),
            rcpt: Count::default(),
            data: Count::default(),
            rset: Count::default(),
            quit: once,
        }
    }

    /// A message is handed in; it is taken, or refused by the department's own server where that does the blocking.
    pub(super) fn hand_in(&mut self, stage: &mut Scene, session: &mut Session, at: i64, letter: Letter, limited: bool) -> Handed {
        let logged = at + LOGGED;
        let proof = Some(Login::new(logged, "smtp-auth"));
        let blocked = letter.recipients.first().filter(|r| r.fate == Fate::OwnFilter && !self.two()).copied();
        let Some(victim) = blocked else {
            return Handed { done: self.take(stage, session, at, letter), logged, proof };
        };
        let refusal = match letter.topic {
            _ if limited => Refusal::RateLimit,
            Topic::Lure(1..) if stage.random.chance(250) => Refusal::Milter,
            _ => Refusal::Header,
        };
        if let Some(person) = session.person {
            stage.count(person, letter.taken, &Fates::blocked_by_own(1));
        }
        let done = self.refuse(stage, session, at, victim.to, refusal, letter.topic);
        Handed { done, logged, proof: proof.filter(|_| refusal != Refusal::RateLimit) }
    }

    /// The server takes a message; returns when it said so.
    fn take(&mut self, stage: &mut Scene, session: &mut Session, born: i64, letter: Letter) -> i64 {
        self.take_as(stage, session, born, letter, None, Fates::default())
    }

    /// The server takes a message that has an id already, and of which `earlier` became of other recipients; returns when it said so.
    pub(super) fn take_as(
        &mut self,
        stage: &mut Scene,
        session: &mut Session,
        born: i64,
        letter: Letter,
        given_id: Option<Vec<u8>>,
        earlier: Fates,
    ) -> i64 {
        session.mail.add(true);
        for _ in &letter.recipients {
            session.rcpt.add(true);
        }
        session.data.add(true);
        let id = self.put_client(stage, session, born);
        let told = born + stage.random.range(8_000, 80_000);
        let active = told + stage.random.range(2_000, 60_000);
        let message_id = given_id.unwrap_or_else(|| message_id(stage, &letter.message_id_host));
        self.put_message_id(session.host, &id, &message_id, told, active);
        let life = Life {
            host: session.host,
            id,
            arrival: born,
            sender: letter.sender,
            topic: letter.topic,
            size: letter.size,
            message_id,
            announced: letter.recipients.len() as u64,
            open: letter.recipients,
            tries: 0,
            taken: letter.taken,
            fates: Fates::default(),
            earlier,
        };
        self.run_queue(stage, life, active);
        active
    }

    /// The server refuses a message; returns when it said so.
    fn refuse(&mut self, stage: &mut Scene, session: &mut Session, born: i64, to: Address, refusal: Refusal, topic: Topic) -> i64 {
        session.mail.add(true);
        session.rcpt.add(refusal != Refusal::RateLimit);
        if refusal == Refusal::RateLimit {
            session.rset.add(true);
            self.put_rate_limit(stage, session, born + LOGGED, to);
            return born + 1_000;
        }
        session.data.add(false);
        let id = self.put_client(stage, session, born);
        let at = born + stage.random.range(8_000, 80_000);
        if refusal == Refusal::Milter {
            let message_id = message_id(stage, "mailer.example");
            self.put_message_id(session.host, &id, &message_id, at - 4_000, at);
        }
        let cleanup = self.hosts[session.host].process(Program::Cleanup, at, at + 500);
        let body = self.hosts[session.host].queue_line(at, Program::Cleanup, cleanup, &id);
        let client = &stage.cast.clients[session.client];
        match refusal {
            Refusal::Header => {
                put_subject(body.text("reject: header Subject: "), topic);
                body.text(" from ").text(&client.label).text("; from=<");
            }
            _ => {
                body.text("milter-reject: END-OF-MESSAGE from ").text(&client.label);
                body.text(": 5.7.1 Spam message rejected; from=<");
            }
        }
        if let Some(person) = session.person {
            stage.cast.put(body, Address::Person(person));
        }
        body.text("> to=<");
        stage.cast.put(body, to);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
        if refusal != Refusal::Milter {
            body.text(": ").text(FILTER_REPLY);
        }
        self.hosts[session.host].remove(&id, at + 500);
        at + 700
    }

    fn put_rate_limit(&mut self, stage: &Scene, session: &Session, at: i64, to: Address) {
        let client = &stage.cast.clients[session.client];
        let body = self.hosts[session.host].line(at, session.program, session.pid);
        body.text("NOQUEUE: reject: RCPT from ").text(&client.label).text(": 554 5.7.1 <");
        stage.cast.put(body, to);
        body.text(">: Recipient address rejected: rate limit exceeded for ");
        if let Some(person) = session.person {
            body.text(&stage.cast.people[person].login).text("; from=<");
            stage.cast.put(body, Address::Person(person));
        }
        stage.cast.put(body.text("> to=<"), to);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
    }

    /// Makes a queue file and says whose it is.
    fn put_client(&mut self, stage: &Scene, session: &Session, born: i64) -> QueueId {
        let id = self.hosts[session.host].create(born);
        let body = self.hosts[session.host].queue_line(born + LOGGED, session.program, session.pid, &id);
        body.text("client=").text(&stage.cast.clients[session.client].label);
        if let Some(person) = session.person.map(|person| &stage.cast.people[person]) {
            body.text(", sasl_method=").text(person.method).text(", sasl_username=").text(&person.login);
        }
        id
    }

    /// Ends a session.
    pub(super) fn close(&mut self, stage: &Scene, session: &Session, at: i64) {
        let host = &mut self.hosts[session.host];
        let body = host.line(at, session.program, session.pid);
        body.text("disconnect from ").text(&stage.cast.clients[session.client].label);
        let commands = [
            (session.ehlo, "ehlo"),
            (session.starttls, "starttls"),
            (session.auth, "auth"),
            (session.mail, "mail"),
            (session.rcpt, "rcpt"),
            (session.data, "data"),
            (session.rset, "rset"),
            (session.quit, "quit"),
        ];
        let mut sum = Count::default();
        for (count, name) in commands {
            count.put(body, name);
            sum.all += count.all;
            sum.ok += count.ok;
        }
        sum.put(body, "commands");
        host.release(session.program, session.pid, at);
    }

    /// Sends one message in a session of its own: port 25 from outside, or a mail program's submission.
    pub(super) fn send_alone(&mut self, stage: &mut Scene, at: i64, client: usize, person: Option<usize>, letter: Letter) {
        let (program, tls) = match person {
            None => (Program::Smtpd, stage.random.chance(600)),
            Some(person) if stage.cast.people[person].smtps => (Program::Smtps, true),
            Some(_) => (Program::Submission, true),
        };
        let host = if person.is_some() { DEPT } else { self.border() };
        let mut session = self.open(stage, at, host, Guest { client, program, tls, person });
        let done = self.take(stage, &mut session, at + PREAMBLE, letter);
        self.close(stage, &session, done + 3_000);
    }
}

fn message_id(stage: &mut Scene, host: &str) -> Vec<u8> {
    let number = stage.random.next();
    let mut id = Vec::with_capacity(48);
    id.hex(number & 0xffff_ffff, 8).text(".").hex((number >> 32) & 0xff_ffff, 6).make_ascii_lowercase();
    id.text("@").text(host);
    id
}
