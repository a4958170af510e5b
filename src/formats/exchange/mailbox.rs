//! IMAP4 and POP3 protocol logs: logins to mailboxes.
//!
//! One row of IMAP tells a login whole. POP tells the name in one command and the outcome in the next, so its sessions are put
//! together by correlation.

use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso};
use crate::formats::batch::Ignored;
use crate::formats::event::{AccessEvent, AccessFact, DialogueEvent, DialogueFact, LoginEvent, LoginResult, Protocol};
use crate::formats::scan;
use crate::formats::sink::Fate;
use crate::formats::table::Row;

const IMAP_ID: &str = "exchange.imap4";
const POP_ID: &str = "exchange.pop3";

/// `IMAP4….LOG`.
pub(super) const IMAP: LogType = LogType {
    format: format(IMAP_ID, "exchange-imap4", "Exchange IMAP4 protocol log", ROWS, |head| certainty(head, IMAP_ID)),
    titles: &["IMAP4 Log", "IMAP4 Protocol Log"],
    guess: |row| guess(row).filter(|_| !is_pop(row)),
    row: imap,
    ..POP
};

/// `POP3….LOG`.
pub(super) const POP: LogType = LogType {
    format: format(POP_ID, "exchange-pop3", "Exchange POP3 protocol log", ROWS, |head| certainty(head, POP_ID)),
    columns: &[&["dateTime"], &["sessionId"], &["sIp"], &["cIp"], &["user"], &["command"], &["parameters"], &["context"]],
    marks: &["sessionId", "seqNumber", "cIp", "command", "parameters"],
    titles: &["POP3 Log", "POP3 Protocol Log"],
    cells: Cells::Commas,
    guess: |row| guess(row).filter(|_| is_pop(row)),
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: pop,
};

const DATE_TIME: usize = 0;
const SESSION: usize = 1;
const SERVER: usize = 2;
const CLIENT: usize = 3;
const USER: usize = 4;
const COMMAND: usize = 5;
const PARAMETERS: usize = 6;
const CONTEXT: usize = 7;

/// The columns by the number of cells, for files that lost their heading; the sizes and the last column came later.
fn guess(row: &[&[u8]]) -> Option<&'static str> {
    let session = row.get(1).is_some_and(|id| id.len() == 16 && id.iter().all(u8::is_ascii_hexdigit));
    let number = row.get(2).is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit));
    match row.len() {
        10 if session && number => Some("dateTime,sessionId,seqNumber,sIp,cIp,user,duration,command,parameters,context"),
        12 if session && number => Some("dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context"),
        13 if session && number => Some("dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"),
        _ => None,
    }
}

/// By the server's port, or by a command that IMAP does not have.
fn is_pop(row: &[&[u8]]) -> bool {
    let port = row.get(3).map_or(0, |end_point| names::port(end_point));
    matches!(port, 110 | 995 | 1110 | 1995)
        || [7, 9].iter().any(|at| row.get(*at).is_some_and(|c| matches!(*c, b"user" | b"pass" | b"apop")))
}

/// What a command's context says of its outcome.
struct Answer<'a> {
    ok: bool,
    failed: bool,
    error: &'a [u8],
}

impl<'a> Answer<'a> {
    /// `R=OK;Msg="Proxy:…";ErrMsg=…`, with values in quotes where they hold blanks or `;`.
    fn read(context: &'a [u8]) -> Answer<'a> {
        let (mut reply, mut error, mut message) = (&b""[..], &b""[..], &b""[..]);
        let mut rest = context;
        while let Some((key, after)) = scan::split_byte(rest, b'=') {
            let (value, next) = match after.strip_prefix(b"\"").and_then(|inner| scan::split_byte(inner, b'"')) {
                Some((value, next)) => (value, next.strip_prefix(b";").unwrap_or(next)),
                None => scan::split_byte(after, b';').unwrap_or((after, b"")),
            };
            match key {
                b"R" => reply = value,
                b"ErrMsg" => error = value,
                b"Msg" => message = value,
                _ => {}
            }
            rest = next;
        }
        let ok = names::starts_with(reply, b"OK") || reply.starts_with(b"+OK");
        let refused = scan::contains(reply, b"NO ") || scan::contains(reply, b"-ERR") || names::starts_with(reply, b"BAD");
        let auth_failed = scan::contains(error, b"AuthFailed") || scan::contains(message, b"AuthFailed");
        Answer { ok: ok && error.is_empty(), failed: refused || auth_failed, error: if error.is_empty() { message } else { error } }
    }

    /// The password was right: the server itself says what else was wrong.
    fn stopped(&self) -> bool {
        !self.ok
            && ["UserConnectionLimitReached", "ConnectionLimit", "NotEnabled", "Disabled"]
                .iter()
                .any(|word| scan::contains(self.error, word.as_bytes()))
    }

    /// The name that the server's own words give: `AuthFailed:LogonDenied,User: suzuki`.
    fn user(&self, context: &'a [u8]) -> Option<&'a [u8]> {
        let after = scan::after(context, b"User: ")?;
        let end = after.iter().position(|b| matches!(b, b'"' | b';' | b',')).unwrap_or(after.len());
        after.get(..end).and_then(names::user)
    }
}

/// The user's name: by the column where it is an address, else as the client gave it, else by the column or the server's words.
fn user<'a>(row: &Row<'a>, told: Option<&'a [u8]>, given: Option<&'a [u8]>) -> Option<&'a [u8]> {
    let column = names::user(row.cell(USER));
    column.filter(|name| name.contains(&b'@')).or(given).or(column).or(told)
}

