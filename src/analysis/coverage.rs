//! From when to when the evidence speaks, per host, and where it has holes.

use super::Facts;
use super::model::{Coverage, Gap};
use super::rhythm::Rhythm;
use crate::domain::rows::{HostFact, HostHour};
use crate::domain::text::Text;
use crate::domain::time::{HOUR, Timestamp};
use crate::formats::batch::Ignored;
use crate::ingest::sources::SourceSummary;
use crate::say::say;
use std::collections::BTreeMap;

/// One row per system and host, in the order of their names.
pub(super) fn coverage(facts: Facts<'_>) -> Vec<Coverage> {
    let mut spans: BTreeMap<(String, String), (Timestamp, Timestamp)> = BTreeMap::new();
    for source in facts.sources {
        let (Some((_, system)), Some(first), Some(last)) = (source.format, source.first, source.last) else { continue };
        // A log without a single line that is used (a kernel's, say) shows nothing about mail; a copy of another one does.
        let copies = source.ledger.ignored[Ignored::Duplicate as usize];
        if source.ledger.used + copies == 0 {
            continue;
        }
        for host in hosts_of(source) {
            let span = spans.entry((system.to_owned(), host.clone())).or_insert((first, last));
            *span = (span.0.min(first), span.1.max(last));
        }
    }
    // A source that several hosts wrote to does not say when each of them began and ended; their own lines do.
    let shared: Vec<&String> = facts.sources.iter().filter(|s| s.hosts.len() > 1).flat_map(|s| &s.hosts).collect();
    spans
        .into_iter()
        .map(|((system, host), (first, last))| {
            let hours = hours_of(facts, &host);
            let (first, last) = match (hours.first(), hours.last()) {
                (Some(a), Some(b)) if shared.contains(&&host) => (a.first, hours.iter().map(|h| h.last).max().unwrap_or(b.last)),
                _ => (first, last),
            };
            Coverage { gaps: gaps(facts, &host, hours), system, host, from: facts.stamp(first), to: facts.stamp(last) }
        })
        .collect()
}

fn hosts_of(source: &SourceSummary) -> Vec<String> {
    if source.hosts.is_empty() { vec![String::new()] } else { source.hosts.clone() }
}

fn text_of(facts: Facts<'_>, host: &str) -> Option<Text> {
    facts.rows.texts.find(host.as_bytes())
}

fn hours_of<'a>(facts: Facts<'a>, host: &str) -> &'a [HostHour] {
    let hours = &facts.rows.activity;
    let Some(host) = text_of(facts, host) else { return &[] };
    let from = hours.partition_point(|h| h.host < host);
    let to = hours.partition_point(|h| h.host <= host);
    &hours[from..to]
}

/// Quiet stretches that are longer than the configured limit or than the host's own rhythm explains, and lines the logger says it lost.
fn gaps(facts: Facts<'_>, host: &str, hours: &[HostHour]) -> Vec<Gap> {
    let limit = (facts.settings.thresholds.gap_hours * HOUR as f64) as i64;
    let rhythm = Rhythm::learn(&hours.iter().map(|hour| (hour.first, hour.last)).collect::<Vec<_>>());
    let quiet = hours.iter().zip(hours.iter().skip(1)).filter_map(|(before, after)| {
        let (from, to) = (before.last, after.first);
        let length = to.since(from);
        let unusual = rhythm.as_ref().is_some_and(|rhythm| rhythm.is_broken_by(from, to));
        let why = match (length > limit, unusual) {
            (true, _) => say!("no line for {n} hours", n = length / HOUR),
            (false, true) => say!("no line for {n} hours in which this host usually writes", n = length / HOUR),
            (false, false) => return None,
        };
        Some(Gap { from: facts.stamp(from), to: facts.stamp(to), why: facts.said(&why) })
    });
    let mut gaps: Vec<Gap> = quiet.collect();
    let host = text_of(facts, host);
    for note in facts.rows.host_notes.iter().filter(|n| Some(n.host) == host) {
        if let HostFact::LinesLost { count } = note.what {
            let place = note.place.to_string();
            let why = match count {
                None => say!("the logger dropped lines ({place})", place),
                Some(n) => say!("the logger dropped {n} lines ({place})", n, place),
            };
            gaps.push(Gap { from: facts.stamp(note.at), to: facts.stamp(note.at), why: facts.said(&why) });
        }
    }
    gaps.sort_by_key(|g| (g.from, g.to));
    gaps
}
