//! One takeover on one server, told again and again with a habit of that server added: archive rules, redirects, mailing lists, proxies,
//! refused senders. The habit changes no figure of the takeover, or the report says what it cannot tell.

use crate::command::{Report, analyze, number};
use crate::compare;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// The owner of suzuki's account, the attacker, and another user.
const HOME: &str = "198.51.100.7";
const ATTACKER: &str = "203.0.113.77";

/// How one message is told.
struct Message<'a> {
    /// Minute of the day of May 1 to 6, 2024.
    day: u32,
    minute: u32,
    user: &'a str,
    address: &'a str,
    sender: &'a str,
    /// Recipients with the words about their ends.
    to: &'a [(String, bool)],
}

fn stamp(day: u32, minute: u32) -> String {
    format!("2024-05-{day:02}T{:02}:{:02}:00+00:00 mx1", minute / 60, minute % 60)
}

fn queue_id(message: &Message<'_>) -> String {
    let letter = message.user.bytes().next().unwrap() % 16;
    format!("{letter:X}{}A{:04}C", message.day, message.minute)
}

impl Message<'_> {
    fn lines(&self) -> String {
        let (at, id) = (stamp(self.day, self.minute), queue_id(self));
        let Message { user, address, sender, to, .. } = self;
        let session = |text: &str| format!("{at} postfix/smtpd[{}]: {text}\n", 100 + user.len());
        let opened = session(&format!("connect from unknown[{address}]"))
            + &session(&format!("{id}: client=unknown[{address}], sasl_method=PLAIN, sasl_username={user}"));
        let queued = format!(
            "{at} postfix/cleanup[9]: {id}: message-id=<{id}@pc>\n{at} postfix/qmgr[8]: {id}: from=<{sender}>, size=900, nrcpt={} (queue active)\n",
            to.len()
        );
        let ends: String = to.iter().map(|(to, good)| delivery(&at, &id, to, *good)).collect();
        let closed = session(&format!("disconnect from unknown[{address}] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6"));
        opened + &queued + &closed + &ends + &format!("{at} postfix/qmgr[8]: {id}: removed\n")
    }
}

fn delivery(at: &str, id: &str, to: &str, good: bool) -> String {
    let (dsn, end) = match good {
        true => ("2.0.0", "sent (250 2.0.0 OK)".to_owned()),
        false => ("5.7.1", "bounced (host mx.x.example[192.0.2.9] said: 550 5.7.1 message rejected as spam)".to_owned()),
    };
    format!("{at} postfix/smtp[7]: {id}: to=<{to}>, relay=mx.x.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={end}\n")
}

/// What is told differently from the plain story.
#[derive(Default)]
struct Habit<'a> {
    /// Everything goes there too.
    archive: Option<&'a str>,
    /// The attacker's sender.
    forged: Option<&'a str>,
}

/// Twenty messages of suzuki's and of ono's over five days, and sixty of the attacker's in one night, half of which arrive.
fn night(habit: Habit<'_>) -> String {
    let mut log = String::new();
    let recipients = |to: &str, good: bool| -> Vec<(String, bool)> {
        std::iter::once((to.to_owned(), good)).chain(habit.archive.map(|archive| (archive.to_owned(), true))).collect()
    };
    for day in 1..=5 {
        for hour in 9..13 {
            for (user, address) in [("suzuki", HOME), ("ono", "198.51.100.8")] {
                let at = stamp(day, hour * 60);
                log += &format!(
                    "{at} dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip={address}, lip=192.0.2.25, mpid=5, TLS, session=<{user}{day}{hour}>\n"
                );
                let (sender, minute) = (format!("{user}@u.example"), hour * 60 + user.len() as u32);
                let to = recipients(&format!("friend{hour}@y.example"), true);
                log += &Message { day, minute, user, address, sender: &sender, to: &to }.lines();
            }
        }
    }
    for minute in 60..120 {
        let sender = habit.forged.unwrap_or("suzuki@u.example");
        let to = recipients(&format!("victim{minute}@x.example"), minute % 2 == 0);
        log += &Message { day: 6, minute, user: "suzuki", address: ATTACKER, sender, to: &to }.lines();
    }
    log
}

fn told(log: &str, options: &[&str]) -> Report {
    told_of(&[("mail.log", log)], options)
}

