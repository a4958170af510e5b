//! Attacker, owner or undetermined: each origin of each account is judged by what it did against the account's own history.

use super::Facts;
use super::model::Signal;
use super::profile::{OriginUse, Profile, Profiles};
use crate::domain::outcome::Outcome;
use crate::domain::rows::{LoginResult, Message, Protocol, Rows};
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::net::IpAddr;

/// History an account needs before an address it never used counts as new.
const HISTORY_MIN: i64 = DAY;
/// Recipients in one hour that make a burst even for an account without history.
const BURST_MIN: u64 = 30;
/// A burst is this many times the account's own busiest hour.
const BURST_FACTOR: u64 = 5;
/// Days of use that make an origin a usual one.
const USUAL_DAYS: usize = 3;
/// Days of sending that can be called sustained.
const SUSTAINED_DAYS: usize = 3;
/// Recipients a day that are much for one person.
const DAILY_MIN: f64 = 15.0;
/// Sustained volume is this many times what the account sends from elsewhere on a day it sends.
const DAILY_FACTOR: f64 = 3.0;
/// Recipients an origin needs before shares of them say anything.
const SHARE_MIN: u64 = 10;
/// Share of blocked and bounced recipients that is far above what honest mail meets.
const REFUSED_SHARE: f64 = 0.25;
/// Refused recipients below which a share is chance: three mistyped addresses among twelve are an ordinary month.
const REFUSED_MIN: u64 = 5;
/// Share of recipients the account never wrote to before.
const NOVEL_SHARE: f64 = 0.9;
/// Accounts an address failed on that make it a spray.
const SPRAY_MIN: usize = 3;
/// Accounts that use an address regularly and make it a shared gateway.
const SHARED_MIN: usize = 3;

/// Weights of the signals; they add up, capped at 1.
pub(super) mod weight {
    pub(in crate::analysis) const NEW_ORIGIN: f64 = 0.25;
    pub(in crate::analysis) const NO_HISTORY: f64 = 0.1;
    pub(in crate::analysis) const BURST: f64 = 0.3;
    pub(in crate::analysis) const SUSTAINED: f64 = 0.2;
    pub(in crate::analysis) const SEND_ONLY: f64 = 0.1;
    pub(in crate::analysis) const REFUSED: f64 = 0.3;
    pub(in crate::analysis) const NOVEL: f64 = 0.15;
    pub(in crate::analysis) const SPRAY: f64 = 0.35;
    pub(in crate::analysis) const GUESSED: f64 = 0.2;
    pub(in crate::analysis) const COMPANION: f64 = 0.3;
    pub(in crate::analysis) const HINT: f64 = 1.0;
}

/// An origin of an account that is judged to be an attacker's.
#[derive(Clone, Debug)]
pub(super) struct Attack {
    pub(super) address: Option<Text>,
    pub(super) first: Timestamp,
    pub(super) score: f64,
    pub(super) basis: Vec<Signal>,
}

/// The judgement of all accounts.
#[derive(Default)]
pub(super) struct Judged {
    /// Account to its attackers' origins, in the order of their first success.
    pub(super) attacks: HashMap<Text, Vec<Attack>>,
}

impl Judged {
    /// Whether this origin of this account is an attacker's.
    pub(super) fn is_attacker(&self, account: Text, address: Option<Text>) -> bool {
        self.attacks.get(&account).is_some_and(|attacks| attacks.iter().any(|a| a.address == address))
    }

    /// When the first attacker got into this account.
    pub(super) fn since(&self, account: Text) -> Option<Timestamp> {
        self.attacks.get(&account)?.iter().map(|a| a.first).min()
    }
}

/// Judges every origin of every account.
pub(super) fn judge(facts: Facts<'_>, profiles: &Profiles) -> Judged {
    let judge = Judge { facts, profiles, sprays: sprays(facts.rows, profiles) };
    let mut judged = Judged::default();
    for &account in &profiles.order {
        judge.by_itself(account, &mut judged);
    }
    for &account in &profiles.order {
        judge.companions(account, &mut judged);
    }
    judge.touched(&mut judged);
    for attacks in judged.attacks.values_mut() {
        attacks.sort_by_key(|a| (a.first, a.address));
    }
    judged
}

struct Judge<'a> {
    facts: Facts<'a>,
    profiles: &'a Profiles,
    /// Addresses that failed on many accounts, with how many.
    sprays: HashMap<Text, usize>,
}

