//! `Get-MessageTrackingLog … | Export-Csv`: tracking rows as the shell's objects, with the wall time and the spelling of dates of the
//! machine that exported them.

use super::tracking::{self, COLUMNS};
use super::{Cells, HEADINGS, LogType, Reader, certainty, format, iso, no_guess};
use crate::domain::time::{HOUR, date_exists};
use crate::formats::Framing;
use crate::formats::batch::Malformed;
use crate::formats::clock::WallTime;
use crate::formats::scan;
use crate::formats::syslog::stamp::{self, Stamp};
use crate::formats::table::Row;

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
    row: tracking::row,
};

fn instant(row: &Row<'_>, _: &Reader<'_, '_>) -> Result<Stamp, Malformed> {
    let cell = row.cell(0);
    match iso(cell) {
        Ok(stamp) => Ok(stamp),
        Err(_) => local(cell),
    }
}

/// `1/25/2024 3:16:09 PM`, `25.01.2024 15:16:09`, `25/01/2024 15:16:09`, `2024/01/25 15:16:09`: the order of day and month goes by the
/// look of the rest, unless the number itself shows that it cannot be so.
fn local(cell: &[u8]) -> Result<Stamp, Malformed> {
    if let Ok((stamp @ Stamp::Local(..), b"")) = stamp::read(cell) {
        return Ok(stamp);
    }
    read_local(cell).ok_or(Malformed::NoTime)?
}

fn read_local(cell: &[u8]) -> Option<Result<Stamp, Malformed>> {
    let (date, time) = scan::split_byte(cell.trim_ascii(), b' ')?;
    let (first, rest) = scan::number(date)?;
    let (separator, rest) = rest.split_first()?;
    let (second, rest) = scan::number(rest)?;
    let (third, rest) = scan::number(rest.get(1..)?)?;
    if !rest.is_empty() && rest != b"." {
        return None;
    }
    let (clock, half) = scan::split_byte(time, b' ').unwrap_or((time, b""));
    let padded = if clock.get(1) == Some(&b':') { [b"0", clock].concat() } else { clock.to_vec() };
    let (micros, rest) = stamp::time_of_day(&padded)?;
    let micros = micros.filter(|_| rest.is_empty());
    let month_first = *separator == b'/' && !half.is_empty();
    let (year, month, day) = match () {
        () if first > 31 => (first, second, third),
        () if (month_first && first <= 12) || second > 12 => (third, first, second),
        () => (third, second, first),
    };
    let (year, month, day) = (i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let hour = micros.unwrap_or(0) / HOUR;
    let shift = match half.to_ascii_uppercase().as_slice() {
        b"AM" if hour == 12 => -12 * HOUR,
        b"PM" if hour < 12 => 12 * HOUR,
        _ => 0,
    };
    Some(match micros {
        Some(micros) if date_exists(year, month, day) => {
            Ok(Stamp::Local(year, WallTime { month: month as u8, day: day as u8, micros_of_day: micros + shift }))
        }
        _ => Err(Malformed::BadTime),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_the_exporting_machine_spells_them() {
        for (text, expected) in [
            ("1/25/2024 3:16:09 PM", (1, 25, 15)),
            ("1/5/2024 12:16:09 AM", (1, 5, 0)),
            ("25.01.2024 15:16:09", (1, 25, 15)),
            ("05/01/2024 15:16:09", (1, 5, 15)),
            ("2024/01/25 9:16:09", (1, 25, 9)),
            ("2024-01-25 09:16:09", (1, 25, 9)),
        ] {
            let Ok(Stamp::Local(2024, wall)) = local(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((u32::from(wall.month), u32::from(wall.day), wall.micros_of_day / HOUR), expected, "{text}");
        }
        assert_eq!((local(b"33/33/2024 1:00:00"), local(b"yesterday")), (Err(Malformed::BadTime), Err(Malformed::NoTime)));
    }
}
