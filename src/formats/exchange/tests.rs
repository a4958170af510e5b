//! The traps that lie in how the tables are written: headings, quotes, lists, damage. What becomes of messages and logins is tested
//! where it is put together.

use crate::formats::batch::{Batch, Ignored};
use crate::formats::clock::Clock;
use crate::formats::event::{AccessFact, Event, Kind, LoginResult, TrailFact};
use crate::formats::remark::Remark;
use crate::formats::testing::{events, kinds_of, parse_whole};
use crate::formats::{ALL, Chunk, Format, exchange};
use bumpalo::Bump;
use proptest::prelude::*;

const OF_2010: &str = "#Software: Microsoft Exchange Server\r\n#Version: 14.0.0.0\r\n#Log-type: Message Tracking Log\r\n#Date: 2022-10-31T06:00:00.000Z\r\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data\r\n";
const OF_2013: &str = "#Software: Microsoft Exchange Server\r\n#Version: 15.00.1104.000\r\n#Log-type: Message Tracking Log\r\n#Date: 2022-10-31T06:00:00.000Z\r\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data\r\n";
const OF_2016: &str = "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2375.007\r\n#Log-type: Message Tracking Log\r\n#Date: 2022-10-31T06:00:00.000Z\r\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version\r\n";
const GUID: &str = "1e6eb197-c6b4-1234-1b69-56dc1db88f50";

/// A delivery as the 2010 version writes it, with the given recipients and statuses.
fn row_of_2010(recipients: &str, status: &str) -> String {
    format!(
        "2022-10-31T07:01:02.000Z,192.0.2.25,EX1,192.0.2.25,ex1.u.example,,,STOREDRIVER,DELIVER,5,<m1@u.example>,{recipients},{status},100,2,,,Subject,suzuki@u.example,suzuki@u.example,,Originating,,,,\r\n"
    )
}

fn row_of_2016(event: &str, source: &str, recipients: &str, status: &str) -> String {
    format!(
        "2022-10-31T07:01:03.000Z,192.0.2.25,EX1,198.51.100.9,mx.x.test,08D0,Outbound,{source},{event},5,<m2@u.example>,{GUID},{recipients},{status},100,2,,,\"Re: a, b\",suzuki@u.example,suzuki@u.example,,Originating,,,,,Email,,15.01.2375.007\r\n"
    )
}

