//! The systemd journal as `journalctl -o json` and `-o export` write it: each entry with its host, program and instant in fields.

use super::batch::{Batch, Ignored, Malformed};
use super::clock::{Clock, Scouted};
use super::json::{self, Value};
use super::reader::Reader;
use super::sink::Fate;
use super::syslog::envelope::{self, Rest};
use super::syslog::stamp::Stamp;
use super::{Chunk, Format, Framing, scan};
use crate::domain::time::Timestamp;
use bumpalo::Bump;

/// One JSON object per line, also with the prefixes of `json-seq` and `json-sse`.
pub(super) const JSON: Format = Format {
    id: "journal.json",
    system: "postfix",
    title: "systemd journal, JSON lines",
    framing: Framing::Lines,
    sniff: sniff_json,
    parse: parse_json,
    scout: scout_json,
};

/// `KEY=value` blocks. An entry, not a line, is what is counted and numbered.
pub(super) const EXPORT: Format = Format {
    id: "journal.export",
    system: "postfix",
    title: "systemd journal, export format",
    framing: Framing::JournalEntries,
    sniff: sniff_export,
    parse: parse_export,
    scout: scout_export,
};

/// Whether a line of a journal's text output is no entry: `-- Boot … --`, `-- Journal begins at … --`.
pub(super) fn is_framing(line: &[u8]) -> bool {
    line.starts_with(b"-- ") && (line.ends_with(b" --") || line.starts_with(b"-- Logs begin") || line.starts_with(b"-- Journal begins"))
}

/// The fields of an entry that matter.
#[derive(Clone, Copy, Debug, Default)]
struct Entry<'a> {
    message: Option<&'a [u8]>,
    identifier: Option<&'a [u8]>,
    command: Option<&'a [u8]>,
    syslog_pid: Option<&'a [u8]>,
    pid: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    received: Option<&'a [u8]>,
    written: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        Some(match key {
            b"MESSAGE" => &mut self.message,
            b"SYSLOG_IDENTIFIER" => &mut self.identifier,
            b"_COMM" => &mut self.command,
            b"SYSLOG_PID" => &mut self.syslog_pid,
            b"_PID" => &mut self.pid,
            b"_HOSTNAME" => &mut self.host,
            b"__REALTIME_TIMESTAMP" => &mut self.received,
            b"_SOURCE_REALTIME_TIMESTAMP" => &mut self.written,
            _ => return None,
        })
    }

    /// When the program wrote the entry, or else when the journal received it.
    fn instant(&self) -> Option<Timestamp> {
        let text = self.written.or(self.received)?;
        let micros = scan::number(text).filter(|(_, rest)| rest.is_empty())?.0;
        i64::try_from(micros).ok().map(Timestamp)
    }

    fn read(self, reader: &mut Reader<'_, 'a>, line: u32) {
        let Some(at) = self.instant() else { return reader.settle(line, Fate::Malformed(Malformed::NoTime)) };
        let Some(body) = self.message else { return reader.settle(line, Fate::BAD_BODY) };
        let pid = self.syslog_pid.or(self.pid).map_or(0, scan::small_number);
        let tag = self.identifier.or(self.command).unwrap_or_default();
        let reading = reader.instant(line, Stamp::Absolute(at));
        reader.record(line, reading, Rest { host: self.host.unwrap_or_default(), tag, pid, body: scan::trim_start(body) }, None);
    }
}

/// Takes off what `json-seq` and `json-sse` put before an object.
fn object(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\x1e").unwrap_or(line);
    line.strip_prefix(b"data: ").unwrap_or(line)
}

fn sniff_json(head: &[u8]) -> u8 {
    let mut lines = 0;
    let mut entries = 0;
    scan::each_line(head.get(..head.len().min(1 << 16)).unwrap_or(head), |_, line| {
        if !line.is_empty() && lines < 50 {
            lines += 1;
            let journal = scan::contains(line, b"\"__REALTIME_TIMESTAMP\"") || scan::contains(line, b"\"_SOURCE_REALTIME_TIMESTAMP\"");
            entries += u32::from(object(line).starts_with(b"{") && journal);
        }
    });
    if entries * 2 > lines { 97 } else { 0 }
}

fn parse_json<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let mut reader = Reader::new(chunk, clock, out);
    scan::each_line(chunk.bytes, |number, line| {
        if line.is_empty() {
            return reader.settle(number, Fate::Ignored(Ignored::Empty));
        }
        match json_entry(object(line), chunk.scratch) {
            Some(entry) => entry.read(&mut reader, number),
            None => reader.unreadable(number, line, Malformed::NoTime),
        }
    });
    reader.finish();
}

