//! Whole logs through the formats layer: worked chains, the traps that concern more than one line, and properties that hold for any
//! bytes at all.

use super::batch::{Batch, Ignored};
use super::clock::Clock;
use super::event::{Event, Kind, LoginResult, QueueEvent, SmtpEvent, Status, SystemEvent};
use super::testing::{events, kinds, parse_whole};
use super::{ALL, Chunk, Format, syslog};
use crate::domain::time::Zone;
use bumpalo::Bump;
use proptest::prelude::*;

/// One authenticated submission through a content filter: one recipient relayed, one refused, a notice to the sender.
const CHAIN: &str = "\
Oct 31 16:01:02 mx1 postfix/submission/smtpd[711]: connect from unknown[192.0.2.7]
Oct 31 16:01:02 mx1 postfix/submission/smtpd[711]: 4N1Hv20sf8zySl: client=unknown[192.0.2.7], sasl_method=LOGIN, sasl_username=alice
Oct 31 16:01:03 mx1 postfix/cleanup[712]: 4N1Hv20sf8zySl: message-id=<m1@evil.example>
Oct 31 16:01:03 mx1 postfix/qmgr[500]: 4N1Hv20sf8zySl: from=<alice@u.example>, size=2100, nrcpt=2 (queue active)
Oct 31 16:01:03 mx1 postfix/submission/smtpd[711]: disconnect from unknown[192.0.2.7] ehlo=2 starttls=1 auth=1 mail=1 rcpt=2 data=1 quit=1 commands=9
Oct 31 16:01:05 mx1 postfix/smtpd[720]: 4N1Hv51tY6zySm: client=localhost[127.0.0.1], orig_queue_id=4N1Hv20sf8zySl, orig_client=unknown[192.0.2.7]
Oct 31 16:01:05 mx1 amavis[300]: (00300-01) Passed CLEAN {RelayedOutbound}, MYNETS LOCAL [192.0.2.7]:50123 [192.0.2.7] <alice@u.example> -> <a@x.example>,<b@y.example>, Queue-ID: 4N1Hv20sf8zySl, Message-ID: <m1@evil.example>, mail_id: Qx1, Hits: 1.2, size: 2100, queued_as: 4N1Hv51tY6zySm, 900 ms
Oct 31 16:01:05 mx1 postfix/smtp[713]: 4N1Hv20sf8zySl: to=<a@x.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=2.9, delays=1/0/0/1.9, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4N1Hv51tY6zySm)
Oct 31 16:01:05 mx1 postfix/qmgr[500]: 4N1Hv20sf8zySl: removed
Oct 31 16:01:07 mx1 postfix/smtp[714]: 4N1Hv51tY6zySm: to=<a@x.example>, relay=core.u.example[198.51.100.2]:25, delay=2, delays=0.1/0/0.4/1.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1E240200F1)
Oct 31 16:01:08 mx1 postfix/smtp[715]: 4N1Hv51tY6zySm: to=<b@y.example>, relay=mx.y.example[203.0.113.9]:25, delay=3, delays=0.1/0/1/1.9, dsn=5.7.1, status=bounced (host mx.y.example[203.0.113.9] said: 550 5.7.1 Message blocked as spam (in reply to end of DATA command))
Oct 31 16:01:08 mx1 postfix/cleanup[712]: 4N1Hv83Bq2zySn: message-id=<4N1Hv83Bq2zySn@mx1.u.example>
Oct 31 16:01:08 mx1 postfix/bounce[716]: 4N1Hv51tY6zySm: sender non-delivery notification: 4N1Hv83Bq2zySn
Oct 31 16:01:08 mx1 postfix/qmgr[500]: 4N1Hv83Bq2zySn: from=<>, size=4500, nrcpt=1 (queue active)
Oct 31 16:01:08 mx1 postfix/qmgr[500]: 4N1Hv51tY6zySm: removed
";

