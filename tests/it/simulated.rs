//! Simulated incidents and non-incidents, in every form the logs can have: each figure is that of the exercise's truth.

use crate::command::{Report, analyze, number};
use crate::compare;
use crate::evidence::Exercise;
use serde_json::Value;

/// Forms of line and of queue id, whole and rotated files, and an archive; each form stands in one of them at least.
const LAYOUTS: [&[&str]; 8] = [
    &[],
    &["--queue-ids", "long"],
    &["--envelope", "iso", "--archive"],
    &["--envelope", "iso", "--queue-ids", "long", "--rotate", "daily", "--compress", "gz"],
    &["--envelope", "rfc5424", "--rotate", "daily"],
    &["--envelope", "rfc5424", "--queue-ids", "long"],
    &["--envelope", "journal-json", "--compress", "gz"],
    &["--rotate", "daily", "--compress", "gz", "--archive"],
];

/// The incidents of an exercise come out as it tells them, with the figures of every account, and every line was read.
fn assert_told(exercise: &Exercise, report: &Report, of: &str) {
    assert_eq!(report.code, 0, "{of}: {}", report.stderr);
    let differences = compare::report(&report.json, &exercise.truth);
    assert!(differences.is_empty(), "{of}:\n  {}", differences.join("\n  "));
    assert_eq!(report.lines(), number(&exercise.truth["totals"]["lines"]), "{of}: lines read");
    let malformed: u64 = report.json["evidence"].as_array().unwrap().iter().map(|s| number(&s["lines"]["malformed"])).sum();
    assert_eq!(malformed, 0, "{of}: malformed lines");
}

fn check(story: &str, seed: u64, layout: &[&str]) {
    let exercise = Exercise::new(story, seed, layout);
    let report = analyze(&[exercise.logs()], &[]);
    assert_told(&exercise, &report, &format!("{story}, seed {seed}, {layout:?}"));
}

#[test]
fn a_night_of_soka_is_told_alike_in_every_form_of_log() {
    for layout in LAYOUTS {
        check("soka", 2, layout);
        check("soka", 3, layout);
    }
}

#[test]
fn two_hosts_of_soka_count_each_message_once() {
    for (seed, layout) in [(4, LAYOUTS[0]), (5, LAYOUTS[3])] {
        check("soka", seed, &[layout, &["--hosts", "two"]].concat());
    }
}

#[test]
fn a_spray_that_opened_three_accounts_is_one_incident_of_three_with_one_sender() {
    for (seed, layouts) in [(2, [LAYOUTS[0], LAYOUTS[3], LAYOUTS[5]]), (3, [LAYOUTS[1], LAYOUTS[2], LAYOUTS[7]])] {
        for layout in layouts {
            let exercise = Exercise::new("lateral", seed, layout);
            let report = analyze(&[exercise.logs()], &[]);
            assert_told(&exercise, &report, &format!("lateral, seed {seed}, {layout:?}"));
            let incident = report.only_incident();
            let count = |list: &Value| list.as_array().map(Vec::len);
            assert_eq!((count(&incident["accounts"]), count(&incident["sending_accounts"])), (Some(3), Some(1)));
        }
    }
}

#[test]
fn thirty_a_day_beside_the_owner_are_found_and_told_apart_from_his_own() {
    for (seed, layouts) in [(2, [LAYOUTS[0], LAYOUTS[4], LAYOUTS[6]]), (3, [LAYOUTS[1], LAYOUTS[2], LAYOUTS[7]])] {
        for layout in layouts {
            check("slowburn", seed, layout);
        }
    }
}

#[test]
fn a_large_newsletter_from_its_usual_place_is_no_incident() {
    for (seed, layout) in [(2, LAYOUTS[0]), (3, LAYOUTS[3]), (4, LAYOUTS[6])] {
        let exercise = Exercise::new("newsletter", seed, layout);
        let report = analyze(&[exercise.logs()], &["--fail-on", "suspected"]);
        assert!(report.incidents().is_empty(), "seed {seed}");
        assert_told(&exercise, &report, &format!("newsletter, seed {seed}, {layout:?}"));
    }
}

#[test]
fn internet_noise_alone_is_no_incident() {
    for (seed, layout) in [(2, LAYOUTS[0]), (3, LAYOUTS[5]), (4, LAYOUTS[7])] {
        let exercise = Exercise::new("quiet", seed, layout);
        let report = analyze(&[exercise.logs()], &["--fail-on", "suspected"]);
        assert!(report.incidents().is_empty(), "seed {seed}");
        assert_told(&exercise, &report, &format!("quiet, seed {seed}, {layout:?}"));
    }
}

