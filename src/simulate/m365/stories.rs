//! The stories as an analyst would count them in the exports of a tenant.

use crate::domain::time::Zone;
use crate::simulate::request::{AuditForm, Forms, Guise, Layout, QueueIds, Request, SignInForm, Story, System, TraceForm};
use crate::simulate::simulate;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

struct Run {
    folder: tempfile::TempDir,
    truth: Value,
}

fn run(system: System, story: Story, scale: f64, seed: u64, forms: Forms) -> Run {
    // Long queue ids are never used again.
    let layout = Layout { queue_ids: QueueIds::Long, ..Layout::default() };
    let folder = tempfile::tempdir().unwrap();
    let zone = Zone::parse("Asia/Tokyo").unwrap();
    let out = folder.path().to_owned();
    simulate(&Request { system, story, guise: Guise::Plain, scale, seed, out, layout, forms, zone }, &mut |_| {}).unwrap();
    let truth = serde_json::from_slice(&fs::read(folder.path().join("truth.json")).unwrap()).unwrap();
    Run { folder, truth }
}

fn m365(story: Story, scale: f64, seed: u64) -> Run {
    run(System::M365, story, scale, seed, Forms::default())
}

/// A row by the names of its columns.
type Row = BTreeMap<String, String>;

impl Run {
    fn rows(&self, folder: &str, name: &str) -> Vec<Row> {
        let folder = self.folder.path().join("logs").join(folder);
        let path = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| named(path, name));
        let text = fs::read_to_string(path.unwrap_or_else(|| panic!("no {name} in {}", folder.display()))).unwrap();
        super::tests::rows_of(&text)
    }

    fn sign_ins(&self) -> Vec<Row> {
        let (mut all, other) = (self.rows("sign-ins", "InteractiveSignIns"), self.rows("sign-ins", "NonInteractiveSignIns"));
        all.extend(other);
        all
    }

    /// The rows of the message trace, each once.
    fn trace(&self) -> Vec<Row> {
        let all = self.rows("message-trace", "MessageTrace.csv");
        let mut seen = BTreeSet::new();
        all.into_iter().filter(|row| seen.insert((row["MessageTraceId"].clone(), row["RecipientAddress"].clone()))).collect()
    }

    fn audit(&self) -> Vec<Value> {
        self.rows("audit-log", "UnifiedAuditLog").iter().map(|row| serde_json::from_str(&row["AuditData"]).unwrap()).collect()
    }

    fn incident(&self) -> &Value {
        assert_eq!(self.truth["incidents"].as_array().unwrap().len(), 1);
        &self.truth["incidents"][0]
    }

    fn attackers(&self) -> BTreeSet<&str> {
        self.incident()["origins"].as_array().unwrap().iter().map(|origin| origin["ip"].as_str().unwrap()).collect()
    }
}

