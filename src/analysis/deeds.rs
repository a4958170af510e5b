//! Rows that are asked for by account, or by having none, found once: what attackers did is asked of each account by itself, and a
//! tenant's export has a million rows.

use crate::domain::rows::{Action, Login, MailboxUse, Rows};
use crate::domain::text::Text;
use hashbrown::HashMap;

/// Rows by account, by their numbers.
pub(super) struct Deeds {
    /// What was done to or by each account.
    actions: HashMap<Text, Vec<u32>>,
    uses: HashMap<Text, Vec<u32>>,
    nameless_logins: Vec<u32>,
}

impl Deeds {
    pub(super) fn new(rows: &Rows) -> Deeds {
        let (mut actions, mut uses): (HashMap<Text, Vec<u32>>, HashMap<Text, Vec<u32>>) = (HashMap::new(), HashMap::new());
        for (number, action) in (0..).zip(&rows.actions) {
            for account in [action.account, action.actor.filter(|actor| action.account != Some(*actor))].into_iter().flatten() {
                actions.entry(account).or_default().push(number);
            }
        }
        for (number, used) in (0..).zip(&rows.mailbox_uses) {
            if let Some(account) = used.account {
                uses.entry(account).or_default().push(number);
            }
        }
        let nameless = (0..).zip(&rows.logins).filter(|(_, login)| login.account.is_none());
        Deeds { actions, uses, nameless_logins: nameless.map(|(number, _)| number).collect() }
    }

    /// What was done to or by an account.
    pub(super) fn actions<'r>(&'r self, rows: &'r Rows, account: Text) -> impl Iterator<Item = &'r Action> {
        self.actions.get(&account).into_iter().flatten().filter_map(|&number| rows.actions.get(number as usize))
    }

    /// The uses of an account's mailbox.
    pub(super) fn uses<'r>(&'r self, rows: &'r Rows, account: Text) -> impl Iterator<Item = &'r MailboxUse> {
        self.uses.get(&account).into_iter().flatten().filter_map(|&number| rows.mailbox_uses.get(number as usize))
    }

    /// Logins of users whom the log does not name.
    pub(super) fn nameless_logins<'r>(&'r self, rows: &'r Rows) -> impl Iterator<Item = &'r Login> {
        self.nameless_logins.iter().filter_map(|&number| rows.logins.get(number as usize))
    }
}
