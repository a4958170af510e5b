//! Bodies of Postfix lines: what follows the tag.
//!
//! A body is told by its own first words, and the program of the tag decides only where the words do not: a log whose tags were cut
//! to `postfix` reads the same.

mod actions;
mod cleanup;
mod delivery;
mod qmgr;
pub mod queue_id;
pub mod reply;
mod smtpd;
mod tools;
mod warnings;

pub use cleanup::made_message_id;
pub(super) use cleanup::own_message_id;

use super::event::{Client, Program};
use super::scan;
use super::sink::{Fate, Sink};
use super::syslog::daemon::{Postfix, PostfixProgram};

/// Reads one body.
pub(super) fn body<'a>(who: Postfix, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if who.program == PostfixProgram::Quiet {
        return Fate::NO_FACT;
    }
    if let Some((id, rest)) = queue_id::split(body) {
        return queue_line(who, id, rest, sink);
    }
    match body.first() {
        Some(b'c' | b'd' | b'N' | b'l' | b't') => session_line(who, body, sink),
        Some(b'p') if body.starts_with(b"proxy-") => actions::proxy(who, body, sink),
        Some(b'w' | b'e' | b'f' | b'p') => warnings::body(who, body, sink),
        _ => Fate::NO_FACT,
    }
}

/// A line that begins with a queue id.
fn queue_line<'a>(who: Postfix, id: &'a [u8], rest: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let Some(first) = rest.first() else { return Fate::NO_FACT };
    match first {
        b't' if rest.starts_with(b"to=") => delivery::record(who, id, rest, sink),
        b'c' if rest.starts_with(b"client=") => smtpd::client(who, id, rest, sink),
        b'm' if rest.starts_with(b"message-id=") => cleanup::message_id(id, rest, sink),
        b'f' if rest.starts_with(b"from=<") => qmgr::from(id, rest, sink),
        b'r' if rest.starts_with(b"removed") => qmgr::removed(who, id, rest, sink),
        b'u' if rest.starts_with(b"uid=") => tools::pickup(id, rest, sink),
        b's' | b'p' | b'r' if tools::is_tool_word(rest) => tools::queue_word(id, rest, sink),
        b'l' | b't' | b'b' if smtpd::is_lost(rest) => smtpd::lost(Some(id), rest, sink),
        _ => actions::line(who, id, rest, sink),
    }
}

/// A line of a session or of the master process.
fn session_line<'a>(who: Postfix, body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if let Some(rest) = body.strip_prefix(b"NOQUEUE: ") {
        return match rest.first() {
            Some(b'c') if rest.starts_with(b"client=") => smtpd::client(who, b"", rest, sink),
            _ if smtpd::is_lost(rest) => smtpd::lost(None, rest, sink),
            _ => actions::line(who, b"", rest, sink),
        };
    }
    match who.program {
        PostfixProgram::Master => tools::master(body, sink),
        PostfixProgram::Known(Program::Smtpd) => smtpd::session(who, body, sink),
        PostfixProgram::Unnamed => match smtpd::session(who, body, sink) {
            Fate::Ignored(_) => tools::master(body, sink),
            fate => fate,
        },
        _ => Fate::NO_FACT,
    }
}

/// The program of an event.
fn program(who: Postfix) -> Program {
    match who.program {
        PostfixProgram::Known(program) => program,
        _ => Program::Other,
    }
}

/// Reads `name[address]` with an optional port at the start; postscreen leaves the name out.
fn client(text: &[u8]) -> Option<(Client<'_>, &[u8])> {
    let (name, rest) = scan::split_byte(text, b'[')?;
    let (address, rest) = scan::split_byte(rest, b']')?;
    let address = scan::plain_address(address.strip_prefix(b"IPv6:").unwrap_or(address));
    let rest = match rest.strip_prefix(b":") {
        Some(port) if port.first().is_some_and(u8::is_ascii_digit) => scan::number(port)?.1,
        Some(port) if port.starts_with(b"unknown") => port.get(7..)?,
        _ => rest,
    };
    Some((Client { name, address }, rest))
}
