//! What a record means, in a closed vocabulary that no longer depends on the log format.
//!
//! Events borrow their text from the chunk they were read from; correlation copies what it keeps.

pub use super::dialogue::{AccessEvent, AccessFact, Command, DialogueEvent, DialogueFact};
pub use super::trail::{Acceptance, TrailEvent, TrailFact, TrailFate, TrailId, TrailKind};
pub use crate::domain::action::ActionKind;
use crate::domain::outcome::Reason;
pub use crate::domain::rows::{AccessScope, Protocol, Refusal};
use crate::domain::time::Timestamp;

/// One meaning of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    pub at: Timestamp,
    /// Line within the chunk, counted from 0.
    pub line: u32,
    /// Index into [`super::batch::Batch::hosts`].
    pub host: u16,
    /// How often the line stands for itself: 1, or more where the log says it was repeated.
    pub times: u32,
    /// Process id, 0 if the line has none or it was cut.
    pub pid: u32,
    pub kind: Kind<'a>,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// Something about one queue file; `id` is the queue id as logged.
    Queue { id: &'a [u8], event: QueueEvent<'a> },
    /// Something about one SMTP server session, identified by host, instance and pid.
    Smtp(SmtpEvent<'a>),
    /// Something about one session that its server logs command by command.
    Dialogue(DialogueEvent<'a>),
    /// A request that says who made it.
    Access(AccessEvent<'a>),
    /// Something about one message of a system that gives each message an id of its own.
    Trail(TrailEvent<'a>),
    /// A login, or the failure of one.
    Login(LoginEvent<'a>),
    /// What was shown at a sign-in that another record tells of.
    Proof(ProofEvent<'a>),
    /// What a mailbox session did.
    Mailbox(MailboxEvent<'a>),
    /// Something was changed, searched or deleted.
    Action(ActionEvent<'a>),
    /// A message that a webmail program handed in for somebody.
    WebSend(WebSendEvent<'a>),
    /// Something about the log or the daemon itself.
    System(SystemEvent<'a>),
}

/// A message that a webmail program handed in, by its own log. One of the two ids may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSendEvent<'a> {
    /// Who was logged in there.
    pub account: &'a [u8],
    /// The browser's.
    pub address: &'a [u8],
    /// With its angle brackets.
    pub message_id: &'a [u8],
    /// The queue id in the server's reply.
    pub queue_id: &'a [u8],
}

/// The peer of a connection as Postfix writes it, `name[address]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// Verified name; `unknown` is kept as logged.
    pub name: &'a [u8],
    /// Address text without brackets and without an `IPv6:` prefix; may be `unknown`.
    pub address: &'a [u8],
}

/// The program that wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    Smtpd,
    Cleanup,
    Pickup,
    Qmgr,
    Smtp,
    Lmtp,
    Local,
    Virtual,
    Pipe,
    Error,
    Discard,
    Bounce,
    Postsuper,
    /// A delivery agent of Postfix whose name the log lost (a syslog template that cuts tags at the slash).
    Agent,
    /// Any other, or one that could not be told.
    Other,
}

/// The word after `status=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Sent,
    Bounced,
    Deferred,
    /// `SOFTBOUNCE`: would have bounced, stays in the queue.
    SoftBounce,
    /// A probe's answer, `deliverable` or `undeliverable`: no mail was sent.
    Probe,
    /// A word this version does not know: the outcome is unknown.
    Other,
}

/// What is done with a whole message by an access rule, a header check or a milter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Refused with a 5xx reply.
    Reject,
    /// Refused with a 4xx reply.
    TempReject,
    Discard,
    Hold,
    /// Sent to another recipient instead (`redirect`).
    Redirect,
}

/// Events of one queue file.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueEvent<'a> {
    /// `client=`: a queue file was opened for a mail transaction.
    Open {
        client: Client<'a>,
        service: Service,
        sasl_username: Option<&'a [u8]>,
        sasl_method: Option<&'a [u8]>,
        orig_queue_id: Option<&'a [u8]>,
        orig_client: Option<&'a [u8]>,
    },
    /// `uid=… from=<…>`: local injection, or a requeue when `orig_id` is set.
    Pickup {
        uid: u32,
        sender: &'a [u8],
        orig_id: Option<&'a [u8]>,
    },
    /// `message-id=` with its angle brackets as logged; empty if the log says there is none.
    MessageId {
        id: &'a [u8],
    },
    /// `from=<…>, size=…, nrcpt=… (queue active)`.
    Active {
        sender: &'a [u8],
        size: u64,
        recipients: u32,
    },
    /// A delivery record with `to=` and `status=`.
    Delivery(Delivery<'a>),
    /// The queue file is gone.
    Removed {
        by: Program,
        cancelled: bool,
        discarded: bool,
    },
    /// Returned to the sender at the end of the queue lifetime, or earlier by an administrator.
    Expired {
        sender: &'a [u8],
        forced: bool,
    },
    /// postsuper: to be taken in again under another id.
    Requeued,
    Held,
    Released,
    /// bounce: a notice about this message was made, with its own queue id.
    Notice {
        kind: NoticeKind,
        to_postmaster: bool,
        id: &'a [u8],
    },
    /// An access rule, header check or milter decided about the whole message.
    Decision {
        action: Action,
        stage: Stage,
        sender: Option<&'a [u8]>,
        recipient: Option<&'a [u8]>,
        sasl_username: Option<&'a [u8]>,
        client: Option<Client<'a>>,
        reply: &'a [u8],
        by_milter: bool,
    },
    /// The session ended before the message was accepted (Postfix 3.10 writes the queue id).
    Lost {
        stage: Stage,
    },
    /// A content filter's verdict about this queue id.
    Verdict {
        account: Option<&'a [u8]>,
        client: Option<&'a [u8]>,
        sender: &'a [u8],
        /// As the filter lists them; see [`QueueEvent::recipients`].
        recipients: &'a [u8],
        passed: bool,
        quarantined: bool,
        discarded: bool,
        reason: Reason,
        queued_as: Option<&'a [u8]>,
        reply: &'a [u8],
    },
}

impl QueueEvent<'_> {
    /// The addresses in a [`QueueEvent::Verdict`]'s recipients, which filters list as `<a>,<b>` or as `a,b`.
    pub fn recipients(list: &[u8]) -> impl Iterator<Item = &[u8]> {
        let bracketed = list.starts_with(b"<");
        let pieces = list.split(move |b| *b == if bracketed { b'>' } else { b',' });
        pieces
            .map(|piece| piece.strip_prefix(b",").unwrap_or(piece))
            .map(|piece| piece.strip_prefix(b"<").unwrap_or(piece))
            .filter(|p| !p.is_empty())
    }
}

/// One delivery record.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery<'a> {
    pub program: Program,
    pub recipient: &'a [u8],
    pub orig_recipient: Option<&'a [u8]>,
    /// `relay=` as logged: `host[ip]:port`, `host[socket]`, a service name, `local`, `virtual` or `none`.
    pub relay: &'a [u8],
    pub delay_seconds: f64,
    /// `dsn=` as class, subject, detail; `None` before Postfix 2.3.
    pub dsn: Option<(u8, u16, u16)>,
    pub status: Status,
    /// The text in brackets, without them; cut if the line was cut.
    pub reply: &'a [u8],
    /// Queue id of the next hop or filter named by the reply (`queued as X`, `forwarded as X`, a mail gateway's log id).
    pub next_id: Option<&'a [u8]>,
}

/// Kinds of notices the bounce daemon makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    NonDelivery,
    Delay,
    DeliveryStatus,
}

/// The service an SMTP server process listens for, as far as its tag tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Port 25, or a tag that says nothing.
    Smtp,
    /// `submission` (587).
    Submission,
    /// `smtps` or `submissions` (465).
    Submissions,
}

