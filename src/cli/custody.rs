//! `evidence.sha256` and `run.json`: what was read, and who read it when with what.

use crate::analysis::model::EvidenceFile;
use crate::domain::time::{Timestamp, Zone};
use serde::Serialize;
use std::ffi::OsString;
use std::time::{Duration, SystemTime};

/// The hashes of the files on disk, as `sha256sum -c` reads them. Standard input and files whose hash is unknown are left out.
pub(super) fn sums(files: &[EvidenceFile]) -> String {
    files.iter().filter(|file| file.path != "-").filter_map(|file| Some(line(file.sha256.as_deref()?, &file.path))).collect()
}

/// One line. A name with a backslash or a line break is escaped, and a leading backslash says so.
fn line(hash: &str, path: &str) -> String {
    if !path.contains(['\\', '\n', '\r']) {
        return format!("{hash}  {path}\n");
    }
    format!("\\{hash}  {}\n", path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r"))
}

/// The only file of a case that may differ between two runs over the same evidence.
#[derive(Debug, Serialize)]
pub(super) struct RunRecord {
    tool: &'static str,
    version: &'static str,
    command: Vec<String>,
    user: Option<String>,
    host: Option<String>,
    /// UTC.
    started: String,
    elapsed_seconds: f64,
    threads: usize,
}

impl RunRecord {
    pub(super) fn new(arguments: &[OsString], started: SystemTime, elapsed: Duration, threads: usize) -> RunRecord {
        let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
        RunRecord {
            tool: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            command: arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            user: variable("USER").or_else(|| variable("USERNAME")),
            host: host(),
            started: Zone::UTC.stamp(at).to_string(),
            elapsed_seconds: elapsed.as_millis() as f64 / 1000.0,
            threads,
        }
    }

    /// Leaves out who ran it, and of the command line all but the names of its options: paths and accounts stand there.
    pub(super) fn without_names(mut self) -> RunRecord {
        const LEFT_OUT: &str = "*";
        let shown = |(place, word): (usize, String)| match (place, word.split_once('=')) {
            // The command and its sub-command.
            (0, _) => env!("CARGO_PKG_NAME").to_owned(),
            (1, _) => word,
            (_, Some((name, _))) if name.starts_with("--") => format!("{name}={LEFT_OUT}"),
            (_, None) if word.starts_with("--") => word,
            _ => LEFT_OUT.to_owned(),
        };
        self.command = self.command.into_iter().enumerate().map(shown).collect();
        self.user = None;
        self.host = None;
        self
    }

    /// The record as JSON with a line feed at its end.
    pub(super) fn json(&self) -> std::io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn host() -> Option<String> {
    let file = || std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname")).ok();
    variable("HOSTNAME").or_else(|| variable("COMPUTERNAME")).or_else(file).map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, sha256: Option<&str>) -> EvidenceFile {
        EvidenceFile { path: path.to_owned(), size: 1, sha256: sha256.map(str::to_owned) }
    }

    #[test]
    fn a_record_without_names_keeps_the_options_alone() {
        let typed = ["/home/tanaka/mailtrail", "analyze", "logs/tanaka", "--account", "tanaka", "--tz=UTC", "-q", "--quiet"];
        let arguments: Vec<OsString> = typed.iter().map(OsString::from).collect();
        let record = RunRecord::new(&arguments, SystemTime::UNIX_EPOCH, Duration::ZERO, 2).without_names();
        assert_eq!(record.command, ["mailtrail", "analyze", "*", "--account", "*", "--tz=*", "*", "--quiet"]);
        assert_eq!((record.user, record.host), (None, None));
    }

    #[test]
    fn sums_are_written_as_sha256sum_reads_them() {
        let files = [file("a b.log", Some("aa")), file("odd\\na\nme", Some("bb")), file("-", Some("cc")), file("unread", None)];
        assert_eq!(sums(&files), "aa  a b.log\n\\bb  odd\\\\na\\nme\n");
    }
}
