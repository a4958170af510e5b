//! Incidents: the accounts, origins and time window that belong to one compromise, with every figure of the report.

mod alternatives;
mod bounds;
mod groups;
mod logins;
mod mailbox;
mod notes;
mod origins;
mod reach;
mod received;
mod same;

use super::flood::Flood;
use super::judge::{Attack, Judged};
use super::model::{AccountChange, Incident, PerAccount, Signal, Verdict};
use super::signs::score;
use super::{Facts, Ground, changes, hints, tally, techniques};
use crate::domain::rows::{Action, Login, Message, Rows};
use crate::domain::text::Text;
use crate::domain::time::{MINUTE, Timestamp};
use crate::say::{Part, say};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// How far the clocks of two logs may differ before one of them shows what the other lacks.
const CLOCKS: i64 = 10 * MINUTE;

/// All incidents, the earliest first.
pub(super) fn incidents(ground: Ground<'_>, judged: &Judged) -> Vec<Incident> {
    let groups = groups::groups(ground, judged);
    let mut incidents: Vec<Incident> = groups.into_par_iter().map(|accounts| Builder::new(ground, judged, accounts).incident()).collect();
    incidents.extend(judged.floods.iter().map(|flood| Builder::of_flood(ground, judged, flood).incident()));
    debug_assert!(incidents.iter().all(Incident::adds_up), "the figures of an incident do not add up");
    let begin = |i: &Incident| i.first_login.as_ref().map(|l| l.time).or(i.first_send).or(i.sent_estimate.as_ref().map(|e| e.first));
    incidents.sort_by_key(|i| (begin(i), i.accounts.clone()));
    for (number, incident) in incidents.iter_mut().enumerate() {
        incident.id = format!("I{}", number + 1);
    }
    incidents
}

struct Builder<'a> {
    ground: Ground<'a>,
    facts: Facts<'a>,
    judged: &'a Judged,
    accounts: Vec<Text>,
    /// All that is known of it, where no origin of the account is judged.
    flood: Option<&'a Flood>,
    /// Addresses judged to be an attacker's for any of the accounts, and those that only failed and belong to them.
    addresses: HashSet<Text>,
    /// The attackers' messages by account, picked once out of all.
    sent: HashMap<Text, Arc<[u32]>>,
    /// When notices about the attackers' messages came back, by account, in the order of time.
    returned: OnceLock<HashMap<Text, received::NoticesOf>>,
    /// From the attackers' first use to their last.
    window: OnceLock<Option<(Timestamp, Timestamp)>>,
}

