//! The way of a message through the transport service: shadow copies, rules, delivery, the next hop, deferral, notices, and its count.

use super::columns::Kind;
use super::replies;
use super::text::{guid, network_id, stamp};
use super::tracking::{Head, Row, joined};
use super::{BORDER_CONNECTOR, Exchange, HUB_CONNECTOR, Later, MAILBOX, Scene, address};
use crate::domain::outcome::Outcome;
use crate::domain::time::{HOUR, MINUTE, SECOND};
use crate::simulate::cast::{Address, HOME_DOMAIN};
use crate::simulate::happenings::{Fate, Recipient, Sender};
use crate::simulate::request::Columns;
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
struct Run {
    end: i64,
    failed: bool,
    deferred: Vec<Recipient>,
    /// Whether the other server took some, and so has the last word.
    relayed: bool,
    /// The message id of the notice that failures are told by.
    notice: String,
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
        let mut row = Row { client_ip: place.ip, client: place.name, recipients: &all, count: mail.open.len(), ..Row::default() };
        row.source = "SMTP";
        if self.two() {
            let peer = 1 - mail.server;
            let shadow = self.servers[peer].place;
            row.event = "HAREDIRECT";
            (row.server_ip, row.server, row.context) = (shadow.ip, shadow.fqdn, "Shadow copy accepted");
            self.servers[mail.server].track(Kind::Tracking, at + 6_000, &mail.head, &row);
            let head = Head { number: self.servers[peer].number(), ..mail.head.clone() };
            (row.event, row.context) = ("HARECEIVE", "");
            let connector = format!("{}\\Default {}", shadow.name, shadow.name);
            row.connector = &connector;
            self.servers[peer].track(Kind::Tracking, at + 5_000, &head, &row);
            (row.event, row.source) = ("HADISCARD", "REDUNDANCY");
            let discarded = at + self.random.range(1_500_000, 20 * SECOND);
            self.servers[peer].track(Kind::Tracking, discarded, &head, &row);
        } else {
            row.event = "HAREDIRECTFAIL";
            row.context = "No suitable shadow servers";
            self.servers[mail.server].track(Kind::Tracking, at + 6_000, &mail.head, &row);
        }
        let custom = format!("S:AMA=SUM|action=p|error=|atch=0;S:CompCost=|ETR=0;S:DeliveryPriority=Normal;S:AccountForest={HOME_DOMAIN}");
        let row = Row {
            server: place.name,
            source: "AGENT",
            event: "AGENTINFO",
            recipients: &all,
            count: mail.open.len(),
            custom: &custom,
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, at + 9_000, &mail.head, &row);
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

    /// Delivers to mailboxes of this server.
    fn store(&mut self, stage: &mut Scene, mail: &mut Mail, run: &mut Run, group: &[Recipient], at: i64) {
        let handed = at + self.random.range(40_000, 150_000);
        let done = handed + self.random.range(30_000, 250_000);
        let place = self.servers[mail.server].place;
        let server = &mut self.servers[mail.server];
        let recipients = spell(stage, group);
        let status = joined(group.iter().map(|_| "250 2.1.5 Recipient OK"));
        let session = server.session();
        let submitted = stamp(mail.arrival);
        let reply = format!(
            "{session};250 2.6.0 {} [InternalId={}, Hostname={}] {} bytes in 0.112, {}.9 KB/sec Queued mail for delivery;ClientSubmitTime:{submitted}",
            mail.head.message_id,
            mail.head.number,
            place.fqdn,
            mail.head.size,
            1 + mail.head.size / 512
        );
        let info = format!("{submitted};SRV={}:TOTAL-HUB=0.{:03}|SMR=0.045(SMRPI=0.012)", place.fqdn, (handed - at) / 1000);
        let mut row = Row {
            client_ip: place.ip,
            client: place.name,
            server_ip: place.ip,
            server: place.fqdn,
            context: &reply,
            connector: HUB_CONNECTOR,
            source: "SMTP",
            event: "SEND",
            recipients: &recipients,
            status: &status,
            count: group.len(),
            info: &info,
            custom: "S:E2ELatency=0.214;S:DeliveryPriority=Normal",
            ..Row::default()
        };
        server.track(Kind::Tracking, handed, &mail.head, &row);
        let context = format!("{session};{};ClientSubmitTime:{submitted}", stamp(handed));
        let database =
            format!("S:MailboxDatabaseName=DB01;S:DatabaseHealth=0;S:DeliveryPriority=Normal;S:Mailboxes={}", self.mailbox_of(group));
        (row.event, row.source, row.status, row.connector) = ("DELIVER", "STOREDRIVER", "", "");
        (row.context, row.custom) = (&context, &database);
        self.servers[mail.server].track(Kind::Delivery, done, &mail.head, &row);
        run.end = run.end.max(done);
        mail.fates.add(Outcome::Delivered, group.len() as u64);
        if mail.from == Sender::Notice && !mail.delayed {
            stage.count_notice(mail.taken, done);
        }
    }

