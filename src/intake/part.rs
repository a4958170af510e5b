//! Members of compressed archives, which can be reached only by decoding the archive from its start.
//!
//! A decoder that has done with one member is set aside for the next one behind it. Without that, reading the members of a large
//! `tar.gz` one after another would take time by the square of its size.

use super::stored::{Hashing, Layered};
use super::stream::Stream;
use crate::say::Phrase;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes per read where what comes before a member is passed over.
const SKIP_BYTES: usize = 256 << 10;
/// Decoders set aside for one archive: a few threads, each with its own. An xz decoder can hold 64 MiB.
const PARKED_MAX: usize = 4;

/// Something compressed of which parts are read.
pub(super) struct Whole {
    content: Layered,
    parked: Mutex<Vec<Parked>>,
    parked_max: usize,
}

/// A decoder and the number of bytes it has given.
struct Parked {
    at: u64,
    stream: Box<dyn Stream>,
}

impl Whole {
    /// An archive with many members.
    pub(super) fn of_many(content: Layered) -> Arc<Whole> {
        Arc::new(Whole { content, parked: Mutex::default(), parked_max: PARKED_MAX })
    }

    /// Compressed data that is one member.
    pub(super) fn of_one(content: Layered) -> Arc<Whole> {
        Arc::new(Whole { content, parked: Mutex::default(), parked_max: 0 })
    }

    /// Opens the decoded bytes from `start` on, `len` of them.
    pub(super) fn open(self: &Arc<Whole>, start: u64, len: u64, ratio_max: u64) -> io::Result<PartReader> {
        let Parked { at, stream } = match self.unpark(start) {
            Some(parked) => parked,
            None => Parked { at: 0, stream: self.content.open(ratio_max, Hashing::No)? },
        };
        Ok(PartReader { stream: Some(stream), whole: Arc::clone(self), at, start, end: start.saturating_add(len) })
    }

    /// The decoder that has come the farthest without being past `start`.
    fn unpark(&self, start: u64) -> Option<Parked> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let best = parked.iter().enumerate().filter(|(_, p)| p.at <= start).max_by_key(|(_, p)| p.at).map(|(i, _)| i)?;
        Some(parked.swap_remove(best))
    }

    fn park(&self, at: u64, stream: Box<dyn Stream>) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.push(Parked { at, stream });
        if parked.len() > self.parked_max {
            let first = parked.iter().enumerate().min_by_key(|(_, p)| p.at).map(|(i, _)| i);
            first.map(|first| parked.swap_remove(first));
        }
    }
}

/// The bytes of one member.
pub(super) struct PartReader {
    /// Absent only while it is dropped.
    stream: Option<Box<dyn Stream>>,
    whole: Arc<Whole>,
    /// Where the decoder is, and where the member begins and ends.
    at: u64,
    start: u64,
    end: u64,
}

impl PartReader {
    pub(super) fn troubles(&self, into: &mut Vec<Phrase>) {
        if let Some(stream) = &self.stream {
            stream.troubles(into);
        }
    }
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        if self.at < self.start {
            let mut block = vec![0; SKIP_BYTES];
            while self.at < self.start {
                match stream.read(up_to(&mut block, self.start - self.at))? {
                    0 => return Ok(0),
                    read => self.at += read as u64,
                }
            }
        }
        let read = stream.read(up_to(buffer, self.end.saturating_sub(self.at)))?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Drop for PartReader {
    fn drop(&mut self) {
        let mut troubles = Vec::new();
        self.troubles(&mut troubles);
        if let (Some(stream), true) = (self.stream.take(), troubles.is_empty()) {
            self.whole.park(self.at, stream);
        }
    }
}

/// The first `most` bytes of a buffer, or all of a shorter one.
pub(super) fn up_to(buffer: &mut [u8], most: u64) -> &mut [u8] {
    let len = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
    buffer.split_at_mut(len).0
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{gz, lines};
    use super::super::stored::Stored;
    use super::*;

    fn whole(content: &[u8]) -> Arc<Whole> {
        let stored = Stored::memory(gz(content));
        let Stored::Memory { len: size, .. } = stored else { unreachable!() };
        Whole::of_many(Layered { stored, size, is_member: false, crc32: None, layers: vec![super::super::codec::Codec::Gzip] })
    }

    fn part(whole: &Arc<Whole>, start: usize, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        whole.open(start as u64, len as u64, 1000).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn parts_read_in_any_order_are_the_same_bytes() {
        let content = lines(500_000);
        let whole = whole(&content);
        for (start, len) in [(0, 10), (100_000, 50_000), (10, 5), (150_000, 350_000), (0, 500_000), (3, 3), (499_999, 1)] {
            assert_eq!(part(&whole, start, len), &content[start..start + len], "{start}");
        }
    }

    #[test]
    fn the_next_member_goes_on_where_the_last_one_ended() {
        let content = lines(500_000);
        let whole = whole(&content);
        part(&whole, 0, 200_000);
        let next = whole.open(200_000, 10, 1000).unwrap();
        assert_eq!(next.at, 200_000);
        // A second reader at the same time has to begin anew.
        assert_eq!(whole.open(200_000, 10, 1000).unwrap().at, 0);
    }
}
