//! Lines of the queue manager about a queue file: active, expired, removed.

use super::program;
use crate::formats::event::QueueEvent;
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};
use crate::formats::syslog::daemon::Postfix;

/// `from=<…>, size=…, nrcpt=… (queue active)` or `from=<…>, status=expired, returned to sender`.
pub(super) fn from<'a>(id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((sender, rest)) = body.strip_prefix(b"from=").and_then(|text| scan::angle(text, scan::comma_or_end)) else {
        return Fate::BAD_BODY;
    };
    if let Some(text) = rest.strip_prefix(b", size=") {
        let Some((size, rest)) = scan::number(text) else { return Fate::BAD_BODY };
        let Some((recipients, rest)) = rest.strip_prefix(b", nrcpt=").and_then(scan::number) else { return Fate::BAD_BODY };
        if !rest.starts_with(b" (queue active") && !rest.is_empty() {
            return Fate::NO_FACT;
        }
        let recipients = u32::try_from(recipients).unwrap_or(u32::MAX);
        return sink.queue(id, QueueEvent::Active { sender, size, recipients });
    }
    if let Some(text) = rest.strip_prefix(b", status=") {
        let forced = text.starts_with(b"force-expired");
        if forced || text.starts_with(b"expired") {
            return sink.queue(id, QueueEvent::Expired { sender, forced });
        }
        return Fate::NO_FACT;
    }
    // A line cut inside the address.
    Fate::BAD_BODY
}

/// `removed`, `removed (canceled)`, `removed (discarded)`.
pub(super) fn removed<'a>(who: Postfix, id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let note = body.strip_prefix(b"removed").unwrap_or_default();
    if !note.is_empty() && !note.starts_with(b" (") && !note.iter().all(|b| matches!(b, b' ' | b',' | b'"' | b'$')) {
        return Fate::NO_FACT;
    }
    let cancelled = note.starts_with(b" (cancel");
    let discarded = note.starts_with(b" (discard");
    sink.queue(id, QueueEvent::Removed { by: program(who), cancelled, discarded })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::{Kind, Program};
    use crate::formats::testing::{kinds, tag};

    fn event(tag_text: &str, body: &str) -> String {
        format!("{:?}", kinds(&tag(tag_text, body)))
    }

    #[test]
    fn trap_7_each_activation_is_an_event_of_the_same_queue_file() {
        let line = tag("postfix/qmgr[5]", "1E240200F1: from=<a b@u.example>, size=2100, nrcpt=2 (queue active)");
        let found = kinds(&line);
        assert_eq!(
            found,
            [Kind::Queue { id: b"1E240200F1", event: QueueEvent::Active { sender: b"a b@u.example", size: 2100, recipients: 2 } }]
        );
    }

    #[test]
    fn expiry_tells_whether_it_was_forced() {
        assert!(event("postfix/qmgr[5]", "1E240200F1: from=<>, status=expired, returned to sender").contains("forced: false"));
        assert!(event("postfix/qmgr[5]", "1E240200F1: from=<a@x>, status=force-expired, returned to sender").contains("forced: true"));
    }

    #[test]
    fn removed_by_the_operator_is_told_from_removed_at_the_end() {
        let by = |tag_text: &str| match &kinds(&tag(tag_text, "1E240200F1: removed"))[0] {
            Kind::Queue { event: QueueEvent::Removed { by, .. }, .. } => *by,
            other => panic!("{other:?}"),
        };
        assert_eq!(by("postfix/qmgr[5]"), Program::Qmgr);
        assert_eq!(by("postfix/postsuper[5]"), Program::Postsuper);
        assert_eq!(by("postfix[5]"), Program::Other);
        assert!(event("postfix/cleanup[5]", "1E240200F1: removed (canceled)").contains("cancelled: true"));
        assert!(event("postfix/cleanup[5]", "1E240200F1: removed (discarded)").contains("discarded: true"));
    }
}
