//! The rows of one attempt: into mailboxes, to the other server of the organisation, or out into the world.

use super::columns::Kind;
use super::replies;
use super::server::Place;
use super::text::stamp;
use super::tracking::{Head, Row, joined};
use super::transport::{Mail, Run, spell};
use super::{BORDER_CONNECTOR, Exchange, HUB_CONNECTOR, MAILBOX, Scene, address};
use crate::domain::outcome::Outcome;
use crate::simulate::cast::{Address, Domain, HOME_DOMAIN};
use crate::simulate::happenings::{Fate, Recipient, Sender};
use crate::simulate::request::Columns;
use crate::simulate::tally::Fates;

/// A server outside, and the session with it.
#[derive(Clone, Copy)]
struct Target<'a> {
    domain: &'a Domain,
    session: &'a str,
    /// When the last answer came.
    at: i64,
}

impl Target<'_> {
    /// The name alone, without the address.
    fn name(&self) -> &str {
        self.domain.mx.split('[').next().unwrap_or_default()
    }
}

impl Exchange {
    /// Delivers to mailboxes of this server.
    pub(super) fn store(&mut self, stage: &mut Scene, mail: &mut Mail, run: &mut Run, group: &[Recipient], at: i64) {
        let handed = at + self.random.range(40_000, 150_000);
        let done = handed + self.random.range(30_000, 250_000);
        let place = self.servers[mail.server].place;
        let session = self.servers[mail.server].session();
        let (recipients, status) = (spell(stage, group), accepted(group));
        let submitted = stamp(mail.arrival);
        let reply = format!("{};ClientSubmitTime:{submitted}", queued(&session, &mail.head, place));
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
        self.servers[mail.server].track(Kind::Tracking, handed, &mail.head, &row);
        let context = format!("{session};{};ClientSubmitTime:{submitted}", stamp(handed));
        let custom =
            format!("S:MailboxDatabaseName=DB01;S:DatabaseHealth=0;S:DeliveryPriority=Normal;S:Mailboxes={}", self.mailboxes(group));
        (row.event, row.source, row.status, row.connector) = ("DELIVER", "STOREDRIVER", "", "");
        (row.context, row.custom) = (&context, &custom);
        self.servers[mail.server].track(Kind::Delivery, done, &mail.head, &row);
        run.end = run.end.max(done);
        mail.fates.add(Outcome::Delivered, group.len() as u64);
        if mail.from == Sender::Notice && !mail.delayed {
            stage.count_notice(mail.taken, done);
        }
    }

    fn mailboxes(&self, group: &[Recipient]) -> String {
        let mailboxes = group.iter().filter_map(|r| if let Address::Person(person) = r.to { self.owners.get(person) } else { None });
        joined(mailboxes.map(|owner| owner.mailbox.as_str()))
    }

    /// Hands recipients to the other server of the organisation, which carries on with them.
    pub(super) fn pass_on(&mut self, stage: &mut Scene, mail: &mut Mail, run: &mut Run, group: &[Recipient], at: i64) {
        let handed = at + self.random.range(60_000, 400_000);
        let peer = 1 - mail.server;
        let next = Mail {
            server: peer,
            head: Head { number: self.servers[peer].number(), ..mail.head.clone() },
            open: group.to_vec(),
            arrival: handed,
            tries: 0,
            fates: Fates::default(),
            earlier: mail.fates,
            ..mail.clone()
        };
        self.put_handed_over(stage, mail, &next, at);
        self.put_taken_over(stage, mail.server, &next);
        self.route(stage, next, handed + 15_000);
        run.end = run.end.max(handed + 8_000);
        run.relayed = true;
        mail.fates.add(Outcome::Relayed, group.len() as u64);
    }

