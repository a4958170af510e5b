//! What is known of an address by itself: its network, whether the analyst or the organisation vouches for it, who uses it regularly.

use super::Facts;
use super::profile::{OriginUse, Profile, Profiles};
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use crate::geo::Place;
use hashbrown::HashMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Days of use that make an origin a usual one.
pub(super) const USUAL_DAYS: usize = 3;

/// One address of the evidence.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) ip: IpAddr,
    /// The `/24` or `/64` it is in.
    pub(super) net: IpNet,
    /// Its logins are the owners' own, says the configuration.
    pub(super) trusted: bool,
    /// In a network of the organisation, or in one that is never routed outside.
    pub(super) inside: bool,
    /// Country and network, by the databases given, else in the words of an identity provider.
    pub(super) place: Place,
}

/// All addresses that accounts were used or tried from.
pub(super) struct Addresses {
    spots: HashMap<Text, Spot>,
    /// Accounts that use an address, or a network, as one of their usual places.
    regulars: HashMap<Text, usize>,
    regulars_of_net: HashMap<IpNet, usize>,
}

impl Addresses {
    pub(super) fn new(facts: Facts<'_>, profiles: &Profiles) -> Addresses {
        let mut spots: HashMap<Text, Spot> =
            profiles.by_address.keys().filter_map(|address| Some((*address, spot(facts, *address)?))).collect();
        told_by_provider(facts, &mut spots);
        let mut addresses = Addresses { spots, regulars: HashMap::new(), regulars_of_net: HashMap::new() };
        for (_, profile) in profiles.iter() {
            let usual: Vec<Text> = profile.origins.iter().filter(|o| is_usual(profile, o)).filter_map(|o| o.address).collect();
            let mut nets: Vec<IpNet> = usual.iter().filter_map(|address| addresses.net(*address)).collect();
            nets.sort_unstable();
            nets.dedup();
            for address in usual {
                *addresses.regulars.entry(address).or_default() += 1;
            }
            for net in nets {
                *addresses.regulars_of_net.entry(net).or_default() += 1;
            }
        }
        addresses
    }

    pub(super) fn spot(&self, address: Text) -> Option<&Spot> {
        self.spots.get(&address)
    }

    pub(super) fn net(&self, address: Text) -> Option<IpNet> {
        self.spots.get(&address).map(|spot| spot.net)
    }

    /// Accounts that use an address as one of their usual places.
    pub(super) fn regulars(&self, address: Text) -> usize {
        self.regulars.get(&address).copied().unwrap_or(0)
    }

    /// Accounts that use any address of a network as one of their usual places.
    pub(super) fn regulars_of_net(&self, net: IpNet) -> usize {
        self.regulars_of_net.get(&net).copied().unwrap_or(0)
    }

    pub(super) fn is_trusted(&self, address: Option<Text>) -> bool {
        address.and_then(|address| self.spot(address)).is_some_and(|spot| spot.trusted)
    }
}

/// Whether an origin is one of the account's usual places: in use on several days, and there from the first day on or used for
/// ordinary correspondence. An attacker who stays for days is neither.
fn is_usual(profile: &Profile, used: &OriginUse) -> bool {
    let since_the_start = |first: Timestamp| profile.first().is_some_and(|start| first.since(start) < DAY);
    used.days.len() >= USUAL_DAYS && (used.first.is_some_and(since_the_start) || used.sent.familiar_days >= USUAL_DAYS as u64)
}

fn spot(facts: Facts<'_>, address: Text) -> Option<Spot> {
    let ip: IpAddr = std::str::from_utf8(facts.rows.texts.bytes(address)).ok()?.parse().ok()?;
    let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&ip));
    let settings = facts.settings;
    let inside = within(&settings.networks) || is_private(ip);
    Some(Spot { ip, net: network(ip)?, trusted: within(&settings.trusted_networks), inside, place: settings.geo.place(ip) })
}

/// Fills in what an identity provider says of addresses that no database knows.
fn told_by_provider(facts: Facts<'_>, spots: &mut HashMap<Text, Spot>) {
    for login in &facts.rows.logins {
        let (Some(word), Some(spot)) = (&login.provider, login.address.and_then(|address| spots.get_mut(&address))) else { continue };
        if spot.place.country.is_none() {
            spot.place.country = word.country.map(|country| facts.rows.show(country));
        }
        spot.place.asn = spot.place.asn.or(word.asn);
    }
}

/// The network that an address is grouped by: `/24` for IPv4, `/64` for IPv6.
fn network(ip: IpAddr) -> Option<IpNet> {
    Some(match ip {
        IpAddr::V4(ip) => IpNet::V4(Ipv4Net::new(ip, 24).ok()?.trunc()),
        IpAddr::V6(ip) => IpNet::V6(Ipv6Net::new(ip, 64).ok()?.trunc()),
    })
}

/// RFC 1918, RFC 4193, loopback and link-local: not reached from outside.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}
