//! Each log of Exchange taken away in turn: the report says what can then not be known, and no figure is wrong. A figure is right if
//! it is the truth's, if it is null, or if the report calls it a lower bound and it is one.

use crate::command::{Report, analyze};
use crate::compare::to_the_second;
use crate::evidence::{Exercise, files};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A log that is not there, and what the report must say of it.
struct Missing {
    log: &'static str,
    is: fn(&str) -> bool,
    says: &'static [&'static str],
    /// Without it the incident may not show at all.
    hides: bool,
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `MSGTRK2022…`, and not `MSGTRKMD2022…`.
fn is_tracking(path: &str, service: &str) -> bool {
    name(path).strip_prefix("MSGTRK").and_then(|rest| rest.strip_prefix(service)).is_some_and(|rest| rest.starts_with('2'))
}

fn in_folder(path: &str, folder: &str) -> bool {
    path.contains(&format!("/{folder}/"))
}

/// Exchange writes one file an hour and log.
fn is_of_odd_hour(path: &str) -> bool {
    // `RECV2022103116-1.LOG`: the tenth figure is the last of the hour.
    name(path).bytes().filter(u8::is_ascii_digit).nth(9).is_some_and(|figure| figure % 2 == 1)
}

const TABLE: &[Missing] = &[
    Missing { log: "nothing", is: |_| false, says: &[], hides: false },
    Missing {
        log: "receive log of the front end",
        is: |path| in_folder(path, "FrontEnd/ProtocolLog"),
        says: &["receive protocol log of Exchange's front end"],
        hides: false,
    },
    Missing {
        log: "receive log of the hub",
        is: |path| in_folder(path, "Hub/ProtocolLog"),
        says: &["receive protocol log of Exchange's hub transport", "attempts that were refused in them are in no log"],
        hides: false,
    },
    Missing {
        log: "receive log of the hub in every second hour",
        is: |path| in_folder(path, "Hub/ProtocolLog") && is_of_odd_hour(path),
        says: &[],
        hides: false,
    },
    Missing {
        log: "receive log of the front end in every second hour",
        is: |path| in_folder(path, "FrontEnd/ProtocolLog") && is_of_odd_hour(path),
        says: &[],
        hides: false,
    },
    Missing {
        log: "both receive logs",
        is: |path| in_folder(path, "ProtocolLog/SmtpReceive"),
        says: &["No SMTP receive protocol log of Exchange is in evidence"],
        hides: false,
    },
    Missing {
        log: "tracking of the transport service",
        is: |path| is_tracking(path, ""),
        says: &["transport service (MSGTRK) is in evidence", "they count as unknown"],
        hides: false,
    },
    Missing {
        log: "tracking of the transport service in every second hour",
        is: |path| is_tracking(path, "") && is_of_odd_hour(path),
        says: &[],
        hides: false,
    },
    Missing {
        log: "tracking of mailbox delivery",
        is: |path| is_tracking(path, "MD"),
        says: &["mailbox delivery (MSGTRKMD)"],
        hides: false,
    },
    Missing { log: "tracking of mailbox submission", is: |path| is_tracking(path, "MS"), says: &[], hides: false },
    Missing {
        log: "all tracking",
        is: |path| in_folder(path, "MessageTracking"),
        says: &["No message tracking log of Exchange is in evidence", "they count as unknown"],
        hides: false,
    },
    Missing {
        log: "tracking of the transport service and receive log of the hub",
        is: |path| is_tracking(path, "") || in_folder(path, "Hub/ProtocolLog"),
        says: &["transport service (MSGTRK) is in evidence", "receive protocol log of Exchange's hub transport"],
        hides: true,
    },
    Missing { log: "IMAP4", is: |path| in_folder(path, "Imap4"), says: &["IMAP4 logins to Exchange"], hides: false },
    Missing { log: "POP3", is: |path| in_folder(path, "Pop3"), says: &["POP3 logins to Exchange"], hides: false },
    Missing {
        log: "web",
        is: |path| in_folder(path, "HttpProxy") || in_folder(path, "LogFiles"),
        says: &["Neither an HttpProxy log of Exchange", "web logins to Exchange"],
        hides: false,
    },
    Missing { log: "cmdlets", is: |path| in_folder(path, "CmdletInfra"), says: &[], hides: false },
];

