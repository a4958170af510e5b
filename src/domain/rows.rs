//! The rows of the five tables: what correlation finds, tables store and analysis reads.

use super::action::ActionKind;
use super::outcome::{By, MessageOutcome, Outcome, Reason};
use super::place::Place;
use super::text::{Text, TextPool};
use super::time::Timestamp;

/// How an account was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    SmtpAuth,
    Imap,
    Pop3,
    /// ManageSieve.
    Sieve,
    Webmail,
    /// Exchange ActiveSync.
    ActiveSync,
    /// Exchange Web Services.
    Ews,
    /// Outlook over RPC or MAPI over HTTP.
    Mapi,
    /// Remote management.
    PowerShell,
    /// A sign-in in a browser at an identity provider, for whatever application.
    Browser,
    /// A sign-in of an application at an identity provider ("Mobile Apps and Desktop clients").
    Modern,
    /// Any other, or one the line does not tell.
    Other,
}

impl Protocol {
    /// The word used in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::SmtpAuth => "smtp-auth",
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
            Protocol::Sieve => "sieve",
            Protocol::Webmail => "webmail",
            Protocol::ActiveSync => "activesync",
            Protocol::Ews => "ews",
            Protocol::Mapi => "mapi",
            Protocol::PowerShell => "powershell",
            Protocol::Browser => "browser",
            Protocol::Modern => "modern",
            Protocol::Other => "other",
        }
    }
}

/// Everything correlation found, with the pool its texts live in.
#[derive(Default)]
pub struct Rows {
    pub texts: TextPool,
    pub logins: Vec<Login>,
    pub messages: Vec<Message>,
    /// Grouped by message; [`Message::recipients`] is a range of this.
    pub recipients: Vec<Recipient>,
    /// Non-delivery notices returned to a sender.
    pub notices: Vec<Notice>,
    /// Notices that queue files carried to their receivers, whatever they are about, by address and time.
    pub returned: Vec<Returned>,
    /// What mailbox sessions read.
    pub mailbox_uses: Vec<MailboxUse>,
    /// What was changed, searched or deleted, in the order of time.
    pub actions: Vec<Action>,
    /// Sign-ins that two exports tell with different results.
    pub differing_sign_ins: u64,
    /// Findings about hosts and their logs.
    pub host_notes: Vec<HostNote>,
    /// Login names as logged, with the account each became, in the order of the names.
    pub spellings: Vec<(Text, Text)>,
    /// Sessions of users that one log tells of and another, which should, does not; in the order of time.
    pub untold: Vec<UntoldSession>,
    /// Hosts between which mail was followed although their clocks differ, by their names.
    pub clock_skews: Vec<ClockSkew>,
    /// In which hours each host wrote, by host and time.
    pub activity: Vec<HostHour>,
    /// Refusals of unauthenticated clients, counted only.
    pub foreign_rejects: u64,
    /// Mail transactions that got a queue id and were then never heard of: broken off by the client, or lines are missing.
    pub vanished_transactions: u64,
    /// Whose they were, where a line names the user: the accounts with the most come first.
    pub vanished_of: Vec<(Text, u64)>,
    /// Messages of which no line in evidence tells who handed them in.
    pub unopened_messages: u64,
    /// Messages of accounts that a rule of ours sent to another address than their recipients: these got nothing.
    pub redirected_messages: u64,
    /// The first and the last time that a webmail program logged in for sending, or handed mail in without that for somebody whose login
    /// at the webmail is in evidence. Such logins are none of [`Rows::logins`], but the log of them is in evidence.
    pub web_sending: Option<(Timestamp, Timestamp)>,
    /// Messages handed in by webmail while two addresses may both have had a web session of the account, and of which the program does
    /// not say whose they are: they count as the later one's.
    pub doubtful_web_messages: u64,
    /// Addresses that nearly all messages of a host went to besides their recipients.
    pub archive_copies: Vec<ArchiveCopies>,
    /// Messages of a tenant's trace that bear a sender of the organisation and came from a stranger: they are nobody's.
    pub forged_senders: u64,
    /// Messages that users handed in and that no line but the SMTP server's count of them tells of.
    pub untold_messages: u64,
}

/// Whether a login worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoginResult {
    Success,
    Failure,
    /// The password was right, but the login was stopped for another reason.
    Stopped,
    /// Neither a login nor the failure of one: a prompt, a missing session, a token that ran out. It says nothing of the password.
    Interrupted,
}

