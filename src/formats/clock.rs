//! From the stamp of a line to an instant: the year and the zone that a syslog line leaves out.

use crate::domain::time::{Timestamp, Zone};

/// What a source itself says of its time, found by reading its head (or, for lack of a witness, more of it).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scouted {
    /// Host names seen, as logged, most frequent first.
    pub hosts: Vec<Vec<u8>>,
    /// The first stamp, if it is an absolute instant.
    pub first_absolute: Option<Timestamp>,
    /// The first stamp without a year: month, day and microseconds since midnight, on the writer's wall clock.
    pub first_yearless: Option<WallTime>,
    /// Absolute instants that lines tell about themselves, each with the wall time of its line.
    pub witnesses: Vec<Witness>,
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
    /// The last instant read, by which the turn of the year and the hour that comes twice are told.
    pub last: Option<Timestamp>,
}
