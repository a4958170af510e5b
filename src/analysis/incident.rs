//! Incidents: the accounts, origins and time window that belong to one compromise, with every figure of the report.

use super::Facts;
use super::judge::{Attack, Judged};
use super::model::{
    Count, FirstLogin, Incident, MailboxAccess, Origin, OriginVerdict, OtherAccount, PerAccount, PriorFailedLogins, ProtocolUse,
    RecipientTally, ReturnedNotices, Signal, Verdict,
};
use super::profile::{OriginUse, Profiles};
use super::tally;
use crate::domain::outcome::Outcome;
use crate::domain::rows::{Login, LoginResult, MailboxUse, Message, Protocol, Rows};
use crate::domain::text::Text;
use crate::domain::time::{HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};

/// All incidents, the earliest first.
pub(super) fn incidents(facts: Facts<'_>, profiles: &Profiles, judged: &Judged) -> Vec<Incident> {
    let mut incidents: Vec<Incident> =
        groups(facts, profiles, judged).into_iter().map(|accounts| Builder::new(facts, profiles, judged, accounts).incident()).collect();
    debug_assert!(incidents.iter().all(Incident::adds_up), "the figures of an incident do not add up");
    incidents.sort_by_key(|i| (i.first_login.as_ref().map(|l| l.time).or(i.first_send), i.accounts.clone()));
    for (number, incident) in incidents.iter_mut().enumerate() {
        incident.id = format!("I{}", number + 1);
    }
    incidents
}

/// Accounts that share an attacker's address, or whose attackers sent in the same hours, belong together.
fn groups(facts: Facts<'_>, profiles: &Profiles, judged: &Judged) -> Vec<Vec<Text>> {
    let accounts: Vec<Text> = profiles.order.iter().copied().filter(|a| judged.attacks.get(a).is_some_and(|v| !v.is_empty())).collect();
    let traits: Vec<(HashSet<Text>, HashSet<i64>)> = accounts
        .iter()
        .map(|account| {
            let attacks = &judged.attacks[account];
            let profile = profiles.get(*account);
            let addresses = attacks.iter().filter_map(|a| a.address).collect();
            let origins = attacks.iter().filter_map(|a| profile?.origins.get(&a.address));
            let hours = origins.flat_map(|o| o.messages(facts.rows)).map(|m| m.submitted.0.div_euclid(HOUR)).collect();
            (addresses, hours)
        })
        .collect();
    let mut group_of: Vec<usize> = (0..accounts.len()).collect();
    for a in 0..accounts.len() {
        for b in 0..a {
            let same_address = !traits[a].0.is_disjoint(&traits[b].0);
            let common = traits[a].1.intersection(&traits[b].1).count();
            let together = common * 2 > traits[a].1.len().min(traits[b].1.len());
            if same_address || together {
                let (from, to) = (group_of[a].max(group_of[b]), group_of[a].min(group_of[b]));
                group_of.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
    for (account, group) in accounts.iter().zip(group_of) {
        groups.entry(group).or_default().push(*account);
    }
    let mut groups: Vec<Vec<Text>> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|account| judged.since(*account));
    }
    groups
}

struct Builder<'a> {
    facts: Facts<'a>,
    profiles: &'a Profiles,
    judged: &'a Judged,
    accounts: Vec<Text>,
    /// Addresses judged to be an attacker's for any of the accounts.
    addresses: HashSet<Text>,
}

impl<'a> Builder<'a> {
    fn new(facts: Facts<'a>, profiles: &'a Profiles, judged: &'a Judged, accounts: Vec<Text>) -> Builder<'a> {
        let addresses = accounts.iter().flat_map(|a| &judged.attacks[a]).filter_map(|a| a.address).collect();
        Builder { facts, profiles, judged, accounts, addresses }
    }

    fn rows(&self) -> &'a Rows {
        self.facts.rows
    }

