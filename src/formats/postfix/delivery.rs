//! The delivery record, one grammar for all delivery agents: `to=<…>, relay=…, delay=…, dsn=…, status=… (…)`.

use super::queue_id;
use crate::formats::event::{Delivery, Program, QueueEvent, Status};
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};
use crate::formats::syslog::daemon::{Postfix, PostfixProgram};
use memchr::memrchr;

/// Reads a delivery record. Fields stand in a fixed order, so that nothing a remote server replied can be taken for one.
pub(super) fn record<'a>(who: Postfix, id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(delivery) = parse(agent(who), body) else { return Fate::BAD_BODY };
    if delivery.program == Program::Lmtp {
        sink.own_name(socket_owner(delivery.relay).unwrap_or_default());
    }
    sink.queue(id, QueueEvent::Delivery(delivery))
}

fn agent(who: Postfix) -> Program {
    match who.program {
        PostfixProgram::Known(program) => program,
        _ => Program::Agent,
    }
}

fn parse(program: Program, body: &[u8]) -> Option<Delivery<'_>> {
    let (recipient, mut rest) = address(body.strip_prefix(b"to=")?)?;
    let mut orig_recipient = None;
    if let Some(text) = rest.strip_prefix(b"orig_to=") {
        let (orig, after) = address(text)?;
        orig_recipient = Some(orig);
        rest = after;
    }
    let mut relay = &b""[..];
    let mut delay_seconds = 0.0;
    let mut dsn = None;
    loop {
        if let Some(text) = rest.strip_prefix(b"status=") {
            let (status, reply) = status(text);
            let next_id = if status == Status::Sent { next_id(reply) } else { None };
            return Some(Delivery { program, recipient, orig_recipient, relay, delay_seconds, dsn, status, reply, next_id });
        }
        let (field, after) = scan::split_byte(rest, b',')?;
        if let Some(value) = field.strip_prefix(b"relay=") {
            relay = value;
        } else if let Some(value) = field.strip_prefix(b"delay=") {
            delay_seconds = seconds(value);
        } else if let Some(value) = field.strip_prefix(b"dsn=") {
            dsn = enhanced_code(value);
        }
        rest = after.strip_prefix(b" ").unwrap_or(after);
    }
}

/// An address with its brackets, or, before Postfix 2.3 and in some rewritten logs, without; and what follows `, `.
fn address(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.starts_with(b"<") {
        let (address, rest) = scan::angle(text, scan::comma_or_end)?;
        return Some((address, rest.strip_prefix(b", ").or_else(|| rest.strip_prefix(b",")).unwrap_or(rest)));
    }
    scan::split(text, b", ")
}

/// The word after `status=`, and the text in brackets up to the last closing one. A line that was cut has no last one.
fn status(text: &[u8]) -> (Status, &[u8]) {
    let end = text.iter().position(|b| !(b.is_ascii_alphabetic() || *b == b'-')).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let status = match word {
        b"sent" => Status::Sent,
        b"bounced" => Status::Bounced,
        b"deferred" => Status::Deferred,
        b"SOFTBOUNCE" => Status::SoftBounce,
        b"deliverable" | b"undeliverable" | b"undeliverable-but-not-cached" => Status::Probe,
        _ => Status::Other,
    };
    let reply = rest.strip_prefix(b" (").unwrap_or_default();
    let reply = memrchr(b')', reply).filter(|at| is_tail_of_line(reply, *at)).and_then(|at| reply.get(..at)).unwrap_or(reply);
    (status, reply)
}

/// The last closing bracket ends the reply only if nothing but an exporter's decoration follows; otherwise the line was cut inside
/// the reply and the bracket is the reply's own.
fn is_tail_of_line(reply: &[u8], at: usize) -> bool {
    reply.get(at + 1..).unwrap_or_default().iter().all(|b| matches!(b, b' ' | b',' | b'"' | b'$' | b'>' | b';' | b'\t'))
}

/// `2.0.0`
fn enhanced_code(text: &[u8]) -> Option<(u8, u16, u16)> {
    let (class, rest) = scan::number(text)?;
    let (subject, rest) = scan::number(rest.strip_prefix(b".")?)?;
    let (detail, _) = scan::number(rest.strip_prefix(b".")?)?;
    Some((u8::try_from(class).ok()?, u16::try_from(subject).ok()?, u16::try_from(detail).ok()?))
}

/// Powers of ten that a fraction is divided by, all of them exact.
const TENS: [f64; 19] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// `63495`, `0.07`: Postfix writes no exponents.
fn seconds(text: &[u8]) -> f64 {
    let (whole, rest) = scan::number(text).unwrap_or((0, text));
    let Some(digits) = rest.strip_prefix(b".") else { return whole as f64 };
    let Some((fraction, after)) = scan::number(digits) else { return whole as f64 };
    let length = digits.len() - after.len();
    whole as f64 + fraction as f64 / TENS[length.min(TENS.len() - 1)]
}

/// The queue id that the receiver of a message named in its reply, if it is one of Postfix's or a mail gateway's.
pub(super) fn next_id(reply: &[u8]) -> Option<&[u8]> {
    if let Some((_, text)) = scan::split_last(reply, b"queued as ") {
        return queue_id_at(text);
    }
    if let Some(text) = reply.strip_prefix(b"forwarded as ") {
        return queue_id_at(text);
    }
    let log_id = reply.strip_prefix(b"250 2.5.0 OK (")?;
    let log_id = scan::split_byte(log_id, b')')?.0;
    super::super::pmg::is_log_id(log_id).then_some(log_id)
}