impl<'a> Builder<'a> {
    fn new(ground: Ground<'a>, judged: &'a Judged, accounts: Vec<Text>) -> Builder<'a> {
        let attacks = || accounts.iter().filter_map(|a| judged.attacks.get(a)).flatten();
        let mut addresses: HashSet<Text> = attacks().filter_map(|a| a.address).collect();
        let origins = || {
            accounts.iter().flat_map(|a| judged.attacks.get(a).into_iter().flatten().filter_map(|k| ground.profiles.origin(*a, k.address)))
        };
        let (begin, end) = (attacks().map(|a| a.first).min(), origins().filter_map(|o| o.last).max());
        if let (Some(begin), Some(end)) = (begin, end) {
            addresses.extend(ground.tries.allies(ground.addresses, &addresses, begin, end));
        }
        let (sent, returned, window) = (HashMap::new(), OnceLock::new(), OnceLock::new());
        let mut builder = Builder { ground, facts: ground.facts, judged, accounts, flood: None, addresses, sent, returned, window };
        builder.sent = builder.accounts.iter().map(|&account| (account, builder.pick(account))).collect();
        builder
    }

    fn of_flood(ground: Ground<'a>, judged: &'a Judged, flood: &'a Flood) -> Builder<'a> {
        Builder { flood: Some(flood), ..Builder::new(ground, judged, vec![flood.account]) }
    }

    fn rows(&self) -> &'a Rows {
        self.facts.rows
    }

    fn attacks(&self, account: Text) -> &'a [Attack] {
        self.judged.attacks.get(&account).map(Vec::as_slice).unwrap_or_default()
    }

    fn incident(&self) -> Incident {
        let rows = self.rows();
        let names = |accounts: &[Text]| accounts.iter().map(|a| rows.show(*a)).collect::<Vec<_>>();
        let sending: Vec<Text> = self.accounts.iter().copied().filter(|a| self.messages_of(*a).next().is_some()).collect();
        let messages: Vec<&Message> = self.accounts.iter().flat_map(|a| self.messages_of(*a)).collect();
        let mut in_time = messages.clone();
        in_time.sort_by_key(|m| (m.submitted, m.place));
        let recipients = || messages.iter().flat_map(|m| rows.recipients_of(m));
        let basis = self.basis();
        let of_flood = score(self.flood.map(|flood| std::slice::from_ref(&flood.sign)).unwrap_or_default());
        let score = self.accounts.iter().flat_map(|a| self.attacks(*a)).map(|a| a.score).fold(of_flood, f64::max);
        // Notices alone make nobody surer than suspected: a forged sender draws them too.
        let confirmed = self.flood.is_none() && score >= self.facts.settings.thresholds.confirmed;
        let sent_estimate = self.sent_estimate();
        let last_activity = self.accounts.iter().filter_map(|a| self.last_activity(*a)).max();
        let known = self.knows_submissions();
        // What walks through all the messages, side by side. Where there is one account only, its figures are those of all.
        let several = self.accounts.len() > 1;
        let (per_account, (of_all, reach)) = rayon::join(
            || self.accounts.par_iter().map(|a| (rows.show(*a), self.per_account(*a))).collect::<BTreeMap<String, PerAccount>>(),
            || rayon::join(|| (known && several).then(|| self.recipient_tally(&in_time)), || self.reach(&in_time)),
        );
        let ((blocked_by, reasons), (returned_notices, origins)) = rayon::join(
            || (known.then(|| tally::blocked_by(recipients())), tally::reasons(rows, recipients())),
            || (self.notices(&self.accounts), self.origins()),
        );
        let recipient_tally = if several { of_all } else { per_account.values().next().and_then(|only| only.recipients.clone()) };
        let mut incident = Incident {
            id: String::new(),
            accounts: names(&self.accounts),
            sending_accounts: names(&sending),
            verdict: if confirmed { Verdict::Confirmed } else { Verdict::Suspected },
            score,
            alternatives: self.alternatives(&basis),
            basis,
            first_login: self.accounts.iter().filter_map(|a| self.first_login(*a)).min_by_key(|(t, _)| *t).map(|(_, login)| login),
            first_send: messages.iter().map(|m| m.submitted).min().map(|t| self.facts.stamp(t)),
            last_send: messages.iter().map(|m| m.submitted).max().map(|t| self.facts.stamp(t)),
            last_activity: last_activity.map(|t| self.facts.stamp(t)),
            prior_failed_logins: logins::sum_prior(per_account.values().map(|p| &p.prior_failed_logins)),
            protocols: self.protocols(),
            origins,
            messages: known.then(|| tally::messages(messages.iter().copied())),
            recipients: recipient_tally,
            blocked_by,
            reasons,
            returned_notices,
            mailbox_access: self.mailbox_access(&self.accounts),
            account_changes: self.account_changes(),
            other_accounts: self.other_accounts(),
            same_client: self.same_client(),
            same_asn: self.same_asn(),
            per_account,
            reach,
            discovery: self.discovery(&messages, sent_estimate.as_ref()),
            sent_estimate,
            techniques: Vec::new(),
            lower_bounds: self.lower_bounds(),
            notes: Vec::new(),
        };
        incident.techniques = techniques::techniques(&incident, self.is_in_the_cloud(), self.facts.lang());
        incident.notes = self.notes(&incident).iter().map(|note| self.facts.said(note)).collect();
        incident
    }

    /// Whether the attackers' first login was at an identity provider.
    fn is_in_the_cloud(&self) -> bool {
        self.accounts.iter().any(|account| self.logins_of(*account).any(|login| login.provider.is_some()))
    }

    /// The time asked for, by origin of an account's attackers; empty if nothing was asked.
    fn asked(&self, account: Text) -> HashMap<Option<Text>, hints::Asked> {
        let of = |attack: &Attack| (attack.address, self.asked_of(account, attack.address));
        self.attacks(account).iter().map(of).filter(|(_, asked)| *asked != hints::Asked::default()).collect()
    }

    /// The time asked for of what an account's attackers did at an address.
    fn asked_of(&self, account: Text, address: Option<Text>) -> hints::Asked {
        let ip = address.and_then(|address| self.ground.addresses.spot(address)).map(|spot| spot.ip);
        hints::asked(self.facts, account, ip)
    }

    /// The numbers of the messages of one account that came from an attacker's origin, in the order of time.
    fn pick(&self, account: Text) -> Arc<[u32]> {
        let messages = &self.rows().messages;
        let asked = self.asked(account);
        let mut picked: Vec<u32> = Vec::new();
        let origins = self.ground.profiles.get(account).map(|p| p.origins.as_slice()).unwrap_or_default();
        for origin in origins.iter().filter(|origin| self.judged.is_attacker(account, origin.address)) {
            let asked = asked.get(&origin.address);
            let in_time = |m: &&u32| asked.is_none_or(|asked| messages.get(**m as usize).is_some_and(|m| asked.holds(m.submitted)));
            picked.extend(origin.messages.iter().filter(in_time));
        }
        // Each origin's are in order.
        picked.sort();
        picked.into()
    }

    /// Messages of one account that came from an attacker's origin.
    fn messages_of(&self, account: Text) -> impl Iterator<Item = &'a Message> + use<'a> {
        let rows = self.rows();
        let sent = self.sent.get(&account).cloned().unwrap_or_default();
        (0..sent.len()).map(move |at| &rows.messages[sent[at] as usize])
    }

    /// Logins of one account from an attacker's origin.
    fn logins_of(&self, account: Text) -> impl DoubleEndedIterator<Item = &'a Login> + 'a {
        let rows = self.rows();
        let judged = self.judged;
        let numbers = self.ground.profiles.get(account).map(|p| p.logins.as_slice()).unwrap_or_default();
        let asked = self.asked(account);
        numbers
            .iter()
            .map(|&l| &rows.logins[l as usize])
            .filter(move |l| judged.is_attacker(account, l.address))
            .filter(move |l| asked.get(&l.address).is_none_or(|asked| asked.holds(l.at)))
    }

    /// What was changed since the attackers' first login, and what they did themselves before that: the login they came by is not in
    /// evidence. An act of everyday use counts only from an attacker's address; a change of a setting counts whoever made it, because what
    /// is left behind must be undone.
    fn account_changes(&self) -> Vec<AccountChange> {
        let Some(since) = self.accounts.iter().filter_map(|a| self.first_login(*a)).map(|(t, _)| t).min() else { return Vec::new() };
        let counts = |account: Text, act: &Action| {
            let in_time = self.asked_of(account, act.address).holds(act.at) && (act.at >= since || self.is_own_act(account, act));
            in_time && (!changes::is_everyday(act.kind) || self.judged.is_attacker(account, act.address))
        };
        changes::account_changes(self.facts, &self.accounts, counts)
    }

    /// Whether an attacker acted from an address of its own, in the time asked for.
    fn is_own_act(&self, account: Text, action: &Action) -> bool {
        let by_attacker = action.address.is_some() && self.judged.is_attacker(account, action.address);
        by_attacker && self.asked_of(account, action.address).holds(action.at)
    }

    /// When the attackers changed or read something of an account before the first login of theirs that is in evidence, in order.
    fn acts_before_login(&self, account: Text) -> Vec<Timestamp> {
        let Some((first, _)) = self.first_login(account) else { return Vec::new() };
        let acts = self.ground.deeds.actions(self.rows(), account).filter(|act| self.is_own_act(account, act)).map(|act| act.at);
        let uses = self.mailbox_uses(&[account]).filter(|used| used.address.is_some()).map(|used| used.at);
        let mut before: Vec<Timestamp> = acts.chain(uses).filter(|at| at.plus(CLOCKS) < first).collect();
        before.sort_unstable();
        before
    }

    fn per_account(&self, account: Text) -> PerAccount {
        let messages: Vec<&Message> = self.messages_of(account).collect();
        let first_login = self.first_login(account);
        let since = first_login.as_ref().map(|(t, _)| *t);
        let stamp = |t: Timestamp| self.facts.stamp(t);
        PerAccount {
            prior_failed_logins: self.prior_failures(account, since),
            first_login: first_login.map(|(_, login)| login),
            first_send: messages.iter().map(|m| m.submitted).min().map(stamp),
            last_send: messages.iter().map(|m| m.submitted).max().map(stamp),
            last_activity: self.last_activity(account).map(stamp),
            last_owner_login_before: self.last_owner_login(account, since).map(stamp),
            messages: self.knows_submissions().then(|| tally::messages(messages.iter().copied())),
            recipients: self.knows_submissions().then(|| self.recipient_tally(&messages)),
            returned_notices: self.notices(&[account]),
            mailbox_access: self.mailbox_access(&[account]),
        }
    }

    fn basis(&self) -> Vec<Signal> {
        let mut basis: Vec<Signal> = self.flood.map(|flood| flood.sign.clone()).into_iter().collect();
        let several = self.accounts.len() > 1;
        for &account in &self.accounts {
            for attack in self.attacks(account) {
                let origin = attack.address.map_or_else(|| Part::from(say!("an unknown address")), |a| self.rows().show(a).into());
                for signal in &attack.basis {
                    let (origin, seen) = (origin.clone(), &signal.text);
                    let text = if several {
                        say!("{account} from {origin}: {seen}", account = self.rows().show(account), origin, seen)
                    } else {
                        say!("{origin}: {seen}", origin, seen)
                    };
                    basis.push(Signal { text: self.facts.said(&text), ..signal.clone() });
                }
            }
        }
        basis
    }
}
