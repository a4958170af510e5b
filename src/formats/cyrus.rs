//! Bodies of Cyrus IMAP, Courier and saslauthd, which share tags with each other.

use super::event::{LoginEvent, LoginResult, MailboxEvent, Protocol};
use super::scan;
use super::sink::{Fate, Sink};

/// A line with the tag of an IMAP or POP3 daemon; its words tell which product wrote it.
pub(super) fn imap_or_courier<'a>(tag: &[u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let protocol = protocol(tag);
    if let Some(text) = body.strip_prefix(b"login: ") {
        return cyrus_login(protocol, text, sink);
    }
    if let Some(text) = body.strip_prefix(b"badlogin: ") {
        return cyrus_badlogin(protocol, text, sink);
    }
    if body.starts_with(b"event=login.") {
        return cyrus_logfmt(protocol, body, sink);
    }
    courier(protocol, body, sink)
}

fn protocol(tag: &[u8]) -> Protocol {
    let name = tag.rsplit(|b| *b == b'/').next().unwrap_or(tag);
    if name.starts_with(b"imap") {
        Protocol::Imap
    } else if name.starts_with(b"pop3") {
        Protocol::Pop3
    } else if name.ends_with(b"sieve") || name.ends_with(b"sieved") {
        Protocol::Sieve
    } else {
        Protocol::Other
    }
}