/// Lines of every daemon and of damaged shapes, for the properties.
const MIXED: &str = "\
2022-10-31T16:01:02.123456+01:00 mx2 postfix/smtpd[720]: connect from localhost[127.0.0.1]
<22>1 2022-10-31T16:01:03.1+01:00 mx1 postfix 714 - -  4N1Hv51tY6zySm: to=<a@x.example>, relay=none, delay=2, dsn=4.4.1, status=deferred (connect timed out)
Oct 30 02:30:00 mx1 postfix/smtpd[5]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6
Oct 30 02:30:09 mx1 last message repeated 4 times
Oct 30 02:59:00 mx2 postfix/smtpd[5]: NOQUEUE: reject: RCPT from a[192.0.2.7]: 554 5.7.1 <x>: Relay access denied; from=<a@x> to=<b@y> proto=ESMTP helo=<h>
Oct 30 02:01:00 mx1 postfix/smtpd[5]: message repeated 2 times: [ connect from a[192.0.2.7]]
Oct 30 02:01:00: --- last message repeated 5 times ---
Oct 31 16:01:09 mx1 dovecot: imap(alice)<1><s1>: Disconnected: Logged out in=32 out=781 deleted=0 body_count=4
Oct 31 16:01:09 mx1 dovecot: auth-worker(7): sql(alice,192.0.2.7,<s1>): Password mismatch (given password: hunter2)
Oct 31 16:01:09 mx1 amavis[300]: (00300-01) Passed CLEAN {RelayedOutbound}, [192.0.2.7]:50123 <alice@u.example> -> <a@x.exam...
Oct 31 16:01:09 mx1 amavis[300]: (00300-01) ...ple>,<b@y.exa...
Oct 31 16:01:09 mx1 amavis[300]: (00300-01) ...mple>, Queue-ID: 1E240200F1, Message-ID: <m>, mail_id: Q, Hits: 1, size: 1, 9 ms
Dec 31 23:59:59 mx1 rsyslogd: imuxsock lost 12 messages from pid 711 due to rate-limiting
Jan  1 00:00:01 mx1 sshd[9]: Accepted publickey for root from 192.0.2.9
Feb 29 00:00:01 mx1 kernel: x
 a continuation
-- Boot 0123456789abcdef --
not a log line

