//! The case folder: it is new or empty before, and appears complete or not at all.

use super::custody::{self, RunRecord};
use super::interrupt::Interrupt;
use super::message::Failure;
use crate::pipeline::Case;
use crate::report::{self, Style};
use crate::tables;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A place where a case folder can be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CaseFolder {
    path: PathBuf,
    parent: PathBuf,
}

impl CaseFolder {
    /// Checks, before anything is read, that the folder is new or empty, lies outside the evidence, and can be made.
    pub(super) fn check(path: &Path, evidence: &[PathBuf]) -> Result<CaseFolder, Failure> {
        let shown = path.display();
        if path.as_os_str().is_empty() {
            return Err(Failure::usage("--out needs the name of a folder"));
        }
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(false) => {}
            Ok(true) => {
                return Err(Failure::usage(format!("{shown} is not empty"))
                    .hint("give --out a folder that is new or empty; nothing is overwritten"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::usage(format!("{shown} cannot be used as a case folder: {error}"))),
        }
        let parent = match path.canonicalize().ok().as_deref().and_then(Path::parent) {
            Some(parent) => parent.to_owned(),
            None => match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        };
        let real = parent.canonicalize().map_err(|error| {
            Failure::usage(format!("{shown} cannot be made: {}: {error}", parent.display())).hint("make the folder around it first")
        })?;
        let inside = |item: &&PathBuf| item.canonicalize().is_ok_and(|item| item.is_dir() && real.starts_with(item));
        if let Some(around) = evidence.iter().find(inside) {
            return Err(Failure::usage(format!("{shown} lies inside the evidence ({})", around.display()))
                .hint("evidence is never written to; give --out a folder elsewhere"));
        }
        let folder = CaseFolder { path: path.to_owned(), parent: real };
        // A folder that cannot be written must fail now and not after an hour of reading.
        folder.temporary()?.close().map_err(|error| Failure::output(&shown.to_string(), &error))?;
        Ok(folder)
    }

    fn temporary(&self) -> Result<tempfile::TempDir, Failure> {
        tempfile::Builder::new()
            .prefix(".mailtrail-unfinished-")
            .tempdir_in(&self.parent)
            .map_err(|error| Failure::output(&self.path.display().to_string(), &error))
    }

    /// Writes the case beside its place and moves it there in one step.
    pub(super) fn write(&self, case: &Case, record: &RunRecord, interrupt: &Interrupt) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::output(&self.path.display().to_string(), &error);
        let unfinished = self.temporary()?;
        interrupt.unfinished(unfinished.path());
        write_case(case, record, unfinished.path()).map_err(failed)?;
        if let Ok(before) = fs::metadata(&self.path) {
            fs::set_permissions(unfinished.path(), before.permissions()).map_err(failed)?;
        }
        match interrupt.finish(|| move_into_place(unfinished.path(), &self.path)) {
            None => Err(Failure::interrupted()),
            Some(Err(error)) => Err(failed(error)),
            Some(Ok(())) => {
                // It has moved away; there is nothing left to remove.
                drop(unfinished.keep());
                Ok(())
            }
        }
    }
}

/// Moves a finished folder to its place, where an empty folder may stand.
fn move_into_place(from: &Path, to: &Path) -> io::Result<()> {
    // Removes only an empty folder; if something was put there meanwhile, this fails and nothing is overwritten.
    match fs::remove_dir(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(from, to)
}

/// Writes all files of a case into a folder.
fn write_case(case: &Case, record: &RunRecord, into: &Path) -> io::Result<()> {
    // No face with a place in the folder is wrapped or coloured, so that all runs write the same bytes.
    let style = Style { color: false, width: 100 };
    for face in report::ALL {
        if let Some(name) = face.file_name {
            write_file(&into.join(name), (face.render)(&case.report, &style).as_bytes())?;
        }
    }
    let tables = into.join("tables");
    fs::create_dir(&tables)?;
    tables::write(&case.rows, &case.sources, &tables).map_err(io::Error::other)?;
    // A list of hashes without the true names checks nothing; the hashes stand in the report.
    if case.report.pseudonymized.is_none() {
        write_file(&into.join("evidence.sha256"), custody::sums(&case.report.files).as_bytes())?;
    }
    write_file(&into.join("run.json"), record.json()?.as_bytes())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;
    use crate::domain::rows::Rows;
    use crate::report::samples::taken_over;
    use std::time::{Duration, SystemTime};

    fn record() -> RunRecord {
        RunRecord::new(&["mailtrail".into()], SystemTime::UNIX_EPOCH, Duration::from_millis(1500), 2)
    }

    fn sample() -> Case {
        Case { report: taken_over(), rows: Rows::default(), sources: Vec::new(), troubled: Vec::new() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_case_appears_with_all_its_files_and_nothing_beside_it() {
        let here = tempfile::tempdir().unwrap();
        let out = here.path().join("case");
        let folder = CaseFolder::check(&out, &[]).unwrap();
        assert_eq!(names(here.path()), Vec::<String>::new());
        folder.write(&sample(), &record(), &Interrupt::default()).unwrap();
        assert_eq!(names(here.path()), ["case"]);
        assert_eq!(names(&out), ["evidence.sha256", "report.html", "report.json", "report.md", "run.json", "tables"]);
        let run = fs::read_to_string(out.join("run.json")).unwrap();
        assert!(run.contains("\"started\": \"1970-01-01T00:00:00+00:00\"") && run.contains("\"elapsed_seconds\": 1.5"), "{run}");
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_full_one_is_left_alone() {
        let here = tempfile::tempdir().unwrap();
        let out = here.path().join("case");
        fs::create_dir(&out).unwrap();
        let folder = CaseFolder::check(&out, &[]).unwrap();
        folder.write(&sample(), &record(), &Interrupt::default()).unwrap();
        let refused = CaseFolder::check(&out, &[]).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert!(refused.shown().contains("is not empty"));
    }

    #[test]
    fn what_was_put_there_during_the_run_is_not_overwritten() {
        let here = tempfile::tempdir().unwrap();
        let out = here.path().join("case");
        let folder = CaseFolder::check(&out, &[]).unwrap();
        fs::create_dir(&out).unwrap();
        fs::write(out.join("note"), "mine").unwrap();
        let failure = folder.write(&sample(), &record(), &Interrupt::default()).unwrap_err();
        assert_eq!(failure.exit, Exit::Output);
        assert_eq!((names(here.path()), names(&out)), (vec!["case".to_owned()], vec!["note".to_owned()]));
    }

    #[test]
    fn evidence_is_never_written_to() {
        let evidence = tempfile::tempdir().unwrap();
        let refused = CaseFolder::check(&evidence.path().join("case"), &[evidence.path().to_owned()]).unwrap_err();
        assert!(refused.shown().contains("lies inside the evidence"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused_before_anything_is_read() {
        let here = tempfile::tempdir().unwrap();
        assert_eq!(CaseFolder::check(&here.path().join("no/case"), &[]).unwrap_err().exit, Exit::Usage);
        fs::write(here.path().join("file"), "").unwrap();
        assert_eq!(CaseFolder::check(&here.path().join("file"), &[]).unwrap_err().exit, Exit::Usage);
    }
}
