//! Logins of a tenant's people and of those who guess, what they read, and what they change: which program is used from where, and
//! what the service records of it.

use super::acts::{Act, Actor, Extent};
use super::guid::{Guid, Kind};
use super::sign_in::{Code, Door, Who};
use super::system::{Cloud, address, text_of};
use super::tenant::{Phone, Tenant};
use crate::domain::time::{MINUTE, SECOND};
use crate::simulate::cast::{Address, Cast, HOME_DOMAIN};
use crate::simulate::happenings::{self, Attempt, Change, Changed, Login, Reading, Stage};
use crate::simulate::random::mix;
use crate::simulate::tally::Book;

impl Cloud {
    /// The story's people become the tenant's accounts, and go by their full addresses.
    pub(in crate::simulate) fn enrol<L>(&mut self, scene: &mut Stage<L>) {
        for person in 0..scene.cast.people.len() {
            scene.cast.spell_out(person);
        }
        let addresses: Vec<String> = scene.cast.people.iter().map(|person| person.address.clone()).collect();
        self.tenant = Tenant::new(mix(self.seed), &addresses);
    }

    /// A mailbox is looked into: by Outlook at work, by a browser or the phone elsewhere, by POP where mail is kept at home, and by IMAP
    /// if it is an attacker.
    pub(in crate::simulate) fn look_into<L>(&mut self, scene: &Stage<L>, at: i64, reading: Reading) -> Login {
        let Reading { person, client, .. } = reading;
        let from = address(&scene.cast, client);
        if reading.taken.is_some() {
            let login = self.log_in(&scene.cast, at, person, client, Door::Imap);
            let session = Guid::of(at as u64, Kind::Session, person as u64);
            self.read_messages(at + 15 * SECOND, Actor { account: person, from, door: Door::Imap, session }, reading.read);
            return login;
        }
        if reading.pop {
            return self.log_in(&scene.cast, at, person, client, Door::Pop);
        }
        let door = match () {
            () if client == scene.cast.people[person].campus && self.random.chance(930) => Door::Outlook,
            () if self.random.chance(300) => Door::Phone,
            () => Door::Browser,
        };
        if door == Door::Browser {
            let taken = scene.book.incident.iter().flat_map(|incident| &incident.accounts).any(|taken| taken.person == person);
            let phone = match person % 3 {
                // A call that is not answered looks like an attack, so those whom the story is about answer it.
                1 if !taken && self.random.chance(40) => Phone::UsedAtTheSecondCall,
                1 => Phone::Used,
                _ => Phone::NotUsed,
            };
            let (session, login) = self.tenant.browse(at, person, from, door, phone);
            self.read_messages(at + 20 * SECOND, Actor { account: person, from, door, session }, 1 + reading.read);
            return login;
        }
        let session = self.tenant.refresh(at, person, from, door);
        if self.random.chance(250) {
            self.tenant.read(at + 2 * SECOND, Actor { account: person, from, door, session }, Extent::Folder);
        }
        Login::new(at, "modern")
    }

    /// Wrong passwords, a few seconds apart.
    pub(in crate::simulate) fn refuse_login<L>(&mut self, scene: &mut Stage<L>, at: i64, attempt: Attempt<'_>) {
        let from = address(&scene.cast, attempt.client);
        let people = &scene.cast.people;
        let account = people.iter().position(|person| person.login == attempt.name || person.address == attempt.name);
        let at_work = account.is_some_and(|account| [people[account].campus, people[account].home].contains(&attempt.client));
        for number in 0..attempt.times as i64 {
            let at = at + number * 2 * SECOND;
            match account {
                // An owner, in front of a window that asks.
                Some(account) if at_work => self.tenant.mistype(at, account, from, Door::Browser),
                _ => {
                    let (who, code) = match account {
                        Some(account) => (Who::Account(account), self.refusal(&mut scene.book, at, account, attempt.name)),
                        None => (Who::Nobody(typed(attempt.name)), Code::NoSuchUser),
                    };
                    let door = if attempt.door == happenings::Door::Smtp { Door::SmtpAuth } else { Door::Imap };
                    self.tenant.legacy(at, who, from, door, code);
                }
            }
        }
    }

    /// An account's settings are changed by an attacker, in a browser.
    pub(in crate::simulate) fn alter<L>(&mut self, scene: &Stage<L>, at: i64, account: usize, client: usize, change: Change) -> Changed {
        let from = address(&scene.cast, client);
        let door = if change == Change::SecondFactor { Door::SecurityInfo } else { Door::Browser };
        let (session, login) = self.tenant.browse(at - MINUTE, account, from, door, Phone::NotUsed);
        let by = Actor { account, from, door, session };
        match change {
            Change::DeletingRule => self.tenant.record(at, Act::Rule { by, name: "." }),
            Change::Forwarding(contact) => {
                let to = text_of(&scene.cast, Address::Contact(contact));
                self.tenant.record(at, Act::Forward { by, to });
            }
            Change::SecondFactor => {
                self.tenant.record(at, Act::UserUpdated { by });
                self.tenant.record(at, Act::SecurityInfo { by });
            }
            Change::Restricted => self.tenant.record(at, Act::Restricted { account }),
        }
        Changed { at, placed: true, login: Some(login), opened: false }
    }

    /// Why a guess at an account's password does not open it. Of the names of a spray, one has the password that was guessed and is kept
    /// by a policy.
    fn refusal(&mut self, book: &mut Book, at: i64, account: usize, name: &str) -> Code {
        let Some(incident) = &mut book.incident else { return Code::BadPassword };
        self.guesses += 1;
        let spared = incident.accounts.iter().all(|taken| taken.person != account);
        if self.guesses > 12 && spared && *self.kept.get_or_insert(account) == account {
            incident.passwords_known.insert(name.to_owned());
            return Code::BlockedByPolicy;
        }
        match at % 13 {
            // The service knows some of the guessers' addresses, and then does not look at the password.
            5 => Code::MaliciousAddress,
            7 => Code::Locked,
            _ => Code::BadPassword,
        }
    }

    fn read_messages(&mut self, at: i64, by: Actor, count: u64) {
        self.tenant.read(at, by, Extent::Messages { first: self.read, count });
        self.read += count;
    }

    pub(super) fn log_in(&mut self, cast: &Cast, at: i64, person: usize, client: usize, door: Door) -> Login {
        self.tenant.legacy(at, Who::Account(person), address(cast, client), door, Code::Success);
        let protocol = match door {
            Door::SmtpAuth => "smtp-auth",
            Door::Pop => "pop3",
            _ => "imap",
        };
        Login::new(at, protocol)
    }
}

/// A name as it was typed, with a domain, without which nobody signs in.
fn typed(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{HOME_DOMAIN}") }
}
