//! What an account had been like before an origin appeared: from where, how much, at which hours. Attackers' origins are left out.

use super::addresses::Addresses;
use super::profile::{OriginUse, Profile, SLOT};
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;
use std::collections::BTreeMap;

/// Hours in a week.
const WEEK: i64 = 168;
/// Slots of use and days of history without which an account's hours are not known.
const HOURS_SLOTS_MIN: usize = 40;
const HOURS_DAYS_MIN: i64 = 14;
/// Days of history from which each hour of the week stands for itself; before that, working days stand for each other.
const WEEKLY_DAYS_MIN: i64 = 28;

/// The history of one account.
pub(super) struct History<'a> {
    profile: &'a Profile,
    addresses: &'a Addresses,
    /// First successes of the origins taken for the owner's, in order.
    firsts: Vec<(Timestamp, Option<Text>)>,
    /// The first use from each network, country and autonomous system.
    nets: HashMap<IpNet, Timestamp>,
    countries: BTreeMap<String, Timestamp>,
    systems: HashMap<u32, Timestamp>,
    /// Slots of use at places whose position is known, in order.
    journey: Vec<(i64, (f64, f64), Option<Text>)>,
    /// Recipients by hour, in order, and the most in any hour up to and with it.
    hours: Vec<(i64, u64)>,
    most: Vec<u64>,
    /// Recipients by day.
    days: HashMap<i64, u64>,
    attackers: HashSet<Option<Text>>,
}

impl<'a> History<'a> {
    pub(super) fn new(profile: &'a Profile, addresses: &'a Addresses, attackers: HashSet<Option<Text>>) -> History<'a> {
        let owners = || profile.origins.iter().filter(|o| !attackers.contains(&o.address));
        let mut firsts: Vec<(Timestamp, Option<Text>)> = owners().filter_map(|o| Some((o.first?, o.address))).collect();
        firsts.sort_unstable();
        let mut by_hour: HashMap<i64, u64> = HashMap::new();
        let mut days: HashMap<i64, u64> = HashMap::new();
        for (hour, count) in owners().flat_map(|o| &o.sent.hours) {
            *by_hour.entry(*hour).or_default() += count;
            *days.entry((hour * HOUR).div_euclid(DAY)).or_default() += count;
        }
        let mut hours: Vec<(i64, u64)> = by_hour.into_iter().collect();
        hours.sort_unstable();
        let mut peak = 0;
        let most = hours
            .iter()
            .map(|(_, count)| {
                peak = peak.max(*count);
                peak
            })
            .collect();
        let mut history = History {
            profile,
            addresses,
            firsts,
            nets: HashMap::new(),
            countries: BTreeMap::new(),
            systems: HashMap::new(),
            journey: Vec::new(),
            hours,
            most,
            days,
            attackers,
        };
        history.learn_places();
        history
    }

    fn learn_places(&mut self) {
        for (first, address) in &self.firsts {
            let Some(spot) = address.and_then(|address| self.addresses.spot(address)) else { continue };
            self.nets.entry(spot.net).or_insert(*first);
            if let Some(country) = &spot.place.country {
                self.countries.entry(country.clone()).or_insert(*first);
            }
            if let Some(asn) = spot.place.asn {
                self.systems.entry(asn).or_insert(*first);
            }
            if let Some(at) = spot.place.at {
                let slots = self.profile.origin(*address).map(|o| o.slots.as_slice()).unwrap_or_default();
                self.journey.extend(slots.iter().map(|slot| (*slot, at, *address)));
            }
        }
        self.journey.sort_unstable_by_key(|(slot, _, address)| (*slot, *address));
    }

    /// Whether the account's places before `at` are known and none is in this country; and which those are.
    pub(super) fn other_countries(&self, country: &str, at: Timestamp) -> Option<Vec<&str>> {
        let before: Vec<&str> = self.countries.iter().filter(|(_, first)| **first < at).map(|(country, _)| country.as_str()).collect();
        (!before.is_empty() && !before.contains(&country)).then_some(before)
    }

    /// Whether the account's networks before `at` are known and none is of this autonomous system.
    pub(super) fn is_new_system(&self, asn: u32, at: Timestamp) -> bool {
        self.systems.values().any(|first| *first < at) && self.systems.get(&asn).is_none_or(|first| *first >= at)
    }

    /// The use from elsewhere that is nearest in time to a slot, with its position: before it and after it.
    pub(super) fn nearest(&self, slot: i64, members: &[&OriginUse]) -> impl Iterator<Item = (i64, (f64, f64))> {
        let here: Vec<Option<Text>> = members.iter().map(|o| o.address).collect();
        let next = self.journey.partition_point(|(known, ..)| *known < slot);
        let elsewhere = move |(_, _, address): &&(i64, (f64, f64), Option<Text>)| !here.contains(address);
        let before = self.journey.iter().take(next).rev().find(elsewhere.clone());
        let after = self.journey.iter().skip(next).find(elsewhere);
        before.into_iter().chain(after).map(|(slot, at, _)| (*slot, *at))
    }

    /// When the account was first used from elsewhere before `at`, and from how many origins.
    pub(super) fn before(&self, at: Timestamp) -> Option<(Timestamp, usize)> {
        let earlier = self.firsts.partition_point(|(first, _)| *first < at);
        self.firsts.first().filter(|_| earlier > 0).map(|(first, _)| (*first, earlier))
    }

    /// Whether the account had been used from another address of this network before `at`.
    pub(super) fn knows_net(&self, net: IpNet, at: Timestamp) -> bool {
        self.nets.get(&net).is_some_and(|first| *first < at)
    }

    /// The account's busiest hour before `at`, in recipients.
    pub(super) fn busiest_hour_before(&self, at: Timestamp) -> u64 {
        let earlier = self.hours.partition_point(|(hour, _)| *hour < at.0.div_euclid(HOUR));
        earlier.checked_sub(1).and_then(|last| self.most.get(last)).copied().unwrap_or(0)
    }

    /// Recipients before `at`.
    pub(super) fn recipients_before(&self, at: Timestamp) -> u64 {
        let hour = at.0.div_euclid(HOUR);
        self.hours.iter().take_while(|(known, _)| *known < hour).map(|(_, n)| n).sum()
    }

    /// The median of recipients a day on the days it sent from elsewhere than by `here`.
    pub(super) fn usual_day(&self, here: &[(i64, u64)]) -> u64 {
        let mut days = self.days.clone();
        for (day, count) in here {
            if let Some(all) = days.get_mut(day) {
                *all = all.saturating_sub(*count);
            }
        }
        let mut counts: Vec<u64> = days.into_values().filter(|n| *n > 0).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().unwrap_or(0)
    }

    /// Slots of use by other origins of the account, attackers' left out.
    pub(super) fn slots_elsewhere(&self, members: &[&OriginUse]) -> Vec<i64> {
        let here: HashSet<Option<Text>> = members.iter().map(|o| o.address).collect();
        let elsewhere = self.profile.origins.iter().filter(|o| !here.contains(&o.address) && !self.attackers.contains(&o.address));
        let mut slots: Vec<i64> = elsewhere.flat_map(|o| o.slots.iter().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }
}

