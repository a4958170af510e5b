//! Agent logs: what the filters of a server refused while a message came in over SMTP.

use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso, no_guess};
use crate::formats::event::{DialogueEvent, DialogueFact, Protocol};
use crate::formats::sink::Fate;
use crate::formats::table::Row;

const ID: &str = "exchange.agent";

/// `AgentLog….LOG`. One row per recipient.
pub(super) const TYPE: LogType = LogType {
    format: format(ID, "exchange-agent", "Exchange agent log", ROWS, |head| certainty(head, ID)),
    columns: &[
        &["Timestamp"],
        &["SessionId"],
        &["LocalEndpoint"],
        &["RemoteEndpoint"],
        &["P1FromAddress"],
        &["Recipient"],
        &["Action"],
        &["SmtpResponse"],
    ],
    marks: &["SessionId", "EnteredOrgFromIP", "P1FromAddress"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(TIMESTAMP)),
    row,
};

const TIMESTAMP: usize = 0;
const SESSION: usize = 1;
const LOCAL: usize = 2;
const REMOTE: usize = 3;
const SENDER: usize = 4;
const RECIPIENT: usize = 5;
const ACTION: usize = 6;
const RESPONSE: usize = 7;

/// A message that a filter keeps or drops after it was taken in has rows in the tracking log; what it refuses before has only these.
fn row<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    if !names::starts_with(row.cell(ACTION), b"Reject") {
        return Fate::NO_FACT;
    }
    reader.on_host(names::address(row.cell(LOCAL)));
    let recipient = if row.cell(ACTION).eq_ignore_ascii_case(b"RejectRecipients") { row.cell(RECIPIENT) } else { b"" };
    reader.sink.dialogue(DialogueEvent {
        id: row.cell(SESSION),
        protocol: Protocol::SmtpAuth,
        address: names::address(row.cell(REMOTE)),
        number: None,
        fact: DialogueFact::Refused { sender: row.cell(SENDER), recipient, text: row.cell(RESPONSE) },
    })
}
