//! From paths to sources: folders, archives, decompression, SHA-256, and the cutting of a source into chunks.
//!
//! Intake knows no log format. It never writes, and nothing is unpacked to disk.
//!
//! [`survey()`] lists what is there; [`Source::open`] gives the decoded bytes of one stream and hashes it in the same pass;
//! [`Chunker`] cuts those bytes where a format allows it. Damage never hides what can still be read: the bytes come first, and
//! [`Finished::damage`] says afterwards what is missing.

mod backwards;
mod chunk;
mod codec;
mod decoder;
mod encoding;
#[cfg(test)]
mod fixtures;
mod hash;
mod line_ends;
mod part;
mod rewritten;
mod sniff;
mod source;
mod stored;
mod stream;
mod survey;
mod tar;
#[cfg(test)]
mod tests;
mod walk;
mod zip;

pub use chunk::{CHUNK_BYTES, Chunker, Cut, Cutter, LINE_BYTES_MAX, OwnedChunk, Rows};
pub use hash::hash_file;
pub use source::{Finished, IntakeError, MemberZone, Source, SourceReader, TimeHints};
pub use survey::{FileOnDisk, Problem, Survey, survey};

/// Guards against archives made to exhaust the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Decoded bytes per encoded byte, once a stream has given more than 16 MiB.
    pub ratio_max: u64,
    /// Decoded bytes of all sources together; the listing of compressed archives may decode as much once more.
    pub total_bytes_max: u64,
    /// How deep archives may nest: with 1 archives are opened, with 2 archives in archives too, and so on. As many compressions, and
    /// one more, may lie around a single log.
    pub depth_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { ratio_max: 1000, total_bytes_max: 1 << 40, depth_max: 4 }
    }
}
