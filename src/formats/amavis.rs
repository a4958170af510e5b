//! amavis: its main log line about each message, which names queue id, sender, recipients and verdict.

use super::Chunk;
use super::event::QueueEvent;
use super::scan;
use super::sink::{Fate, Sink};
use super::syslog::daemon::{self, Daemon};
use super::syslog::repeat;
use crate::domain::outcome::Reason;

/// Entries that amavis cut at its line limit (a piece ends in `...`, the next begins so), by the id of the entry: the text so far, or
/// `None` once the last piece has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending<'a>(hashbrown::HashMap<&'a [u8], Option<&'a [u8]>>);

impl<'a> Pending<'a> {
    fn keep(&mut self, id: &'a [u8], text: &'a [u8]) -> Fate {
        self.0.insert(id, Some(text));
        Fate::NO_FACT
    }

    /// The text so far, from this chunk or else from the end of the one before it.
    fn take(&mut self, id: &'a [u8], chunk: Chunk<'a>) -> Option<&'a [u8]> {
        match self.0.insert(id, None) {
            Some(known) => known,
            None => first_half(id, chunk),
        }
    }
}

/// Reads one body, `(pid-nn) Passed CLEAN {…}, …`.
pub(super) fn body<'a>(body: &'a [u8], pending: &mut Pending<'a>, chunk: Chunk<'a>, sink: &mut Sink<'_, 'a>) -> Fate {
    let Some((id, text)) = body.strip_prefix(b"(").and_then(|inner| scan::split(inner, b") ")) else { return Fate::NO_FACT };
    if let Some(second) = text.strip_prefix(b"...") {
        let Some(first) = pending.take(id, chunk) else { return Fate::NO_FACT };
        let whole: &'a [u8] = chunk.scratch.alloc_slice_copy(&[first, second].concat());
        return match whole.strip_suffix(b"...") {
            Some(cut) => pending.keep(id, cut),
            None => verdict(whole, sink),
        };
    }
    match text.strip_suffix(b"...") {
        Some(cut) => pending.keep(id, cut),
        None => {
            pending.0.insert(id, None);
            verdict(text, sink)
        }
    }
}

/// Looks for the first half, which may itself be in pieces, in the text before a chunk.
fn first_half<'a>(id: &[u8], chunk: Chunk<'a>) -> Option<&'a [u8]> {
    let mark = [b"(", id, b") "].concat();
    let mut pieces = Vec::new();
    for record in repeat::records_backwards(chunk.before) {
        if daemon::identify(record.tag) != Daemon::Amavis {
            continue;
        }
        let Some(text) = record.body.strip_prefix(&mark[..]) else { continue };
        let piece = text.strip_suffix(b"...")?;
        pieces.push(piece.strip_prefix(b"...").unwrap_or(piece));
        if !piece.starts_with(b"...") {
            pieces.reverse();
            return Some(chunk.scratch.alloc_slice_copy(&pieces.concat()));
        }
    }
    None
}

/// `Passed|Blocked CAT {ACTIONS}, … <from> -> <to>,<to>, quarantine: Q, Queue-ID: ID, …`.
fn verdict<'a>(text: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let (passed, rest) = match (text.strip_prefix(b"Passed "), text.strip_prefix(b"Blocked ")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Fate::NO_FACT,
    };
    let Some((before, after)) = scan::split(text, b"> -> ") else { return Fate::NO_FACT };
    let ends = [&b", quarantine: "[..], b", Queue-ID: ", b", Message-ID: ", b", mail_id: ", b", Hits: "];
    let end = ends.iter().filter_map(|key| scan::find(after, key)).min().unwrap_or(after.len());
    let (recipients, fields) = after.split_at(end);
    let Some(id) = field(fields, b", Queue-ID: ") else { return Fate::NO_FACT };
    let head = before.get(..memchr::memrchr(b'<', before).unwrap_or(before.len())).unwrap_or_default();
    let actions = scan::split(head, b"{").map_or(&b""[..], |(_, rest)| scan::until(rest, b"}"));
    let client = scan::split_byte(head, b'[').and_then(|(_, rest)| scan::split_byte(rest, b']')).map(|(ip, _)| ip);
    let reply_length = text.len() - rest.len() + memchr::memchr(b',', rest).unwrap_or(rest.len());
    sink.queue(
        id,
        QueueEvent::Verdict {
            account: None,
            client,
            sender: before.get(head.len() + 1..).unwrap_or_default(),
            recipients,
            passed,
            quarantined: scan::contains(actions, b"Quarantined"),
            discarded: scan::contains(actions, b"Discarded") || scan::contains(actions, b"NoBounce"),
            reason: reason(rest),
            queued_as: field(fields, b", queued_as: ").map(|id| scan::until(id, b"/")),
            reply: text.get(..reply_length).unwrap_or(text),
        },
    )
}

