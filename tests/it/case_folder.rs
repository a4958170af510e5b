//! The case folder: complete, checkable with plain tools, never in the way of what is there, and free of the run that made it.

use crate::command::{Run, ZONE, command, ended};
use crate::evidence::{files, fixture, project};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// Runs `analyze` on the known incident, from the project's folder as an analyst would, with relative paths.
fn analyze(options: &[&str]) -> Run {
    let mut command = command();
    command.current_dir(project()).args(["analyze", "fixtures/soka-postfix", "--tz", ZONE]).args(options);
    ended(command.output().unwrap())
}

fn names(files: &[(String, Vec<u8>)]) -> BTreeSet<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

fn bytes<'f>(files: &'f [(String, Vec<u8>)], name: &str) -> &'f [u8] {
    &files.iter().find(|(one, _)| one == name).unwrap_or_else(|| panic!("no {name} in {:?}", names(files))).1
}

#[test]
fn a_case_holds_three_faces_the_tables_the_hashes_and_the_record_of_the_run() {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("case-1");
    let run = analyze(&["--out", out.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.is_empty(), "standard output is for results that were asked for");
    let files = files(&out);
    let tables = ["logins", "messages", "recipients", "actions", "sources"].map(|table| format!("tables/{table}.parquet"));
    let expected = ["report.json", "report.md", "report.html", "evidence.sha256", "run.json"];
    for name in expected.iter().copied().chain(tables.iter().map(String::as_str)) {
        assert!(names(&files).contains(name), "{name} is not in {:?}", names(&files));
    }
    for table in &tables {
        let bytes = bytes(&files, table);
        assert!(bytes.len() > 8 && bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{table} is no Parquet file");
    }
    let beside: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["case-1"], "something was left beside the case");
}

#[test]
fn the_faces_in_the_case_are_those_that_standard_output_shows() {
    let here = tempfile::tempdir().unwrap();
    for (face, name) in [("json", "report.json"), ("markdown", "report.md"), ("html", "report.html")] {
        let out = here.path().join(face);
        let run = analyze(&["--format", face, "--out", out.to_str().unwrap()]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout == fs::read(out.join(name)).unwrap(), "{name} is not what --format {face} shows");
        assert!(run.stdout == analyze(&["--format", face]).stdout, "--format {face} depends on --out");
    }
}

/// What `sha256sum -c evidence.sha256` does, in the folder the analyst worked in.
#[test]
fn the_hashes_agree_with_the_evidence() {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("case");
    assert_eq!(analyze(&["--out", out.to_str().unwrap()]).code, 0);
    let sums = fs::read_to_string(out.join("evidence.sha256")).unwrap();
    let mut listed = BTreeSet::new();
    for line in sums.lines() {
        let (hash, path) = line.split_once("  ").expect("a hash, two spaces, a path");
        assert_eq!(hash, sha256(&project().join(path)), "{path}");
        listed.insert(path.to_owned());
    }
    let on_disk = files(&fixture("soka-postfix"));
    assert_eq!(listed, on_disk.iter().map(|(name, _)| format!("fixtures/soka-postfix/{name}")).collect());
    let report: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    let folder = crate::evidence::unpack(&fixture("soka-postfix/logs.tar.gz"));
    let member =
        report["evidence"].as_array().unwrap().iter().find(|source| source["path"].as_str().unwrap().ends_with("mail.log")).unwrap();
    assert_eq!(member["sha256"], sha256(&folder.path().join("logs/dept/mail.log")), "the hash of an archive's member");
}

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn only_the_record_of_the_run_differs_between_two_runs() {
    let here = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| here.path().join(name));
    for (out, threads) in [(&first, "1"), (&second, "3")] {
        assert_eq!(analyze(&["--threads", threads, "--out", out.to_str().unwrap()]).code, 0);
    }
    let (first, second) = (files(&first), files(&second));
    assert_eq!(names(&first), names(&second));
    let differing: Vec<&str> = first.iter().zip(&second).filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0.as_str()).collect();
    assert_eq!(differing, ["run.json"]);
    let record: Value = serde_json::from_slice(bytes(&second, "run.json")).unwrap();
    assert_eq!((record["tool"].as_str(), record["threads"].as_u64()), (Some("mailtrail"), Some(3)));
    let command: Vec<&str> = record["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(command.contains(&"analyze") && command.contains(&"fixtures/soka-postfix"), "{command:?}");
}

#[test]
fn what_is_in_the_way_is_left_alone() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("notes.txt"), "mine").unwrap();
    let run = analyze(&["--out", here.path().to_str().unwrap()]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("not empty") && run.stderr.contains("hint: "), "{}", run.stderr);
    assert_eq!(files(here.path()), [("notes.txt".to_owned(), b"mine".to_vec())]);
}

#[test]
fn evidence_is_never_written_to() {
    let folder = crate::evidence::unpack(&fixture("lab/soka-single/logs.tar.xz"));
    let before = files(folder.path());
    let out = folder.path().join("case");
    let arguments = [Path::new("analyze"), folder.path(), Path::new("--out"), &out];
    let run = crate::command::run(arguments);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("inside the evidence"), "{}", run.stderr);
    assert!(!out.exists());
    assert_eq!(crate::command::analyze(&[folder.path()], &[]).code, 0);
    assert!(files(folder.path()) == before, "the evidence changed");
}

#[test]
fn a_case_is_written_even_if_the_run_is_to_fail_on_the_incident() {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("case");
    let run = analyze(&["--fail-on", "suspected", "--out", out.to_str().unwrap()]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(names(&files(&out)).contains("report.json"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for format in ["text", "json", "html"] {
        let mut command = command();
        command.current_dir(project()).args(["analyze", "fixtures/soka-postfix", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let run = ended(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.contains("error")), (0, false), "{format}: {}", run.stderr);
    }
}

#[test]
fn results_go_to_standard_output_and_all_else_to_standard_error() {
    let run = analyze(&["--format", "json", "-v"]);
    assert!(serde_json::from_slice::<Value>(&run.stdout).is_ok(), "standard output is more than the report");
    assert!(!run.stderr.is_empty(), "-v says nothing");
    assert!(analyze(&["--quiet"]).stderr.is_empty(), "--quiet says something");
}
