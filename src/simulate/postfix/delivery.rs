//! The lines of one delivery: into mailboxes by LMTP, to the other server of the organisation, or out into the world.

use super::envelope::Program;
use super::host::QueueId;
use super::life::{Life, Run};
use super::replies::{FILTER_REPLY, Talk, Verdict, put_subject, verdict};
use super::{CORE, DEPT, Postfix, Returned, Scene};
use crate::domain::outcome::Outcome;
use crate::domain::time::SECOND;
use crate::simulate::cast::Address;
use crate::simulate::happenings::{Fate, Recipient, Sender};
use crate::simulate::put::Put;
use crate::simulate::tally::Fates;

/// The tenant's own mail exchanger at Microsoft 365.
const TENANT: &str = "dept-u-example.mail.protection.outlook.example[2001:db8:365::25]:25";

/// When the steps of an attempt were taken.
#[derive(Clone, Copy)]
struct Steps {
    arrival: i64,
    active: i64,
    handed: i64,
    connected: i64,
    done: i64,
}

impl Postfix {
    /// Delivers to mailboxes by LMTP.
    pub(super) fn store(&mut self, stage: &mut Scene, life: &mut Life, run: &mut Run, group: &[Recipient]) {
        let handed = run.active + stage.random.range(4_000, 20_000);
        let connected = handed + stage.random.range(500, 9_000);
        let done = connected + stage.random.range(3_000, 28_000);
        let steps = Steps { arrival: life.arrival, active: run.active, handed, connected, done };
        let host = &mut self.hosts[DEPT];
        let lmtp = host.process(Program::Lmtp, handed, done + 1_000);
        let dovecot = host.process(Program::Dovecot, connected, done + 1_400);
        let (pid, fqdn) = (u64::from(dovecot), host.fqdn);
        host.line(connected, Program::Dovecot, 0).text("lmtp(").number(pid).text("): Connect from local");
        let mut session = Vec::with_capacity(22);
        put_lmtp_session(&mut session, connected, dovecot);
        for (number, recipient) in group.iter().enumerate() {
            let body = host.line(done - 700 + number as i64 * 50, Program::Dovecot, 0).text("lmtp(");
            stage.cast.put(body, recipient.to);
            put_part(body.text(")<").number(pid).text("><").bytes(&session), number);
            body.text(">: msgid=<").bytes(&life.message_id).text(">: saved mail to INBOX");
            let body = host.queue_line(done + number as i64 * 30, Program::Lmtp, lmtp, &life.id).text("to=<");
            stage.cast.put(body, recipient.to);
            put_delays(body.text(">, relay=").text(fqdn).text("[private/dovecot-lmtp]"), &steps);
            body.text("dsn=2.0.0, status=sent (250 2.0.0 <");
            stage.cast.put(body, recipient.to);
            put_part(body.text("> ").bytes(&session), number);
            body.text(" Saved)");
        }
        let disconnect = host.line(done + 1_300, Program::Dovecot, 0).text("lmtp(").number(pid);
        disconnect.text("): Disconnect from local: Logged out (state=READY)");
        run.end = run.end.max(done);
        life.fates.add(Outcome::Delivered, group.len() as u64);
        if life.sender == Sender::Notice {
            stage.count_notice(life.taken, done);
        }
    }