fn field<'a>(fields: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    scan::after(fields, key).map(|value| scan::until(value, b",")).and_then(scan::non_empty)
}

fn reason(category: &[u8]) -> Reason {
    let content = [&b"SPAM"[..], b"INFECTED", b"BANNED", b"BAD-HEADER", b"UNCHECKED"];
    if content.iter().any(|word| category.starts_with(word)) { Reason::Content } else { Reason::Other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    const CLEAN: &str = "(00300-01) Passed CLEAN {RelayedOutbound}, MYNETS LOCAL [192.0.2.7]:50123 [192.0.2.7] <alice@u.example> -> <a@x.example>,<b@y.example>, Queue-ID: 4N1Hv20sf8zySl, Message-ID: <m1@evil.example>, mail_id: Qx1, Hits: 1.2, size: 2100, queued_as: 4N1Hv51tY6zySm, 900 ms";

    #[test]
    fn the_main_line_names_the_message_and_its_verdict() {
        let line = tag("amavis[300]", CLEAN);
        let found = kinds(&line);
        let Kind::Queue { id, event: QueueEvent::Verdict { sender, recipients, passed, queued_as, client, reply, .. } } = &found[0] else {
            panic!()
        };
        assert_eq!((*id, *sender, *recipients), (&b"4N1Hv20sf8zySl"[..], &b"alice@u.example"[..], &b"<a@x.example>,<b@y.example>"[..]));
        assert_eq!((*passed, *queued_as, *client), (true, Some(&b"4N1Hv51tY6zySm"[..]), Some(&b"192.0.2.7"[..])));
        assert_eq!(*reply, b"Passed CLEAN {RelayedOutbound}");
    }

    #[test]
    fn trap_5_discarded_and_quarantined_spam_is_told_apart() {
        let line = tag(
            "amavis[300]",
            "(00300-02) Blocked SPAM {DiscardedOutbound,Quarantined}, [192.0.2.7]:50123 <> -> <a@x.example>, quarantine: spam/x.gz, Queue-ID: 1E240200F1, Message-ID: <m@x>, mail_id: Q, Hits: 12, size: 9, 90 ms",
        );
        let found = kinds(&line);
        let Kind::Queue { event: QueueEvent::Verdict { passed, quarantined, discarded, reason, .. }, .. } = &found[0] else { panic!() };
        assert_eq!((*passed, *quarantined, *discarded, *reason), (false, true, true, Reason::Content));
    }

    #[test]
    fn an_entry_cut_in_two_is_joined() {
        let (a, b) = CLEAN.split_at(150);
        let text = format!("{}\n{}\n", tag("amavis[300]", &format!("{a}...")), tag("amavis[300]", &format!("(00300-01) ...{b}")));
        let found = kinds(&text);
        let Kind::Queue { event: QueueEvent::Verdict { recipients, .. }, .. } = &found[0] else { panic!() };
        assert_eq!(*recipients, b"<a@x.example>,<b@y.example>");
    }
}
