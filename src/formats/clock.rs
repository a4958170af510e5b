//! From the stamp of a line to an instant: the year and the zone that a syslog line leaves out.

use crate::domain::time::{DAY, MINUTE, Timestamp, Zone, date_exists, days_from_civil, year_of};

/// What a source itself says of its time, found by reading its head (or, for lack of a witness, more of it).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scouted {
    /// Host names seen, as logged, most frequent first.
    pub hosts: Vec<Vec<u8>>,
    /// The first stamp, if it is an absolute instant.
    pub first_absolute: Option<Timestamp>,
    /// The first stamp without an offset: month, day and microseconds since midnight, on the writer's wall clock.
    pub first_yearless: Option<WallTime>,
    /// The year of that stamp where it has one after all and lacks the zone alone.
    pub first_year: Option<i32>,
    /// Absolute instants that lines tell about themselves, each with the wall time of its line.
    pub witnesses: Vec<Witness>,
    /// Hosts whose lines carry the offset of their local time, each with the first one, in the order of the lines.
    pub offsets: Vec<(Vec<u8>, Offset)>,
    /// Whether dates in numbers have the day before the month.
    pub day_first: Option<bool>,
    /// Its dates can be read either way, and nothing so far tells which.
    pub dates_open: bool,
    /// Made of other records at some later time, on some other machine: the time at which it was written says nothing of its stamps.
    pub exported: bool,
    /// Lines looked at, and those of them that were readable.
    pub lines: u64,
    pub readable: u64,
}

/// A wall-clock time without a year and a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime {
    pub month: u8,
    pub day: u8,
    pub micros_of_day: i64,
}

/// An offset from UTC in seconds, and an instant at which it held: half the year it may be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    pub seconds: i32,
    pub at: Timestamp,
}

/// A line that says when it was written, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    pub kind: WitnessKind,
    pub wall: WallTime,
    pub instant: Timestamp,
}

/// What told the absolute time, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WitnessKind {
    /// A long queue id on the line that opened the queue file.
    QueueId,
    /// A Message-ID made by Postfix itself, `<YYYYMMDDhhmmss.QID@host>`, in UTC.
    MessageId,
}

/// Turns stamps into instants for one source, in the order of its lines.
#[derive(Clone, Debug)]
pub struct Clock {
    pub zone: Zone,
    /// The year of the next year-less stamp, moved on at the turn of the year.
    pub year: i32,
    /// Whether dates in numbers have the day before the month; `None` where the head of the source does not show it.
    pub day_first: Option<bool>,
    /// The last instant read, by which the turn of the year and the hour that comes twice are told.
    pub last: Option<Timestamp>,
    /// Offsets of the quarter hour read last, so that the zone is asked once per quarter hour of log time.
    quarter: Quarter,
    /// The date read last and its midnight on the wall clock (as if UTC).
    date: Option<(u8, u8, i64)>,
}

/// The offsets that hold for a quarter hour of wall-clock time. No zone in use changes inside one.
#[derive(Clone, Copy, Debug)]
struct Quarter {
    number: i64,
    early: i64,
    late: Option<i64>,
}

/// An instant and what was noticed when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub at: Timestamp,
    /// The wall time comes twice; the clock's last instant decided.
    pub ambiguous: bool,
    /// More than a minute before the line before it.
    pub stepped_back: bool,
    /// A 29 February moved to the nearest leap year, because the year that would follow from the order of the lines has none.
    pub leap_day_moved: bool,
}

const QUARTER: i64 = 15 * MINUTE;
/// A step back by more than this is counted; less is the interleaving of processes and hosts.
const STEP_MIN: i64 = MINUTE;
/// In the hour that comes twice, a step back by more than this means that the second round has begun.
const ROUND_MIN: i64 = 5 * MINUTE;

impl Clock {
    /// A clock for a source whose first year-less stamp is of `year`.
    #[must_use]
    pub fn new(zone: Zone, year: i32) -> Clock {
        Clock { zone, year, day_first: None, last: None, quarter: Quarter { number: i64::MIN, early: 0, late: None }, date: None }
    }

    /// Reads a stamp without year: the year is the one that makes the step from the last instant smallest.
    pub fn read_yearless(&mut self, wall: WallTime) -> Reading {
        let (midnight, leap_day_moved) = match self.date {
            Some((month, day, midnight)) if (month, day) == (wall.month, wall.day) && self.last.is_some() => (midnight, false),
            _ => self.choose_year(wall),
        };
        self.date = Some((wall.month, wall.day, midnight));
        let mut reading = self.read_wall(Timestamp(midnight.saturating_add(wall.micros_of_day)));
        reading.leap_day_moved = leap_day_moved;
        reading
    }

    /// Reads a stamp with a year but without an offset.
    pub fn read_local(&mut self, year: i32, wall: WallTime) -> Reading {
        let days = days_from_civil(year, u32::from(wall.month), u32::from(wall.day));
        self.year = year;
        self.date = None;
        self.read_wall(Timestamp(days.saturating_mul(DAY).saturating_add(wall.micros_of_day)))
    }

    /// Takes note of a stamp that is an instant by itself.
    pub fn read_absolute(&mut self, at: Timestamp) -> Reading {
        self.date = None;
        self.finish(at, false)
    }

