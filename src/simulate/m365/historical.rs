//! The reports of a historical search: a summary with a row to each message, and the extended report with a row to each step.
//!
//! Both are UTF-16, little end first, without a mark that says so.

use super::clock;
use super::directory::SERVICE_DOMAIN;
use super::export::Sheet;
use super::guid::Guid;
use super::message::{Copy, End, Message, Way};
use super::table::{Quotes, header, row};
use crate::domain::time::SECOND;
use crate::simulate::random::mix;

const SUMMARY: &str = "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,\
original_client_ip,directionality,connector_id,delivery_priority";
const EXTENDED: &str = "date_time_utc,client_ip,client_hostname,server_ip,server_hostname,source_context,connector_id,source,event_id,\
internal_message_id,message_id,network_message_id,recipient_address,recipient_status,total_bytes,recipient_count,\
related_recipient_address,reference,message_subject,sender_address,return_path,message_info,directionality,tenant_id,\
original_client_ip,original_server_ip,custom_data";

/// The summary.
pub(super) fn summary(sheet: &mut Sheet, messages: &[Message]) {
    sheet.head(|out| header(out, Quotes::Always, SUMMARY));
    for message in messages {
        let statuses: Vec<String> = message.copies.iter().map(|copy| format!("{}##{}", copy.to, stations(copy))).collect();
        sheet.record(|out| {
            row(out, Quotes::Always, |row| {
                row.cell(clock::ticks(message.at)).cell(&message.sender).cell(statuses.join(";")).cell(&message.subject);
                row.cell(message.size).cell(format!("<{}>", message.message_id)).cell(message.id).cell(client(message));
                row.cell(if message.way == Way::Inbound { "1" } else { "2" }).cell("").cell("Normal");
            });
        });
    }
}

/// The way of one copy; the last word counts.
fn stations(copy: &Copy) -> String {
    let deferred = if copy.deferrals.is_empty() { "" } else { ", Defer" };
    let last = match copy.end {
        End::Delivered | End::Junk => ", Deliver",
        End::Sent(_) => ", Send",
        End::Failed { .. } => ", Fail",
        End::Quarantined => ", Quarantine",
        End::Pending if copy.deferrals.is_empty() => ", Defer",
        End::Pending => "",
    };
    format!("Receive{deferred}{last}")
}

fn client(message: &Message) -> String {
    message.client.map(|ip| ip.to_string()).unwrap_or_default()
}

/// The extended report of some messages.
pub(super) fn extended<'a>(sheet: &mut Sheet, messages: impl IntoIterator<Item = &'a Message>, tenant: Guid) {
    sheet.head(|out| header(out, Quotes::Always, EXTENDED));
    for message in messages {
        for event in events(message) {
            sheet.record(|out| put_event(out, message, &event, tenant));
        }
    }
}

/// One row of the extended report: an event of the transport, about all recipients or one.
struct Event<'a> {
    at: i64,
    source: &'static str,
    name: &'static str,
    /// The host on the other side: of the client where mail comes in, of the server where it goes out.
    client: (String, String),
    server: (String, String),
    copies: Vec<&'a Copy>,
    status: String,
    context: String,
    custom: &'static str,
}

/// The machine that serves the tenant's mailboxes.
fn hub() -> (String, String) {
    ("2001:db8:365::21".to_owned(), format!("TYAPR01MB2103.jpnprd01.{SERVICE_DOMAIN}"))
}

fn nowhere() -> (String, String) {
    (String::new(), String::new())
}

