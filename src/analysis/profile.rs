//! Each account's own history: its logins and messages, by origin, with the figures of use that every judgement asks for.

use super::sent::{Contacts, Sent};
use super::writers::Writers;
use crate::domain::place::Place;
use crate::domain::rows::{Login, LoginResult, Message, Protocol, Rows};
use crate::domain::text::Text;
use crate::domain::time::{DAY, MINUTE, Timestamp};
use hashbrown::HashMap;
use rayon::prelude::*;

/// The width of a slot of use.
pub(super) const SLOT: i64 = 10 * MINUTE;

/// One address an account was used or tried from.
#[derive(Clone, Debug, Default)]
pub(super) struct OriginUse {
    /// `None` where the log does not tell it.
    pub(super) address: Option<Text>,
    /// Indices into [`Rows::logins`], successes and failures, in time order.
    pub(super) logins: Vec<u32>,
    /// Indices into [`Rows::messages`], in time order.
    pub(super) messages: Vec<u32>,
    /// When it first and last got in, by a login or by a message that proves one.
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) successes: u64,
    pub(super) failures: u64,
    /// Logins that were stopped after the right password.
    pub(super) stopped: u64,
    /// Successful logins to anything but the submission of mail.
    pub(super) reads: u64,
    /// Stretches of ten minutes in which it got in or sent, in order.
    pub(super) slots: Vec<i64>,
    /// Days on which it did, in order.
    pub(super) days: Vec<i64>,
    pub(super) sent: Sent,
}

/// One account.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// In the order of their addresses' numbers.
    pub(super) origins: Vec<OriginUse>,
    by_address: HashMap<Option<Text>, u32>,
    /// All logins and messages, in time order.
    pub(super) logins: Vec<u32>,
    pub(super) messages: Vec<u32>,
}

/// All accounts.
pub(super) struct Profiles {
    by_account: HashMap<Text, Profile>,
    /// Accounts in the order of their names.
    pub(super) order: Vec<Text>,
    /// Accounts each address got into or tried, in the order of their names.
    pub(super) by_address: HashMap<Text, Vec<Text>>,
    /// Who wrote to them.
    pub(super) writers: Writers,
}

/// Whether a login got in. One that was stopped after the right password did not.
pub(super) fn got_in(login: &Login) -> bool {
    login.result == LoginResult::Success
}

/// Whether a login is one to a mailbox rather than to the submission of mail or to an identity provider.
pub(super) fn is_mailbox(protocol: Protocol) -> bool {
    match protocol {
        Protocol::Imap | Protocol::Pop3 | Protocol::Webmail | Protocol::ActiveSync | Protocol::Ews | Protocol::Mapi | Protocol::Other => {
            true
        }
        // A sign-in at an identity provider opens no mailbox by itself; what was opened then, the audit log tells.
        Protocol::SmtpAuth | Protocol::Sieve | Protocol::PowerShell | Protocol::Browser | Protocol::Modern => false,
    }
}

/// Whether a login is one to a mailbox, as far as its log says what it was for.
pub(super) fn opens_mailbox(login: &Login) -> bool {
    is_mailbox(login.protocol) && !purpose_untold(login)
}

/// Whether an identity provider took a password or a token and the log does not say what for: the audit log's records of logins name
/// no protocol, and browsers and newer programs use one sign-in for many things.
pub(super) fn purpose_untold(login: &Login) -> bool {
    login.provider.is_some() && matches!(login.protocol, Protocol::Other | Protocol::Browser | Protocol::Modern)
}

/// Whether a login is the failure of a password. A token that was refused says nothing about one.
pub(super) fn failed(login: &Login) -> bool {
    login.result == LoginResult::Failure && login.provider.as_ref().is_none_or(|word| !word.token)
}

/// Whether a login was stopped after the right password: it did not get in, and whoever tried knows the password.
pub(super) fn stopped(login: &Login) -> bool {
    login.result == LoginResult::Stopped
}

/// Whether somebody tried and did not get in, whatever was wrong.
pub(super) fn turned_away(login: &Login) -> bool {
    failed(login) || stopped(login)
}

