//! Times in all the forms in which tenants' exports print them. What carries no offset is UTC.

use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, date_exists, days_from_civil, parse_offset};
use crate::formats::scan;

/// Whether `3/12/2025` is in March or in December.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Order {
    MonthFirst,
    DayFirst,
}

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Moment {
    pub(in crate::formats) at: Timestamp,
    /// Read by the order in which the file seems to write days and months, and valid in the other one too.
    pub(in crate::formats) either_way: bool,
    /// Whether it says itself how far it is from UTC.
    pub(super) zoned: bool,
}

/// Reads a time; `None` if it names no instant, as what a spreadsheet left of one.
pub(in crate::formats) fn read(text: &[u8], order: Option<Order>) -> Option<Moment> {
    let text = text.trim_ascii();
    if text.len() >= 10 && text.get(4) == Some(&b'-') {
        return iso(text).map(|(at, zoned)| Moment { at, either_way: false, zoned });
    }
    if let Some(inner) = scan::after(text, b"Date(") {
        let (negative, digits) = inner.strip_prefix(b"-").map_or((false, inner), |digits| (true, digits));
        let (millis, _) = scan::number(digits)?;
        let micros = i64::try_from(millis).ok()?.checked_mul(1000)?;
        return Some(Moment { at: Timestamp(if negative { -micros } else { micros }), either_way: false, zoned: true });
    }
    parted(text, order)
}

/// `2025-12-04T08:19:41.1234567Z`, with a blank for the T, without zone, with an offset; and whether it had one.
fn iso(text: &[u8]) -> Option<(Timestamp, bool)> {
    let part = |from: usize, to: usize| digits(text.get(from..to)?);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let midnight = midnight(year, month, day)?;
    let rest = text.get(10..).unwrap_or_default();
    if rest.is_empty() {
        return Some((Timestamp(midnight), false));
    }
    let (micros, rest) = time_of_day(rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b"t")).unwrap_or(rest).trim_ascii_start())?;
    let offset = if rest.is_empty() { None } else { Some(parse_offset(rest.trim_ascii())?) };
    Some((Timestamp(midnight + micros - i64::from(offset.unwrap_or(0)) * SECOND), offset.is_some()))
}

/// Three numbers with `/`, `.` or `-` between them, a comma or not, the time of the day, AM or PM, an offset.
fn parted(text: &[u8], order: Option<Order>) -> Option<Moment> {
    let (first, rest) = scan::number(text)?;
    let separator = *rest.first().filter(|b| matches!(b, b'/' | b'.' | b'-'))?;
    let (second, rest) = scan::number(rest.get(1..)?)?;
    let (third, rest) = scan::number(rest.strip_prefix(&[separator])?)?;
    let (a, b, c) = (u32::try_from(first).ok()?, u32::try_from(second).ok()?, u32::try_from(third).ok()?);
    let rest = rest.strip_prefix(b",").unwrap_or(rest);
    let clock = Clock::read(rest)?;
    let (year, month, day, either_way) = if a > 31 {
        (a, b, c, false)
    } else {
        let by_default =
            if separator == b'/' && (clock.twelve_hours || order == Some(Order::MonthFirst)) { Order::MonthFirst } else { Order::DayFirst };
        let order = match () {
            () if a > 12 => Order::DayFirst,
            () if b > 12 => Order::MonthFirst,
            () if separator == b'/' => order.unwrap_or(by_default),
            () => Order::DayFirst,
        };
        let either_way = separator == b'/' && a <= 12 && b <= 12 && a != b;
        if order == Order::MonthFirst { (c, a, b, either_way) } else { (c, b, a, either_way) }
    };
    let at = Timestamp(midnight(year, month, day)? + clock.micros - i64::from(clock.offset.unwrap_or(0)) * SECOND);
    Some(Moment { at, either_way, zoned: clock.offset.is_some() })
}

/// The part of a time behind its date.
struct Clock {
    micros: i64,
    offset: Option<i32>,
    twelve_hours: bool,
}

