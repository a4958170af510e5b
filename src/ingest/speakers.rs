//! Whose records a source may hold: two sources can hold copies of one record only if both may speak of its host.

use std::collections::BTreeSet;

/// The hosts a source speaks of, as far as it was read. Copies name a host in full or by its first label, in any case.
#[derive(Clone, Debug, Default)]
pub(super) struct Speakers {
    /// Its head names no host, so it may be of any.
    unnamed: bool,
    labels: BTreeSet<Vec<u8>>,
}

impl Speakers {
    /// Those that the first look at a source told.
    pub(super) fn of(scouted: &[Vec<u8>]) -> Speakers {
        Speakers { unnamed: scouted.is_empty(), labels: scouted.iter().map(|host| first_label(host)).collect() }
    }

    /// Notes a host that a later line names.
    pub(super) fn add(&mut self, host: &[u8]) {
        if !host.is_empty() {
            self.labels.insert(first_label(host));
        }
    }

    /// Whether both may speak of one host.
    pub(super) fn may_meet(&self, other: &Speakers) -> bool {
        self.unnamed || other.unnamed || !self.labels.is_disjoint(&other.labels)
    }
}

fn first_label(host: &[u8]) -> Vec<u8> {
    host.split(|b| *b == b'.').next().unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_meet_where_they_name_one_host_or_one_of_them_names_none() {
        let of = |names: &[&str]| Speakers::of(&names.iter().map(|n| n.as_bytes().to_vec()).collect::<Vec<_>>());
        let (mx, mail, central) = (of(&["mx1.u.example"]), of(&["mail"]), of(&[]));
        assert!(mx.may_meet(&of(&["MX1", "mx2"])));
        assert!(!mx.may_meet(&mail));
        assert!(mx.may_meet(&central) && central.may_meet(&mail));
        let mut later = mail.clone();
        later.add(b"mx1");
        assert!(mx.may_meet(&later));
    }
}
