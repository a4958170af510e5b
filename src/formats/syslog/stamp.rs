//! The time stamp at the start of a line, in every shape that loggers and the journal write.
//!
//! Only the shape is read here; the year and the zone that are missing are [`Clock`]'s business.

use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, date_exists, days_from_civil, parse_offset, year_of};
use crate::formats::batch::Malformed;
use crate::formats::clock::{Clock, Reading, WallTime};
use crate::formats::scan;

/// A stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Stamp {
    /// `Oct 31 16:01:02`
    Yearless(WallTime),
    /// `2022-10-31 16:01:02`, or one with a zone abbreviation, which names no zone for certain.
    Local(i32, WallTime),
    /// With an offset, or seconds since the epoch.
    Absolute(Timestamp),
}

impl Stamp {
    /// The instant, by the clock of the source.
    pub(in crate::formats) fn read(self, clock: &mut Clock) -> Reading {
        match self {
            Stamp::Yearless(wall) => clock.read_yearless(wall),
            Stamp::Local(year, wall) => clock.read_local(year, wall),
            Stamp::Absolute(at) => clock.read_absolute(at),
        }
    }
}

/// Offsets of zones are whole quarters of an hour.
const QUARTER: i64 = 15 * MINUTE;

/// The widest offsets that zones have.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * HOUR..=14 * HOUR;

impl Stamp {
    /// The stamp of a line that a container runtime took in at the instant of its own stamp, which is moments later: that one decides the
    /// year and the offset of a stamp that has none.
    pub(in crate::formats) fn taken_in_at(self, outer: Stamp) -> Stamp {
        let Stamp::Absolute(outer) = outer else { return self };
        let in_utc = |year: i32, wall: WallTime| {
            let days = days_from_civil(year, u32::from(wall.month), u32::from(wall.day));
            Timestamp(days.saturating_mul(DAY).saturating_add(wall.micros_of_day))
        };
        let (year, wall) = match self {
            Stamp::Absolute(_) => return self,
            Stamp::Local(year, wall) => (year, wall),
            Stamp::Yearless(wall) => {
                let there = |year: &i32| date_exists(*year, u32::from(wall.month), u32::from(wall.day));
                let near = (year_of(outer) - 1..=year_of(outer) + 1).filter(there);
                let Some(year) = near.min_by_key(|year| in_utc(*year, wall).since(outer).abs()) else { return self };
                (year, wall)
            }
        };
        let wall_in_utc = in_utc(year, wall);
        let offset = (wall_in_utc.since(outer) + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
        // Further off, it is an old line that was printed again.
        if OFFSETS.contains(&offset) { Stamp::Absolute(wall_in_utc.plus(-offset)) } else { Stamp::Local(year, wall) }
    }
}

/// Reads a stamp at the start of a line; returns it and what follows it.
pub(in crate::formats) fn read(line: &[u8]) -> Result<(Stamp, &[u8]), Malformed> {
    match line.first() {
        Some(b'A'..=b'Z') => month_first(line).unwrap_or_else(|| weekday_first(line).unwrap_or(Err(Malformed::NoTime))),
        Some(b'0'..=b'9') => iso(line).unwrap_or_else(|| epoch(line).ok_or(Malformed::NoTime)),
        _ => Err(Malformed::NoTime),
    }
}

/// `None`: not of this shape. `Some(Err)`: of this shape, but no such time.
type Tried<'a> = Option<Result<(Stamp, &'a [u8]), Malformed>>;

/// `Oct 31 16:01:02`, `Nov  1 …`, `Nov 01 …`, `Nov 1 …`, each with a fraction or not, and `Oct 31 2022 16:01:02`.
fn month_first(line: &[u8]) -> Tried<'_> {
    let month = month(line.get(..3)?)?;
    let rest = scan::trim_start(line.get(3..)?.strip_prefix(b" ")?);
    let (day, rest) = scan::number(rest)?;
    let rest = scan::trim_start(rest.strip_prefix(b" ")?);
    if rest.get(4) == Some(&b' ') {
        let (year, rest) = scan::number(rest)?;
        let (micros_of_day, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
        return Some(local(year, u64::from(month), day, micros_of_day).map(|stamp| (stamp, rest)));
    }
    let (micros_of_day, rest) = time_of_day(rest)?;
    let leap_year = 2000;
    let day_exists = u32::try_from(day).is_ok_and(|day| date_exists(leap_year, u32::from(month), day));
    Some(match micros_of_day {
        Some(micros_of_day) if day_exists => Ok((Stamp::Yearless(WallTime { month, day: day as u8, micros_of_day }), rest)),
        _ => Err(Malformed::BadTime),
    })
}

