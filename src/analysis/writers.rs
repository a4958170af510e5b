//! Who wrote to an account from outside: correspondents, and servers that returned its mail.

use super::returned::Returned;
use crate::domain::rows::{Kind, Rows};
use crate::domain::text::Text;
use hashbrown::{HashMap, HashSet};

/// What came in, by account.
#[derive(Default)]
pub(super) struct Writers {
    /// Senders that wrote to the account at any time.
    wrote: HashMap<Text, HashSet<Text>>,
    nobody: HashSet<Text>,
    /// Messages without a sender that came in.
    pub(super) returned: Returned,
    /// Mail addresses of accounts.
    mailboxes: HashMap<Text, Text>,
    /// The domains of these addresses, in lower case.
    pub(super) domains: HashSet<String>,
}

impl Writers {
    pub(super) fn new(rows: &Rows, accounts: &[Text]) -> Writers {
        let mailboxes = mailboxes(rows, accounts);
        let domain = |address: &Text| Some(rows.show(*address).split_once('@')?.1.to_lowercase());
        let domains = mailboxes.keys().filter_map(domain).collect();
        let mut writers = Writers { returned: Returned::new(rows, &mailboxes), domains, ..Writers::default() };
        for message in rows.messages.iter().filter(|m| m.kind == Kind::Inbound && m.account.is_none()) {
            let nobodys = rows.texts.bytes(message.sender).is_empty();
            for recipient in rows.recipients_of(message) {
                if nobodys {
                    writers.returned.came(&mailboxes, recipient.address, message);
                } else if let Some(account) = mailboxes.get(&recipient.address) {
                    writers.wrote.entry(*account).or_default().insert(message.sender);
                }
            }
        }
        writers.returned.settle();
        writers.mailboxes = mailboxes;
        writers
    }

    /// Whose address this is, if it is an account's.
    pub(super) fn mailbox_of(&self, address: Text) -> Option<Text> {
        self.mailboxes.get(&address).copied()
    }

    /// Those who wrote to an account.
    pub(super) fn to(&self, account: Text) -> &HashSet<Text> {
        self.wrote.get(&account).unwrap_or(&self.nobody)
    }
}

/// The mail addresses of accounts: the name itself, or the envelope sender it uses that differs from it by the domain alone.
fn mailboxes(rows: &Rows, accounts: &[Text]) -> HashMap<Text, Text> {
    let mut mailboxes: HashMap<Text, Text> = accounts.iter().map(|account| (*account, *account)).collect();
    for message in &rows.messages {
        let Some(account) = message.account else { continue };
        if mailboxes.contains_key(&message.sender) {
            continue;
        }
        let (name, sender) = (rows.texts.bytes(account), rows.texts.bytes(message.sender));
        let local = sender.iter().position(|b| *b == b'@').and_then(|at| sender.get(..at));
        if local.is_some_and(|local| local.eq_ignore_ascii_case(name)) {
            mailboxes.insert(message.sender, account);
        }
    }
    mailboxes
}
