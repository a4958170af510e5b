//! The traps of the family that concern more than one module, told as the records tell them.

use super::*;
use crate::domain::time::Zone;
use crate::formats::event::{ActionKind, Event, Kind, LoginResult, Protocol, Refusal, TrailFact, TrailFate};
use crate::formats::testing::{events, parse_whole};

const HEADING: &str = "Date (UTC),Request ID,Correlation ID,User ID,User,Username,Application,IP address,Location,Status,Sign-in error code,Failure reason,Client app";
const ROWS: [&str; 3] = [
    r#"2025-12-04T08:19:41Z,11111111-0000-4000-8000-000000000001,22222222-0000-4000-8000-000000000001,33333333-0000-4000-8000-000000000001,"Doe, Jane",jane@u.example,OfficeHome,203.0.113.9,"Sapporo, Hokkaido, JP",Failure,50126,bad user name or password,Browser"#,
    r#"2025-12-04T08:19:55Z,11111111-0000-4000-8000-000000000002,22222222-0000-4000-8000-000000000001,33333333-0000-4000-8000-000000000001,"Doe, Jane",jane@u.example,OfficeHome,203.0.113.9,"Sapporo, Hokkaido, JP",Failure,53003,blocked by policy,Browser"#,
    r#"2025-12-04T08:20:30Z,11111111-0000-4000-8000-000000000003,22222222-0000-4000-8000-000000000009,33333333-0000-4000-8000-000000000001,"Doe, Jane",jane@u.example,Office 365 Exchange Online,2001:db8::9,", , JP",Success,0,Other.,IMAP4"#,
];

/// The events of a text, by the one format that recognises it.
fn read(text: &str) -> (Vec<Event<'static>>, super::super::batch::Ledger, super::super::remark::Remarks) {
    let scratch: &'static Bump = Box::leak(Box::default());
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let sure = |format: &&Format| (format.sniff)(text.as_bytes()) > 0;
    let format = ALL.iter().find(sure).unwrap_or_else(|| panic!("nobody knows {text}"));
    let batch = parse_whole(format, text.as_bytes(), scratch);
    let (ledger, remarks) = (batch.ledger, batch.remarks);
    (events(batch), ledger, remarks)
}

/// Logins as `time account address protocol result`.
fn logins(text: &str) -> Vec<String> {
    let show = |text: Option<&[u8]>| String::from_utf8_lossy(text.unwrap_or(b"-")).into_owned();
    let shown = |event: &Event<'_>| match &event.kind {
        Kind::Login(login) => {
            let result = match login.result {
                LoginResult::Success => "success",
                LoginResult::Stopped => "stopped",
                LoginResult::Interrupted => "interrupted",
                _ => "failure",
            };
            let at = Zone::UTC.stamp(event.at);
            Some(format!("{at} {} {} {} {result}", show(login.account), show(login.address), login.protocol.as_str()))
        }
        _ => None,
    };
    read(text).0.iter().filter_map(shown).collect()
}

const THREE: [&str; 3] = [
    "2025-12-04T08:19:41+00:00 jane@u.example 203.0.113.9 browser failure",
    "2025-12-04T08:19:55+00:00 jane@u.example 203.0.113.9 browser stopped",
    "2025-12-04T08:20:30+00:00 jane@u.example 2001:db8::9 imap success",
];

#[test]
fn a_bad_password_a_policy_and_a_success_are_told_apart_in_the_portals_table() {
    assert_eq!(logins(&[&[HEADING], &ROWS[..]].concat().join("\r\n")), THREE);
    let semicolons = [&[HEADING], &ROWS[..]].concat().join("\n");
    let (whole, ledger, _) = read(&semicolons);
    assert_eq!((whole.len(), ledger.total, ledger.used), (3, 4, 3));
}

#[test]
fn a_column_whose_name_alone_is_unknown_is_told_by_what_it_holds() {
    let heading = "Datum (UTC),Anforderungs-ID,Korrelations-ID,Benutzer-ID,Benutzer,Benutzername,Anwendung,IP-Adresse,Standort,Status,Fehlercode,Fehlerursache,Client-App";
    assert_eq!(logins(&[&[heading], &ROWS[..]].concat().join("\n")), THREE);
    let address = heading.replace("IP-Adresse", "Adresse");
    assert_eq!(logins(&[&[address.as_str()], &ROWS[..]].concat().join("\n")).len(), 3);
    assert!(logins(&[&[address.as_str()], &ROWS[..]].concat().join("\n"))[2].contains("2001:db8::9"));
    // A known name is believed: these numbers are no results, whatever they look like.
    let latency = heading.replace("Fehlercode", "Latency");
    assert!(logins(&[&[latency.as_str()], &ROWS[..]].concat().join("\n")).iter().all(|login| !login.contains("stopped")));
}

