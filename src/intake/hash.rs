//! SHA-256 of evidence, block by block, and the CRC that a zip archive states for a member.
//!
//! Every block that counts towards a hash passes through [`Checks::block`], on the thread that reads it. That one call is the seam
//! where hashing could move to a thread of its own: nothing else looks at the digest before the end.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes per read where whole files are hashed.
const BLOCK_BYTES: usize = 1 << 20;

/// What is computed over the bytes of one stream as they lie in the evidence.
pub(super) struct Checks {
    digest: Sha256,
    crc: Option<(flate2::Crc, u32)>,
}

impl Checks {
    /// `crc32` is the checksum that the archive states for these bytes, if it states one.
    pub(super) fn new(crc32: Option<u32>) -> Checks {
        Checks { digest: Sha256::new(), crc: crc32.map(|stated| (flate2::Crc::new(), stated)) }
    }

    /// Takes in the next block.
    pub(super) fn block(&mut self, block: &[u8]) {
        self.digest.update(block);
        if let Some((crc, _)) = &mut self.crc {
            crc.update(block);
        }
    }

    /// Whether the bytes so far have the checksum that the archive states.
    pub(super) fn crc_holds(&self) -> bool {
        self.crc.as_ref().is_none_or(|(crc, stated)| crc.sum() == *stated)
    }

    /// The SHA-256 of all blocks.
    pub(super) fn sha256(self) -> [u8; 32] {
        self.digest.finalize().into()
    }
}

/// The SHA-256 of bytes held in memory.
pub(super) fn hash_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of a file on disk, for archives, whose bytes are not read in order when their members are.
///
/// # Errors
/// Fails if the file cannot be opened or read to its end.
pub fn hash_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut checks = Checks::new(None);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(checks.sha256()),
            Ok(read) => checks.block(block.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