impl LoginResult {
    /// The word used in tables and exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LoginResult::Success => "success",
            LoginResult::Failure => "failure",
            LoginResult::Stopped => "stopped",
            LoginResult::Interrupted => "interrupted",
        }
    }
}

/// A login or the failure of one; SMTP AUTH counts once per session.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    pub at: Timestamp,
    pub host: Text,
    /// Canonical account; `None` where the log does not name it.
    pub account: Option<Text>,
    pub address: Option<Text>,
    pub protocol: Protocol,
    pub result: LoginResult,
    /// How many attempts this row stands for.
    pub times: u32,
    pub mechanism: Option<Text>,
    /// The client's verified name or its HELO, where known.
    pub client: Option<Text>,
    /// What the client's program says of itself.
    pub introduction: Option<Introduction>,
    pub session: Option<Text>,
    /// What an identity provider says of it.
    pub provider: Option<Box<ProviderWord>>,
    pub place: Place,
    /// No line says that this account logged in: it follows from the envelope sender of an authenticated session, or from a message
    /// that can only have been sent by one who had logged in.
    pub inferred: bool,
}

/// What a client's program says of itself, which may be a lie; never a name that a server looked up for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Introduction {
    pub by: IntroducedBy,
    pub words: Text,
}

impl Introduction {
    /// As the argument of `EHLO` or `HELO`.
    #[must_use]
    pub fn helo(words: Text) -> Introduction {
        Introduction { by: IntroducedBy::Helo, words }
    }

    /// As a user agent.
    #[must_use]
    pub fn user_agent(words: Text) -> Introduction {
        Introduction { by: IntroducedBy::UserAgent, words }
    }
}

/// By what a client's program introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntroducedBy {
    /// `EHLO` or `HELO`.
    Helo,
    /// The user agent of a request.
    UserAgent,
}

impl IntroducedBy {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            IntroducedBy::Helo => "helo",
            IntroducedBy::UserAgent => "user_agent",
        }
    }
}

/// Why a sign-in was refused without a look at its password, where the record says so; the provider has one number for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Too many wrong passwords before.
    LockedAccount,
    /// The address is known for malicious acts; the account is as it was.
    MaliciousAddress,
}

/// What an identity provider says of a sign-in, beyond what any server says of a login.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderWord {
    /// The provider's id of the sign-in: the same in every export.
    pub event_id: Option<Text>,
    /// Groups the steps of one attempt. It is the client's word and may stand for days.
    pub correlation: Option<Text>,
    /// The application that was signed in to, by the provider's name for it.
    pub application: Option<Text>,
    /// A token was used: no one typed a password, and its result says nothing about one.
    pub token: bool,
    /// The provider's code for the result; 0 is success.
    pub code: Option<u32>,
    pub refusal: Option<Refusal>,
    /// As the provider places the address: `JP`, `Sapporo`, 64500.
    pub country: Option<Text>,
    pub city: Option<Text>,
    pub asn: Option<u32>,
    /// When the provider wrote this state of the record, where it says.
    pub written: Option<Timestamp>,
}

/// Something changed, searched or deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub at: Timestamp,
    pub host: Text,
    pub kind: ActionKind,
    /// Whose account or mailbox it was done to; `None` where it concerns the organisation.
    pub account: Option<Text>,
    /// Who did it; `None` where the record does not say.
    pub actor: Option<Text>,
    pub address: Option<Text>,
    pub client: Option<Text>,
    /// What exactly, in the record's own words, after [`FAILED`](super::action::FAILED) where it came to nothing.
    pub detail: Text,
    /// It was tried, and nothing was changed.
    pub failed: bool,
    pub place: Place,
}

/// A user's SMTP session whose other half is in no log in evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntoldSession {
    pub at: Timestamp,
    /// Where the half that is told of was logged.
    pub host: Text,
    pub account: Option<Text>,
    pub address: Option<Text>,
    pub missing: SessionLog,
}

/// Two hosts whose clocks differ by more than a hand-over takes, as queue files show that went from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew {
    /// The host whose clock was ahead, and the other one. Which of the two was wrong is not told.
    pub ahead: Text,
    pub behind: Text,
    /// By how much, in microseconds.
    pub least: i64,
    pub most: i64,
    /// Recipients followed all the same.
    pub recipients: u64,
}