fn named(path: &Path, name: &str) -> bool {
    let file = path.file_name().and_then(|file| file.to_str()).unwrap();
    file.starts_with(name) && !file.contains("AuthDetails")
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

#[test]
fn soka_is_795_messages_by_authenticated_smtp_of_which_the_tenant_blocks_784() {
    for seed in 1..=3 {
        let run = m365(Story::Soka, 1.0, seed);
        let (incident, attackers) = (run.incident(), run.attackers());
        let sent: Vec<Row> = run.trace().into_iter().filter(|row| attackers.contains(&*row["FromIP"])).collect();
        let with = |status: &str| sent.iter().filter(|row| row["Status"] == status).count();
        assert_eq!((sent.len(), with("Delivered"), with("Failed")), (795, 11, 784), "seed {seed}");
        assert_eq!((number(&incident["messages"]["total"]), number(&incident["blocked_by"]["own"])), (795, 784));

        let sign_ins: Vec<Row> = run.sign_ins().into_iter().filter(|row| attackers.contains(&*row["IP address"])).collect();
        assert!(sign_ins.iter().all(|row| row["Client app"] == "Authenticated SMTP" && row["Status"] == "Success"));
        let first = sign_ins.iter().min_by_key(|row| &row["Date (UTC)"]).unwrap();
        assert!(first["Date (UTC)"].starts_with("2022-10-31T07:01:"), "16:01 in Japan: {first:?}");
        assert_eq!(first["Username"], incident["accounts"][0].as_str().unwrap());
        assert_eq!(
            (&incident["first_login"]["ip"], &incident["first_login"]["protocol"]),
            (&(&*first["IP address"]).into(), &"smtp-auth".into())
        );
        let logins: usize = incident["origins"].as_array().unwrap().iter().map(|origin| number(&origin["logins"])).sum();
        assert_eq!(logins, sign_ins.len());
        assert!(incident["last_send"].as_str().unwrap().starts_with("2022-11-01T01:46:"));

        // Nobody failed at the account before, and its owner is told of every message that was blocked.
        let account = incident["accounts"][0].as_str().unwrap();
        assert!(run.sign_ins().iter().all(|row| row["Username"] != account || !["50126", "50053"].contains(&&*row["Sign-in error code"])));
        let notices =
            run.trace().iter().filter(|row| row["RecipientAddress"] == account && row["Subject"].starts_with("Undeliverable")).count();
        assert!(notices >= 784 && number(&incident["returned_notices"]["count"]) == 784, "{notices}");
        let restricted = run.audit().iter().filter(|record| record["Name"] == "User restricted from sending email").count();
        assert_eq!(restricted, 1);
    }
}

#[test]
fn every_refusal_says_why_and_who() {
    let run = m365(Story::Niigata, 0.002, 4);
    let (incident, attackers) = (run.incident(), run.attackers());
    let theirs: BTreeSet<String> =
        run.trace().into_iter().filter(|row| attackers.contains(&*row["FromIP"])).map(|row| row["MessageTraceId"].clone()).collect();
    assert_eq!(theirs.len(), number(&incident["messages"]["total"]));
    let detail = run.rows("message-trace", "MessageTraceDetail");
    let failed: Vec<&Row> = detail.iter().filter(|row| row["Event"] == "Fail" && theirs.contains(&row["MessageTraceId"])).collect();
    let with = |word: &str| failed.iter().filter(|row| row["Detail"].contains(word)).count();
    let recipients = &incident["recipients"];
    assert_eq!(with("QUEUE.Expired"), number(&recipients["expired"]));
    assert_eq!(failed.len(), ["blocked", "bounced", "expired"].map(|outcome| number(&recipients[outcome])).iter().sum::<usize>());
    assert_eq!(number(&incident["blocked_by"]["own"]), 0);
    assert!(number(&recipients["blocked"]) > 100 && with("QUEUE.Expired") > 0);
}

#[test]
fn lateral_leaves_its_changes_and_its_reading_in_the_audit_log() {
    let run = m365(Story::Lateral, 0.05, 3);
    let (incident, attackers) = (run.incident(), run.attackers());
    let theirs = |record: &&Value| {
        let ip = record["ClientIPAddress"].as_str().or(record["ClientIP"].as_str()).unwrap_or_default();
        attackers.iter().any(|attacker| ip == *attacker || ip.starts_with(&format!("{attacker}:")))
    };
    let audit = run.audit();
    let sessions: BTreeSet<&str> = audit
        .iter()
        .filter(|record| record["Operation"] == "MailItemsAccessed")
        .filter(theirs)
        .map(|record| record["SessionId"].as_str().unwrap())
        .collect();
    assert_eq!(number(&incident["mailbox_access"]["sessions"]), sessions.len());
    let changes: Vec<&str> =
        incident["account_changes"].as_array().unwrap().iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(changes, ["forwarding-set", "inbox-rule-created", "mfa-changed"]);
    for operation in ["Set-Mailbox", "New-InboxRule", "User registered security info"] {
        assert_eq!(audit.iter().filter(|record| record["Operation"] == operation).count(), 1, "{operation}");
    }

    // One account's password was right, but a policy kept the attacker out.
    let known: Vec<&Value> =
        incident["other_accounts"].as_array().unwrap().iter().filter(|other| other["password_known"] == true).collect();
    let kept: BTreeSet<String> =
        run.sign_ins().into_iter().filter(|row| row["Sign-in error code"] == "53003").map(|row| row["Username"].clone()).collect();
    assert_eq!(known.iter().map(|other| other["account"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(), kept);
    assert_eq!(kept.len(), 1);
}

#[test]
fn two_people_of_slowburn_are_told_apart_by_their_addresses() {
    let run = m365(Story::Slowburn, 1.0, 1);
    let (incident, attackers) = (run.incident(), run.attackers());
    let account = incident["accounts"][0].as_str().unwrap();
    let sent: BTreeMap<String, bool> = run
        .trace()
        .into_iter()
        .filter(|row| row["SenderAddress"] == account)
        .map(|row| (row["MessageTraceId"].clone(), attackers.contains(&*row["FromIP"])))
        .collect();
    let theirs = sent.values().filter(|theirs| **theirs).count();
    assert_eq!((theirs, number(&incident["messages"]["total"])), (600, 600));
    assert_eq!(sent.len(), number(&run.truth["accounts"][account]["messages"]["total"]), "and the owner's beside them");
    assert!(sent.len() > 610);
}

#[test]
fn stories_without_an_incident_have_none() {
    for story in [Story::Quiet, Story::Newsletter] {
        assert_eq!(m365(story, 0.2, 2).truth["incidents"], serde_json::json!([]), "{story}");
    }
}

/// The members of an archive with their times, by their paths.
fn members(archive: &Path) -> BTreeMap<String, (u64, Vec<u8>)> {
    let packed = fs::read(archive).unwrap_or_default();
    let mut members = BTreeMap::new();
    for member in tar::Archive::new(liblzma::read::XzDecoder::new(&packed[..])).entries().into_iter().flatten() {
        let Ok(mut member) = member else { break };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(member.path().unwrap().display().to_string(), (member.header().mtime().unwrap(), bytes));
    }
    members
}

/// Packs a folder `logs` as a fixture.
fn pack(from: &Path, archive: &Path) {
    let mut tar = tar::Builder::new(liblzma::write::XzEncoder::new(fs::File::create(archive).unwrap(), 9));
    tar.mode(tar::HeaderMode::Deterministic);
    for (path, bytes) in exports(from) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.1.len() as u64);
        header.set_mtime(bytes.0);
        header.set_mode(0o640);
        tar.append_data(&mut header, path, &bytes.1[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

/// The files of a run with their times, by their paths.
fn exports(from: &Path) -> BTreeMap<String, (u64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for folder in fs::read_dir(from.join("logs")).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let modified = fs::metadata(&path).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
            let name = path.strip_prefix(from).unwrap().display().to_string();
            all.insert(name, (modified, fs::read(&path).unwrap()));
        }
    }
    all
}

#[test]
fn the_fixture_is_what_its_seed_gives() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/soka-m365");
    let made = run(System::M365, Story::Soka, 1.0, 1, Forms { audit: AuditForm::None, ..Forms::default() });
    if std::env::var_os("UPDATE").is_some() {
        pack(made.folder.path(), &fixture.join("logs.tar.xz"));
        fs::copy(made.folder.path().join("truth.json"), fixture.join("truth.json")).unwrap();
    }
    assert!(exports(made.folder.path()) == members(&fixture.join("logs.tar.xz")), "run with UPDATE=1 to renew the fixture");
    let truth = fs::read_to_string(fixture.join("truth.json")).unwrap();
    assert_eq!(fs::read_to_string(made.folder.path().join("truth.json")).unwrap(), truth);
}

#[test]
fn the_truth_of_a_story_does_not_depend_on_the_shapes() {
    let other = Forms { sign_ins: SignInForm::Diagnostic, trace: TraceForm::Extended, ..Forms::default() };
    let (one, two) = (m365(Story::Soka, 0.1, 6), run(System::M365, Story::Soka, 0.1, 6, other));
    assert_eq!(one.truth["incidents"], two.truth["incidents"]);
    assert_eq!(one.truth["accounts"], two.truth["accounts"]);
}

#[test]
fn mailboxes_at_microsoft_and_sending_through_postfix_are_one_story() {
    let run = run(System::Hybrid, Story::Lateral, 0.05, 3, Forms::default());
    let (incident, attackers) = (run.incident(), run.attackers());
    let account = incident["sending_accounts"][0].as_str().unwrap();
    let log = fs::read_to_string(run.folder.path().join("logs/dept/mail.log")).unwrap();
    assert!(!log.contains("imap-login: Login"), "mailboxes are not here");
    let sessions = attackers.iter().map(|ip| format!("[{ip}], sasl_method")).collect::<Vec<_>>();
    let sent = log.lines().filter(|line| line.contains(account) && sessions.iter().any(|session| line.contains(session))).count();
    assert_eq!(sent, number(&incident["messages"]["total"]));
    let opened = run
        .sign_ins()
        .iter()
        .filter(|row| attackers.contains(&*row["IP address"]) && row["Client app"] == "IMAP4" && row["Status"] == "Success")
        .count();
    assert_eq!(opened, number(&incident["mailbox_access"]["sessions"]));
    assert_eq!(incident["first_login"]["protocol"], "imap");
}

#[test]
fn what_the_tenant_takes_and_a_postfix_server_sends_out_is_one_message() {
    let run = run(System::Relay, Story::Lateral, 0.05, 3, Forms::default());
    let (incident, attackers) = (run.incident(), run.attackers());
    let log = fs::read_to_string(run.folder.path().join("logs/dept/mail.log")).unwrap();
    assert!(!log.contains("sasl_username") && !log.contains("dovecot"), "nobody logs in here, and no mailbox is here");
    let taken_over: BTreeSet<String> =
        run.trace().into_iter().filter(|row| attackers.contains(&*row["FromIP"])).map(|row| row["MessageId"].clone()).collect();
    assert_eq!(taken_over.len(), number(&incident["messages"]["total"]));
    // The server knows each of them by the id that it has in the trace, and tells what became of it.
    let queue_ids: BTreeSet<&str> = log
        .lines()
        .filter_map(|line| line.split_once("]: ")?.1.split_once(": message-id="))
        .filter(|(_, id)| taken_over.contains(*id))
        .map(|(queue_id, _)| queue_id)
        .collect();
    assert_eq!(queue_ids.len(), taken_over.len());
    let told = |status: &str| {
        let of = |line: &&str| queue_ids.iter().any(|id| line.contains(&format!("]: {id}: to=<"))) && line.contains(status);
        log.lines().filter(of).count()
    };
    let recipients = &incident["recipients"];
    assert_eq!(told("status=sent"), number(&recipients["delivered"]));
    assert_eq!(told("status=bounced"), number(&recipients["bounced"]) + number(&recipients["blocked"]));
    let account = incident["sending_accounts"][0].as_str().unwrap();
    let returned = run.trace().iter().filter(|row| row["RecipientAddress"] == account && row["SenderAddress"] == "<>").count();
    assert!(returned >= number(&incident["returned_notices"]["count"]), "{returned}");
    assert!(number(&incident["returned_notices"]["count"]) > 10);
}

#[test]
fn soka_behind_a_relay_is_blocked_by_the_tenant() {
    let run = run(System::Relay, Story::Soka, 1.0, 2, Forms::default());
    let log = fs::read_to_string(run.folder.path().join("logs/dept/mail.log")).unwrap();
    let messages = &run.incident()["messages"];
    assert_eq!(["total", "delivered", "blocked"].map(|figure| number(&messages[figure])), [795, 11, 784]);
    assert_eq!(log.lines().filter(|line| line.contains("message-id=<") && line.contains("@mailbox-admin.example>")).count(), 11);
}
