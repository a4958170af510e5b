//! The shapes of the exports, read back by hand: the same records in each, whole, and with the products' own slips.

use super::acts::{Act, Actor, Extent};
use super::export::Export;
use super::guid::Guid;
use super::message::{Copy, End, Message, Server, Way};
use super::sign_in::{Code, Door, Who};
use super::tenant::{Phone, Tenant};
use crate::domain::time::SECOND;
use crate::simulate::request::{AuditForm, Culture, Forms, SignInForm, TraceForm};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// 2022-10-31T07:01:02.5Z
const START: i64 = 1_667_199_662_500_000;
const OWNER: &str = "yamada@dept.u.example";

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An owner's day, a few guesses at strangers' names, and an attacker who sends three messages.
fn tenant() -> Tenant {
    let mut tenant = Tenant::new(5, &[OWNER.to_owned(), "sato.a@dept.u.example".to_owned()]);
    let (campus, attacker) = (address("192.0.2.41"), address("203.0.113.40"));
    let (session, _) = tenant.browse(START, 0, campus, Door::Browser, Phone::Used);
    tenant.refresh(START + 60 * SECOND, 1, campus, Door::Outlook);
    tenant.mistype(START + 90 * SECOND, 1, campus, Door::Browser);
    tenant.legacy(
        START + 95 * SECOND,
        Who::Nobody("admin@dept.u.example".to_owned()),
        address("2001:db8:bad::9"),
        Door::Imap,
        Code::NoSuchUser,
    );
    tenant.legacy(START + 100 * SECOND, Who::Account(0), attacker, Door::SmtpAuth, Code::Success);
    let by = Actor { account: 0, from: campus, door: Door::Browser, session };
    tenant.read(START + 5 * SECOND, by, Extent::Messages { first: 0, count: 45 });
    tenant.record(START + 30 * SECOND, Act::SecurityInfo { by });
    let server = Server { name: "mx.firm-1.example".to_owned(), ip: "198.51.100.7".to_owned() };
    let ends = [
        End::Sent(server.clone()),
        End::Failed { reply: "550 5.1.8 Access denied, bad outbound sender".to_owned(), by: None },
        End::Failed { reply: "550 5.1.1 <x@firm-1.example>: no such user".to_owned(), by: Some(server) },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let at = START + (101 + number as i64) * SECOND;
        let copy = Copy { to: format!("x{number}@firm-1.example"), end, settled: at + SECOND, deferrals: Vec::new() };
        let message = Message {
            at,
            id: tenant.next_message(),
            message_id: format!("{number}@mailbox-admin.example"),
            sender: OWNER.to_owned(),
            subject: "容量を確認; \"now\"".to_owned(),
            size: 2000,
            way: Way::SmtpAuth,
            client: Some(attacker),
            about: None,
            copies: vec![copy],
        };
        tenant.keep(message);
    }
    tenant
}

/// The files of an export, by folder.
struct Exported {
    sign_ins: Vec<File>,
    audit: Vec<File>,
    trace: Vec<File>,
}

struct File {
    path: String,
    bytes: Vec<u8>,
}

fn export(forms: Forms) -> Exported {
    export_of(tenant(), forms)
}

fn export_of(tenant: Tenant, forms: Forms) -> Exported {
    let folder = tempfile::tempdir().unwrap();
    let mut export = Export::new(folder.path().to_owned(), START);
    tenant.export(forms, (START - 86_400 * SECOND, START + 86_400 * SECOND), &mut export);
    let totals = export.finish().unwrap();
    let exported = Exported {
        sign_ins: files(&folder.path().join("sign-ins")),
        audit: files(&folder.path().join("audit-log")),
        trace: files(&folder.path().join("message-trace")),
    };
    for (folder, files) in [("sign-ins", &exported.sign_ins), ("audit-log", &exported.audit), ("message-trace", &exported.trace)] {
        let records: u64 = files.iter().map(records).sum();
        let counted = totals.iter().find(|total| total.host == folder).map_or(0, |total| total.lines);
        assert_eq!(records, counted, "{folder}");
    }
    exported
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<File> {
    let mut found: Vec<File> = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|file| File { path: format!("{name}/{}", file.path), bytes: file.bytes }));
        } else {
            found.push(File { path: name, bytes: fs::read(&path).unwrap() });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Records of a file: rows of a table with its head, members of an array or a page, lines.
fn records(file: &File) -> u64 {
    if file.path.ends_with(".csv") {
        return table(file).1.len() as u64 + 1;
    }
    match serde_json::from_slice::<Value>(&file.bytes) {
        Ok(Value::Array(all)) => all.len() as u64,
        Ok(page) if page.get("value").is_some() => page["value"].as_array().unwrap().len() as u64,
        _ => text(file).lines().count() as u64,
    }
}

fn file<'a>(files: &'a [File], name: &str) -> &'a File {
    files.iter().find(|file| file.path.contains(name)).unwrap_or_else(|| panic!("no {name} among {:?}", paths(files)))
}