impl Judge<'_> {
    /// First round: what an origin did, taken alone.
    fn by_itself(&self, account: Text, judged: &mut Judged) {
        let Some(profile) = self.profiles.get(account) else { return };
        let hinted = self.is_hinted_account(account);
        let mut best: Option<Attack> = None;
        for (address, used) in origins_in_order(profile) {
            let Some(attack) = self.assess(account, profile, address, used) else { continue };
            if attack.score >= self.facts.settings.thresholds.suspected {
                judged.attacks.entry(account).or_default().push(attack);
            } else if hinted && best.as_ref().is_none_or(|b| attack.score > b.score) {
                best = Some(attack);
            }
        }
        // The analyst says this account was abused: its most conspicuous origin is followed even if it would not stand out alone.
        if let Some(mut attack) = best.filter(|_| hinted && !judged.attacks.contains_key(&account)) {
            let missing = self.facts.settings.thresholds.suspected - attack.score;
            let text = "the analyst named the account; nothing else makes this origin stand out that much".to_owned();
            attack.basis.push(signal("hint", missing, text, Vec::new()));
            attack.score = self.facts.settings.thresholds.suspected;
            judged.attacks.insert(account, vec![attack]);
        }
    }

    fn assess(&self, account: Text, profile: &Profile, address: Option<Text>, used: &OriginUse) -> Option<Attack> {
        let rows = self.facts.rows;
        let first = used.first_success(rows)?;
        if !self.in_window(first, used) || self.is_trusted(address) {
            return None;
        }
        let mut basis = Vec::new();
        if let Some(address) = address.filter(|a| self.is_hinted_address(*a)) {
            let text = format!("the analyst named {} as the attacker's", rows.show(address));
            basis.push(signal("hint", weight::HINT, text, self.first_lines(used)));
            return Some(Attack { address: Some(address), first, score: 1.0, basis });
        }
        basis.push(self.novelty_of_origin(profile, address, used, first)?);
        basis.extend(self.burst(profile, address, used));
        basis.extend(self.sustained(profile, used));
        basis.extend(self.send_only(profile, address, used));
        basis.extend(self.refusals(used));
        basis.extend(self.new_recipients(profile, address, used, first));
        basis.extend(self.guessing(account, address, used));
        let score = basis.iter().map(|s| s.weight).sum::<f64>().clamp(0.0, 1.0);
        Some(Attack { address, first, score, basis })
    }

    /// Whether the account had never been used from here before; `None` if this is one of its usual origins.
    fn novelty_of_origin(&self, profile: &Profile, address: Option<Text>, used: &OriginUse, first: Timestamp) -> Option<Signal> {
        let rows = self.facts.rows;
        let address = address?;
        let earlier: Vec<Timestamp> = profile
            .origins
            .iter()
            .filter(|(a, _)| **a != Some(address))
            .filter_map(|(_, o)| o.first_success(rows))
            .filter(|t| *t < first)
            .collect();
        let earliest = earlier.iter().min();
        let Some(since) = earliest.filter(|since| first.since(**since) >= HISTORY_MIN) else {
            // There from the start and in regular use: the owner's, unless its mail is refused as only an attacker's is.
            if self.is_usual(used) && self.refusals(used).is_none() {
                return None;
            }
            let text = match earliest {
                None => format!("no use of the account before {} to compare {} with", self.facts.stamp(first).prose(), rows.show(address)),
                Some(_) => format!("less than a day of earlier use to compare {} with", rows.show(address)),
            };
            return Some(signal("no-history", weight::NO_HISTORY, text, Vec::new()));
        };
        let text = format!(
            "{} first used the account at {}; in the logs since {} it had been used from {} other address{}",
            rows.show(address),
            self.facts.stamp(first).prose(),
            self.facts.stamp(*since).prose(),
            earlier.len(),
            if earlier.len() == 1 { "" } else { "es" }
        );
        Some(signal("new-origin", weight::NEW_ORIGIN, text, self.first_lines(used)))
    }

    /// Whether an origin is in regular use.
    fn is_usual(&self, used: &OriginUse) -> bool {
        days_before(self.facts.rows, used, Timestamp(i64::MAX)) >= USUAL_DAYS
    }

    fn burst(&self, profile: &Profile, address: Option<Text>, used: &OriginUse) -> Option<Signal> {
        let rows = self.facts.rows;
        let (peak, hour) = busiest_hour(used.messages(rows))?;
        let usual = busiest_hour(profile.earlier_elsewhere(rows, address, used.first_success(rows)?)).map_or(0, |(peak, _)| peak);
        if peak < BURST_MIN.max(usual * BURST_FACTOR) {
            return None;
        }
        let text = format!(
            "{peak} recipients within one hour (from {}); the account's own busiest hour before had {usual}",
            self.facts.stamp(Timestamp(hour * HOUR)).minute()
        );
        Some(signal("burst", weight::BURST, text, self.first_lines(used)))
    }

    /// Day after day far more than the account sends from elsewhere, without ever being a burst.
    fn sustained(&self, profile: &Profile, used: &OriginUse) -> Option<Signal> {
        let rows = self.facts.rows;
        let mut here: HashMap<i64, u64> = HashMap::new();
        for message in used.messages(rows) {
            *here.entry(message.submitted.0.div_euclid(DAY)).or_default() += u64::from(message.recipients);
        }
        let elsewhere = profile.days.iter().map(|(day, all)| all - here.get(day).copied().unwrap_or(0)).filter(|n| *n > 0);
        let (usual, _) = mean(elsewhere);
        let (here, days) = mean(here.values().copied());
        if days < SUSTAINED_DAYS || here < DAILY_MIN.max(usual * DAILY_FACTOR) {
            return None;
        }
        let text = format!("{here:.0} recipients a day on {days} days; from elsewhere the account writes to {usual:.0} on a day it sends");
        Some(signal("sustained-volume", weight::SUSTAINED, text, self.first_lines(used)))
    }

    /// Sends but never reads mail, although the account's mail is read from elsewhere.
    fn send_only(&self, profile: &Profile, address: Option<Text>, used: &OriginUse) -> Option<Signal> {
        let rows = self.facts.rows;
        let reads = |origin: &OriginUse| {
            let logins = origin.logins.iter().map(|&l| &rows.logins[l as usize]);
            logins.filter(|l| l.protocol != Protocol::SmtpAuth && l.result == LoginResult::Success).count()
        };
        let elsewhere: usize = profile.origins.iter().filter(|(a, _)| **a != address).map(|(_, o)| reads(o)).sum();
        if (used.messages.len() as u64) < SHARE_MIN || reads(used) > 0 || elsewhere == 0 {
            return None;
        }
        let text =
            format!("{} messages sent and no mailbox session; from elsewhere the mailbox was read {elsewhere} times", used.messages.len());
        Some(signal("send-only", weight::SEND_ONLY, text, Vec::new()))
    }

    fn refusals(&self, used: &OriginUse) -> Option<Signal> {
        let rows = self.facts.rows;
        let (mut total, mut refused, mut pointers) = (0u64, 0u64, Vec::new());
        for recipient in used.messages(rows).flat_map(|m| rows.recipients_of(m)) {
            total += 1;
            if matches!(recipient.outcome, Outcome::Blocked | Outcome::Bounced) {
                refused += 1;
                if pointers.len() < 3 {
                    pointers.push(Facts::pointer(recipient.place));
                }
            }
        }
        if total < SHARE_MIN || refused < REFUSED_MIN || (refused as f64) < REFUSED_SHARE * total as f64 {
            return None;
        }
        let text = format!("{refused} of {total} recipients were blocked or bounced");
        Some(signal("refusals", weight::REFUSED, text, pointers))
    }

    fn new_recipients(&self, profile: &Profile, address: Option<Text>, used: &OriginUse, first: Timestamp) -> Option<Signal> {
        let rows = self.facts.rows;
        let earlier = profile.earlier_elsewhere(rows, address, first);
        let known: HashSet<Text> = earlier.flat_map(|m| rows.recipients_of(m)).map(|r| r.address).collect();
        let mut reached: Vec<Text> = used.messages(rows).flat_map(|m| rows.recipients_of(m)).map(|r| r.address).collect();
        reached.sort_unstable();
        reached.dedup();
        let new = reached.iter().filter(|a| !known.contains(*a)).count();
        if (reached.len() as u64) < SHARE_MIN || (new as f64) < NOVEL_SHARE * reached.len() as f64 {
            return None;
        }
        let text = format!("{new} of {} addresses written to had no mail from the account before", reached.len());
        Some(signal("new-recipients", weight::NOVEL, text, Vec::new()))
    }

    fn guessing(&self, account: Text, address: Option<Text>, used: &OriginUse) -> Option<Signal> {
        let rows = self.facts.rows;
        let address = address?;
        if self.regular_accounts(address) >= SHARED_MIN {
            return None;
        }
        if let Some(accounts) = self.sprays.get(&address) {
            let text = format!("{} also failed to log in to {accounts} accounts", rows.show(address));
            return Some(signal("spray", weight::SPRAY, text, Vec::new()));
        }
        let first = used.first_success(rows)?;
        let failures: Vec<_> =
            used.logins.iter().map(|&l| &rows.logins[l as usize]).filter(|l| l.result == LoginResult::Failure && l.at < first).collect();
        let count: u64 = failures.iter().map(|l| u64::from(l.times)).sum();
        if count < 3 {
            return None;
        }
        let text = format!("{count} failed logins to {} from {} before the first that worked", rows.show(account), rows.show(address));
        Some(signal("guessed", weight::GUESSED, text, failures.iter().take(3).map(|l| Facts::pointer(l.place)).collect()))
    }

    /// Accounts that use an address on three days or more: what makes it a shared gateway.
    fn regular_accounts(&self, address: Text) -> usize {
        let accounts = self.profiles.by_address.get(&address).map(Vec::as_slice).unwrap_or_default();
        accounts
            .iter()
            .filter(|a| self.profiles.get(**a).and_then(|p| p.origins.get(&Some(address))).is_some_and(|o| self.is_usual(o)))
            .count()
    }

    /// Second round: further new origins of an account already under attack that send what the attacker sends.
    fn companions(&self, account: Text, judged: &mut Judged) {
        let rows = self.facts.rows;
        let (Some(since), Some(profile)) = (judged.since(account), self.profiles.get(account)) else { return };
        let mut found = Vec::new();
        for (address, used) in origins_in_order(profile) {
            if judged.is_attacker(account, address) || self.is_trusted(address) {
                continue;
            }
            let Some(first) = used.first_success(rows) else { continue };
            let sends_refused = used.messages(rows).flat_map(|m| rows.recipients_of(m)).any(|r| r.outcome == Outcome::Blocked);
            if first < since.plus(-HISTORY_MIN) || !sends_refused || !self.in_window(first, used) {
                continue;
            }
            let Some(mut attack) = self.assess(account, profile, address, used) else { continue };
            let text =
                format!("new address that sends refused mail while the account is under attack since {}", self.facts.stamp(since).prose());
            attack.basis.push(signal("companion", weight::COMPANION, text, self.first_lines(used)));
            attack.score = (attack.score + weight::COMPANION).clamp(0.0, 1.0);
            if attack.score >= self.facts.settings.thresholds.suspected {
                found.push(attack);
            }
        }
        judged.attacks.entry(account).or_default().extend(found);
    }

    /// Third round: accounts an attacker's address got into, unless that address is one of the account's own or a shared gateway.
    fn touched(&self, judged: &mut Judged) {
        let rows = self.facts.rows;
        let mut pending: Vec<(Text, Timestamp)> = judged.attacks.values().flatten().filter_map(|a| Some((a.address?, a.first))).collect();
        pending.sort_unstable();
        pending.dedup_by_key(|(address, _)| *address);
        for (address, since) in pending {
            let accounts = self.profiles.by_address.get(&address).cloned().unwrap_or_default();
            let hinted = self.is_hinted_address(address);
            for account in accounts {
                let used = self.profiles.get(account).and_then(|p| p.origins.get(&Some(address)));
                let Some((used, first)) = used.and_then(|u| Some((u, u.first_success(rows)?))) else { continue };
                let own_habit = first < since.plus(-HISTORY_MIN) || self.regular_accounts(address) >= SHARED_MIN;
                if judged.is_attacker(account, Some(address)) || (own_habit && !hinted) || !self.in_window(first, used) {
                    continue;
                }
                let text = format!("{} got into {} too, at {}", rows.show(address), rows.show(account), self.facts.stamp(first).prose());
                let basis = vec![signal("shared-origin", weight::SPRAY, text, self.first_lines(used))];
                judged.attacks.entry(account).or_default().push(Attack { address: Some(address), first, score: weight::SPRAY, basis });
            }
        }
    }

    fn first_lines(&self, used: &OriginUse) -> Vec<String> {
        let rows = self.facts.rows;
        let login = used.logins.iter().map(|&l| &rows.logins[l as usize]).find(|l| l.result != LoginResult::Failure).map(|l| l.place);
        let message = used.messages.first().map(|&m| rows.messages[m as usize].place);
        let mut places: Vec<String> = [login, message].into_iter().flatten().map(Facts::pointer).collect();
        places.dedup();
        places
    }

    fn in_window(&self, first: Timestamp, used: &OriginUse) -> bool {
        let hints = &self.facts.settings.hints;
        let last = used.last_success(self.facts.rows).unwrap_or(first);
        hints.since.is_none_or(|since| last >= since) && hints.until.is_none_or(|until| first < until)
    }

    fn is_trusted(&self, address: Option<Text>) -> bool {
        let ip = address.and_then(|a| ip(self.facts.rows, a));
        ip.is_some_and(|ip| self.facts.settings.trusted_networks.iter().any(|n| n.contains(&ip)))
    }

    fn is_hinted_address(&self, address: Text) -> bool {
        let hints = &self.facts.settings.hints.attacker_networks;
        !hints.is_empty() && ip(self.facts.rows, address).is_some_and(|ip| hints.iter().any(|n| n.contains(&ip)))
    }

    fn is_hinted_account(&self, account: Text) -> bool {
        let settings = self.facts.settings;
        let name = self.facts.rows.show(account);
        settings.hints.accounts.iter().any(|h| settings.accounts.canonical(h) == name)
    }
}

