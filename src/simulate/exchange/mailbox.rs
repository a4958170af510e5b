//! Mailboxes by IMAP and POP.

use super::columns::Kind;
use super::session::endpoint;
use super::text::{guid, put_cell, put_stamp};
use super::{Exchange, MAILBOX, Scene};
use crate::domain::time::SECOND;
use crate::simulate::happenings::{Attempt, Login, Reading};
use crate::simulate::put::Put;
use crate::simulate::request::Columns;

/// A session as its log tells it.
struct Visit {
    kind: Kind,
    id: u64,
    next: u32,
    local: String,
    remote: String,
    /// Who is in, once somebody is.
    user: String,
}

impl Exchange {
    /// Reading by IMAP, or by POP.
    pub(super) fn read_mailbox(&mut self, stage: &Scene, at: i64, reading: &Reading) -> Login {
        let login = &stage.cast.people[reading.person].login;
        let ip = &stage.cast.clients[reading.client].ip;
        if reading.pop {
            self.fetch(at, login, ip);
            return Login::new(at + 90_000, "pop3");
        }
        let mut visit = self.visit(Kind::Imap, 993, ip);
        self.greet(&mut visit, at);
        login.clone_into(&mut visit.user);
        let context = self.welcome();
        self.put(&mut visit, at + 90_000, (24, 205), ["login", &format!("{login} *****"), &context]);
        self.put(&mut visit, at + 160_000, (14, 310), ["select", "INBOX", "R=OK"]);
        if reading.seen > 0 {
            let rows = format!("1:{} (FLAGS)", reading.seen);
            self.put(
                &mut visit,
                at + 400_000,
                (30, reading.seen * 812),
                ["fetch", &rows, &format!("R=OK;Rows={0};Total={0}", reading.seen)],
            );
        }
        if reading.read > 0 {
            let rows = format!("1:{} (BODY.PEEK[])", reading.read);
            self.put(
                &mut visit,
                at + 900_000,
                (40, reading.read * 6_140),
                ["fetch", &rows, &format!("R=OK;Rows={0};Total={0}", reading.read)],
            );
        }
        self.put(&mut visit, at + 960_000 + reading.stay, (8, 46), ["logout", "", "R=OK"]);
        self.put(&mut visit, at + 961_000 + reading.stay, (0, 0), ["CloseSession", "", ""]);
        Login::new(at + 90_000, "imap")
    }

    fn fetch(&mut self, at: i64, login: &str, ip: &str) {
        let mut visit = self.visit(Kind::Pop, 995, ip);
        self.put(&mut visit, at, (0, 46), ["OpenSession", "", ""]);
        self.put(&mut visit, at + 40_000, (20, 5), ["user", login, "R=OK"]);
        login.clone_into(&mut visit.user);
        let context = self.welcome();
        self.put(&mut visit, at + 90_000, (10, 36), ["pass", "*****", &context]);
        self.put(&mut visit, at + 130_000, (4, 14), ["stat", "", "R=OK"]);
        for number in 0..self.random.below(4) {
            self.put(&mut visit, at + 200_000 + number as i64 * 90_000, (6, 4_310), ["retr", &(number + 1).to_string(), "R=OK"]);
        }
        self.put(&mut visit, at + 800_000, (4, 30), ["quit", "", "R=OK"]);
        self.put(&mut visit, at + 801_000, (0, 0), ["CloseSession", "", ""]);
    }

    /// Wrong passwords by IMAP. The column of the user stays empty; what was typed is among the parameters.
    pub(super) fn fail_imap(&mut self, stage: &Scene, at: i64, attempt: Attempt<'_>) {
        let mut visit = self.visit(Kind::Imap, 993, &stage.cast.clients[attempt.client].ip);
        self.greet(&mut visit, at);
        let mut now = at + 120_000;
        for number in 0..attempt.times {
            let context = format!("R=\"a{} NO LOGIN failed.\"", number + 2);
            self.put(&mut visit, now, (17, 21), ["login", &format!("{} *****", attempt.name), &context]);
            now += 2 * SECOND;
        }
        self.put(&mut visit, now, (0, 0), ["CloseSession", "", ""]);
    }

    /// A look by a load balancer, which only opens and closes.
    pub(super) fn knock(&mut self, at: i64) {
        let mut visit = self.visit(Kind::Imap, 993, "192.0.2.9");
        self.put(&mut visit, at, (0, 53), ["OpenSession", "", ""]);
        self.put(&mut visit, at + 3_000, (0, 0), ["CloseSession", "", ""]);
    }

    fn greet(&mut self, visit: &mut Visit, at: i64) {
        self.put(visit, at, (0, 53), ["OpenSession", "", ""]);
        self.put(visit, at + 30_000, (13, 158), ["capability", "", "R=OK"]);
    }

    /// What stands beside a login that went well.
    fn welcome(&mut self) -> String {
        let name = self.servers[MAILBOX].place.name;
        format!("R=OK;Msg=\"Proxy:{name}:1993:SSL;ProxySuccess\";LiveIdAR=OK;ActivityContextData={}", guid(&mut self.random))
    }

    fn visit(&mut self, kind: Kind, port: u16, ip: &str) -> Visit {
        self.visits += 1;
        let local = format!("{}:{port}", self.servers[MAILBOX].place.ip);
        let remote = endpoint(ip, self.random.range(32_768, 60_999));
        Visit { kind, id: self.visits, next: 0, local, remote, user: String::new() }
    }

    /// A row: the sizes of what was asked and answered; the command, its parameters and what came of it.
    fn put(&mut self, visit: &mut Visit, at: i64, (asked, answered): (u64, u64), cells: [&str; 3]) {
        let mut out = Vec::with_capacity(160);
        put_stamp(&mut out, at);
        out.text(",").hex(visit.id, 16).text(",").number(u64::from(visit.next)).text(",").text(&visit.local).text(",").text(&visit.remote);
        out.text(",").text(&visit.user).text(",").number(1 + asked % 50).text(",").number(asked).text(",").number(answered);
        for cell in cells {
            out.push(b',');
            put_cell(&mut out, cell);
        }
        let server = &mut self.servers[MAILBOX];
        if server.columns == Columns::New {
            out.push(b',');
        }
        visit.next += 1;
        server.row(visit.kind, at, out);
    }
}