/// The heading of the portal's download of early 2026, with its blanks and the name that stands there twice.
const WIDE_HEADING: &str = "Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,User type,Cross tenant access type,Incoming token type,Authentication Protocol,Unique token identifier,Original transfer method,Client credential type,Token Protection - Sign In Session,Token Protection - Sign In Session StatusCode,Application,Application ID ,App owner tenant ID,Resource,Resource ID ,Resource tenant ID,Resource owner tenant ID,Home tenant ID,Home tenant name,IP address,Location,Status,Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,Compliant,Managed,Join Type,Multifactor authentication result,Multifactor authentication auth method,Multifactor authentication auth detail,Authentication requirement,Sign-in identifier,Session ID,IP address (seen by resource),Through Global Secure Access,Global Secure Access IP address,Autonomous system  number,Flagged for review,Token issuer type,Incoming token type,Token issuer name,Latency,Conditional Access,Managed Identity type,Associated Resource Id,Federated Token Id,Federated Token Issuer";

#[test]
fn trap_3_a_name_that_stands_twice_and_blanks_in_names_cost_no_column() {
    let cell = |place: usize, name: &str| match name {
        "Date (UTC)" => "2025-12-04T08:19:41Z",
        "Username" => "jane@u.example",
        "IP address" => "203.0.113.9",
        "Application" => "OfficeHome",
        "Application ID " => "55555555-0000-4000-8000-000000000001",
        "Sign-in error code" => "50076",
        "Client app" => "Browser",
        "Autonomous system  number" => "64500",
        // The first of the two columns of this name tells; the second one is empty.
        "Incoming token type" if place < 20 => "Refresh token",
        _ => "",
    };
    let row: Vec<&str> = WIDE_HEADING.split(',').enumerate().map(|(place, name)| cell(place, name)).collect();
    let (found, ledger, _) = read(&format!("{WIDE_HEADING}\n{}\n", row.join(",")));
    let [Event { kind: Kind::Login(login), .. }] = &found[..] else { panic!("one login is told: {found:?}") };
    let word = login.provider.as_ref().unwrap();
    assert_eq!((word.asn, word.application, word.token, word.code), (Some(64500), Some(&b"OfficeHome"[..]), true, Some(50076)));
    assert_eq!((login.account, login.address), (Some(&b"jane@u.example"[..]), Some(&b"203.0.113.9"[..])));
    assert_eq!((ledger.total, ledger.used), (2, 1));
}

#[test]
fn trap_17_a_spanish_portal_is_read_by_its_names_and_numbers() {
    let heading = "Fecha (UTC),Id. de solicitud,Id. de correlación,Id. de usuario,Usuario,Nombre de usuario,Aplicación,Dirección IP,Ubicación,Estado,Código de error de inicio de sesión,Motivo del error,Aplicación cliente";
    let rows = ROWS.map(|row| row.replace("Failure", "Error").replace("Success", "Correcto"));
    let text = format!("{heading}\n{}\n", rows.join("\n"));
    assert_eq!(logins(&text), THREE);
    let unknown: Vec<String> = (0..13).map(|n| format!("ق{n}")).collect();
    let text = format!("{}\n{}\n", unknown.join(","), rows.join("\n"));
    let found = logins(&text);
    assert_eq!(found.len(), 3);
    assert!(found[0].ends_with("203.0.113.9 other failure") && found[1].ends_with("stopped") && found[2].ends_with("success"), "{found:?}");
}