    /// Hands recipients to the organisation's tenant at Microsoft 365.
    pub(super) fn hand_to_tenant(&mut self, stage: &mut Scene, life: &mut Life, run: &mut Run, group: &[Recipient]) {
        let handed = run.active + stage.random.range(5_000, 50_000);
        let connected = handed + stage.random.range(15_000, 200_000);
        let done = connected + stage.random.range(100_000, 900_000);
        let steps = Steps { arrival: life.arrival, active: run.active, handed, connected, done };
        let smtp = self.hosts[DEPT].process(Program::Smtp, handed, done);
        for (number, recipient) in group.iter().enumerate() {
            let body = self.hosts[DEPT].queue_line(done + number as i64 * 40, Program::Smtp, smtp, &life.id).text("to=<");
            stage.cast.put(body, recipient.to);
            put_delays(body.text(">, relay=").text(TENANT), &steps);
            body.text("dsn=2.6.0, status=sent (250 2.6.0 <").bytes(&life.message_id).text("> [InternalId=").number(done as u64 / 1000);
            body.text(", Hostname=TYAPR01MB2103.jpnprd01.prod.outlook.example] ").number(u64::from(life.size) + 7000);
            body.text(" bytes in 0.112, 60.121 KB/sec Queued mail for delivery)");
            if let (Sender::Notice, Address::Person(person)) = (life.sender, recipient.to) {
                self.returned.push(Returned { at: done, person, message_id: life.message_id.clone() });
            }
        }
        run.end = run.end.max(done + group.len() as i64 * 40);
        life.fates.add(Outcome::Delivered, group.len() as u64);
        if life.sender == Sender::Notice {
            stage.count_notice(life.taken, done);
        }
    }

    /// Hands recipients to the other server of the organisation.
    pub(super) fn relay(&mut self, stage: &mut Scene, life: &mut Life, run: &mut Run, group: &[Recipient], to: usize) {
        let handed = run.active + stage.random.range(5_000, 60_000);
        let connected = handed + stage.random.range(2_000, 30_000);
        let filtered = to == CORE && group.iter().any(|r| r.fate == Fate::OwnFilter);
        let (replied, id) = if filtered {
            (self.refuse_at_core(stage, life, group, connected), None)
        } else {
            self.accept_from_peer(stage, life, group, connected, to)
        };
        let steps = Steps { arrival: life.arrival, active: run.active, handed, connected, done: replied + 600 };
        self.put_relayed(stage, life, group, steps, to, id.as_ref());
        run.end = run.end.max(steps.done);
        match id {
            None => {
                run.refused = true;
                life.fates.block_by_own(group.len() as u64);
            }
            Some(_) => {
                run.relayed = true;
                life.fates.add(Outcome::Relayed, group.len() as u64);
            }
        }
    }

    fn put_relayed(&mut self, stage: &mut Scene, life: &Life, group: &[Recipient], steps: Steps, to: usize, id: Option<&QueueId>) {
        let (peer, peer_ip) = (self.hosts[to].fqdn, self.hosts[to].ip);
        let host = &mut self.hosts[life.host];
        let smtp = host.process(Program::Smtp, steps.handed, steps.done);
        for (number, recipient) in group.iter().enumerate() {
            let body = host.queue_line(steps.done + number as i64 * 40, Program::Smtp, smtp, &life.id).text("to=<");
            stage.cast.put(body, recipient.to);
            put_delays(body.text(">, relay=").text(peer).text("[").text(peer_ip).text("]:25"), &steps);
            match id {
                Some(id) => body.text("dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ").bytes(id.bytes()).text(")"),
                None => {
                    body.text("dsn=5.7.1, status=bounced (host ").text(peer).text("[").text(peer_ip).text("] said: 550 ");
                    body.text(FILTER_REPLY).text(" (in reply to end of DATA command))")
                }
            };
        }
    }

    /// The other server takes a message and carries on with it; returns when it answered, and the id it gave.
    fn accept_from_peer(&mut self, stage: &mut Scene, life: &Life, group: &[Recipient], at: i64, to: usize) -> (i64, Option<QueueId>) {
        let born = at + stage.random.range(1_000, 8_000);
        let replied = born + stage.random.range(6_000, 40_000);
        let active = replied - stage.random.range(300, 1_500);
        let (id, smtpd) = self.open_from_peer(life.host, to, at, born, replied + 2_000);
        self.put_message_id(to, &id, &life.message_id, born + 1_500, active);
        let rcpt = group.len() as u64;
        let body = self.put_peer(replied + 1_800, "disconnect from ", life.host, to, smtpd);
        body.text(" ehlo=1 mail=1 rcpt=").number(rcpt).text(" data=1 quit=1 commands=").number(rcpt + 4);
        let next = Life {
            host: to,
            id,
            arrival: born,
            sender: life.sender,
            topic: life.topic,
            size: life.size + 190,
            message_id: life.message_id.clone(),
            open: group.to_vec(),
            announced: rcpt,
            tries: 0,
            taken: life.taken,
            fates: Fates::default(),
            earlier: life.fates,
        };
        self.run_queue(stage, next, active);
        (replied, Some(id))
    }

