//! What the evidence cannot tell of an incident, in sentences.

use super::Builder;
use crate::analysis::addresses::is_private;
use crate::analysis::limits;
use crate::analysis::model::{Incident, SentEstimate};
use crate::analysis::profile::got_in;
use crate::domain::action::ActionKind;
use crate::domain::rows::Attribution;
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, Timestamp};
use crate::say::{Part, Phrase, say};
use std::collections::BTreeSet;

/// Messages without a sender that make a flood of notices.
const FLOOD_MIN: u64 = 20;
/// How many times the usual that a flood is.
const FLOOD_FACTOR: u64 = 5;
/// How long after the attackers' last act notices still come in.
pub(super) const NOTICES_LATE: i64 = 5 * DAY;

impl Builder<'_> {
    /// Whether a log of submissions speaks of the time of the incident.
    pub(super) fn knows_submissions(&self) -> bool {
        if self.flood.is_some() {
            return false;
        }
        let Some((from, to)) = self.window() else { return true };
        // What came in by sessions that are told of only in part is in no log, whatever the logs tell of others.
        let told = self.ground.witnesses.submissions.is_some_and(|span| span.meets(from, to)) && self.half_told().is_empty();
        told || self.attributed()
    }

    /// Whether there are messages of the attackers, whatever told of them.
    fn attributed(&self) -> bool {
        self.accounts.iter().any(|account| self.messages_of(*account).next().is_some())
    }

    /// From the attackers' first act to their last; of a flood of notices, from the first to the last of them.
    pub(super) fn window(&self) -> Option<(Timestamp, Timestamp)> {
        *self.window.get_or_init(|| self.find_window())
    }

    fn find_window(&self) -> Option<(Timestamp, Timestamp)> {
        if let Some(flood) = self.flood {
            return Some((flood.first, flood.last));
        }
        let attacks = self.accounts.iter().flat_map(|account| self.attacks(*account));
        let first = attacks.map(|attack| attack.first).min()?;
        Some((first, self.accounts.iter().filter_map(|account| self.last_activity(*account)).max().unwrap_or(first)))
    }

    /// Everything that an incident's figures leave open.
    pub(super) fn notes(&self, incident: &Incident) -> Vec<Phrase> {
        let mut notes = Vec::new();
        if incident.messages.is_none() {
            notes.push(say!("No log of submissions speaks of the time of the incident: whether and what the attackers sent is unknown."));
            notes.extend(incident.sent_estimate.as_ref().map(|estimate| self.echo(estimate)));
        }
        notes.extend(self.mailbox_sends());
        if incident.account_changes.is_empty() && self.rows().actions.is_empty() && !self.ground.witnesses.audit_log {
            notes.push(say!("No log of changes to accounts is in evidence: rules, forwarding and other changes are unknown."));
        }
        if self.flood.is_none() {
            notes.extend(self.before_the_window());
            notes.extend(self.behind_a_gateway());
            notes.extend(self.earlier_acts());
            notes.extend(self.unnamed_logins());
            notes.extend(self.neighbours());
            notes.extend(self.missing_logins());
            notes.extend(self.edge());
        }
        notes.extend(self.forwarding_left());
        notes.extend(self.holes());
        notes.extend(self.blind());
        notes
    }

    /// Whether attackers' addresses are such as a webmail server, a proxy or a gateway has, and not a person.
    fn behind_a_gateway(&self) -> Option<Phrase> {
        let spot = |address: &Text| self.ground.addresses.spot(*address);
        let inside: BTreeSet<String> =
            self.addresses.iter().filter_map(spot).filter(|spot| is_private(spot.ip)).map(|spot| spot.ip.to_string()).collect();
        (!inside.is_empty()).then(|| {
            say!(
                "{list} is not reached from outside: a webmail server, a proxy, a gateway or a computer of one's own network stands there, and who was behind it is in the log of that machine, which is not in evidence.",
                list = Part::List(inside.into_iter().map(Part::from).collect())
            )
        })
    }

    /// Whether the attackers had logged in before the time that was asked for.
    fn before_the_window(&self) -> Option<Phrase> {
        let first = |account: &Text| self.first_login(*account).map(|(at, _)| at);
        let ever = |account: &Text| {
            let profile = self.ground.profiles.get(*account)?;
            let logins = profile.logins.iter().map(|&login| &self.rows().logins[login as usize]);
            logins.filter(|login| got_in(login) && self.judged.is_attacker(*account, login.address)).map(|login| login.at).min()
        };
        let earlier = self.accounts.iter().filter_map(|account| Some((ever(account)?, first(account))));
        let at = earlier.filter(|(ever, first)| first.is_none_or(|first| *ever < first)).map(|(ever, _)| ever).min()?;
        Some(say!(
            "The asked time window leaves out that the attackers had logged in before it, first on {at}.",
            at = self.facts.stamp(at).prose()
        ))
    }

    /// Whether the attackers acted before the first login of theirs that is in evidence.
    fn earlier_acts(&self) -> Option<Phrase> {
        let mut acts: Vec<Timestamp> = self.accounts.iter().flat_map(|account| self.acts_before_login(*account)).collect();
        acts.sort_unstable();
        let first = acts.first()?;
        Some(say!(
            "{n} act(s) from the attackers' addresses were recorded before their first login in evidence, the first on {at}: they had got in before, and that login is not in evidence.",
            n = acts.len(),
            at = self.facts.stamp(*first).prose()
        ))
    }

    /// Whether somebody logged in from the attackers' addresses, before the first login that is known to be to one of the accounts.
    fn unnamed_logins(&self) -> Option<Phrase> {
        let first = self.accounts.iter().filter_map(|account| self.first_login(*account)).map(|(at, _)| at).min();
        let nameless = self.ground.deeds.nameless_logins(self.rows()).filter(|login| got_in(login));
        let theirs = nameless.filter(|login| login.address.is_some_and(|address| self.addresses.contains(&address)));
        let mut earlier: Vec<Timestamp> = theirs.map(|login| login.at).filter(|at| first.is_none_or(|first| *at < first)).collect();
        earlier.sort_unstable();
        let at = self.facts.stamp(*earlier.first()?).prose();
        Some(say!(
            "{n} login(s) from the attackers' addresses whose user no line names come before the first login known to be to these accounts, the first on {at}: if one of them was to these accounts, the attackers had got in by then.",
            n = earlier.len(),
            at
        ))
    }

    /// Whether somebody got in before the attackers' first login from networks of theirs, who is not judged to be one of them.
    fn neighbours(&self) -> Option<Phrase> {
        let mut got_in: Vec<(Timestamp, Text)> = Vec::new();
        for account in &self.accounts {
            let since = self.judged.since(*account);
            let origins = self.ground.profiles.get(*account).map(|profile| profile.origins.as_slice()).unwrap_or_default();
            let others = origins.iter().filter(|origin| !self.judged.is_attacker(*account, origin.address) && self.is_neighbour(origin));
            let earlier = others.filter(|origin| origin.first.zip(since).is_some_and(|(first, since)| first < since));
            got_in.extend(earlier.filter_map(|origin| Some((origin.first?, origin.address?))));
        }
        got_in.sort_unstable();
        let at = self.facts.stamp(got_in.first()?.0).prose();
        let addresses: BTreeSet<String> = got_in.into_iter().map(|(_, address)| self.rows().show(address)).collect();
        Some(say!(
            "Before the attackers' first login, these accounts were used from {list}, in networks that the attackers came from, first on {at}: that does not count as theirs; if it was, they had got in by then.",
            list = limits::shortened(addresses.into_iter().map(Part::from).collect()),
            at
        ))
    }

    fn missing_logins(&self) -> Option<Phrase> {
        let text =
            say!("No login for sending is in evidence, so the first login is that to a mailbox, if any; there may be an earlier one.");
        let witnesses = self.ground.witnesses;
        (witnesses.smtp_logins.is_none() && witnesses.untold_sign_ins.is_none()).then_some(text)
    }

    /// Whether the only messages known are those that an audit log saw leave a mailbox.
    fn mailbox_sends(&self) -> Option<Phrase> {
        let (from, to) = self.window()?;
        let text = say!("Only the audit log tells of sent mail, and it knows nothing of mail sent by SMTP: figures are lower bounds.");
        let complete = self.ground.witnesses.submissions.is_some_and(|span| span.meets(from, to));
        (!complete && self.attributed()).then_some(text)
    }

    /// Whether the incident begins where the logs do.
    fn edge(&self) -> Option<Phrase> {
        let (first, _) = self.window()?;
        let begin = self.facts.sources.iter().filter(|s| s.ledger.used > 0).filter_map(|s| s.first).min()?;
        let hours = first.since(begin) / HOUR;
        (hours < 24).then(|| {
            say!(
                "The evidence begins only {n} hours before the first unauthorised login that it shows; there may have been earlier ones.",
                n = hours
            )
        })
    }

    /// Forwarding that was set since the attackers came and that nothing undoes.
    fn forwarding_left(&self) -> Vec<Phrase> {
        let left = |account: &Text| {
            let since = self.judged.since(*account)?;
            let acts = || self.ground.deeds.actions(self.rows(), *account).filter(|act| !act.failed && act.account == Some(*account));
            let set = acts().filter(|act| act.kind == ActionKind::ForwardingSet && act.at >= since).map(|act| act.at).max()?;
            let undone = acts().any(|act| act.kind == ActionKind::ForwardingRemoved && act.at > set);
            (!undone).then(|| {
                say!(
                    "Forwarding of {account} was set on {at}, and nothing in evidence undoes it: what came in after that may have gone there too.",
                    account = self.rows().show(*account),
                    at = self.facts.stamp(set).prose()
                )
            })
        };
        self.accounts.iter().filter_map(left).collect()
    }

    /// Holes of the logs within the incident.
    fn holes(&self) -> Vec<Phrase> {
        let Some((from, to)) = self.window() else { return Vec::new() };
        let rows = self.ground.coverage.iter().flat_map(|covered| covered.gaps.iter().map(move |gap| (covered, gap)));
        let within = rows.filter(|(_, gap)| gap.from.at <= to && gap.to.at >= from.plus(-DAY));
        within
            .map(|(covered, gap)| {
                say!(
                    "The {system} log of {host} has a gap from {from} to {to} ({why}): figures are lower bounds.",
                    system = &covered.system,
                    host = &covered.host,
                    from = gap.from.prose(),
                    to = gap.to.prose(),
                    why = &gap.why
                )
            })
            .collect()
    }

    /// Whether messages were counted by their envelope sender, by which owner and attacker look alike.
    fn blind(&self) -> Option<Phrase> {
        let mut messages = self.accounts.iter().flat_map(|account| self.messages_of(*account));
        let text = say!(
            "Messages are attributed by their envelope sender: what the owner sent in that time is counted with them, and a forged sender would be too."
        );
        messages.any(|m| m.attribution == Attribution::EnvelopeSender).then_some(text)
    }

    /// How many messages the notices that came in speak of, where no submission is in evidence.
    pub(super) fn sent_estimate(&self) -> Option<SentEstimate> {
        let (from, to) = self.window().filter(|_| !self.knows_submissions())?;
        let told = |messages: u64, first: Timestamp, last: Timestamp| SentEstimate {
            messages,
            from: "returned-notices".to_owned(),
            confidence: "low".to_owned(),
            first: self.facts.stamp(first),
            last: self.facts.stamp(last),
        };
        if let Some(flood) = self.flood {
            return Some(told(flood.notices, flood.first, flood.last));
        }
        let returned = &self.ground.profiles.writers.returned;
        let came = || self.accounts.iter().flat_map(|account| returned.to(*account));
        // Counted by the hour: the hour of the first login counts whole.
        let within = || came().filter(|c| c.last >= from && c.first <= to.plus(NOTICES_LATE));
        let before: u64 = came().filter(|c| c.last < from).map(|c| c.count).sum();
        let days = came().map(|c| from.since(c.first) / DAY).max().unwrap_or(1).max(1);
        let usual = before / days.unsigned_abs();
        let (first, last) = (within().map(|c| c.first).min()?, within().map(|c| c.last).max()?);
        let count: u64 = within().map(|c| c.count).sum();
        (count >= FLOOD_MIN.max(usual * FLOOD_FACTOR)).then(|| told(count, first.max(from), last))
    }

    /// The estimate in words, with what else it can mean.
    fn echo(&self, estimate: &SentEstimate) -> Phrase {
        let n = estimate.messages;
        if self.flood.is_some() {
            return say!(
                "Estimate: {n} notices of failure came in for this account, so at least about as many messages may have been sent and failed; how many \
                 arrived, and whether anybody got into the account at all, is unknown. Notices can also be the echo of mail that others sent under \
                 its address: the submission logs of that time decide.",
                n
            );
        }
        say!(
            "Estimate: {n} notices of failure came in for these accounts from the first login on, so at least about as many messages were \
             sent and failed; how many arrived is unknown. Notices can also be the echo of mail that others sent under the account's address.",
            n
        )
    }
}
