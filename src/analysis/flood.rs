//! A flood of notices of failure to one owner, where no log tells what he sent: the only trace that an abuse of his account may leave.
//!
//! Where mail that goes out is in evidence, that judges, and a flood for somebody who sent nothing is the echo of a forged sender.

use super::model::Signal;
use super::peers::quantile;
use super::returned::{Came, busiest_day};
use super::signs::{Sign, score};
use super::tally::domain;
use super::witness::outgoing;
use super::{Facts, Ground, hints};
use crate::domain::place::Place;
use crate::domain::rows::Kind;
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, Timestamp};
use crate::say::say;
use hashbrown::HashSet;

/// Notices in one hour that are no flood yet, whatever the owner's own busiest hour.
const TRICKLE: u64 = 3;
/// Lines pointed to.
const POINTERS: usize = 3;
/// What addresses are called that exist to collect notices.
const COLLECTORS: [&[u8]; 3] = [b"postmaster", b"mailer-daemon", b"abuse"];
const COLLECTS: &[u8] = b"bounce";

/// A flood of notices.
#[derive(Clone, Debug)]
pub(super) struct Flood {
    /// The owner's account, or his address where no log names an account.
    pub(super) account: Text,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) notices: u64,
    pub(super) first_hour: u64,
    pub(super) sign: Signal,
}

/// The stretch of hours that makes a flood, and what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from: usize,
    /// Exclusive.
    to: usize,
    usual_day: u64,
}

/// Every flood in a time of which no log of outgoing mail speaks, in the order of time.
pub(super) fn floods(ground: Ground<'_>) -> Vec<Flood> {
    let Ground { facts, profiles, .. } = ground;
    let limits = &facts.settings.thresholds;
    let returned = &profiles.writers.returned;
    let large: Vec<(Text, &[Came])> =
        returned.receivers().filter(|(_, came)| came.iter().map(|c| c.count).sum::<u64>() >= limits.flood_notices).collect();
    if large.is_empty() {
        return Vec::new();
    }
    let ours = own_domains(ground);
    let peers = peers_day(ground, &ours);
    let begin = facts.rows.activity.iter().map(|hour| hour.first).min();
    let outgoing = outgoing(facts);
    let mut floods: Vec<Flood> = large
        .into_iter()
        .filter(|(whose, _)| is_owner(ground, &ours, *whose))
        .filter_map(|(account, came)| {
            let least = |usual: u64| limits.flood_notices.max(limits.flood_factor * usual.max(peers.unwrap_or(0)));
            let stretch = find(came, least)?;
            let (first, last) = (came.get(stretch.from)?.first, came.get(stretch.to - 1)?.last);
            let known = begin.is_some_and(|begin| first.since(begin) as f64 >= limits.history_hours * HOUR as f64);
            let told = outgoing.is_some_and(|span| span.meets(first, last)) || !hints::asked(facts, account, None).meets(first, last);
            ((known || peers.is_some()) && !told).then(|| tell(facts, account, came, stretch, peers))
        })
        .filter(|flood| score(std::slice::from_ref(&flood.sign)) >= limits.suspected)
        .collect();
    floods.sort_by_key(|flood| (flood.first, flood.account));
    floods
}

/// The first 24 hours with `least` notices or more, as it is asked of what was the owner's busiest day before, and what follows them.
fn find(came: &[Came], least: impl Fn(u64) -> u64) -> Option<Stretch> {
    let mut from = 0;
    for (at, now) in came.iter().enumerate() {
        while came.get(from).is_some_and(|early| now.last.since(early.first) > DAY) {
            from += 1;
        }
        let (before, window) = (came.get(..from)?, came.get(from..=at)?);
        let usual_day = busiest_day(before);
        if window.iter().map(|c| c.count).sum::<u64>() < least(usual_day) {
            continue;
        }
        let trickle = before.iter().map(|c| c.count).max().unwrap_or(0).max(TRICKLE);
        let from = from + window.iter().position(|c| c.count > trickle).unwrap_or(0);
        let later = came.get(at + 1..)?.iter().scan(now.last, |last, c| {
            let goes_on = c.count > trickle && c.first.since(*last) <= DAY;
            *last = c.last;
            goes_on.then_some(())
        });
        return Some(Stretch { from, to: at + 1 + later.count(), usual_day });
    }
    None
}