    fn attacks(&self, account: Text) -> &'a [Attack] {
        self.judged.attacks.get(&account).map(Vec::as_slice).unwrap_or_default()
    }

    fn origin(&self, account: Text, address: Option<Text>) -> Option<&'a OriginUse> {
        self.profiles.get(account)?.origins.get(&address)
    }

    fn incident(&self) -> Incident {
        let rows = self.rows();
        let names = |accounts: &[Text]| accounts.iter().map(|a| rows.show(*a)).collect::<Vec<_>>();
        let sending: Vec<Text> = self.accounts.iter().copied().filter(|a| self.messages_of(*a).next().is_some()).collect();
        let messages: Vec<&Message> = self.accounts.iter().flat_map(|a| self.messages_of(*a)).collect();
        let recipients = || messages.iter().flat_map(|m| rows.recipients_of(m));
        let score = self.accounts.iter().flat_map(|a| self.attacks(*a)).map(|a| a.score).fold(0.0, f64::max);
        let last_activity = self.accounts.iter().filter_map(|a| self.last_activity(*a)).max();
        let per_account: BTreeMap<String, PerAccount> = self.accounts.iter().map(|a| (rows.show(*a), self.per_account(*a))).collect();
        Incident {
            id: String::new(),
            accounts: names(&self.accounts),
            sending_accounts: names(&sending),
            verdict: if score >= self.facts.settings.thresholds.confirmed { Verdict::Confirmed } else { Verdict::Suspected },
            score,
            basis: self.basis(),
            first_login: self.accounts.iter().filter_map(|a| self.first_login(*a)).min_by_key(|(t, _)| *t).map(|(_, login)| login),
            first_send: messages.iter().map(|m| m.submitted).min().map(|t| self.facts.stamp(t)),
            last_send: messages.iter().map(|m| m.submitted).max().map(|t| self.facts.stamp(t)),
            last_activity: last_activity.map(|t| self.facts.stamp(t)),
            prior_failed_logins: sum_prior(per_account.values().map(|p| &p.prior_failed_logins)),
            protocols: self.protocols(),
            origins: self.origins(),
            messages: tally::messages(messages.iter().copied()),
            recipients: self.recipient_tally(&messages),
            blocked_by: tally::blocked_by(recipients()),
            reasons: tally::reasons(rows, recipients()),
            returned_notices: self.notices(&self.accounts),
            mailbox_access: self.mailbox_access(&self.accounts),
            account_changes: Vec::new(),
            other_accounts: self.other_accounts(),
            per_account,
        }
    }

    /// Messages of one account that came from an attacker's origin.
    fn messages_of(&self, account: Text) -> impl Iterator<Item = &'a Message> + 'a {
        let rows = self.rows();
        let judged = self.judged;
        let numbers = self.profiles.get(account).map(|p| p.messages.as_slice()).unwrap_or_default();
        let hints = &self.facts.settings.hints;
        numbers
            .iter()
            .map(|&m| &rows.messages[m as usize])
            .filter(move |m| judged.is_attacker(account, m.address))
            .filter(move |m| hints.since.is_none_or(|t| m.submitted >= t) && hints.until.is_none_or(|t| m.submitted < t))
    }

    /// Logins of one account from an attacker's origin.
    fn logins_of(&self, account: Text) -> impl DoubleEndedIterator<Item = &'a Login> + 'a {
        let rows = self.rows();
        let judged = self.judged;
        let numbers = self.profiles.get(account).map(|p| p.logins.as_slice()).unwrap_or_default();
        let hints = &self.facts.settings.hints;
        numbers
            .iter()
            .map(|&l| &rows.logins[l as usize])
            .filter(move |l| judged.is_attacker(account, l.address))
            .filter(move |l| hints.since.is_none_or(|t| l.at >= t) && hints.until.is_none_or(|t| l.at < t))
    }

    fn first_login(&self, account: Text) -> Option<(Timestamp, FirstLogin)> {
        let rows = self.rows();
        let login = self.logins_of(account).find(|l| l.result != LoginResult::Failure)?;
        Some((
            login.at,
            FirstLogin {
                time: self.facts.stamp(login.at),
                account: rows.show(account),
                ip: login.address.map(|a| rows.show(a)),
                protocol: login.protocol.as_str().to_owned(),
                client: login.client.map(|c| rows.show(c)),
                evidence: vec![Facts::pointer(login.place)],
            },
        ))
    }

    fn last_activity(&self, account: Text) -> Option<Timestamp> {
        let login = self.logins_of(account).rev().find(|l| l.result != LoginResult::Failure).map(|l| l.at);
        let send = self.messages_of(account).map(|m| m.submitted).max();
        let mailbox = self.mailbox_uses(&[account]).map(|u| u.at).max();
        [login, send, mailbox].into_iter().flatten().max()
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
            messages: tally::messages(messages.iter().copied()),
            recipients: self.recipient_tally(&messages),
            returned_notices: self.notices(&[account]),
            mailbox_access: self.mailbox_access(&[account]),
        }
    }

    fn last_owner_login(&self, account: Text, before: Option<Timestamp>) -> Option<Timestamp> {
        let rows = self.rows();
        let logins = self.profiles.get(account)?.logins.iter().map(|&l| &rows.logins[l as usize]);
        logins
            .filter(|l| l.result == LoginResult::Success && !self.judged.is_attacker(account, l.address))
            .map(|l| l.at)
            .filter(|t| before.is_none_or(|b| *t < b))
            .max()
    }

    /// Failures on an account before the attacker first got in: by anyone, and by the attacker's origins.
    fn prior_failures(&self, account: Text, since: Option<Timestamp>) -> PriorFailedLogins {
        let rows = self.rows();
        let Some(since) = since else {
            let note = Some("no login of the attacker is in evidence, so there is no moment to count up to".to_owned());
            let unknown = Count { count: None, determinable: false, note };
            return PriorFailedLogins { account: unknown.clone(), origin: unknown };
        };
        let numbers = self.profiles.get(account).map(|p| p.logins.as_slice()).unwrap_or_default();
        let failures = || numbers.iter().map(|&l| &rows.logins[l as usize]).filter(|l| l.result == LoginResult::Failure && l.at < since);
        let all: u64 = failures().map(|l| u64::from(l.times)).sum();
        let origin: u64 = failures().filter(|l| l.address.is_some_and(|a| self.addresses.contains(&a))).map(|l| u64::from(l.times)).sum();
        let nameless = |of_attacker: bool| -> u64 {
            let unnamed = rows.logins.iter().filter(|l| l.account.is_none() && l.result == LoginResult::Failure && l.at < since);
            unnamed.filter(|l| !of_attacker || l.address.is_some_and(|a| self.addresses.contains(&a))).map(|l| u64::from(l.times)).sum()
        };
        PriorFailedLogins { account: counted(all, nameless(false)), origin: counted(origin, nameless(true)) }
    }

    fn recipient_tally(&self, messages: &[&Message]) -> RecipientTally {
        let rows = self.rows();
        let mut contacted: HashMap<(Text, Text), Timestamp> = HashMap::new();
        for &account in &self.accounts {
            let numbers = self.profiles.get(account).map(|p| p.messages.as_slice()).unwrap_or_default();
            for message in numbers.iter().map(|&m| &rows.messages[m as usize]) {
                if self.judged.is_attacker(account, message.address) {
                    continue;
                }
                for recipient in rows.recipients_of(message) {
                    let known = contacted.entry((account, recipient.address)).or_insert(message.submitted);
                    *known = (*known).min(message.submitted);
                }
            }
        }
        let mut in_time: Vec<&Message> = messages.to_vec();
        in_time.sort_by_key(|m| (m.submitted, m.place));
        tally::recipients(rows, in_time.into_iter(), |message, address| contacted.get(&(message.account?, address)).copied())
    }

    fn basis(&self) -> Vec<Signal> {
        let mut basis: Vec<Signal> = Vec::new();
        let several = self.accounts.len() > 1;
        for &account in &self.accounts {
            for attack in self.attacks(account) {
                let origin = attack.address.map_or_else(|| "an unknown address".to_owned(), |a| self.rows().show(a));
                for signal in &attack.basis {
                    let who = if several { format!("{} from {origin}: ", self.rows().show(account)) } else { format!("{origin}: ") };
                    basis.push(Signal { text: format!("{who}{}", signal.text), ..signal.clone() });
                }
            }
        }
        basis
    }

    fn protocols(&self) -> Vec<ProtocolUse> {
        let mut uses: BTreeMap<Protocol, ProtocolUse> = BTreeMap::new();
        let entry = |uses: &mut BTreeMap<Protocol, ProtocolUse>, protocol: Protocol, add: &dyn Fn(&mut ProtocolUse)| {
            let name = protocol.as_str().to_owned();
            add(uses.entry(protocol).or_insert(ProtocolUse { protocol: name, logins: 0, failures: 0, messages: 0 }));
        };
        for &account in &self.accounts {
            for login in self.logins_of(account) {
                let times = u64::from(login.times);
                match login.result {
                    LoginResult::Failure => entry(&mut uses, login.protocol, &|u| u.failures += times),
                    _ => entry(&mut uses, login.protocol, &|u| u.logins += times),
                }
            }
            let sent = self.messages_of(account).count() as u64;
            if sent > 0 {
                entry(&mut uses, Protocol::SmtpAuth, &|u| u.messages += sent);
            }
        }
        uses.into_values().collect()
    }

    /// Every address the incident's accounts were used or tried from, the attacker's first.
    fn origins(&self) -> Vec<Origin> {
        let mut addresses: BTreeSet<Text> = BTreeSet::new();
        for &account in &self.accounts {
            addresses.extend(self.profiles.get(account).into_iter().flat_map(|p| p.origins.keys().flatten().copied()));
        }
        let mut origins: Vec<Origin> = addresses.into_iter().map(|a| self.origin_row(a)).collect();
        origins.sort_by(|a, b| (a.verdict, a.first, &a.ip).cmp(&(b.verdict, b.first, &b.ip)));
        origins
    }

    fn origin_row(&self, address: Text) -> Origin {
        let rows = self.rows();
        let used: Vec<(Text, &OriginUse)> = self.accounts.iter().filter_map(|&a| Some((a, self.origin(a, Some(address))?))).collect();
        let attacker = used.iter().any(|(account, _)| self.judged.is_attacker(*account, Some(address)));
        let first = used.iter().filter_map(|(_, o)| o.first_success(rows)).min();
        let owner = used
            .iter()
            .any(|(account, o)| o.first_success(rows).is_some_and(|first| self.judged.since(*account).is_none_or(|since| first < since)));
        let verdict = match (attacker, owner) {
            (true, _) => OriginVerdict::Attacker,
            (false, true) => OriginVerdict::Owner,
            (false, false) => OriginVerdict::Undetermined,
        };
        let times = used.iter().flat_map(|(_, o)| o.logins.iter().map(|&l| rows.logins[l as usize].at));
        let sends = used.iter().flat_map(|(_, o)| o.messages(rows).map(|m| m.submitted));
        let mut all: Vec<Timestamp> = times.chain(sends).collect();
        all.sort_unstable();
        Origin {
            ip: rows.show(address),
            asn: None,
            country: None,
            verdict,
            logins: used.iter().map(|(_, o)| o.successes(rows)).sum(),
            failures: used.iter().map(|(_, o)| o.failures(rows)).sum(),
            messages: used.iter().map(|(_, o)| o.messages.len() as u64).sum(),
            first: first.or(all.first().copied()).map(|t| self.facts.stamp(t)),
            last: all.last().map(|t| self.facts.stamp(*t)),
            clients: clients(rows, &used),
        }
    }

    fn notices(&self, accounts: &[Text]) -> ReturnedNotices {
        let rows = self.rows();
        let of_incident = |m: &Message| m.account.is_some_and(|a| accounts.contains(&a) && self.judged.is_attacker(a, m.address));
        let times: Vec<Timestamp> = rows.notices.iter().filter(|n| of_incident(&rows.messages[n.message as usize])).map(|n| n.at).collect();
        let sent = || accounts.iter().flat_map(|a| self.messages_of(*a));
        let handed_on = sent().flat_map(|m| rows.recipients_of(m)).any(|r| r.outcome == Outcome::Relayed);
        let note = "notices made by a host whose log is not in evidence cannot be told from other mail";
        ReturnedNotices {
            count: (!handed_on || !times.is_empty()).then_some(times.len() as u64),
            first: times.iter().min().map(|t| self.facts.stamp(*t)),
            last: times.iter().max().map(|t| self.facts.stamp(*t)),
            note: handed_on.then(|| note.to_owned()),
        }
    }

    fn mailbox_uses(&self, accounts: &[Text]) -> impl Iterator<Item = &'a MailboxUse> + 'a {
        let accounts = accounts.to_vec();
        let judged = self.judged;
        self.rows()
            .mailbox_uses
            .iter()
            .filter(move |u| u.account.is_some_and(|a| accounts.contains(&a) && judged.is_attacker(a, u.address)))
    }

    /// What the attacker's mailbox sessions read.
    fn mailbox_access(&self, accounts: &[Text]) -> MailboxAccess {
        let rows = self.rows();
        let mailbox = |p: Protocol| p != Protocol::SmtpAuth;
        let logged = rows.logins.iter().any(|l| mailbox(l.protocol)) || !rows.mailbox_uses.is_empty();
        if !logged {
            let note = "no log of a mailbox server (IMAP, POP3, webmail) is in evidence".to_owned();
            return MailboxAccess { note: Some(note), ..MailboxAccess::default() };
        }
        let logins =
            || accounts.iter().flat_map(|a| self.logins_of(*a)).filter(|l| mailbox(l.protocol) && l.result == LoginResult::Success);
        let uses: Vec<&MailboxUse> = self.mailbox_uses(accounts).collect();
        let times = || logins().map(|l| l.at).chain(uses.iter().map(|u| u.at));
        let sessions: u64 = logins().map(|l| u64::from(l.times)).sum();
        let untold = sessions > 0 && (uses.is_empty() || uses.iter().any(|u| u.items.is_none()));
        let bytes: u64 = uses.iter().map(|u| u.bytes_out).sum();
        let note = match (sessions, untold) {
            (0, _) => None,
            (_, true) => {
                Some(format!("the logs do not say for every session which messages were fetched; {bytes} bytes were sent to the client"))
            }
            (_, false) => {
                Some(format!("{bytes} bytes were sent to the client; headers and previews can be read without fetching a message"))
            }
        };
        MailboxAccess {
            determinable: true,
            sessions: Some(sessions),
            items: if untold { None } else { Some(uses.iter().filter_map(|u| u.items).sum()) },
            first: times().min().map(|t| self.facts.stamp(t)),
            last: times().max().map(|t| self.facts.stamp(t)),
            note,
        }
    }

    /// Accounts the attacker's addresses tried in vain.
    fn other_accounts(&self) -> Vec<OtherAccount> {
        let rows = self.rows();
        let mut others: BTreeMap<String, OtherAccount> = BTreeMap::new();
        for address in &self.addresses {
            for &account in self.profiles.by_address.get(address).into_iter().flatten() {
                let Some(used) = self.origin(account, Some(*address)) else { continue };
                let failures = used.failures(rows);
                if self.accounts.contains(&account) || failures == 0 {
                    continue;
                }
                let name = rows.show(account);
                let stopped = used.logins.iter().any(|&l| rows.logins[l as usize].result == LoginResult::Stopped);
                let entry = others.entry(name.clone()).or_insert(OtherAccount { account: name, failures: 0, password_known: false });
                entry.failures += failures;
                entry.password_known |= stopped;
            }
        }
        others.into_values().collect()
    }
}

