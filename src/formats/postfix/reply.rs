//! What a reply text means: whether a security or policy control refused, and why. One table, read from the top.
//!
//! The same enhanced code means different things to different servers, so phrases come before codes, and `5.7.1` alone says only
//! that some policy refused.

use crate::domain::outcome::Reason;
use crate::formats::event::Program;
use aho_corasick::AhoCorasick;
use memchr::memmem;
use std::sync::LazyLock;

/// The meaning of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    pub reason: Reason,
    /// A security or policy control refused (the outcome is `blocked`) rather than an ordinary failure (`bounced`).
    pub security: bool,
}

/// What a `status=sent` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The receiver took it over.
    Passed,
    /// Our own filter or transport dropped it, or keeps it in quarantine, and said yes all the same.
    Discarded,
    /// Our own filter returned it to the sender.
    Returned,
}

/// Replies of our own filters and agents that say yes to a message that goes nowhere, in lower case.
const NOT_PASSED: &[(&str, Accepted)] = &[
    ("ok, discarded", Accepted::Discarded),
    ("discard(", Accepted::Discarded),
    ("discarded, id=", Accepted::Discarded),
    (", bounce", Accepted::Returned),
];

/// Tells what the reply of a delivery with `status=sent` stands for.
#[must_use]
pub fn accepted(program: Program, reply: &[u8]) -> Accepted {
    let local = matches!(program, Program::Local | Program::Virtual | Program::Agent);
    if program == Program::Discard || local && reply == b"discarded" {
        return Accepted::Discarded;
    }
    let begins = |with: &[u8]| reply.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if !(begins(b"250 2.7.0 ") || begins(b"250 2.5.0 ") || begins(b"250 2.6.0 ok")) {
        return Accepted::Passed;
    }
    // Only the start is the filter's own; what follows may name anything.
    let head = reply.get(..reply.len().min(120)).unwrap_or(reply).to_ascii_lowercase();
    let found = NOT_PASSED.iter().find(|(phrase, _)| memmem::find(&head, phrase.as_bytes()).is_some());
    found.map_or(Accepted::Passed, |(_, accepted)| *accepted)
}

const BLOCKED: bool = true;
const FAILED: bool = false;

