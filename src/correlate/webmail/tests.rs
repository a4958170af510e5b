//! What people did at the webmail, and what the mail system's and the program's logs say of it.

use crate::correlate::testing::{rows_by_domain, rows_of_files};
use crate::domain::rows::{Attribution, LoginResult, Rows};

const HOME: &str = "198.51.100.7";
const ATTACKER: &str = "203.0.113.77";
const LOCAL: &str = "127.0.0.1";

/// Roundcube's line about a try to log in: `16:01:02 in 203.0.113.77`, or `failed`.
fn web(lines: &[&str]) -> String {
    let line = |line: &&str| {
        let [time, result, address] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (told, end) = if result == "in" { ("Successful", " (ID: 5)") } else { ("Failed", "") };
        format!("[31-Oct-2022 {time} +0000]: <a1b2> {told} login for suzuki{end} from {address} in session a1b2{time}\n")
    };
    lines.iter().map(line).collect()
}

/// Roundcube's line about a message of [`message`].
fn sent(time: &str, address: &str) -> String {
    let id = queue_id(time);
    format!(
        "[31-Oct-2022 {time} +0000]: <a1b2> User suzuki [{address}]; Message <{id}@u.example> for a@x.test; 250: 2.0.0 Ok: queued as {id}\n"
    )
}

fn queue_id(time: &str) -> String {
    format!("1A2B{}E", time.replace(':', ""))
}

/// A login at the mailbox server.
fn imap(time: &str, address: &str) -> String {
    format!(
        "Oct 31 {time} mail dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip={address}, lip=192.0.2.25, mpid=5, session=<{time}>\n"
    )
}

/// A message handed in over a session that authenticated.
fn message(time: &str, address: &str) -> String {
    let (id, client) = (queue_id(time), format!("web.u.example[{address}]"));
    format!(
        "Oct 31 {time} mail postfix/smtpd[7]: connect from {client}
Oct 31 {time} mail postfix/smtpd[7]: {id}: client={client}, sasl_method=LOGIN, sasl_username=suzuki
Oct 31 {time} mail postfix/cleanup[8]: {id}: message-id=<{id}@u.example>
Oct 31 {time} mail postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 {time} mail postfix/smtpd[7]: disconnect from {client} ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
Oct 31 {time} mail postfix/smtp[5]: {id}: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
Oct 31 {time} mail postfix/qmgr[9]: {id}: removed
"
    )
}

/// The same by a client that the server lets send without a login.
fn unnamed(message: &str) -> String {
    message.replace(", sasl_method=LOGIN, sasl_username=suzuki", "").replace(" auth=1", "")
}

fn logged_out(time: &str, login: &str) -> String {
    format!("Oct 31 {time} mail dovecot: imap(suzuki)<5><{login}>: Disconnected: Logged out in=32 out=781 body_count=3 body_bytes=700\n")
}

/// A web login, what the program does at the mail server (from `server`), and one message.
fn visit(hour: &str, address: &str, server: &str) -> [String; 2] {
    let at = |end: &str| format!("{hour}:{end}");
    let mail = [imap(&at("01"), server), message(&at("30"), server), logged_out(&at("40"), &at("01"))].concat();
    [web(&[&format!("{} in {address}", at("02"))]), mail]
}

fn rows(visits: &[[String; 2]]) -> Rows {
    let of = |file: usize| visits.iter().map(|visit| visit[file].as_str()).collect::<String>();
    rows_of_files(&[&of(0), &of(1)])
}

/// Logins, those that failed with a mark, and messages, both as `protocol address` in the order of time.
fn told(rows: &Rows) -> (Vec<String>, Vec<String>) {
    let show = |address: Option<_>| address.map_or("-".to_owned(), |a| rows.show(a));
    let mark = |result| if result == LoginResult::Success { "" } else { "failed " };
    let logins = rows.logins.iter().map(|l| format!("{}{} {}", mark(l.result), l.protocol.as_str(), show(l.address))).collect();
    (logins, rows.messages.iter().map(|m| format!("{} {}", m.protocol.as_str(), show(m.address))).collect())
}

