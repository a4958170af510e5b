//! Logins to mailboxes in the lines of Dovecot.

use super::envelope::Program;
use super::{DEPT, Postfix, Scene};
use crate::domain::time::SECOND;
use crate::simulate::happenings::{Attempt, Login, Reading};
use crate::simulate::put::Put;

/// How a mailbox is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Imap,
    Pop,
}

impl Postfix {
    /// A login by IMAP or POP and the session that follows.
    pub(super) fn open_mailbox(&mut self, stage: &mut Scene, at: i64, reading: &Reading) -> Login {
        if reading.pop {
            self.open_pop(stage, at, reading.person, reading.client);
            return Login::new(at, "pop");
        }
        self.open_imap(stage, at, reading);
        Login::new(at, "imap")
    }

    fn open_imap(&mut self, stage: &mut Scene, at: i64, reading: &Reading) {
        let Reading { person, client, stay, seen, read, .. } = *reading;
        let (session, pid) = self.put_login(stage, at, Door::Imap, person, client);
        let (input, headers, bodies) = (69 + seen * 31, seen * 812, read * 6_140);
        let body = self.hosts[DEPT].line(at + 40_000 + stay, Program::Dovecot, 0);
        body.text("imap(").text(&stage.cast.people[person].login).text(")<").number(u64::from(pid)).text("><").bytes(&session);
        body.text(">: Disconnected: Logged out in=").number(input).text(" out=").number(781 + headers + bodies);
        body.text(" deleted=0 expunged=0 trashed=0 hdr_count=").number(seen).text(" hdr_bytes=").number(headers);
        body.text(" body_count=").number(read).text(" body_bytes=").number(bodies);
    }

    fn open_pop(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize) {
        let (session, pid) = self.put_login(stage, at, Door::Pop, person, client);
        let (fetched, kept) = (stage.random.below(4), stage.random.below(20));
        let body = self.hosts[DEPT].line(at + stage.random.range(300_000, 4 * SECOND), Program::Dovecot, 0);
        body.text("pop3(").text(&stage.cast.people[person].login).text(")<").number(u64::from(pid)).text("><").bytes(&session);
        body.text(">: Disconnected: Logged out top=0/0, retr=").number(fetched).text("/").number(fetched * 4_310);
        body.text(", del=0/").number(fetched + kept).text(", size=").number((fetched + kept) * 4_310);
    }

    fn put_login(&mut self, stage: &mut Scene, at: i64, door: Door, person: usize, client: usize) -> (Vec<u8>, u32) {
        let pid = self.hosts[DEPT].spawn();
        let session = session_id(stage, at, client);
        let lip = self.hosts[DEPT].ip;
        let body = self.hosts[DEPT].line(at, Program::Dovecot, 0);
        let person = &stage.cast.people[person];
        body.text(if door == Door::Imap { "imap-login" } else { "pop3-login" }).text(": Login: user=<").text(&person.login);
        body.text(">, method=").text(person.method).text(", rip=").text(&stage.cast.clients[client].ip).text(", lip=").text(lip);
        body.text(", mpid=").number(u64::from(pid)).text(", TLS, session=<").bytes(&session).text(">");
        (session, pid)
    }

    /// A failed login by IMAP with this many attempts.
    pub(super) fn put_failed_login(&mut self, stage: &mut Scene, at: i64, attempt: Attempt<'_>) {
        let Attempt { name, client, times, .. } = attempt;
        let session = session_id(stage, at, client);
        let lip = self.hosts[DEPT].ip;
        let seconds = times * 2;
        let body = self.hosts[DEPT].line(at + (seconds as i64) * SECOND, Program::Dovecot, 0);
        body.text("imap-login: Disconnected: Connection closed (auth failed, ").number(times).text(" attempts in ").number(seconds);
        body.text(" secs): user=<").text(name).text(">, method=PLAIN, rip=").text(&stage.cast.clients[client].ip).text(", lip=").text(lip);
        body.text(", TLS, session=<").bytes(&session).text(">");
    }
}

/// Dovecot's session id: microseconds, port and address, as they lie in memory.
fn session_id(stage: &mut Scene, at: i64, client: usize) -> Vec<u8> {
    let port = stage.random.range(32_768, 60_999) as u16;
    let mut bytes = at.to_le_bytes()[..6].to_vec();
    bytes.extend_from_slice(&port.to_le_bytes());
    bytes.extend_from_slice(&stage.cast.clients[client].octets);
    let mut id = Vec::with_capacity(32);
    id.base64(&bytes);
    id
}
