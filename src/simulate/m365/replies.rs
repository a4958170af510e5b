//! What is said of a message that does not arrive: by the service itself, and by the servers of other organisations.

use crate::simulate::cast::Flavour;

/// The address the service sends from.
const OUTBOUND: &str = "2001:db8:365::1f";

/// The service's own refusals of an account's messages, in the order in which an abused account meets them.
pub(super) fn own_refusal(number: u64, restricted: bool) -> &'static str {
    match number % 4 {
        _ if restricted => "550 5.1.8 Access denied, bad outbound sender AS(42004)",
        0 => "550 5.7.501 Access denied, spam abuse detected AS(43007)",
        1 => "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        _ => "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
    }
}

pub(super) const EXPIRED: &str = "550 4.4.7 QUEUE.Expired; message expired";

pub(super) const UNREACHABLE: &str = "450 4.4.316 Connection refused or timed out";

pub(super) fn unknown_user(flavour: Flavour, to: &str) -> String {
    match flavour {
        Flavour::Google => "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. - gsmtp".to_owned(),
        Flavour::Microsoft => "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [OS0EUR01FT012.eop-EUR01.prod.protection.outlook.example]".to_owned(),
        Flavour::Yahoo => format!("554 delivery error: dd This user doesn't have a yahoo.example account ({to}) [0] - mta4007.mail.yahoo.example"),
        Flavour::Docomo => format!("550 Unknown user {to}"),
        Flavour::Exim => "550 No Such User Here".to_owned(),
        Flavour::Postfix => format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
    }
}

pub(super) fn mailbox_full(to: &str) -> String {
    format!("552 5.2.2 <{to}>: user is over quota")
}

pub(super) fn distrust(flavour: Flavour) -> String {
    match flavour {
        Flavour::Google => format!(
            "550-5.7.1 [{OUTBOUND} 12] Our system has detected that this message is 550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to 550 5.7.1 you, this message has been blocked. - gsmtp"
        ),
        Flavour::Microsoft => format!(
            "550 5.7.1 Unfortunately, messages from [{OUTBOUND}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140)."
        ),
        Flavour::Yahoo => format!("553 5.7.1 [BL21] Connections will not be accepted from {OUTBOUND}, because the ip is on our block list"),
        Flavour::Docomo | Flavour::Exim => "550 5.7.1 Message rejected as spam".to_owned(),
        Flavour::Postfix => format!(
            "554 5.7.1 Service unavailable; Client host [{OUTBOUND}] blocked using bl.lists.example; https://lists.example/query/ip/{OUTBOUND}"
        ),
    }
}

pub(super) fn later(flavour: Flavour, to: &str) -> String {
    match flavour {
        Flavour::Google => format!(
            "421-4.7.28 [{OUTBOUND} 15] Our system has detected an unusual rate of 421 4.7.28 unsolicited mail originating from your IP address. - gsmtp"
        ),
        Flavour::Microsoft => {
            format!("451 4.7.650 The mail server [{OUTBOUND}] has been temporarily rate limited due to IP reputation. (S775)")
        }
        Flavour::Yahoo => format!(
            "421 4.7.0 [TSS04] Messages from {OUTBOUND} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1"
        ),
        _ => format!("450 4.2.0 <{to}>: Recipient address rejected: Greylisted, try again later"),
    }
}