Jan 01 00:00:02 mx1 postfix/qmgr[5]: 1E240200F1: from=<alice@u.example>, status=expired, returned to sender
[31-Oct-2022 16:01:02 +0100]: <a1b2c3d4> Successful login for suzuki (ID: 7) from 192.0.2.7 in session a1b2c3d4e5
{\"__REALTIME_TIMESTAMP\":\"1667232062123456\",\"_HOSTNAME\":\"mx1\",\"SYSLOG_IDENTIFIER\":\"postfix/qmgr\",\"MESSAGE\":\"1E240200F1: removed\"}
";

/// The head of a line is compared with the line before it; one that only begins alike is read anew.
#[test]
fn a_line_after_a_line_of_the_same_head_reads_as_it_does_alone() {
    let tails = [
        " mx1 postfix/qmgr[5]: 1E240200F1: removed",
        " mx1 postfix/qmgr[5]: 1E240200F2: removed",
        " mx10 postfix/qmgr[5]: 1E240200F3: removed",
        " mx1 mail.info postfix/qmgr[5]: 1E240200F4: removed",
        " relay/mx1 postfix/qmgr[5]: 1E240200F5: removed",
        " <mail.info> mx1 postfix/qmgr[5]: 1E240200F6: removed",
        " mx1 dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.25, session=<s>",
        " postfix/qmgr[5]: 1E240200F7: removed",
        " mx1",
        ": --- last message repeated 2 times ---",
    ];
    let shown = |text: &str| -> Vec<String> {
        let scratch = Bump::new();
        let batch = parse_whole(&syslog::FORMAT, text.as_bytes(), &scratch);
        let hosts = batch.hosts.clone();
        events(batch).iter().map(|e| format!("{:?} {} {:?}", hosts[usize::from(e.host)], e.pid, e.kind)).collect()
    };
    for first in tails {
        for second in &tails[..tails.len() - 1] {
            let lines = [first, *second].map(|tail| format!("Oct 31 16:01:02{tail}\n"));
            assert_eq!(shown(&lines.concat()), lines.iter().flat_map(|line| shown(line)).collect::<Vec<_>>(), "{lines:?}");
        }
    }
}

#[test]
fn a_message_through_a_filter_gives_every_link_of_its_chain() {
    let scratch = Bump::new();
    let batch = parse_whole(&syslog::FORMAT, CHAIN.as_bytes(), &scratch);
    assert_eq!((batch.ledger.used, batch.ledger.total), (15, 15));
    let found = events(batch);
    let sasl: Vec<_> = found
        .iter()
        .filter(|e| matches!(e.kind, Kind::Queue { event: QueueEvent::Open { sasl_username: Some(b"alice"), .. }, .. }))
        .collect();
    assert_eq!(sasl.len(), 1);
    let next: Vec<_> = found
        .iter()
        .filter_map(|e| match &e.kind {
            Kind::Queue { event: QueueEvent::Delivery(d), .. } => Some((d.status, d.next_id)),
            _ => None,
        })
        .collect();
    assert_eq!(next, [(Status::Sent, Some(&b"4N1Hv51tY6zySm"[..])), (Status::Sent, Some(&b"1E240200F1"[..])), (Status::Bounced, None)]);
    let notices =
        found.iter().filter(|e| matches!(e.kind, Kind::Queue { event: QueueEvent::Notice { id: b"4N1Hv83Bq2zySn", .. }, .. })).count();
    assert_eq!(notices, 1);
    assert!(found.iter().any(|e| e.kind == Kind::System(SystemEvent::OwnName { name: b"mx1.u.example" })));
}

#[test]
fn trap_10_a_file_that_changes_its_format_keeps_all_lines() {
    let scratch = Bump::new();
    let text = "Oct 31 23:59:59 mx1 postfix/qmgr[5]: 1E240200F1: removed\n\
                2022-11-01T00:00:00.5+00:00 mx1 postfix/qmgr[5]: 1E240200F2: removed\n\
                Nov 01 00:00:01 mx1 postfix/qmgr[5]: 1E240200F3: removed\n";
    let found = events(parse_whole(&syslog::FORMAT, text.as_bytes(), &scratch));
    let shown: Vec<String> = found.iter().map(|e| Zone::UTC.stamp(e.at).to_string()).collect();
    assert_eq!(shown, ["2022-10-31T23:59:59+00:00", "2022-11-01T00:00:00.500000+00:00", "2022-11-01T00:00:01+00:00"]);
    assert!(found.iter().all(|e| e.host == found[0].host));
}

#[test]
fn trap_12_copies_of_a_record_have_the_same_fingerprint() {
    let scratch = Bump::new();
    let prints = |text: &'static str| -> Vec<(i64, u64, bool)> {
        parse_whole(&syslog::FORMAT, text.as_bytes(), &scratch).fingerprints.iter().map(|f| (f.second, f.hash, f.used)).collect()
    };
    let plain = prints("Oct 31 16:01:02 mx1 postfix/qmgr[5]: 1E240200F1: removed\n");
    assert_eq!(plain, prints("2022-10-31T17:01:02.25+01:00 MX1.u.example postfix/qmgr[5]: 1E240200F1: removed\n"));
    assert_eq!(plain, prints("<22>1 2022-10-31T16:01:02Z mx1 postfix 5 - -  1E240200F1: removed\n"));
    assert_ne!(plain, prints("Oct 31 16:01:02 mx2 postfix/qmgr[5]: 1E240200F1: removed\n"));
    assert_eq!(prints("Oct 31 16:01:02 mx1 cron[5]: x\nOct 31 16:01:02 mx1 cron[5]: x\n").len(), 2);
}

#[test]
fn trap_13_repeated_lines_count_as_often_as_they_say() {
    let failure = "Oct 31 03:40:00 mx1 postfix/smtpd[5]: warning: a[203.0.113.7]: SASL LOGIN authentication failed: x\n";
    for repeat in [
        "Oct 31 03:40:09 mx1 last message repeated 4 times\n",
        "Oct 31 03:40:09 mx1 postfix/smtpd[5]: message repeated 4 times: [ warning: a[203.0.113.7]: SASL LOGIN authentication failed: x]\n",
        "Oct 31 03:40:09: --- last message repeated 4 times ---\n",
        "Oct 31 03:40:05 mx2 cron[1]: between\nOct 31 03:40:09 mx1 last message repeated 4 times\n",
    ] {
        let text = format!("{failure}{repeat}");
        let scratch = Bump::new();
        let found = events(parse_whole(&syslog::FORMAT, text.as_bytes(), &scratch));
        let failures: u32 = found.iter().filter(|e| matches!(e.kind, Kind::Smtp(SmtpEvent::AuthFailed { .. }))).map(|e| e.times).sum();
        assert_eq!(failures, 5, "{repeat}");
    }
    let alone = "Oct 31 03:40:09 mx1 last message repeated 4 times\n";
    assert_eq!(kinds(alone), [Kind::System(SystemEvent::LinesLost { count: Some(4) })]);
}

