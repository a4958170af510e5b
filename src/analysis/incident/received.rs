//! To whom the attackers' messages went, and the notices that came back.

use super::Builder;
use super::notes::NOTICES_LATE;
use crate::analysis::exports;
use crate::analysis::model::{RecipientTally, ReturnedNotices};
use crate::analysis::tally;
use crate::domain::outcome::Outcome;
use crate::domain::rows::Message;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::say::say;
use hashbrown::HashMap;

/// The notices about the attackers' messages of one account.
#[derive(Default)]
pub(super) struct NoticesOf {
    /// When those came that went to the account, in the order of time.
    to_account: Vec<Timestamp>,
    /// How many went to other addresses, which the messages bore as their senders.
    to_others: u64,
    /// How many were for the account and could not be delivered either.
    lost: u64,
}

impl Builder<'_> {
    /// To whom messages of these accounts went; they come in the order of time.
    pub(super) fn recipient_tally(&self, messages: &[&Message]) -> RecipientTally {
        let rows = self.rows();
        let mut contacted: HashMap<(Text, Text), Timestamp> = HashMap::new();
        for &account in &self.accounts {
            let origins = self.ground.profiles.get(account).map(|p| p.origins.as_slice()).unwrap_or_default();
            let owners = origins.iter().filter(|origin| !self.judged.is_attacker(account, origin.address));
            for message in owners.flat_map(|origin| origin.messages(rows)) {
                for recipient in rows.recipients_of(message) {
                    let known = contacted.entry((account, recipient.address)).or_insert(message.submitted);
                    *known = (*known).min(message.submitted);
                }
            }
        }
        tally::recipients(rows, messages.iter().copied(), |message, address| contacted.get(&(message.account?, address)).copied())
    }

    /// When notices about the attackers' messages of one account came back to it, in the order of time.
    pub(super) fn returned_to(&self, account: Text) -> &[Timestamp] {
        self.notices_of(account).map(|of| of.to_account.as_slice()).unwrap_or_default()
    }

    fn notices_of(&self, account: Text) -> Option<&NoticesOf> {
        let rows = self.rows();
        let of_account = self.returned.get_or_init(|| {
            let mut notices: HashMap<Text, NoticesOf> = HashMap::new();
            let mut own: HashMap<(Text, Text), bool> = HashMap::new();
            let asked: HashMap<Text, _> = self.accounts.iter().map(|&account| (account, self.asked(account))).collect();
            let is_asked_for = |message: &&Message| {
                let asked = message.account.and_then(|account| asked.get(&account)).and_then(|of| of.get(&message.address));
                asked.is_none_or(|asked| asked.holds(message.submitted))
            };
            for notice in &rows.notices {
                let Some(message) = rows.messages.get(notice.message as usize).filter(|m| self.is_attackers(m)).filter(is_asked_for) else {
                    continue;
                };
                let Some(account) = message.account else { continue };
                let of = notices.entry(account).or_default();
                if *own.entry((account, message.sender)).or_insert_with(|| self.gets_returned(account, message.sender)) {
                    if notice.lost {
                        of.lost += 1;
                    } else {
                        of.to_account.push(notice.at);
                    }
                } else {
                    of.to_others += 1;
                }
            }
            notices
        });
        of_account.get(&account)
    }

    /// Whether what is returned to an envelope sender comes to the account: to an address of its own, of its organisation and no other
    /// account's, or one that its owner writes under. A stranger's address, which a forger takes, gets the notices itself.
    fn gets_returned(&self, account: Text, sender: Text) -> bool {
        let (rows, profiles) = (self.rows(), self.ground.profiles);
        if let Some(owner) = profiles.writers.mailbox_of(sender) {
            return owner == account;
        }
        let name = rows.show(sender).to_lowercase();
        let within = |domain: &str| name.strip_suffix(&domain.to_lowercase()).is_some_and(|before| before.ends_with(['@', '.']));
        let (told, configured) = (&profiles.writers.domains, &self.facts.settings.domains);
        let nobody_knows = told.is_empty() && configured.is_empty();
        if nobody_knows || told.iter().any(|domain| within(domain)) || configured.iter().any(|domain| within(domain)) {
            return true;
        }
        let origins = profiles.get(account).map(|p| p.origins.as_slice()).unwrap_or_default();
        let owners = origins.iter().filter(|origin| !self.judged.is_attacker(account, origin.address));
        owners.flat_map(|origin| origin.messages(rows)).any(|message| message.sender == sender)
    }

    /// How many messages without a sender came in for the accounts from the hour of the attackers' first message on and were made by no
    /// server in evidence: servers that took a message and return it later make them.
    fn notices_from_elsewhere(&self, accounts: &[Text]) -> u64 {
        let returned = &self.ground.profiles.writers.returned;
        let more = |account: &Text| {
            let sent = || self.messages_of(*account).map(|message| message.submitted);
            let (from, to) = (sent().min()?, sent().max()?.plus(NOTICES_LATE));
            Some(returned.made_elsewhere(*account, from, to))
        };
        accounts.iter().filter_map(more).sum()
    }

    pub(super) fn notices(&self, accounts: &[Text]) -> ReturnedNotices {
        let rows = self.rows();
        let times = || accounts.iter().flat_map(|account| self.returned_to(*account));
        let sent = || accounts.iter().flat_map(|a| self.messages_of(*a));
        if !self.knows_submissions() {
            let note = say!("no log of submissions speaks of that time, so notices cannot be tied to messages");
            return ReturnedNotices { note: Some(self.facts.said(&note)), ..ReturnedNotices::default() };
        }
        // Where no log tells what became of mail, none tells of its notices either.
        let to_nobody = exports::handed_to_nobody(self.facts) > 0;
        let handed_on =
            to_nobody || sent().flat_map(|m| rows.recipients_of(m)).any(|r| matches!(r.outcome, Outcome::Relayed | Outcome::Unknown));
        let mut notes = Vec::new();
        let to_others: u64 = accounts.iter().filter_map(|account| self.notices_of(*account)).map(|of| of.to_others).sum();
        if to_others > 0 {
            notes.push(say!("{n} more went to sender addresses that these messages bore and that are not the account's", n = to_others));
        }
        let lost: u64 = accounts.iter().filter_map(|account| self.notices_of(*account)).map(|of| of.lost).sum();
        if lost > 0 {
            notes.push(say!("{n} more could not be delivered to the account either, as where its mailbox is full", n = lost));
        }
        let from_elsewhere = self.notices_from_elsewhere(accounts);
        if from_elsewhere > 0 {
            notes.push(say!(
                "{n} more message(s) without a sender, as notices of failure are, came in from other servers in that time; which of them speak of these messages is in no log, so the count is a lower bound",
                n = from_elsewhere
            ));
        }
        if handed_on {
            notes.push(say!("notices made by a host whose log is not in evidence cannot be told from other mail"));
        }
        ReturnedNotices {
            count: Some(times().count() as u64).filter(|count| !(handed_on || from_elsewhere > 0) || *count > 0),
            first: times().min().map(|t| self.facts.stamp(*t)),
            last: times().max().map(|t| self.facts.stamp(*t)),
            note: notes.into_iter().reduce(|a, b| say!("{a}; {b}", a, b)).map(|note| self.facts.said(&note)),
        }
    }
}
