//! One stream of log records: where it lies, what is known of its time, and the reader of its decoded bytes.

use super::Limits;
use super::backwards::Backwards;
use super::encoding::{Encoding, HEAD_BYTES};
use super::line_ends::{self, LineEnds};
use super::stored::{Hashing, Layered};
use super::stream::Stream;
use crate::domain::place::SourceId;
use crate::domain::time::Timestamp;
use crate::say::{Phrase, say};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source that could not be opened; it was there when the evidence was listed.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("{}", self.sentence())]
    Open { path: String, cause: io::Error },
}

impl IntakeError {
    /// The error in words, for the report.
    #[must_use]
    pub fn sentence(&self) -> Phrase {
        let IntakeError::Open { path, cause } = self;
        say!(
            "{path} cannot be opened any more: {cause}; check that the evidence is still in place and readable",
            path,
            cause = cause.to_string()
        )
    }
}

/// What is known of a source's time without reading a line of it. All instants are UTC, but see [`MemberZone`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeHints {
    /// When the file on disk (for a member: the archive) was last written, by the file system.
    pub file_mtime: Option<Timestamp>,
    /// When the member was last written, by the innermost archive that says so.
    pub member_mtime: Option<Timestamp>,
    /// What `member_mtime` is worth.
    pub member_zone: MemberZone,
    /// The time in the gzip header nearest to the content; gzip writes 0 for unknown, which is `None` here.
    pub gzip_mtime: Option<Timestamp>,
    /// The last part of the path, such as `mail.log.2.gz`, for the order of rotated logs.
    pub name: String,
}

/// The zone of a member's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberZone {
    /// A true instant (tar, or zip with the extended time stamp).
    #[default]
    Utc,
    /// A wall-clock time of an unknown zone, given as if it were UTC (the DOS time of zip, in steps of two seconds).
    Unknown,
}

impl TimeHints {
    /// When the content was last written: the member's time if there is one, else the file's.
    #[must_use]
    pub fn mtime(&self) -> Option<Timestamp> {
        self.member_mtime.or(self.file_mtime)
    }
}

/// Decoded bytes of all sources together, against their limit.
pub(super) struct Budget {
    bytes_max: u64,
    read: AtomicU64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Budget {
        Budget { bytes_max: limits.total_bytes_max, read: AtomicU64::new(0) }
    }

    /// Books more bytes; false once there are too many.
    pub(super) fn book(&self, bytes: u64) -> bool {
        self.read.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.bytes_max
    }

    /// The sentence for whoever was stopped.
    pub(super) fn sentence(&self) -> Phrase {
        say!("reading stopped because the evidence unpacks to more than {n} bytes in all; --limit-bytes allows more", n = self.bytes_max)
    }
}

/// One stream of log records: a file, or one member of an archive.
#[derive(Clone)]
pub struct Source {
    /// Rank by path among all sources.
    pub id: SourceId,
    /// For display: the file's path and, after each `!`, the member's. Bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// Bytes as they lie in the evidence: the file's size, or what unpacking the archive would write for the member.
    pub size: u64,
    pub hints: TimeHints,
    /// The index of the file on disk in [`super::Survey::files`].
    pub file: usize,
    pub(super) content: Layered,
    pub(super) ratio_max: u64,
    pub(super) budget: Arc<Budget>,
    /// How far any reader of this source has come, so that the first look counts once.
    pub(super) booked: Arc<AtomicU64>,
}

impl Source {
    /// Opens the decoded bytes from their start. May be called any number of times, from any thread.
    ///
    /// # Errors
    /// Fails if the file is gone or no longer readable. Damage inside it is not an error here: see [`SourceReader::finish`].
    pub fn open(&self) -> Result<SourceReader, IntakeError> {
        self.open_with(Hashing::Yes)
    }

    /// As [`Source::open`], for a look at the content: nothing is hashed.
    ///
    /// # Errors
    /// Fails if the file is gone or no longer readable.
    pub fn peek(&self) -> Result<SourceReader, IntakeError> {
        self.open_with(Hashing::No)
    }

