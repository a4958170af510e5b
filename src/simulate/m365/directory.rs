//! The tenant: its accounts with their ids, and where on earth an address is said to be.

use super::guid::{Guid, Kind};
use std::net::IpAddr;

/// The tenant's initial domain.
pub(super) const TENANT_DOMAIN: &str = "uexample.onmicrosoft.example";
/// The zone the service's own machines are named in.
pub(super) const SERVICE_DOMAIN: &str = "prod.outlook.example";

/// An account of the tenant.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The user principal name, lower case.
    pub(super) upn: String,
    pub(super) name: String,
    pub(super) id: Guid,
    pub(super) mailbox: Guid,
    /// The account's passport id, by which the audit log knows it.
    pub(super) puid: String,
    pub(super) sid: String,
}

/// The accounts of a tenant, in the order of the story's people.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) tenant: Guid,
    pub(super) accounts: Vec<Account>,
}

impl Directory {
    pub(super) fn new(salt: u64, addresses: &[String]) -> Directory {
        let accounts = addresses.iter().enumerate().map(|(number, address)| Account::new(salt, number as u64, address)).collect();
        Directory { tenant: Guid::of(salt, Kind::User, u64::MAX), accounts }
    }
}

impl Account {
    fn new(salt: u64, number: u64, address: &str) -> Account {
        Account {
            upn: address.to_lowercase(),
            name: display_name(address),
            id: Guid::of(salt, Kind::User, number),
            mailbox: Guid::of(salt, Kind::Mailbox, number),
            puid: format!("1003200{:09X}", 0x0_5614_0000 + (salt & 0xffff) * 64 + number),
            sid: format!("S-1-5-21-{}-1718041442-2963251823-{}", 3_000_000_000 + (salt & 0xffff), 4_100_000 + number),
        }
    }
}

/// `yamada.t@…` is "Yamada, T", `info@…` is "Info".
fn display_name(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    let words: Vec<String> = local
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| {
            let first = word.get(..1)?;
            Some(first.to_uppercase() + word.get(1..)?)
        })
        .collect();
    words.join(", ")
}

/// What the provider says about an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Whereabouts {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) country: &'static str,
    pub(super) latitude: &'static str,
    pub(super) longitude: &'static str,
    /// From the ranges reserved for documentation.
    pub(super) asn: u32,
}

const CAMPUS: Whereabouts = whereabouts("Hachioji", "Tokyo", "JP", ("35.66581", "139.31580"), 64_496);
const HOME: Whereabouts = whereabouts("Chiba", "Chiba", "JP", ("35.60000", "140.11667"), 64_497);
/// Hosting companies' networks: a city with a comma in its name, and one of which only the country is known.
const HOSTING: [Whereabouts; 4] = [
    whereabouts("Amsterdam", "Noord-Holland", "NL", ("52.37403", "4.88969"), 64_500),
    whereabouts("Washington, D.C.", "District Of Columbia", "US", ("38.89511", "-77.03637"), 64_501),
    whereabouts("", "", "RO", ("45.99682", "24.99703"), 64_502),
    whereabouts("São Paulo", "Sao Paulo", "BR", ("-23.54750", "-46.63611"), 64_503),
];
const SCANNERS: Whereabouts = whereabouts("Frankfurt Am Main", "Hessen", "DE", ("50.11552", "8.68417"), 64_504);

const fn whereabouts(
    city: &'static str,
    state: &'static str,
    country: &'static str,
    (latitude, longitude): (&'static str, &'static str),
    asn: u32,
) -> Whereabouts {
    Whereabouts { city, state, country, latitude, longitude, asn }
}

/// Where an address of the story is said to be.
pub(super) fn locate(address: IpAddr) -> Whereabouts {
    match address {
        IpAddr::V4(v4) => match v4.octets() {
            [192, 0, 2, 0..128] => CAMPUS,
            [198, 51, 100, _] => HOME,
            // A provider's network is in one country, whatever its single addresses are used for.
            [203, 0, 113, last] => HOSTING[usize::from(last / 32) % HOSTING.len()],
            _ => SCANNERS,
        },
        IpAddr::V6(_) => SCANNERS,
    }
}

impl Whereabouts {
    /// `City, State, CC` with empty parts kept, as the portal's column has it.
    pub(super) fn column(&self) -> String {
        format!("{}, {}, {}", self.city, self.state, self.country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_name_and_ids_of_its_own() {
        let directory = Directory::new(9, &["Yamada.T@dept.u.example".to_owned(), "info@dept.u.example".to_owned()]);
        let [yamada, info] = &directory.accounts[..] else { panic!("two accounts") };
        assert_eq!((yamada.upn.as_str(), yamada.name.as_str(), info.name.as_str()), ("yamada.t@dept.u.example", "Yamada, T", "Info"));
        assert!(yamada.id != info.id && yamada.puid != info.puid && yamada.puid.len() == 16);
    }

    #[test]
    fn a_place_of_which_only_the_country_is_known_keeps_its_commas() {
        let place = locate("203.0.113.70".parse().unwrap());
        assert_eq!(place.column(), ", , RO");
    }
}
