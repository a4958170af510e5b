//! A first look at each source: its format, its hosts, its first stamp, and what its lines tell of year and zone.

use crate::config::Settings;
use crate::formats::clock::{Scouted, WallTime};
use crate::formats::{self, Format, Framing};
use crate::intake::{IntakeError, Source, SourceReader, Survey};
use crate::say::Phrase;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::io::Read;

/// Decoded bytes of the first look.
const HEAD_BYTES: usize = 256 << 10;
/// Decoded bytes of each further look for a witness of year and zone.
const PIECE_BYTES: usize = 4 << 20;
/// Where the search for a witness ends.
const SEARCH_BYTES_MAX: usize = 128 << 20;
/// Decoded bytes at the start of an export that hold its heading and some rows.
const ORDER_HEAD_BYTES: usize = 16 << 10;
/// Decoded bytes at the start of a log that no other log starts with: some seven lines with their times.
const BEGINNING_BYTES: usize = 1 << 10;
/// Below this certainty no format is assumed.
const CERTAINTY_MIN: u8 = 1;

/// The bytes with which a source begins, as their SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beginning([u8; 32]);

/// What the first look gave.
#[derive(Clone)]
pub(super) struct Scout {
    pub(super) format: Option<&'static Format>,
    pub(super) scouted: Scouted,
    /// Tells copies of one log, whatever their lengths; only of logs whose stamps lack a year or a zone.
    pub(super) beginning: Option<Beginning>,
    /// The last stamp without a year, where the source had to be searched to its end for a witness of its zone.
    pub(super) last_yearless: Option<WallTime>,
    /// Its newest line stands first; everything said of it here is said of its lines from the last to the first.
    pub(super) newest_first: bool,
    /// Its head is plain text of no known format.
    pub(super) text: bool,
    /// Nothing in the source at all.
    pub(super) empty: bool,
    /// Why it could not be opened.
    pub(super) trouble: Option<Phrase>,
}

impl Scout {
    /// Whether it is syslog text whose lines name no host in its head: an export without that column, most often.
    pub(super) fn lacks_hosts(&self) -> bool {
        let is_syslog = self.format.is_some_and(|format| format.id == formats::SYSLOG_TEXT);
        is_syslog && self.scouted.readable > 0 && self.scouted.hosts.is_empty()
    }

    /// Whether its lines name hosts as loggers do, in full or in short; servers of Exchange and tenants have names of their own.
    pub(super) fn may_shorten_hosts(&self) -> bool {
        self.format.is_some_and(|format| !matches!(format.system, "exchange" | "m365"))
    }
}

/// Lines of a head whose times are compared with each other, to tell which end of a log is the older one.
const COMPARED_LINES: usize = 64;
/// So many times as many lines go back as go on where the newest line stands first: hosts that share a log are seconds apart.
const MOSTLY: usize = 9;
/// Fewer steps back may be a clock's.
const STEPS_BACK_MIN: usize = 3;

/// Looks at all sources, in their order.
pub(super) fn scout_all(survey: &Survey, settings: &Settings) -> Vec<Scout> {
    survey.sources.par_iter().map(|source| scout(source, settings)).collect()
}

fn scout(source: &Source, settings: &Settings) -> Scout {
    let as_it_stands = look(source, source.peek(), false, settings);
    if !as_it_stands.newest_first {
        return as_it_stands;
    }
    look(source, source.peek().map(SourceReader::backwards), true, settings)
}

/// Looks at what was opened, up to where its newest line proves to stand first, unless its lines come the other way round already.
fn look(source: &Source, opened: Result<SourceReader, IntakeError>, turned: bool, settings: &Settings) -> Scout {
    let mut scout = Scout {
        format: None,
        scouted: Scouted::default(),
        beginning: None,
        last_yearless: None,
        newest_first: turned,
        text: false,
        empty: false,
        trouble: None,
    };
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => {
            scout.trouble = Some(error.sentence());
            return scout;
        }
    };
    let mut head = Vec::new();
    let more = read_up_to(&mut reader, &mut head, HEAD_BYTES);
    scout.empty = head.is_empty();
    scout.format = recognise(&head);
    scout.text = scout.format.is_none() && is_text(&head);
    let Some(format) = scout.format else { return scout };
    let whole_lines = if more { cut_at_line_end(&head) } else { head.len() };
    if !turned && is_newest_first(format, &head[..whole_lines]) {
        scout.newest_first = true;
        return scout;
    }
    scout.scouted = (format.scout)(&head[..whole_lines]);
    scout.beginning = scout.scouted.first_yearless.map(|_| Beginning(Sha256::digest(&head[..head.len().min(BEGINNING_BYTES)]).into()));
    let zone_given = super::time_ledger::given_zone(settings, &source.path).is_some();
    let year_given = super::time_ledger::given_year(settings, &source.path).is_some();
    let Scouted { first_yearless, first_year, exported, dates_open, .. } = scout.scouted;
    let year_known = year_given || first_year.is_some();
    let needs_witness = first_yearless.is_some() && scout.scouted.witnesses.is_empty() && !exported && !(zone_given && year_known);
    if needs_witness {
        search(format, &mut scout, reader, head, more);
    } else if dates_open {
        search_order(format, &mut scout, reader, head, more);
    }
    scout
}

