//! The main job from end to end: evidence in, case out. The only place that knows all stages.

use crate::analysis::model::Report;
use crate::config::Settings;
use std::path::PathBuf;

/// Hears how far a run has come. All methods may be called from any thread.
pub trait Watch: Sync {
    /// The evidence was listed: bytes that will be read, or `None` where that cannot be known.
    fn listed(&self, sources: u64, bytes: Option<u64>);
    /// This many more bytes (as they lie in the evidence) and lines were done.
    fn advanced(&self, bytes: u64, lines: u64);
    /// Something the analyst should see at once, though the report says it too.
    fn warn(&self, message: &str);
    /// A stage begins, in a word or two.
    fn stage(&self, name: &str);
    /// Whether the run should stop (the user interrupted it).
    fn stopped(&self) -> bool;
}

/// The result of a run.
pub struct Case {
    pub report: Report,
}

/// A run that could not give a report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("interrupted")]
    Interrupted,
    #[error("no evidence found in the paths given")]
    NoEvidence,
}

/// Reads the evidence and analyses it.
///
/// # Errors
/// Fails only if there is nothing to report on; damage in the evidence is part of the report.
pub fn analyze(_evidence: &[PathBuf], _settings: &Settings, _watch: &dyn Watch) -> Result<Case, RunError> {
    Err(RunError::NoEvidence)
}
