//! Lines of the SMTP server about its sessions: connect, `client=`, lost connections, disconnect with its counters.

use super::{client as read_client, queue_id};
use crate::formats::event::{Counters, QueueEvent, SmtpEvent, Stage};
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};
use crate::formats::syslog::daemon::Postfix;

/// `connect from`, `disconnect from`, `lost connection after` and their like, without a queue id.
pub(super) fn session<'a>(who: Postfix, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let service = who.service;
    if let Some(text) = body.strip_prefix(b"connect from ") {
        let Some((client, _)) = read_client(text) else { return Fate::BAD_BODY };
        return sink.smtp(SmtpEvent::Connect { client, service });
    }
    if let Some(text) = body.strip_prefix(b"disconnect from ") {
        let Some((client, rest)) = read_client(text) else { return Fate::BAD_BODY };
        return sink.smtp(SmtpEvent::Disconnect { client, service, counters: counters(rest) });
    }
    if is_lost(body) {
        return lost(None, body, sink);
    }
    Fate::NO_FACT
}

/// `client=name[ip], sasl_method=…, sasl_username=…, sasl_sender=…, orig_queue_id=…, orig_client=…`: a mail transaction began.
pub(super) fn client<'a>(who: Postfix, id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((client, mut rest)) = body.strip_prefix(b"client=").and_then(read_client) else { return Fate::BAD_BODY };
    let mut sasl_method = None;
    let mut sasl_username = None;
    if let Some(text) = rest.strip_prefix(b", sasl_method=") {
        let end = text.iter().position(|b| *b == b',').unwrap_or(text.len());
        sasl_method = text.get(..end).and_then(scan::non_empty);
        rest = text.get(end..).unwrap_or_default();
    }
    let (head, orig) = take_tail(rest);
    if let Some(text) = head.strip_prefix(b", sasl_username=") {
        // The name may hold blanks and commas, so it ends where the last known key begins.
        sasl_username = scan::non_empty(take_last(text, b" sasl_sender=").0);
    }
    if let Some(made) = queue_id::decode_time(id) {
        sink.witness(made);
    }
    let service = who.service;
    if !id.is_empty() {
        let (orig_queue_id, orig_client) = orig;
        sink.queue(id, QueueEvent::Open { client, service, sasl_username, sasl_method, orig_queue_id, orig_client });
    }
    sink.smtp(SmtpEvent::Transaction { queue_id: id, client, service, sasl_username, sasl_method })
}

type Origin<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Takes `, orig_queue_id=…` and `, orig_client=…` off the end.
fn take_tail(text: &[u8]) -> (&[u8], Origin<'_>) {
    let (text, orig_client) = take_last(text, b" orig_client=");
    let (text, orig_queue_id) = take_last(text, b" orig_queue_id=");
    (text, (orig_queue_id, orig_client))
}

/// Takes the piece after the last comma off, if it has this key.
fn take_last<'a>(text: &'a [u8], key: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    if text.is_empty() {
        return (text, None);
    }
    let found = memchr::memrchr(b',', text).and_then(|comma| {
        let value = text.get(comma + 1..)?.strip_prefix(key)?;
        Some((text.get(..comma)?, scan::non_empty(value)))
    });
    found.unwrap_or((text, None))
}

const LOST: [&[u8]; 4] = [b"lost connection after ", b"timeout after ", b"too many errors after ", b"bare <LF> received after "];

/// Whether a body says that a session ended early.
pub(super) fn is_lost(body: &[u8]) -> bool {
    LOST.iter().any(|start| body.starts_with(start))
}

/// `lost connection after DATA (123 bytes) from name[ip]`; Postfix 3.10 and later put the queue id before it.
pub(super) fn lost<'a>(id: Option<&'a [u8]>, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(text) = LOST.iter().find_map(|start| body.strip_prefix(*start)) else { return Fate::NO_FACT };
    let Some((stage, peer)) = scan::split(text, b" from ") else { return Fate::NO_FACT };
    let Some((client, _)) = read_client(peer) else { return Fate::BAD_BODY };
    let stage = stage_of(scan::until(stage, b" "));
    if let Some(id) = id {
        sink.queue(id, QueueEvent::Lost { stage });
    }
    sink.smtp(SmtpEvent::Lost { client, stage })
}

/// A stage by the name Postfix gives it.
pub(super) fn stage_of(name: &[u8]) -> Stage {
    match name {
        b"CONNECT" => Stage::Connect,
        b"HELO" | b"EHLO" => Stage::Helo,
        b"STARTTLS" => Stage::StartTls,
        b"AUTH" => Stage::Auth,
        b"MAIL" => Stage::Mail,
        b"RCPT" => Stage::Rcpt,
        b"DATA" | b"BDAT" => Stage::Data,
        b"END-OF-MESSAGE" => Stage::EndOfMessage,
        _ => Stage::Other,
    }
}

