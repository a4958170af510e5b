//! Where an incident's accounts were used and tried from, by which protocols, and what else the attackers' addresses tried.

use super::Builder;
use crate::analysis::addresses::USUAL_DAYS;
use crate::analysis::hints;
use crate::analysis::model::{Origin, OriginVerdict, OtherAccount, ProtocolUse};
use crate::analysis::profile::{OriginUse, got_in, turned_away};
use crate::analysis::tries::SHARED_MIN;
use crate::domain::rows::{Login, Protocol, Rows};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use hashbrown::HashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// How an account was used from an address.
struct Use {
    logins: u64,
    messages: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Client names shown per origin at most.
const CLIENTS: usize = 5;

impl Builder<'_> {
    pub(super) fn protocols(&self) -> Vec<ProtocolUse> {
        let unsent = self.knows_submissions().then_some(0);
        let mut uses: BTreeMap<Protocol, ProtocolUse> = BTreeMap::new();
        let entry = |uses: &mut BTreeMap<Protocol, ProtocolUse>, protocol: Protocol, add: &dyn Fn(&mut ProtocolUse)| {
            let unused = || ProtocolUse { protocol: protocol.as_str().to_owned(), logins: 0, failures: 0, messages: unsent };
            add(uses.entry(protocol).or_insert_with(unused));
        };
        for &account in &self.accounts {
            for login in self.logins_of(account) {
                let times = u64::from(login.times);
                if got_in(login) {
                    entry(&mut uses, login.protocol, &|u| u.logins += times);
                }
            }
            for login in self.failures_of(account) {
                entry(&mut uses, login.protocol, &|u| u.failures += u64::from(login.times));
            }
            for message in self.messages_of(account) {
                entry(&mut uses, message.protocol, &|u| u.messages = Some(u.messages.unwrap_or(0) + 1));
            }
        }
        uses.into_values().collect()
    }

    /// Failed logins to one account from any address of the incident's attackers: some of them got into another account alone.
    fn failures_of(&self, account: Text) -> impl Iterator<Item = &Login> {
        let rows = self.rows();
        let logins = self.ground.profiles.get(account).map(|p| p.logins.as_slice()).unwrap_or_default();
        let failed = logins.iter().map(|&number| &rows.logins[number as usize]).filter(|login| turned_away(login));
        let is_theirs = |address: Option<Text>| address.is_some_and(|address| self.addresses.contains(&address));
        let theirs = failed.filter(move |login| is_theirs(login.address) || self.judged.is_attacker(account, login.address));
        theirs.filter(move |login| self.asked_of(account, login.address).holds(login.at))
    }

    /// Every address the incident's accounts were used or tried from, the attacker's first; and the attacker's that only failed, on
    /// whatever account.
    pub(super) fn origins(&self) -> Vec<Origin> {
        let mut addresses: BTreeSet<Text> = self.addresses.iter().copied().collect();
        for &account in &self.accounts {
            let profile = self.ground.profiles.get(account);
            addresses.extend(profile.into_iter().flat_map(|p| &p.origins).filter_map(|o| o.address));
        }
        let mut origins: Vec<Origin> = addresses.into_iter().map(|a| self.origin_row(a)).collect();
        origins.sort_by(|a, b| (a.verdict, a.first.is_none(), a.first, &a.ip).cmp(&(b.verdict, b.first.is_none(), b.first, &b.ip)));
        origins
    }

    fn origin_row(&self, address: Text) -> Origin {
        let rows = self.rows();
        let used: Vec<(Text, &OriginUse)> =
            self.accounts.iter().filter_map(|&a| Some((a, self.ground.profiles.origin(a, Some(address))?))).collect();
        let attacker = self.addresses.contains(&address);
        let before_attack =
            |(account, o): &(Text, &OriginUse)| o.first.is_some_and(|first| self.judged.since(*account).is_none_or(|since| first < since));
        let neighbour = used.iter().any(|(_, origin)| self.is_neighbour(origin));
        let verdict = match (attacker, self.flood.is_none() && used.iter().any(before_attack)) {
            (true, _) => OriginVerdict::Attacker,
            (false, true) if !neighbour => OriginVerdict::Owner,
            (false, _) => OriginVerdict::Undetermined,
        };
        let place = self.ground.addresses.spot(address).map(|spot| &spot.place);
        let sum = |of: &dyn Fn(&OriginUse) -> u64| used.iter().map(|(_, o)| of(o)).sum();
        let asked_for: Vec<Use> = used.iter().map(|(account, o)| self.use_asked_for(*account, o, attacker)).collect();
        let ip = self.ground.addresses.spot(address).map(|spot| spot.ip);
        let in_time = attacker && self.accounts.iter().any(|&account| hints::asked(self.facts, account, ip) != hints::Asked::default());
        let (failures, span) = match (attacker, in_time) {
            (true, true) => self.failures_asked_for(address, ip),
            (true, false) => (self.failures_of_attacker(address), self.failures_from(address)),
            (false, _) => (sum(&|o| o.failures + o.stopped), self.failures_from(address)),
        };
        let (first_failure, last_failure) = span.unzip();
        Origin {
            ip: rows.show(address),
            asn: place.and_then(|place| place.asn),
            country: place.and_then(|place| place.country.clone()),
            verdict,
            logins: asked_for.iter().map(|u| u.logins).sum(),
            failures,
            messages: self.knows_submissions().then(|| asked_for.iter().map(|u| u.messages).sum()),
            first: asked_for.iter().filter_map(|u| u.first).min().map(|t| self.facts.stamp(t)),
            last: asked_for.iter().filter_map(|u| u.last).max().map(|t| self.facts.stamp(t)),
            first_failure: first_failure.map(|t| self.facts.stamp(t)),
            last_failure: last_failure.map(|t| self.facts.stamp(t)),
            clients: clients(rows, &used),
        }
    }

