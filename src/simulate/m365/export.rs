//! The files of an export, on their way to the folder.

use crate::domain::time::SECOND;
use crate::simulate::SimulateError;
use std::fs::{self, File as Handle};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// A file, by its path within its folder.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    /// Records in it; heads do not count.
    pub(super) rows: u64,
}

/// All files.
#[derive(Clone, Debug, Default)]
pub(super) struct Export {
    pub(super) sign_ins: Vec<File>,
    pub(super) audit: Vec<File>,
    pub(super) trace: Vec<File>,
}

impl Export {
    /// Writes the files into folders of `logs`, dated by the time of the export. Returns the name of each folder, with the records and
    /// bytes in it.
    pub(super) fn write(&self, logs: &Path, exported: i64) -> Result<Vec<(&'static str, u64, u64)>, SimulateError> {
        let mut totals = Vec::new();
        let folders = [("sign-ins", &self.sign_ins), ("audit-log", &self.audit), ("message-trace", &self.trace)];
        for (folder, files) in folders.into_iter().filter(|(_, files)| !files.is_empty()) {
            for file in files {
                let path = logs.join(folder).join(&file.path);
                put(&path, &file.bytes, exported).map_err(|cause| SimulateError::write(&path, cause))?;
            }
            let sum = |of: fn(&File) -> u64| files.iter().map(of).sum();
            totals.push((folder, sum(|file| file.rows), sum(|file| file.bytes.len() as u64)));
        }
        Ok(totals)
    }
}

fn put(path: &Path, bytes: &[u8], exported: i64) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = Handle::create_new(path)?;
    file.write_all(bytes)?;
    file.set_modified(UNIX_EPOCH + Duration::from_secs(u64::try_from(exported / SECOND).unwrap_or(0)))
}