fn webmail(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|address| format!("webmail {address}")).collect()
}

#[test]
fn what_comes_through_webmail_is_of_the_browser_and_one_login() {
    let truth = webmail(&[HOME, ATTACKER, HOME]);
    for server in [LOCAL, "::1", "10.0.0.5"] {
        let rows = rows(&[visit("09:00", HOME, server), visit("16:01", ATTACKER, server), visit("17:00", HOME, server)]);
        assert_eq!(told(&rows), (truth.clone(), truth.clone()), "{server}");
        let read_from: Vec<String> = rows.mailbox_uses.iter().filter_map(|used| Some(rows.show(used.address?))).collect();
        assert_eq!(read_from, [HOME, ATTACKER, HOME]);
        // The attacker's and the owner's sessions lie an hour apart.
        assert_eq!(rows.doubtful_web_messages, 2);
        // Logins for sending were recorded, though none of them counts beside those at the webmail.
        assert!(rows.web_sending.is_some());
    }
}

#[test]
fn without_the_programs_log_nothing_is_moved_and_others_use_the_mail_server_as_before() {
    let [_, mail] = visit("16:01", ATTACKER, LOCAL);
    assert_eq!(told(&rows_of_files(&[&mail])).1, ["smtp-auth 127.0.0.1"]);
    // A session on a telephone beside the one in the browser.
    let direct = visit("16:30", "", "198.51.100.200")[1].clone();
    let with_web = rows(&[visit("16:01", ATTACKER, LOCAL), [String::new(), direct]]);
    assert_eq!(told(&with_web).1, [format!("webmail {ATTACKER}"), "smtp-auth 198.51.100.200".to_owned()]);
}

#[test]
fn a_wrong_password_given_in_the_browser_failed_once_and_other_failures_count() {
    let failed = |time: &str| {
        format!(
            "Oct 31 {time} mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<suzuki>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, secured, session=<{time}>\n"
        )
    };
    let tries = web(&[&format!("16:00:02 failed {ATTACKER}"), &format!("16:00:04 failed {ATTACKER}")]);
    let mail = ["12:00:00", "16:00:01", "16:00:03"].map(failed).concat();
    let rows = rows(&[[tries, mail], visit("16:01", ATTACKER, LOCAL)]);
    let at_the_webmail = format!("failed webmail {ATTACKER}");
    let truth = ["failed imap 127.0.0.1", &at_the_webmail, &at_the_webmail, &format!("webmail {ATTACKER}")];
    assert_eq!(told(&rows).0, truth);
}

/// The owner logs in at 16:00 and writes at 16:05, when the attacker has been there for four minutes, who writes at 16:09.
#[test]
fn the_programs_own_word_of_who_sent_a_message_decides() {
    let mail: String =
        [("16:00:01", "16:05:00"), ("16:01:03", "16:09:00")].map(|(login, send)| imap(login, LOCAL) + &message(send, LOCAL)).concat();
    let web = web(&[&format!("16:00:00 in {HOME}"), &format!("16:01:02 in {ATTACKER}")]);
    let truth = webmail(&[HOME, ATTACKER]);
    let rows = rows_of_files(&[&mail, &web, &(sent("16:05:00", HOME) + &sent("16:09:00", ATTACKER))]);
    assert_eq!((told(&rows), rows.doubtful_web_messages), ((truth.clone(), truth.clone()), 0));
    // Without the line about the attacker's message there is the guess, and a doubt.
    let rows = rows_of_files(&[&mail, &web, &sent("16:05:00", HOME)]);
    assert_eq!((told(&rows), rows.doubtful_web_messages), ((truth.clone(), truth), 1));
    // Of another message with one of its ids nothing is said.
    let another = sent("16:05:00", HOME).replace("31-Oct", "29-Oct").replace("queued as 1A2B", "queued as 1B2B");
    assert_eq!(told(&rows_of_files(&[&mail, &web, &another])).1, webmail(&[ATTACKER, ATTACKER]));
}

