//! Bodies of Dovecot lines, versions 2.0 to 2.4: logins and their failures, authentication back ends, mailbox sessions.
//!
//! The text is what follows `dovecot: ` in syslog or the stamp in Dovecot's own file; there a severity word stands after the prefix.

use super::event::{LoginEvent, LoginResult, MailboxEvent, Protocol, SystemEvent};
use super::scan;
use super::sink::{Fate, Sink};

/// Reads one body.
pub(super) fn body<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let end = body.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))).unwrap_or(body.len());
    let (component, rest) = body.split_at(end);
    match component {
        b"imap-login" | b"pop3-login" | b"submission-login" | b"managesieve-login" | b"sieve-login" => {
            rest.strip_prefix(b": ").map_or(Fate::NO_FACT, |text| login(protocol(component), without_severity(text), sink))
        }
        // A session of submission opens no mailbox: `submission(user): …` tells nothing that the login and the messages do not.
        b"imap" | b"pop3" | b"managesieve" => mailbox(protocol(component), rest, sink),
        b"auth" => auth(rest, sink),
        b"auth-worker" => auth_worker(rest, sink),
        b"master" => rest.strip_prefix(b": ").map_or(Fate::NO_FACT, |text| master(without_severity(text), sink)),
        _ if is_clock_step(rest) => sink.system(SystemEvent::ClockStep { detail: rest }),
        _ => Fate::NO_FACT,
    }
}

/// Whether a text begins as the lines of Dovecot's own log file do: a component, maybe with user and session, a severity word.
pub(super) fn is_own_line(text: &[u8]) -> bool {
    let end = text.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))).unwrap_or(text.len());
    let severities: [&[u8]; 6] = [b": Info: ", b": Warning: ", b": Error: ", b": Fatal: ", b": Panic: ", b": Debug: "];
    end > 0
        && severities
            .iter()
            .any(|word| text.get(end..).is_some_and(|rest| scan::contains(rest.get(..rest.len().min(200)).unwrap_or(rest), word)))
}

fn protocol(component: &[u8]) -> Protocol {
    match component.strip_suffix(b"-login").unwrap_or(component) {
        b"imap" => Protocol::Imap,
        b"pop3" => Protocol::Pop3,
        b"submission" => Protocol::SmtpAuth,
        _ => Protocol::Sieve,
    }
}

fn without_severity(text: &[u8]) -> &[u8] {
    [&b"Info: "[..], b"Warning: ", b"Error: "].iter().find_map(|word| text.strip_prefix(*word)).unwrap_or(text)
}

/// A line of a login process. What happened stands before the first field; the fields hold strangers' text.
fn login<'a>(protocol: Protocol, text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let fields_at = [&b"user=<"[..], b"method=", b"rip="].iter().filter_map(|key| scan::find(text, key)).min();
    let Some(fields_at) = fields_at else { return Fate::NO_FACT };
    let (head, fields) = text.split_at(fields_at);
    let Some(result) = result(head) else { return Fate::NO_FACT };
    let fields = Fields::read(fields);
    let detail = if result == LoginResult::Success { b"" } else { head.strip_suffix(b": ").unwrap_or(head) };
    sink.login(LoginEvent {
        protocol,
        account: fields.user,
        address: fields.rip,
        result,
        mechanism: fields.method,
        session: fields.session,
        detail: without_secret(detail),
        client: None,
        user_agent: None,
        provider: None,
        passed_on: is_proxied(head),
    })
}

/// Whether a proxy says that the session goes on at another server.
fn is_proxied(head: &[u8]) -> bool {
    scan::contains(head, b"tarted proxying to")
}

/// What the words before the fields say; `None` if nobody tried a password.
fn result(head: &[u8]) -> Option<LoginResult> {
    if head.starts_with(b"Login: ") || head.starts_with(b"Logged in: ") || is_proxied(head) {
        return Some(LoginResult::Success);
    }
    if let Some(rest) = scan::after(head, b"(auth failed") {
        let attempts = rest.strip_prefix(b", ").map_or(1, scan::small_number).max(1);
        return Some(LoginResult::Failure { attempts });
    }
    if scan::contains(head, b"successful auths") || scan::contains(head, b"user disabled") || scan::contains(head, b"password expired") {
        return Some(LoginResult::Stopped);
    }
    (head.starts_with(b"Login failed") || scan::contains(head, b"(auth_failed)")).then_some(LoginResult::Failure { attempts: 1 })
}

