//! What became of each source: the ledger of its lines, its span, and what decided its year and zone.

use super::model::{Evidence, Lines};
use crate::domain::place::SourceId;
use crate::domain::time::{Timestamp, Zone};
use crate::formats::batch::{Ignored, Ledger};
use std::collections::BTreeMap;

/// One source after it was read.
#[derive(Clone, Debug)]
pub struct SourceSummary {
    pub id: SourceId,
    pub path: String,
    pub size: u64,
    pub sha256: Option<String>,
    /// Format id and system, if a format was recognised.
    pub format: Option<(&'static str, &'static str)>,
    /// Hosts as logged, most frequent first.
    pub hosts: Vec<String>,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub ledger: Ledger,
    pub malformed_samples: Vec<String>,
    /// `None` where the lines carry a year themselves.
    pub year_from: Option<&'static str>,
    /// `None` where the lines carry an offset themselves.
    pub zone_from: Option<&'static str>,
    pub zone: Option<Zone>,
    pub notes: Vec<String>,
    pub complete: bool,
}

impl SourceSummary {
    /// The source as the report shows it.
    #[must_use]
    pub fn evidence(&self, zone: Zone) -> Evidence {
        let ignored_because: BTreeMap<String, u64> = Ignored::ALL
            .iter()
            .zip(self.ledger.ignored)
            .filter(|(_, n)| *n > 0)
            .map(|(why, n)| (why.as_str().to_owned(), n))
            .collect();
        let in_line = |told: Option<&'static str>| self.first.map(|_| told.unwrap_or("in-line").to_owned());
        Evidence {
            id: self.id.to_string(),
            path: self.path.clone(),
            size: self.size,
            sha256: self.sha256.clone(),
            format: self.format.map(|(id, _)| id.to_owned()),
            host: self.hosts.first().cloned(),
            hosts: self.hosts.clone(),
            first: self.first.map(|t| zone.stamp(t)),
            last: self.last.map(|t| zone.stamp(t)),
            lines: Lines {
                total: self.ledger.total,
                used: self.ledger.used,
                ignored: self.ledger.ignored_all(),
                malformed: self.ledger.malformed,
                ignored_because,
                malformed_samples: self.malformed_samples.clone(),
            },
            year_from: in_line(self.year_from),
            zone_from: in_line(self.zone_from),
            zone: self.zone.map(Zone::name),
            notes: self.notes.clone(),
            complete: self.complete,
        }
    }
}