/// SMTP protocol stages as Postfix names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connect,
    Helo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    EndOfMessage,
    /// VRFY, ETRN, UNKNOWN and the rest.
    Other,
}

/// Events of one SMTP server session.
#[derive(Clone, Debug, PartialEq)]
pub enum SmtpEvent<'a> {
    Connect {
        client: Client<'a>,
        service: Service,
    },
    /// `client=` again, for the session: a mail transaction got a queue id (empty for `NOQUEUE: client=`).
    Transaction {
        queue_id: &'a [u8],
        client: Client<'a>,
        service: Service,
        sasl_username: Option<&'a [u8]>,
        sasl_method: Option<&'a [u8]>,
    },
    /// A filter before the queue took a message of the session and gave it back: the queue id it came to is another session's.
    HandedBack {
        queue_id: &'a [u8],
        sasl_username: Option<&'a [u8]>,
    },
    /// A refusal without a queue id, or of one recipient of a transaction that has one. One that names no client is the session's at hand.
    Reject(Reject<'a>),
    /// `SASL … authentication failed`.
    AuthFailed {
        client: Client<'a>,
        service: Service,
        mechanism: &'a [u8],
        reason: &'a [u8],
        username: Option<&'a [u8]>,
    },
    Lost {
        client: Client<'a>,
        stage: Stage,
    },
    /// `disconnect from`, with the command counters where the log has them.
    Disconnect {
        client: Client<'a>,
        service: Service,
        counters: Option<Counters>,
    },
}

/// A refusal by the SMTP server, postscreen, a policy service or a milter.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject<'a> {
    /// Empty where the refusal came before a queue id existed.
    pub queue_id: &'a [u8],
    /// What was done: a refusal, or, before a queue id exists, a decision about the transaction that the line begins.
    pub action: Action,
    pub stage: Stage,
    pub client: Client<'a>,
    pub service: Service,
    /// Reply code; 0 if the line has none, because the rule did not refuse but held, discarded or redirected before a queue id existed:
    /// the mail transaction goes on, and its message meets that fate.
    pub code: u16,
    pub reply: &'a [u8],
    pub sender: Option<&'a [u8]>,
    pub recipient: Option<&'a [u8]>,
    pub sasl_username: Option<&'a [u8]>,
    pub helo: Option<&'a [u8]>,
    /// The refusing part: a milter rather than an access rule.
    pub by_milter: bool,
    /// postscreen, which is never an authenticated session.
    pub by_postscreen: bool,
}

