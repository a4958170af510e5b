//! What a tracking row says of its recipients, as tables that can be read at a glance.
//!
//! Sources: Microsoft, "Message tracking" (event ids) and "DSNs and NDRs in Exchange" (status texts); only the first digit of an
//! enhanced code can be relied on, so the words come first.

use crate::domain::outcome::{By, Outcome, Reason};
use crate::formats::event::TrailFate;
use crate::formats::postfix::reply;
use crate::formats::scan;
use hashbrown::HashMap;

/// What is done with the rows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Meaning {
    /// Came in here.
    Receive,
    /// Left a mailbox for the transport service.
    Submit,
    /// A recipient was replaced by another one.
    Replace,
    /// A next hop took it over; `true`: one outside the organisation.
    Send {
        outside: bool,
    },
    Deliver,
    /// Failed for good, for a reason that [`failure`] reads out of the row.
    Fail,
    /// Ended in one way, whatever the row's text says.
    End(Outcome, Reason),
    Wait(Outcome, Reason),
    /// This message is a notice about another one.
    Notice,
    /// A copy kept for safety, or a second copy for the same recipient that was dropped.
    Copy,
    /// Says nothing of where the message came from or went.
    Nothing,
}

/// Every event id, by its meaning. An unknown one means nothing.
const EVENTS: &[(&str, Meaning)] = &[
    ("RECEIVE", Meaning::Receive),
    ("SEND", Meaning::Send { outside: false }),
    ("SENDEXTERNAL", Meaning::Send { outside: true }),
    ("DELIVER", Meaning::Deliver),
    ("FAIL", Meaning::Fail),
    ("DELIVERFAIL", Meaning::Fail),
    ("DEFER", Meaning::Wait(Outcome::Deferred, Reason::Other)),
    ("RESUBMITDEFER", Meaning::Wait(Outcome::Deferred, Reason::Other)),
    ("DROP", Meaning::End(Outcome::Discarded, Reason::Policy)),
    ("DSN", Meaning::Notice),
    ("SUBMIT", Meaning::Submit),
    ("SUBMITDEFER", Meaning::Submit),
    ("SUBMITFAIL", Meaning::Fail),
    ("EXPAND", Meaning::Replace),
    ("RESOLVE", Meaning::Replace),
    ("REDIRECT", Meaning::Replace),
    ("BADMAIL", Meaning::End(Outcome::Bounced, Reason::Other)),
    ("POISONMESSAGE", Meaning::Wait(Outcome::Held, Reason::Other)),
    ("THROTTLE", Meaning::Wait(Outcome::Deferred, Reason::RateLimit)),
    ("SUPPRESSED", Meaning::Wait(Outcome::Deferred, Reason::RateLimit)),
    ("MODERATORREJECT", Meaning::End(Outcome::Blocked, Reason::Policy)),
    ("MODERATIONEXPIRE", Meaning::End(Outcome::Expired, Reason::Policy)),
    ("MODERATORSALLNDR", Meaning::End(Outcome::Bounced, Reason::Policy)),
    ("HARECEIVE", Meaning::Copy),
    ("HAREDIRECT", Meaning::Copy),
    ("HAREDIRECTFAIL", Meaning::Copy),
    ("HADISCARD", Meaning::Copy),
    ("NOTIFYSHADOW", Meaning::Copy),
    ("RESUBMIT", Meaning::Copy),
    ("DUPLICATEEXPAND", Meaning::Copy),
    ("DUPLICATEREDIRECT", Meaning::Copy),
    ("DUPLICATEDELIVER", Meaning::Copy),
    ("RESUBMITFAIL", Meaning::Nothing),
    ("NOTIFYMAPI", Meaning::Nothing),
    ("CLIENTSUBMISSION", Meaning::Nothing),
    ("AGENTINFO", Meaning::Nothing),
    ("TRANSFER", Meaning::Nothing),
    ("PROCESS", Meaning::Nothing),
    ("LOAD", Meaning::Nothing),
    ("MODERATORAPPROVE", Meaning::Nothing),
    ("PROCESSMEETINGMESSAGE", Meaning::Nothing),
    ("INITMESSAGECREATED", Meaning::Nothing),
];

/// What an event id means.
pub(in crate::formats) fn meaning(event: &[u8]) -> Meaning {
    EVENTS.iter().find(|(id, _)| event.eq_ignore_ascii_case(id.as_bytes())).map_or(Meaning::Nothing, |(_, meaning)| *meaning)
}

use Outcome::{Blocked, Bounced, Discarded, Expired};

