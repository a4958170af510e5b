//! rspamd: its task line about each message, which names the authenticated user and every recipient.

use super::event::QueueEvent;
use super::scan;
use super::sink::{Fate, Sink};
use crate::domain::outcome::Reason;

/// Reads `…; task; rspamd_task_write_log: id: <mid>, qid: <QID>, ip: A, user: U, from: <S>, (default: F (reject): [..]), …`.
pub(super) fn body<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(text) = scan::after(body, b"rspamd_task_write_log: ") else { return Fate::NO_FACT };
    // Fields stand in a fixed order; the Message-ID before them is a stranger's text, so it is stepped over first.
    let Some((_, rest)) = scan::split(text, b">, qid: <") else { return Fate::NO_FACT };
    let Some((id, rest)) = scan::split_byte(rest, b'>') else { return Fate::NO_FACT };
    let field = |key: &[u8]| scan::after(rest, key).map(|value| scan::until(value, b",")).and_then(scan::non_empty);
    let sender = scan::after(rest, b" from: <").map_or(&b""[..], |value| scan::until(value, b">"));
    let Some((_, result)) = scan::split(rest, b", (default: ") else { return Fate::NO_FACT };
    let Some((_, action)) = scan::split_byte(result, b'(') else { return Fate::NO_FACT };
    let action = scan::until(action, b")");
    let recipients = scan::split_last(result, b", rcpts: <").map_or(&b""[..], |(_, list)| scan::until(list, b">"));
    let quarantined = action == b"quarantine";
    let discarded = action == b"discard";
    let refused = matches!(action, b"reject" | b"soft reject" | b"greylist");
    let reason = match action {
        b"greylist" | b"soft reject" => Reason::Policy,
        b"no action" => Reason::Other,
        _ => Reason::Content,
    };
    sink.queue(
        id,
        QueueEvent::Verdict {
            account: field(b" user: "),
            client: field(b" ip: "),
            sender,
            recipients,
            passed: !(refused || quarantined || discarded),
            quarantined,
            discarded,
            reason,
            queued_as: None,
            reply: action,
        },
    )
}

/// The text of a line of rspamd's own file after its stamp: `#123(rspamd_proxy) <tag>; task; …`.
pub(super) fn is_own_line(text: &[u8]) -> bool {
    scan::trim_start(text).strip_prefix(b"#").and_then(scan::number).is_some_and(|(_, rest)| rest.starts_with(b"("))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn the_task_line_names_user_recipients_and_action() {
        let line = tag(
            "rspamd[9]",
            "<a1b2c3>; task; rspamd_task_write_log: id: <m, user: x@evil>, qid: <1E240200F1>, ip: 192.0.2.7, user: suzuki, from: <suzuki@u.example>, (default: T (reject): [19.90/15.00] [BAYES_SPAM(5.1){99%;}]), len: 999, time: 90ms, digest: <d>, rcpts: <a@x.example,b@y.example>, mime_rcpts: <c@z>",
        );
        let found = kinds(&line);
        let Kind::Queue { id, event: QueueEvent::Verdict { account, recipients, passed, reason, sender, client, .. } } = &found[0] else {
            panic!()
        };
        assert_eq!((*id, *account), (&b"1E240200F1"[..], Some(&b"suzuki"[..])));
        assert_eq!((*sender, *recipients), (&b"suzuki@u.example"[..], &b"a@x.example,b@y.example"[..]));
        assert_eq!((*passed, *reason, *client), (false, Reason::Content, Some(&b"192.0.2.7"[..])));
    }
}
