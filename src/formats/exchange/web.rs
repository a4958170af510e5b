//! What the web logs share: which part of Exchange a path is of, and which login forms were sent.

use super::names;
use crate::formats::event::Protocol;

/// Paths of Exchange on its web server, in lower case, and what they serve. The longer ones come first.
const PATHS: &[(&str, Protocol)] = &[
    ("/microsoft-server-activesync", Protocol::ActiveSync),
    ("/autodiscover", Protocol::Other),
    ("/powershell", Protocol::PowerShell),
    ("/exchweb", Protocol::Webmail),
    ("/exchange", Protocol::Webmail),
    ("/public", Protocol::Webmail),
    ("/owa", Protocol::Webmail),
    ("/ecp", Protocol::Webmail),
    ("/ews", Protocol::Ews),
    ("/mapi", Protocol::Mapi),
    ("/rpc", Protocol::Mapi),
    ("/oab", Protocol::Other),
    ("/api", Protocol::Other),
    ("/rest", Protocol::Other),
];

/// The way of use that a path belongs to; `None` if it is not Exchange's.
pub(super) fn by_path(path: &[u8]) -> Option<Protocol> {
    let ends = |rest: &[u8]| rest.is_empty() || rest.starts_with(b"/");
    PATHS
        .iter()
        .find(|(start, _)| names::starts_with(path, start.as_bytes()) && path.get(start.len()..).is_some_and(ends))
        .map(|(_, protocol)| *protocol)
}

/// The way of use by the name that HttpProxy gives it.
pub(super) fn by_name(name: &[u8]) -> Protocol {
    match () {
        () if names::starts_with(name, b"Owa") || name.eq_ignore_ascii_case(b"Ecp") => Protocol::Webmail,
        () if name.eq_ignore_ascii_case(b"Ews") => Protocol::Ews,
        () if name.eq_ignore_ascii_case(b"Eas") => Protocol::ActiveSync,
        () if name.eq_ignore_ascii_case(b"Mapi") || name.eq_ignore_ascii_case(b"RpcHttp") => Protocol::Mapi,
        () if name.eq_ignore_ascii_case(b"PowerShell") => Protocol::PowerShell,
        () => Protocol::Other,
    }
}

/// Whether a path takes what the login form sends in.
pub(super) fn takes_form(path: &[u8]) -> bool {
    path.eq_ignore_ascii_case(b"/owa/auth.owa") || path.eq_ignore_ascii_case(b"/exchweb/bin/auth/owaauth.dll")
}

/// Whether a request shows the login form again because the password was wrong.
pub(super) fn refuses_form(path: &[u8], query: &[u8]) -> bool {
    path.eq_ignore_ascii_case(b"/owa/auth/logon.aspx") && names::holds(query, b"reason=2")
}

/// The first address of a list as proxies write it, `192.0.2.7,+10.0.0.1`.
pub(super) fn first_address(list: &[u8]) -> &[u8] {
    let end = list.iter().position(|b| matches!(b, b',' | b' ' | b';' | b'+')).unwrap_or(list.len());
    names::address(list.get(..end).unwrap_or_default())
}

/// Groups of addresses that only a load balancer or Azure's own probe uses.
pub(super) fn is_probe_address(address: &[u8]) -> bool {
    names::is_loopback(address) || address == b"168.63.129.16"
}
