//! Lines of the programs around the queue: pickup, bounce, postsuper, master.

use super::queue_id;
use crate::formats::event::{NoticeKind, QueueEvent, SystemEvent};
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};

/// `uid=33 from=<www-data>`, `uid=0 from=<…> orig_id=…`.
pub(super) fn pickup<'a>(id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((uid, rest)) = body.strip_prefix(b"uid=").and_then(scan::number) else { return Fate::BAD_BODY };
    let Some((sender, rest)) = rest.strip_prefix(b" from=").and_then(|text| scan::angle(text, scan::tail_or_end)) else {
        return Fate::BAD_BODY;
    };
    if let Some(made) = queue_id::decode_time(id) {
        sink.witness(made);
    }
    let orig_id = rest.strip_prefix(b" orig_id=").and_then(scan::non_empty);
    sink.queue(id, QueueEvent::Pickup { uid: u32::try_from(uid).unwrap_or(u32::MAX), sender, orig_id })
}

/// Whether a body after a queue id is one that [`queue_word`] reads.
pub(super) fn is_tool_word(body: &[u8]) -> bool {
    [&b"sender "[..], b"postmaster ", b"requeued", b"released from hold", b"placed on hold"].iter().any(|start| body.starts_with(start))
}

/// `sender non-delivery notification: ID` of bounce, and the words of postsuper.
pub(super) fn queue_word<'a>(id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if body.starts_with(b"requeued") {
        return sink.queue(id, QueueEvent::Requeued);
    }
    if body.starts_with(b"released from hold") {
        return sink.queue(id, QueueEvent::Released);
    }
    if body.starts_with(b"placed on hold") {
        return sink.queue(id, QueueEvent::Held);
    }
    let (to_postmaster, text) = match body.strip_prefix(b"postmaster ") {
        Some(text) => (true, text),
        None => (false, body.strip_prefix(b"sender ").unwrap_or(body)),
    };
    let Some((what, notice)) = scan::split(text, b" notification: ") else { return Fate::NO_FACT };
    let kind = match what {
        b"non-delivery" => NoticeKind::NonDelivery,
        b"delay" => NoticeKind::Delay,
        b"delivery status" => NoticeKind::DeliveryStatus,
        _ => return Fate::NO_FACT,
    };
    sink.queue(id, QueueEvent::Notice { kind, to_postmaster, id: notice })
}

/// Start and stop of the mail system.
pub(super) fn master<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if let Some(rest) = body.strip_prefix(b"daemon started -- version ") {
        return sink.system(SystemEvent::Started { version: scan::until(rest, b",") });
    }
    if body.starts_with(b"terminating on signal ") {
        return sink.system(SystemEvent::Stopped);
    }
    Fate::NO_FACT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn trap_21_mail_of_a_local_program_has_a_user_number_and_no_account() {
        let line = tag("postfix/pickup[5]", "1E240200F1: uid=33 from=<www-data>");
        assert_eq!(
            kinds(&line),
            [Kind::Queue { id: b"1E240200F1", event: QueueEvent::Pickup { uid: 33, sender: b"www-data", orig_id: None } }]
        );
        let again = tag("postfix/pickup[5]", "1E240200F1: uid=0 from=<a@u.example> orig_id=AE240200F1");
        assert!(matches!(kinds(&again)[0], Kind::Queue { event: QueueEvent::Pickup { orig_id: Some(b"AE240200F1"), .. }, .. }));
    }

    #[test]
    fn notices_name_their_own_queue_id() {
        let line = tag("postfix/bounce[5]", "1E240200F1: postmaster non-delivery notification: 2E240200F1");
        assert_eq!(
            kinds(&line),
            [Kind::Queue {
                id: b"1E240200F1",
                event: QueueEvent::Notice { kind: NoticeKind::NonDelivery, to_postmaster: true, id: b"2E240200F1" }
            }]
        );
    }

    #[test]
    fn the_operators_words_about_a_queue_file_are_events() {
        for (word, event) in
            [("requeued", QueueEvent::Requeued), ("placed on hold", QueueEvent::Held), ("released from hold", QueueEvent::Released)]
        {
            assert_eq!(kinds(&tag("postfix/postsuper[5]", &format!("1E240200F1: {word}"))), [Kind::Queue { id: b"1E240200F1", event }]);
        }
        assert!(kinds(&tag("postfix/postsuper[5]", "Deleted: 115 messages")).is_empty());
    }

    #[test]
    fn start_and_stop_are_told() {
        let start = tag("postfix/master[5]", "daemon started -- version 3.7.11, configuration /etc/postfix");
        assert_eq!(kinds(&start), [Kind::System(SystemEvent::Started { version: b"3.7.11" })]);
        assert_eq!(kinds(&tag("postfix[5]", "terminating on signal 15")), [Kind::System(SystemEvent::Stopped)]);
    }
}
