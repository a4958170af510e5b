//! The stories in the logs of Exchange, as an analyst would count them by searching the text alone.

use crate::domain::time::Zone;
use crate::simulate::{Columns, Forms, Guise, Hosts, Layout, Request, Story, System, simulate};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

struct Run {
    folder: tempfile::TempDir,
    truth: Value,
}

/// A row of a log with names: the file it stands in, and its cells by column.
struct Row {
    file: PathBuf,
    cells: BTreeMap<String, String>,
}

impl Row {
    fn at(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    fn is(&self, source: &str, event: &str) -> bool {
        self.at("source") == source && self.at("event-id") == event
    }
}

fn run(story: Story, scale: f64, seed: u64, layout: Layout) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let zone = Zone::parse("Asia/Tokyo").unwrap();
    let out = folder.path().to_owned();
    let request = Request { system: System::Exchange, story, guise: Guise::Plain, scale, seed, out, layout, forms: Forms::default(), zone };
    simulate(&request, &mut |_| {}).unwrap();
    let truth = serde_json::from_slice(&fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    Run { folder, truth }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The cells of a text's lines: separated by commas, in quotes where they hold one.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            _ => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty());
    records
}

/// The rows of a text by the names of their columns; each heading counts until the next.
fn rows(file: &Path, text: &str) -> Vec<Row> {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for record in cells(text.trim_start_matches('\u{feff}')) {
        let first = record[0].as_str();
        if let Some(name) = first.strip_prefix("#Fields: ") {
            columns = std::iter::once(name.to_owned()).chain(record[1..].iter().cloned()).collect();
        } else if !first.starts_with('#') && first != "DateTime" {
            assert_eq!(record.len(), columns.len(), "{}: {record:?}", file.display());
            rows.push(Row { file: file.to_owned(), cells: columns.iter().cloned().zip(record).collect() });
        }
    }
    rows
}

impl Run {
    fn incident(&self) -> &Value {
        assert_eq!(self.truth["incidents"].as_array().unwrap().len(), 1);
        &self.truth["incidents"][0]
    }

    fn account(&self) -> &str {
        self.incident()["accounts"][0].as_str().unwrap()
    }

    fn origins(&self) -> BTreeSet<String> {
        self.incident()["origins"].as_array().unwrap().iter().map(|o| o["ip"].as_str().unwrap().to_owned()).collect()
    }

    /// The files of a server below one of its folders.
    fn files(&self, server: &str, folder: &str) -> Vec<PathBuf> {
        files(&self.folder.path().join("logs").join(server).join(folder))
    }

    fn rows(&self, server: &str, folder: &str) -> Vec<Row> {
        self.files(server, folder).iter().flat_map(|file| rows(file, &fs::read_to_string(file).unwrap())).collect()
    }

