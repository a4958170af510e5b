//! Whose a tenant's messages are: by the audit log's word and not the trace's sender, by nobody's where a stranger took one of our names,
//! and how they ended where several records tell.

use crate::command::{Report, analyze};
use std::fs;

const OWNER: &str = "198.51.100.10";
const ATTACKER: &str = "203.0.113.66";
const STRANGER: &str = "198.51.100.200";
/// A server of Exchange Online.
const SERVICE: &str = "2603:10a6:20b:5a1::15";

/// A tenant's exports.
#[derive(Default)]
struct Tenant {
    sign_ins: Vec<String>,
    trace: Vec<String>,
    audit: Vec<String>,
}

impl Tenant {
    /// Ten days of jane's: each day a sign-in in the browser, one by a program, and a message to a friend.
    fn of_jane() -> Tenant {
        let mut tenant = Tenant::default();
        for day in 1..=10 {
            tenant.sign_in(&format!("2025-12-{day:02}T00:10:00Z"), OWNER, "Browser", "interactiveUser");
            tenant.sign_in(&format!("2025-12-{day:02}T09:10:00Z"), OWNER, "Mobile Apps and Desktop clients", "nonInteractiveUser");
            tenant.trace(&format!("2025-12-{day:02}T00:30:00"), "jane@u.example", "friend@x.test", "Delivered", OWNER);
        }
        tenant
    }

    fn sign_in(&mut self, at: &str, address: &str, app: &str, class: &str) {
        let id = self.sign_ins.len();
        self.sign_ins.push(format!(
            r#"{{"id":"00000007-0000-4000-8000-{id:012}","createdDateTime":"{at}","userPrincipalName":"jane@u.example","ipAddress":"{address}","clientAppUsed":"{app}","signInEventTypes":["{class}"],"status":{{"errorCode":0}}}}"#
        ));
    }

    fn trace(&mut self, at: &str, sender: &str, to: &str, status: &str, from_ip: &str) {
        let id = self.trace.len();
        self.trace_again(id, at, sender, to, status, from_ip);
    }

    /// A further row about the message of this number.
    fn trace_again(&mut self, id: usize, at: &str, sender: &str, to: &str, status: &str, from_ip: &str) {
        let hop = if status == "Delivered" && !to.ends_with("@u.example") { "192.0.2.9" } else { "" };
        self.trace
            .push(format!("<m{id}@u.example>,{at},{sender},{to},Hello,{status},{hop},{from_ip},900,44444444-0000-4000-8000-{id:012}"));
    }

