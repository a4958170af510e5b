//! Comparing the figures of a report with what happened.

use chrono::DateTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where two documents differ, each as a sentence.
#[derive(Default)]
pub(crate) struct Differences(Vec<String>);

impl Differences {
    pub(crate) fn equal(&mut self, what: &str, found: &Value, truth: &Value) {
        let found = &to_the_second(found.clone());
        if found != truth {
            self.0.push(format!("{what}: the report says {found}, in truth {truth}"));
        }
    }

    /// A time of a log line, which may be up to two seconds later than what it tells of and has no fraction.
    pub(crate) fn soon_after(&mut self, what: &str, found: &Value, truth: &Value) {
        let seconds = |value: &Value| DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.timestamp());
        match (seconds(found), seconds(truth)) {
            (Some(found), Some(truth)) if (0..=2).contains(&(found - truth)) => {}
            _ => self.0.push(format!("{what}: the report says {found}, in truth {truth}")),
        }
    }

    /// A time of a log line that was written up to two seconds before the one that the truth tells of.
    fn shortly_before(&mut self, what: &str, found: &Value, truth: &Value) {
        if found.is_null() || truth.is_null() {
            self.equal(what, found, truth);
        } else {
            self.soon_after(what, truth, found);
        }
    }

    /// The notices that came back. The truth dates them by their way into the mailbox, the report by their making.
    fn notices(&mut self, what: &str, found: &Value, truth: &Value) {
        self.equal(&format!("{what}.count"), &found["count"], &truth["count"]);
        for time in ["first", "last"] {
            self.shortly_before(&format!("{what}.{time}"), &found[time], &truth[time]);
        }
    }

    /// The last sign of the attacker. The truth knows logins and submissions; what a mailbox session did later counts as well.
    fn last_activity(&mut self, what: &str, found: &Value, truth: &Value) {
        let reading = &to_the_second(found["mailbox_access"]["last"].clone());
        let last = if reading.as_str() > truth["last_activity"].as_str() { reading } else { &truth["last_activity"] };
        self.equal(&format!("{what}last_activity"), &found["last_activity"], last);
    }

    /// The figures of an incident, or of one account in it, that need no rule of their own.
    fn figures(&mut self, prefix: &str, found: &Value, truth: &Value) {
        for (key, value) in truth.as_object().into_iter().flatten() {
            match key.as_str() {
                "last_activity" => self.last_activity(prefix, found, truth),
                "returned_notices" => self.notices(&format!("{prefix}{key}"), &found[key], value),
                "account_changes" => self.equal(key, &changes(&found[key]), &changes(value)),
                "accounts" | "sending_accounts" => self.equal(key, &json!(set(&found[key])), &json!(set(value))),
                "origins" | "other_accounts" | "per_account" => {}
                _ => self.all_of(&format!("{prefix}{key}"), &found[key], value),
            }
        }
    }

    /// Every figure of `truth` stands in `found` under the same name.
    pub(crate) fn all_of(&mut self, what: &str, found: &Value, truth: &Value) {
        match (found, truth) {
            (Value::Object(found), Value::Object(truth)) => {
                for (key, truth) in truth {
                    self.all_of(&format!("{what}.{key}"), found.get(key).unwrap_or(&Value::Null), truth);
                }
            }
            _ => self.equal(what, found, truth),
        }
    }

    /// Fails with all of them.
    pub(crate) fn assert_none(self, of: &str) {
        assert!(self.0.is_empty(), "{of}:\n  {}", self.0.join("\n  "));
    }
}

/// Cuts the fractions of all times in a value: some forms of line have them, the truth tells seconds.
pub(crate) fn to_the_second(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(match (DateTime::parse_from_rfc3339(&text), text.split_once('.')) {
            (Ok(_), Some((second, rest))) => format!("{second}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
            _ => text,
        }),
        Value::Array(list) => list.into_iter().map(to_the_second).collect(),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, to_the_second(value))).collect()),
        other => other,
    }
}

/// An incident is told as it happened, to the second and to the last figure.
pub(crate) fn assert_incident(of: &str, found: &Value, truth: &Value) {
    assert!(truth.is_object(), "{of}: the truth tells no incident");
    incident(found, truth).assert_none(of);
}