fn told_of(logs: &[(&str, &str)], options: &[&str]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mailtrail.toml");
    fs::write(&config, "default_domain = \"u.example\"\n").unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    for (name, log) in logs {
        fs::write(folder.path().join("logs").join(name), log).unwrap();
    }
    let options: Vec<&str> = ["--config", config.to_str().unwrap()].iter().chain(options).copied().collect();
    analyze(&[&folder.path().join("logs")], &options)
}

/// Total, delivered and blocked.
type Outcomes = (u64, u64, u64);

/// Accounts, first login, messages and recipients of an incident.
type Figures = (String, String, Outcomes, Outcomes);

fn outcomes(tally: &Value) -> Outcomes {
    (number(&tally["total"]), number(&tally["delivered"]), number(&tally["blocked"]))
}

/// Those of the one incident.
fn figures(report: &Report) -> Figures {
    let incident = report.only_incident();
    (
        incident["accounts"].to_string(),
        format!("{} {}", incident["first_login"]["time"].as_str().unwrap(), incident["first_login"]["ip"].as_str().unwrap()),
        outcomes(&incident["messages"]),
        outcomes(&incident["recipients"]),
    )
}

fn truth() -> Figures {
    let first_login = format!("2024-05-06T10:00:00+09:00 {ATTACKER}");
    (r#"["suzuki@u.example"]"#.to_owned(), first_login, (60, 30, 30), (60, 30, 30))
}

/// The notices that came back in that night, with what is said of them.
fn notices(log: &str) -> (u64, String) {
    let report = told(log, &[]);
    assert_eq!(figures(&report), truth());
    let notices = &report.only_incident()["returned_notices"];
    (number(&notices["count"]), notices["note"].as_str().unwrap_or_default().to_owned())
}

/// Lines in the order of time.
fn in_order(log: &str) -> String {
    let mut lines: Vec<&str> = log.split_inclusive('\n').collect();
    lines.sort_by_key(|line| &line[..19]);
    lines.concat()
}

fn limitations(report: &Report) -> String {
    report.json["limitations"].to_string()
}

#[test]
fn the_plain_night() {
    let report = told(&night(Habit::default()), &[]);
    assert_eq!(figures(&report), truth());
    assert!(!limitations(&report).contains("always_bcc"));
}

#[test]
fn the_address_of_an_archive_that_gets_everything_is_no_recipient() {
    let report = told(&night(Habit { archive: Some("archive@u.example"), ..Habit::default() }), &[]);
    assert_eq!(figures(&report), truth());
    assert_eq!(number(&report.only_incident()["recipients"]["distinct"]), 60);
    assert!(limitations(&report).contains("archive@u.example as well, whoever wrote them"), "{}", limitations(&report));
}

#[test]
fn where_one_writer_alone_is_in_evidence_a_common_recipient_is_said_to_be_perhaps_an_archive() {
    let log = night(Habit { archive: Some("archive@u.example"), ..Habit::default() });
    let of_ono = |line: &&str| line.contains("ono") || line.contains("198.51.100.8") || line.contains(": F");
    let alone: String = log.split_inclusive('\n').filter(|line| !of_ono(line)).collect();
    let report = told(&alone, &[]);
    assert_eq!(outcomes(&report.only_incident()["recipients"]).0, 120);
    assert!(limitations(&report).contains("each has one recipient less than counted"), "{}", limitations(&report));
}

/// Dovecot's Sieve redirects what the attacker sent to a user of the server: the same message-id and sender come in again.
#[test]
fn what_a_program_of_the_server_passes_on_is_no_message_of_its_sender() {
    let mut log = night(Habit::default());
    for minute in 60..80 {
        let message = Message { day: 6, minute, user: "suzuki", address: ATTACKER, sender: "suzuki@u.example", to: &[] };
        let (at, id, again) = (stamp(6, minute + 60), queue_id(&message), format!("D6A{minute:04}C"));
        log += &format!(
            "{at} postfix/smtpd[30]: connect from localhost[127.0.0.1]
{at} postfix/smtpd[30]: {again}: client=localhost[127.0.0.1]
{at} postfix/cleanup[9]: {again}: message-id=<{id}@pc>
{at} postfix/qmgr[8]: {again}: from=<suzuki@u.example>, size=990, nrcpt=1 (queue active)
{at} postfix/smtpd[30]: disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
{}",
            delivery(&at, &again, "elsewhere@y.example", false)
        );
    }
    let report = told(&log, &[]);
    assert_eq!(figures(&report), truth());
    assert!(!report.only_incident()["origins"].to_string().contains("127.0.0.1"));
}

/// A webmail program without logins of its own hands in what the attacker sends, all of it under one message-id.
#[test]
fn what_somebody_sends_through_the_server_itself_is_that_accounts_though_it_bears_one_message_id() {
    let by_program = |line: &str| {
        let line = line.replace(ATTACKER, "127.0.0.1").replace(", sasl_method=PLAIN, sasl_username=suzuki", "").replace(" auth=1", "");
        match line.split_once("message-id=<") {
            Some((before, _)) => format!("{before}message-id=<one@web>\n"),
            None => format!("{line}\n"),
        }
    };
    let log: String = night(Habit::default())
        .lines()
        .map(|line| if line.starts_with("2024-05-06") { by_program(line) } else { format!("{line}\n") })
        .collect();
    let report = told(&log, &[]);
    assert_eq!(outcomes(&report.only_incident()["messages"]), (60, 30, 30));
    let notes = report.only_incident()["notes"].to_string();
    assert!(notes.contains("127.0.0.1 is not reached from outside"), "{notes}");
}

/// Everybody reads and writes in the browser: the web server is the only client that the mail server sees. The logs of the mail system, of
/// the webmail's logins, and of what it sent.
fn in_the_browser() -> [String; 3] {
    let [mut mail, mut logins, mut sent] = [const { String::new() }; 3];
    for line in night(Habit::default()).lines() {
        let address = [HOME, ATTACKER, "198.51.100.8"].into_iter().find(|address| line.contains(address));
        let user = if line.contains("sasl_username=ono") { "ono" } else { "suzuki" };
        // The program logs in to the mailbox for each message that it sends, just before it.
        if let (Some(address), Some((before, _))) = (address, line.split_once(": client=")) {
            let (day, time, id) = (&line[8..10], &line[11..19], before.rsplit(' ').next().unwrap());
            logins += &format!("[{day}-May-2024 {time} +0000]: <a1> Successful login for {user} (ID: 5) from {address} in session a1b2\n");
            sent += &format!(
                "[{day}-May-2024 {time} +0000]: <a1> User {user} [{address}]; Message <{id}@pc> for a@x.example; 250: 2.0.0 Ok: queued as {id}\n"
            );
            mail += &format!(
                "{} dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, mpid=5, secured, session=<{}>\n",
                &line[..29],
                &line[8..19]
            );
        }
        if !line.contains("imap-login") {
            mail += &format!("{}\n", address.map_or(line.to_owned(), |address| line.replace(address, "127.0.0.1")));
        }
    }
    [mail, logins, sent]
}

#[test]
fn what_everybody_does_through_webmail_is_of_the_browsers_and_no_log_is_said_to_be_missing() {
    let [mail, logins, _] = in_the_browser();
    let report = told_of(&[("mail.log", &mail), ("userlogins.log", &logins)], &[]);
    assert_eq!(figures(&report), truth());
    let incident = report.only_incident();
    assert_eq!(incident["prior_failed_logins"]["account"]["determinable"], true, "{}", incident["prior_failed_logins"]);
    assert_eq!((&incident["lower_bounds"], incident["protocols"][0]["protocol"].as_str()), (&serde_json::json!([]), Some("webmail")));
    assert!(!incident["notes"].to_string().contains("No login for sending"), "{}", incident["notes"]);
}

/// The mail server takes from the web server what comes, without a login.
#[test]
fn where_webmail_sends_without_a_login_that_at_the_webmail_is_the_one_in_evidence() {
    let [mail, logins, _] = in_the_browser();
    let unnamed = ["suzuki", "ono"].map(|user| format!(", sasl_method=PLAIN, sasl_username={user}"));
    let mail = unnamed.iter().fold(mail.replace(" auth=1", ""), |mail, words| mail.replace(words, ""));
    let report = told_of(&[("mail.log", &mail), ("userlogins.log", &logins)], &[]);
    assert_eq!(figures(&report), truth());
    let limits = limitations(&report);
    assert!(limits.contains("100 message(s) were handed in by a webmail program that does not log in for sending"), "{limits}");
    assert!(!limits.contains("their logins are not in evidence"), "{limits}");
    let notes = report.only_incident()["notes"].to_string();
    assert!(!notes.contains("No login for sending"), "{notes}");
}

/// The webmail's log of logins was off, as it is by default.
#[test]
fn the_webmails_log_of_what_it_sent_tells_the_browsers_too() {
    let [mail, _, sent] = in_the_browser();
    let report = told_of(&[("mail.log", &mail), ("sendmail.log", &sent)], &[]);
    assert_eq!(figures(&report), truth());
    let origins = report.only_incident()["origins"].as_array().unwrap();
    let of = |ip: &str| origins.iter().find(|o| o["ip"] == ip).map(|o| (o["verdict"].as_str().unwrap(), number(&o["messages"])));
    assert_eq!((of(ATTACKER), of(HOME)), (Some(("attacker", 60)), Some(("owner", 20))));
}

/// A list manager hands its mail in without a login, under a sender of its own.
#[test]
fn a_mailing_list_is_no_account_and_was_taken_over_by_nobody() {
    let mut log = night(Habit::default());
    for minute in 140..400 {
        let (at, id) = (stamp(6, minute), format!("E6A{minute:04}C"));
        log += &format!(
            "{at} postfix/smtpd[30]: {id}: client=localhost[127.0.0.1]
{at} postfix/cleanup[9]: {id}: message-id=<{id}@lists>
{at} postfix/qmgr[8]: {id}: from=<list-bounces@u.example>, size=990, nrcpt=1 (queue active)
{}",
            delivery(&at, &id, &format!("reader{minute}@y.example"), minute % 3 > 0)
        );
    }
    let report = told(&log, &[]);
    assert_eq!(figures(&report), truth());
    assert!(!report.json["accounts"].to_string().contains("list-bounces"));
}

/// Notices about forged mail go to the forged sender.
#[test]
fn notices_to_a_strangers_address_did_not_come_back_to_the_account() {
    let with_notices = |forged: &str| {
        let mut log = night(Habit { forged: Some(forged), ..Habit::default() });
        for minute in (61..120).step_by(2) {
            let message = Message { day: 6, minute, user: "suzuki", address: ATTACKER, sender: forged, to: &[] };
            let (at, id) = (stamp(6, minute), queue_id(&message));
            log += &format!("{at} postfix/bounce[6]: {id}: sender non-delivery notification: B6A{minute:04}C\n");
        }
        notices(&in_order(&log))
    };
    assert_eq!(with_notices("suzuki@u.example"), (30, String::new()));
    let (count, note) = with_notices("bank@z.example");
    assert_eq!(count, 0);
    assert!(note.starts_with("30 more went to sender addresses"), "{note}");
}

/// How the notices of the thirty messages that bounced end.
fn with_notices(end: impl Fn(&str, &str) -> String) -> String {
    let bounced = |minute: u32| {
        let (at, id) = (stamp(6, minute), format!("36A{minute:04}C"));
        let notice = format!("9{id}");
        format!(
            "{at} postfix/cleanup[9]: {notice}: message-id=<20240506{:02}{:02}00.{notice}@mx1.u.example>
{at} postfix/bounce[6]: {id}: sender non-delivery notification: {notice}
{at} postfix/qmgr[8]: {notice}: from=<>, size=3000, nrcpt=1 (queue active)
{}{at} postfix/qmgr[8]: {notice}: removed\n",
            minute / 60,
            minute % 60,
            end(&at, &notice)
        )
    };
    in_order(&(night(Habit::default()) + &(61..120).step_by(2).map(bounced).collect::<String>()))
}

#[test]
fn notices_that_a_full_mailbox_did_not_take_did_not_come_back() {
    let into = |at: &str, id: &str, dsn: &str, status: &str| {
        format!(
            "{at} postfix/lmtp[7]: {id}: to=<suzuki@u.example>, relay=mx1[private/dovecot-lmtp], delay=0, delays=0/0/0/0, dsn={dsn}, status={status}\n"
        )
    };
    let full = "bounced (host mx1[private/dovecot-lmtp] said: 552 5.2.2 <suzuki@u.example> Quota exceeded (mailbox for user is full))";
    let handed_on = |at: &str, id: &str| {
        let next = format!(
            "{at} postfix/smtp[7]: {id}: to=<suzuki@u.example>, relay=box.u.example[192.0.2.30]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 8{id})\n"
        );
        let there = format!(
            "{at} postfix/smtpd[5]: 8{id}: client=mx1.u.example[192.0.2.25]
{at} postfix/cleanup[9]: 8{id}: message-id=<{}00.{id}@mx1.u.example>
{at} postfix/qmgr[8]: 8{id}: from=<>, size=3200, nrcpt=1 (queue active)
{}{at} postfix/qmgr[8]: 8{id}: removed\n",
            at[..16].replace(['-', 'T', ':'], ""),
            into(at, &format!("8{id}"), "5.2.2", full)
        );
        next + &there.replace(" mx1 postfix", " box postfix")
    };
    let note = "30 more could not be delivered to the account either, as where its mailbox is full".to_owned();
    assert_eq!(notices(&with_notices(|at, id| into(at, id, "2.0.0", "sent (250 2.0.0 Saved)"))), (30, String::new()));
    assert_eq!(notices(&with_notices(|at, id| into(at, id, "5.2.2", full))), (0, note.clone()));
    assert_eq!(notices(&with_notices(handed_on)), (0, note));
}

/// A server that took a message and cannot keep it returns it by a message of its own.
#[test]
fn notices_that_other_servers_made_are_told_and_their_number_is_not_nought() {
    let returned = |minute: u32| {
        let (at, id) = (stamp(6, minute), format!("76A{minute:04}C"));
        format!(
            "{at} postfix/smtpd[41]: connect from mx.x.example[192.0.2.9]
{at} postfix/smtpd[41]: {id}: client=mx.x.example[192.0.2.9]
{at} postfix/cleanup[9]: {id}: message-id=<{minute}@mx.x.example>
{at} postfix/qmgr[8]: {id}: from=<>, size=3000, nrcpt=1 (queue active)
{at} postfix/lmtp[7]: {id}: to=<suzuki@u.example>, relay=mx1[private/dovecot-lmtp], delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Saved)
{at} postfix/qmgr[8]: {id}: removed
"
        )
    };
    let log = in_order(&(night(Habit::default()) + &(62..120).step_by(2).map(returned).collect::<String>()));
    let report = told(&log, &[]);
    assert_eq!(figures(&report), truth());
    let notices = &report.only_incident()["returned_notices"];
    assert_eq!(notices["count"], Value::Null);
    assert!(notices["note"].as_str().unwrap().starts_with("29 more message(s) without a sender"), "{notices}");
}

