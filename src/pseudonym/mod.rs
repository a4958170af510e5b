//! Pseudonyms in place of personal data, for a case that is handed on: the last step before anything is shown or written.
//!
//! Everything is analysed on the true values; then the report, the rows and the sources are rewritten, so that no face and no table
//! has to know of it. Fields are replaced by what they are (an account, an address, a host, a path), sentences and replies word by word.
//! Structures are taken apart without `..`, so a field that is added to one does not compile until it is decided what becomes of it
//! here. What leaks all the same is in `docs/PSEUDONYMS.md`.

mod change;
mod key;
mod known;
mod names;
mod report;
mod rows;
mod sentence;

pub use key::{Key, KeyError};

use crate::analysis::model::{Pseudonymized, Report};
use crate::config::Settings;
use crate::domain::rows::Rows;
use crate::ingest::sources::SourceSummary;
use known::Known;
use names::Names;

/// What rewrites a case.
struct Pseudonyms<'k> {
    names: Names<'k>,
    known: Known,
}

/// Replaces personal data in a whole case. `paths` are names of files that sentences may speak of and no source bears.
pub fn pseudonymize(key: &Key, settings: &Settings, paths: &[String], report: &mut Report, rows: &mut Rows, sources: &mut [SourceSummary]) {
    let mut known = Known::default();
    known.add_settings(settings);
    known.add_rows(rows, settings);
    known.add_report(report);
    paths.iter().for_each(|path| known.path(path));
    let pseudonyms = Pseudonyms { names: Names::new(key), known: known.finish() };
    pseudonyms.report(report);
    pseudonyms.rows(rows);
    sources.iter_mut().for_each(|source| pseudonyms.source(source));
    report.pseudonymized = Some(Pseudonymized { key: key.fingerprint() });
}
