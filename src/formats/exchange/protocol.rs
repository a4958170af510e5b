//! SMTP protocol logs: each command, reply and note of a session in a row of its own.
//!
//! The receive log says who authenticated, from where, and what was refused before a message existed. The send log tells nothing that
//! the tracking log does not.

use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso};
use crate::formats::batch::Ignored;
use crate::formats::event::{Command, DialogueEvent, DialogueFact, Protocol};
use crate::formats::scan;
use crate::formats::service::Service;
use crate::formats::sink::Fate;
use crate::formats::table::Row;

const RECEIVE_ID: &str = "exchange.smtp-receive";
const SEND_ID: &str = "exchange.smtp-send";

/// `RECV….LOG`.
pub(super) const RECEIVE: LogType = LogType {
    format: format(RECEIVE_ID, "exchange-smtp", "Exchange SMTP receive protocol log", ROWS, |head| certainty(head, RECEIVE_ID)),
    columns: COLUMNS,
    marks: MARKS,
    titles: &["SMTP Receive Protocol Log"],
    cells: Cells::Commas,
    guess: |row| guess(row).filter(|_| is_receive_connector(row)),
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: receive,
};

/// `SEND….LOG`.
pub(super) const SEND: LogType = LogType {
    format: format(SEND_ID, "exchange-smtp-send", "Exchange SMTP send protocol log", ROWS, |head| certainty(head, SEND_ID)),
    columns: COLUMNS,
    marks: MARKS,
    titles: &[],
    cells: Cells::Commas,
    guess,
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: |_, _| Fate::NO_FACT,
};

const MARKS: &[&str] = &["session-id", "sequence-number", "remote-endpoint", "context"];

const DATE_TIME: usize = 0;
const CONNECTOR: usize = 1;
const SESSION: usize = 2;
const REMOTE: usize = 3;
const EVENT: usize = 4;
const DATA: usize = 5;
const CONTEXT: usize = 6;
const NUMBER: usize = 7;

const COLUMNS: &[&[&str]] =
    &[&["date-time"], &["connector-id"], &["session-id"], &["remote-endpoint"], &["event"], &["data"], &["context"], &["sequence-number"]];

/// For files that lost their heading: the shape of a row has been the same since 2007.
fn guess(row: &[&[u8]]) -> Option<&'static str> {
    let event = row.get(6).is_some_and(|event| matches!(*event, b"+" | b"-" | b"<" | b">" | b"*"));
    let session = row.get(2).is_some_and(|id| id.len() == 16 && id.iter().all(u8::is_ascii_hexdigit));
    (row.len() == 9 && event && session)
        .then_some("date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context")
}

/// Receive connectors are named with their server, `SRV\Default Frontend SRV`; send connectors belong to no server.
fn is_receive_connector(row: &[&[u8]]) -> bool {
    row.get(1).is_some_and(|connector| connector.contains(&b'\\'))
}

fn receive<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let (server, connector) = scan::split_byte(row.cell(CONNECTOR), b'\\').unwrap_or_default();
    reader.on_host(server);
    if let Some(service) = service(connector) {
        reader.sink.batch.services.add(service);
    }
    let fact = match row.cell(EVENT) {
        b"<" => command(row.cell(DATA)),
        b">" => reply(row.cell(DATA)),
        b"*" => note(row.cell(DATA), row.cell(CONTEXT)),
        b"-" => Some(DialogueFact::Ended),
        _ => None,
    };
    let Some(fact) = fact else { return Fate::NO_FACT };
    if let DialogueFact::Authenticated { user } | DialogueFact::Claimed { user } = fact
        && names::is_probe_user(user)
    {
        return Fate::Ignored(Ignored::Probe);
    }
    let address = names::address(row.cell(REMOTE));
    let number = scan::number(row.cell(NUMBER)).and_then(|(number, _)| u32::try_from(number).ok());
    // A session keeps its connector, and no two services share one.
    reader.sink.dialogue(DialogueEvent { id: row.cell(SESSION), log: connector, protocol: Protocol::SmtpAuth, address, number, fact })
}

/// The service of a receive connector, by the names that set-up gives them; an administrator may have made others.
fn service(connector: &[u8]) -> Option<Service> {
    match () {
        () if scan::contains(connector, b" Frontend ") => Some(Service::FrontEnd),
        () if [&b"Default "[..], b"Client Proxy ", b"Client "].iter().any(|name| connector.starts_with(name)) => Some(Service::Hub),
        () => None,
    }
}

/// A command of the client. Base64 of a login is never logged; what stands in its place is no command.
fn command(data: &[u8]) -> Option<DialogueFact<'_>> {
    let (verb, rest) = scan::split_byte(data, b' ').unwrap_or((data, b""));
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    Some(match () {
        () if is("MAIL") => DialogueFact::Command(Command::Mail(path(rest))),
        () if is("RCPT") => DialogueFact::Command(Command::Recipient(path(rest))),
        () if is("DATA") => DialogueFact::Command(Command::Data),
        () if is("BDAT") => DialogueFact::Command(if names::holds(rest, b"LAST") { Command::Data } else { Command::Other }),
        () if is("RSET") => DialogueFact::Command(Command::Reset),
        () if is("EHLO") || is("HELO") => DialogueFact::Greeted { name: rest },
        () if is("AUTH") => DialogueFact::Mechanism { name: scan::until(rest, b" ") },
        () if is("XPROXY") => proxied(rest),
        () if data.is_empty() || data.starts_with(b"<") => return None,
        () => DialogueFact::Command(Command::Other),
    })
}