fn counted(count: u64, nameless: u64) -> Count {
    let note = (nameless > 0).then(|| {
        format!(
            "{nameless} more failed logins carry no user name (Postfix before 3.9 does not log it), so they cannot be tied to an account"
        )
    });
    Count { count: Some(count), determinable: nameless == 0, note }
}

fn sum_prior<'p>(priors: impl Iterator<Item = &'p PriorFailedLogins> + Clone) -> PriorFailedLogins {
    let sum = |of: fn(&PriorFailedLogins) -> &Count| {
        let counts: Vec<&Count> = priors.clone().map(of).collect();
        let known: Vec<u64> = counts.iter().filter_map(|c| c.count).collect();
        Count {
            count: (!known.is_empty()).then(|| known.iter().sum()),
            determinable: counts.iter().all(|c| c.determinable),
            note: counts.iter().find_map(|c| c.note.clone()),
        }
    };
    PriorFailedLogins { account: sum(|p| &p.account), origin: sum(|p| &p.origin) }
}

/// Client names shown per origin at most.
const CLIENTS: usize = 5;

fn clients(rows: &Rows, used: &[(Text, &OriginUse)]) -> Vec<String> {
    let logins = used.iter().flat_map(|(_, o)| o.logins.iter()).filter_map(|&l| rows.logins[l as usize].client);
    let sends = used.iter().flat_map(|(_, o)| o.messages(rows)).filter_map(|m| m.client);
    let distinct: BTreeSet<String> = logins
        .chain(sends)
        .collect::<HashSet<Text>>()
        .into_iter()
        .map(|c| rows.show(c))
        .filter(|c| !c.is_empty() && c != "unknown")
        .collect();
    distinct.into_iter().take(CLIENTS).collect()
}
