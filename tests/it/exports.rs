//! A tenant's exports as people leave them: with columns taken out, told twice by two tools, cut where a disk was full. An attacker
//! (203.0.113.9) signed in as jane; what else happened stands in each test.

use crate::command::{Report, analyze};
use serde_json::Value;
use std::fs;

/// The portal's table of sign-ins, as its download of few columns.
const SIGN_INS: &str = "Date (UTC),Request ID,Correlation ID,User ID,User,Username,Application,IP address,Location,Status,Sign-in error code,Failure reason,Client app\n";

/// One row of it.
fn sign_in(id: u32, at: &str, user: &str, ip: &str, code: u32) -> String {
    let status = if code == 0 { "Success" } else { "Failure" };
    format!(
        "2025-12-04T{at}Z,00000001-0000-4000-8000-{id:012},00000002-0000-4000-8000-{id:012},00000003-0000-4000-8000-000000000001,X,{user}@u.example,OfficeHome,{ip},\"Sapporo, Hokkaido, JP\",{status},{code},Other.,Browser\n"
    )
}

/// Jane's password was used by the attacker at 08:01, Bob signed in from where he always does.
fn sign_ins() -> (&'static str, String) {
    let rows = [sign_in(1, "08:01:00", "jane", "203.0.113.9", 0), sign_in(2, "08:02:00", "bob", "192.0.2.5", 0)];
    ("sign-ins.csv", SIGN_INS.to_owned() + &rows.concat())
}

/// The report on these files, where the analyst names the attacker's address.
fn report(files: &[(&str, String)]) -> Report {
    report_with(files, &[])
}

/// The same with more options.
fn report_with(files: &[(&str, String)], options: &[&str]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    analyze(&[folder.path()], &[&["--attacker-ip", "203.0.113.9"], options].concat())
}

/// The limitations that hold a word.
fn told(report: &Report, word: &str) -> Vec<String> {
    let all = report.json["limitations"].as_array().unwrap().iter().map(|limit| limit.as_str().unwrap().to_owned());
    all.filter(|limit| limit.contains(word)).collect()
}

/// How many of a tally ended how, as `delivered 2, blocked 1`.
fn figures(tally: &Value) -> String {
    let ends = ["delivered", "partly_delivered", "blocked", "bounced", "deferred", "relayed", "unknown"];
    let shown = |name: &&str| tally[*name].as_u64().filter(|n| *n > 0).map(|n| format!("{name} {n}"));
    ends.iter().filter_map(shown).collect::<Vec<_>>().join(", ")
}

/// What the report says of an account.
fn account<'r>(report: &'r Report, name: &str) -> &'r Value {
    let all = report.json["accounts"].as_array().unwrap();
    all.iter().find(|account| account["account"] == name).unwrap_or_else(|| panic!("{name} is not among {all:?}"))
}

