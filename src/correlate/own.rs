//! Which hosts are the organisation's own: a delivery to one of them is not yet an arrival, a refusal by one is our own.

use hashbrown::HashSet;
use ipnet::IpNet;
use std::net::IpAddr;

/// Suffixes that no public name has: those of private networks (RFC 6762, section 3 and appendix G; RFC 8375; ICANN's `.internal`).
const PRIVATE_SUFFIXES: [&[u8]; 10] =
    [b".local", b".localdomain", b".lan", b".internal", b".intranet", b".intra", b".private", b".corp", b".home", b".home.arpa"];

/// What the configuration and the evidence say of the organisation's own names.
#[derive(Default)]
pub(super) struct Own {
    /// Registrable domains, lower case: `univ.example` for `mail.dept.univ.example`.
    organisations: HashSet<Vec<u8>>,
    /// Configured hosts (full names, or `.suffix`) and domains.
    suffixes: Vec<Vec<u8>>,
    networks: Vec<IpNet>,
    /// Names of the hosts whose logs are in evidence.
    in_evidence: HashSet<Vec<u8>>,
}

impl Own {
    /// Starts from the configuration.
    pub(super) fn new(domains: &[String], hosts: &[String], networks: &[IpNet]) -> Own {
        let suffixes = domains.iter().chain(hosts).map(|s| s.to_lowercase().into_bytes()).collect();
        Own { suffixes, networks: networks.to_vec(), ..Own::default() }
    }

    /// A host in evidence bears this name.
    pub(super) fn add_host(&mut self, name: &[u8]) {
        self.in_evidence.insert(name.to_ascii_lowercase());
        self.add_domain(name);
    }

    /// The organisation uses this domain.
    pub(super) fn add_domain(&mut self, name: &[u8]) {
        if let Some(domain) = registrable(name) {
            self.organisations.insert(domain);
        }
    }

    /// Whether a host of this name has its log in evidence; logs often know hosts of ours by their first label alone.
    pub(super) fn has_log(&self, name: &[u8]) -> bool {
        let name = name.to_ascii_lowercase();
        let label = name.split(|b| *b == b'.').next().unwrap_or_default();
        self.in_evidence.contains(&name) || self.is_own_name(&name) == Some(true) && self.in_evidence.contains(label)
    }

    /// Whether a name is the organisation's own; `None` for `unknown`, bare names, address literals, and names that mean nothing outside of
    /// a network of one's own.
    pub(super) fn is_own_name(&self, name: &[u8]) -> Option<bool> {
        let name = name.to_ascii_lowercase();
        if self.suffixes.iter().any(|s| ends_in(&name, s)) {
            return Some(true);
        }
        let domain = registrable(&name)?;
        let known = self.organisations.contains(&domain);
        (known || !PRIVATE_SUFFIXES.iter().any(|suffix| ends_in(&name, suffix))).then_some(known)
    }

    /// Whether a client is one of our hosts: by its name if it has one, else by its address.
    pub(super) fn is_own_client(&self, name: &[u8], address: &[u8]) -> bool {
        let address = parse_address(address);
        if address.is_some_and(|a| self.networks.iter().any(|n| n.contains(&a))) {
            return true;
        }
        self.is_own_name(name).unwrap_or_else(|| address.is_some_and(is_internal))
    }

    /// Whether `relay=` names one of our hosts, or a filter or socket on the host itself.
    pub(super) fn is_own_relay(&self, relay: &[u8]) -> bool {
        let (name, address) = split_relay(relay);
        self.is_own_client(name, address) || address.contains(&b'/')
    }
}

/// Splits `host[address]:port`; the address part is a socket's path for local transports.
pub(super) fn split_relay(relay: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'[', relay) {
        Some(open) => {
            let rest = &relay[open + 1..];
            let close = memchr::memchr(b']', rest).unwrap_or(rest.len());
            (&relay[..open], &rest[..close])
        }
        None => (relay, b""),
    }
}

fn ends_in(name: &[u8], suffix: &[u8]) -> bool {
    match suffix.strip_prefix(b".") {
        Some(bare) => name.ends_with(suffix) || name == bare,
        None => name == suffix || (name.ends_with(suffix) && name[..name.len() - suffix.len()].ends_with(b".")),
    }
}

/// The part of a name that an organisation registers, by the public suffix list.
fn registrable(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.to_ascii_lowercase();
    if parse_address(&name).is_some() {
        return None;
    }
    Some(psl::domain(&name)?.as_bytes().to_vec())
}

fn parse_address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether a text is an address that only a network of one's own uses.
pub(super) fn is_internal_address(text: &[u8]) -> bool {
    parse_address(text).is_some_and(is_internal)
}

fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        let mut own = Own::new(&[], &[".mailhub.test".to_owned()], &["198.51.100.0/28".parse().unwrap()]);
        own.add_host(b"mail.dept.univ.example");
        own
    }

    #[test]
    fn a_host_of_the_same_organisation_is_ours_and_a_receiver_is_not() {
        let own = own();
        for (relay, expected) in [
            ("smtp-out.univ.example[203.0.113.2]:25", true),
            ("mail.dept.univ.example[private/dovecot-lmtp]", true),
            ("127.0.0.1[127.0.0.1]:10024", true),
            ("gw1.mailhub.test[203.0.113.3]:25", true),
            ("unknown[198.51.100.3]:25", true),
            ("mx.corp.example[203.0.113.9]:25", false),
            // The name decides before the address does: a laboratory's receivers may sit on loopback addresses.
            ("mx.gmail.example[127.0.20.1]:25", false),
            // A name of a private network decides nothing: there the address does.
            ("exchange.corp.local[10.1.1.1]:25", true),
            ("smtp.internal.lan[10.1.1.1]:25", true),
            ("exchange.corp.local[203.0.113.9]:25", false),
            ("none", false),
        ] {
            assert_eq!(own.is_own_relay(relay.as_bytes()), expected, "{relay}");
        }
    }

    #[test]
    fn universities_under_one_public_suffix_are_not_one_organisation() {
        let mut own = Own::default();
        own.add_host(b"mail.a-univ.ac.jp");
        assert_eq!(own.is_own_name(b"smtp.a-univ.ac.jp"), Some(true));
        assert_eq!(own.is_own_name(b"mx.b-univ.ac.jp"), Some(false));
        assert_eq!(own.is_own_name(b"unknown"), None);
    }
}