fn tell(facts: Facts<'_>, account: Text, came: &[Came], stretch: Stretch, peers: Option<u64>) -> Flood {
    let flood = came.get(stretch.from..stretch.to).unwrap_or_default();
    let notices = flood.iter().map(|c| c.count).sum();
    let first = flood.first().map_or(Timestamp(0), |c| c.first);
    let last = flood.last().map_or(first, |c| c.last);
    let (owner, from, to) = (facts.rows.show(account), facts.stamp(first).prose(), facts.stamp(last).prose());
    let text = match peers {
        Some(peers) => say!(
            "{n} notices of failure came in for {owner} from {from} to {to}; on his busiest day before {usual}, and on those of nine in ten others no more than {peers}",
            n = notices,
            owner,
            from,
            to,
            usual = stretch.usual_day,
            peers
        ),
        None => say!(
            "{n} notices of failure came in for {owner} from {from} to {to}; on his busiest day before {usual}",
            n = notices,
            owner,
            from,
            to,
            usual = stretch.usual_day
        ),
    };
    let places: Vec<Place> = flood.iter().take(POINTERS).map(|c| c.place).collect();
    let sign = Sign::ReturnedFlood.seen(facts.lang(), &text, places.into_iter().map(Facts::pointer).collect());
    // The flood begins within a clock hour, so the first hour is that one and, where it begins late in it, the next.
    let first_hour = flood.iter().take_while(|c| c.first.since(first) < HOUR).map(|c| c.count).sum();
    Flood { account, first, last, notices, first_hour, sign }
}

/// The organisation's mail domains: configured, of accounts, of mailboxes that notices went into.
fn own_domains(ground: Ground<'_>) -> HashSet<&[u8]> {
    let Ground { facts, profiles, .. } = ground;
    let configured = facts.settings.domains.iter().chain(&facts.settings.accounts.default_domain).map(String::as_bytes);
    let named = profiles.order.iter().chain(&profiles.writers.returned.mailboxes).map(|name| facts.rows.texts.bytes(*name));
    configured.chain(named.filter(|name| name.contains(&b'@')).map(domain)).collect()
}

/// Whether a receiver is one of ours, and no address that is there to collect notices.
fn is_owner(ground: Ground<'_>, ours: &HashSet<&[u8]>, whose: Text) -> bool {
    let name = ground.facts.rows.texts.bytes(whose);
    let local = name.split(|b| *b == b'@').next().unwrap_or_default();
    let collects = COLLECTORS.contains(&local) || local.windows(COLLECTS.len()).any(|part| part == COLLECTS);
    !collects && (ground.profiles.get(whose).is_some() || ours.contains(domain(name)))
}

/// The busiest day of nine in ten of those who get mail is no more than this; `None` with too few of them.
fn peers_day(ground: Ground<'_>, ours: &HashSet<&[u8]>) -> Option<u64> {
    let Ground { facts, profiles, .. } = ground;
    let rows = facts.rows;
    let returned = &profiles.writers.returned;
    let inbound = rows.messages.iter().filter(|m| m.kind == Kind::Inbound).flat_map(|m| rows.recipients_of(m)).map(|r| r.address);
    let known = profiles.order.iter().copied().chain(returned.receivers().map(|(whose, _)| whose)).chain(inbound);
    let everybody: HashSet<Text> =
        known.filter(|who| profiles.get(*who).is_some() || ours.contains(domain(rows.texts.bytes(*who)))).collect();
    let mut days: Vec<u64> = everybody.into_iter().map(|who| busiest_day(returned.to(who))).collect();
    days.sort_unstable();
    quantile(&days, 9, 10)
}
