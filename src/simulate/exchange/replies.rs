//! What receiving servers say, as the sending server keeps it.

use crate::simulate::cast::Flavour;
use crate::simulate::happenings::Fate;
use crate::simulate::random::Random;

/// The answer to a message that was taken.
pub(super) fn accepted(flavour: Flavour, message_id: &str, size: u64, random: &mut Random) -> String {
    let number = random.next();
    match flavour {
        Flavour::Google => format!(
            "250 2.0.0 OK  {} d9443c01a7336-1a{:06x}si{}plg.{} - gsmtp",
            1_660_000_000 + number % 40_000_000,
            number >> 40,
            1_000_000 + number % 9_000_000,
            number % 500
        ),
        Flavour::Microsoft => format!(
            "250 2.6.0 {message_id} [InternalId={}, Hostname=OS0PR01MB{}.prod.example] {} bytes in 0.{:03}, {}.{:03} KB/sec Queued mail for delivery",
            26_000_000_000_000 + number % 1_000_000_000_000,
            1000 + number % 9000,
            size + 7000,
            100 + number % 400,
            20 + number % 60,
            number % 1000
        ),
        Flavour::Yahoo => "250 ok dirdel".to_owned(),
        Flavour::Docomo => format!("250 Ok {}", 100_000 + number % 900_000),
        Flavour::Exim => format!("250 OK id=1pn{:04x}-00{:04x}-{:02x}", number & 0xffff, (number >> 16) & 0xffff, (number >> 32) & 0xff),
        Flavour::Postfix => format!("250 2.0.0 Ok: queued as {:010X}", number >> 24),
    }
}

/// The answer of a server that refuses a recipient or a message for good.
pub(super) fn refused(flavour: Flavour, fate: Fate, to: &str, our_ip: &str) -> String {
    match (fate, flavour) {
        (Fate::MailboxFull, _) => format!("552 5.2.2 <{to}>: user is over quota"),
        (Fate::Reputation, Flavour::Google) => format!(
            "550-5.7.1 [{our_ip}      12] Our system has detected that this message is 550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to 550-5.7.1 you, this message has been blocked. 550 5.7.1  https://support.example/mail/?p=UnsolicitedMessageError - gsmtp"
        ),
        (Fate::Reputation, Flavour::Microsoft) => format!(
            "550 5.7.1 Unfortunately, messages from [{our_ip}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140)."
        ),
        (Fate::Reputation, Flavour::Yahoo) => format!(
            "553 5.7.1 [BL21] Connections will not be accepted from {our_ip}, because the ip is on our block list; see https://postmaster.yahoo.example/error-codes"
        ),
        (Fate::Reputation, Flavour::Docomo | Flavour::Exim) => "550 5.7.1 Message rejected as spam".to_owned(),
        (Fate::Reputation, Flavour::Postfix) => {
            format!("554 5.7.1 Service unavailable; Client host [{our_ip}] blocked using bl.lists.example; https://lists.example/query/ip/{our_ip}")
        }
        (_, Flavour::Google) => {
            "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. 550 5.1.1  https://support.example/mail/?p=NoSuchUser - gsmtp".to_owned()
        }
        (_, Flavour::Microsoft) => "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).".to_owned(),
        (_, Flavour::Yahoo) => format!("554 delivery error: dd This user doesn't have a yahoo.example account ({to}) [0] - mta4123.mail.yahoo.example"),
        (_, Flavour::Docomo) => format!("550 Unknown user {to}"),
        (_, Flavour::Exim) => "550 No Such User Here".to_owned(),
        (_, Flavour::Postfix) => format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"),
    }
}

/// The answer of a server that refuses for now.
pub(super) fn later(flavour: Flavour, to: &str, our_ip: &str) -> String {
    match flavour {
        Flavour::Google => format!(
            "421-4.7.28 [{our_ip}      15] Our system has detected an unusual rate of 421-4.7.28 unsolicited mail originating from your IP address. 421 4.7.28  https://support.example/mail/?p=UnsolicitedRateLimitError - gsmtp"
        ),
        Flavour::Microsoft => format!(
            "451 4.7.650 The mail server [{our_ip}] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.outlook.example (S775)"
        ),
        Flavour::Yahoo => {
            format!("421 4.7.0 [TSS04] Messages from {our_ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1")
        }
        _ => format!("450 4.2.0 <{to}>: Recipient address rejected: Greylisted"),
    }
}

/// What is said of a server that does not answer.
pub(super) fn unreachable(ip: &str) -> String {
    format!(
        "441 4.4.1 Error encountered while communicating with primary target IP address: \"Failed to connect. Winsock error code: 10060, Win32 error code: 10060.\" Attempted failover to alternate host, but that did not succeed. Either there are no alternate hosts, or delivery failed to all alternate hosts. The last endpoint attempted was {ip}:25"
    )
}