/// Sender, recipient and text of each fact about a recipient.
fn facts(text: &str) -> Vec<(String, String, String)> {
    let show = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    kinds_of(&exchange::TRACKING, text)
        .into_iter()
        .filter_map(|kind| match kind {
            Kind::Trail(trail) => match trail.fact {
                TrailFact::Recipient { address, text, .. } => Some((show(trail.id.sender), show(address), show(text))),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn ledger(format: &Format, text: &str) -> (u64, u64, u64, u64) {
    let scratch = Bump::new();
    let ledger = parse_whole(format, text.as_bytes(), &scratch).ledger;
    (ledger.total, ledger.used, ledger.ignored_all(), ledger.malformed)
}

#[test]
fn trap_1_a_second_heading_in_mid_file_changes_the_columns() {
    let text = [OF_2010, &row_of_2010("a@u.example", ""), OF_2016, &row_of_2016("DELIVER", "STOREDRIVER", "b@u.example", "")].concat();
    let found = facts(&text);
    assert_eq!(
        found.iter().map(|f| (f.0.as_str(), f.1.as_str())).collect::<Vec<_>>(),
        [("suzuki@u.example", "a@u.example"), ("suzuki@u.example", "b@u.example"),]
    );
    assert_eq!(ledger(&exchange::TRACKING, &text), (12, 2, 10, 0));
}

#[test]
fn trap_2_the_column_that_2013_puts_in_the_middle_shifts_nothing() {
    let of_2013 = row_of_2016("DELIVER", "STOREDRIVER", "b@u.example", "").replace(",Email,,15.01.2375.007", "");
    for (heading, row, recipient) in [(OF_2010, row_of_2010("a@u.example", ""), "a@u.example"), (OF_2013, of_2013, "b@u.example")] {
        let found = facts(&[heading, &row].concat());
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("suzuki@u.example", recipient));
    }
}

#[test]
fn trap_3_a_byte_order_mark_at_the_start_or_where_two_files_were_joined_costs_no_row() {
    let file = ["\u{feff}", OF_2016, &row_of_2016("DELIVER", "STOREDRIVER", "a@u.example", "")].concat();
    let text = file.repeat(2);
    assert_eq!(ledger(&exchange::TRACKING, &text), (12, 2, 10, 0));
    assert!(facts(&text).iter().all(|f| f.1 == "a@u.example"));
    // Joined without a heading in between.
    let text = [&file, "\u{feff}", &row_of_2016("DELIVER", "STOREDRIVER", "b@u.example", "")].concat();
    assert_eq!(facts(&text).len(), 2);
}

const PROXY_OF_2016: &str = "DateTime,RequestId,MajorVersion,Protocol,UrlHost,UrlStem,AuthenticationType,IsAuthenticated,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method,UrlQuery,GenericInfo,GenericErrors";

fn proxy_row(user: &str, agent: &str, address: &str, errors: &str) -> String {
    format!("2022-10-31T07:01:02.000Z,r-1,15,Owa,mail.u.example,/owa/,FBA,true,{user},,{agent},{address},EX1,200,GET,,,{errors}\r\n")
}

/// User, address and outcome of each access.
fn accesses(format: &Format, text: &str) -> Vec<(String, String, AccessFact)> {
    let show = |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), |b| String::from_utf8(b.to_vec()).unwrap());
    let found = kinds_of(format, text).into_iter();
    found.filter_map(|kind| if let Kind::Access(a) = kind { Some((show(a.account), show(a.address), a.fact)) } else { None }).collect()
}

#[test]
fn trap_4_the_bare_heading_that_comes_first_is_no_row() {
    let text = format!(
        "{PROXY_OF_2016}\r\n#Software: Microsoft Exchange Server\r\n#Log-type: HttpProxy Logs\r\n#Fields: {PROXY_OF_2016}\r\n{}",
        proxy_row("UNIV\\suzuki", "Mozilla/5.0", "203.0.113.7", "")
    );
    assert_eq!(ledger(&exchange::HTTP_PROXY, &text), (5, 1, 4, 0));
    // The bare line may be all that a copy kept.
    let text = format!("{PROXY_OF_2016}\r\n{}", proxy_row("UNIV\\suzuki", "Mozilla/5.0", "203.0.113.7", ""));
    assert_eq!(accesses(&exchange::HTTP_PROXY, &text)[0].0, "UNIV\\suzuki");
}

#[test]
fn trap_5_a_column_without_a_name_keeps_those_behind_it_in_their_places() {
    let text = "#Software: Microsoft Exchange Server\r\n#Fields: DateTime,RequestId,Protocol,UrlStem,TargetServer,,TargetServerVersion,IsAuthenticated,AuthenticatedUser,AnchorMailbox,ClientIpAddress,ServerHostName,HttpStatus\r\n2022-10-31T07:01:02.000Z,r-1,Owa,/owa/,ex1,x,15.0,true,UNIV\\suzuki,,203.0.113.7,EX1,200\r\n";
    let found = accesses(&exchange::HTTP_PROXY, text);
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("UNIV\\suzuki", "203.0.113.7"));
}

#[test]
fn trap_6_a_status_in_brackets_with_semicolons_is_one_status() {
    let status = "\"[{LED=550 5.7.1 blocked; see a;b};{MSG=x};{FQDN=mx.x.test};{IP=198.51.100.9};{LRT=}];550 5.1.1 user unknown\"";
    let found = facts(&[OF_2016, &row_of_2016("FAIL", "SMTP", "a@x.test;b@x.test", status)].concat());
    assert_eq!(
        found.iter().map(|f| (f.1.as_str(), f.2.as_str())).collect::<Vec<_>>(),
        [("a@x.test", "550 5.7.1 blocked; see a;b"), ("b@x.test", "550 5.1.1 user unknown"),]
    );
    // One status for two recipients is that of both.
    let found = facts(&[OF_2016, &row_of_2016("FAIL", "SMTP", "a@x.test;b@x.test", "'550 5.1.1 a;b'")].concat());
    assert!(found.len() == 2 && found.iter().all(|f| f.2 == "550 5.1.1 a;b"), "{found:?}");
}

#[test]
fn trap_7_members_in_single_quotes_are_addresses_like_others() {
    let found = facts(&[OF_2010, &row_of_2010("'o''brien@x.test';b@x.test", "")].concat());
    assert_eq!(found.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(), ["o'brien@x.test", "b@x.test"]);
    // Some lists are written without the quotes.
    let found = facts(&[OF_2010, &row_of_2010("o'brien@x.test;'a;b@x.test'", "")].concat());
    assert_eq!(found.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(), ["o'brien@x.test", "a;b@x.test"]);
}

