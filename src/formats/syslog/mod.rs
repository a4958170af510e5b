//! Syslog text, whoever wrote it: the format of nearly every mail log.
//!
//! Each line is judged by itself, because a file may change its shape at an upgrade. A file without any mail line is evidence too:
//! its lines are read and ignored.

pub(super) mod daemon;
pub(super) mod envelope;
pub(super) mod repeat;
mod scout;
pub(super) mod stamp;

use super::batch::{Batch, Ignored, Malformed};
use super::clock::{Clock, Reading};
use super::reader::Reader;
use super::sink::Fate;
use super::{Chunk, Format, Framing, scan};
use daemon::Daemon;
use envelope::{Envelope, Rest};
pub(super) use scout::note_stamp;
use stamp::Stamp;

/// Syslog text with lines of Postfix and its neighbours, or without.
pub(in crate::formats) const FORMAT: Format =
    Format { id: super::SYSLOG_TEXT, system: "postfix", title: "syslog text", framing: Framing::Lines, sniff, parse, scout: scout::scout };

/// How much of a head is looked at to tell the format.
const SNIFF_BYTES: usize = 1 << 16;

fn sniff(head: &[u8]) -> u8 {
    let mut lines = 0u32;
    let mut readable = 0u32;
    let mut mail = 0u32;
    scan::each_line(head.get(..head.len().min(SNIFF_BYTES)).unwrap_or(head), |_, line| {
        if line.is_empty() || matches!(line.first(), Some(b' ' | b'\t' | b'-')) {
            return;
        }
        lines += 1;
        if let Ok(envelope) = envelope::read(line) {
            let daemon = daemon::identify(envelope.rest.tag);
            let plausible = !envelope.rest.tag.is_empty() || repeat::read(envelope.rest.body, daemon).is_some();
            readable += u32::from(plausible);
            mail += u32::from(!matches!(daemon, Daemon::Other | Daemon::Untagged | Daemon::Logger | Daemon::TimeKeeper));
        }
    });
    match (readable * 2 >= lines, mail > 0) {
        _ if readable == 0 => 0,
        (true, true) => 95,
        (true, false) => 60,
        (false, true) => 50,
        (false, false) if readable * 5 >= lines => 20,
        (false, false) => 0,
    }
}

fn parse<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let mut reader = Reader::new(chunk, clock, out);
    let mut last = LastHead::default();
    // No logger writes a NUL: where one stands, a disk or a copy lost what was there.
    let damaged = memchr::memchr(0, chunk.bytes).is_some();
    let has_returns = memchr::memchr(b'\r', chunk.bytes).is_some();
    scan::each_line(chunk.bytes, |number, line| {
        if has_returns && holds_another(line) {
            reader.unreadable(number, line, Malformed::Joined);
            return;
        }
        if damaged && memchr::memchr(0, line).is_some() {
            reader.unreadable(number, line, Malformed::NotText);
            return;
        }
        // Most lines of a busy second carry the stamp and host of the line before them, byte for byte.
        if let Some((reading, rest)) = last.same(line) {
            reader.noticed(number, reading);
            reader.record(number, reading, rest, None);
            return;
        }
        match envelope::read(line) {
            Ok(envelope) => {
                let reading = reader.instant(number, envelope.stamp);
                last = LastHead::of(line, &envelope, reading);
                reader.record(number, reading, envelope.rest, None);
            }
            Err(Malformed::NoTime) if is_continuation(line) => reader.settle(number, Fate::Ignored(Ignored::Framing)),
            Err(why) => reader.unreadable(number, line, why),
        }
    });
    reader.finish();
}

/// Whether a second record begins after a carriage return: a part of the log whose lines end in those alone, in a log that has line feeds.
fn holds_another(line: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', line).any(|at| line.get(at + 1..).is_some_and(|rest| stamp::read(rest).is_ok()))
}

/// The journal's text modes put the rest of an entry over several lines under its first line.
fn is_continuation(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty() && !scan::is_not_text(line)
}

/// The stamp and host of the line before, with their bytes and what the clock made of them.
#[derive(Clone, Copy, Default)]
struct LastHead<'a> {
    /// `Oct 31 16:01:02`
    stamp: &'a [u8],
    /// The host where it stands between two blanks behind the stamp; empty where it is written otherwise.
    host: &'a [u8],
    /// Stamp and host with the blanks behind them; empty where the host is.
    both: &'a [u8],
    reading: Option<Reading>,
}

impl<'a> LastHead<'a> {
    /// Only a plain year-less stamp at the start of a line is worth remembering; 0 bytes mean that something stands before it.
    fn of(line: &'a [u8], envelope: &Envelope<'a>, reading: Reading) -> LastHead<'a> {
        if envelope.stamp_length == 0 || !matches!(envelope.stamp, Stamp::Yearless(_)) {
            return LastHead::default();
        }
        // The same stamp again is no step back, and the clock counts a moved leap day once per day.
        let reading = Reading { stepped_back: false, leap_day_moved: false, ..reading };
        let (stamp, after) = line.split_at(envelope.stamp_length);
        let host = envelope.rest.host;
        match after_blanks(after, host) {
            Some(text) => LastHead { stamp, host, both: &line[..line.len() - text.len()], reading: Some(reading) },
            None => LastHead { stamp, host: b"", both: b"", reading: Some(reading) },
        }
    }

    fn same(&self, line: &'a [u8]) -> Option<(Reading, Rest<'a>)> {
        let reading = self.reading?;
        if !self.both.is_empty()
            && let Some(text) = line.strip_prefix(self.both)
        {
            return Some((reading, envelope::after_host(self.host, text)));
        }
        let after = line.strip_prefix(self.stamp).filter(|after| after.starts_with(b" "))?;
        Some((reading, envelope::rest(after).ok()?))
    }
}

/// What follows ` host `.
fn after_blanks<'t>(text: &'t [u8], host: &[u8]) -> Option<&'t [u8]> {
    if host.is_empty() {
        return None;
    }
    text.strip_prefix(b" ")?.strip_prefix(host)?.strip_prefix(b" ")
}
