//! Facts about messages in systems that give each message an id of its own (Exchange, Microsoft 365), one fact at a time.
//!
//! Such systems write several records about one message, in several files and on several hosts. A record becomes one
//! [`TrailFact::Accepted`] for where the message came in, and one [`TrailFact::Recipient`] for each recipient it says something about.
//! Which of several facts decides is left to correlation.

use super::event::{NoticeKind, Protocol};
use crate::domain::outcome::{By, Outcome, Reason};

/// One fact about one message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrailEvent<'a> {
    pub id: TrailId<'a>,
    pub fact: TrailFact<'a>,
}

/// What names the message. All facts of one message meet by this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrailId<'a> {
    /// The id that the system itself gave the message, kept over hops and forks: the network message id of Exchange 2013 and later, the
    /// trace id of Microsoft 365. Empty where the log has none.
    pub network: &'a [u8],
    /// `Message-ID` as logged; the sender's own words, may be empty, and may recur.
    pub message: &'a [u8],
    /// With [`TrailId::message`] it stands in for a missing network id.
    pub sender: &'a [u8],
}

impl<'a> TrailId<'a> {
    /// The part that every fact of the message has: its shard.
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        if self.network.is_empty() { self.message } else { self.network }
    }
}

/// What a record says about a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrailFact<'a> {
    /// The message came in here, or one of its hops did.
    Accepted(&'a Acceptance<'a>),
    /// What became of a recipient so far. An empty address stands for every recipient of the message.
    Recipient {
        address: &'a [u8],
        fate: TrailFate,
        /// The host that took it over or refused it, by name or address; empty where the record does not say.
        peer: &'a [u8],
        /// The deciding words; empty for a delivery.
        text: &'a [u8],
    },
    /// What became of so many recipients so far, of whom the record has lost the addresses.
    Unnamed { count: u32, fate: TrailFate, peer: &'a [u8], text: &'a [u8] },
    /// A mailbox's id, with the address that the record gives as its own.
    Mailbox { id: &'a [u8], owner: &'a [u8] },
    /// A recipient (a group, an alias, one who redirects) was replaced by another one, which has facts of its own.
    Replaced { address: &'a [u8], by: &'a [u8] },
    /// This message is a notice about another one, named by its `Message-ID`, and goes to `to`.
    Notice { about: &'a [u8], kind: NoticeKind, to: &'a [u8] },
}

/// How a message came in, as one record tells it; several records may tell it differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acceptance<'a> {
    pub kind: TrailKind,
    /// Who wrote it, by its header.
    pub sender: &'a [u8],
    /// The envelope sender; `None` where the record does not say, empty for `<>`.
    pub return_path: Option<&'a [u8]>,
    /// Who submitted it, where the record itself names the user that the system had authenticated.
    pub account: Option<&'a [u8]>,
    /// Id of the mailbox it was submitted from or as.
    pub mailbox: Option<&'a [u8]>,
    /// The address that the record gives as its mailbox's own, or as its sender's where it says that one of ours handed it in and not
    /// who. What most records of a mailbox say names its user.
    pub mailbox_owner: Option<&'a [u8]>,
    /// Address of the submitting client, as far back as the record knows it.
    pub address: Option<&'a [u8]>,
    /// Whether the address may be a relay's or a front end's, so that any other record's address is better.
    pub address_is_proxy: bool,
    /// The client's program or name.
    pub client: Option<&'a [u8]>,
    /// Id of the SMTP session on the event's host, by which the session's log names the user.
    pub session: Option<&'a [u8]>,
    /// By what the user submitted it, where the record says.
    pub protocol: Option<Protocol>,
    pub size: Option<u64>,
    /// How many recipients the record counts, listed or not.
    pub recipients: Option<u32>,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailKind {
    /// From a user who had authenticated, or out of a user's mailbox.
    Submission,
    /// From a stranger.
    Inbound,
    /// From the one or the other: the record does not say, and only the sender's domain can tell.
    Undirected,
    /// Made by a host of ours or a program on it.
    Local,
    /// Made by the mail system itself: notices, quota warnings, journal copies. Never counted as a message of anyone.
    System,
    /// A hop inside, which says nothing of the beginning.
    Hop,
}

/// What became of a recipient, as far as one record knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailFate {
    /// It is a recipient; nothing more is said.
    Named,
    /// Waits: [`Outcome::Deferred`] or [`Outcome::Held`] if this is the last word.
    Waiting { outcome: Outcome, by: Option<By>, reason: Reason },
    /// A next hop took it over. `outside` is what the record itself says of the hop; `None` leaves it to the hop's name.
    HandedOver { outside: Option<bool> },
    /// In a mailbox.
    Delivered,
    /// Ended otherwise. `by` is `None` where only the name of the peer can tell.
    Ended { outcome: Outcome, by: Option<By>, reason: Reason },
}
