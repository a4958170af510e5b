//! Which way messages went, where their records do not say: a message from one of the organisation's own domains is a user's.
//!
//! A tenant's message trace has the tenant on one side of every message. Where neither the configuration nor any login names its
//! domains, they are the fewest that every message has on one of its sides.

use super::trails::Trails;
use crate::domain::text::{Text, TextPool};
use crate::formats::event::TrailKind;
use hashbrown::{HashMap, HashSet};

/// Decides the messages whose direction is open. `users` are names that people logged in by.
pub(super) fn decide(texts: &TextPool, trails: &mut Trails, configured: &[String], users: impl Iterator<Item = Text>) {
    let open: Vec<usize> = (0..trails.all.len())
        .filter(|n| trails.all.get(*n).and_then(|t| t.accepted.as_deref()).is_some_and(|a| a.kind == TrailKind::Undirected))
        .collect();
    if open.is_empty() {
        return;
    }
    let mut own: HashSet<Vec<u8>> = configured.iter().map(|domain| domain.to_lowercase().into_bytes()).collect();
    own.extend(users.filter_map(|user| domain_of(texts.bytes(user))));
    if own.is_empty() {
        own = common_side(texts, trails, &open);
    }
    for number in open {
        let Some(trail) = trails.all.get_mut(number) else { continue };
        let sender = trail.sender;
        let is_own = domain_of(texts.bytes(sender)).is_some_and(|domain| own.contains(&domain));
        if let Some(accepted) = &mut trail.accepted {
            accepted.kind = if is_own { TrailKind::Submission } else { TrailKind::Inbound };
            accepted.account = accepted.account.or(Some(sender).filter(|_| is_own));
        }
    }
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
