//! An instant in the forms of the exports. All of them are UTC; few say so.

use crate::domain::time::SECOND;
use crate::simulate::request::Culture;
use chrono::{DateTime, Utc};

fn utc(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at.div_euclid(SECOND), 0).unwrap_or_default()
}

/// `2022-10-31T07:01:02`, as the audit log's `CreationTime`.
pub(super) fn bare(at: i64) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2022-10-31T07:01:02Z`
pub(super) fn seconds(at: i64) -> String {
    bare(at) + "Z"
}

/// `2022-10-31T07:01:02.1234560Z`: seven digits, as .NET prints its ticks.
pub(super) fn ticks(at: i64) -> String {
    format!("{}.{:06}0Z", bare(at), at.rem_euclid(SECOND))
}

/// `2022-10-31T07:01:02.1234560+00:00`, as diagnostic settings carry it.
pub(super) fn ticks_with_offset(at: i64) -> String {
    format!("{}.{:06}0+00:00", bare(at), at.rem_euclid(SECOND))
}

/// `10/31/2022, 7:01:02.123 AM`, as Log Analytics exports a column of dates.
pub(super) fn analytics(at: i64) -> String {
    let whole = utc(at);
    let millis = at.rem_euclid(SECOND) / 1000;
    format!("{}.{millis:03} {}", whole.format("%-m/%-d/%Y, %-I:%M:%S"), whole.format("%p"))
}

/// The instant as PowerShell prints it in a culture.
pub(super) fn in_culture(at: i64, culture: Culture) -> String {
    let format = match culture {
        Culture::EnUs => "%-m/%-d/%Y %-I:%M:%S %p",
        Culture::DeDe => "%d.%m.%Y %H:%M:%S",
        Culture::JaJp => "%Y/%m/%d %-H:%M:%S",
    };
    utc(at).format(format).to_string()
}

/// The day of an instant, as file names carry it.
pub(super) fn day(at: i64) -> String {
    utc(at).format("%Y-%m-%d").to_string()
}

/// The folders of an hour in a storage account.
pub(super) fn hour_folders(at: i64) -> String {
    utc(at).format("y=%Y/m=%m/d=%d/h=%H/m=00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_in_every_form() {
        // 2022-10-31T07:01:02.123456Z
        let at = 1_667_199_662_123_456;
        assert_eq!(seconds(at), "2022-10-31T07:01:02Z");
        assert_eq!(ticks(at), "2022-10-31T07:01:02.1234560Z");
        assert_eq!(ticks_with_offset(at), "2022-10-31T07:01:02.1234560+00:00");
        assert_eq!(analytics(at), "10/31/2022, 7:01:02.123 AM");
        assert_eq!(in_culture(at, Culture::EnUs), "10/31/2022 7:01:02 AM");
        assert_eq!(in_culture(at, Culture::DeDe), "31.10.2022 07:01:02");
        assert_eq!(in_culture(at, Culture::JaJp), "2022/10/31 7:01:02");
        assert_eq!(hour_folders(at), "y=2022/m=10/d=31/h=07/m=00");
    }
}
