//! Interned text: each distinct string of the evidence is kept once and named by a number.

use hashbrown::HashTable;
use rayon::prelude::*;
use std::hash::BuildHasher;
use std::num::NonZeroU32;

/// A string of the evidence, by number, in the [`TextPool`] it was made by.
///
/// Numbers begin at 1, so that an `Option<Text>` takes no more room than a `Text`: there are millions of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(NonZeroU32);

impl Text {
    /// The first text of any pool: a value to begin with where none is known yet.
    pub const FIRST: Text = Text(NonZeroU32::MIN);

    /// The text of this number, as [`Text::index`] gives it.
    #[must_use]
    pub fn from_index(index: usize) -> Text {
        Text::at(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn at(index: u32) -> Text {
        Text(NonZeroU32::MIN.saturating_add(index))
    }

    /// The number from 0, to index what is kept per text.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A set of distinct byte strings, numbered in the order of arrival.
///
/// The bytes stand one after another in one buffer, so that a million short strings cost a million short strings.
#[derive(Clone, Default)]
pub struct TextPool {
    bytes: Vec<u8>,
    ends: Vec<u64>,
    index: HashTable<u32>,
    /// The empty text, which many fields of many records are.
    empty: Option<Text>,
    /// Seeded anew for each pool, so that no log can be written to make its strings collide; the index is never iterated,
    /// so the seed shows nowhere.
    hasher: hashbrown::DefaultHashBuilder,
}

impl TextPool {
    /// Returns the number of `text`, adding it if it is new.
    pub fn intern(&mut self, text: &[u8]) -> Text {
        if let Some(empty) = self.empty.filter(|_| text.is_empty()) {
            return empty;
        }
        self.intern_hashed(self.hasher.hash_one(text), text)
    }

    fn intern_hashed(&mut self, hash: u64, text: &[u8]) -> Text {
        let (bytes, ends) = (&self.bytes, &self.ends);
        if let Some(&found) = self.index.find(hash, |&i| slice(bytes, ends, i) == text) {
            return Text::at(found);
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u64);
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.insert_unique(hash, number, |&i| hasher.hash_one(slice(bytes, ends, i)));
        if text.is_empty() {
            self.empty = Some(Text::at(number));
        }
        Text::at(number)
    }

    /// Adds `text` without asking whether it is known: for what hardly ever comes twice, such as message ids. It gets a number of its
    /// own and is not found by [`TextPool::find`] or [`TextPool::intern`].
    pub fn add(&mut self, text: &[u8]) -> Text {
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u64);
        Text::at(number)
    }

    /// Adds all texts of another pool; returns their numbers here, in the order of their numbers there. An empty pool becomes the other.
    pub fn absorb(&mut self, other: TextPool) -> Vec<Text> {
        if self.is_empty() {
            *self = other;
            return (0..self.len()).map(Text::from_index).collect();
        }
        let hashes: Vec<u64> = (0..other.len()).into_par_iter().map(|n| self.hasher.hash_one(other.nth(n))).collect();
        self.reserve(other.len());
        hashes.into_iter().zip(other.iter()).map(|(hash, text)| self.intern_hashed(hash, text)).collect()
    }

    /// Makes room for this many more distinct texts to be found by.
    pub fn reserve(&mut self, more: usize) {
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.reserve(more, |&i| hasher.hash_one(slice(bytes, ends, i)));
    }

    /// Returns the number of `text` if it is known.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<Text> {
        let hash = self.hasher.hash_one(text);
        self.index.find(hash, |&i| slice(&self.bytes, &self.ends, i) == text).map(|&i| Text::at(i))
    }

    /// Returns the bytes of a text of this pool.
    #[must_use]
    pub fn bytes(&self, text: Text) -> &[u8] {
        slice(&self.bytes, &self.ends, text.index() as u32)
    }

    /// Returns a text of this pool for display; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn show(&self, text: Text) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(text))
    }

    /// All texts, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|n| self.nth(n))
    }

    fn nth(&self, number: usize) -> &[u8] {
        slice(&self.bytes, &self.ends, number as u32)
    }

    /// The number of distinct texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing has been interned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[u64], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start as usize..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number_and_come_back_unchanged() {
        let mut pool = TextPool::default();
        let a = pool.intern(b"alice@u.example");
        let empty = pool.intern(b"");
        let raw = pool.intern(b"\xff\xfe");
        assert_eq!(pool.intern(b"alice@u.example"), a);
        assert_eq!(pool.bytes(empty), b"");
        assert_eq!(pool.bytes(raw), b"\xff\xfe");
        assert_eq!(pool.find(b"bob@u.example"), None);
        assert_eq!(pool.len(), 3);
    }
}
