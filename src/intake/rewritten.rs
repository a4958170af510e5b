//! Bytes of a source that were rewritten and wait to be read.

/// What a rewriter has made of the bytes it took in.
#[derive(Default)]
pub(super) struct Rewritten {
    bytes: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Rewritten {
    /// Where more is to be put, before anything is given again; `ended` says that it is the last.
    pub(super) fn more(&mut self, ended: bool) -> &mut Vec<u8> {
        self.ended = ended;
        self.bytes.drain(..self.given);
        self.given = 0;
        &mut self.bytes
    }

    /// Gives bytes out; 0 where more must be put in first.
    pub(super) fn give(&mut self, buffer: &mut [u8]) -> usize {
        let ready = self.bytes.get(self.given..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        buffer.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
        self.given += count;
        count
    }

    /// Whether the source has ended, so that nothing more will come.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }
}
