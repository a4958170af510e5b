//! The stories as an analyst would count them, by searching the text alone.

use super::*;
use crate::domain::time::Zone;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

struct Run {
    folder: tempfile::TempDir,
    truth: Value,
}

fn run(story: Story, scale: f64, seed: u64, layout: Layout) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let zone = Zone::parse("Asia/Tokyo").unwrap();
    let request = Request {
        system: System::Postfix,
        story,
        guise: Guise::Plain,
        scale,
        seed,
        out: folder.path().to_owned(),
        layout,
        forms: Forms::default(),
        zone,
    };
    simulate(&request, &mut |_| {}).unwrap();
    let truth = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    Run { folder, truth }
}

impl Run {
    fn log(&self, host: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("logs").join(host).join("mail.log")).unwrap()
    }

    fn incident(&self) -> &Value {
        assert_eq!(self.truth["incidents"].as_array().unwrap().len(), 1);
        &self.truth["incidents"][0]
    }
}

fn count(text: &str, needles: &[&str]) -> usize {
    text.lines().filter(|line| needles.iter().all(|needle| line.contains(needle))).count()
}

fn two() -> Layout {
    Layout { hosts: Some(Hosts::Two), ..Layout::default() }
}

#[test]
fn soka_on_one_server_is_the_story_of_795_messages() {
    for seed in 1..=4 {
        let run = run(Story::Soka, 1.0, seed, Layout::default());
        let (log, incident) = (run.log("dept"), run.incident());
        let account = incident["accounts"][0].as_str().unwrap();
        let first_ip = incident["first_login"]["ip"].as_str().unwrap();
        let origins: Vec<String> =
            incident["origins"].as_array().unwrap().iter().map(|o| format!("[{}]", o["ip"].as_str().unwrap())).collect();
        let theirs: Vec<&str> = log.lines().filter(|line| origins.iter().any(|ip| line.contains(ip))).collect();
        let hits = |needle: &str| theirs.iter().filter(|line| line.contains(needle)).count();

        let refused = hits(": reject: header") + hits("milter-reject") + hits("NOQUEUE: reject");
        let taken = hits(&format!("sasl_username={account}"));
        assert_eq!(refused, 784, "seed {seed}");
        assert!(hits("NOQUEUE: reject") > 50 && hits("milter-reject") > 50);
        assert_eq!(taken + hits("NOQUEUE: reject"), 795);
        assert_eq!(count(&log, &["message-id=<", "@mailbox-admin.example>"]), 11);
        assert_eq!(incident["messages"]["delivered"], 11);
        assert_eq!(incident["recipients"]["blocked"], 784);
        assert_eq!(incident["returned_notices"]["count"], 0);

        // Nothing of theirs before 16:01, and no failure on the account at all.
        assert!(theirs[0].starts_with("Oct 31 16:01:"), "{}", theirs[0]);
        let proof = theirs.iter().find(|line| line.contains("sasl_username=")).unwrap();
        let stamp = incident["first_login"]["time"].as_str().unwrap();
        assert!(proof.contains(first_ip) && proof[7..15] == stamp[11..19], "{proof} {stamp}");
        assert!(theirs.iter().rev().take(3).any(|line| line.starts_with("Nov  1 01:46:")));
        assert!(incident["last_send"].as_str().unwrap().starts_with("2022-11-01T01:46:"));
        assert_eq!(count(&log, &["authentication failed", account]) + count(&log, &["auth failed", account]), 0);
    }
}

#[test]
fn soka_on_two_servers_floods_the_mailbox_with_784_notices() {
    let run = run(Story::Soka, 1.0, 2, two());
    let (dept, core, incident) = (run.log("dept"), run.log("core"), run.incident());
    let account = incident["accounts"][0].as_str().unwrap();
    assert_eq!(count(&core, &["reject: header Subject", account]), 784);
    assert_eq!(count(&dept, &["status=bounced", "Message blocked by outbound filter"]), 784);
    assert_eq!(incident["returned_notices"]["count"], 784);
    assert_eq!(incident["blocked_by"]["own"], 784);
    let alone = &run.truth["views"]["dept"]["incidents"][0]["messages"];
    assert_eq!((&alone["blocked"], &alone["relayed"]), (&784.into(), &11.into()));
    assert!(run.truth["views"]["core"]["messages_by_sender"][account]["messages"]["blocked"] == 784);
    assert_eq!(count(&core, &["sasl_username="]), 0);
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let files = |run: &Run| (run.log("dept"), run.log("core"), run.truth.to_string());
    let first = files(&run(Story::Niigata, 0.0005, 9, two()));
    assert_eq!(first, files(&run(Story::Niigata, 0.0005, 9, two())));
    assert_ne!(first.0, files(&run(Story::Niigata, 0.0005, 10, two())).0);
}