fn json_entry<'a>(line: &'a [u8], scratch: &'a Bump) -> Option<Entry<'a>> {
    let mut entry = Entry::default();
    json::each_field(line, scratch, |key, value| {
        if let Some(slot) = entry.slot(key) {
            *slot = match value {
                Value::Text(text) => Some(text),
                Value::Array(raw) => json::bytes_or_last(raw, scratch),
                Value::Other(_) => None,
            };
        }
    })?;
    Some(entry)
}

fn scout_json(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    let scratch = Bump::new();
    scan::each_line(bytes.get(..bytes.len().min(1 << 18)).unwrap_or(bytes), |_, line| {
        if let Some(entry) = json_entry(object(line), &scratch) {
            note(&mut found, &entry);
        }
    });
    found
}

fn note(found: &mut Scouted, entry: &Entry<'_>) {
    found.lines += 1;
    let Some(at) = entry.instant() else { return };
    found.readable += 1;
    found.first_absolute.get_or_insert(at);
    if let Some(host) = entry.host
        && !found.hosts.iter().any(|known| known == host)
    {
        found.hosts.push(host.to_vec());
    }
}

fn sniff_export(head: &[u8]) -> u8 {
    let head = head.strip_prefix(b"\n").unwrap_or(head);
    let starts = head.starts_with(b"__CURSOR=") || head.starts_with(b"__REALTIME_TIMESTAMP=");
    if starts && scan::contains(head, b"\n_HOSTNAME=") { 98 } else { 0 }
}

fn parse_export<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let mut reader = Reader::new(chunk, clock, out);
    let mut number = 0;
    each_export_entry(chunk.bytes, |entry| {
        match entry {
            Some(entry) => entry.read(&mut reader, number),
            None => reader.settle(number, Fate::Malformed(Malformed::NotText)),
        }
        number += 1;
    });
    reader.finish();
}

/// Calls `f` for each block; with `None` for one that breaks the format, after which the next block is looked for.
fn each_export_entry<'a>(bytes: &'a [u8], mut f: impl FnMut(Option<Entry<'a>>)) {
    let mut rest = bytes;
    let mut entry: Option<Entry<'a>> = None;
    while !rest.is_empty() {
        let (line, after) = scan::split_byte(rest, b'\n').unwrap_or((rest, b""));
        rest = after;
        if line.is_empty() {
            if let Some(done) = entry.take() {
                f(Some(done));
            }
            continue;
        }
        let current = entry.get_or_insert_default();
        if let Some((key, value)) = scan::split_byte(line, b'=') {
            if let Some(slot) = current.slot(key) {
                *slot = Some(value);
            }
        } else if let Some((value, after)) = binary(rest) {
            if let Some(slot) = current.slot(line) {
                *slot = Some(value);
            }
            rest = after;
        } else {
            entry = None;
            f(None);
            rest = scan::after(rest, b"\n\n").unwrap_or_default();
        }
    }
    if let Some(done) = entry {
        f(Some(done));
    }
}

/// A binary value: its length as 64 bits little-endian, the bytes, a line feed.
fn binary(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(u64::from_le_bytes(*rest.first_chunk()?)).ok()?;
    let end = length.checked_add(8)?;
    let value = rest.get(8..end)?;
    let after = rest.get(end..)?;
    Some((value, after.strip_prefix(b"\n").unwrap_or(after)))
}

fn scout_export(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    each_export_entry(bytes, |entry| {
        if let Some(entry) = entry {
            note(&mut found, &entry);
        }
    });
    found
}

/// A line that a container runtime wrapped in JSON, `{"log":"…","stream":"stdout","time":"…"}`.
pub(super) const CONTAINER: Format = Format {
    id: "container.json",
    system: "postfix",
    title: "container runtime, JSON lines",
    framing: Framing::Lines,
    sniff: sniff_container,
    parse: parse_container,
    scout: scout_container,
};

fn sniff_container(head: &[u8]) -> u8 {
    let mut lines = 0;
    let mut wrapped = 0;
    scan::each_line(head.get(..head.len().min(1 << 16)).unwrap_or(head), |_, line| {
        lines += u32::from(!line.is_empty());
        wrapped += u32::from(line.starts_with(b"{\"log\":\"") && scan::contains(line, b"\"time\":\""));
    });
    if wrapped * 2 > lines { 90 } else { 0 }
}

fn parse_container<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let mut reader = Reader::new(chunk, clock, out);
    scan::each_line(chunk.bytes, |number, line| {
        if line.is_empty() {
            return reader.settle(number, Fate::Ignored(Ignored::Empty));
        }
        match container_record(line, chunk.scratch) {
            Some((stamp, rest)) => {
                let reading = reader.instant(number, stamp);
                reader.record(number, reading, rest, None);
            }
            None => reader.unreadable(number, line, Malformed::NoTime),
        }
    });
    reader.finish();
}

