//! An SMTP session of a client: connection, TLS, login, messages taken and refused, and the counters it ends with.

use super::cast::Address;
use super::envelope::Program;
use super::host::QueueId;
use super::life::{Life, Recipient, Sender};
use super::put::Put;
use super::replies::{FILTER_REPLY, put_subject};
use super::tally::Fates;
use super::world::World;

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
pub(super) struct Session {
    pub(super) host: usize,
    pub(super) program: Program,
    pub(super) pid: u32,
    pub(super) client: usize,
    /// Who logged in; nobody on port 25.
    pub(super) person: Option<usize>,
    /// The campaign whose messages these are, and how many are left in this session.
    pub(super) campaign: usize,
    pub(super) left: u64,
    /// A fixed pause between its messages.
    pub(super) pause: Option<i64>,
    /// Whether a policy service refuses its recipients.
    pub(super) limited: bool,
    ehlo: Count,
    starttls: Count,
    auth: Count,
    mail: Count,
    rcpt: Count,
    data: Count,
    rset: Count,
    quit: Count,
}

/// A message as it is handed in.
pub(super) struct Letter {
    pub(super) sender: Sender,
    pub(super) recipients: Vec<Recipient>,
    pub(super) size: u32,
    /// The domain in the message id the mail program made.
    pub(super) message_id_host: String,
    pub(super) taken: Option<usize>,
}

/// Why the server refuses a message within the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A policy service, before the recipient is taken.
    RateLimit,
    /// `header_checks`, by the subject line of this number.
    Header(u32),
    /// A filter, at the end of the message.
    Milter,
}

/// How long after a message arrives the line that says so is written; the truth gives the second of that line.
pub(super) const LOGGED: i64 = 150;

/// What a mail program's session needs before its first message, in microseconds.
pub(super) const PREAMBLE: i64 = 400_000;

impl World {
    /// Opens a session [`PREAMBLE`] before its first message.
    pub(super) fn connect(&mut self, at: i64, host: usize, client: usize, program: Program, tls: bool, person: Option<usize>) -> Session {
        let pid = self.hosts[host].process(program, at, i64::MAX);
        let label = &self.cast.clients[client].label;
        self.hosts[host].line(at, program, pid).text("connect from ").text(label);
        if tls {
            let body = self.hosts[host].line(at + self.random.range(40_000, 120_000), program, pid);
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
            campaign: 0,
            left: 0,
            pause: None,
            limited: false,
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

    /// The server takes a message; returns when it said so.
    pub(super) fn take(&mut self, session: &mut Session, born: i64, letter: Letter) -> i64 {
        session.mail.add(true);
        for _ in &letter.recipients {
            session.rcpt.add(true);
        }
        session.data.add(true);
        let id = self.put_client(session, born);
        let told = born + self.random.range(8_000, 80_000);
        let active = told + self.random.range(2_000, 60_000);
        let message_id = self.message_id(&letter.message_id_host);
        self.put_message_id(session.host, &id, &message_id, told, active);
        let life = Life {
            host: session.host,
            id,
            arrival: born,
            sender: letter.sender,
            size: letter.size,
            message_id,
            announced: letter.recipients.len() as u64,
            open: letter.recipients,
            tries: 0,
            taken: letter.taken,
            fates: Fates::default(),
            earlier: Fates::default(),
        };
        self.run_queue(life, active);
        active
    }

    /// The server refuses a message; returns when it said so.
    pub(super) fn refuse(&mut self, session: &mut Session, born: i64, to: Address, refusal: Refusal) -> i64 {
        session.mail.add(true);
        session.rcpt.add(refusal != Refusal::RateLimit);
        if refusal == Refusal::RateLimit {
            session.rset.add(true);
            self.put_rate_limit(session, born + LOGGED, to);
            return born + 1_000;
        }
        session.data.add(false);
        let id = self.put_client(session, born);
        let at = born + self.random.range(8_000, 80_000);
        if refusal == Refusal::Milter {
            let message_id = self.message_id("mailer.example");
            self.put_message_id(session.host, &id, &message_id, at - 4_000, at);
        }
        let cleanup = self.hosts[session.host].process(Program::Cleanup, at, at + 500);
        let body = self.hosts[session.host].queue_line(at, Program::Cleanup, cleanup, &id);
        let client = &self.cast.clients[session.client];
        match refusal {
            Refusal::Header(subject) => {
                put_subject(body.text("reject: header Subject: "), subject);
                body.text(" from ").text(&client.label).text("; from=<");
            }
            _ => {
                body.text("milter-reject: END-OF-MESSAGE from ").text(&client.label);
                body.text(": 5.7.1 Spam message rejected; from=<");
            }
        }
        if let Some(person) = session.person {
            self.cast.put(body, Address::Person(person));
        }
        body.text("> to=<");
        self.cast.put(body, to);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
        if refusal != Refusal::Milter {
            body.text(": ").text(FILTER_REPLY);
        }
        self.hosts[session.host].remove(&id, at + 500);
        at + 700
    }

    fn put_rate_limit(&mut self, session: &Session, at: i64, to: Address) {
        let client = &self.cast.clients[session.client];
        let body = self.hosts[session.host].line(at, session.program, session.pid);
        body.text("NOQUEUE: reject: RCPT from ").text(&client.label).text(": 554 5.7.1 <");
        self.cast.put(body, to);
        body.text(">: Recipient address rejected: rate limit exceeded for ");
        if let Some(person) = session.person {
            body.text(&self.cast.people[person].login).text("; from=<");
            self.cast.put(body, Address::Person(person));
        }
        self.cast.put(body.text("> to=<"), to);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
    }

    /// Makes a queue file and says whose it is.
    fn put_client(&mut self, session: &Session, born: i64) -> QueueId {
        let id = self.hosts[session.host].create(born);
        let body = self.hosts[session.host].queue_line(born + LOGGED, session.program, session.pid, &id);
        body.text("client=").text(&self.cast.clients[session.client].label);
        if let Some(person) = session.person.map(|person| &self.cast.people[person]) {
            body.text(", sasl_method=").text(person.method).text(", sasl_username=").text(&person.login);
        }
        id
    }

    fn message_id(&mut self, host: &str) -> Vec<u8> {
        let number = self.random.next();
        let mut id = Vec::with_capacity(48);
        id.hex(number & 0xffff_ffff, 8).text(".").hex((number >> 32) & 0xff_ffff, 6).make_ascii_lowercase();
        id.text("@").text(host);
        id
    }

    /// Ends a session.
    pub(super) fn disconnect(&mut self, session: &Session, at: i64) {
        let host = &mut self.hosts[session.host];
        let body = host.line(at, session.program, session.pid);
        body.text("disconnect from ").text(&self.cast.clients[session.client].label);
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
    pub(super) fn send_alone(&mut self, at: i64, host: usize, client: usize, person: Option<usize>, letter: Letter) {
        let (program, tls) = match person {
            None => (Program::Smtpd, self.random.chance(600)),
            Some(person) if self.cast.people[person].smtps => (Program::Smtps, true),
            Some(_) => (Program::Submission, true),
        };
        let mut session = self.connect(at, host, client, program, tls, person);
        let done = self.take(&mut session, at + PREAMBLE, letter);
        self.disconnect(&session, done + 3_000);
    }
}