#[test]
fn trap_18_a_session_that_only_tested_a_password_shows_it_in_its_counters() {
    let found = kinds("Oct 31 16:01:02 mx1 postfix/smtpd[5]: disconnect from a[192.0.2.7] ehlo=1 auth=1 quit=1 commands=3\n");
    assert!(matches!(&found[..], [Kind::Smtp(SmtpEvent::Disconnect { counters: Some(c), .. })] if c.auth_ok == 1 && c.mail_all == 0));
}

#[test]
fn trap_22_probes_are_no_mail() {
    let found = kinds(
        "Oct 31 16:01:02 mx1 postfix/smtp[5]: 1E240200F1: to=<a@x.example>, relay=mx.x.example[192.0.2.9]:25, delay=1, delays=1/0/0/0, dsn=2.1.5, status=deliverable (250 2.1.5 OK)\n",
    );
    assert!(matches!(&found[..], [Kind::Queue { event: QueueEvent::Delivery(d), .. }] if d.status == Status::Probe));
}

#[test]
fn trap_23_a_5xx_greeting_with_deferred_stays_open() {
    let found = kinds(
        "Oct 31 16:01:02 mx1 postfix/smtp[5]: 1E240200F1: to=<a@x.example>, relay=mx.x.example[192.0.2.9]:25, delay=1, delays=1/0/0/0, dsn=4.0.0, status=deferred (host mx.x.example[192.0.2.9] refused to talk to me: 554 no)\n",
    );
    assert!(matches!(&found[..], [Kind::Queue { event: QueueEvent::Delivery(d), .. }] if d.status == Status::Deferred));
}

#[test]
fn lines_that_are_no_final_word_are_no_event() {
    for body in [
        "1E240200F1: host mx.x.example[192.0.2.9] said: 450 4.7.1 status=sent (in reply to RCPT TO command)",
        "1E240200F1: lost connection with mx.x.example[192.0.2.9] while sending RCPT TO",
        "1E240200F1: passing <a@x.example> to transport=lmtp",
        "1E240200F1: status=deferred (bounce failed)",
        "1E240200F1: skipped, still being delivered",
        "connect to mx.x.example[192.0.2.9]:25: Connection timed out",
        "Trusted TLS connection established to mx.x.example[192.0.2.9]:25: TLSv1.3",
    ] {
        let text = super::testing::tag("postfix/smtp[5]", body);
        let scratch = Bump::new();
        let batch = parse_whole(&syslog::FORMAT, text.as_bytes(), &scratch);
        assert_eq!(batch.ledger.ignored[Ignored::NoFact as usize], 1, "{body}");
    }
}

#[test]
fn a_log_whose_tags_lost_their_program_reads_the_same() {
    let full = CHAIN.replace("postfix/submission/smtpd", "postfix/smtpd");
    let cut: String = CHAIN
        .lines()
        .map(|line| match line.split_once("postfix/") {
            Some((head, rest)) => {
                let (pid, body) = rest.split_once('[').and_then(|(_, r)| r.split_once("]: ")).unwrap();
                format!("<22>1 2022-10-31T{}Z mx1 postfix {pid} - -  {body}\n", &head[7..15])
            }
            None => format!("{line}\n"),
        })
        .collect();
    let shape = |kinds: Vec<Kind<'_>>| -> Vec<String> {
        kinds
            .iter()
            .map(|kind| format!("{kind:?}"))
            .map(|text| text.split_once("event: ").map_or(text[..12].to_owned(), |(_, event)| event[..7].to_owned()))
            .collect()
    };
    assert_eq!(shape(kinds(&full)), shape(kinds(&cut)));
}

#[test]
fn a_password_given_to_a_back_end_is_nowhere_in_the_events() {
    let found = format!("{:?}", kinds(MIXED));
    let secret = format!("{:?}", b"hunter2");
    assert!(!found.contains(secret.trim_matches(['[', ']'])));
    assert!(kinds(MIXED).iter().any(|k| matches!(k, Kind::Login(l) if l.result == LoginResult::BackendFailure)));
}

#[test]
fn text_that_is_no_log_is_nobodys() {
    for text in ["", "a,b,c\n1,2,3\n", "{\"a\":1}\n{\"b\":2}\n", "# Title\n\nSome prose: with a colon.\n", "\u{0}\u{1}\u{2}"] {
        for format in ALL {
            assert_eq!((format.sniff)(text.as_bytes()), 0, "{} of {text:?}", format.id);
        }
    }
    assert!((syslog::FORMAT.sniff)(b"Oct 31 16:01:02 mx1 sshd[9]: Accepted publickey\n") > 30);
    assert!((syslog::FORMAT.sniff)(CHAIN.as_bytes()) > 90);
}

