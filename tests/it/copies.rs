//! The same records in several files count once, in whatever order the files hold and name them.

use crate::command::analyze;
use serde_json::Value;
use std::fs;

/// One message of suzuki's, submitted at this minute of Oct 31 16:00, and one failed login before it.
fn night(host: &str, minute: u32) -> String {
    let (at, id) = (format!("Oct 31 16:{minute:02}"), format!("1A2B3C4D{minute:02}"));
    let peer = "unknown[203.0.113.5]";
    format!(
        "{at}:01 {host} postfix/smtpd[71]: connect from {peer}\n\
         {at}:01 {host} postfix/smtpd[71]: warning: {peer}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=suzuki\n\
         {at}:02 {host} postfix/smtpd[71]: {id}: client={peer}, sasl_method=PLAIN, sasl_username=suzuki\n\
         {at}:02 {host} postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)\n\
         {at}:03 {host} postfix/smtp[5]: {id}: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n\
         {at}:03 {host} postfix/qmgr[9]: {id}: removed\n\
         {at}:04 {host} postfix/smtpd[71]: disconnect from {peer} ehlo=1 auth=1/2 mail=1 rcpt=1 data=1 quit=1 commands=6/7\n"
    )
}

/// Logins, failures and messages of suzuki.
fn suzuki(files: &[(&str, String)]) -> (u64, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let report = analyze(&[folder.path()], &["--year", "2022", "--log-tz", "Asia/Tokyo"]);
    let accounts = report.json["accounts"].as_array().unwrap();
    let [account] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert!(account["account"].as_str().unwrap().starts_with("suzuki"));
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    (number(&account["logins"]), number(&account["failures"]), number(&account["messages"]["total"]))
}

#[test]
fn a_host_that_a_central_log_names_late_has_its_copies_found() {
    let quiet = "Oct 31 16:10:00 web cron[1]: nothing to do\n".repeat(10_000);
    let central = [quiet, night("mail", 20)].concat();
    // Its own log begins before the central one, and so is read first.
    let own = [night("mail", 1), night("mail", 20)].concat();
    assert_eq!(suzuki(&[("own.log", own.clone())]), (2, 2, 2));
    assert_eq!(suzuki(&[("central.log", central), ("own.log", own)]), (2, 2, 2));
}

/// The journal stamps what arrives, here every other line in the second after the one that the program wrote.
#[test]
fn a_journal_beside_the_syslog_file_tells_of_the_same_night() {
    let log = [night("mail", 1), night("mail", 40)].concat();
    let late = |number: usize, line: &str| -> (u32, u32) {
        let second: u32 = line[13..15].parse::<u32>().unwrap() + number as u32 % 2;
        (line[10..12].parse().unwrap(), second)
    };
    let iso = |(number, line): (usize, &str)| {
        let (minute, second) = late(number, line);
        format!("2022-10-31T16:{minute:02}:{second:02}+09:00{}\n", &line[15..])
    };
    let json = |(number, line): (usize, &str)| {
        let (minute, second) = late(number, line);
        let at = 1_667_199_600_u64 + u64::from(60 * minute + second);
        let (tag, message) = line["Oct 31 16:01:01 mail ".len()..].split_once(": ").unwrap();
        let (name, pid) = tag.trim_end_matches(']').split_once('[').unwrap();
        let entry = serde_json::json!({
            "__REALTIME_TIMESTAMP": format!("{at}000417"), "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": name, "SYSLOG_PID": pid, "MESSAGE": message,
        });
        format!("{entry}\n")
    };
    let (as_text, as_json) = (log.lines().enumerate().map(iso).collect::<String>(), log.lines().enumerate().map(json).collect::<String>());
    assert_eq!(suzuki(&[("journal.json", as_json.clone())]), (2, 2, 2));
    for journal in [as_text, as_json] {
        assert_eq!(suzuki(&[("mail.log", log.clone()), ("journal", journal.clone())]), (2, 2, 2));
        // The journal goes further back, and so is read first.
        assert_eq!(suzuki(&[("mail.log", night("mail", 40)), ("journal", journal)]), (2, 2, 2));
    }
}

#[test]
fn a_log_put_together_backwards_is_a_copy_of_its_parts() {
    let (older, newer) = (night("mail", 1), night("mail", 40));
    let backwards = [newer.clone(), older.clone()].concat();
    assert_eq!(suzuki(&[("all.log", backwards), ("mail.log", newer), ("mail.log.1", older)]), (2, 2, 2));
}