    /// A message of this number, sent by jane out of somebody's mailbox with the attackers' browser.
    fn sent(&mut self, number: usize, at: &str, operation: &str, mailbox: &str) {
        let id = self.audit.len();
        let who = match operation {
            "SendAs" => format!(r#""SendAsUserSmtp":"{mailbox}","#),
            "SendOnBehalf" => format!(r#""SendOnBehalfOfUserSmtp":"{mailbox}","#),
            _ => String::new(),
        };
        self.audit.push(format!(
            r#"{{"CreationTime":"{at}","Id":"00000006-0000-4000-8000-{id:012}","Operation":"{operation}","RecordType":2,"ResultStatus":"Succeeded","UserType":0,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"{ATTACKER}","MailboxOwnerUPN":"{mailbox}",{who}"LogonType":2,"ClientInfoString":"Client=OWA;Action=ViaProxy","Item":{{"InternetMessageId":"<m{number}@u.example>"}}}}"#
        ));
    }

    fn report(&self, options: &[&str]) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let heading = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId\n";
        fs::write(folder.path().join("sign-ins.json"), self.sign_ins.join("\n")).unwrap();
        fs::write(folder.path().join("trace.csv"), heading.to_owned() + &self.trace.join("\n") + "\n").unwrap();
        if !self.audit.is_empty() {
            fs::write(folder.path().join("audit.json"), self.audit.join("\n")).unwrap();
        }
        analyze(&[folder.path()], options)
    }
}

/// Protocols of an incident with their logins and messages.
fn protocols(report: &Report) -> Vec<(String, u64, u64)> {
    let all = report.only_incident()["protocols"].as_array().unwrap();
    let count = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    all.iter().map(|p| (p["protocol"].as_str().unwrap().to_owned(), count(&p["logins"]), count(&p["messages"]))).collect()
}

#[test]
fn who_sends_under_anothers_name_is_who_was_signed_in_though_the_trace_names_the_other() {
    for operation in ["SendAs", "SendOnBehalf"] {
        let mut tenant = Tenant::of_jane();
        tenant.sign_in("2025-12-10T01:00:00Z", ATTACKER, "Browser", "interactiveUser");
        for minute in 1..=5 {
            let number = tenant.trace.len();
            tenant.sent(number, &format!("2025-12-10T01:0{minute}:00"), operation, "rector@u.example");
            tenant.trace(&format!("2025-12-10T01:0{minute}:02"), "rector@u.example", &format!("v{minute}@x.test"), "Delivered", "");
        }
        let report = tenant.report(&["--attacker-ip", ATTACKER]);
        let incident = report.only_incident();
        assert_eq!(incident["accounts"].to_string(), r#"["jane@u.example"]"#, "{operation}");
        assert_eq!(incident["sending_accounts"].to_string(), r#"["jane@u.example"]"#);
        assert_eq!((incident["messages"]["total"].as_u64(), incident["messages"]["delivered"].as_u64()), (Some(5), Some(5)));
        let rector = report.json["accounts"].as_array().unwrap().iter().any(|a| a["account"] == "rector@u.example");
        assert!(!rector, "{}", report.json["accounts"]);
    }
}

/// Sixty messages to colleagues from one address, half of which the service puts into quarantine.
fn flood(tenant: &mut Tenant, address: &str) {
    for number in 0..60 {
        let status = if number % 2 == 0 { "Delivered" } else { "Quarantined" };
        tenant.trace(&format!("2025-12-09T01:{number:02}:00"), "jane@u.example", &format!("user{number}@u.example"), status, address);
    }
}

#[test]
fn mail_from_a_stranger_who_took_one_of_our_names_is_nobodys() {
    let forged = |report: &Report| report.json["limitations"].to_string().contains("60 message(s) bear a sender of the organisation");
    let sent = |report: &Report| report.json["accounts"][0]["messages"]["total"].as_u64();
    let mut tenant = Tenant::of_jane();
    flood(&mut tenant, STRANGER);
    let report = tenant.report(&[]);
    assert_eq!((report.incidents().len(), sent(&report), forged(&report)), (0, Some(10), true));
    // The analyst knows better.
    let report = tenant.report(&["--attacker-ip", STRANGER]);
    assert_eq!((report.incidents().len(), sent(&report), forged(&report)), (1, Some(70), false));
    // Somebody signed in from there.
    let mut tenant = Tenant::of_jane();
    tenant.sign_in("2025-12-09T00:59:00Z", STRANGER, "Authenticated SMTP", "nonInteractiveUser");
    flood(&mut tenant, STRANGER);
    let report = tenant.report(&[]);
    assert_eq!((report.incidents().len(), sent(&report), forged(&report)), (1, Some(70), false));
    // What came from there was for others, too: the service takes that from us alone.
    let mut tenant = Tenant::of_jane();
    flood(&mut tenant, STRANGER);
    tenant.trace("2025-12-09T02:00:00", "jane@u.example", "x@x.test", "Delivered", STRANGER);
    let report = tenant.report(&[]);
    assert_eq!((sent(&report), forged(&report)), (Some(71), false));
    // Sign-ins of programs were not exported, so nobody can tell who signed in by SMTP.
    let mut tenant = Tenant::of_jane();
    tenant.sign_ins.retain(|line| line.contains("interactiveUser\"") && line.contains("Browser"));
    flood(&mut tenant, STRANGER);
    let report = tenant.report(&[]);
    assert_eq!((sent(&report), forged(&report)), (Some(70), false));
}

#[test]
fn what_was_let_out_of_quarantine_was_delivered_in_whatever_order_the_rows_stand() {
    for (first, second) in [("Quarantined", "Delivered"), ("Delivered", "Quarantined")] {
        let mut tenant = Tenant::of_jane();
        tenant.sign_in("2025-12-10T01:00:00Z", ATTACKER, "Authenticated SMTP", "nonInteractiveUser");
        for status in [first, second] {
            tenant.trace_again(10, "2025-12-10T01:01:00", "jane@u.example", "v@x.test", status, ATTACKER);
        }
        tenant.trace_again(11, "2025-12-10T01:02:00", "jane@u.example", "w@x.test", "Quarantined", ATTACKER);
        let report = tenant.report(&["--attacker-ip", ATTACKER]);
        let messages = &report.only_incident()["messages"];
        assert_eq!((messages["total"].as_u64(), messages["delivered"].as_u64(), messages["blocked"].as_u64()), (Some(2), Some(1), Some(1)));
    }
}

#[test]
fn a_server_of_the_service_is_no_client_and_shows_no_login() {
    let attacked = |audited: bool| {
        let mut tenant = Tenant::of_jane();
        tenant.sign_in("2025-12-10T01:00:00Z", ATTACKER, "Browser", "interactiveUser");
        for minute in 1..=9 {
            let number = tenant.trace.len();
            tenant.trace(&format!("2025-12-10T01:0{minute}:02"), "jane@u.example", &format!("v{minute}@x.test"), "Delivered", SERVICE);
            if audited {
                tenant.sent(number, &format!("2025-12-10T01:0{minute}:00"), "Send", "jane@u.example");
            }
        }
        tenant.report(&["--attacker-ip", ATTACKER])
    };
    let report = attacked(true);
    assert_eq!(protocols(&report), [("webmail".to_owned(), 1, 9), ("browser".to_owned(), 1, 0)]);
    assert!(!report.json.to_string().contains(SERVICE), "no origin of anybody's");
    // Without the audit log nothing tells whose they are: the attackers' may be more than counted.
    let report = attacked(false);
    let incident = report.only_incident();
    assert_eq!(incident["messages"]["total"].as_u64(), Some(0));
    assert!(incident["lower_bounds"].to_string().contains("No log gives an address to 9 message(s)"), "{}", incident["lower_bounds"]);
}

/// The attackers' browser reads mail at these times, as many messages each.
fn read(tenant: &mut Tenant, reads: &[(&str, u32)]) {
    for (at, count) in reads {
        let id = tenant.audit.len();
        tenant.audit.push(format!(
            r#"{{"CreationTime":"{at}","Id":"00000008-0000-4000-8000-{id:012}","Operation":"MailItemsAccessed","RecordType":50,"ResultStatus":"Succeeded","UserType":0,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"{ATTACKER}","MailboxOwnerUPN":"jane@u.example","LogonType":0,"ClientInfoString":"Client=OWA;Action=ViaProxy","OperationProperties":[{{"Name":"MailAccessType","Value":"Bind"}}],"OperationCount":{count}}}"#
        ));
    }
}

#[test]
fn what_was_read_outside_of_the_time_that_is_asked_for_does_not_count() {
    let told = |options: &[&str]| {
        let mut tenant = Tenant::of_jane();
        tenant.sign_in("2025-12-10T01:00:00Z", ATTACKER, "Browser", "interactiveUser");
        read(&mut tenant, &[("2025-12-10T01:05:00", 3), ("2025-12-11T07:00:00", 8)]);
        let options: Vec<&str> = ["--attacker-ip", ATTACKER].iter().chain(options).copied().collect();
        let report = tenant.report(&options);
        let incident = report.only_incident();
        (incident["mailbox_access"]["items"].as_u64(), incident["last_activity"].as_str().map(str::to_owned))
    };
    let at = |time: &str| Some(time.to_owned());
    assert_eq!(told(&[]), (Some(11), at("2025-12-11T16:00:00+09:00")));
    assert_eq!(told(&["--until", "2025-12-11 00:00"]), (Some(3), at("2025-12-10T10:05:00+09:00")));
}

#[test]
fn the_owners_last_login_before_the_takeover_is_before_what_the_attackers_are_first_seen_to_do() {
    let mut tenant = Tenant::of_jane();
    for minute in 1..=9 {
        tenant.trace(&format!("2025-12-09T01:0{minute}:02"), "jane@u.example", &format!("v{minute}@x.test"), "Delivered", ATTACKER);
    }
    let report = tenant.report(&["--attacker-ip", ATTACKER]);
    let account = &report.only_incident()["per_account"]["jane@u.example"];
    assert!(account["first_login"].is_null());
    assert_eq!(account["last_owner_login_before"].as_str(), Some("2025-12-09T09:10:00+09:00"));
}
