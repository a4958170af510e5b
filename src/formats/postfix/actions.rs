//! Refusals and other actions: of the SMTP server's access rules, of postscreen, of header and body checks, and of milters.
//!
//! An action that only warns, logs, adds something or routes elsewhere decides nothing and is no event.

use super::client as read_client;
use super::smtpd::stage_of;
use crate::domain::outcome::Reason;
use crate::formats::event::{Action, Client, Program, QueueEvent, Reject, SmtpEvent, Stage};
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};
use crate::formats::syslog::daemon::{Postfix, PostfixProgram};

/// `ACTION: STAGE from client: TEXT; from=<…> to=<…> …` or `ACTION: header EXCERPT from ORIGIN; from=<…> …: TEXT`.
pub(super) fn line<'a>(who: Postfix, id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((verb, rest)) = scan::split(body.get(..body.len().min(40)).unwrap_or_default(), b": ") else { return Fate::NO_FACT };
    let rest_at = verb.len() + 2;
    let Some(deed) = Deed::of(verb) else { return Fate::NO_FACT };
    let text = body.get(rest_at..).unwrap_or(rest);
    if deed.content_check || [&b"header "[..], b"body ", b"content ", b"mime-error "].iter().any(|start| text.starts_with(start)) {
        return content_check(id, deed, text, sink);
    }
    let Some(refusal) = Refusal::read(text) else { return Fate::NO_FACT };
    decide(who, id, deed, refusal, sink)
}

/// What an action word means.
#[derive(Clone, Copy)]
struct Deed {
    action: Action,
    by_milter: bool,
    /// A check of the content after the milters, `milter-header-redirect` and its like.
    content_check: bool,
}

impl Deed {
    fn of(verb: &[u8]) -> Option<Deed> {
        let (by_milter, word) = match verb.strip_prefix(b"milter-") {
            Some(rest) => (true, rest),
            None => (false, verb),
        };
        let (content_check, word) = match word.strip_prefix(b"header-").or_else(|| word.strip_prefix(b"body-")) {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let action = match word {
            b"reject" => Action::Reject,
            b"discard" => Action::Discard,
            b"hold" => Action::Hold,
            b"redirect" => Action::Redirect,
            _ => return None,
        };
        Some(Deed { action, by_milter, content_check })
    }
}

/// The parts of an action line of the SMTP server, postscreen or a milter.
struct Refusal<'a> {
    stage: Stage,
    client: Client<'a>,
    code: u16,
    reply: &'a [u8],
    tail: Tail<'a>,
}

impl<'a> Refusal<'a> {
    fn read(text: &'a [u8]) -> Option<Refusal<'a>> {
        let (stage, rest) = scan::split(text, b" from ")?;
        if stage.contains(&b' ') {
            return None;
        }
        let (client, rest) = read_client(rest)?;
        let rest = rest.strip_prefix(b": ")?;
        let (reply, tail) = split_tail(rest);
        let code = code(reply);
        let mut tail = Tail::read(tail);
        tail.sasl_username = tail.sasl_username.or_else(|| user_in(reply));
        Some(Refusal { stage: stage_of(stage), client, code, reply, tail })
    }
}

/// The user whose session it was, where the sender is not one of the user's own: the reply ends with the login name (`reject_auth_sender_login_mismatch`
/// in smtpd_check.c), also before Postfix 3.10 named it in the tail. The sender, which a stranger chooses, stands before these words.
fn user_in(reply: &[u8]) -> Option<&[u8]> {
    const WORDS: &[u8] = b": Sender address rejected: not owned by user ";
    let at = scan::find_last(reply, WORDS)?;
    scan::non_empty(reply.get(at + WORDS.len()..)?)
}

/// Decides what a refusal is about: the whole message, one recipient, or an attempt before a queue id.
fn decide<'a>(who: Postfix, id: &'a [u8], deed: Deed, refusal: Refusal<'a>, sink: &mut Sink<'_, 'a>) -> Fate {
    let Refusal { stage, client, code, reply, tail } = refusal;
    let by_postscreen = who.program == PostfixProgram::Postscreen;
    // A refused VRFY or ETRN, or a connection that postscreen had no room for, is no attempt to send.
    if stage == Stage::Other || by_postscreen && code == 0 {
        return Fate::NO_FACT;
    }
    let by_cleanup = match who.program {
        PostfixProgram::Known(program) => program == Program::Cleanup,
        // cleanup writes no three-digit code.
        _ => code == 0,
    };
    let whole_message = deed.action != Action::Reject || by_cleanup || stage >= Stage::Data && stage != Stage::Other;
    if !id.is_empty() && whole_message {
        let action = if deed.action == Action::Reject && is_temporary(reply) { Action::TempReject } else { deed.action };
        return sink.queue(
            id,
            QueueEvent::Decision {
                action,
                stage,
                sender: tail.sender,
                recipient: tail.recipient,
                sasl_username: tail.sasl_username,
                client: Some(client),
                reply,
                by_milter: deed.by_milter,
            },
        );
    }
    sink.smtp(SmtpEvent::Reject(Reject {
        queue_id: id,
        action: deed.action,
        stage,
        client,
        service: who.service,
        code,
        reply,
        sender: tail.sender,
        recipient: tail.recipient,
        sasl_username: tail.sasl_username,
        helo: tail.helo,
        by_milter: deed.by_milter,
        by_postscreen,
    }))
}