#[test]
fn trap_6_the_time_of_the_sign_in_counts_and_not_that_of_its_export() {
    let line = r#"{"time":"2025-12-04T13:46:00.1234567Z","category":"SignInLogs","resultType":"53003","callerIpAddress":"203.0.113.9","properties":{"id":"2","createdDateTime":"2025-12-04T08:19:55.0000000+00:00","userPrincipalName":"jane@u.example","clientAppUsed":"Browser","status":{"errorCode":53003}}}"#;
    assert_eq!(logins(line), [THREE[1]]);
    let table = "TimeGenerated [UTC],CreatedDateTime [UTC],Id,UserPrincipalName,IPAddress,ResultType,Status,LocationDetails,ClientAppUsed\n\"12/4/2025, 1:45:17.287 PM\",\"12/4/2025, 8:20:30.000 AM\",3,jane@u.example,2001:db8::9,0,\"{\"\"errorCode\"\":0}\",\"{\"\"city\"\":\"\"\"\",\"\"countryOrRegion\"\":\"\"JP\"\"}\",IMAP4\n";
    assert_eq!(logins(table), [THREE[2]]);
}

#[test]
fn trap_4_and_5_the_audit_record_tells_its_own_time_in_utc() {
    let row = r#""RecordType","CreationDate","UserIds","Operations","AuditData","ResultIndex","ResultCount","Identity","IsValid","ObjectState"
"AzureActiveDirectoryStsLogon","3/12/2025 8:19:41 AM","jane@u.example","UserLoginFailed","{""CreationTime"":""2025-12-03T08:19:41"",""Id"":""1"",""Operation"":""UserLoginFailed"",""RecordType"":15,""ClientIP"":""203.0.113.9"",""UserId"":""jane@u.example"",""ErrorNumber"":""50126"",""LogonError"":""InvalidUserNameOrPassword""}","1","1","1","True","Unchanged"
"#;
    assert_eq!(logins(row), ["2025-12-03T08:19:41+00:00 jane@u.example 203.0.113.9 other failure"]);
}

