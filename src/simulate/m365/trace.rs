//! The message trace: `Get-MessageTrace` and `Get-MessageTraceDetail` as CSV, in the culture of whoever ran them.

use super::clock;
use super::directory::TENANT_DOMAIN;
use super::export::Sheet;
use super::guid::{Guid, Kind};
use super::json::string;
use super::message::{Copy, End, Message, Way};
use super::table::{Quotes, Row, header, row};
use crate::domain::time::SECOND;
use crate::simulate::request::Culture;

const COLUMNS: &str = "PSComputerName,RunspaceId,PSShowComputerName,Organization,MessageId,Received,SenderAddress,RecipientAddress,\
Subject,Status,ToIP,FromIP,Size,MessageTraceId,StartDate,EndDate,Index";
const DETAIL_COLUMNS: &str = "PSComputerName,RunspaceId,PSShowComputerName,Organization,MessageId,MessageTraceId,Date,Event,Action,\
Detail,Data,SenderAddress,RecipientAddress,StartDate,EndDate,Index";
const COMPUTER: &str = "outlook.office365.example";

/// How a collector asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query {
    pub(super) culture: Culture,
    /// The window it asked for.
    pub(super) span: (i64, i64),
    /// Rows come in pages of this size, and an index counts in each.
    pub(super) page: usize,
}

/// One row to each recipient of each message, the newest first. Collectors ask once for what an account sent and once for what it
/// received, so rows of messages between accounts of the tenant come twice.
pub(super) fn trace(sheet: &mut Sheet, messages: &[Message], query: Query, is_account: impl Fn(&str) -> bool) {
    sheet.head(|out| header(out, Quotes::Always, COLUMNS));
    let newest_first = || messages.iter().rev().flat_map(|message| message.copies.iter().map(move |copy| (message, copy)));
    let sent = newest_first().filter(|(message, _)| is_account(&message.sender));
    let received = newest_first().filter(|(_, copy)| is_account(&copy.to));
    for (number, (message, copy)) in sent.chain(received).enumerate() {
        sheet.record(|out| put_row(out, message, copy, query, number % query.page));
    }
}

fn put_row(out: &mut Vec<u8>, message: &Message, copy: &Copy, query: Query, index: usize) {
    row(out, Quotes::Always, |row| {
        put_shell(row);
        row.cell(format!("<{}>", message.message_id)).cell(clock::in_culture(message.at, query.culture));
        row.cell(&message.sender).cell(&copy.to).cell(&message.subject).cell(status(copy));
        let to = if let End::Sent(server) = &copy.end { &server.ip } else { "" };
        row.cell(to).cell(message.client.map(|ip| ip.to_string()).unwrap_or_default()).cell(message.size).cell(message.id);
        put_window(row, query).cell(index);
    });
}

fn put_shell(row: &mut Row) {
    row.cell(COMPUTER).cell(Guid::of(0, Kind::Run, 0)).cell("False").cell(TENANT_DOMAIN);
}

fn put_window<'a, 'b>(row: &'a mut Row<'b>, query: Query) -> &'a mut Row<'b> {
    row.cell(clock::in_culture(query.span.0, query.culture)).cell(clock::in_culture(query.span.1, query.culture))
}

fn status(copy: &Copy) -> &'static str {
    match copy.end {
        End::Delivered | End::Sent(_) => "Delivered",
        End::Junk => "FilteredAsSpam",
        End::Failed { .. } => "Failed",
        End::Quarantined => "Quarantined",
        End::Pending => "Pending",
    }
}

/// What happened to each copy of some messages, step by step.
pub(super) fn detail<'a>(sheet: &mut Sheet, messages: impl IntoIterator<Item = &'a Message>, query: Query) {
    sheet.head(|out| header(out, Quotes::Always, DETAIL_COLUMNS));
    for message in messages {
        for copy in &message.copies {
            for (index, step) in steps(message, copy).iter().enumerate() {
                sheet.record(|out| put_step(out, message, copy, step, query, index));
            }
        }
    }
}

fn put_step(out: &mut Vec<u8>, message: &Message, copy: &Copy, step: &Step, query: Query, index: usize) {
    row(out, Quotes::Always, |row| {
        put_shell(row);
        row.cell(format!("<{}>", message.message_id)).cell(message.id).cell(clock::in_culture(step.at, query.culture));
        row.cell(step.event).cell("").cell(&step.detail).cell(&step.data).cell(&message.sender).cell(&copy.to);
        put_window(row, query).cell(index);
    });
}

struct Step {
    at: i64,
    event: &'static str,
    detail: String,
    data: String,
}

fn steps(message: &Message, copy: &Copy) -> Vec<Step> {
    let server = "TYAPR01MB2103.jpnprd01.prod.outlook.example";
    let mut steps = vec![match message.way {
        Way::Submitted | Way::Notice => {
            Step { at: message.at, event: "Submit", detail: "The message was submitted.".to_owned(), data: String::new() }
        }
        Way::Inbound | Way::SmtpAuth => Step {
            at: message.at,
            event: "Receive",
            detail: format!("Message received by: {server} using TLS1.2 with AES256"),
            data: data(&[("ClientIP", message.client.map(|ip| ip.to_string()).unwrap_or_default()), ("ServerHostName", server.to_owned())]),
        },
    }];
    for deferral in &copy.deferrals {
        let detail = format!("Message transfer failed. {}", deferral.reply);
        steps.push(Step { at: deferral.at, event: "Defer", detail, data: String::new() });
    }
    let at = copy.settled.max(message.at + SECOND);
    let last = match &copy.end {
        End::Delivered => Some(("Deliver", "The message was successfully delivered to the folder: DefaultFolderType:Inbox".to_owned())),
        End::Junk => Some(("Spam", "The message was delivered to the folder: DefaultFolderType:JunkEmail".to_owned())),
        End::Sent(server) => Some(("Send external", format!("Message sent to {} at {} using TLS1.2 with AES256", server.name, server.ip))),
        End::Failed { .. } => {
            let wrapped = copy.wrapped();
            Some(("Fail", format!("Reason: {wrapped}. OutboundProxyTargetIP: . OutboundProxyTargetHostName: ")))
        }
        End::Quarantined => Some(("Spam", "The message was sent to the quarantine.".to_owned())),
        End::Pending => None,
    };
    steps.extend(last.map(|(event, detail)| Step { at, event, detail, data: String::new() }));
    steps
}

/// `Data`: a scrap of XML.
fn data(pairs: &[(&str, String)]) -> String {
    let mut text = b"<root>".to_vec();
    for (name, value) in pairs {
        text.extend(b"<MEP Name=");
        string(&mut text, name);
        text.extend(b" String=");
        string(&mut text, value);
        text.extend(b"/>");
    }
    text.extend(b"</root>");
    String::from_utf8(text).unwrap_or_default()
}
