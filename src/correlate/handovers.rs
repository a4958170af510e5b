//! Messages that nobody authenticated for, handed over by a host of ours whose own log is not in evidence, or by a program of the host
//! itself: their envelope sender is all there is to tell whose they are.

use super::links::is_loopback;
use super::logins::Spellings;
use super::own::Own;
use crate::domain::account::AccountRules;
use crate::domain::rows::{Login, LoginResult, Protocol};
use crate::domain::text::{Text, TextPool};
use hashbrown::{HashMap, HashSet};

/// Who hands a message over, as the client of a queue file, and under which envelope sender.
#[derive(Clone, Copy)]
pub(super) struct HandOver {
    pub(super) address: Text,
    pub(super) name: Text,
    pub(super) sender: Text,
}

/// Tells the accounts of such messages.
pub(super) struct HandOvers<'a> {
    own: &'a Own,
    rules: &'a AccountRules,
    /// Envelope sender to account.
    senders: HashMap<Text, Text>,
    /// Who logged in anywhere; `None` until it is asked for.
    visitors: Option<Visitors>,
}

/// The local parts of all who logged in: logs have login names with and without a domain.
enum Visitors {
    Known(HashSet<Vec<u8>>),
    /// No login to a mailbox is in evidence.
    Untold,
}

impl<'a> HandOvers<'a> {
    pub(super) fn new(own: &'a Own, rules: &'a AccountRules) -> HandOvers<'a> {
        HandOvers { own, rules, senders: HashMap::new(), visitors: None }
    }

    /// The account that a message is of, if it was handed over so.
    pub(super) fn account(&mut self, texts: &mut TextPool, logins: &[Login], from: HandOver) -> Option<Text> {
        let (name, address) = (texts.bytes(from.name), texts.bytes(from.address));
        if self.own.has_log(name) || !self.own.is_own_client(name, address) {
            return None;
        }
        let sender = texts.bytes(from.sender);
        let domain = sender.iter().rposition(|b| *b == b'@').and_then(|at| sender.get(at + 1..))?;
        if self.own.is_own_name(domain) != Some(true) {
            return None;
        }
        let by_a_program = is_loopback(address);
        let rules = self.rules;
        let account = *self.senders.entry(from.sender).or_insert_with(|| Spellings::new(rules).canonical(texts, from.sender));
        // What a program of the host itself hands in is a person's only if the person has been there: webmail logs in to the mailbox, and a
        // mailing list does not.
        (!by_a_program || self.has_been_there(texts, logins, account)).then_some(account)
    }

    /// Whether an account logged in anywhere, as far as logins to mailboxes are in evidence.
    fn has_been_there(&mut self, texts: &TextPool, logins: &[Login], account: Text) -> bool {
        match self.visitors.get_or_insert_with(|| Visitors::of(texts, logins)) {
            Visitors::Known(visitors) => visitors.contains(local_part(texts, account)),
            Visitors::Untold => true,
        }
    }
}

impl Visitors {
    fn of(texts: &TextPool, logins: &[Login]) -> Visitors {
        let worked = logins.iter().filter(|login| login.result == LoginResult::Success);
        if !worked.clone().any(|login| login.protocol != Protocol::SmtpAuth && !login.inferred) {
            return Visitors::Untold;
        }
        Visitors::Known(worked.filter_map(|login| login.account).map(|account| local_part(texts, account).to_owned()).collect())
    }
}

fn local_part(texts: &TextPool, account: Text) -> &[u8] {
    let name = texts.bytes(account);
    name.split(|b| *b == b'@').next().unwrap_or(name)
}