/// `user=<…>, method=…, rip=…, lip=…, …, session=<…>`.
#[derive(Default)]
struct Fields<'a> {
    user: Option<&'a [u8]>,
    method: Option<&'a [u8]>,
    rip: Option<&'a [u8]>,
    session: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a [u8]) -> Fields<'a> {
        let mut fields = Fields::default();
        let mut rest = text;
        if text.starts_with(b"user=<")
            && let Some((user, after)) = scan::angle(text.get(5..).unwrap_or_default(), scan::comma_or_end)
        {
            fields.user = scan::non_empty(user);
            rest = after;
        }
        for piece in rest.split(|b| *b == b',').map(scan::trim_start) {
            if let Some(value) = piece.strip_prefix(b"method=") {
                fields.method = scan::non_empty(value);
            } else if let Some(value) = piece.strip_prefix(b"rip=") {
                fields.rip = scan::non_empty(scan::plain_address(value));
            } else if let Some(value) = piece.strip_prefix(b"session=<") {
                fields.session = scan::non_empty(value.strip_suffix(b">").unwrap_or(value));
            }
        }
        fields
    }
}

/// `imap(user)<pid><session>: Disconnected: Logged out in=… out=…`.
fn mailbox<'a>(protocol: Protocol, text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((user, rest)) = bracketed(text) else { return Fate::NO_FACT };
    let (session, message) = tags_and_text(rest);
    let message = without_severity(message);
    if is_clock_step(message) {
        return sink.system(SystemEvent::ClockStep { detail: message });
    }
    let account = scan::non_empty(user);
    let base = MailboxEvent { protocol: Some(protocol), account, session, ..MailboxEvent::default() };
    if let Some((retrieved, bytes)) = scan::after(message, b" retr=").and_then(scan::number) {
        let bytes_of = |rest: &[u8]| rest.strip_prefix(b"/").and_then(scan::number).map_or(0, |(n, _)| n);
        let top = scan::after(message, b" top=").and_then(scan::number).map_or(0, |(_, rest)| bytes_of(rest));
        let deleted = scan::number_after(message, b" del=").unwrap_or(0);
        return sink.mailbox(MailboxEvent { bytes_out: bytes_of(bytes).saturating_add(top), items: Some(retrieved), deleted, ..base });
    }
    let out = scan::number_after(message, b" out=").or_else(|| {
        let (_, rest) = scan::after(message, b" bytes=").and_then(scan::number)?;
        rest.strip_prefix(b"/").and_then(scan::number).map(|(n, _)| n)
    });
    let Some(bytes_out) = out else { return Fate::NO_FACT };
    let items = scan::number_after(message, b" body_count=");
    let deleted = scan::number_after(message, b" deleted=").unwrap_or(0);
    sink.mailbox(MailboxEvent { bytes_out, items, deleted, ..base })
}

/// `(user)` up to the bracket that ends the prefix; the name itself may hold brackets.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"(")?;
    let at = memchr::memchr_iter(b')', inner)
        .find(|at| inner.get(at + 1..).is_some_and(|rest| rest.starts_with(b"<") || rest.starts_with(b": ")))?;
    Some((inner.get(..at)?, inner.get(at + 1..)?))
}

/// `<pid><session>: text`; the last angle bracket is the session.
fn tags_and_text(mut text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut session = None;
    while let Some((tag, rest)) = text.strip_prefix(b"<").and_then(|inner| scan::split_byte(inner, b'>')) {
        session = scan::non_empty(tag).filter(|tag| !tag.iter().all(u8::is_ascii_digit));
        text = rest;
    }
    (session, text.strip_prefix(b": ").unwrap_or(text))
}

/// `auth: DB(user,ip,<session>): text`, or since 2.4 `auth(user,ip,sasl:plain)<session>: DB: text`.
fn auth<'a>(text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if let Some(message) = text.strip_prefix(b": ") {
        return database(without_severity(message), sink);
    }
    let Some((who, rest)) = bracketed(text) else { return Fate::NO_FACT };
    let (session, message) = tags_and_text(rest);
    let message = without_severity(message);
    let Some((_, words)) = scan::split(message, b": ") else { return Fate::NO_FACT };
    let (user, address, _) = who_asked(who);
    backend_failure(user, address, session, words, sink)
}

/// `auth-worker(pid): {conn unix:auth-worker (pid=…,uid=…): auth-worker<n>: }DB(user,ip,<session>): text`.
fn auth_worker<'a>(text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((_, message)) = scan::split(text, b": ") else { return Fate::NO_FACT };
    let message = without_severity(message);
    let message = match message.strip_prefix(b"conn unix:") {
        Some(rest) => scan::split(rest, b">: ").map_or(message, |(_, text)| text),
        None => message,
    };
    database(message, sink)
}

