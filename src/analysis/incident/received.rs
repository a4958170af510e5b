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

    pub(super) fn notices(&self, accounts: &[Text]) -> ReturnedNotices {
        let rows = self.rows();
        let of_incident = |m: &Message| m.account.is_some_and(|a| accounts.contains(&a) && self.judged.is_attacker(a, m.address));
        let times: Vec<Timestamp> = rows.notices.iter().filter(|n| of_incident(&rows.messages[n.message as usize])).map(|n| n.at).collect();
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
            count: (!handed_on || !times.is_empty()).then_some(times.len() as u64),
            first: times.iter().min().map(|t| self.facts.stamp(*t)),
            last: times.iter().max().map(|t| self.facts.stamp(*t)),
            note: handed_on.then(|| self.facts.said(&note)),
        }
    }
}