#[test]
fn niigata_adds_up_in_both_units_and_over_both_servers() {
    let run = run(Story::Niigata, 0.001, 5, Layout::default());
    let (dept, core, incident) = (run.log("dept"), run.log("core"), run.incident());
    let number = |value: &Value| value.as_u64().unwrap();
    let outcomes = ["delivered", "blocked", "bounced", "expired", "deferred", "discarded", "held", "relayed", "unknown"];
    for unit in ["messages", "recipients"] {
        let partly = incident[unit].get("partly_delivered").map_or(0, number);
        assert_eq!(outcomes.iter().map(|o| number(&incident[unit][o])).sum::<u64>() + partly, number(&incident[unit]["total"]), "{unit}");
    }
    assert_eq!(incident["messages"]["total"], 1510);
    assert!(incident["first_login"]["time"].as_str().unwrap().starts_with("2023-04-13T22:00:"));
    assert!(incident["last_send"].as_str().unwrap().starts_with("2023-04-17T14:30:"));

    // The mail programs of the attackers give their own message ids, so each message can be counted by them on both servers.
    let ids = |log: &str| -> BTreeSet<String> {
        let found = log.lines().filter(|line| line.contains("/cleanup[")).filter_map(|line| line.split_once("message-id=<"));
        found.map(|(_, id)| id.to_owned()).filter(|id| id.ends_with("@mailbox-admin.example>")).collect()
    };
    assert_eq!((ids(&dept).len(), ids(&dept)), (1510, ids(&core)));
    let final_words = |word: &str| count(&core, &["to=<", word]) as u64;
    let all = |outcome: &str| run.truth["accounts"].as_object().unwrap().values().map(|a| number(&a["recipients"][outcome])).sum::<u64>();
    let bounced = final_words("status=bounced");
    assert_eq!(bounced, all("bounced") + all("blocked"));
    // Two that nobody can reach are put off and returned after a day, or still waiting.
    assert!(number(&incident["recipients"]["expired"]) > 0);
    assert_eq!(count(&core, &["sender non-delivery notification"]) as u64, number(&run.truth["totals"]["notices"]));
    assert_eq!(run.truth["views"]["dept"]["incidents"][0]["messages"]["relayed"], 1510);
}

#[test]
fn stories_without_an_incident_have_none() {
    for story in [Story::Quiet, Story::Newsletter] {
        assert_eq!(run(story, 0.1, 1, Layout::default()).truth["incidents"], serde_json::json!([]), "{story}");
    }
    let letter = run(Story::Newsletter, 1.0, 2, Layout::default()).log("dept");
    let announced: u64 = letter
        .lines()
        .filter(|line| line.starts_with("Feb 10") && line.contains("size=38200,"))
        .filter_map(|line| line.split_once("nrcpt=")?.1.split_once(' ')?.0.parse::<u64>().ok())
        .filter(|nrcpt| [5, 100].contains(nrcpt))
        .sum();
    assert!(announced >= 3000, "{announced}");
}

