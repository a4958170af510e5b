//! What a webmail program does for its users: it logs in to their mailboxes and hands their mail in, from the address of its own server.
//! Its own log knows whose browser that was.
//!
//! Where such a log is in evidence, the program's logins at the mail server are no logins of their own, and what came by them is the
//! browser's. The program's address is a loopback one, or one that logs in when the web sessions begin.

use super::links::is_loopback;
use super::own::is_internal_address;
use crate::domain::rows::{Login, LoginResult, Protocol, Rows};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, HOUR, SECOND, Timestamp};
use hashbrown::{HashMap, HashSet};

/// How far apart the program's log and the mail server's stamp one login, which the program notes when the server has answered.
const SAME_LOGIN: i64 = 5 * SECOND;

/// How long a web session lasts at most; browsers that are left open keep it alive.
const SESSION_MAX: i64 = DAY;

/// Two people's web sessions that began this close to each other may both have been on.
const BOTH_ON: i64 = 12 * HOUR;

/// Web sessions that must begin with a login from an address before it is taken for the program's, and how many accounts' if the address is
/// not an internal one.
const BEGUN_MIN: usize = 2;
const ACCOUNTS_MIN: usize = 2;

/// Gives what came through webmail to the addresses of the browsers.
pub(super) fn settle(rows: &mut Rows) {
    // Other web logins, seen by requests or told by an identity provider, are of no program that logs in elsewhere.
    let web =
        |login: &&Login| login.protocol == Protocol::Webmail && login.session.is_some() && login.provider.is_none() && !login.inferred;
    let Some(sessions) = Sessions::of(rows.logins.iter().filter(web)) else { return };
    let program = sessions.program(&rows.logins, &rows.texts);
    let is_programs = |texts: &TextPool, address: Option<Text>| {
        address.is_some_and(|address| program.contains(&address) || is_loopback(texts.bytes(address)))
    };
    let texts = &rows.texts;
    rows.logins.retain(|login| {
        let through = is_by_program(login.protocol) && is_programs(texts, login.address);
        let is_its = through && login.account.is_some_and(|account| sessions.tells_of(account, login));
        if is_its && login.protocol == Protocol::SmtpAuth {
            let (first, last) = rows.web_sending.unwrap_or((login.at, login.at));
            rows.web_sending = Some((first.min(login.at), last.max(login.at)));
        }
        !is_its
    });
    for used in rows.mailbox_uses.iter_mut().filter(|used| is_by_program(used.protocol) && is_programs(texts, used.address)) {
        let session = used.account.and_then(|account| sessions.latest(account, used.at));
        used.address = session.map(|session| session.address).or(used.address);
    }
    for message in rows.messages.iter_mut().filter(|m| m.protocol == Protocol::SmtpAuth && is_programs(texts, m.address)) {
        let Some(session) = message.account.and_then(|account| sessions.latest(account, message.submitted)) else { continue };
        (message.address, message.client, message.protocol) = (Some(session.address), None, Protocol::Webmail);
        rows.doubtful_web_messages += u64::from(session.beside_another);
    }
}

/// Whether a webmail program uses a protocol for its users.
fn is_by_program(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Imap | Protocol::Pop3 | Protocol::SmtpAuth)
}

/// The beginning of a web session.
#[derive(Clone, Copy)]
struct Session {
    at: Timestamp,
    address: Text,
    /// One of another address began shortly before.
    beside_another: bool,
}

/// The web sessions of each account, and its failed logins, in the order of time.
struct Sessions {
    begun: HashMap<Text, Vec<Session>>,
    failed: HashMap<Text, Vec<Timestamp>>,
}

