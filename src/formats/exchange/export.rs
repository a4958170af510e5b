//! `Get-MessageTrackingLog … | Export-Csv`: tracking rows as the shell's objects, with the wall time and the spelling of dates of the
//! machine that exported them.

use super::tracking::{self, COLUMNS};
use super::{Cells, HEADINGS, Headings, LogType, Reader, SNIFF_LINES, begins_row, certainty, format, iso, line, no_guess};
use crate::domain::time::{DAY, date_of};
use crate::formats::Framing;
use crate::formats::batch::Malformed;
use crate::formats::clock::WallTime;
use crate::formats::m365::dates::{self, Order};
use crate::formats::remark::Remark;
use crate::formats::sink::Fate;
use crate::formats::syslog::stamp::Stamp;
use crate::formats::table::{self, Row};
use bumpalo::Bump;

const ID: &str = "exchange.tracking-export";

/// With every cell in quotes, or with those alone that need them.
pub(super) const TYPE: LogType = LogType {
    format: format(
        ID,
        "exchange-tracking",
        "Exchange message tracking, exported by the shell",
        Framing::Rows { quoted: true, begins: |_| true, headings: HEADINGS },
        |head| certainty(head, ID),
    ),
    columns: COLUMNS,
    marks: &["Timestamp", "EventId", "MessageId", "Recipients"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant,
    row,
};

/// Columns that hold lists, or objects, of which the shell may write the name of their type alone.
const OBJECTS: [usize; 4] = [tracking::RECIPIENTS, tracking::STATUS, tracking::REFERENCE, tracking::CUSTOM_DATA];

/// Reads a row as those of the log itself, after putting its lists as the log does.
fn row<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let mut row = *row;
    for column in OBJECTS {
        let cell = row.cell(column);
        if column == tracking::RECIPIENTS {
            row.put(column, recipients(cell, reader.chunk.scratch));
        } else if is_type_name(cell) {
            row.put(column, b"");
        }
    }
    if row.cell(tracking::RECIPIENTS) == tracking::LOST {
        reader.sink.batch.remarks.add(Remark::RecipientsLost);
    }
    tracking::row(&row, reader)
}

/// `System.String[]`, `System.Collections.Generic.KeyValuePair`2[System.String,System.Object][]`: an object that was not written out.
fn is_type_name(cell: &[u8]) -> bool {
    cell.starts_with(b"System.") && cell.ends_with(b"]") && !cell.contains(&b'@')
}

/// The recipients as the log lists them, whatever the operator joined them by: `;`, a comma, blanks, a line break.
fn recipients<'a>(cell: &'a [u8], scratch: &'a Bump) -> &'a [u8] {
    if is_type_name(cell) {
        return tracking::LOST;
    }
    let parts = || cell.split(|b| matches!(b, b';' | b',' | b'|') || b.is_ascii_whitespace()).filter(|part| !part.is_empty());
    let splits = cell.iter().any(|b| matches!(b, b',' | b'|') || b.is_ascii_whitespace());
    // A part that is no address shows that a blank or a comma stands inside of one.
    if !splits || cell.contains(&b'\'') || !parts().all(|part| part.contains(&b'@')) {
        return cell;
    }
    let mut list = bumpalo::collections::Vec::with_capacity_in(cell.len(), scratch);
    for part in parts() {
        if !list.is_empty() {
            list.push(b';');
        }
        list.extend_from_slice(part);
    }
    list.into_bump_slice()
}

fn instant(row: &Row<'_>, reader: &mut Reader<'_, '_>) -> Result<Stamp, Malformed> {
    let cell = row.cell(TIMESTAMP);
    if let Ok(stamp) = iso(cell) {
        return Ok(stamp);
    }
    let (stamp, either_way) = local(cell, reader.clock.day_first)?;
    if either_way && reader.clock.day_first.is_none() {
        reader.sink.batch.remarks.add(Remark::DoubtfulTime);
    }
    Ok(stamp)
}

const TIMESTAMP: usize = 0;

/// `1/25/2024 3:16:09 PM`, `25.01.2024 15:16:09`, `25/01/2024 15:16:09`, `2024/01/25 15:16:09`, and whether the day and the month could
/// change places: their order is that of the whole file, unless the number itself shows that it cannot be so.
fn local(cell: &[u8], day_first: Option<bool>) -> Result<(Stamp, bool), Malformed> {
    let order = day_first.map(|day_first| if day_first { Order::DayFirst } else { Order::MonthFirst });
    let Some(moment) = dates::read(cell, order) else {
        let begins = cell.trim_ascii().first().is_some_and(u8::is_ascii_digit);
        return Err(if begins { Malformed::BadTime } else { Malformed::NoTime });
    };
    if has_offset(cell) {
        return Ok((Stamp::Absolute(moment.at), moment.either_way));
    }
    // Without an offset it is the wall time that was read.
    let (year, month, day) = date_of(moment.at);
    let wall = WallTime { month: month as u8, day: day as u8, micros_of_day: moment.at.0.rem_euclid(DAY) };
    Ok((Stamp::Local(year, wall), moment.either_way))
}