/// Whether the lines of a log go back in time.
fn is_newest_first(format: &Format, head: &[u8]) -> bool {
    if !matches!(format.framing, Framing::Lines) {
        return false;
    }
    let lines: Vec<&[u8]> = head.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
    let compared = lines.iter().step_by(lines.len().div_ceil(COMPARED_LINES).max(1));
    let times: Vec<Scouted> = compared.map(|line| (format.scout)(line)).collect();
    let steps = |way: Ordering| times.windows(2).filter(|pair| step(&pair[0], &pair[1]) == Some(way)).count();
    let (back, on) = (steps(Ordering::Less), steps(Ordering::Greater));
    back >= STEPS_BACK_MIN && back >= on * MOSTLY
}

/// How the time of a line compares with that of a line before it.
fn step(before: &Scouted, line: &Scouted) -> Option<Ordering> {
    let absolute = before.first_absolute.zip(line.first_absolute).map(|(before, now)| now.cmp(&before));
    absolute.or_else(|| before.first_yearless.zip(line.first_yearless).map(|(before, now)| now.cmp(&before)))
}

/// Reads on until a row tells whether days or months come first: the head of a large export is of one day.
fn search_order(format: &Format, scout: &mut Scout, mut reader: SourceReader, head: Vec<u8>, mut more: bool) {
    // The heading, and rows that each further piece follows upon.
    let beginning = head[..cut_at_line_end(&head[..head.len().min(ORDER_HEAD_BYTES)])].to_vec();
    let mut searched = 0;
    let mut piece = head;
    while more {
        let end = cut_at_line_end(&piece);
        searched += end;
        if end == 0 || searched > SEARCH_BYTES_MAX {
            return;
        }
        piece.drain(..end);
        more = read_up_to(&mut reader, &mut piece, PIECE_BYTES);
        let whole_lines = if more { cut_at_line_end(&piece) } else { piece.len() };
        let found = (format.scout)(&[&beginning, &piece[..whole_lines]].concat());
        if found.day_first.is_some() {
            let Scouted { day_first, dates_open, first_yearless, first_year, .. } = found;
            scout.scouted = Scouted { day_first, dates_open, first_yearless, first_year, ..std::mem::take(&mut scout.scouted) };
            return;
        }
    }
}

/// Reads on until a line tells the absolute time, or to the end, whose last stamp is compared with the time the file was written.
fn search(format: &Format, scout: &mut Scout, mut reader: SourceReader, head: Vec<u8>, mut more: bool) {
    let mut searched = 0;
    let mut piece = head;
    loop {
        let end = if more { cut_at_line_end(&piece) } else { piece.len() };
        let found = (format.scout)(&piece[..end]);
        if !found.witnesses.is_empty() {
            scout.scouted.witnesses = found.witnesses;
            return;
        }
        if !more {
            let last_line = cut_at_line_end(&piece[..end.saturating_sub(1)]);
            scout.last_yearless = (format.scout)(&piece[last_line..end]).first_yearless;
            return;
        }
        searched += end;
        if end == 0 || searched > SEARCH_BYTES_MAX {
            return;
        }
        piece.drain(..end);
        more = read_up_to(&mut reader, &mut piece, PIECE_BYTES);
    }
}

/// Whether bytes are UTF-8 text without control bytes; a character cut off at the end does not count against it.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !head.iter().any(|b| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t' | 0x0c))
}

/// Fills `into` up to `wanted` bytes; false at the end of the source.
fn read_up_to(reader: &mut impl Read, into: &mut Vec<u8>, wanted: usize) -> bool {
    let mut len = into.len();
    into.resize(wanted.max(len), 0);
    while len < wanted
        && let Ok(read @ 1..) = reader.read(&mut into[len..])
    {
        len += read;
    }
    into.truncate(len);
    len >= wanted
}

fn cut_at_line_end(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)
}

/// The format that is surest of a head; of equally sure ones the first in the registry.
fn recognise(head: &[u8]) -> Option<&'static Format> {
    let mut best: Option<(&'static Format, u8)> = None;
    for format in formats::ALL {
        let certainty = (format.sniff)(head);
        if certainty >= CERTAINTY_MIN && best.is_none_or(|(_, known)| certainty > known) {
            best = Some((format, certainty));
        }
    }
    best.map(|(format, _)| format)
}
