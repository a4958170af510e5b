//! What can happen to a mail system in a story, apart from how a system writes it down.
//!
//! The story decides who does what, when, and what is meant to become of it. A [`MailSystem`] turns that into the lines of its logs, counts
//! in the book what its lines say, and comes back to what it put off.

use super::SimulateError;
use super::cast::{Address, Cast};
use super::random::Random;
use super::tally::{Book, Fates};
use super::truth::HostTotals;
use super::world::{Agenda, Event};

/// What is to become of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    NoSuchUser,
    MailboxFull,
    /// The receiver refuses the sender's server as a source of spam.
    Reputation,
    /// Refused for now this many times (greylisting, throttling), then taken.
    Later(u8),
    /// The receiver's server never answers.
    Unreachable,
    /// The organisation's own filter refuses the content.
    OwnFilter,
}

/// One recipient and what is to become of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient {
    pub(super) to: Address,
    pub(super) fate: Fate,
}

/// The envelope sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Person(usize),
    Contact(u32),
    /// A notice by a server, with the empty sender.
    Notice,
}

/// What a message is about, for logs that show a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Everyday,
    /// An attacker's message; the number tells the subject lines apart.
    Lure(u32),
}

/// A message as it is handed in.
pub(super) struct Letter {
    pub(super) sender: Sender,
    pub(super) recipients: Vec<Recipient>,
    pub(super) size: u32,
    /// The domain in the message id the mail program made.
    pub(super) message_id_host: String,
    pub(super) topic: Topic,
    /// The incident's account that an attacker sends it by.
    pub(super) taken: Option<usize>,
}

/// Somebody who logs in to hand messages in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) person: usize,
    pub(super) client: usize,
    pub(super) tls: bool,
}

/// A login as the system's logs tell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login {
    pub(super) at: i64,
    /// The last record of it: an identity provider goes on asking after the password was taken.
    pub(super) until: i64,
    /// In the report's words.
    pub(super) protocol: &'static str,
}

impl Login {
    /// One that a single record tells.
    pub(super) fn new(at: i64, protocol: &'static str) -> Login {
        Login { at, until: at, protocol }
    }
}

/// A session that was begun, and the login if a line of its own tells it.
pub(super) struct Opened<S> {
    pub(super) session: S,
    pub(super) login: Option<Login>,
}

/// How the handing in of a message went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handed {
    /// When the server had said its last word about it.
    pub(super) done: i64,
    /// The instant that the logs give for the submission.
    pub(super) logged: i64,
    /// The login that is told by nothing earlier than the lines of this message.
    pub(super) proof: Option<Login>,
}

/// How somebody tries to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Smtp,
    Imap,
}

/// Logins with a wrong password, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// The name as typed, of somebody or of nobody.
    pub(super) name: &'a str,
    pub(super) client: usize,
    pub(super) times: u64,
    pub(super) door: Door,
}

/// Somebody looks into a mailbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) person: usize,
    pub(super) client: usize,
    /// Whether the mail program fetches by POP.
    pub(super) pop: bool,
    pub(super) stay: i64,
    /// Messages seen in the list, and messages opened.
    pub(super) seen: u64,
    pub(super) read: u64,
    /// The incident's account, if it is an attacker.
    pub(super) taken: Option<usize>,
}

/// A change that somebody who is in an account makes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A rule that removes what comes in, such as the notices of undeliverable mail.
    DeletingRule,
    /// All mail is forwarded to an outside address, a number in [`Cast::contacts`].
    Forwarding(u32),
    /// A second factor of the attacker's own is registered.
    SecondFactor,
    /// The service itself keeps the account from sending.
    Restricted,
}

/// A change as the system's logs tell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) at: i64,
    /// Whether its record names the address that it was made from.
    pub(super) placed: bool,
    /// The login that the change needed, if the logs tell one.
    pub(super) login: Option<Login>,
    /// Whether the mailbox itself was opened by it.
    pub(super) opened: bool,
}

