//! What one chunk of a source gave: events by shard, the ledger of its lines, and the malformed ones.

use super::event::{Event, Kind};
use super::record_kind::RecordKinds;
use super::remark::Remarks;
use super::service::Services;
use crate::domain::time::Timestamp;
use crate::say::{Phrase, say};
use std::hash::{BuildHasher, Hasher};

/// Correlation runs in this many independent parts. Fixed, so that results do not depend on the number of threads.
pub const SHARDS: usize = 16;

/// Why a well-formed line is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// Nothing on it.
    Empty,
    /// A daemon that has nothing to do with mail accounts.
    OtherProgram,
    /// A mail daemon's line that carries no fact this tool uses (TLS details, statistics, warnings about DNS …).
    NoFact,
    /// The same record stands in another source and was counted there.
    Duplicate,
    /// A comment, a header or a separator of the format.
    Framing,
    /// Text of a file that is no log of a known format.
    UnknownFormat,
    /// Traffic by which a server's own monitoring watches it.
    Probe,
    /// A copy that the server keeps for its own safety, or a back end's word on what its front end tells.
    Copy,
}

impl Ignored {
    /// Every reason, in the order of the ledger.
    pub const ALL: [Ignored; 8] = [
        Ignored::Empty,
        Ignored::OtherProgram,
        Ignored::NoFact,
        Ignored::Duplicate,
        Ignored::Framing,
        Ignored::UnknownFormat,
        Ignored::Probe,
        Ignored::Copy,
    ];

    /// The words used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ignored::Empty => "empty",
            Ignored::OtherProgram => "other-program",
            Ignored::NoFact => "no-fact",
            Ignored::Duplicate => "duplicate",
            Ignored::Framing => "framing",
            Ignored::UnknownFormat => "unknown-format",
            Ignored::Probe => "probe",
            Ignored::Copy => "copy",
        }
    }
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformed {
    /// No time stamp that can be read.
    NoTime,
    /// A time stamp that names no instant (month 13, second 75 …).
    BadTime,
    /// A time stamp, but then nothing that can be told apart.
    NoTag,
    /// The body breaks the grammar of the program it names.
    BadBody,
    /// Longer than any line a logger writes, or not text at all.
    NotText,
    /// Several records in one line, with carriage returns where line feeds should be.
    Joined,
    /// A row of a table with fewer cells than its heading names, or with a quote that never closes.
    Torn,
    /// A row of a table whose heading is not in evidence, and whose shape no known table has.
    NoHeading,
}

impl Malformed {
    /// The words used in reports.
    #[must_use]
    pub fn said(self) -> Phrase {
        match self {
            Malformed::NoTime => say!("no time stamp"),
            Malformed::BadTime => say!("impossible time stamp"),
            Malformed::NoTag => say!("no program name"),
            Malformed::BadBody => say!("unreadable body"),
            Malformed::NotText => say!("not text"),
            Malformed::Joined => say!("several records in one line, parted by carriage returns"),
            Malformed::Torn => say!("torn row"),
            Malformed::NoHeading => say!("row without a heading"),
        }
    }
}

/// The sum of a chunk's or a source's lines. `used + ignored + malformed = total`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub total: u64,
    pub used: u64,
    pub ignored: [u64; Ignored::ALL.len()],
    pub malformed: u64,
}

impl Ledger {
    /// All ignored lines, whatever the reason.
    #[must_use]
    pub fn ignored_all(&self) -> u64 {
        self.ignored.iter().sum()
    }

    /// Whether each line has ended in exactly one place.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.total == self.used + self.ignored_all() + self.malformed
    }

    /// Adds another ledger to this one.
    pub fn add(&mut self, other: &Ledger) {
        self.total += other.total;
        self.used += other.used;
        self.malformed += other.malformed;
        for (sum, n) in self.ignored.iter_mut().zip(other.ignored) {
            *sum += n;
        }
    }
}

/// What the parser of a chunk writes into.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    pub ledger: Ledger,
    /// Host names as logged, by [`Event::host`]; index 0 is the host of lines that name none.
    pub hosts: Vec<&'a [u8]>,
    pub shards: [Vec<Event<'a>>; SHARDS],
    /// Earliest and latest instant seen.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The first few malformed lines: line within the chunk, and why.
    pub malformed_samples: Vec<(u32, Malformed)>,
    /// For each line a fingerprint of (second, host, body), where the caller asked for it.
    pub fingerprints: Vec<Fingerprint>,
    /// Of the lines that stand for others, what they stand for, where the caller asked for fingerprints.
    pub repeats: Vec<Repeated>,
    /// For records that carry an id of their own: line, and hash of the whole record. A second one is a copy, in the same source too.
    pub unique: Vec<(u32, u64)>,
    /// Of the same kinds of records what tells them by what they say, because another export of them may leave the ids out.
    pub alike: Vec<Alike>,
    /// What is to be said of the source as a whole.
    pub remarks: Remarks,
    /// Of a tenant's exports, how many records are of which kind.
    pub kinds: RecordKinds,
    /// Whose rows these are, where several services write one format.
    pub services: Services,
    /// Records that break off within their cell and are used as far as they go, and the line of the first.
    pub cut_records: u64,
    pub first_cut_record: Option<u32>,
    /// Times of the autumn hour that comes twice.
    pub ambiguous_times: u64,
    /// Steps back in time of more than a minute, and the first line where one was seen.
    pub clock_steps: u64,
    pub first_clock_step: Option<u32>,
    /// Year-less stamps of a 29 February that had to be moved to the nearest leap year.
    pub leap_days_moved: u64,
    /// Lines whose own witness of absolute time contradicts the zone in use, and the first of them.
    pub zone_conflicts: u64,
    pub first_zone_conflict: Option<u32>,
}

