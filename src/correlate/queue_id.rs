//! A queue id in a form that is copied and compared without looking anything up: there are millions of them, each met a few times.

use std::hash::{BuildHasher, Hash, Hasher};

/// Ids of up to this many bytes are kept as they are; Postfix's own have 10 to 22.
const INLINE_MAX: usize = 15;
/// Stands in the last byte of an id that is kept as a digest.
const DIGEST: u8 = 0xff;

/// A queue id as logged. A longer one than most is kept as a digest of 120 bits, which names it but cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueId([u8; 16]);

/// As one number of 128 bits: cheaper than byte by byte.
impl Hash for QueueId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_le_bytes(self.0));
    }
}

impl QueueId {
    pub(super) fn new(text: &[u8]) -> QueueId {
        let mut kept = [0; 16];
        match (text.len() <= INLINE_MAX, kept.get_mut(..text.len())) {
            (true, Some(room)) => {
                room.copy_from_slice(text);
                kept[INLINE_MAX] = text.len() as u8;
            }
            _ => {
                kept[..8].copy_from_slice(&digest(text, 1).to_le_bytes());
                kept[8..].copy_from_slice(&digest(text, 2).to_le_bytes());
                kept[INLINE_MAX] = DIGEST;
            }
        }
        QueueId(kept)
    }

    /// The id as logged, unless it is kept as a digest.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.0.get(..usize::from(self.0[INLINE_MAX]))
    }

    /// A number to sort and search by: equal for equal ids, and seldom for others.
    pub(super) fn key(self) -> u32 {
        (digest(&self.0, 3) >> 32) as u32
    }

    /// The bytes it is stored as.
    pub(super) fn stored(&self) -> [u8; 16] {
        self.0
    }

    pub(super) fn from_stored(stored: [u8; 16]) -> QueueId {
        QueueId(stored)
    }
}

fn digest(bytes: &[u8], seed: u64) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(seed).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_kept_and_long_ones_are_told_apart() {
        let short = QueueId::new(b"4N1Hv20sf8zySl");
        assert_eq!(short.text(), Some(&b"4N1Hv20sf8zySl"[..]));
        assert_ne!(short, QueueId::new(b"4N1Hv20sf8zySL"));
        assert_eq!(QueueId::new(b"").text(), Some(&b""[..]));
        let (long, other) = (QueueId::new(b"0123456789ABCDEF01234"), QueueId::new(b"0123456789ABCDEF01235"));
        assert_eq!((long.text(), long), (None, QueueId::new(b"0123456789ABCDEF01234")));
        assert_ne!(long, other);
        assert_eq!(QueueId::from_stored(short.stored()), short);
    }
}