fn queue_id_at(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))).unwrap_or(text.len());
    let id = text.get(..end)?;
    let id = id.strip_suffix(b".").unwrap_or(id);
    (queue_id::is_short(id) || queue_id::is_long(id)).then_some(id)
}

/// The name in `mail.u.example[private/dovecot-lmtp]`, which is `$myhostname`.
fn socket_owner(relay: &[u8]) -> Option<&[u8]> {
    let (name, rest) = scan::split_byte(relay, b'[')?;
    (rest.starts_with(b"private/") || rest.starts_with(b"public/")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Delivery<'_> {
        parse(Program::Smtp, body.as_bytes()).unwrap()
    }

    const HEAD: &str = "to=<a@x.example>, relay=mx.x.example[203.0.113.9]:25, delay=2.5, delays=0.1/0/0.4/2, dsn=2.0.0, status=";

    #[test]
    fn every_field_of_a_record_is_read() {
        let line = "to=<a@x.example>, orig_to=<list@u.example>, relay=mx.x.example[203.0.113.9]:25, conn_use=3, delay=2.5, \
                    delays=0.1/0/0.4/2, tls=dane/!requiretls:nocertmatch, dsn=2.1.5, status=sent (250 2.0.0 Ok: queued as 1E240200F1)";
        let delivery = read(line);
        assert_eq!(delivery.recipient, b"a@x.example");
        assert_eq!(delivery.orig_recipient, Some(&b"list@u.example"[..]));
        assert_eq!(delivery.relay, b"mx.x.example[203.0.113.9]:25");
        assert!((delivery.delay_seconds - 2.5).abs() < 1e-9);
        assert_eq!((delivery.dsn, delivery.status), (Some((2, 1, 5)), Status::Sent));
        assert_eq!(delivery.next_id, Some(&b"1E240200F1"[..]));
    }

    #[test]
    fn trap_16_words_inside_the_reply_are_not_the_records_own() {
        let line = format!(
            "{HEAD}bounced (host mx.x.example[203.0.113.9] said: 550 5.1.1 <a@x.example>, status=sent (x) from=<y> queued as 1E240200F1 (in reply to RCPT TO command))"
        );
        let delivery = read(&line);
        assert_eq!(delivery.status, Status::Bounced);
        assert!(delivery.reply.ends_with(b"(in reply to RCPT TO command)"));
        assert_eq!(delivery.next_id, None);
        let quoted = read(r#"to=<"x>, relay=none, status=sent (y"@d.example>, relay=none, delay=0, dsn=5.1.1, status=bounced (no)"#);
        assert_eq!((quoted.status, quoted.recipient), (Status::Bounced, &br#""x>, relay=none, status=sent (y"@d.example"#[..]));
    }

    #[test]
    fn trap_15_a_cut_line_keeps_recipient_status_and_the_start_of_the_reply() {
        let line = format!("{HEAD}bounced (host mx.x.example[203.0.113.9] said: 550 5.7.1 Message (spam) blo");
        let delivery = read(&line);
        assert_eq!((delivery.recipient, delivery.status), (&b"a@x.example"[..], Status::Bounced));
        assert!(delivery.reply.ends_with(b"Message (spam) blo"));
        assert_eq!(read(&format!("{HEAD}sent")).status, Status::Sent);
        assert_eq!(read(&format!("{HEAD}sent (250 ok),,,,")).reply, b"250 ok");
    }

    #[test]
    fn an_unknown_word_is_never_success() {
        assert_eq!(read(&format!("{HEAD}failed (delivered to mailbox)")).status, Status::Other);
        assert_eq!(read(&format!("{HEAD}SOFTBOUNCE (x)")).status, Status::SoftBounce);
        assert_eq!(read(&format!("{HEAD}undeliverable-but-not-cached (x)")).status, Status::Probe);
    }

    #[test]
    fn only_ids_of_our_own_kind_are_followed() {
        for (reply, id) in [
            ("250 2.0.0 Ok: queued as 4N1Hv51tY6zySm", Some("4N1Hv51tY6zySm")),
            ("250 2.0.0 Ok: 1234 bytes queued as 1E240200F1", Some("1E240200F1")),
            ("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4N1Hv51tY6zySm", Some("4N1Hv51tY6zySm")),
            ("forwarded as 1E240200F1", Some("1E240200F1")),
            ("250 2.5.0 OK (1E23A6361A4E2F1B2C3)", Some("1E23A6361A4E2F1B2C3")),
            ("250 OK id=1oPabc-0003Ab-7X", None),
            ("250 2.6.0 <m@x.example> [InternalId=1, Hostname=h.x.example] Queued mail for delivery", None),
            ("250 2.0.0 OK  1667232062 a1-20020a5d.123 - gsmtp", None),
            ("250 Message queued as 0100018e-abc.def", None),
            ("250 2.1.5 Ok SESSIONID=<cyrus-1-2>", None),
        ] {
            let line = format!("{HEAD}sent ({reply})");
            assert_eq!(read(&line).next_id, id.map(str::as_bytes), "{reply}");
        }
    }

    #[test]
    fn an_old_record_without_brackets_and_codes_is_read() {
        let delivery = read("to=user@h.example, orig_to=root@localhost, relay=local, delay=0, status=sent (mailbox)");
        assert_eq!((delivery.recipient, delivery.dsn), (&b"user@h.example"[..], None));
    }
}
