//! Instants and zones: everything inside is UTC in microseconds, everything shown carries its offset.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Offset, TimeZone, Timelike};
use serde::Serialize;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Makes an instant from seconds since the epoch.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(SECOND))
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// The instant `microseconds` later (earlier if negative).
    #[must_use]
    pub fn plus(self, microseconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(microseconds))
    }

    /// Microseconds from `earlier` to this instant.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The zone of a clock: an IANA zone, or a fixed offset in seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Named(chrono_tz::Tz),
    Fixed(i32),
}

impl Zone {
    /// UTC, the zone of every report that asks for no other.
    pub const UTC: Zone = Zone::Fixed(0);

    /// Reads `Asia/Tokyo`, `UTC`, `Z`, `+09:00`, `+0900` or `-08`.
    ///
    /// # Errors
    /// Returns a sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Zone, String> {
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
            return Ok(Zone::UTC);
        }
        if let Some(offset) = parse_offset(text.as_bytes()) {
            return Ok(Zone::Fixed(offset));
        }
        text.parse::<chrono_tz::Tz>()
            .map(Zone::Named)
            .map_err(|_| format!("unknown time zone \"{text}\"; give an IANA name such as Asia/Tokyo, or an offset such as +09:00"))
    }

    /// The name shown to the reader: the IANA name, `UTC`, or the offset.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Zone::Named(tz) => tz.name().to_owned(),
            Zone::Fixed(0) => "UTC".to_owned(),
            Zone::Fixed(offset) => offset_name(offset),
        }
    }

    /// The offset from UTC in seconds that holds at `at`.
    #[must_use]
    pub fn offset_at(self, at: Timestamp) -> i32 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(tz) => DateTime::from_timestamp(at.seconds(), 0)
                .map_or(0, |utc| tz.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()),
        }
    }

    /// The instants a local wall-clock time (given as if it were UTC) can mean: one, two in the autumn hour that comes twice, or,
    /// in the spring hour that does not exist, the one reached with the offset that held before.
    #[must_use]
    pub fn instants(self, wall: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let tz = match self {
            Zone::Fixed(offset) => return (wall.plus(-i64::from(offset) * SECOND), None),
            Zone::Named(tz) => tz,
        };
        let Some(naive) = DateTime::from_timestamp(wall.seconds(), 0).map(|utc| utc.naive_utc()) else {
            return (wall, None);
        };
        let minus = |offset: i32| wall.plus(-i64::from(offset) * SECOND);
        match tz.offset_from_local_datetime(&naive) {
            chrono::MappedLocalTime::Single(offset) => (minus(offset.fix().local_minus_utc()), None),
            chrono::MappedLocalTime::Ambiguous(a, b) => {
                let (a, b) = (minus(a.fix().local_minus_utc()), minus(b.fix().local_minus_utc()));
                (a.min(b), Some(a.max(b)))
            }
            chrono::MappedLocalTime::None => (minus(self.offset_at(wall.plus(-DAY))), None),
        }
    }

    /// Puts an instant on this zone's wall clock.
    #[must_use]
    pub fn stamp(self, at: Timestamp) -> Stamp {
        Stamp { at, offset_seconds: self.offset_at(at) }
    }
}

/// Reads `Z`, `+09:00`, `+0900` or `+09` as seconds east of UTC.
#[must_use]
pub fn parse_offset(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text.split_first()? {
        (b'Z' | b'z', []) => return Some(0),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [a, b] => (two(*a, *b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two(*a, *b)?, two(*c, *d)?),
        _ => return None,
    };
    (hours <= 18 && minutes < 60).then(|| sign * (hours * 3600 + minutes * 60))
}

fn two(tens: u8, ones: u8) -> Option<i32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
}

