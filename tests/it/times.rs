//! Stamps without year and zone: what decides them, told by files whose real time is known.

use crate::command::analyze;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

const DAY: u64 = 86_400;
/// 2022-10-31 16:00:00 +09:00, seconds since 1970.
const FOUR_OCLOCK: u64 = 1_667_199_600;

/// A login by suzuki at 16:00:00 on that day, and the end of its session five seconds later.
fn session(stamp: &dyn Fn(u32) -> String, host: &str) -> String {
    let peer = "unknown[203.0.113.5]";
    format!(
        "{} {host} postfix/smtpd[71]: connect from {peer}\n\
         {} {host} postfix/smtpd[71]: 1A2B3C4D5E: client={peer}, sasl_method=PLAIN, sasl_username=suzuki\n\
         {} {host} postfix/smtpd[71]: disconnect from {peer} ehlo=1 auth=1 mail=1 rcpt=1 commands=4\n",
        stamp(0),
        stamp(1),
        stamp(5)
    )
}

/// As rsyslog's traditional format has it.
fn traditional(second: u32) -> String {
    format!("Oct 31 16:00:{second:02}")
}

fn put(folder: &Path, name: &str, text: &str, written: u64) {
    fs::write(folder.join(name), text).unwrap();
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(written);
    File::options().append(true).open(folder.join(name)).unwrap().set_modified(written).unwrap();
}

fn text<'v>(source: &'v Value, field: &str) -> &'v str {
    source[field].as_str().unwrap_or_default()
}

#[test]
fn identical_copies_written_at_other_times_are_of_one_time_and_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = |times: [&str; 4]| -> String {
        times.iter().map(|time| session(&traditional, "mail").replace("16:00", time).replace("1A2B3C", &time.replace(':', "A"))).collect()
    };
    let log = sessions(["15:00", "15:20", "15:40", "16:00"]);
    put(folder.path(), "mail.log", &log, FOUR_OCLOCK + 5);
    put(folder.path(), "a-copy.log", &log, FOUR_OCLOCK + 700 * DAY + 4_321);
    // The log went on after a first copy of it was made.
    let later = sessions(["16:10", "16:20", "16:30", "16:40"]);
    put(folder.path(), "z-copy.log", &[log, later].concat(), FOUR_OCLOCK + 900 * DAY);
    let report = analyze(&[folder.path()], &[]);
    for source in report.json["evidence"].as_array().unwrap() {
        assert_eq!(text(source, "first"), "2022-10-31T15:00:00+09:00", "{source}");
        assert_eq!((text(source, "year_from"), text(source, "zone_from")), ("file-mtime", "file-mtime"), "{source}");
    }
    assert_eq!(report.json["accounts"][0]["logins"], 8);
}

#[test]
fn what_an_option_says_of_one_copy_holds_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = session(&traditional, "mail");
    put(folder.path(), "mail.log", &log, FOUR_OCLOCK + 700 * DAY);
    put(folder.path(), "copy.log", &log, FOUR_OCLOCK + 800 * DAY);
    let report = analyze(&[folder.path()], &["--year", "mail.log=2021", "--log-tz", "mail.log=America/New_York"]);
    for source in report.json["evidence"].as_array().unwrap() {
        assert_eq!(text(source, "first"), "2021-11-01T05:00:00+09:00", "{source}");
    }
    assert_eq!(report.json["accounts"][0]["logins"], 1);
}

#[test]
fn the_offset_in_a_hosts_newer_stamps_is_the_zone_of_its_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mail.log.1", &session(&traditional, "mail"), FOUR_OCLOCK + 30 * DAY);
    put(folder.path(), "mail.log", &session(&|second| format!("2022-11-01T16:00:{second:02}.25+09:00"), "mail"), FOUR_OCLOCK + 30 * DAY);
    // Since the new logger, the host goes by its full name.
    put(folder.path(), "mx.log.1", &session(&traditional, "mx"), FOUR_OCLOCK + 30 * DAY);
    put(
        folder.path(),
        "mx.log",
        &session(&|second| format!("2022-11-01T16:00:{second:02}.25-05:00"), "mx.u.example"),
        FOUR_OCLOCK + 30 * DAY,
    );
    let report = analyze(&[folder.path()], &[]);
    for (older, first) in [("mail.log.1", "2022-10-31T16:00:00+09:00"), ("mx.log.1", "2022-11-01T06:00:00+09:00")] {
        let older = report.source(older);
        assert_eq!((text(older, "first"), text(older, "zone_from")), (first, "other-source"));
    }
}

#[test]
fn the_last_line_of_a_hosts_other_log_tells_the_zone_of_both() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "mail.log", &session(&traditional, "mail"), FOUR_OCLOCK + 5);
    let auth = "Oct 31 15:00:00 mail sshd[7]: Server listening on 0.0.0.0 port 22.\n\
                Oct 31 15:00:01 mail postfix/smtpd[8]: connect from unknown[192.0.2.7]\n";
    put(folder.path(), "old.log", auth, FOUR_OCLOCK + 30 * DAY + 99);
    let report = analyze(&[folder.path()], &[]);
    let old = report.source("old.log");
    assert_eq!((text(old, "first"), text(old, "zone_from")), ("2022-10-31T15:00:00+09:00", "other-source"));
}

