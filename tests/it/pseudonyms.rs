//! A pseudonymized result holds no name, address, host or path of the evidence, in no face and no file, and the same figures.
//!
//! What must not show is taken from the logs themselves and from the report that names all.

use crate::command::{ZONE, analyze, command, ended};
use crate::evidence::{Exercise, files, fixture, unpack};
use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// Words that stay where they stand bare: they are the report's own.
const OWN_WORDS: &str = include_str!("../../src/pseudonym/words.txt");

/// Every face of both views, and the files of a case.
fn outputs(evidence: &Path, key: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for view in ["analyze", "inspect"] {
        for format in ["text", "json", "markdown", "html", "github"] {
            let mut command = command();
            command.args([view, "--quiet", "--tz", ZONE, "--format", format, "--pseudonymize"]).arg(key).arg(evidence);
            let run = ended(command.output().unwrap());
            assert!([0, 3].contains(&run.code), "{}", run.stderr);
            all.push((format!("{view} {format}"), run.stdout));
        }
    }
    let mut japanese = command();
    japanese.args(["analyze", "--quiet", "--tz", ZONE, "--lang", "ja", "--pseudonymize"]).arg(key).arg(evidence);
    all.push(("analyze in Japanese".to_owned(), ended(japanese.output().unwrap()).stdout));
    let out = key.with_extension("case");
    let mut command = command();
    command.args(["analyze", "--tz", ZONE, "--pseudonymize"]).arg(key).arg("--out").arg(&out).arg(evidence);
    let run = ended(command.output().unwrap());
    assert!([0, 3].contains(&run.code), "{}", run.stderr);
    // What the analyst typed for himself is told back to him.
    let told = run.stderr.replace(out.to_str().unwrap(), "").replace(key.to_str().unwrap(), "");
    all.push(("summary".to_owned(), told.into_bytes()));
    let case = files(&out);
    fs::remove_dir_all(&out).unwrap();
    assert!(case.iter().all(|(name, _)| name != "evidence.sha256"), "a list of true paths was written");
    // The bytes of a table are compressed: what is in them is looked at cell by cell.
    all.extend(case.into_iter().map(|(name, bytes)| match name.ends_with(".parquet") {
        true => (name, crate::tables::text(&bytes).into_bytes()),
        false => (name, bytes),
    }));
    all
}

fn key(folder: &Path, letter: &str) -> std::path::PathBuf {
    let path = folder.join(letter);
    fs::write(&path, letter.repeat(40)).unwrap();
    path
}

/// What the evidence holds that must not be seen.
#[derive(Default)]
struct Secrets {
    /// Mail addresses and full host names, in lower case: never part of an output.
    whole: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
    /// Bare names: never a word of an output.
    words: BTreeSet<String>,
}

fn ips(text: &str) -> BTreeSet<IpAddr> {
    let shape = Regex::new(r"(?:^|[^0-9A-Za-z/.:-])((?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:]+:[0-9A-Fa-f]*)").unwrap();
    let nobody: [IpAddr; 4] = ["127.0.0.1", "0.0.0.0", "::1", "::"].map(|ip| ip.parse().unwrap());
    shape.captures_iter(text).filter_map(|found| found[1].parse().ok()).filter(|ip| !nobody.contains(ip)).collect()
}

/// Words, and the words that stand in them between dots, hyphens and underscores.
fn words(text: &str) -> BTreeSet<String> {
    text.to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect()
}

impl Secrets {
    fn of(logs: &Path, report: &Value) -> Secrets {
        let mut secrets = Secrets::default();
        let whole =
            Regex::new(r"[A-Za-z0-9._+=-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.(example|test)(?-u:\b)")
                .unwrap();
        for (name, bytes) in files(logs) {
            let text = String::from_utf8_lossy(&bytes);
            secrets.whole.extend(whole.find_iter(&text).map(|found| found.as_str().trim_start_matches(['.', '-']).to_lowercase()));
            secrets.addresses.extend(ips(&text));
            secrets.word(name.rsplit('/').next().unwrap());
        }
        for account in report["accounts"].as_array().unwrap() {
            secrets.word(account["account"].as_str().unwrap());
            account["aliases"].as_array().unwrap().iter().for_each(|alias| secrets.word(alias.as_str().unwrap()));
        }
        for incident in report["incidents"].as_array().unwrap() {
            incident["other_accounts"].as_array().unwrap().iter().for_each(|other| secrets.word(other["account"].as_str().unwrap()));
        }
        for source in report["evidence"].as_array().unwrap() {
            source["hosts"].as_array().unwrap().iter().for_each(|host| secrets.word(host.as_str().unwrap()));
            source["path"].as_str().unwrap().split(['/', '!']).for_each(|part| secrets.word(part));
        }
        // A file may be named for its format, whose word the report shows.
        for source in report["evidence"].as_array().unwrap() {
            secrets.whole.remove(source["format"].as_str().unwrap_or_default());
        }
        secrets
    }