#[test]
fn trap_18_line_breaks_inside_a_cell_make_no_row_and_a_backslash_stays_what_it_is() {
    let trace = "\"System.Exception: x\r\n2022-10-31T07:01:02.000Z,looks,like,a,row\r\n   at C:\\new\\nothing\"";
    let text = format!(
        "#Fields: {PROXY_OF_2016}\r\n{}{}",
        proxy_row("UNIV\\new", "Mozilla/5.0", "203.0.113.7", trace),
        proxy_row("b", "Mozilla/5.0", "203.0.113.8", "")
    );
    let found = accesses(&exchange::HTTP_PROXY, &text);
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["UNIV\\new", "b"]);
    // Its three lines are all of the row.
    assert_eq!(ledger(&exchange::HTTP_PROXY, &text), (5, 4, 1, 0));
}

#[test]
fn trap_19_the_servers_own_monitoring_is_counted_apart() {
    let text = [
        format!("#Fields: {PROXY_OF_2016}\r\n"),
        proxy_row("UNIV\\HealthMailbox83d6781", "Mozilla/5.0", "203.0.113.7", ""),
        proxy_row("UNIV\\suzuki", "AMProbe/Local/ClientAccess", "203.0.113.7", ""),
        proxy_row("UNIV\\suzuki", "Mozilla/5.0", "::1", ""),
        proxy_row("UNIV\\suzuki", "Mozilla/5.0", "203.0.113.7", ""),
    ]
    .concat();
    let scratch = Bump::new();
    let batch = parse_whole(&exchange::HTTP_PROXY, text.as_bytes(), &scratch);
    assert_eq!((batch.ledger.used, batch.ledger.ignored[Ignored::Probe as usize]), (1, 3));
    let probe = row_of_2010("HealthMailbox1@u.example", "");
    assert!(facts(&[OF_2010, &probe].concat()).is_empty());
}

#[test]
fn a_torn_last_row_is_told_and_costs_nothing_else() {
    let whole = [OF_2016, &row_of_2016("DELIVER", "STOREDRIVER", "a@u.example", "")].concat();
    let torn = format!("{whole}{}", &row_of_2016("DELIVER", "STOREDRIVER", "b@u.example", "")[..120]);
    assert_eq!(ledger(&exchange::TRACKING, &torn), (7, 1, 5, 1));
    let restarted = format!("{torn}\r\n{whole}");
    assert_eq!(ledger(&exchange::TRACKING, &restarted), (13, 2, 10, 1));
}

#[test]
fn a_file_without_its_heading_is_known_by_its_shape() {
    for (row, format) in [
        (row_of_2010("a@u.example", ""), &exchange::TRACKING),
        (row_of_2016("DELIVER", "STOREDRIVER", "a@u.example", ""), &exchange::TRACKING),
        ("2022-10-31T07:01:02.000Z,EX1\\Default Frontend EX1,08DA4F7C11473A60,9,192.0.2.25:25,203.0.113.7:53722,>,535 5.7.3 Authentication unsuccessful,\r\n".to_owned(), &exchange::RECEIVE),
        ("2022-10-31T07:01:02.000Z,Outbound,08DA4F7C11473A60,9,192.0.2.25:25,203.0.113.7:25,<,250 ok,\r\n".to_owned(), &exchange::SEND),
        ("2022-10-31T07:01:02.000Z,000000000000000E,2,192.0.2.25:143,203.0.113.7:35070,suzuki,168,31,31,authenticate,PLAIN,R=OK,\r\n".to_owned(), &exchange::IMAP),
        ("2022-10-31T07:01:02.000Z,0000000000000005,1,192.0.2.25:110,203.0.113.7:55576,suzuki,193,21,69,pass,*****,R=OK,\r\n".to_owned(), &exchange::POP),
    ] {
        let best = ALL.iter().max_by_key(|f| (f.sniff)(row.as_bytes())).unwrap();
        assert_eq!((best.id, ledger(format, &row).3), (format.id, 0), "{row}");
        let scratch = bumpalo::Bump::new();
        assert_eq!(parse_whole(format, row.as_bytes(), &scratch).remarks.count(Remark::NoHeading), 1, "{row}");
    }
}

