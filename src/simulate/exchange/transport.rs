//! The way of a message through the transport service: shadow copies, rules, delivery, the next hop, deferral, notices, and its count.

use super::columns::Kind;
use super::text::{guid, network_id};
use super::tracking::{Head, Row, joined};
use super::{Exchange, Later, MAILBOX, Scene, address};
use crate::domain::outcome::Outcome;
use crate::domain::time::{HOUR, MINUTE, SECOND};
use crate::simulate::cast::{Address, HOME_DOMAIN};
use crate::simulate::happenings::{Fate, Recipient, Sender};
use crate::simulate::tally::Fates;
use crate::simulate::world::Event;

/// A message in the queue of one server.
#[derive(Clone, Debug)]
pub(in crate::simulate) struct Mail {
    pub(super) server: usize,
    pub(super) head: Head,
    pub(super) from: Sender,
    /// Recipients without a final outcome at this server.
    pub(super) open: Vec<Recipient>,
    pub(super) arrival: i64,
    pub(super) tries: u16,
    /// The incident's account that an attacker sent it by, or whose messages a notice is about.
    pub(super) taken: Option<usize>,
    /// Outcomes settled at this server, and at the one before.
    pub(super) fates: Fates,
    pub(super) earlier: Fates,
    /// Whether the sender was told of the delay; for a notice, whether it tells of one.
    pub(super) delayed: bool,
}

/// What one run over the recipients of a message has come to so far.
#[derive(Default)]
pub(super) struct Run {
    pub(super) end: i64,
    pub(super) failed: bool,
    pub(super) deferred: Vec<Recipient>,
    /// Whether the other server took some, and so has the last word.
    pub(super) relayed: bool,
    /// The message id of the notice that failures are told by.
    pub(super) notice: String,
}

/// Why a rule of the organisation refuses a message.
const RULE_REPLY: &str = "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy";
/// How long a message waits before its sender hears that it is late.
const DELAY_TOLD: i64 = 4 * HOUR;

impl Exchange {
    /// Copies and notes that a server makes of each message it takes.
    pub(super) fn note_accepted(&mut self, stage: &Scene, mail: &Mail, at: i64) {
        let all = spell(stage, &mail.open);
        let place = self.servers[mail.server].place;
        let row = Row { recipients: &all, count: mail.open.len(), ..Row::default() };
        self.put_shadow(mail, Row { client_ip: place.ip, client: place.name, source: "SMTP", ..row.clone() }, at);
        let custom = format!("S:AMA=SUM|action=p|error=|atch=0;S:CompCost=|ETR=0;S:DeliveryPriority=Normal;S:AccountForest={HOME_DOMAIN}");
        let row = Row { server: place.name, source: "AGENT", event: "AGENTINFO", custom: &custom, ..row };
        self.servers[mail.server].track(Kind::Tracking, at + 9_000, &mail.head, &row);
    }

    /// The copy that the other server keeps until the message is delivered; a single server has nobody to keep one.
    fn put_shadow(&mut self, mail: &Mail, row: Row<'_>, at: i64) {
        if !self.two() {
            let row = Row { event: "HAREDIRECTFAIL", context: "No suitable shadow servers", ..row };
            self.servers[mail.server].track(Kind::Tracking, at + 6_000, &mail.head, &row);
            return;
        }
        let peer = 1 - mail.server;
        let shadow = self.servers[peer].place;
        let connector = format!("{}\\Default {}", shadow.name, shadow.name);
        let row = Row { server_ip: shadow.ip, server: shadow.fqdn, ..row };
        let here = Row { event: "HAREDIRECT", context: "Shadow copy accepted", ..row.clone() };
        self.servers[mail.server].track(Kind::Tracking, at + 6_000, &mail.head, &here);
        let head = Head { number: self.servers[peer].number(), ..mail.head.clone() };
        let there = Row { event: "HARECEIVE", connector: &connector, ..row };
        self.servers[peer].track(Kind::Tracking, at + 5_000, &head, &there);
        let discarded = at + self.random.range(1_500_000, 20 * SECOND);
        self.servers[peer].track(Kind::Tracking, discarded, &head, &Row { event: "HADISCARD", source: "REDUNDANCY", ..there });
    }

    /// Carries a message on, until it is delivered, given up or put off.
    pub(super) fn route(&mut self, stage: &mut Scene, mut mail: Mail, at: i64) {
        let mut run = Run { end: at + 2_000, ..Run::default() };
        if mail.open.iter().any(|r| r.fate == Fate::OwnFilter) {
            self.apply_rule(stage, &mut mail, &mut run, at);
        }
        let (local, outside): (Vec<_>, Vec<_>) =
            std::mem::take(&mut mail.open).into_iter().partition(|r| matches!(r.to, Address::Person(_)));
        if !local.is_empty() {
            match mail.server {
                MAILBOX => self.store(stage, &mut mail, &mut run, &local, at),
                _ => self.pass_on(stage, &mut mail, &mut run, &local, at),
            }
        }
        if mail.server == MAILBOX && self.two() && !outside.is_empty() {
            self.pass_on(stage, &mut mail, &mut run, &outside, at);
        } else {
            self.send_out(stage, &mut mail, &mut run, outside, at);
        }
        self.end_run(stage, mail, run);
    }

    /// A transport rule rejects the message for all its recipients.
    fn apply_rule(&mut self, stage: &Scene, mail: &mut Mail, run: &mut Run, at: i64) {
        let open = std::mem::take(&mut mail.open);
        let place = self.servers[mail.server].place;
        let recipients = spell(stage, &open);
        let one = self.status(RULE_REPLY, "", "", at);
        let status = joined(open.iter().map(|_| one.as_str()));
        self.promise_notice(mail, run);
        let row = Row {
            server: place.name,
            context: "Transport Rule Agent",
            source: "AGENT",
            event: "FAIL",
            recipients: &recipients,
            status: &status,
            count: open.len(),
            reference: &run.notice,
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, at + 14_000, &mail.head, &row);
        mail.fates.block_by_own(open.len() as u64);
        run.failed = true;
        run.end = run.end.max(at + 14_000);
    }

