//! Who the recipients are to the account and to the organisation, and when somebody is likely to have noticed.

use super::Builder;
use crate::analysis::model::{Discovery, Reach, SentEstimate};
use crate::analysis::tally::domain;
use crate::domain::action::ActionKind;
use crate::domain::outcome::Outcome;
use crate::domain::rows::{Action, Kind, Message};
use crate::domain::text::Text;
use crate::domain::text_set::TextSet;
use crate::domain::time::{HOUR, Timestamp};
use crate::say::say;
use hashbrown::HashSet;

impl Builder<'_> {
    /// Who the recipients are. The messages come in the order of time.
    pub(super) fn reach(&self, messages: &[&Message]) -> Option<Reach> {
        let rows = self.rows();
        let own = self.own_domains();
        let mut acquainted = Acquainted { builder: self, known: TextSet::new(rows.texts.len()), rest: rows.messages.iter() };
        let mut reached = TextSet::new(rows.texts.len());
        let (mut internal, mut known_to_organisation) = (0, 0);
        let mut sizes: Vec<u64> = Vec::with_capacity(messages.len());
        for message in messages {
            sizes.push(u64::from(message.recipients));
            acquainted.go_on_to(message.submitted);
            for recipient in rows.recipients_of(message) {
                let address = rows.texts.bytes(recipient.address);
                if !address.is_empty() && reached.insert(recipient.address) {
                    internal += u64::from(own.contains(domain(address)));
                    known_to_organisation += u64::from(acquainted.known.contains(recipient.address));
                }
            }
        }
        if sizes.is_empty() {
            return None;
        }
        sizes.sort_unstable();
        let writers = self.accounts.iter().map(|account| self.ground.profiles.writers.to(*account));
        let wrote: HashSet<Text> = writers.flatten().copied().filter(|sender| reached.contains(*sender)).collect();
        Some(Reach {
            known_to_organisation,
            internal,
            wrote_to_account: wrote.len() as u64,
            per_message_median: sizes.get(sizes.len() / 2).copied().unwrap_or(0),
            per_message_max: sizes.last().copied().unwrap_or(0),
        })
    }

    /// Mail domains of the organisation: the configured ones and those of the accounts that sent.
    fn own_domains(&self) -> HashSet<&[u8]> {
        let rows = self.rows();
        let configured = self.facts.settings.domains.iter().map(String::as_bytes);
        let sending = self.ground.profiles.iter().filter(|(_, profile)| !profile.messages.is_empty());
        let named = sending.map(|(account, _)| rows.texts.bytes(account)).filter(|name| name.contains(&b'@')).map(domain);
        configured.chain(named).collect()
    }

    /// The first sign that reached the owner or a colleague.
    pub(super) fn discovery(&self, messages: &[&Message], estimate: Option<&SentEstimate>) -> Option<Discovery> {
        let rows = self.rows();
        if let Some(estimate) = estimate {
            let n = self.flood.map_or(estimate.messages, |flood| flood.first_hour);
            let text = match self.flood {
                Some(_) => say!("notices of failure began to come in; {n} within the first hour", n),
                None => say!("notices of failure began to come in; {n} in all", n),
            };
            return Some(Discovery { time: estimate.first, text: self.facts.said(&text) });
        }
        let notices = || self.accounts.iter().flat_map(|account| self.returned_to(*account));
        if let Some(first) = notices().min() {
            let soon = notices().filter(|at| at.since(*first) < HOUR).count();
            let text = if self.rule_before(*first) {
                say!(
                    "the first notice of failure came back to the account; {n} within the first hour; a rule of the mailbox that was made before may have hidden them",
                    n = soon
                )
            } else {
                say!("the first notice of failure came back to the account; {n} within the first hour", n = soon)
            };
            return Some(Discovery { time: self.facts.stamp(*first), text: self.facts.said(&text) });
        }
        let own = self.own_domains();
        let inside = messages.iter().flat_map(|m| rows.recipients_of(m)).filter(|r| r.outcome == Outcome::Delivered);
        let first = inside.filter(|r| own.contains(domain(rows.texts.bytes(r.address)))).filter_map(|r| r.at).min()?;
        let text = say!("the first of the attackers' messages reached a colleague");
        Some(Discovery { time: self.facts.stamp(first), text: self.facts.said(&text) })
    }

    /// Whether a rule was made in a mailbox after the attackers came and before an instant.
    fn rule_before(&self, at: Timestamp) -> bool {
        let rules = [ActionKind::InboxRuleCreated, ActionKind::InboxRuleChanged];
        self.accounts.iter().any(|account| {
            let since = self.judged.since(*account);
            let made =
                |act: &Action| rules.contains(&act.kind) && !act.failed && since.is_some_and(|since| act.at >= since) && act.at <= at;
            self.ground.deeds.actions(self.rows(), *account).any(made)
        })
    }

    pub(super) fn is_attackers(&self, message: &Message) -> bool {
        message.account.is_some_and(|account| self.accounts.contains(&account) && self.judged.is_attacker(account, message.address))
    }
}

/// The addresses that somebody of the organisation, but for the attackers, wrote to or had mail from before an instant.
struct Acquainted<'b, 'a> {
    builder: &'b Builder<'a>,
    known: TextSet,
    /// The messages not looked at yet, in the order of time.
    rest: std::slice::Iter<'a, Message>,
}

impl Acquainted<'_, '_> {
    /// Takes in what was written before this instant.
    fn go_on_to(&mut self, at: Timestamp) {
        let rows = self.builder.rows();
        while let Some(message) = self.rest.as_slice().first().filter(|message| message.submitted < at) {
            self.rest.next();
            if message.account.is_some_and(|account| self.builder.judged.is_attacker(account, message.address)) {
                continue;
            }
            if message.kind == Kind::Inbound {
                self.known.insert(message.sender);
            } else {
                rows.recipients_of(message).iter().for_each(|recipient| {
                    self.known.insert(recipient.address);
                });
            }
        }
    }
}