fn paths(files: &[File]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

fn text(file: &File) -> String {
    let bytes = &file.bytes;
    let text = if bytes.get(1) == Some(&0) {
        let units: Vec<u16> = bytes.chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        String::from_utf16(&units).unwrap()
    } else {
        String::from_utf8(bytes.clone()).unwrap()
    };
    text.trim_start_matches('\u{feff}').to_owned()
}

/// The cells of a CSV, which may have line breaks in them; the names of the columns come first.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let (mut quoted, mut characters) = (false, text.chars().peekable());
    while let Some(c) = characters.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => row.last_mut().unwrap().push(characters.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().unwrap().push(c),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last row is whole");
    rows
}

/// The rows of a CSV by the names of its columns.
pub(super) fn rows_of(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = cells(text.trim_start_matches('\u{feff}'));
    let header = rows.remove(0);
    rows.into_iter().map(|row| header.iter().cloned().zip(row).collect()).collect()
}

fn table(file: &File) -> (Vec<String>, Vec<Vec<String>>) {
    let mut rows = cells(&text(file));
    let header = rows.remove(0);
    for row in &rows {
        assert_eq!(row.len(), header.len(), "{}: {row:?}", file.path);
    }
    (header, rows)
}

fn column(file: &File, name: &str) -> Vec<String> {
    let (header, rows) = table(file);
    let at = header.iter().position(|one| one == name).unwrap_or_else(|| panic!("no column {name} in {header:?}"));
    rows.into_iter().map(|row| row[at].clone()).collect()
}

fn lines(file: &File) -> Vec<Value> {
    text(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Ids, names, addresses and codes of all sign-ins of an export.
type Told = BTreeSet<(String, String, String, u64)>;

fn from_columns(files: &[File], only: &str, names: [&str; 4]) -> Told {
    let mut told = Told::new();
    for file in files.iter().filter(|file| file.path.contains(only) && !file.path.contains("AuthDetails")) {
        let [ids, users, addresses, codes] = names.map(|name| column(file, name));
        for (((id, user), address), code) in ids.into_iter().zip(users).zip(addresses).zip(codes) {
            told.insert((id, user, address, code.parse().unwrap()));
        }
    }
    told
}

fn from_objects<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Told {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    objects
        .into_iter()
        .map(|o| (text(&o["id"]), text(&o["userPrincipalName"]), text(&o["ipAddress"]), o["status"]["errorCode"].as_u64().unwrap()))
        .collect()
}

#[test]
fn every_shape_tells_the_same_sign_ins() {
    let of = |sign_ins| export(Forms { sign_ins, ..Forms::default() }).sign_ins;
    let portal = from_columns(&of(SignInForm::PortalCsv), "SignIns", ["Request ID", "Username", "IP address", "Sign-in error code"]);
    let codes: BTreeSet<u64> = portal.iter().map(|one| one.3).collect();
    assert_eq!(codes, [0, 50034, 50074, 50126, 50140].into());

    let whole = |file: &File| serde_json::from_slice::<Value>(&file.bytes).unwrap();
    let json: Vec<Value> = of(SignInForm::PortalJson).iter().flat_map(|file| whole(file).as_array().unwrap().clone()).collect();
    assert_eq!(from_objects(&json), portal);
    let pages: Vec<Value> = of(SignInForm::Graph).iter().flat_map(|page| whole(page)["value"].as_array().unwrap().clone()).collect();
    assert_eq!(from_objects(&pages), portal);

    // A stream tells what was known at the time as well: that the phone was still to be touched.
    let waiting = |told: Told| -> Told { told.difference(&portal).cloned().collect() };
    let blobs = of(SignInForm::Diagnostic);
    let records: Vec<Value> = blobs.iter().flat_map(lines).collect();
    let told = from_objects(records.iter().map(|record| &record["properties"]));
    assert!(portal.is_subset(&told));
    assert!(waiting(told).iter().all(|one| one.3 == 50074));
    assert!(blobs.iter().all(|blob| blob.path.contains("/y=2022/m=10/d=31/h=07/m=00/PT1H.json")), "{:?}", paths(&blobs));

    let told = from_columns(&of(SignInForm::LogAnalytics), "", ["Id", "UserPrincipalName", "IPAddress", "ResultType"]);
    assert!(portal.is_subset(&told));
    assert_eq!(waiting(told).len(), 1);
    assert!(of(SignInForm::AuditOnly).is_empty());
}

#[test]
fn the_portals_table_has_its_57_columns_with_their_slips() {
    let sign_ins = export(Forms::default()).sign_ins;
    let names = ["InteractiveSignIns_2022-10-30_2022-11-01.csv", "_AuthDetails.csv", "NonInteractiveSignIns_2022-10-30_2022-11-01.csv"];
    for name in names {
        file(&sign_ins, name);
    }
    let (header, rows) = table(&sign_ins[0]);
    assert_eq!(header.len(), 57);
    assert_eq!(header.iter().filter(|name| *name == "Incoming token type").count(), 2);
    for slip in ["Application ID ", "Resource ID ", "Autonomous system  number"] {
        assert!(header.iter().any(|name| name == slip), "{slip}");
    }
    assert!(rows.is_sorted_by(|later, earlier| later[0] >= earlier[0]), "the newest stands first");
    let both = |name: &str| [column(&sign_ins[0], name), column(&sign_ins[2], name)].concat();
    assert!(both("Location").contains(&"Washington, D.C., District Of Columbia, US".to_owned()));
    assert!(both("Client app").contains(&"Authenticated SMTP".to_owned()));
    // The second factor has a row of its own among the details.
    let factors = column(file(&sign_ins, "AuthDetails"), "Authentication method");
    assert_eq!(factors.iter().filter(|factor| *factor == "Mobile app notification").count(), 2);
}

#[test]
fn the_audit_log_has_the_same_records_in_every_container() {
    let of = |audit, culture| export(Forms { audit, culture, ..Forms::default() }).audit.remove(0);
    let parse = |cells: Vec<String>| -> Vec<Value> { cells.iter().map(|cell| serde_json::from_str(cell).unwrap()).collect() };
    let search = of(AuditForm::Search, Culture::DeDe);
    let from_search = parse(column(&search, "AuditData"));
    assert_eq!(parse(column(&of(AuditForm::Purview, Culture::EnUs), "AuditData")), from_search);
    assert_eq!(lines(&of(AuditForm::JsonLines, Culture::EnUs)), from_search);

    assert!(column(&search, "CreationDate").iter().all(|date| date.starts_with("31.10.2022 07:0")));
    let operations: Vec<&str> = from_search.iter().map(|record| record["Operation"].as_str().unwrap()).collect();
    let count = |name: &str| operations.iter().filter(|operation| **operation == name).count();
    // The refreshed token is no login of the audit log. 45 messages are told in portions of 20.
    assert_eq!((count("UserLoggedIn"), count("UserLoginFailed"), count("MailItemsAccessed")), (3, 3, 3));
    let items: u64 = from_search.iter().filter_map(|record| record["OperationCount"].as_u64()).sum();
    assert_eq!(items, 45);
    let raw = text(&search);
    assert!(raw.contains("Mozilla\\/5.0") && !raw.contains("Mozilla/5.0"), "slashes are escaped");
}

#[test]
fn pages_of_the_audit_log_overlap() {
    let mut tenant = Tenant::new(5, &[OWNER.to_owned()]);
    let by = Actor { account: 0, from: address("192.0.2.41"), door: Door::Browser, session: Guid::NIL };
    for number in 0..1500 {
        tenant.record(START + number * SECOND, Act::SecurityInfo { by });
    }
    let audit = export_of(tenant, Forms::default()).audit;
    let ids = column(&audit[0], "Identity");
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (1502, 1500));
    assert_eq!(column(&audit[0], "ResultCount")[0], "1500");
}

#[test]
fn a_trace_has_the_outcome_and_its_details_have_the_reason() {
    for (culture, received) in [(Culture::EnUs, "10/31/2022 7:02:44 AM"), (Culture::JaJp, "2022/10/31 7:02:44")] {
        let trace = export(Forms { culture, ..Forms::default() }).trace;
        let messages = file(&trace, "MessageTrace.csv");
        assert_eq!(column(messages, "Status"), ["Failed", "Failed", "Delivered"]);
        assert_eq!(column(messages, "Received")[1], received);
        assert_eq!(column(messages, "FromIP"), ["203.0.113.40"; 3]);
        let detail = file(&trace, "MessageTraceDetail.csv");
        let reasons: Vec<String> = column(detail, "Detail").into_iter().filter(|detail| detail.starts_with("Reason: ")).collect();
        assert!(reasons[0].contains("LED=550 5.1.8") && reasons[0].contains("FQDN=}"), "{reasons:?}");
        assert!(reasons[1].contains("LED=550 5.1.1") && reasons[1].contains("FQDN=mx.firm-1.example}"), "{reasons:?}");
    }
}

#[test]
fn the_reports_of_a_historical_search_are_utf_16_without_a_mark() {
    let trace = export(Forms { trace: TraceForm::Summary, ..Forms::default() }).trace;
    let summary = file(&trace, "MTSummary");
    assert_eq!(&summary.bytes[..4], b"\"\0o\0");
    let fail = |n: u32| format!("x{n}@firm-1.example##Receive, Fail");
    assert_eq!(column(summary, "recipient_status"), ["x0@firm-1.example##Receive, Send".to_owned(), fail(1), fail(2)]);
    assert_eq!(column(summary, "message_subject")[0], "容量を確認; \"now\"");
    assert_eq!(column(file(&trace, "MTDetail"), "event_id").iter().filter(|event| *event == "FAIL").count(), 2);
    let extended = export(Forms { trace: TraceForm::Extended, ..Forms::default() }).trace;
    let events = column(&extended[0], "event_id");
    assert_eq!(events, ["RECEIVE", "AGENTINFO", "SENDEXTERNAL", "RECEIVE", "AGENTINFO", "FAIL", "RECEIVE", "AGENTINFO", "FAIL"]);
}
