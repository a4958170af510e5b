//! To whom the attackers' messages went, and the notices that came back.

use super::Builder;
use crate::analysis::exports;
use crate::analysis::model::{RecipientTally, ReturnedNotices};
use crate::analysis::tally;
use crate::domain::outcome::Outcome;
use crate::domain::rows::Message;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::say::say;
use hashbrown::HashMap;

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

    /// When notices about the attackers' messages of one account came back, in the order of time.
    pub(super) fn returned_to(&self, account: Text) -> &[Timestamp] {
        let rows = self.rows();
        let of_account = self.returned.get_or_init(|| {
            let mut times: HashMap<Text, Vec<Timestamp>> = HashMap::new();
            let asked: HashMap<Text, _> = self.accounts.iter().map(|&account| (account, self.asked(account))).collect();
            let is_asked_for = |message: &&Message| {
                let asked = message.account.and_then(|account| asked.get(&account)).and_then(|of| of.get(&message.address));
                asked.is_none_or(|asked| asked.holds(message.submitted))
            };
            for notice in &rows.notices {
                let Some(message) = rows.messages.get(notice.message as usize).filter(|m| self.is_attackers(m)).filter(is_asked_for) else {
                    continue;
                };
                if let Some(account) = message.account {
                    times.entry(account).or_default().push(notice.at);
                }
            }
            times
        });
        of_account.get(&account).map(Vec::as_slice).unwrap_or_default()
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
        let note = say!("notices made by a host whose log is not in evidence cannot be told from other mail");
        ReturnedNotices {
            count: Some(times().count() as u64).filter(|count| !handed_on || *count > 0),
            first: times().min().map(|t| self.facts.stamp(*t)),
            last: times().max().map(|t| self.facts.stamp(*t)),
            note: handed_on.then(|| self.facts.said(&note)),
        }
    }
}