fn without(exercise: &Exercise, missing: &Missing) -> TempDir {
    let kept = tempfile::tempdir().unwrap();
    for (path, bytes) in files(&exercise.logs()).into_iter().filter(|(path, _)| !(missing.is)(path)) {
        let path = kept.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    kept
}

/// Compares the figures of an incident with the truth, as far as they claim to be whole.
struct Check<'a> {
    found: &'a Value,
    truth: &'a Value,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn is_bounded(&self, figure: &str) -> bool {
        let bounds = self.found["lower_bounds"].as_array().into_iter().flatten();
        let named = bounds.flat_map(|bound| bound["figures"].as_array().into_iter().flatten()).filter_map(Value::as_str);
        named.into_iter().any(|name| figure == name || figure.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }

    fn number(&mut self, figure: &str, found: &Value, truth: &Value) {
        let bounded = self.is_bounded(figure) && found.as_u64() <= truth.as_u64();
        if found != truth && !found.is_null() && !bounded {
            self.wrong.push(format!("{figure}: the report says {found}, in truth {truth}"));
        }
    }

    fn count(&mut self, figure: &str, found: &Value, truth: &Value) {
        let whole = found["determinable"] == true && found["count"] == truth["count"];
        let part = found["determinable"] == false && (found["count"].is_null() || found["count"].as_u64() <= truth["count"].as_u64());
        if !whole && !part {
            self.wrong.push(format!("{figure}: the report says {found}, in truth {truth}"));
        }
    }

    fn time(&mut self, figure: &str, found: &Value, truth: &Value) {
        let bounded = self.is_bounded(figure.split('.').next().unwrap_or(figure));
        if to_the_second(found.clone()) != *truth && !found.is_null() && !bounded {
            self.wrong.push(format!("{figure}: the report says {found}, in truth {truth}"));
        }
    }

    fn all(mut self) -> Vec<String> {
        let (found, truth) = (self.found, self.truth);
        // New is who was not written to before as far as is known.
        // What is unknown, or was handed on or put off and not heard of again, may be more than in truth.
        let open = ["unknown", "new", "relayed", "deferred", "partly_delivered"];
        for unit in ["messages", "recipients", "blocked_by"] {
            for (key, value) in truth[unit].as_object().unwrap().iter().filter(|(key, _)| !open.contains(&key.as_str())) {
                let told = if found[unit].is_null() { &Value::Null } else { &found[unit][key.as_str()] };
                self.number(&format!("{unit}.{key}"), told, value);
            }
        }
        self.number("returned_notices.count", &found["returned_notices"]["count"], &truth["returned_notices"]["count"]);
        for who in ["account", "origin"] {
            let figure = format!("prior_failed_logins.{who}");
            self.count(&figure, &found["prior_failed_logins"][who], &truth["prior_failed_logins"][who]);
        }
        let (access, in_truth) = (&found["mailbox_access"], &truth["mailbox_access"]);
        if access["determinable"] == true || access["sessions"].as_u64() > in_truth["sessions"].as_u64() {
            self.number("mailbox_access.sessions", &access["sessions"], &in_truth["sessions"]);
        }
        self.time("first_login.time", &found["first_login"]["time"], &truth["first_login"]["time"]);
        for time in ["first_send", "last_send"] {
            let bounded = self.is_bounded("messages");
            if !bounded {
                self.time(time, &found[time], &truth[time]);
            }
        }
        let protocol = |of: &Value, name: &Value, key: &str| {
            of["protocols"].as_array().into_iter().flatten().find(|p| p["protocol"] == *name).map_or(Value::from(0), |p| p[key].clone())
        };
        for known in truth["protocols"].as_array().into_iter().flatten() {
            for key in ["logins", "failures", "messages"] {
                self.number(&format!("protocols.{key}"), &protocol(found, &known["protocol"], key), &known[key]);
            }
        }
        let changes = |of: &Value| of["account_changes"].as_array().map_or(0, Vec::len);
        if changes(found) != changes(truth) && !found["notes"].to_string().contains("No log of changes") {
            self.wrong.push(format!("account_changes: {} instead of {}", changes(found), changes(truth)));
        }
        self.wrong
    }
}

/// An exercise without each log of some rows of the table in turn.
fn assert_nothing_wrong(story: &str, scale: &str, columns: &str, rows: &[&str]) {
    let exercise = Exercise::new(story, 2, &["--system", "exchange", "--scale", scale, "--columns", columns]);
    let mut wrong = Vec::new();
    for missing in TABLE.iter().filter(|missing| rows.is_empty() || rows.contains(&missing.log)) {
        let report = analyze(&[without(&exercise, missing).path()], &[]);
        wrong.extend(differences(&report, &exercise.truth, missing).into_iter().map(|what| format!("without {}: {what}", missing.log)));
    }
    assert!(wrong.is_empty(), "{story}:\n{}", wrong.join("\n"));
}

/// The rows that matter for a story of sent mail alone.
const OF_SENDING: &[&str] = &["nothing", "receive log of the front end", "receive log of the hub", "tracking of the transport service"];

#[test]
fn without_any_one_of_exchanges_logs_one_account_that_sent_is_told_as_far_as_known() {
    assert_nothing_wrong("soka", "0.3", "2019", OF_SENDING);
}

#[test]
fn without_any_one_of_exchanges_logs_a_spray_and_what_came_of_it_is_told_as_far_as_known() {
    assert_nothing_wrong("lateral", "0.1", "2013", &[]);
}

#[test]
fn without_the_logs_of_sending_two_servers_of_exchange_tell_as_much_as_is_known() {
    assert_nothing_wrong("niigata", "0.0003", "2019", OF_SENDING);
}

/// Thirty messages a day beside the owner's own, which few signs tell apart: what is missing may leave too little to see him by.
#[test]
fn without_any_one_of_exchanges_logs_a_slow_sender_beside_the_owner_is_told_as_far_as_known() {
    assert_nothing_wrong("slowburn", "0.7", "2019", &[]);
}

fn differences(report: &Report, truth: &Value, missing: &Missing) -> Vec<String> {
    let said = format!("{}{}", report.json["limitations"], report.json["incidents"]);
    let mut wrong: Vec<String> =
        missing.says.iter().filter(|words| !said.contains(**words)).map(|words| format!("does not say {words:?}")).collect();
    let (incidents, in_truth) = (report.incidents(), truth["incidents"].as_array().unwrap());
    match (incidents, &in_truth[..]) {
        // An attacker of whose mail nothing is in evidence may not stand out by his logins.
        ([], [_]) if missing.hides => {}
        ([found], [truth]) => wrong.extend(Check { found, truth, wrong: Vec::new() }.all()),
        _ => wrong.push(format!("{} incidents instead of {}", incidents.len(), in_truth.len())),
    }
    wrong
}
