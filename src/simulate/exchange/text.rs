//! The small forms all logs of Exchange share: cells, collections, instants, identifiers.

use crate::domain::time::{SECOND, Timestamp, Zone};
use crate::simulate::put::Put;
use crate::simulate::random::Random;
use chrono::{DateTime, Datelike, Timelike, Utc};

/// Appends a cell as the product's writer does: in quotes only where it holds a quote, a comma or a line break.
pub(super) fn put_cell(out: &mut Vec<u8>, text: &str) {
    if !text.contains(['"', ',', '\r', '\n']) {
        out.text(text);
        return;
    }
    out.push(b'"');
    for piece in text.split_inclusive('"') {
        out.text(piece);
        if piece.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// An instant as these logs write it, `2022-10-31T07:01:02.123Z`.
pub(super) fn stamp(at: i64) -> String {
    let mut out = Vec::with_capacity(24);
    put_stamp(&mut out, at);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends an instant as these logs write it.
pub(super) fn put_stamp(out: &mut Vec<u8>, at: i64) {
    put_date(out, at, "-");
    out.text("T");
    put_clock(out, at);
    out.text(".").padded(at.rem_euclid(SECOND) as u64 / 1000, 3).text("Z");
}

/// Appends the date in UTC.
pub(super) fn put_date(out: &mut Vec<u8>, at: i64, between: &str) {
    let day = utc(at);
    out.padded(u64::from(day.year().unsigned_abs()), 4).text(between).padded(u64::from(day.month()), 2);
    out.text(between).padded(u64::from(day.day()), 2);
}

/// Appends the time of day in UTC, to the second.
pub(super) fn put_clock(out: &mut Vec<u8>, at: i64) {
    let time = utc(at);
    out.padded(u64::from(time.hour()), 2).text(":").padded(u64::from(time.minute()), 2).text(":").padded(u64::from(time.second()), 2);
}

/// An instant as SMTP greetings write it, in the zone of the server's clock.
pub(super) fn mail_date(at: i64, zone: Zone) -> String {
    let offset = zone.offset_at(Timestamp(at));
    let wall = DateTime::from_timestamp(at.div_euclid(SECOND) + i64::from(offset), 0).unwrap_or_default();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!("{} {sign}{:02}{:02}", wall.format("%a, %-d %b %Y %H:%M:%S"), minutes / 60, minutes % 60)
}

fn utc(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at.div_euclid(SECOND), 0).unwrap_or_default()
}

/// A new identifier.
pub(super) fn guid(random: &mut Random) -> String {
    let (a, b) = (random.next(), random.next());
    let c = (b >> 16) & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-4{:03x}-{:04x}-{c:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, 0x8000 | (b & 0x3fff))
}

/// The identifier of a message within the organisation. As the product's do, it ends in the time of its making.
pub(super) fn network_id(random: &mut Random, at: i64) -> String {
    let a = random.next();
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8d00 | (ticks(at) >> 48),
        ticks(at) & 0xffff_ffff_ffff
    )
}

/// 100-nanosecond steps since the year 1.
pub(super) fn ticks(at: i64) -> u64 {
    const UNIX_EPOCH: u64 = 621_355_968_000_000_000;
    UNIX_EPOCH + at.max(0) as u64 * 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_only_where_it_must_be() {
        for (text, expected) in [("a b;c", "a b;c"), ("a, b", "\"a, b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("", "")] {
            let mut out = Vec::new();
            put_cell(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn instants_have_three_digits_and_are_utc() {
        assert_eq!(stamp(1_667_199_662_123_456), "2022-10-31T07:01:02.123Z");
        assert_eq!(mail_date(1_667_199_662_123_456, Zone::parse("Asia/Tokyo").unwrap()), "Mon, 31 Oct 2022 16:01:02 +0900");
        // 2022-10-31T00:00:00Z, from a table of .NET ticks.
        assert_eq!(ticks(1_667_174_400_000_000), 638_027_712_000_000_000);
    }
}