/// Two servers of the same short name under attack in the same second, and two processes of one server.
#[test]
fn the_same_words_of_another_host_or_process_are_no_copies() {
    let other_process = night("mail", 1).replace("[71]", "[72]").replace("1A2B3C4D", "1A2B3C4E");
    for other in [night("mail.b.example", 1), other_process.replace(" mail ", " mail.a.example ")] {
        assert_eq!(suzuki(&[("a.log", night("mail.a.example", 1)), ("b.log", other)]), (2, 2, 2));
    }
    // One name in full and in short is one host.
    assert_eq!(suzuki(&[("a.log", night("mail.a.example", 1)), ("b.log", night("mail", 1))]), (1, 1, 1));
}

/// A logger that sorts lines into files by program: whichever file is read first, the message is one.
#[test]
fn lines_sorted_into_files_by_program_tell_the_same_in_any_order() {
    let is_server = |line: &&str| line.contains("smtpd[");
    let log = [night("mail", 1), night("mail", 40)].concat();
    let of = |wanted: &dyn Fn(&&str) -> bool| log.split_inclusive('\n').filter(wanted).collect::<String>();
    let (server, rest) = (of(&is_server), of(&|line| !is_server(line)));
    let started = "Oct 31 16:00:00 mail postfix/master[1]: daemon started -- version 3.7.11, configuration /etc/postfix\n";
    assert_eq!(suzuki(&[("a.log", server.clone()), ("b.log", rest.clone())]), (2, 2, 2));
    assert_eq!(suzuki(&[("a.log", [started, &rest].concat()), ("b.log", server)]), (2, 2, 2));
}

/// Two mornings of suzuki's at the mailbox server, one of them after a wrong password.
fn mailbox(host: &str, own_file: bool) -> String {
    let line = |at: &str, component: &str, severity: &str, text: &str| match own_file {
        true => format!("Oct 31 {at} {component}: {severity}: {text}\n"),
        false => format!("Oct 31 {at} {host} dovecot: {component}: {text}\n"),
    };
    let client = "method=PLAIN, rip=203.0.113.5, lip=192.0.2.25, TLS";
    let user = "user=<suzuki>";
    [
        line("16:01:02", "imap-login", "Info", &format!("Login: {user}, {client}, mpid=7, session=<jXBmieVgA1LGM2TI>")),
        line(
            "16:05:02",
            "imap(suzuki)<7><jXBmieVgA1LGM2TI>",
            "Info",
            "Disconnected: Logged out in=32 out=781 deleted=0 expunged=0 body_count=3 body_bytes=700",
        ),
        line(
            "17:00:09",
            "imap-login",
            "Info",
            &format!("Disconnected (auth failed, 2 attempts in 6 secs): {user}, {client}, session=<kXBmieVgA1LGM2TI>"),
        ),
        line("17:01:02", "imap-login", "Info", &format!("Login: {user}, {client}, mpid=8, session=<lXBmieVgA1LGM2TI>")),
    ]
    .concat()
}

/// Dovecot writes its own file, and syslog writes down the same once more.
#[test]
fn a_session_that_dovecots_own_file_and_syslog_tell_of_is_one() {
    let (own, syslog) = (mailbox("", true), mailbox("mail", false));
    assert_eq!(suzuki(&[("mail.log", syslog.clone())]), (2, 2, 0));
    assert_eq!(suzuki(&[("dovecot.log", own.clone())]), (2, 2, 0));
    assert_eq!(suzuki(&[("dovecot.log", own), ("mail.log", syslog)]), (2, 2, 0));
}

/// An export that dropped the column of hosts, beside the log it was made of; it may begin earlier and may lack lines.
#[test]
fn a_log_that_lost_its_hosts_is_a_copy_of_the_one_that_has_them() {
    let whole = [night("mail", 1), night("mail", 40)].concat();
    let export = whole.replace(" mail postfix/", " postfix/");
    assert_eq!(suzuki(&[("export.log", export.clone())]), (2, 2, 2));
    for (first, second) in [("a.log", "b.log"), ("b.log", "a.log")] {
        assert_eq!(suzuki(&[(first, export.clone()), (second, whole.clone())]), (2, 2, 2));
    }
    let deliveries: String = export.split_inclusive('\n').filter(|line| line.contains("/smtp[")).collect();
    assert_eq!(suzuki(&[("a.log", deliveries), ("b.log", whole.clone())]), (2, 2, 2));
    let later = [night("mail", 40), night("mail", 50)].concat();
    assert_eq!(suzuki(&[("a.log", export), ("b.log", later)]), (3, 3, 3));
}

