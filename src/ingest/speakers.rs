//! Whose records a source holds, and of which times: two sources can hold copies of one record only if both speak of its host then.

use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// First and last instant of something.
type Span = (Timestamp, Timestamp);

/// The hosts a source speaks of, as far as it was read, by first label in lower case: copies name a host in full or by its first label.
#[derive(Clone, Debug, Default)]
pub(super) struct Speakers {
    /// Its head names no host, so it may be of any.
    unnamed: bool,
    labels: BTreeMap<Vec<u8>, Heard>,
}

/// When a source spoke of a host, in the pieces that held a line of it.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    all: Option<Span>,
    /// Of those that were not compared with other sources.
    uncompared: Option<Span>,
}

impl Speakers {
    /// Those that the first look at a source told.
    pub(super) fn of(scouted: &[Vec<u8>]) -> Speakers {
        let labels = scouted.iter().map(|host| (first_label(host), Heard::default())).collect();
        Speakers { unnamed: scouted.is_empty(), labels }
    }

    /// Notes the hosts of a piece.
    pub(super) fn add(&mut self, hosts: &[&[u8]]) {
        for host in hosts.iter().filter(|host| !host.is_empty()) {
            self.labels.entry(first_label(host)).or_default();
        }
    }

    /// Notes when a piece spoke of its hosts, and whether its records were compared with those of other sources.
    pub(super) fn heard(&mut self, hosts: &[&[u8]], (first, last): Span, compared: bool) {
        for host in hosts.iter().filter(|host| !host.is_empty()) {
            let heard = self.labels.entry(first_label(host)).or_default();
            let widen = |span: Option<Span>| Some(span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
            heard.all = widen(heard.all);
            if !compared {
                heard.uncompared = widen(heard.uncompared);
            }
        }
    }

    /// Whether both may speak of one host.
    pub(super) fn may_meet(&self, other: &Speakers) -> bool {
        self.unnamed || other.unnamed || self.labels.keys().any(|label| other.labels.contains_key(label))
    }

    /// Whether records of this source that were not compared are of a time and a host that the other speaks of too.
    pub(super) fn missed(&self, other: &Speakers) -> bool {
        self.labels.iter().any(|(label, heard)| {
            let theirs = || other.labels.get(label).and_then(|other| other.all);
            heard.uncompared.is_some_and(|(a, b)| theirs().is_some_and(|(c, d)| a <= d && c <= b))
        })
    }

    /// The first instant at which it spoke of a host.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.labels.values().filter_map(|heard| heard.all).map(|(first, _)| first).min()
    }

    /// The same hosts, with nothing heard of them yet.
    pub(super) fn afresh(&self) -> Speakers {
        let labels = self.labels.keys().map(|label| (label.clone(), Heard::default())).collect();
        Speakers { unnamed: self.unnamed, labels }
    }
}

fn first_label(host: &[u8]) -> Vec<u8> {
    host.split(|b| *b == b'.').next().unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Speakers {
        Speakers::of(&names.iter().map(|n| n.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn sources_meet_where_they_name_one_host_or_one_of_them_names_none() {
        let (mx, mail, central) = (of(&["mx1.u.example"]), of(&["mail"]), of(&[]));
        assert!(mx.may_meet(&of(&["MX1", "mx2"])));
        assert!(!mx.may_meet(&mail));
        assert!(mx.may_meet(&central) && central.may_meet(&mail));
        let mut later = mail.clone();
        later.add(&[b"", b"mx1"]);
        assert!(mx.may_meet(&later) && !mx.may_meet(&mail));
    }

    #[test]
    fn what_two_sources_tell_of_one_host_and_time_is_missed_unless_it_was_compared() {
        let at = Timestamp::from_seconds;
        let (mut own, mut central) = (of(&["mx1"]), of(&["mail"]));
        own.heard(&[b"", b"mx1"], (at(100), at(200)), false);
        assert!(!own.missed(&central));
        central.heard(&[b"", b"mx1.u.example"], (at(201), at(300)), true);
        assert!(!own.missed(&central) && !central.missed(&own));
        central.heard(&[b"", b"mx1.u.example"], (at(150), at(160)), true);
        assert!(own.missed(&central) && !central.missed(&own));
        assert_eq!((central.first(), central.afresh().first()), (Some(at(150)), None));
    }
}