/// Phrases in lower case, the more telling first: the first that occurs decides. `*` stands for any text.
const PHRASES: &[(&str, Reason, bool)] = &[
    // Postfix's own words about the way there; first, because they name hosts and domains, whose names may hold any word.
    ("host or domain name not found", Reason::Network, FAILED),
    ("does not accept mail", Reason::Network, FAILED),
    ("nullmx", Reason::Network, FAILED),
    ("null mx", Reason::Network, FAILED),
    ("connection refused", Reason::Network, FAILED),
    ("connection timed out", Reason::Network, FAILED),
    ("no route to host", Reason::Network, FAILED),
    ("network is unreachable", Reason::Network, FAILED),
    ("mail transport unavailable", Reason::Network, FAILED),
    // Looks like policy, and means that the directory has no such user.
    ("5.4.1 * recipient address rejected: access denied", Reason::RecipientInvalid, FAILED),
    ("recipient address rejected: access denied. as(201806281)", Reason::RecipientInvalid, FAILED),
    // Our own tenant or account was shut out by its provider.
    ("bad outbound sender", Reason::Reputation, BLOCKED),
    ("tenant has exceeded threshold", Reason::RateLimit, BLOCKED),
    ("traffic not accepted from this ip", Reason::Reputation, BLOCKED),
    ("unregistered domain", Reason::Reputation, BLOCKED),
    ("spam abuse detected", Reason::Reputation, BLOCKED),
    ("outgoing mail * suspended", Reason::Reputation, BLOCKED),
    ("daily sending quota", Reason::RateLimit, BLOCKED),
    ("daily user sending limit", Reason::RateLimit, BLOCKED),
    // Who may use which sender.
    ("sender address rejected: not owned by user", Reason::Policy, BLOCKED),
    ("sender address rejected: not logged in", Reason::Policy, BLOCKED),
    // The sender is unknown, not the recipient, whatever the table is called.
    ("sender address rejected: user unknown", Reason::Policy, BLOCKED),
    ("sender address rejected: unverified address", Reason::Policy, BLOCKED),
    ("account locked", Reason::Policy, BLOCKED),
    ("account is locked", Reason::Policy, BLOCKED),
    // Volume.
    ("greylist", Reason::Policy, BLOCKED),
    ("graylist", Reason::Policy, BLOCKED),
    ("postgrey", Reason::Policy, BLOCKED),
    ("rate limit", Reason::RateLimit, BLOCKED),
    ("ratelimit", Reason::RateLimit, BLOCKED),
    ("unusual rate of", Reason::RateLimit, BLOCKED),
    ("receiving mail at a rate", Reason::RateLimit, BLOCKED),
    ("too many messages", Reason::RateLimit, BLOCKED),
    ("too many unknown", Reason::RateLimit, BLOCKED),
    ("too many invalid recipients", Reason::RateLimit, BLOCKED),
    ("too many recipients", Reason::RateLimit, BLOCKED),
    ("too many connections", Reason::RateLimit, BLOCKED),
    ("too much mail", Reason::RateLimit, BLOCKED),
    ("sending limit", Reason::RateLimit, BLOCKED),
    ("message limit", Reason::RateLimit, BLOCKED),
    ("policy quota", Reason::RateLimit, BLOCKED),
    ("sending quota", Reason::RateLimit, BLOCKED),
    ("limit exceeded for", Reason::RateLimit, BLOCKED),
    ("throttl", Reason::RateLimit, BLOCKED),
    ("[ts03]", Reason::RateLimit, BLOCKED),
    ("[tss04]", Reason::RateLimit, BLOCKED),
    ("(s775)", Reason::RateLimit, BLOCKED),
    ("(s3114)", Reason::RateLimit, BLOCKED),
    ("rp-00", Reason::RateLimit, BLOCKED),
    // The words of policy daemons, of policyd for one, whose quota is of messages.
    ("policy rejection * quota exceeded", Reason::RateLimit, BLOCKED),
    ("message count quota exceeded", Reason::RateLimit, BLOCKED),
    ("message quota exceeded", Reason::RateLimit, BLOCKED),
    ("mailbox quota exceeded", Reason::MailboxFull, FAILED),
    ("4.7.1 * quota exceeded", Reason::RateLimit, BLOCKED),
    ("5.7.1 * quota exceeded", Reason::RateLimit, BLOCKED),
    // The mailbox; `quota` here is the recipient's, and comes after the senders' quotas above.
    ("mailbox full", Reason::MailboxFull, FAILED),
    ("mailbox is full", Reason::MailboxFull, FAILED),
    ("over quota", Reason::MailboxFull, FAILED),
    ("overquota", Reason::MailboxFull, FAILED),
    ("quota exceeded", Reason::MailboxFull, FAILED),
    ("exceeded storage allocation", Reason::MailboxFull, FAILED),
    ("insufficient disk space", Reason::MailboxFull, FAILED),
    ("out of storage space", Reason::MailboxFull, FAILED),
    // Domain authentication.
    ("spf", Reason::Authentication, BLOCKED),
    ("dkim", Reason::Authentication, BLOCKED),
    ("dmarc", Reason::Authentication, BLOCKED),
    ("reverse dns", Reason::Authentication, BLOCKED),
    ("reverse hostname", Reason::Authentication, BLOCKED),
    ("ptr record", Reason::Authentication, BLOCKED),
    ("message is not rfc 5322 compliant", Reason::Authentication, BLOCKED),
    ("unauthenticated email", Reason::Authentication, BLOCKED),
    // Reputation of a sending address or domain.
    ("blocked using", Reason::Reputation, BLOCKED),
    ("listed at", Reason::Reputation, BLOCKED),
    ("listed by", Reason::Reputation, BLOCKED),
    ("listed in", Reason::Reputation, BLOCKED),
    ("listed on", Reason::Reputation, BLOCKED),
    ("blacklist", Reason::Reputation, BLOCKED),
    ("blocklist", Reason::Reputation, BLOCKED),
    ("denylist", Reason::Reputation, BLOCKED),
    ("block list", Reason::Reputation, BLOCKED),
    ("black list", Reason::Reputation, BLOCKED),
    ("rbl", Reason::Reputation, BLOCKED),
    ("dnsbl", Reason::Reputation, BLOCKED),
    ("spamhaus", Reason::Reputation, BLOCKED),
    ("spamcop", Reason::Reputation, BLOCKED),
    ("barracuda", Reason::Reputation, BLOCKED),
    ("sorbs", Reason::Reputation, BLOCKED),
    ("reputation", Reason::Reputation, BLOCKED),
    ("banned sending ip", Reason::Reputation, BLOCKED),
    ("banned sender", Reason::Reputation, BLOCKED),
    ("sc-00", Reason::Reputation, BLOCKED),
    ("[bl2", Reason::Reputation, BLOCKED),
    ("[ph01]", Reason::Reputation, BLOCKED),
    ("[cs01]", Reason::Content, BLOCKED),
    ("[hm0", Reason::Reputation, BLOCKED),
    // No such recipient. Before the words about content, because a server may offer a link about spam to anyone.
    ("user unknown", Reason::RecipientInvalid, FAILED),
    ("unknown user", Reason::RecipientInvalid, FAILED),
    ("no such user", Reason::RecipientInvalid, FAILED),
    ("no such recipient", Reason::RecipientInvalid, FAILED),
    ("no such mailbox", Reason::RecipientInvalid, FAILED),
    ("recipientnotfound", Reason::RecipientInvalid, FAILED),
    ("recipient not found", Reason::RecipientInvalid, FAILED),
    ("recipient unknown", Reason::RecipientInvalid, FAILED),
    ("unknown recipient", Reason::RecipientInvalid, FAILED),
    ("undeliverable address", Reason::RecipientInvalid, FAILED),
    ("mailbox unavailable", Reason::RecipientInvalid, FAILED),
    ("mailbox not found", Reason::RecipientInvalid, FAILED),
    ("does not exist", Reason::RecipientInvalid, FAILED),
    ("doesn't exist", Reason::RecipientInvalid, FAILED),
    ("invalid recipient", Reason::RecipientInvalid, FAILED),
    ("this user doesn't have", Reason::RecipientInvalid, FAILED),
    ("account has been disabled", Reason::RecipientInvalid, FAILED),
    ("account is disabled", Reason::RecipientInvalid, FAILED),
    ("mailbox disabled", Reason::RecipientInvalid, FAILED),
    ("inactive", Reason::RecipientInvalid, FAILED),
    ("need fully-qualified", Reason::Other, FAILED),
    ("bad address syntax", Reason::RecipientInvalid, FAILED),
    // Relaying.
    ("relay access denied", Reason::RelayRefused, BLOCKED),
    ("relaying denied", Reason::RelayRefused, BLOCKED),
    ("permitted to relay", Reason::RelayRefused, BLOCKED),
    ("unable to relay", Reason::RelayRefused, BLOCKED),
    ("authentication required", Reason::RelayRefused, BLOCKED),
    ("client was not authenticated", Reason::RelayRefused, BLOCKED),
    // Content.
    ("spam", Reason::Content, BLOCKED),
    ("unsolicited", Reason::Content, BLOCKED),
    ("phish", Reason::Content, BLOCKED),
    ("virus", Reason::Content, BLOCKED),
    ("malware", Reason::Content, BLOCKED),
    ("infected", Reason::Content, BLOCKED),
    ("banned", Reason::Content, BLOCKED),
    ("content rejected", Reason::Content, BLOCKED),
    ("content check", Reason::Content, BLOCKED),
    ("message blocked", Reason::Content, BLOCKED),
    ("blocked by * filter", Reason::Content, BLOCKED),
    ("message rejected due to", Reason::Content, BLOCKED),
    ("content filter", Reason::Content, BLOCKED),
    ("suspicious", Reason::Content, BLOCKED),
    // Size and loops.
    ("size limit", Reason::Other, FAILED),
    ("message too large", Reason::Other, FAILED),
    ("message too big", Reason::Other, FAILED),
    ("file too big", Reason::Other, FAILED),
    ("message size exceeds", Reason::Other, FAILED),
    ("hopcount exceeded", Reason::Other, FAILED),
    ("too many hops", Reason::Other, FAILED),
    ("loops back to myself", Reason::Other, FAILED),
    ("forwarding loop", Reason::Other, FAILED),
    ("command died with status", Reason::Other, FAILED),
    // The way there, in words that others use as well.
    ("domain not found", Reason::Network, FAILED),
    ("timed out", Reason::Network, FAILED),
    ("lost connection", Reason::Network, FAILED),
    // Words of last resort.
    ("try again later", Reason::RateLimit, BLOCKED),
    ("access denied", Reason::Policy, BLOCKED),
    ("rejected for policy reasons", Reason::Policy, BLOCKED),
    ("policy", Reason::Policy, BLOCKED),
    ("prohibited", Reason::Policy, BLOCKED),
    ("not allowed", Reason::Policy, BLOCKED),
    ("blocked", Reason::Content, BLOCKED),
];