/// A five-hundredth of Niigata, through two servers.
fn niigata(seed: u64, layout: &[&str]) -> Exercise {
    Exercise::new("niigata", seed, &[&["--scale", "0.002"], layout].concat())
}

#[test]
fn a_message_through_two_servers_counts_once() {
    for (seed, layouts) in [(2, [LAYOUTS[0], LAYOUTS[3]]), (3, [LAYOUTS[1], LAYOUTS[6]])] {
        for layout in layouts {
            let exercise = niigata(seed, layout);
            let report = analyze(&[exercise.logs()], &[]);
            assert_told(&exercise, &report, &format!("niigata, seed {seed}, {layout:?}"));
            assert_eq!(report.only_incident()["accounts"].as_array().map(Vec::len), Some(2));
        }
    }
}

/// What the department's server alone can tell. Which notices came back only the core's log tells.
fn view_of_the_department(exercise: &Exercise) -> Value {
    let mut view = exercise.truth["views"]["dept"]["incidents"][0].clone();
    let incident = view.as_object_mut().expect("an incident");
    incident.remove("returned_notices");
    for account in incident.get_mut("per_account").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut()) {
        account.as_object_mut().expect("figures of an account").remove("returned_notices");
    }
    view
}

#[test]
fn the_departments_log_alone_knows_the_logins_and_calls_relayed_what_the_core_took() {
    for (seed, layout) in [(2, LAYOUTS[0]), (4, LAYOUTS[3])] {
        let exercise = niigata(seed, layout);
        let report = analyze(&[exercise.logs().join("dept")], &[]);
        let incident = report.only_incident();
        compare::assert_incident(&format!("dept alone, seed {seed}"), incident, &view_of_the_department(&exercise));
        assert!(number(&incident["messages"]["relayed"]) > 0, "the core took nothing");
        let limits = report.json["limitations"].as_array().unwrap();
        assert!(limits.iter().any(|said| said.as_str().unwrap().contains("not in evidence")), "{limits:?}");
        assert_eq!(report.lines(), number(&exercise.truth["hosts"]["dept"]["lines"]));
    }
}

/// The server that makes the notices is not in evidence, so that none was seen is no finding.
#[test]
fn notices_that_another_server_made_are_unknown_and_not_none() {
    let exercise = niigata(2, LAYOUTS[0]);
    assert!(number(&exercise.truth["views"]["dept"]["incidents"][0]["returned_notices"]["count"]) > 0);
    let report = analyze(&[exercise.logs().join("dept")], &[]);
    let notices = &report.only_incident()["returned_notices"];
    assert_eq!(notices["count"], Value::Null);
    assert!(notices["note"].as_str().is_some_and(|note| note.contains("not in evidence")), "{notices}");
}

/// An address that sent three messages at the very end, none of them refused, cannot be told from the owner's by itself.
#[test]
fn what_is_not_surely_the_attackers_is_shown_as_undetermined_until_the_analyst_names_it() {
    let exercise = niigata(3, LAYOUTS[0]);
    let logs = exercise.logs().join("dept");
    let truth = view_of_the_department(&exercise);
    let report = analyze(&[&logs], &[]);
    let origins = report.only_incident()["origins"].as_array().unwrap();
    let sent = |verdict: &str| origins.iter().filter(|o| o["verdict"] == verdict).map(|o| number(&o["messages"])).sum::<u64>();
    assert_eq!(sent("attacker") + sent("undetermined"), number(&truth["messages"]["total"]));
    let mut hints = Vec::new();
    for origin in truth["origins"].as_array().unwrap() {
        hints.extend(["--attacker-ip", origin["ip"].as_str().unwrap()]);
    }
    compare::assert_incident("dept alone with hints", analyze(&[&logs], &hints).only_incident(), &truth);
}

#[test]
fn the_cores_log_alone_claims_no_login_and_counts_by_sender() {
    for (seed, layout) in [(2, LAYOUTS[0]), (3, LAYOUTS[3])] {
        let exercise = niigata(seed, layout);
        let report = analyze(&[exercise.logs().join("core")], &[]);
        compare::assert_accounts(&format!("core alone, seed {seed}"), &report.json, &exercise.truth["views"]["core"]["messages_by_sender"]);
        for incident in report.incidents() {
            assert_eq!(incident["first_login"], Value::Null);
            for who in ["account", "origin"] {
                assert_eq!(incident["prior_failed_logins"][who]["count"], Value::Null, "{who}");
                assert_eq!(incident["prior_failed_logins"][who]["determinable"], false, "{who}");
            }
            assert_eq!(incident["mailbox_access"]["determinable"], false);
            assert_eq!(incident["mailbox_access"]["sessions"], Value::Null);
        }
        let limits = report.json["limitations"].as_array().unwrap();
        assert!(limits.iter().any(|said| said.as_str().unwrap().contains("logins are not in evidence")), "{limits:?}");
        assert_eq!(report.lines(), number(&exercise.truth["hosts"]["core"]["lines"]));
    }
}

