//! Lines of cleanup about the headers of a message; its checks and milters are in `actions`.

use super::queue_id;
use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, date_exists, days_from_civil};
use crate::formats::event::QueueEvent;
use crate::formats::scan;
use crate::formats::sink::{Fate, Sink};

/// `message-id=<…>`, whatever the header held.
pub(super) fn message_id<'a>(id: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let header = body.strip_prefix(b"message-id=").unwrap_or_default();
    if let Some(own) = own_message_id(id, header) {
        if let Some(made) = own.made {
            sink.witness(made);
        }
        sink.own_name(own.host);
    }
    let header = if header == b"<>" { b"" } else { header };
    sink.queue(id, QueueEvent::MessageId { id: header })
}

/// A Message-ID that Postfix made itself.
pub struct OwnMessageId<'a> {
    /// The queue id of the message.
    pub id: &'a [u8],
    /// From its time stamp in UTC, or from the long queue id that replaces it.
    pub made: Option<Timestamp>,
    /// `$myhostname`
    pub host: &'a [u8],
}

/// Reads `<YYYYMMDDhhmmss.QID@host>`, or `<QID@host>` where ids are long (`cleanup_message.c`). Of the second form any other program's
/// may be, so whoever knows the queue id compares it, and whoever does not asks for the time in it.
#[must_use]
pub fn made_message_id(header: &[u8]) -> Option<OwnMessageId<'_>> {
    let (local, host) = scan::split_byte(header.strip_prefix(b"<")?.strip_suffix(b">")?, b'@')?;
    let stamped = local.first_chunk::<14>().and_then(utc).zip(local.get(14..).and_then(|rest| rest.strip_prefix(b".")));
    Some(match stamped {
        Some((made, id)) => OwnMessageId { id, made: Some(made), host },
        None => OwnMessageId { id: local, made: queue_id::decode_time(local), host },
    })
}

/// A Message-ID that was made for the message of this queue id.
pub(in crate::formats) fn own_message_id<'a>(id: &[u8], header: &'a [u8]) -> Option<OwnMessageId<'a>> {
    // Most are no such ids, and tell so by this alone.
    if !header.get(..memchr::memchr(b'@', header)?)?.ends_with(id) {
        return None;
    }
    made_message_id(header).filter(|own| own.id == id)
}

/// `YYYYMMDDhhmmss` in UTC.
fn utc(stamp: &[u8; 14]) -> Option<Timestamp> {
    if !stamp.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let part = |from: usize, to: usize| stamp.get(from..to).map_or(0, scan::small_number);
    let (year, month, day) = (i32::try_from(part(0, 4)).ok()?, part(4, 6), part(6, 8));
    let (hour, minute, second) = (i64::from(part(8, 10)), i64::from(part(10, 12)), i64::from(part(12, 14)));
    let exists = date_exists(year, month, day) && (1990..2100).contains(&year) && hour < 24 && minute < 60 && second <= 60;
    exists.then(|| Timestamp(days_from_civil(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;
    use crate::formats::event::{Kind, SystemEvent};
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn a_message_id_made_here_tells_time_and_own_name() {
        let own = own_message_id(b"1E240200F1", b"<20221031070102.1E240200F1@mx1.u.example>").unwrap();
        assert_eq!(own.host, b"mx1.u.example");
        assert_eq!(Zone::UTC.stamp(own.made.unwrap()).to_string(), "2022-10-31T07:01:02+00:00");
        assert!(own_message_id(b"1E240200F1", b"<20221031070102.AE240200F1@mx1.u.example>").is_none());
        assert!(own_message_id(b"4N1Hv83Bq2zySn", b"<4N1Hv83Bq2zySn@mx1.u.example>").is_some());
        let made = |header: &'static [u8]| made_message_id(header).filter(|own| own.made.is_some()).map(|own| own.id);
        assert_eq!(made(b"<20221031070102.1E240200F1@mx1.u.example>"), Some(&b"1E240200F1"[..]));
        assert_eq!(made(b"<4N1Hv83Bq2zySn@mx1.u.example>"), Some(&b"4N1Hv83Bq2zySn"[..]));
        for foreign in [&b"<1E240200F1@pc>"[..], b"<20221331070102.1E240200F1@pc>", b"<m1>", b"m1@pc", b""] {
            assert_eq!(made(foreign), None);
        }
    }

    #[test]
    fn an_own_name_is_told_once() {
        let line = tag("postfix/cleanup[1]", "1E240200F1: message-id=<20221031160102.1E240200F1@mx1.u.example>");
        let twice = format!("{line}\n{line}\n");
        let names = kinds(&twice).into_iter().filter(|k| matches!(k, Kind::System(SystemEvent::OwnName { .. }))).count();
        assert_eq!(names, 1);
    }

    #[test]
    fn a_header_of_any_shape_is_kept_and_a_missing_one_is_empty() {
        let read = |body: &str| {
            let line = tag("postfix/cleanup[1]", body);
            match kinds(&line).into_iter().next() {
                Some(Kind::Queue { event: QueueEvent::MessageId { id }, .. }) => String::from_utf8_lossy(id).into_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read("1E240200F1: message-id=<m1@x.example>"), "<m1@x.example>");
        assert_eq!(read("1E240200F1: message-id=<>"), "");
        assert_eq!(read("1E240200F1: message-id==?UTF-8?B?PDE5?= =?UTF-8?B?MTIy?="), "=?UTF-8?B?PDE5?= =?UTF-8?B?MTIy?=");
        assert!(kinds(&tag("postfix/cleanup[1]", "1E240200F1: resent-message-id=<m2@x.example>")).is_empty());
    }
}
