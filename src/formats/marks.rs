//! Where quotes, brackets and the ends of cells stand in a text, found sixty-four bytes at a time, so that a walk over a record looks at
//! little else.
//!
//! Nothing here repairs: [`Marks::sound`] and [`RowMarks::sound`] say up to where a text is as its writer should have written it, and
//! what lies beyond is left to those who read byte by byte.

use wide::u8x16;

/// Bytes of a block.
const BLOCK: usize = 64;
/// Brackets of one kind differ in this bit alone.
const BRACKET_BIT: u8 = 0x20;

/// Sixty-four bytes.
struct Block([u8x16; BLOCK / 16]);

impl Block {
    #[inline]
    fn new(bytes: &[u8; BLOCK]) -> Block {
        let (lanes, _) = bytes.as_chunks::<16>();
        Block(std::array::from_fn(|n| u8x16::new(lanes.get(n).copied().unwrap_or_default())))
    }

    /// The bits of the bytes that are `byte`.
    #[inline]
    fn equal(&self, byte: u8) -> u64 {
        let wanted = u8x16::splat(byte);
        self.0.iter().rev().fold(0, |mask, lane| (mask << 16) | u64::from(lane.simd_eq(wanted).to_bitmask()))
    }

    /// The bits of the brackets of both kinds.
    #[inline]
    fn brackets(&self) -> u64 {
        let bit = u8x16::splat(BRACKET_BIT);
        let (opening, closing) = (u8x16::splat(b'{'), u8x16::splat(b'}'));
        self.0.iter().rev().fold(0, |mask, lane| {
            let lane = *lane | bit;
            (mask << 16) | u64::from((lane.simd_eq(opening) | lane.simd_eq(closing)).to_bitmask())
        })
    }
}

/// Calls `f` with each block and its number, the last one filled up with zeros, until it says that it has seen enough.
#[inline]
fn each_block(text: &[u8], mut f: impl FnMut(usize, &Block) -> bool) {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (number, block) in blocks.iter().enumerate() {
        if !f(number, &Block::new(block)) {
            return;
        }
    }
    if !rest.is_empty() {
        let mut last = [0; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        f(blocks.len(), &Block::new(&last));
    }
}

/// For each bit, whether the number of bits up to it, itself included, is odd.
#[inline]
fn parity(mut bits: u64) -> u64 {
    for step in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << step;
    }
    bits
}

/// All ones if the highest bit is set: what a parity carries over to the next block.
#[inline]
fn carried(bits: u64) -> u64 {
    0u64.wrapping_sub(bits >> 63)
}

/// The bytes behind a backslash that is not behind one itself. `carry` tells whether the last byte of the block before was such a one.
#[inline]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    let mut escaped = std::mem::take(carry);
    let mut left = backslashes & !escaped;
    while left != 0 {
        let at = left.trailing_zeros();
        if at == 63 {
            *carry = 1;
            break;
        }
        escaped |= 2 << at;
        left &= !(3 << at);
    }
    escaped
}

/// Where the first bit from `at` on stands.
#[inline]
fn first_from(words: &[u64], at: usize) -> Option<usize> {
    let mut number = at / BLOCK;
    let mut word = words.get(number)? & (u64::MAX << (at % BLOCK));
    while word == 0 {
        number += 1;
        word = *words.get(number)?;
    }
    Some(number * BLOCK + word.trailing_zeros() as usize)
}

/// How the quotes of a JSON text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// As JSON has them.
    Plain,
    /// Each twice, as in a quoted cell of a table.
    Doubled,
}

impl Quotes {
    pub(super) fn length(self) -> usize {
        match self {
            Quotes::Plain => 1,
            Quotes::Doubled => 2,
        }
    }
}

/// The marks of a JSON text.
#[derive(Default)]
pub(super) struct Marks {
    /// Quotes that begin or end a string; of doubled ones the first.
    quotes: Vec<u64>,
    /// Brackets outside of strings.
    brackets: Vec<u64>,
    /// How many bytes were read, and hold nothing that cannot stand in JSON where it stands.
    pub(super) sound: usize,
}

/// Why a walk over an object ended before the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes that were read end first.
    Short,
    /// It is no object, or one to be read byte by byte.
    Broken,
}