/// The hours in which an account is used; `None` with too little history.
pub(super) struct Habit {
    used: HashSet<i64>,
    weekly: bool,
}

impl Habit {
    /// Learns the hours from slots of use.
    pub(super) fn learn(slots: &[i64]) -> Option<Habit> {
        let days = (slots.last()? - slots.first()?) * SLOT / DAY;
        if slots.len() < HOURS_SLOTS_MIN || days < HOURS_DAYS_MIN {
            return None;
        }
        let weekly = days >= WEEKLY_DAYS_MIN;
        let mut used = HashSet::new();
        for slot in slots {
            let hour = slot * SLOT / HOUR;
            // An hour to either side: nobody keeps to the clock.
            used.extend([-1, 0, 1].map(|near| bucket(hour + near, weekly)));
        }
        Some(Habit { used, weekly })
    }

    /// How many of some slots of use lie in hours that are unknown.
    pub(super) fn unusual(&self, slots: &[i64]) -> usize {
        slots.iter().filter(|slot| !self.used.contains(&bucket(**slot * SLOT / HOUR, self.weekly))).count()
    }
}

/// The hour of the week, or of the day with working days and days of rest apart. 1970-01-01 was a Thursday.
fn bucket(hour: i64, weekly: bool) -> i64 {
    let of_week = hour.rem_euclid(WEEK);
    let rest = matches!(of_week / 24, 2 | 3);
    if weekly { of_week } else { of_week % 24 + if rest { 24 } else { 0 } }
}
