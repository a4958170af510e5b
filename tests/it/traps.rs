//! Traps of a tenant's exports that only the whole command can fall into: each is set as the exports set it, and named by what it catches.

use crate::command::{Report, analyze, command, ended, number};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with these files.
fn folder(contents: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in contents {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// An account's row of the report.
fn account<'r>(report: &'r Report, name: &str) -> &'r Value {
    let all = report.json["accounts"].as_array().unwrap();
    all.iter().find(|account| account["account"] == name).unwrap_or_else(|| panic!("no {name} among {all:?}"))
}

fn limitations(report: &Report) -> String {
    report.json["limitations"].to_string()
}

/// A record of the audit log writes its time without a zone, and it is UTC: wherever the analyst's machine stands, and whatever zone
/// is given for logs that do not tell theirs.
#[test]
fn trap_5_a_creation_time_without_a_zone_is_utc_on_every_machine() {
    let record = r#"{"CreationTime":"2025-12-04T08:19:41","Id":"1","Operation":"UserLoggedIn","RecordType":15,"UserId":"jane@u.example","ActorIpAddress":"203.0.113.9","ErrorNumber":"0"}"#;
    let evidence = folder(&[("audit.json", record)]);
    let told = |zone: &str, options: &[&str]| {
        let mut command = command();
        command.env("TZ", zone).args(["analyze", "--format", "json", "--tz", "Asia/Tokyo"]).args(options).arg(evidence.path());
        let run = ended(command.output().unwrap());
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        report["accounts"][0]["first"].as_str().unwrap_or_default().to_owned()
    };
    for zone in ["UTC", "Asia/Tokyo", "America/St_Johns"] {
        assert_eq!(told(zone, &[]), "2025-12-04T17:19:41+09:00", "{zone}");
    }
    assert_eq!(told("UTC", &["--log-tz", "Asia/Tokyo"]), "2025-12-04T17:19:41+09:00");
}

/// The last word of a recipient decides, a group is no recipient beside its members, and a row that the collector's two queries, by
/// sender and by recipient, both gave is one row.
#[test]
fn trap_18_last_words_groups_and_rows_that_two_queries_gave() {
    let summary = "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,directionality,connector_id,delivery_priority\n\
2025-12-04T08:40:00.0000000Z,jane@u.example,\"a@x.test##Receive, Expand, Fail\",One,900,<m1@u.example>,44444444-0000-4000-8000-000000000001,203.0.113.9,2,,Normal\n";
    let report = analyze(&[folder(&[("summary.csv", summary)]).path()], &[]);
    let recipients = &account(&report, "jane@u.example")["recipients"];
    assert_eq!((number(&recipients["total"]), number(&recipients["bounced"])), (1, 1), "{recipients}");

    let heading = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId";
    let row = |to: &str, status: &str, ip: &str| {
        format!(
            "<m2@u.example>,2025-12-04T08:41:00Z,jane@u.example,{to},Two,{status},{ip},203.0.113.9,900,44444444-0000-4000-8000-000000000002"
        )
    };
    let sent = [row("staff@u.example", "Expanded", ""), row("ken@u.example", "Delivered", ""), row("mia@u.example", "Delivered", "")];
    let out = row("x@r.example", "Delivered", "198.51.100.7");
    // The query by recipient gives a row again, with the address in the case in which it was asked for.
    let again = row("Ken@u.example", "Delivered", "");
    let trace = [&[heading.to_owned()], &sent[..], &[out.clone(), again, out]].concat().join("\n");
    let login = r#"{"id":"1","createdDateTime":"2025-12-04T08:19:41Z","userPrincipalName":"jane@u.example","status":{"errorCode":0}}"#;
    let report = analyze(&[folder(&[("trace.csv", &trace), ("sign-ins.json", login)]).path()], &[]);
    let (messages, recipients) = (&account(&report, "jane@u.example")["messages"], &account(&report, "jane@u.example")["recipients"]);
    assert_eq!((number(&messages["total"]), number(&messages["delivered"])), (1, 1), "{messages}");
    assert_eq!((number(&recipients["total"]), number(&recipients["delivered"])), (3, 3), "{recipients}");
    let lines = &report.source("trace.csv")["lines"];
    assert_eq!((number(&lines["total"]), number(&lines["ignored_because"]["duplicate"])), (7, 2), "{lines}");
}

/// A sign-in whose values a tool lost or a spreadsheet damaged.
fn damaged(name: &str, text: &str) -> Report {
    analyze(&[folder(&[(name, text)]).path()], &[])
}