impl Sessions {
    /// `None` where no web session is in evidence; `logins` are in the order of time.
    fn of<'r>(logins: impl Iterator<Item = &'r Login>) -> Option<Sessions> {
        let mut sessions = Sessions { begun: HashMap::new(), failed: HashMap::new() };
        for login in logins {
            let (Some(account), Some(address)) = (login.account, login.address) else { continue };
            if login.result == LoginResult::Success {
                let known = sessions.begun.entry(account).or_default();
                let recent = known.iter().rev().take_while(|session| login.at.since(session.at) <= BOTH_ON);
                let beside_another = recent.into_iter().any(|session| session.address != address);
                known.push(Session { at: login.at, address, beside_another });
            } else {
                sessions.failed.entry(account).or_default().push(login.at);
            }
        }
        (!sessions.begun.is_empty()).then_some(sessions)
    }

    /// The session that began last before an instant, if it may still be on.
    fn latest(&self, account: Text, at: Timestamp) -> Option<Session> {
        let begun = self.begun.get(&account)?;
        let after = begun.partition_point(|session| session.at <= at.plus(SAME_LOGIN));
        begun.get(after.checked_sub(1)?).copied().filter(|session| at.since(session.at) <= SESSION_MAX)
    }

    /// Whether a login of the program is one that it made for a user whom its own log tells of.
    fn tells_of(&self, account: Text, login: &Login) -> bool {
        match login.result {
            LoginResult::Success => self.latest(account, login.at).is_some(),
            _ => self.failed.get(&account).into_iter().flatten().any(|at| at.since(login.at).abs() <= SAME_LOGIN),
        }
    }

    /// The addresses, but for loopback ones, from which the program logs in: it does when a web session begins.
    fn program(&self, logins: &[Login], texts: &TextPool) -> HashSet<Text> {
        let mut begun_from: HashMap<Text, (usize, HashSet<Text>)> = HashMap::new();
        for login in logins.iter().filter(|login| is_by_program(login.protocol) && login.result == LoginResult::Success) {
            let (Some(account), Some(address)) = (login.account, login.address) else { continue };
            let session = self.latest(account, login.at);
            let begins = session.is_some_and(|s| s.address != address && login.at.since(s.at).abs() <= SAME_LOGIN);
            if begins {
                let (count, accounts) = begun_from.entry(address).or_default();
                *count += 1;
                accounts.insert(account);
            }
        }
        let all: usize = self.begun.values().map(Vec::len).sum();
        let is_program = |(address, (count, accounts)): (Text, (usize, HashSet<Text>))| {
            let known = is_internal_address(texts.bytes(address)) || accounts.len() >= ACCOUNTS_MIN;
            (known && count >= BEGUN_MIN && count * 2 >= all).then_some(address)
        };
        begun_from.into_iter().filter_map(is_program).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;
    use crate::domain::rows::Rows;

    const HOME: &str = "198.51.100.7";
    const ATTACKER: &str = "203.0.113.77";

    /// A web login, what the program does at the mail server (from `server`), and one message.
    fn visit(at: &str, address: &str, server: &str) -> [String; 2] {
        let web = format!("[31-Oct-2022 {at}:02 +0000]: <a1b2> Successful login for suzuki (ID: 7) from {address} in session a1b2{at}\n");
        let id = format!("1A2B3C4D{}", at.replace(':', ""));
        let mail = format!(
            "Oct 31 {at}:01 mail dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip={server}, lip=192.0.2.25, mpid=5, session=<{id}>
Oct 31 {at}:30 mail postfix/smtpd[7]: connect from web.u.example[{server}]
Oct 31 {at}:30 mail postfix/smtpd[7]: {id}: client=web.u.example[{server}], sasl_method=LOGIN, sasl_username=suzuki
Oct 31 {at}:30 mail postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 {at}:31 mail postfix/smtp[5]: {id}: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
Oct 31 {at}:31 mail postfix/smtpd[7]: disconnect from web.u.example[{server}] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
Oct 31 {at}:40 mail dovecot: imap(suzuki)<5><{id}>: Disconnected: Logged out in=32 out=781 deleted=0 expunged=0 body_count=3 body_bytes=700
"
        );
        [web, mail]
    }

    fn rows(visits: &[[String; 2]]) -> Rows {
        let of = |file: usize| visits.iter().map(|visit| visit[file].as_str()).collect::<String>();
        rows_of_files(&[&of(0), &of(1)])
    }

    /// Logins and messages as `protocol address`, in the order of time.
    fn told(rows: &Rows) -> (Vec<String>, Vec<String>) {
        let show = |address: Option<_>| address.map_or("-".to_owned(), |a| rows.show(a));
        let logins = rows.logins.iter().map(|l| format!("{} {}", l.protocol.as_str(), show(l.address))).collect();
        (logins, rows.messages.iter().map(|m| format!("{} {}", m.protocol.as_str(), show(m.address))).collect())
    }

    #[test]
    fn what_comes_through_webmail_is_of_the_browser_and_one_login() {
        let truth: (Vec<String>, Vec<String>) = {
            let of = |address: &str| format!("webmail {address}");
            ([of(HOME), of(ATTACKER), of(HOME)].into(), [of(HOME), of(ATTACKER), of(HOME)].into())
        };
        for server in ["127.0.0.1", "::1", "10.0.0.5"] {
            let rows = rows(&[visit("09:00", HOME, server), visit("16:01", ATTACKER, server), visit("17:00", HOME, server)]);
            assert_eq!(told(&rows), truth, "{server}");
            let read_from: Vec<String> = rows.mailbox_uses.iter().filter_map(|used| Some(rows.show(used.address?))).collect();
            assert_eq!(read_from, [HOME, ATTACKER, HOME]);
            // The attacker's and the owner's sessions lie an hour apart.
            assert_eq!(rows.doubtful_web_messages, 2);
        }
    }

    #[test]
    fn without_the_programs_log_nothing_is_moved_and_others_use_the_mail_server_as_before() {
        let [_, mail] = visit("16:01", ATTACKER, "127.0.0.1");
        let rows_without = rows_of_files(&[&mail]);
        assert_eq!(told(&rows_without).1, ["smtp-auth 127.0.0.1"]);
        // A session on a telephone beside the one in the browser, and one on the day after.
        let direct = visit("16:30", "", "198.51.100.200")[1].clone();
        let with_web = rows(&[visit("16:01", ATTACKER, "127.0.0.1"), [String::new(), direct]]);
        assert_eq!(told(&with_web).1, [format!("webmail {ATTACKER}"), "smtp-auth 198.51.100.200".to_owned()]);
    }

    #[test]
    fn a_wrong_password_given_in_the_browser_failed_once() {
        let web = format!("[31-Oct-2022 16:00:02 +0000]: <a1b2> Failed login for suzuki from {ATTACKER} in session a1b2 (error: 0)\n");
        let mail = "Oct 31 16:00:01 mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<suzuki>, method=PLAIN, rip=127.0.0.1, lip=127.0.0.1, secured, session=<f>\n";
        let rows = rows(&[[web, mail.to_owned()], visit("16:01", ATTACKER, "127.0.0.1")]);
        assert_eq!(told(&rows).0, [format!("webmail {ATTACKER}"), format!("webmail {ATTACKER}")]);
    }
}
