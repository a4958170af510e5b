//! Attacker, owner or undetermined: each origin of each account is judged by what it did against the account's own history.
//!
//! The rounds: every origin alone and new ones of a network together, again with what was found left out of the history, until
//! nothing new is found; then further origins of accounts under attack; then what else the attackers' addresses got into.

use super::addresses::{Addresses, USUAL_DAYS};
use super::flood::{self, Flood};
use super::history::History;
use super::model::Signal;
use super::peers::Peers;
use super::profile::{OriginUse, Profile, Profiles};
use super::signs::{Sign, score};
use super::tries::SHARED_MIN;
use super::weigh::{Scales, Unit};
use super::{Facts, Ground, hints};
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use crate::say::say;
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// Times a round is repeated at most.
const ROUNDS: usize = 4;
/// So long before his first known act an attacker may have tried a password from a neighbouring address.
const TRIED_BEFORE: i64 = 7 * DAY;

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
    /// Floods of notices to owners of whom no origin is judged.
    pub(super) floods: Vec<Flood>,
    /// Account and address of each: asked for every message.
    origins: HashSet<(Text, Option<Text>)>,
}

impl Judged {
    /// Adds attacks on an account.
    fn add(&mut self, account: Text, attacks: impl IntoIterator<Item = Attack>) {
        for attack in attacks {
            self.origins.insert((account, attack.address));
            self.attacks.entry(account).or_default().push(attack);
        }
    }

    /// Whether this origin of this account is an attacker's.
    pub(super) fn is_attacker(&self, account: Text, address: Option<Text>) -> bool {
        self.origins.contains(&(account, address))
    }

    /// When the first attacker got into this account.
    pub(super) fn since(&self, account: Text) -> Option<Timestamp> {
        self.attacks.get(&account)?.iter().map(|a| a.first).min()
    }

    fn of(&self, account: Text) -> HashSet<Option<Text>> {
        self.attacks.get(&account).into_iter().flatten().map(|a| a.address).collect()
    }
}

/// Judges every origin of every account.
pub(super) fn judge(ground: Ground<'_>) -> Judged {
    let Ground { facts, profiles, addresses, tries, .. } = ground;
    let judge =
        Judge { scales: Scales { facts, addresses, tries, peers: Peers::new(profiles), deeds: ground.deeds }, facts, profiles, addresses };
    let mut judged = Judged::default();
    for (account, profile) in profiles.iter() {
        judge.by_itself(account, profile, &mut judged);
    }
    let nets = judge.attackers_networks(&judged);
    for (account, profile) in profiles.iter() {
        judge.companions(account, profile, &nets, &mut judged);
    }
    judge.touched(&mut judged);
    for attacks in judged.attacks.values_mut() {
        attacks.sort_by_key(|a| (a.first, a.address));
    }
    judged.floods = flood::floods(ground);
    judged.floods.retain(|flood| judged.attacks.get(&flood.account).is_none_or(Vec::is_empty));
    judged
}

struct Judge<'a> {
    scales: Scales<'a>,
    facts: Facts<'a>,
    profiles: &'a Profiles,
    addresses: &'a Addresses,
}