fn offset_name(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Days from 1970-01-01 to a civil date of the proleptic Gregorian calendar.
///
/// The month must be 1 to 12; a day past the month's end runs on into the next month, so the caller checks it.
#[must_use]
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let month_of_year = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_of_year + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year of an instant on the UTC calendar.
#[must_use]
pub fn year_of(at: Timestamp) -> i32 {
    DateTime::from_timestamp(at.seconds(), 0).map_or(1970, |utc| utc.year())
}

/// The year, month and day of an instant on the UTC calendar.
#[must_use]
pub fn date_of(at: Timestamp) -> (i32, u32, u32) {
    DateTime::from_timestamp(at.seconds(), 0).map_or((1970, 1, 1), |utc| (utc.year(), utc.month(), utc.day()))
}

/// Whether a date exists.
#[must_use]
pub fn date_exists(year: i32, month: u32, day: u32) -> bool {
    NaiveDate::from_ymd_opt(year, month, day).is_some()
}

/// An instant with the offset it is shown in; its text form is RFC 3339 with that offset, never a naive time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    pub at: Timestamp,
    pub offset_seconds: i32,
}

impl Stamp {
    fn local(self) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(self.offset_seconds).unwrap_or_else(|| chrono::Utc.fix());
        let micros = self.at.0.rem_euclid(SECOND) as u32;
        DateTime::from_timestamp(self.at.seconds(), micros * 1000).unwrap_or_default().with_timezone(&offset)
    }

    /// `2022-10-31 16:01:20 +09:00`, the form for prose and tables.
    #[must_use]
    pub fn prose(self) -> String {
        format!("{} {}", self.local().format("%Y-%m-%d %H:%M:%S"), offset_name(self.offset_seconds))
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let local = self.local();
        let offset = offset_name(self.offset_seconds);
        match local.nanosecond() / 1000 {
            0 => write!(f, "{}{offset}", local.format("%Y-%m-%dT%H:%M:%S")),
            micros => write!(f, "{}.{micros:06}{offset}", local.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

impl Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Stamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Stamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Ok(Stamp { at: Timestamp(parsed.timestamp_micros()), offset_seconds: parsed.offset().local_minus_utc() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_days_agree_with_the_calendar_library() {
        for (y, m, d) in [(1970, 1, 1), (2000, 2, 29), (2022, 10, 31), (2024, 2, 29), (2100, 3, 1), (1969, 12, 31)] {
            let expected = NaiveDate::from_ymd_opt(y, m, d).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() / 86_400;
            assert_eq!(days_from_civil(y, m, d), expected, "{y}-{m}-{d}");
        }
    }

    #[test]
    fn zones_are_read_by_name_and_by_offset() {
        assert_eq!(Zone::parse("+0900"), Ok(Zone::Fixed(32_400)));
        assert_eq!(Zone::parse("-03:30"), Ok(Zone::Fixed(-12_600)));
        assert_eq!(Zone::parse("Asia/Tokyo").unwrap().offset_at(Timestamp(0)), 32_400);
        assert!(Zone::parse("Tokio").unwrap_err().contains("Asia/Tokyo"));
    }

    #[test]
    fn the_hour_that_comes_twice_in_autumn_has_two_instants() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let wall = Timestamp::from_seconds(days_from_civil(2022, 10, 30) * 86_400 + 2 * 3600 + 1800);
        let (first, second) = berlin.instants(wall);
        assert_eq!(second.map(|s| s.since(first)), Some(HOUR));
        assert_eq!(berlin.stamp(first).to_string(), "2022-10-30T02:30:00+02:00");
    }

    #[test]
    fn a_stamp_keeps_the_instant_and_shows_the_offset() {
        let stamp = Zone::Fixed(32_400).stamp(Timestamp::from_seconds(1_667_199_662));
        assert_eq!(stamp.to_string(), "2022-10-31T16:01:02+09:00");
        assert_eq!(stamp.prose(), "2022-10-31 16:01:02 +09:00");
        let back: Stamp = serde_json::from_str(&serde_json::to_string(&stamp).unwrap()).unwrap();
        assert_eq!(back, stamp);
    }
}