/// The accounts of the only incident.
fn accounts(report: &Report) -> Vec<&str> {
    report.only_incident()["accounts"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// Two messages of jane's, the first to two people. The columns that name messages were taken out to make the table shorter.
#[test]
fn a_message_trace_without_its_columns_of_ids_is_a_message_trace() {
    let full = "PSComputerName,RunspaceId,Organization,MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,StartDate,EndDate,Index";
    let short = "Received,SenderAddress,RecipientAddress,Subject,Status";
    let rows = [("09:00:00", "m1", "a"), ("09:00:00", "m1", "b"), ("09:30:00", "m2", "a")];
    let by_name = |(at, id, to): (&str, &str, &str)| {
        format!(
            "c,00000007-0000-4000-8000-000000000001,u.example,<{id}@u.example>,2025-12-04T{at}Z,jane@u.example,{to}@x.test,hi,Delivered,,203.0.113.9,1000,2025-12-01T00:00:00Z,2025-12-05T00:00:00Z,0\n"
        )
    };
    let nameless = |(at, _, to): (&str, &str, &str)| format!("2025-12-04T{at}Z,jane@u.example,{to}@x.test,hi,Delivered\n");
    let tables = [
        (format!("{full}\n{}", rows.map(by_name).concat()), 0),
        (
            format!(
                "{}\n{}",
                full.replace("MessageId,", ""),
                rows.map(|row| by_name(row).replace(&format!("<{}@u.example>,", row.1), "")).concat()
            ),
            1,
        ),
        (format!("{short}\n{}", rows.map(nameless).concat()), 1),
    ];
    for (table, said) in tables {
        let report = report(&[sign_ins(), ("trace.csv", table.clone())]);
        assert_eq!(report.source("trace.csv")["format"], "m365.trace.csv", "{table}");
        assert_eq!(accounts(&report), ["jane@u.example"]);
        let jane = account(&report, "jane@u.example");
        assert_eq!((&jane["logins"], figures(&jane["messages"])), (&Value::from(1), "delivered 2".to_owned()));
        assert_eq!(figures(&jane["recipients"]), "delivered 3");
        assert_eq!(told(&report, "row(s) name no message").len(), said, "{table}");
    }
}

const STEPS: &str = "date_time_utc,client_ip,client_hostname,server_ip,server_hostname,source_context,connector_id,source,event_id,internal_message_id,message_id,network_message_id,recipient_address,recipient_status,total_bytes,recipient_count,related_recipient_address,reference,message_subject,sender_address,return_path,message_info,directionality,tenant_id,original_client_ip,original_server_ip,custom_data\n";
const MAIL: &str = "Timestamp,NetworkMessageId,InternetMessageId,SenderMailFromAddress,SenderFromAddress,SenderIPv4,RecipientEmailAddress,Subject,EmailDirection,DeliveryAction,DeliveryLocation\n";
const TRACE_DETAIL: &str = "MessageTraceId,MessageId,Date,Event,Action,Detail,Data,SenderAddress,RecipientAddress\n";

/// One message of jane's to a stranger, as each of two exports tells it that names no next hop.
#[test]
fn mail_that_another_domains_server_took_is_delivered_whether_or_not_the_export_names_the_server() {
    let id = "00000004-0000-4000-8000-000000000001,<m1@u.example>";
    let defender = format!(
        "{MAIL}2025-12-04T09:00:00Z,{id},jane@u.example,jane@u.example,203.0.113.9,a@x.test,hi,Outbound,Delivered,On-premises/External\n"
    );
    let step = |event: &str| format!("{id},2025-12-04T09:00:00Z,{event},,,,jane@u.example,a@x.test\n");
    let detail = format!("{TRACE_DETAIL}{}{}", step("Receive"), step("Send"));
    for table in [defender, detail] {
        let report = report(&[sign_ins(), ("mail.csv", table.clone())]);
        assert_eq!(figures(&account(&report, "jane@u.example")["recipients"]), "delivered 1", "{table}");
    }
}

/// Jane's password was used from the attacker's address, and mail was written in the browser: a server of the service handed it in.
#[test]
fn mail_out_of_a_mailbox_came_from_where_its_first_client_was() {
    let row = |source: &str, event: &str, host: &str| {
        format!(
            "2025-12-04T09:00:01.000Z,192.0.2.77,,,{host},,,{source},{event},,<m1@u.example>,00000004-0000-4000-8000-000000000001,a@x.test,,,1,,,hi,jane@u.example,jane@u.example,,Originating,,203.0.113.9,,\n"
        )
    };
    let steps = [STEPS.to_owned(), row("STOREDRIVER", "RECEIVE", ""), row("SMTP", "SENDEXTERNAL", "mx.x.test")].concat();
    let report = report(&[sign_ins(), ("steps.csv", steps)]);
    let incident = report.only_incident();
    assert_eq!((figures(&incident["messages"]), &incident["origins"][0]["messages"]), ("delivered 1".to_owned(), &Value::from(1)));
}

const OFFICE_ACTIVITY: &str = "RecordType,TimeGenerated [UTC],Operation,UserType,OfficeWorkload,ResultStatus,UserId,ClientIP,Parameters,Logon_Type,MailboxOwnerUPN,ClientInfoString,Client_IPAddress,Folders,OperationProperties,OperationCount\n";

/// A row of a table whose cells are quoted.
fn row(cells: &[&str]) -> String {
    cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n"
}

/// A record of the audit log, with members of its own.
fn audited(id: u32, at: &str, operation: &str, members: &str) -> String {
    format!(
        r#"{{"CreationTime":"2025-12-04T{at}","Id":"00000006-0000-4000-8000-{id:012}","Operation":"{operation}","RecordType":2,"Workload":"Exchange","UserType":0,"UserId":"jane@u.example"{members}}}"#
    )
}

/// The attacker read three of jane's messages and made a rule; the workspace has no ids of these records, the audit log has.
#[test]
fn what_the_workspace_and_the_audit_log_both_tell_happened_once() {
    let items = r#"[{"Path":"\\Inbox","FolderItems":[{"Id":"x1"},{"Id":"x2"},{"Id":"x3"}]}]"#;
    let properties = r#"[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]"#;
    let rule = r#"[{"Name":"Name","Value":"."}]"#;
    let (jane, client, ip) = ("jane@u.example", "Client=OWA;Action=ViaProxy", "203.0.113.9");
    let read = [
        "50",
        "12/4/2025, 8:10:00.000 AM",
        "MailItemsAccessed",
        "Regular",
        "Exchange",
        "Succeeded",
        jane,
        "",
        "",
        "Owner",
        jane,
        client,
        ip,
    ];
    let made = [
        "1",
        "12/4/2025, 8:12:00.000 AM",
        "New-InboxRule",
        "Regular",
        "Exchange",
        "TRUE",
        jane,
        "203.0.113.9:555",
        rule,
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    ];
    let activity = [OFFICE_ACTIVITY.to_owned(), row(&[&read[..], &[items, properties, "3"]].concat()), row(&made)].concat();
    let place = r#","ClientIPAddress":"203.0.113.9","MailboxOwnerUPN":"jane@u.example""#;
    let spaced = items.replace(',', ", ");
    let log = [
        audited(
            1,
            "08:10:00",
            "MailItemsAccessed",
            &format!(r#"{place},"OperationProperties":{properties},"OperationCount":3,"Folders":{spaced}"#),
        ),
        audited(2, "08:12:00", "New-InboxRule", &format!(r#","ClientIP":"203.0.113.9:555","Parameters":{rule}"#)),
    ]
    .join("\n");
    let counted = |files: &[(&str, String)]| {
        let report = report(files);
        let incident = report.only_incident();
        (incident["mailbox_access"]["items"].as_u64(), incident["account_changes"].as_array().unwrap().len())
    };
    let (one, other) = (("activity.csv", activity.clone()), ("activity-2.csv", activity));
    assert_eq!(counted(&[sign_ins(), one.clone()]), (Some(3), 1));
    assert_eq!(counted(&[sign_ins(), one.clone(), other]), (Some(3), 1));
    assert_eq!(counted(&[sign_ins(), one, ("audit.json", log.clone())]), (Some(3), 1));
    // A second rule of the same second has an id of its own.
    let again = log.replace("-000000000002", "-000000000003");
    assert_eq!(counted(&[sign_ins(), ("audit.json", log), ("audit-2.json", again)]), (Some(3), 2));
}

/// Three messages of the last day of October and the first two of November; a machine in the United States wrote the table and the JSON.
#[test]
fn day_and_month_are_told_by_the_whole_of_an_export_in_json_too() {
    let dates = ["10/31/2025 14:00:00", "11/1/2025 09:00:00", "11/2/2025 09:00:00"];
    let object = |(n, at): (usize, &&str)| {
        format!(
            r#"{{"MessageId":"<m{n}@u.example>","Received":"{at}","SenderAddress":"jane@u.example","RecipientAddress":"a@x.test","Subject":"hi","Status":"Delivered","FromIP":"203.0.113.9","MessageTraceId":"00000004-0000-4000-8000-00000000000{n}"}}"#
        )
    };
    let objects: Vec<String> = dates.iter().enumerate().map(object).collect();
    let pages = [objects.join("\n"), format!("[{}]", objects.join(",\n"))];
    for page in pages {
        let report = report(&[sign_ins(), ("trace.json", page)]);
        let source = report.source("trace.json");
        assert_eq!((&source["first"], &source["last"]), (&"2025-10-31T23:00:00+09:00".into(), &"2025-11-02T18:00:00+09:00".into()));
        assert!(told(&report, "day and month").is_empty());
    }
}

/// Two recipients of one message, and a disk that was full before the second row was written.
#[test]
fn the_torn_last_row_of_a_table_is_damage_and_names_no_recipient() {
    let heading = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,FromIP,Size,MessageTraceId,Index\n";
    let row = |to: &str| {
        format!(
            "<m1@u.example>,2025-12-04T09:00:00Z,jane@u.example,{to}@x.test,hi,Delivered,203.0.113.9,1000,00000004-0000-4000-8000-000000000001,0\n"
        )
    };
    let whole = [heading.to_owned(), row("alice"), row("bobby")].concat();
    let cut = |from_its_end: usize| {
        let report = report(&[sign_ins(), ("trace.csv", whole[..whole.len() - from_its_end].to_owned())]);
        let lines = &report.source("trace.csv")["lines"];
        (
            report.code,
            lines["malformed"].as_u64(),
            figures(&account(&report, "jane@u.example")["recipients"]),
            told(&report, "no line end").len(),
        )
    };
    let in_full = "delivered 2".to_owned();
    assert_eq!(cut(0), (0, Some(0), in_full.clone(), 0));
    // Within the last cell no count of cells tells; the missing line end does.
    assert_eq!(cut(1), (0, Some(0), in_full, 1));
    for within in ["4-8000-000000000001,0\n", "bby@x.test,hi,Delivered,203.0.113.9,1000,00000004-0000-4000-8000-000000000001,0\n"] {
        assert_eq!(cut(within.len()), (3, Some(1), "delivered 1".to_owned(), 0), "{within}");
    }
    // A cell in quotes that never end.
    let quoted = [heading.to_owned(), row("alice"), row("bobby").replace(",hi,", ",\"hi,")].concat();
    let report = report(&[sign_ins(), ("trace.csv", quoted.trim_end().to_owned())]);
    assert_eq!((report.code, &report.source("trace.csv")["lines"]["malformed_samples"][0]), (3, &"3: torn row".into()));
}

/// One sign-in at 17:20:30 in Japan. The workspace took it in five hours later.
#[test]
fn columns_in_local_time_are_read_in_the_zone_that_their_names_or_the_analyst_tell() {
    let workspace = "TimeGenerated [Local Time],CreatedDateTime [Local Time],Id,UserPrincipalName,IPAddress,ResultType\n\"12/4/2025, 10:45:17.287 PM\",\"12/4/2025, 5:20:30.000 PM\",00000001-0000-4000-8000-000000000003,jane@u.example,203.0.113.9,0\n";
    let portal = |date: &str| SIGN_INS.replace("Date (UTC)", date) + &sign_in(1, "17:20:30", "jane", "203.0.113.9", 0).replace("30Z", "30");
    let first = |table: &str, options: &[&str]| {
        let report = report_with(&[("sign-ins.csv", table.to_owned())], options);
        let at = report.only_incident()["first_login"]["time"].as_str().unwrap().to_owned();
        (at, told(&report, "zone chosen when the export was made").len())
    };
    let (true_time, as_utc) = ("2025-12-04T17:20:30+09:00".to_owned(), "2025-12-05T02:20:30+09:00".to_owned());
    let japan = ["--log-tz", "Asia/Tokyo"];
    assert_eq!(first(workspace, &japan), (true_time.clone(), 0));
    assert_eq!(first(workspace, &[]), (as_utc.clone(), 1));
    assert_eq!(first(&portal("Date (local)"), &japan), (true_time.clone(), 0));
    assert_eq!(first(&portal("Date (local)"), &[]), (as_utc.clone(), 1));
    assert_eq!(first(&portal("Date (UTC+09:00)"), &[]), (true_time.clone(), 0));
    // What says that it is UTC is UTC, whatever the option says of other logs.
    assert_eq!(first(&portal("Date (UTC)"), &japan), (as_utc, 0));
}

/// `MailItemsAccessed` of a number of messages by jane, as the audit log has it.
fn read_by_jane(id: u32, at: &str, owner: &str, properties: [&str; 2], items: u32) -> String {
    let [kind, throttled] = properties;
    let logon = if owner == "jane" { 0 } else { 2 };
    let members = format!(
        r#","ClientIPAddress":"203.0.113.9","MailboxOwnerUPN":"{owner}@u.example","LogonType":{logon},"ClientInfoString":"Client=OWA;Action=ViaProxy","OperationProperties":[{{"Name":"MailAccessType","Value":"{kind}"}},{{"Name":"IsThrottled","Value":"{throttled}"}}],"OperationCount":{items}"#
    );
    audited(id, at, "MailItemsAccessed", &members)
}

/// Jane may open bob's mailbox. The attacker did so as jane, and nobody got in as bob.
#[test]
fn a_mailbox_opened_as_anothers_is_an_act_of_who_opened_it() {
    let login = audited(
        1,
        "08:10:00",
        "MailboxLogin",
        r#","ClientIPAddress":"203.0.113.9","MailboxOwnerUPN":"bob@u.example","LogonType":2,"ClientInfoString":"Client=OWA;Action=ViaProxy""#,
    );
    let reads = [read_by_jane(2, "08:11:00", "bob", ["Bind", "False"], 3), read_by_jane(3, "08:20:00", "bob", ["Bind", "False"], 2)];
    let report = report(&[sign_ins(), ("audit.json", [&[login], &reads[..]].concat().join("\n"))]);
    assert_eq!(accounts(&report), ["jane@u.example"]);
    let incident = report.only_incident();
    let changes = incident["account_changes"].as_array().unwrap();
    let told: Vec<(&str, &str, &str)> =
        changes.iter().map(|c| ["account", "action", "detail"].map(|key| c[key].as_str().unwrap()).into()).collect();
    assert_eq!(
        told,
        [
            ("bob@u.example", "other-mailbox-opened", "MailboxLogin UserId=jane@u.example; MailboxOwnerUPN=bob@u.example"),
            ("bob@u.example", "other-mailbox-opened", "MailItemsAccessed UserId=jane@u.example MailboxOwnerUPN=bob@u.example records=2"),
        ]
    );
    assert_eq!(incident["mailbox_access"]["items"], 5);
    assert_eq!(account(&report, "bob@u.example")["logins"], 1);
}

/// A folder that was synchronised has no count; where the provider stopped recording, what it counted is the least that was read.
#[test]
fn what_was_synchronised_is_unknown_and_what_was_recorded_before_a_stop_is_a_lower_bound() {
    let access = |kind, throttled| {
        let report = report(&[sign_ins(), ("audit.json", read_by_jane(1, "08:10:00", "jane", [kind, throttled], 2))]);
        let incident = report.only_incident();
        let access = &incident["mailbox_access"];
        let bound = incident["lower_bounds"].as_array().unwrap().iter().any(|bound| bound["figures"][0] == "mailbox_access.items");
        (access["items"].as_u64(), access["note"].as_str().unwrap_or_default().to_owned(), bound)
    };
    assert_eq!(access("Bind", "False"), (Some(2), String::new(), false));
    for (kind, throttled, items, bound) in [("Sync", "False", None, false), ("Bind", "True", Some(2), true), ("Sync", "True", None, false)]
    {
        let (found, note, bounded) = access(kind, throttled);
        assert_eq!((found, bounded), (items, bound), "{kind} {throttled}");
        assert_eq!(note.contains("synchronised whole folders"), kind == "Sync", "{note}");
        assert_eq!(note.contains("stopped recording"), throttled == "True", "{note}");
    }
}

/// The attacker read mail and made a rule an hour before the first sign-in that the export still has.
#[test]
fn what_attackers_did_before_their_first_sign_in_in_evidence_is_told_and_shows_an_earlier_one() {
    let rule = audited(1, "07:05:00", "New-InboxRule", r#","ClientIP":"203.0.113.9:28491","Parameters":[{"Name":"Name","Value":"."}]"#);
    let of_another = rule.replace("203.0.113.9", "192.0.2.8").replace("000000000001", "000000000003");
    let read = read_by_jane(2, "07:00:00", "jane", ["Bind", "False"], 3);
    let report = report(&[sign_ins(), ("audit.json", [rule, of_another, read].join("\n"))]);
    let incident = report.only_incident();
    let changes = incident["account_changes"].as_array().unwrap();
    assert!(matches!(&changes[..], [one] if one["time"] == "2025-12-04T16:05:00+09:00"), "{changes:?}");
    let access = &incident["mailbox_access"];
    assert_eq!((&access["items"], &access["viewable"]["from"]), (&3.into(), &"2025-12-04T16:00:00+09:00".into()));
    let notes: Vec<&str> = incident["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(notes.iter().any(|note| note.starts_with("2 act(s)") && note.contains("2025-12-04 16:00:00 +09:00")), "{notes:?}");
}

/// Two searches of the audit log were appended to one another: one of nine hits, of which three are there, and one of two, both there.
#[test]
fn hits_that_a_search_of_the_audit_log_found_and_its_export_lacks_are_said() {
    let heading = "RecordType,CreationDate,UserIds,Operations,AuditData,ResultIndex,ResultCount,Identity,IsValid,ObjectState\n";
    let hit = |(id, index, count): (u32, u32, u32)| {
        let record = audited(id, &format!("08:10:{id:02}"), "HardDelete", "");
        row(&["2", "x", "jane@u.example", "HardDelete", &record, &index.to_string(), &count.to_string(), "i", "True", "Unchanged"])
    };
    let said = |hits: &[(u32, u32, u32)]| {
        let table = heading.to_owned() + &hits.iter().copied().map(hit).collect::<String>();
        told(&report(&[("audit.csv", table)]), "Searches of the audit log say")
    };
    let (nine, two) = ([(1, 1, 9), (2, 2, 9), (5, 5, 9)], [(11, 1, 2), (12, 2, 2)]);
    assert!(matches!(&said(&[&nine[..], &two].concat())[..], [one] if one.contains("6 record(s) more")));
    assert!(matches!(&said(&[(9, 9, 9)])[..], [one] if one.contains("8 record(s) more")));
    // A hit on two pages is no other's.
    assert_eq!(said(&[(11, 1, 2), (12, 2, 2), (12, 2, 2)]), [""; 0]);
}

/// Defender hands on what the audit log says; an export of that log beside it holds copies alone, and is evidence all the same.
#[test]
fn an_audit_log_of_which_another_export_tells_every_record_is_in_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"CreationTime":"2025-12-04T08:11:00","Id":"00000006-0000-4000-8000-000000000001","Operation":"MailItemsAccessed","OrganizationId":"00000005-0000-4000-8000-000000000001","RecordType":50,"UserType":0,"Version":1,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"203.0.113.9","MailboxOwnerUPN":"jane@u.example","LogonType":0,"ClientInfoString":"Client=OWA;Action=ViaProxy","OperationCount":1,"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"}],"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@x.example>"}]}]}"#;
    let event = format!(r#"{{"Timestamp":"2025-12-04T08:11:00Z","ActionType":"MailItemsAccessed","RawEventData":{record}}}"#);
    fs::write(folder.path().join("a-events.json"), event).unwrap();
    fs::write(folder.path().join("audit.json"), record).unwrap();
    let report = analyze(&[folder.path()], &[]);
    assert_eq!(report.source("audit.json")["lines"]["ignored_because"]["duplicate"], 1);
    let limitations = report.json["limitations"].to_string();
    assert!(
        !limitations.contains("No audit log of Microsoft 365") && !limitations.contains("no MailItemsAccessed record"),
        "{limitations}"
    );
}

