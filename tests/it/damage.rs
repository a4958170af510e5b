//! Damaged and foreign input: it is named, the rest is analysed, and the exit code says whether evidence is missing.

use crate::command::{Report, ZONE, analyze, number, run};
use crate::compare;
use crate::evidence::{Exercise, fixture, read_json, unpack};
use flate2::{Compression, write::GzEncoder};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with the known incident's log, and what else a test puts there.
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn with_the_incident() -> Folder {
        Folder { folder: unpack(&fixture("soka-postfix/logs.tar.gz")) }
    }

    fn empty() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> PathBuf {
        self.path().join("logs/dept/mail.log")
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Changes the incident's log and gives it back its time, which tells the year.
    fn change(&self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let written = fs::metadata(self.log()).unwrap().modified().unwrap();
        let bytes = change(fs::read(self.log()).unwrap());
        fs::write(self.log(), bytes).unwrap();
        File::options().append(true).open(self.log()).unwrap().set_modified(written).unwrap();
    }

    fn analyze(&self) -> Report {
        analyze(&[self.path()], &[])
    }
}

/// The known incident is told in full in spite of what lies beside it.
fn assert_incident(report: &Report, of: &str) {
    compare::assert_incident(of, report.only_incident(), &read_json(&fixture("soka-postfix/truth.json"))["incidents"][0]);
}

fn assert_damaged(report: &Report, name: &str, said: &str) {
    assert_eq!(report.code, 3, "{name}: {}", report.stderr);
    assert_eq!(report.json["complete"], false, "{name}");
    let warned = report.stderr.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name} is not in {:?}", report.stderr));
    assert!(warned.contains(said), "{said:?} is not in {warned:?}");
    let limits = report.json["limitations"].to_string();
    assert!(limits.contains(name), "{name} is not in the limitations: {limits}");
}

/// Logs of a month without an incident, later than the known one, with the year in every line.
fn quiet_log() -> Vec<u8> {
    let exercise = Exercise::new("quiet", 9, &["--envelope", "iso"]);
    fs::read(exercise.logs().join("dept/mail.log")).unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Bytes without any sense, always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    })
    .take(length)
    .collect()
}

#[test]
fn a_compressed_log_that_breaks_off_is_read_as_far_as_it_goes() {
    let folder = Folder::with_the_incident();
    let log = quiet_log();
    let whole = gz(&log);
    folder.put("old.log.gz", &whole[..whole.len() / 2]);
    let report = folder.analyze();
    assert_damaged(&report, "old.log.gz", "");
    assert_incident(&report, "beside a truncated log");
    let source = report.source("old.log.gz");
    assert_eq!(source["complete"], false);
    let read = number(&source["lines"]["total"]);
    assert!(read > lines(&log) / 4 && read < lines(&log), "{read} lines of {}", lines(&log));
}

#[test]
fn an_archive_that_breaks_off_gives_the_members_before_the_break() {
    let folder = Folder::empty();
    let whole = fs::read(fixture("lab/soka-relay/logs.tar.xz")).unwrap();
    folder.put("logs.tar.xz", &whole[..whole.len() * 9 / 10]);
    let report = folder.analyze();
    assert_damaged(&report, "logs.tar.xz", "");
    assert!(report.lines() > 0, "nothing was read");
}

