//! What the head of a syslog text says of itself: its hosts, its first stamp, and lines that tell their own absolute time.

use super::envelope::{self, Envelope};
use super::stamp::Stamp;
use crate::domain::time::parse_offset;
use crate::formats::clock::{Offset, Scouted, WallTime, Witness, WitnessKind};
use crate::formats::postfix::{own_message_id, queue_id};
use crate::formats::scan;
use memchr::{memchr, memmem, memrchr};

/// Lines read for hosts, stamps and readability; witnesses are looked for in all of the text.
const LINES_MAX: u64 = 2000;
/// Witnesses of a kind that are enough.
const WITNESSES_MAX: usize = 4;
/// Places looked at before giving up: a log with short queue ids has none.
const PLACES_MAX: usize = 500;

/// Reads a piece of a source.
pub(super) fn scout(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    let mut hosts: Vec<(&[u8], u64)> = Vec::new();
    let mut lines = bytes.split(|b| *b == b'\n');
    while found.lines < LINES_MAX
        && let Some(line) = lines.next()
    {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        found.lines += 1;
        let Ok(envelope) = envelope::read(line) else { continue };
        found.readable += 1;
        note_stamp(&mut found, envelope.stamp);
        note_offset(&mut found, line, &envelope);
        let host = envelope.rest.host;
        match hosts.iter_mut().find(|(name, _)| *name == host) {
            Some((_, count)) => *count += 1,
            None if !host.is_empty() => hosts.push((host, 1)),
            None => {}
        }
    }
    hosts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    found.hosts = hosts.into_iter().map(|(name, _)| name.to_vec()).collect();
    for (kind, mark) in
        [(WitnessKind::QueueId, &b"client="[..]), (WitnessKind::QueueId, b": uid="), (WitnessKind::MessageId, b": message-id=<")]
    {
        witnesses(bytes, kind, mark, &mut found.witnesses);
    }
    found
}

/// Notes the first stamp of each kind.
pub(in crate::formats) fn note_stamp(found: &mut Scouted, stamp: Stamp) {
    match stamp {
        Stamp::Absolute(at) => found.first_absolute = found.first_absolute.or(Some(at)),
        Stamp::Yearless(wall) => found.first_yearless = found.first_yearless.or(Some(wall)),
        // A stamp with a year needs no year from elsewhere, but its zone is unknown; as an instant it would claim too much.
        Stamp::Local(year, wall) if found.first_yearless.is_none() => {
            (found.first_yearless, found.first_year) = (Some(wall), Some(year));
        }
        Stamp::Local(..) => {}
    }
}

/// Notes the offset in the first stamp of each host: `2022-10-31T16:01:02+09:00` is local time, while one that ends in `Z` need not be.
fn note_offset(found: &mut Scouted, line: &[u8], envelope: &Envelope<'_>) {
    let Stamp::Absolute(at) = envelope.stamp else { return };
    let stamp = line.get(..envelope.stamp_length).unwrap_or_default();
    let Some(sign) = stamp.iter().rposition(|b| matches!(b, b'+' | b'-')) else { return };
    let known = found.offsets.iter().any(|(host, _)| host == envelope.rest.host);
    if let (Some(seconds), false) = (parse_offset(&stamp[sign..]), known) {
        found.offsets.push((envelope.rest.host.to_vec(), Offset { seconds, at }));
    }
}

fn witnesses(bytes: &[u8], kind: WitnessKind, mark: &[u8], out: &mut Vec<Witness>) {
    let before = out.len();
    for at in memmem::find_iter(bytes, mark).take(PLACES_MAX) {
        if out.len() - before >= WITNESSES_MAX {
            break;
        }
        out.extend(witness(line_around(bytes, at), kind));
    }
}

fn line_around(bytes: &[u8], at: usize) -> &[u8] {
    let start = memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |n| n + 1);
    let end = memchr(b'\n', bytes.get(at..).unwrap_or_default()).map_or(bytes.len(), |n| at + n);
    bytes.get(start..end).unwrap_or_default()
}

fn witness(line: &[u8], kind: WitnessKind) -> Option<Witness> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let envelope = envelope::read(line).ok()?;
    let wall: WallTime = match envelope.stamp {
        Stamp::Yearless(wall) | Stamp::Local(_, wall) => wall,
        Stamp::Absolute(_) => return None,
    };
    let (id, text) = scan::split(envelope.rest.body, b": ")?;
    let instant = match kind {
        WitnessKind::QueueId if text.starts_with(b"client=") || text.starts_with(b"uid=") => queue_id::decode_time(id)?,
        WitnessKind::MessageId => own_message_id(id, text.strip_prefix(b"message-id=")?)?.made?,
        WitnessKind::QueueId => return None,
    };
    Some(Witness { kind, wall, instant })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;

    #[test]
    fn a_head_tells_the_offset_of_each_hosts_local_time() {
        let text = "2022-10-31T16:01:02.000001+09:00 mx1 postfix/smtpd[1]: connect from a[192.0.2.1]\n\
                    2022-10-31T08:01:03+01:00 mx2 postfix/smtpd[1]: connect from a[192.0.2.1]\n\
                    2022-10-31T17:01:04+10:00 mx1 postfix/smtpd[1]: connect from a[192.0.2.1]\n\
                    2022-10-31T07:01:05Z mx3 postfix/smtpd[1]: connect from a[192.0.2.1]\n\
                    Oct 31 16:01:06 mx4 postfix/smtpd[1]: connect from a[192.0.2.1]\n";
        let told: Vec<_> = scout(text.as_bytes()).offsets.into_iter().map(|(host, offset)| (host, offset.seconds)).collect();
        assert_eq!(told, [(b"mx1".to_vec(), 9 * 3600), (b"mx2".to_vec(), 3600)]);
    }

    #[test]
    fn a_head_tells_hosts_first_stamp_and_absolute_times() {
        let text = "Nov 01 01:01:02 mx2 postfix/smtpd[1]: connect from a[192.0.2.1]\n\
                    Nov 01 01:01:02 mx1 postfix/smtpd[1]: 4N1Hv20sf8zySl: client=a[192.0.2.1]\n\
                    Nov 01 01:01:02 mx1 postfix/cleanup[1]: 1E240200F1: message-id=<20221031160102.1E240200F1@mx1.u.example>\n\
                    not a line\n";
        let found = scout(text.as_bytes());
        assert_eq!(found.hosts, [b"mx1".to_vec(), b"mx2".to_vec()]);
        assert_eq!((found.lines, found.readable), (4, 3));
        assert_eq!(found.first_yearless.map(|w| (w.month, w.day)), Some((11, 1)));
        let shown: Vec<_> = found.witnesses.iter().map(|w| (w.kind, Zone::UTC.stamp(w.instant).prose()[..16].to_owned())).collect();
        assert_eq!(shown, [(WitnessKind::QueueId, "2022-10-31 16:01".to_owned()), (WitnessKind::MessageId, "2022-10-31 16:01".to_owned())]);
    }
}
