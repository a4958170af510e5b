//! Names and addresses in the cells of Exchange's logs: hosts, end points, users, and the server's own monitoring among them.

use crate::formats::scan;
use std::net::IpAddr;

/// The first label of a host's name, as logs of one host write it now in full, now short; an address is left whole.
pub(super) fn short_host(name: &[u8]) -> &[u8] {
    if name.first().is_some_and(u8::is_ascii_digit) || name.contains(&b':') {
        return name;
    }
    scan::until(name, b".")
}

/// The address of `10.0.0.1`, `10.0.0.1:25`, `[2001:db8::1]:25`, `fe80::1%3` or `::ffff:10.0.0.1`, without brackets, port and scope.
pub(super) fn address(text: &[u8]) -> &[u8] {
    let bare = match text.strip_prefix(b"[") {
        Some(inner) => scan::until(inner, b"]"),
        // One colon parts a port, more of them are an IPv6 address.
        None if text.iter().filter(|b| **b == b':').count() == 1 => scan::until(text, b":"),
        None => text,
    };
    let bare = scan::until(bare, b"%");
    let mapped = bare.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"::ffff:"));
    if mapped && bare.contains(&b'.') { bare.get(7..).unwrap_or(bare) } else { bare }
}

/// The port of an end point.
pub(super) fn port(text: &[u8]) -> u32 {
    let colons = text.iter().filter(|b| **b == b':').count();
    let after = if text.starts_with(b"[") { scan::after(text, b"]:") } else { (colons == 1).then(|| scan::after(text, b":")).flatten() };
    after.map_or(0, scan::small_number)
}

/// Whether an address is of the machine itself or only of its link.
pub(super) fn is_loopback(address: &[u8]) -> bool {
    let parsed: Option<IpAddr> = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
    parsed.is_some_and(|ip| match ip {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    })
}

/// A user's name as logs write it; `None` where it is empty, a machine's or a service's own.
pub(super) fn user(name: &[u8]) -> Option<&[u8]> {
    let name = name.trim_ascii();
    let service = starts_with(name, b"NT AUTHORITY\\") || starts_with(name, b"NT SERVICE\\") || starts_with(name, b"IIS APPPOOL\\");
    let nobody = name.is_empty() || name.ends_with(b"$") || name.eq_ignore_ascii_case(b"NULL") || name.eq_ignore_ascii_case(b"Anonymous");
    (!service && !nobody).then_some(name)
}

/// Whether a user or mailbox is one by which Exchange watches itself.
pub(super) fn is_probe_user(name: &[u8]) -> bool {
    let local = memchr::memrchr(b'\\', name).and_then(|at| name.get(at + 1..)).unwrap_or(name);
    const MONITORS: [&[u8]; 6] =
        [b"HealthMailbox", b"inboundproxy@inboundproxy.com", b"maildeliveryprobe@", b"SystemMailbox{", b"extest_", b"Migration.8f3e7716"];
    // Most names begin with another letter than any of these.
    local.first().is_some_and(|first| b"hHiImMsSeE".contains(first)) && MONITORS.iter().any(|start| starts_with(local, start))
}

/// Whether a program is one by which Exchange watches itself.
pub(super) fn is_probe_client(agent: &[u8]) -> bool {
    const MONITORS: [&[u8]; 6] =
        [b"AMProbe", b"MSExchangeHMWorker", b"ExchangeInternal", b"Odata_PC_Probe", b"Microsoft+WinRM+Client", b"ActiveMonitor"];
    MONITORS.iter().any(|start| starts_with(agent, start)) || scan::contains(agent, b"/AMProbe/")
}

/// Whether `text` begins so, in any case.
pub(super) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Whether `text` holds these words, in any case.
pub(super) fn holds(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window.eq_ignore_ascii_case(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_points_and_addresses_lose_what_is_not_the_address() {
        for (text, expected, number) in [
            ("10.0.0.1:25", "10.0.0.1", 25),
            ("[2001:db8::1]:587", "2001:db8::1", 587),
            ("2001:db8::1", "2001:db8::1", 0),
            ("fe80::1c2b%3", "fe80::1c2b", 0),
            ("::ffff:192.0.2.7", "192.0.2.7", 0),
            ("[::ffff:192.0.2.7]:993", "192.0.2.7", 993),
            ("", "", 0),
        ] {
            assert_eq!((address(text.as_bytes()), port(text.as_bytes())), (expected.as_bytes(), number), "{text}");
        }
        assert!(is_loopback(b"::1") && is_loopback(b"127.0.0.1") && is_loopback(b"fe80::1") && !is_loopback(b"10.0.0.1"));
    }

    #[test]
    fn machines_services_and_monitors_are_no_users() {
        for name in ["UNIV\\EX01$", "NT AUTHORITY\\SYSTEM", "NULL", " ", ""] {
            assert_eq!(user(name.as_bytes()), None, "{name}");
        }
        assert_eq!(user(b"UNIV\\suzuki"), Some(&b"UNIV\\suzuki"[..]));
        assert!(is_probe_user(b"UNIV\\HealthMailbox83d6781") && is_probe_user(b"healthmailbox1@u.example") && !is_probe_user(b"suzuki"));
        assert_eq!(
            (short_host(b"ex1.u.example"), short_host(b"EX1"), short_host(b"10.0.0.1")),
            (&b"ex1"[..], &b"EX1"[..], &b"10.0.0.1"[..])
        );
    }
}
