//! What becomes of Exchange's logs when they are put together: each trap that lies in counting them.

use super::testing::{rows_of_files, shown};
use crate::domain::outcome::{By, Reason};
use crate::domain::rows::{Attribution, LoginResult, Protocol, Rows};

const TRACKING: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: Message Tracking Log\r\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,sender-address,return-path,directionality,original-client-ip,custom-data\r\n";
const RECEIVE: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: SMTP Receive Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n";
const POP: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: POP3 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n";
const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status\r\n";

/// A row of the tracking log by what matters in a test.
#[derive(Clone, Copy)]
struct Tracked<'a> {
    time: &'a str,
    client: &'a str,
    server: &'a str,
    context: &'a str,
    connector: &'a str,
    source: &'a str,
    event: &'a str,
    internal: &'a str,
    message: &'a str,
    network: u8,
    recipients: &'a str,
    status: &'a str,
    related: &'a str,
    reference: &'a str,
    sender: &'a str,
    path: &'a str,
    direction: &'a str,
    original: &'a str,
    custom: &'a str,
}

const ROW: Tracked<'static> = Tracked {
    time: "16:01:02.000",
    client: "EX1",
    server: "ex1.u.example",
    context: "",
    connector: "",
    source: "SMTP",
    event: "RECEIVE",
    internal: "5",
    message: "<m1@u.example>",
    network: 1,
    recipients: "a@x.test",
    status: "",
    related: "",
    reference: "",
    sender: "suzuki@u.example",
    path: "suzuki@u.example",
    direction: "Originating",
    original: "",
    custom: "",
};

impl Tracked<'_> {
    fn text(&self) -> String {
        let network = if self.network == 0 { String::new() } else { format!("1e6eb197-c6b4-1234-1b69-56dc1db88f{:02x}", self.network) };
        let count = self.recipients.split(';').count();
        format!(
            "2022-10-31T{}Z,192.0.2.25,{},192.0.2.25,{},\"{}\",{},{},{},{},{},{network},{},\"{}\",1000,{count},{},{},{},{},{},{},{}\r\n",
            self.time,
            self.client,
            self.server,
            self.context,
            self.connector,
            self.source,
            self.event,
            self.internal,
            self.message,
            self.recipients,
            self.status,
            self.related,
            self.reference,
            self.sender,
            self.path,
            self.direction,
            self.original,
            self.custom
        )
    }
}