/// The line inside, by its own stamp, whose year and zone are the runtime's, or else by that alone.
fn container_record<'a>(line: &'a [u8], scratch: &'a Bump) -> Option<(Stamp, Rest<'a>)> {
    let mut text = None;
    let mut time = None;
    json::each_field(line, scratch, |key, value| match (key, value) {
        (b"log", Value::Text(value)) => text = Some(value.trim_ascii_end()),
        (b"time", Value::Text(value)) => time = Some(value),
        _ => {}
    })?;
    let text = text?;
    let outer = time.and_then(|time| super::syslog::stamp::read(time).ok()).map(|(stamp, _)| stamp);
    if let Ok(envelope) = envelope::read(text) {
        return Some((outer.map_or(envelope.stamp, |outer| envelope.stamp.taken_in_at(outer)), envelope.rest));
    }
    let stamp = outer?;
    let joined: &'a [u8] = scratch.alloc_slice_copy(&[b" ", text].concat());
    Some((stamp, envelope::rest(joined).ok()?))
}

fn scout_container(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    let scratch = Bump::new();
    scan::each_line(bytes.get(..bytes.len().min(1 << 18)).unwrap_or(bytes), |_, line| {
        found.lines += 1;
        if let Some((stamp, _)) = container_record(line, &scratch) {
            found.readable += 1;
            super::syslog::note_stamp(&mut found, stamp);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::{Kind, LoginResult, QueueEvent};
    use crate::formats::testing::{events, kinds_of, parse_whole};

    #[test]
    fn an_entry_in_json_is_read_by_its_own_fields() {
        let log = r#"{"__REALTIME_TIMESTAMP":"1667232062123456","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/qmgr","SYSLOG_PID":"500","MESSAGE":"1E240200F1: removed"}
{"__REALTIME_TIMESTAMP":"1667232063000000","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"dovecot","_PID":"9","MESSAGE":[105,109,97,112,45,108,111,103,105,110,58,32,76,111,103,105,110,58,32,117,115,101,114,61,60,97,62,44,32,114,105,112,61,49]}
{"__REALTIME_TIMESTAMP":"1667232064000000","MESSAGE":null}
"#;
        assert!((JSON.sniff)(log.as_bytes()) > 90);
        let scratch = Bump::new();
        let batch = parse_whole(&JSON, log.as_bytes(), &scratch);
        assert_eq!((batch.ledger.used, batch.ledger.malformed), (2, 1));
        let found = events(batch);
        assert_eq!((found[0].at, found[0].pid), (Timestamp(1_667_232_062_123_456), 500));
        assert!(matches!(found[0].kind, Kind::Queue { id: b"1E240200F1", event: QueueEvent::Removed { .. } }));
        assert!(matches!(&found[1].kind, Kind::Login(login) if login.result == LoginResult::Success && login.account == Some(b"a")));
    }

    #[test]
    fn an_export_is_read_with_its_binary_values() {
        let mut log = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1667232062000000\n_HOSTNAME=mx1\nSYSLOG_IDENTIFIER=postfix/qmgr\nMESSAGE=1E240200F1: removed\n\n".to_vec();
        log.extend(b"__CURSOR=s=2\n__REALTIME_TIMESTAMP=1667232063000000\n_HOSTNAME=mx1\nSYSLOG_IDENTIFIER=postfix/qmgr\nMESSAGE\n");
        log.extend(19u64.to_le_bytes());
        log.extend(b"1E240200F2: removed\n\n");
        assert!((EXPORT.sniff)(&log) > 90);
        let scratch = Bump::new();
        let batch = parse_whole(&EXPORT, &log, &scratch);
        assert_eq!((batch.ledger.total, batch.ledger.used), (2, 2));
    }

    #[test]
    fn a_containers_line_is_unwrapped() {
        let log = "{\"log\":\"Oct 31 16:01:02 mx1 postfix/qmgr[5]: 1E240200F1: removed\\n\",\"stream\":\"stdout\",\"time\":\"2022-10-31T16:01:02.5Z\"}\n\
                   {\"log\":\"postfix/qmgr[5]: 1E240200F2: removed\\n\",\"stream\":\"stdout\",\"time\":\"2022-10-31T16:01:03.5Z\"}\n";
        assert!((CONTAINER.sniff)(log.as_bytes()) > 80);
        assert_eq!(kinds_of(&CONTAINER, log).len(), 2);
    }

    #[test]
    fn other_json_is_not_ours() {
        let other = b"{\"CreationTime\":\"2022-10-31T16:01:02\",\"Operation\":\"MailItemsAccessed\"}\n";
        assert_eq!(((JSON.sniff)(other), (CONTAINER.sniff)(other), (EXPORT.sniff)(other)), (0, 0, 0));
    }
}