fn events(message: &Message) -> Vec<Event<'_>> {
    let all: Vec<&Copy> = message.copies.iter().collect();
    let source = match message.way {
        Way::Inbound | Way::SmtpAuth => "SMTP",
        Way::Submitted => "STOREDRIVER",
        Way::Notice => "DSN",
    };
    let client = if source == "SMTP" { (client(message), String::new()) } else { hub() };
    let session = format!("{:016X}", mix(message.at as u64));
    let context = match message.way {
        Way::Inbound | Way::SmtpAuth => format!("{session};{};0", clock::ticks(message.at)),
        Way::Submitted => format!("MDB:{0}, Mailbox:{0}, Event:7, MessageClass:IPM.Note, ClientType:MOMT", message.id),
        Way::Notice => "Failure".to_owned(),
    };
    let event = |at, source, name| Event {
        at,
        source,
        name,
        client: hub(),
        server: hub(),
        copies: all.clone(),
        status: String::new(),
        context: String::new(),
        custom: "",
    };
    let mut events = vec![
        Event { client, context, ..event(message.at, source, "RECEIVE") },
        Event { custom: "S:SFA=SUM|SFV=NSPM|SCL=1|DI=SO", ..event(message.at + SECOND / 5, "AGENT", "AGENTINFO") },
    ];
    for copy in &message.copies {
        let by_rule = copy.failure().is_some_and(|(reply, _)| reply.contains("TRANSPORT.RULES"));
        let context = if by_rule { "Transport Rule Agent" } else { "" };
        events.extend(copy.deferrals.iter().map(|deferral| Event {
            copies: vec![copy],
            status: deferral.reply.clone(),
            server: nowhere(),
            ..event(deferral.at, "SMTP", "DEFER")
        }));
        let at = copy.settled.max(message.at + SECOND);
        events.extend(last_event(copy, &session).map(|(source, name, server, status)| Event {
            copies: vec![copy],
            server,
            status,
            context: context.to_owned(),
            ..event(at, source, name)
        }));
    }
    events
}

type Last = (&'static str, &'static str, (String, String), String);

/// The row that settles a copy.
fn last_event(copy: &Copy, session: &str) -> Option<Last> {
    match &copy.end {
        End::Delivered | End::Junk => Some(("STOREDRIVER", "DELIVER", hub(), String::new())),
        End::Sent(server) => {
            let status = format!("250 2.1.5 Recipient OK;{session}");
            Some(("SMTP", "SENDEXTERNAL", (server.ip.clone(), server.name.clone()), status))
        }
        End::Failed { by: Some(server), .. } => Some(("SMTP", "FAIL", (server.ip.clone(), server.name.clone()), copy.wrapped())),
        End::Failed { by: None, reply } => {
            let source = if reply.contains("TRANSPORT.RULES") { "AGENT" } else { "QUEUE" };
            Some((source, "FAIL", nowhere(), copy.wrapped()))
        }
        End::Quarantined => Some(("AGENT", "FAIL", nowhere(), "550 5.2.1 Message quarantined by policy".to_owned())),
        End::Pending => None,
    }
}

fn put_event(out: &mut Vec<u8>, message: &Message, event: &Event, tenant: Guid) {
    let addresses: Vec<&str> = event.copies.iter().map(|copy| copy.to.as_str()).collect();
    row(out, Quotes::Always, |row| {
        row.cell(clock::ticks(event.at)).cell(&event.client.0).cell(&event.client.1).cell(&event.server.0).cell(&event.server.1);
        row.cell(&event.context).cell("").cell(event.source).cell(event.name);
        row.cell(u64::from_le_bytes(message.id.bytes()[..8].try_into().unwrap_or_default()) >> 20);
        row.cell(format!("<{}>", message.message_id)).cell(message.id).cell(addresses.join(";")).cell(&event.status);
        row.cell(message.size).cell(addresses.len()).cell("");
        row.cell(message.about.as_deref().map(|about| format!("<{about}>")).unwrap_or_default());
        row.cell(&message.subject).cell(&message.sender).cell(message.return_path()).cell(clock::ticks(message.at));
        row.cell(if message.way == Way::Inbound { "Incoming" } else { "Originating" }).cell(tenant);
        row.cell(client(message)).cell("").cell(event.custom);
    });
}
