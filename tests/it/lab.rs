//! Real logs of real servers: what the command says of them is what the driver of the laboratory did.

use crate::command::{Report, analyze, number};
use crate::compare::{Differences, set, to_the_second};
use crate::evidence::{fixture, read_json, unpack};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A run of the laboratory.
struct Lab {
    name: &'static str,
    truth: Value,
}

impl Lab {
    fn new(name: &'static str) -> Lab {
        Lab { name, truth: read_json(&fixture("lab").join(name).join("truth.json")) }
    }

    fn archive(&self) -> PathBuf {
        let folder = fixture("lab").join(self.name);
        ["logs.tar.xz", "logs.tar.gz"].map(|name| folder.join(name)).into_iter().find(|path| path.exists()).expect("an archive")
    }

    fn list(&self, key: &str) -> &[Value] {
        self.truth[key].as_array().unwrap_or_else(|| panic!("no {key} in the truth of {}", self.name))
    }

    /// The first login of the attacker on each account he got into.
    fn taken(&self) -> &Map<String, Value> {
        self.truth["attack"]["first_login_by_account"].as_object().expect("accounts taken over")
    }

    /// Analyses the archive with these options and compares.
    fn check(&self, options: &[&str]) {
        self.compare(&analyze(&[self.archive()], options), &format!("{} {options:?}", self.name));
    }

    fn compare(&self, report: &Report, of: &str) {
        assert_eq!(report.code, 0, "{of}: {}", report.stderr);
        let mut differences = Differences::default();
        self.compare_times(report.only_incident(), &mut differences);
        self.compare_figures(report.only_incident(), &mut differences);
        self.compare_logins(report.only_incident(), &mut differences);
        self.compare_accounts(report, &mut differences);
        differences.assert_none(of);
    }

    fn compare_times(&self, incident: &Value, differences: &mut Differences) {
        let attack = &self.truth["attack"];
        let (account, first) = self.taken().iter().min_by_key(|(_, at)| at.as_str()).expect("an account taken over");
        differences.soon_after("first login", &incident["first_login"]["time"], first);
        differences.equal("account of the first login", &incident["first_login"]["account"], &json!(account));
        for (account, at) in self.taken() {
            let found = &incident["per_account"][account]["first_login"]["time"];
            differences.soon_after(&format!("first login of {account}"), found, at);
        }
        differences.soon_after("first send", &incident["first_send"], &attack["first_send"]);
        differences.soon_after("last send", &incident["last_send"], &attack["last_send"]);
    }

    fn compare_figures(&self, incident: &Value, differences: &mut Differences) {
        let names: BTreeSet<&str> = self.taken().keys().map(String::as_str).collect();
        differences.equal("accounts", &json!(set(&incident["accounts"])), &json!(names));
        differences.equal("sending accounts", &json!(set(&incident["sending_accounts"])), &json!(set(&self.truth["attack"]["senders"])));
        let sent = Sent::of(self);
        differences.all_of("messages", &incident["messages"], &sent.messages());
        differences.all_of("recipients", &incident["recipients"], &sent.recipients());
        differences.equal("blocked by", &incident["blocked_by"], &json!({"own": sent.own, "remote": sent.remote}));
        differences.equal("returned notices", &incident["returned_notices"]["count"], &self.truth["bounces_in_mailboxes"]);
    }

    fn compare_logins(&self, incident: &Value, differences: &mut Differences) {
        let attackers = set(&self.truth["attack"]["ips"]);
        let text = |login: &Value, key: &str| login[key].as_str().unwrap_or_default().to_owned();
        let before = |login: &&Value| login["success"] == false && login["time"].as_str() < self.taken()[&text(login, "account")].as_str();
        let failures: Vec<&Value> = self.list("logins").iter().filter(before).collect();
        let by_attacker = failures.iter().filter(|login| attackers.contains(&*text(login, "ip"))).count();
        differences.equal("prior failures", &incident["prior_failed_logins"]["account"]["count"], &json!(failures.len()));
        differences.equal("prior failures by the attacker", &incident["prior_failed_logins"]["origin"]["count"], &json!(by_attacker));
        let mut uses: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        for login in self.list("logins").iter().filter(|login| login["actor"] == "attacker") {
            uses.entry(text(login, "ip")).or_default()[usize::from(login["success"] == false)] += 1;
        }
        for (ip, failures) in self.truth["attack"]["failures_in_vain"].as_object().expect("failures on other accounts") {
            uses.entry(ip.clone()).or_default()[1] += failures.as_u64().expect("a number");
        }
        let origins = incident["origins"].as_array().expect("origins").iter().filter(|origin| origin["verdict"] == "attacker");
        let found: Map<String, Value> = origins.map(|o| (text(o, "ip"), json!([o["logins"], o["failures"]]))).collect();
        differences.equal("attacker's addresses with logins and failures", &Value::Object(found), &json!(uses));
        let others = incident["other_accounts"].as_array().expect("other accounts").iter();
        let found: Map<String, Value> = others.map(|other| (text(other, "account"), other["failures"].clone())).collect();
        differences.equal("accounts tried in vain", &Value::Object(found), &self.truth["attack"]["tried_in_vain"]);
    }