/// Words of Exchange's own refusals as it writes them; the first that occurs decides. All are the organisation's own.
const OWN_WORDS: &[(&str, Outcome, Reason)] = &[
    ("TRANSPORT.RULES", Blocked, Reason::Policy),
    ("SubmissionQuotaExceeded", Blocked, Reason::RateLimit),
    ("Submission quota exceeded", Blocked, Reason::RateLimit),
    ("RecipientQuotaExceeded", Blocked, Reason::RateLimit),
    ("RecipientRateLimit", Blocked, Reason::RateLimit),
    ("Message submission rate", Blocked, Reason::RateLimit),
    ("concurrent connections has exceeded", Blocked, Reason::RateLimit),
    ("Submission has been disabled for this account", Blocked, Reason::Policy),
    ("permissions to send as this sender", Blocked, Reason::Policy),
    ("SendAsDenied", Blocked, Reason::Policy),
    ("Unable to relay", Blocked, Reason::RelayRefused),
    ("Client was not authenticated", Blocked, Reason::Authentication),
    ("RESOLVER.ADR.", Bounced, Reason::RecipientInvalid),
    ("RESOLVER.RST.RecipSizeLimit", Bounced, Reason::Other),
    ("RESOLVER.RST.SendSizeLimit", Bounced, Reason::Other),
    ("RESOLVER.RST.", Blocked, Reason::Policy),
    ("RESOLVER.GRP.", Bounced, Reason::RecipientInvalid),
    ("RESOLVER.FWD.", Bounced, Reason::Other),
    ("QUEUE.Expired", Expired, Reason::Other),
    ("QUEUE.TransportUnavailable", Bounced, Reason::Network),
    ("ROUTING.", Bounced, Reason::Network),
    ("Discarded by administrative action", Discarded, Reason::Policy),
    ("PRJCT", Blocked, Reason::Policy),
    ("TRJCT", Blocked, Reason::Policy),
    ("MapiExceptionShutoffQuotaExceeded", Bounced, Reason::MailboxFull),
    ("mailbox full", Bounced, Reason::MailboxFull),
    ("Content Filter", Blocked, Reason::Content),
    ("Malware", Blocked, Reason::Content),
];

/// Refusals by the organisation's own tenant, to which its servers hand their mail: its outbound protection is the organisation's own.
const TENANT_WORDS: &[(&str, Reason)] = &[
    ("bad outbound sender", Reason::Reputation),
    ("tenant has exceeded threshold", Reason::RateLimit),
    ("5.7.705", Reason::RateLimit),
    ("5.7.708", Reason::Reputation),
    ("5.7.750", Reason::Reputation),
];

/// Agents whose refusals are about the content; those of others are policy.
const CONTENT_AGENTS: &[&str] = &["Malware", "Content Filter", "Spam", "ScanMail", "Virus", "Anti"];

/// What a `FAIL` means, by its source, its context and the recipient's status.
pub(in crate::formats) fn failure(source: &[u8], context: &[u8], status: &[u8]) -> TrailFate {
    let says = |words: &str| scan::contains(status, words.as_bytes());
    let ended = |outcome, by, reason| TrailFate::Ended { outcome, by, reason };
    if let Some((_, reason)) = TENANT_WORDS.iter().find(|(words, _)| says(words)) {
        return ended(Blocked, Some(By::Own), *reason);
    }
    let by_remote = source.eq_ignore_ascii_case(b"SMTP") || source.eq_ignore_ascii_case(b"GATEWAY");
    if let Some((_, outcome, reason)) = OWN_WORDS.iter().find(|(words, ..)| says(words)) {
        let by = match outcome {
            Expired => None,
            // The next hop may be an Exchange server too, of ours or of others.
            _ if by_remote => None,
            _ => Some(By::Own),
        };
        return ended(*outcome, by, *reason);
    }
    if source.eq_ignore_ascii_case(b"AGENT") {
        let content = CONTENT_AGENTS.iter().any(|agent| scan::contains(context, agent.as_bytes()));
        return ended(Blocked, Some(By::Own), if content { Reason::Content } else { Reason::Policy });
    }
    if source.eq_ignore_ascii_case(b"ADMIN") {
        return ended(Discarded, Some(By::Own), Reason::Policy);
    }
    let class = reply::classify(status);
    if says("4.4.7") {
        return ended(Expired, None, class.reason);
    }
    ended(if class.security { Blocked } else { Bounced }, if by_remote { None } else { Some(By::Own) }, class.reason)
}

/// What it means that a server of ours refused a command of an authenticated client.
#[must_use]
pub fn refusal(reply: &[u8]) -> (Outcome, Reason) {
    let own = OWN_WORDS.iter().find(|(words, ..)| scan::contains(reply, words.as_bytes()));
    own.map_or_else(
        || {
            let class = reply::classify(reply);
            (if class.security { Blocked } else { Bounced }, class.reason)
        },
        |(_, outcome, reason)| (*outcome, *reason),
    )
}

/// What a delay is about.
pub(in crate::formats) fn delay(outcome: Outcome, reason: Reason, status: &[u8]) -> TrailFate {
    let told = if reason == Reason::Other && !status.is_empty() { reply::classify(status).reason } else { reason };
    TrailFate::Waiting { outcome, by: None, reason: told }
}

/// What is to be read out of a recipient's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked<'a> {
    Failure {
        source: &'a [u8],
        /// The context, where an agent is the source; otherwise it says nothing and is another one in each session.
        agent: &'a [u8],
    },
    Delay(Outcome, Reason),
}