/// Identifies a record across copies of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub line: u32,
    /// Whole seconds of the record's time.
    pub second: i64,
    /// Hash of the host's first label and the body.
    pub hash: u64,
    /// Hash of the body alone.
    pub body: u64,
    /// Whether the record names its host.
    pub named: bool,
    /// Hash of the host's first label alone; 0 where a format names no host in each record.
    pub host: u32,
    /// What two different records of one hash may still be told apart by; 0 where a record lacks it, as a copy with a cut tag or a short
    /// host name does: the process id, and a hash of the host's full name.
    pub pid: u32,
    pub full_host: u32,
    /// Whether the line is used (it may also be ignored).
    pub used: bool,
}

/// A line that says how often another one came again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// Of the line that came again; place and second are of the one that says so.
    pub print: Fingerprint,
    /// The earliest second in which it can have come again.
    pub since: i64,
    pub times: u32,
}

/// A record by what it says, where some exports give it an id and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    pub line: u32,
    /// Whole seconds of the record's time.
    pub second: i64,
    /// Hash of what every export of the record tells.
    pub hash: u64,
    /// Whether this export gives it an id: another id is another record, whatever it says.
    pub has_id: bool,
}

/// The vectors of a batch whose events are done with, for the next one.
pub type EventRoom = [Vec<Event<'static>>; SHARDS];

/// How many malformed lines a batch remembers.
const SAMPLES: usize = 5;

impl<'a> Batch<'a> {
    /// An empty batch that writes its events where those of another one stood.
    #[must_use]
    pub fn in_room(room: EventRoom) -> Batch<'a> {
        Batch { shards: room, ..Batch::default() }
    }

    /// Gives up the events and keeps the memory they stood in: a vector collected from its own elements stays where it is.
    #[must_use]
    #[expect(clippy::unnecessary_filter_map, reason = "a filter would keep the lifetime of the events")]
    pub fn into_room(self) -> EventRoom {
        self.shards.map(|events| events.into_iter().filter_map(|_| None).collect())
    }

    /// Returns the index of a host name, adding it if it is new.
    pub fn host(&mut self, name: &'a [u8]) -> u16 {
        if self.hosts.is_empty() {
            self.hosts.push(b"");
        }
        if let Some(found) = self.hosts.iter().rposition(|h| *h == name) {
            return found as u16;
        }
        if self.hosts.len() > usize::from(u16::MAX) {
            return 0;
        }
        self.hosts.push(name);
        (self.hosts.len() - 1) as u16
    }

    /// Notes the instant of a readable line.
    pub fn saw(&mut self, at: Timestamp) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Files an event under the shard that owns its queue file, session, message or account.
    #[inline(always)]
    pub fn push(&mut self, event: Event<'a>) {
        let host = self.hosts.get(usize::from(event.host)).copied().unwrap_or_default();
        let shard = match &event.kind {
            Kind::Queue { id, .. } => shard_of(host, id),
            Kind::Smtp(_) => shard_of(host, &event.pid.to_le_bytes()),
            Kind::Dialogue(dialogue) => shard_of(host, dialogue.id),
            Kind::Access(access) => shard_of(b"", access.address.unwrap_or_default()),
            Kind::Trail(trail) => shard_of(b"", trail.id.key()),
            Kind::Login(_) | Kind::Proof(_) | Kind::Mailbox(_) | Kind::Action(_) | Kind::WebSend(_) | Kind::System(_) => 0,
        };
        self.shards[shard].push(event);
    }

    /// Counts a line as used.
    pub fn used(&mut self) {
        self.ledger.used += 1;
    }

    /// Counts a line as ignored.
    pub fn ignored(&mut self, why: Ignored) {
        self.ledger.ignored[why as usize] += 1;
    }

    /// Counts a line as malformed and remembers the first few.
    pub fn malformed(&mut self, line: u32, why: Malformed) {
        self.ledger.malformed += 1;
        if self.malformed_samples.len() < SAMPLES {
            self.malformed_samples.push((line, why));
        }
    }
}

/// The shard that owns a key of a host. The same key goes to the same shard in every run and on every machine.
#[must_use]
pub fn shard_of(host: &[u8], key: &[u8]) -> usize {
    let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
    hasher.write(host);
    hasher.write(key);
    (hasher.finish() >> 32) as usize % SHARDS
}
