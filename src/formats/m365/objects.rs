//! Objects read in one walk by their marks, and names of members looked up once for all records of a piece.
//!
//! What this does not read, because it is damaged or strange, [`Record::of_json`] reads byte by byte; the two agree on all the rest.

use super::fields::Field;
use super::record::Record;
use super::table;
use crate::formats::json;
use crate::formats::marks::{Marks, Quotes, Stop};
use bumpalo::Bump;

/// Bytes whose marks are read at once; the marks of so many stay in the processor's nearest cache.
const WINDOW_BYTES: usize = 64 << 10;
/// So many at first, and again where a record could not be read.
const FIRST_WINDOW_BYTES: usize = 4 << 10;

/// Reads the objects of one piece.
pub(super) struct Objects<'a> {
    scratch: &'a Bump,
    names: Names<'a>,
    marks: Marks,
    /// The text whose marks these are, and how many bytes of the piece there were from its beginning on.
    window: &'a [u8],
    left: usize,
    window_bytes: usize,
}

impl<'a> Objects<'a> {
    pub(super) fn new(scratch: &'a Bump) -> Objects<'a> {
        let marks = Marks::default();
        Objects { scratch, names: Names::default(), marks, window: b"", left: 0, window_bytes: FIRST_WINDOW_BYTES }
    }

    /// Reads the object at the beginning of `text`, which is the rest of the piece; with its length.
    pub(super) fn read(&mut self, text: &'a [u8]) -> Option<(Record<'a>, usize)> {
        if let Some(start) = self.left.checked_sub(text.len()).filter(|start| *start < self.window.len())
            && let Ok((record, end)) = self.object(start, Quotes::Plain)
        {
            return Some((record, end - start));
        }
        let mut bytes = self.window_bytes;
        loop {
            self.window = text.get(..bytes).unwrap_or(text);
            self.left = text.len();
            self.marks.read(self.window, Quotes::Plain);
            match self.object(0, Quotes::Plain) {
                Ok(found) => {
                    self.window_bytes = (bytes * 4).min(WINDOW_BYTES);
                    return Some(found);
                }
                Err(Stop::Short) if self.marks.sound == self.window.len() && bytes < text.len() => bytes = bytes.saturating_mul(2),
                Err(_) => {
                    self.window = b"";
                    self.window_bytes = FIRST_WINDOW_BYTES;
                    return None;
                }
            }
        }
    }

    /// Reads the object in a cell of a table, as it is written there, each quote twice.
    pub(super) fn in_cell(&mut self, cell: &'a [u8]) -> Option<Record<'a>> {
        self.window = cell.trim_ascii_start();
        // No text that is read later lies in this window.
        self.left = 0;
        self.marks.read(self.window, Quotes::Doubled);
        self.object(0, Quotes::Doubled).ok().map(|(record, _)| record)
    }

    /// Reads an object that is a value in another one; by the marks of that one, where it was read by them.
    pub(super) fn inner(&mut self, text: &'a [u8]) -> Option<Record<'a>> {
        // Of a cell, whose quotes stand twice, nothing is left to be read.
        if self.left > 0
            && let Some(start) = place_within(self.window, text)
            && let Ok((record, end)) = self.object(start, Quotes::Plain)
            && end - start == text.len()
        {
            return Some(record);
        }
        Record::of_json(text, self.scratch)
    }

    fn object(&mut self, start: usize, quotes: Quotes) -> Result<(Record<'a>, usize), Stop> {
        let Objects { scratch, names, marks, window, .. } = self;
        let (scratch, window): (&'a Bump, &'a [u8]) = (scratch, window);
        let mut record = Record::EMPTY;
        let end = marks.members(window, start, quotes, |name, raw| {
            if let Some(field) = names.field(name) {
                let text = match quotes {
                    Quotes::Plain => json::text(raw, scratch),
                    Quotes::Doubled => text_in_cell(raw, scratch),
                };
                record.put(field, text);
            }
        })?;
        Ok((record, end))
    }
}

/// Where `part` begins in `whole`, if it is a part of it and not another text.
fn place_within(whole: &[u8], part: &[u8]) -> Option<usize> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (start.checked_add(part.len())? <= whole.len()).then_some(start)
}

/// The text of a value as [`json::text`] gives it, of a value in a cell.
fn text_in_cell<'a>(raw: &'a [u8], scratch: &'a Bump) -> &'a [u8] {
    match raw {
        // Without escapes no quote stands before the closing one.
        [b'"', b'"', inner @ .., b'"', b'"'] if memchr::memchr(b'\\', inner).is_none() => inner,
        [b'"' | b'{' | b'[', ..] => json::text(table::undouble(raw, scratch), scratch),
        _ => json::text(raw, scratch),
    }
}

/// What names of members stand for, by the names seen last. Records of one export have few names.
struct Names<'a> {
    /// Two names each, the one looked up later first.
    slots: Vec<[(&'a [u8], Option<Field>); 2]>,
}

/// Some more than the records of all kinds in one export have names.
const SLOTS: usize = 512;

impl Default for Names<'_> {
    fn default() -> Self {
        // No object has a member without a name that is a field, so that the empty slots are right.
        Names { slots: vec![[(&b""[..], None); 2]; SLOTS] }
    }
}

impl<'a> Names<'a> {
    #[inline]
    fn field(&mut self, name: &'a [u8]) -> Option<Field> {
        let [first, second] = self.slots.get_mut(slot_of(name))?;
        if first.0 == name {
            return first.1;
        }
        if second.0 != name {
            (*second, *first) = (*first, (name, Field::of(name)));
            return first.1;
        }
        second.1
    }
}

/// By length and the bytes at both ends.
#[inline]
fn slot_of(name: &[u8]) -> usize {
    let ends = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(head), Some(tail)) => u64::from_le_bytes(*head).rotate_left(29) ^ u64::from_le_bytes(*tail),
        _ => name.iter().fold(0, |ends, b| (ends << 8) | u64::from(*b)),
    };
    let mixed = (ends ^ (name.len() as u64) << 58).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 55) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(record: &Record<'_>) -> Vec<String> {
        let fields = [Field::Id, Field::UserName, Field::Status, Field::Location, Field::Ip, Field::Code];
        fields.iter().map(|field| record.get(*field).map_or("-".to_owned(), |text| String::from_utf8_lossy(text).into_owned())).collect()
    }

    /// Sign-ins of ten kinds, one of them damaged.
    fn sign_ins(padding: usize) -> Vec<String> {
        let padding = "x".repeat(padding);
        (0..10)
            .map(|n| match n {
                4 => format!(r#"{{"id":"{n}","userPrincipalName":"cut{padding}"#),
                7 => format!(r#"{{"id":"{n}" "status":1,"userAgent":"{padding}"}}"#),
                _ => format!(
                    r#"{{ "id" : "{n}","userAgent":"{padding}","UserPrincipalName":"a\u0041{n}@u.example","status":{{"errorCode":{n}}},"ipAddress":null}}"#
                ),
            })
            .collect()
    }

    #[test]
    fn objects_are_read_as_byte_by_byte_wherever_a_window_ends() {
        for padding in [0, 10, 400, 3000, FIRST_WINDOW_BYTES, WINDOW_BYTES] {
            let scratch = Bump::new();
            let texts = sign_ins(padding);
            let piece = scratch.alloc_str(&texts.join("\n")).as_bytes();
            let mut objects = Objects::new(&scratch);
            let mut start = 0;
            for (n, text) in texts.iter().enumerate() {
                let found = objects.read(&piece[start..]);
                assert_eq!(found.is_some(), n != 4 && n != 7, "{n} {padding}");
                if let Some((record, length)) = found {
                    assert_eq!(length, text.len());
                    let slow = Record::of_json(&piece[start..start + length], &scratch).unwrap();
                    assert_eq!(shown(&record), shown(&slow));
                }
                start += text.len() + 1;
            }
        }
    }

    #[test]
    fn an_object_in_an_object_is_read_as_byte_by_byte() {
        let inner = r#"{ "id" : "1","userPrincipalName":"a\u0041@u.example","status":{"errorCode":0},"location":{"city":"}"}}"#;
        let outer = format!(r#"{{"time":"x","properties": {inner} ,"category":"y"}}"#);
        let in_text = format!(r#"{{"properties":"{}"}}"#, inner.replace('\\', "\\\\").replace('"', "\\\""));
        for text in [outer.as_str(), &in_text] {
            let scratch = Bump::new();
            let mut objects = Objects::new(&scratch);
            let (record, _) = objects.read(scratch.alloc_str(text).as_bytes()).unwrap();
            let found = objects.inner(record.get(Field::Properties).unwrap()).unwrap();
            assert_eq!(shown(&found), shown(&Record::of_json(inner.as_bytes(), &scratch).unwrap()));
            assert!(objects.inner(b"{\"id\":\"cut").is_none());
        }
    }

    #[test]
    fn an_object_in_a_cell_is_read_without_taking_the_cell_apart() {
        let scratch = Bump::new();
        let text = r#" {"Id":"a\"b","UserName":"x","Status":[{"k":"v\\"}],"IpAddress":"","ErrorCode":0,"Other":{"n":"q"}}"#;
        let cell = scratch.alloc_str(&text.replace('"', "\"\"")).as_bytes();
        let slow = Record::of_json(text.as_bytes(), &scratch).unwrap();
        let mut objects = Objects::new(&scratch);
        assert_eq!(shown(&objects.in_cell(cell).unwrap()), shown(&slow));
        assert!(objects.in_cell(b"{\"\"Id\"\":\"\"cut").is_none());
    }

    #[test]
    fn a_name_that_takes_the_place_of_another_is_looked_up_again() {
        let names: Vec<String> = (0..2000).map(|n| format!("name{n}")).chain(["id".to_owned(), "userPrincipalName".to_owned()]).collect();
        let mut cache = Names::default();
        for name in names.iter().chain(&names) {
            assert_eq!(cache.field(name.as_bytes()), Field::of(name.as_bytes()), "{name}");
        }
        assert_eq!(cache.field(b""), Field::of(b""));
    }
}
