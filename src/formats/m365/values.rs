//! Addresses, ids and places as the records write them.

use crate::formats::scan;
use bumpalo::Bump;
use std::net::{IpAddr, Ipv6Addr};

/// The address in a text that may carry a port, brackets or a name: `203.0.113.9:9808`, `[2001:db8::9]:36185`, `2001:db8::1a:9b`,
/// `::ffff:203.0.113.9`, `EX1 (192.0.2.1)`. `None` where there is none.
pub(super) fn address<'a>(text: &'a [u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    let text = text.trim_ascii();
    let bracketed = text.strip_prefix(b"[").and_then(|inner| scan::split_byte(inner, b']')).map(|(inner, _)| inner);
    let in_parentheses = || scan::split_byte(text, b'(').and_then(|(_, inner)| scan::split_byte(inner, b')')).map(|(inner, _)| inner);
    let before_port = || scan::split_byte(text, b':').filter(|(_, port)| !port.contains(&b':')).map(|(host, _)| host);
    let tries = [bracketed, Some(text), before_port(), in_parentheses()];
    let (written, ip) = tries.into_iter().flatten().find_map(|text| Some((text, parse(text)?)))?;
    Some(match ip {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => scratch.alloc_str(&v4.to_string()).as_bytes(),
            None => canonical(written, v6, scratch),
        },
        IpAddr::V4(_) => written,
    })
}

fn parse(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// One spelling for one address.
fn canonical<'a>(written: &'a [u8], ip: Ipv6Addr, scratch: &'a Bump) -> &'a [u8] {
    let spelled = ip.to_string();
    if spelled.as_bytes() == written { written } else { scratch.alloc_str(&spelled).as_bytes() }
}

/// Whether a text is a GUID, with or without dashes.
pub(super) fn is_guid(text: &[u8]) -> bool {
    let digits = text.iter().filter(|b| b.is_ascii_hexdigit()).count();
    digits == 32 && (text.len() == 32 || (text.len() == 36 && text.iter().filter(|b| **b == b'-').count() == 4))
}

/// A GUID in its usual spelling; any other text as it is.
pub(super) fn guid<'a>(text: &'a [u8], scratch: &'a Bump) -> &'a [u8] {
    if text.len() == 36 && !text.iter().any(u8::is_ascii_uppercase) || !is_guid(text) {
        return text;
    }
    let mut spelled = bumpalo::collections::Vec::with_capacity_in(36, scratch);
    for (place, digit) in text.iter().filter(|b| **b != b'-').enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            spelled.push(b'-');
        }
        spelled.push(digit.to_ascii_lowercase());
    }
    spelled.into_bump_slice()
}

/// `City, State, CC`: the city, which may hold commas, and the country.
pub(super) fn place(text: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let Some((head, country)) = scan::split_last(text, b",") else { return (None, scan::non_empty(text.trim_ascii())) };
    let city = scan::split_last(head, b",").map_or(head, |(city, _)| city);
    (scan::non_empty(city.trim_ascii()), scan::non_empty(country.trim_ascii()))
}

/// Whether a text looks like a mail address.
pub(super) fn is_mail_address(text: &[u8]) -> bool {
    scan::split_last(text, b"@").is_some_and(|(local, domain)| !local.is_empty() && domain.contains(&b'.')) && !text.contains(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_12_an_address_is_told_from_its_port() {
        let scratch = Bump::new();
        let cases: [(&[u8], Option<&[u8]>); 14] = [
            (b"203.0.113.9", Some(b"203.0.113.9")),
            (b"203.0.113.9:9808", Some(b"203.0.113.9")),
            (b"[203.0.113.9]:52385", Some(b"203.0.113.9")),
            (b"[2001:db8::1]:36185", Some(b"2001:db8::1")),
            (b"2001:db8:bac5::1a:9b", Some(b"2001:db8:bac5::1a:9b")),
            (b"2001:DB8:0:0::9", Some(b"2001:db8::9")),
            (b"::ffff:203.0.113.9", Some(b"203.0.113.9")),
            (b"[::ffff:203.0.113.9]:1", Some(b"203.0.113.9")),
            (b"::1", Some(b"::1")),
            (b"EX1 (192.0.2.1)", Some(b"192.0.2.1")),
            (b"host.u.example", None),
            (b"host.u.example:25", None),
            (b"<null>", None),
            (b"", None),
        ];
        for (text, expected) in cases {
            assert_eq!(address(text, &scratch), expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_place_is_read_from_its_end() {
        let shown = |text: &'static str| {
            let (city, country) = place(text.as_bytes());
            let text = |part: Option<&'static [u8]>| part.map_or("-".to_owned(), |part| String::from_utf8_lossy(part).into_owned());
            format!("{} / {}", text(city), text(country))
        };
        assert_eq!(shown("Sapporo, Hokkaido, JP"), "Sapporo / JP");
        assert_eq!(shown(", , GB"), "- / GB");
        assert_eq!(shown("Washington, D.C., Virginia, US"), "Washington, D.C. / US");
        assert_eq!(shown("FR"), "- / FR");
    }

    #[test]
    fn ids_have_one_spelling() {
        let scratch = Bump::new();
        let id = b"44444444-0000-4000-8000-00000000000a";
        assert_eq!(guid(b"4444444400004000800000000000000A", &scratch), id);
        assert_eq!(guid(b"44444444-0000-4000-8000-00000000000A", &scratch), id);
        assert_eq!(guid(b"other", &scratch), b"other");
    }
}
