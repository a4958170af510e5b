//! From tables to findings: which accounts were abused, since when, by whom, and how sure that is.

mod absent;
mod accounts;
mod addresses;
mod changes;
mod coverage;
mod deeds;
mod exports;
mod flood;
mod hints;
mod history;
mod incident;
mod judge;
mod limits;
pub mod model;
mod peers;
mod profile;
mod programs;
mod returned;
mod rhythm;
mod sent;
mod services;
mod signs;
mod sources;
mod tally;
mod techniques;
mod tries;
mod weigh;
mod witness;
mod writers;

use crate::config::Settings;
use crate::domain::place::Place;
use crate::domain::rows::Rows;
use crate::domain::time::{Stamp, Timestamp};
use crate::ingest::sources::SourceSummary;
use crate::say::{Lang, Phrase};
use addresses::Addresses;
use deeds::Deeds;
use model::{Report, SCHEMA, Tool};
use profile::Profiles;
use programs::Programs;
use tries::AllTries;
use witness::Witnesses;

/// Everything the analysis reads.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a [SourceSummary],
}

impl Facts<'_> {
    fn stamp(&self, at: Timestamp) -> Stamp {
        self.settings.report_zone.stamp(at)
    }

    fn lang(&self) -> Lang {
        self.settings.lang
    }

    /// A phrase in the language of the report.
    fn said(&self, phrase: &Phrase) -> String {
        phrase.to(self.settings.lang)
    }

    fn pointer(place: Place) -> String {
        place.to_string()
    }
}

/// What is known before anything is judged.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    facts: Facts<'a>,
    profiles: &'a Profiles,
    addresses: &'a Addresses,
    tries: &'a AllTries,
    programs: &'a Programs,
    deeds: &'a Deeds,
    witnesses: Witnesses,
    coverage: &'a [model::Coverage],
}

/// Judges the rows and writes the report.
#[must_use]
pub fn analyze(
    rows: &Rows,
    settings: &Settings,
    sources: &[SourceSummary],
    files: Vec<model::EvidenceFile>,
    problems: &[Phrase],
) -> Report {
    let facts = Facts { rows, settings, sources };
    let profiles = Profiles::new(rows);
    let coverage = coverage::coverage(facts);
    let addresses = Addresses::new(facts, &profiles);
    let tries = AllTries::new(rows, &profiles, &addresses);
    let programs = Programs::new(rows);
    let deeds = Deeds::new(rows);
    let witnesses = Witnesses::new(facts);
    let ground = Ground {
        facts,
        profiles: &profiles,
        addresses: &addresses,
        tries: &tries,
        programs: &programs,
        deeds: &deeds,
        witnesses,
        coverage: &coverage,
    };
    let judged = judge::judge(ground);
    let (incidents, accounts) = rayon::join(|| incident::incidents(ground, &judged), || accounts::accounts(facts, &profiles));
    let limitations = limits::limitations(facts, &coverage, problems).iter().map(|limit| facts.said(limit)).collect();
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        pseudonymized: None,
        timezone: settings.report_zone.name(),
        lang: settings.lang,
        tlp: settings.tlp.clone(),
        complete: problems.is_empty() && sources.iter().all(|s| s.complete),
        evidence: sources.iter().map(|s| sources::evidence(s, facts)).collect(),
        files,
        coverage,
        incidents,
        accounts,
        merges: accounts::merges(facts),
        limitations,
        hints: hints::told(facts).iter().map(|hint| facts.said(hint)).collect(),
        geoip: sources::geoip(facts),
    }
}