#[test]
fn where_only_the_log_of_messages_is_there_who_sends_had_logged_in_once_in_a_stretch() {
    let times = ["16:05:00", "16:10:00", "18:00:00"];
    let log = times.map(|time| sent(time, ATTACKER)).concat();
    let mail = times.map(|time| message(time, LOCAL)).concat() + &message("17:00:00", HOME);
    let truth = {
        let direct = format!("smtp-auth {HOME}");
        let [one, two, three] = [webmail(&[ATTACKER]), webmail(&[ATTACKER]), webmail(&[ATTACKER])].map(|mut w| w.remove(0));
        (vec![one.clone(), direct.clone(), one], vec![two.clone(), two, direct, three])
    };
    let rows = rows_of_files(&[&mail, &log]);
    assert_eq!(told(&rows), truth);
    assert!(rows.logins.iter().all(|login| login.inferred == (login.session.is_none() && rows.show(login.address.unwrap()) == ATTACKER)));
    assert!(rows.web_sending.is_some());
}

#[test]
fn a_message_that_nobody_authenticated_for_is_of_the_user_whom_the_program_names_whatever_its_sender() {
    let mail = unnamed(&message("16:05:00", "10.0.0.5")).replace("from=<suzuki@u.example>", "from=<bank@z.test>");
    let whose = |rows: &Rows| rows.messages[0].account.map(|account| rows.show(account));
    let rows = rows_of_files(&[&mail, &sent("16:05:00", ATTACKER)]);
    assert_eq!((told(&rows), whose(&rows)), ((webmail(&[ATTACKER]), webmail(&[ATTACKER])), Some("suzuki@u.example".to_owned())));
    assert_eq!(rows.messages[0].attribution, Attribution::Named);
    assert_eq!(whose(&rows_of_files(&[&mail])), None);
}

#[test]
fn a_message_that_a_host_without_a_log_handed_on_is_found_by_its_message_id_if_it_is_the_only_one() {
    let mail = message("16:05:02", "10.0.0.5");
    let id = queue_id("16:05:02");
    let log = sent("16:05:02", ATTACKER).replace(&format!("queued as {id}"), "queued as 9F9F9F9F9F");
    assert_eq!(told(&rows_of_files(&[&mail, &log])).1, webmail(&[ATTACKER]));
    let twice = mail.clone() + &message("16:07:00", "10.0.0.5").replace(&format!("<{}@", queue_id("16:07:00")), &format!("<{id}@"));
    assert_eq!(told(&rows_of_files(&[&twice, &log])).1, ["smtp-auth 10.0.0.5", "smtp-auth 10.0.0.5"]);
}

#[test]
fn a_program_that_fetches_the_mail_is_no_web_session_and_what_is_sent_meanwhile_is() {
    // Every half hour all day, and the webmail's log begins two days before.
    let fetched: Vec<String> = (0..24).flat_map(|hour| [format!("{hour:02}:10:00"), format!("{hour:02}:40:00")]).collect();
    let mail: String =
        fetched.iter().map(|time| imap(time, LOCAL)).collect::<String>() + &imap("20:01:03", LOCAL) + &message("20:50:00", LOCAL);
    let earlier = web(&["02:00:00 in 192.0.2.50"]).replace("31-Oct", "29-Oct").replace("suzuki", "tanaka");
    let (logins, messages) = told(&rows_of_files(&[&mail, &(web(&[&format!("20:01:02 in {ATTACKER}")]) + &earlier)]));
    assert_eq!(messages, webmail(&[ATTACKER]));
    // Only those within an hour of the web login cannot be told from it.
    assert_eq!((logins.iter().filter(|login| *login == "imap 127.0.0.1").count(), logins.len()), (46, 48), "{logins:?}");
}