/// Postfix names the user where a recipient is accepted; a login that did nothing is told by the counters of its session alone.
#[test]
fn a_login_from_the_attackers_address_that_names_nobody_is_told_where_it_comes_first() {
    let tried = |address: &str| {
        let at = stamp(6, 30);
        let session = format!(
            "{at} postfix/smtpd[41]: connect from unknown[{address}]
{at} postfix/smtpd[41]: disconnect from unknown[{address}] ehlo=1 auth=1 quit=1 commands=3
"
        );
        told(&in_order(&(night(Habit::default()) + &session)), &[])
    };
    let note = "1 login(s) from the attackers' addresses whose user no line names come before the first login";
    let of_the_attacker = tried(ATTACKER);
    assert_eq!(figures(&of_the_attacker), truth());
    assert!(of_the_attacker.only_incident()["notes"].to_string().contains(note));
    assert!(!tried("198.51.100.9").only_incident()["notes"].to_string().contains(note));
}

/// Postfix before 3.10 names the user in the reply alone.
#[test]
fn who_sends_under_anothers_name_is_the_user_of_the_reply_and_not_the_one_whose_name_it_is() {
    let mut log = night(Habit::default()).lines().filter(|line| !line.contains("T01:")).map(|line| format!("{line}\n")).collect::<String>();
    for minute in 60..120 {
        let at = stamp(6, minute);
        log += &format!(
            "{at} postfix/smtpd[40]: connect from unknown[{ATTACKER}]
{at} postfix/smtpd[40]: NOQUEUE: reject: RCPT from unknown[{ATTACKER}]: 553 5.7.1 <ono@u.example>: Sender address rejected: not owned by user suzuki; from=<ono@u.example> to=<victim{minute}@x.example> proto=ESMTP helo=<pc>
{at} postfix/smtpd[40]: disconnect from unknown[{ATTACKER}] ehlo=1 auth=1 mail=1 rcpt=0/1 quit=1 commands=4/5
"
        );
    }
    let (accounts, first_login, messages, _) = figures(&told(&log, &[]));
    assert_eq!((accounts, first_login, messages), (truth().0, truth().1, (60, 0, 60)));
}