/// The two logs of a session that a front end passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionLog {
    /// The front end's: logins, and those that failed.
    FrontEnd,
    /// That of the service that takes messages in: what was refused after the login.
    Hub,
}

/// Where a message came into the organisation's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Submitted by an authenticated client.
    Submission,
    /// Taken from a client that did not authenticate.
    Inbound,
    /// Made on the host itself (`sendmail`, scripts).
    Local,
}

impl Kind {
    /// The word used in tables and exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Submission => "submission",
            Kind::Inbound => "inbound",
            Kind::Local => "local",
        }
    }
}

/// What ties a message to its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribution {
    /// The log names the user who authenticated for it.
    Named,
    /// The session authenticated, and its envelope sender and address are those of a user named elsewhere.
    Session,
    /// A host of ours whose own log is not in evidence handed it over; the envelope sender is all there is.
    EnvelopeSender,
    /// None.
    Nothing,
}

impl Attribution {
    /// The word used in tables and exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Attribution::Named => "named",
            Attribution::Session => "session",
            Attribution::EnvelopeSender => "envelope-sender",
            Attribution::Nothing => "none",
        }
    }
}

/// One accepted or attempted submission, counted once however many hops and queue ids it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub submitted: Timestamp,
    pub host: Text,
    /// The first queue id; empty for an attempt that never got one.
    pub queue_id: Text,
    pub message_id: Text,
    pub account: Option<Text>,
    pub attribution: Attribution,
    pub kind: Kind,
    /// How a user handed it in: by SMTP, where no log says otherwise.
    pub protocol: Protocol,
    pub sender: Text,
    /// Address of the client that submitted it.
    pub address: Option<Text>,
    pub client: Option<Text>,
    pub size: Option<u64>,
    pub outcome: MessageOutcome,
    /// First of its rows in [`Rows::recipients`], and how many.
    pub first_recipient: u32,
    pub recipients: u32,
    pub place: Place,
}

/// One (message, final address) pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipient {
    pub message: u32,
    /// Empty where the log counts the recipient but does not name it.
    pub address: Text,
    pub outcome: Outcome,
    pub by: Option<By>,
    pub reason: Option<Reason>,
    /// The deciding reply, for [`Rows::reply`] to give back as logged; empty for deliveries.
    pub reply: Text,
    pub relay: Text,
    /// When the outcome was decided.
    pub at: Option<Timestamp>,
    pub attempts: u32,
    pub place: Place,
}

/// An address that nearly all messages of a host went to, as a rule sends them there (`always_bcc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveCopies {
    pub host: Text,
    pub address: Text,
    /// How many messages went there.
    pub messages: u64,
    /// Several people's messages show that it is a rule and no habit: the address is no recipient of any of them.
    pub taken_out: bool,
}

/// A non-delivery notice to the sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    pub at: Timestamp,
    pub message: u32,
    pub place: Place,
    /// It came to nobody: it could not be delivered either, as where the sender's mailbox is full of such notices.
    pub lost: bool,
}

/// Messages without a sender, as notices of failure are, that a host handed to one address within one clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub address: Text,
    pub host: Text,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
    /// Those of them that the host made itself: of failures, delays or deliveries, as its sender asked.
    pub made_here: u32,
    /// Put into a mailbox, and not handed to another host.
    pub into_mailbox: bool,
    /// The line of the first of them.
    pub place: Place,
}

/// What one mailbox session read.
#[derive(Clone, Debug, PartialEq)]
pub struct MailboxUse {
    pub at: Timestamp,
    pub account: Option<Text>,
    pub address: Option<Text>,
    pub session: Option<Text>,
    pub protocol: Protocol,
    pub bytes_out: u64,
    pub items: Option<u64>,
    pub deleted: u64,
    pub scope: AccessScope,
    pub place: Place,
}

/// How much of a mailbox a record of access speaks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessScope {
    /// The messages it counts.
    #[default]
    Messages,
    /// A client synchronised a whole folder: everything in it may have been read.
    Folder,
    /// From here on, for up to 24 hours, the provider recorded no more: everything may have been read.
    Throttled,
}

impl AccessScope {
    /// The word used in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AccessScope::Messages => "messages",
            AccessScope::Folder => "folder",
            AccessScope::Throttled => "throttled",
        }
    }
}

