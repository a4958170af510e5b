//! Where packed lives lie: a few big blocks that all shards share, in the order of time.
//!
//! Messages are settled in the order of time, so the blocks empty one after another while rows are made of what is in them. A block is
//! so big that the allocator takes it from the system by itself and gives it back as soon as it is dropped (glibc does so from 32 MiB
//! on, whatever it has learned); small ones stay with the process, in holes between others that are still needed. The part of a block
//! that nothing was written to takes no memory.

/// Bytes of a block; what does not fit into one at once gets a bigger one of its own.
const BLOCK_BYTES: usize = 34 << 20;

/// A place in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) block: u32,
    pub(super) start: u32,
}

#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Lives in it that may still be asked for.
    lives: u32,
}

/// The packed lives of all shards.
#[derive(Default)]
pub(super) struct Store {
    blocks: Vec<Block>,
}

impl Store {
    /// Appends the bytes of some lives and tells where they begin.
    pub(super) fn append(&mut self, bytes: &[u8], lives: u32) -> Position {
        let is_full = |block: &Block| block.lives > 0 && block.bytes.len() + bytes.len() > block.bytes.capacity();
        if self.blocks.last().is_none_or(|block| block.bytes.capacity() == 0 || is_full(block)) {
            self.blocks.push(Block { bytes: Vec::with_capacity(BLOCK_BYTES.max(bytes.len())), lives: 0 });
        }
        let block = self.blocks.len() as u32 - 1;
        let mut start = 0;
        if let Some(last) = self.blocks.last_mut() {
            start = last.bytes.len() as u32;
            last.bytes.extend_from_slice(bytes);
            last.lives += lives;
        }
        Position { block, start }
    }

    /// What stands from a place on; `None` if it was released.
    pub(super) fn bytes(&self, position: Position) -> Option<&[u8]> {
        self.blocks.get(position.block as usize)?.bytes.get(position.start as usize..).filter(|bytes| !bytes.is_empty())
    }

    /// Says that one life of this block will not be asked for again.
    pub(super) fn release(&mut self, block: u32) {
        let Some(block) = self.blocks.get_mut(block as usize) else { return };
        block.lives = block.lives.saturating_sub(1);
        if block.lives == 0 {
            block.bytes = Vec::new();
        }
    }

    /// Bytes held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_with_the_last_of_its_lives_and_none_before() {
        let mut store = Store::default();
        let lives = vec![7; BLOCK_BYTES / 2 - 1];
        let places: Vec<Position> = (0..3).map(|_| store.append(&lives, 2)).collect();
        assert_eq!(places.iter().map(|p| p.block).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(store.bytes(places[1]).map(<[u8]>::len), Some(lives.len()));
        (0..3).for_each(|_| store.release(0));
        assert_eq!(store.held(), 3 * lives.len());
        store.release(0);
        assert_eq!(store.held(), lives.len());
        assert_eq!(store.bytes(places[0]), None);
        let big = store.append(&vec![1; BLOCK_BYTES + 1], 1);
        assert_eq!((big.block, store.bytes(big).map(<[u8]>::len)), (2, Some(BLOCK_BYTES + 1)));
    }
}
