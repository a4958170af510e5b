//! Where bytes lie and how to get at them again: in a file, in memory, or inside something that must be decoded first.

use super::codec::Codec;
use super::decoder::Decoder;
use super::hash::Checks;
use super::part::{PartReader, Whole, up_to};
use super::stream::{Stream, Tap};
use crate::say::{Phrase, say};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// The place of a run of bytes in the evidence. It can be opened any number of times.
#[derive(Clone)]
pub(super) enum Stored {
    /// A file, or a part of one; without a length it goes to the file's end, wherever that is.
    Disk {
        path: Arc<Path>,
        start: u64,
        len: Option<u64>,
    },
    Memory {
        bytes: Arc<Vec<u8>>,
        start: u64,
        len: u64,
    },
    /// A part of what decoding `of` gives; reading it means decoding from the start.
    Part {
        of: Arc<Whole>,
        start: u64,
        len: u64,
    },
}

/// Stored bytes and the compressions around the wanted ones, the outermost first.
#[derive(Clone)]
pub(super) struct Layered {
    pub(super) stored: Stored,
    /// The number of stored bytes.
    pub(super) size: u64,
    /// Whether the size is an archive's word rather than the file system's.
    pub(super) is_member: bool,
    /// The checksum an archive states for the stored bytes.
    pub(super) crc32: Option<u32>,
    pub(super) layers: Vec<Codec>,
}

/// Whether the stored bytes are hashed as they are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashing {
    Yes,
    No,
}

impl Layered {
    /// Opens the decoded bytes.
    pub(super) fn open(&self, ratio_max: u64, hashing: Hashing) -> io::Result<Box<dyn Stream>> {
        let checks = (hashing == Hashing::Yes).then(|| Checks::new(self.crc32));
        let raw = self.stored.open(ratio_max)?;
        let mut stream: Box<dyn Stream> = Box::new(Tap::new(raw, self.size, self.is_member, checks));
        for &codec in &self.layers {
            stream = Box::new(Decoder::new(stream, codec, ratio_max)?);
        }
        Ok(stream)
    }
}

impl Stored {
    pub(super) fn memory(bytes: Vec<u8>) -> Stored {
        let len = bytes.len() as u64;
        Stored::Memory { bytes: Arc::new(bytes), start: 0, len }
    }

    fn open(&self, ratio_max: u64) -> io::Result<Raw> {
        match self {
            Stored::Part { of, start, len } => of.open(*start, *len, ratio_max).map(Raw::Part),
            Stored::Disk { path, start, len } => Seekable::disk(path, *start, *len).map(Raw::Direct),
            Stored::Memory { bytes, start, len } => Ok(Raw::Direct(Seekable::memory(bytes, *start, *len))),
        }
    }

    /// Opens the bytes for random access; `None` if they must be decoded.
    pub(super) fn open_seekable(&self) -> io::Result<Option<Seekable>> {
        match self {
            Stored::Disk { path, start, len } => Seekable::disk(path, *start, *len).map(Some),
            Stored::Memory { bytes, start, len } => Ok(Some(Seekable::memory(bytes, *start, *len))),
            Stored::Part { .. } => Ok(None),
        }
    }

    /// The part of these bytes from `from` on, if it can be reached without decoding.
    pub(super) fn part(&self, from: u64, part_len: u64) -> Option<Stored> {
        match self {
            Stored::Disk { path, start, .. } => {
                Some(Stored::Disk { path: Arc::clone(path), start: start.checked_add(from)?, len: Some(part_len) })
            }
            Stored::Memory { bytes, start, .. } => {
                Some(Stored::Memory { bytes: Arc::clone(bytes), start: start.checked_add(from)?, len: part_len })
            }
            Stored::Part { .. } => None,
        }
    }
}

/// Opened stored bytes.
pub(super) enum Raw {
    Direct(Seekable),
    Part(PartReader),
}

impl Raw {
    pub(super) fn troubles(&self, into: &mut Vec<Phrase>) {
        if let Raw::Part(part) = self {
            let mut outer = Vec::new();
            part.troubles(&mut outer);
            into.extend(outer.into_iter().map(|what| say!("the archive around it: {what}", what)));
        }
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Raw::Direct(seekable) => seekable.read(buffer),
            Raw::Part(part) => part.read(buffer),
        }
    }
}

enum Base {
    Disk(File),
    Memory(Arc<Vec<u8>>),
}

/// Random access to a run of bytes.
pub(super) struct Seekable {
    base: Base,
    start: u64,
    len: Option<u64>,
    at: u64,
}

impl Seekable {
    fn disk(path: &Path, start: u64, len: Option<u64>) -> io::Result<Seekable> {
        let mut file = File::open(path)?;
        if start > 0 {
            file.seek(SeekFrom::Start(start))?;
        }
        Ok(Seekable { base: Base::Disk(file), start, len, at: 0 })
    }

    fn memory(bytes: &Arc<Vec<u8>>, start: u64, len: u64) -> Seekable {
        Seekable { base: Base::Memory(Arc::clone(bytes)), start, len: Some(len), at: 0 }
    }
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len.map_or(u64::MAX, |len| len.saturating_sub(self.at));
        let buffer = up_to(buffer, left);
        let read = match &mut self.base {
            Base::Disk(file) => file.read(buffer)?,
            Base::Memory(bytes) => {
                let from = usize::try_from(self.start.saturating_add(self.at)).unwrap_or(usize::MAX);
                bytes.get(from..).unwrap_or_default().read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => match (&self.base, self.len) {
                (_, Some(len)) => len,
                (Base::Memory(bytes), None) => bytes.len() as u64,
                (Base::Disk(file), None) => file.metadata()?.len().saturating_sub(self.start),
            }
            .checked_add_signed(by),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "an offset in the archive points outside it");
        self.at = target.ok_or_else(outside)?;
        if let Base::Disk(file) = &mut self.base {
            file.seek(SeekFrom::Start(self.start.checked_add(self.at).ok_or_else(outside)?))?;
        }
        Ok(self.at)
    }
}
