//! Evidence taken away, kind by kind: what it fed becomes unknown, and no verdict turns into another one that is sure of itself.

use crate::command::{Report, analyze, number};
use crate::compare;
use crate::evidence::{Exercise, files};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

/// The logs of an exercise without the lines that hold any of some words.
fn without(exercise: &Exercise, words: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files(&exercise.logs()) {
        let text = String::from_utf8(bytes).unwrap();
        let kept: Vec<&str> = text.split_inclusive('\n').filter(|line| !words.iter().any(|word| line.contains(word))).collect();
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, kept.concat()).unwrap();
    }
    folder
}

const MAILBOX_SERVER: &[&str] = &[" dovecot: "];
const MAIL_SERVER: &[&str] = &[" postfix/"];
const DELIVERIES: &[&str] = &[" postfix/smtp[", " postfix/lmtp["];

fn notes(incident: &Value) -> String {
    incident["notes"].to_string()
}

/// No account and no attacker that is not one in truth.
fn assert_nobody_wronged(of: &str, report: &Report, truth: &Value) {
    let in_truth: BTreeSet<&str> = truth["incidents"].as_array().unwrap().iter().flat_map(|i| compare::set(&i["accounts"])).collect();
    let attackers = |incidents: &Value| -> BTreeSet<String> {
        let origins = incidents.as_array().unwrap().iter().flat_map(|i| i["origins"].as_array().unwrap().clone());
        origins.filter(|o| o["verdict"] == "attacker").map(|o| o["ip"].to_string()).collect()
    };
    for incident in report.incidents() {
        assert!(compare::set(&incident["accounts"]).is_subset(&in_truth), "{of}: {}", incident["accounts"]);
    }
    let (found, told) = (attackers(&report.json["incidents"]), attackers(&truth["incidents"]));
    assert!(found.is_subset(&told), "{of}: {found:?} are not all among {told:?}");
}