/// Enhanced codes, for texts whose words say nothing. An entry that ends in a dot stands for all that begin so.
const CODES: &[(&str, Reason, bool)] = &[
    ("5.7.23", Reason::Authentication, BLOCKED),
    ("5.7.24", Reason::Authentication, BLOCKED),
    ("5.7.25", Reason::Authentication, BLOCKED),
    ("5.7.26", Reason::Authentication, BLOCKED),
    ("5.7.27", Reason::Authentication, BLOCKED),
    ("5.7.30", Reason::Authentication, BLOCKED),
    ("4.7.31", Reason::Authentication, BLOCKED),
    ("4.7.32", Reason::Authentication, BLOCKED),
    ("5.7.40", Reason::Authentication, BLOCKED),
    ("5.7.509", Reason::Authentication, BLOCKED),
    ("5.7.515", Reason::Authentication, BLOCKED),
    ("5.7.9", Reason::Authentication, BLOCKED),
    ("4.7.28", Reason::RateLimit, BLOCKED),
    ("5.7.28", Reason::RateLimit, BLOCKED),
    ("4.7.650", Reason::RateLimit, BLOCKED),
    ("4.7.651", Reason::RateLimit, BLOCKED),
    ("5.4.5", Reason::RateLimit, BLOCKED),
    ("5.1.8", Reason::Reputation, BLOCKED),
    ("5.7.501", Reason::Reputation, BLOCKED),
    ("5.7.502", Reason::Reputation, BLOCKED),
    ("5.7.503", Reason::Reputation, BLOCKED),
    ("5.7.511", Reason::Reputation, BLOCKED),
    ("5.7.705", Reason::RateLimit, BLOCKED),
    ("5.7.708", Reason::Reputation, BLOCKED),
    ("5.7.750", Reason::Reputation, BLOCKED),
    ("5.7.57", Reason::RelayRefused, BLOCKED),
    ("5.7.60", Reason::Reputation, BLOCKED),
    ("5.1.10", Reason::RecipientInvalid, FAILED),
    ("5.1.1", Reason::RecipientInvalid, FAILED),
    ("5.1.2", Reason::Network, FAILED),
    ("5.1.3", Reason::RecipientInvalid, FAILED),
    ("5.1.6", Reason::RecipientInvalid, FAILED),
    ("5.2.1", Reason::RecipientInvalid, FAILED),
    ("5.2.2", Reason::MailboxFull, FAILED),
    ("4.2.2", Reason::MailboxFull, FAILED),
    ("5.2.3", Reason::Other, FAILED),
    ("5.3.4", Reason::Other, FAILED),
    ("5.4.", Reason::Network, FAILED),
    ("4.4.", Reason::Network, FAILED),
    ("5.6.", Reason::Other, FAILED),
    // A 5.7 whose words say nothing is still a policy's refusal.
    ("5.7.", Reason::Policy, BLOCKED),
    ("4.7.", Reason::Policy, BLOCKED),
];

