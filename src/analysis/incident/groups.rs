//! Which accounts under attack belong to one incident.

use crate::analysis::Ground;
use crate::analysis::judge::Judged;
use crate::analysis::tries::SHARED_MIN;
use crate::domain::text::Text;
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// Accounts that share an attacker's address, or a network of attackers that nobody else is regularly in, or whose attackers sent in the same hours, belong together.
pub(super) fn groups(ground: Ground<'_>, judged: &Judged) -> Vec<Vec<Text>> {
    let profiles = ground.profiles;
    let accounts: Vec<Text> = profiles.order.iter().copied().filter(|a| judged.attacks.get(a).is_some_and(|v| !v.is_empty())).collect();
    let mut sets = Sets::new(accounts.len());
    let mut first_with: HashMap<Text, usize> = HashMap::new();
    let mut first_in: HashMap<IpNet, usize> = HashMap::new();
    let unshared = |address: Text| ground.addresses.net(address).filter(|net| ground.addresses.regulars_of_net(*net) < SHARED_MIN);
    for (number, account) in accounts.iter().enumerate() {
        for address in judged.attacks.get(account).into_iter().flatten().filter_map(|a| a.address) {
            let other = *first_with.entry(address).or_insert(number);
            sets.join(other, number);
            if let Some(net) = unshared(address) {
                let other = *first_in.entry(net).or_insert(number);
                sets.join(other, number);
            }
        }
    }
    // Those who share an address are joined; of what is left, the hours are compared set by set.
    let mut hours: BTreeMap<usize, HashSet<i64>> = BTreeMap::new();
    for (number, account) in accounts.iter().enumerate() {
        let origins = judged.attacks.get(account).into_iter().flatten().filter_map(|a| profiles.origin(*account, a.address));
        let sent = origins.flat_map(|o| &o.sent.hours).map(|(hour, _)| *hour);
        hours.entry(sets.root(number)).or_default().extend(sent);
    }
    let hours: Vec<(usize, HashSet<i64>)> = hours.into_iter().filter(|(_, hours)| !hours.is_empty()).collect();
    for (at, (a, of_a)) in hours.iter().enumerate() {
        for (b, of_b) in hours.iter().take(at) {
            let common = of_a.intersection(of_b).count();
            if common * 2 > of_a.len().min(of_b.len()) {
                sets.join(*a, *b);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
    for (number, account) in accounts.iter().enumerate() {
        groups.entry(sets.root(number)).or_default().push(*account);
    }
    let mut groups: Vec<Vec<Text>> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|account| judged.since(*account));
    }
    groups
}

/// Sets that are joined, each named by its smallest member.
struct Sets(Vec<usize>);

impl Sets {
    fn new(members: usize) -> Sets {
        Sets((0..members).collect())
    }

    fn root(&self, member: usize) -> usize {
        let mut at = member;
        while let Some(up) = self.0.get(at).filter(|up| **up != at) {
            at = *up;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}
