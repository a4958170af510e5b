//! HttpProxy, EWS and MapiHttp logs: who used a mailbox over the web, from where, by which program.
//!
//! HttpProxy is the front end's; the other two are the back end's words on the same requests, and count where the front end's are
//! missing.

use super::names;
use super::web;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso, no_guess};
use crate::formats::batch::Ignored;
use crate::formats::event::{AccessEvent, AccessFact, Protocol};
use crate::formats::remark::Remark;
use crate::formats::scan;
use crate::formats::sink::Fate;
use crate::formats::table::Row;

const PROXY_ID: &str = "exchange.http-proxy";
const EWS_ID: &str = "exchange.ews";
const MAPI_ID: &str = "exchange.mapi-http";

/// `HttpProxy_….LOG`.
pub(super) const PROXY: LogType = LogType {
    format: format(PROXY_ID, "exchange-web", "Exchange HttpProxy log", ROWS, |head| certainty(head, PROXY_ID)),
    columns: &[
        &["DateTime"],
        &["RequestId"],
        &["Protocol"],
        &["UrlStem"],
        &["AuthenticationType"],
        &["IsAuthenticated"],
        &["AuthenticatedUser", "AuthenticatedUserEmail"],
        &["UserAgent", "ClientSoftware"],
        &["ClientIpAddress", "ClientIP"],
        &["ServerHostName"],
        &["HttpStatus", "StatusCode"],
        &["Method"],
        &["ResponseBytes", "ResponseSize"],
        &["UrlQuery"],
        &["GenericInfo"],
        &["AnchorMailbox"],
    ],
    marks: &["RequestId", "UrlStem", "IsAuthenticated", "AnchorMailbox"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: proxy,
};

/// `Ews_….LOG`.
pub(super) const EWS: LogType = LogType {
    format: format(EWS_ID, "exchange-web-back-end", "Exchange EWS log", ROWS, |head| certainty(head, EWS_ID)),
    marks: &["RequestId", "AuthenticatedUser", "SoapAction", "ImpersonatedUser"],
    columns: &[
        &["DateTime"],
        &["RequestId"],
        &["Protocol"],
        &["UrlStem"],
        &["AuthenticationType"],
        &["IsAuthenticated"],
        &["AuthenticatedUser"],
        &["UserAgent"],
        &["ClientIpAddress"],
        &["ServerHostName"],
        &["HttpStatus"],
        &["Method"],
        &["ResponseSize"],
        &["ImpersonatedUser"],
        &["ActAsUser"],
        &["AuthenticationErrors"],
    ],
    row: ews,
    ..PROXY
};

/// `MapiHttp_….LOG`. Its plain user column may say `Anonymous`; the address is the user.
pub(super) const MAPI: LogType = LogType {
    format: format(MAPI_ID, "exchange-web-back-end", "Exchange MapiHttp log", ROWS, |head| certainty(head, MAPI_ID)),
    marks: &["RequestId", "AuthenticatedUserEmail", "ClientSoftware"],
    columns: &[
        &["DateTime"],
        &["RequestId"],
        &["Protocol"],
        &["UrlStem"],
        &["AuthenticationType"],
        &["IsAuthenticated"],
        &["AuthenticatedUserEmail"],
        &["ClientSoftware", "UserAgent"],
        &["ClientIP", "ClientIpAddress"],
        &["ServerHostName"],
        &["HttpStatus", "StatusCode"],
        &["Method"],
        &["ResponseBytes", "ResponseSize"],
    ],
    row: |row, reader| back_end(row, reader, Protocol::Mapi, None, false),
    ..PROXY
};

const DATE_TIME: usize = 0;
const REQUEST: usize = 1;
const PROTOCOL: usize = 2;
const PATH: usize = 3;
const AUTHENTICATED: usize = 5;
const USER: usize = 6;
const AGENT: usize = 7;
const CLIENT: usize = 8;
const SERVER: usize = 9;
const STATUS: usize = 10;
const METHOD: usize = 11;
const BYTES: usize = 12;
const QUERY: usize = 13;
const INFO: usize = 14;
const ANCHOR: usize = 15;
/// Of the EWS log, in the places of the two above.
const IMPERSONATED: usize = 13;
const ACT_AS: usize = 14;
const ERRORS: usize = 15;

fn proxy<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(row.cell(SERVER));
    let address = web::first_address(row.cell(CLIENT));
    let user = row.cell(USER);
    if names::is_probe_user(user) || names::is_probe_client(row.cell(AGENT)) || web::is_probe_address(address) {
        return Fate::Ignored(Ignored::Probe);
    }
    let status = scan::small_number(row.cell(STATUS));
    let authenticated = row.cell(AUTHENTICATED).eq_ignore_ascii_case(b"true");
    let protocol = web::by_name(row.cell(PROTOCOL));
    let who = Who::of_front_end(user, row.cell(ANCHOR), protocol);
    let account = who.account;
    let fact = match () {
        () if web::takes_form(row.cell(PATH)) && row.cell(METHOD).eq_ignore_ascii_case(b"POST") => AccessFact::FormSent,
        () if [QUERY, INFO].iter().any(|column| web::refuses_form(row.cell(PATH), row.cell(*column))) => AccessFact::FormRefused,
        () if status == 401 && account.is_some() => AccessFact::Denied,
        () if !authenticated || matches!(status, 401 | 440 | 500..) => return Fate::NO_FACT,
        () if status == 403 => AccessFact::Stopped,
        () => AccessFact::Granted { bytes: scan::number(row.cell(BYTES)).map_or(0, |(bytes, _)| bytes) },
    };
    let granted = matches!(fact, AccessFact::Granted { .. });
    if account.is_none() && (fact == AccessFact::Stopped || granted && who.sid.is_none()) {
        return Fate::NO_FACT;
    }
    if account.is_none() && granted {
        reader.sink.batch.remarks.add(Remark::SidAlone);
    }
    reader.sink.access(AccessEvent {
        protocol,
        account,
        sid: who.sid,
        mailbox: None,
        address: scan::non_empty(address),
        client: scan::non_empty(row.cell(AGENT)),
        request: scan::non_empty(row.cell(REQUEST)),
        back_end: false,
        fact,
    })
}

