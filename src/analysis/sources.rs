//! The evidence list of the report.

use super::Facts;
use super::model::{Evidence, GeoSource, Lines};
use crate::domain::time::Zone;
use crate::formats::batch::Ignored;
use crate::ingest::sources::SourceSummary;
use std::collections::BTreeMap;

/// A source as the report shows it.
pub(super) fn evidence(source: &SourceSummary, facts: Facts<'_>) -> Evidence {
    let ignored_because: BTreeMap<String, u64> =
        Ignored::ALL.iter().zip(source.ledger.ignored).filter(|(_, n)| *n > 0).map(|(why, n)| (why.as_str().to_owned(), n)).collect();
    let in_line = |told: Option<&'static str>| source.first.map(|_| told.unwrap_or("in-line").to_owned());
    Evidence {
        id: source.id.to_string(),
        path: source.path.clone(),
        size: source.size,
        sha256: source.sha256.clone(),
        format: source.format.map(|(id, _)| id.to_owned()),
        host: source.hosts.first().cloned(),
        hosts: source.hosts.clone(),
        first: source.first.map(|t| facts.stamp(t)),
        last: source.last.map(|t| facts.stamp(t)),
        lines: Lines {
            total: source.ledger.total,
            used: source.ledger.used,
            ignored: source.ledger.ignored_all(),
            malformed: source.ledger.malformed,
            ignored_because,
            malformed_samples: source.malformed_samples.iter().map(|sample| facts.said(sample)).collect(),
        },
        year_from: in_line(source.year_from),
        zone_from: in_line(source.zone_from),
        zone: source.zone.map(Zone::name),
        notes: source.notes.iter().map(|note| facts.said(note)).collect(),
        complete: source.complete,
    }
}

/// The databases that told countries and networks.
pub(super) fn geoip(facts: Facts<'_>) -> Vec<GeoSource> {
    let told = facts.settings.geo.databases().iter().map(|database| GeoSource {
        path: database.path.clone(),
        kind: database.kind.clone(),
        built: facts.stamp(database.built),
        sha256: database.sha256.clone(),
    });
    told.collect()
}
