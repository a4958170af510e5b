//! The key that pseudonyms are made with: HMAC-SHA-256 for names, ipcrypt-pfx for IP addresses, each under a key of its own.
//!
//! ipcrypt-pfx is the prefix-preserving mode of draft-denis-ipcrypt: two addresses that share their first n bits share them afterwards.

use hmac::{Hmac, KeyInit, Mac};
use ipcrypt_rs::IpcryptPfx;
use ipnet::IpNet;
use sha2::Sha256;
use std::net::IpAddr;

/// Bytes a key has at least.
const KEY_BYTES_MIN: usize = 32;

/// A text that is no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("the key has {0} bytes without the white space around it, and needs {KEY_BYTES_MIN} or more")]
    Short(usize),
    #[error("the key cannot be used")]
    Unusable,
}

/// A key, ready for use.
pub struct Key {
    mac: Hmac<Sha256>,
    addresses: IpcryptPfx,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

impl Key {
    /// Makes a key of a file's bytes. White space around them does not count, so that an editor's last line feed makes no other key.
    ///
    /// # Errors
    /// Fails if there are too few bytes.
    pub fn new(bytes: &[u8]) -> Result<Key, KeyError> {
        let bytes = bytes.trim_ascii();
        if bytes.len() < KEY_BYTES_MIN {
            return Err(KeyError::Short(bytes.len()));
        }
        let mac = Hmac::<Sha256>::new_from_slice(bytes).map_err(|_| KeyError::Unusable)?;
        let address_key = digest(&mac, "ip", "");
        // ipcrypt-pfx is broken by two equal halves, and its crate gives up on them.
        if address_key[..16] == address_key[16..] {
            return Err(KeyError::Unusable);
        }
        Ok(Key { addresses: IpcryptPfx::new(address_key), mac })
    }

    /// Tells keys apart and helps nobody to find one: a hash under the key, not of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.token("fingerprint", "")
    }

    /// Twelve letters and digits for a value of a kind: 60 bits, so that two of a million values share them once in two million cases.
    pub(super) fn token(&self, kind: &str, value: &str) -> String {
        // Without i, l, o and u: nothing to misread, and no words.
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bits = self.number(kind, value);
        let mut token = String::with_capacity(12);
        for _ in 0..12 {
            token.push(char::from(LETTERS[(bits & 31) as usize]));
            bits >>= 5;
        }
        token
    }

    /// A number for a value of a kind.
    pub(super) fn number(&self, kind: &str, value: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = digest(&self.mac, kind, value);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The pseudonym of an address. An IPv6-mapped one has that of the IPv4 address.
    pub(super) fn address(&self, ip: IpAddr) -> IpAddr {
        self.addresses.encrypt_ipaddr(ip.to_canonical())
    }

    /// The network of the pseudonyms of a network's addresses.
    pub(super) fn network(&self, net: IpNet) -> IpNet {
        let first = self.addresses.encrypt_ipaddr(net.network());
        // An IPv4 network of IPv6 addresses keeps its family, so the length always fits.
        IpNet::new(first, net.prefix_len()).map_or(net, |net| net.trunc())
    }
}

fn digest(mac: &Hmac<Sha256>, kind: &str, value: &str) -> [u8; 32] {
    let mut mac = mac.clone();
    mac.update(kind.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    #[test]
    fn a_key_is_told_by_its_bytes_without_the_space_around_them() {
        assert_eq!(Key::new(b" 0123456789abcdef0123456789abcde\n").unwrap_err(), KeyError::Short(31));
        let spaced = Key::new(b"\n0123456789abcdef0123456789abcdef\r\n").unwrap();
        assert_eq!(spaced.fingerprint(), key().fingerprint());
        let other = Key::new(b"1123456789abcdef0123456789abcdef").unwrap();
        assert_ne!(other.fingerprint(), key().fingerprint());
        assert_ne!(other.token("user", "tanaka"), key().token("user", "tanaka"));
        assert!(!format!("{:?}", key()).contains("0123"));
    }

    #[test]
    fn addresses_of_one_network_stay_in_one() {
        let key = key();
        let of = |text: &str| key.address(text.parse().unwrap());
        let shared = |a: IpAddr, b: IpAddr| match (a, b) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros(),
            _ => panic!("families differ"),
        };
        assert_eq!(shared(of("203.0.113.7"), of("203.0.113.8")), 28);
        assert_eq!(shared(of("203.0.113.7"), of("203.0.112.7")), 23);
        assert_eq!(shared(of("2001:db8::1"), of("2001:db8:0:1::1")), 63);
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        for (net, ip) in [("203.0.113.0/24", "203.0.113.7"), ("203.0.112.0/22", "203.0.113.7"), ("2001:db8::/64", "2001:db8::1")] {
            let net = key.network(net.parse().unwrap());
            assert!(net.contains(&of(ip)) && !net.to_string().starts_with("20"), "{net}");
        }
    }
}
