//! The main job from end to end: evidence in, case out. The only place that knows all stages.

use crate::analysis;
use crate::analysis::model::{EvidenceFile, Report};
use crate::config::Settings;
use crate::domain::rows::Rows;
use crate::ingest::sources::SourceSummary;
use crate::ingest::{self, Ingested};
use crate::intake;
use crate::pseudonym::{self, Key};
use crate::say::say;
pub use crate::watch::Watch;
use std::path::PathBuf;

/// The result of a run.
pub struct Case {
    pub report: Report,
    pub rows: Rows,
    pub sources: Vec<SourceSummary>,
    /// Files and members that something was wrong with; sentences of the report speak of them.
    pub troubled: Vec<String>,
}

impl Case {
    /// Replaces personal data in the whole case with pseudonyms of this key. Nothing can be analysed any more after that.
    pub fn pseudonymize(&mut self, key: &Key, settings: &Settings) {
        pseudonym::pseudonymize(key, settings, &self.troubled, &mut self.report, &mut self.rows, &mut self.sources);
        self.troubled.clear();
    }
}

/// A run that could not give a report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("interrupted")]
    Interrupted,
    #[error("no evidence found in the paths given")]
    NoEvidence,
    #[error("{threads} worker threads cannot be started")]
    Threads {
        threads: usize,
        #[source]
        cause: rayon::ThreadPoolBuildError,
    },
}

/// Reads the evidence and analyses it.
///
/// # Errors
/// Fails only if there is nothing to report on; damage in the evidence is part of the report.
pub fn analyze(evidence: &[PathBuf], settings: &Settings, watch: &dyn Watch) -> Result<Case, RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .build()
        .map_err(|cause| RunError::Threads { threads: settings.threads, cause })?;
    pool.install(|| run(evidence, settings, watch))
}

fn run(evidence: &[PathBuf], settings: &Settings, watch: &dyn Watch) -> Result<Case, RunError> {
    watch.stage("listing the evidence");
    let survey = intake::survey(evidence, &settings.limits);
    for problem in &survey.problems {
        watch.warn(&format!("{}: {}", problem.path, problem.what));
    }
    if survey.sources.is_empty() && survey.problems.is_empty() && survey.files.is_empty() {
        return Err(RunError::NoEvidence);
    }
    watch.listed(survey.sources.len() as u64, Some(survey.sources.iter().map(|s| s.size).sum()));
    let Ingested { rows, sources, mut survey, mut problems } = ingest::ingest(survey, settings, watch).ok_or(RunError::Interrupted)?;
    for file in &mut survey.files {
        if let Err(cause) = file.hash() {
            problems.push(say!("{path}: cannot be hashed: {cause}", path = &file.path, cause = cause.to_string()));
        }
    }
    watch.stage("analysing");
    if sources.iter().map(|s| s.ledger.used).sum::<u64>() == 0 && sources.iter().any(|s| s.size > 0) {
        let nothing = say!("no usable record in the evidence");
        watch.warn(&nothing.to_string());
        problems.push(nothing);
    }
    let files = survey
        .files
        .iter()
        .map(|f| EvidenceFile {
            path: f.path.clone(),
            size: f.size,
            sha256: f.sha256.map(|hash| hash.iter().map(|b| format!("{b:02x}")).collect()),
        })
        .collect();
    let report = analysis::analyze(&rows, settings, &sources, files, &problems);
    let troubled = survey.problems.into_iter().map(|problem| problem.path).collect();
    Ok(Case { report, rows, sources, troubled })
}