/// A web server's mail proxy hands on whose connection it is (XCLIENT): its own address is in the line of the connection alone.
#[test]
fn behind_a_proxy_the_login_is_of_the_address_that_it_hands_on() {
    let through_proxy = |line: &str| match line.split_once("]: connect from unknown[") {
        Some((before, _)) => format!("{before}]: connect from proxy.u.example[192.0.2.5]\n"),
        None => format!("{line}\n").replace("sasl_method=PLAIN", "sasl_method=XCLIENT").replace(" auth=1", ""),
    };
    let log: String = night(Habit::default()).lines().map(through_proxy).collect();
    assert_eq!(figures(&told(&log, &[])), truth());
}

#[test]
fn recipients_that_no_line_names_make_lower_bounds_of_the_different_ones() {
    let mut log = night(Habit::default());
    for minute in 120..140 {
        let (at, id) = (stamp(6, minute), format!("C6A{minute:04}C"));
        log += &format!(
            "{at} postfix/smtpd[40]: connect from unknown[{ATTACKER}]
{at} postfix/smtpd[40]: {id}: client=unknown[{ATTACKER}], sasl_method=PLAIN, sasl_username=suzuki
{at} postfix/cleanup[9]: {id}: milter-reject: END-OF-MESSAGE from unknown[{ATTACKER}]: 5.7.1 Spam message rejected; from=<suzuki@u.example> to=<one{minute}@x.example> proto=ESMTP helo=<pc>
{at} postfix/smtpd[40]: disconnect from unknown[{ATTACKER}] ehlo=1 auth=1 mail=1 rcpt=50 data=0/1 quit=1 commands=54/55
"
        );
    }
    let report = told(&log, &[]);
    let incident = report.only_incident();
    assert_eq!(outcomes(&incident["recipients"]), (1_060, 30, 1_030));
    assert_eq!(number(&incident["recipients"]["distinct"]), 80);
    let own = incident["reasons"].as_array().unwrap().iter().find(|reason| reason["by"] == "own").unwrap();
    let lines: BTreeSet<&str> = compare::set(&own["evidence"]).into_iter().collect();
    assert_eq!(lines.len(), own["evidence"].as_array().unwrap().len(), "{own}");
    let bounds = incident["lower_bounds"].to_string();
    assert!(bounds.contains("recipients.distinct") && bounds.contains("No line names 980 of the recipients"), "{bounds}");
    assert_eq!(told(&night(Habit::default()), &[]).only_incident()["lower_bounds"].to_string().matches("distinct").count(), 0);
}