/// Command counters of a disconnect line: accepted and tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub auth_ok: u32,
    pub auth_all: u32,
    pub mail_ok: u32,
    pub mail_all: u32,
    pub rcpt_ok: u32,
    pub rcpt_all: u32,
    pub data_ok: u32,
    pub data_all: u32,
    /// Chunks: one message may come in any number of them (RFC 3030).
    pub bdat_ok: u32,
    pub bdat_all: u32,
}

impl Counters {
    /// The fewest and the most messages that were taken in.
    #[must_use]
    pub fn messages(&self) -> (u32, u32) {
        (self.data_ok.saturating_add(self.bdat_ok.min(1)), self.data_ok.saturating_add(self.bdat_ok))
    }
}

/// What a login line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginResult {
    Success,
    /// The password was wrong or the user unknown, this many times in this session.
    Failure {
        attempts: u32,
    },
    /// The password was right, but the login was stopped for another reason.
    Stopped,
    /// Neither: a prompt, a missing session, a token that ran out; nothing is said of the password.
    Interrupted,
    /// An authentication back end's own line about a failure. It stands beside a login line or an SMTP server's line about the same attempt, and counts only where neither is there.
    BackendFailure,
}

/// A login at a mailbox server, a webmail or an authentication back end.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginEvent<'a> {
    pub protocol: Protocol,
    /// `None` where the log does not say; never an empty name.
    pub account: Option<&'a [u8]>,
    pub address: Option<&'a [u8]>,
    pub result: LoginResult,
    pub mechanism: Option<&'a [u8]>,
    /// Session id, unique per connection (Dovecot 2.2 and later, Cyrus).
    pub session: Option<&'a [u8]>,
    /// The client's program: its user agent, its application.
    pub client: Option<&'a [u8]>,
    /// What the client's program says of itself, in its own words alone.
    pub user_agent: Option<&'a [u8]>,
    /// The server's own words about a failure; secrets are cut out by the parser.
    pub detail: &'a [u8],
    /// What an identity provider says beyond that; `None` for a server's log.
    pub provider: Option<&'a ProviderWord<'a>>,
    /// A proxy's word: the session goes on at another server, which may tell of it too and take the proxy for the client.
    pub passed_on: bool,
}

/// What an identity provider says of a sign-in; see [`crate::domain::rows::ProviderWord`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProviderWord<'a> {
    pub event_id: Option<&'a [u8]>,
    pub correlation: Option<&'a [u8]>,
    pub application: Option<&'a [u8]>,
    pub token: bool,
    pub code: Option<u32>,
    pub refusal: Option<Refusal>,
    pub country: Option<&'a [u8]>,
    pub city: Option<&'a [u8]>,
    pub asn: Option<u32>,
    /// When the provider wrote this state of the record, where it says: the latest state holds.
    pub written: Option<Timestamp>,
}

/// One step of a sign-in, told apart from it: what was shown, and whether it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofEvent<'a> {
    /// The provider's id of the sign-in.
    pub sign_in: &'a [u8],
    pub proof: Proof,
    pub accepted: bool,
}

/// What can be shown first at a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Password,
    /// Nothing: a token of an earlier sign-in was presented.
    Earlier,
}

/// Something changed, searched or deleted; see [`crate::domain::rows::Action`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionEvent<'a> {
    pub kind: ActionKind,
    /// Whose account or mailbox; `None` for the organisation's.
    pub account: Option<&'a [u8]>,
    pub actor: Option<&'a [u8]>,
    pub address: Option<&'a [u8]>,
    pub client: Option<&'a [u8]>,
    pub detail: &'a [u8],
    /// It was tried, and nothing was changed.
    pub failed: bool,
}

/// What a mailbox session read or changed, told when it ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MailboxEvent<'a> {
    pub protocol: Option<Protocol>,
    /// Who read.
    pub account: Option<&'a [u8]>,
    /// The owner of the mailbox, where that is somebody else.
    pub mailbox: Option<&'a [u8]>,
    /// The program as it names itself, where the record of a single access tells it.
    pub client: Option<&'a [u8]>,
    pub session: Option<&'a [u8]>,
    pub address: Option<&'a [u8]>,
    /// Bytes sent to the client.
    pub bytes_out: u64,
    /// Messages whose body the client fetched (IMAP `body_count`, POP3 `retr`); `None` where the log does not say.
    pub items: Option<u64>,
    pub deleted: u64,
    pub scope: AccessScope,
}

/// Something about the log or the daemon itself.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemEvent<'a> {
    /// `daemon started -- version X`.
    Started {
        version: &'a [u8],
    },
    Stopped,
    /// The logger says that it lost lines; the number if it says so.
    LinesLost {
        count: Option<u64>,
    },
    /// The clock moved.
    ClockStep {
        detail: &'a [u8],
    },
    /// One of our own names, told by a line that only the host itself writes.
    OwnName {
        name: &'a [u8],
    },
}