    fn mailbox_of(&self, group: &[Recipient]) -> String {
        let mailboxes = group.iter().filter_map(|r| if let Address::Person(person) = r.to { self.owners.get(person) } else { None });
        joined(mailboxes.map(|owner| owner.mailbox.as_str()))
    }

    /// Hands recipients to the other server of the organisation, which carries on with them.
    fn pass_on(&mut self, stage: &mut Scene, mail: &mut Mail, run: &mut Run, group: &[Recipient], at: i64) {
        let handed = at + self.random.range(60_000, 400_000);
        let peer = 1 - mail.server;
        let (from, to) = (self.servers[mail.server].place, self.servers[peer].place);
        let head = Head { number: self.servers[peer].number(), ..mail.head.clone() };
        let recipients = spell(stage, group);
        let status = joined(group.iter().map(|_| "250 2.1.5 Recipient OK"));
        let (sending, receiving) = (self.servers[mail.server].session(), self.servers[peer].session());
        let reply = format!(
            "{sending};250 2.6.0 {} [InternalId={}, Hostname={}] {} bytes in 0.091, {}.2 KB/sec Queued mail for delivery",
            head.message_id,
            head.number,
            to.fqdn,
            head.size,
            1 + head.size / 400
        );
        let info = format!("{};SRV={}:TOTAL-HUB=0.{:03}", stamp(mail.arrival), from.fqdn, (handed - at) / 1000);
        let row = Row {
            client_ip: from.ip,
            client: from.name,
            server_ip: to.ip,
            server: to.fqdn,
            context: &reply,
            connector: HUB_CONNECTOR,
            source: "SMTP",
            event: "SEND",
            recipients: &recipients,
            status: &status,
            count: group.len(),
            info: &info,
            custom: "S:DeliveryPriority=Normal",
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, handed + 8_000, &mail.head, &row);
        let connector = format!("{}\\Default {}", to.name, to.name);
        let context = format!("{receiving};{};0", stamp(handed - 20_000));
        let custom = format!("S:FirstForestHop={};S:DeliveryPriority=Normal;S:AccountForest={HOME_DOMAIN}", from.fqdn);
        let row = Row {
            client_ip: from.ip,
            client: from.fqdn,
            server_ip: to.ip,
            server: to.name,
            context: &context,
            connector: &connector,
            source: "SMTP",
            event: "RECEIVE",
            recipients: &recipients,
            count: group.len(),
            info: "0cI: ",
            original_server_ip: from.ip,
            custom: &custom,
            ..Row::default()
        };
        self.servers[peer].track(Kind::Tracking, handed, &head, &row);
        let next = Mail {
            server: peer,
            head,
            open: group.to_vec(),
            arrival: handed,
            tries: 0,
            fates: Fates::default(),
            earlier: mail.fates,
            ..mail.clone()
        };
        self.route(stage, next, handed + 15_000);
        run.end = run.end.max(handed + 8_000);
        run.relayed = true;
        mail.fates.add(Outcome::Relayed, group.len() as u64);
    }

    /// Delivers to the recipients outside, domain by domain.
    fn send_out(&mut self, stage: &mut Scene, mail: &mut Mail, run: &mut Run, mut outside: Vec<Recipient>, at: i64) {
        while let Some(domain) = outside.first().and_then(|r| stage.cast.domain(r.to)) {
            let (group, rest) = outside.into_iter().partition(|r: &Recipient| stage.cast.domain(r.to) == Some(domain));
            outside = rest;
            self.send_to_domain(stage, mail, run, &group, domain, at);
        }
    }