/// `proxy-reject: END-OF-MESSAGE: REPLY; from=…` and `proxy-accept: …` of a filter before the queue. The line has no queue id; an
/// accepted message gets one behind the filter, which the reply names.
pub(super) fn proxy<'a>(who: Postfix, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let (text, accepted) = match (body.strip_prefix(b"proxy-reject: "), body.strip_prefix(b"proxy-accept: ")) {
        (Some(text), _) => (text, false),
        (_, Some(text)) => (text, true),
        _ => return Fate::NO_FACT,
    };
    let Some((stage, text)) = scan::split(text, b": ") else { return Fate::NO_FACT };
    let (reply, tail) = split_tail(text);
    let tail = Tail::read(tail);
    if !accepted {
        return sink.smtp(SmtpEvent::Reject(Reject {
            queue_id: b"",
            stage: stage_of(stage),
            client: Client { name: b"", address: b"" },
            service: who.service,
            code: code(reply),
            reply,
            sender: tail.sender,
            recipient: tail.recipient,
            sasl_username: tail.sasl_username,
            helo: tail.helo,
            by_milter: false,
            by_postscreen: false,
            action: Action::Reject,
        }));
    }
    let Some(id) = super::delivery::next_id(reply) else { return Fate::NO_FACT };
    sink.smtp(SmtpEvent::HandedBack { queue_id: id, sasl_username: tail.sasl_username });
    sink.queue(
        id,
        QueueEvent::Verdict {
            account: tail.sasl_username,
            client: None,
            sender: tail.sender.unwrap_or_default(),
            // The line names the first recipient only.
            recipients: b"",
            passed: true,
            quarantined: false,
            discarded: false,
            reason: Reason::Other,
            queued_as: None,
            reply,
        },
    )
}

/// The three-digit code at the start of a reply, 0 if there is none.
fn code(reply: &[u8]) -> u16 {
    match reply.first_chunk::<4>() {
        Some([a @ b'2'..=b'5', b, c, b' ' | b'-']) if b.is_ascii_digit() && c.is_ascii_digit() => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => 0,
    }
}

/// A header or body check of cleanup. The excerpt is a stranger's text, so the tail is looked for from the end.
fn content_check<'a>(id: &'a [u8], deed: Deed, text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if id.is_empty() {
        return Fate::NO_FACT;
    }
    let (head, tail) = split_tail(text);
    let client = scan::split_last(head, b" from ").and_then(|(_, origin)| read_client(origin)).map(|(client, _)| client);
    let tail = Tail::read(tail);
    let reply = if tail.text.is_empty() { default_reply(deed.action) } else { tail.text };
    let action = if deed.action == Action::Reject && is_temporary(reply) { Action::TempReject } else { deed.action };
    sink.queue(
        id,
        QueueEvent::Decision {
            action,
            stage: Stage::EndOfMessage,
            sender: tail.sender,
            recipient: tail.recipient,
            sasl_username: tail.sasl_username,
            client,
            reply,
            by_milter: deed.by_milter,
        },
    )
}