/// A reason for or against, with its weight.
pub(super) fn signal(name: &str, weight: f64, text: String, evidence: Vec<String>) -> Signal {
    Signal { signal: name.to_owned(), weight, text, evidence }
}

fn ip(rows: &Rows, address: Text) -> Option<IpAddr> {
    std::str::from_utf8(rows.texts.bytes(address)).ok()?.parse().ok()
}

fn origins_in_order(profile: &Profile) -> Vec<(Option<Text>, &OriginUse)> {
    let mut origins: Vec<_> = profile.origins.iter().map(|(a, o)| (*a, o)).collect();
    origins.sort_unstable_by_key(|(address, _)| *address);
    origins
}

/// Different days on which an origin was used before an instant.
fn days_before(rows: &Rows, used: &OriginUse, before: Timestamp) -> usize {
    let logins = used.logins.iter().map(|&l| &rows.logins[l as usize]).filter(|l| l.result != LoginResult::Failure).map(|l| l.at);
    let sends = used.messages.iter().map(|&m| rows.messages[m as usize].submitted);
    let days: HashSet<i64> = logins.chain(sends).filter(|t| *t < before).map(|t| t.0.div_euclid(DAY)).collect();
    days.len()
}

/// The mean of some numbers, and how many there are.
fn mean(numbers: impl Iterator<Item = u64>) -> (f64, usize) {
    let (sum, count) = numbers.fold((0, 0), |(sum, count), n| (sum + n, count + 1));
    (sum as f64 / count.max(1) as f64, count)
}

/// The most recipients in one clock hour, and that hour.
fn busiest_hour<'r>(messages: impl Iterator<Item = &'r Message>) -> Option<(u64, i64)> {
    let mut hours: HashMap<i64, u64> = HashMap::new();
    for message in messages {
        *hours.entry(message.submitted.0.div_euclid(HOUR)).or_default() += u64::from(message.recipients);
    }
    hours.into_iter().map(|(hour, n)| (n, hour)).max_by_key(|(n, hour)| (*n, std::cmp::Reverse(*hour)))
}

/// Addresses that failed on many accounts.
fn sprays(rows: &Rows, profiles: &Profiles) -> HashMap<Text, usize> {
    let failed_on = |address: &Text, account: &Text| {
        profiles.get(*account).and_then(|p| p.origins.get(&Some(*address))).is_some_and(|o| o.failures(rows) > 0)
    };
    profiles
        .by_address
        .iter()
        .map(|(address, accounts)| (*address, accounts.iter().filter(|a| failed_on(address, a)).count()))
        .filter(|(_, failed)| *failed >= SPRAY_MIN)
        .collect()
}
