//! Ordinary life: who reads, writes and receives mail on a day, at which hours, from which places.

use super::cast::Address;
use super::happenings::{Fate, Letter, MailSystem, Recipient, Sender, Topic, Visit};
use super::world::{Event, Mailing, PREAMBLE, World};
use crate::domain::time::{DAY, HOUR, MINUTE, SECOND};

/// The story's people live by this clock, whatever zone the servers log in: nine hours east of UTC.
pub(super) const JST: i64 = 9 * HOUR;

/// How busy each hour of a day is.
const HOURS: [u64; 24] = [2, 1, 1, 0, 0, 1, 3, 8, 22, 40, 38, 34, 25, 36, 38, 36, 34, 30, 20, 14, 12, 10, 8, 4];

impl<S: MailSystem> World<S> {
    /// Plans a day of everybody's life, and the next day.
    pub(super) fn plan_day(&mut self, at: i64) {
        // 1970-01-01 was a Thursday.
        let weekend = matches!((at + JST).div_euclid(DAY).rem_euclid(7), 2 | 3);
        let busy = if weekend { self.bustle / 4 } else { self.bustle };
        for person in 0..self.stage.cast.people.len() {
            for _ in 0..self.times(2600, busy) {
                self.plan_reading(at, person, weekend);
            }
            for _ in 0..self.times(1100, busy) {
                let (when, client) = self.when_and_where(at, person, weekend);
                self.plan(when, Event::Write { person, client });
            }
            for _ in 0..self.times(1500, busy) {
                let when = at + self.hour_of_life();
                let contact = *self.stage.random.pick(&self.stage.cast.people[person].contacts);
                self.plan(when, Event::Inbound { contact, person });
            }
        }
        self.plan_noise(at);
        self.plan(at + DAY, Event::Day);
    }

    /// A whole number that is `per_mille` thousandths times `busy` thousandths on the average.
    fn times(&mut self, per_mille: u64, busy: u64) -> u64 {
        let most = 2 * per_mille * busy / 1000;
        let drawn = self.stage.random.below(most + 1);
        drawn / 1000 + u64::from(self.stage.random.chance(drawn % 1000))
    }

    fn plan_reading(&mut self, at: i64, person: usize, weekend: bool) {
        let (when, client) = self.when_and_where(at, person, weekend);
        if self.stage.random.chance(12) && !self.is_taken(person) {
            self.plan(when, Event::Typo { person, client });
        } else {
            let pop = self.stage.cast.people[person].pop && client == self.stage.cast.people[person].home;
            self.plan(when, Event::Read { person, client, pop });
        }
    }

    /// Whether the story needs a person's own record clean.
    fn is_taken(&self, person: usize) -> bool {
        self.stage.book.incident.as_ref().is_some_and(|incident| incident.accounts.iter().any(|taken| taken.person == person))
    }

    fn when_and_where(&mut self, at: i64, person: usize, weekend: bool) -> (i64, usize) {
        let offset = self.hour_of_life();
        let at_work = !weekend && (8 * HOUR..19 * HOUR).contains(&offset) && !self.stage.random.chance(60);
        let person = &self.stage.cast.people[person];
        (at + offset, if at_work { person.campus } else { person.home })
    }

    fn hour_of_life(&mut self) -> i64 {
        let mut drawn = self.stage.random.below(HOURS.iter().sum());
        for (hour, weight) in HOURS.iter().enumerate() {
            if drawn < *weight {
                return hour as i64 * HOUR + self.stage.random.range(0, HOUR - 1);
            }
            drawn -= weight;
        }
        12 * HOUR
    }

    /// Somebody writes to colleagues and correspondents.
    pub(super) fn write_mail(&mut self, at: i64, person: usize, client: usize) {
        if self.silent_until.is_some_and(|(who, until)| who == person && at < until) {
            return;
        }
        let mut recipients: Vec<Recipient> = Vec::new();
        for _ in 0..[1, 1, 1, 1, 2, 2, 3][self.stage.random.index(7)] {
            let (to, fate) = self.correspondent(person);
            if recipients.iter().all(|r| r.to != to) {
                recipients.push(Recipient { to, fate });
            }
        }
        for recipient in &recipients {
            if let Address::Contact(contact) = recipient.to {
                self.stage.book.written[person].insert(contact);
            }
        }
        self.stage.book.submitted += 1;
        let size = self.stage.random.range(900, 48_000) as u32;
        let message_id_host = super::cast::HOME_DOMAIN.to_owned();
        let letter = Letter { sender: Sender::Person(person), recipients, size, message_id_host, topic: Topic::Everyday, taken: None };
        self.system.send(&mut self.stage, at, person, client, letter);
    }