#[test]
fn who_held_a_message_names_one_of_its_recipients() {
    let lines: Vec<String> = night(Habit::default()).lines().map(str::to_owned).collect();
    let (mut log, mut held) = (String::new(), 0);
    for line in lines {
        let attackers = line.starts_with("2024-05-06");
        if attackers && line.contains("/cleanup[") {
            let id = line.split("]: ").nth(1).unwrap().split(':').next().unwrap();
            log += &format!(
                "{line}\n{} postfix/cleanup[9]: {id}: milter-hold: END-OF-MESSAGE from unknown[{ATTACKER}]: milter triggers HOLD action; from=<suzuki@u.example> to=<victim{held}@x.example> proto=ESMTP helo=<pc>\n",
                &line[..29]
            );
            held += 1;
        } else if !(attackers && (line.contains("/smtp[") || line.contains("/qmgr["))) {
            log += &format!("{line}\n");
        }
    }
    let report = told(&log, &[]);
    let incident = report.only_incident();
    assert_eq!((number(&incident["messages"]["held"]), number(&incident["recipients"]["distinct"])), (60, 60));
    let reason = &incident["reasons"][0];
    assert_eq!(reason["sample"], "milter triggers HOLD action", "{reason}");
}

#[test]
fn a_window_that_the_logs_do_not_reach_is_said_to_be_empty_for_that_reason() {
    let log = night(Habit::default());
    let outside = |since: &str| limitations(&told(&log, &["--since", since])).contains("the asked time window lies outside of that");
    assert!(outside("2024-05-07T00:00:00Z"));
    assert!(!outside("2024-05-06T01:30:00Z"));
}