/// Words of a piece whose meaning is remembered.
const FATES_MAX: usize = 1024;

/// What words read so far were found to mean: the same few come again and again.
#[derive(Default)]
pub(super) struct Known<'a>(HashMap<(Asked<'a>, &'a [u8]), TrailFate>);

impl<'a> Known<'a> {
    /// What becomes of a recipient by the words of its status.
    pub(super) fn read(&mut self, asked: Asked<'a>, text: &'a [u8]) -> TrailFate {
        if let Some(known) = self.0.get(&(asked, text)) {
            return *known;
        }
        let fate = match asked {
            Asked::Failure { source, agent } => failure(source, agent, text),
            Asked::Delay(outcome, reason) => delay(outcome, reason, text),
        };
        if self.0.len() < FATES_MAX {
            self.0.insert((asked, text), fate);
        }
        fate
    }
}

/// Parts of a status in the form of newer builds, `[{LED=550 5.7.1 …};{MSG=…};{FQDN=…};{IP=…};{LRT=…}]`, or the bare text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::formats) struct Status<'a> {
    /// The error that decided.
    pub(in crate::formats) text: &'a [u8],
    /// The host that told it, by name and address; empty where the status does not say.
    pub(in crate::formats) name: &'a [u8],
    pub(in crate::formats) address: &'a [u8],
}

impl<'a> Status<'a> {
    pub(in crate::formats) fn read(status: &'a [u8]) -> Status<'a> {
        let Some(inner) = status.strip_prefix(b"[{") else { return Status { text: status, ..Status::default() } };
        let part = |key: &[u8]| {
            let first = key.get(1..).and_then(|key| inner.strip_prefix(key));
            first.or_else(|| scan::after(inner, key)).map(|rest| scan::until(scan::until(rest, b"};{"), b"}]")).unwrap_or_default()
        };
        let text = part(b"{LED=");
        Status { text: if text.is_empty() { status } else { text }, name: part(b"{FQDN="), address: part(b"{IP=") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, context: &str, status: &str) -> (Outcome, Option<By>, Reason) {
        match failure(source.as_bytes(), context.as_bytes(), status.as_bytes()) {
            TrailFate::Ended { outcome, by, reason } => (outcome, by, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn blocks_and_failures_are_told_apart() {
        let own = Some(By::Own);
        for (source, context, status, expected) in [
            (
                "AGENT",
                "Transport Rule Agent",
                "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
                (Blocked, own, Reason::Policy),
            ),
            ("AGENT", "Malware Agent", "550 5.6.0 x", (Blocked, own, Reason::Content)),
            ("ROUTING", "", "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", (Bounced, own, Reason::RecipientInvalid)),
            (
                "ROUTING",
                "",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
                (Bounced, own, Reason::RecipientInvalid),
            ),
            ("ROUTING", "", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", (Blocked, own, Reason::Policy)),
            ("SMTP", "08D0", "550 4.4.7 QUEUE.Expired; message expired", (Expired, None, Reason::Other)),
            (
                "STOREDRIVER",
                "",
                "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message",
                (Blocked, own, Reason::RateLimit),
            ),
            ("STOREDRIVER", "", "550 5.7.1 Submission has been disabled for this account", (Blocked, own, Reason::Policy)),
            (
                "STOREDRIVER",
                "",
                "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
                (Bounced, own, Reason::MailboxFull),
            ),
            ("ADMIN", "", "550 4.3.2 QUEUE.Admin; message deleted", (Discarded, own, Reason::Policy)),
            (
                "SMTP",
                "08D0",
                "550 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using a list",
                (Blocked, None, Reason::Reputation),
            ),
            ("SMTP", "08D0", "550 5.1.1 user unknown", (Bounced, None, Reason::RecipientInvalid)),
            ("SMTP", "08D0", "550 5.1.8 Access denied, bad outbound sender", (Blocked, own, Reason::Reputation)),
        ] {
            assert_eq!(shown(source, context, status), expected, "{source} {status}");
        }
    }

    #[test]
    fn a_status_of_newer_builds_names_the_host_that_told_it() {
        let status = Status::read(b"[{LED=550 5.7.1 blocked {x};y};{MSG=};{FQDN=mx.x.test};{IP=192.0.2.9};{LRT=2024-01-01}]");
        assert_eq!((status.text, status.name, status.address), (&b"550 5.7.1 blocked {x};y"[..], &b"mx.x.test"[..], &b"192.0.2.9"[..]));
        assert_eq!(Status::read(b"550 5.1.1 x").text, b"550 5.1.1 x");
    }

    #[test]
    fn each_event_stands_once_in_the_table() {
        let mut ids: Vec<&str> = EVENTS.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), EVENTS.len());
        assert_eq!((meaning(b"deliver"), meaning(b"SOMETHINGNEW")), (Meaning::Deliver, Meaning::Nothing));
    }
}