/// What Postfix replies where the rule gives no text of its own.
fn default_reply(action: Action) -> &'static [u8] {
    match action {
        Action::Reject | Action::TempReject => b"5.7.1 message content rejected",
        Action::Discard => b"message discarded by a content check",
        Action::Hold => b"message held by a content check",
        Action::Redirect => b"message redirected by a content check",
    }
}

/// Whether a reply with or without a three-digit code is a temporary one.
fn is_temporary(reply: &[u8]) -> bool {
    match reply.first_chunk::<3>() {
        Some([b'4', b'.', digit]) => digit.is_ascii_digit(),
        Some([b'4', a, b]) => a.is_ascii_digit() && b.is_ascii_digit(),
        _ => false,
    }
}

/// Cuts `TEXT; from=<…> …` before the tail. TEXT holds semicolons and may quote a stranger, so the last possible place counts.
fn split_tail(text: &[u8]) -> (&[u8], &[u8]) {
    let found = [&b"; from=<"[..], b"; to=<", b"; proto="].iter().find_map(|mark| {
        let at = scan::find_last(text, mark)?;
        Some((text.get(..at)?, text.get(at + 2..)?))
    });
    found.unwrap_or((text.strip_suffix(b";").unwrap_or(text), b""))
}

/// What follows TEXT: `from=<…> to=<…> proto=… helo=<…> sasl_username=…`, and for content checks `: text`.
#[derive(Default)]
struct Tail<'a> {
    sender: Option<&'a [u8]>,
    recipient: Option<&'a [u8]>,
    helo: Option<&'a [u8]>,
    sasl_username: Option<&'a [u8]>,
    text: &'a [u8],
}