    /// Rows of message tracking, without those of the product's tests of itself.
    fn tracking(&self, server: &str) -> Vec<Row> {
        let mut rows = self.rows(server, TRACKING);
        rows.retain(|row| !row.at("custom-data").contains("IsProbe"));
        rows
    }
}

const TRACKING: &str = "TransportRoles/Logs/MessageTracking";
const FRONT: &str = "TransportRoles/Logs/FrontEnd/ProtocolLog/SmtpReceive";
const HUB: &str = "TransportRoles/Logs/Hub/ProtocolLog/SmtpReceive";

fn two() -> Layout {
    Layout { hosts: Some(Hosts::Two), ..Layout::default() }
}

fn old() -> Layout {
    Layout { columns: Columns::Old, ..Layout::default() }
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Whether a row in UTC tells of an instant of the truth, which is to the second and nine hours ahead.
fn same_second(row: &str, truth: &Value) -> bool {
    let seconds = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    seconds(row) == seconds(truth.as_str().unwrap())
}

#[test]
fn soka_is_the_story_of_795_messages_in_the_columns_of_either_version() {
    for (seed, layout) in [(1, Layout::default()), (2, old()), (3, two())] {
        let run = run(Story::Soka, 1.0, seed, layout);
        let (incident, account) = (run.incident(), run.account());
        let tracking: Vec<Row> = run.truth["hosts"].as_object().unwrap().keys().flat_map(|server| run.tracking(server)).collect();
        let theirs: Vec<&Row> = tracking.iter().filter(|row| run.origins().contains(row.at("original-client-ip"))).collect();
        let of = |source: &str, event: &str| theirs.iter().filter(|row| row.is(source, event)).count();

        let refused: Vec<Row> = run
            .rows("ex1", HUB)
            .into_iter()
            .filter(|row| row.at("data").starts_with("550 5.7.1 Recipient rejected: sending limit"))
            .collect();
        assert_eq!(of("AGENT", "FAIL") + refused.len(), 784, "seed {seed}");
        assert!(refused.len() > 50, "{}", refused.len());
        let out =
            theirs.iter().filter(|row| row.at("connector-id") == "Outbound to Internet" && row.at("event-id").starts_with("SEND")).count();
        assert_eq!((out, number(&incident["messages"]["delivered"])), (11, 11));
        let taken = theirs.iter().filter(|row| row.is("SMTP", "RECEIVE") && row.at("connector-id") == "EX1\\Client Proxy EX1").count();
        assert_eq!(taken + refused.len(), 795);
        assert_eq!(number(&incident["messages"]["blocked"]), 784);

        // Each of the rule's refusals comes back: the notice is made, and put into the mailbox.
        let notices = |event: &str| {
            let told = |row: &&Row| row.at("event-id") == event && row.at("return-path") == "<>" && row.at("recipient-address") == account;
            tracking.iter().filter(told).count()
        };
        assert_eq!(notices("DSN"), of("AGENT", "FAIL"));
        assert_eq!((notices("DELIVER"), notices("DELIVER")), (notices("DSN"), number(&incident["returned_notices"]["count"])));
    }
}

#[test]
fn the_first_login_of_soka_is_at_16_01_and_nothing_failed_before() {
    let run = run(Story::Soka, 1.0, 1, Layout::default());
    let (incident, account, origins) = (run.incident(), run.account(), run.origins());
    let front = run.rows("ex1", FRONT);
    let theirs: Vec<&Row> =
        front.iter().filter(|row| origins.iter().any(|ip| row.at("remote-endpoint").starts_with(&format!("{ip}:")))).collect();
    let logins: Vec<&&Row> = theirs.iter().filter(|row| row.at("context") == "authenticated").collect();
    let first = logins.first().unwrap();
    assert!(theirs[0].at("date-time").starts_with("2022-10-31T07:01:"), "{}", theirs[0].at("date-time"));
    assert!(first.at("date-time").starts_with("2022-10-31T07:01:") && first.at("data") == account);
    assert!(same_second(first.at("date-time"), &incident["first_login"]["time"]));
    assert!(first.at("remote-endpoint").starts_with(incident["first_login"]["ip"].as_str().unwrap()));
    let counted: usize = incident["origins"].as_array().unwrap().iter().map(|origin| number(&origin["logins"])).sum();
    assert_eq!(logins.len(), counted);
    assert_eq!(front.iter().filter(|row| row.at("context").contains("User Name:") && row.at("context").contains(account)).count(), 0);

    // Each of their sessions is passed on to the hub once, under its own number.
    let hub = run.rows("ex1", HUB);
    for login in logins {
        let passed = hub.iter().filter(|row| row.at("data").starts_with(&format!("XPROXY SID={} ", login.at("session-id")))).count();
        assert_eq!(passed, 1);
    }
    let last =
        run.tracking("ex1").into_iter().rfind(|row| row.is("SMTP", "RECEIVE") && origins.contains(row.at("original-client-ip"))).unwrap();
    let refused = hub.iter().rfind(|row| row.at("data").contains("sending limit")).unwrap().at("date-time");
    assert!(same_second(last.at("date-time").max(refused), &incident["last_send"]));
    assert!(incident["last_send"].as_str().unwrap().starts_with("2022-11-01T01:46:"));
}

#[test]
fn files_are_named_by_the_hour_of_their_rows_and_begin_as_the_product_begins_them() {
    let mut restarts = 0;
    for layout in [Layout::default(), old()] {
        let run = run(Story::Soka, 0.1, 4, layout);
        let mut lines = 0;
        for file in run.files("ex1", "") {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(text.ends_with("\r\n") && text.matches('\n').count() == text.matches("\r\n").count(), "{name}");
            assert_eq!(text.starts_with('\u{feff}'), !name.starts_with("u_ex"), "{name}");
            lines += text.lines().count();
            restarts += text.matches("#Fields").count() - 1;
            let digits: String = name.trim_end_matches("-1.LOG").chars().filter(char::is_ascii_digit).collect();
            if name.starts_with("u_ex") {
                let rows = text.lines().filter(|line| !line.starts_with('#'));
                assert!(rows.clone().all(|row| row.split(' ').count() == 15), "{name}");
                assert!(rows.map(|row| row[2..13].replace(['-', ' '], "")).all(|stamp| stamp == digits), "{name}");
                continue;
            }
            // The digits of the log's own name, as in IMAP4, come first.
            let hour = &digits[digits.len() - 10..];
            for row in rows(&file, &text) {
                let stamp = ["date-time", "dateTime", "DateTime"].map(|column| row.at(column)).concat();
                assert_eq!(stamp[..13].replace(['-', 'T'], ""), hour, "{name}");
            }
        }
        assert_eq!(lines, number(&run.truth["hosts"]["ex1"]["lines"]));
        assert_eq!(lines, number(&run.truth["totals"]["lines"]));
    }
    assert!(restarts > 0, "no service was restarted");
}

#[test]
fn tracking_of_one_message_goes_through_both_servers() {
    let run = run(Story::Niigata, 0.0005, 2, Layout::default());
    let (first, second) = (run.tracking("ex1"), run.tracking("ex2"));
    let incident = run.incident();
    let origins = run.origins();
    let ids = |rows: &[Row], connector: &str| -> BTreeSet<String> {
        let taken = rows.iter().filter(|row| row.is("SMTP", "RECEIVE") && row.at("connector-id") == connector);
        taken.filter(|row| origins.contains(row.at("original-client-ip"))).map(|row| row.at("network-message-id").to_owned()).collect()
    };
    let sent = ids(&first, "EX1\\Client Proxy EX1");
    assert_eq!((sent.len(), number(&incident["messages"]["total"])), (755, 755));
    assert_eq!(ids(&second, "EX2\\Default EX2"), sent);

    // Shadow copies are there and are no messages; the servers' own numbers for messages are the same now and then.
    assert!(second.iter().any(|row| row.at("event-id") == "HARECEIVE"));
    let numbers = |rows: &[Row]| rows.iter().map(|row| row.at("internal-message-id").to_owned()).collect::<BTreeSet<_>>();
    assert!(numbers(&first).intersection(&numbers(&second)).any(|number| !number.is_empty()));

    let outcome = |name: &str| number(&incident["recipients"][name]);
    let total = ["delivered", "blocked", "bounced", "expired", "deferred"].map(outcome).iter().sum::<usize>();
    assert_eq!(total, outcome("total"));
    let addresses = |row: &Row| row.at("recipient-address").split(';').count();
    let theirs = |event: &str| {
        second.iter().filter(|row| row.at("event-id") == event && sent.contains(row.at("network-message-id"))).map(addresses).sum::<usize>()
    };
    assert_eq!(theirs("SENDEXTERNAL"), outcome("delivered"));
    assert_eq!(theirs("FAIL"), outcome("blocked") + outcome("bounced") + outcome("expired"));
    assert_eq!(number(&run.truth["views"]["ex1"]["incidents"][0]["messages"]["relayed"]), 755);
}

#[test]
fn the_spray_of_lateral_leaves_no_name_in_the_column_of_users() {
    let run = run(Story::Lateral, 0.05, 3, Layout::default());
    let (incident, origins) = (run.incident(), run.origins());
    let theirs = |row: &Row| row.at("cIp").rsplit_once(':').is_some_and(|(ip, _)| origins.contains(ip));
    let imap: Vec<Row> = run.rows("ex1", "Logging/Imap4").into_iter().filter(theirs).collect();
    let failed: Vec<&Row> = imap.iter().filter(|row| row.at("command") == "login" && row.at("context").contains(" NO ")).collect();
    let others: usize = incident["other_accounts"].as_array().unwrap().iter().map(|other| number(&other["failures"])).sum();
    assert_eq!(failed.len(), others + number(&incident["prior_failed_logins"]["account"]["count"]));
    assert!(failed.iter().all(|row| row.at("user").is_empty() && row.at("parameters").ends_with(" *****")));

    // By IMAP or by the web: each session of theirs is one, and so are the two in which something was changed.
    let entered = imap.iter().filter(|row| row.at("command") == "login" && row.at("context").starts_with("R=OK")).count();
    let web: Vec<Row> =
        run.rows("ex1", "Logging/HttpProxy/Owa").into_iter().filter(|row| origins.contains(row.at("ClientIpAddress"))).collect();
    let opened = |rows: &[Row]| rows.iter().filter(|row| row.at("UrlStem") == "/owa/" && !row.at("AuthenticatedUser").is_empty()).count();
    let changes = incident["account_changes"].as_array().unwrap();
    assert_eq!((changes.len(), entered + opened(&web)), (2, number(&incident["mailbox_access"]["sessions"])));

    // What was changed is told by a cmdlet each.
    let cmdlets = run.rows("ex1", "Logging/CmdletInfra");
    assert_eq!(cmdlets.iter().map(|row| row.at("Cmdlet")).collect::<Vec<_>>(), ["Set-Mailbox", "New-InboxRule"]);
    for (row, change) in cmdlets.iter().zip(changes) {
        assert!(same_second(row.at("DateTime"), &change["time"]) && row.at("AuthenticatedUser") == change["account"]);
    }
}

#[test]
fn requests_stand_in_the_web_servers_log_by_the_same_id_as_in_the_proxys() {
    for layout in [Layout::default(), old()] {
        let run = run(Story::Quiet, 0.1, 5, layout);
        let proxied: Vec<Row> = run.rows("ex1", "Logging/HttpProxy").into_iter().filter(|row| row.at("ClientIpAddress") != "::1").collect();
        let served: String = run.files("ex1", "inetpub").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        assert!(proxied.len() > 100);
        for row in &proxied {
            let id = format!("cafeReqId={};", row.at("RequestId"));
            let line = served.lines().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{}: {id}", row.file.display()));
            assert!(line.contains(&format!(" {} ", row.at("ClientIpAddress"))) && line.contains(&format!(" {} ", row.at("HttpStatus"))));
        }
    }
}

#[test]
fn a_seed_gives_the_same_bytes_and_the_story_of_any_other_system() {
    let of = |run: &Run| files(run.folder.path()).iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>();
    let first = run(Story::Lateral, 0.02, 6, Layout::default());
    assert_eq!(of(&first), of(&run(Story::Lateral, 0.02, 6, Layout::default())));
    assert_ne!(of(&first), of(&run(Story::Lateral, 0.02, 7, Layout::default())));
    for story in [Story::Quiet, Story::Newsletter] {
        assert_eq!(run(story, 0.1, 1, Layout::default()).truth["incidents"], serde_json::json!([]), "{story}");
    }
}

/// Path, time and bytes of each member.
fn members(archive: &Path) -> Vec<(PathBuf, u64, Vec<u8>)> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(archive).unwrap()));
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().into_owned(), entry.header().mtime().unwrap(), bytes)
    });
    entries.collect()
}

#[test]
fn the_fixture_is_what_its_seed_gives() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/soka-exchange");
    let made = run(Story::Soka, 1.0, 1, Layout { archive: true, ..Layout::default() });
    if std::env::var_os("UPDATE").is_some() {
        for name in ["logs.tar.gz", "truth.json"] {
            fs::copy(made.folder.path().join(name), fixture.join(name)).unwrap();
        }
    }
    let same = members(&made.folder.path().join("logs.tar.gz")) == members(&fixture.join("logs.tar.gz"));
    assert!(same, "run with UPDATE=1 to renew the fixture");
    let truth = fs::read_to_string(fixture.join("truth.json")).unwrap();
    assert_eq!(fs::read_to_string(made.folder.path().join("truth.json")).unwrap(), truth);
}