#[test]
fn a_block_of_zeros_in_a_log_is_counted_and_the_lines_around_it_are_read() {
    let folder = Folder::with_the_incident();
    let before = lines(&fs::read(folder.log()).unwrap());
    // Where the machine lost power, days before the incident, between two lines.
    folder.change(|mut log| {
        let at = log.len() / 4;
        let cut = at + log[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        log.splice(cut..cut, std::iter::repeat_n(0, 64 << 10).chain([b'\n']));
        log
    });
    let report = folder.analyze();
    assert_damaged(&report, "mail.log", "not text");
    assert_incident(&report, "with a block of zeros");
    let source = report.source("mail.log");
    assert_eq!(number(&source["lines"]["total"]), before + 1);
    assert_eq!(number(&source["lines"]["malformed"]), 1);
    assert_eq!(source["lines"]["malformed_samples"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_line_that_breaks_off_is_told_as_left_out() {
    let folder = Folder::with_the_incident();
    folder.change(|mut log| {
        let at = log.len() / 4;
        let cut = at + log[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        log.splice(cut..cut, b"Oct 24 03:1\n".iter().copied());
        log
    });
    let report = folder.analyze();
    assert_incident(&report, "with half a line");
    assert_eq!(number(&report.source("mail.log")["lines"]["malformed"]), 1);
    let limits = report.json["limitations"].to_string();
    assert!(limits.contains("1 of ") && limits.contains("cannot be read") && limits.contains("mail.log"), "{limits}");
}

#[test]
fn a_log_whose_last_line_has_no_end_may_have_been_cut_there() {
    let folder = Folder::with_the_incident();
    let said = "The last line of 1 source(s) has no line end";
    assert!(!folder.analyze().json["limitations"].to_string().contains(said));
    folder.change(|mut log| {
        log.pop();
        log
    });
    let report = folder.analyze();
    assert_incident(&report, "without the last line feed");
    assert_eq!(report.code, 0, "text that was pasted lacks it too, and is whole");
    assert!(report.json["limitations"].to_string().contains(said));
}

#[test]
fn a_line_without_an_end_neither_fills_the_memory_nor_stops_the_work() {
    let folder = Folder::with_the_incident();
    let mut log = quiet_log();
    let lines_before = lines(&log);
    log.resize(log.len() + (50 << 20), b'A');
    folder.put("endless.log", &log);
    let report = folder.analyze();
    assert_damaged(&report, "endless.log", "longer than");
    assert_incident(&report, "beside a line without an end");
    assert_eq!(number(&report.source("endless.log")["lines"]["total"]), lines_before + 1);
}

#[test]
fn bytes_that_are_no_text_in_the_name_of_a_client_change_no_figure() {
    let folder = Folder::with_the_incident();
    // The same number of bytes in every place, so that nothing else moves.
    folder.change(|log| replace(&log, b"helo=<", b"helo=<\xff\xfe\xc3"));
    let report = folder.analyze();
    assert_eq!(report.code, 0, "{}", report.stderr);
    assert_incident(&report, "with invalid text");
}

/// Every occurrence of `from` becomes `to`.
pub(crate) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named_and_the_rest_is_analysed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_the_incident();
    let secret = folder.put("secret.log", &quiet_log());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&secret).is_ok() {
        // Who may read everything cannot be refused.
        return;
    }
    let report = folder.analyze();
    assert_damaged(&report, "secret.log", "ermission denied");
    assert_incident(&report, "beside an unreadable file");
}

#[test]
fn an_empty_log_is_no_damage() {
    let folder = Folder::with_the_incident();
    folder.put("mail.err", b"");
    folder.put("mail.warn.1.gz", &gz(b""));
    let report = folder.analyze();
    assert_eq!((report.code, report.json["complete"].as_bool()), (0, Some(true)), "{}", report.stderr);
    assert_incident(&report, "beside empty files");
    assert_eq!(number(&report.source("mail.err")["lines"]["total"]), 0);
}

#[test]
fn a_compressed_file_that_is_no_log_is_named_and_is_no_damage() {
    let folder = Folder::with_the_incident();
    folder.put("notes.gz", &gz(b"Call the owner back on Monday.\nThe password was changed at noon.\n"));
    let report = folder.analyze();
    assert_eq!(report.code, 0, "{}", report.stderr);
    assert_incident(&report, "beside notes");
    let source = report.source("notes.gz");
    assert_eq!((number(&source["lines"]["total"]), number(&source["lines"]["used"])), (2, 0));
    let limits = report.json["limitations"].to_string();
    assert!(limits.contains("notes.gz"), "{limits}");
}

#[test]
fn garbage_alone_is_evidence_that_cannot_be_read() {
    for (name, bytes) in
        [("disk.bin", noise(200_000)), ("page.html", b"<p>no log</p>\n".to_vec()), ("broken.gz", gz(&noise(50_000))[..20_000].to_vec())]
    {
        let folder = Folder::empty();
        folder.put(name, &bytes);
        let report = folder.analyze();
        assert_eq!(report.code, 3, "{name}: {}", report.stderr);
        assert!(report.incidents().is_empty());
        assert!(report.json["limitations"].to_string().contains("no usable record"), "{name}: {}", report.json["limitations"]);
    }
}

#[test]
fn no_evidence_at_all_is_wrong_use() {
    let folder = Folder::empty();
    for (path, said) in [(folder.path().to_owned(), "no evidence found"), (folder.path().join("lost.log"), "lost.log")] {
        let run = run(["analyze", "--tz", ZONE, path.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.len()), (2, 0), "{}", run.stderr);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_log_whose_lines_end_in_carriage_returns_alone_is_read_like_any_other() {
    let folder = Folder::with_the_incident();
    let lines = fs::read(folder.log()).unwrap().iter().filter(|b| **b == b'\n').count() as u64;
    folder.change(|log| log.into_iter().map(|b| if b == b'\n' { b'\r' } else { b }).collect());
    let report = folder.analyze();
    assert_incident(&report, "carriage returns");
    let source = report.source("mail.log");
    assert_eq!(number(&source["lines"]["total"]), lines, "{source}");
}

#[test]
fn a_part_of_a_log_without_line_feeds_is_named() {
    let folder = Folder::with_the_incident();
    folder.change(|log| {
        let tail = log.iter().take(2000).map(|b| if *b == b'\n' { b'\r' } else { *b }).collect();
        [log, tail].concat()
    });
    assert_damaged(&folder.analyze(), "mail.log", "several records in one line");
}

/// Whole records and a stream without its end: more records stood there.
#[test]
fn a_download_of_json_that_was_cut_between_two_records_is_damaged() {
    let record = |id: u32| {
        format!(
            r#"{{"id":"{id}","createdDateTime":"2025-12-04T08:1{id}:00Z","userPrincipalName":"jane@u.example","ipAddress":"192.0.2.5","isInteractive":true,"status":{{"errorCode":0}}}}"#
        )
    };
    let [a, b] = [record(1), record(2)];
    let given = |text: String| {
        let folder = Folder::empty();
        folder.put("sign-ins.json", text.as_bytes());
        folder.analyze()
    };
    for whole in
        [format!("[{a},{b}]"), format!(r#"{{"value":[{a},{b}]}}"#), format!("{a}\n{b}\n"), format!("{a}{b}"), format!("[{a}]\n[{b}]")]
    {
        let report = given(whole.clone());
        assert_eq!((report.code, &report.json["complete"]), (0, &serde_json::Value::Bool(true)), "{whole}");
    }
    for cut in [format!("[{a},{b}"), format!("[{a},{b},"), format!(r#"{{"value":[{a},{b},"#), format!(r#"{{"value":[{a},{b}]"#)] {
        assert_damaged(&given(cut), "sign-ins.json", "1 of 3 lines cannot be read");
    }
}