    /// The core server's header checks refuse a message of the department's; returns when it said so.
    fn refuse_at_core(&mut self, stage: &mut Scene, life: &Life, group: &[Recipient], at: i64) -> i64 {
        let born = at + stage.random.range(1_000, 8_000);
        let replied = born + stage.random.range(2_000, 9_000);
        let (id, smtpd) = self.open_from_peer(life.host, CORE, at, born, replied + 2_000);
        let (peer, peer_ip) = (self.hosts[life.host].fqdn, self.hosts[life.host].ip);
        let host = &mut self.hosts[CORE];
        let cleanup = host.process(Program::Cleanup, born, replied);
        let body = host.queue_line(replied - 300, Program::Cleanup, cleanup, &id).text("reject: header Subject: ");
        put_subject(body, life.topic);
        body.text(" from ").text(peer).text("[").text(peer_ip).text("]; from=<");
        if let Sender::Person(person) = life.sender {
            stage.cast.put(body, Address::Person(person));
        }
        body.text("> to=<");
        if let Some(first) = group.first() {
            stage.cast.put(body, first.to);
        }
        body.text("> proto=ESMTP helo=<").text(peer).text(">: ").text(FILTER_REPLY);
        host.remove(&id, replied);
        let rcpt = group.len() as u64;
        let body = self.put_peer(replied + 1_800, "disconnect from ", life.host, CORE, smtpd);
        body.text(" ehlo=1 mail=1 rcpt=").number(rcpt).text(" data=0/1 quit=1 commands=").number(rcpt + 3).text("/").number(rcpt + 4);
        replied
    }

    /// `connect from` and `client=` of the other server of the organisation.
    fn open_from_peer(&mut self, from: usize, to: usize, at: i64, born: i64, until: i64) -> (QueueId, u32) {
        let smtpd = self.hosts[to].process(Program::Smtpd, at, until);
        self.put_peer(at, "connect from ", from, to, smtpd);
        let id = self.hosts[to].create(born);
        let (peer, peer_ip) = (self.hosts[from].fqdn, self.hosts[from].ip);
        let body = self.hosts[to].queue_line(born + 200, Program::Smtpd, smtpd, &id);
        body.text("client=").text(peer).text("[").text(peer_ip).text("]");
        (id, smtpd)
    }

    fn put_peer(&mut self, at: i64, what: &str, from: usize, to: usize, smtpd: u32) -> &mut Vec<u8> {
        let (peer, peer_ip) = (self.hosts[from].fqdn, self.hosts[from].ip);
        self.hosts[to].line(at, Program::Smtpd, smtpd).text(what).text(peer).text("[").text(peer_ip).text("]")
    }

    /// The line of cleanup for a message that arrives.
    pub(super) fn put_message_id(&mut self, host: usize, id: &QueueId, message_id: &[u8], at: i64, until: i64) {
        let host = &mut self.hosts[host];
        let cleanup = host.process(Program::Cleanup, at, until);
        host.queue_line(at, Program::Cleanup, cleanup, id).text("message-id=<").bytes(message_id).text(">");
    }