    fn send_to_domain(&mut self, stage: &Scene, mail: &mut Mail, run: &mut Run, group: &[Recipient], domain: usize, at: i64) {
        let done = at + self.random.range(300_000, 1_900_000);
        run.end = run.end.max(done);
        let host = &stage.cast.domains[domain];
        let of = |verdict: Verdict| group.iter().filter(|r| judge(r.fate, mail.tries) == verdict).copied().collect::<Vec<_>>();
        let (sent, refused, put_off) = (of(Verdict::Sent), of(Verdict::Refused), of(Verdict::PutOff));
        let session = self.servers[mail.server].session();
        let name = host.mx.split('[').next().unwrap_or_default();
        let place = self.servers[mail.server].place;
        let info = format!("{};SRV={}:TOTAL-HUB=0.{:03}|SMS=0.31", stamp(mail.arrival), place.fqdn, (done - at) / 1000 % 1000);
        let mut row = Row {
            client_ip: place.ip,
            client: place.name,
            server_ip: &host.mx_ip,
            server: name,
            connector: BORDER_CONNECTOR,
            source: "SMTP",
            info: &info,
            custom: "S:E2ELatency=1.02;S:ToEntity=Internet;S:FromEntity=Hosted",
            ..Row::default()
        };
        if !sent.is_empty() {
            let reply = replies::accepted(host.flavour, &mail.head.message_id, mail.head.size, &mut self.random);
            let context = format!("{session};{reply};ClientSubmitTime:");
            let recipients = spell(stage, &sent);
            let status = joined(sent.iter().map(|_| "250 2.1.5 Recipient OK"));
            row.event = if self.servers[mail.server].columns == Columns::New { "SENDEXTERNAL" } else { "SEND" };
            let row = Row { context: &context, recipients: &recipients, status: &status, count: sent.len(), ..row };
            self.servers[mail.server].track(Kind::Tracking, done, &mail.head, &row);
            mail.fates.add(Outcome::Delivered, sent.len() as u64);
        }
        if !refused.is_empty() {
            self.promise_notice(mail, run);
            let reply = |r: &Recipient| {
                let said = replies::refused(host.flavour, r.fate, &address(&stage.cast, r.to), place.ip);
                self.status(&said, name, &host.mx_ip, done)
            };
            let status: Vec<String> = refused.iter().map(reply).collect();
            let status = joined(status.iter().map(String::as_str));
            let recipients = spell(stage, &refused);
            (row.event, row.info, row.context) = ("FAIL", "", &session);
            let row = Row { recipients: &recipients, status: &status, count: refused.len(), reference: &run.notice, ..row };
            self.servers[mail.server].track(Kind::Tracking, done + 2_000, &mail.head, &row);
            for recipient in &refused {
                match recipient.fate {
                    Fate::Reputation => mail.fates.block_by_remote(1),
                    _ => mail.fates.add(Outcome::Bounced, 1),
                }
            }
            run.failed = true;
        }
        if !put_off.is_empty() {
            let silent = put_off.iter().any(|r| r.fate == Fate::Unreachable);
            let reply = |r: &Recipient| match r.fate {
                Fate::Unreachable => self.status(&replies::unreachable(&host.mx_ip), name, &host.mx_ip, done),
                _ => self.status(&replies::later(host.flavour, &address(&stage.cast, r.to), place.ip), name, &host.mx_ip, done),
            };
            let status: Vec<String> = put_off.iter().map(reply).collect();
            let status = joined(status.iter().map(String::as_str));
            let recipients = spell(stage, &put_off);
            (row.event, row.info, row.context) = ("DEFER", "", if silent { "" } else { &session });
            let row = Row { recipients: &recipients, status: &status, count: put_off.len(), ..row };
            self.servers[mail.server].track(Kind::Tracking, done + 3_000, &mail.head, &row);
            run.deferred.extend(put_off);
        }
    }

    /// A status as each version writes it: bare, or with where and when the last answer came from.
    fn status(&self, said: &str, name: &str, ip: &str, at: i64) -> String {
        match self.servers[MAILBOX].columns {
            Columns::Old => said.to_owned(),
            Columns::New => format!("[{{LED={said}}};{{MSG=}};{{FQDN={name}}};{{IP={ip}}};{{LRT={}}}]", stamp(at)),
        }
    }

    /// Names the notice that the sender will get, so that the rows of the failures can refer to it.
    fn promise_notice(&mut self, mail: &Mail, run: &mut Run) {
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

/// What one attempt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Sent,
    Refused,
    PutOff,
}

fn judge(fate: Fate, tries: u16) -> Verdict {
    match fate {
        Fate::Delivered | Fate::OwnFilter => Verdict::Sent,
        Fate::NoSuchUser | Fate::MailboxFull | Fate::Reputation => Verdict::Refused,
        Fate::Later(times) if tries >= u16::from(times) => Verdict::Sent,
        Fate::Later(_) | Fate::Unreachable => Verdict::PutOff,
    }
}

/// The addresses of recipients, joined.
pub(super) fn spell(stage: &Scene, recipients: &[Recipient]) -> String {
    let all: Vec<String> = recipients.iter().map(|r| address(&stage.cast, r.to)).collect();
    joined(all.iter().map(String::as_str))
}
