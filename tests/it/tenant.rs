//! What exports of a tenant leave out as a kind, because nobody exported it, no licence records it, or it is no longer kept: each is said,
//! and only where the exports show it.

use crate::command::analyze;
use crate::compare::to_the_second;
use crate::evidence::{Exercise, files};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A folder with these files.
fn folder(contents: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in contents {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The limitations that a folder's report has which hold a word.
fn told(folder: &TempDir, word: &str) -> Vec<String> {
    let report = analyze(&[folder.path()], &[]).json;
    let all = report["limitations"].as_array().unwrap().iter().map(|limit| limit.as_str().unwrap().to_owned());
    all.filter(|limit| limit.contains(word)).collect()
}

/// One sign-in of Graph or of diagnostic settings' properties.
fn sign_in(id: u32, at: &str, class: &str) -> String {
    format!(
        r#"{{"id":"{id}","createdDateTime":"{at}","userPrincipalName":"jane@u.example","ipAddress":"203.0.113.9","clientAppUsed":"Browser",{class}"status":{{"errorCode":0}}}}"#
    )
}

const INTERACTIVE: &str = r#""isInteractive":true,"signInEventTypes":["interactiveUser"],"#;
const OTHER: &str = r#""isInteractive":false,"signInEventTypes":["nonInteractiveUser"],"#;
const MORNING: &str = "2025-12-04T08:19:41Z";

#[test]
fn a_class_of_sign_ins_that_nobody_exported_is_said_and_one_that_is_there_is_not() {
    let given = |lines: &[String]| told(&folder(&[("sign-ins.json", lines.join("\n"))]), "Every sign-in in evidence");
    let (typed, refreshed) = (sign_in(1, MORNING, INTERACTIVE), sign_in(2, MORNING, OTHER));
    let said = given(std::slice::from_ref(&typed));
    assert!(matches!(&said[..], [one] if one.contains("is an interactive one") && one.contains("refresh their tokens")), "{said:?}");
    let said = given(std::slice::from_ref(&refreshed));
    assert!(matches!(&said[..], [one] if one.contains("is a non-interactive one")), "{said:?}");
    assert_eq!(given(&[typed, refreshed]), [""; 0]);
}

#[test]
fn the_category_of_diagnostic_settings_tells_the_class() {
    let line = |id, category: &str| {
        let properties = sign_in(id, MORNING, "");
        format!(r#"{{"time":"2025-12-04T08:25:00Z","category":"{category}","resultType":"0","properties":{properties}}}"#)
    };
    let given = |lines: &[String]| told(&folder(&[("PT1H.json", lines.join("\n"))]), "Every sign-in in evidence");
    assert_eq!(given(&[line(1, "SignInLogs")]).len(), 1);
    assert_eq!(given(&[line(1, "SignInLogs"), line(2, "NonInteractiveUserSignInLogs")]), [""; 0]);
}

/// The portal's two tables have one heading; only a refreshed token shows that one of them is the other class.
#[test]
fn of_the_portals_tables_the_rows_with_refreshed_tokens_show_that_both_are_there() {
    let exercise = Exercise::new("lateral", 2, &["--system", "m365", "--scale", "0.2"]);
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (path, bytes) in files(&exercise.logs()).into_iter().filter(|(path, _)| path.starts_with("sign-ins/")) {
        let name = path.rsplit('/').next().unwrap();
        fs::write(with.path().join(name), &bytes).unwrap();
        if !name.starts_with("NonInteractive") {
            fs::write(without.path().join(name), &bytes).unwrap();
        }
    }
    assert_eq!(told(&with, "do not say of which class"), [""; 0]);
    let said = told(&without, "do not say of which class");
    assert!(
        matches!(&said[..], [one] if one.contains("InteractiveSignIns_") && one.contains("if only interactive ones were exported")),
        "{said:?}"
    );
}

#[test]
fn a_consent_without_sign_ins_of_applications_is_said() {
    let consent = r#"{"CreationTime":"2025-12-04T08:31:02","Id":"1","Operation":"Consent to application.","RecordType":8,"Workload":"AzureActiveDirectory","UserId":"jane@u.example","ObjectId":"app"}"#;
    let application = r#"{"id":"7","createdDateTime":"2025-12-04T09:00:00Z","servicePrincipalId":"77777777-0000-4000-8000-000000000001","appDisplayName":"Mail Helper","ipAddress":"203.0.113.9","signInEventTypes":["servicePrincipal"],"status":{"errorCode":0}}"#;
    let audit = ("audit.json", consent.to_owned());
    let people = format!("{}\n{}", sign_in(1, MORNING, INTERACTIVE), sign_in(2, MORNING, OTHER));
    let said = told(&folder(&[audit.clone(), ("sign-ins.json", people.clone())]), "sign-in of an application");
    assert!(matches!(&said[..], [one] if one.starts_with("1 change(s)")), "{said:?}");
    let with = folder(&[audit, ("sign-ins.json", people.clone()), ("applications.json", application.to_owned())]);
    assert_eq!(told(&with, "sign-in of an application"), [""; 0]);
    assert_eq!(told(&folder(&[("sign-ins.json", people)]), "sign-in of an application"), [""; 0]);
}

/// A record of the audit log at a time.
fn audited(id: u32, at: &str, operation: &str) -> String {
    format!(
        r#"{{"CreationTime":"{at}","Id":"{id}","Operation":"{operation}","RecordType":2,"Workload":"Exchange","UserId":"jane@u.example","MailboxOwnerUPN":"jane@u.example","ClientIPAddress":"203.0.113.9"}}"#
    )
}

#[test]
fn what_an_audit_log_records_by_licence_is_said_to_be_missing_where_it_has_none_of_anybody() {
    let given = |operations: &[&str]| {
        let lines: Vec<String> = (1..).zip(operations).map(|(id, operation)| audited(id, "2025-12-04T08:31:02", operation)).collect();
        told(&folder(&[("audit.json", lines.join("\n"))]), "The audit log in evidence has no")
    };
    let names = |said: &[String]| -> Vec<bool> {
        ["MailItemsAccessed", "SendOnBehalf", "SearchQueryInitiated"].map(|name| said.iter().any(|one| one.contains(name))).to_vec()
    };
    assert_eq!(names(&given(&["HardDelete"])), [true, true, true]);
    assert_eq!(names(&given(&["MailItemsAccessed"])), [false, true, true]);
    assert_eq!(names(&given(&["SendAs", "SearchQueryInitiatedExchange"])), [true, false, false]);
    let without_a_log = folder(&[("sign-ins.json", sign_in(1, MORNING, INTERACTIVE))]);
    assert_eq!(told(&without_a_log, "The audit log in evidence has no"), [""; 0]);
}

#[test]
fn mail_read_in_a_tenant_that_records_no_access_is_unknown_and_not_none() {
    let exercise = Exercise::new("lateral", 2, &["--system", "m365"]);
    let thinned = tempfile::tempdir().unwrap();
    for (path, bytes) in files(&exercise.logs()) {
        let path = thinned.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = match path.ends_with("UnifiedAuditLog.csv") {
            true => {
                let text = String::from_utf8(bytes).unwrap();
                text.split_inclusive('\n').filter(|line| !line.contains("MailItemsAccessed")).collect::<String>().into_bytes()
            }
            false => bytes,
        };
        fs::write(path, bytes).unwrap();
    }
    let whole = analyze(&[exercise.logs()], &[]);
    assert!(whole.only_incident()["mailbox_access"]["items"].as_u64().is_some_and(|n| n > 0));
    let report = analyze(&[thinned.path()], &[]);
    let (access, truth) = (&report.only_incident()["mailbox_access"], &exercise.truth["incidents"][0]["mailbox_access"]);
    assert_eq!((&access["items"], &access["sessions"]), (&Value::Null, &truth["sessions"]));
    assert!(access["note"].as_str().is_some_and(|note| note.contains("no record of access to mail, of anybody")), "{access}");
}

/// Every export dates a tenant's own notices by their making, and so does the truth: to the second.
#[test]
fn notices_are_dated_by_their_making_whichever_export_tells_of_them() {
    for form in ["trace-csv", "summary-csv", "extended-csv"] {
        let exercise = Exercise::new("soka", 2, &["--system", "m365", "--scale", "0.2", "--message-trace", form]);
        let report = analyze(&[exercise.logs()], &[]);
        let found = to_the_second(report.only_incident()["returned_notices"].clone());
        let truth = &exercise.truth["incidents"][0]["returned_notices"];
        for figure in ["count", "first", "last"] {
            assert!(!truth[figure].is_null());
            assert_eq!(found[figure], truth[figure], "{form}: {figure}");
        }
    }
}

/// An export of a tenant's people's sign-ins between two instants.
fn spanning(first: &str, last: &str) -> String {
    format!("{}\n{}", sign_in(1, first, INTERACTIVE), sign_in(2, last, OTHER))
}

#[test]
fn sign_ins_that_reach_back_as_far_as_they_are_kept_say_so() {
    let given = |first, last| told(&folder(&[("sign-ins.json", spanning(first, last))]), "Retention");
    for (first, days) in [("2025-11-04T09:00:00Z", 30), ("2025-11-27T09:10:00Z", 7)] {
        let said = given(first, "2025-12-04T08:19:41Z");
        let shown = format!("sign-ins.json: {days} days, from {}", &first[..10]);
        assert!(matches!(&said[..], [one] if one.contains("Entra ID keeps") && one.contains(&shown)), "{said:?}");
    }
    for first in ["2025-11-30T00:00:00Z", "2025-11-20T00:00:00Z", "2025-10-20T00:00:00Z"] {
        assert_eq!(given(first, "2025-12-04T08:19:41Z"), [""; 0], "{first}");
    }
}

/// A workspace or a stream keeps records as long as its owner likes.
#[test]
fn sign_ins_that_another_system_forwarded_are_at_no_edge_of_the_tenants() {
    let line =
        |sign_in: String| format!(r#"{{"time":"2025-12-04T08:25:00Z","category":"SignInLogs","resultType":"0","properties":{sign_in}}}"#);
    let text = [sign_in(1, "2025-11-04T09:00:00Z", INTERACTIVE), sign_in(2, MORNING, OTHER)].map(line).join("\n");
    assert_eq!(told(&folder(&[("PT1H.json", text)]), "Retention"), [""; 0]);
}

#[test]
fn the_message_trace_and_the_audit_log_have_edges_of_their_own() {
    let trace = |day: &str| {
        let row = |n, at: &str| {
            format!(
                "<m{n}@u.example>,{at},jane@u.example,x@r.example,Hello,Delivered,198.51.100.7,203.0.113.9,900,4444444{n}-0000-4000-8000-000000000001"
            )
        };
        let heading = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId";
        let rows = [row(1, &format!("{day}T09:00:00Z")), row(2, "2025-12-04T08:19:41Z")];
        told(&folder(&[("trace.csv", format!("{heading}\n{}\n", rows.join("\n")))]), "Retention")
    };
    for (day, days) in [("2025-11-24", 10), ("2025-09-05", 90)] {
        let said = trace(day);
        assert!(
            matches!(&said[..], [one] if one.contains("message trace goes back") && one.contains(&format!(": {days} days"))),
            "{said:?}"
        );
    }
    assert_eq!(trace("2025-11-10"), [""; 0]);
    let audit = |day: &str| {
        let lines = [audited(1, &format!("{day}T09:00:00"), "HardDelete"), audited(2, "2025-12-04T08:19:41", "HardDelete")];
        told(&folder(&[("audit.json", lines.join("\n"))]), "Retention")
    };
    for (day, days) in [("2025-09-05", 90), ("2025-06-07", 180), ("2024-12-04", 365)] {
        let said = audit(day);
        assert!(matches!(&said[..], [one] if one.contains("audit log is kept") && one.contains(&format!(": {days} days"))), "{said:?}");
    }
    assert_eq!(audit("2025-11-04"), [""; 0]);
}

/// A trace that names the address of every second message of the attackers: the others may be anybody's, and the count is no whole one.
#[test]
fn mail_without_an_address_makes_the_count_of_the_attackers_mail_a_lower_bound() {
    let exercise = Exercise::new("soka", 2, &["--system", "m365", "--scale", "0.2"]);
    let truth = &exercise.truth["incidents"][0];
    let addresses: Vec<String> = truth["origins"].as_array().unwrap().iter().map(|o| format!("{}", o["ip"])).collect();
    let (_, trace) = files(&exercise.logs()).into_iter().find(|(path, _)| path.ends_with("/MessageTrace.csv")).unwrap();
    let trace = String::from_utf8(trace).unwrap();
    let counted = |blank: bool| {
        let lines = trace.split_inclusive('\n').enumerate().map(|(number, line)| match blank && number % 2 == 1 {
            true => addresses.iter().fold(line.to_owned(), |line, address| line.replace(address, "\"\"")),
            false => line.to_owned(),
        });
        let told = ["--attacker-ip", addresses[0].trim_matches('"')];
        let report = analyze(&[folder(&[("MessageTrace.csv", lines.collect())]).path()], &told);
        let incident = report.only_incident();
        let bounds = incident["lower_bounds"].as_array().unwrap().iter().flat_map(|bound| bound["figures"].as_array().unwrap());
        (incident["messages"]["total"].as_u64().unwrap(), bounds.into_iter().any(|figure| figure == "messages"))
    };
    let sent = truth["messages"]["total"].as_u64().unwrap();
    assert_eq!(counted(false), (sent, false));
    let (some, bounded) = counted(true);
    assert!(bounded && some < sent, "{some} of {sent}");
}

/// A record of jane's mailbox, as an attacker in a browser leaves it.
fn in_a_browser(id: u32, operation: &str, more: &str) -> String {
    format!(
        r#"{{"CreationTime":"2025-12-04T08:1{id}:00","Id":"00000006-0000-4000-8000-00000000000{id}","Operation":"{operation}","OrganizationId":"00000005-0000-4000-8000-000000000001","RecordType":2,"ResultStatus":"Succeeded","UserKey":"K","UserType":0,"Version":1,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"203.0.113.9","ClientIP":"203.0.113.9","MailboxOwnerUPN":"jane@u.example","LogonType":0,"ClientInfoString":"Client=OWA;Action=ViaProxy",{more}}}"#
    )
}

#[test]
fn what_was_sent_in_a_browser_was_not_sent_by_smtp() {
    let sent = |id: u32| {
        let item = format!(r#""Item":{{"Subject":"hi","InternetMessageId":"<m{id}@u.example>","Recipients":["x@x.example"]}}"#);
        in_a_browser(id, "Send", &item)
    };
    let evidence = [("sign-ins.json", sign_in(1, "2025-12-04T08:01:00Z", INTERACTIVE)), ("audit.json", [sent(1), sent(2)].join("\n"))];
    let report = analyze(&[folder(&evidence).path()], &["--attacker-ip", "203.0.113.9"]);
    let protocols = report.only_incident()["protocols"].as_array().unwrap();
    let messages: Vec<(&str, u64)> = protocols
        .iter()
        .map(|p| (p["protocol"].as_str().unwrap(), p["messages"].as_u64().unwrap_or_default()))
        .filter(|(_, n)| *n > 0)
        .collect();
    assert_eq!(messages, [("webmail", 2)]);
}

/// The summary of a historical search gives the address of every client, a browser's too. By which way each message was handed in, it
/// does not say; the audit log does, of those it has.
#[test]
fn an_address_in_a_historical_searchs_summary_is_not_taken_for_smtp() {
    let heading = "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,directionality,connector_id,delivery_priority";
    let row = |id: u32| {
        format!(
            "2025-12-04T08:1{id}:00.0000000Z,jane@u.example,\"a@x.test##Receive, Send\",hi,900,<m{id}@u.example>,44444444-0000-4000-8000-00000000000{id},203.0.113.9,2,,Normal"
        )
    };
    let sent = |id: u32| in_a_browser(id, "Send", &format!(r#""Item":{{"Subject":"hi","InternetMessageId":"<m{id}@u.example>"}}"#));
    let summary = [heading.to_owned(), row(1), row(2), row(3)].join("\n") + "\n";
    let by_way = |evidence: &[(&str, String)]| {
        let report = analyze(&[folder(evidence).path()], &["--attacker-ip", "203.0.113.9"]);
        let protocols = report.only_incident()["protocols"].as_array().unwrap().clone();
        let told = |p: &Value| (p["protocol"].as_str().unwrap().to_owned(), p["messages"].as_u64().unwrap_or_default());
        protocols.iter().map(told).filter(|(_, n)| *n > 0).collect::<Vec<_>>()
    };
    let login = ("sign-ins.json", sign_in(1, "2025-12-04T08:01:00Z", INTERACTIVE));
    assert_eq!(by_way(&[login.clone(), ("summary.csv", summary.clone())]), [("other".to_owned(), 3)]);
    let told = by_way(&[login, ("summary.csv", summary), ("audit.json", [sent(1), sent(2)].join("\n"))]);
    assert_eq!(told, [("webmail".to_owned(), 2), ("other".to_owned(), 1)]);
}

#[test]
fn mail_that_was_read_was_read_in_some_session_even_if_none_is_told() {
    let read = r#""OperationCount":1,"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@x.example>"}]}]"#;
    let evidence =
        [("sign-ins.json", sign_in(1, "2025-12-04T08:01:00Z", INTERACTIVE)), ("audit.json", in_a_browser(1, "MailItemsAccessed", read))];
    let report = analyze(&[folder(&evidence).path()], &["--attacker-ip", "203.0.113.9"]);
    let access = &report.only_incident()["mailbox_access"];
    assert_eq!((&access["items"], &access["sessions"]), (&Value::from(1), &Value::Null), "{access}");
}

/// Sign-ins are kept for days, the audit log for months.
#[test]
fn what_attackers_did_before_the_first_sign_in_that_is_kept_is_told() {
    let rule = r#""Parameters":[{"Name":"Name","Value":".."},{"Name":"DeleteMessage","Value":"True"}]"#;
    let evidence =
        [("sign-ins.json", sign_in(1, "2025-12-04T09:01:00Z", INTERACTIVE)), ("audit.json", in_a_browser(1, "New-InboxRule", rule))];
    let report = analyze(&[folder(&evidence).path()], &["--attacker-ip", "203.0.113.9"]);
    let incident = report.only_incident();
    let [change] = &incident["account_changes"].as_array().unwrap()[..] else { panic!("{}", incident["account_changes"]) };
    assert_eq!(change["time"], "2025-12-04T17:11:00+09:00");
    assert_eq!(incident["mailbox_access"]["viewable"]["from"], "2025-12-04T17:11:00+09:00");
    let said = |word: &str| incident["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains(word));
    assert!(said("before their first login in evidence"), "{}", incident["notes"]);
}
