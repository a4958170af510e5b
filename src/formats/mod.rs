//! One module per log format: bytes of a source in, events out.
//!
//! A format knows nothing of files, archives or hashes, and nothing of what its events will be used for. To add one, write its
//! module with a [`Format`] constant and add that constant to [`ALL`].

mod amavis;
pub mod batch;
pub mod clock;
mod cyrus;
mod dialogue;
mod dovecot;
pub mod event;
mod exchange;
mod frames;
pub mod host_names;
mod journal;
mod json;
mod loggers;
mod m365;
mod marks;
mod own_files;
mod pmg;
pub mod postfix;
mod reader;
pub mod record_kind;
pub mod remark;
mod roundcube;
mod rspamd;
mod scan;
pub mod service;
mod sink;
mod syslog;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod trail;

use batch::Batch;
use clock::Clock;
pub use exchange::refusal as refusal_by_exchange;
use host_names::HostNames;
pub use m365::TRACE_HOST;

/// How a source may be cut into pieces that are parsed independently.
#[derive(Clone, Copy, Debug)]
pub enum Framing {
    /// After any line feed.
    Lines,
    /// Before a line that begins with `__CURSOR=` (the journal's export format), after an empty line.
    JournalEntries,
    /// Before a row of a table.
    Rows {
        /// Whether cells in double quotes may hold line feeds.
        quoted: bool,
        /// Whether a row can begin so.
        begins: fn(&[u8]) -> bool,
        /// Beginnings of lines that say how to read what follows; the last of each comes with each piece.
        headings: &'static [&'static [u8]],
    },
    /// Before a record of a stream of JSON values, wherever this says that one begins.
    Values(fn() -> Cutter),
}

/// Tells where the last record begins in what it is given: all bytes since the last place it told. Called again with more bytes after
/// them, it looks only at those. With it comes whether what was begun around the records, an array or an envelope, has not ended there.
pub type Cutter = Box<dyn FnMut(&[u8]) -> (Option<usize>, bool) + Send>;

/// A piece of a source, cut where its framing allows.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    pub bytes: &'a [u8],
    /// The end of the piece before this one (some whole lines), for lines that speak of the line before them.
    pub before: &'a [u8],
    /// For tables cut by [`Framing::Rows`]: the first line of the source and the last heading of each kind before this piece; empty
    /// for the first piece.
    pub heading: &'a [u8],
    /// Somewhere to put text that must be rewritten before it can be read (JSON escapes).
    pub scratch: &'a bumpalo::Bump,
    /// The one name of each host that lines name in two ways.
    pub names: &'a HostNames,
    /// Whether fingerprints are wanted, to recognise copies of the same record in other sources.
    pub fingerprints: bool,
    /// This is the last piece of a stream of values, and what was begun around its records has no end.
    pub unended: bool,
}

/// What is known of a log format.
pub struct Format {
    /// Stable name, `system.shape`, as in `report.json`.
    pub id: &'static str,
    /// The system as in `coverage`: `postfix`, `dovecot`, …
    pub system: &'static str,
    pub title: &'static str,
    pub framing: Framing,
    /// How sure this format is that `head` (the first decoded bytes) is its own: 0 not at all, 100 certain.
    pub sniff: fn(head: &[u8]) -> u8,
    /// Parses one piece. `clock` comes in as it stands at the start of the piece and leaves as it stands at its end.
    pub parse: for<'a> fn(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>),
    /// Looks for what the head of a source says of its host, first instant, year and zone.
    pub scout: fn(bytes: &[u8]) -> clock::Scouted,
}

/// The name of syslog text among the formats.
pub const SYSLOG_TEXT: &str = "postfix.syslog";

/// Whether a format is one of the systemd journal's own.
#[must_use]
pub fn is_journal(format: &Format) -> bool {
    [journal::EXPORT.id, journal::JSON.id].contains(&format.id)
}

/// Every format, in the order in which ties of certainty are decided.
pub const ALL: &[Format] = &[
    journal::EXPORT,
    journal::JSON,
    journal::CONTAINER,
    own_files::DOVECOT,
    own_files::RSPAMD,
    roundcube::FORMAT,
    syslog::FORMAT,
    exchange::TRACKING,
    exchange::EXPORT,
    exchange::AGENT,
    exchange::RECEIVE,
    exchange::SEND,
    exchange::CONNECTIVITY,
    exchange::IMAP,
    exchange::POP,
    exchange::HTTP_PROXY,
    exchange::EWS,
    exchange::MAPI,
    exchange::SHELL,
    exchange::PANEL,
    exchange::IIS,
    exchange::OTHER,
    m365::SIGN_INS,
    m365::SIGN_INS_JSON,
    m365::SIGN_IN_DETAILS,
    m365::AUDIT,
    m365::AUDIT_JSON,
    m365::DIRECTORY,
    m365::DIRECTORY_JSON,
    m365::TRACE,
    m365::TRACE_JSON,
    m365::TRACE_DETAIL,
    m365::TRACE_SUMMARY,
    m365::TRACE_REPORT,
    m365::DEFENDER,
    m365::DEFENDER_JSON,
];