#[test]
fn each_heading_is_known_as_one_log_type_and_no_other() {
    for (heading, id) in [
        (OF_2010.to_owned(), "exchange.tracking"),
        ("#Log-type: SMTP Receive Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n".to_owned(), "exchange.smtp-receive"),
        ("#Log-type: SMTP Send Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n".to_owned(), "exchange.smtp-send"),
        ("#Log-type: Agent Log\r\n#Fields: Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,EnteredOrgFromIP,MessageId,P1FromAddress,P2FromAddresses,Recipient,NumRecipients,Agent,Event,Action,SmtpResponse,Reason,ReasonData\r\n".to_owned(), "exchange.agent"),
        ("#Fields: date-time,session,source,Destination,direction,description\r\n".to_owned(), "exchange.connectivity"),
        ("#Log-type: POP3 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n".to_owned(), "exchange.pop3"),
        ("#Log-type: IMAP4 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n".to_owned(), "exchange.imap4"),
        (format!("{PROXY_OF_2016}\r\n"), "exchange.http-proxy"),
        ("#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\r\n".to_owned(), "iis.w3c"),
        ("#TYPE Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent\r\n\"PSComputerName\",\"Timestamp\",\"ClientIp\",\"EventId\",\"MessageId\",\"Recipients\"\r\n".to_owned(), "exchange.tracking-export"),
        ("#Software: Microsoft Exchange Server\r\n#Log-type: Something New\r\n#Fields: date-time,a,b\r\n".to_owned(), "exchange.other"),
    ] {
        let known: Vec<&str> = ALL.iter().filter(|f| (f.sniff)(heading.as_bytes()) > 0).map(|f| f.id).collect();
        assert_eq!(known, [id], "{heading}");
    }
}

#[test]
fn the_shells_export_is_read_by_its_own_names_and_the_zone_of_its_machine() {
    let text = "#TYPE Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent\r\n\"Timestamp\",\"ClientHostname\",\"ServerHostname\",\"Source\",\"EventId\",\"MessageId\",\"NetworkMessageId\",\"Recipients\",\"RecipientStatus\",\"Sender\"\r\n\"10/31/2022 4:01:02 PM\",\"EX1\",\"ex1.u.example\",\"STOREDRIVER\",\"DELIVER\",\"<m1@u.example>\",\"\",\"a@u.example;b@u.example\",\"\",\"suzuki@u.example\"\r\n";
    let scratch = Bump::new();
    let mut batch = Batch::default();
    let mut clock = Clock::new(crate::domain::time::Zone::parse("Asia/Tokyo").unwrap(), 2022);
    (exchange::EXPORT.parse)(
        Chunk {
            bytes: text.as_bytes(),
            before: b"",
            heading: b"",
            scratch: &scratch,
            names: &crate::formats::host_names::NO_HOST_NAMES,
            fingerprints: false,
            unended: false,
        },
        &mut clock,
        &mut batch,
    );
    assert_eq!((batch.ledger.used, batch.ledger.malformed), (1, 0));
    let found = events(batch);
    let recipients = found.iter().filter(|e| matches!(e.kind, Kind::Trail(t) if matches!(t.fact, TrailFact::Recipient { .. }))).count();
    assert_eq!((recipients, found[0].at.seconds()), (2, 1_667_199_662));
}

#[test]
fn logins_to_mailboxes_are_read_with_their_outcome_and_name() {
    let heading =
        "#Log-type: IMAP4 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n";
    let row = |user: &str, command: &str, parameters: &str, context: &str| {
        format!(
            "2022-10-31T07:01:02.000Z,000000000000000E,2,192.0.2.25:993,203.0.113.7:35070,{user},168,31,31,{command},{parameters},{context}\r\n"
        )
    };
    for (line, account, result) in [
        (
            row("suzuki", "login", "suzuki@u.example *****", "\"R=OK;Msg=\"\"Proxy:EX01:1993:SSL;ProxySuccess\"\";LiveIdAR=OK\""),
            Some("suzuki@u.example"),
            LoginResult::Success,
        ),
        (
            row("", "login", "suzuki@u.example *****", "\"R=\"\"a2 NO LOGIN failed.\"\"\""),
            Some("suzuki@u.example"),
            LoginResult::Failure { attempts: 1 },
        ),
        (row("", "login", " *****", "\"R=\"\"a2 NO LOGIN failed.\"\"\""), None, LoginResult::Failure { attempts: 1 }),
        (
            row(
                "suzuki",
                "authenticate",
                "PLAIN",
                "\"R=\"\"2 NO AUTHENTICATE failed.\"\";Msg=\"\"AuthFailed:LogonDenied,User: suzuki\"\";ErrMsg=AuthFailed:LogonDenied\"",
            ),
            Some("suzuki"),
            LoginResult::Failure { attempts: 1 },
        ),
        (row("suzuki", "login", "suzuki *****", "\"R=OK;ErrMsg=UserConnectionLimitReached\""), Some("suzuki"), LoginResult::Stopped),
    ] {
        let text = format!("{heading}{line}");
        let found = kinds_of(&exchange::IMAP, &text);
        let [Kind::Login(login)] = &found[..] else { panic!("{line}: {found:?}") };
        assert_eq!((login.account.map(|a| std::str::from_utf8(a).unwrap()), login.result), (account, result), "{line}");
    }
}