/// `HOST [IP] USER MECH+TLS User logged in SESSIONID=<…>`.
fn cyrus_login<'a>(protocol: Protocol, text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((head, tail)) = scan::split_last(text, b" User logged in") else { return Fate::NO_FACT };
    let Some((address, who)) = address_and_rest(head) else { return Fate::BAD_BODY };
    let Some((user, mechanism)) = scan::split_last(who, b" ") else { return Fate::BAD_BODY };
    let session = scan::after(tail, b"SESSIONID=<").and_then(|id| scan::split_byte(id, b'>')).map(|(id, _)| id);
    sink.login(LoginEvent {
        protocol,
        account: scan::non_empty(user),
        address: Some(address),
        result: LoginResult::Success,
        mechanism: scan::non_empty(scan::until(mechanism, b"+")),
        session,
        detail: b"",
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

/// `HOST [IP] plaintext (USER) [detail]` since 3.2, without the brackets before.
fn cyrus_badlogin<'a>(protocol: Protocol, text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((address, who)) = address_and_rest(text) else { return Fate::BAD_BODY };
    let (mechanism, rest) = scan::split_byte(who, b' ').unwrap_or((who, b""));
    let bracketed = rest.strip_prefix(b"(").and_then(|inner| scan::split_last(inner, b") ").or_else(|| scan::split_last(inner, b")")));
    let (user, detail) = match bracketed {
        Some(found) => found,
        // Only the plaintext form names the user; the others give the library's words alone.
        None if mechanism == b"plaintext" => scan::split_byte(rest, b' ').unwrap_or((rest, b"")),
        None => (&b""[..], rest),
    };
    sink.login(LoginEvent {
        protocol,
        account: scan::non_empty(user),
        address: Some(address),
        result: LoginResult::Failure { attempts: 1 },
        mechanism: scan::non_empty(mechanism),
        session: None,
        detail,
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

/// `HOST [IP] rest`.
fn address_and_rest(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = scan::split_byte(text, b'[')?;
    let (address, rest) = scan::split_byte(rest, b']')?;
    Some((scan::plain_address(address), scan::trim_start(rest)))
}

/// `event=login.good r.sessionid=<…> r.clienthost=… u.username=… login.mech=…`, development 3.13.
fn cyrus_logfmt<'a>(protocol: Protocol, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let result = if body.starts_with(b"event=login.good ") { LoginResult::Success } else { LoginResult::Failure { attempts: 1 } };
    let value = |key: &[u8]| -> Option<&'a [u8]> {
        let text = scan::after(body, key)?;
        let text = match text.strip_prefix(b"\"") {
            Some(quoted) => scan::split_byte(quoted, b'"').map_or(quoted, |(inner, _)| inner),
            None => scan::until(text, b" "),
        };
        scan::non_empty(text)
    };
    let address = value(b" r.clienthost=").map(|host| scan::split_byte(host, b'[').map_or(host, |(_, ip)| scan::until(ip, b"]")));
    sink.login(LoginEvent {
        protocol,
        account: value(b" u.username="),
        address,
        result,
        mechanism: value(b" login.mech="),
        session: value(b" r.sessionid=").map(|id| id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id)),
        detail: value(b" error=").unwrap_or_default(),
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

/// `LOGIN, user=…, ip=[…], …`, `LOGIN FAILED, user=…, ip=[…]`, `LOGOUT, user=…, ip=[…], …`.
fn courier<'a>(protocol: Protocol, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((word, rest)) = scan::split(body, b", ") else { return Fate::NO_FACT };
    let field = |key: &[u8]| -> Option<&'a [u8]> {
        let text = scan::after(rest, key)?;
        Some(scan::until(text, b", "))
    };
    let account =
        rest.strip_prefix(b"user=").map(|text| scan::split_last(text, b", ip=[").map_or(text, |(name, _)| name)).and_then(scan::non_empty);
    let address = scan::split_last(rest, b"ip=[").and_then(|(_, text)| scan::split_byte(text, b']')).map(|(ip, _)| scan::plain_address(ip));
    let result = match word {
        b"LOGIN" => LoginResult::Success,
        b"LOGIN FAILED" => LoginResult::Failure { attempts: 1 },
        b"LOGOUT" | b"DISCONNECTED" | b"TIMEOUT" => {
            let number = |key: &[u8]| field(key).and_then(scan::number).map(|(n, _)| n);
            let bytes_out = number(b", sent=").or_else(|| number(b", body=")).or_else(|| number(b", retr=")).unwrap_or(0);
            return sink.mailbox(MailboxEvent { protocol: Some(protocol), account, address, bytes_out, ..MailboxEvent::default() });
        }
        _ => return Fate::NO_FACT,
    };
    let detail = if result == LoginResult::Success { &b""[..] } else { word };
    sink.login(LoginEvent {
        protocol,
        account,
        address,
        result,
        mechanism: None,
        session: None,
        client: None,
        user_agent: None,
        detail,
        provider: None,
        passed_on: false,
    })
}

/// `do_auth : auth failure: [user=U] [service=smtp] [realm=R] [mech=M] [reason=…]`.
pub(super) fn saslauthd<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(text) = scan::after(body, b"auth failure: ") else { return Fate::NO_FACT };
    let field = |key: &[u8]| -> Option<&'a [u8]> {
        let value = scan::after(text, key)?;
        scan::non_empty(scan::split(value, b"] ").map_or_else(|| value.strip_suffix(b"]").unwrap_or(value), |(value, _)| value))
    };
    let protocol = match field(b"[service=") {
        Some(b"smtp") => Protocol::SmtpAuth,
        Some(b"imap") => Protocol::Imap,
        Some(b"pop" | b"pop3") => Protocol::Pop3,
        Some(b"sieve") => Protocol::Sieve,
        _ => Protocol::Other,
    };
    sink.login(LoginEvent {
        protocol,
        account: field(b"[user="),
        address: field(b"[remote="),
        result: LoginResult::BackendFailure,
        mechanism: field(b"[mech="),
        session: None,
        detail: field(b"[reason=").unwrap_or_default(),
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    fn login(tag_text: &str, body: &str) -> (Protocol, LoginResult, String, String) {
        let line = tag(tag_text, body);
        let text = |b: Option<&[u8]>| String::from_utf8_lossy(b.unwrap_or(b"-")).into_owned();
        match kinds(&line).into_iter().next() {
            Some(Kind::Login(l)) => (l.protocol, l.result, text(l.account), text(l.address)),
            other => panic!("{other:?}"),
        }
    }

    const FAILURE: LoginResult = LoginResult::Failure { attempts: 1 };

    #[test]
    fn cyrus_logins_name_user_address_and_mechanism() {
        let good = login("cyrus/imaps[1]", "login: h.example [192.0.2.7] suzuki PLAIN+TLS User logged in SESSIONID=<s1>");
        assert_eq!(good, (Protocol::Imap, LoginResult::Success, "suzuki".into(), "192.0.2.7".into()));
        for body in [
            "badlogin: h.example [192.0.2.7] plaintext (suzuki) [SASL(-13): x]",
            "badlogin: h.example [192.0.2.7] plaintext suzuki SASL(-13): x",
        ] {
            assert_eq!(login("pop3[1]", body), (Protocol::Pop3, FAILURE, "suzuki".into(), "192.0.2.7".into()), "{body}");
        }
        let new = login("imap[1]", "event=login.bad r.sessionid=s1 r.clienthost=h.example[192.0.2.7] u.username=suzuki error=x");
        assert_eq!(new, (Protocol::Imap, FAILURE, "suzuki".into(), "192.0.2.7".into()));
    }

    #[test]
    fn courier_logins_lose_the_mapped_prefix_of_their_address() {
        let good = login("imapd-ssl", "LOGIN, user=suzuki@u.example, ip=[::ffff:192.0.2.7], port=[5012], protocol=IMAP");
        assert_eq!(good, (Protocol::Imap, LoginResult::Success, "suzuki@u.example".into(), "192.0.2.7".into()));
        let bad = login("pop3d", "LOGIN FAILED, user=suzuki, ip=[::ffff:192.0.2.7]");
        assert_eq!(bad, (Protocol::Pop3, FAILURE, "suzuki".into(), "192.0.2.7".into()));
        let out = tag("imapd", "LOGOUT, user=suzuki, ip=[::ffff:192.0.2.7], port=[1], headers=10, body=500, rcvd=20, sent=900, time=3");
        assert!(matches!(kinds(&out)[0], Kind::Mailbox(MailboxEvent { bytes_out: 900, .. })));
    }

    #[test]
    fn saslauthd_is_a_back_end() {
        let failure = login(
            "saslauthd[1]",
            "do_auth         : auth failure: [user=suzuki] [service=smtp] [realm=u.example] [mech=pam] [reason=PAM auth error]",
        );
        assert_eq!(failure, (Protocol::SmtpAuth, LoginResult::BackendFailure, "suzuki".into(), "-".into()));
    }
}
