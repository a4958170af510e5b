//! One server: its rows on their way to the files in the order of time, and the files, one an hour for each log.

use super::columns::Kind;
use super::text::{put_date, ticks};
use crate::domain::time::{HOUR, MINUTE, SECOND};
use crate::simulate::SimulateError;
use crate::simulate::output::Sink;
use crate::simulate::put::Put;
use crate::simulate::request::{Columns, Gz, Layout};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

/// The name of a server and where it stands.
pub(super) struct Place {
    pub(super) short: &'static str,
    pub(super) name: &'static str,
    pub(super) fqdn: &'static str,
    pub(super) ip: &'static str,
}

/// A file is full at this size, and another of the same hour is begun.
const FILE_MAX: u64 = 10 * 1024 * 1024;

/// The files of one log.
struct Log {
    kind: Kind,
    sink: Sink,
    folder: PathBuf,
    /// The hour of the open file, counted from 1970.
    hour: Option<i64>,
    number: u32,
    size: u64,
    last: i64,
    /// When the service was restarted, until then.
    restart: Option<i64>,
}

/// A row that waits for its time: its place in time, the order in which it was made, its log, and itself.
type Waiting = (i64, u64, usize, Vec<u8>);

pub(super) struct Server {
    pub(super) place: &'static Place,
    pub(super) columns: Columns,
    pub(super) lines: u64,
    bytes: u64,
    compress: bool,
    logs: Vec<Log>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    sequence: u64,
    sessions: u64,
    messages: u64,
    ports: u16,
}

impl Server {
    pub(super) fn new(place: &'static Place, layout: &Layout, span: (i64, i64), out: &Path) -> Server {
        let folder = out.join("logs").join(place.short);
        let restart = span.0 + 62 * HOUR + 21 * MINUTE;
        let log = |kind: &Kind| Log {
            kind: *kind,
            sink: Sink::start(),
            folder: folder.join(kind.folder()),
            hour: None,
            number: 0,
            size: 0,
            last: span.0,
            restart: Some(restart),
        };
        Server {
            place,
            columns: layout.columns,
            lines: 0,
            bytes: 0,
            compress: layout.compress == Some(Gz::Gzip),
            logs: Kind::ALL.iter().map(log).collect(),
            waiting: BinaryHeap::new(),
            sequence: 0,
            sessions: ticks(span.0),
            // Numbers of one server's queue database; another server's are as likely the same.
            messages: 4_303_557_197_824,
            ports: 20_000,
        }
    }

    /// Puts a row, without its line end, to be written at its time. It may lie in the future, never before what was flushed.
    pub(super) fn row(&mut self, kind: Kind, at: i64, row: Vec<u8>) {
        self.sequence += 1;
        self.waiting.push(Reverse((at, self.sequence, kind as usize, row)));
    }

    /// The number of the row that comes next.
    pub(super) fn next_row(&self) -> u64 {
        self.sequence + 1
    }

    /// The id of a new SMTP session: unique on its server, not beyond.
    pub(super) fn session(&mut self) -> String {
        self.sessions += 1;
        let mut id = Vec::with_capacity(16);
        id.hex(self.sessions, 16);
        String::from_utf8(id).unwrap_or_default()
    }

    /// The number of a new message in the queue database.
    pub(super) fn number(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    /// A port of the server's own, for its connections to itself and others.
    pub(super) fn port(&mut self) -> u16 {
        self.ports = if self.ports >= 60_000 { 20_001 } else { self.ports + 7 };
        self.ports
    }

    /// Writes the rows before `until`; returns whether a buffer went to disk meanwhile.
    pub(super) fn flush(&mut self, until: i64) -> bool {
        let mut handed_over = false;
        while self.waiting.peek().is_some_and(|Reverse((at, ..))| *at < until) {
            if let Some(Reverse((at, _, kind, row))) = self.waiting.pop() {
                handed_over |= self.write(at, kind, &row);
            }
        }
        handed_over
    }

    fn write(&mut self, at: i64, kind: usize, row: &[u8]) -> bool {
        let Some(log) = self.logs.get_mut(kind) else { return false };
        let header = log.advance(at, self.compress);
        let buffer = log.sink.buffer();
        let before = buffer.len();
        if let Some(first) = header {
            self.lines += log.kind.put_header(buffer, self.columns, at, first);
        }
        buffer.bytes(row).text("\r\n");
        self.lines += 1;
        let written = (buffer.len() - before) as u64;
        log.size += written;
        self.bytes += written;
        log.last = at;
        log.sink.settle()
    }

    /// Bytes of log text handed over so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the files cannot be written any more.
    pub(super) fn failed(&self) -> bool {
        self.logs.iter().any(|log| log.sink.failed())
    }

    /// Writes what is left before `end`, closes the files and returns the number of lines and of bytes.
    pub(super) fn finish(mut self, end: i64) -> Result<(u64, u64), SimulateError> {
        self.flush(end);
        for mut log in self.logs {
            if log.hour.is_some() {
                log.sink.close(log.last.div_euclid(SECOND));
            }
            log.sink.finish()?;
        }
        Ok((self.lines, self.bytes))
    }
}

impl Log {
    /// Makes the file of an instant the open one. Returns whether a header is due, and whether it is the first of its file.
    fn advance(&mut self, at: i64, compress: bool) -> Option<bool> {
        let hour = at.div_euclid(HOUR);
        let restarted = self.restart.take_if(|restart| *restart <= at).is_some();
        let full = self.size > FILE_MAX && self.kind != Kind::Iis;
        if self.hour == Some(hour) && !full {
            return restarted.then_some(false);
        }
        if self.hour.is_some() {
            self.sink.close(self.last.div_euclid(SECOND));
        }
        self.number = if self.hour == Some(hour) { self.number + 1 } else { 1 };
        self.hour = Some(hour);
        self.size = 0;
        let mut name = Vec::with_capacity(10);
        put_date(&mut name, at, "");
        name.padded(hour.rem_euclid(24) as u64, 2);
        let mut file = self.kind.file(&String::from_utf8(name).unwrap_or_default(), self.number);
        if compress {
            file.push_str(".gz");
        }
        self.sink.open(self.folder.join(file));
        Some(true)
    }
}
