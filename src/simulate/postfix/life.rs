//! The life of a message in a queue: activation, the order of its deliveries, deferral, expiry, notices, and the count of its end.

use super::envelope::Program;
use super::host::QueueId;
use super::{CORE, DEPT, Mailboxes, Postfix, Scene};
use crate::domain::outcome::Outcome;
use crate::domain::time::SECOND;
use crate::simulate::cast::{Address, Cast};
use crate::simulate::happenings::{Fate, Recipient, Sender, Topic};
use crate::simulate::put::Put;
use crate::simulate::tally::Fates;
use crate::simulate::world::Event;
use chrono::DateTime;

/// A message in the queue of one host.
#[derive(Clone, Debug)]
pub(in crate::simulate) struct Life {
    pub(super) host: usize,
    pub(super) id: QueueId,
    pub(super) arrival: i64,
    pub(super) sender: Sender,
    pub(super) topic: Topic,
    pub(super) size: u32,
    pub(super) message_id: Vec<u8>,
    /// Recipients without a final outcome at this host.
    pub(super) open: Vec<Recipient>,
    pub(super) announced: u64,
    pub(super) tries: u16,
    /// The incident's account that an attacker sent it by, or whose messages a notice is about.
    pub(super) taken: Option<usize>,
    /// Outcomes settled at this host.
    pub(super) fates: Fates,
    /// Outcomes settled at the host before.
    pub(super) earlier: Fates,
}

/// What one run of the queue manager over a message has come to so far.
pub(super) struct Run {
    pub(super) active: i64,
    pub(super) end: i64,
    /// Whether a recipient failed for good, so that the sender must be told.
    pub(super) refused: bool,
    pub(super) deferred: Vec<Recipient>,
    /// Whether the other server took some, and so has the last word.
    pub(super) relayed: bool,
}

/// `minimal_backoff_time` and `maximal_backoff_time`.
const BACKOFF_MIN: i64 = 300 * SECOND;
const BACKOFF_MAX: i64 = 4000 * SECOND;

impl Postfix {
    /// Makes a message active and carries out what follows, until it is delivered, given up or put off.
    pub(super) fn run_queue(&mut self, stage: &mut Scene, mut life: Life, active: i64) {
        self.put_active(stage, &life, active);
        let mut run = Run { active, end: active + 2_000, refused: false, deferred: Vec::new(), relayed: false };
        let (local, mut outside): (Vec<_>, Vec<_>) =
            std::mem::take(&mut life.open).into_iter().partition(|r| matches!(r.to, Address::Person(_)));
        if !local.is_empty() {
            match life.host {
                DEPT if self.mailboxes == Mailboxes::Tenant => self.hand_to_tenant(stage, &mut life, &mut run, &local),
                DEPT => self.store(stage, &mut life, &mut run, &local),
                _ => self.relay(stage, &mut life, &mut run, &local, DEPT),
            }
        }
        if life.host == DEPT && self.two() && !outside.is_empty() {
            self.relay(stage, &mut life, &mut run, &outside, CORE);
            outside.clear();
        }
        while let Some(domain) = outside.first().and_then(|r| stage.cast.domain(r.to)) {
            let (group, rest) = outside.into_iter().partition(|r: &Recipient| stage.cast.domain(r.to) == Some(domain));
            outside = rest;
            self.send_out(stage, &mut life, &mut run, &group, domain);
        }
        self.end_run(stage, life, run);
    }

    fn put_active(&mut self, stage: &Scene, life: &Life, at: i64) {
        let qmgr = self.hosts[life.host].qmgr;
        let body = self.hosts[life.host].queue_line(at, Program::Qmgr, qmgr, &life.id);
        put_from(body, &stage.cast, life.sender);
        body.text("size=").number(u64::from(life.size)).text(", nrcpt=").number(life.announced).text(" (queue active)");
    }

