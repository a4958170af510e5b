//! Logs of Exchange Server 2007 to SE on the organisation's own machines, and of the web server it runs on.
//!
//! All of them are tables. What a table is, is told by the names in its heading, never by its file's name, the version it states or
//! the number of its columns; a heading is in force until the next one, anywhere in the file. Each log type is one module with one
//! [`LogType`]; this one reads headings and rows and hands each row to the type in force.
//! Sources: Microsoft's pages on message tracking, protocol, agent and connectivity logging; logs of 2007 to 2019.

mod agent;
mod cmdlets;
mod connectivity;
mod export;
pub(in crate::formats) mod fate;
mod http;
mod iis;
mod mailbox;
mod names;
mod protocol;
#[cfg(test)]
mod tests;
mod tracking;
mod web;

use super::batch::{Batch, Fingerprint, Ignored, Malformed};
use super::clock::{Clock, Scouted};
use super::remark::Remark;
use super::sink::{Fate, Sink};
use super::syslog::{
    self,
    stamp::{self, Stamp},
};
use super::table::{self, BYTE_ORDER_MARK, Layout, Row};
use super::{Chunk, Format, Framing, scan};
use crate::domain::time::Timestamp;
use std::hash::{BuildHasher, Hasher};

/// What is known of one type of log.
pub(super) struct LogType {
    pub(super) format: Format,
    /// The wanted columns, each with all its names. The row function knows them by their places.
    columns: &'static [&'static [&'static str]],
    /// Names that only this type's heading has together.
    marks: &'static [&'static str],
    /// Values of `#Log-type`, where the names do not tell this type from another one; any value will do if there are none.
    titles: &'static [&'static str],
    cells: Cells,
    /// Names of the columns for files that lost their heading, by what a row looks like.
    guess: fn(row: &[&[u8]]) -> Option<&'static str>,
    /// When a row was written.
    instant: for<'a> fn(&Row<'a>, &mut Reader<'_, 'a>) -> Result<Stamp, Malformed>,
    row: for<'a> fn(&Row<'a>, &mut Reader<'_, 'a>) -> Fate,
}

/// What stands between the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cells {
    Commas,
    Blanks,
}

/// Every type, those with the more telling marks first.
const TYPES: [&LogType; 15] = [
    &tracking::TYPE,
    &export::TYPE,
    &agent::TYPE,
    &protocol::RECEIVE,
    &protocol::SEND,
    &connectivity::TYPE,
    &mailbox::IMAP,
    &mailbox::POP,
    &http::PROXY,
    &http::EWS,
    &http::MAPI,
    &cmdlets::SHELL,
    &cmdlets::PANEL,
    &iis::TYPE,
    &connectivity::OTHER,
];

pub use fate::refusal;

/// For the registry of formats.
pub(super) const TRACKING: Format = tracking::TYPE.format;
pub(super) const EXPORT: Format = export::TYPE.format;
pub(super) const AGENT: Format = agent::TYPE.format;
pub(super) const RECEIVE: Format = protocol::RECEIVE.format;
pub(super) const SEND: Format = protocol::SEND.format;
pub(super) const CONNECTIVITY: Format = connectivity::TYPE.format;
pub(super) const IMAP: Format = mailbox::IMAP.format;
pub(super) const POP: Format = mailbox::POP.format;
pub(super) const HTTP_PROXY: Format = http::PROXY.format;
pub(super) const EWS: Format = http::EWS.format;
pub(super) const MAPI: Format = http::MAPI.format;
pub(super) const SHELL: Format = cmdlets::SHELL.format;
pub(super) const PANEL: Format = cmdlets::PANEL.format;
pub(super) const IIS: Format = iis::TYPE.format;
pub(super) const OTHER: Format = connectivity::OTHER.format;

/// Lines that say how to read what follows them.
const HEADINGS: &[&[u8]] = &[b"#Log-type:", b"#Log-Type:", b"#Date:", b"#Fields:"];

/// The framing of the logs that Exchange writes itself.
const ROWS: Framing = Framing::Rows { quoted: true, begins: begins_row, headings: HEADINGS };

/// A format of this family.
const fn format(id: &'static str, system: &'static str, title: &'static str, framing: Framing, sniff: fn(&[u8]) -> u8) -> Format {
    Format { id, system, title, framing, sniff, parse, scout }
}