    /// A name of one word, which may stand in a sentence by itself; the name of a provider's log is no host's.
    fn word(&mut self, name: &str) {
        let name = name.split('@').next().unwrap().to_lowercase();
        let kinds = ["message-trace", "sign-ins", "audit-log", "directory-log"];
        let plain = name.len() > 2 && name.bytes().all(|b| b.is_ascii_alphanumeric()) && !name.bytes().all(|b| b.is_ascii_digit());
        if plain && !kinds.contains(&name.as_str()) && !OWN_WORDS.split_ascii_whitespace().any(|word| word == name) {
            self.words.insert(name);
        } else if name.contains(['.', '-', '_']) && !kinds.contains(&name.as_str()) && name.len() > 4 {
            self.whole.insert(name);
        }
    }

    fn found_in(&self, output: &str) -> Vec<String> {
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(&self.whole).unwrap();
        let mut found: Vec<String> = finder.find_iter(output).map(|found| output[found.range()].to_lowercase()).collect();
        found.extend(ips(output).intersection(&self.addresses).map(ToString::to_string));
        found.extend(words(output).intersection(&self.words).cloned());
        found
    }
}

/// Every number of a document but those of autonomous systems, in ascending order: lists are in the order of the names they hold.
fn figures(of: &Value) -> Vec<String> {
    fn walk(of: &Value, into: &mut Vec<String>) {
        match of {
            Value::Number(number) => into.push(number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
            Value::Object(fields) => fields.iter().filter(|(name, _)| *name != "asn").for_each(|(_, field)| walk(field, into)),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut all = Vec::new();
    walk(of, &mut all);
    all.sort();
    all
}

/// Nothing of the evidence shows, the figures are the same, and the key alone decides.
fn check(of: &str, logs: &Path) {
    let here = tempfile::tempdir().unwrap();
    let (first, second) = (key(here.path(), "k"), key(here.path(), "z"));
    let truth = analyze(&[logs], &[]);
    let secrets = Secrets::of(logs, &truth.json);
    assert!(secrets.whole.len() > 10 && secrets.addresses.len() > 5, "{of}: the logs hold nothing to hide");
    let outputs_of_first = outputs(logs, &first);
    for (name, bytes) in &outputs_of_first {
        let found = secrets.found_in(&String::from_utf8_lossy(bytes));
        assert!(found.is_empty(), "{of}: {name} shows {found:?}");
    }
    let report = analyze(&[logs], &["--pseudonymize", first.to_str().unwrap()]);
    assert_eq!(figures(&report.json), figures(&truth.json), "{of}: figures changed");
    for (hidden, shown) in report.incidents().iter().zip(truth.incidents()) {
        for field in ["verdict", "score", "first_send", "last_send", "last_activity", "messages", "recipients", "blocked_by", "protocols"] {
            assert_eq!(hidden[field], shown[field], "{of}: {field}");
        }
        assert_eq!(hidden["first_login"]["time"], shown["first_login"]["time"], "{of}");
    }
    let again = analyze(&[logs], &["--threads", "1", "--pseudonymize", first.to_str().unwrap()]);
    assert!(again.bytes == report.bytes, "{of}: the same key gives another report");
    let other = analyze(&[logs], &["--pseudonymize", second.to_str().unwrap()]);
    assert_ne!(other.json["pseudonymized"]["key"], report.json["pseudonymized"]["key"]);
    for list in ["accounts", "evidence", "files", "coverage"] {
        let names = |of: &Value| -> BTreeSet<String> {
            let entries = of[list].as_array().unwrap().iter();
            entries.filter_map(|one| Some(["account", "path", "host"].iter().find_map(|field| one[field].as_str())?.to_owned())).collect()
        };
        let kept: BTreeSet<String> = ["", "message-trace", "sign-ins", "audit-log", "directory-log"].map(str::to_owned).into();
        let shared: Vec<String> =
            names(&other.json).intersection(&names(&report.json)).filter(|name| !kept.contains(*name)).cloned().collect();
        assert!(shared.is_empty(), "{of}: {list} of two keys share {shared:?}");
    }
}

#[test]
fn no_fixture_shows_through_a_pseudonymized_result() {
    for (name, archive) in [
        ("soka-postfix", "logs.tar.gz"),
        ("soka-m365", "logs.tar.xz"),
        ("lab/soka-single", "logs.tar.xz"),
        ("lab/formats-postlogd-short", "logs.tar.gz"),
    ] {
        check(name, unpack(&fixture(&format!("{name}/{archive}"))).path());
    }
}

#[test]
fn no_exchange_server_shows_through_a_pseudonymized_result() {
    check("soka-exchange", unpack(&fixture("soka-exchange/logs.tar.gz")).path());
}

#[test]
fn no_story_shows_through_a_pseudonymized_result() {
    let exercise = Exercise::new("niigata", 3, &["--system", "m365-relay", "--scale", "0.001"]);
    check("niigata over a cloud and a relay", &exercise.logs());
}

/// What the analyst typed is as telling as the logs: accounts asked for, names given to incidents, paths.
#[test]
fn what_the_analyst_told_is_hidden_too() {
    let here = tempfile::tempdir().unwrap();
    let key = key(here.path(), "k");
    let config = here.path().join("house.toml");
    let text = "default_domain = 'u.example'\n[aliases]\n'boss' = 'sasaki.hanako@u.example'\n[[incidents]]\nname = 'The Sasaki case'\n\
                accounts = ['sasaki.hanako@u.example', 'nobody9']\nattacker_ips = ['203.0.113.0/24']";
    fs::write(&config, text).unwrap();
    let logs = here.path().join("Sasaki mailbox");
    fs::create_dir(&logs).unwrap();
    fs::copy(fixture("soka-postfix/logs.tar.gz"), logs.join("Sasaki-export.tar.gz")).unwrap();
    fs::write(logs.join("Sasaki broken.gz"), b"\x1f\x8b\x08\x00broken").unwrap();
    let out = here.path().join("case");
    let mut command = command();
    command.args(["analyze", "--quiet", "--account", "kikuchi7", "--trusted-network", "198.51.100.0/24", "--config"]).arg(&config);
    command.arg("--pseudonymize").arg(&key).arg("--out").arg(&out).arg(&logs);
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, 3, "{}", run.stderr);
    for (name, bytes) in files(&out) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for secret in ["sasaki", "nobody9", "kikuchi7", "203.0.113.0", "198.51.100.0", "u.example", "house.toml", "mailbox/", "export"] {
            assert!(!text.contains(secret), "{name} shows {secret}");
        }
    }
}

#[test]
fn a_page_says_that_it_is_pseudonymized_and_with_which_key() {
    let here = tempfile::tempdir().unwrap();
    let key = key(here.path(), "k");
    let logs = unpack(&fixture("lab/soka-single/logs.tar.xz"));
    let outputs = outputs(logs.path(), &key);
    let text = |name: &str| String::from_utf8_lossy(&outputs.iter().find(|(one, _)| one == name).unwrap().1).into_owned();
    let report: Value = serde_json::from_str(&text("analyze json")).unwrap();
    let fingerprint = report["pseudonymized"]["key"].as_str().unwrap();
    for (name, _) in
        outputs.iter().filter(|(name, _)| name.starts_with("analyze ") || name.starts_with("inspect ") || name.starts_with("report."))
    {
        assert!(text(name).contains(fingerprint), "{name} does not name the key");
    }
    let record: Value = serde_json::from_str(&text("run.json")).unwrap();
    assert_eq!((&record["user"], &record["host"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_is_no_key_is_refused_before_anything_is_read() {
    let here = tempfile::tempdir().unwrap();
    let short = here.path().join("short");
    fs::write(&short, "too short\n").unwrap();
    let logs = fixture("soka-postfix");
    let run = crate::command::run([Path::new("analyze"), Path::new("--pseudonymize"), &short, &logs]);
    assert_eq!((run.code, run.stdout.len()), (2, 0));
    assert!(run.stderr.contains("9 bytes") && run.stderr.contains("hint: "), "{}", run.stderr);
}
