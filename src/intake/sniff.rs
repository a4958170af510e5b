//! What a stream of bytes is, by its first bytes alone. Names are never asked.

use super::codec::Codec;
use crate::domain::time::Timestamp;

/// How many bytes of a stream are enough to tell: an empty tar archive as GNU tar writes it, and one byte more.
pub(super) const HEAD_BYTES: usize = 10_241;

/// The sizes of an archive that is nothing but the tar end marker, as the usual programs write it.
const EMPTY_TAR_SIZES: [usize; 2] = [1024, 10_240];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing this module knows: the bytes are the log.
    Plain,
    Compressed(Codec),
    Tar,
    /// Nothing but zero bytes, as many as an empty tar archive has.
    EmptyTar,
    Zip,
    /// An archive that cannot be read here, by the name of its format.
    Foreign(&'static str),
}

/// Tells what begins with `head`, which holds the first [`HEAD_BYTES`] bytes, or all of a shorter stream.
pub(super) fn kind(head: &[u8]) -> Kind {
    if let Some(codec) = codec(head) {
        return Kind::Compressed(codec);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if head.starts_with(b"7z\xbc\xaf\x27\x1c") {
        return Kind::Foreign("7z");
    }
    if head.starts_with(b"Rar!\x1a\x07") {
        return Kind::Foreign("RAR");
    }
    if head.get(257..262) == Some(b"ustar") {
        return Kind::Tar;
    }
    if EMPTY_TAR_SIZES.contains(&head.len()) && head.iter().all(|&b| b == 0) {
        return Kind::EmptyTar;
    }
    Kind::Plain
}

/// Tells the compressed format that begins with `head`.
pub(super) fn codec(head: &[u8]) -> Option<Codec> {
    match head {
        [0x1f, 0x8b, 0x08, ..] => Some(Codec::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Codec::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Codec::Xz),
        // A frame, or a frame that decoders skip.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Codec::Zstd),
        _ if is_lzma_alone(head) => Some(Codec::Lzma),
        _ => None,
    }
}

/// The old `.lzma` format has no magic: the usual properties byte, a dictionary size of 2^n or 2^n + 2^(n-1), and a size that is
/// unknown or below 256 GiB, as liblzma itself tells it.
fn is_lzma_alone(head: &[u8]) -> bool {
    let [0x5d, d0, d1, d2, d3, s0, s1, s2, s3, s4, s5, s6, s7, ..] = *head else { return false };
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    let size = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let usual = dictionary >= 4096 && (dictionary.is_power_of_two() || (dictionary % 3 == 0 && (dictionary / 3).is_power_of_two()));
    usual && (size == u64::MAX || size < 1 << 38)
}

/// The time in a gzip header, in UTC; a zero there means that none was recorded.
pub(super) fn gzip_mtime(head: &[u8]) -> Option<Timestamp> {
    let [_, _, _, _, a, b, c, d, ..] = *head else { return None };
    let seconds = u32::from_le_bytes([a, b, c, d]);
    (seconds != 0).then(|| Timestamp::from_seconds(i64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_is_never_taken_for_an_archive() {
        assert_eq!(kind(b"Oct 31 16:01:20 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]\n"), Kind::Plain);
        assert_eq!(kind(b""), Kind::Plain);
        assert_eq!(kind(b"BZh9 is how this line begins"), Kind::Plain);
        assert_eq!(kind(b"]\0\0 lzma has no magic, so its header must make sense"), Kind::Plain);
    }

    #[test]
    fn a_gzip_time_of_zero_is_no_time() {
        assert_eq!(gzip_mtime(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), None);
        assert_eq!(gzip_mtime(&[0x1f, 0x8b, 8, 0, 1, 0, 0, 0]), Some(Timestamp::from_seconds(1)));
    }

    #[test]
    fn zeros_are_an_empty_tar_only_in_the_size_of_one() {
        assert_eq!(kind(&[0; 10_240]), Kind::EmptyTar);
        assert_eq!(kind(&[0; 10_241]), Kind::Plain);
        assert_eq!(kind(&[0; 512]), Kind::Plain);
    }
}