/// `2023-01-11T…`, a heading, or the bare list of names that web logs begin with.
fn begins_row(line: &[u8]) -> bool {
    let date = line.len() > 10 && line.iter().take(4).all(u8::is_ascii_digit) && line.get(4) == Some(&b'-') && line.get(10) == Some(&b'T');
    date || line.starts_with(b"#") || line.starts_with(BYTE_ORDER_MARK) || line.starts_with(b"DateTime,")
}

/// How sure it is that a head is of this type.
fn certainty(head: &[u8], id: &str) -> u8 {
    let scratch = bumpalo::Bump::new();
    let mut headings = Headings::default();
    let mut rest = head.get(..head.len().min(1 << 18)).unwrap_or(head);
    for _ in 0..SNIFF_LINES {
        let (line, after) = line(rest);
        if rest.is_empty() {
            break;
        }
        if !headings.read(line, &scratch) && !line.is_empty() {
            break;
        }
        rest = after;
    }
    let exchange = headings.software.is_some_and(|s| scan::contains(s, b"Microsoft"));
    match headings.in_force {
        Some(known) if known.0.format.id == id => 99,
        Some(_) => 0,
        None if exchange && id == connectivity::OTHER.format.id => 40,
        None => {
            let guessed = line(rest).0;
            let found = guess(guessed, &scratch);
            if found.is_some_and(|(known, _)| known.format.id == id) { 80 } else { 0 }
        }
    }
}

/// A heading and its neighbours take up fewer lines.
const SNIFF_LINES: usize = 12;

/// The first line of a text without its end and mark, and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = scan::split_byte(text, b'\n').unwrap_or((text, b""));
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), rest)
}

/// What the headings read so far say.
#[derive(Default)]
struct Headings<'a> {
    software: Option<&'a [u8]>,
    title: Option<&'a [u8]>,
    /// `#Date`, which gives the day to logs whose rows have the time of day alone.
    date: Option<&'a [u8]>,
    in_force: Option<(&'static LogType, Layout)>,
}

impl<'a> Headings<'a> {
    /// Takes note of a heading; false if the line is none.
    fn read(&mut self, line: &'a [u8], scratch: &'a bumpalo::Bump) -> bool {
        let Some(comment) = line.strip_prefix(b"#") else {
            return self.bare(line, scratch);
        };
        let Some((name, value)) = scan::split_byte(comment, b':') else { return true };
        let value = value.trim_ascii();
        match () {
            () if name.eq_ignore_ascii_case(b"Software") => self.software = Some(value),
            () if name.eq_ignore_ascii_case(b"Log-type") => self.title = Some(value),
            () if name.eq_ignore_ascii_case(b"Date") => self.date = Some(value),
            () if name.eq_ignore_ascii_case(b"Fields") => {
                let commas = memchr::memchr(b',', value).is_some();
                let names: Vec<&[u8]> = if commas {
                    table::csv_cells(value, scratch)
                } else {
                    value.split(|b| *b == b' ').filter(|name| !name.is_empty()).collect()
                };
                self.in_force = Some(self.recognise(&names).unwrap_or((&connectivity::OTHER, Layout::new(&names, &[]))));
            }
            () => {}
        }
        true
    }

    /// A line of names without a mark, as web logs and `Export-Csv` begin with.
    fn bare(&mut self, line: &'a [u8], scratch: &'a bumpalo::Bump) -> bool {
        // Looked at for every row that does not begin with a digit, so most must be told at once: a heading begins with a time's name,
        // or with what the shell puts before it.
        let start = line.get(..line.len().min(32)).unwrap_or(line);
        let letter = matches!(line.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'"'));
        if !letter || ![&b"ime"[..], b"PSComputerName", b"RunspaceId"].iter().any(|name| scan::contains(start, name)) {
            return false;
        }
        let names = table::csv_cells(line, scratch);
        match self.recognise(&names) {
            Some(found) => {
                self.in_force = Some(found);
                true
            }
            None => false,
        }
    }

    fn recognise(&self, names: &[&[u8]]) -> Option<(&'static LogType, Layout)> {
        let named = |mark: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(mark.as_bytes()));
        let titled = |known: &LogType| {
            let says = |title: &&str| self.title.is_some_and(|t| t.eq_ignore_ascii_case(title.as_bytes()));
            known.titles.is_empty() || self.title.is_none() || known.titles.iter().any(says)
        };
        let found = TYPES.into_iter().find(|known| !known.marks.is_empty() && known.marks.iter().all(named) && titled(known))?;
        Some((found, Layout::new(names, found.columns)))
    }
}

