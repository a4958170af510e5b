//! Why a recipient did not get a message, by the words of the trace: the tenant's own outbound protection told apart from the
//! receiving side.
//!
//! Source of the codes: learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online.

use crate::domain::outcome::{By, Outcome, Reason};
use crate::formats::event::TrailFate;
use crate::formats::exchange::fate;
use crate::formats::scan;

/// Refusals by Exchange Online itself of what its own tenant sends, by code or words.
const OWN: &[(&[u8], Reason)] = &[
    (b"5.1.8 ", Reason::Reputation),
    (b"5.1.90", Reason::RateLimit),
    (b"5.2.121", Reason::RateLimit),
    (b"5.2.122", Reason::RateLimit),
    (b"5.7.232", Reason::RateLimit),
    (b"5.7.233", Reason::RateLimit),
    (b"5.7.236", Reason::RateLimit),
    (b"SubmissionQuotaExceeded", Reason::RateLimit),
    (b"Submission quota exceeded", Reason::RateLimit),
    (b"5.7.501", Reason::Reputation),
    (b"5.7.502", Reason::Reputation),
    (b"5.7.503", Reason::Reputation),
    (b"5.7.508", Reason::RateLimit),
    (b"5.7.511", Reason::Reputation),
    (b"5.7.520", Reason::Policy),
    (b"5.7.703", Reason::Policy),
    (b"5.7.705", Reason::RateLimit),
    (b"5.7.708", Reason::Reputation),
    (b"5.7.70", Reason::Reputation),
    (b"5.7.71", Reason::Reputation),
    (b"5.7.72", Reason::Reputation),
    (b"5.7.73", Reason::Reputation),
    (b"5.7.74", Reason::Reputation),
    (b"5.7.750", Reason::Reputation),
    (b"5.7.171", Reason::Policy),
    (b"5.7.57 ", Reason::Authentication),
    (b"5.7.139", Reason::Authentication),
    (b"TRANSPORT.RULES", Reason::Policy),
];

/// A refusal, and who told it.
pub(super) struct Refusal<'a> {
    pub(super) fate: TrailFate,
    /// The deciding words.
    pub(super) text: &'a [u8],
    /// The server that said so; empty for the service itself.
    pub(super) name: &'a [u8],
    pub(super) address: &'a [u8],
}

/// Reads `Reason: [{LED=550 5.1.8 …};{MSG=…};{FQDN=…};{IP=…};{LRT=…}]. OutboundProxyTargetIP: …`, or bare words.
pub(super) fn read(detail: &[u8]) -> Refusal<'_> {
    let reason = detail.strip_prefix(b"Reason: ").unwrap_or(detail);
    let reason = scan::split_last(reason, b". OutboundProxyTargetIP").map_or(reason, |(head, _)| head);
    let status = fate::Status::read(reason);
    let told = |name: &[u8]| !(name.is_empty() || name == b"unknown");
    let outside = told(status.name) || told(status.address);
    let own = OWN.iter().find(|(words, _)| !outside && scan::contains(status.text, words));
    let fate = match own {
        Some((_, reason)) => TrailFate::Ended { outcome: Outcome::Blocked, by: Some(By::Own), reason: *reason },
        None => fate::failure(if outside { b"SMTP" } else { b"QUEUE" }, b"", status.text),
    };
    Refusal { fate, text: status.text, name: status.name, address: status.address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenants_own_protection_is_told_from_a_remote_refusal() {
        let ended = |text: &str| match read(text.as_bytes()).fate {
            TrailFate::Ended { outcome, by, reason } => (outcome, by, reason),
            other => panic!("{other:?}"),
        };
        let wrap = |reply: &str, name: &str| {
            format!("Reason: [{{LED={reply}}};{{MSG=}};{{FQDN={name}}};{{IP=}};{{LRT=1/1/2025}}]. OutboundProxyTargetIP: .")
        };
        let own = Some(By::Own);
        assert_eq!(ended(&wrap("550 5.1.8 Access denied, bad outbound sender AS(42004)", "")), (Outcome::Blocked, own, Reason::Reputation));
        assert_eq!(
            ended(&wrap("550 5.7.705 Access denied, tenant has exceeded threshold", "")),
            (Outcome::Blocked, own, Reason::RateLimit)
        );
        assert_eq!(ended(&wrap("550 5.7.1 TRANSPORT.RULES.RejectMessage; no", "")), (Outcome::Blocked, own, Reason::Policy));
        let remote = ended(&wrap("550 5.7.1 Service unavailable; Client host blocked using a list", "mx.x.test"));
        assert_eq!(remote, (Outcome::Blocked, None, Reason::Reputation));
        assert_eq!(ended(&wrap("550 5.1.1 user unknown", "mx.x.test")), (Outcome::Bounced, None, Reason::RecipientInvalid));
        assert_eq!(ended(&wrap("550 4.4.7 QUEUE.Expired; message expired", "")).0, Outcome::Expired);
        assert_eq!(read(wrap("550 5.1.1 user unknown", "mx.x.test").as_bytes()).text, b"550 5.1.1 user unknown");
    }
}