    fn end_run(&mut self, stage: &mut Scene, mut life: Life, mut run: Run) {
        let expired = !run.deferred.is_empty() && run.end - life.arrival > stage.lifetime;
        if expired {
            run.end += 900;
            let qmgr = self.hosts[life.host].qmgr;
            let body = self.hosts[life.host].queue_line(run.end, Program::Qmgr, qmgr, &life.id);
            put_from(body, &stage.cast, life.sender);
            body.text("status=expired, returned to sender");
            life.fates.add(Outcome::Expired, run.deferred.len() as u64);
            run.deferred.clear();
            run.refused = true;
        }
        let end = match (run.refused, life.sender) {
            (true, Sender::Person(person)) => self.notify(stage, &life, person, run.end),
            _ => run.end,
        };
        if run.deferred.is_empty() {
            let (at, qmgr) = (end + stage.random.range(200, 1_500), self.hosts[life.host].qmgr);
            self.hosts[life.host].queue_line(at, Program::Qmgr, qmgr, &life.id).text("removed");
            self.hosts[life.host].remove(&life.id, at);
            self.count(stage, &life, run.relayed);
        } else {
            life.open = run.deferred;
            life.tries += 1;
            let wait = (end - life.arrival).clamp(BACKOFF_MIN, BACKOFF_MAX) + stage.random.range(0, 300 * SECOND);
            stage.plan(end + wait, Event::Later(Box::new(life)));
        }
    }

    /// Returns a notice to the sender; gives the time at which the failed message may go.
    fn notify(&mut self, stage: &mut Scene, life: &Life, person: usize, at: i64) -> i64 {
        let born = at + stage.random.range(1_000, 4_000);
        let told = born + stage.random.range(500, 6_000);
        let active = born + stage.random.range(700, 6_000);
        let host = &mut self.hosts[life.host];
        let id = host.create(born);
        let mut message_id = Vec::with_capacity(48);
        let utc = DateTime::from_timestamp(born.div_euclid(SECOND), 0).unwrap_or_default();
        message_id.text(&utc.format("%Y%m%d%H%M%S").to_string()).text(".").bytes(id.bytes()).text("@").text(host.fqdn);
        let cleanup = host.process(Program::Cleanup, born, born + 500);
        host.queue_line(born + 400, Program::Cleanup, cleanup, &id).text("message-id=<").bytes(&message_id).text(">");
        let bounce = host.process(Program::Bounce, born, told);
        host.queue_line(told, Program::Bounce, bounce, &life.id).text("sender non-delivery notification: ").bytes(id.bytes());
        let notice = Life {
            host: life.host,
            id,
            arrival: born,
            sender: Sender::Notice,
            topic: life.topic,
            size: life.size + 2_150,
            message_id,
            open: vec![Recipient { to: Address::Person(person), fate: Fate::Delivered }],
            announced: 1,
            tries: 0,
            taken: life.taken,
            fates: Fates::default(),
            earlier: Fates::default(),
        };
        self.run_queue(stage, notice, active);
        told
    }

    /// Counts a message whose recipients are settled at this host.
    fn count(&self, stage: &mut Scene, life: &Life, relayed: bool) {
        let Sender::Person(person) = life.sender else { return };
        if life.host == DEPT && self.two() {
            if let Some(taken) = life.taken.and_then(|taken| stage.book.taken(taken)) {
                taken.tally_dept.add(&life.fates);
            }
            if relayed {
                return;
            }
            if life.fates.own > 0 {
                stage.book.core[person].add(&Fates::blocked_by_own(life.fates.own));
            }
        } else if life.host == CORE {
            stage.book.core[person].add(&life.fates);
        }
        let all = life.fates.plus(&life.earlier);
        stage.count(person, life.taken, &all);
    }

    /// Counts a message that is still in the queue when the evidence ends.
    pub(super) fn close_open(&self, stage: &mut Scene, mut life: Life) {
        life.fates.add(Outcome::Deferred, life.open.len() as u64);
        self.count(stage, &life, false);
    }
}

fn put_from(body: &mut Vec<u8>, cast: &Cast, sender: Sender) {
    body.text("from=<");
    match sender {
        Sender::Person(person) => cast.put(body, Address::Person(person)),
        Sender::Contact(contact) => cast.put(body, Address::Contact(contact)),
        Sender::Notice => {}
    }
    body.text(">, ");
}