    fn open_with(&self, hashing: Hashing) -> Result<SourceReader, IntakeError> {
        let stream = self.content.open(self.ratio_max, hashing).map_err(|cause| IntakeError::Open { path: self.path.clone(), cause })?;
        Ok(SourceReader::new(stream, Arc::clone(&self.budget), Arc::clone(&self.booked)))
    }
}

/// The decoded bytes of a source. Reading never fails: what cannot be read ends the bytes and is told by [`SourceReader::finish`].
///
/// Large buffers pay: bytes of plain files go straight into the caller's buffer.
pub struct SourceReader {
    stream: Box<dyn Stream>,
    /// `None` until the first bytes were seen.
    encoding: Option<Encoding>,
    /// The first bytes of plain text, until they are given out.
    head: Vec<u8>,
    /// Bytes of UTF-16 on their way to be rewritten.
    raw: Vec<u8>,
    line_ends: LineEnds,
    /// The first bytes by which the line ends were told, until they are given out.
    beginning: Vec<u8>,
    budget: Arc<Budget>,
    booked: Arc<AtomicU64>,
    decoded: u64,
    over_budget: bool,
    ended: bool,
    order: Order,
}

/// The order in which the lines of a source are given out.
#[derive(Default)]
enum Order {
    /// As they stand.
    #[default]
    Forwards,
    /// From the last to the first, once all are read.
    ToBeTurned,
    Turned(Backwards),
}

/// What is known of a source once it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Of the file as it lies on disk, or of the member as unpacking the archive would write it; `None` if the source was not read
    /// to its end or the end is missing.
    pub sha256: Option<[u8; 32]>,
    pub decoded_bytes: u64,
    /// Bytes as they lie in the evidence.
    pub encoded_bytes: u64,
    /// What is missing, or was found beside the content, in a sentence.
    pub damage: Option<Phrase>,
}

impl SourceReader {
    pub(super) fn new(stream: Box<dyn Stream>, budget: Arc<Budget>, booked: Arc<AtomicU64>) -> SourceReader {
        SourceReader {
            stream,
            encoding: None,
            head: Vec::new(),
            raw: Vec::new(),
            line_ends: LineEnds::default(),
            beginning: Vec::new(),
            budget,
            booked,
            decoded: 0,
            over_budget: false,
            ended: false,
            order: Order::Forwards,
        }
    }

    /// Gives out the lines from the last to the first. The text is then read whole, and kept until the reading ends.
    #[must_use]
    pub fn backwards(self) -> SourceReader {
        SourceReader { order: Order::ToBeTurned, ..self }
    }

    /// Bytes read so far, as they lie in the evidence; with [`Source::size`] this gives the progress.
    #[must_use]
    pub fn encoded_bytes(&self) -> u64 {
        self.stream.encoded_bytes()
    }

    /// Ends the reading. If the bytes were read to their end, what lies behind them is still hashed.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        let sha256 = if self.ended { self.stream.drain() } else { None };
        let mut troubles = Vec::new();
        self.stream.troubles(&mut troubles);
        if self.over_budget {
            troubles.push(self.budget.sentence());
        }
        Finished {
            sha256,
            decoded_bytes: self.decoded,
            encoded_bytes: self.stream.encoded_bytes(),
            damage: troubles.into_iter().reduce(|a, b| say!("{a}; {b}", a, b)),
        }
    }

    /// Books what no reader of this source has read before.
    fn book(&mut self, read: usize) {
        self.decoded += read as u64;
        let before = self.booked.fetch_max(self.decoded, Ordering::Relaxed);
        if !self.budget.book(self.decoded.saturating_sub(before)) {
            self.over_budget = true;
            self.ended = true;
        }
    }
}

impl SourceReader {
    /// Reads bytes as the decoders below give them.
    fn read_raw(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        match self.stream.read(buffer)? {
            0 => {
                self.ended = true;
                Ok(0)
            }
            read => {
                self.book(read);
                Ok(read)
            }
        }
    }