#[test]
fn trap_9_a_login_of_the_audit_log_is_judged_by_its_number() {
    let line = |operation: &str, number: &str| {
        format!(
            r#"{{"CreationTime":"2025-12-04T08:19:41","Id":"{number}","Operation":"{operation}","RecordType":15,"Workload":"AzureActiveDirectory","UserId":"jane@u.example","ErrorNumber":"{number}"}}"#
        )
    };
    let text = [line("UserLoggedIn", "50140"), line("UserLoggedIn", "50074"), line("UserLoginFailed", "0")].join("\n");
    let results: Vec<String> = logins(&text).iter().map(|l| l.rsplit(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(results, ["success", "stopped", "failure"]);
}

#[test]
fn trap_13_a_refreshed_token_says_nothing_of_a_password() {
    let line = r#"{"id":"1","createdDateTime":"2025-12-04T08:19:41Z","userPrincipalName":"jane@u.example","isInteractive":false,"incomingTokenType":"refreshToken","status":{"errorCode":50076}}"#;
    assert_eq!(logins(line), ["2025-12-04T08:19:41+00:00 jane@u.example - other interrupted"]);
}

#[test]
fn trap_14_a_folder_that_was_synchronised_and_a_throttled_mailbox_are_no_counts() {
    let line = |id: u32, kind: &str, throttled: &str| {
        format!(
            r#"{{"CreationTime":"2025-12-04T08:19:41","Id":"{id}","Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"203.0.113.9","OperationProperties":[{{"Name":"MailAccessType","Value":"{kind}"}},{{"Name":"IsThrottled","Value":"{throttled}"}}],"OperationCount":7}}"#
        )
    };
    let text = [line(1, "Bind", "False"), line(2, "Sync", "False"), line(3, "Bind", "True")].join("\n");
    let (found, _, remarks) = read(&text);
    let seen: Vec<_> = found
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Mailbox(used) => Some((used.items, used.scope.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [(Some(7), "messages"), (None, "folder"), (Some(7), "throttled")]);
    assert_eq!(remarks.count(Remark::Throttled), 1);
}

#[test]
fn trap_15_a_rule_is_found_whichever_program_made_it() {
    let text = r#"{"CreationTime":"2025-12-04T08:31:02","Id":"1","Operation":"New-InboxRule","RecordType":1,"Workload":"Exchange","ResultStatus":"True","ClientIP":"203.0.113.9:28491","UserId":"jane@u.example","Parameters":[{"Name":"Name","Value":"."},{"Name":"MoveToFolder","Value":"Archive"}]}
{"CreationTime":"2025-12-04T08:31:03","Id":"2","Operation":"UpdateInboxRules","RecordType":2,"Workload":"Exchange","UserId":"jane@u.example","ClientIPAddress":"203.0.113.9","OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"."}]}
{"CreationTime":"2025-12-04T08:31:04","Id":"3","Operation":"Set-Mailbox","RecordType":1,"Workload":"Exchange","UserId":"jane@u.example","Parameters":[{"Name":"Identity","Value":"jane@u.example"},{"Name":"ForwardingSmtpAddress","Value":"smtp:x@evil.test"},{"Name":"Password","Value":"hunter2"}]}"#;
    let (found, _, _) = read(text);
    let acts: Vec<_> = found
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Action(action) => Some((action.kind, String::from_utf8_lossy(action.detail).into_owned())),
            _ => None,
        })
        .collect();
    assert_eq!(
        acts.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        [ActionKind::InboxRuleCreated, ActionKind::InboxRuleCreated, ActionKind::ForwardingSet]
    );
    assert_eq!(acts[0].1, "New-InboxRule Name=.; MoveToFolder=Archive");
    assert!(!acts[2].1.contains("hunter2"));
}

#[test]
fn a_role_that_lets_an_account_read_all_mail_is_a_grant_by_whichever_cmdlet_and_its_end_is_one_too() {
    let line = |id: u32, operation: &str, parameters: &str| {
        format!(
            r#"{{"CreationTime":"2025-12-04T08:31:02","Id":"{id}","Operation":"{operation}","RecordType":1,"Workload":"Exchange","ResultStatus":"True","ClientIP":"203.0.113.9:28491","UserId":"admin@u.example","Parameters":[{parameters}]}}"#
        )
    };
    let role = r#"{"Name":"Name","Value":"Sync"},{"Name":"Roles","Value":"ApplicationImpersonation"},{"Name":"Members","Value":"jane"}"#;
    let assignment = r#"{"Name":"Role","Value":"ApplicationImpersonation"},{"Name":"User","Value":"jane@u.example"}"#;
    let text = [
        line(1, "New-RoleGroup", role),
        line(2, "New-ManagementRoleAssignment", assignment),
        line(3, "Add-RoleGroupMember", r#"{"Name":"Identity","Value":"Sync"},{"Name":"Member","Value":"ken"}"#),
        line(4, "Remove-RoleGroup", r#"{"Name":"Identity","Value":"Sync"}"#),
    ]
    .join("\n");
    let (found, ledger, _) = read(&text);
    let acts: Vec<_> = found
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Action(action) => Some((action.kind, action.actor, String::from_utf8_lossy(action.detail).into_owned())),
            _ => None,
        })
        .collect();
    use ActionKind::{RoleGranted, RoleRevoked};
    assert_eq!(acts.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>(), [RoleGranted, RoleGranted, RoleGranted, RoleRevoked]);
    assert!(acts.iter().all(|(_, actor, _)| *actor == Some(&b"admin@u.example"[..])));
    assert_eq!(acts[0].2, "New-RoleGroup Name=Sync; Roles=ApplicationImpersonation; Members=jane");
    assert_eq!(acts[1].2, "New-ManagementRoleAssignment Role=ApplicationImpersonation; User=jane@u.example");
    assert_eq!((ledger.total, ledger.used), (4, 4));
}

#[test]
fn trap_18_the_last_station_of_a_recipient_decides() {
    let text = "\"origin_timestamp_utc\",\"sender_address\",\"recipient_status\",\"message_subject\",\"total_bytes\",\"message_id\",\"network_message_id\",\"original_client_ip\",\"directionality\",\"connector_id\",\"delivery_priority\"\r\n\
\"2025-12-04T08:40:00.0000000Z\",\"jane@u.example\",\"a@x.test##Receive, Send;b@y.test##Receive, Expand, Fail;c##d@z.test##Receive, Defer\",\"Invoice; final\",\"48211\",\"<m1@u.example>\",\"44444444-0000-4000-8000-000000000001\",\"203.0.113.9\",\"2\",\"\",\"Normal\"\r\n";
    let (found, _, _) = read(text);
    let fates: Vec<_> = found
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Trail(trail) => match trail.fact {
                TrailFact::Recipient { address, fate, .. } => Some((String::from_utf8_lossy(address).into_owned(), fate)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(fates.len(), 3);
    assert!(matches!(fates[0].1, TrailFate::HandedOver { outside: Some(true) }));
    assert!(matches!(fates[1].1, TrailFate::Ended { .. }));
    assert!(fates[2].0 == "c##d@z.test" && matches!(fates[2].1, TrailFate::Waiting { .. }));
}

#[test]
fn trap_19_a_result_that_an_export_lost_is_never_a_success() {
    let text = "\"Id\",\"CreatedDateTime\",\"UserPrincipalName\",\"IPAddress\",\"Status\"\n\"1\",\"2025-12-04T08:19:41Z\",\"jane@u.example\",\"203.0.113.9\",\"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus\"\n";
    let (_, _, remarks) = read(text);
    assert_eq!(logins(text), ["2025-12-04T08:19:41+00:00 jane@u.example 203.0.113.9 other interrupted"]);
    assert_eq!(remarks.count(Remark::OutcomeLost), 1);
    let flat = text.replace("Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus", "@{errorCode=50126; failureReason=x}");
    assert!(logins(&flat)[0].ends_with("failure"));
}

/// The audit log's records of one morning, each of which ended by sending the browser elsewhere and has no number that says more: back
/// to the application, signed in; on to what is asked after the password; somewhere.
#[test]
fn a_login_that_was_sent_elsewhere_is_what_its_request_says_and_no_guess() {
    let record = |operation: &str, number: &str, detail: &str, request: &str| {
        format!(
            r#"{{"CreationTime":"2025-12-04T08:19:41","Id":"1","Operation":"{operation}","RecordType":15,"ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"jane@u.example","ActorIpAddress":"203.0.113.9",{number}"ExtendedProperties":[{{"Name":"ResultStatusDetail","Value":"{detail}"}},{{"Name":"RequestType","Value":"{request}"}}]}}"#
        )
    };
    let zero = r#""ErrorNumber":"0","#;
    for (operation, number, detail, request, result) in [
        ("UserLoggedIn", zero, "Redirect", "OAuth2:Authorize", "success"),
        ("UserLoggedIn", "", "Redirect", "OAuth2:Authorize", "success"),
        ("UserLoggedIn", zero, "Redirect", "Login:login", "stopped"),
        ("UserLoggedIn", "", "Redirect", "Login:login", "stopped"),
        ("UserLoggedIn", "", "Redirect", "Login:reprocess", "interrupted"),
        ("UserLoggedIn", "", "Redirect", "", "interrupted"),
        ("UserLoginFailed", "", "Redirect", "OAuth2:Authorize", "interrupted"),
        // A number says more than that.
        ("UserLoginFailed", r#""ErrorNumber":"50126","#, "Redirect", "Login:login", "failure"),
        ("UserLoginFailed", r#""ErrorNumber":"50074","#, "Redirect", "SAS:BeginAuth", "stopped"),
        ("UserLoginFailed", "", "UserError", "Login:login", "failure"),
        ("UserLoggedIn", "", "UserError", "Login:login", "interrupted"),
        ("UserLoggedIn", "", "Success", "Login:login", "success"),
    ] {
        let told = logins(&record(operation, number, detail, request));
        assert!(matches!(&told[..], [one] if one.ends_with(result)), "{operation} {number} {detail} {request}: {told:?}");
    }
}

#[test]
fn trap_20_a_page_that_names_the_next_one_is_said() {
    let text = r#"{"@odata.context":"x","value":[{"id":"1","createdDateTime":"2025-12-04T08:19:41Z","userPrincipalName":"jane@u.example","clientAppUsed":"Browser","ipAddress":"203.0.113.9","status":{"errorCode":50126}}],"@odata.nextLink":"https://graph.example/next"}"#;
    assert_eq!(logins(text), [THREE[0]]);
    assert_eq!(read(text).2.count(Remark::NextPage), 1);
}

#[test]
fn trap_7_the_same_record_twice_has_one_identity() {
    let scratch = Bump::new();
    let text = [&[HEADING], &ROWS[..], &ROWS[..1]].concat().join("\n");
    let batch = parse_whole(&SIGN_INS, text.as_bytes(), &scratch);
    let mut hashes: Vec<u64> = batch.unique.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(hashes.len(), 4);
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 3);
}

#[test]
fn trap_8_the_steps_of_one_attempt_are_three_records_and_none_a_copy() {
    let line = |id: u32, second: u32, code: u32| {
        format!(
            r#"{{"id":"{id}","createdDateTime":"2025-12-04T08:19:{second}Z","userPrincipalName":"jane@u.example","correlationId":"c","ipAddress":"203.0.113.9","clientAppUsed":"Browser","status":{{"errorCode":{code}}}}}"#
        )
    };
    let text = [line(1, 41, 50126), line(2, 45, 50158), line(3, 50, 0)].join("\n");
    let results: Vec<String> = logins(&text).iter().map(|l| l.rsplit(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(results, ["failure", "stopped", "success"]);
    let scratch = Bump::new();
    let batch = parse_whole(&SIGN_INS_JSON, text.as_bytes(), &scratch);
    let hashes: std::collections::HashSet<u64> = batch.unique.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(hashes.len(), 3);
}

#[test]
fn trap_11_a_malicious_address_is_told_from_a_locked_account_by_the_records_own_words() {
    let line = |id: u32, status: &str| {
        format!(
            r#"{{"id":"{id}","createdDateTime":"2025-12-04T08:19:41Z","userPrincipalName":"jane@u.example","status":{{"errorCode":50053{status}}}}}"#
        )
    };
    let malicious = "Sign-in was blocked because it came from an IP address with malicious activity";
    let locked = "The account is locked, you've tried to sign in too many times";
    let text = [
        line(1, &format!(r#","failureReason":"{malicious}""#)),
        line(2, &format!(r#","failureReason":"{locked}""#)),
        // Where the reason is the same for both, the words beside it tell.
        line(3, &format!(r#","failureReason":"Other.","additionalDetails":"{malicious}""#)),
        // Where nothing tells, neither is claimed.
        line(4, ""),
        // Another number with such words is what its number says.
        line(5, "").replace("50053", "50126"),
    ]
    .join("\n");
    let told: Vec<_> = read(&text)
        .0
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Login(login) => Some((login.result, login.provider.and_then(|word| word.refusal))),
            _ => None,
        })
        .collect();
    let (bad, lock) = (Some(Refusal::MaliciousAddress), Some(Refusal::LockedAccount));
    assert_eq!(told, [bad, lock, bad, None, None].map(|refusal| (LoginResult::Failure { attempts: 1 }, refusal)));
}

#[test]
fn a_row_of_hunting_is_read_by_the_audit_record_in_it_or_counted_as_another_programs() {
    let text = r#"{"Timestamp":"2025-12-04T08:19:41Z","ActionType":"LdapSearch","DeviceName":"ad.u.example","RawEventData":null}
{"Timestamp":"2025-12-04T08:19:42Z","ActionType":"New-InboxRule","RawEventData":{"CreationTime":"2025-12-04T08:19:41Z","Id":"1","Operation":"New-InboxRule","RecordType":1,"Workload":"Exchange","UserId":"jane@u.example","Parameters":[{"Name":"Name","Value":"."}]}}"#;
    let (found, ledger, _) = read(text);
    assert!(matches!(&found[..], [Event { kind: Kind::Action(action), .. }] if action.kind == ActionKind::InboxRuleCreated));
    assert_eq!((ledger.total, ledger.used, ledger.ignored[Ignored::OtherProgram as usize]), (2, 1, 1));
}

#[test]
fn an_envelope_that_lost_its_content_and_an_act_without_a_name_are_damage_and_no_strangers() {
    for line in [
        r#"{"time":"1/9/2007 10:41:00 AM +01:00","category":"SignInLogs"}"#,
        r#"{"ClientIP":"[2001:db8::abcd]:12345","CreationTime":"2020-02-17T17:12:03","Id":"3","RecordType":-1}"#,
    ] {
        let (found, ledger, _) = read(line);
        assert_eq!((found.len(), ledger.total, ledger.malformed), (0, 1, 1), "{line}");
    }
}

#[test]
fn the_protocol_of_the_notice_is_the_word_of_the_log() {
    let row = ROWS[2].replace("IMAP4", "Authenticated SMTP");
    let (found, _, _) = read(&format!("{HEADING}\n{row}\n"));
    assert!(found.iter().any(|e| matches!(&e.kind, Kind::Login(login) if login.protocol == Protocol::SmtpAuth)));
}