impl Clock {
    fn read(text: &[u8]) -> Option<Clock> {
        let text = trim(text);
        if text.is_empty() {
            return Some(Clock { micros: 0, offset: None, twelve_hours: false });
        }
        let (half, text) = half_before(text);
        let (mut micros, rest) = time_of_day(text)?;
        let (half, rest) = match half {
            Some(half) => (Some(half), rest),
            None => half_behind(rest),
        };
        match half {
            Some(Half::Morning) if micros >= 12 * HOUR => micros -= 12 * HOUR,
            Some(Half::Afternoon) if micros < 12 * HOUR => micros += 12 * HOUR,
            _ => {}
        }
        let rest = trim(rest);
        let offset = if rest.is_empty() { None } else { Some(parse_offset(rest)?) };
        Some(Clock { micros, offset, twelve_hours: half.is_some() })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// Names of the halves of the day; the longer come first.
const HALVES: [(&str, Half); 10] = [
    ("午前", Half::Morning),
    ("午後", Half::Afternoon),
    ("오전", Half::Morning),
    ("오후", Half::Afternoon),
    ("上午", Half::Morning),
    ("下午", Half::Afternoon),
    ("AM", Half::Morning),
    ("PM", Half::Afternoon),
    ("am", Half::Morning),
    ("pm", Half::Afternoon),
];

fn half_before(text: &[u8]) -> (Option<Half>, &[u8]) {
    let found = HALVES.iter().find_map(|(name, half)| Some((*half, text.strip_prefix(name.as_bytes())?)));
    found.map_or((None, text), |(half, rest)| (Some(half), trim(rest)))
}

fn half_behind(text: &[u8]) -> (Option<Half>, &[u8]) {
    half_before(trim(text))
}

/// Takes blanks away, those of one byte and the two that newer libraries put before AM and PM.
fn trim(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii();
        match text.strip_prefix("\u{202f}".as_bytes()).or_else(|| text.strip_prefix("\u{a0}".as_bytes())) {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

/// `H:mm`, `H:mm:ss`, `H:mm:ss.fffffff`: microseconds, and what follows.
fn time_of_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hours, rest) = scan::number(text)?;
    let (minutes, mut rest) = scan::number(rest.strip_prefix(b":")?)?;
    let mut seconds = 0;
    if let Some((value, after)) = rest.strip_prefix(b":").and_then(scan::number) {
        (seconds, rest) = (value, after);
    }
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let length = after.iter().take_while(|b| b.is_ascii_digit()).count();
        let mut unit = 100_000;
        for digit in after.iter().take(length) {
            fraction += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        rest = after.get(length..).unwrap_or_default();
    }
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some((hours as i64 * HOUR + minutes as i64 * MINUTE + seconds as i64 * SECOND + fraction, rest))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |value, b| Some(value * 10 + char::from(*b).to_digit(10)?))
}

fn midnight(year: u32, month: u32, day: u32) -> Option<i64> {
    let year = i32::try_from(year).ok().filter(|y| (1990..2200).contains(y))?;
    date_exists(year, month, day).then(|| days_from_civil(year, month, day) * DAY)
}

/// In which order a file writes days and months, by all its times: a number above 12, or else the order in which its rows, which run
/// forward or back in time, would run so.
pub(in crate::formats) fn order_of<'a>(times: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Order> {
    let mut firsts_seconds = times.clone().filter_map(|text| {
        let (first, rest) = scan::number(text.trim_ascii())?;
        let (second, _) = scan::number(rest.strip_prefix(b"/")?)?;
        (first <= 31).then_some((first, second))
    });
    if let Some((first, _)) = firsts_seconds.find(|(first, second)| *first > 12 || *second > 12) {
        return Some(if first > 12 { Order::DayFirst } else { Order::MonthFirst });
    }
    let runs = |order| {
        let mut instants = times.clone().filter_map(|text| read(text, Some(order))).map(|moment| moment.at);
        let (mut up, mut down) = (0, 0);
        let mut last = instants.next();
        for at in instants {
            up += u32::from(last.is_some_and(|last| at > last));
            down += u32::from(last.is_some_and(|last| at < last));
            last = Some(at);
        }
        (up == 0) != (down == 0)
    };
    match (runs(Order::MonthFirst), runs(Order::DayFirst)) {
        (true, false) => Some(Order::MonthFirst),
        (false, true) => Some(Order::DayFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;

    fn shown(text: &str, order: Option<Order>) -> String {
        read(text.as_bytes(), order).map_or_else(|| "none".to_owned(), |moment| Zone::UTC.stamp(moment.at).to_string())
    }

    #[test]
    fn one_instant_is_read_in_every_form() {
        let forms = [
            "2025-12-04T08:19:41Z",
            "2025-12-04T08:19:41.0000000Z ",
            "2025-12-04T08:19:41",
            "2025-12-04 08:19:41",
            "2025-12-04T17:19:41+09:00",
            "2025-12-04T03:19:41.000-05:00",
            "/Date(1764836381000)/",
            "\\/Date(1764836381000+0900)\\/",
            "12/4/2025, 8:19:41.000 AM",
            "12/4/2025 8:19:41 AM",
            "12/4/2025 8:19:41\u{202f}AM",
            "12/4/2025 9:19:41 AM +01:00",
            "04.12.2025 08:19:41",
            "2025/12/04 8:19:41",
            "2025/12/04 午前 8:19:41",
            "2025/12/04 17:19:41 +09:00",
        ];
        for form in forms {
            assert_eq!(shown(form, None), "2025-12-04T08:19:41+00:00", "{form}");
        }
        assert_eq!(shown("4/12/2025 08:19:41", Some(Order::DayFirst)), "2025-12-04T08:19:41+00:00");
        assert_eq!(shown("12/4/2025 12:05:00 AM", None), "2025-12-04T00:05:00+00:00");
        assert_eq!(shown("2025/12/04 午後 0:05:00", None), "2025-12-04T12:05:00+00:00");
    }

    #[test]
    fn what_a_spreadsheet_left_of_a_time_is_none() {
        for text in ["12:36 PM", "45:17.3", "", "13/13/2025 1:00:00 AM", "2025-02-30T00:00:00Z", "2025-12-04T25:00:00Z", "45263.34"] {
            assert_eq!(shown(text, None), "none", "{text}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_decided_by_the_whole_file() {
        let order = |times: &[&'static str]| order_of(times.iter().map(|t| t.as_bytes()));
        assert_eq!(order(&["3/12/2025 7:00:00", "13/12/2025 7:00:00"]), Some(Order::DayFirst));
        assert_eq!(order(&["3/12/2025 7:00:00", "3/13/2025 7:00:00"]), Some(Order::MonthFirst));
        assert_eq!(order(&["1/11/2025 7:00:00", "2/11/2025 7:00:00", "1/12/2025 7:00:00"]), Some(Order::DayFirst));
        assert_eq!(order(&["3/12/2025 7:00:00"]), None);
        assert!(read(b"3/12/2025 7:00:00", None).unwrap().either_way);
        assert!(!read(b"3/3/2025 7:00:00", None).unwrap().either_way);
    }
}
