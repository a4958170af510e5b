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
        &["MessageId"],
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
const MESSAGE: usize = 8;

/// A message that a filter keeps or drops after it was taken in has rows in the tracking log; what it refuses before has only these.
/// A connection, a login or a greeting that is refused is no message.
fn row<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let refuses = |action: &str| row.cell(ACTION).eq_ignore_ascii_case(action.as_bytes());
    let of_a_transaction = refuses("RejectCommand") && !row.cell(SENDER).is_empty();
    if !(refuses("RejectMessage") || refuses("RejectRecipients") || of_a_transaction) {
        return Fate::NO_FACT;
    }
    reader.on_host(names::address(row.cell(LOCAL)));
    reader.sink.dialogue(DialogueEvent {
        id: row.cell(SESSION),
        log: b"",
        protocol: Protocol::SmtpAuth,
        address: names::address(row.cell(REMOTE)),
        number: None,
        fact: DialogueFact::Refused {
            message: row.cell(MESSAGE),
            sender: row.cell(SENDER),
            recipient: row.cell(RECIPIENT),
            text: row.cell(RESPONSE),
        },
    })
}
