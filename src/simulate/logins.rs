//! Logins to mailboxes, right and wrong, by owners and by those who guess.

use super::happenings::{Attempt, Change, Door, Login, MailSystem, Reading};
use super::tally::FirstLogin;
use super::world::{Event, World};
use crate::domain::time::{MINUTE, SECOND};

impl<S: MailSystem> World<S> {
    /// An owner reads mail, by IMAP or POP where the system knows them.
    pub(super) fn read_mail(&mut self, at: i64, person: usize, client: usize, pop: bool) {
        let mut reading = Reading { person, client, pop, stay: 0, seen: 0, read: 0, taken: None };
        if !pop {
            let random = &mut self.stage.random;
            reading.stay = if random.chance(500) { random.range(1, 90) * MINUTE } else { random.range(1, 20) * SECOND };
            reading.seen = random.below(9);
            reading.read = reading.seen / 2;
        }
        self.system.read(&mut self.stage, at, reading);
    }

    /// An owner mistypes the password, then gets it right.
    pub(super) fn mistype(&mut self, at: i64, person: usize, client: usize) {
        let name = self.stage.cast.people[person].login.clone();
        self.system.fail_login(&mut self.stage, at, Attempt { name: &name, client, times: 1, door: Door::Imap });
        self.read_mail(at + 9 * SECOND, person, client, false);
    }

    /// One guess of a spray, by IMAP; at its end the passwords that fit.
    pub(super) fn spray(&mut self, at: i64, number: usize) {
        let Some(spray) = self.sprays.get_mut(number) else { return };
        let client = spray.clients[self.stage.random.index(spray.clients.len())];
        let gap = spray.gap * self.stage.random.range(60, 140) / 100;
        match spray.names.pop() {
            Some(name) => {
                self.system.fail_login(&mut self.stage, at, Attempt { name: &name, client, times: 1, door: Door::Imap });
                self.count_failure(&name, client);
            }
            None => {
                let Some(taken) = spray.opens.pop() else { return };
                self.intrude(at, taken, client);
            }
        }
        self.plan(at + gap, Event::Spray(number));
    }

    fn count_failure(&mut self, name: &str, client: usize) {
        let people = &self.stage.cast.people;
        let Some(incident) = &mut self.stage.book.incident else { return };
        incident.origins.entry(client).or_default().failures += 1;
        match incident.accounts.iter_mut().find(|taken| people[taken.person].login == name) {
            Some(taken) if taken.first_login.is_none() => {
                taken.failures_before += 1;
                taken.failures_before_by_origin += 1;
            }
            Some(_) => {}
            None => *incident.others.entry(name.to_owned()).or_default() += 1,
        }
    }

    /// An attacker logs in to a mailbox and reads.
    pub(super) fn intrude(&mut self, at: i64, taken: usize, client: usize) {
        let Some(person) = self.stage.book.taken(taken).map(|taken| taken.person) else { return };
        let (stay, seen) = (self.stage.random.range(2, 25) * MINUTE, 40 + self.stage.random.below(400));
        let reading = Reading { person, client, pop: false, stay, seen, read: seen / 3, taken: Some(taken) };
        let login = self.system.read(&mut self.stage, at, reading);
        self.count_intrusion(taken, client, login);
        if let Some(taken) = self.stage.book.taken(taken) {
            taken.mailbox_sessions += 1;
        }
    }

    /// An attacker changes an account.
    pub(super) fn change(&mut self, at: i64, taken: usize, client: usize, change: Change) {
        let Some(person) = self.stage.book.taken(taken).map(|taken| taken.person) else { return };
        let Some(changed) = self.system.change(&mut self.stage, at, person, client, change) else { return };
        if let Some(login) = changed.login {
            self.count_intrusion(taken, client, login);
        }
        let Some(incident) = &mut self.stage.book.incident else { return };
        incident.changes.push((changed.at, taken, change));
        if let Some(account) = incident.accounts.get_mut(taken) {
            if changed.placed {
                account.activity.see(changed.at);
            }
            account.mailbox_sessions += u64::from(changed.opened);
        }
    }

    /// Counts a login of an attacker.
    pub(super) fn count_intrusion(&mut self, taken: usize, client: usize, login: Login) {
        let Some(incident) = &mut self.stage.book.incident else { return };
        let Login { at, until, protocol } = login;
        let origin = incident.origins.entry(client).or_default();
        origin.logins += 1;
        origin.span.see(at);
        origin.span.see(until);
        if let Some(account) = incident.accounts.get_mut(taken) {
            account.first_login.get_or_insert(FirstLogin { at, client, protocol });
            account.activity.see(until);
        }
    }
}