    /// Logins, failures and submissions of every account, the owner's and the attacker's.
    fn compare_accounts(&self, report: &Report, differences: &mut Differences) {
        let figures = |account: &Value| json!({"logins": account["logins"], "failures": account["failures"], "submissions": account["messages"]["total"]});
        let accounts = report.json["accounts"].as_array().expect("accounts").iter();
        let found: BTreeMap<&str, Value> =
            accounts.map(|account| (account["account"].as_str().unwrap_or_default(), figures(account))).collect();
        for (account, truth) in self.truth["accounts"].as_object().expect("accounts") {
            differences.equal(account, found.get(account.as_str()).unwrap_or(&Value::Null), truth);
        }
    }
}

/// The outcomes in the order in which they break a tie.
const ENDS: [&str; 5] = ["delivered", "blocked", "bounced", "discarded", "unknown"];

/// What the attacker sent, in the words of the report.
#[derive(Default)]
struct Sent {
    recipients: BTreeMap<&'static str, u64>,
    messages: BTreeMap<&'static str, u64>,
    own: u64,
    remote: u64,
    distinct: BTreeSet<String>,
    known: BTreeSet<String>,
}

impl Sent {
    fn of(lab: &Lab) -> Sent {
        let mut sent = Sent::default();
        for message in lab.list("by_attacker") {
            let to = message["to"].as_array().expect("recipients");
            let ends: Vec<&'static str> = to.iter().map(|recipient| sent.recipient(recipient)).collect();
            *sent.messages.entry(of_message(&ends)).or_default() += 1;
            for recipient in to.iter().filter_map(|recipient| recipient["rcpt"].as_str()) {
                let earlier = |own: &&Value| own["account"] == message["account"] && own["time"].as_str() < message["time"].as_str();
                // Known is who had mail from the owner before the attacker's first one.
                if sent.distinct.insert(recipient.to_owned())
                    && lab.list("by_owner").iter().filter(earlier).any(|own| set(&own["to"]).contains(recipient))
                {
                    sent.known.insert(recipient.to_owned());
                }
            }
        }
        sent
    }

    fn recipient(&mut self, recipient: &Value) -> &'static str {
        let end = match recipient["outcome"].as_str().expect("an outcome") {
            "delivered" | "delivered_local" => "delivered",
            "blocked_by_own_server" | "rejected_at_submission" => {
                self.own += 1;
                "blocked"
            }
            // The receiver's code tells a bad address (5.1.x) or mailbox (5.2.x) from a refusal for security (5.7.x).
            "rejected_remote" if enhanced_code(recipient).starts_with("5.7.") => {
                self.remote += 1;
                "blocked"
            }
            "rejected_remote" => "bounced",
            other => panic!("what is {other} in the words of the report?"),
        };
        *self.recipients.entry(end).or_default() += 1;
        end
    }

    fn messages(&self) -> Value {
        let total: u64 = self.messages.values().sum();
        tally(&self.messages, &["partly_delivered"], total)
    }

    fn recipients(&self) -> Value {
        let mut told = tally(&self.recipients, &[], self.recipients.values().sum());
        told["distinct"] = json!(self.distinct.len());
        told["previously_contacted"] = json!(self.known.len());
        told["new"] = json!(self.distinct.len() - self.known.len());
        told
    }
}

fn tally(counts: &BTreeMap<&'static str, u64>, more: &[&'static str], total: u64) -> Value {
    let mut told: Map<String, Value> =
        ENDS.iter().chain(more).map(|end| ((*end).to_owned(), json!(counts.get(end).copied().unwrap_or(0)))).collect();
    told.insert("total".to_owned(), json!(total));
    Value::Object(told)
}