/// The type and the columns of a row whose heading is lost, by what it looks like.
fn guess(line: &[u8], scratch: &bumpalo::Bump) -> Option<(&'static LogType, Layout)> {
    let cells = table::csv_cells(line, scratch);
    TYPES.into_iter().find_map(|known| {
        let names: Vec<&[u8]> = (known.guess)(&cells)?.split(',').map(str::as_bytes).collect();
        Some((known, Layout::new(&names, known.columns)))
    })
}

/// For types that nothing but their heading tells.
fn no_guess(_: &[&[u8]]) -> Option<&'static str> {
    None
}

/// Reads the rows of one piece.
struct Reader<'r, 'a> {
    sink: Sink<'r, 'a>,
    clock: &'r mut Clock,
    chunk: Chunk<'a>,
    headings: Headings<'a>,
    /// The host named last, as logged, and its index.
    last_host: Option<(&'a [u8], u16)>,
    /// What the words of statuses mean.
    fates: fate::Known<'a>,
    /// The first stamp of each kind.
    found: Scouted,
}

fn parse<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    read(chunk, clock, out);
}

/// Reads a piece; returns its first stamps.
fn read<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) -> Scouted {
    let nameless = out.host(b"");
    let mut sink = Sink::new(out);
    sink.host = nameless;
    sink.absolute = true;
    let mut reader = Reader {
        sink,
        clock,
        chunk,
        headings: Headings::default(),
        last_host: None,
        fates: fate::Known::default(),
        found: Scouted::default(),
    };
    let mut heading = chunk.heading;
    while !heading.is_empty() {
        let (text, rest) = line(heading);
        reader.headings.read(text, chunk.scratch);
        heading = rest;
    }
    let mut rest = chunk.bytes;
    let mut number = 0;
    while !rest.is_empty() {
        let (lines, after) = reader.record(number, rest);
        number = number.saturating_add(lines);
        rest = after;
    }
    debug_assert!(reader.sink.batch.ledger.adds_up());
    reader.found
}