/// Passwords tried on suzuki once a second; where a logger sums up, as `last message repeated` or with the line quoted.
fn guesses(summed_up: Option<&str>, times: u32) -> String {
    let guess = "postfix/smtpd[71]: warning: unknown[203.0.113.5]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=suzuki";
    let (tag, text) = guess.split_once(": ").unwrap();
    let line = |second: u32, text: &str| format!("Oct 31 16:01:{second:02} mail {text}\n");
    let again = match summed_up {
        Some("last") => line(times + 1, &format!("last message repeated {times} times")),
        Some(_) => line(times + 1, &format!("{tag}: message repeated {times} times: [ {text}]")),
        None => (0..times).map(|n| line(2 + n, guess)).collect(),
    };
    [line(1, guess), again, line(40, "postfix/smtpd[71]: disconnect from unknown[203.0.113.5] auth=0/11 commands=0/11")].concat()
}

/// A logger that sums up equal lines, and one that does not, write down one attack.
#[test]
fn lines_summed_up_in_one_log_and_written_out_in_another_count_once() {
    let failures = |files: &[(&str, String)]| suzuki(files).1;
    for sum in ["last", "quoted"] {
        let (summed_up, whole) = (guesses(Some(sum), 10), guesses(None, 10));
        assert_eq!(failures(&[("a.log", summed_up.clone())]), 11, "{sum}");
        assert_eq!(failures(&[("a.log", summed_up.clone()), ("b.log", whole.clone())]), 11, "{sum}");
        assert_eq!(failures(&[("a.log", whole.clone()), ("b.log", summed_up.clone())]), 11, "{sum}");
        assert_eq!(failures(&[("a.log", whole.clone()), ("b.log", summed_up.clone()), ("c.log", summed_up.clone())]), 11, "{sum}");
        // The one that wrote them out lost some: the larger number is the true one.
        let lossy: String = whole.split_inclusive('\n').filter(|line| !line.contains("16:01:05") && !line.contains("16:01:06")).collect();
        assert_eq!(failures(&[("a.log", summed_up.clone()), ("b.log", lossy.clone())]), 11, "{sum}");
        assert_eq!(failures(&[("a.log", lossy), ("b.log", summed_up)]), 11, "{sum}");
    }
}

/// A mail server writes its own short name, the central logger the full one, and each has the lines of other programs.
#[test]
fn a_host_that_two_logs_name_in_short_and_in_full_is_one() {
    let log = [night("mail", 1), night("mail", 40)].concat();
    let of = |server: bool, name: &str| -> String {
        log.split_inclusive('\n')
            .filter(|line| line.contains("smtpd[") == server)
            .map(|line| line.replace(" mail ", &format!(" {name} ")))
            .collect()
    };
    let (short, full) = ("mail", "mail.u.example");
    for (server, rest) in [(short, full), (full, short)] {
        let files = [("a.log", of(true, server)), ("b.log", of(false, rest))];
        assert_eq!(suzuki(&files), (2, 2, 2), "{server}");
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let report = analyze(&[folder.path()], &["--year", "2022", "--log-tz", "Asia/Tokyo"]);
        assert_eq!(report.json["accounts"][0]["recipients"]["delivered"], 2, "{server}");
        assert!(report.json["evidence"].as_array().unwrap().iter().all(|source| source["hosts"] == serde_json::json!([full])));
    }
    // Named in full late in a log, long after its head was looked at.
    let quiet = "Oct 31 16:00:00 web cron[1]: nothing to do\n".repeat(10_000);
    assert_eq!(suzuki(&[("a.log", of(true, short)), ("b.log", [quiet, of(false, full)].concat())]), (2, 2, 2));
}

/// What a search for a name picked out of two rotated logs lies beside them. Without it, a message and one more that was refused under
/// another sender's name are told of each log; the lines that were picked out must not take the user from the rest of their sessions.
#[test]
fn lines_picked_out_of_a_log_take_nothing_from_it() {
    let refused = |minute: u32| {
        let end = format!("Oct 31 16:{minute:02}:04 mail postfix/smtpd[71]: ");
        let refusal = "NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <b@x.test>: Recipient address rejected: \
                       rate limit exceeded; from=<forged@v.example> to=<b@x.test> proto=ESMTP helo=<x>";
        let counted =
            night("mail", minute).replace("mail=1 rcpt=1 data=1", "mail=2 rcpt=1/2 data=1").replace("commands=6/7", "commands=7/9");
        counted.replace(&end, &format!("{end}{refusal}\n{end}"))
    };
    let (older, newer) = (refused(1), refused(40));
    let extract: String = [&*older, &*newer].concat().split_inclusive('\n').filter(|line| line.contains("suzuki")).collect();
    let logs = [("mail.log", newer), ("mail.log.1", older)];
    assert_eq!(suzuki(&logs), (2, 2, 4));
    let [newer, older] = logs;
    assert_eq!(suzuki(&[("extract.log", extract), newer, older]), (2, 2, 4));
}