/// Clocks in Berlin went back from 3:00 to 2:00 on 30 October 2022, and the log was rotated in the second round of that hour.
#[test]
fn a_log_begun_in_the_second_round_of_the_autumn_hour_goes_on_from_the_part_before() {
    let folder = tempfile::tempdir().unwrap();
    let begun = |hour: &str, id: &str| session(&|second| format!("Oct 30 {hour}:{second:02}"), "mail").replace("1A2B3C4D5E", id);
    let before = [begun("01:40", "1A2B3C4D51"), begun("02:50", "1A2B3C4D52")].concat();
    let after = [begun("02:10", "1A2B3C4D53"), begun("03:20", "1A2B3C4D54")].concat();
    let firsts = |files: &[(&str, &str)]| -> Vec<String> {
        fs::remove_dir_all(folder.path()).unwrap();
        fs::create_dir(folder.path()).unwrap();
        files.iter().for_each(|(name, log)| fs::write(folder.path().join(name), log).unwrap());
        let report = analyze(&[folder.path()], &["--year", "2022", "--log-tz", "Europe/Berlin"]);
        report.json["evidence"].as_array().unwrap().iter().map(|source| text(source, "first").to_owned()).collect()
    };
    let (second_round, first_round) = ("2022-10-30T10:10:00+09:00", "2022-10-30T09:10:00+09:00");
    assert_eq!(firsts(&[("mail.log", &after), ("mail.log.1", &before)])[0], second_round);
    assert_eq!(firsts(&[("mail.log", &after), ("other.log.1", &before)])[0], first_round);
    assert_eq!(firsts(&[("mail.log", &after)])[0], first_round);
    let ended_before_it = begun("01:40", "1A2B3C4D51");
    assert_eq!(firsts(&[("mail.log", &after), ("mail.log.1", &ended_before_it)])[0], first_round);
}

/// What `Get-MessageTrackingLog | Export-Csv` made of messages that suzuki sent at these times.
fn shell_export(times: &[&str]) -> String {
    let heading = "#TYPE Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent\r\n\
        Timestamp,ClientIp,ClientHostname,ServerIp,ServerHostname,SourceContext,ConnectorId,Source,EventId,InternalMessageId,MessageId,\
        NetworkMessageId,Recipients,RecipientStatus,TotalBytes,RecipientCount,Sender,ReturnPath,Directionality,OriginalClientIp,EventData\r\n";
    let row = |(n, time): (usize, &&str)| {
        format!(
            "{time},192.0.2.25,EX1.u.example,192.0.2.25,EX1,,EX1\\Client Proxy EX1,SMTP,RECEIVE,{n},<m{n}@u.example>,\
             00000008-0000-4000-8000-{n:012},a@x.example,,100,1,suzuki@u.example,suzuki@u.example,Originating,203.0.113.5,\r\n"
        )
    };
    heading.to_owned() + &times.iter().enumerate().map(row).collect::<String>()
}

fn limitations(report: &crate::command::Report) -> String {
    report.json["limitations"].as_array().unwrap().iter().map(Value::to_string).collect()
}

#[test]
fn an_export_is_in_the_zone_that_was_given_or_said_to_be_assumed_whenever_its_file_was_written() {
    let folder = tempfile::tempdir().unwrap();
    // Written, by chance, a whole number of hours after its last row.
    put(folder.path(), "export.csv", &shell_export(&["10/31/2022 4:00:00 PM", "10/31/2022 4:00:05 PM"]), FOUR_OCLOCK + 5 + 3_600);
    let report = analyze(&[folder.path()], &["--log-tz", "Asia/Tokyo"]);
    let source = report.source("export.csv");
    let decided = ["first", "last", "year_from", "zone_from"].map(|field| text(source, field));
    assert_eq!(decided, ["2022-10-31T16:00:00+09:00", "2022-10-31T16:00:05+09:00", "in-line", "option"]);
    assert!(!limitations(&report).contains("UTC was assumed"));
    let report = analyze(&[folder.path()], &[]);
    let source = report.source("export.csv");
    assert_eq!(["first", "year_from", "zone_from"].map(|field| text(source, field)), ["2022-11-01T01:00:00+09:00", "in-line", "assumed"]);
    assert!(limitations(&report).contains("UTC was assumed"));
}

