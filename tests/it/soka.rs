//! The known incident of one account in one night, from the fixture that stands in the repository.

use crate::command::{ZONE, analyze, run};
use crate::compare;
use crate::evidence::{fixture, read_json};
use serde_json::Value;

fn truth() -> Value {
    read_json(&fixture("soka-postfix/truth.json"))
}

#[test]
fn every_figure_of_the_known_incident_is_as_it_happened() {
    let (truth, report) = (truth(), analyze(&[fixture("soka-postfix")], &[]));
    assert_eq!(report.code, 0, "{}", report.stderr);
    assert_eq!(report.json["schema"], "mailtrail.report/1");
    compare::assert_incident("soka", report.only_incident(), &truth["incidents"][0]);
    compare::assert_accounts("soka", &report.json, &truth["accounts"]);
    assert_eq!(report.source("mail.log")["lines"]["total"], truth["hosts"]["dept"]["lines"]);
    assert_eq!(report.source("mail.log")["lines"]["malformed"], 0);
}

/// What the notice to the public said of it.
#[test]
fn the_first_login_was_at_16_01_and_784_of_795_messages_were_blocked() {
    let report = analyze(&[fixture("soka-postfix")], &[]);
    let incident = report.only_incident();
    let starts =
        |value: &Value, with: &str| assert!(value.as_str().is_some_and(|at| at.starts_with(with) && at.ends_with("+09:00")), "{value}");
    starts(&incident["first_login"]["time"], "2022-10-31T16:01");
    starts(&incident["last_send"], "2022-11-01T01:46");
    for unit in ["messages", "recipients"] {
        let figures = ["total", "delivered", "blocked"].map(|name| incident[unit][name].as_u64());
        assert_eq!(figures, [Some(795), Some(11), Some(784)], "{unit}");
    }
    assert_eq!(incident["verdict"], "confirmed");
}

/// The same night, as each mail system logs it.
#[test]
fn every_system_tells_the_same_incident() {
    for name in ["soka-postfix", "soka-exchange", "soka-m365"] {
        let (truth, report) = (read_json(&fixture(&format!("{name}/truth.json"))), analyze(&[fixture(name)], &[]));
        assert_eq!(report.code, 0, "{name}: {}", report.stderr);
        let incident = report.only_incident();
        compare::assert_incident(name, incident, &truth["incidents"][0]);
        compare::assert_accounts(name, &report.json, &truth["accounts"]);
        assert_eq!(incident["verdict"], "confirmed", "{name}");
        let begins = |value: &Value, with: &str| assert!(value.as_str().is_some_and(|at| at.starts_with(with)), "{name}: {value}");
        begins(&incident["first_login"]["time"], "2022-10-31T16:01:");
        begins(&incident["last_send"], "2022-11-01T01:46:");
        assert_eq!(incident["first_login"]["protocol"], "smtp-auth", "{name}");
        for unit in ["messages", "recipients"] {
            let figures = ["total", "delivered", "blocked"].map(|what| incident[unit][what].as_u64());
            assert_eq!(figures, [Some(795), Some(11), Some(784)], "{name}: {unit}");
        }
        let (own, new) = (&incident["blocked_by"]["own"], &incident["recipients"]["new"]);
        assert_eq!((own.as_u64(), new.as_u64()), (Some(784), Some(795)), "{name}");
        let prior = &incident["prior_failed_logins"];
        assert_eq!((prior["account"]["count"].as_u64(), prior["origin"]["count"].as_u64()), (Some(0), Some(0)), "{name}");
        if name == "soka-m365" {
            // Exports hold records and not lines, and rows that collectors fetched twice.
            continue;
        }
        let lines = |of: &Value| of["lines"].as_u64().unwrap();
        let logs = report.json["evidence"].as_array().unwrap().iter().filter(|source| source["path"].as_str().unwrap().contains("!logs/"));
        let read: u64 = logs.map(|source| source["lines"]["total"].as_u64().unwrap()).sum();
        assert_eq!(read, lines(&truth["totals"]), "{name}: lines read");
    }
}