    fn read_wall(&mut self, wall: Timestamp) -> Reading {
        let number = wall.0.div_euclid(QUARTER);
        if self.quarter.number != number {
            let start = Timestamp(number.saturating_mul(QUARTER));
            let (early, late) = self.zone.instants(start);
            self.quarter = Quarter { number, early: early.since(start), late: late.map(|l| l.since(start)) };
        }
        let early = wall.plus(self.quarter.early);
        match (self.quarter.late, self.last) {
            (Some(late), Some(last)) if early.0 < last.0 - ROUND_MIN => self.finish(wall.plus(late), true),
            (late, _) => self.finish(early, late.is_some()),
        }
    }

    fn finish(&mut self, at: Timestamp, ambiguous: bool) -> Reading {
        let stepped_back = self.last.is_some_and(|last| at.since(last) < -STEP_MIN);
        self.last = Some(at);
        Reading { at, ambiguous, stepped_back, leap_day_moved: false }
    }

    /// Midnight (wall clock) of a month and day in the year that fits, and whether a 29 February had to leave its year.
    fn choose_year(&mut self, wall: WallTime) -> (i64, bool) {
        let (month, day) = (u32::from(wall.month), u32::from(wall.day));
        let base = self.last.map_or(self.year, year_of);
        let midnight = |year: i32| days_from_civil(year, month, day).saturating_mul(DAY);
        let distance = |year: &i32| match self.last {
            Some(last) => (midnight(*year).saturating_add(wall.micros_of_day) - last.0).abs(),
            None => i64::from((year - self.year).abs()),
        };
        // The wanted year comes first so that it wins ties.
        let near = [base, base - 1, base + 1];
        let wanted = if self.last.is_some() { near.into_iter().min_by_key(distance).unwrap_or(base) } else { self.year };
        let year = if date_exists(wanted, month, day) {
            wanted
        } else {
            (wanted - 8..=wanted + 8).filter(|y| date_exists(*y, month, day)).min_by_key(distance).unwrap_or(wanted)
        };
        self.year = year;
        (midnight(year), year != wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::HOUR;

    fn wall(month: u8, day: u8, hour: i64, minute: i64) -> WallTime {
        WallTime { month, day, micros_of_day: hour * HOUR + minute * MINUTE }
    }

    fn shown(clock: &mut Clock, month: u8, day: u8, hour: i64, minute: i64) -> String {
        let at = clock.read_yearless(wall(month, day, hour, minute)).at;
        Zone::UTC.stamp(at).to_string()
    }

    #[test]
    fn trap_8_the_year_turns_forward_at_new_year_and_back_for_a_late_line() {
        let mut clock = Clock::new(Zone::UTC, 2022);
        assert_eq!(shown(&mut clock, 12, 31, 23, 59), "2022-12-31T23:59:00+00:00");
        assert_eq!(shown(&mut clock, 1, 1, 0, 0), "2023-01-01T00:00:00+00:00");
        assert_eq!(shown(&mut clock, 12, 31, 23, 58), "2022-12-31T23:58:00+00:00");
        assert_eq!(shown(&mut clock, 1, 1, 0, 2), "2023-01-01T00:02:00+00:00");
        assert_eq!(clock.year, 2023);
    }

    #[test]
    fn a_zone_far_from_utc_does_not_move_the_turn_of_the_year() {
        let mut clock = Clock::new(Zone::parse("Asia/Tokyo").unwrap(), 2022);
        assert_eq!(shown(&mut clock, 12, 31, 23, 59), "2022-12-31T14:59:00+00:00");
        assert_eq!(shown(&mut clock, 1, 1, 0, 1), "2022-12-31T15:01:00+00:00");
        assert_eq!(shown(&mut clock, 1, 2, 0, 1), "2023-01-01T15:01:00+00:00");
    }

    #[test]
    fn trap_11_the_autumn_hour_is_read_in_two_rounds() {
        let mut clock = Clock::new(Zone::parse("Europe/Berlin").unwrap(), 2022);
        assert_eq!(shown(&mut clock, 10, 30, 1, 59), "2022-10-29T23:59:00+00:00");
        assert_eq!(shown(&mut clock, 10, 30, 2, 30), "2022-10-30T00:30:00+00:00");
        assert_eq!(shown(&mut clock, 10, 30, 2, 59), "2022-10-30T00:59:00+00:00");
        let second = clock.read_yearless(wall(10, 30, 2, 1));
        assert!(second.ambiguous && !second.stepped_back);
        assert_eq!(Zone::UTC.stamp(second.at).to_string(), "2022-10-30T01:01:00+00:00");
        assert_eq!(shown(&mut clock, 10, 30, 2, 40), "2022-10-30T01:40:00+00:00");
        assert_eq!(shown(&mut clock, 10, 30, 3, 0), "2022-10-30T02:00:00+00:00");
    }

    #[test]
    fn a_step_back_of_more_than_a_minute_is_noticed_once() {
        let mut clock = Clock::new(Zone::UTC, 2022);
        clock.read_yearless(wall(10, 31, 12, 0));
        assert!(clock.read_yearless(wall(10, 31, 11, 0)).stepped_back);
        assert!(!clock.read_yearless(wall(10, 31, 11, 1)).stepped_back);
    }

    #[test]
    fn the_29th_of_february_goes_to_the_nearest_leap_year_and_is_counted() {
        let mut clock = Clock::new(Zone::UTC, 2023);
        let reading = clock.read_yearless(wall(2, 29, 0, 0));
        assert!(reading.leap_day_moved);
        assert_eq!(Zone::UTC.stamp(reading.at).to_string(), "2024-02-29T00:00:00+00:00");
        let mut clock = Clock::new(Zone::UTC, 2024);
        assert!(!clock.read_yearless(wall(2, 29, 0, 0)).leap_day_moved);
    }
}
