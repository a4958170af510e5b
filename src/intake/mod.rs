//! From paths to sources: folders, archives, decompression, SHA-256, and the cutting of a source into chunks.
//!
//! Intake knows no log format. It never writes, and nothing is unpacked to disk.

/// Guards against archives made to exhaust the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Decoded bytes per encoded byte, once a stream has given more than a few MiB.
    pub ratio_max: u64,
    /// Decoded bytes of all sources together.
    pub total_bytes_max: u64,
    /// Archives inside archives.
    pub depth_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { ratio_max: 1000, total_bytes_max: 1 << 40, depth_max: 4 }
    }
}
