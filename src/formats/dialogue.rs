//! Facts about sessions that a server logs command by command (Exchange's protocol logs), and about requests that say who made them
//! (web logs). One login shows in several such records; correlation makes one of them.

use super::event::Protocol;

/// One fact about one session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DialogueEvent<'a> {
    /// Id of the session, unique in one log of its host.
    pub id: &'a [u8],
    /// Which of its host's logs: services of one host count their sessions each for itself. Empty where there is one log.
    pub log: &'a [u8],
    pub protocol: Protocol,
    /// The peer's address; empty where the record has none.
    pub address: &'a [u8],
    /// The record's number in its session, where the log counts them: records are written, and gathered, in any order.
    pub number: Option<u32>,
    pub fact: DialogueFact<'a>,
}

/// What a record of a session says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DialogueFact<'a> {
    /// The client named itself.
    Greeted {
        name: &'a [u8],
    },
    /// A front end passes on a session it has itself, under that id, with a client at that address that named itself so.
    Proxied {
        session: &'a [u8],
        address: &'a [u8],
        greeting: &'a [u8],
    },
    /// The session goes on in another service, which logs it under an id of its own.
    PassedOn,
    /// A way to authenticate was asked for.
    Mechanism {
        name: &'a [u8],
    },
    /// A user name was told, which proves nothing.
    Claimed {
        user: &'a [u8],
    },
    /// The user proved who they are. An empty name is the claimed one.
    Authenticated {
        user: &'a [u8],
    },
    /// The proof failed. `answered` marks the server's reply; the reason may have been told before it, and counts once with it.
    AuthFailed {
        answered: bool,
        reason: &'a [u8],
    },
    /// The password was right, and the server refused all the same.
    Stopped {
        user: &'a [u8],
        reason: &'a [u8],
    },
    /// A command that will be answered by a [`DialogueFact::Reply`].
    Command(Command<'a>),
    /// The server's answer to the first command not yet answered.
    /// `message` is the `Message-ID` that an acceptance names.
    Reply {
        code: u16,
        text: &'a [u8],
        message: Option<&'a [u8]>,
    },
    /// A filter refused a recipient (empty for the whole message); the server's log of the session may say so too.
    /// `message` is the `Message-ID`, which is empty before the message itself is sent.
    Refused {
        message: &'a [u8],
        sender: &'a [u8],
        recipient: &'a [u8],
        text: &'a [u8],
    },
    Ended,
}

/// A command of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `MAIL FROM`, with the address.
    Mail(&'a [u8]),
    /// `RCPT TO`, with the address.
    Recipient(&'a [u8]),
    /// `DATA`, or the last `BDAT`: the message is handed over.
    Data,
    /// `RSET` and greetings, which take the transaction back.
    Reset,
    /// Any other.
    Other,
}

/// A request that says who made it, or that a login failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccessEvent<'a> {
    pub protocol: Protocol,
    /// `None` where the record does not say; never an empty name.
    pub account: Option<&'a [u8]>,
    /// The user's security identifier, where the record tells it; in place of a name, or beside one.
    pub sid: Option<&'a [u8]>,
    /// The mailbox that was opened, where the record names another one than the account's own.
    pub mailbox: Option<&'a [u8]>,
    pub address: Option<&'a [u8]>,
    /// The client's program.
    pub client: Option<&'a [u8]>,
    /// Id of the request, by which two logs of the front end tell of the same one.
    pub request: Option<&'a [u8]>,
    /// The record is a back end's copy of what a front end handled: it counts where no front end tells of the same account and way.
    pub back_end: bool,
    pub fact: AccessFact,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessFact {
    /// Carried out for an authenticated user; `bytes` is the answer's size where the log has it.
    Granted { bytes: u64 },
    /// The credentials were wrong.
    Denied,
    /// They were right, and the request was refused all the same.
    Stopped,
    /// A login form was sent in; what comes of it shows in the next requests.
    FormSent,
    /// The login form was shown again because the password was wrong.
    FormRefused,
}
