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
    let mut differences = Differences::default();
    let Value::Object(truth) = truth else { panic!("{of}: the truth tells no incident") };
    for (key, truth) in truth {
        let found = &found[key];
        match key.as_str() {
            "origins" => differences.equal("attacker's origins", &attackers(found, truth), &by_address(truth)),
            "other_accounts" => differences.equal(key, &by_account(found), &by_account(truth)),
            "accounts" | "sending_accounts" => differences.equal(key, &json!(set(found)), &json!(set(truth))),
            "per_account" => per_account(&mut differences, found, truth),
            _ => differences.all_of(key, found, truth),
        }
    }
    differences.assert_none(of);
}

fn per_account(differences: &mut Differences, found: &Value, truth: &Value) {
    let names = |value: &Value| value.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    differences.equal("accounts with figures", &json!(names(found)), &json!(names(truth)));
    for (account, truth) in truth.as_object().into_iter().flatten() {
        let mut truth = truth.clone();
        // Told for the whole incident only.
        truth.as_object_mut().map(|truth| truth.remove("blocked_by"));
        differences.all_of(account, &found[account], &truth);
    }
}

/// The origins judged to be the attacker's, by address, with the figures that the truth has.
fn attackers(found: &Value, truth: &Value) -> Value {
    let keys: BTreeSet<&String> = truth.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let found = found.as_array().expect("a list of origins").iter().filter(|origin| origin["verdict"] == "attacker");
    let cut = found.map(|origin| keys.iter().map(|key| ((*key).clone(), origin[key.as_str()].clone())).collect::<Map<_, _>>());
    by_address(&cut.map(Value::Object).collect())
}

fn by_address(origins: &Value) -> Value {
    let all = origins.as_array().expect("a list of origins").iter();
    Value::Object(all.map(|origin| (origin["ip"].as_str().unwrap_or_default().to_owned(), origin.clone())).collect())
}

fn by_account(accounts: &Value) -> Value {
    let all = accounts.as_array().expect("a list of accounts").iter();
    Value::Object(all.map(|one| (one["account"].as_str().unwrap_or_default().to_owned(), one.clone())).collect())
}

/// The strings of a list, in their order.
pub(crate) fn set(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The tallies of every account, attacker's and owner's messages together.
pub(crate) fn assert_accounts(of: &str, report: &Value, truth: &Value) {
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
    differences.assert_none(of);
}