    fn put_handed_over(&mut self, stage: &Scene, mail: &Mail, next: &Mail, at: i64) {
        let (from, to) = (self.servers[mail.server].place, self.servers[next.server].place);
        let (recipients, status) = (spell(stage, &next.open), accepted(&next.open));
        let reply = queued(&self.servers[mail.server].session(), &next.head, to);
        let info = format!("{};SRV={}:TOTAL-HUB=0.{:03}", stamp(mail.arrival), from.fqdn, (next.arrival - at) / 1000);
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
            count: next.open.len(),
            info: &info,
            custom: "S:DeliveryPriority=Normal",
            ..Row::default()
        };
        self.servers[mail.server].track(Kind::Tracking, next.arrival + 8_000, &mail.head, &row);
    }

    fn put_taken_over(&mut self, stage: &Scene, from: usize, next: &Mail) {
        let (from, to) = (self.servers[from].place, self.servers[next.server].place);
        let connector = format!("{}\\Default {}", to.name, to.name);
        let context = format!("{};{};0", self.servers[next.server].session(), stamp(next.arrival - 20_000));
        let custom = format!("S:FirstForestHop={};S:DeliveryPriority=Normal;S:AccountForest={HOME_DOMAIN}", from.fqdn);
        let row = Row {
            client_ip: from.ip,
            client: from.fqdn,
            server_ip: to.ip,
            server: to.name,
            context: &context,
            connector: &connector,
            info: "0cI: ",
            original_server_ip: from.ip,
            custom: &custom,
            ..Row::default()
        };
        self.put_received(stage, next, &row);
    }

    /// Delivers to the recipients outside, domain by domain.
    pub(super) fn send_out(&mut self, stage: &Scene, mail: &mut Mail, run: &mut Run, mut outside: Vec<Recipient>, at: i64) {
        while let Some(domain) = outside.first().and_then(|r| stage.cast.domain(r.to)) {
            let (group, rest): (Vec<_>, _) = outside.into_iter().partition(|r| stage.cast.domain(r.to) == Some(domain));
            outside = rest;
            let done = at + self.random.range(300_000, 1_900_000);
            run.end = run.end.max(done);
            let session = self.servers[mail.server].session();
            let target = Target { domain: &stage.cast.domains[domain], session: &session, at: done };
            let of = |verdict| group.iter().filter(|r| judge(r.fate, mail.tries) == verdict).copied().collect::<Vec<_>>();
            let (sent, refused, put_off) = (of(Verdict::Sent), of(Verdict::Refused), of(Verdict::PutOff));
            self.put_sent(stage, mail, target, &sent, at);
            self.put_refused(stage, mail, run, target, &refused);
            self.put_deferred(stage, mail, run, target, put_off);
        }
    }

    fn put_sent(&mut self, stage: &Scene, mail: &mut Mail, target: Target<'_>, group: &[Recipient], began: i64) {
        if group.is_empty() {
            return;
        }
        let place = self.servers[mail.server].place;
        let reply = replies::accepted(target.domain.flavour, &mail.head.message_id, mail.head.size, &mut self.random);
        let context = format!("{};{reply};ClientSubmitTime:", target.session);
        let info = format!("{};SRV={}:TOTAL-HUB=0.{:03}|SMS=0.31", stamp(mail.arrival), place.fqdn, (target.at - began) / 1000 % 1000);
        let (recipients, status) = (spell(stage, group), accepted(group));
        let row = Row {
            context: &context,
            event: if self.servers[mail.server].columns == Columns::New { "SENDEXTERNAL" } else { "SEND" },
            recipients: &recipients,
            status: &status,
            count: group.len(),
            info: &info,
            ..outward(place, &target)
        };
        self.servers[mail.server].track(Kind::Tracking, target.at, &mail.head, &row);
        mail.fates.add(Outcome::Delivered, group.len() as u64);
    }

    fn put_refused(&mut self, stage: &Scene, mail: &mut Mail, run: &mut Run, target: Target<'_>, group: &[Recipient]) {
        if group.is_empty() {
            return;
        }
        self.promise_notice(mail, run);
        let place = self.servers[mail.server].place;
        let said = |r: &Recipient| replies::refused(target.domain.flavour, r.fate, &address(&stage.cast, r.to), place.ip);
        let status: Vec<String> = group.iter().map(|r| self.status(&said(r), target.name(), &target.domain.mx_ip, target.at)).collect();
        let (recipients, status) = (spell(stage, group), joined(status.iter().map(String::as_str)));
        let row = Row {
            context: target.session,
            event: "FAIL",
            recipients: &recipients,
            status: &status,
            count: group.len(),
            reference: &run.notice,
            ..outward(place, &target)
        };
        self.servers[mail.server].track(Kind::Tracking, target.at + 2_000, &mail.head, &row);
        for recipient in group {
            match recipient.fate {
                Fate::Reputation => mail.fates.block_by_remote(1),
                _ => mail.fates.add(Outcome::Bounced, 1),
            }
        }
        run.failed = true;
    }

    fn put_deferred(&mut self, stage: &Scene, mail: &Mail, run: &mut Run, target: Target<'_>, group: Vec<Recipient>) {
        let Some(first) = group.first() else { return };
        let place = self.servers[mail.server].place;
        let silent = first.fate == Fate::Unreachable;
        let said = |r: &Recipient| match r.fate {
            Fate::Unreachable => replies::unreachable(&target.domain.mx_ip),
            _ => replies::later(target.domain.flavour, &address(&stage.cast, r.to), place.ip),
        };
        let status: Vec<String> = group.iter().map(|r| self.status(&said(r), target.name(), &target.domain.mx_ip, target.at)).collect();
        let (recipients, status) = (spell(stage, &group), joined(status.iter().map(String::as_str)));
        let row = Row {
            context: if silent { "" } else { target.session },
            event: "DEFER",
            recipients: &recipients,
            status: &status,
            count: group.len(),
            ..outward(place, &target)
        };
        self.servers[mail.server].track(Kind::Tracking, target.at + 3_000, &mail.head, &row);
        run.deferred.extend(group);
    }

    /// A status as each version writes it: bare, or with where and when the last answer came from.
    pub(super) fn status(&self, said: &str, name: &str, ip: &str, at: i64) -> String {
        match self.servers[MAILBOX].columns {
            Columns::Old => said.to_owned(),
            Columns::New => format!("[{{LED={said}}};{{MSG=}};{{FQDN={name}}};{{IP={ip}}};{{LRT={}}}]", stamp(at)),
        }
    }
}

/// The two sides of a row about a server outside.
fn outward<'a>(place: &'static Place, target: &'a Target<'_>) -> Row<'a> {
    Row {
        client_ip: place.ip,
        client: place.name,
        server_ip: &target.domain.mx_ip,
        server: target.name(),
        connector: BORDER_CONNECTOR,
        source: "SMTP",
        custom: "S:E2ELatency=1.02;S:ToEntity=Internet;S:FromEntity=Hosted",
        ..Row::default()
    }
}

/// The status of recipients that were taken.
fn accepted(group: &[Recipient]) -> String {
    joined(group.iter().map(|_| "250 2.1.5 Recipient OK"))
}

/// What a server of the organisation answers when it takes a message, behind the number of the session.
fn queued(session: &str, head: &Head, place: &Place) -> String {
    let Head { message_id, number, size, .. } = head;
    let rate = 1 + size / 512;
    format!(
        "{session};250 2.6.0 {message_id} [InternalId={number}, Hostname={}] {size} bytes in 0.112, {rate}.9 KB/sec Queued mail for delivery",
        place.fqdn
    )
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
