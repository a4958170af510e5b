//! Addresses of Exchange Online itself: where a record names one in a client's place, it names no client.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What Exchange Online serves its clients and sends mail from, as Microsoft publishes it ("Microsoft 365 URLs and IP address ranges",
/// Exchange Online; <https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges>). Azure's ranges, which anybody may
/// rent a machine in, are none of these.
const V4: [(Ipv4Addr, u32); 12] = [
    (Ipv4Addr::new(13, 107, 6, 152), 31),
    (Ipv4Addr::new(13, 107, 18, 10), 31),
    (Ipv4Addr::new(23, 103, 160, 0), 20),
    (Ipv4Addr::new(40, 92, 0, 0), 15),
    (Ipv4Addr::new(40, 96, 0, 0), 13),
    (Ipv4Addr::new(40, 104, 0, 0), 15),
    (Ipv4Addr::new(40, 107, 0, 0), 16),
    (Ipv4Addr::new(52, 96, 0, 0), 14),
    (Ipv4Addr::new(52, 100, 0, 0), 14),
    (Ipv4Addr::new(104, 47, 0, 0), 17),
    (Ipv4Addr::new(132, 245, 0, 0), 16),
    (Ipv4Addr::new(150, 171, 32, 0), 22),
];

/// Beside the published ones, `2603:1000::/24`: the servers name each other by addresses out of it (`2603:10a6:…`) in the headers of any
/// message that was written in a browser.
const V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2603, 0x1000, 0, 0, 0, 0, 0, 0), 24),
    (Ipv6Addr::new(0x2a01, 0x111, 0xf400, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x2a01, 0x111, 0xf403, 0, 0, 0, 0, 0), 48),
];

/// Whether an address is one of the service's own.
pub(super) fn is_own(address: &[u8]) -> bool {
    match std::str::from_utf8(address).ok().and_then(|text| text.parse().ok()) {
        Some(std::net::IpAddr::V4(ip)) => V4.iter().any(|(net, bits)| (ip.to_bits() ^ net.to_bits()) >> (32 - bits) == 0),
        Some(std::net::IpAddr::V6(ip)) => V6.iter().any(|(net, bits)| (ip.to_bits() ^ net.to_bits()) >> (128 - bits) == 0),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn the_services_servers_are_told_from_machines_that_anybody_may_rent() {
        for own in ["2603:10a6:20b:5a1::15", "40.107.22.100", "52.100.1.1", "2a01:111:f400:7e1a::1", "104.47.1.1", "40.103.255.255"] {
            assert!(is_own(own.as_bytes()), "{own}");
        }
        for other in ["203.0.113.7", "2001:db8::1", "40.112.0.1", "52.95.0.1", "2603:2000::1", "104.47.128.1", "", "EX1"] {
            assert!(!is_own(other.as_bytes()), "{other}");
        }
    }
}