/// `DB(user,ip,<session>): text`.
fn database<'a>(message: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if is_clock_step(message) {
        return sink.system(SystemEvent::ClockStep { detail: message });
    }
    let end = message.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))).unwrap_or(message.len());
    let Some((who, rest)) = message.get(end..).and_then(bracketed).filter(|_| end > 0) else { return Fate::NO_FACT };
    let Some(words) = rest.strip_prefix(b": ") else { return Fate::NO_FACT };
    let (user, address, session) = who_asked(who);
    backend_failure(user, address, session, words, sink)
}

type Asker<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

/// `user,ip{,master}{,<session>}`, read from the end because the name may hold commas.
fn who_asked(text: &[u8]) -> Asker<'_> {
    let mut rest = text;
    let mut session = None;
    let mut address = None;
    while address.is_none()
        && let Some(comma) = memchr::memrchr(b',', rest)
    {
        let (head, last) = (rest.get(..comma).unwrap_or_default(), rest.get(comma + 1..).unwrap_or_default());
        if let Some(inner) = last.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")) {
            session = scan::non_empty(inner);
        } else if std::str::from_utf8(last).is_ok_and(|last| last.parse::<std::net::IpAddr>().is_ok()) {
            address = Some(last);
        } else if !(last.is_empty() || last == b"master" || last.starts_with(b"sasl:")) {
            break;
        }
        rest = head;
    }
    (scan::non_empty(rest), address, session)
}

/// Words of a back end that mean that it refused.
const REFUSALS: [&[u8]; 8] = [
    b"password mismatch",
    b"unknown user",
    b"pam_authenticate() failed",
    b"invalid credentials",
    b"user not found",
    b"authentication failure",
    b"invalid password",
    b"login failed",
];