/// A clock that has everything to decide: a zone with an hour that comes twice.
fn clock() -> Clock {
    Clock::new(Zone::parse("Europe/Berlin").unwrap(), 2022)
}

/// Events of a text cut at the given lines, each piece with all the text before it, without the own names told once per piece.
fn parse_pieces<'a>(format: &Format, text: &'a [u8], cuts: &[usize], scratch: &'a Bump) -> Vec<String> {
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', text).map(|at| at + 1).collect();
    let mut bounds: Vec<usize> = cuts.iter().filter_map(|cut| ends.get(cut % ends.len().max(1)).copied()).collect();
    bounds.extend([0, text.len()]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut shown = Vec::new();
    let mut clock = clock();
    let mut lines = 0;
    for pair in bounds.windows(2) {
        let (before, bytes) = (&text[..pair[0]], &text[pair[0]..pair[1]]);
        let mut batch = Batch::default();
        (format.parse)(
            Chunk {
                bytes,
                before,
                heading: b"",
                scratch,
                names: &crate::formats::host_names::NO_HOST_NAMES,
                fingerprints: false,
                unended: false,
            },
            &mut clock,
            &mut batch,
        );
        assert!(batch.ledger.adds_up());
        let total = batch.ledger.total;
        let hosts = batch.hosts.clone();
        shown.extend(events(batch).iter().filter(|e| !matches!(e.kind, Kind::System(SystemEvent::OwnName { .. }))).map(|e: &Event<'_>| {
            let host = String::from_utf8_lossy(hosts[usize::from(e.host)]).into_owned();
            format!("{} {} {host} x{} {} {:?}", lines + u64::from(e.line), e.at.0, e.times, e.pid, e.kind)
        }));
        lines += total;
    }
    shown
}

#[test]
fn cutting_anywhere_gives_the_same_events() {
    let text = [CHAIN, MIXED, CHAIN].concat();
    let scratch = Bump::new();
    let whole = parse_pieces(&syslog::FORMAT, text.as_bytes(), &[], &scratch);
    let lines: Vec<usize> = (0..text.lines().count()).collect();
    assert_eq!(parse_pieces(&syslog::FORMAT, text.as_bytes(), &lines, &scratch), whole);
}

/// A real-looking log with bytes changed, lines swapped and the end cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&'static str> = CHAIN.lines().chain(MIXED.lines()).collect();
    let pick = prop::collection::vec(prop::sample::select(lines), 1..30);
    let edits = prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"<>\"\\:,;[]() \n\r\0=a9\xff".to_vec())), 0..12);
    (pick, edits, any::<prop::sample::Index>()).prop_map(|(lines, edits, end)| {
        let mut text = ["x", &lines.join("\n")].join("\n").into_bytes();
        for (at, byte) in edits {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text.truncate(end.index(text.len()) + 1);
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_parser_panic_and_every_line_ends_in_the_ledger(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for format in ALL {
            (format.sniff)(&bytes);
            (format.scout)(&bytes);
            let scratch = Bump::new();
            parse_whole(format, &bytes, &scratch);
        }
        prop_assert!(super::postfix::reply::classify(&bytes).reason.as_str().len() > 4);
    }

    #[test]
    fn damage_never_makes_a_parser_panic_nor_lose_a_line(text in damaged()) {
        for format in ALL {
            (format.sniff)(&text);
            (format.scout)(&text);
            let scratch = Bump::new();
            let batch = parse_whole(format, &text, &scratch);
            if matches!(format.framing, super::Framing::Lines) {
                let lines = text.split(|b| *b == b'\n').count() - usize::from(text.last().is_none_or(|b| *b == b'\n'));
                prop_assert_eq!(batch.ledger.total, lines as u64);
            }
        }
    }

    #[test]
    fn cutting_a_damaged_log_gives_the_same_events(text in damaged(), cuts in prop::collection::vec(any::<usize>(), 0..6)) {
        let scratch = Bump::new();
        let whole = parse_pieces(&syslog::FORMAT, &text, &[], &scratch);
        prop_assert_eq!(&parse_pieces(&syslog::FORMAT, &text, &cuts, &scratch), &whole);
    }
}
