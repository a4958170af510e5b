//! What became of each source: the ledger of its lines, its span, and what decided its year and zone.

use crate::domain::place::SourceId;
use crate::domain::time::{Timestamp, Zone};
use crate::formats::batch::{Ignored, Ledger};
use crate::formats::record_kind::RecordKinds;
use crate::formats::remark::Remarks;
use crate::formats::service::Services;
use crate::say::Phrase;

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
    pub malformed_samples: Vec<Phrase>,
    /// `None` where the lines carry a year themselves.
    pub year_from: Option<&'static str>,
    /// `None` where the lines carry an offset themselves.
    pub zone_from: Option<&'static str>,
    pub zone: Option<Zone>,
    /// Lines whose own witness of absolute time contradicts the zone or year in use.
    pub zone_conflicts: u64,
    /// Its last line has no line end, as where a copy was cut short.
    pub open_line: bool,
    pub remarks: Remarks,
    pub kinds: RecordKinds,
    pub services: Services,
    pub notes: Vec<Phrase>,
    pub complete: bool,
}

impl SourceSummary {
    /// Whether it holds records of use, be it only copies of what another source tells.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.ledger.used > 0 || self.ledger.ignored[Ignored::Duplicate as usize] > 0
    }
}