impl Profiles {
    pub(super) fn new(rows: &Rows) -> Profiles {
        let mut by_account: HashMap<Text, Profile> = HashMap::new();
        for (number, login) in rows.logins.iter().enumerate() {
            let Some(account) = login.account else { continue };
            let profile = by_account.entry(account).or_default();
            profile.logins.push(number as u32);
            profile.origin_mut(login.address).logins.push(number as u32);
        }
        for (number, message) in rows.messages.iter().enumerate() {
            let Some(account) = message.account else { continue };
            let profile = by_account.entry(account).or_default();
            profile.messages.push(number as u32);
            profile.origin_mut(message.address).messages.push(number as u32);
        }
        let mut order: Vec<Text> = by_account.keys().copied().collect();
        order.sort_unstable_by(|a, b| rows.texts.bytes(*a).cmp(rows.texts.bytes(*b)));
        let writers = Writers::new(rows, &order);
        let mut each: Vec<(&Text, &mut Profile)> = by_account.iter_mut().collect();
        each.par_iter_mut().for_each(|(account, profile)| profile.settle(rows, &writers, **account));
        let mut by_address: HashMap<Text, Vec<Text>> = HashMap::new();
        for account in &order {
            for address in by_account.get(account).into_iter().flat_map(|p| &p.origins).filter_map(|o| o.address) {
                by_address.entry(address).or_default().push(*account);
            }
        }
        Profiles { by_account, order, by_address, writers }
    }

    pub(super) fn get(&self, account: Text) -> Option<&Profile> {
        self.by_account.get(&account)
    }

    pub(super) fn origin(&self, account: Text, address: Option<Text>) -> Option<&OriginUse> {
        self.get(account)?.origin(address)
    }

    /// Every account with its profile, in the order of the names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Text, &Profile)> {
        self.order.iter().filter_map(|account| Some((*account, self.by_account.get(account)?)))
    }
}

impl Profile {
    pub(super) fn origin(&self, address: Option<Text>) -> Option<&OriginUse> {
        self.origins.get(*self.by_address.get(&address)? as usize)
    }

    fn origin_mut(&mut self, address: Option<Text>) -> &mut OriginUse {
        let next = self.origins.len() as u32;
        let number = *self.by_address.entry(address).or_insert(next);
        if number == next {
            self.origins.push(OriginUse { address, ..OriginUse::default() });
        }
        &mut self.origins[number as usize]
    }

    /// Puts the origins in order and counts their use.
    fn settle(&mut self, rows: &Rows, writers: &Writers, account: Text) {
        self.origins.sort_unstable_by_key(|origin| origin.address);
        self.by_address = self.origins.iter().enumerate().map(|(number, origin)| (origin.address, number as u32)).collect();
        let contacts = Contacts::new(rows, self);
        self.origins.par_iter_mut().enumerate().for_each(|(number, origin)| {
            origin.count(rows);
            if !origin.messages.is_empty() {
                origin.sent = Sent::new(rows, origin, number as u32, &contacts, writers.to(account));
            }
        });
    }

    /// The number of an origin among [`Profile::origins`].
    pub(super) fn number(&self, address: Option<Text>) -> Option<u32> {
        self.by_address.get(&address).copied()
    }

    /// When the account was first used, as far as the evidence goes.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.origins.iter().filter_map(|o| o.first).min()
    }
}

impl OriginUse {
    fn count(&mut self, rows: &Rows) {
        let logins = || self.logins.iter().map(|&l| &rows.logins[l as usize]);
        let mut times: Vec<Timestamp> = logins().filter(|l| got_in(l)).map(|l| l.at).collect();
        times.extend(self.messages(rows).map(|m| m.submitted));
        let sum = |wanted: &dyn Fn(&Login) -> bool| logins().filter(|l| wanted(l)).map(|l| u64::from(l.times)).sum();
        self.successes = sum(&got_in);
        self.failures = sum(&failed);
        self.stopped = sum(&stopped);
        self.reads = sum(&|l| got_in(l) && l.protocol != Protocol::SmtpAuth);
        self.first = times.iter().min().copied();
        self.last = times.iter().max().copied();
        self.slots = times.into_iter().map(|t| t.0.div_euclid(SLOT)).collect();
        self.slots.sort_unstable();
        self.slots.dedup();
        self.days = self.slots.iter().map(|slot| (slot * SLOT).div_euclid(DAY)).collect();
        self.days.dedup();
    }

    pub(super) fn messages<'r>(&'r self, rows: &'r Rows) -> impl DoubleEndedIterator<Item = &'r Message> {
        self.messages.iter().map(|&m| &rows.messages[m as usize])
    }

    pub(super) fn logins<'r>(&'r self, rows: &'r Rows) -> impl DoubleEndedIterator<Item = &'r Login> {
        self.logins.iter().map(|&l| &rows.logins[l as usize])
    }

    /// The line of its first login and the line of its first message.
    pub(super) fn first_places(&self, rows: &Rows) -> Vec<Place> {
        let login = self.logins(rows).find(|l| got_in(l)).map(|l| l.place);
        let message = self.messages(rows).next().map(|m| m.place);
        let mut places: Vec<Place> = [login, message].into_iter().flatten().collect();
        places.dedup();
        places
    }
}