/// What a story and the system that writes it down share; `L` is what the system comes back to.
pub(super) struct Stage<L> {
    pub(super) cast: Cast,
    pub(super) random: Random,
    pub(super) book: Book,
    /// The first of the mail servers of outside domains among the clients, in the order of the domains.
    pub(super) servers: usize,
    /// How long a server tries a message.
    pub(super) lifetime: i64,
    pub(super) agenda: Agenda<L>,
}

impl<L> Stage<L> {
    pub(super) fn plan(&mut self, at: i64, event: Event<L>) {
        self.agenda.add(at, event);
    }

    /// Counts a message of somebody's once all its recipients are settled.
    pub(super) fn count(&mut self, person: usize, taken: Option<usize>, fates: &Fates) {
        self.book.accounts[person].add(fates);
        if let Some(taken) = taken.and_then(|taken| self.book.taken(taken)) {
            taken.tally.add(fates);
        }
    }

    /// Counts a notice that came into a mailbox.
    pub(super) fn count_notice(&mut self, taken: Option<usize>, at: i64) {
        self.book.notices += 1;
        if let Some(account) = taken.and_then(|taken| self.book.taken(taken)) {
            account.notices += 1;
            account.notice_span.see(at);
        }
    }
}

/// A mail system that writes down what happens.
pub(super) trait MailSystem: Sized {
    /// An open session of a client that hands messages in.
    type Session;
    /// Work that is put off, such as a message in a queue.
    type Later;

    /// The logs begin.
    fn begin(&mut self, stage: &mut Stage<Self::Later>, at: i64);

    /// Somebody logs in to hand messages in. The first follows after [`PREAMBLE`](super::world::PREAMBLE).
    fn connect(&mut self, stage: &mut Stage<Self::Later>, at: i64, visit: Visit) -> Opened<Self::Session>;

    /// A message is handed in. `limited` says that the system's own limit of messages has been reached.
    fn submit(&mut self, stage: &mut Stage<Self::Later>, session: &mut Self::Session, at: i64, letter: Letter, limited: bool) -> Handed;

    fn disconnect(&mut self, stage: &mut Stage<Self::Later>, session: Self::Session, at: i64);

    /// Somebody writes one message with the usual mail program.
    fn send(&mut self, stage: &mut Stage<Self::Later>, at: i64, person: usize, client: usize, letter: Letter);

    /// A message comes from outside.
    fn receive(&mut self, stage: &mut Stage<Self::Later>, at: i64, client: usize, letter: Letter);

    /// A mailbox is looked into.
    fn read(&mut self, stage: &mut Stage<Self::Later>, at: i64, reading: Reading) -> Login;

    fn fail_login(&mut self, stage: &mut Stage<Self::Later>, at: i64, attempt: Attempt<'_>);

    /// Somebody looks what answers.
    fn scan(&mut self, stage: &mut Stage<Self::Later>, at: i64, client: usize);

    /// Spam for somebody is refused for its origin.
    fn refuse_spam(&mut self, stage: &mut Stage<Self::Later>, at: i64, client: usize, person: usize);

    /// Somebody changes an account, a number among the people. `None` if the logs of the system do not tell.
    fn change(&mut self, _stage: &mut Stage<Self::Later>, _at: i64, _person: usize, _client: usize, _change: Change) -> Option<Changed> {
        None
    }

    /// The time of something put off has come.
    fn resume(&mut self, stage: &mut Stage<Self::Later>, at: i64, later: Self::Later);

    /// The evidence ends with something still put off.
    fn give_up(&mut self, stage: &mut Stage<Self::Later>, later: Self::Later);

    /// Writes what lies before `until`; returns whether something went to disk meanwhile.
    fn flush(&mut self, until: i64) -> bool;

    /// Bytes of log text handed over so far.
    fn bytes(&self) -> u64;

    /// Whether the files cannot be written any more.
    fn failed(&self) -> bool;

    /// Writes what is left before `end` and closes the files.
    fn finish(self, end: i64) -> Result<Vec<HostTotals>, SimulateError>;
}