impl Marks {
    /// Reads a text that begins outside of strings.
    pub(super) fn read(&mut self, text: &[u8], quotes: Quotes) {
        self.quotes.clear();
        self.brackets.clear();
        self.sound = text.len();
        let (mut in_string, mut in_pair, mut escape, mut first_of_pair) = (0, 0, 0, 0);
        each_block(text, |number, block| {
            let mut found = block.equal(b'"');
            let mut unsound = 0;
            if quotes == Quotes::Doubled {
                let pairs = parity(found) ^ in_pair;
                in_pair = carried(pairs);
                let firsts = found & pairs;
                unsound = (found & !pairs) ^ ((firsts << 1) | std::mem::replace(&mut first_of_pair, firsts >> 63));
                found = firsts;
            }
            let backslashes = block.equal(b'\\');
            if backslashes | escape != 0 {
                found &= !escaped(backslashes, &mut escape);
            }
            let strings = parity(found) ^ in_string;
            in_string = carried(strings);
            unsound |= (block.equal(b'\n') & strings) | (backslashes & !strings);
            self.quotes.push(found);
            self.brackets.push(block.brackets() & !strings);
            if unsound != 0 {
                self.sound = self.sound.min(number * BLOCK + unsound.trailing_zeros() as usize);
            }
            unsound == 0
        });
    }

    /// Calls `f` with name and value, as written, of each member of the object that begins at `start`; tells where the object ends.
    /// `text` is what was read.
    #[inline]
    pub(super) fn members<'t>(
        &self,
        text: &'t [u8],
        start: usize,
        quotes: Quotes,
        mut f: impl FnMut(&'t [u8], &'t [u8]),
    ) -> Result<usize, Stop> {
        let quote = quotes.length();
        let mut at = start;
        if byte(text, at)? != b'{' {
            return Err(Stop::Broken);
        }
        at += 1;
        loop {
            at = behind_blanks(text, at);
            match byte(text, at)? {
                b'"' => {}
                b'}' => return self.soundly(at + 1),
                _ => return Err(Stop::Broken),
            }
            let name_end = self.quote_from(at + quote)?;
            let name = text.get(at + quote..name_end).ok_or(Stop::Short)?;
            at = behind_blanks(text, name_end + quote);
            if byte(text, at)? != b':' {
                return Err(Stop::Broken);
            }
            at = behind_blanks(text, at + 1);
            let end = self.value_end(text, at, quote)?;
            f(name, text.get(at..end).ok_or(Stop::Short)?);
            at = behind_blanks(text, end);
            match byte(text, at)? {
                b',' => at += 1,
                b'}' => return self.soundly(at + 1),
                _ => return Err(Stop::Broken),
            }
        }
    }

    fn soundly(&self, end: usize) -> Result<usize, Stop> {
        if end <= self.sound { Ok(end) } else { Err(Stop::Broken) }
    }

    #[inline]
    fn quote_from(&self, at: usize) -> Result<usize, Stop> {
        first_from(&self.quotes, at).ok_or(Stop::Short)
    }

    #[inline]
    fn value_end(&self, text: &[u8], at: usize, quote: usize) -> Result<usize, Stop> {
        match byte(text, at)? {
            b'"' => Ok(self.quote_from(at + quote)? + quote),
            b'{' | b'[' => self.closing(text, at),
            // Numbers and words; whatever else stands there is for those who read byte by byte.
            _ => {
                let rest = text.get(at..).unwrap_or_default();
                let length =
                    rest.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))).ok_or(Stop::Short)?;
                if length > 0 { Ok(at + length) } else { Err(Stop::Broken) }
            }
        }
    }

    /// Where what the bracket at `at` opens ends.
    #[inline]
    fn closing(&self, text: &[u8], at: usize) -> Result<usize, Stop> {
        let mut number = at / BLOCK;
        let mut word = self.brackets.get(number).ok_or(Stop::Short)? & (u64::MAX << (at % BLOCK));
        let mut depth = 0u32;
        loop {
            while word == 0 {
                number += 1;
                word = *self.brackets.get(number).ok_or(Stop::Short)?;
            }
            let place = number * BLOCK + word.trailing_zeros() as usize;
            word &= word - 1;
            match byte(text, place)? {
                b'{' | b'[' => depth += 1,
                _ if depth <= 1 => return Ok(place + 1),
                _ => depth -= 1,
            }
        }
    }
}

#[inline]
fn byte(text: &[u8], at: usize) -> Result<u8, Stop> {
    text.get(at).copied().ok_or(Stop::Short)
}

#[inline]
fn behind_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The marks of a table's rows.
#[derive(Default)]
pub(super) struct RowMarks {
    quotes: Vec<u64>,
    /// Separators and line feeds outside of quotes.
    ends: Vec<u64>,
    /// How many bytes were read, and hold no quote that opens in the middle of a cell.
    pub(super) sound: usize,
}

