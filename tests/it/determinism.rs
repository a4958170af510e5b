//! The same evidence gives the same bytes, whatever the number of threads and the order of the arguments.

use crate::command::{ZONE, command, ended};
use crate::evidence::{Exercise, files, fixture, unpack};
use std::path::{Path, PathBuf};

/// Every log file below a folder.
fn logs(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().map(|(name, _)| folder.join(name)).collect()
}

/// The files of a case but the record of the run.
fn case(evidence: &[PathBuf], threads: &str) -> Vec<(String, Vec<u8>)> {
    let here = tempfile::tempdir().unwrap();
    let out = here.path().join("case");
    let mut command = command();
    command.args(["analyze", "--quiet", "--tz", ZONE, "--threads", threads, "--out"]).arg(&out).args(evidence);
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, 0, "{}", run.stderr);
    files(&out).into_iter().filter(|(name, _)| name != "run.json").collect()
}

fn assert_same(evidence: &[PathBuf]) {
    assert!(evidence.len() > 2, "an order needs more than {} arguments", evidence.len());
    let expected = case(evidence, "1");
    let reversed: Vec<PathBuf> = evidence.iter().rev().cloned().collect();
    let mut turned = evidence.to_vec();
    turned.rotate_left(evidence.len() / 2);
    for (order, threads) in [(evidence, "2"), (evidence, "8"), (&reversed, "1"), (&reversed, "8"), (&turned, "2")] {
        let found = case(order, threads);
        let names = |case: &[(String, Vec<u8>)]| case.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&expected), names(&found));
        for ((name, expected), (_, found)) in expected.iter().zip(&found) {
            assert!(expected == found, "{name} differs with {threads} threads and {order:?}");
        }
    }
}

#[test]
fn two_rotated_hosts_give_the_same_case_in_any_order_and_on_any_number_of_cores() {
    let exercise = Exercise::new("niigata", 8, &["--scale", "0.0005", "--rotate", "daily", "--compress", "gz"]);
    assert_same(&logs(&exercise.logs()));
}

#[test]
fn a_spray_gives_the_same_case_in_any_order_and_on_any_number_of_cores() {
    let exercise = Exercise::new("lateral", 8, &["--rotate", "daily", "--envelope", "journal-json"]);
    assert_same(&logs(&exercise.logs()));
}

#[test]
fn copies_of_a_log_give_the_same_case_in_any_order_and_on_any_number_of_cores() {
    let folder = unpack(&fixture("lab/soka-relay/logs.tar.xz"));
    assert_same(&logs(folder.path()));
}