    /// Delivers to the recipients of one outside domain.
    pub(super) fn send_out(&mut self, stage: &mut Scene, life: &mut Life, run: &mut Run, group: &[Recipient], domain: usize) {
        if group.iter().any(|r| r.fate == Fate::Unreachable) {
            return self.fail_to_reach(stage, life, run, group, domain);
        }
        let handed = run.active + stage.random.range(5_000, 50_000);
        let connected = handed + stage.random.range(15_000, 400_000);
        let done = connected + stage.random.range(60_000, 1_600_000);
        let steps = Steps { arrival: life.arrival, active: run.active, handed, connected, done };
        let host = &mut self.hosts[life.host];
        let from_ip = host.ip;
        let smtp = host.process(Program::Smtp, handed, done);
        for (number, recipient) in group.iter().enumerate() {
            let at = done + number as i64 * 40;
            let body = host.queue_line(at, Program::Smtp, smtp, &life.id).text("to=<");
            stage.cast.put(body, recipient.to);
            put_delays(body.text(">, relay=").text(&stage.cast.domains[domain].mx).text(":25"), &steps);
            let message_id = &life.message_id;
            let talk = Talk { cast: &stage.cast, domain, to: recipient.to, from_ip, message_id, size: life.size, at };
            match verdict(recipient.fate, life.tries) {
                Verdict::Sent => {
                    talk.put_accepted(body, &mut stage.random);
                    life.fates.add(Outcome::Delivered, 1);
                }
                Verdict::Refused => {
                    talk.put_refused(body, recipient.fate, &mut stage.random);
                    run.refused = true;
                    match recipient.fate {
                        Fate::Reputation => life.fates.block_by_remote(1),
                        _ => life.fates.add(Outcome::Bounced, 1),
                    }
                }
                Verdict::Deferred => {
                    talk.put_later(body, &mut stage.random);
                    run.deferred.push(*recipient);
                }
            }
        }
        run.end = run.end.max(done + group.len() as i64 * 40);
    }

    /// The receiver's server does not answer; every third attempt is a real one, the others are spared.
    fn fail_to_reach(&mut self, stage: &mut Scene, life: &Life, run: &mut Run, group: &[Recipient], domain: usize) {
        let real = life.tries.is_multiple_of(3);
        let handed = run.active + stage.random.range(5_000, 50_000);
        let done = handed + if real { 30 * SECOND + stage.random.range(20_000, 90_000) } else { stage.random.range(500, 3_000) };
        let steps = Steps { arrival: life.arrival, active: run.active, handed, connected: done, done };
        let mx = &stage.cast.domains[domain].mx;
        let host = &mut self.hosts[life.host];
        let program = if real { Program::Smtp } else { Program::Error };
        let pid = host.process(program, handed, done);
        if real {
            host.line(done - 200, program, pid).text("connect to ").text(mx).text(":25: Connection timed out");
        }
        for (number, recipient) in group.iter().enumerate() {
            let body = host.queue_line(done + number as i64 * 40, program, pid, &life.id).text("to=<");
            stage.cast.put(body, recipient.to);
            put_delays(body.text(">, relay=none"), &steps);
            body.text("dsn=4.4.1, status=deferred (");
            body.text(if real { "" } else { "delivery temporarily suspended: " });
            body.text("connect to ").text(mx).text(":25: Connection timed out)");
            run.deferred.push(*recipient);
        }
        run.end = run.end.max(done + group.len() as i64 * 40);
    }
}

/// `, delay=…, delays=…, `
fn put_delays(body: &mut Vec<u8>, steps: &Steps) {
    body.text(", delay=").delay(steps.done - steps.arrival).text(", delays=").delay(steps.active - steps.arrival);
    body.text("/").delay(steps.handed - steps.active).text("/").delay(steps.connected - steps.handed);
    body.text("/").delay(steps.done - steps.connected).text(", ");
}

/// A Dovecot GUID: nanoseconds, seconds, process and a hash of the host's name, as they lie in memory.
fn put_lmtp_session(out: &mut Vec<u8>, at: i64, pid: u32) {
    let nanoseconds = (at.rem_euclid(SECOND) * 1000 + 417) as u32;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&nanoseconds.to_le_bytes());
    bytes[4..8].copy_from_slice(&(at.div_euclid(SECOND) as u32).to_le_bytes());
    bytes[8..12].copy_from_slice(&pid.to_le_bytes());
    bytes[12..].copy_from_slice(&[0x23, 0x85, 0xc9, 0x36]);
    out.base64(&bytes);
}

/// The second and later recipients of a session have a number behind it.
fn put_part(body: &mut Vec<u8>, number: usize) {
    if number > 0 {
        body.text(":R").number(number as u64 + 1);
    }
}
