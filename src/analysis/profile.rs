//! Each account's own history: its logins and messages, by origin.

use crate::domain::rows::{LoginResult, Message, Rows};
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use hashbrown::HashMap;

/// One address an account was used or tried from.
#[derive(Clone, Debug, Default)]
pub(super) struct OriginUse {
    /// Indices into [`Rows::logins`], successes and failures, in time order.
    pub(super) logins: Vec<u32>,
    /// Indices into [`Rows::messages`], in time order.
    pub(super) messages: Vec<u32>,
}

/// One account.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// By address; `None` where the log does not tell it.
    pub(super) origins: HashMap<Option<Text>, OriginUse>,
    /// All logins and messages, in time order.
    pub(super) logins: Vec<u32>,
    pub(super) messages: Vec<u32>,
    /// Recipients by day of submission, all origins together.
    pub(super) days: HashMap<i64, u64>,
}

/// All accounts.
pub(super) struct Profiles {
    by_account: HashMap<Text, Profile>,
    /// Accounts in the order of their names.
    pub(super) order: Vec<Text>,
    /// Accounts each address got into or tried, in the order of their names.
    pub(super) by_address: HashMap<Text, Vec<Text>>,
}

impl Profiles {
    pub(super) fn new(rows: &Rows) -> Profiles {
        let mut by_account: HashMap<Text, Profile> = HashMap::new();
        for (number, login) in rows.logins.iter().enumerate() {
            let Some(account) = login.account else { continue };
            let profile = by_account.entry(account).or_default();
            profile.logins.push(number as u32);
            profile.origins.entry(login.address).or_default().logins.push(number as u32);
        }
        for (number, message) in rows.messages.iter().enumerate() {
            let Some(account) = message.account else { continue };
            let profile = by_account.entry(account).or_default();
            profile.messages.push(number as u32);
            *profile.days.entry(message.submitted.0.div_euclid(DAY)).or_default() += u64::from(message.recipients);
            profile.origins.entry(message.address).or_default().messages.push(number as u32);
        }
        let mut order: Vec<Text> = by_account.keys().copied().collect();
        order.sort_unstable_by(|a, b| rows.texts.bytes(*a).cmp(rows.texts.bytes(*b)));
        let mut by_address: HashMap<Text, Vec<Text>> = HashMap::new();
        for account in &order {
            for address in by_account[account].origins.keys().flatten() {
                by_address.entry(*address).or_default().push(*account);
            }
        }
        Profiles { by_account, order, by_address }
    }

    pub(super) fn get(&self, account: Text) -> Option<&Profile> {
        self.by_account.get(&account)
    }
}

impl Profile {
    /// Messages submitted before an instant from elsewhere than `address`.
    pub(super) fn earlier_elsewhere<'r>(
        &'r self,
        rows: &'r Rows,
        address: Option<Text>,
        before: Timestamp,
    ) -> impl Iterator<Item = &'r Message> {
        self.messages
            .iter()
            .map(|&m| &rows.messages[m as usize])
            .take_while(move |m| m.submitted < before)
            .filter(move |m| m.address != address)
    }
}

impl OriginUse {
    /// When this origin first got into the account, by a login or by a message that proves one.
    pub(super) fn first_success(&self, rows: &Rows) -> Option<Timestamp> {
        let login = self.logins.iter().map(|&l| &rows.logins[l as usize]).find(|l| l.result != LoginResult::Failure).map(|l| l.at);
        let message = self.messages.first().map(|&m| rows.messages[m as usize].submitted);
        [login, message].into_iter().flatten().min()
    }

    /// The last thing this origin did with the account, failures excepted.
    pub(super) fn last_success(&self, rows: &Rows) -> Option<Timestamp> {
        let login = self.logins.iter().rev().map(|&l| &rows.logins[l as usize]).find(|l| l.result != LoginResult::Failure).map(|l| l.at);
        let message = self.messages.last().map(|&m| rows.messages[m as usize].submitted);
        [login, message].into_iter().flatten().max()
    }

    pub(super) fn successes(&self, rows: &Rows) -> u64 {
        self.count(rows, |r| r != LoginResult::Failure)
    }

    pub(super) fn failures(&self, rows: &Rows) -> u64 {
        self.count(rows, |r| r == LoginResult::Failure)
    }

    fn count(&self, rows: &Rows, wanted: impl Fn(LoginResult) -> bool) -> u64 {
        self.logins.iter().map(|&l| &rows.logins[l as usize]).filter(|l| wanted(l.result)).map(|l| u64::from(l.times)).sum()
    }

    pub(super) fn messages<'r>(&'r self, rows: &'r Rows) -> impl DoubleEndedIterator<Item = &'r Message> {
        self.messages.iter().map(|&m| &rows.messages[m as usize])
    }
}