/// Who made a request.
#[derive(Clone, Copy)]
struct Who<'a> {
    account: Option<&'a [u8]>,
    sid: Option<&'a [u8]>,
}

impl<'a> Who<'a> {
    fn new(user: &'a [u8]) -> Who<'a> {
        match names::user(user) {
            Some(sid) if is_sid(sid) => Who { account: None, sid: Some(sid) },
            account => Who { account, sid: None },
        }
    }

    /// The same with what the anchor tells, by which the front end finds the mailbox. `Sid~` is made of the login, so that it gives the
    /// user's SID. `Smtp~` is what the request asked for, and may be a mailbox that others open too (a shared one, one by an application,
    /// one whose settings Outlook looks up): it is the user's own for certain only with ActiveSync, which opens no other.
    fn of_front_end(user: &'a [u8], anchor: &'a [u8], protocol: Protocol) -> Who<'a> {
        let who = Who::new(user);
        let of = |kind: &[u8]| anchor.get(kind.len()..).filter(|_| names::starts_with(anchor, kind));
        let own = of(b"Smtp~").filter(|address| protocol == Protocol::ActiveSync && address.contains(&b'@'));
        let sid = of(b"Sid~").map(|rest| scan::until(rest, b"~")).filter(|sid| is_sid(sid));
        match who {
            Who { account: None, sid: Some(_) } => Who { account: own, ..who },
            Who { account: Some(_), .. } => Who { sid, ..who },
            Who { .. } => who,
        }
    }
}

fn is_sid(name: &[u8]) -> bool {
    names::starts_with(name, b"S-1-")
}

/// A request may be carried out as another user: by an application with the right to impersonate, or by a service for its user.
fn ews<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let mailbox = [IMPERSONATED, ACT_AS].into_iter().find_map(|column| names::user(row.cell(column)));
    let refused = scan::small_number(row.cell(STATUS)) == 401 && scan::non_empty(row.cell(ERRORS)).is_some();
    back_end(row, reader, Protocol::Ews, mailbox, refused)
}

/// `refused`: whether the row says that the credentials were wrong.
fn back_end<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>, protocol: Protocol, mailbox: Option<&'a [u8]>, refused: bool) -> Fate {
    reader.on_host(row.cell(SERVER));
    let address = web::first_address(row.cell(CLIENT));
    let user = row.cell(USER);
    if names::is_probe_user(user) || names::is_probe_client(row.cell(AGENT)) || web::is_probe_address(address) {
        return Fate::Ignored(Ignored::Probe);
    }
    let fact = match scan::small_number(row.cell(STATUS)) {
        200..400 => AccessFact::Granted { bytes: scan::number(row.cell(BYTES)).map_or(0, |(bytes, _)| bytes) },
        _ if refused => AccessFact::Denied,
        _ => return Fate::NO_FACT,
    };
    let who = Who::new(user);
    match (who.account, who.sid) {
        (None, Some(_)) if fact != AccessFact::Denied => reader.sink.batch.remarks.add(Remark::SidAlone),
        (None, _) => return Fate::NO_FACT,
        (Some(_), _) => {}
    }
    reader.sink.access(AccessEvent {
        protocol,
        account: who.account,
        sid: who.sid,
        mailbox,
        address: scan::non_empty(address),
        client: scan::non_empty(row.cell(AGENT)),
        request: scan::non_empty(row.cell(REQUEST)),
        back_end: true,
        fact,
    })
}