/// Finds in one pass which phrases can occur at all, by what stands before their first `*`.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let beginnings = PHRASES.iter().map(|(phrase, ..)| phrase.split('*').next().unwrap_or(phrase).trim_ascii());
    AhoCorasick::new(beginnings).ok()
});

/// Classifies a reply, with or without its three-digit code, as logged.
#[must_use]
pub fn classify(reply: &[u8]) -> Class {
    let text = cleaned(reply);
    // Without the finder every phrase is a candidate.
    let mut candidates = [BEGINNINGS.is_none(); PHRASES.len()];
    for found in BEGINNINGS.iter().flat_map(|beginnings| beginnings.find_overlapping_iter(&text)) {
        if let Some(candidate) = candidates.get_mut(found.pattern().as_usize()) {
            *candidate = true;
        }
    }
    let found = PHRASES.iter().zip(candidates).find(|((phrase, ..), candidate)| *candidate && occurs(&text, phrase.as_bytes()));
    if let Some(((_, reason, security), _)) = found {
        return Class { reason: *reason, security: *security };
    }
    let code = enhanced_code(&text).unwrap_or_default();
    let by_code = CODES.iter().find(|(known, ..)| {
        let known = known.as_bytes();
        if known.ends_with(b".") { code.starts_with(known) } else { code == known }
    });
    by_code
        .map_or(Class { reason: Reason::Other, security: FAILED }, |(_, reason, security)| Class { reason: *reason, security: *security })
}

