//! Lines that say only that a line came again.

use super::daemon::Daemon;
use super::envelope::{self, Rest};
use crate::formats::scan;
use memchr::{memchr, memrchr};

/// A line that stands for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Repeat<'a> {
    /// `last message repeated 3 times`: the previous line of that host in that file.
    Previous { times: u32 },
    /// `message repeated 3 times: [ body]`: rsyslog quotes the line, cut at 800 bytes.
    Quoted { times: u32, body: &'a [u8] },
}

/// Tells whether a body is a repeat.
pub(in crate::formats) fn read(body: &[u8], daemon: Daemon) -> Option<Repeat<'_>> {
    if let Some(rest) = body.strip_prefix(b"message repeated ") {
        let (times, rest) = scan::number(rest)?;
        let quoted = rest.strip_prefix(b" times: [")?;
        let body = scan::trim_start(quoted.strip_suffix(b"]").unwrap_or(quoted));
        return Some(Repeat::Quoted { times: u32::try_from(times).ok()?, body });
    }
    if !matches!(daemon, Daemon::Untagged | Daemon::Logger) {
        return None;
    }
    let plain = body.strip_prefix(b"--- ").unwrap_or(body);
    let (times, rest) = scan::number(plain.strip_prefix(b"last message repeated ")?)?;
    rest.starts_with(b" time").then_some(Repeat::Previous { times: u32::try_from(times).ok()? })
}

/// The last line of `host` (of any, if it is empty) in the text before a chunk that is not itself a repeat.
pub(in crate::formats) fn last_record_of<'a>(host: &[u8], before: &'a [u8]) -> Option<Rest<'a>> {
    records_backwards(before)
        .find(|rest| (host.is_empty() || rest.host == host) && read(rest.body, super::daemon::identify(rest.tag)).is_none())
}

/// The readable lines of a text, the last first. A line that holds a NUL is not one, as in the reading itself.
pub(in crate::formats) fn records_backwards(text: &[u8]) -> impl Iterator<Item = Rest<'_>> {
    let mut rest = text;
    let lines = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let body = rest.strip_suffix(b"\n").unwrap_or(rest);
        let start = memrchr(b'\n', body).map_or(0, |at| at + 1);
        let line = body.get(start..)?;
        rest = body.get(..start)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    });
    lines.filter(|line| memchr(0, line).is_none()).filter_map(|line| envelope::read(line).ok()).map(|envelope| envelope.rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_repeat_give_their_number() {
        assert_eq!(read(b"last message repeated 3 times", Daemon::Untagged), Some(Repeat::Previous { times: 3 }));
        assert_eq!(read(b"--- last message repeated 1 time ---", Daemon::Untagged), Some(Repeat::Previous { times: 1 }));
        assert_eq!(read(b"message repeated 4 times: [ connect x]", Daemon::Other), Some(Repeat::Quoted { times: 4, body: b"connect x" }));
    }

    /// Cutting a log there must not make a record of a line that the reading of the whole takes for damaged.
    #[test]
    fn a_damaged_line_is_no_record_to_be_repeated() {
        let before = b"Oct 31 16:01:01 mx1 cron[1]: whole\nOct 31 16:01:02 mx1 \0ron[1]: damaged\n";
        assert_eq!(last_record_of(b"mx1", before).map(|rest| rest.body), Some(&b"whole"[..]));
    }

    #[test]
    fn a_mail_daemon_quoting_those_words_repeats_nothing() {
        assert_eq!(read(b"last message repeated 3 times", Daemon::Dovecot), None);
        assert_eq!(read(b"last message repeated many times", Daemon::Untagged), None);
    }
}