fn tracking(tracked: &[Tracked<'_>]) -> String {
    TRACKING.to_owned() + &tracked.iter().map(Tracked::text).collect::<String>()
}

/// Rows of one session in the receive log of a connector, `event,data,context` each.
fn receive(connector: &str, session: &str, remote: &str, lines: &[&str]) -> String {
    let row = |(n, line): (usize, &&str)| {
        format!("2022-10-31T16:01:{n:02}.000Z,EX1\\{connector} EX1,{session},{n},192.0.2.25:587,{remote},{line}\r\n")
    };
    lines.iter().enumerate().map(row).collect()
}

fn files(files: &[String]) -> Rows {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    rows_of_files(&files)
}

/// `time account address protocol result` of each login.
fn logins(rows: &Rows) -> Vec<String> {
    let name = |text: Option<crate::domain::text::Text>| text.map_or("-".to_owned(), |t| rows.show(t));
    rows.logins.iter().map(|l| format!("{} {} {} {}", name(l.account), name(l.address), l.protocol.as_str(), l.result.as_str())).collect()
}

const CLIENT: &str = "203.0.113.7:51234";
const SUBMISSION: [&str; 7] = [
    "+,,",
    "<,EHLO pc.example,",
    "<,AUTH LOGIN,",
    ">,334 <authentication response>,",
    "*,SMTPSubmit SMTPAcceptAnyRecipient,Set Session Permissions",
    "*,UNIV\\suzuki,authenticated",
    ">,235 2.7.0 Authentication successful,",
];

/// An internal message through a mailbox server's three logs.
fn internal() -> [Tracked<'static>; 9] {
    let store =
        "MDB:1, Mailbox:33345678-3232-2323-1111-08da9fd00918, Event:1, MessageClass:IPM.Note, ClientType:OWA, SubmissionAssistant:x";
    let hop = "08D0000000000001;2022-10-31T16:01:02.000Z;0";
    [
        Tracked { event: "NOTIFYMAPI", source: "STOREDRIVER", context: store, message: "", network: 0, recipients: "", ..ROW },
        Tracked { source: "STOREDRIVER", context: store, recipients: "b@u.example", status: "To", original: "203.0.113.7", ..ROW },
        Tracked { event: "SUBMIT", source: "STOREDRIVER", context: store, recipients: "", ..ROW },
        Tracked { event: "HAREDIRECTFAIL", recipients: "b@u.example", ..ROW },
        Tracked { context: hop, connector: "EX1\\Default EX1", recipients: "b@u.example", internal: "77", ..ROW },
        Tracked { event: "AGENTINFO", source: "AGENT", recipients: "b@u.example", ..ROW },
        Tracked {
            event: "SEND",
            connector: "Intra-Organization SMTP Send Connector",
            recipients: "b@u.example",
            status: "250 2.1.5 Recipient OK",
            ..ROW
        },
        Tracked { event: "DELIVER", source: "STOREDRIVER", time: "16:01:03.000", recipients: "B@u.example", ..ROW },
        Tracked { event: "HADISCARD", time: "16:01:04.000", recipients: "b@u.example", ..ROW },
    ]
}

#[test]
fn trap_8_nine_rows_in_three_files_are_one_message() {
    let all = internal();
    let rows = files(&[tracking(&all[..3]), tracking(&all[3..7]), tracking(&all[7..])]);
    assert_eq!(shown(&rows), ["suzuki@u.example: delivered [b@u.example=delivered]"]);
    assert_eq!(rows.messages[0].attribution, Attribution::Named);
    // In whatever order the files come.
    let turned = files(&[tracking(&all[7..]), tracking(&all[3..7]), tracking(&all[..3])]);
    assert_eq!(shown(&turned), shown(&rows));
    // Nothing but the message tells of the use of web mail.
    assert_eq!(logins(&rows), ["suzuki@u.example 203.0.113.7 webmail success"]);
}

#[test]
fn trap_9_copies_kept_for_safety_change_no_count() {
    let rows = files(&[tracking(&[
        Tracked { event: "HARECEIVE", recipients: "b@u.example", network: 2, ..ROW },
        Tracked { event: "HAREDIRECT", recipients: "b@u.example", network: 3, ..ROW },
        Tracked { event: "HADISCARD", recipients: "b@u.example", network: 4, ..ROW },
        Tracked { event: "RESUBMIT", source: "SAFETYNET", recipients: "b@u.example", network: 5, ..ROW },
        Tracked { event: "DUPLICATEDELIVER", source: "STOREDRIVER", recipients: "b@u.example", network: 6, ..ROW },
    ])]);
    assert_eq!(shown(&rows), [""; 0]);
}

#[test]
fn trap_10_an_internal_number_means_nothing_on_another_server() {
    // Two servers, one number, one sender: it is not the sender that keeps them apart.
    let (sender, direction) = ("a@x.test", "Incoming");
    let of = |server, message| Tracked { server, client: "pc", message, sender, path: sender, network: 0, direction, ..ROW };
    let rows = files(&[tracking(&[of("ex1.u.example", "<m1@x.test>")]), tracking(&[of("ex2.u.example", "<m2@x.test>")])]);
    assert_eq!(rows.messages.len(), 2);
}

#[test]
fn trap_11_a_failure_and_its_notice_are_one_failed_message_and_none_sent() {
    let notice = Tracked {
        network: 2,
        message: "<n1@u.example>",
        source: "DSN",
        recipients: "suzuki@u.example",
        sender: "postmaster@u.example",
        path: "<>",
        time: "16:01:05.000",
        ..ROW
    };
    let rows = files(&[tracking(&[
        Tracked { connector: "EX1\\Client Proxy EX1", custom: "S:Mailbox=33345678-3232-2323-1111-08da9fd00918", ..ROW },
        Tracked { event: "DEFER", time: "16:01:03.000", status: "451 4.7.1 try again later", ..ROW },
        Tracked { event: "FAIL", server: "mx.x.test", time: "16:01:04.000", status: "550 5.7.1 blocked using a list", ..ROW },
        Tracked { event: "DSN", context: "Failure", reference: "<m1@u.example>", ..notice },
        notice,
        Tracked { event: "DELIVER", source: "STOREDRIVER", ..notice },
    ])]);
    assert_eq!(shown(&rows), ["suzuki@u.example: blocked [a@x.test=blocked]"]);
    assert_eq!((rows.recipients[0].by, rows.recipients[0].reason), (Some(By::Remote), Some(Reason::Reputation)));
    assert_eq!((rows.notices.len(), rows.notices[0].message), (1, 0));
    // Delivered after it failed once: it arrived. Failed after it was delivered: it did not stay.
    for (fail, deliver, outcome) in [("16:01:03.000", "16:01:04.000", "delivered"), ("16:01:04.000", "16:01:03.000", "bounced")] {
        let rows = files(&[tracking(&[
            Tracked { direction: "Incoming", sender: "x@x.test", path: "x@x.test", recipients: "b@u.example", ..ROW },
            Tracked {
                event: "FAIL",
                source: "STOREDRIVER",
                time: fail,
                recipients: "b@u.example",
                status: "554 5.2.2 mailbox full",
                ..ROW
            },
            Tracked { event: "DELIVER", source: "STOREDRIVER", time: deliver, recipients: "b@u.example", ..ROW },
        ])]);
        assert_eq!(rows.recipients[0].outcome.as_str(), outcome);
    }
}

#[test]
fn trap_12_the_front_ends_address_is_not_the_clients() {
    let rows = files(&[tracking(&[Tracked { connector: "EX1\\Client Proxy EX1", original: "203.0.113.7", ..ROW }])]);
    assert_eq!(rows.messages[0].address.map(|a| rows.show(a)), Some("203.0.113.7".to_owned()));
}

#[test]
fn trap_13_the_account_is_who_logged_in_and_not_whom_the_sender_names() {
    let session = receive("Client Frontend", "08D0000000000007", CLIENT, &SUBMISSION);
    let rows = files(&[
        RECEIVE.to_owned() + &session,
        tracking(&[Tracked {
            connector: "EX1\\Client Frontend EX1",
            context: "08D0000000000007;2022-10-31T16:01:02.000Z;1",
            sender: "tanaka@u.example",
            path: "tanaka@u.example",
            ..ROW
        }]),
    ]);
    assert_eq!(logins(&rows), ["suzuki@u.example 203.0.113.7 smtp-auth success"]);
    assert_eq!(rows.messages[0].account.map(|a| rows.show(a)), Some("suzuki@u.example".to_owned()));
    assert_eq!(rows.messages[0].attribution, Attribution::Named);
    // Without the session's log the sender is all there is, and the message says so.
    let rows = files(&[tracking(&[Tracked {
        connector: "EX1\\Client Frontend EX1",
        context: "08D0000000000007;x;1",
        sender: "tanaka@u.example",
        path: "tanaka@u.example",
        ..ROW
    }])]);
    assert_eq!(rows.messages[0].attribution, Attribution::EnvelopeSender);
    // The mailbox that the server itself names is as good as the session.
    let mailbox = "33345678-3232-2323-1111-08da9fd00918";
    let custom = format!("S:OriginalFromAddress=tanaka@u.example;S:Mailbox={mailbox}");
    let rows = files(&[tracking(&[
        internal()[1],
        Tracked {
            network: 9,
            connector: "EX1\\Client Proxy EX1",
            sender: "tanaka@u.example",
            path: "tanaka@u.example",
            custom: &custom,
            ..ROW
        },
    ])]);
    assert!(shown(&rows).iter().all(|m| m.starts_with("suzuki@u.example")), "{:?}", shown(&rows));
}

#[test]
fn a_mailboxs_id_is_known_by_what_was_delivered_to_it() {
    let mailbox = "33345678-3232-2323-1111-08da9fd00918";
    let (delivered, sent) = (format!("S:Mailboxes={mailbox}"), format!("S:Mailbox={mailbox}"));
    let rows = files(&[tracking(&[
        Tracked {
            event: "DELIVER",
            source: "STOREDRIVER",
            network: 2,
            recipients: "suzuki@u.example",
            sender: "x@x.test",
            custom: &delivered,
            ..ROW
        },
        Tracked {
            connector: "EX1\\Client Proxy EX1",
            sender: "bank@z.test",
            path: "bank@z.test",
            original: "203.0.113.7",
            custom: &sent,
            ..ROW
        },
    ])]);
    assert_eq!(shown(&rows)[1], "suzuki@u.example: unknown [a@x.test=unknown]");
    // The login for it is in no log: it is told, and told to be inferred.
    assert_eq!((logins(&rows), rows.logins[0].inferred), (vec!["suzuki@u.example 203.0.113.7 smtp-auth success".to_owned()], true));
}

#[test]
fn trap_14_permissions_of_a_session_are_no_login() {
    let rows = files(&[RECEIVE.to_owned()
        + &receive(
            "Default Frontend",
            "08D0000000000007",
            CLIENT,
            &[
                "+,,",
                "*,SMTPSubmit AcceptRoutingHeaders,Set Session Permissions",
                "<,EHLO x,",
                "<,MAIL FROM:<x@x.test>,",
                "*,UNIV\\EX2$,authenticated",
                "*,NT AUTHORITY\\SYSTEM,authenticated",
                "-,,Remote",
            ],
        )]);
    assert_eq!(logins(&rows), [""; 0]);
}

#[test]
fn trap_15_a_session_passed_on_is_one_login() {
    let front = receive("Client Frontend", "08D0000000000007", CLIENT, &SUBMISSION);
    let passed = [
        "+,,",
        "<,EHLO EX1,",
        "*,UNIV\\EX1$,authenticated",
        "<,XPROXY SID=08D0000000000007 IP=203.0.113.7 PORT=51234 DOMAIN=pc.example CAPABILITIES=0,",
        ">,250 XProxy accepted and authenticated,",
        "*,UNIV\\suzuki,authenticated",
    ];
    let hub = receive("Client Proxy", "08D0000000000009", "192.0.2.25:2525", &passed);
    let one = ["suzuki@u.example 203.0.113.7 smtp-auth success"];
    assert_eq!(logins(&files(&[RECEIVE.to_owned() + &front, RECEIVE.to_owned() + &hub])), one);
    // Either log alone gives the same login, with the client's true address.
    assert_eq!(logins(&files(&[RECEIVE.to_owned() + &front])), one);
    assert_eq!(logins(&files(&[RECEIVE.to_owned() + &hub])), one);
}

#[test]
fn trap_16_pop_tells_the_name_before_the_password_and_the_outcome_after() {
    let session = |outcome: &str| {
        let row = |n: usize, command: &str| {
            format!("2022-10-31T16:01:02.00{n}Z,0000000000000005,{n},192.0.2.25:110,203.0.113.7:55576,,1,1,1,{command}\r\n")
        };
        POP.to_owned()
            + &row(0, "OpenSession,,")
            + &row(1, "user,suzuki@u.example,R=OK")
            + &row(2, &format!("pass,*****,{outcome}"))
            + &row(3, "CloseSession,,")
    };
    let failed = session("\"R=\"\"-ERR Logon failure: unknown user name or bad password.\"\"\"");
    assert_eq!(logins(&files(&[failed])), ["suzuki@u.example 203.0.113.7 pop3 failure"]);
    assert_eq!(logins(&files(&[session("R=OK")])), ["suzuki@u.example 203.0.113.7 pop3 success"]);
    // The server's column leaves the domain out.
    let short = session("R=OK").replace("203.0.113.7:55576,,", "203.0.113.7:55576,suzuki,").replace("suzuki@u.example", "suzuki@v.example");
    assert_eq!(logins(&files(&[short])), ["suzuki@v.example 203.0.113.7 pop3 success"]);
    let name_alone =
        POP.to_owned() + "2022-10-31T16:01:02.000Z,0000000000000005,1,192.0.2.25:110,203.0.113.7:55576,,1,1,1,user,suzuki,R=OK\r\n";
    assert_eq!(logins(&files(&[name_alone])), [""; 0]);
}

fn iis(lines: &[&str]) -> Rows {
    files(&[IIS.to_owned() + &lines.iter().map(|line| format!("2022-10-31 {line}\r\n")).collect::<String>()])
}

#[test]
fn trap_17_a_form_sent_in_is_answered_by_what_comes_next() {
    let post = "16:01:02 192.0.2.25 POST /owa/auth.owa - 443 - 203.0.113.7 Mozilla/5.0 302 0 0";
    let refused = "16:01:03 192.0.2.25 GET /owa/auth/logon.aspx url=x&reason=2 443 - 203.0.113.7 Mozilla/5.0 200 0 0";
    let opened = "16:01:03 192.0.2.25 GET /owa/ - 443 UNIV\\suzuki 203.0.113.7 Mozilla/5.0 200 0 0";
    assert_eq!(logins(&iis(&[post])), [""; 0]);
    assert_eq!(logins(&iis(&[post, refused])), ["- 203.0.113.7 webmail failure"]);
    assert_eq!(logins(&iis(&[refused])), [""; 0]);
    assert_eq!(logins(&iis(&[post, opened])), ["suzuki@u.example 203.0.113.7 webmail success"]);
    assert_eq!(logins(&iis(&["16:01:02 192.0.2.25 GET /EWS/Exchange.asmx - 443 - 203.0.113.7 x 401 2 5"])), [""; 0]);
    assert_eq!(
        logins(&iis(&["16:01:02 192.0.2.25 GET /EWS/Exchange.asmx - 443 UNIV\\suzuki 203.0.113.7 x 401 1 1326"])),
        ["suzuki@u.example 203.0.113.7 ews failure"]
    );
}

#[test]
fn who_signs_in_again_while_a_session_goes_on_has_logged_in_twice() {
    let post = |time: &str| format!("{time} 192.0.2.25 POST /owa/auth.owa - 443 - 203.0.113.7 Mozilla/5.0 302 0 0");
    let open = |time: &str, user: &str| format!("{time} 192.0.2.25 GET /owa/ - 443 UNIV\\{user} 203.0.113.7 Mozilla/5.0 200 0 0");
    let refused = |time: &str| format!("{time} 192.0.2.25 GET /owa/auth/logon.aspx url=x&reason=2 443 - 203.0.113.7 Mozilla/5.0 200 0 0");
    let told = |lines: &[String]| logins(&iis(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
    let (suzuki, failure) = ("suzuki@u.example 203.0.113.7 webmail success", "- 203.0.113.7 webmail failure");
    let begun = [post("16:01:02"), open("16:01:03", "suzuki"), open("16:20:00", "suzuki")];
    assert_eq!(told(&begun), [suzuki]);
    let with = |more: &[String]| told(&[&begun[..], more].concat());
    assert_eq!(with(&[post("16:22:00"), open("16:22:01", "suzuki")]), [suzuki, suzuki]);
    // Nobody was let in.
    assert_eq!(with(&[post("16:22:00"), refused("16:22:01"), open("16:23:30", "suzuki")]), [suzuki, failure]);
    // Nothing came of it.
    assert_eq!(with(&[post("16:22:00")]), [suzuki]);
    // It let in somebody else.
    let tanaka = "tanaka@u.example 203.0.113.7 webmail success";
    assert_eq!(with(&[post("16:22:00"), open("16:22:01", "tanaka"), open("16:23:30", "suzuki")]), [suzuki, tanaka]);
}

#[test]
fn trap_20_what_a_missing_log_would_have_told_is_not_taken_for_nothing() {
    let taken = [
        "<,MAIL FROM:<suzuki@u.example>,",
        ">,250 2.1.0 Sender OK,",
        "<,RCPT TO:<a@x.test>,",
        ">,250 2.1.5 Recipient OK,",
        "<,DATA,",
        ">,354 Start mail input,",
        ">,\"250 2.6.0 <m1@u.example> [InternalId=5, Hostname=ex1.u.example] Queued mail for delivery\",",
    ];
    let lines: Vec<&str> = SUBMISSION.iter().copied().chain(taken).collect();
    let session = RECEIVE.to_owned() + &receive("Client Frontend", "08D0000000000007", CLIENT, &lines);
    // Without the tracking log the message is known, and its end is not.
    assert_eq!(shown(&files(std::slice::from_ref(&session))), ["suzuki@u.example: unknown [a@x.test=unknown]"]);
    // With it the two are one message.
    let tracked = tracking(&[
        Tracked { connector: "EX1\\Client Frontend EX1", context: "08D0000000000007;x;1", ..ROW },
        Tracked { event: "SENDEXTERNAL", server: "mx.x.test", ..ROW },
    ]);
    assert_eq!(shown(&files(&[session, tracked])), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
    // Handed to a server of ours that tells of no delivery: on its way, not arrived.
    let handed = tracking(&[
        Tracked { connector: "EX1\\Client Frontend EX1", ..ROW },
        Tracked { event: "SEND", connector: "Intra-Organization SMTP Send Connector", server: "ex2.u.example", ..ROW },
    ]);
    assert_eq!(shown(&files(&[handed])), ["suzuki@u.example: relayed [a@x.test=relayed]"]);
    // Only where it came in is known.
    assert_eq!(
        shown(&files(&[tracking(&[Tracked { connector: "EX1\\Client Frontend EX1", ..ROW }])])),
        ["suzuki@u.example: unknown [a@x.test=unknown]"]
    );
}

#[test]
fn a_relay_of_ours_that_takes_what_leaves_exchange_is_no_receiver() {
    let sent = |server: &'static str| {
        let came = Tracked { connector: "EX1\\Client Frontend EX1", ..ROW };
        shown(&files(&[tracking(&[came, Tracked { event: "SENDEXTERNAL", connector: "To Internet", server, ..ROW }])]))
    };
    assert_eq!(sent("smtp-out.u.example"), ["suzuki@u.example: relayed [a@x.test=relayed]"]);
    assert_eq!(sent("mx.x.test"), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
}

#[test]
fn each_recipient_of_a_long_list_has_one_row_however_many_records_name_it() {
    for size in [1, 2, 7, 8, 9, 40] {
        let list: Vec<String> = (0..size).map(|n| format!("r{n:02}@x.test")).collect();
        let (all, reversed) = (list.join(";"), list.iter().rev().cloned().collect::<Vec<_>>().join(";").to_uppercase());
        let rows = files(&[tracking(&[
            Tracked { connector: "EX1\\Client Frontend EX1", recipients: &all, ..ROW },
            Tracked { event: "SENDEXTERNAL", server: "mx.x.test", recipients: &reversed, ..ROW },
            Tracked { event: "SENDEXTERNAL", server: "mx.x.test", recipients: &all, ..ROW },
        ])]);
        let delivered: Vec<String> = list.iter().map(|address| format!("{address}=delivered")).collect();
        assert_eq!(shown(&rows), [format!("suzuki@u.example: delivered [{}]", delivered.join(" "))]);
    }
}

#[test]
fn without_an_id_of_the_systems_own_the_nearest_message_of_a_message_id_is_meant() {
    let at = |time: &'static str| Tracked { time, network: 0, connector: "EX1\\Client Frontend EX1", ..ROW };
    let end = |time: &'static str, event: &'static str| Tracked { time, network: 0, event, server: "mx.x.test", ..ROW };
    let rows = files(&[tracking(&[
        at("08:00:00.000"),
        end("08:00:01.000", "SENDEXTERNAL"),
        at("12:00:00.000"),
        end("12:00:01.000", "POISONMESSAGE"),
        at("16:00:00.000"),
        end("16:00:01.000", "SENDEXTERNAL"),
    ])]);
    let of = |outcome: &str| format!("suzuki@u.example: {outcome} [a@x.test={outcome}]");
    assert_eq!(shown(&rows), [of("delivered"), of("held"), of("delivered")]);
}

#[test]
fn refusals_in_a_session_are_messages_or_recipients_of_one() {
    let refused = [
        "<,MAIL FROM:<tanaka@u.example>,",
        ">,550 5.7.60 SMTP; Client does not have permissions to send as this sender,",
        "<,RCPT TO:<a@x.test>,",
        ">,503 5.5.2 Need mail command,",
        "<,RSET,",
        ">,250 2.0.0 Resetting,",
        "<,MAIL FROM:<suzuki@u.example>,",
        ">,421 4.4.2 Message submission rate for this client has exceeded the configured limit,",
        "-,,Local",
    ];
    let lines: Vec<&str> = SUBMISSION.iter().copied().chain(refused).collect();
    let rows = files(&[RECEIVE.to_owned() + &receive("Client Frontend", "08D0000000000007", CLIENT, &lines)]);
    assert_eq!(shown(&rows), ["suzuki@u.example: blocked [a@x.test=blocked]", "suzuki@u.example: blocked [=blocked]"]);
    assert_eq!(rows.recipients.iter().map(|r| r.reason).collect::<Vec<_>>(), [Some(Reason::Policy), Some(Reason::RateLimit)]);
    assert!(rows.recipients.iter().all(|r| r.by == Some(By::Own)));
}

#[test]
fn failures_count_once_and_keep_their_name_where_there_is_one() {
    let lines = [
        "+,,",
        "<,AUTH LOGIN,",
        "*,,Inbound AUTH LOGIN failed because of LogonDenied",
        "*,,User Name: suzuki@u.example",
        "*,,Tarpit for '0.00:00:05'",
        ">,535 5.7.3 Authentication unsuccessful,",
        "<,AUTH LOGIN,",
        ">,535 5.7.3 Authentication unsuccessful,",
        "-,,Remote",
    ];
    let rows = files(&[RECEIVE.to_owned() + &receive("Default Frontend", "08D0000000000007", CLIENT, &lines)]);
    assert_eq!(logins(&rows), ["suzuki@u.example 203.0.113.7 smtp-auth failure", "- 203.0.113.7 smtp-auth failure"]);
    assert!(rows.logins.iter().all(|l| l.result == LoginResult::Failure && l.protocol == Protocol::SmtpAuth));
}

#[test]
fn a_group_is_counted_by_its_members() {
    let rows = files(&[tracking(&[
        Tracked { connector: "EX1\\Client Frontend EX1", recipients: "staff@u.example", ..ROW },
        Tracked { event: "EXPAND", source: "ROUTING", recipients: "b@u.example;c@u.example", related: "staff@u.example", ..ROW },
        Tracked { event: "DELIVER", source: "STOREDRIVER", time: "16:01:03.000", recipients: "b@u.example", ..ROW },
        Tracked {
            event: "FAIL",
            source: "STOREDRIVER",
            time: "16:01:03.000",
            recipients: "c@u.example",
            status: "554 5.2.2 mailbox full",
            ..ROW
        },
    ])]);
    assert_eq!(shown(&rows), ["suzuki@u.example: partly_delivered [b@u.example=delivered c@u.example=bounced]"]);
}

#[test]
fn servers_of_before_and_after_2013_tell_of_one_message() {
    let rows = files(&[
        tracking(&[
            Tracked { connector: "EX1\\Client Frontend EX1", ..ROW },
            Tracked { event: "SEND", connector: "Intra-Organization SMTP Send Connector", server: "old.u.example", ..ROW },
        ]),
        tracking(&[
            Tracked { server: "old.u.example", network: 0, time: "16:01:03.000", ..ROW },
            Tracked { event: "DELIVER", client: "old.u.example", source: "STOREDRIVER", network: 0, time: "16:01:04.000", ..ROW },
        ]),
    ]);
    assert_eq!(shown(&rows), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
}

#[test]
fn a_message_handed_to_a_postfix_relay_of_ours_is_one_message_and_ends_as_the_relay_says() {
    let exchange = tracking(&[
        Tracked { connector: "EX1\\Client Frontend EX1", ..ROW },
        Tracked { event: "SEND", connector: "Outbound", server: "relay.u.example", ..ROW },
    ]);
    let postfix = "Oct 31 16:01:03 relay postfix/smtpd[7]: 1A2B3C4D5E: client=ex1.u.example[192.0.2.25]
Oct 31 16:01:03 relay postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@u.example>
Oct 31 16:01:03 relay postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 16:01:04 relay postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[198.51.100.9]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host mx.x.test[198.51.100.9] said: 550 5.7.1 spam (in reply to end of DATA command))
Oct 31 16:01:04 relay postfix/qmgr[9]: 1A2B3C4D5E: removed
";
    let rows = files(&[exchange.clone(), postfix.to_owned()]);
    assert_eq!(shown(&rows), ["suzuki@u.example: blocked [a@x.test=blocked]"]);
    assert_eq!(rows.recipients[0].by, Some(By::Remote));
    // Without the relay's log the message is on its way.
    assert_eq!(shown(&files(&[exchange])), ["suzuki@u.example: relayed [a@x.test=relayed]"]);
}

#[test]
fn requests_of_one_browser_are_one_login_in_both_logs_of_the_front_end() {
    let proxy = "#Fields: DateTime,RequestId,Protocol,UrlStem,IsAuthenticated,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method\r\n2022-10-31T16:01:03.120Z,r-1,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n2022-10-31T16:20:03.120Z,r-2,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n2022-10-31T18:20:03.120Z,r-3,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n";
    let iis = IIS.to_owned()
        + "2022-10-31 16:01:03 192.0.2.25 GET /owa/ &cafeReqId=r-1; 443 UNIV\\suzuki 203.0.113.7 Mozilla/5.0+(KHTML,+like+Gecko) 200 0 0\r\n2022-10-31 16:01:03 192.0.2.25 GET /owa/ &cafeReqId=r-1; 444 UNIV\\suzuki 192.0.2.25 Mozilla/5.0+(KHTML,+like+Gecko) 200 0 0\r\n";
    let one = "suzuki@u.example 203.0.113.7 webmail success";
    assert_eq!(logins(&files(&[proxy.to_owned(), iis])), [one, one]);
}

/// A session for sending is logged twice from 2013 on: logins and their failures by the front end, what is refused after the login by
/// the hub transport. Either log may be missing, and its half is then unknown and not empty.
#[test]
fn a_session_of_which_one_log_is_missing_is_known_to_be_half_told() {
    let front = receive(
        "Client Frontend",
        "08D0000000000007",
        CLIENT,
        &[
            "<,EHLO pc.example,",
            "*,UNIV\\suzuki,authenticated",
            "*,,Proxy session was successfully set up. Session for UNIV\\suzuki will now be proxied",
            ">,235 2.7.0 Authentication successful,",
        ],
    );
    let hub = receive(
        "Client Proxy",
        "08D0000000000009",
        "192.0.2.25:2525",
        &[
            "<,EHLO EX1,",
            "<,XPROXY SID=08D0000000000007 IP=203.0.113.7 PORT=51234 DOMAIN=pc.example CAPABILITIES=0,",
            "*,UNIV\\suzuki,authenticated",
        ],
    );
    let half_told = |evidence: &[String]| -> Vec<String> {
        let rows = files(evidence);
        let name = |text: Option<crate::domain::text::Text>| text.map_or("-".to_owned(), |t| rows.show(t));
        rows.untold.iter().map(|half| format!("{} {} {:?}", name(half.account), name(half.address), half.missing)).collect()
    };
    let (front, hub) = (RECEIVE.to_owned() + &front, RECEIVE.to_owned() + &hub);
    assert_eq!(half_told(&[front.clone(), hub.clone()]), [""; 0]);
    assert_eq!(half_told(&[front]), ["suzuki@u.example 203.0.113.7 Hub"]);
    assert_eq!(half_told(&[hub]), ["suzuki@u.example 203.0.113.7 FrontEnd"]);
    // Messages show a session, too, once however many there are; what a mailbox sent was handed in by no client's session.
    let custom = "S:Mailbox=33345678-3232-2323-1111-08da9fd00918";
    let context = "08D0000000000009;2022-10-31T16:01:02.000Z;1";
    let proxied = Tracked { connector: "EX1\\Client Proxy EX1", context, custom, original: "203.0.113.7", network: 8, ..ROW };
    let all = [&internal()[..], &[proxied, Tracked { network: 9, ..proxied }]].concat();
    assert_eq!(half_told(&[tracking(&all)]), ["suzuki@u.example 203.0.113.7 Hub"]);
}

const AGENT: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: Agent Log\r\n#Fields: Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,EnteredOrgFromIP,MessageId,P1FromAddress,P2FromAddresses,Recipient,NumRecipients,Agent,Event,Action,SmtpResponse,Reason,ReasonData\r\n";

/// A filter turned two recipients of a user away; the receive log ends before that, and names the server where the agent log has its
/// address. Strangers' refusals, other servers' sessions of the same id, and refused logins are nothing of the user's.
#[test]
fn what_a_filter_refused_is_the_users_whichever_log_is_read_first() {
    let agent = |session: &str, remote: &str, recipient: &str, action: &str| {
        format!(
            "2022-10-31T16:02:00.000Z,{session},192.0.2.25,{remote},,,suzuki@u.example,,{recipient},1,Recipient Filter Agent,OnRcptCommand,{action},550 5.7.1 Recipient refused by policy,,\r\n"
        )
    };
    let id = "08D0000000000007";
    let filter = [
        AGENT.to_owned(),
        agent(id, "203.0.113.7", "a@x.test", "RejectRecipients"),
        agent(id, CLIENT, "b@x.test", "RejectRecipients"),
        agent(id, CLIENT, "", "RejectAuthentication"),
        agent(id, "198.51.100.77:4000", "c@x.test", "RejectRecipients"),
        agent("08D0000000000099", CLIENT, "d@x.test", "RejectRecipients"),
    ];
    let ended: Vec<&str> = SUBMISSION.iter().copied().chain(["-,,Remote"]).collect();
    let session = RECEIVE.to_owned() + &receive("Client Frontend", id, CLIENT, &ended);
    let other =
        |n: usize| receive("Default Frontend", &format!("08D1{n:012}"), "198.51.100.7:25", &["+,,", "<,EHLO x,", "<,NOOP,", "-,,Remote"]);
    let later = RECEIVE.to_owned() + &(0..400).map(other).collect::<String>();
    let expected = ["suzuki@u.example: blocked [a@x.test=blocked b@x.test=blocked]"];
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 1, 0]] {
        let rows = files(&order.map(|n| [filter.concat(), session.clone(), later.clone()][n].clone()));
        assert_eq!((shown(&rows).as_slice(), rows.foreign_rejects), (&expected.map(str::to_owned)[..], 1), "{order:?}");
    }
    // Two messages refused whole, of two recipients and of one: a row for each recipient.
    let whole =
        |message: &str, recipient: &str| agent(id, CLIENT, recipient, "RejectMessage").replace(",,,suzuki", &format!(",,{message},suzuki"));
    let messages = [whole("<m1@u.example>", "a@x.test"), whole("<m1@u.example>", "b@x.test"), whole("<m2@u.example>", "a@x.test")];
    let told = shown(&files(&[AGENT.to_owned() + &messages.concat(), session]));
    assert_eq!(told, [expected[0], "suzuki@u.example: blocked [a@x.test=blocked]"]);
    // Where the receive log tells the refusals itself, the filter's word adds nothing.
    let told =
        ["<,MAIL FROM:<suzuki@u.example>,", ">,250 2.1.0 Sender OK,", "<,RCPT TO:<a@x.test>,", ">,550 5.7.1 Recipient refused by policy,"];
    let lines: Vec<&str> = SUBMISSION.iter().copied().chain(told).collect();
    let whole = RECEIVE.to_owned() + &receive("Client Frontend", id, CLIENT, &lines);
    let once = [AGENT.to_owned(), agent(id, CLIENT, "a@x.test", "RejectRecipients")].concat();
    assert_eq!(shown(&files(&[whole, once])), ["suzuki@u.example: blocked [a@x.test=blocked]"]);
}

/// Each service of a server counts its own sessions, and both begin to count when the server is started: one id, two sessions. In one of
/// them suzuki was refused a recipient; in the other tanaka's message was taken in.
#[test]
fn two_services_of_a_server_have_sessions_of_one_id_and_each_keeps_its_own() {
    let id = "08D0000000000007";
    let mail = |user: &str, from: &str, answers: &[&str]| -> Vec<String> {
        let begun = SUBMISSION.iter().map(|line| line.replace("suzuki", user));
        let sent = [format!("<,MAIL FROM:<{from}>,"), ">,250 2.1.0 Sender OK,".to_owned(), "<,RCPT TO:<a@x.test>,".to_owned()];
        begun.chain(sent).chain(answers.iter().map(|line| (*line).to_owned())).collect()
    };
    let lines = |lines: &[String]| -> Vec<String> { lines.to_vec() };
    let log = |connector: &str, remote: &str, rows: &[String]| {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        RECEIVE.to_owned() + &receive(connector, id, remote, &rows)
    };
    let refused = lines(&mail("suzuki", "suzuki@u.example", &[">,550 5.7.1 sending limit exceeded,", "-,,Remote"]));
    let taken = lines(&mail(
        "tanaka",
        "tanaka@u.example",
        &[
            ">,250 2.1.5 Recipient OK,",
            "<,DATA,",
            ">,354 Start mail input,",
            ">,250 2.6.0 <m1@u.example> [InternalId=5] Queued mail for delivery,",
            "-,,Remote",
        ],
    ));
    let front = log("Client Frontend", CLIENT, &refused);
    let hub = log("Default", "198.51.100.9:40000", &taken);
    for evidence in [[front.clone(), hub.clone()], [hub, front]] {
        let rows = files(&evidence);
        let mut told = (shown(&rows), logins(&rows));
        told.0.sort();
        told.1.sort();
        assert_eq!(told.0, ["suzuki@u.example: blocked [a@x.test=blocked]", "tanaka@u.example: unknown [a@x.test=unknown]"]);
        assert_eq!(told.1, ["suzuki@u.example 203.0.113.7 smtp-auth success", "tanaka@u.example 198.51.100.9 smtp-auth success"]);
    }
}

/// Two servers' front ends have a session of one id; the one that a hub took over is told by its client's address.
#[test]
fn a_session_that_was_taken_over_is_the_front_ends_with_that_client() {
    let front = |server: &str, user: &str, remote: &str| {
        let lines: Vec<String> = SUBMISSION.iter().map(|line| line.replace("suzuki", user)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        RECEIVE.to_owned() + &receive("Client Frontend", "08D0000000000007", remote, &lines).replace("EX1", server)
    };
    let passed = [
        "<,EHLO EX1,",
        ">,250 EX1 Hello,",
        "<,XPROXY SID=08D0000000000007 IP=203.0.113.7 PORT=51234 DOMAIN=pc.example CAPABILITIES=0,",
        ">,250 XProxy accepted and authenticated,",
        "<,MAIL FROM:<suzuki@u.example>,",
        ">,421 4.4.2 Message submission rate for this client has exceeded the configured limit,",
    ];
    let hub = RECEIVE.to_owned() + &receive("Client Proxy", "08D0000000000009", "192.0.2.25:2525", &passed);
    for evidence in [
        [front("EX1", "suzuki", CLIENT), front("EX2", "tanaka", "198.51.100.9:40000")],
        [front("EX2", "tanaka", "198.51.100.9:40000"), front("EX1", "suzuki", CLIENT)],
    ] {
        let rows = files(&[&evidence[..], std::slice::from_ref(&hub)].concat());
        assert_eq!(shown(&rows), ["suzuki@u.example: blocked [=blocked]"]);
        assert_eq!(rows.logins.len(), 2);
    }
}

/// A login over IMAP4 is the last line of the front end's log; the back end, whose log goes on, tells of it half a second later. What
/// it tells of an hour later is another login, of which the front end's log has been lost.
#[test]
fn a_back_ends_copy_behind_the_last_line_of_the_front_end_is_no_second_login() {
    const IMAP: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: IMAP4 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n";
    let row = |time: &str, server: &str, client: &str| {
        format!("2022-10-31T{time}Z,0000000000000005,2,192.0.2.25:{server},{client},suzuki,1,1,1,login,suzuki@u.example *****,R=OK\r\n")
    };
    let outside = |time: &str| row(time, "993", "203.0.113.7:55576");
    let inside = |time: &str| row(time, "1993", "192.0.2.25:40000");
    let front = IMAP.to_owned() + &outside("15:00:00.000") + &outside("16:01:02.000");
    let told = |back: &[String]| logins(&files(&[front.clone(), IMAP.to_owned() + &back.concat()]));
    let twice = ["suzuki@u.example 203.0.113.7 imap success"; 2];
    // At the end of the front end's log, and before its beginning.
    assert_eq!(told(&[inside("16:01:02.500")]), twice);
    assert_eq!(told(&[inside("14:59:59.800"), inside("16:01:01.900")]), twice);
    assert_eq!(told(&[inside("16:01:02.500"), inside("17:05:00.000")]), [&twice[..], &["suzuki@u.example - imap success"]].concat());
}

/// Requests in which the front end names suzuki now by name, now by SID, and one of a stranger; suzuki also opens the mailbox that
/// everybody of the office shares.
#[test]
fn a_user_whom_requests_name_by_a_sid_is_who_others_say_and_never_the_mailbox_that_was_opened() {
    let (suzuki, tanaka) = ("S-1-5-21-1004336348-1177238915-682003330-1105", "S-1-5-21-1004336348-1177238915-682003330-1106");
    let heading = "#Fields: DateTime,RequestId,Protocol,UrlStem,IsAuthenticated,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method\r\n";
    let row = |time: &str, protocol: &str, user: &str, anchor: &str, address: &str| {
        format!("2022-10-31T{time}.000Z,r{time}{address},{protocol},/x/,true,{user},{anchor},Program/1.0,{address},EX1,200,POST\r\n")
    };
    let told = |rows: &[String]| logins(&files(&[heading.to_owned() + &rows.concat()]));
    let named = row("09:00:00", "Owa", "UNIV\\suzuki", &format!("Sid~{suzuki}"), "198.51.100.7");
    let by_sid = row("16:01:02", "Ews", suzuki, "Smtp~office@u.example", "203.0.113.7");
    let again = row("16:05:00", "Ews", suzuki, &format!("Sid~{suzuki}"), "203.0.113.7");
    let both = ["suzuki@u.example 198.51.100.7 webmail success", "suzuki@u.example 203.0.113.7 ews success"];
    assert_eq!(told(&[named.clone(), by_sid.clone(), again.clone()]), both);
    assert_eq!(told(&[again, by_sid.clone(), named.clone()]), both);
    // By name and by SID from one place in one program: one session.
    let mixed = row("16:03:00", "Ews", "UNIV\\suzuki", &format!("Sid~{suzuki}"), "203.0.113.7");
    assert_eq!(told(&[named.clone(), by_sid.clone(), mixed]), both);
    // Nobody says whose the SID is: not the office's, to which the mailbox belongs, for all that is known.
    assert_eq!(told(std::slice::from_ref(&by_sid)), [""; 0]);
    assert_eq!(told(&[row("09:00:00", "Owa", "UNIV\\tanaka", &format!("Sid~{tanaka}"), "198.51.100.9"), by_sid.clone()]).len(), 1);
    // A phone opens its user's own mailbox alone, and so tells whose the SID is.
    let phone = row("08:00:00", "Eas", suzuki, "SMTP~suzuki@u.example", "198.51.100.8");
    assert_eq!(told(&[by_sid.clone(), phone]), ["suzuki@u.example 198.51.100.8 activesync success", both[1]]);
    // Two names for one SID: one of them is wrong.
    let other = row("09:00:00", "Owa", "UNIV\\tanaka", &format!("Sid~{suzuki}"), "198.51.100.9");
    assert_eq!(told(&[named, other, by_sid]).iter().filter(|login| login.contains("203.0.113.7")).count(), 0);
}

/// A mailbox sent a message, by what program an old server does not say; from where it does.
#[test]
fn what_a_mailbox_sent_was_not_sent_by_smtp() {
    let sent = |context| Tracked { source: "STOREDRIVER", context, recipients: "b@u.example", original: "203.0.113.7", ..ROW };
    for (context, protocol) in [
        ("MDB:1, Mailbox:33345678-3232-2323-1111-08da9fd00918, Event:1, MessageClass:IPM.Note", Protocol::Other),
        ("MDB:1, Mailbox:33345678-3232-2323-1111-08da9fd00918, Event:1, MessageClass:IPM.Note, ClientType:OWA", Protocol::Webmail),
    ] {
        let submitted = Tracked { event: "SUBMIT", time: "16:01:03.000", ..sent(context) };
        let rows = files(&[tracking(&[sent("MDB:1, Mailbox:33345678-3232-2323-1111-08da9fd00918"), submitted])]);
        assert_eq!(rows.messages.iter().map(|m| m.protocol).collect::<Vec<_>>(), [protocol]);
        assert_eq!(logins(&rows), [format!("suzuki@u.example 203.0.113.7 {} success", protocol.as_str())]);
    }
}

/// The back end's POP3 log has sessions of the same ids, with other people in them.
#[test]
fn a_back_ends_sessions_give_no_names_to_those_of_the_front_end() {
    let row = |n: usize, server: &str, client: &str, user: &str, command: &str| {
        format!("2022-10-31T16:01:02.00{n}Z,0000000000000005,{n},192.0.2.25:{server},{client},{user},1,1,1,{command}\r\n")
    };
    let (outside, inside) = ("203.0.113.7:55576", "192.0.2.25:40000");
    let front = [row(1, "110", outside, "", "user,suzuki@v.example,R=OK"), row(4, "110", outside, "suzuki", "pass,*****,R=OK")];
    let back = [
        row(0, "1995", inside, "", "OpenSession,,"),
        row(2, "1995", inside, "", "user,tanaka@v.example,R=OK"),
        row(3, "1995", inside, "", "CloseSession,,"),
    ];
    let told = logins(&files(&[POP.to_owned() + &front[0] + &back.concat() + &front[1]]));
    assert_eq!(told, ["suzuki@v.example 203.0.113.7 pop3 success"]);
}

const EWS: &str = "DateTime,RequestId,MajorVersion,AuthenticationType,IsAuthenticated,AuthenticatedUser,UserAgent,ClientIpAddress,ServerHostName,SoapAction,HttpStatus,ResponseSize,ImpersonatedUser,ProxyAsUser,ActAsUser";

/// An application's account may act on everybody's mailbox; the mailbox is not the account's, and the account is not the mailbox's owner.
#[test]
fn a_mailbox_opened_by_another_account_is_an_act_of_that_account_on_that_mailbox() {
    let row = |time: &str, user: &str, status: u32, impersonated: &str, acting_as: &str| {
        format!(
            "2022-10-31T{time}.000Z,r,15,Basic,true,{user},Sync/1.0,203.0.113.7,EX1,GetItem,{status},900,{impersonated},,{acting_as}\r\n"
        )
    };
    let text = [
        format!("#Software: Microsoft Exchange Server\r\n#Log-type: EWS Logs\r\n#Fields: {EWS}\r\n"),
        row("16:01:02", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("16:05:02", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("17:45:00", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("17:46:00", "UNIV\\sync", 200, "", "tanaka@u.example"),
        // Refused, of its own mailbox, and of nobody's.
        row("17:47:00", "UNIV\\sync", 403, "mori@u.example", ""),
        row("17:48:00", "UNIV\\sync", 200, "sync@u.example", ""),
        row("17:49:00", "UNIV\\sync", 200, "", ""),
    ];
    let rows = files(&[text.concat()]);
    let name = |text: Option<crate::domain::text::Text>| text.map_or("-".to_owned(), |t| rows.show(t));
    let told: Vec<String> = rows
        .actions
        .iter()
        .map(|a| format!("{} {} {} {}: {}", name(a.actor), name(a.account), name(a.address), a.kind.as_str(), rows.show(a.detail)))
        .collect();
    let act = |mailbox: &str, requests: u32| {
        format!(
            "sync@u.example {mailbox} 203.0.113.7 other-mailbox-opened: AuthenticatedUser=UNIV\\sync ImpersonatedUser={mailbox} requests={requests}"
        )
    };
    assert_eq!(told, [act("suzuki@u.example", 2), act("suzuki@u.example", 1), act("tanaka@u.example", 1)]);
    assert!(logins(&rows).iter().all(|login| login == "sync@u.example 203.0.113.7 ews success"), "{:?}", logins(&rows));
}

#[test]
fn a_password_that_ews_refuses_is_a_failed_login_unless_the_front_end_tells_of_it() {
    let heading = format!("#Software: Microsoft Exchange Server\r\n#Log-type: EWS Logs\r\n#Fields: {EWS},AuthenticationErrors\r\n");
    let row = |time: &str, user: &str, status: u32, errors: &str| {
        format!(
            "2022-10-31T{time}.000Z,r{time},15,Basic,{},{user},Sync/1.0,203.0.113.7,EX1,GetItem,{status},900,,,,{errors}\r\n",
            status == 200
        )
    };
    let refused = [heading.clone(), row("16:01:02", "UNIV\\suzuki", 401, "LogonFailed"), row("16:01:03", "UNIV\\suzuki", 401, "")].concat();
    assert_eq!(logins(&files(std::slice::from_ref(&refused))), ["suzuki@u.example 203.0.113.7 ews failure"]);
    let front = "16:01:02 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\suzuki 203.0.113.7 Sync/1.0 401 1 1326";
    let around = [
        "16:00:00 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\ono 203.0.113.9 x 200 0 0",
        front,
        "16:09:00 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\ono 203.0.113.9 x 200 0 0",
    ];
    let front_end = IIS.to_owned() + &around.iter().map(|line| format!("2022-10-31 {line}\r\n")).collect::<String>();
    let told = logins(&files(&[front_end, refused]));
    assert_eq!(told.iter().filter(|login| login.ends_with("ews failure")).count(), 1, "{told:?}");
}

/// A session with a failure, a login, a recipient refused, and a message taken in: as logged, a row each.
fn busy_session() -> Vec<String> {
    let lines = [
        "+,,",
        ">,220 EX1 Microsoft ESMTP MAIL Service ready,",
        "<,EHLO pc.example,",
        "<,AUTH LOGIN,",
        "*,,Inbound AUTH LOGIN failed because of LogonDenied",
        "*,,User Name: suzuki",
        ">,535 5.7.3 Authentication unsuccessful,",
        "<,AUTH LOGIN,",
        "*,UNIV\\suzuki,authenticated",
        ">,235 2.7.0 Authentication successful,",
        "<,MAIL FROM:<suzuki@u.example> SIZE=1,",
        ">,250 2.1.0 Sender OK,",
        "<,RCPT TO:<a@x.test>,",
        ">,550 5.7.1 Recipient rejected: sending limit exceeded,",
        "<,RSET,",
        ">,250 2.0.0 Resetting,",
        "<,MAIL FROM:<suzuki@u.example> SIZE=1,",
        ">,250 2.1.0 Sender OK,",
        "<,RCPT TO:<b@x.test>,",
        ">,250 2.1.5 Recipient OK,",
        "<,DATA,",
        ">,354 Start mail input; end with <CRLF>.<CRLF>,",
        ">,250 2.6.0 <m1@u.example> [InternalId=1] Queued mail for delivery,",
        "-,,Remote",
    ];
    receive("Client Frontend", "08D0000000000007", CLIENT, &lines).split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
fn rows_of_a_session_count_by_their_numbers_in_whatever_order_they_were_put() {
    let as_logged = busy_session();
    let told = |logs: &[Vec<String>]| {
        let rows = files(&logs.iter().map(|log| RECEIVE.to_owned() + &log.concat()).collect::<Vec<_>>());
        (shown(&rows), logins(&rows))
    };
    let expected = told(std::slice::from_ref(&as_logged));
    assert_eq!(expected.0, ["suzuki@u.example: blocked [a@x.test=blocked]", "suzuki@u.example: unknown [b@x.test=unknown]"]);
    assert_eq!(expected.1, ["suzuki@u.example 203.0.113.7 smtp-auth failure", "suzuki@u.example 203.0.113.7 smtp-auth success"]);
    let mut orders = vec![as_logged.iter().rev().cloned().collect::<Vec<_>>()];
    let by_event = |row: &String| row.split(',').nth(6).map(str::to_owned);
    let mut sorted = as_logged.clone();
    sorted.sort_by_key(by_event);
    orders.push(sorted);
    // A reply that was written before its command; an end before what it ends.
    for (one, other) in [(12, 13), (11, 13), (22, 23), (0, 23)] {
        let mut swapped = as_logged.clone();
        swapped.swap(one, other);
        orders.push(swapped);
    }
    for order in orders {
        // In one file, and cut in two that are read in either order.
        assert_eq!(told(std::slice::from_ref(&order)), expected, "{order:#?}");
        for cut in [1, 9, 13, 22] {
            let (first, second) = order.split_at(cut);
            assert_eq!(told(&[first.to_vec(), second.to_vec()]), expected, "{order:#?}");
            assert_eq!(told(&[second.to_vec(), first.to_vec()]), expected, "{order:#?}");
        }
    }
}

#[test]
fn other_sessions_between_the_rows_of_one_change_nothing() {
    // The end of a session, then many others, then its beginning: an hour's file read before the one in front of it.
    let rows = busy_session();
    let (before, after) = rows.split_at(12);
    let other = |n: usize| receive("Default Frontend", &format!("08D0000000{n:06}"), "198.51.100.7:25", &["+,,", "<,EHLO x,", "-,,Remote"]);
    let others: String = (0..20_000).map(other).collect();
    let logs = [RECEIVE.to_owned() + &after.concat() + &others, RECEIVE.to_owned() + &before.concat()];
    let turned = [logs[1].clone(), logs[0].clone()];
    assert_eq!(shown(&files(&logs)), ["suzuki@u.example: blocked [a@x.test=blocked]", "suzuki@u.example: unknown [b@x.test=unknown]"]);
    assert_eq!((shown(&files(&logs)), logins(&files(&logs))), (shown(&files(&turned)), logins(&files(&turned))));
}

/// The rows of the shell's export: event, recipients and their number each.
fn shell_export(rows: &[(&str, &str, u32)]) -> String {
    let heading = "Timestamp,ClientIp,ClientHostname,ServerIp,ServerHostname,SourceContext,ConnectorId,Source,EventId,InternalMessageId,MessageId,NetworkMessageId,Recipients,RecipientStatus,TotalBytes,RecipientCount,RelatedRecipientAddress,Reference,Sender,ReturnPath,Directionality,OriginalClientIp,EventData\r\n";
    let row = |(n, (event, recipients, count)): (usize, &(&str, &str, u32))| {
        let peer = if *event == "SENDEXTERNAL" { "mx.x.test" } else { "EX1.u.example" };
        format!(
            "2022-10-31 16:01:{n:02},192.0.2.25,EX1.u.example,,{peer},,EX1\\Client Proxy EX1,SMTP,{event},5,<m1@u.example>,1e6eb197-c6b4-1234-1b69-56dc1db88f01,\"{recipients}\",System.String[],100,{count},,System.String[],suzuki@u.example,suzuki@u.example,Originating,203.0.113.7,\r\n"
        )
    };
    heading.to_owned() + &rows.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn recipients_of_an_export_are_one_each_whatever_joined_them() {
    for joined in ["a@x.test;b@x.test", "a@x.test; b@x.test", "a@x.test,b@x.test", "a@x.test b@x.test"] {
        let rows = files(&[shell_export(&[("RECEIVE", joined, 2), ("SENDEXTERNAL", "b@x.test", 1), ("SENDEXTERNAL", "a@x.test", 1)])]);
        assert_eq!(shown(&rows), ["suzuki@u.example: delivered [a@x.test=delivered b@x.test=delivered]"], "{joined}");
    }
}

#[test]
fn recipients_whose_addresses_an_export_lost_are_counted_and_called_by_no_name() {
    const LOST: &str = "System.String[]";
    let ends = |rows: &[(&str, &str, u32)]| shown(&files(&[shell_export(rows)]));
    let received = ("RECEIVE", LOST, 3);
    assert_eq!(ends(&[received]), ["suzuki@u.example: unknown [=unknown =unknown =unknown]"]);
    assert_eq!(ends(&[received, ("SENDEXTERNAL", LOST, 3)]), ["suzuki@u.example: delivered [=delivered =delivered =delivered]"]);
    // One failure is not that of all, and says nothing of the third.
    assert_eq!(
        ends(&[received, ("SENDEXTERNAL", LOST, 1), ("DROP", LOST, 1)]),
        ["suzuki@u.example: partly_delivered [=delivered =discarded =unknown]"]
    );
    // Which of them was dropped after it was delivered cannot be told.
    assert_eq!(ends(&[received, ("SENDEXTERNAL", LOST, 3), ("DROP", LOST, 1)]), ["suzuki@u.example: unknown [=unknown =unknown =unknown]"]);
}

#[test]
fn a_forged_sender_of_a_known_mailbox_is_its_users_though_that_sessions_log_is_missing() {
    let mailbox = "S:Mailbox=33345678-3232-2323-1111-08da9fd00918";
    let sent = |network, session, sender, custom| Tracked {
        network,
        connector: "EX1\\Client Proxy EX1",
        context: session,
        sender,
        path: sender,
        original: "203.0.113.7",
        custom,
        ..ROW
    };
    let honest = sent(1, "08D0000000000007;x;1", "suzuki@u.example", mailbox);
    let forged = sent(2, "08D0000000000008;x;1", "rector@u.example", mailbox);
    let session = RECEIVE.to_owned() + &receive("Client Proxy", "08D0000000000007", CLIENT, &SUBMISSION);
    let accounts = |logs: &[String]| shown(&files(logs)).iter().map(|m| m.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(accounts(&[session.clone(), tracking(&[honest, forged])]), ["suzuki@u.example"; 2]);
    // Two users in one mailbox, or one user in two: then the mailbox says nothing.
    let other: Vec<String> = SUBMISSION.iter().map(|line| line.replace("suzuki", "tanaka")).collect();
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    let second = session.clone() + &receive("Client Proxy", "08D0000000000009", CLIENT, &other);
    let shared = sent(3, "08D0000000000009;x;1", "tanaka@u.example", mailbox);
    assert_eq!(accounts(&[second, tracking(&[honest, forged, shared])]), ["suzuki@u.example", "rector@u.example", "tanaka@u.example"]);
    let elsewhere = sent(3, "08D0000000000007;x;2", "suzuki@u.example", "S:Mailbox=44445678-3232-2323-1111-08da9fd00918");
    assert_eq!(accounts(&[session, tracking(&[honest, forged, elsewhere])]), ["suzuki@u.example", "rector@u.example", "suzuki@u.example"]);
}
