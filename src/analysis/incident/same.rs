//! What else was touched by the programs and out of the autonomous systems that the attackers came by. A list and no sign: an honest
//! owner may have the same program, and the same provider.

use super::Builder;
use crate::analysis::Facts;
use crate::analysis::model::{SameAsn, SameClient, SameUse};
use crate::analysis::profile::{OriginUse, got_in, stopped, turned_away};
use crate::analysis::programs::Owners;
use crate::analysis::tries::{SHARED_MIN, SPRAY_PAUSE};
use crate::domain::place::Place;
use crate::domain::rows::{Introduction, Login};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses listed of each use at most.
const ORIGINS: usize = 5;

impl Builder<'_> {
    /// For each program of the attackers that is none of the owners', who else was used or tried by it; `None` if no login of theirs
    /// says by what program it came.
    pub(super) fn same_client(&self) -> Option<Vec<SameClient>> {
        let rows = self.rows();
        let introduced: Vec<(Introduction, &Login)> =
            self.attackers_logins().into_iter().filter_map(|login| Some((login.introduction?, login))).collect();
        if introduced.is_empty() {
            return None;
        }
        let mut by_group: BTreeMap<usize, Vec<(Introduction, &Login)>> = BTreeMap::new();
        for (introduction, login) in introduced {
            if let Some(group) = self.ground.programs.group(rows, introduction) {
                by_group.entry(group).or_default().push((introduction, login));
            }
        }
        let mut same: Vec<SameClient> = by_group.into_iter().filter_map(|(group, theirs)| self.others_by(group, &theirs)).collect();
        same.sort_by(|a, b| (&a.kind, &a.client).cmp(&(&b.kind, &b.client)));
        Some(same)
    }

    fn others_by(&self, group: usize, theirs: &[(Introduction, &Login)]) -> Option<SameClient> {
        let (rows, programs) = (self.rows(), self.ground.programs);
        if programs.is_owners(rows, self.judged, group, self.begin()?) {
            return None;
        }
        let (mut others, mut own) = (Uses::default(), Uses::default());
        for login in programs.logins(rows, group).filter(|login| !self.is_theirs(login)) {
            let of_incident = login.account.is_some_and(|account| self.accounts.contains(&account));
            let uses = if of_incident { &mut own } else { &mut others };
            uses.add(self.facts, login);
        }
        if others.0.is_empty() && own.0.is_empty() {
            return None;
        }
        let (introduction, _) = theirs.iter().min_by_key(|(_, login)| (login.at, login.place))?;
        let attackers: BTreeSet<Text> = theirs.iter().filter_map(|(_, login)| login.address).collect();
        let (attackers, attacker_origins) = shown(self.facts, &attackers);
        Some(SameClient {
            client: rows.show(introduction.words),
            kind: introduction.by.as_str().to_owned(),
            attackers,
            attacker_origins,
            accounts: others.told(self.facts),
            own_accounts: own.told(self.facts),
        })
    }

    /// For each autonomous system of the attackers in which no owner is at home, the existing accounts that other addresses of it got
    /// into or tried around the time of the incident; `None` if no system of theirs is known.
    pub(super) fn same_asn(&self) -> Option<Vec<SameAsn>> {
        let systems: BTreeSet<u32> = self.addresses.iter().filter_map(|address| self.asn(*address)).collect();
        if systems.is_empty() {
            return None;
        }
        let Some((from, to)) = self.window() else { return Some(Vec::new()) };
        let mut of_system: BTreeMap<u32, Vec<Text>> = BTreeMap::new();
        for &address in self.ground.profiles.by_address.keys() {
            if let Some(asn) = self.asn(address).filter(|asn| systems.contains(asn)) {
                of_system.entry(asn).or_default().push(address);
            }
        }
        let near = |at: Timestamp| at >= from.plus(-SPRAY_PAUSE) && at <= to.plus(SPRAY_PAUSE);
        let others = |(asn, addresses): (u32, Vec<Text>)| {
            let used = || addresses.iter().flat_map(|address| self.uses_of(*address));
            let mut owners = Owners::default();
            let owned = |(account, origin): &(Text, &OriginUse)| !self.judged.is_attacker(*account, origin.address);
            let entered = used().filter(owned).filter_map(|(account, origin)| Some((account, origin.first?)));
            if entered.into_iter().any(|(account, first)| owners.are_known_by(Some(account), first, from)) {
                return None;
            }
            let mut uses = Uses::default();
            let is_other = |(account, origin): &(Text, &OriginUse)| {
                let theirs = origin.address.is_some_and(|address| self.addresses.contains(&address));
                !theirs && !self.accounts.contains(account) && self.ground.tries.is_real(*account)
            };
            for (_, origin) in used().filter(is_other) {
                origin.logins(self.rows()).filter(|login| near(login.at)).for_each(|login| uses.add(self.facts, login));
            }
            (!uses.0.is_empty()).then(|| SameAsn { asn, accounts: uses.told(self.facts) })
        };
        Some(of_system.into_iter().filter_map(others).collect())
    }

    /// When the first of the attackers got in.
    fn begin(&self) -> Option<Timestamp> {
        self.accounts.iter().filter_map(|account| self.judged.since(*account)).min()
    }

    fn asn(&self, address: Text) -> Option<u32> {
        self.ground.addresses.spot(address)?.place.asn
    }

    /// The accounts that an address got into or tried.
    fn uses_of(&self, address: Text) -> impl Iterator<Item = (Text, &OriginUse)> {
        let profiles = self.ground.profiles;
        let accounts = profiles.by_address.get(&address).into_iter().flatten();
        accounts.filter_map(move |&account| Some((account, profiles.origin(account, Some(address))?)))
    }

    fn is_theirs(&self, login: &Login) -> bool {
        login.address.is_some_and(|address| self.addresses.contains(&address))
            || login.account.is_some_and(|account| self.accounts.contains(&account) && self.judged.is_attacker(account, login.address))
    }

    /// Logins of the incident's accounts from the attackers' origins, and what their addresses tried in vain; not what others do from
    /// an address that they share with them.
    fn attackers_logins(&self) -> Vec<&Login> {
        let rows = self.rows();
        let mut logins: Vec<&Login> = self.accounts.iter().flat_map(|account| self.logins_of(*account)).collect();
        for &address in self.addresses.iter().filter(|address| self.ground.addresses.regulars(**address) < SHARED_MIN) {
            let in_vain = self.uses_of(address).filter(|(account, used)| {
                used.first.is_none() && !(self.accounts.contains(account) && self.judged.is_attacker(*account, used.address))
            });
            logins.extend(in_vain.flat_map(|(_, used)| used.logins(rows)));
        }
        logins
    }
}

