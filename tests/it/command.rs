//! Running the command, and what must hold after every run whatever the evidence: lines and sums add up.

use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// The zone of the reports in these tests.
pub(crate) const ZONE: &str = "Asia/Tokyo";

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is text")
    }
}

/// The command on a machine in an odd zone, with no word of a terminal: nothing of either may show in an output.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailtrail"));
    command.env("TZ", "Pacific/Kiritimati").env("LC_ALL", "tr_TR.UTF-8");
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the command with these arguments.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    ended(command().args(arguments).output().expect("the command can be started"))
}

pub(crate) fn ended(output: Output) -> Run {
    let stderr = String::from_utf8(output.stderr).expect("standard error is text");
    Run { code: output.status.code().expect("the command was not killed"), stdout: output.stdout, stderr }
}

/// A report, as read from standard output.
pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) bytes: Vec<u8>,
    pub(crate) stderr: String,
}

/// Analyses evidence, and makes sure that the report is consistent in itself.
pub(crate) fn analyze<P: AsRef<Path>>(evidence: &[P], options: &[&str]) -> Report {
    let mut command = command();
    command.args(["analyze", "--format", "json", "--tz", ZONE]).args(options);
    let run = ended(command.args(evidence.iter().map(|path| path.as_ref())).output().expect("the command can be started"));
    assert!([0, 1, 3].contains(&run.code), "exit code {}: {}", run.code, run.stderr);
    let json: Value = serde_json::from_slice(&run.stdout).expect("the report is JSON");
    assert_adds_up(&json);
    Report { code: run.code, json, bytes: run.stdout, stderr: run.stderr }
}

impl Report {
    pub(crate) fn incidents(&self) -> &[Value] {
        self.json["incidents"].as_array().expect("a list of incidents")
    }

    pub(crate) fn only_incident(&self) -> &Value {
        match self.incidents() {
            [one] => one,
            all => panic!("one incident expected, not {:?}", all.iter().map(|i| &i["accounts"]).collect::<Vec<_>>()),
        }
    }

    /// The rows of the evidence whose path ends like this.
    pub(crate) fn source(&self, end: &str) -> &Value {
        let all = self.json["evidence"].as_array().expect("a list of evidence");
        let found = all.iter().find(|source| source["path"].as_str().is_some_and(|path| path.ends_with(end)));
        found.unwrap_or_else(|| panic!("no source {end} in {all:?}"))
    }

    /// Lines read in all sources.
    pub(crate) fn lines(&self) -> u64 {
        self.json["evidence"].as_array().expect("a list of evidence").iter().map(|source| number(&source["lines"]["total"])).sum()
    }
}

/// A figure that must be there.
pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("a figure expected, not {value}"))
}

const ENDS: [&str; 9] = ["delivered", "blocked", "bounced", "expired", "deferred", "discarded", "held", "relayed", "unknown"];

/// Every ledger and every set of figures adds up.
pub(crate) fn assert_adds_up(report: &Value) {
    for source in report["evidence"].as_array().expect("a list of evidence") {
        let lines = &source["lines"];
        let read = number(&lines["used"]) + number(&lines["ignored"]) + number(&lines["malformed"]);
        assert_eq!(number(&lines["total"]), read, "lines of {}: {lines}", source["path"]);
        let reasons: u64 = lines["ignored_because"].as_object().expect("reasons").values().map(number).sum();
        assert_eq!(number(&lines["ignored"]), reasons, "ignored lines of {}: {lines}", source["path"]);
    }
    for account in report["accounts"].as_array().expect("a list of accounts") {
        assert_tallies(account);
    }
    for incident in report["incidents"].as_array().expect("a list of incidents") {
        assert_incident(incident);
    }
}

/// Sets of figures add up; where no log of submissions is in evidence, both are unknown together.
fn assert_tallies(of: &Value) {
    let (messages, recipients) = (&of["messages"], &of["recipients"]);
    if messages.is_null() {
        assert!(recipients.is_null(), "recipients without messages: {recipients}");
        return;
    }
    let sum = |tally: &Value| ENDS.iter().map(|end| number(&tally[*end])).sum::<u64>();
    assert_eq!(number(&messages["total"]), sum(messages) + number(&messages["partly_delivered"]), "messages: {messages}");
    assert_eq!(number(&recipients["total"]), sum(recipients), "recipients: {recipients}");
    let different = number(&recipients["previously_contacted"]) + number(&recipients["new"]);
    assert_eq!(number(&recipients["distinct"]), different, "recipients: {recipients}");
    assert!(number(&recipients["distinct"]) <= number(&recipients["total"]), "recipients: {recipients}");
}

fn assert_incident(incident: &Value) {
    assert_tallies(incident);
    if incident["messages"].is_null() {
        let unknown = |of: &Value| of["messages"].is_null();
        assert!(incident["blocked_by"].is_null() && incident["per_account"].as_object().expect("figures").values().all(unknown));
        return;
    }
    let by = &incident["blocked_by"];
    assert_eq!(number(&incident["recipients"]["blocked"]), number(&by["own"]) + number(&by["remote"]), "blocked by: {by}");
    let accounts = incident["per_account"].as_object().expect("figures per account");
    for (unit, end) in [("messages", "partly_delivered")]
        .into_iter()
        .chain(["messages", "recipients"].iter().flat_map(|unit| ENDS.iter().chain(&["total"]).map(move |end| (*unit, *end))))
    {
        let parts: u64 = accounts.values().map(|account| number(&account[unit][end])).sum();
        assert_eq!(number(&incident[unit][end]), parts, "{unit} {end} over the accounts");
    }
    accounts.values().for_each(assert_tallies);
    for end in ENDS.iter().filter(|end| !["delivered", "relayed", "unknown"].contains(end)) {
        let reasons = incident["reasons"].as_array().expect("reasons").iter().filter(|reason| reason["outcome"] == **end);
        let explained: u64 = reasons.map(|reason| number(&reason["recipients"])).sum();
        assert_eq!(number(&incident["recipients"][*end]), explained, "reasons for {end}");
    }
    let protocols = incident["protocols"].as_array().expect("protocols").iter();
    assert_eq!(number(&incident["messages"]["total"]), protocols.map(|p| number(&p["messages"])).sum::<u64>(), "messages by protocol");
}
