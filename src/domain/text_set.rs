//! Sets of texts that may hold millions of them.

use super::text::Text;
use hashbrown::HashSet;

/// A set of texts of one pool: a table while it is small, one bit for each text of the pool once that takes less room.
#[derive(Clone, Debug)]
pub(crate) struct TextSet {
    /// How many texts the pool has.
    pool: usize,
    members: Members,
}

#[derive(Clone, Debug)]
enum Members {
    Few(HashSet<Text>),
    Many(Vec<u64>),
}

/// Bits of a word.
const WORD: usize = u64::BITS as usize;
/// Members from which a table takes more room than a bit for each text, as a share of the pool.
const SHARE: usize = 64;
/// Below this many members a table is small, whatever the pool.
const FEW: usize = 256;

impl TextSet {
    /// An empty set of texts of a pool with so many texts.
    pub(crate) fn new(pool: usize) -> TextSet {
        TextSet { pool, members: Members::Few(HashSet::new()) }
    }

    /// Adds a text; false if it is in the set already.
    pub(crate) fn insert(&mut self, text: Text) -> bool {
        match &mut self.members {
            Members::Few(few) => {
                let new = few.insert(text);
                if few.len() > FEW.max(self.pool / SHARE) {
                    self.members = Members::Many(spread(few, self.pool));
                }
                new
            }
            Members::Many(words) => {
                let (at, bit) = place(text);
                if at >= words.len() {
                    words.resize(at + 1, 0);
                }
                let Some(word) = words.get_mut(at) else { return false };
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
        }
    }

    pub(crate) fn contains(&self, text: Text) -> bool {
        match &self.members {
            Members::Few(few) => few.contains(&text),
            Members::Many(words) => {
                let (at, bit) = place(text);
                words.get(at).is_some_and(|word| word & bit != 0)
            }
        }
    }
}

/// The word and the bit of a text.
fn place(text: Text) -> (usize, u64) {
    (text.index() / WORD, 1 << (text.index() % WORD))
}

fn spread(few: &HashSet<Text>, pool: usize) -> Vec<u64> {
    let mut words = vec![0u64; pool.div_ceil(WORD)];
    for (at, bit) in few.iter().map(|text| place(*text)) {
        if let Some(word) = words.get_mut(at) {
            *word |= bit;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds_what_a_plain_set_holds(pool in 1usize..2000, numbers in proptest::collection::vec(0usize..4000, 0..3000)) {
            let (mut set, mut plain) = (TextSet::new(pool), HashSet::new());
            for number in numbers.iter().map(|n| n % pool) {
                prop_assert_eq!(set.insert(Text::from_index(number)), plain.insert(number));
            }
            for number in 0..pool {
                prop_assert_eq!(set.contains(Text::from_index(number)), plain.contains(&number));
            }
        }
    }
}