fn backend_failure<'a>(
    account: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    session: Option<&'a [u8]>,
    words: &'a [u8],
    sink: &mut Sink<'_, 'a>,
) -> Fate {
    let shown = without_secret(words);
    let lower = shown.to_ascii_lowercase();
    if !REFUSALS.iter().any(|refusal| scan::contains(&lower, refusal)) {
        return Fate::NO_FACT;
    }
    sink.login(LoginEvent {
        protocol: Protocol::Other,
        account,
        address: address.map(scan::plain_address),
        result: LoginResult::BackendFailure,
        mechanism: None,
        session,
        detail: shown,
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

/// Cuts a text before the password, or hash of one, that `auth_verbose_passwords` lets into the log.
fn without_secret(text: &[u8]) -> &[u8] {
    let Some((head, _)) = scan::split(text, b"given password") else { return text };
    let end = memchr::memrchr(b'(', head).unwrap_or(head.len());
    head.get(..end).unwrap_or_default().trim_ascii_end()
}

fn master<'a>(text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if text.starts_with(b"Dovecot v") {
        return sink.system(SystemEvent::Started { version: scan::until(text, b" (") });
    }
    if text.starts_with(b"Killed with signal ") {
        return sink.system(SystemEvent::Stopped);
    }
    if is_clock_step(text) {
        return sink.system(SystemEvent::ClockStep { detail: text });
    }
    Fate::NO_FACT
}

fn is_clock_step(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(80)).unwrap_or(text);
    scan::after(head, b"Time ").is_some_and(|rest| [&b"jumped "[..], b"moved ", b"just moved "].iter().any(|words| rest.starts_with(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    /// Protocol, result, account, session, detail.
    type Login = (Protocol, LoginResult, Option<String>, Option<String>, String);

    fn login_of(body: &str) -> Option<Login> {
        let line = tag("dovecot", body);
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        match kinds(&line).into_iter().next() {
            Some(Kind::Login(l)) => Some((l.protocol, l.result, l.account.map(text), l.session.map(text), text(l.detail))),
            _ => None,
        }
    }

    const TAIL: &str = "method=PLAIN, rip=192.0.2.7, lip=192.0.2.25, mpid=14288, TLS, session=<jXBmieVgA1LGM2TI>";

    #[test]
    fn trap_25_a_login_reads_the_same_in_every_version() {
        for words in ["Login", "Logged in", "Info: Login"] {
            let (protocol, result, account, session, _) = login_of(&format!("imap-login: {words}: user=<suzuki>, {TAIL}")).unwrap();
            assert_eq!((protocol, result), (Protocol::Imap, LoginResult::Success), "{words}");
            assert_eq!((account.as_deref(), session.as_deref()), (Some("suzuki"), Some("jXBmieVgA1LGM2TI")));
        }
        assert_eq!(login_of(&format!("submission-login: Login: user=<a>, {TAIL}")).unwrap().0, Protocol::SmtpAuth);
        assert_eq!(login_of(&format!("managesieve-login: Login: user=<a>, {TAIL}")).unwrap().0, Protocol::Sieve);
        assert_eq!(login_of("imap-login: Login: user=<>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.25").unwrap().2, None);
    }

    #[test]
    fn failures_count_the_attempts_of_their_session() {
        for (words, attempts) in [
            ("Disconnected (auth failed, 3 attempts in 6 secs)", 3),
            ("Disconnected (auth failed, 1 attempts)", 1),
            ("Disconnected: Aborted login by logging out (auth failed, 2 attempts in 9 secs)", 2),
            ("Aborted login (auth failed, 1 attempts in 2 secs)", 1),
            ("Login aborted: Connection closed (auth failed, 4 attempts in 8 secs) (auth_failed)", 4),
        ] {
            let found = login_of(&format!("imap-login: {words}: user=<tanaka>, {TAIL}")).unwrap();
            assert_eq!(found.1, LoginResult::Failure { attempts }, "{words}");
        }
    }

    #[test]
    fn a_name_that_speaks_of_failure_is_only_a_name() {
        let found = login_of(&format!("imap-login: Login: user=<(auth failed, 9 attempts)>, {TAIL}")).unwrap();
        assert_eq!(found.1, LoginResult::Success);
    }

    #[test]
    fn a_right_password_that_was_stopped_is_neither_success_nor_failure() {
        let found = login_of(&format!("imap-login: Disconnected (internal failure, 1 successful auths): user=<a>, {TAIL}"));
        assert_eq!(found.unwrap().1, LoginResult::Stopped);
        assert_eq!(
            login_of("imap-login: Disconnected (no auth attempts in 2 secs): user=<>, rip=192.0.2.7, lip=192.0.2.25, session=<x>"),
            None
        );
    }

    #[test]
    fn back_ends_name_user_and_session_and_never_the_password() {
        for (body, session) in [
            ("auth-worker(24544): sql(suzuki@u.example,192.0.2.7,<youpi>): Password mismatch (given password: S3cret(x))", Some("youpi")),
            (
                "auth-worker(1): conn unix:auth-worker (pid=919,uid=112): auth-worker<1>: sql(suzuki@u.example,192.0.2.7): unknown user (given password: S3cret)",
                None,
            ),
            ("auth: passwd-file(suzuki@u.example,192.0.2.7,master,<youpi>): unknown user (SHA1 of given password: 21bd12)", Some("youpi")),
            ("auth: Info: ldap(suzuki@u.example,192.0.2.7,<youpi>): invalid credentials", Some("youpi")),
            ("auth(suzuki@u.example,192.0.2.7,sasl:plain)<youpi>: passwd-file: Password mismatch", Some("youpi")),
        ] {
            let (_, result, account, found_session, detail) = login_of(body).unwrap();
            assert_eq!((result, account.as_deref()), (LoginResult::BackendFailure, Some("suzuki@u.example")), "{body}");
            assert_eq!(found_session.as_deref(), session, "{body}");
            assert!(!detail.contains("cret") && !detail.contains("21bd"), "{detail}");
        }
    }

    #[test]
    fn mailbox_sessions_tell_how_much_was_read() {
        let read = |body: &str| match kinds(&tag("dovecot", body)).into_iter().next() {
            Some(Kind::Mailbox(m)) => (m.bytes_out, m.items, m.deleted, m.session.is_some()),
            other => panic!("{other:?}"),
        };
        let imap = "in=32 out=781 deleted=3 expunged=3 trashed=0 hdr_count=9 hdr_bytes=9 body_count=4 body_bytes=512";
        assert_eq!(read(&format!("imap(suzuki)<25517><SiGdu+Vg>: Disconnected: Logged out {imap}")), (781, Some(4), 3, true));
        assert_eq!(read(&format!("imap(suzuki)<25517><SiGdu+Vg>: Info: Logged out {imap}")), (781, Some(4), 3, true));
        assert_eq!(read("imap(suzuki): Disconnected: Logged out in=32 out=781"), (781, None, 0, false));
        assert_eq!(read("imap(suzuki): Disconnected: Logged out bytes=32/781"), (781, None, 0, false));
        assert_eq!(read("pop3(suzuki)<1><s>: Disconnected: Logged out top=1/10, retr=2/500, del=1/9, size=900"), (510, Some(2), 1, true));
    }

    #[test]
    fn local_delivery_is_no_login() {
        assert_eq!(login_of("lmtp(suzuki@u.example)<1><s>: msgid=<m@x.example>: saved mail to INBOX"), None);
    }
}