fn of_message(ends: &[&'static str]) -> &'static str {
    let count = |end: &str| ends.iter().filter(|one| **one == end).count();
    match count("delivered") {
        n if n == ends.len() => "delivered",
        0 => ENDS.iter().copied().rev().max_by_key(|end| count(end)).expect("outcomes"),
        _ => "partly_delivered",
    }
}

fn enhanced_code(recipient: &Value) -> String {
    let reply = recipient["reply"].as_str().expect("a remote reply");
    reply.split([' ', '-']).nth(1).unwrap_or_default().to_owned()
}

/// Without hints, with the account's name, and with an address known to be the attacker's.
fn with_and_without_hints(name: &'static str) {
    let lab = Lab::new(name);
    lab.check(&[]);
    let sender = lab.truth["attack"]["senders"][0].as_str().expect("a sender").to_owned();
    lab.check(&["--account", &sender]);
    let address = lab.truth["attack"]["ips"][0].as_str().expect("an address").to_owned();
    lab.check(&["--attacker-ip", &address]);
}

#[test]
fn a_relay_that_refused_what_the_department_had_taken_blocked_it() {
    with_and_without_hints("soka-relay");
}

#[test]
fn refusals_with_and_without_a_queue_id_are_both_messages_of_the_account() {
    with_and_without_hints("soka-single");
}

#[test]
fn five_copies_of_one_run_are_one_incident() {
    with_and_without_hints("formats-rsyslog-short");
}

#[test]
fn postfix_logging_by_itself_and_dovecot_in_a_file_of_its_own_are_read_together() {
    with_and_without_hints("formats-postlogd-short");
}

#[test]
fn each_form_of_line_alone_tells_the_same() {
    let lab = Lab::new("formats-rsyslog-short");
    let logs = unpack(&lab.archive());
    let mut forms: Vec<PathBuf> = std::fs::read_dir(logs.path().join("logs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    forms.sort();
    assert_eq!(forms.len(), 5);
    let mut told = BTreeSet::new();
    for form in &forms {
        let report = analyze(&[form], &[]);
        lab.compare(&report, &format!("{} alone", form.display()));
        told.insert(figures(&report).to_string());
    }
    let told: Vec<&String> = told.iter().collect();
    assert_eq!(told.len(), 1, "what is said depends on the form of the lines: {told:#?}");
}

#[test]
fn a_log_and_its_copies_say_no_more_than_the_log() {
    let lab = Lab::new("soka-relay");
    let folder = unpack(&lab.archive());
    let logs = &folder.path().join("logs");
    let named = |names: &[&str]| -> Vec<PathBuf> {
        ["dept", "core"].iter().flat_map(|host| names.iter().map(move |name| logs.join(host).join(name))).collect()
    };
    let alone = analyze(&named(&["mail.log"]), &[]);
    lab.compare(&alone, "mail.log alone");
    let together = analyze(&named(&["mail.log", "mail.info", "syslog"]), &[]);
    lab.compare(&together, "mail.log, mail.info and syslog");
    assert_eq!(figures(&alone), figures(&together));
    // A line that stands in the syslog alone is the logger's own word of its start.
    let more =
        ["dept", "core"].map(|host| lines_only_in(&logs.join(host).join("syslog"), &logs.join(host).join("mail.log"))).iter().sum::<u64>();
    let used = |report: &Report| sources(report).map(|source| number(&source["lines"]["used"])).sum::<u64>();
    assert!((used(&alone)..=used(&alone) + more).contains(&used(&together)), "{} and {}", used(&alone), used(&together));
    let copies: u64 = sources(&together).map(|source| source["lines"]["ignored_because"]["duplicate"].as_u64().unwrap_or(0)).sum();
    assert_eq!(copies, 2 * used(&alone), "each line that is used stands there three times");
}

fn lines_only_in(log: &Path, other: &Path) -> u64 {
    let [log, other] = [log, other].map(|path| std::fs::read(path).unwrap());
    let known: BTreeSet<&[u8]> = other.split(|byte| *byte == b'\n').collect();
    log.split(|byte| *byte == b'\n').filter(|line| !known.contains(line)).count() as u64
}

fn sources(report: &Report) -> impl Iterator<Item = &Value> {
    report.json["evidence"].as_array().expect("a list of evidence").iter()
}

/// What is said of incidents and accounts, without where it stands, to the second.
fn figures(report: &Report) -> Value {
    let mut figures = json!({"incidents": report.json["incidents"], "accounts": report.json["accounts"]});
    forget_places(&mut figures);
    to_the_second(figures)
}

fn forget_places(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("evidence");
            map.values_mut().for_each(forget_places);
        }
        Value::Array(list) => list.iter_mut().for_each(forget_places),
        _ => {}
    }
}

#[test]
fn every_line_of_the_laboratory_is_understood() {
    for name in ["soka-relay", "soka-single", "formats-rsyslog-short", "formats-postlogd-short"] {
        let lab = Lab::new(name);
        let report = analyze(&[lab.archive()], &[]);
        let folder = unpack(&lab.archive());
        let mut lines = 0;
        for (path, bytes) in crate::evidence::files(folder.path()) {
            let text = if Path::new(&path).extension().is_some_and(|end| end == "gz") { gunzip(&bytes) } else { bytes };
            lines += text.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        assert_eq!(report.lines(), lines, "{name}");
        let odd: Vec<&Value> = sources(&report).filter(|source| number(&source["lines"]["malformed"]) > 0).collect();
        assert!(odd.is_empty(), "{name}: {odd:?}");
    }
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes), &mut text).unwrap();
    text
}
