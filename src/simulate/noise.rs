//! The internet's noise: guessed passwords of accounts that do not exist, scanners, and spam refused at the door.

use super::cast::{Cast, HOME_DOMAIN};
use super::envelope::Program;
use super::put::Put;
use super::random::Random;
use super::world::{DEPT, Event, World};
use crate::domain::time::{DAY, MINUTE, SECOND};

/// A visit nobody asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    /// Guesses by SMTP at a name that is no account.
    Guess { client: usize, name: &'static str, tries: u64 },
    /// Guesses by IMAP.
    GuessImap { client: usize, name: &'static str },
    /// A look at what answers.
    Scan { client: usize },
    /// Spam for somebody here, refused for its origin.
    Spam { client: usize, person: usize },
}

/// Names that guessers try and no account has.
const NAMES: [&str; 22] = [
    "admin",
    "administrator",
    "test",
    "user",
    "sales",
    "support",
    "webmaster",
    "postmaster",
    "root",
    "scan",
    "scanner",
    "printer",
    "backup",
    "mail",
    "contact",
    "hr",
    "billing",
    "noreply",
    "service",
    "guest",
    "marketing",
    "postgres",
];

/// Adds the noise makers to the cast, at addresses and in networks apart from the attackers'; returns the first
/// and their number.
pub(super) fn add_clients(cast: &mut Cast, random: &mut Random) -> (usize, usize) {
    let first = cast.clients.len();
    for last in 128..=250_u8 {
        let name = format!("host-{last}.hosting.example");
        let helo = *random.pick(&["User", "ylmf-pc", "WIN-8TQ1", "[127.0.0.1]", "localhost"]);
        cast.add_client(&name, [192, 0, 2, last], helo, random);
    }
    for number in 0..40_u8 {
        let mut octets = [0; 16];
        octets[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        octets[4..6].copy_from_slice(&[0x0b, 0xad]);
        octets[15] = number + 1;
        cast.push_client("unknown", format!("2001:db8:bad::{:x}", number + 1), octets.to_vec(), "scan");
    }
    (first, cast.clients.len() - first)
}

impl World {
    /// Plans a day's noise.
    pub(super) fn plan_noise(&mut self, at: i64) {
        let scaled = |count: u64, noise: u64| count * noise / 1000;
        let guesses = scaled(24 + self.random.below(16), self.noise);
        for _ in 0..guesses {
            let (client, name, tries) = (self.noise_client(), NAMES[self.random.index(NAMES.len())], 1 + self.random.below(3));
            let noise = if self.random.chance(300) { Noise::GuessImap { client, name } } else { Noise::Guess { client, name, tries } };
            self.plan_noise_at(at, noise);
        }
        for _ in 0..scaled(10 + self.random.below(10), self.noise) {
            let client = self.noise_client();
            self.plan_noise_at(at, Noise::Scan { client });
        }
        for _ in 0..scaled(40 + self.random.below(30), self.noise) {
            let (client, person) = (self.noise_client(), self.random.index(self.cast.people.len()));
            self.plan_noise_at(at, Noise::Spam { client, person });
        }
    }

    fn plan_noise_at(&mut self, day: i64, noise: Noise) {
        let at = day + self.random.range(0, DAY - 1);
        self.plan(at, Event::Noise(noise));
    }

    fn noise_client(&mut self) -> usize {
        let (first, count) = self.noise_clients;
        first + self.random.index(count)
    }

    pub(super) fn make_noise(&mut self, at: i64, noise: Noise) {
        match noise {
            Noise::Guess { client, name, tries } => self.guess(at, client, name, tries),
            Noise::GuessImap { client, name } => {
                let tries = 1 + self.random.below(3);
                self.put_failed_login(at, name, client, tries);
            }
            Noise::Scan { client } => self.scan(at, client),
            Noise::Spam { client, person } => self.refuse_spam(at, client, person),
        }
    }

    /// Guesses by SMTP; the client hangs up without a farewell.
    fn guess(&mut self, at: i64, client: usize, name: &str, tries: u64) {
        let program = if self.random.chance(700) { Program::Submission } else { Program::Smtps };
        let host = &mut self.hosts[DEPT];
        let pid = host.process(program, at, at + 5 * SECOND * tries as i64);
        let label = &self.cast.clients[client].label;
        host.line(at, program, pid).text("connect from ").text(label);
        let mut now = at;
        for _ in 0..tries {
            now += self.random.range(1_200_000, 4 * SECOND);
            let body = host.line(now, program, pid);
            body.text("warning: ").text(label).text(": SASL LOGIN authentication failed: (reason unavailable), sasl_username=").text(name);
            if now % 2 == 0 {
                body.text("@").text(HOME_DOMAIN);
            }
        }
        host.line(now + 250_000, program, pid).text("lost connection after AUTH from ").text(label);
        let body = host.line(now + 250_100, program, pid);
        body.text("disconnect from ").text(label).text(" ehlo=1 auth=0/").number(tries).text(" commands=1/").number(tries + 1);
        let anvil = host.process(Program::Anvil, now, now + 10 * MINUTE);
        self.put_anvil(at, now + 3 * MINUTE, anvil, program, client);
    }

    fn put_anvil(&mut self, seen: i64, at: i64, pid: u32, program: Program, client: usize) {
        let service = if program == Program::Submission { "submission" } else { "smtps" };
        let when = self.hosts[DEPT].traditional(seen);
        for (what, unit) in [("connection rate", "/60s"), ("connection count", "")] {
            let body = self.hosts[DEPT].line(at, Program::Anvil, pid);
            body.text("statistics: max ").text(what).text(" 1").text(unit).text(" for (").text(service).text(":");
            body.text(&self.cast.clients[client].ip).text(") at ").text(&when);
        }
        self.hosts[DEPT].line(at, Program::Anvil, pid).text("statistics: max cache size 1 at ").text(&when);
    }

    fn scan(&mut self, at: i64, client: usize) {
        let border = self.border();
        let pid = self.hosts[border].process(Program::Smtpd, at, at + 3 * SECOND);
        let label = self.cast.clients[client].label.clone();
        let label = label.as_str();
        let (kind, after) = (self.random.below(3), at + self.random.range(200_000, 2 * SECOND));
        let host = &mut self.hosts[border];
        host.line(at, Program::Smtpd, pid).text("connect from ").text(label);
        let (stage, counters) = match kind {
            0 => ("CONNECT", " commands=0/0"),
            1 => ("EHLO", " ehlo=1 commands=1"),
            _ => ("STARTTLS", " ehlo=1 starttls=0/1 commands=1/2"),
        };
        if kind == 2 {
            host.line(after - 300, Program::Smtpd, pid).text("SSL_accept error from ").text(label).text(": -1");
            let text = "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:";
            host.line(after - 200, Program::Smtpd, pid).text(text);
        }
        host.line(after, Program::Smtpd, pid).text("lost connection after ").text(stage).text(" from ").text(label);
        host.line(after + 90, Program::Smtpd, pid).text("disconnect from ").text(label).text(counters);
    }

    fn refuse_spam(&mut self, at: i64, client: usize, person: usize) {
        self.book.inbound_refused += 1;
        let border = self.border();
        let after = at + self.random.range(300_000, 2 * SECOND);
        let pid = self.hosts[border].process(Program::Smtpd, at, after + 400_000);
        let sender = self.random.below(1 << 40);
        let host = &mut self.hosts[border];
        let client = &self.cast.clients[client];
        host.line(at, Program::Smtpd, pid).text("connect from ").text(&client.label);
        let body = host.line(after, Program::Smtpd, pid);
        body.text("NOQUEUE: reject: RCPT from ")
            .text(&client.label)
            .text(": 554 5.7.1 Service unavailable; Client host [")
            .text(&client.ip);
        body.text("] blocked using bl.lists.example; https://lists.example/query/ip/").text(&client.ip).text("; from=<offer");
        body.number(sender % 100_000).text("@firm-").number(sender % 180).text(".example> to=<").text(&self.cast.people[person].address);
        body.text("> proto=ESMTP helo=<").text(&client.helo).text(">");
        let body = host.line(after + 300_000, Program::Smtpd, pid);
        body.text("disconnect from ").text(&client.label).text(" ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4");
    }
}