fn has_offset(cell: &[u8]) -> bool {
    let last = cell.trim_ascii().rsplit(|b| matches!(b, b' ' | b'T')).next().unwrap_or_default();
    last.ends_with(b"Z") || last.iter().any(|b| matches!(b, b'+' | b'-')) && last.contains(&b':')
}

/// How an export writes its dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) day_first: Option<bool>,
    /// They can be read either way, and no row tells which.
    pub(super) open: bool,
}

/// How the dates of a text are written, by all of its rows; `None` if it is no export.
pub(super) fn look_at_dates(text: &[u8], scratch: &Bump) -> Option<Dates> {
    let mut headings = Headings::default();
    let mut rest = text;
    for _ in 0..SNIFF_LINES {
        let (heading, after) = line(rest);
        rest = after;
        if !headings.read(heading, scratch) || headings.in_force.is_some() {
            break;
        }
    }
    let (_, layout) = headings.in_force.filter(|(known, _)| known.format.id == ID)?;
    let mut times = Vec::new();
    while !rest.is_empty() {
        let (row, after) = table::csv_row(rest, &layout, begins_row, scratch);
        times.push(row.cell(TIMESTAMP));
        rest = after;
    }
    if !times.iter().any(|time| time.contains(&b'/')) {
        return Some(Dates { day_first: None, open: false });
    }
    let order = dates::order_of(times.iter().copied());
    let either_way = |time: &&[u8]| dates::read(time, None).is_some_and(|moment| moment.either_way);
    Some(Dates { day_first: order.map(|order| order == Order::DayFirst), open: order.is_none() && times.iter().any(either_way) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::HOUR;

    const HEADING: &str = "Timestamp,ClientIp,ServerHostname,EventId,MessageId,Recipients\r\n";

    #[test]
    fn dates_are_read_as_the_exporting_machine_spells_them() {
        for (text, day_first, expected) in [
            ("1/25/2024 3:16:09 PM", None, (1, 25, 15)),
            ("1/5/2024 12:16:09 AM", None, (1, 5, 0)),
            ("1/5/2024 3:16:09 PM", Some(true), (5, 1, 15)),
            ("25.01.2024 15:16:09", None, (1, 25, 15)),
            ("05/01/2024 15:16:09", None, (1, 5, 15)),
            ("05/01/2024 15:16:09", Some(false), (5, 1, 15)),
            ("25/01/2024 15:16:09", Some(false), (1, 25, 15)),
            ("2024/01/25 9:16:09", None, (1, 25, 9)),
            ("2024-01-25 09:16:09", None, (1, 25, 9)),
        ] {
            let Ok((Stamp::Local(2024, wall), _)) = local(text.as_bytes(), day_first) else { panic!("{text}") };
            assert_eq!((u32::from(wall.month), u32::from(wall.day), wall.micros_of_day / HOUR), expected, "{text}");
        }
        assert_eq!((local(b"33/33/2024 1:00:00", None), local(b"yesterday", None)), (Err(Malformed::BadTime), Err(Malformed::NoTime)));
        assert!(matches!(local(b"1/25/2024 3:16:09 PM +09:00", None), Ok((Stamp::Absolute(_), false))));
    }

    #[test]
    fn recipients_are_told_apart_by_whatever_the_operator_joined_them_with() {
        let scratch = Bump::new();
        for joined in [
            "a@x.test;b@x.test",
            "a@x.test; b@x.test",
            "a@x.test,b@x.test",
            "a@x.test b@x.test",
            "a@x.test\r\nb@x.test",
            "a@x.test|b@x.test",
        ] {
            assert_eq!(recipients(joined.as_bytes(), &scratch), b"a@x.test;b@x.test", "{joined}");
        }
        for whole in ["a@x.test", "IMCEAEX-_o=U_ou=First Group_cn=a@u.example", "'a, b@x.test'", ""] {
            assert_eq!(recipients(whole.as_bytes(), &scratch), whole.as_bytes());
        }
        assert_eq!(recipients(b"System.String[]", &scratch), tracking::LOST);
    }

    #[test]
    fn one_row_past_the_twelfth_of_a_month_tells_how_all_of_them_are_written() {
        let told = |times: &[&str]| {
            let rows = times.iter().map(|time| format!("{time},192.0.2.25,EX1,RECEIVE,<m1@u.example>,a@x.example\r\n"));
            let text = HEADING.to_owned() + &rows.collect::<String>();
            let dates = look_at_dates(text.as_bytes(), &Bump::new()).unwrap();
            (dates.day_first, dates.open)
        };
        assert_eq!(told(&["3/2/2026 10:00:01", "3/13/2026 10:00:01"]), (Some(false), false));
        assert_eq!(told(&["2/03/2026 10:00:01 AM", "13/03/2026 10:00:01 AM"]), (Some(true), false));
        // By the order of the rows.
        assert_eq!(told(&["1/31/2026 9:00:00", "2/1/2026 9:00:00", "2/2/2026 9:00:00"]), (Some(false), false));
        assert_eq!(told(&["3/2/2026 10:00:01 AM", "3/2/2026 10:00:02 AM"]), (None, true));
        assert_eq!(told(&["2026/03/02 10:00:01"]), (None, false));
        assert_eq!(look_at_dates(b"date-time,event-id\r\n", &Bump::new()), None);
    }
}