#[test]
fn without_the_mailbox_servers_log_nobody_knows_what_was_read_or_guessed_there() {
    for seed in [2, 9] {
        let exercise = Exercise::new("lateral", seed, &[]);
        let logs = without(&exercise, MAILBOX_SERVER);
        let report = analyze(&[logs.path()], &[]);
        assert_nobody_wronged("lateral", &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(incident["sending_accounts"], truth["sending_accounts"]);
        assert_eq!(incident["messages"]["total"], truth["messages"]["total"]);
        assert_eq!(incident["mailbox_access"]["sessions"], Value::Null);
        assert_eq!(incident["mailbox_access"]["determinable"], false);
        for who in ["account", "origin"] {
            let count = &incident["prior_failed_logins"][who];
            assert_eq!((&count["count"], &count["determinable"]), (&Value::Null, &Value::Bool(false)), "seed {seed}, {who}");
            assert!(count["note"].as_str().is_some_and(|note| note.contains("no log of logins to mailboxes")), "{count}");
        }
    }
}

#[test]
fn without_the_mail_servers_log_nobody_knows_what_was_sent() {
    for seed in [2, 9] {
        let exercise = Exercise::new("lateral", seed, &[]);
        let logs = without(&exercise, MAIL_SERVER);
        let report = analyze(&[logs.path()], &["--year", "2023", "--log-tz", "Asia/Tokyo"]);
        assert_nobody_wronged("lateral", &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(compare::set(&incident["accounts"]), compare::set(&truth["accounts"]));
        assert_eq!(compare::to_the_second(incident["first_login"].clone())["time"], truth["first_login"]["time"]);
        for figure in ["messages", "recipients", "blocked_by", "first_send", "last_send"] {
            assert_eq!(incident[figure], Value::Null, "{figure}");
        }
        assert_eq!(incident["returned_notices"]["count"], Value::Null);
        for account in incident["per_account"].as_object().unwrap().values() {
            assert_eq!((&account["messages"], &account["recipients"]), (&Value::Null, &Value::Null));
        }
        assert!(notes(incident).contains("whether and what the attackers sent is unknown"), "{}", notes(incident));
        assert_eq!(incident["mailbox_access"]["sessions"], truth["mailbox_access"]["sessions"], "seed {seed}");
    }
}

#[test]
fn without_deliveries_nothing_is_called_delivered_and_the_totals_stand() {
    for (story, seed) in [("soka", 2), ("lateral", 3)] {
        let exercise = Exercise::new(story, seed, &[]);
        let logs = without(&exercise, DELIVERIES);
        let report = analyze(&[logs.path()], &[]);
        assert_nobody_wronged(story, &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        for unit in ["messages", "recipients"] {
            assert_eq!(incident[unit]["delivered"], 0, "{story}: {unit}");
            assert!(number(&incident[unit]["unknown"]) >= number(&truth[unit]["delivered"]), "{story}: {unit}: {}", incident[unit]);
        }
        assert_eq!(incident["messages"]["total"], truth["messages"]["total"], "{story}");
        assert_eq!(compare::to_the_second(incident["first_login"].clone())["time"], truth["first_login"]["time"], "{story}");
    }
}

/// The logs of an exercise without one of its folders.
fn without_folder(exercise: &Exercise, folder: &str) -> TempDir {
    let kept = tempfile::tempdir().unwrap();
    let mut removed = 0;
    for (path, bytes) in files(&exercise.logs()) {
        if path.split('/').any(|part| part == folder) {
            removed += 1;
            continue;
        }
        let path = kept.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    assert!(removed > 0, "the exercise has no {folder}");
    kept
}

const TENANT: &[&str] = &["--system", "m365"];

/// The audit log of a tenant knows what mailbox programs send, so it does not make the mail sent by SMTP none.
#[test]
fn without_the_message_trace_nobody_knows_what_was_sent() {
    for seed in [2, 3] {
        let exercise = Exercise::new("lateral", seed, TENANT);
        let logs = without_folder(&exercise, "message-trace");
        let report = analyze(&[logs.path()], &[]);
        assert_nobody_wronged("lateral", &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(compare::set(&incident["accounts"]), compare::set(&truth["accounts"]));
        assert_eq!(compare::to_the_second(incident["first_login"].clone())["time"], truth["first_login"]["time"]);
        for figure in ["messages", "recipients", "blocked_by", "first_send", "last_send"] {
            assert_eq!(incident[figure], Value::Null, "{figure}");
        }
        assert_eq!(incident["returned_notices"]["count"], Value::Null);
        assert_eq!(incident["mailbox_access"]["sessions"], truth["mailbox_access"]["sessions"], "seed {seed}");
        assert!(notes(incident).contains("whether and what the attackers sent is unknown"), "{}", notes(incident));
        assert!(report.json["limitations"].to_string().contains("No message trace"), "{}", report.json["limitations"]);
    }
}

/// The audit log tells that an account was logged in to, and not by which protocol: logins for sending are no mailbox sessions.
#[test]
fn without_the_sign_in_log_mailbox_sessions_are_not_counted() {
    for (story, seed) in [("lateral", 2), ("soka", 3)] {
        let exercise = Exercise::new(story, seed, TENANT);
        let logs = without_folder(&exercise, "sign-ins");
        let report = analyze(&[logs.path()], &[]);
        assert_nobody_wronged(story, &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(incident["messages"]["total"], truth["messages"]["total"], "{story}");
        assert_eq!(incident["account_changes"].as_array().unwrap().len(), truth["account_changes"].as_array().unwrap().len(), "{story}");
        let access = &incident["mailbox_access"];
        assert_eq!((&access["sessions"], &access["determinable"]), (&Value::Null, &Value::Bool(false)), "{story}");
        assert!(access["note"].as_str().is_some_and(|note| note.contains("does not say what each was for")), "{story}: {access}");
        assert!(report.json["limitations"].to_string().contains("No sign-in log"), "{}", report.json["limitations"]);
    }
}

#[test]
fn without_the_audit_log_nobody_knows_what_was_read_or_changed() {
    for (story, seed, options) in [("lateral", 2, TENANT), ("soka", 3, TENANT), ("lateral", 3, &["--system", "hybrid"])] {
        let exercise = Exercise::new(story, seed, options);
        let logs = without_folder(&exercise, "audit-log");
        let report = analyze(&[logs.path()], &[]);
        assert_nobody_wronged(story, &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(incident["messages"]["total"], truth["messages"]["total"], "{story}");
        let access = &incident["mailbox_access"];
        assert_eq!(access["items"], Value::Null, "{story}");
        assert!(access["note"].as_str().is_some_and(|note| note.contains("no audit log of mailboxes")), "{story}: {access}");
        assert!(notes(incident).contains("No log of changes to accounts"), "{story}: {}", notes(incident));
        assert!(report.json["limitations"].to_string().contains("No audit log"), "{}", report.json["limitations"]);
    }
}

/// What a tenant handed to the organisation's own relay is in that server's log, and in no trace: not delivered, and no notices known.
#[test]
fn without_the_relays_log_nothing_a_tenant_handed_to_it_is_called_delivered() {
    for form in ["trace-csv", "extended-csv"] {
        let exercise = Exercise::new("lateral", 2, &["--system", "m365-relay", "--message-trace", form]);
        let report = analyze(&[without_folder(&exercise, "dept").path()], &[]);
        assert_nobody_wronged("lateral", &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert!(number(&truth["messages"]["delivered"]) > 0 && number(&truth["returned_notices"]["count"]) > 0);
        for unit in ["messages", "recipients"] {
            assert_eq!(
                (&incident[unit]["total"], &incident[unit]["delivered"]),
                (&truth[unit]["total"], &Value::from(0)),
                "{form}: {unit}"
            );
            assert_eq!(incident[unit]["relayed"], truth[unit]["total"], "{form}: {unit}");
        }
        let notices = &incident["returned_notices"];
        assert_eq!(notices["count"], Value::Null, "{form}");
        assert!(notices["note"].as_str().is_some_and(|note| note.contains("not in evidence")), "{form}: {notices}");
        let limits = report.json["limitations"].to_string();
        assert!(limits.contains("to one next hop") && limits.contains("192.0.2.25"), "{form}: {limits}");
    }
}

/// The summary does not say to whom mail was handed; so it is said that it may have been a relay.
#[test]
fn a_summary_that_names_no_next_hop_leaves_open_what_arrived() {
    let exercise = Exercise::new("lateral", 2, &["--system", "m365-relay", "--message-trace", "summary-csv"]);
    let report = analyze(&[without_folder(&exercise, "dept").path()], &[]);
    let notices = &report.only_incident()["returned_notices"];
    assert_eq!(notices["count"], Value::Null, "{notices}");
    let limits = report.json["limitations"].to_string();
    assert!(limits.contains("does not say to which server mail was handed"), "{limits}");
    let with_the_log = analyze(&[exercise.logs()], &[]);
    assert_eq!(with_the_log.only_incident()["messages"]["delivered"], exercise.truth["incidents"][0]["messages"]["delivered"]);
    assert!(!with_the_log.json["limitations"].to_string().contains("does not say to which server"));
}

/// The summary shows the tenant's own notices as messages from the service, and those count.
#[test]
fn notices_that_only_a_summary_shows_are_counted_once() {
    let exercise = Exercise::new("soka", 1, &["--system", "m365", "--message-trace", "summary-csv"]);
    let report = analyze(&[exercise.logs()], &[]);
    let (found, truth) = (&report.only_incident()["returned_notices"], &exercise.truth["incidents"][0]["returned_notices"]);
    assert!(number(&truth["count"]) > 0);
    assert_eq!(found["count"], truth["count"]);
}

const EXCHANGE: &[&str] = &["--system", "exchange", "--scale", "0.3"];

/// The web server's log is there, and says nothing of what came by IMAP.
#[test]
fn without_the_imap_log_of_exchange_failures_and_sessions_there_are_unknown() {
    let exercise = Exercise::new("lateral", 2, EXCHANGE);
    let report = analyze(&[without_folder(&exercise, "Imap4").path()], &[]);
    assert_nobody_wronged("lateral", &report, &exercise.truth);
    let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
    for unit in ["messages", "recipients"] {
        assert_eq!(incident[unit]["total"], truth[unit]["total"], "{unit}");
    }
    for who in ["account", "origin"] {
        let count = &incident["prior_failed_logins"][who];
        assert_eq!((&count["count"], &count["determinable"]), (&Value::Null, &Value::Bool(false)), "{who}");
        assert!(count["note"].as_str().is_some_and(|note| note.contains("IMAP4 logins to Exchange")), "{count}");
    }
    let access = &incident["mailbox_access"];
    assert_eq!(access["determinable"], false);
    assert!(access["note"].as_str().is_some_and(|note| note.contains("more sessions")), "{access}");
}

#[test]
fn without_message_tracking_nobody_knows_what_became_of_mail_nor_of_its_notices() {
    let exercise = Exercise::new("soka", 2, EXCHANGE);
    let report = analyze(&[without_folder(&exercise, "MessageTracking").path()], &[]);
    assert_nobody_wronged("soka", &report, &exercise.truth);
    let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
    assert_eq!(incident["verdict"], "suspected");
    assert_eq!(incident["messages"]["total"], truth["messages"]["total"]);
    assert_eq!((&incident["messages"]["delivered"], &incident["messages"]["bounced"]), (&Value::from(0), &Value::from(0)));
    assert!(number(&incident["messages"]["unknown"]) > 0, "{}", incident["messages"]);
    assert_eq!(incident["returned_notices"]["count"], Value::Null);
    assert!(incident["returned_notices"]["note"].is_string());
}

#[test]
fn without_its_other_logs_exchange_tells_the_same_of_sent_mail() {
    let exercise = Exercise::new("lateral", 3, EXCHANGE);
    for folder in ["FrontEnd", "W3SVC1", "HttpProxy", "Pop3", "Cmdlet"] {
        let report = analyze(&[without_folder(&exercise, folder).path()], &[]);
        assert_nobody_wronged(folder, &report, &exercise.truth);
        let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
        assert_eq!(compare::to_the_second(incident["first_login"].clone())["time"], truth["first_login"]["time"], "without {folder}");
        for unit in ["messages", "recipients"] {
            assert_eq!(incident[unit]["total"], truth[unit]["total"], "without {folder}: {unit}");
            assert_eq!(incident[unit]["delivered"], truth[unit]["delivered"], "without {folder}: {unit}");
        }
    }
}

#[test]
fn a_quiet_tenant_stays_quiet_whatever_is_missing() {
    for story in ["quiet", "newsletter"] {
        for folder in ["message-trace", "sign-ins", "audit-log"] {
            let exercise = Exercise::new(story, 2, TENANT);
            let report = analyze(&[without_folder(&exercise, folder).path()], &[]);
            assert!(report.incidents().is_empty(), "{story} without {folder}: {}", report.json["incidents"]);
        }
    }
}

#[test]
fn quiet_weeks_stay_quiet_whatever_is_missing() {
    for story in ["quiet", "newsletter"] {
        for words in [MAILBOX_SERVER, MAIL_SERVER, DELIVERIES] {
            for seed in [2, 3, 4] {
                let exercise = Exercise::new(story, seed, &[]);
                let logs = without(&exercise, words);
                let report = analyze(&[logs.path()], &[]);
                assert!(report.incidents().is_empty(), "{story}, seed {seed}, without {words:?}: {}", report.json["incidents"]);
            }
        }
    }
}

#[test]
fn an_incident_at_the_very_beginning_of_the_logs_says_so() {
    let exercise = Exercise::new("soka", 2, &[]);
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files(&exercise.logs()) {
        let text = String::from_utf8(bytes).unwrap();
        let kept: String = text.split_inclusive('\n').filter(|line| line.starts_with("Oct 31") || line.starts_with("Nov")).collect();
        fs::write(folder.path().join(path.replace('/', "-")), kept).unwrap();
    }
    let report = analyze(&[folder.path()], &["--year", "2022", "--log-tz", "Asia/Tokyo"]);
    assert_nobody_wronged("soka", &report, &exercise.truth);
    let incident = report.only_incident();
    assert!(notes(incident).contains("The evidence begins only"), "{}", notes(incident));
    assert_eq!(incident["messages"]["total"], exercise.truth["incidents"][0]["messages"]["total"]);
}