/// Uses by account; what the log gives no account comes last.
#[derive(Default)]
struct Uses(BTreeMap<(bool, String), Use>);

struct Use {
    successes: u64,
    failures: u64,
    interrupted: u64,
    password_known: bool,
    origins: BTreeSet<Text>,
    first: (Timestamp, Place),
    last: Timestamp,
}

impl Uses {
    fn add(&mut self, facts: Facts<'_>, login: &Login) {
        let key = (login.account.is_none(), login.account.map(|account| facts.rows.show(account)).unwrap_or_default());
        let seen = (login.at, login.place);
        let used = self.0.entry(key).or_insert_with(|| Use {
            successes: 0,
            failures: 0,
            interrupted: 0,
            password_known: false,
            origins: BTreeSet::new(),
            first: seen,
            last: login.at,
        });
        let count = match () {
            () if got_in(login) => &mut used.successes,
            () if turned_away(login) => &mut used.failures,
            () => &mut used.interrupted,
        };
        *count += u64::from(login.times);
        used.password_known |= got_in(login) || stopped(login);
        used.origins.extend(login.address);
        used.first = used.first.min(seen);
        used.last = used.last.max(login.at);
    }

    fn told(self, facts: Facts<'_>) -> Vec<SameUse> {
        let told = |((nameless, account), used): ((bool, String), Use)| {
            let (origins, origin_count) = shown(facts, &used.origins);
            SameUse {
                account: (!nameless).then_some(account),
                successes: used.successes,
                failures: used.failures,
                interrupted: used.interrupted,
                password_known: used.password_known,
                origins,
                origin_count,
                first: facts.stamp(used.first.0),
                last: facts.stamp(used.last),
                evidence: vec![Facts::pointer(used.first.1)],
            }
        };
        self.0.into_iter().map(told).collect()
    }
}

/// The first addresses by name, and how many there are.
fn shown(facts: Facts<'_>, addresses: &BTreeSet<Text>) -> (Vec<String>, u64) {
    let names: BTreeSet<String> = addresses.iter().map(|address| facts.rows.show(*address)).collect();
    let count = names.len() as u64;
    (names.into_iter().take(ORIGINS).collect(), count)
}
