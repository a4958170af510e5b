//! Which way messages went, where their records do not say: a message from one of the organisation's own domains is a user's.
//!
//! A tenant's message trace has the tenant on one side of every message. Where neither the configuration nor any login names its
//! domains, they are the fewest that every message has on one of its sides.

use super::trails::{Trail, Trails};
use crate::config::Settings;
use crate::domain::rows::{Login, LoginResult, Protocol};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::Timestamp;
use crate::formats::event::TrailKind;
use hashbrown::{HashMap, HashSet};
use std::net::IpAddr;

/// Decides the messages whose direction is open. `logins` tell the names that people go by. Gives back how many messages bear one of ours
/// as their sender and came from a stranger all the same.
pub(super) fn decide(texts: &TextPool, trails: &mut Trails, settings: &Settings, logins: &[Login]) -> u64 {
    let open: Vec<usize> = (0..trails.all.len())
        .filter(|n| trails.all.get(*n).and_then(|t| t.accepted.as_deref()).is_some_and(|a| a.kind == TrailKind::Undirected))
        .collect();
    if open.is_empty() {
        return 0;
    }
    let users = logins.iter().filter(|l| l.result == LoginResult::Success).filter_map(|l| l.account);
    let mut own: HashSet<Vec<u8>> = settings.domains.iter().map(|domain| domain.to_lowercase().into_bytes()).collect();
    own.extend(users.filter_map(|user| domain_of(texts.bytes(user))));
    if own.is_empty() {
        own = common_side(texts, trails, &open);
    }
    let is_ours = |address: Text| domain_of(texts.bytes(address)).is_some_and(|domain| own.contains(&domain));
    let mut strangers = strangers(trails, &open, logins, is_ours);
    strangers.retain(|address| !is_hinted(settings, texts.bytes(*address)));
    let mut forged = 0;
    for number in open {
        let Some(trail) = trails.all.get_mut(number) else { continue };
        let sender = trail.sender;
        let by_stranger = address_of(trail).is_some_and(|address| strangers.contains(&address));
        forged += u64::from(by_stranger && is_ours(sender));
        let is_own = is_ours(sender) && !by_stranger;
        if let Some(accepted) = &mut trail.accepted {
            accepted.kind = if is_own { TrailKind::Submission } else { TrailKind::Inbound };
            accepted.mailbox_owner = accepted.mailbox_owner.or(Some(sender).filter(|_| is_own));
        }
    }
    forged
}

/// Clients that handed in mail under our own senders and are none of us, as a forger's is: nobody ever signed in from there, while the
/// log of sign-ins tells of others who handed in mail, and all that came from there is for us. The service takes mail for others from
/// nobody but us.
fn strangers(trails: &Trails, open: &[usize], logins: &[Login], is_ours: impl Fn(Text) -> bool) -> HashSet<Text> {
    let signed_in = || logins.iter().filter(|l| l.provider.is_some() && l.result == LoginResult::Success);
    let known: HashSet<Text> = logins.iter().filter(|l| l.result == LoginResult::Success).filter_map(|l| l.address).collect();
    // Programs sign in by themselves, which is another class of the log than what people do in browsers.
    let has_programs = signed_in().any(|l| l.protocol != Protocol::Browser);
    let span = signed_in().map(|l| l.at).min().zip(signed_in().map(|l| l.at).max());
    let Some((first, last)) = span.filter(|_| has_programs) else { return HashSet::new() };
    let told = |at: Timestamp| (first..=last).contains(&at);
    let (mut strangers, mut others) = (HashSet::new(), HashSet::new());
    let mut members = 0_u64;
    for trail in open.iter().filter_map(|n| trails.all.get(*n)) {
        let Some(address) = address_of(trail).filter(|_| is_ours(trail.sender)) else { continue };
        if known.contains(&address) {
            members += 1;
            continue;
        }
        let recipients = trails.recipients_of(trail);
        let for_us = !recipients.is_empty() && recipients.iter().all(|r| is_ours(r.address));
        let group = if for_us && told(trail.first) { &mut strangers } else { &mut others };
        group.insert(address);
    }
    strangers.retain(|address| members > 0 && !others.contains(address));
    strangers
}

/// Whether the analyst says that an attacker's mail came from there: that is followed.
fn is_hinted(settings: &Settings, address: &[u8]) -> bool {
    let ip: Option<IpAddr> = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
    ip.is_some_and(|ip| settings.cases().flat_map(|case| &case.attacker_networks).any(|net| net.contains(&ip)))
}

fn address_of(trail: &Trail) -> Option<Text> {
    trail.accepted.as_deref()?.address
}

fn domain_of(address: &[u8]) -> Option<Vec<u8>> {
    let at = memchr::memrchr(b'@', address)?;
    address.get(at + 1..).filter(|domain| !domain.is_empty()).map(<[u8]>::to_ascii_lowercase)
}

/// The domains that take part in most messages, until every message has one of them.
fn common_side(texts: &TextPool, trails: &Trails, open: &[usize]) -> HashSet<Vec<u8>> {
    let mut left: Vec<HashSet<Vec<u8>>> = Vec::with_capacity(open.len());
    for trail in open.iter().filter_map(|n| trails.all.get(*n)) {
        let mut sides: HashSet<Vec<u8>> = domain_of(texts.bytes(trail.sender)).into_iter().collect();
        sides.extend(trails.recipients_of(trail).iter().filter_map(|r| domain_of(texts.bytes(r.address))));
        if !sides.is_empty() {
            left.push(sides);
        }
    }
    let mut own = HashSet::new();
    while !left.is_empty() {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        left.iter().flatten().for_each(|domain| *counts.entry(domain).or_default() += 1);
        // Of equally frequent ones the first in the alphabet.
        let Some(most) = counts.into_iter().map(|(domain, n)| (n, std::cmp::Reverse(domain))).max().map(|(_, domain)| domain.0.to_vec())
        else {
            break;
        };
        left.retain(|sides| !sides.contains(&most));
        own.insert(most);
    }
    own
}