    /// Reads the first bytes and tells the encoding by them.
    fn look(&mut self) -> io::Result<Encoding> {
        let mut head = vec![0; HEAD_BYTES];
        let mut len = 0;
        while len < HEAD_BYTES {
            match self.read_raw(head.get_mut(len..).unwrap_or_default())? {
                0 => break,
                read => len += read,
            }
        }
        head.truncate(len);
        let mut encoding = Encoding::of(&head);
        match &mut encoding {
            Encoding::Plain { mark } => {
                head.drain(..*mark);
                self.head = head;
            }
            Encoding::Wide(wide) => wide.take(&head),
        }
        Ok(encoding)
    }

    /// Reads up to the first line feed and tells the line ends by what stands before it.
    fn look_at_line_ends(&mut self) -> io::Result<LineEnds> {
        let mut head = Vec::new();
        let mut piece = [0; HEAD_BYTES];
        while head.len() < line_ends::HEAD_BYTES && !head.contains(&b'\n') {
            match self.read_text(&mut piece)? {
                0 => break,
                read => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
            }
        }
        let mut ends = LineEnds::of(&head);
        match &mut ends {
            LineEnds::Returns(returns) if !head.is_empty() => returns.take(&head),
            _ => self.beginning = head,
        }
        Ok(ends)
    }

    /// Reads text as it is encoded for us, with the line ends it has.
    fn read_text(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut encoding = match self.encoding.take() {
            Some(encoding) => encoding,
            None => self.look()?,
        };
        let read = match &mut encoding {
            Encoding::Plain { .. } if self.head.is_empty() => self.read_raw(buffer),
            Encoding::Plain { .. } => Ok(give_out(&mut self.head, buffer)),
            Encoding::Wide(wide) => loop {
                match wide.decoded.give(buffer) {
                    0 if !wide.decoded.ended() && !buffer.is_empty() => {
                        let mut raw = std::mem::take(&mut self.raw);
                        raw.resize(PIECE_BYTES, 0);
                        let read = self.read_raw(&mut raw)?;
                        wide.take(raw.get(..read).unwrap_or_default());
                        self.raw = raw;
                    }
                    given => break Ok(given),
                }
            },
        };
        self.encoding = Some(encoding);
        read
    }
}

/// Gives the first bytes that are kept out, as many as there is room for.
fn give_out(kept: &mut Vec<u8>, buffer: &mut [u8]) -> usize {
    let count = kept.len().min(buffer.len());
    buffer.iter_mut().zip(kept.drain(..count)).for_each(|(to, from)| *to = from);
    count
}

/// Bytes rewritten at once.
const PIECE_BYTES: usize = 256 << 10;

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match std::mem::take(&mut self.order) {
            Order::Forwards => self.read_on(buffer),
            Order::ToBeTurned => {
                let mut text = Vec::new();
                let read = self.read_to_end(&mut text);
                let nothing = text.is_empty();
                self.order = Order::Turned(Backwards::new(text));
                match read {
                    Err(error) if nothing => Err(error),
                    _ => self.read(buffer),
                }
            }
            Order::Turned(mut text) => {
                let given = text.give(buffer);
                self.order = Order::Turned(text);
                Ok(given)
            }
        }
    }
}

impl SourceReader {
    /// Reads lines as they stand, with the line ends that the stages after this know.
    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ends = match std::mem::take(&mut self.line_ends) {
            LineEnds::Unseen => self.look_at_line_ends()?,
            known => known,
        };
        let read = match &mut ends {
            LineEnds::Returns(returns) => loop {
                match returns.rewritten.give(buffer) {
                    0 if !returns.rewritten.ended() && !buffer.is_empty() => {
                        let mut text = vec![0; PIECE_BYTES];
                        let read = self.read_text(&mut text)?;
                        returns.take(text.get(..read).unwrap_or_default());
                    }
                    given => break Ok(given),
                }
            },
            _ if self.beginning.is_empty() => self.read_text(buffer),
            _ => Ok(give_out(&mut self.beginning, buffer)),
        };
        self.line_ends = ends;
        read
    }
}
