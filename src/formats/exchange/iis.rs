//! W3C logs of IIS, the web server under Exchange: each request with its user, client and status.
//!
//! Rows quote nothing; blanks inside a value are written `+`. Requests for anything but Exchange are other programs' business.

use super::names;
use super::web;
use super::{Cells, HEADINGS, LogType, Reader, certainty, format};
use crate::formats::Framing;
use crate::formats::batch::{Ignored, Malformed};
use crate::formats::event::{AccessEvent, AccessFact};
use crate::formats::scan;
use crate::formats::sink::Fate;
use crate::formats::syslog::stamp::{self, Stamp};
use crate::formats::table::Row;

const ID: &str = "iis.w3c";

/// `u_ex….log`, daily or hourly.
pub(super) const TYPE: LogType = LogType {
    format: format(ID, "iis", "IIS W3C log", Framing::Rows { quoted: false, begins: |_| true, headings: HEADINGS }, |head| {
        certainty(head, ID)
    }),
    columns: &[
        &["date"],
        &["time"],
        &["s-computername"],
        &["s-ip"],
        &["cs-method"],
        &["cs-uri-stem"],
        &["cs-uri-query"],
        &["s-port"],
        &["cs-username"],
        &["c-ip"],
        &["X-Forwarded-For"],
        &["cs(User-Agent)"],
        &["sc-status"],
        &["sc-substatus"],
        &["sc-win32-status"],
        &["sc-bytes"],
    ],
    marks: &["time", "c-ip", "cs-uri-stem"],
    titles: &[],
    cells: Cells::Blanks,
    guess,
    instant,
    row,
};

const DATE: usize = 0;
const TIME: usize = 1;
const COMPUTER: usize = 2;
const SERVER: usize = 3;
const METHOD: usize = 4;
const PATH: usize = 5;
const QUERY: usize = 6;
const PORT: usize = 7;
const USER: usize = 8;
const CLIENT: usize = 9;
const FORWARDED: usize = 10;
const AGENT: usize = 11;
const STATUS: usize = 12;
const SUBSTATUS: usize = 13;
const WIN32: usize = 14;
const BYTES: usize = 15;

/// Its rows are no comma-separated cells, and its columns are the administrator's choice: without a heading nothing is sure.
fn guess(_: &[&[u8]]) -> Option<&'static str> {
    None
}

/// Date and time in two cells, in UTC; without a date column the day is the heading's.
fn instant(row: &Row<'_>, reader: &mut Reader<'_, '_>) -> Result<Stamp, Malformed> {
    let day = match row.cell(DATE) {
        b"" => scan::until(reader.headings.date.unwrap_or_default(), b" "),
        date => date,
    };
    let text = [day, b"T", row.cell(TIME), b"Z"].concat();
    match stamp::read(&text) {
        Ok((stamp @ Stamp::Absolute(_), b"")) => Ok(stamp),
        Ok(_) => Err(Malformed::BadTime),
        Err(why) => Err(why),
    }
}

/// Win32 codes of a login that failed: wrong name or password, locked, disabled, no such account, and the same as Windows' security
/// packages put it.
const WRONG: &[u32] = &[1326, 1909, 1331, 1317, 1329, 2_148_074_252];
/// Of one whose password was right but has expired or must be changed.
const EXPIRED: &[u32] = &[1330, 1907];
/// No usable credentials: a failure only if a name was given.
const NO_CREDENTIALS: u32 = 2_148_074_254;

fn row<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(if row.cell(COMPUTER).is_empty() { row.cell(SERVER) } else { row.cell(COMPUTER) });
    let Some(protocol) = web::by_path(row.cell(PATH)) else { return Fate::OTHER_PROGRAM };
    let peer = names::address(row.cell(CLIENT));
    let forwarded = web::first_address(row.cell(FORWARDED));
    let address = if forwarded.is_empty() { peer } else { forwarded };
    let user = row.cell(USER);
    let watches_itself = scan::contains(row.cell(QUERY), b"ActiveMonitor");
    if watches_itself || names::is_probe_user(user) || names::is_probe_client(row.cell(AGENT)) || web::is_probe_address(address) {
        return Fate::Ignored(Ignored::Probe);
    }
    let Some(fact) = fact(row) else { return Fate::NO_FACT };
    let account = names::user(user);
    if account.is_none() && matches!(fact, AccessFact::Granted { .. } | AccessFact::Stopped) {
        return Fate::NO_FACT;
    }
    let query = row.cell(QUERY);
    reader.sink.access(AccessEvent {
        sid: None,
        protocol,
        account,
        mailbox: None,
        address: scan::non_empty(address),
        client: scan::non_empty(row.cell(AGENT)),
        request: scan::after(query, b"cafeReqId=").map(|rest| scan::until(scan::until(rest, b";"), b"&")).and_then(scan::non_empty),
        // The site "Exchange Back End" takes the same requests again from the front end.
        back_end: matches!(scan::small_number(row.cell(PORT)), 444 | 81),
        fact,
    })
}

fn fact(row: &Row<'_>) -> Option<AccessFact> {
    let number = |column: usize| scan::small_number(row.cell(column));
    let named = names::user(row.cell(USER)).is_some();
    let (status, win32) = (number(STATUS), scan::number(row.cell(WIN32)).map_or(0, |(n, _)| n));
    let is = |codes: &[u32]| codes.iter().any(|code| u64::from(*code) == win32);
    match status {
        _ if web::takes_form(row.cell(PATH)) && row.cell(METHOD).eq_ignore_ascii_case(b"POST") => Some(AccessFact::FormSent),
        _ if web::refuses_form(row.cell(PATH), row.cell(QUERY)) => Some(AccessFact::FormRefused),
        // `401 2 5` asks for credentials, `401 1 0` is the middle of a handshake.
        401 if number(SUBSTATUS) == 1 && is(WRONG) => Some(AccessFact::Denied),
        401 if number(SUBSTATUS) == 1 && named && win32 == u64::from(NO_CREDENTIALS) => Some(AccessFact::Denied),
        401 if named && is(EXPIRED) => Some(AccessFact::Stopped),
        403 if named => Some(AccessFact::Stopped),
        401 | 440 | 500.. => None,
        200..500 if named => Some(AccessFact::Granted { bytes: scan::number(row.cell(BYTES)).map_or(0, |(bytes, _)| bytes) }),
        _ => None,
    }
}