/// The name before the hidden password; a row that hides the name too begins with a blank.
fn given(parameters: &[u8]) -> Option<&[u8]> {
    let name = scan::until(parameters, b" ").trim_ascii();
    let name = name.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(name);
    names::user(name).filter(|name| !name.starts_with(b"*"))
}

/// Ports on which the front end reaches the back end.
fn is_back_end(server: &[u8]) -> bool {
    matches!(names::port(server), 1143 | 1993 | 1110 | 1995 | 9933 | 9955)
}

fn imap<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(names::address(row.cell(SERVER)));
    let command = row.cell(COMMAND);
    let is_login = command.eq_ignore_ascii_case(b"login");
    if !is_login && !command.eq_ignore_ascii_case(b"authenticate") {
        return Fate::NO_FACT;
    }
    let answer = Answer::read(row.cell(CONTEXT));
    let named = if is_login { given(row.cell(PARAMETERS)) } else { None };
    let account = user(row, answer.user(row.cell(CONTEXT)), named);
    let mechanism = if is_login { None } else { scan::non_empty(row.cell(PARAMETERS).trim_ascii()) };
    login(row, reader, Protocol::Imap, account, &answer, mechanism)
}

fn login<'a>(
    row: &Row<'a>,
    reader: &mut Reader<'_, 'a>,
    protocol: Protocol,
    account: Option<&'a [u8]>,
    answer: &Answer<'a>,
    mechanism: Option<&'a [u8]>,
) -> Fate {
    let result = match () {
        () if answer.ok => LoginResult::Success,
        () if answer.stopped() => LoginResult::Stopped,
        () if answer.failed => LoginResult::Failure { attempts: 1 },
        () => return Fate::NO_FACT,
    };
    if account.is_some_and(names::is_probe_user) {
        return Fate::Ignored(Ignored::Probe);
    }
    if is_back_end(row.cell(SERVER)) {
        let fact = match result {
            LoginResult::Success => AccessFact::Granted { bytes: 0 },
            _ => return Fate::Ignored(Ignored::Copy),
        };
        return reader.sink.access(AccessEvent {
            protocol,
            account,
            sid: None,
            mailbox: None,
            address: None,
            client: None,
            request: None,
            back_end: true,
            fact,
        });
    }
    reader.sink.login(LoginEvent {
        protocol,
        account,
        address: scan::non_empty(names::address(row.cell(CLIENT))),
        result,
        mechanism,
        session: None,
        detail: answer.error,
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

fn pop<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(names::address(row.cell(SERVER)));
    let command = row.cell(COMMAND);
    let is = |name: &str| command.eq_ignore_ascii_case(name.as_bytes());
    let answer = Answer::read(row.cell(CONTEXT));
    let told = answer.user(row.cell(CONTEXT));
    let back_end = is_back_end(row.cell(SERVER));
    let fact = match () {
        // The back end counts its sessions for itself, and tells the name again beside the outcome.
        () if back_end && !["auth", "apop", "pass"].into_iter().any(is) => return Fate::NO_FACT,
        // Ids come again when the service restarts: a session begins anew here too.
        () if is("OpenSession") || is("CloseSession") => DialogueFact::Ended,
        () if is("user") => match names::user(row.cell(PARAMETERS)) {
            Some(user) if names::is_probe_user(user) => return Fate::Ignored(Ignored::Probe),
            Some(user) => DialogueFact::Claimed { user },
            None => return Fate::NO_FACT,
        },
        () if is("auth") => {
            return login(row, reader, Protocol::Pop3, user(row, told, None), &answer, scan::non_empty(row.cell(PARAMETERS).trim_ascii()));
        }
        () if is("apop") => {
            return login(row, reader, Protocol::Pop3, user(row, told, given(row.cell(PARAMETERS))), &answer, Some(b"APOP"));
        }
        () if is("pass") && back_end => {
            return login(row, reader, Protocol::Pop3, user(row, told, None), &answer, None);
        }
        () if is("pass") => match outcome(&answer, user(row, told, None)) {
            Some(DialogueFact::Authenticated { user }) if names::is_probe_user(user) => return Fate::Ignored(Ignored::Probe),
            Some(fact) => fact,
            None => return Fate::NO_FACT,
        },
        () => return Fate::NO_FACT,
    };
    let address = names::address(row.cell(CLIENT));
    reader.sink.dialogue(DialogueEvent { id: row.cell(SESSION), log: b"", protocol: Protocol::Pop3, address, number: None, fact })
}

fn outcome<'a>(answer: &Answer<'a>, user: Option<&'a [u8]>) -> Option<DialogueFact<'a>> {
    let user = user.unwrap_or_default();
    match () {
        () if answer.ok => Some(DialogueFact::Authenticated { user }),
        () if answer.stopped() => Some(DialogueFact::Stopped { user, reason: answer.error }),
        () if answer.failed => Some(DialogueFact::AuthFailed { answered: true, reason: answer.error }),
        () => None,
    }
}
