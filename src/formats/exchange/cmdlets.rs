//! Cmdlet logs of remote PowerShell and of the admin centre: who changed what.

use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso, no_guess};
use crate::formats::batch::Ignored;
use crate::formats::sink::Fate;
use crate::formats::table::Row;

const SHELL_ID: &str = "exchange.cmdlet";
const PANEL_ID: &str = "exchange.ecp-server";

/// `Rps_Cmdlet_….LOG`.
pub(super) const SHELL: LogType = LogType {
    format: format(SHELL_ID, "exchange-cmdlets", "Exchange cmdlet log", ROWS, |head| certainty(head, SHELL_ID)),
    columns: &[
        &["DateTime", "StartTime", "TimeStamp"],
        &["AuthenticatedUser"],
        &["Cmdlet"],
        &["Parameters"],
        &["ServerHostName"],
        &["ClientIpAddress", "ClientIP"],
    ],
    marks: &["AuthenticatedUser", "Cmdlet", "Parameters"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: shell,
};

/// `ECPServer….LOG`.
pub(super) const PANEL: LogType = LogType {
    format: format(PANEL_ID, "exchange-cmdlets", "Exchange admin centre log", ROWS, |head| certainty(head, PANEL_ID)),
    columns: &[&["TimeStamp"], &["ServerName"], &["EventId"], &["EventData"]],
    marks: &["TimeStamp", "ServerName", "EventId", "EventData"],
    row: |_, _| Fate::NO_FACT,
    ..SHELL
};

const DATE_TIME: usize = 0;
const USER: usize = 1;

fn shell<'a>(row: &Row<'a>, _: &mut Reader<'_, 'a>) -> Fate {
    if names::is_probe_user(row.cell(USER)) { Fate::Ignored(Ignored::Probe) } else { Fate::NO_FACT }
}