impl Judge<'_> {
    /// First round: what an origin did, taken alone or with others of its network. What is found is left out of the history, behind
    /// which others may have hidden, and the round is repeated.
    fn by_itself(&self, account: Text, profile: &Profile, judged: &mut Judged) {
        for origin in &profile.origins {
            judged.add(account, self.hinted(account, origin));
        }
        let mut best: Option<Attack> = None;
        for _ in 0..ROUNDS {
            let history = History::new(profile, self.addresses, judged.of(account));
            let open: Vec<&OriginUse> = profile.origins.iter().filter(|o| self.is_open(account, o, judged)).collect();
            let alone = open.iter().filter_map(|o| Unit::of(o)).collect();
            let mut found = self.found(account, profile, &history, alone, &mut best);
            if found.is_empty() {
                found = self.found(account, profile, &history, self.together(profile, &open), &mut best);
            }
            if found.is_empty() {
                break;
            }
            judged.add(account, found);
        }
        // The analyst says this account was abused: its most conspicuous origin is followed even if it would not stand out alone.
        let unfound = judged.attacks.get(&account).is_none_or(Vec::is_empty) && hints::is_named(self.facts, account);
        if let Some(mut attack) = best.filter(|_| unfound) {
            let missing = self.facts.settings.thresholds.suspected - attack.score;
            let text = say!("the analyst named the account; nothing else makes this origin stand out that much");
            attack.basis.push(Signal { weight: missing, ..Sign::Hint.seen(self.facts.lang(), &text, Vec::new()) });
            attack.score = self.facts.settings.thresholds.suspected;
            judged.add(account, [attack]);
        }
    }

    /// Those of some units that are an attacker's; `best` keeps the most conspicuous one of those that are not.
    fn found(
        &self,
        account: Text,
        profile: &Profile,
        history: &History<'_>,
        units: Vec<Unit<'_>>,
        best: &mut Option<Attack>,
    ) -> Vec<Attack> {
        let mut found = Vec::new();
        for unit in units {
            let attack = self.assess(account, profile, &unit, history);
            if attack.score >= self.facts.settings.thresholds.suspected {
                found.extend(unit.members.iter().filter_map(|o| Some(Attack { address: o.address, first: o.first?, ..attack.clone() })));
            } else if best.as_ref().is_none_or(|b| attack.score > b.score) {
                *best = Some(attack);
            }
        }
        found
    }

    /// New origins of one network that appeared within a day of each other, to be judged as one: an attacker who spreads his sending
    /// over many addresses shows by none of them. Origins of ordinary correspondence are left out.
    fn together<'p>(&self, profile: &'p Profile, open: &[&'p OriginUse]) -> Vec<Unit<'p>> {
        let settled = |o: &OriginUse| o.first.zip(profile.first()).is_none_or(|(first, start)| first.since(start) < DAY);
        let mut by_net: BTreeMap<IpNet, Vec<&OriginUse>> = BTreeMap::new();
        for origin in open.iter().filter(|o| !settled(o) && o.sent.familiar_days == 0) {
            if let Some(net) = origin.address.and_then(|a| self.addresses.net(a)) {
                by_net.entry(net).or_default().push(origin);
            }
        }
        let mut units = Vec::new();
        for origins in by_net.values_mut() {
            origins.sort_by_key(|o| (o.first, o.address));
            let near = |a: &&OriginUse, b: &&OriginUse| a.first.zip(b.first).is_some_and(|(a, b)| b.since(a) < DAY);
            units.extend(origins.chunk_by(near).filter(|part| part.len() > 1).filter_map(Unit::all));
        }
        units
    }

    /// Whether an origin got in, lies in the asked window, and is not vouched for or judged yet.
    fn is_open(&self, account: Text, origin: &OriginUse, judged: &Judged) -> bool {
        origin.first.is_some()
            && self.in_window(account, origin)
            && !self.addresses.is_trusted(origin.address)
            && !judged.is_attacker(account, origin.address)
    }

    fn hinted(&self, account: Text, origin: &OriginUse) -> Option<Attack> {
        let (address, first) = (origin.address?, origin.first?);
        if !self.is_hinted_address(address) || !self.in_window(account, origin) || self.addresses.is_trusted(origin.address) {
            return None;
        }
        let text = say!("the analyst named {address} as the attacker's", address = self.facts.rows.show(address));
        let lines = origin.first_places(self.facts.rows).into_iter().map(Facts::pointer).collect();
        Some(Attack { address: Some(address), first, score: 1.0, basis: vec![Sign::Hint.seen(self.facts.lang(), &text, lines)] })
    }

    fn assess(&self, account: Text, profile: &Profile, unit: &Unit<'_>, history: &History<'_>) -> Attack {
        let basis = self.scales.weigh(account, profile, unit, history);
        let address = unit.members.first().and_then(|o| o.address);
        Attack { address, first: unit.first, score: score(&basis), basis }
    }

    /// Networks that attackers came from, with when they were first there; not those that honest accounts are regularly used from.
    fn attackers_networks(&self, judged: &Judged) -> HashMap<IpNet, Timestamp> {
        let mut nets: HashMap<IpNet, Timestamp> = HashMap::new();
        for attack in judged.attacks.values().flatten() {
            let Some(net) = attack.address.and_then(|a| self.addresses.net(a)) else { continue };
            if self.addresses.regulars_of_net(net) < SHARED_MIN {
                let since = nets.entry(net).or_insert(attack.first);
                *since = (*since).min(attack.first);
            }
        }
        nets
    }

    /// Second round: of any account the origins from a network that attackers came from, and further origins of an account under attack
    /// that send what the attacker sends. The second counts beside the first only where the first is not enough: company alone makes
    /// nobody surer than suspected.
    fn companions(&self, account: Text, profile: &Profile, nets: &HashMap<IpNet, Timestamp>, judged: &mut Judged) {
        let since = judged.since(account);
        // What is found is left out of the history, behind which others of the same network may have hidden.
        for _ in 0..ROUNDS {
            let history = History::new(profile, self.addresses, judged.of(account));
            let found = self.companions_beside(account, profile, nets, since, &history, judged);
            if found.is_empty() {
                break;
            }
            judged.add(account, found);
        }
    }

    fn companions_beside(
        &self,
        account: Text,
        profile: &Profile,
        nets: &HashMap<IpNet, Timestamp>,
        since: Option<Timestamp>,
        history: &History<'_>,
        judged: &Judged,
    ) -> Vec<Attack> {
        let mut found = Vec::new();
        for origin in profile.origins.iter().filter(|o| self.is_open(account, o, judged)) {
            let Some(unit) = Unit::of(origin) else { continue };
            let company = [self.in_attackers_network(&unit, profile, origin, nets), self.sends_refused(&unit, origin, since)];
            let mut company = company.into_iter().flatten().peekable();
            if company.peek().is_none() {
                continue;
            }
            let suspected = self.facts.settings.thresholds.suspected;
            let mut attack = self.assess(account, profile, &unit, history);
            for sign in company {
                attack.basis.push(sign);
                attack.score = score(&attack.basis);
                if attack.score >= suspected {
                    found.push(attack);
                    break;
                }
            }
        }
        found
    }

    fn in_attackers_network(
        &self,
        unit: &Unit<'_>,
        profile: &Profile,
        origin: &OriginUse,
        nets: &HashMap<IpNet, Timestamp>,
    ) -> Option<Signal> {
        let net = self.addresses.net(origin.address?)?;
        // What is there from the beginning, or comes again and again, is the owner's.
        let new = profile.first().is_some_and(|start| unit.first.since(start) >= DAY) && origin.days.len() < USUAL_DAYS;
        let before = if new { TRIED_BEFORE } else { DAY };
        let first = *nets.get(&net).filter(|first| unit.first >= first.plus(-before))?;
        let time = self.facts.stamp(first).prose();
        let text = say!("in the network {net} that attackers used since {time}", net = net.to_string(), time);
        Some(Sign::AttackerNetwork.seen(self.facts.lang(), &text, self.scales.first_lines(unit)))
    }

    fn sends_refused(&self, unit: &Unit<'_>, origin: &OriginUse, since: Option<Timestamp>) -> Option<Signal> {
        let since = since.filter(|since| unit.first >= since.plus(-DAY) && origin.sent.blocked > 0)?;
        let time = self.facts.stamp(since).prose();
        let text = say!("new address that sends refused mail while the account is under attack since {time}", time);
        Some(Sign::Companion.seen(self.facts.lang(), &text, self.scales.first_lines(unit)))
    }

    /// Third round: accounts an attacker's address got into, unless that address is one of the account's own or a shared gateway.
    fn touched(&self, judged: &mut Judged) {
        let rows = self.facts.rows;
        let begin = self.beginnings(judged);
        for (address, since) in begin {
            let hinted = self.is_hinted_address(address);
            for &account in self.profiles.by_address.get(&address).into_iter().flatten() {
                let Some(origin) = self.profiles.origin(account, Some(address)) else { continue };
                let Some(first) = origin.first else { continue };
                if !self.is_open(account, origin, judged) || (!hinted && self.is_own_habit(origin, address, since)) {
                    continue;
                }
                let text = say!(
                    "{address} got into {account} too, at {time}",
                    address = rows.show(address),
                    account = rows.show(account),
                    time = self.facts.stamp(first).prose()
                );
                let lines = origin.first_places(rows).into_iter().map(Facts::pointer).collect();
                let basis = vec![Sign::SharedOrigin.seen(self.facts.lang(), &text, lines)];
                let attack = Attack { address: Some(address), first, score: score(&basis), basis };
                judged.add(account, [attack]);
            }
        }
    }

    /// Whether an account used an attacker's address before the attacker did, or shares a gateway with him.
    fn is_own_habit(&self, origin: &OriginUse, address: Text, since: Timestamp) -> bool {
        let days_before = origin.days.iter().filter(|day| *day * DAY < since.0).count();
        let earlier = origin.first.is_some_and(|first| first < since.plus(-DAY));
        self.addresses.regulars(address) >= SHARED_MIN || earlier || days_before >= USUAL_DAYS
    }

    /// The attackers' addresses, each with the first act of those it acts together with: of its network, and its own failed logins.
    fn beginnings(&self, judged: &Judged) -> Vec<(Text, Timestamp)> {
        let nets = self.attackers_networks(judged);
        let mut by_net: HashMap<IpNet, Timestamp> = nets.clone();
        let mut begin: BTreeMap<Text, Timestamp> = BTreeMap::new();
        for attack in judged.attacks.values().flatten() {
            let Some(address) = attack.address else { continue };
            let tried = self.scales.tries.of(address).map_or(attack.first, |tries| tries.first);
            let first = begin.entry(address).or_insert(attack.first);
            *first = (*first).min(attack.first).min(tried);
            if let Some(since) = self.addresses.net(address).and_then(|net| by_net.get_mut(&net)) {
                *since = (*since).min(*first);
            }
        }
        let together = |address: Text| self.addresses.net(address).and_then(|net| by_net.get(&net)).copied();
        begin.into_iter().map(|(address, first)| (address, together(address).map_or(first, |since| since.min(first)))).collect()
    }

    fn in_window(&self, account: Text, origin: &OriginUse) -> bool {
        let ip = origin.address.and_then(|a| self.addresses.spot(a)).map(|spot| spot.ip);
        origin.first.zip(origin.last).is_some_and(|(first, last)| hints::asked(self.facts, account, ip).meets(first, last))
    }

    fn is_hinted_address(&self, address: Text) -> bool {
        self.addresses.spot(address).is_some_and(|spot| hints::is_attackers(self.facts, spot.ip))
    }
}