#[test]
fn days_and_months_change_places_for_a_whole_export_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let span = |name: &str| {
        let report = analyze(&[folder.path().join(name)], &["--log-tz", "Asia/Tokyo"]);
        let source = report.json["evidence"][0].clone();
        (text(&source, "first").to_owned(), text(&source, "last").to_owned(), limitations(&report).contains("day and month either way"))
    };
    let told = |first: &str, last: &str, open| (format!("{first}+09:00"), format!("{last}+09:00"), open);
    put(folder.path(), "us", &shell_export(&["11/2/2022 10:00:00", "11/13/2022 10:00:00"]), FOUR_OCLOCK);
    assert_eq!(span("us"), told("2022-11-02T10:00:00", "2022-11-13T10:00:00", false));
    put(folder.path(), "au", &shell_export(&["2/11/2022 10:00:00 AM", "13/11/2022 10:00:00 AM"]), FOUR_OCLOCK);
    assert_eq!(span("au"), told("2022-11-02T10:00:00", "2022-11-13T10:00:00", false));
    put(folder.path(), "open", &shell_export(&["2/11/2022 10:00:00", "2/11/2022 10:00:01"]), FOUR_OCLOCK);
    assert_eq!(span("open"), told("2022-11-02T10:00:00", "2022-11-02T10:00:01", true));
    // The dates between which a search was made are written as its rows are.
    let traced = |from: &str| {
        format!(
            "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId,StartDate,EndDate\n<m@u.example>,2/11/2022 10:00:00 AM,jane@u.example,a@x.example,Hi,Delivered,192.0.2.9,203.0.113.9,900,eb234fb8-2e0c-43de-b52c-406beabc3e86,{from},2/12/2022 3:00:00 PM\n"
        )
    };
    put(folder.path(), "trace-us", &traced("1/31/2022 3:00:00 PM"), FOUR_OCLOCK);
    assert_eq!(span("trace-us"), told("2022-02-11T19:00:00", "2022-02-11T19:00:00", false));
    put(folder.path(), "trace-au", &traced("31/1/2022 3:00:00 PM"), FOUR_OCLOCK);
    assert_eq!(span("trace-au"), told("2022-11-02T19:00:00", "2022-11-02T19:00:00", false));
    // A busy server's day fills the head, and more; the next day tells.
    let mut times = vec!["12/11/2022 10:00:00 AM"; 8_000];
    times.push("13/11/2022 10:00:00 AM");
    put(folder.path(), "long", &shell_export(&times), FOUR_OCLOCK);
    assert_eq!(span("long"), told("2022-11-12T10:00:00", "2022-11-13T10:00:00", false));
}

#[test]
fn stamps_with_a_year_and_without_a_zone_keep_their_year_however_old_the_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let log = session(&|second| format!("2019-10-31 16:00:{second:02}"), "mail");
    put(folder.path(), "mail.log", &log, FOUR_OCLOCK + 700 * DAY + 4_321);
    let report = analyze(&[folder.path()], &["--log-tz", "Asia/Tokyo"]);
    let source = report.source("mail.log");
    assert_eq!(["first", "year_from", "zone_from"].map(|field| text(source, field)), ["2019-10-31T16:00:00+09:00", "in-line", "option"]);
    assert!(!limitations(&report).contains("year"), "{}", limitations(&report));
}

/// Suzuki's message went from `mail` to `gate`, whose clock was set three hours ahead, and was refused by the receiver there.
#[test]
fn clocks_that_differ_are_told_where_mail_was_followed_from_one_to_the_other() {
    let message = |gate: u32| {
        format!(
            "2022-10-31T16:01:01+09:00 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
2022-10-31T16:01:01+09:00 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>
2022-10-31T16:01:01+09:00 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
2022-10-31T16:01:02+09:00 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=gate.u.example[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 2A2B3C4D5E)
2022-10-31T16:01:02+09:00 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
2022-10-31T{gate}:01:02+09:00 gate postfix/smtpd[8]: 2A2B3C4D5E: client=mail.u.example[198.51.100.2]
2022-10-31T{gate}:01:02+09:00 gate postfix/cleanup[6]: 2A2B3C4D5E: message-id=<m1@pc>
2022-10-31T{gate}:01:02+09:00 gate postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
2022-10-31T{gate}:01:03+09:00 gate postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host mx.x.test[192.0.2.9] said: 550 5.7.1 spam (in reply to end of DATA command))
2022-10-31T{gate}:01:03+09:00 gate postfix/qmgr[9]: 2A2B3C4D5E: removed
"
        )
    };
    let told = |gate: u32| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mail.log"), message(gate)).unwrap();
        let report = analyze(&[folder.path()], &[]);
        let limits: Vec<String> =
            report.json["limitations"].as_array().unwrap().iter().map(|limit| limit.as_str().unwrap().to_owned()).collect();
        let blocked = report.json["accounts"][0]["messages"]["blocked"].as_u64();
        (blocked, limits.into_iter().filter(|limit| limit.contains("clock")).collect::<Vec<_>>())
    };
    let (blocked, limits) = told(19);
    assert_eq!(blocked, Some(1));
    assert!(
        matches!(&limits[..], [one] if one.starts_with("The clock of gate was 180 minute(s) ahead of that of mail: 1 recipient(s)")),
        "{limits:?}"
    );
    assert_eq!(told(16), (Some(1), Vec::new()));
}
