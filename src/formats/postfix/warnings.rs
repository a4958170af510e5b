//! Bodies with a severity word: failed logins, messages refused for size or loops, clock trouble. All other warnings carry no fact.

use super::{client as read_client, queue_id};
use crate::formats::event::{Action, QueueEvent, SmtpEvent, Stage, SystemEvent};
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};
use crate::formats::syslog::daemon::Postfix;

/// Reads a body that may begin with `warning: ` and its like.
pub(super) fn body<'a>(who: Postfix, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(text) = [&b"warning: "[..], b"error: ", b"fatal: ", b"panic: "].iter().find_map(|word| body.strip_prefix(*word)) else {
        return Fate::NO_FACT;
    };
    if let Some((id, rest)) = queue_id::split(text) {
        return about_message(id, rest, sink);
    }
    if let Some((peer, rest)) = scan::split(text, b": SASL ") {
        return sasl(who, peer, rest, sink);
    }
    if scan::contains(text, b"seconds into the future") || text.starts_with(b"file system clock is ") {
        return sink.system(SystemEvent::ClockStep { detail: text });
    }
    Fate::NO_FACT
}

/// `name[ip]: SASL LOGIN authentication failed: REASON, sasl_username=NAME`.
fn sasl<'a>(who: Postfix, peer: &'a [u8], text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((mechanism, rest)) = scan::split(text, b" authentication failed:") else { return Fate::NO_FACT };
    let Some((client, b"")) = read_client(peer) else { return Fate::NO_FACT };
    let (reason, username) = scan::split_last(rest, b", sasl_username=").map_or((rest, None), |(reason, name)| (reason, Some(name)));
    let reason = scan::trim_start(reason);
    // The back end did not answer: no password was judged.
    if reason.starts_with(b"Connection lost to authentication server") {
        return Fate::NO_FACT;
    }
    let username = username.filter(|name| *name != b"(unavailable)").and_then(scan::non_empty);
    sink.smtp(SmtpEvent::AuthFailed { client, service: who.service, mechanism, reason, username })
}

/// Warnings that a message was refused.
fn about_message<'a>(id: &'a [u8], text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let action = if text.starts_with(b"queue file size limit exceeded") || text.starts_with(b"message rejected: ") {
        Action::Reject
    } else if scan::contains(text, b"message not accepted, try again later") {
        Action::TempReject
    } else {
        return Fate::NO_FACT;
    };
    sink.queue(
        id,
        QueueEvent::Decision {
            action,
            stage: Stage::EndOfMessage,
            sender: None,
            recipient: None,
            sasl_username: None,
            client: None,
            reply: text,
            by_milter: false,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::{Kind, Service};
    use crate::formats::testing::{kinds, tag};

    fn failed(body: &str) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let line = tag("postfix/submission/smtpd[5]", body);
        match kinds(&line).into_iter().next() {
            Some(Kind::Smtp(SmtpEvent::AuthFailed { reason, username, service: Service::Submission, .. })) => {
                Some((reason.to_vec(), username.map(<[u8]>::to_vec)))
            }
            _ => None,
        }
    }

    #[test]
    fn trap_19_a_version_that_names_no_user_is_not_an_empty_user() {
        assert_eq!(
            failed("warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"),
            Some((b"UGFzc3dvcmQ6".to_vec(), None))
        );
        assert_eq!(failed("warning: unknown[192.0.2.7]: SASL LOGIN authentication failed:"), Some((vec![], None)));
        assert_eq!(
            failed("warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=info"),
            Some((b"(reason unavailable)".to_vec(), Some(b"info".to_vec())))
        );
        assert_eq!(failed("warning: a[192.0.2.7]: SASL PLAIN authentication failed: , sasl_username=(unavailable)"), Some((vec![], None)));
    }

    #[test]
    fn what_judged_no_password_is_no_failed_login() {
        for body in [
            "warning: SASL authentication failure: Password verification failed",
            "warning: a[192.0.2.7]: SASL LOGIN authentication aborted",
            "warning: a[192.0.2.7]: SASL LOGIN authentication failed: Connection lost to authentication server",
            "warning: hostname a.example does not resolve to address 192.0.2.7",
        ] {
            assert_eq!(failed(body), None, "{body}");
        }
    }

    #[test]
    fn a_message_over_the_size_limit_was_refused() {
        let line = tag("postfix/cleanup[5]", "warning: 1E240200F1: queue file size limit exceeded");
        assert!(matches!(kinds(&line)[0], Kind::Queue { event: QueueEvent::Decision { action: Action::Reject, .. }, .. }));
        assert!(kinds(&tag("postfix/smtpd[5]", "warning: 1E240200F1: something else")).is_empty());
    }
}