/// How servers of Exchange log: either version of columns, one server or two, files as they lie or packed.
const EXCHANGE: [&[&str]; 4] = [
    &["--system", "exchange"],
    &["--system", "exchange", "--columns", "2013", "--hosts", "two"],
    &["--system", "exchange", "--hosts", "two", "--archive"],
    &["--system", "exchange", "--columns", "2013", "--compress", "gz"],
];

#[test]
fn servers_of_exchange_tell_a_night_of_soka() {
    for (seed, layout) in [(2, EXCHANGE[1]), (3, EXCHANGE[3])] {
        check("soka", seed, &[layout, &["--scale", "0.2"]].concat());
    }
}

#[test]
fn servers_of_exchange_tell_of_mailboxes_read_and_of_rules_and_forwarding() {
    for (seed, layout) in [(2, EXCHANGE[0]), (3, EXCHANGE[1])] {
        let exercise = Exercise::new("lateral", seed, &[layout, &["--scale", "0.1"]].concat());
        let report = analyze(&[exercise.logs()], &[]);
        assert_told(&exercise, &report, &format!("lateral, seed {seed}, {layout:?}"));
        let changes = report.only_incident()["account_changes"].as_array().unwrap();
        assert_eq!(changes.iter().map(|change| &change["action"]).collect::<Vec<_>>(), ["forwarding-set", "inbox-rule-created"]);
    }
}

#[test]
fn servers_of_exchange_tell_thirty_a_day_from_the_owners_own() {
    check("slowburn", 2, EXCHANGE[2]);
}

#[test]
fn servers_of_exchange_count_a_message_through_both_once() {
    for (seed, layout) in [(2, EXCHANGE[1]), (3, EXCHANGE[2])] {
        let exercise = Exercise::new("niigata", seed, &[layout, &["--scale", "0.002"]].concat());
        let report = analyze(&[exercise.logs()], &[]);
        assert_told(&exercise, &report, &format!("niigata, seed {seed}, {layout:?}"));
    }
}

#[test]
fn servers_of_exchange_raise_no_false_alarm() {
    for (story, seed, layout) in [("newsletter", 3, EXCHANGE[1]), ("quiet", 2, EXCHANGE[2]), ("quiet", 3, EXCHANGE[3])] {
        check(story, seed, layout);
    }
}

/// How a tenant of Microsoft 365 is exported: what collectors save by default, and pages of Graph beside the extended report.
const TENANT: [&[&str]; 2] =
    [&["--system", "m365"], &["--system", "m365", "--sign-ins", "graph", "--message-trace", "extended-csv", "--audit-log", "json-lines"]];

#[test]
fn exports_of_a_tenant_tell_a_night_of_soka() {
    for (seed, layout) in [(2, TENANT[0]), (3, TENANT[1])] {
        check("soka", seed, &[layout, &["--scale", "0.2"]].concat());
    }
}

#[test]
fn exports_of_a_tenant_tell_thirty_a_day_from_the_owners_own() {
    check("slowburn", 2, TENANT[0]);
}

#[test]
fn exports_of_a_tenant_raise_no_false_alarm() {
    for (story, seed, layout) in [("newsletter", 3, TENANT[0]), ("quiet", 2, TENANT[1])] {
        check(story, seed, layout);
    }
}

/// The message trace calls delivered what it handed to the organisation's own Postfix, whose log has the last word.
#[test]
fn a_tenant_that_sends_through_our_postfix_is_one_incident_with_the_ends_that_postfix_found() {
    let exercise = Exercise::new("niigata", 2, &["--system", "m365-relay", "--scale", "0.002"]);
    let report = analyze(&[exercise.logs()], &[]);
    let (incident, truth) = (report.only_incident(), &exercise.truth["incidents"][0]);
    for unit in ["messages", "recipients", "blocked_by"] {
        for (name, count) in truth[unit].as_object().unwrap() {
            assert_eq!(&incident[unit][name], count, "{unit}: {name}");
        }
    }
}

/// The account has no history before the attack, so neither the attackers' network nor the refusals alone are enough for the addresses
/// that sent least.
#[test]
fn sixty_addresses_in_turn_are_all_the_attackers_even_where_the_account_has_no_history() {
    check("soka", 8, &["--system", "exchange", "--guise", "rotating"]);
}
