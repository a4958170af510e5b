//! A session of a mailbox server that is told twice: by two logs of one server (its own file and syslog), or by a proxy and the server
//! behind it. Both name it by one id, so it is one login and one use of the mailbox.

use super::own::is_internal_address;
use crate::domain::place::Place;
use crate::domain::rows::{Login, LoginResult, MailboxUse, Protocol};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::hash::Hash;

/// How far apart two hosts may stamp the lines of one session. The ids themselves hold a time and do not come again.
const SAME_SESSION: i64 = HOUR;

/// What the end of a mailbox session tells: bytes, messages read and messages deleted.
type Figures = (u64, Option<u64>, u64);

/// The mechanism that Postfix logs for a user named to it by `XCLIENT LOGIN=`: a proxy in front of it saw the password
/// (`xclient_cmd` in its `smtpd.c`).
const NAMED_BY_PROXY: &[u8] = b"XCLIENT";

/// What was told within the last [`SAME_SESSION`], so that it takes no memory for all of the evidence.
struct Recent<K> {
    known: HashMap<K, usize>,
    order: VecDeque<(Timestamp, K)>,
}

impl<K: Hash + Eq + Copy> Recent<K> {
    fn new() -> Recent<K> {
        Recent { known: HashMap::new(), order: VecDeque::new() }
    }

    /// What is known of this key, of late.
    fn find(&mut self, key: K, now: Timestamp) -> Option<usize> {
        while let Some((_, old)) = self.order.pop_front_if(|(at, _)| now.since(*at) > SAME_SESSION) {
            self.known.remove(&old);
        }
        self.known.get(&key).copied()
    }

    fn note(&mut self, key: K, number: usize, at: Timestamp) {
        if self.known.insert(key, number).is_none() {
            self.order.push_back((at, key));
        }
    }
}

/// Leaves one login of each session, the one that knows the client best; `logins` are in the order of time. `passed_on` has the lines
/// of proxies: a server behind one may take the proxy for the client.
pub(super) fn join_logins(logins: &mut Vec<Login>, passed_on: &HashSet<Place>, texts: &TextPool) {
    let mut recent: Recent<(Text, Protocol, LoginResult)> = Recent::new();
    let mut doubled = Vec::new();
    for number in 0..logins.len() {
        let login = &logins[number];
        let Some(session) = login.session.filter(|_| is_of_a_connection(login)) else { continue };
        let key = (session, login.protocol, login.result);
        match recent.find(key, login.at).filter(|known| is_told_twice(&logins[*known], login)) {
            Some(known) => {
                let worth = |login: &Login| worth(login, passed_on, texts);
                let (best, rest) = if worth(login) > worth(&logins[known]) { (number, known) } else { (known, number) };
                let (times, account) = (logins[best].times.max(logins[rest].times), logins[best].account.or(logins[rest].account));
                (logins[best].times, logins[best].account) = (times, account);
                recent.note(key, best, logins[best].at);
                doubled.push(rest);
            }
            None => recent.note(key, number, login.at),
        }
    }
    drop_places(logins, doubled);
}

/// Leaves one use of each mailbox session; `uses` are in the order of time.
pub(super) fn join_uses(uses: &mut Vec<MailboxUse>) {
    let mut recent: Recent<(Text, Protocol, Option<Text>, Figures)> = Recent::new();
    let mut doubled = Vec::new();
    for (number, used) in uses.iter().enumerate() {
        let Some(session) = used.session.filter(|_| is_mailbox_protocol(used.protocol)) else { continue };
        let key = (session, used.protocol, used.account, (used.bytes_out, used.items, used.deleted));
        match recent.find(key, used.at).and_then(|known| uses.get(known)) {
            Some(known) if known.place.source != used.place.source => doubled.push(number),
            Some(_) => {}
            None => recent.note(key, number, used.at),
        }
    }
    drop_places(uses, doubled);
}

/// Takes out the logins that a submission proxy, such as Dovecot's, named to the SMTP server behind it and told of itself; `logins` are in
/// the order of time.
pub(super) fn drop_handed_on(logins: &mut Vec<Login>, texts: &TextPool) {
    let mut latest: HashMap<(Option<Text>, Option<Text>), Timestamp> = HashMap::new();
    logins.retain(|login| {
        if login.protocol != Protocol::SmtpAuth || login.result != LoginResult::Success {
            return true;
        }
        let key = (login.account, login.address);
        if login.session.is_some() && login.provider.is_none() {
            latest.insert(key, login.at);
        }
        let by_proxy = login.mechanism.is_some_and(|by| texts.bytes(by) == NAMED_BY_PROXY);
        !(by_proxy && latest.get(&key).is_some_and(|told| login.at.since(*told) <= SAME_SESSION))
    });
}

fn drop_places<T>(rows: &mut Vec<T>, mut doubled: Vec<usize>) {
    doubled.sort_unstable();
    let mut number = 0;
    rows.retain(|_| {
        number += 1;
        doubled.binary_search(&(number - 1)).is_err()
    });
}

