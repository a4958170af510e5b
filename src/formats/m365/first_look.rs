//! A first look at a source: whether its head holds records of a tenant's exports, and how it writes its dates.

use super::dates::{self, Order};
use super::fields::Field;
use super::record::Record;
use super::{Shape, code_pages, heading, shape_of, shape_of_category, table};
use crate::formats::Chunk;
use crate::formats::batch::Batch;
use crate::formats::clock::{Clock, Scouted};
use crate::formats::frames::{self, Frame};
use bumpalo::Bump;

/// Records, and bytes, looked at to tell a stream of values.
const SNIFF_RECORDS: usize = 20;
const SNIFF_BYTES: usize = 128 << 10;

/// What a head tells of its source: the first instant, the hosts, and how its dates are written.
pub(super) fn scout(bytes: &[u8], parse: for<'a> fn(Chunk<'a>, &mut Clock, &mut Batch<'a>)) -> Scouted {
    let scratch = Bump::new();
    let mut batch = Batch::default();
    let mut clock = Clock::new(crate::domain::time::Zone::UTC, 1970);
    clock.day_first = day_first(bytes, &scratch);
    parse(
        Chunk {
            bytes,
            before: b"",
            heading: b"",
            scratch: &scratch,
            names: &crate::formats::host_names::NO_HOST_NAMES,
            fingerprints: false,
            unended: false,
        },
        &mut clock,
        &mut batch,
    );
    Scouted {
        hosts: batch.hosts.iter().filter(|host| !host.is_empty()).map(|host| host.to_vec()).collect(),
        first_absolute: batch.first,
        day_first: clock.day_first,
        ..Scouted::default()
    }
}

/// A longer cell is no date.
const DATE_BYTES_MAX: usize = 24;

/// Whether a source writes days before months, by all times in its head.
fn day_first(bytes: &[u8], scratch: &Bump) -> Option<bool> {
    let Times { times, others } = match bytes.trim_ascii_start().first()? {
        b'{' | b'[' => Times { times: times_of_values(bytes, scratch), others: Vec::new() },
        _ => times_of_table(bytes, scratch)?,
    };
    if !times.iter().any(|time| time.contains(&b'/')) {
        return None;
    }
    let order = dates::order_of(times.iter().copied()).or_else(|| dates::order_of(others.iter().copied()));
    order.map(|order| order == Order::DayFirst)
}

/// The fields that hold the times of records of a shape, the one that counts first.
fn fields_of_time(shape: Shape) -> &'static [Field] {
    match shape {
        Shape::Trace => &[Field::Received, Field::Time],
        Shape::Audit => &[Field::Written, Field::WrittenLocal],
        _ => &[Field::Time, Field::LocalTime, Field::Written, Field::WrittenLocal, Field::Timestamp],
    }
}

/// The times of the values in a head.
fn times_of_values<'a>(bytes: &'a [u8], scratch: &'a Bump) -> Vec<&'a [u8]> {
    let mut times = Vec::new();
    frames::each(bytes, |frame| {
        let Frame::Record(raw) = frame else { return };
        // One tool writes all of them alike; nearly always in a form that leaves no choice.
        if times.first().is_some_and(|time: &&[u8]| !time.contains(&b'/')) {
            return;
        }
        let Some(record) = Record::of_json(raw, scratch) else { return };
        let shape = shape_of(&record).filter(|shape| !matches!(shape, Shape::Diagnostic | Shape::Wrapped));
        times.extend(shape.and_then(|shape| record.first(fields_of_time(shape))));
    });
    times
}

/// The times in the head of a source, as they are written.
struct Times<'a> {
    /// Those of the records.
    times: Vec<&'a [u8]>,
    /// Dates with slashes elsewhere in a table, as those between which a search was made: one program wrote all of them alike.
    others: Vec<&'a [u8]>,
}

/// Those in a table's head.
fn times_of_table<'a>(bytes: &'a [u8], scratch: &'a Bump) -> Option<Times<'a>> {
    let (heading, shape) = heading(bytes, None, scratch)?;
    let wanted = fields_of_time(shape);
    let column = wanted.iter().find_map(|field| heading.columns.iter().position(|column| *column == Some(*field)))?;
    let (mut times, mut others) = (Vec::new(), Vec::new());
    let is_date = |cell: &[u8]| {
        cell.len() <= DATE_BYTES_MAX && cell.first().is_some_and(u8::is_ascii_digit) && memchr::memchr_iter(b'/', cell).count() == 2
    };
    let mut rest = bytes.get(heading.length..)?;
    while !rest.is_empty() {
        let row = table::cells(rest, heading.separator, scratch, |number, cell| {
            if number == column {
                times.push(cell);
            } else if is_date(cell) {
                others.push(cell);
            }
        });
        rest = rest.get(row.length..).unwrap_or_default();
    }
    Some(Times { times, others })
}

/// How sure it is that a table with this head holds records of one of these shapes.
pub(super) fn sniff_table(head: &[u8], shapes: &[Shape]) -> u8 {
    if head.trim_ascii_start().first().is_none_or(|b| matches!(b, b'{' | b'[' | b'<')) {
        return 0;
    }
    let scratch = Bump::new();
    let head = code_pages::as_utf8(head, &scratch);
    match heading(head, None, &scratch) {
        Some((heading, shape)) if shapes.contains(&shape) => {
            if shape_of(&heading.shape()).is_some() {
                92
            } else {
                40
            }
        }
        _ => 0,
    }
}

/// How sure it is that a stream of values with this head holds records of one of these shapes.
pub(super) fn sniff_values(head: &[u8], shapes: &[Shape]) -> u8 {
    if !head.trim_ascii_start().starts_with(b"{") && !head.trim_ascii_start().starts_with(b"[") {
        return 0;
    }
    let scratch = Bump::new();
    let head = code_pages::as_utf8(head, &scratch);
    let mut found = None;
    let mut seen = 0;
    frames::each(head.get(..head.len().min(SNIFF_BYTES)).unwrap_or(head), |frame| {
        let Frame::Record(raw) = frame else { return };
        seen += 1;
        if found.is_some() || seen > SNIFF_RECORDS {
            return;
        }
        let Some(record) = Record::of_json(raw, &scratch) else { return };
        found = match shape_of(&record) {
            Some(Shape::Diagnostic) => record.get(Field::Category).and_then(shape_of_category),
            Some(Shape::Wrapped) => record.inner(Field::Message, &scratch).and_then(|inner| shape_of(&inner)).map(|_| Shape::Wrapped),
            shape => shape,
        };
    });
    if found.is_some_and(|shape| shapes.contains(&shape)) { 92 } else { 0 }
}