/// `Mon 2022-10-31 17:01:02 CET`, the journal's `short-full`.
fn weekday_first(line: &[u8]) -> Tried<'_> {
    let (weekday, rest) = scan::split_byte(line, b' ')?;
    if weekday.len() != 3 || !rest.first()?.is_ascii_digit() {
        return None;
    }
    let (stamp, rest) = match iso(rest)? {
        Ok(found) => found,
        Err(why) => return Some(Err(why)),
    };
    let (zone, after) = scan::split_byte(rest.strip_prefix(b" ")?, b' ')?;
    let after = rest.get(rest.len() - after.len() - 1..)?;
    let offset = if matches!(zone, b"UTC" | b"GMT") { Some(0) } else { parse_offset(zone) };
    Some(Ok(match (stamp, offset) {
        (Stamp::Local(year, wall), Some(offset)) => (Stamp::Absolute(instant(year, wall, offset)), after),
        (stamp, _) => (stamp, after),
    }))
}

/// `2022-10-31T16:01:02.123456+09:00`, `…+0900`, `…Z`; with a blank for the `T`, and without an offset.
fn iso(line: &[u8]) -> Tried<'_> {
    let head: &[u8; 11] = line.first_chunk()?;
    if head[4] != b'-' || head[7] != b'-' || !matches!(head[10], b'T' | b' ') {
        return None;
    }
    let (year, month, day) = (scan::number(&head[..4])?.0, scan::number(&head[5..7])?.0, scan::number(&head[8..10])?.0);
    let (micros_of_day, rest) = time_of_day(line.get(11..)?)?;
    let stamp = match local(year, month, day, micros_of_day) {
        Ok(stamp) => stamp,
        Err(why) => return Some(Err(why)),
    };
    let Stamp::Local(year, wall) = stamp else { return None };
    let length = match rest.first() {
        Some(b'Z') => 1,
        Some(b'+' | b'-') => rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b':' | b'+' | b'-')).count(),
        _ => return Some(Ok((stamp, rest))),
    };
    let Some(offset) = rest.get(..length).and_then(|zone| parse_offset(zone.strip_suffix(b":").unwrap_or(zone))) else {
        return Some(Err(Malformed::BadTime));
    };
    Some(Ok((Stamp::Absolute(instant(year, wall, offset)), rest.get(length..)?)))
}

/// `1667232062.123400`, the journal's `short-unix`.
fn epoch(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (seconds, rest) = scan::number(line)?;
    let digits = line.len() - rest.len();
    if !(9..=11).contains(&digits) || rest.first() != Some(&b'.') {
        return None;
    }
    let (micros, rest) = fraction(rest)?;
    let seconds = i64::try_from(seconds).ok()?;
    Some((Stamp::Absolute(Timestamp::from_seconds(seconds).plus(micros)), rest))
}

/// `16:01:02` with a fraction or not, as microseconds since midnight; the inner `None` is a time that no clock shows.
pub(in crate::formats) fn time_of_day(text: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let head: &[u8; 8] = text.first_chunk()?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *head else { return None };
    if ![h1, h2, m1, m2, s1, s2].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
    let (micros, rest) = fraction(text.get(8..)?)?;
    // Second 60 is a leap second; it is read as the start of the next minute.
    let exists = hour < 24 && minute < 60 && second <= 60;
    Some((exists.then_some(hour * HOUR + minute * MINUTE + second * SECOND + micros), rest))
}

