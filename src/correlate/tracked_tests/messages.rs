//! Messages of the tracking log: what is one, whose it is and how it ended.

use super::*;

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

/// A tenant gives a message from our premises an id of its own, unless it knows the server for one of ours.
#[test]
fn a_message_handed_to_the_tenant_is_one_message_and_ends_as_its_trace_says() {
    let exchange = tracking(&[
        Tracked { connector: "EX1\\Client Frontend EX1", ..ROW },
        Tracked { time: "16:01:05.400", event: "SENDEXTERNAL", connector: "Outbound to Office 365", server: "u-example.mail.test", ..ROW },
    ]);
    let login = r#"{"id":"1","createdDateTime":"2022-10-31T16:00:00Z","userPrincipalName":"suzuki@u.example","status":{"errorCode":0}}"#;
    for (id, status, end) in
        [(9, "Failed", "bounced"), (1, "Failed", "bounced"), (9, "Delivered", "delivered"), (1, "Quarantined", "blocked")]
    {
        let trace = format!(
            "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId\n<m1@u.example>,2022-10-31T16:01:05,suzuki@u.example,a@x.test,Hello,{status},,192.0.2.25,900,1e6eb197-c6b4-1234-1b69-56dc1db88f{id:02x}\n"
        );
        let rows = files(&[exchange.clone(), trace, login.to_owned()]);
        assert_eq!(shown(&rows), [format!("suzuki@u.example: {end} [a@x.test={end}]")], "{id} {status}");
    }
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
