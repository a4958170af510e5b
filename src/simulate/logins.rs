//! Logins to mailboxes by IMAP and POP, right and wrong, by owners and by those who guess.

use super::envelope::Program;
use super::put::Put;
use super::tally::FirstLogin;
use super::world::{DEPT, Event, World};
use crate::domain::time::{MINUTE, SECOND};

/// How a mailbox is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Imap,
    Pop,
}

impl World {
    /// A login by IMAP or POP and the session that follows.
    pub(super) fn read_mail(&mut self, at: i64, person: usize, client: usize, pop: bool) {
        if pop {
            self.open_pop(at, person, client);
        } else {
            let stay = if self.random.chance(500) { self.random.range(1, 90) * MINUTE } else { self.random.range(1, 20) * SECOND };
            let seen = self.random.below(9);
            self.open_imap(at, person, client, stay, seen, seen / 2);
        }
    }

    fn open_imap(&mut self, at: i64, person: usize, client: usize, stay: i64, seen: u64, read: u64) {
        let (session, pid) = self.put_login(at, Door::Imap, person, client);
        let (input, headers, bodies) = (69 + seen * 31, seen * 812, read * 6_140);
        let body = self.hosts[DEPT].line(at + 40_000 + stay, Program::Dovecot, 0);
        body.text("imap(").text(&self.cast.people[person].login).text(")<").number(u64::from(pid)).text("><").bytes(&session);
        body.text(">: Disconnected: Logged out in=").number(input).text(" out=").number(781 + headers + bodies);
        body.text(" deleted=0 expunged=0 trashed=0 hdr_count=").number(seen).text(" hdr_bytes=").number(headers);
        body.text(" body_count=").number(read).text(" body_bytes=").number(bodies);
    }

    fn open_pop(&mut self, at: i64, person: usize, client: usize) {
        let (session, pid) = self.put_login(at, Door::Pop, person, client);
        let (fetched, kept) = (self.random.below(4), self.random.below(20));
        let body = self.hosts[DEPT].line(at + self.random.range(300_000, 4 * SECOND), Program::Dovecot, 0);
        body.text("pop3(").text(&self.cast.people[person].login).text(")<").number(u64::from(pid)).text("><").bytes(&session);
        body.text(">: Disconnected: Logged out top=0/0, retr=").number(fetched).text("/").number(fetched * 4_310);
        body.text(", del=0/").number(fetched + kept).text(", size=").number((fetched + kept) * 4_310);
    }

    fn put_login(&mut self, at: i64, door: Door, person: usize, client: usize) -> (Vec<u8>, u32) {
        let pid = self.hosts[DEPT].spawn();
        let session = self.session_id(at, client);
        let lip = self.hosts[DEPT].ip;
        let body = self.hosts[DEPT].line(at, Program::Dovecot, 0);
        let person = &self.cast.people[person];
        body.text(if door == Door::Imap { "imap-login" } else { "pop3-login" }).text(": Login: user=<").text(&person.login);
        body.text(">, method=").text(person.method).text(", rip=").text(&self.cast.clients[client].ip).text(", lip=").text(lip);
        body.text(", mpid=").number(u64::from(pid)).text(", TLS, session=<").bytes(&session).text(">");
        (session, pid)
    }

    /// A failed login by IMAP with this many attempts.
    pub(super) fn put_failed_login(&mut self, at: i64, user: &str, client: usize, attempts: u64) {
        let session = self.session_id(at, client);
        let lip = self.hosts[DEPT].ip;
        let seconds = attempts * 2;
        let body = self.hosts[DEPT].line(at + (seconds as i64) * SECOND, Program::Dovecot, 0);
        body.text("imap-login: Disconnected: Connection closed (auth failed, ").number(attempts).text(" attempts in ").number(seconds);
        body.text(" secs): user=<").text(user).text(">, method=PLAIN, rip=").text(&self.cast.clients[client].ip).text(", lip=").text(lip);
        body.text(", TLS, session=<").bytes(&session).text(">");
    }

    /// Dovecot's session id: microseconds, port and address, as they lie in memory.
    fn session_id(&mut self, at: i64, client: usize) -> Vec<u8> {
        let port = self.random.range(32_768, 60_999) as u16;
        let mut bytes = at.to_le_bytes()[..6].to_vec();
        bytes.extend_from_slice(&port.to_le_bytes());
        bytes.extend_from_slice(&self.cast.clients[client].octets);
        let mut id = Vec::with_capacity(32);
        id.base64(&bytes);
        id
    }

    /// An owner mistypes the password, then gets it right.
    pub(super) fn mistype(&mut self, at: i64, person: usize, client: usize) {
        let login = self.cast.people[person].login.clone();
        self.put_failed_login(at, &login, client, 1);
        self.read_mail(at + 9 * SECOND, person, client, false);
    }

    /// One guess of a spray, by IMAP; at its end the passwords that fit.
    pub(super) fn spray(&mut self, at: i64, number: usize) {
        let Some(spray) = self.sprays.get_mut(number) else { return };
        let client = spray.clients[self.random.index(spray.clients.len())];
        let gap = spray.gap * self.random.range(60, 140) / 100;
        match spray.names.pop() {
            Some(name) => {
                self.put_failed_login(at, &name, client, 1);
                self.count_failure(&name, client);
            }
            None => {
                let Some(taken) = spray.opens.pop() else { return };
                self.intrude(at, taken, client);
            }
        }
        self.plan(at + gap, Event::Spray(number));
    }

    fn count_failure(&mut self, name: &str, client: usize) {
        let people = &self.cast.people;
        let Some(incident) = &mut self.book.incident else { return };
        incident.origins.entry(client).or_default().failures += 1;
        match incident.accounts.iter_mut().find(|taken| people[taken.person].login == name) {
            Some(taken) if taken.first_login.is_none() => {
                taken.failures_before += 1;
                taken.failures_before_by_origin += 1;
            }
            Some(_) => {}
            None => *incident.others.entry(name.to_owned()).or_default() += 1,
        }
    }

    /// An attacker logs in by IMAP and reads.
    pub(super) fn intrude(&mut self, at: i64, taken: usize, client: usize) {
        let Some(person) = self.book.taken(taken).map(|taken| taken.person) else { return };
        let (stay, seen) = (self.random.range(2, 25) * MINUTE, 40 + self.random.below(400));
        self.open_imap(at, person, client, stay, seen, seen / 3);
        self.count_intrusion(at, taken, client, "imap");
        if let Some(taken) = self.book.taken(taken) {
            taken.mailbox_sessions += 1;
        }
    }

    /// Counts a login of an attacker.
    pub(super) fn count_intrusion(&mut self, at: i64, taken: usize, client: usize, protocol: &'static str) {
        let Some(incident) = &mut self.book.incident else { return };
        let origin = incident.origins.entry(client).or_default();
        origin.logins += 1;
        origin.span.see(at);
        if let Some(account) = incident.accounts.get_mut(taken) {
            account.first_login.get_or_insert(FirstLogin { at, client, protocol });
            account.activity.see(at);
        }
    }
}
