//! Sessions of SMTP, POP3 and what filters said in them.

use super::*;

const AGENT: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: Agent Log\r\n#Fields: Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,EnteredOrgFromIP,MessageId,P1FromAddress,P2FromAddresses,Recipient,NumRecipients,Agent,Event,Action,SmtpResponse,Reason,ReasonData\r\n";

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

/// A session that begins with these lines, to which the server says no, and no again when the client tries once more.
fn refused_twice(lines: &[&str]) -> Rows {
    let rest = [
        "*,,Tarpit for '0.00:00:05'",
        ">,535 5.7.3 Authentication unsuccessful,",
        "<,AUTH LOGIN,",
        ">,535 5.7.3 Authentication unsuccessful,",
        "-,,Remote",
    ];
    files(&[RECEIVE.to_owned() + &receive("Default Frontend", "08D0000000000007", CLIENT, &[lines, &rest].concat())])
}

#[test]
fn failures_count_once_and_keep_their_name_where_there_is_one() {
    let lines = ["+,,", "<,AUTH LOGIN,", "*,,Inbound AUTH LOGIN failed because of LogonDenied", "*,,User Name: suzuki@u.example"];
    let rows = refused_twice(&lines);
    assert_eq!(logins(&rows), ["suzuki@u.example 203.0.113.7 smtp-auth failure", "- 203.0.113.7 smtp-auth failure"]);
    assert!(rows.logins.iter().all(|l| l.result == LoginResult::Failure && l.protocol == Protocol::SmtpAuth));
}

/// The row that tells of the one is the reply to it, and the failure after it is another's.
#[test]
fn a_login_by_pop_that_was_stopped_answers_for_no_other() {
    let row = |n: usize, command: &str| {
        format!("2022-10-31T16:01:02.00{n}Z,0000000000000005,{n},192.0.2.25:110,203.0.113.7:55576,,1,1,1,{command}\r\n")
    };
    let text = POP.to_owned()
        + &row(0, "OpenSession,,")
        + &row(1, "user,suzuki@u.example,R=OK")
        + &row(2, "pass,*****,\"R=OK;ErrMsg=UserConnectionLimitReached\"")
        + &row(3, "user,tanaka@u.example,R=OK")
        + &row(4, "pass,*****,\"R=\"\"-ERR Logon failure: unknown user name or bad password.\"\"\"")
        + &row(5, "CloseSession,,");
    let mut told = logins(&files(&[text]));
    told.sort_unstable();
    assert_eq!(told, ["suzuki@u.example 203.0.113.7 pop3 stopped", "tanaka@u.example 203.0.113.7 pop3 failure"]);
}

/// The owner may not send any more: the password was right, and the client is told that it was not.
#[test]
fn a_login_that_was_stopped_and_the_reply_to_it_are_one_attempt() {
    let lines = ["+,,", "<,AUTH LOGIN,", "*,,\"Inbound authentication succeeded, but suzuki@u.example has ProhibitSendQuota of zero\""];
    let rows = refused_twice(&lines);
    assert_eq!(logins(&rows), ["suzuki@u.example 203.0.113.7 smtp-auth stopped", "- 203.0.113.7 smtp-auth failure"]);
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