/// ` ehlo=2 starttls=1 auth=0/1 … commands=9`, since Postfix 3.0.
fn counters(text: &[u8]) -> Option<Counters> {
    let mut counters = Counters::default();
    let mut seen = false;
    for word in text.split(|b| *b == b' ') {
        let Some((name, value)) = scan::split_byte(word, b'=') else { continue };
        let Some((ok, rest)) = scan::number(value) else { continue };
        let ok = u32::try_from(ok).unwrap_or(u32::MAX);
        let all = rest.strip_prefix(b"/").map_or(ok, scan::small_number);
        seen = true;
        let (sum_ok, sum_all) = match name {
            b"auth" => (&mut counters.auth_ok, &mut counters.auth_all),
            b"mail" => (&mut counters.mail_ok, &mut counters.mail_all),
            b"rcpt" => (&mut counters.rcpt_ok, &mut counters.rcpt_all),
            b"data" => (&mut counters.data_ok, &mut counters.data_all),
            b"bdat" => (&mut counters.bdat_ok, &mut counters.bdat_all),
            _ => continue,
        };
        *sum_ok = sum_ok.saturating_add(ok);
        *sum_all = sum_all.saturating_add(all);
    }
    seen.then_some(counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::{Kind, Service};
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn an_authenticated_client_opens_a_queue_file_and_a_transaction() {
        let line =
            tag("postfix/submission/smtpd[711]", "4N1Hv20sf8zySl: client=unknown[192.0.2.7], sasl_method=LOGIN, sasl_username=alice");
        let found = kinds(&line);
        let [
            Kind::Queue { id, event: QueueEvent::Open { client, service, sasl_username, .. } },
            Kind::Smtp(SmtpEvent::Transaction { queue_id, .. }),
        ] = &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((*id, *queue_id, client.address), (&b"4N1Hv20sf8zySl"[..], &b"4N1Hv20sf8zySl"[..], &b"192.0.2.7"[..]));
        assert_eq!((*service, *sasl_username), (Service::Submission, Some(&b"alice"[..])));
    }

    #[test]
    fn trap_20_a_filters_reinjection_names_its_origin() {
        let line = tag(
            "postfix/smtpd[720]",
            "4N1Hv51tY6zySm: client=localhost[127.0.0.1], orig_queue_id=4N1Hv20sf8zySl, orig_client=unknown[192.0.2.7]",
        );
        let found = kinds(&line);
        let Kind::Queue { event: QueueEvent::Open { orig_queue_id, orig_client, sasl_username, .. }, .. } = &found[0] else { panic!() };
        assert_eq!((*orig_queue_id, *orig_client, *sasl_username), (Some(&b"4N1Hv20sf8zySl"[..]), Some(&b"unknown[192.0.2.7]"[..]), None));
    }

    #[test]
    fn a_login_name_with_commas_is_kept_whole() {
        let line = tag(
            "postfix/smtpd[1]",
            "1E240200F1: client=a[192.0.2.7]:4025, sasl_method=PLAIN, sasl_username=a, b c, sasl_sender=x@u.example",
        );
        let found = kinds(&line);
        let Kind::Queue { event: QueueEvent::Open { sasl_username, client, .. }, .. } = &found[0] else { panic!() };
        assert_eq!((*sasl_username, client.name), (Some(&b"a, b c"[..]), &b"a"[..]));
    }

    #[test]
    fn disconnect_counters_tell_accepted_from_tried() {
        let line = tag(
            "postfix/smtpd[1]",
            "disconnect from unknown[2001:db8::1] ehlo=2 starttls=1 auth=1/3 mail=1 rcpt=0/1 data=0/1 bdat=1 quit=1 commands=6/9 notes=bare_lf",
        );
        let found = kinds(&line);
        let Kind::Smtp(SmtpEvent::Disconnect { client, counters: Some(c), .. }) = &found[0] else { panic!() };
        assert_eq!(client.address, b"2001:db8::1");
        assert_eq!((c.auth_ok, c.auth_all, c.rcpt_ok, c.rcpt_all), (1, 3, 0, 1));
        assert_eq!((c.data_ok, c.data_all, c.bdat_ok, c.bdat_all, c.messages()), (0, 1, 1, 1, (1, 1)));
        let old = tag("postfix/smtpd[1]", "disconnect from unknown[192.0.2.1]");
        assert!(matches!(kinds(&old)[0], Kind::Smtp(SmtpEvent::Disconnect { counters: None, .. })));
    }

    #[test]
    fn a_lost_connection_names_the_stage_and_since_3_10_the_queue_id() {
        let old = tag("postfix/smtpd[1]", "lost connection after DATA (1234 bytes) from unknown[192.0.2.1]");
        assert!(matches!(kinds(&old)[..], [Kind::Smtp(SmtpEvent::Lost { stage: Stage::Data, .. })]));
        let new = tag("postfix/smtpd[1]", "1E240200F1: timeout after DATA from unknown[192.0.2.1]");
        assert!(matches!(kinds(&new)[..], [Kind::Queue { event: QueueEvent::Lost { .. }, .. }, Kind::Smtp(SmtpEvent::Lost { .. })]));
        let none = tag("postfix/smtpd[1]", "NOQUEUE: lost connection after CONNECT from unknown[192.0.2.1]");
        assert!(matches!(kinds(&none)[..], [Kind::Smtp(SmtpEvent::Lost { stage: Stage::Connect, .. })]));
    }
}
