//! What a submission proxy of our own, as Dovecot's submission service is, hands to the SMTP server behind it. That server names the user
//! only if it trusts the proxy (`XCLIENT LOGIN=`); else it takes the proxy's host, or with `XCLIENT ADDR=` alone some stranger, for the
//! client. The proxy's own logins tell who it was.

use super::links::is_loopback;
use super::own::is_internal_address;
use crate::domain::rows::{Attribution, Kind, Login, LoginResult, Protocol, Rows};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, SECOND, Timestamp};
use hashbrown::HashMap;

/// How long a session is silent at most. The proxies' own limit is some minutes.
const SILENCE: i64 = HOUR;
/// How much later the proxy may stamp a login than the server behind it stamps what came by it.
const CLOCKS: i64 = 2 * SECOND;

/// A session at the proxy.
struct Session {
    from: Timestamp,
    /// When something came by it last.
    until: Timestamp,
    account: Text,
    address: Text,
}

/// Gives such messages to the accounts and addresses of the proxy's sessions. Messages and logins are in the order of time.
pub(super) fn settle(rows: &mut Rows) {
    let mut sessions = sessions(&rows.logins);
    if sessions.is_empty() {
        return;
    }
    let texts = &rows.texts;
    let (mut of_account, mut from_address) = (HashMap::<Text, Vec<usize>>::new(), HashMap::<Text, Vec<usize>>::new());
    for (number, session) in sessions.iter().enumerate() {
        of_account.entry(session.account).or_default().push(number);
        // From an address of our own networks other programs send too.
        if !is_internal_address(texts.bytes(session.address)) {
            from_address.entry(session.address).or_default().push(number);
        }
    }
    for message in rows.messages.iter_mut().filter(|message| message.kind == Kind::Inbound) {
        let by_our_own_host = message.address.is_some_and(|address| is_loopback(texts.bytes(address)));
        let candidates = match (by_our_own_host, message.address) {
            (true, _) => message.account.and_then(|account| of_account.get(&account)),
            (false, Some(address)) => from_address.get(&address),
            (false, None) => None,
        };
        let is_open =
            |session: &Session| session.from.plus(-CLOCKS) <= message.submitted && message.submitted.since(session.until) <= SILENCE;
        let open: Vec<usize> = candidates.into_iter().flatten().copied().filter(|&number| is_open(&sessions[number])).collect();
        let Some(number) = whose(&open, &sessions, texts.bytes(message.sender), texts) else { continue };
        let session = &mut sessions[number];
        session.until = session.until.max(message.submitted);
        message.account = Some(session.account);
        message.address = Some(session.address);
        (message.kind, message.attribution, message.client) = (Kind::Submission, Attribution::Session, None);
    }
}

/// The logins that a proxy tells of: they bear the id of its session, which those of the SMTP server do not.
fn sessions(logins: &[Login]) -> Vec<Session> {
    let worked = logins.iter().filter(|login| login.protocol == Protocol::SmtpAuth && login.result == LoginResult::Success);
    let of_proxy = worked.filter(|login| login.session.is_some() && login.provider.is_none());
    let session = |login: &Login| Some(Session { from: login.at, until: login.at, account: login.account?, address: login.address? });
    of_proxy.filter_map(session).collect()
}

/// The session that a message came by: the last of the account that bears its sender's name, or of the only account there is.
fn whose(open: &[usize], sessions: &[Session], sender: &[u8], texts: &TextPool) -> Option<usize> {
    let account = |number: usize| sessions[number].account;
    let of_sender = |number: &&usize| texts.bytes(account(**number)).eq_ignore_ascii_case(sender);
    let last = *open.last()?;
    let alone = || open.iter().all(|&number| account(number) == account(last)).then_some(last);
    open.iter().rfind(of_sender).copied().or_else(alone)
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;
    use crate::domain::rows::Kind;

    /// Account, address and kind of each of four messages that came by one session of suzuki's, as the SMTP server has the client.
    fn messages(client: &str, sender: &str) -> Vec<String> {
        messages_by(["203.0.113.5", "203.0.113.6"], client, sender)
    }

    /// The same where ono logged in from the same address.
    fn messages_of_both(address: &str, sender: &str) -> Vec<String> {
        messages_by([address; 2], &format!("unknown[{address}]"), sender)
    }

    fn messages_by([suzuki, ono]: [&str; 2], client: &str, sender: &str) -> Vec<String> {
        let mut log = format!("Oct 31 16:00:01 mail dovecot: submission-login: Login: user=<suzuki@u.example>, method=PLAIN, rip={suzuki}, lip=192.0.2.25, mpid=1, TLS, session=<a>
Oct 31 16:00:01 mail dovecot: submission-login: Login: user=<ono@u.example>, method=PLAIN, rip={ono}, lip=192.0.2.25, mpid=1, TLS, session=<b>
");
        for (id, at) in [("1A2B3C4D5E", "16:00"), ("2A2B3C4D5E", "16:40"), ("3A2B3C4D5E", "17:30"), ("4A2B3C4D5E", "19:30")] {
            log += &format!(
                "Oct 31 {at}:02 mail postfix/smtpd[7]: {id}: client={client}
Oct 31 {at}:02 mail postfix/qmgr[9]: {id}: from=<{sender}>, size=267, nrcpt=1 (queue active)
Oct 31 {at}:03 mail postfix/smtp[5]: {id}: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
"
            );
        }
        let rows = rows_of_files(&[&log]);
        let show = |text: Option<_>| text.map_or("-".to_owned(), |text| rows.show(text));
        let told = |m: &crate::domain::rows::Message| {
            format!("{} {}{}", show(m.account), show(m.address), if m.kind == Kind::Submission { "" } else { " not submitted" })
        };
        rows.messages.iter().map(told).collect()
    }

    #[test]
    fn what_a_proxy_hands_in_is_of_the_session_there_as_long_as_that_may_be_open() {
        let by = "suzuki@u.example 203.0.113.5";
        let over = "suzuki@u.example 127.0.0.1 not submitted";
        assert_eq!(messages("localhost[127.0.0.1]", "suzuki@u.example"), [by, by, by, over]);
        let unknown = "- 203.0.113.5 not submitted";
        assert_eq!(messages("unknown[203.0.113.5]", "bank@x.test"), [by, by, by, unknown]);
        // Two accounts behind one address are told apart by the sender, and by nothing else.
        let both = "203.0.113.6";
        assert_eq!(messages_of_both(both, "ono@u.example")[0], format!("ono@u.example {both}"));
        assert_eq!(messages_of_both(both, "bank@x.test")[0], format!("- {both} not submitted"));
        // A host of our own networks stays what it is: other programs there send too.
        assert_eq!(messages_of_both("10.0.0.5", "ono@u.example")[0], "ono@u.example 10.0.0.5 not submitted");
    }
}