/// What a tool printed in place of values is never a success, what can be read of it counts, and the damage is said.
#[test]
fn trap_19_lost_depth_and_damaged_cells_are_said_and_never_a_success() {
    let table = |status: &str| {
        format!(
            "Id,CreatedDateTime,UserPrincipalName,IPAddress,Status,LocationDetails\n1,2025-12-04T08:19:41Z,jane@u.example,203.0.113.9,{status},System.Object[]\n"
        )
    };
    for lost in ["Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus", "System.Object[]", "System.Collections.Hashtable"] {
        let report = damaged("sign-ins.csv", &table(lost));
        let jane = account(&report, "jane@u.example");
        assert_eq!((number(&jane["logins"]), number(&jane["failures"])), (0, 0), "{lost}");
        assert!(limitations(&report).contains("lost the result of 1 sign-in(s)"), "{lost}: {}", limitations(&report));
    }
    for (printed, logins, failures) in [("@{errorCode=50126; failureReason=x}", 0, 1), ("@{errorCode=0; failureReason=}", 1, 0)] {
        let report = damaged("sign-ins.csv", &table(printed));
        let jane = account(&report, "jane@u.example");
        assert_eq!((number(&jane["logins"]), number(&jane["failures"])), (logins, failures), "{printed}");
        assert!(limitations(&report).contains("cut or printed as text by a tool"), "{printed}: {}", limitations(&report));
    }

    // A spreadsheet leaves the hour of one date column; the other one still tells. Where neither does, the row is unreadable and said.
    let heading = "TimeGenerated [UTC],CreatedDateTime [UTC],Id,UserPrincipalName,IPAddress,ResultType";
    let half = damaged("table.csv", &format!("{heading}\n\"12/4/2025, 8:25:00.000 AM\",12:36 PM,1,jane@u.example,203.0.113.9,50126\n"));
    let jane = account(&half, "jane@u.example");
    assert_eq!((number(&jane["failures"]), &jane["first"]), (1, &Value::from("2025-12-04T17:25:00+09:00")));
    let none = damaged("table.csv", &format!("{heading}\n45:17.3,12:36 PM,1,jane@u.example,203.0.113.9,0\n"));
    assert_eq!((number(&none.source("table.csv")["lines"]["malformed"]), none.code), (1, 3));
    assert!(none.json["accounts"].as_array().unwrap().is_empty());

    // A cell of a spreadsheet ends after 32,767 characters, in the middle of the record: what stands before the cut is true.
    let record = format!(
        r#"{{"CreationTime":"2025-12-04T08:19:41","Id":"1","Operation":"UserLoginFailed","RecordType":15,"UserId":"jane@u.example","ActorIpAddress":"203.0.113.9","ErrorNumber":"50126","Padding":"{}"#,
        "x".repeat(40_000)
    );
    let cell = record[..32_767].replace('"', "\"\"");
    let report = damaged(
        "audit.csv",
        &format!(
            "RecordType,CreationDate,UserIds,Operations,AuditData\nAzureActiveDirectoryStsLogon,12/4/2025 8:19:41 AM,jane@u.example,UserLoginFailed,\"{cell}\"\n"
        ),
    );
    let jane = account(&report, "jane@u.example");
    assert_eq!((number(&jane["logins"]), number(&jane["failures"])), (0, 1));
    // The evidence is damaged, and both the exit code and the report say so: how many records, in which file, from which line on.
    let said = "audit.csv: 1 record(s) break off within a cell, and what stood behind that is lost; the first is line 2";
    assert!(limitations(&report).contains(said), "{}", limitations(&report));
    assert_eq!((report.code, report.json["complete"].as_bool()), (3, Some(false)));
    // A record that is whole is no damage, however long.
    let whole = format!("{record}\"}}").replace('"', "\"\"");
    let heading = "RecordType,CreationDate,UserIds,Operations,AuditData";
    let row = "AzureActiveDirectoryStsLogon,12/4/2025 8:19:41 AM,jane@u.example,UserLoginFailed";
    assert_eq!(damaged("audit.csv", &format!("{heading}\n{row},\"{whole}\"\n")).code, 0);
}

fn says_of(evidence: &Path, word: &str) -> bool {
    limitations(&analyze(&[evidence], &[])).contains(word)
}

/// A number of records at which searches stop, a page that names the next one, a search that failed and an operation that a licence
/// decides about: nothing of it reads as "nothing more happened".
#[test]
fn trap_20_caps_pages_failed_searches_and_licences_are_said() {
    const CAP: &str = "a number of records at which searches stop";
    let row = |n: usize| {
        format!(
            "2,12/4/2025 8:19:41 AM,jane@u.example,HardDelete,\"{{\"\"CreationTime\"\":\"\"2025-12-04T08:19:41\"\",\"\"Id\"\":\"\"{n}\"\",\"\"Operation\"\":\"\"HardDelete\"\",\"\"UserId\"\":\"\"jane@u.example\"\"}}\",{n}\n"
        )
    };
    let heading = "RecordType,CreationDate,UserIds,Operations,AuditData,ResultIndex\n";
    let rows = |n: usize| heading.to_owned() + &(1..=n).map(row).collect::<String>();
    for (n, capped) in [(50_000, true), (49_999, false), (5_000, true)] {
        assert_eq!(says_of(folder(&[("audit.csv", &rows(n))]).path(), CAP), capped, "{n}");
    }
    let failed = format!("{}2,12/4/2025 8:19:41 AM,,,,-1\n", rows(1));
    assert!(says_of(folder(&[("audit.csv", &failed)]).path(), "the search failed for 1 record(s)"));
    assert!(says_of(folder(&[("audit.csv", &rows(1))]).path(), "no MailItemsAccessed record of anybody"));
    let page = r#"{"value":[{"id":"1","createdDateTime":"2025-12-04T08:19:41Z","userPrincipalName":"jane@u.example","status":{"errorCode":0}}],"@odata.nextLink":"https://graph.example/next"}"#;
    assert!(says_of(folder(&[("page.json", page)]).path(), "a page names a following one"));
    let last = page.replace(r#","@odata.nextLink":"https://graph.example/next""#, "");
    assert!(!says_of(folder(&[("page.json", &last)]).path(), "a page names a following one"));
}
