//! Logs that hold no fact about an account or a message: the connectivity log, and those of Exchange that are known by their heading
//! alone. Their lines are counted, and their times show from when to when a server wrote.

use super::{Cells, LogType, ROWS, certainty, format, iso, no_guess};
use crate::formats::sink::Fate;

const ID: &str = "exchange.connectivity";
const OTHER_ID: &str = "exchange.other";

/// `CONNECTLOG….LOG`: which next hop was reached, and how many messages went.
pub(super) const TYPE: LogType = LogType {
    format: format(ID, "exchange-connectivity", "Exchange connectivity log", ROWS, |head| certainty(head, ID)),
    columns: &[&["date-time"]],
    marks: &["session", "Destination", "direction", "description"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(0)),
    row: |_, _| Fate::NO_FACT,
};

/// Any other log with a heading of this family.
pub(super) const OTHER: LogType = LogType {
    format: format(OTHER_ID, "exchange-other", "another log of Exchange", ROWS, |head| certainty(head, OTHER_ID)),
    columns: &[&["date-time", "DateTime", "Timestamp", "TimeStamp"]],
    marks: &[],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(0)),
    row: |_, _| Fate::OTHER_PROGRAM,
};