/// Jane's own sign-ins of nine days, and one from an address of which only a change is told.
fn known_user() -> (&'static str, String) {
    let rows: String =
        (1..10).map(|day| sign_in(day, "08:01:00", "jane", "192.0.2.5", 0).replace("12-04", &format!("11-{:02}", day + 20))).collect();
    ("sign-ins.csv", format!("{SIGN_INS}{rows}{}", sign_in(11, "08:00:00", "jane", "198.51.100.20", 0)))
}

#[test]
fn a_change_that_failed_is_shown_as_failed_and_accuses_nobody() {
    let rule = |status: &str| {
        let members = format!(r#","ResultStatus":"{status}","ClientIP":"198.51.100.20","Parameters":[{{"Name":"Name","Value":"."}}]"#);
        ("audit.json", audited(1, "08:02:00", "New-InboxRule", &members))
    };
    let consent = |result: &str| {
        let text = format!(
            r#"[{{"id":"1","category":"ApplicationManagement","result":"{result}","activityDisplayName":"Consent to application","activityDateTime":"2025-12-04T08:02:00Z","initiatedBy":{{"user":{{"userPrincipalName":"jane@u.example","ipAddress":"198.51.100.20"}}}},"targetResources":[]}}]"#
        );
        ("directory.json", text)
    };
    let signs = |change: (&str, String)| -> (usize, usize) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [known_user(), change] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let report = analyze(&[folder.path()], &[]);
        let told = report.json["limitations"].as_array().unwrap().iter().filter_map(Value::as_str);
        let applications = told.filter(|limit| limit.contains("gave applications consent")).count();
        let changed = report.json.to_string().matches("\"account-changed\"").count();
        (changed, applications)
    };
    assert!(signs(rule("True")).0 > 0 && signs(consent("success")).0 > 0, "what was done accuses");
    for status in ["False", "Failed", "Failure"] {
        assert_eq!(signs(rule(status)).0, 0, "{status}");
    }
    assert_eq!(signs(consent("failure")), (0, 0));
}