fn incident(found: &Value, truth: &Value) -> Differences {
    let mut differences = Differences::default();
    differences.figures("", found, truth);
    origins(&mut differences, found, truth);
    per_account(&mut differences, &found["per_account"], &truth["per_account"]);
    differences
}

/// Where a whole report differs from the truth of its exercise, each difference as a sentence.
pub(crate) fn report(found: &Value, truth: &Value) -> Vec<String> {
    let list = |of: &Value| of["incidents"].as_array().cloned().unwrap_or_default();
    let (incidents, in_truth) = (list(found), list(truth));
    let mut differences = Differences::default();
    let accounts = |all: &[Value]| json!(all.iter().map(|incident| incident["accounts"].clone()).collect::<Vec<_>>());
    differences.equal("accounts of the incidents", &accounts(&incidents), &accounts(&in_truth));
    for (found, truth) in incidents.iter().zip(&in_truth) {
        differences.0.extend(incident(found, truth).0);
    }
    differences.0.extend(accounts_differ(found, &truth["accounts"]).0);
    differences.0
}

fn per_account(differences: &mut Differences, found: &Value, truth: &Value) {
    let names = |value: &Value| value.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    differences.equal("accounts with figures", &json!(names(found)), &json!(names(truth)));
    for (account, truth) in truth.as_object().into_iter().flatten() {
        let mut truth = truth.clone();
        // Told for the whole incident only.
        truth.as_object_mut().map(|truth| truth.remove("blocked_by"));
        differences.figures(&format!("{account}: "), &found[account], &truth);
    }
}

/// The attacker's addresses with their use, and the accounts they tried in vain.
fn origins(differences: &mut Differences, found: &Value, truth: &Value) {
    let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
    let attackers: Vec<Value> = list(found, "origins").into_iter().filter(|origin| origin["verdict"] == "attacker").collect();
    let in_truth = list(truth, "origins");
    let uses = |all: &[Value]| -> Value {
        let use_of = |one: &Value| json!(["logins", "failures", "messages", "first", "last"].map(|key| one[key].clone()));
        all.iter().map(|one| (one["ip"].as_str().unwrap_or_default().to_owned(), use_of(one))).collect::<Map<_, _>>().into()
    };
    differences.equal("attacker's addresses: logins, failures, messages, first, last", &uses(&attackers), &uses(&in_truth));
    let others = list(found, "other_accounts");
    differences.equal("accounts tried in vain", &by_account(&json!(others)), &by_account(&truth["other_accounts"]));
}

fn by_account(accounts: &Value) -> Value {
    let all = accounts.as_array().expect("a list of accounts").iter();
    Value::Object(all.map(|one| (one["account"].as_str().unwrap_or_default().to_owned(), one.clone())).collect())
}

/// What was changed: when, on which account, and what kind of change.
fn changes(list: &Value) -> Value {
    let told = |one: &Value| json!([to_the_second(one["time"].clone()), one["account"], one["action"]]);
    list.as_array().into_iter().flatten().map(told).collect()
}

/// The strings of a list, in their order.
pub(crate) fn set(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The tallies of every account, attacker's and owner's messages together.
pub(crate) fn assert_accounts(of: &str, report: &Value, truth: &Value) {
    accounts_differ(report, truth).assert_none(of);
}

fn accounts_differ(report: &Value, truth: &Value) -> Differences {
    let mut differences = Differences::default();
    let known = by_account(&report["accounts"]);
    for (account, truth) in truth.as_object().expect("figures of each account") {
        for unit in ["messages", "recipients"] {
            differences.all_of(&format!("{account}: {unit}"), &known[account][unit], &truth[unit]);
        }
    }
    let sent = known.as_object().into_iter().flatten().filter(|(_, account)| account["messages"]["total"] != 0);
    let strangers: Vec<&String> = sent.map(|(name, _)| name).filter(|name| truth.get(name.as_str()).is_none()).collect();
    differences.equal("accounts that sent nothing in truth", &json!(strangers), &json!([]));
    differences
}