/// `.123456` as microseconds; 0 where there is no fraction. More digits than six are cut.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else { return Some((0, text)) };
    let mut micros = 0;
    let mut unit = SECOND / 10;
    let mut length = 0;
    while let Some(digit) = digits.get(length).filter(|b| b.is_ascii_digit()) {
        micros += i64::from(digit - b'0') * unit;
        unit /= 10;
        length += 1;
    }
    (length > 0).then(|| (micros, digits.get(length..).unwrap_or_default()))
}

fn local(year: u64, month: u64, day: u64, micros_of_day: Option<i64>) -> Result<Stamp, Malformed> {
    let (Ok(year), Ok(month), Ok(day)) = (i32::try_from(year), u8::try_from(month), u8::try_from(day)) else {
        return Err(Malformed::BadTime);
    };
    match micros_of_day {
        Some(micros_of_day) if (1970..=2200).contains(&year) && date_exists(year, u32::from(month), u32::from(day)) => {
            Ok(Stamp::Local(year, WallTime { month, day, micros_of_day }))
        }
        _ => Err(Malformed::BadTime),
    }
}

fn instant(year: i32, wall: WallTime, offset: i32) -> Timestamp {
    let days = days_from_civil(year, u32::from(wall.month), u32::from(wall.day));
    Timestamp(days * DAY + wall.micros_of_day - i64::from(offset) * SECOND)
}

/// The number of an English month name of three letters.
pub(in crate::formats) fn month(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// Reads `31-Oct-2022 16:01:02 +0100` (an offset may be missing), the stamp of PHP programs.
pub(in crate::formats) fn day_first(text: &[u8]) -> Option<Stamp> {
    let (day, rest) = scan::number(text)?;
    let rest = rest.strip_prefix(b"-")?;
    let month = month(rest.get(..3)?)?;
    let (year, rest) = scan::number(rest.get(3..)?.strip_prefix(b"-")?)?;
    let (micros_of_day, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
    let stamp = local(year, u64::from(month), day, micros_of_day).ok()?;
    match (stamp, parse_offset(scan::trim_start(rest))) {
        (Stamp::Local(year, wall), Some(offset)) => Some(Stamp::Absolute(instant(year, wall, offset))),
        (stamp, _) => Some(stamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;

    fn shown(line: &str) -> String {
        let mut clock = Clock::new(Zone::UTC, 2022);
        match read(line.as_bytes()) {
            Ok((stamp, _)) => Zone::UTC.stamp(stamp.read(&mut clock).at).to_string(),
            Err(why) => why.said().to_string(),
        }
    }

    #[test]
    fn every_shape_of_stamp_gives_the_same_instant() {
        for line in [
            "Oct 31 16:01:02 mx1 x",
            "Oct 31 2022 16:01:02 mx1 x",
            "2022-10-31T16:01:02+00:00 mx1 x",
            "2022-10-31T17:01:02+0100 mx1 x",
            "2022-10-31T16:01:02Z mx1 x",
            "2022-10-31 16:01:02 mx1 x",
            "Mon 2022-10-31 16:01:02 UTC mx1 x",
            "1667232062.000000 mx1 x",
        ] {
            assert_eq!(shown(line), "2022-10-31T16:01:02+00:00", "{line}");
        }
        assert_eq!(shown("2022-10-31T16:01:02.123456789+00:00 h x"), "2022-10-31T16:01:02.123456+00:00");
        assert_eq!(shown("2022-10-31T16:01:02.5Z h x"), "2022-10-31T16:01:02.500000+00:00");
    }

    #[test]
    fn trap_9_a_day_padded_with_a_blank_equals_one_padded_with_a_zero() {
        for line in ["Nov  1 01:46:00 h", "Nov 01 01:46:00 h", "Nov 1 01:46:00 h"] {
            assert_eq!(shown(line), "2022-11-01T01:46:00+00:00");
        }
    }

    #[test]
    fn a_time_no_clock_shows_is_told_from_no_time_at_all() {
        assert_eq!(shown("Oct 32 16:01:02 h"), "impossible time stamp");
        assert_eq!(shown("2022-13-01T16:01:02Z h"), "impossible time stamp");
        assert_eq!(shown("Oct 31 16:01:75 h"), "impossible time stamp");
        assert_eq!(shown("October came"), "no time stamp");
        assert_eq!(shown("[    1.000000] mx1 x"), "no time stamp");
    }
}