/// One failure before the window and one in it, by the address that got in.
#[test]
fn failures_of_an_origin_are_those_of_the_time_that_is_asked_for() {
    let failed = |minute: u32| {
        format!(
            "{} postfix/smtpd[40]: warning: unknown[{ATTACKER}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=suzuki\n",
            stamp(6, minute)
        )
    };
    let log = failed(30) + &night(Habit::default()) + &failed(121);
    let failures = |options: &[&str]| {
        let report = told(&log, options);
        let origins = report.only_incident()["origins"].as_array().unwrap().clone();
        number(&origins.iter().find(|origin| origin["ip"] == ATTACKER).unwrap()["failures"])
    };
    assert_eq!((failures(&[]), failures(&["--since", "2024-05-06T01:10:00Z"])), (2, 1));
}

/// Postfix before 3.9 leaves the user out of a failed login: whom the attacker tried is not known, and none is not the answer.
#[test]
fn failures_without_a_name_from_the_attackers_address_leave_the_count_open() {
    let failed = |address: &str| {
        format!("{} postfix/smtpd[40]: warning: unknown[{address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6\n", stamp(6, 30))
    };
    let count = |address: &str| {
        let report = told(&(failed(address) + &night(Habit::default())), &[]);
        let prior = &report.only_incident()["prior_failed_logins"];
        (prior["account"]["count"].clone(), prior["origin"]["count"].clone())
    };
    assert_eq!(count(ATTACKER), (Value::Null, Value::Null));
    // A stranger's failures are on other accounts as well as not.
    assert_ne!(count("192.0.2.200").0, Value::Null);
}

