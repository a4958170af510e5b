//! The bottom of every stream: bytes as they lie in the evidence, counted and hashed as they pass.

use super::hash::Checks;
use super::stored::Raw;
use crate::say::{Phrase, say};
use std::io::{self, Read};

/// A stream of bytes that never fails: what goes wrong ends it, and is told by [`Stream::troubles`].
pub(super) trait Stream: Read + Send {
    /// Bytes that came in so far, as they lie in the evidence.
    fn encoded_bytes(&self) -> u64;

    /// Adds what went wrong so far, the innermost first.
    fn troubles(&self, into: &mut Vec<Phrase>);

    /// Reads on below the decoders to the end of the evidence, and gives the SHA-256 of the whole if it could be read and hashing
    /// was asked for.
    fn drain(&mut self) -> Option<[u8; 32]>;
}

/// Bytes per read where the rest of a stream is only hashed.
const DRAIN_BYTES: usize = 256 << 10;

/// Counts and hashes what is read of [`Raw`] bytes.
pub(super) struct Tap {
    raw: Raw,
    checks: Option<Checks>,
    read: u64,
    /// How many bytes there must be, by the archive's own account or by the size when the file was listed.
    listed: u64,
    /// A file may have grown since it was listed; a member that is short has lost its end.
    is_member: bool,
    trouble: Option<Phrase>,
    ended: bool,
}

impl Tap {
    pub(super) fn new(raw: Raw, listed: u64, is_member: bool, checks: Option<Checks>) -> Tap {
        Tap { raw, checks, read: 0, listed, is_member, trouble: None, ended: false }
    }

    fn end(&mut self) {
        self.ended = true;
        let (read, listed) = (self.read, self.listed);
        if read < listed && self.is_member {
            self.trouble = Some(say!("it ends after {read} of {listed} bytes", read, listed));
        } else if read > listed && self.is_member {
            self.trouble = Some(say!("it has {read} bytes where the archive's list says {listed}", read, listed));
        } else if read != listed {
            self.trouble = Some(say!("the file changed while it was read: {listed} bytes when listed, {read} when read", listed, read));
        } else if !self.checks.as_ref().is_none_or(Checks::crc_holds) {
            self.trouble = Some(say!("its content does not match the checksum in the archive"));
        }
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            match self.raw.read(buffer) {
                Ok(0) => self.end(),
                Ok(read) => {
                    self.read += read as u64;
                    if let Some(checks) = &mut self.checks {
                        checks.block(buffer.get(..read).unwrap_or_default());
                    }
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.checks = None;
                    self.trouble = Some(say!("it cannot be read past byte {n}: {error}", n = self.read, error = error.to_string()));
                }
            }
        }
        Ok(0)
    }
}

impl Stream for Tap {
    fn encoded_bytes(&self) -> u64 {
        self.read
    }

    fn troubles(&self, into: &mut Vec<Phrase>) {
        self.raw.troubles(into);
        into.extend(self.trouble.clone());
    }

    fn drain(&mut self) -> Option<[u8; 32]> {
        let mut block = vec![0; DRAIN_BYTES];
        while self.read(&mut block).unwrap_or(0) > 0 {}
        let lost_its_end = self.is_member && self.read < self.listed;
        self.checks.take().filter(|_| !lost_its_end).map(Checks::sha256)
    }
}