    /// Whether an origin lies in a network that the attackers came from, and is none that the owner keeps coming back from.
    pub(super) fn is_neighbour(&self, origin: &OriginUse) -> bool {
        let addresses = self.ground.addresses;
        let Some(net) = origin.address.and_then(|address| addresses.net(address)) else { return false };
        let of_attackers = self.addresses.iter().any(|address| addresses.net(*address) == Some(net));
        of_attackers && origin.days.len() < USUAL_DAYS && addresses.regulars_of_net(net) < SHARED_MIN
    }

    /// What counts of an account's use from an address: of an attacker's, only what lies in the time that was asked for.
    fn use_asked_for(&self, account: Text, origin: &OriginUse, attacker: bool) -> Use {
        let ip = origin.address.and_then(|address| self.ground.addresses.spot(address)).map(|spot| spot.ip);
        let asked = hints::asked(self.facts, account, ip);
        if asked == hints::Asked::default() || !attacker {
            return Use { logins: origin.successes, messages: origin.sent.messages, first: origin.first, last: origin.last };
        }
        let rows = self.rows();
        let logins = || origin.logins(rows).filter(|login| got_in(login) && asked.holds(login.at));
        let messages = || origin.messages(rows).filter(|message| asked.holds(message.submitted));
        let times = || logins().map(|login| login.at).chain(messages().map(|message| message.submitted));
        Use {
            logins: logins().map(|login| u64::from(login.times)).sum(),
            messages: messages().count() as u64,
            first: times().min(),
            last: times().max(),
        }
    }

    /// The failed logins of an attacker's address: on the incident's accounts, on those tried in vain, and of users that the log does
    /// not name. What others do from an address that they share with the attackers is left out.
    fn failures_of_attacker(&self, address: Text) -> u64 {
        let profiles = self.ground.profiles;
        let accounts = profiles.by_address.get(&address).into_iter().flatten();
        let used = accounts.filter_map(|&account| Some((account, profiles.origin(account, Some(address))?)));
        let counted = used.filter(|(account, used)| used.first.is_none() || self.accounts.contains(account));
        let named: u64 = counted.map(|(_, used)| used.failures + used.stopped).sum();
        let shared = self.ground.addresses.regulars(address) >= SHARED_MIN;
        named + self.ground.tries.of(address).filter(|_| !shared).map_or(0, |tries| tries.nameless)
    }

    /// The same, and the first and last of them, in the time that was asked for.
    fn failures_asked_for(&self, address: Text, ip: Option<IpAddr>) -> (u64, Option<(Timestamp, Timestamp)>) {
        let (rows, profiles) = (self.rows(), self.ground.profiles);
        let accounts = profiles.by_address.get(&address).into_iter().flatten();
        let used = accounts.filter_map(|&account| Some((account, profiles.origin(account, Some(address))?)));
        let counted = used.filter(|(account, used)| used.first.is_none() || self.accounts.contains(account));
        let named = counted.flat_map(|(account, used)| {
            let asked = hints::asked(self.facts, account, ip);
            used.logins(rows).filter(move |login| turned_away(login) && asked.holds(login.at))
        });
        let shared = self.ground.addresses.regulars(address) >= SHARED_MIN;
        let asked = self.accounts.first().map(|&account| hints::asked(self.facts, account, ip)).unwrap_or_default();
        let nameless = self.ground.deeds.nameless_logins(rows);
        let nameless = nameless.filter(|login| !shared && login.address == Some(address) && turned_away(login) && asked.holds(login.at));
        let failed: Vec<&Login> = named.chain(nameless).collect();
        let times = || failed.iter().map(|login| login.at);
        (failed.iter().map(|login| u64::from(login.times)).sum(), times().min().zip(times().max()))
    }

    fn failures_from(&self, address: Text) -> Option<(Timestamp, Timestamp)> {
        self.ground.tries.of(address).map(|tries| (tries.first, tries.last))
    }

    /// Accounts the attacker's addresses tried and did not get into.
    pub(super) fn other_accounts(&self) -> Vec<OtherAccount> {
        let rows = self.rows();
        let mut others: BTreeMap<String, OtherAccount> = BTreeMap::new();
        for address in &self.addresses {
            for &account in self.ground.profiles.by_address.get(address).into_iter().flatten() {
                let Some(used) = self.ground.profiles.origin(account, Some(*address)) else { continue };
                // What an account's own people do from an address that they share with the attackers is not the attackers' doing.
                let tried = used.first.is_none() && used.failures + used.stopped > 0;
                if self.accounts.contains(&account) || !tried {
                    continue;
                }
                let name = rows.show(account);
                let entry = others.entry(name.clone()).or_insert(OtherAccount { account: name, failures: 0, password_known: false });
                entry.failures += used.failures + used.stopped;
                entry.password_known |= used.stopped > 0;
            }
        }
        others.into_values().collect()
    }
}

fn clients(rows: &Rows, used: &[(Text, &OriginUse)]) -> Vec<String> {
    let logins = used.iter().flat_map(|(_, o)| o.logins(rows)).filter_map(|l| l.client);
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
