//! GUIDs of a tenant's records: made from what they belong to, so that no chance is needed to find one again.

use crate::simulate::random::mix;
use std::fmt;

/// A GUID as the exports print it: lower case, with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Guid(u128);

/// What GUIDs are made for; two kinds of one number differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    SignIn = 1,
    Correlation,
    Session,
    User,
    Mailbox,
    Audit,
    Message,
    Run,
}

impl Guid {
    pub(super) const NIL: Guid = Guid(0);

    /// The GUID of the `number`-th thing of a kind. It has the form of a random one (version 4).
    pub(super) fn of(salt: u64, kind: Kind, number: u64) -> Guid {
        let high = mix(salt ^ mix(number.wrapping_mul(16) + kind as u64));
        let low = mix(high ^ 0x5bd1_e995);
        let bits = u128::from(high) << 64 | u128::from(low);
        Guid(bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62)
    }

    /// One of the well-known GUIDs of Microsoft's applications.
    pub(super) const fn known(bits: u128) -> Guid {
        Guid(bits)
    }

    /// The sixteen bytes as .NET keeps them: the first three groups little-endian.
    pub(super) fn bytes(self) -> [u8; 16] {
        let mut bytes = self.0.to_be_bytes();
        bytes[..4].reverse();
        bytes[4..6].reverse();
        bytes[6..8].reverse();
        bytes
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let (a, b, c, d) = (bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff, bits >> 48 & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", bits & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_printed_as_it_was_written() {
        let exchange = Guid::known(0x00000002_0000_0ff1_ce00_000000000000);
        assert_eq!(exchange.to_string(), "00000002-0000-0ff1-ce00-000000000000");
    }

    #[test]
    fn guids_of_one_number_differ_by_kind_and_look_random() {
        let (one, other) = (Guid::of(7, Kind::User, 3), Guid::of(7, Kind::Mailbox, 3));
        assert_ne!(one, other);
        let text = one.to_string();
        assert!(text.as_bytes()[14] == b'4' && matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
    }
}