/// An hour in which a host wrote something that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostHour {
    pub host: Text,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// A finding about a host or its log.
#[derive(Clone, Debug, PartialEq)]
pub struct HostNote {
    pub at: Timestamp,
    pub host: Text,
    pub what: HostFact,
    pub place: Place,
}

/// Facts about a host that bear on what its log can say.
#[derive(Clone, Debug, PartialEq)]
pub enum HostFact {
    Started { version: Text },
    Stopped,
    LinesLost { count: Option<u64> },
    ClockStep,
    OwnName { name: Text },
}

/// Stands in a kept reply for the recipient's address: so the replies of a server to a thousand recipients are one text. Postfix
/// writes no such byte.
const ADDRESS_MARK: u8 = 0;

/// Puts a mark for each place where a reply names the recipient, into `folded`; a reply that holds such a byte stays as it is.
pub fn fold_reply(reply: &[u8], address: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    let mut copied = 0;
    // By the at sign: most replies have none outside of an address, and to prepare a search for each address costs more than to search.
    if let Some(before) = memchr::memchr(b'@', address).filter(|_| address.len() > 2) {
        for sign in memchr::memchr_iter(b'@', reply) {
            let Some(start) = sign.checked_sub(before).filter(|start| *start >= copied) else { continue };
            if reply.get(start..start + address.len()) != Some(address) {
                continue;
            }
            if copied == 0 && memchr::memchr(ADDRESS_MARK, reply).is_some() {
                break;
            }
            folded.extend_from_slice(reply.get(copied..start).unwrap_or_default());
            folded.push(ADDRESS_MARK);
            copied = start + address.len();
        }
    }
    folded.extend_from_slice(reply.get(copied..).unwrap_or_default());
}

impl Rows {
    /// Puts another place for each that a row has.
    pub fn move_places(&mut self, to: impl Fn(Place) -> Place) {
        macro_rules! move_in {
            ($($rows:ident),*) => { $(self.$rows.iter_mut().for_each(|row| row.place = to(row.place));)* };
        }
        move_in!(logins, messages, recipients, notices, returned, mailbox_uses, actions, host_notes);
    }

    /// The recipients of a message.
    #[must_use]
    pub fn recipients_of(&self, message: &Message) -> &[Recipient] {
        let first = message.first_recipient as usize;
        self.recipients.get(first..first + message.recipients as usize).unwrap_or_default()
    }

    /// The deciding reply of a recipient, as logged.
    #[must_use]
    pub fn reply(&self, recipient: &Recipient) -> String {
        let folded = self.texts.bytes(recipient.reply);
        let address = self.texts.bytes(recipient.address);
        let reply: Vec<u8> =
            folded.iter().flat_map(|b| if *b == ADDRESS_MARK { address } else { std::slice::from_ref(b) }).copied().collect();
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// A text for display.
    #[must_use]
    pub fn show(&self, text: Text) -> String {
        self.texts.show(text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_reply_comes_back_as_it_was() {
        let mut rows = Rows::default();
        for (reply, address, kept) in [
            ("550 5.1.1 <a@x.test>: unknown user a@x.test", "a@x.test", "550 5.1.1 <\0>: unknown user \0"),
            ("550 no such user", "a@x.test", "550 no such user"),
            ("550 \0 <a@x.test>", "b@x.test", "550 \0 <a@x.test>"),
            ("", "", ""),
            ("550 root", "root", "550 root"),
            ("550 a@x.testa@x.test", "a@x.test", "550 \0\0"),
        ] {
            let mut folded = Vec::new();
            fold_reply(reply.as_bytes(), address.as_bytes(), &mut folded);
            assert_eq!(String::from_utf8_lossy(&folded), kept);
            let recipient = Recipient {
                message: 0,
                address: rows.texts.intern(address.as_bytes()),
                outcome: Outcome::Bounced,
                by: None,
                reason: None,
                reply: rows.texts.intern(&folded),
                relay: rows.texts.intern(b""),
                at: None,
                attempts: 1,
                place: Place { source: super::super::place::SourceId(0), line: 1 },
            };
            assert_eq!(rows.reply(&recipient), if reply.contains('\0') { reply.replace('\0', address) } else { reply.to_owned() });
        }
    }
}