#[test]
fn what_failed_in_the_audit_log_reads_as_failed_and_failed_access_reads_nothing() {
    let by = r#","ClientIPAddress":"203.0.113.9","ClientIP":"203.0.113.9","MailboxOwnerUPN":"jane@u.example""#;
    let access = r#","ClientInfoString":"Client=IMAP4;","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"}]"#;
    let rule = r#","OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"zz"}]"#;
    let records = [
        audited(1, "08:10:00", "Consent to application.", &format!(r#"{by},"ResultStatus":"Failure""#)),
        audited(2, "08:11:00", "Reset user password.", &format!(r#"{by},"ResultStatus":"Failure","ObjectId":"jane@u.example""#)),
        audited(3, "08:12:00", "UpdateInboxRules", &format!(r#"{by}{rule},"ResultStatus":"Failed""#)),
        audited(4, "08:13:00", "New-InboxRule", &format!(r#"{by},"ResultStatus":"Failed","Parameters":[{{"Name":"Name","Value":"."}}]"#)),
        audited(5, "08:14:00", "MailItemsAccessed", &format!(r#"{by}{access},"SessionId":"a","OperationCount":7,"ResultStatus":"Failed""#)),
        audited(
            6,
            "08:15:00",
            "MailItemsAccessed",
            &format!(r#"{by}{access},"SessionId":"b","OperationCount":3,"ResultStatus":"Succeeded""#),
        ),
    ];
    let report = report(&[sign_ins(), ("audit.json", records.join("\n"))]);
    let incident = report.only_incident();
    let changes: Vec<&str> = incident["account_changes"].as_array().unwrap().iter().map(|c| c["detail"].as_str().unwrap()).collect();
    let expected = ["failed: Consent to application.", "failed: Reset user password.", "failed: Name=zz", "failed: New-InboxRule Name=."];
    assert_eq!(changes, expected);
    assert!(incident["account_changes"].as_array().unwrap().iter().all(|change| change["failed"] == true));
    let techniques = incident["techniques"].to_string();
    assert!(!techniques.contains("T1098") && !techniques.contains("T1564.008"), "{techniques}");
    assert_eq!(incident["mailbox_access"]["items"], 3);
}