/// Lower case, without the code that each line of a reply repeats (`550-5.7.1 `), so that phrases are not torn apart, and without
/// hosts and addresses, whose names may hold any word.
fn cleaned(reply: &[u8]) -> Vec<u8> {
    let lower = reply.to_ascii_lowercase();
    let mut out: Vec<u8> = Vec::with_capacity(lower.len());
    let mut seen_code = false;
    for word in lower.split(|b| *b == b' ').filter(|word| !word.is_empty() && !is_name(word)) {
        match continued_code(word) {
            Some(_) if seen_code => {}
            Some(code) => {
                seen_code = true;
                push_word(&mut out, code);
            }
            None => push_word(&mut out, word),
        }
    }
    out
}

/// `<a@x.example>:`, `mx.x.example[192.0.2.9]:25:`, `name=x.example`; not `[TS03]`.
fn is_name(word: &[u8]) -> bool {
    let host = memchr::memchr(b'[', word).is_some_and(|at| at > 0 && word.contains(&b']'));
    host || word.starts_with(b"<") && word.contains(&b'>') || word.contains(&b'@') || word.starts_with(b"name=")
}

fn push_word(out: &mut Vec<u8>, word: &[u8]) {
    if !out.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(word);
}

/// The enhanced code in `550-5.7.1`.
fn continued_code(word: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = (word.get(..3)?, word.get(3..)?);
    let code = rest.strip_prefix(b"-")?;
    (digits.iter().all(u8::is_ascii_digit) && is_enhanced_code(code)).then_some(code)
}

fn enhanced_code(text: &[u8]) -> Option<&[u8]> {
    text.split(|b| matches!(b, b' ' | b'#' | b'(' | b')' | b':' | b',')).find(|word| is_enhanced_code(word))
}

fn is_enhanced_code(word: &[u8]) -> bool {
    let mut parts = word.split(|b| *b == b'.');
    let class = matches!(parts.next(), Some(b"2" | b"4" | b"5"));
    let mut number = || parts.next().is_some_and(|part| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit));
    class && number() && number() && parts.next().is_none()
}

