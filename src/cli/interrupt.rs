//! Ctrl-C: the first asks the run to stop, the second stops it at once. Either way no half-written case folder stays behind.

use super::exit::Exit;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whether the user asked to stop, and what must be removed if the process ends at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    stopped: Arc<AtomicBool>,
    unfinished: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Starts to listen for Ctrl-C. Where that is not possible, Ctrl-C ends the process as it always does.
    pub(super) fn listen() -> Interrupt {
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        ctrlc::set_handler(move || heard.press()).ok();
        interrupt
    }

    fn press(&self) {
        if !self.stopped.swap(true, Ordering::SeqCst) {
            writeln!(std::io::stderr(), "\nstopping; press Ctrl-C again to stop at once").ok();
            return;
        }
        // The lock is kept to the end of the process, so that the folder cannot be renamed into place meanwhile.
        let unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = unfinished.as_deref() {
            std::fs::remove_dir_all(folder).ok();
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Names a folder that must not stay behind.
    pub(super) fn unfinished(&self, folder: &Path) {
        *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
    }

    /// Runs the step that finishes the folder, unless the user asked to stop before it. From then on nothing must be removed.
    pub(super) fn finish<T>(&self, step: impl FnOnce() -> T) -> Option<T> {
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped() {
            return None;
        }
        let done = step();
        *unfinished = None;
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::super::case_folder::CaseFolder;
    use super::super::custody::RunRecord;
    use super::*;
    use crate::domain::rows::Rows;
    use crate::pipeline::Case;
    use crate::report::samples::quiet;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_run_stopped_while_it_writes_leaves_nothing_behind() {
        let here = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let folder = CaseFolder::check(&here.path().join("case"), &[]).unwrap();
        interrupt.press();
        let record = RunRecord::new(&[], SystemTime::UNIX_EPOCH, Duration::ZERO, 1);
        let failure = folder
            .write(&Case { report: quiet(), rows: Rows::default(), sources: Vec::new(), troubled: Vec::new() }, &record, &interrupt)
            .unwrap_err();
        assert_eq!(failure.exit, Exit::Interrupted);
        assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
