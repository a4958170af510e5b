//! The internet's noise in the lines of Postfix: guessed passwords, scanners, and spam refused at the door.

use super::envelope::Program;
use super::{DEPT, Postfix, Scene};
use crate::domain::time::{MINUTE, SECOND};
use crate::simulate::cast::HOME_DOMAIN;
use crate::simulate::happenings::Attempt;
use crate::simulate::put::Put;

impl Postfix {
    /// Guesses by SMTP; the client hangs up without a farewell.
    pub(super) fn guess(&mut self, stage: &mut Scene, at: i64, attempt: Attempt<'_>) {
        let Attempt { name, client, times, .. } = attempt;
        let program = if stage.random.chance(700) { Program::Submission } else { Program::Smtps };
        let host = &mut self.hosts[DEPT];
        let pid = host.process(program, at, at + 5 * SECOND * times as i64);
        let label = &stage.cast.clients[client].label;
        host.line(at, program, pid).text("connect from ").text(label);
        let mut now = at;
        for _ in 0..times {
            now += stage.random.range(1_200_000, 4 * SECOND);
            let body = host.line(now, program, pid);
            body.text("warning: ").text(label).text(": SASL LOGIN authentication failed: (reason unavailable), sasl_username=").text(name);
            if now % 2 == 0 {
                body.text("@").text(HOME_DOMAIN);
            }
        }
        host.line(now + 250_000, program, pid).text("lost connection after AUTH from ").text(label);
        let body = host.line(now + 250_100, program, pid);
        body.text("disconnect from ").text(label).text(" ehlo=1 auth=0/").number(times).text(" commands=1/").number(times + 1);
        let anvil = host.process(Program::Anvil, now, now + 10 * MINUTE);
        self.put_anvil(stage, at, now + 3 * MINUTE, anvil, program, client);
    }

    fn put_anvil(&mut self, stage: &Scene, seen: i64, at: i64, pid: u32, program: Program, client: usize) {
        let service = if program == Program::Submission { "submission" } else { "smtps" };
        let when = self.hosts[DEPT].traditional(seen);
        for (what, unit) in [("connection rate", "/60s"), ("connection count", "")] {
            let body = self.hosts[DEPT].line(at, Program::Anvil, pid);
            body.text("statistics: max ").text(what).text(" 1").text(unit).text(" for (").text(service).text(":");
            body.text(&stage.cast.clients[client].ip).text(") at ").text(&when);
        }
        self.hosts[DEPT].line(at, Program::Anvil, pid).text("statistics: max cache size 1 at ").text(&when);
    }

    /// A scanner's visit.
    pub(super) fn look(&mut self, stage: &mut Scene, at: i64, client: usize) {
        let border = self.border();
        let pid = self.hosts[border].process(Program::Smtpd, at, at + 3 * SECOND);
        let label = stage.cast.clients[client].label.clone();
        let label = label.as_str();
        let (kind, after) = (stage.random.below(3), at + stage.random.range(200_000, 2 * SECOND));
        let host = &mut self.hosts[border];
        host.line(at, Program::Smtpd, pid).text("connect from ").text(label);
        let (step, counters) = match kind {
            0 => ("CONNECT", " commands=0/0"),
            1 => ("EHLO", " ehlo=1 commands=1"),
            _ => ("STARTTLS", " ehlo=1 starttls=0/1 commands=1/2"),
        };
        if kind == 2 {
            host.line(after - 300, Program::Smtpd, pid).text("SSL_accept error from ").text(label).text(": -1");
            let text = "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:";
            host.line(after - 200, Program::Smtpd, pid).text(text);
        }
        host.line(after, Program::Smtpd, pid).text("lost connection after ").text(step).text(" from ").text(label);
        host.line(after + 90, Program::Smtpd, pid).text("disconnect from ").text(label).text(counters);
    }

    /// Spam that a list of bad addresses keeps out.
    pub(super) fn turn_away(&mut self, stage: &mut Scene, at: i64, client: usize, person: usize) {
        let border = self.border();
        let after = at + stage.random.range(300_000, 2 * SECOND);
        let pid = self.hosts[border].process(Program::Smtpd, at, after + 400_000);
        let sender = stage.random.below(1 << 40);
        let host = &mut self.hosts[border];
        let client = &stage.cast.clients[client];
        host.line(at, Program::Smtpd, pid).text("connect from ").text(&client.label);
        let body = host.line(after, Program::Smtpd, pid);
        body.text("NOQUEUE: reject: RCPT from ")
            .text(&client.label)
            .text(": 554 5.7.1 Service unavailable; Client host [")
            .text(&client.ip);
        body.text("] blocked using bl.lists.example; https://lists.example/query/ip/").text(&client.ip).text("; from=<offer");
        body.number(sender % 100_000).text("@firm-").number(sender % 180).text(".example> to=<").text(&stage.cast.people[person].address);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
        let body = host.line(after + 300_000, Program::Smtpd, pid);
        body.text("disconnect from ").text(&client.label).text(" ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4");
    }
}