/// A server that listens for both kinds of addresses at once writes those of the older kind as ones of the newer.
#[test]
fn an_address_is_one_origin_whichever_kind_it_is_written_as() {
    let plain = night(Habit::default());
    let at = stamp(5, 20 * 60);
    let login = |rip: &str| {
        format!("{at} dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip={rip}, lip=192.0.2.25, mpid=5, TLS, session=<q1>\n")
    };
    let told = |rip: &str| {
        let report = told(&in_order(&(plain.clone() + &login(rip))), &["--attacker-ip", ATTACKER]);
        let incident = report.only_incident();
        (
            incident["first_login"]["time"].to_string(),
            incident["first_login"]["ip"].to_string(),
            incident["origins"].as_array().unwrap().len(),
        )
    };
    let mapped = told(&format!("::ffff:{ATTACKER}"));
    assert_eq!(mapped, told(ATTACKER));
    assert_eq!((mapped.0.as_str(), mapped.1.as_str()), ("\"2024-05-06T05:00:00+09:00\"", "\"203.0.113.77\""));
}

/// The night with a filter before the queue (`smtpd_proxy_filter`): the attacker's session sees `NOQUEUE` alone, and what the filter takes
/// comes back in a session of its own, from the server itself.
#[test]
fn what_a_filter_before_the_queue_took_or_refused_is_of_the_client_that_handed_it_in() {
    for tail in ["", " sasl_username=<suzuki>"] {
        let owners: Vec<String> =
            night(Habit::default()).lines().filter(|line| !line.starts_with("2024-05-06")).map(|l| format!("{l}\n")).collect();
        let attack = (60..120).map(|minute| {
            let (at, id, good) = (stamp(6, minute), format!("36A{minute:04}C"), minute % 2 == 0);
            let envelope = format!("from=<suzuki@u.example> to=<victim{minute}@x.example> proto=ESMTP helo=<pc>{tail}");
            let outer = |text: &str| format!("{at} postfix/smtpd[106]: {text}\n");
            let (word, back) = if good {
                let inner = format!(
                    "{at} postfix/smtpd[50]: connect from localhost[127.0.0.1]
{at} postfix/smtpd[50]: {id}: client=localhost[127.0.0.1]
{at} postfix/cleanup[9]: {id}: message-id=<{id}@pc>
{at} postfix/qmgr[8]: {id}: from=<suzuki@u.example>, size=900, nrcpt=1 (queue active)
{at} postfix/smtpd[50]: disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n"
                );
                (format!("proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as {id}; {envelope}"), inner)
            } else {
                (format!("proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=00300-02 - spam; {envelope}"), String::new())
            };
            let counts = if good { "data=1 quit=1 commands=6" } else { "data=0/1 quit=1 commands=5/6" };
            let ends = if good {
                delivery(&at, &id, &format!("victim{minute}@x.example"), true) + &format!("{at} postfix/qmgr[8]: {id}: removed\n")
            } else {
                String::new()
            };
            outer(&format!("connect from unknown[{ATTACKER}]"))
                + &outer(&format!("NOQUEUE: client=unknown[{ATTACKER}], sasl_method=PLAIN, sasl_username=suzuki"))
                + &back
                + &outer(&word)
                + &outer(&format!("disconnect from unknown[{ATTACKER}] ehlo=1 auth=1 mail=1 rcpt=1 {counts}"))
                + &ends
        });
        let report = told(&(owners.concat() + &attack.collect::<String>()), &[]);
        assert_eq!(figures(&report), truth(), "{tail}");
        let incident = report.only_incident();
        let origins: Vec<&str> = incident["origins"].as_array().unwrap().iter().map(|o| o["ip"].as_str().unwrap()).collect();
        assert_eq!(origins, [ATTACKER, HOME]);
        assert_eq!(number(&incident["blocked_by"]["own"]), 30);
        assert!(!limitations(&report).contains("without any line that names the user"), "{}", limitations(&report));
    }
}