impl<'a> Tail<'a> {
    fn read(mut rest: &'a [u8]) -> Tail<'a> {
        let mut tail = Tail::default();
        loop {
            // postscreen separates by commas, the SMTP server by blanks.
            rest = scan::trim_start(rest.strip_prefix(b",").unwrap_or(rest));
            let (slot, value) = if let Some(value) = rest.strip_prefix(b"from=") {
                (Some(&mut tail.sender), value)
            } else if let Some(value) = rest.strip_prefix(b"to=") {
                (Some(&mut tail.recipient), value)
            } else if let Some(value) = rest.strip_prefix(b"helo=") {
                (Some(&mut tail.helo), value)
            } else if let Some(value) = rest.strip_prefix(b"sasl_username=") {
                (Some(&mut tail.sasl_username), value)
            } else if let Some(value) = [&b"proto="[..], b"sasl_method=", b"sasl_sender="].iter().find_map(|key| rest.strip_prefix(*key)) {
                (None, value)
            } else {
                break;
            };
            let (value, after) = if value.starts_with(b"<") {
                scan::angle(value, scan::tail_or_end).unwrap_or((value, b""))
            } else {
                let end = value.iter().position(|b| matches!(b, b' ' | b',' | b':')).unwrap_or(value.len());
                value.split_at(end)
            };
            if let Some(slot) = slot {
                *slot = Some(value);
            }
            rest = after;
        }
        tail.sasl_username = tail.sasl_username.and_then(scan::non_empty);
        tail.text = rest.strip_prefix(b": ").unwrap_or_default();
        tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    fn reject(line: &str) -> Reject<'_> {
        match kinds(line).into_iter().next() {
            Some(Kind::Smtp(SmtpEvent::Reject(reject))) => reject,
            other => panic!("{other:?}"),
        }
    }

    fn decision(line: &str) -> (Action, Stage, &[u8], bool) {
        match kinds(line).into_iter().next() {
            Some(Kind::Queue { event: QueueEvent::Decision { action, stage, reply, by_milter, .. }, .. }) => {
                (action, stage, reply, by_milter)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rate_limit_before_a_queue_id_is_a_refusal_with_its_reply() {
        let line = tag(
            "postfix/submission/smtpd[1]",
            "NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <suzuki>: Recipient address rejected: rate limit exceeded for suzuki; from=<suzuki@u.example> to=<a@x.example> proto=ESMTP helo=<[10.0.0.1]>",
        );
        let reject = reject(&line);
        assert_eq!((reject.code, reject.stage), (554, Stage::Rcpt));
        assert_eq!(reject.reply, b"554 5.7.1 <suzuki>: Recipient address rejected: rate limit exceeded for suzuki");
        assert_eq!((reject.sender, reject.recipient), (Some(&b"suzuki@u.example"[..]), Some(&b"a@x.example"[..])));
        assert_eq!(reject.helo, Some(&b"[10.0.0.1]"[..]));
    }

    #[test]
    fn trap_17_semicolons_of_a_block_list_do_not_break_the_tail() {
        let line = tag(
            "postfix/smtpd[1]",
            "NOQUEUE: reject: RCPT from h.example[198.51.100.2]: 554 5.7.1 Service unavailable; Client host [198.51.100.2] blocked using bl.example; listed; see https://bl.example/q; from=<s@x.example> to=<r@u.example> proto=ESMTP helo=<h.example>",
        );
        let reject = reject(&line);
        assert!(reject.reply.ends_with(b"see https://bl.example/q"));
        assert_eq!((reject.recipient, reject.helo), (Some(&b"r@u.example"[..]), Some(&b"h.example"[..])));
    }

    #[test]
    fn a_refused_recipient_of_an_open_transaction_leaves_the_message_alive() {
        let line = tag(
            "postfix/smtpd[1]",
            "1E240200F1: reject: RCPT from a[192.0.2.7]: 550 5.1.1 <x@u.example>: Recipient address rejected: User unknown; from=<> to=<x@u.example> proto=ESMTP helo=<a>",
        );
        assert_eq!(reject(&line).queue_id, b"1E240200F1");
        let line = tag(
            "postfix/smtpd[1]",
            "1E240200F1: reject: END-OF-MESSAGE from a[192.0.2.7]: 450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: quota; from=<s@u.example> proto=ESMTP helo=<a>",
        );
        assert_eq!(decision(&line).0, Action::TempReject);
    }

    #[test]
    fn a_header_check_decides_about_the_whole_message() {
        let line = tag(
            "postfix/cleanup[1]",
            "1E240200F1: reject: header Subject: win; from=<fake@x> from x[192.0.2.1] from unknown[192.0.2.7]; from=<s@u.example> to=<r@x.example> proto=ESMTP helo=<a>: 5.7.1 Message blocked by outbound filter",
        );
        assert_eq!(decision(&line), (Action::Reject, Stage::EndOfMessage, &b"5.7.1 Message blocked by outbound filter"[..], false));
        let found = kinds(&line);
        let Kind::Queue { event: QueueEvent::Decision { client: Some(client), sender, .. }, .. } = &found[0] else { panic!() };
        assert_eq!((client.address, *sender), (&b"192.0.2.7"[..], Some(&b"s@u.example"[..])));
        let silent = tag("postfix/cleanup[1]", "1E240200F1: reject: body buy now from local; from=<s@u.example> to=<r@x.example>");
        assert_eq!(decision(&silent).2, b"5.7.1 message content rejected");
    }

    #[test]
    fn milters_decide_with_and_without_a_reply_code() {
        let line = tag(
            "postfix/cleanup[1]",
            "1E240200F1: milter-reject: END-OF-MESSAGE from a[192.0.2.7]: 5.7.1 Spam message rejected; from=<s@u.example> to=<r@x.example> proto=ESMTP helo=<a> sasl_username=<s>",
        );
        assert_eq!(decision(&line), (Action::Reject, Stage::EndOfMessage, &b"5.7.1 Spam message rejected"[..], true));
        let line = tag(
            "postfix/smtpd[1]",
            "NOQUEUE: milter-reject: RCPT from a[192.0.2.7]: 451 4.7.1 Greylisting in action; from=<s@u.example> to=<r@x.example> proto=ESMTP helo=<a> sasl_username=<suzuki>",
        );
        let reject = reject(&line);
        assert_eq!((reject.code, reject.by_milter, reject.sasl_username), (451, true, Some(&b"suzuki"[..])));
        let line = tag(
            "postfix/cleanup[1]",
            "1E240200F1: milter-header-redirect: header X-Spam: Yes from a[192.0.2.7]; from=<s@x.example> to=<r@u.example> proto=ESMTP helo=<a>: junk@u.example",
        );
        assert_eq!((decision(&line).0, decision(&line).2), (Action::Redirect, &b"junk@u.example"[..]));
    }

    #[test]
    fn a_filter_before_the_queue_refuses_with_its_own_words() {
        let line = tag(
            "postfix/submission/smtpd[1]",
            "proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=00300-02 - INFECTED: X; from=<s@u.example> to=<r@x.example> proto=ESMTP helo=<pc> sasl_username=<suzuki>",
        );
        let reject = reject(&line);
        assert_eq!((reject.code, reject.stage, reject.sasl_username), (554, Stage::EndOfMessage, Some(&b"suzuki"[..])));
        assert_eq!(reject.reply, b"554 5.7.0 Reject, id=00300-02 - INFECTED: X");
    }

    #[test]
    fn postfix_3_10_names_the_user_of_a_refusal() {
        let line = tag(
            "postfix/smtpd[1]",
            "NOQUEUE: reject: RCPT from a[192.0.2.7]: 553 5.7.1 <b@u.example>: Sender address rejected: not owned by user alice; from=<b@u.example> to=<c@x.example> proto=ESMTP helo=<h> sasl_method=LOGIN sasl_username=alice",
        );
        assert_eq!(reject(&line).sasl_username, Some(&b"alice"[..]));
    }

    #[test]
    fn a_sender_that_is_not_the_users_own_is_refused_with_the_users_name() {
        let line = |sender: &str| {
            let reply = format!("553 5.7.1 <{sender}>: Sender address rejected: not owned by user suzuki@u.example");
            tag(
                "postfix/smtpd[1]",
                &format!("NOQUEUE: reject: RCPT from a[192.0.2.7]: {reply}; from=<{sender}> to=<c@x.example> proto=ESMTP helo=<h>"),
            )
        };
        for sender in ["ceo@u.example", "\"a: Sender address rejected: not owned by user ono\"@u.example"] {
            assert_eq!(reject(&line(sender)).sasl_username, Some(&b"suzuki@u.example"[..]), "{sender}");
        }
        let stranger = line("ceo@u.example").replace("not owned by user suzuki@u.example", "not logged in");
        assert_eq!(reject(&stranger).sasl_username, None);
    }

    #[test]
    fn postscreen_separates_by_commas() {
        let line = tag(
            "postfix/postscreen[1]",
            "NOQUEUE: reject: RCPT from [192.0.2.9]:4984: 550 5.7.1 Service unavailable; client [192.0.2.9] blocked using bl.example; from=<s@x.example>, to=<r@u.example>, proto=ESMTP, helo=<h>",
        );
        let reject = reject(&line);
        assert!(reject.by_postscreen);
        assert_eq!(
            (reject.client.address, reject.sender, reject.recipient),
            (&b"192.0.2.9"[..], Some(&b"s@x.example"[..]), Some(&b"r@u.example"[..]))
        );
    }

    #[test]
    fn a_filter_before_the_queue_refuses_or_names_the_id_behind_it() {
        let line = tag(
            "postfix/smtpd[1]",
            "proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=31619-02 - spam; from=<s@u.example> to=<r@x.example> proto=SMTP helo=<h> sasl_username=<suzuki>",
        );
        assert_eq!((reject(&line).code, reject(&line).sasl_username), (554, Some(&b"suzuki"[..])));
        let line = tag(
            "postfix/smtpd[1]",
            "proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as 1E240200F1; from=<s@u.example> to=<r@x.example> proto=ESMTP helo=<h> sasl_username=<suzuki>",
        );
        let found = kinds(&line);
        let verdict = |kind: &Kind<'_>| {
            matches!(kind, Kind::Queue { id: b"1E240200F1", event: QueueEvent::Verdict { account: Some(b"suzuki"), passed: true, .. } })
        };
        let back =
            |kind: &Kind<'_>| matches!(kind, Kind::Smtp(SmtpEvent::HandedBack { queue_id: b"1E240200F1", sasl_username: Some(b"suzuki") }));
        assert!(found.len() == 2 && found.iter().any(verdict) && found.iter().any(back), "{found:?}");
    }

    #[test]
    fn what_only_warns_decides_nothing() {
        for verb in ["reject_warning", "warn", "info", "filter", "bcc", "prepend", "permit", "delay"] {
            let line = tag(
                "postfix/smtpd[1]",
                &format!("1E240200F1: {verb}: RCPT from a[192.0.2.7]: 553 5.7.1 <b>: x; from=<b> to=<c> proto=ESMTP helo=<h>"),
            );
            assert!(kinds(&line).is_empty(), "{verb}");
        }
    }
}
