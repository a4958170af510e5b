//! The life of a message in a queue: activation, the order of its deliveries, deferral, expiry, notices, and the count of its end.

use super::cast::Address;
use super::envelope::Program;
use super::host::QueueId;
use super::put::Put;
use super::replies::Fate;
use super::tally::Fates;
use super::world::{CORE, DEPT, Event, World};
use crate::domain::outcome::Outcome;
use crate::domain::time::{MINUTE, SECOND};
use chrono::DateTime;

/// One recipient and what is to become of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient {
    pub(super) to: Address,
    pub(super) fate: Fate,
}

/// The envelope sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Person(usize),
    Contact(u32),
    /// A notice by a server, with the empty sender.
    Notice,
}

/// A message in the queue of one host.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) host: usize,
    pub(super) id: QueueId,
    pub(super) arrival: i64,
    pub(super) sender: Sender,
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

impl World {
    /// Makes a message active and carries out what follows, until it is delivered, given up or put off.
    pub(super) fn run_queue(&mut self, mut life: Life, active: i64) {
        self.put_active(&life, active);
        let mut run = Run { active, end: active + 2_000, refused: false, deferred: Vec::new(), relayed: false };
        let (local, mut outside): (Vec<_>, Vec<_>) =
            std::mem::take(&mut life.open).into_iter().partition(|r| matches!(r.to, Address::Person(_)));
        if !local.is_empty() {
            match life.host {
                DEPT => self.store(&mut life, &mut run, &local),
                _ => self.relay(&mut life, &mut run, &local, DEPT),
            }
        }
        if life.host == DEPT && self.two() && !outside.is_empty() {
            self.relay(&mut life, &mut run, &outside, CORE);
            outside.clear();
        }
        while let Some(domain) = outside.first().and_then(|r| self.cast.domain(r.to)) {
            let (group, rest) = outside.into_iter().partition(|r: &Recipient| self.cast.domain(r.to) == Some(domain));
            outside = rest;
            self.send_out(&mut life, &mut run, &group, domain);
        }
        self.end_run(life, run);
    }

    fn put_active(&mut self, life: &Life, at: i64) {
        let qmgr = self.hosts[life.host].qmgr;
        let body = self.hosts[life.host].queue_line(at, Program::Qmgr, qmgr, &life.id);
        put_from(body, &self.cast, life.sender);
        body.text("size=").number(u64::from(life.size)).text(", nrcpt=").number(life.announced).text(" (queue active)");
    }

    fn end_run(&mut self, mut life: Life, mut run: Run) {
        let expired = !run.deferred.is_empty() && run.end - life.arrival > self.lifetime;
        if expired {
            run.end += 900;
            let qmgr = self.hosts[life.host].qmgr;
            let body = self.hosts[life.host].queue_line(run.end, Program::Qmgr, qmgr, &life.id);
            put_from(body, &self.cast, life.sender);
            body.text("status=expired, returned to sender");
            life.fates.add(Outcome::Expired, run.deferred.len() as u64);
            run.deferred.clear();
            run.refused = true;
        }
        let end = match (run.refused, life.sender) {
            (true, Sender::Person(person)) => self.notify(&life, person, run.end),
            _ => run.end,
        };
        if run.deferred.is_empty() {
            let (at, qmgr) = (end + self.random.range(200, 1_500), self.hosts[life.host].qmgr);
            self.hosts[life.host].queue_line(at, Program::Qmgr, qmgr, &life.id).text("removed");
            self.hosts[life.host].remove(&life.id, at);
            self.count(&life, run.relayed);
        } else {
            life.open = run.deferred;
            life.tries += 1;
            let wait = (end - life.arrival).clamp(BACKOFF_MIN, BACKOFF_MAX) + self.random.range(0, 300 * SECOND);
            self.plan(end + wait, Event::Retry(Box::new(life)));
        }
    }

    /// Returns a notice to the sender; gives the time at which the failed message may go.
    fn notify(&mut self, life: &Life, person: usize, at: i64) -> i64 {
        let born = at + self.random.range(1_000, 4_000);
        let told = born + self.random.range(500, 6_000);
        let active = born + self.random.range(700, 6_000);
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
            size: life.size + 2_150,
            message_id,
            open: vec![Recipient { to: Address::Person(person), fate: Fate::Delivered }],
            announced: 1,
            tries: 0,
            taken: life.taken,
            fates: Fates::default(),
            earlier: Fates::default(),
        };
        self.run_queue(notice, active);
        told
    }

    /// Counts a message whose recipients are settled at this host.
    fn count(&mut self, life: &Life, relayed: bool) {
        let Sender::Person(person) = life.sender else { return };
        if life.host == DEPT && self.two() {
            if let Some(taken) = life.taken.and_then(|taken| self.book.taken(taken)) {
                taken.tally_dept.add(&life.fates);
            }
            if relayed {
                return;
            }
            if life.fates.own > 0 {
                self.book.core[person].add(&Fates::blocked_by_own(life.fates.own));
            }
        } else if life.host == CORE {
            self.book.core[person].add(&life.fates);
        }
        let all = life.fates.plus(&life.earlier);
        self.book.accounts[person].add(&all);
        if let Some(taken) = life.taken.and_then(|taken| self.book.taken(taken)) {
            taken.tally.add(&all);
        }
    }

    /// Counts a message that is still in the queue when the evidence ends.
    pub(super) fn close_open(&mut self, life: &Life) {
        let mut life = life.clone();
        life.fates.add(Outcome::Deferred, life.open.len() as u64);
        self.count(&life, false);
    }

    /// How long before the end of the evidence nothing new is begun, so that nothing is cut in the middle of an attempt.
    pub(super) const LAST_CALL: i64 = 2 * MINUTE;
}

fn put_from(body: &mut Vec<u8>, cast: &super::cast::Cast, sender: Sender) {
    body.text("from=<");
    match sender {
        Sender::Person(person) => cast.put(body, Address::Person(person)),
        Sender::Contact(contact) => cast.put(body, Address::Contact(contact)),
        Sender::Notice => {}
    }
    body.text(">, ");
}