/// The attacker tried the password twice from neighbours of his address, by IMAP, before the night; somebody else lives there too.
#[test]
fn logins_from_the_attackers_network_before_the_night_are_the_attackers_or_are_told() {
    let login = |day: u32, minute: u32, address: &str| {
        let at = stamp(day, minute);
        format!(
            "{at} dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip={address}, lip=192.0.2.25, mpid=5, TLS, session=<n{day}{minute}>\n"
        )
    };
    let before = [login(3, 1_380, "203.0.113.200"), login(5, 1_380, "203.0.113.78")].concat();
    let report = told(&in_order(&(night(Habit::default()) + &before)), &[]);
    let incident = report.only_incident();
    assert_eq!(incident["first_login"]["time"], "2024-05-04T08:00:00+09:00");
    assert_eq!((number(&incident["mailbox_access"]["sessions"]), outcomes(&incident["messages"])), (2, truth().2));
    // From where the account is used on three days, its owner lives; from where on two, at the beginning, is open, and is told.
    let often: String = (2..5).map(|day| login(day, 1_380, "203.0.113.200")).collect();
    let report = told(&in_order(&(night(Habit::default()) + &often)), &[]);
    assert_eq!(figures(&report), truth());
    let rarely = [login(1, 1_380, "203.0.113.200"), login(2, 1_380, "203.0.113.200")].concat();
    let report = told(&in_order(&(night(Habit::default()) + &rarely)), &[]);
    assert_eq!(figures(&report), truth());
    let incident = report.only_incident();
    let origins = incident["origins"].as_array().unwrap();
    let neighbour = origins.iter().find(|origin| origin["ip"] == "203.0.113.200").unwrap();
    assert_eq!(neighbour["verdict"], "undetermined");
    assert!(incident["notes"].to_string().contains("these accounts were used from 203.0.113.200"), "{}", incident["notes"]);
}

#[test]
fn messages_that_the_attacker_deleted_are_told() {
    let at = |minute| stamp(6, minute);
    let session = format!(
        "{} dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip={ATTACKER}, lip=192.0.2.25, mpid=5, TLS, session=<gone>
{} dovecot: imap(suzuki)<5><gone>: Disconnected: Logged out in=320 out=781 deleted=20 expunged=20 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0
",
        at(130),
        at(131)
    );
    let report = told(&in_order(&(night(Habit::default()) + &session)), &[]);
    assert!(report.only_incident()["mailbox_access"]["note"].as_str().unwrap().contains("20 message(s) were deleted"));
}

#[test]
fn what_the_analyst_named_and_nobody_saw_is_said() {
    let log = night(Habit::default());
    let seen = limitations(&told(&log, &["--attacker-ip", ATTACKER]));
    assert!(!seen.contains("given as the attackers'"), "{seen}");
    let unseen = limitations(&told(&log, &["--attacker-ip", "203.0.113.99"]));
    assert!(unseen.contains("Nothing in evidence came from 203.0.113.99/32"), "{unseen}");
}

/// A relay's log alone, by the short name of its host: whose mail it is shows by the account that is asked for.
#[test]
fn a_relay_with_a_short_name_knows_whose_it_is_by_the_account_that_is_asked_for() {
    let relayed: String = (10..40)
        .map(|minute| {
            let (at, id) = (format!("2024-05-06T01:{minute}:00+00:00 relay1"), format!("C6A00{minute}C"));
            format!(
                "{at} postfix/smtpd[41]: connect from mx1.u.example[198.51.100.25]
{at} postfix/smtpd[41]: {id}: client=mx1.u.example[198.51.100.25]
{at} postfix/cleanup[9]: {id}: message-id=<{minute}@pc>
{at} postfix/qmgr[8]: {id}: from=<suzuki@u.example>, size=3000, nrcpt=1 (queue active)
{}{at} postfix/qmgr[8]: {id}: removed
",
                delivery(&at, &id, &format!("v{minute}@x.example"), true)
            )
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mail.log"), relayed).unwrap();
    let report = analyze(&[folder.path()], &["--account", "suzuki@u.example"]);
    assert_eq!(outcomes(&report.only_incident()["messages"]), (30, 30, 0));
    let other = limitations(&analyze(&[folder.path()], &["--account", "suzuki@v.example"]));
    assert!(other.contains("No line names the account suzuki@v.example"), "{other}");
}