/// `FROM:<a@x.test> SIZE=…`, `TO:<a@x.test> NOTIFY=…`.
fn path(rest: &[u8]) -> &[u8] {
    let after = scan::split_byte(rest, b':').map_or(rest, |(_, after)| after);
    let after = scan::trim_start(after);
    match scan::angle(after, |rest| rest.is_empty() || rest.starts_with(b" ")) {
        Some((address, _)) => address,
        None => scan::until(after, b" "),
    }
}

/// `SID=08D… IP=203.0.113.7 PORT=51234 DOMAIN=helo CAPABILITIES=0`.
fn proxied(rest: &[u8]) -> DialogueFact<'_> {
    let part = |key: &[u8]| rest.split(|b| *b == b' ').find_map(|piece| piece.strip_prefix(key)).unwrap_or_default();
    DialogueFact::Proxied { session: part(b"SID="), address: names::address(part(b"IP=")), greeting: part(b"DOMAIN=") }
}

fn reply(data: &[u8]) -> Option<DialogueFact<'_>> {
    let (code, rest) = scan::number(data)?;
    let code = u16::try_from(code).ok().filter(|code| (200..600).contains(code))?;
    // `250-SIZE` is a line of a longer answer, 334 a step of a login.
    if rest.starts_with(b"-") || code == 334 {
        return None;
    }
    if code == 535 {
        return Some(DialogueFact::AuthFailed { answered: true, reason: data });
    }
    Some(DialogueFact::Reply { code, text: data, message: accepted_message(data) })
}

/// `250 2.6.0 <id> [InternalId=4303, Hostname=…] … Queued mail for delivery`.
fn accepted_message(data: &[u8]) -> Option<&[u8]> {
    let from = data.strip_prefix(b"250 2.6.0 ").filter(|rest| rest.starts_with(b"<"))?;
    from.get(..=scan::find(from, b">")?)
}

/// What the server notes for itself. The words stand in either cell, by version.
fn note<'a>(data: &'a [u8], context: &'a [u8]) -> Option<DialogueFact<'a>> {
    if context == b"authenticated" {
        return names::user(data).map(|user| DialogueFact::Authenticated { user });
    }
    let text = if context.is_empty() { data } else { context };
    if text.starts_with(b"Proxy session was successfully set up") {
        return Some(DialogueFact::PassedOn);
    }
    if let Some(user) = text.strip_prefix(b"User Name: ") {
        return names::user(user).map(|user| DialogueFact::Claimed { user });
    }
    let inbound = text.strip_prefix(b"Inbound ")?;
    if let Some((_, reason)) = scan::split(inbound, b" failed because of ") {
        return Some(DialogueFact::AuthFailed { answered: false, reason });
    }
    let after = inbound.strip_prefix(b"authentication succeeded, but ")?;
    let (user, reason) = scan::split(after, b" has ").unwrap_or((b"", after));
    Some(DialogueFact::Stopped { user: names::user(user).unwrap_or_default(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_replies_and_notes_are_read() {
        for (data, fact) in [
            (&b"EHLO pc.example"[..], DialogueFact::Greeted { name: b"pc.example" }),
            (b"MAIL FROM:<a@u.example> SIZE=100", DialogueFact::Command(Command::Mail(b"a@u.example"))),
            (b"rcpt to: <b@x.test>", DialogueFact::Command(Command::Recipient(b"b@x.test"))),
            (b"BDAT 100 LAST", DialogueFact::Command(Command::Data)),
            (b"BDAT 100", DialogueFact::Command(Command::Other)),
            (b"AUTH LOGIN", DialogueFact::Mechanism { name: b"LOGIN" }),
            (
                b"XPROXY SID=08D0000000000001 IP=203.0.113.7 PORT=51234 DOMAIN=pc CAPABILITIES=0",
                DialogueFact::Proxied { session: b"08D0000000000001", address: b"203.0.113.7", greeting: b"pc" },
            ),
        ] {
            assert_eq!(command(data), Some(fact));
        }
        assert_eq!(reply(b"250 2.1.0 Sender OK"), Some(DialogueFact::Reply { code: 250, text: b"250 2.1.0 Sender OK", message: None }));
        let queued = reply(b"250 2.6.0 <m1@u.example> [InternalId=4303, Hostname=ex1.u.example] Queued mail for delivery");
        assert!(matches!(queued, Some(DialogueFact::Reply { code: 250, message: Some(b"<m1@u.example>"), .. })));
        assert!(matches!(reply(b"535 5.7.3 Authentication unsuccessful"), Some(DialogueFact::AuthFailed { answered: true, .. })));
        assert_eq!((reply(b"250-SIZE"), reply(b"334 <authentication response>")), (None, None));
        assert_eq!(note(b"UNIV\\EX1$", b"authenticated"), None);
        assert_eq!(
            note(b"", b"Inbound authentication succeeded, but UNIV\\suzuki has ProhibitSendQuota of zero"),
            Some(DialogueFact::Stopped { user: b"UNIV\\suzuki", reason: b"ProhibitSendQuota of zero" })
        );
    }
}
