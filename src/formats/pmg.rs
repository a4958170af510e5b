//! Proxmox Mail Gateway: lines of its filter, keyed by its log id, which Postfix names in the reply `250 2.5.0 OK (LOGID)`.

use super::event::QueueEvent;
use super::scan;
use super::sink::{Fate, Sink};
use crate::domain::outcome::Reason;

/// Whether a word is a log id: inode, eight digits of seconds and five of microseconds, all hexadecimal.
pub(super) fn is_log_id(text: &[u8]) -> bool {
    (14..=32).contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Reads `LOGID: accept mail to <R> (QID2) (rule: N)` and its like.
pub(super) fn body<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((id, text)) = scan::split(body, b": ").filter(|(id, _)| is_log_id(id)) else { return Fate::NO_FACT };
    if let Some(header) = text.strip_prefix(b"new mail message-id=") {
        let header = header.strip_suffix(b"#012").unwrap_or(header).trim_ascii_end();
        return sink.queue(id, QueueEvent::MessageId { id: header });
    }
    let (passed, quarantined, address) = if let Some(rest) = text.strip_prefix(b"accept mail to ") {
        (true, false, rest)
    } else if let Some(rest) = text.strip_prefix(b"block mail to ") {
        (false, false, rest)
    } else if let Some(rest) = text.strip_prefix(b"moved mail for ") {
        (false, true, rest)
    } else {
        return Fate::NO_FACT;
    };
    let Some((_, rest)) = scan::angle(address, scan::tail_or_end) else { return Fate::NO_FACT };
    let recipients = address.get(..address.len() - rest.len()).unwrap_or_default();
    let queued_as = rest.strip_prefix(b" (").filter(|_| passed).map(|id| scan::until(id, b")")).and_then(scan::non_empty);
    let reason = if passed { Reason::Other } else { Reason::Content };
    sink.queue(
        id,
        QueueEvent::Verdict {
            account: None,
            client: None,
            sender: b"",
            recipients,
            passed,
            quarantined,
            discarded: false,
            reason,
            queued_as,
            reply: text,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn each_recipient_has_its_own_verdict_under_the_log_id() {
        let read = |body: &str| {
            let line = tag("pmg-smtp-filter[9]", &format!("1E23A6361A4E2F1B2C3: {body}"));
            match kinds(&line).into_iter().next() {
                Some(Kind::Queue { event: QueueEvent::Verdict { passed, quarantined, queued_as, recipients, .. }, .. }) => {
                    (passed, quarantined, queued_as.is_some(), recipients.to_vec())
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            read("accept mail to <a@x.example> (1E240200F1) (rule: default-accept)"),
            (true, false, true, b"<a@x.example>".to_vec())
        );
        assert_eq!(read("block mail to <a@x.example> (rule: Block Viruses)"), (false, false, false, b"<a@x.example>".to_vec()));
        assert_eq!(
            read("moved mail for <a@x.example> to spam quarantine - Q1 (rule: Spam)"),
            (false, true, false, b"<a@x.example>".to_vec())
        );
        let new = tag("pmg-smtp-filter[9]", "1E23A6361A4E2F1B2C3: new mail message-id=<m@x.example>#012");
        assert!(matches!(kinds(&new)[0], Kind::Queue { event: QueueEvent::MessageId { id: b"<m@x.example>" }, .. }));
    }
}
