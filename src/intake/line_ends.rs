//! From lines that end in a carriage return alone, as old Macs and some tools write them, to lines that end in a line feed.
//!
//! The rewriting changes no length: places and sums of bytes stay what they are in the evidence. Hashes are taken below this.

use super::rewritten::Rewritten;
use memchr::memchr2;

/// How many bytes of a source decide its line ends, if no line ends before.
pub(super) const HEAD_BYTES: usize = 4 << 10;

/// What the head of a source says of its line ends.
#[derive(Default)]
pub(super) enum LineEnds {
    /// Nothing was seen of it yet.
    #[default]
    Unseen,
    /// Line feeds, with or without a carriage return before them.
    Feeds,
    /// Carriage returns alone.
    Returns(Box<Returns>),
}

impl LineEnds {
    /// Tells the line ends of what begins with `head`: carriage returns alone only where no line feed is in it.
    pub(super) fn of(head: &[u8]) -> LineEnds {
        match (head.contains(&b'\n'), head.contains(&b'\r')) {
            (false, true) => LineEnds::Returns(Box::default()),
            _ => LineEnds::Feeds,
        }
    }
}

/// Makes a line feed of each carriage return that none follows.
#[derive(Default)]
pub(super) struct Returns {
    pub(super) rewritten: Rewritten,
    /// The last byte taken in was a carriage return; the next one says what it is.
    held: bool,
}

impl Returns {
    /// Takes in more bytes of the source; none means that it has ended.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        let rewritten = self.rewritten.more(bytes.is_empty());
        if self.held {
            self.held = false;
            rewritten.push(if bytes.first() == Some(&b'\n') { b'\r' } else { b'\n' });
        }
        while let Some(at) = memchr2(b'\r', b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            rewritten.extend_from_slice(line);
            match rest {
                [b'\r'] => self.held = true,
                [b'\r', b'\n', ..] => rewritten.push(b'\r'),
                _ => rewritten.push(b'\n'),
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        rewritten.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let LineEnds::Returns(mut returns) = LineEnds::of(bytes.get(..8).unwrap_or(bytes)) else { return bytes.to_vec() };
        let mut buffer = [0; 3];
        for piece in bytes.chunks(step).chain([&b""[..]]) {
            returns.take(piece);
            loop {
                match returns.rewritten.give(&mut buffer) {
                    0 => break,
                    n => out.extend(&buffer[..n]),
                }
            }
        }
        out
    }

    #[test]
    fn a_carriage_return_ends_a_line_where_no_line_feed_follows_it_wherever_the_reads_end() {
        for step in [1, 2, 3, 5, 100] {
            assert_eq!(read(b"one\rtwo\r\rthree\r\nfour\nfive\r", step), b"one\ntwo\n\nthree\r\nfour\nfive\n", "{step}");
        }
    }

    #[test]
    fn logs_with_line_feeds_in_their_heads_stay_as_they_are() {
        for text in [&b"one\r\ntwo\rthree"[..], b"one\ntwo\r", b"no line end at all", b""] {
            assert!(matches!(LineEnds::of(text), LineEnds::Feeds));
            assert_eq!(read(text, 2), text);
        }
    }
}
