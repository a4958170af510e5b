//! From sources to correlated rows: scouting, the time ledger, parallel parsing in waves, and the recognition of copies.
//!
//! This is the only place that spreads work over threads while reading. Whatever their number, sources are read in one order, chunks
//! are cut in the same places and events reach correlation in the same sequence, so the result is the same to the byte.

mod duplicates;
mod reading;
mod repeats;
mod rotation;
mod scout;
pub mod sources;
mod speakers;
mod time_ledger;

use crate::config::Settings;
use crate::correlate::Correlator;
use crate::domain::rows::Rows;
use crate::formats::host_names::HostNames;
use crate::intake::Survey;
use crate::say::Phrase;
use crate::watch::Watch;
use sources::SourceSummary;

/// What reading the evidence gave.
pub struct Ingested {
    pub rows: Rows,
    pub sources: Vec<SourceSummary>,
    /// The survey, with the hashes that are known now.
    pub survey: Survey,
    /// What could not be read, in sentences.
    pub problems: Vec<Phrase>,
}

/// Reads all sources of a survey; `None` if the run was stopped.
pub fn ingest(survey: Survey, settings: &Settings, watch: &dyn Watch) -> Option<Ingested> {
    watch.stage("looking at the sources");
    let scouts = scout::scout_all(&survey, settings);
    let plans = time_ledger::resolve(&survey, scouts, settings);
    watch.stage("reading");
    let mut correlator = Correlator::default();
    let names = HostNames::of(plans.iter().flat_map(|plan| plan.hosts()));
    let mut reader = reading::Reading::new(survey.clone(), plans, names, settings.threads);
    if !reader.run(&mut correlator, watch) {
        return None;
    }
    if let Some((plans, names)) = reader.learnt() {
        watch.stage("reading again, in a better order");
        correlator = Correlator::default();
        reader = reading::Reading::new(survey, plans, names, settings.threads);
        if !reader.run(&mut correlator, &Again(watch)) {
            return None;
        }
    }
    watch.stage("correlating");
    let mut rows = correlator.finish(settings);
    if reader.went_backwards() {
        rows.move_places(|place| reader.in_evidence(place));
    }
    let (survey, sources, problems) = reader.finish();
    Some(Ingested { rows, sources, survey, problems })
}

/// Watches what is read once more: its bytes were counted and its warnings given the first time.
struct Again<'w>(&'w dyn Watch);

impl Watch for Again<'_> {
    fn listed(&self, _: u64, _: Option<u64>) {}

    fn advanced(&self, _: u64, _: u64) {}

    fn warn(&self, _: &str) {}

    fn stage(&self, name: &str) {
        self.0.stage(name);
    }

    fn stopped(&self) -> bool {
        self.0.stopped()
    }
}
