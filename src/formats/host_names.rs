//! One name for each host: logs name a host in full or by its first label, as each logger is set up.

use std::collections::{BTreeMap, BTreeSet};

/// Names that many hosts go by.
const OF_ANYBODY: &[u8] = b"localhost";

/// The full names of hosts that some lines name in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostNames {
    full: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// No host has two names.
pub static NO_HOST_NAMES: HostNames = HostNames { full: BTreeMap::new() };

impl HostNames {
    /// Joins the names, as logged, of all hosts in evidence: a short name is the host of exactly one full name that begins with it. Where
    /// two full names do, it may be of either and stays a name of its own.
    pub fn of<'n>(names: impl Iterator<Item = &'n [u8]>) -> HostNames {
        let mut short: BTreeSet<&[u8]> = BTreeSet::new();
        let mut full: BTreeMap<Vec<u8>, BTreeSet<&[u8]>> = BTreeMap::new();
        for name in names.filter(|name| !name.is_empty()) {
            match name.iter().position(|b| *b == b'.') {
                Some(end) => {
                    full.entry(name.get(..end).unwrap_or_default().to_ascii_lowercase()).or_default().insert(name);
                }
                None => {
                    short.insert(name);
                }
            }
        }
        let named_in_full = |short: &&[u8]| {
            let label = short.to_ascii_lowercase();
            let mut names = full.get(&label).filter(|_| label != OF_ANYBODY)?.iter();
            let name = names.next()?;
            names.next().is_none().then(|| (short.to_vec(), name.to_vec()))
        };
        HostNames { full: short.iter().filter_map(named_in_full).collect() }
    }

    /// The one name of the host that a line calls so.
    #[must_use]
    pub fn one<'n>(&'n self, logged: &'n [u8]) -> &'n [u8] {
        if self.full.is_empty() { logged } else { self.full.get(logged).map_or(logged, Vec::as_slice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(logged: &[&str]) -> HostNames {
        HostNames::of(logged.iter().map(|name| name.as_bytes()))
    }

    #[test]
    fn a_short_name_is_the_host_of_the_one_full_name_that_begins_with_it() {
        let known = names(&["", "mx1", "MX1", "mx1.u.example", "mx2", "mx3.u.example", "localhost", "localhost.localdomain"]);
        for (logged, one) in [
            ("mx1", "mx1.u.example"),
            ("MX1", "mx1.u.example"),
            ("mx2", "mx2"),
            ("mx3.u.example", "mx3.u.example"),
            ("localhost", "localhost"),
            ("", ""),
        ] {
            assert_eq!(known.one(logged.as_bytes()), one.as_bytes(), "{logged}");
        }
    }

    #[test]
    fn a_short_name_of_two_hosts_stays_apart_from_both() {
        assert_eq!(names(&["mx1", "mx1.u.example", "mx1.v.example"]), HostNames::default());
    }
}
