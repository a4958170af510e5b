//! From the encodings in which tables are exported to UTF-8: UTF-16 with and without its mark, and UTF-8 with one.
//!
//! Hashes are taken below this, of the bytes as they lie in the evidence. Code pages are not recognised here: they need more than the
//! head of a source, and a mail log may hold any bytes.

use super::rewritten::Rewritten;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

/// How many bytes of a source decide its encoding.
pub(super) const HEAD_BYTES: usize = 512;
/// Fewer characters than this show no pattern.
const CHARACTERS_MIN: usize = 8;

/// What the head of a source says of its encoding.
pub(super) enum Encoding {
    /// Bytes to be taken as they are, but for this many in front.
    Plain { mark: usize },
    /// Two bytes for a character, to be rewritten.
    Wide(Box<Wide>),
}

impl Encoding {
    /// Tells the encoding of what begins with `head`.
    pub(super) fn of(head: &[u8]) -> Encoding {
        match head {
            [0xef, 0xbb, 0xbf, ..] => Encoding::Plain { mark: 3 },
            [0xff, 0xfe, 0, 0, ..] => Encoding::Plain { mark: 0 },
            [0xff, 0xfe, ..] => Encoding::Wide(Box::new(Wide::new(UTF_16LE.new_decoder_with_bom_removal()))),
            [0xfe, 0xff, ..] => Encoding::Wide(Box::new(Wide::new(UTF_16BE.new_decoder_with_bom_removal()))),
            _ => Encoding::without_mark(head),
        }
    }

    /// Text of mostly ASCII characters in UTF-16 has a zero in every second byte, and hardly any in the others (halves of an emoji).
    fn without_mark(head: &[u8]) -> Encoding {
        let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let characters = head.len() / 2;
        let most = |zeros: usize| characters >= CHARACTERS_MIN && zeros * 10 >= characters * 7;
        let few = |zeros: usize| zeros * 20 <= characters;
        match (most(even), most(odd)) {
            (false, true) if few(even) => Encoding::Wide(Box::new(Wide::new(UTF_16LE.new_decoder_without_bom_handling()))),
            (true, false) if few(odd) => Encoding::Wide(Box::new(Wide::new(UTF_16BE.new_decoder_without_bom_handling()))),
            _ => Encoding::Plain { mark: 0 },
        }
    }
}

/// Rewrites UTF-16 as UTF-8; what is no character becomes U+FFFD.
pub(super) struct Wide {
    decoder: Decoder,
    pub(super) decoded: Rewritten,
}

impl Wide {
    fn new(decoder: Decoder) -> Wide {
        Wide { decoder, decoded: Rewritten::default() }
    }

    /// Takes in more bytes of the source; none means that it has ended.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        let last = bytes.is_empty();
        if self.decoded.ended() {
            return;
        }
        let decoded = self.decoded.more(last);
        loop {
            let start = decoded.len();
            let room = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
            decoded.resize(start + room, 0);
            let target = decoded.get_mut(start..).unwrap_or_default();
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, target, last);
            decoded.truncate(start + written);
            bytes = bytes.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], step: usize) -> String {
        let mut out = Vec::new();
        match Encoding::of(&bytes[..bytes.len().min(HEAD_BYTES)]) {
            Encoding::Plain { mark } => out.extend(&bytes[mark..]),
            Encoding::Wide(mut wide) => {
                let mut buffer = [0; 7];
                for piece in bytes.chunks(step).chain([&b""[..]]) {
                    wide.take(piece);
                    loop {
                        match wide.decoded.give(&mut buffer) {
                            0 => break,
                            n => out.extend(&buffer[..n]),
                        }
                    }
                }
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_reads_the_same_in_five_encodings_and_in_pieces_of_any_size() {
        let text = "\"origin_timestamp_utc\",\"sender_address\"\r\n\"2025-12-04T08:40:00Z\",\"件名 😀\"\r\n";
        let wide = |f: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(f).collect::<Vec<u8>>();
        let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
        let shapes = [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
            little,
            big,
        ];
        for bytes in shapes {
            for step in [1, 2, 3, 1000] {
                assert_eq!(read(&bytes, step), text);
            }
        }
    }

    #[test]
    fn mail_logs_and_binaries_stay_as_they_are() {
        for bytes in [&b"Oct 31 16:01:02 mx1 postfix/qmgr[5]: 1E240200F1: removed\n"[..], &[0; 64], b"a\0b", b"\x93\xfa\x96\x7b"] {
            assert!(matches!(Encoding::of(bytes), Encoding::Plain { mark: 0 }));
        }
    }
}