/// Protocols of servers that give each connection an id of its own.
fn is_mailbox_protocol(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Imap | Protocol::Pop3 | Protocol::Sieve | Protocol::SmtpAuth)
}

/// Whether the login's session id is that of one connection. An identity provider's, or a webmail's, may stand for many logins.
fn is_of_a_connection(login: &Login) -> bool {
    is_mailbox_protocol(login.protocol) && login.provider.is_none()
}

/// Whether two lines with one session id tell of one login: a connection logs in once, but may fail more than once in one log.
fn is_told_twice(known: &Login, login: &Login) -> bool {
    let one_account = known.account == login.account || known.account.is_none() || login.account.is_none();
    let elsewhere = (known.host, known.place.source) != (login.host, login.place.source);
    one_account && (login.result == LoginResult::Success || elsewhere)
}

/// How much a line knows of its client: the proxy's, one with an address of the world outside, one that names its host, the first.
fn worth(login: &Login, passed_on: &HashSet<Place>, texts: &TextPool) -> (bool, bool, bool, Reverse<(Timestamp, Place)>) {
    let outside = login.address.is_some_and(|address| !is_internal_address(texts.bytes(address)));
    (passed_on.contains(&login.place), outside, !texts.bytes(login.host).is_empty(), Reverse((login.at, login.place)))
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::{rows, rows_of_files};
    use crate::domain::rows::{LoginResult, Rows};

    /// Account, address, host and result of each login.
    fn logins(rows: &Rows) -> Vec<String> {
        let of = |login: &crate::domain::rows::Login| {
            let text = |text: Option<crate::domain::text::Text>| text.map_or(String::new(), |t| rows.show(t));
            let result = if login.result == LoginResult::Success { "in".to_owned() } else { format!("failed {}", login.times) };
            format!("{} {} {} {result}", text(login.account), text(login.address), rows.show(login.host))
        };
        rows.logins.iter().map(of).collect()
    }

    #[test]
    fn a_proxy_and_the_server_behind_it_tell_of_one_login_of_the_true_client() {
        let found = rows(
            "16:01:02 back1 dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip=198.51.100.2, lip=198.51.100.9, mpid=1, session=<jXBmieVgA1LGM2TI>
             16:01:02 front1 dovecot: imap-login: proxy(suzuki): started proxying to 198.51.100.9:143: user=<suzuki>, method=PLAIN, rip=203.0.113.5, lip=198.51.100.2, session=<jXBmieVgA1LGM2TI>
             16:05:02 front1 dovecot: imap-login: proxy(suzuki): started proxying to 198.51.100.9:143: user=<suzuki>, method=PLAIN, rip=203.0.113.5, lip=198.51.100.2, session=<kXBmieVgA1LGM2TI>",
        );
        assert_eq!(logins(&found), ["suzuki@u.example 203.0.113.5 front1 in", "suzuki@u.example 203.0.113.5 front1 in"]);
    }

    #[test]
    fn a_submission_proxy_and_the_server_that_it_hands_to_tell_of_one_login_and_no_mailbox_is_opened() {
        let session = |minute: u32| {
            format!(
                "Oct 31 16:{minute}:02 mail dovecot: submission-login: Login: user=<suzuki>, method=PLAIN, rip=203.0.113.5, lip=192.0.2.25, mpid=1, TLS, session=<s{minute}>
Oct 31 16:{minute}:02 mail postfix/smtpd[7]: connect from localhost[127.0.0.1]
Oct 31 16:{minute}:04 mail postfix/smtpd[7]: 1A2B3C4D5{minute}: client=unknown[203.0.113.5], sasl_method=XCLIENT, sasl_username=suzuki
Oct 31 16:{minute}:05 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=2 xclient=1 mail=1 rcpt=1 data=1 quit=1 commands=7
Oct 31 16:{minute}:05 mail dovecot: submission(suzuki)<12><s{minute}>: Disconnected: Logged out in=300 out=781 (state=READY)
"
            )
        };
        let both = [session(10), session(20)].concat();
        let found = rows_of_files(&[&both]);
        assert_eq!(logins(&found), ["suzuki@u.example 203.0.113.5 mail in"; 2]);
        assert!(found.mailbox_uses.is_empty());
        // Where only the server behind the proxy is in evidence, it is what tells of the login.
        let behind: String = both.lines().filter(|line| line.contains("postfix")).map(|line| format!("{line}\n")).collect();
        assert_eq!(logins(&rows_of_files(&[&behind])), ["suzuki@u.example 203.0.113.5 mail in"; 2]);
    }

    #[test]
    fn an_id_that_comes_again_on_another_day_is_another_login() {
        let line = |day: u32| {
            format!(
                "Oct {day} 16:01:02 mail dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip=203.0.113.5, lip=198.51.100.9, session=<jXBmieVgA1LGM2TI>\n"
            )
        };
        assert_eq!(logins(&rows_of_files(&[&[line(30), line(31)].concat()])).len(), 2);
    }
}