/// Whether a phrase occurs as words of their own at its start (`spf` is not in `webspfx` …), `*` standing for any text between.
fn occurs(text: &[u8], phrase: &[u8]) -> bool {
    let mut rest = text;
    for (n, part) in phrase.split(|b| *b == b'*').enumerate() {
        let part = part.trim_ascii();
        let starts_word = |at: usize| at == 0 || rest.get(at - 1).is_none_or(|b| !b.is_ascii_alphanumeric());
        let found = memmem::find_iter(rest, part).find(|at| n > 0 || starts_word(*at));
        let Some(at) = found else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reason::*;

    #[test]
    fn phrases_decide_before_codes() {
        for (reply, reason, security) in [
            ("554 5.7.1 <suzuki>: Recipient address rejected: rate limit exceeded for suzuki", RateLimit, BLOCKED),
            ("5.7.1 Message blocked by outbound filter (OB-1)", Content, BLOCKED),
            ("550 5.4.1 Recipient address rejected: Access denied. [x.prod.example]", RecipientInvalid, FAILED),
            ("550 5.4.1 <a@x.example>: Recipient address rejected: Access denied", RecipientInvalid, FAILED),
            ("550 5.1.8 Access denied, bad outbound sender", Reputation, BLOCKED),
            ("450 4.7.1 <a@x.example>: Recipient address rejected: Greylisted for 5 minutes", Policy, BLOCKED),
            ("454 4.7.1 <a@x.example>: Relay access denied", RelayRefused, BLOCKED),
            ("553 5.7.1 <a@u.example>: Sender address rejected: not owned by user suzuki", Policy, BLOCKED),
            ("550 5.1.0 <a@u.example>: Sender address rejected: User unknown in local recipient table", Policy, BLOCKED),
            ("550 5.1.1 <a@u.example>: Recipient address rejected: User unknown in local recipient table", RecipientInvalid, FAILED),
            ("554 5.7.1 too many unknown users; account locked", Policy, BLOCKED),
            ("550 5.1.1 <a@x.example>: Recipient address rejected: User unknown in virtual mailbox table", RecipientInvalid, FAILED),
            ("552 5.2.2 Mailbox full", MailboxFull, FAILED),
            ("552 5.2.2 <a@x.example>: Recipient address rejected: Quota exceeded (mailbox for user is full)", MailboxFull, FAILED),
            ("554 5.7.1 <a@x.example>: Recipient address rejected: Policy rejection; Message count quota exceeded", RateLimit, BLOCKED),
            ("450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Policy Rejection: quota exceeded", RateLimit, BLOCKED),
            ("451 4.7.1 <a@x.example>: Recipient address rejected: Quota exceeded, please try again later", RateLimit, BLOCKED),
            ("550 5.4.6 Daily message quota exceeded", RateLimit, BLOCKED),
            ("552 5.3.4 Message size exceeds fixed limit", Other, FAILED),
            ("Host or domain name not found. Name service error for name=x.example type=A: Host not found", Network, FAILED),
            ("Domain x.example does not accept mail (nullMX)", Network, FAILED),
            ("554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.example", Reputation, BLOCKED),
            ("550-5.7.26 This mail is 550-5.7.26 unauthenticated, 550 5.7.26 see DMARC", Authentication, BLOCKED),
            (
                "550-5.7.1 [192.0.2.7 12] Our system has detected that this 550-5.7.1 message is likely unsolicited 550-5.7.1 mail",
                Content,
                BLOCKED,
            ),
            ("554 5.7.0 Reject, id=00300-02 - INFECTED: Eicar", Content, BLOCKED),
            ("connect to x.example[192.0.2.1]:25: Connection timed out", Network, FAILED),
            ("unknown user: \"x\"", RecipientInvalid, FAILED),
            ("550 5.7.1 go away", Policy, BLOCKED),
            ("550 5.1.10 RESOLVER.ADR.x", RecipientInvalid, FAILED),
            ("connect to antispam.x.example[192.0.2.1]:25: Connection timed out", Network, FAILED),
            (
                "host mx.barracuda.example[192.0.2.1] said: 550 5.1.1 <spam@x.example>: unknown user (in reply to RCPT TO command)",
                RecipientInvalid,
                FAILED,
            ),
            ("host mx.spam.example[192.0.2.1] said: 552 5.2.2 too much (in reply to end of DATA command)", MailboxFull, FAILED),
            ("Domain spam.example does not accept mail (nullMX)", Network, FAILED),
            ("451 4.7.1 [TS03] All messages from 192.0.2.7 will be permanently deferred", RateLimit, BLOCKED),
            ("550 no", Other, FAILED),
            ("", Other, FAILED),
        ] {
            assert_eq!(classify(reply.as_bytes()), Class { reason, security }, "{reply}");
        }
    }

    #[test]
    fn trap_5_a_filters_yes_to_a_discarded_message_is_no_delivery() {
        for (program, reply, expected) in [
            (Program::Smtp, "250 2.7.0 Ok, discarded, id=00300-02 - spam", Accepted::Discarded),
            (Program::Lmtp, "250 2.5.0 Ok, id=00300-02, DISCARD(bounce.suppressed)", Accepted::Discarded),
            (Program::Smtp, "250 2.5.0 Ok, id=00300-02, BOUNCE", Accepted::Returned),
            (Program::Discard, "x.example", Accepted::Discarded),
            (Program::Local, "discarded", Accepted::Discarded),
            (Program::Smtp, "250 2.0.0 Ok: queued as 1E240200F1", Accepted::Passed),
            (Program::Smtp, "250 2.0.0 Ok, discarded nothing", Accepted::Passed),
        ] {
            assert_eq!(accepted(program, reply.as_bytes()), expected, "{reply}");
        }
    }

    #[test]
    fn a_phrase_torn_by_repeated_codes_is_whole_again() {
        assert_eq!(
            cleaned(b"550-5.7.1 message is blocked 550-5.7.1 using bl 550 5.7.1 x"),
            b"5.7.1 message is blocked using bl 550 5.7.1 x"
        );
        assert_eq!(classify(b"550-5.7.1 host blocked 550-5.7.1 using bl.example").reason, Reputation);
    }

    #[test]
    fn a_phrase_inside_a_longer_word_is_no_phrase() {
        assert_eq!(classify(b"550 5.1.1 <a@unsubspf.example> gone").reason, RecipientInvalid);
    }
}