#[test]
fn no_earlier_failed_login_is_a_finding_with_the_coverage_behind_it() {
    let report = analyze(&[fixture("soka-postfix")], &[]);
    let prior = &report.only_incident()["prior_failed_logins"];
    for who in ["account", "origin"] {
        assert_eq!((prior[who]["count"].as_u64(), prior[who]["determinable"].as_bool()), (Some(0), Some(true)), "{who}");
    }
    let coverage = report.json["coverage"].as_array().unwrap();
    let first_login = report.only_incident()["first_login"]["time"].as_str().unwrap();
    let behind = coverage.iter().find(|c| c["host"] == "dept").expect("the host that took the logins is covered");
    assert!(behind["from"].as_str().unwrap() < first_login && behind["to"].as_str().unwrap() > first_login, "{behind}");
    assert_eq!(behind["gaps"].as_array().map(Vec::len), Some(0), "{behind}");
}

#[test]
fn the_evidence_behind_the_first_login_names_the_account_and_the_address() {
    let report = analyze(&[fixture("soka-postfix")], &[]);
    let login = &report.only_incident()["first_login"];
    let pointer = login["evidence"][0].as_str().unwrap();
    let (source, line) = pointer.split_once(':').expect("a source and a line");
    assert_eq!(report.source("mail.log")["id"], source);
    let folder = crate::evidence::unpack(&fixture("soka-postfix/logs.tar.gz"));
    let log = std::fs::read_to_string(folder.path().join("logs/dept/mail.log")).unwrap();
    let line = log.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    // The logged time is that of the report, and the line itself is the login of that account from that address.
    assert!(line.starts_with("Oct 31 16:01:39 "), "{line}");
    for part in [login["account"].as_str().unwrap(), login["ip"].as_str().unwrap(), "sasl_username="] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn every_face_tells_the_key_figures() {
    let truth = truth();
    let incident = &truth["incidents"][0];
    let shown = |time: &Value| time.as_str().map(|at| at.replace('T', " ").replace("+09:00", " +09:00")).unwrap();
    let figure = |value: &Value| value.to_string();
    let (first, last) = (shown(&incident["first_login"]["time"]), shown(&incident["last_send"]));
    let account = incident["accounts"][0].as_str().unwrap();
    let ip = incident["first_login"]["ip"].as_str().unwrap();
    for face in ["text", "markdown", "github", "html"] {
        let run = run(["analyze", "--tz", ZONE, "--format", face, fixture("soka-postfix").to_str().unwrap()]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        // A face may fold its lines anywhere.
        let words = run.text().split_whitespace().collect::<Vec<_>>().join(" ");
        for told in [&*first, &*last, account, ip, "none found", "no gaps", ZONE, "TLP:AMBER+STRICT"] {
            assert!(words.contains(told), "{told} in the {face} face:\n{}", run.text());
        }
        for outcome in ["delivered", "blocked", "total"] {
            let (messages, recipients) = (figure(&incident["messages"][outcome]), figure(&incident["recipients"][outcome]));
            let row =
                run.text().lines().find(|line| numbers(line).ends_with(&[messages.clone(), recipients.clone()]) && line.contains(outcome));
            assert!(row.is_some(), "{outcome} {messages} {recipients} in the {face} face:\n{}", run.text());
        }
    }
}

/// The numbers a reader sees in a line of any face.
fn numbers(line: &str) -> Vec<String> {
    let mut seen = String::new();
    let mut in_tag = 0;
    for c in line.split("<svg").next().unwrap_or(line).chars() {
        match c {
            '<' => in_tag += 1,
            '>' if in_tag > 0 => {
                in_tag -= 1;
                seen.push(' ');
            }
            c if in_tag == 0 => seen.push(if c.is_ascii_digit() { c } else { ' ' }),
            _ => {}
        }
    }
    seen.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_step_that_must_not_pass_an_incident_fails_and_a_quiet_one_passes() {
    let fails = |on: &str| analyze(&[fixture("soka-postfix")], &["--fail-on", on]).code;
    assert_eq!([fails("none"), fails("suspected"), fails("confirmed")], [0, 1, 1]);
    let quiet = crate::evidence::Exercise::new("quiet", 5, &[]);
    assert_eq!(analyze(&[quiet.logs()], &["--fail-on", "suspected"]).code, 0);
}

#[test]
fn the_same_is_told_when_the_analyst_names_the_account_and_the_addresses() {
    let truth = truth();
    let incident = &truth["incidents"][0];
    let account = incident["accounts"][0].as_str().unwrap();
    let mut hints = vec!["--account", account];
    for origin in incident["origins"].as_array().unwrap() {
        hints.extend(["--attacker-ip", origin["ip"].as_str().unwrap()]);
    }
    let report = analyze(&[fixture("soka-postfix")], &hints);
    compare::assert_incident("soka with hints", report.only_incident(), incident);
}