impl RowMarks {
    /// Reads a text that begins with a row.
    pub(super) fn read(&mut self, text: &[u8], separator: u8) {
        self.quotes.clear();
        self.ends.clear();
        self.sound = text.len();
        let (mut in_quotes, mut may_open) = (0, 1);
        each_block(text, |number, block| {
            let quotes = block.equal(b'"');
            let inside = parity(quotes) ^ in_quotes;
            in_quotes = carried(inside);
            let ends = (block.equal(separator) | block.equal(b'\n')) & !inside;
            // A quote opens a cell behind a separator, or comes second of two.
            let openers = ends | (quotes & !inside);
            let unsound = quotes & inside & !((openers << 1) | std::mem::replace(&mut may_open, openers >> 63));
            self.quotes.push(quotes);
            self.ends.push(ends);
            if unsound != 0 {
                self.sound = self.sound.min(number * BLOCK + unsound.trailing_zeros() as usize);
            }
            unsound == 0
        });
    }

    /// Where the cell that begins at `at` ends: at a separator or a line feed.
    #[inline]
    pub(super) fn end_from(&self, at: usize) -> Option<usize> {
        first_from(&self.ends, at)
    }

    /// Whether a quote stands between two places.
    #[inline]
    pub(super) fn has_quote(&self, from: usize, to: usize) -> bool {
        first_from(&self.quotes, from).is_some_and(|at| at < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::json;
    use proptest::prelude::*;

    /// Names and values.
    type Members = Vec<(Vec<u8>, Vec<u8>)>;

    /// The members of an object, and its length.
    fn walked(text: &[u8], quotes: Quotes) -> Option<(Members, usize)> {
        let mut marks = Marks::default();
        marks.read(text, quotes);
        let mut found = Vec::new();
        let end = marks.members(text, 0, quotes, |name, value| found.push((name.to_vec(), value.to_vec()))).ok()?;
        Some((found, end))
    }

    fn plain(text: &[u8]) -> Option<(Members, usize)> {
        let mut found = Vec::new();
        json::each_member(text, |name, value| found.push((name.to_vec(), value.to_vec())))?;
        Some((found, json::nested(text)?))
    }

    /// Each quote twice.
    fn doubled(text: &[u8]) -> Vec<u8> {
        text.iter().flat_map(|b| std::iter::repeat_n(*b, if *b == b'"' { 2 } else { 1 })).collect()
    }

    fn single(text: &[u8]) -> Vec<u8> {
        String::from_utf8_lossy(text).replace("\"\"", "\"").into_bytes()
    }

    const OBJECT: &str = r#"{"a":"x\"y\\","":"","b" : [1,["]"],{"c":"}{\\\""}], "d":{"e":"\\\\"},"f":null,"g":-1.5e3,"h":true}tail"#;

    #[test]
    fn members_of_every_kind_are_found_wherever_a_block_ends() {
        for shift in 0..130 {
            let text = OBJECT.replacen("x\\", &format!("{}\\", "x".repeat(shift)), 1);
            let found = plain(text.as_bytes()).unwrap();
            assert_eq!(found.0.len(), 7);
            assert_eq!(walked(text.as_bytes(), Quotes::Plain).unwrap(), found, "{text}");
            let (members, end) = walked(&doubled(text.as_bytes()), Quotes::Doubled).unwrap();
            assert_eq!(end, doubled(&text.as_bytes()[..found.1]).len());
            assert_eq!(members.into_iter().map(|(name, value)| (single(&name), single(&value))).collect::<Vec<_>>(), found.0);
        }
    }

    #[test]
    fn what_is_no_json_is_left_to_others() {
        for text in ["[1]", "{\"a\" 1}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{\"a\":\"x\ny\"}", "{\"a\":1\\\"}", "{\"a\":x\"}"] {
            assert_eq!(walked(text.as_bytes(), Quotes::Plain), None, "{text}");
        }
        for text in ["{\"a\":1}", "{\"\"a\"\":\"x\"}", "{\"\"\"a\"\":1}"] {
            assert_eq!(walked(text.as_bytes(), Quotes::Doubled), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_walk_by_marks_finds_what_a_walk_by_bytes_finds(
            bytes in prop::collection::vec(prop::sample::select(&b"{}[]\"\":,\\\n a1"[..]), 0..150), in_object in any::<bool>(),
        ) {
            let bytes = if in_object { [br#"{"a":["#, &bytes[..], br#"],"b":1}"#].concat() } else { bytes };
            if let Some(found) = walked(&bytes, Quotes::Plain) {
                prop_assert_eq!(Some(found), plain(&bytes));
            }
            if let Some((members, _)) = walked(&doubled(&bytes), Quotes::Doubled) {
                let members: Vec<_> = members.into_iter().map(|(name, value)| (single(&name), single(&value))).collect();
                prop_assert_eq!(members, plain(&bytes).unwrap().0);
            }
        }
    }
}
