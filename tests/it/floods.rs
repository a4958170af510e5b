//! Only what came in is in evidence: the log of a mailbox server that another one submits for, whose own log is lost.

use crate::command::{Report, analyze, number};
use crate::evidence::{Exercise, files};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use tempfile::TempDir;

/// A department whose mail leaves through another server, which makes the notices and hands them back.
const TWO: &[&str] = &["--hosts", "two"];

/// The queue id a line of Postfix is about.
fn queue_id(line: &str) -> Option<&str> {
    let body = line.split_once(" postfix/")?.1.split_once("]: ")?.1;
    let id = body.split_once(": ")?.0;
    (id.len() >= 6 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(id)
}

/// The department's log without everything that was submitted there and without the logins for it.
fn what_came_in(exercise: &Exercise) -> TempDir {
    let all = files(&exercise.logs().join("dept"));
    let logs: Vec<(String, String)> = all.into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect();
    let opened = |line: &&str| line.contains("sasl_username=") || line.contains(" postfix/pickup[");
    let sent: HashSet<&str> = logs.iter().flat_map(|(_, text)| text.lines()).filter(opened).filter_map(queue_id).collect();
    let of_submission = |line: &str| line.contains("postfix/submission") || line.contains("SASL") || line.contains(" auth=");
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in &logs {
        let kept = |line: &&str| !of_submission(line) && queue_id(line).is_none_or(|id| !sent.contains(id));
        let kept: String = text.split_inclusive('\n').filter(kept).collect();
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, kept).unwrap();
    }
    folder
}

fn read(exercise: &Exercise, year: &str) -> Report {
    analyze(&[what_came_in(exercise).path()], &["--year", year, "--log-tz", "Asia/Tokyo"])
}

#[test]
fn a_flood_of_notices_is_suspected_where_nothing_tells_what_was_sent() {
    for seed in [2, 5] {
        let exercise = Exercise::new("soka", seed, TWO);
        let report = read(&exercise, "2022");
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(incident["accounts"], truth["accounts"], "seed {seed}");
        assert_eq!((&incident["verdict"], &incident["score"]), (&Value::from("suspected"), &Value::from(0.5)));
        let estimate = &incident["sent_estimate"];
        assert_eq!(estimate["messages"], truth["returned_notices"]["count"], "seed {seed}");
        assert_eq!((&estimate["from"], &estimate["confidence"]), (&Value::from("returned-notices"), &Value::from("low")));
        let second = |at: &Value| at.as_str().map(|at| at.get(..19).unwrap().to_owned());
        assert_eq!(second(&estimate["first"]), second(&truth["returned_notices"]["first"]), "seed {seed}");
        assert_eq!(incident["discovery"]["time"], estimate["first"]);
    }
}

/// Nothing says that anybody got in, so no figure about it is a number.
#[test]
fn what_a_flood_alone_cannot_tell_is_null() {
    let exercise = Exercise::new("soka", 2, TWO);
    let report = read(&exercise, "2022");
    let incident = report.only_incident();
    for figure in ["first_login", "first_send", "last_send", "last_activity", "messages", "recipients", "blocked_by", "reach"] {
        assert_eq!(incident[figure], Value::Null, "{figure}");
    }
    for count in ["account", "origin"] {
        assert_eq!(incident["prior_failed_logins"][count]["count"], Value::Null, "{count}");
    }
    assert_eq!(incident["returned_notices"]["count"], Value::Null);
    assert_eq!((&incident["mailbox_access"]["sessions"], &incident["mailbox_access"]["items"]), (&Value::Null, &Value::Null));
    for origin in incident["origins"].as_array().unwrap() {
        assert_eq!((&origin["verdict"], &origin["messages"]), (&Value::from("undetermined"), &Value::Null));
    }
    assert!(incident["alternatives"].to_string().contains("forged sender"), "{}", incident["alternatives"]);
    assert!(incident["notes"].to_string().contains("Estimate: 784 notices"), "{}", incident["notes"]);
}

#[test]
fn with_the_submissions_in_evidence_a_flood_is_no_incident_of_its_own() {
    let exercise = Exercise::new("soka", 2, TWO);
    let report = analyze(&[exercise.logs().join("dept")], &[]);
    assert_eq!(report.only_incident()["sent_estimate"], Value::Null);
    assert!(!report.only_incident()["basis"].to_string().contains("returned-flood"));
}

/// A mailing to three thousand draws notices too.
#[test]
fn what_comes_back_of_a_newsletter_is_no_flood() {
    for (story, year, seed) in [("newsletter", "2023", 1), ("newsletter", "2023", 3), ("quiet", "2022", 2)] {
        let exercise = Exercise::new(story, seed, TWO);
        assert!(number(&exercise.truth["totals"]["notices"]) > 0, "{story}, seed {seed}: nothing came back");
        let report = read(&exercise, year);
        assert!(report.incidents().is_empty(), "{story}, seed {seed}: {}", report.json["incidents"]);
    }
}

/// An address under which others send gets a flood as large, and nobody sent anything.
#[test]
fn of_a_flood_to_one_who_sent_nothing_the_submission_log_is_the_judge() {
    let exercise = Exercise::new("soka", 2, TWO);
    let folder = what_came_in(&exercise);
    let elsewhere = "\
Oct 31 15:00:01 out postfix/submission/smtpd[7]: 1A2B3C4D5E: client=pc.u.example[192.0.2.77], sasl_method=PLAIN, sasl_username=someone
Oct 31 15:00:01 out postfix/qmgr[9]: 1A2B3C4D5E: from=<someone@dept.u.example>, size=267, nrcpt=1 (queue active)
Oct 31 15:00:02 out postfix/smtp[8]: 1A2B3C4D5E: to=<a@far.test>, relay=mx.far.test[203.0.113.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
Oct 31 15:00:02 out postfix/qmgr[9]: 1A2B3C4D5E: removed
";
    fs::write(folder.path().join("out.log"), elsewhere).unwrap();
    let report = analyze(&[folder.path()], &["--year", "2022", "--log-tz", "Asia/Tokyo"]);
    assert!(report.incidents().is_empty(), "{}", report.json["incidents"]);
}