impl<'a> Reader<'_, 'a> {
    /// Reads what stands at the start of `rest`; returns how many lines it was, and what follows it.
    fn record(&mut self, number: u32, rest: &'a [u8]) -> (u32, &'a [u8]) {
        // Neither a heading nor an empty line begins with a digit.
        match (&self.headings.in_force, rest.first()) {
            (Some(_), Some(b'0'..=b'9')) => self.typed_row(number, rest),
            _ => self.line_or_row(number, rest),
        }
    }

    fn line_or_row(&mut self, number: u32, rest: &'a [u8]) -> (u32, &'a [u8]) {
        let (text, after) = line(rest);
        if text.is_empty() || self.headings.read(text, self.chunk.scratch) {
            let why = if text.is_empty() { Ignored::Empty } else { Ignored::Framing };
            self.settle(number, 1, Fate::Ignored(why));
            return (1, after);
        }
        if self.headings.in_force.is_none() {
            self.headings.in_force = guess(text, self.chunk.scratch);
            if self.headings.in_force.is_some() {
                self.sink.batch.remarks.add(Remark::NoHeading);
            }
        }
        if self.headings.in_force.is_none() {
            let why = if scan::is_not_text(text) { Malformed::NotText } else { Malformed::NoHeading };
            self.settle(number, 1, Fate::Malformed(why));
            return (1, after);
        }
        self.typed_row(number, rest.strip_prefix(BYTE_ORDER_MARK).unwrap_or(rest))
    }

    /// Reads a row of the type in force.
    fn typed_row(&mut self, number: u32, rest: &'a [u8]) -> (u32, &'a [u8]) {
        let Some((known, layout)) = &self.headings.in_force else { return (1, line(rest).1) };
        let known = *known;
        let (row, after) = match known.cells {
            Cells::Commas => table::csv_row(rest, layout, begins_row, self.chunk.scratch),
            Cells::Blanks => table::w3c_row(rest, layout),
        };
        let torn = row.torn || (row.count < layout.columns() && known.cells == Cells::Commas);
        self.sink.line = number;
        let fate = if torn { Fate::Malformed(Malformed::Torn) } else { self.row(known, &row) };
        self.settle(number, row.lines, fate);
        (row.lines, after)
    }

    fn row(&mut self, known: &LogType, row: &Row<'a>) -> Fate {
        let stamp = match (known.instant)(row, self) {
            Ok(stamp) => stamp,
            Err(why) => return Fate::Malformed(why),
        };
        // The rows of a file are not strictly in the order of time, so a step back says nothing of the clock.
        let at = match stamp {
            Stamp::Absolute(at) => at,
            stamp => self.local(stamp),
        };
        self.clock.last = self.clock.last.max(Some(at));
        self.sink.at = at;
        self.sink.batch.saw(at);
        let fate = (known.row)(row, self);
        if self.chunk.fingerprints {
            self.fingerprint(row, fate == Fate::Used);
        }
        fate
    }

    /// The instant of a stamp without an offset, by the clock of the source.
    fn local(&mut self, stamp: Stamp) -> Timestamp {
        syslog::note_stamp(&mut self.found, stamp);
        let reading = stamp.read(self.clock);
        self.sink.batch.ambiguous_times += u64::from(reading.ambiguous);
        reading.at
    }

    fn fingerprint(&mut self, row: &Row<'a>, used: bool) {
        let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
        hasher.write(row.text);
        let (line, second, hash) = (self.sink.line, self.sink.at.seconds(), hasher.finish());
        let fingerprint = Fingerprint { line, second, hash, body: hash, named: true, host: 0, pid: 0, full_host: 0, used };
        self.sink.batch.fingerprints.push(fingerprint);
    }

    /// Puts the lines of a row into the ledger; all of them share its fate.
    fn settle(&mut self, line: u32, lines: u32, fate: Fate) {
        let batch = &mut *self.sink.batch;
        batch.ledger.total += u64::from(lines);
        for _ in 0..lines {
            match fate {
                Fate::Used => batch.used(),
                Fate::Ignored(why) => batch.ignored(why),
                Fate::Malformed(why) => batch.malformed(line, why),
            }
        }
    }

    /// Makes this host the writer of the row: by its first label in lower case, since the logs of one host name it now in full, now
    /// short, in any case.
    fn on_host(&mut self, name: &'a [u8]) {
        if self.last_host.is_some_and(|(known, _)| known == name) {
            self.sink.host = self.last_host.map_or(0, |(_, index)| index);
            return;
        }
        let short = names::short_host(name);
        let lower: &'a [u8] = self.chunk.scratch.alloc_slice_fill_iter(short.iter().map(u8::to_ascii_lowercase));
        self.sink.host = self.sink.batch.host(lower);
        self.last_host = Some((name, self.sink.host));
        if short.len() < name.len() {
            self.sink.own_name(name);
        }
    }
}

/// The instant of a cell in ISO 8601 with an offset.
fn iso(cell: &[u8]) -> Result<Stamp, Malformed> {
    match stamp::read(cell) {
        Ok((stamp @ Stamp::Absolute(_), b"")) => Ok(stamp),
        Ok(_) => Err(Malformed::BadTime),
        Err(why) => Err(why),
    }
}

fn scout(bytes: &[u8]) -> Scouted {
    let mut batch = Batch::default();
    let scratch = bumpalo::Bump::new();
    let mut clock = Clock::new(crate::domain::time::Zone::UTC, 1970);
    let dates = export::look_at_dates(bytes, &scratch);
    clock.day_first = dates.and_then(|dates| dates.day_first);
    let head = bytes.get(..bytes.len().min(SCOUT_BYTES)).unwrap_or(bytes);
    let names = &crate::formats::host_names::NO_HOST_NAMES;
    let found = read(
        Chunk { bytes: head, before: b"", heading: b"", scratch: &scratch, names, fingerprints: false, unended: false },
        &mut clock,
        &mut batch,
    );
    let hosts = batch.hosts.iter().filter(|host| !host.is_empty()).map(|host| host.to_vec()).collect();
    Scouted {
        hosts,
        // With stamps that lack an offset among them the first instant is known by the zone alone.
        first_absolute: batch.first.filter(|_| found.first_yearless.is_none()),
        day_first: clock.day_first,
        dates_open: dates.is_some_and(|dates| dates.open),
        exported: dates.is_some(),
        lines: batch.ledger.total,
        readable: batch.ledger.total - batch.ledger.malformed,
        ..found
    }
}

/// Bytes of the first look.
const SCOUT_BYTES: usize = 64 << 10;