/// Events of a text cut into pieces as the intake cuts it, each with its headings.
fn pieces(format: &Format, text: &str, rows_per_piece: usize) -> Vec<String> {
    let scratch = Bump::new();
    let mut shown = Vec::new();
    let mut clock = Clock::new(crate::domain::time::Zone::UTC, 2022);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut heading = String::new();
    for piece in lines.chunks(rows_per_piece) {
        let bytes: &[u8] = scratch.alloc_slice_copy(piece.concat().as_bytes());
        let before: &[u8] = scratch.alloc_slice_copy(heading.as_bytes());
        let mut batch = Batch::default();
        (format.parse)(
            Chunk {
                bytes,
                before: b"",
                heading: before,
                scratch: &scratch,
                names: &crate::formats::host_names::NO_HOST_NAMES,
                fingerprints: false,
                unended: false,
            },
            &mut clock,
            &mut batch,
        );
        let not_named = |e: &&Event<'_>| !matches!(e.kind, Kind::System(_));
        shown.extend(events(batch).iter().filter(not_named).map(|e| format!("{:?} {:?}", e.at, e.kind)));
        heading.extend(piece.iter().filter(|line| line.starts_with('#')).copied());
    }
    shown
}

#[test]
fn a_file_gives_the_same_facts_however_it_is_cut() {
    let rows: String = (0..9).map(|n| row_of_2016("SEND", "SMTP", &format!("a{n}@x.test;b@x.test"), "250 2.1.5 ok")).collect();
    let text = [OF_2010, &row_of_2010("a@u.example", ""), OF_2016, &rows].concat();
    let whole = pieces(&exchange::TRACKING, &text, usize::MAX);
    assert!(whole.len() > 18);
    for size in 1..12 {
        assert_eq!(pieces(&exchange::TRACKING, &text, size), whole, "{size}");
    }
}

/// Rows and headings of several logs with bytes changed, lines swapped and the end cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let lines = [
        OF_2010.to_owned(),
        OF_2016.to_owned(),
        row_of_2010("'o''brien@x.test';b@x.test", ""),
        row_of_2016("FAIL", "SMTP", "a@x.test;b@x.test", "\"[{LED=550 5.7.1 a;b};{MSG=};{FQDN=mx.x.test};{IP=198.51.100.9};{LRT=}]\""),
        format!("#Fields: {PROXY_OF_2016}\r\n"),
        proxy_row("UNIV\\suzuki", "Mozilla/5.0", "203.0.113.7", "\"one\r\ntwo\""),
        "#Log-type: SMTP Receive Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n".to_owned(),
        "2022-10-31T07:01:02.000Z,EX1\\Default Frontend EX1,08DA4F7C11473A60,9,192.0.2.25:25,203.0.113.7:53722,<,MAIL FROM:<a@x.test>,\r\n".to_owned(),
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\r\n".to_owned(),
        "2022-10-31 07:01:02 192.0.2.25 POST /owa/auth.owa - 443 - 203.0.113.7 302\r\n".to_owned(),
        "\u{feff}\r\n".to_owned(),
    ];
    let pick = prop::collection::vec(prop::sample::select(lines.to_vec()), 1..20);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\",;'[]{}#\r\n\0=a9\xff".to_vec())), 0..12);
    (pick, edits, any::<prop::sample::Index>()).prop_map(|(lines, edits, end)| {
        let mut text = lines.concat().into_bytes();
        for (at, byte) in edits {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text.truncate(end.index(text.len()) + 1);
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_makes_a_parser_panic_nor_lose_a_line(text in damaged()) {
        let lines = text.split(|b| *b == b'\n').count() - usize::from(text.last().is_none_or(|b| *b == b'\n'));
        for format in ALL.iter().filter(|f| f.id.starts_with("exchange.") || f.id == "iis.w3c") {
            (format.sniff)(&text);
            (format.scout)(&text);
            let scratch = Bump::new();
            prop_assert_eq!(parse_whole(format, &text, &scratch).ledger.total, lines as u64);
        }
    }
}
