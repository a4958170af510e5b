//! By what a sign-in or an act in a mailbox came: the words of `clientAppUsed` and of `ClientInfoString`.

use crate::formats::event::Protocol;
use crate::formats::scan;

/// `clientAppUsed`, in lower case without blanks, to the protocol (learn.microsoft.com/entra/identity/monitoring-health, legacy authentication).
const APPS: &[(&str, Protocol)] = &[
    ("authenticatedsmtp", Protocol::SmtpAuth),
    ("smtp", Protocol::SmtpAuth),
    ("imap4", Protocol::Imap),
    ("imap", Protocol::Imap),
    ("pop3", Protocol::Pop3),
    ("pop", Protocol::Pop3),
    ("exchangeactivesync", Protocol::ActiveSync),
    ("exchangeonlinepowershell", Protocol::PowerShell),
    ("exchangewebservices", Protocol::Ews),
    ("mapioverhttp", Protocol::Mapi),
    ("mapi", Protocol::Mapi),
    ("outlookanywhere(rpcoverhttp)", Protocol::Mapi),
    ("offlineaddressbook", Protocol::Mapi),
    ("outlookservice", Protocol::Modern),
    ("universaloutlook", Protocol::Modern),
    ("browser", Protocol::Browser),
    ("navegador", Protocol::Browser),
    ("explorador", Protocol::Browser),
    ("navigateur", Protocol::Browser),
    ("ブラウザー", Protocol::Browser),
    ("mobileappsanddesktopclients", Protocol::Modern),
    ("aplicacionesmóvilesyclientesdeescritorio", Protocol::Modern),
    ("applicationsmobilesetclientsdebureau", Protocol::Modern),
    ("モバイルアプリとデスクトップクライアント", Protocol::Modern),
    ("smtpautenticado", Protocol::SmtpAuth),
    ("smtpauthentifié", Protocol::SmtpAuth),
    ("認証済みsmtp", Protocol::SmtpAuth),
];

/// The protocol of `clientAppUsed`. `Other clients; IMAP` says the protocol behind the semicolon.
pub(super) fn of_app(app: &[u8]) -> Protocol {
    let app = scan::split_byte(app, b';').map_or(app, |(head, tail)| if tail.trim_ascii().is_empty() { head } else { tail });
    let text = String::from_utf8_lossy(app);
    let plain = || text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
    APPS.iter().find(|(name, _)| plain().eq(name.chars())).map_or(Protocol::Other, |(_, protocol)| *protocol)
}

/// Whether a sign-in by this program shows the password itself: it was given to the service, which signs in with it.
pub(super) fn is_basic(user_agent: &[u8]) -> bool {
    [&b"BAV2ROPC"[..], b"CBAInPROD", b"CBAInTAR"].iter().any(|agent| user_agent.starts_with(agent))
}

/// The protocol of the audit log's sign-ins, which name only the program.
pub(super) fn of_agent(user_agent: Option<&[u8]>) -> Protocol {
    match user_agent {
        Some(agent) if is_basic(agent) => Protocol::Other,
        Some(agent) if agent.starts_with(b"Mozilla/") => Protocol::Browser,
        Some(_) => Protocol::Modern,
        None => Protocol::Other,
    }
}

/// The protocol after `Client=` in a mailbox record.
pub(super) fn of_info(info: &[u8]) -> Protocol {
    let word = scan::after(info, b"Client=").unwrap_or(info);
    let word = word.split(|b| matches!(b, b';' | b'/' | b' ')).next().unwrap_or_default();
    let known: [(&[u8], Protocol); 12] = [
        (b"OWA", Protocol::Webmail),
        (b"IMAP4", Protocol::Imap),
        (b"POP3", Protocol::Pop3),
        (b"ActiveSync", Protocol::ActiveSync),
        (b"AirSync", Protocol::ActiveSync),
        (b"WebServices", Protocol::Ews),
        (b"MSExchangeRPC", Protocol::Mapi),
        (b"OutlookService", Protocol::Modern),
        (b"REST", Protocol::Modern),
        (b"Microsoft.Exchange.Mapi", Protocol::Mapi),
        (b"MSExchangeMapi", Protocol::Mapi),
        (b"Management", Protocol::PowerShell),
    ];
    known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map_or(Protocol::Other, |(_, protocol)| *protocol)
}

/// The program's own words in a `ClientInfoString`, behind those of the service: `Client=WebServices;python-requests/2.31;`.
pub(super) fn program(info: &[u8]) -> Option<&[u8]> {
    const SERVICES: [&[u8]; 3] = [b"Client=", b"Action=", b"Protocol="];
    let mut rest = info;
    while SERVICES.iter().any(|word| rest.starts_with(word)) {
        rest = scan::split_byte(rest, b';').map_or(b"", |(_, after)| after.trim_ascii_start());
    }
    let own = scan::split(rest, b";Action=").map_or(rest, |(own, _)| own);
    let own = own.strip_prefix(b"UserAgent=").unwrap_or(own).trim_ascii();
    let own = own.strip_suffix(b";").unwrap_or(own);
    // A program names itself with a version; what has none is a word of the service's.
    Some(own).filter(|own| own.contains(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_sign_in_log_name_the_protocol() {
        for (word, protocol) in [
            ("Authenticated SMTP", Protocol::SmtpAuth),
            ("IMAP4", Protocol::Imap),
            ("Other clients; IMAP", Protocol::Imap),
            ("Exchange ActiveSync", Protocol::ActiveSync),
            ("Mobile Apps and Desktop clients", Protocol::Modern),
            ("Browser", Protocol::Browser),
            ("ブラウザー", Protocol::Browser),
            ("Other clients", Protocol::Other),
        ] {
            assert_eq!(of_app(word.as_bytes()), protocol, "{word}");
        }
        assert_eq!(of_info(b"Client=OWA;Action=ViaProxy"), Protocol::Webmail);
        assert_eq!(of_info(b"Client=IMAP4;"), Protocol::Imap);
        assert_eq!(of_info(b"Client=WebServices;python-requests/2"), Protocol::Ews);
    }

    #[test]
    fn a_program_is_what_the_service_did_not_say() {
        for (info, own) in [
            ("Client=WebServices;python-requests/2.31;", Some("python-requests/2.31")),
            ("Client=OWA;Mozilla/5.0 (X11; Linux x86_64);Action=ViaProxy", Some("Mozilla/5.0 (X11; Linux x86_64)")),
            ("Client=ActiveSync;UserAgent=Apple-iPhone12C1/1801.373;Action=/Proxy", Some("Apple-iPhone12C1/1801.373")),
            ("Client=OWA;Action=ViaProxy", None),
            ("Client=POP3/IMAP4;Protocol=IMAP4", None),
            ("Client=REST;Client=RESTSystem;;", None),
            ("", None),
        ] {
            assert_eq!(program(info.as_bytes()), own.map(str::as_bytes), "{info}");
        }
    }
}