    /// Names the notice that the sender will get, so that the rows of the failures can refer to it.
    pub(super) fn promise_notice(&mut self, mail: &Mail, run: &mut Run) {
        if run.notice.is_empty() && matches!(mail.from, Sender::Person(_)) {
            run.notice = format!("<{}@{}>", guid(&mut self.random), self.servers[mail.server].place.fqdn);
        }
    }

    fn end_run(&mut self, stage: &mut Scene, mut mail: Mail, mut run: Run) {
        let age = run.end - mail.arrival;
        if !run.deferred.is_empty() && age > stage.lifetime {
            self.expire(stage, &mut mail, &mut run);
        } else if !run.deferred.is_empty() && age > DELAY_TOLD && !mail.delayed {
            mail.delayed = true;
            let late = run.deferred.clone();
            self.tell_delay(stage, &mail, &late, run.end);
        }
        if let (true, Sender::Person(person)) = (run.failed, mail.from) {
            let notice = std::mem::take(&mut run.notice);
            self.notify(stage, &mail, person, notice, false, run.end);
        }
        if run.deferred.is_empty() {
            self.count(stage, &mail, run.relayed);
        } else {
            let silent = run.deferred.iter().any(|r| r.fate == Fate::Unreachable);
            let wait = if silent { HOUR } else { 15 * MINUTE } + self.random.range(0, MINUTE);
            mail.open = run.deferred;
            mail.tries += 1;
            stage.plan(run.end + wait, Event::Later(Later::Mail(Box::new(mail))));
        }
    }

    /// The queue gives up what it tried for too long.
    fn expire(&mut self, stage: &Scene, mail: &mut Mail, run: &mut Run) {
        let late = std::mem::take(&mut run.deferred);
        let at = run.end + 20_000;
        self.promise_notice(mail, run);
        let recipients = spell(stage, &late);
        let one = self.status("550 4.4.7 QUEUE.Expired; message expired", "", "", at);
        let status = joined(late.iter().map(|_| one.as_str()));
        let row = Row {
            server: self.servers[mail.server].place.name,
            source: "QUEUE",
            event: "FAIL",
            recipients: &recipients,
            status: &status,
            count: late.len(),
            reference: &run.notice,
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, at, &mail.head, &row);
        mail.fates.add(Outcome::Expired, late.len() as u64);
        (run.failed, run.end) = (true, at);
    }

    fn tell_delay(&mut self, stage: &mut Scene, mail: &Mail, late: &[Recipient], at: i64) {
        if let (Sender::Person(person), false) = (mail.from, late.is_empty()) {
            let id = format!("<{}@{}>", guid(&mut self.random), self.servers[mail.server].place.fqdn);
            self.notify(stage, mail, person, id, true, at);
        }
    }

    /// Returns a notice to the sender.
    fn notify(&mut self, stage: &mut Scene, mail: &Mail, person: usize, id: String, delay: bool, at: i64) {
        let born = at + self.random.range(10_000, 90_000);
        let place = self.servers[mail.server].place;
        let head = Head {
            number: self.servers[mail.server].number(),
            message_id: id,
            network_id: network_id(&mut self.random, born),
            subject: format!("{}: {}", if delay { "Delivery delayed" } else { "Undeliverable" }, mail.head.subject),
            sender: format!("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{HOME_DOMAIN}"),
            return_path: "<>".to_owned(),
            size: mail.head.size + 5_120,
            direction: "Originating",
            original_ip: String::new(),
        };
        let to = stage.cast.people[person].address.clone();
        let row = Row {
            server: place.name,
            context: if delay { "Delayed" } else { "Failure" },
            source: "DSN",
            event: "DSN",
            recipients: &to,
            count: 1,
            reference: &mail.head.message_id,
            custom: "S:DeliveryPriority=Normal",
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, born, &head, &row);
        let notice = Mail {
            server: mail.server,
            head,
            from: Sender::Notice,
            open: vec![Recipient { to: Address::Person(person), fate: Fate::Delivered }],
            arrival: born,
            tries: 0,
            taken: mail.taken,
            fates: Fates::default(),
            earlier: Fates::default(),
            delayed: delay,
        };
        self.route(stage, notice, born + 10_000);
    }

    /// Counts a message whose recipients are settled at this server.
    fn count(&self, stage: &mut Scene, mail: &Mail, relayed: bool) {
        let Sender::Person(person) = mail.from else { return };
        if self.two() && mail.server == MAILBOX {
            if let Some(taken) = mail.taken.and_then(|taken| stage.book.taken(taken)) {
                taken.tally_dept.add(&mail.fates);
            }
            if relayed {
                return;
            }
        } else if self.two() {
            stage.book.core[person].add(&mail.fates);
        }
        stage.count(person, mail.taken, &mail.fates.plus(&mail.earlier));
    }

    /// Counts a message that is still in the queue when the evidence ends.
    pub(super) fn close_open(&self, stage: &mut Scene, mut mail: Mail) {
        mail.fates.add(Outcome::Deferred, mail.open.len() as u64);
        self.count(stage, &mail, false);
    }
}

/// The addresses of recipients, joined.
pub(super) fn spell(stage: &Scene, recipients: &[Recipient]) -> String {
    let all: Vec<String> = recipients.iter().map(|r| address(&stage.cast, r.to)).collect();
    joined(all.iter().map(String::as_str))
}