#[test]
fn a_web_session_is_over_after_twelve_hours_and_a_page_left_open_is_not() {
    let begun = web(&[&format!("06:00:00 in {HOME}")]);
    let mail = |asked_at: &[String]| {
        let asked: String = asked_at.iter().map(|time| imap(time, LOCAL)).collect();
        asked + &message("17:00:00", LOCAL) + &message("22:00:00", LOCAL)
    };
    let silent = rows_of_files(&[&begun, &mail(&[])]);
    assert_eq!(told(&silent).1, [format!("webmail {HOME}"), "smtp-auth 127.0.0.1".to_owned()]);
    let hours: Vec<String> = (6..22).flat_map(|hour| [format!("{hour:02}:00:01"), format!("{hour:02}:30:01")]).collect();
    assert_eq!(told(&rows_of_files(&[&begun, &mail(&hours)])), (webmail(&[HOME]), webmail(&[HOME, HOME])));
}

#[test]
fn a_web_server_elsewhere_is_known_by_its_logins_and_the_mail_servers_own_programs_stay_what_they_are() {
    let own = [String::new(), message("18:00:00", LOCAL)];
    let rows = rows(&[visit("15:00", HOME, "10.0.0.5"), visit("16:01", ATTACKER, "10.0.0.5"), own]);
    assert_eq!(told(&rows).1, [format!("webmail {HOME}"), format!("webmail {ATTACKER}"), "smtp-auth 127.0.0.1".to_owned()]);
}

#[test]
fn the_owners_computer_that_fetches_mail_in_the_same_second_is_no_web_server() {
    let fetched = ["09:00:00", "12:00:00", "16:01:02"].map(|time| imap(time, "10.1.2.3")).concat() + &message("16:20:00", "10.1.2.3");
    let rows = rows(&[visit("16:01", ATTACKER, LOCAL), [String::new(), fetched]]);
    let (logins, messages) = told(&rows);
    assert_eq!(messages, [format!("webmail {ATTACKER}"), "smtp-auth 10.1.2.3".to_owned()]);
    assert_eq!(logins.iter().filter(|login| login.ends_with("10.1.2.3")).count(), 4, "{logins:?}");
}

/// `UNIV\suzuki` in the browser is `suzuki@u.example` at the mail server.
#[test]
fn a_user_with_two_names_logs_in_once_and_is_one_account_where_the_logs_show_that() {
    let spelled = |domain: Option<&str>, others: &str| {
        let [web, mail] = visit("16:01", ATTACKER, LOCAL);
        let (web, mail) = (web.replace("for suzuki", "for UNIV\\suzuki"), mail.replace("=suzuki\n", "=suzuki@u.example\n"));
        let rows = rows_by_domain(domain, &[&web, &mail.replace("<suzuki>", "<suzuki@u.example>"), others]);
        let accounts: Vec<String> =
            rows.logins.iter().map(|l| l.account).chain(rows.messages.iter().map(|m| m.account)).flatten().map(|a| rows.show(a)).collect();
        (told(&rows).0, accounts, rows.spellings.iter().map(|(a, b)| format!("{} {}", rows.show(*a), rows.show(*b))).collect::<Vec<_>>())
    };
    for domain in [Some("u.example"), None] {
        let (logins, accounts, spellings) = spelled(domain, "");
        assert_eq!((logins, accounts), (webmail(&[ATTACKER]), vec!["suzuki@u.example".to_owned(); 2]), "{domain:?}");
        assert!(spellings.contains(&"UNIV\\suzuki suzuki@u.example".to_owned()), "{spellings:?}");
    }
    // There is a namesake in another domain: nothing is guessed.
    let namesake = imap("18:00:00", "192.0.2.60").replace("<suzuki>", "<suzuki@v.example>");
    assert_eq!(spelled(None, &namesake).1, ["suzuki@u.example", "suzuki", "suzuki@u.example", "suzuki@v.example", "suzuki@u.example"]);
}