    fn correspondent(&mut self, person: usize) -> (Address, Fate) {
        if self.stage.random.chance(350) {
            let colleague = self.stage.random.index(self.stage.cast.people.len());
            let other = if colleague == person { (colleague + 1) % self.stage.cast.people.len() } else { colleague };
            return (Address::Person(other), Fate::Delivered);
        }
        let contact = *self.stage.random.pick(&self.stage.cast.people[person].contacts);
        match self.stage.random.below(1000) {
            0..25 => (Address::Mistyped(contact), Fate::NoSuchUser),
            25..45 => (Address::Contact(contact), Fate::Later(1)),
            45..50 => (Address::Contact(contact), Fate::MailboxFull),
            _ => (Address::Contact(contact), Fate::Delivered),
        }
    }

    /// A slip in an address, so that each story has an ordinary notice whose message id gives the year and the zone.
    pub(super) fn write_to_nobody(&mut self, at: i64, person: usize) {
        let client = self.stage.cast.people[person].campus;
        let contact = self.stage.cast.people[person].contacts[0];
        self.stage.book.submitted += 1;
        let letter = Letter {
            sender: Sender::Person(person),
            recipients: vec![Recipient { to: Address::Mistyped(contact), fate: Fate::NoSuchUser }],
            size: 1_840,
            message_id_host: super::cast::HOME_DOMAIN.to_owned(),
            topic: Topic::Everyday,
            taken: None,
        };
        self.system.send(&mut self.stage, at, person, client, letter);
    }

    /// Plans such a slip of somebody's.
    pub(super) fn plan_slip(&mut self, at: i64) {
        let person = 4 + self.stage.random.index(self.stage.cast.people.len() - 4);
        self.plan(at, Event::Slip { person });
    }

    /// A message from outside, from the server of its sender's domain.
    pub(super) fn receive(&mut self, at: i64, contact: u32, person: usize) {
        self.stage.book.inbound += 1;
        let domain = self.stage.cast.contacts[contact as usize].1;
        let client = self.stage.servers + domain;
        let letter = Letter {
            sender: Sender::Contact(contact),
            recipients: vec![Recipient { to: Address::Person(person), fate: Fate::Delivered }],
            size: self.stage.random.range(1_500, 60_000) as u32,
            message_id_host: self.stage.cast.domains[domain].name.clone(),
            topic: Topic::Everyday,
            taken: None,
        };
        self.system.receive(&mut self.stage, at, client, letter);
    }

    /// One message of a mailing to a list, and the next one.
    pub(super) fn mail_list(&mut self, at: i64, mut mailing: Mailing) {
        let (person, client) = (mailing.person, self.stage.cast.people[mailing.person].campus);
        let mut session = match mailing.session.and_then(|number| self.mailings.take(number)) {
            Some(session) => session,
            None => self.system.connect(&mut self.stage, at, Visit { person, client, tls: true }).session,
        };
        let recipients = (mailing.next..mailing.next + u64::from(mailing.recipients)).map(|number| self.subscriber(number)).collect();
        mailing.next += u64::from(mailing.recipients);
        mailing.messages -= 1;
        self.stage.book.submitted += 1;
        let message_id_host = super::cast::HOME_DOMAIN.to_owned();
        let sender = Sender::Person(person);
        let letter = Letter { sender, recipients, size: 38_200, message_id_host, topic: Topic::Everyday, taken: None };
        let done = self.system.submit(&mut self.stage, &mut session, at + PREAMBLE, letter, false).done;
        mailing.session = if mailing.messages.is_multiple_of(100) {
            self.system.disconnect(&mut self.stage, session, done + 5_000);
            None
        } else {
            Some(self.mailings.keep(session))
        };
        if mailing.messages > 0 {
            let next = done + self.stage.random.range(SECOND, 4 * SECOND);
            self.plan(next, Event::Mailing(mailing));
        }
    }

    fn subscriber(&self, number: u64) -> Recipient {
        let to = Address::Stranger(number);
        let lot = self.stage.cast.lot(to);
        let fate = match lot % 1000 {
            0..14 => Fate::NoSuchUser,
            14..18 => Fate::MailboxFull,
            18..40 => Fate::Later(1),
            _ => Fate::Delivered,
        };
        Recipient { to, fate }
    }

    /// Plans a mailing of `total` recipients.
    pub(super) fn plan_mailing(&mut self, at: i64, person: usize, total: u64, each: u32) {
        let messages = u32::try_from(total / u64::from(each)).unwrap_or(u32::MAX).max(1);
        let at = at + self.stage.random.range(0, 20 * MINUTE);
        self.plan(at, Event::Mailing(Mailing { person, messages, recipients: each, next: 0, session: None }));
    }
}
