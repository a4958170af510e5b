//! Failed logins by who tried: guesses on one account, sprays over many, by one address or by several that act together.

use super::Facts;
use super::addresses::Addresses;
use super::profile::{Profiles, failed};
use crate::domain::rows::Rows;
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;

/// Accounts in regular use at an address or network that make it a shared one, such as a campus gateway.
pub(super) const SHARED_MIN: usize = 3;
/// Accounts two addresses must both have tried to be taken for parts of one spray.
const COMMON_MIN: usize = 3;
/// How far from each other in time the tries of one spray may lie.
pub(super) const SPRAY_PAUSE: i64 = 7 * DAY;

/// The failed logins of one address.
#[derive(Clone, Debug)]
pub(super) struct Tries {
    /// Accounts it failed on, in the order of their names.
    pub(super) accounts: Vec<Text>,
    pub(super) count: u64,
    /// Failures whose user the log does not name.
    pub(super) nameless: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// All failed logins by address.
pub(super) struct AllTries {
    by_address: HashMap<Text, Tries>,
    /// Accounts that the addresses of a network failed on, where the network is not a shared one.
    by_net: HashMap<IpNet, usize>,
    /// Accounts that somebody got into at some time, so that they exist.
    real: HashSet<Text>,
}

impl AllTries {
    pub(super) fn new(rows: &Rows, profiles: &Profiles, addresses: &Addresses) -> AllTries {
        let mut by_address: HashMap<Text, Tries> = HashMap::new();
        for (account, profile) in profiles.iter() {
            for origin in profile.origins.iter().filter(|o| o.failures > 0) {
                let Some(address) = origin.address else { continue };
                for login in origin.logins(rows).filter(|l| failed(l)) {
                    let tries = by_address.entry(address).or_insert_with(|| Tries::none(login.at));
                    tries.add(login.at, u64::from(login.times));
                }
                if let Some(tries) = by_address.get_mut(&address) {
                    tries.accounts.push(account);
                }
            }
        }
        for login in rows.logins.iter().filter(|l| l.account.is_none() && failed(l)) {
            let Some(address) = login.address else { continue };
            let tries = by_address.entry(address).or_insert_with(|| Tries::none(login.at));
            tries.add(login.at, u64::from(login.times));
            tries.nameless += u64::from(login.times);
        }
        let mut in_net: HashMap<IpNet, Vec<Text>> = HashMap::new();
        for (address, tries) in &by_address {
            let Some(net) = addresses.net(*address).filter(|net| addresses.regulars_of_net(*net) < SHARED_MIN) else { continue };
            in_net.entry(net).or_default().extend(&tries.accounts);
        }
        let distinct = |mut accounts: Vec<Text>| {
            accounts.sort_unstable();
            accounts.dedup();
            accounts.len()
        };
        let by_net = in_net.into_iter().map(|(net, accounts)| (net, distinct(accounts))).collect();
        let real = profiles.iter().filter(|(_, p)| p.first().is_some()).map(|(account, _)| account).collect();
        AllTries { by_address, by_net, real }
    }

    /// Whether somebody got into an account at some time, so that it exists.
    pub(super) fn is_real(&self, account: Text) -> bool {
        self.real.contains(&account)
    }

    pub(super) fn of(&self, address: Text) -> Option<&Tries> {
        self.by_address.get(&address)
    }

    /// The number of accounts an address, or else its network, failed on, if that makes a spray; never for a shared gateway.
    pub(super) fn spray(&self, facts: Facts<'_>, addresses: &Addresses, address: Text) -> Option<Spray> {
        let least = facts.settings.thresholds.spray_accounts;
        if addresses.regulars(address) >= SHARED_MIN {
            return None;
        }
        let alone = self.of(address).map_or(0, |tries| tries.accounts.len());
        if alone >= least {
            return Some(Spray::Address(alone));
        }
        let net = addresses.net(address)?;
        self.by_net.get(&net).filter(|accounts| **accounts >= least).map(|accounts| Spray::Network(net, *accounts))
    }

    /// Addresses that only failed and belong to the attackers': of their network where that is not shared, or, wherever they are, with
    /// several existing accounts among their targets that the attackers tried as well, within days of each other.
    pub(super) fn allies(&self, addresses: &Addresses, attackers: &HashSet<Text>, from: Timestamp, to: Timestamp) -> Vec<Text> {
        let nets: HashSet<IpNet> =
            attackers.iter().filter_map(|a| addresses.net(*a)).filter(|net| addresses.regulars_of_net(*net) < SHARED_MIN).collect();
        let targets: HashSet<Text> = attackers.iter().filter_map(|a| self.of(*a)).flat_map(|t| &t.accounts).copied().collect();
        let near = |tries: &Tries| tries.first <= to.plus(SPRAY_PAUSE) && tries.last >= from.plus(-SPRAY_PAUSE);
        let common = |tries: &Tries| tries.accounts.iter().filter(|a| targets.contains(*a) && self.real.contains(*a)).count();
        let mut allies: Vec<Text> = self
            .by_address
            .iter()
            .filter(|(address, tries)| !attackers.contains(*address) && near(tries) && addresses.regulars(**address) == 0)
            .filter(|(address, tries)| {
                let of_net = addresses.net(**address).is_some_and(|net| nets.contains(&net));
                let common = common(tries);
                of_net || (common >= COMMON_MIN && common * 2 >= tries.accounts.len())
            })
            .map(|(address, _)| *address)
            .collect();
        allies.sort_unstable();
        allies
    }
}

/// What failed on many accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spray {
    Address(usize),
    Network(IpNet, usize),
}

impl Tries {
    fn none(at: Timestamp) -> Tries {
        Tries { accounts: Vec::new(), count: 0, nameless: 0, first: at, last: at }
    }

    fn add(&mut self, at: Timestamp, times: u64) {
        self.count += times;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
    }
}