#[test]
fn lateral_counts_the_spray_by_account_and_origin() {
    let run = run(Story::Lateral, 0.05, 3, Layout::default());
    let (log, incident) = (run.log("dept"), run.incident());
    assert_eq!(incident["accounts"].as_array().unwrap().len(), 3);
    assert_eq!(incident["sending_accounts"].as_array().unwrap().len(), 1);
    let logins: usize = incident["origins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| count(&log, &["imap-login: Login", &format!("rip={},", o["ip"].as_str().unwrap())]))
        .sum();
    assert_eq!(incident["mailbox_access"]["sessions"], logins);
    let failures: usize = incident["origins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| count(&log, &["auth failed", &format!("rip={},", o["ip"].as_str().unwrap())]))
        .sum();
    let others: u64 = incident["other_accounts"].as_array().unwrap().iter().map(|o| o["failures"].as_u64().unwrap()).sum();
    assert_eq!(others + incident["prior_failed_logins"]["account"]["count"].as_u64().unwrap(), failures as u64);
}

#[test]
fn slowburn_is_thirty_a_day_from_one_address() {
    let run = run(Story::Slowburn, 1.0, 1, Layout::default());
    let (log, incident) = (run.log("dept"), run.incident());
    assert_eq!(incident["messages"]["total"], 600);
    let origin = incident["origins"][0]["ip"].as_str().unwrap();
    assert!(origin.starts_with("198.51.100."));
    assert_eq!(count(&log, &["client=", &format!("[{origin}]"), "sasl_username="]), 600);
    assert!(incident["recipients"]["previously_contacted"].as_u64().unwrap() > 0);
}

/// Every line a program can write, as the program writes it.
const SHAPES: &[(&str, &str)] = &[
    ("smtpd", r"^connect from [a-z0-9.-]+\[[0-9a-f.:]+\]$"),
    (
        "smtpd",
        r"^Anonymous TLS connection established from [a-z0-9.-]+\[[0-9a-f.:]+\]: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 \(256/256 bits\) key-exchange X25519 server-signature RSA-PSS \(2048 bits\) server-digest SHA256$",
    ),
    ("smtpd", r"^QID: client=[a-z0-9.-]+\[[0-9a-f.:]+\](, sasl_method=(PLAIN|LOGIN), sasl_username=[a-z0-9.@-]+)?$"),
    (
        "smtpd",
        r"^disconnect from [a-z0-9.-]+\[[0-9a-f.:]+\]( ehlo=\d+)?( starttls=\d(/\d)?)?( auth=\d(/\d)?)?( mail=\d+)?( rcpt=\d+(/\d+)?)?( data=\d+(/\d+)?)?( rset=\d+)?( quit=1)? commands=\d+(/\d+)?$",
    ),
    (
        "smtpd",
        r"^warning: [a-z0-9.-]+\[[0-9a-f.:]+\]: SASL LOGIN authentication failed: \(reason unavailable\), sasl_username=[a-z0-9@.]+$",
    ),
    ("smtpd", r"^lost connection after (AUTH|CONNECT|EHLO|STARTTLS) from [a-z0-9.-]+\[[0-9a-f.:]+\]$"),
    ("smtpd", r"^SSL_accept error from [a-z0-9.-]+\[[0-9a-f.:]+\]: -1$"),
    ("smtpd", r"^warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:\.\./ssl/statem/statem_srvr\.c:1657:$"),
    (
        "smtpd",
        r"^NOQUEUE: reject: RCPT from [a-z0-9.-]+\[[0-9a-f.:]+\]: 554 5\.7\.1 (Service unavailable; Client host \[[0-9a-f.:]+\] blocked using bl\.lists\.example; https://lists\.example/query/ip/[0-9a-f.:]+|<[^>]+>: Recipient address rejected: rate limit exceeded for [a-z0-9.@-]+); from=<[^>]+> to=<[^>]+> proto=ESMTP helo=<[^>]+>$",
    ),
    ("cleanup", r"^QID: message-id=<[0-9A-Za-z.]+@[a-z0-9.-]+>$"),
    (
        "cleanup",
        r"^QID: reject: header Subject: [^;]+ from [a-z0-9.-]+\[[0-9a-f.:]+\]; from=<[^>]+> to=<[^>]+> proto=ESMTP helo=<[^>]+>: 5\.7\.1 Message blocked by outbound filter \(OB-104\)$",
    ),
    (
        "cleanup",
        r"^QID: milter-reject: END-OF-MESSAGE from [a-z0-9.-]+\[[0-9a-f.:]+\]: 5\.7\.1 Spam message rejected; from=<[^>]+> to=<[^>]+> proto=ESMTP helo=<[^>]+>$",
    ),
    ("qmgr", r"^QID: from=<[^>]*>, size=\d+, nrcpt=\d+ \(queue active\)$"),
    ("qmgr", r"^QID: from=<[^>]+>, status=expired, returned to sender$"),
    ("qmgr", r"^QID: removed$"),
    ("bounce", r"^QID: sender non-delivery notification: [0-9A-Za-z]+$"),
    ("smtp", r"^connect to [a-z0-9.-]+\[[0-9.]+\]:25: Connection timed out$"),
    (
        "(smtp|lmtp|error)",
        r"^QID: to=<[^>]+>, relay=(none|[a-z0-9.-]+\[[0-9.]+\]:25|mail\.dept\.u\.example\[private/dovecot-lmtp\]), delay=[0-9.]+, delays=[0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+, dsn=(2\.\d\.\d, status=sent|4\.\d\.\d+, status=deferred|5\.\d\.\d, status=bounced) \(.+\)$",
    ),
    (
        "anvil",
        r"^statistics: max (connection rate 1/60s for \([a-z]+:[0-9a-f.:]+\)|connection count 1 for \([a-z]+:[0-9a-f.:]+\)|cache size 1) at [A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d$",
    ),
    ("postfix-script", r"^starting the Postfix mail system$"),
    ("master", r"^daemon started -- version 3\.7\.11, configuration /etc/postfix$"),
    ("dovecot", r"^master: Dovecot v2\.3\.19\.1 \(9b53102964\) starting up for imap, pop3, lmtp \(core dumps disabled\)$"),
    (
        "dovecot",
        r"^(imap|pop3)-login: Login: user=<[^>]+>, method=(PLAIN|LOGIN), rip=[0-9a-f.:]+, lip=192\.0\.2\.25, mpid=\d+, TLS, session=<[0-9A-Za-z+/]+>$",
    ),
    (
        "dovecot",
        r"^imap-login: Disconnected: Connection closed \(auth failed, \d attempts in \d secs\): user=<[^>]+>, method=PLAIN, rip=[0-9a-f.:]+, lip=192\.0\.2\.25, TLS, session=<[0-9A-Za-z+/]+>$",
    ),
    (
        "dovecot",
        r"^imap\([^)]+\)<\d+><[0-9A-Za-z+/]+>: Disconnected: Logged out in=\d+ out=\d+ deleted=0 expunged=0 trashed=0 hdr_count=\d+ hdr_bytes=\d+ body_count=\d+ body_bytes=\d+$",
    ),
    ("dovecot", r"^pop3\([^)]+\)<\d+><[0-9A-Za-z+/]+>: Disconnected: Logged out top=0/0, retr=\d+/\d+, del=0/\d+, size=\d+$"),
    ("dovecot", r"^lmtp\(\d+\): (Connect from local|Disconnect from local: Logged out \(state=READY\))$"),
    ("dovecot", r"^lmtp\([^)]+\)<\d+><[0-9A-Za-z+/]{22}(:R\d)?>: msgid=<[^>]+>: saved mail to INBOX$"),
];

#[test]
fn every_line_has_a_shape_its_program_writes() {
    let shapes: Vec<(Regex, Regex)> = SHAPES
        .iter()
        .map(|(program, body)| {
            let body = body.replace("QID", "([0-9A-F]{10,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+)");
            (Regex::new(&format!("^{program}$")).unwrap(), Regex::new(&body).unwrap())
        })
        .collect();
    let mut used = vec![false; shapes.len()];
    let line_shape =
        Regex::new(r"^[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d (dept|core) (?:(dovecot)|postfix/(?:[a-z]+/)?([a-z-]+)\[\d+\]): (.*)$")
            .unwrap();
    let long = Layout { queue_ids: QueueIds::Long, ..two() };
    for run in [run(Story::Soka, 0.2, 1, Layout::default()), run(Story::Niigata, 0.001, 1, long), run(Story::Soka, 0.05, 3, two())] {
        for line in
            run.truth["hosts"].as_object().unwrap().keys().flat_map(|host| run.log(host).lines().map(str::to_owned).collect::<Vec<_>>())
        {
            let parts = line_shape.captures(&line).unwrap_or_else(|| panic!("{line}"));
            let program = parts.get(2).or_else(|| parts.get(3)).unwrap().as_str();
            let body = &parts[4];
            let found = shapes.iter().position(|(who, what)| who.is_match(program) && what.is_match(body));
            used[found.unwrap_or_else(|| panic!("no such line is written by {program}: {line}"))] = true;
        }
    }
    let unused: Vec<_> = SHAPES.iter().zip(&used).filter(|(_, used)| !**used).map(|(shape, _)| shape.1).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn lines_stand_in_the_order_of_time_on_each_host() {
    let run = run(Story::Niigata, 0.001, 2, Layout { envelope: Envelope::Iso, ..Layout::default() });
    for host in ["dept", "core"] {
        let log = run.log(host);
        let stamps: Vec<&str> = log.lines().map(|line| &line[..32]).collect();
        assert!(stamps.is_sorted(), "{host}");
        assert_eq!(run.truth["hosts"][host]["lines"], stamps.len());
        assert_eq!(run.truth["hosts"][host]["bytes"], log.len());
    }
}

#[test]
fn a_short_queue_id_is_never_two_open_messages_but_comes_again() {
    let run = run(Story::Niigata, 0.02, 1, Layout::default());
    for host in ["dept", "core"] {
        let (mut open, mut seen) = (BTreeMap::new(), BTreeMap::new());
        for line in run.log(host).lines() {
            let Some((id, rest)) = line.split_once("]: ").and_then(|(_, body)| body.split_once(": ")) else { continue };
            let born = rest.starts_with("client=") || (rest.starts_with("message-id=<2023") && rest.contains(host_name(host)));
            if born {
                assert_eq!(open.insert(id.to_owned(), ()), None, "{line}");
                *seen.entry(id.to_owned()).or_insert(0) += 1;
            } else if rest == "removed" || rest.starts_with("reject: header") || rest.starts_with("milter-reject") {
                assert!(open.remove(id).is_some(), "{line}");
            }
        }
        assert!(seen.values().any(|times| *times > 1), "{host}: {} ids", seen.len());
    }
}

fn host_name(host: &str) -> &'static str {
    if host == "dept" { "@mail.dept.u.example" } else { "@smtp-out.u.example" }
}

#[test]
fn rotated_and_compressed_files_hold_the_same_lines() {
    let plain = run(Story::Quiet, 0.2, 4, Layout::default());
    let cut = run(Story::Quiet, 0.2, 4, Layout { rotate: Rotation::Daily, compress: Some(Gz::Gzip), ..Layout::default() });
    let folder = cut.folder.path().join("logs/dept");
    let mut text = String::new();
    for age in (0..=10).rev() {
        let name = ["mail.log".to_owned(), format!("mail.log.{age}"), format!("mail.log.{age}.gz")][age.min(2)].clone();
        let file = std::fs::File::open(folder.join(name)).unwrap();
        match age {
            0 | 1 => (&file).read_to_string(&mut text).unwrap(),
            _ => flate2::read::GzDecoder::new(&file).read_to_string(&mut text).unwrap(),
        };
    }
    assert_eq!(text, plain.log("dept"));
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let out = folder.path().to_owned();
    let zone = Zone::UTC;
    let request = Request {
        system: System::Postfix,
        story: Story::Quiet,
        guise: Guise::Plain,
        scale: 1.0,
        seed: 1,
        out,
        layout: Layout::default(),
        forms: Forms::default(),
        zone,
    };
    assert!(matches!(simulate(&request, &mut |_| {}), Err(SimulateError::NotEmpty { .. })));
    let wrong = Request { scale: f64::NAN, out: folder.path().join("new"), ..request };
    assert!(matches!(simulate(&wrong, &mut |_| {}), Err(SimulateError::Scale { .. })));
}

/// Path, time and text of each member.
fn members(archive: &Path) -> Vec<(PathBuf, u64, String)> {
    let file = std::fs::File::open(archive).unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.path().unwrap().into_owned(), entry.header().mtime().unwrap(), text)
    });
    entries.collect()
}

#[test]
fn the_fixture_is_what_its_seed_gives() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/soka-postfix");
    let made = run(Story::Soka, 1.0, 1, Layout { archive: true, ..Layout::default() });
    if std::env::var_os("UPDATE").is_some() {
        for name in ["logs.tar.gz", "truth.json"] {
            std::fs::copy(made.folder.path().join(name), fixture.join(name)).unwrap();
        }
    }
    // Compared member by member, since a compressor may pack alike on two machines or not.
    assert!(
        members(&made.folder.path().join("logs.tar.gz")) == members(&fixture.join("logs.tar.gz")),
        "run with UPDATE=1 to renew the fixture"
    );
    let truth = std::fs::read_to_string(fixture.join("truth.json")).unwrap();
    assert_eq!(std::fs::read_to_string(made.folder.path().join("truth.json")).unwrap(), truth);
    let log = &members(&fixture.join("logs.tar.gz"))[0];
    assert_eq!(log.0, Path::new("logs/dept/mail.log"));
    assert!(log.1 > 1_667_300_000 && log.2.contains("message-id=<202210"), "the year has a witness");
}
