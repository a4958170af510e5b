//! `--since` and `--until`: an instant, or a wall-clock time in the report's zone.

use crate::domain::time::{DAY, Timestamp, Zone};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// A time as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Instant(Timestamp),
    /// A wall-clock time, as if it were UTC.
    Wall(Timestamp),
    /// The first moment of a day, likewise.
    Day(Timestamp),
}

/// Reads `2022-10-31T16:00:00+09:00`, `2022-10-31 16:00[:00]` or `2022-10-31`.
pub(super) fn parse(text: &str) -> Result<When, String> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::Instant(Timestamp(at.timestamp_micros())));
    }
    for form in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
        if let Ok(wall) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(When::Wall(Timestamp(wall.and_utc().timestamp_micros())));
        }
    }
    match NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0)) {
        // The parser takes a year of two digits as the first century; nobody means that.
        Some(start) if text.len() == 10 => Ok(When::Day(Timestamp(start.and_utc().timestamp_micros()))),
        _ => Err("give 2022-10-31, 2022-10-31 16:00 (both in the report's zone) or 2022-10-31T16:00:00+09:00".to_owned()),
    }
}

impl When {
    /// The first instant that counts: the earlier one, where the clocks went back.
    pub(super) fn since(self, zone: Zone) -> Timestamp {
        match self {
            When::Instant(at) => at,
            When::Wall(wall) | When::Day(wall) => zone.instants(wall).0,
        }
    }

    /// The first instant that no longer counts: for a day, the start of the next one, so that the day itself is in.
    pub(super) fn until(self, zone: Zone) -> Timestamp {
        let later = |wall| {
            let (first, second) = zone.instants(wall);
            second.unwrap_or(first)
        };
        match self {
            When::Instant(at) => at,
            When::Wall(wall) => later(wall),
            When::Day(start) => later(start.plus(DAY)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokyo() -> Zone {
        Zone::parse("Asia/Tokyo").unwrap()
    }

    #[test]
    fn a_wall_clock_time_is_taken_in_the_zone_of_the_report() {
        let expected = parse("2022-10-31T16:00:00+09:00").unwrap().since(Zone::UTC);
        for text in ["2022-10-31 16:00", "2022-10-31T16:00:00", "2022-10-31T07:00:00Z"] {
            assert_eq!(parse(text).unwrap().since(tokyo()), expected, "{text}");
        }
    }

    #[test]
    fn a_day_is_in_from_its_first_moment_to_its_last() {
        let day = parse("2022-10-31").unwrap();
        assert_eq!(tokyo().stamp(day.since(tokyo())).to_string(), "2022-10-31T00:00:00+09:00");
        assert_eq!(tokyo().stamp(day.until(tokyo())).to_string(), "2022-11-01T00:00:00+09:00");
    }

    #[test]
    fn an_hour_that_comes_twice_is_in_as_a_whole() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let wall = parse("2022-10-30 02:30").unwrap();
        assert_eq!(berlin.stamp(wall.since(berlin)).to_string(), "2022-10-30T02:30:00+02:00");
        assert_eq!(berlin.stamp(wall.until(berlin)).to_string(), "2022-10-30T02:30:00+01:00");
    }

    #[test]
    fn anything_else_is_refused_with_what_is_accepted() {
        for text in ["31/10", "2022-13-01", "2022-02-30", "yesterday", "22-10-31", "2022-10-31 25:00", ""] {
            assert!(parse(text).unwrap_err().contains("2022-10-31 16:00"), "{text}");
        }
    }
}
