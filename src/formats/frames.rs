//! Where records begin in a stream of JSON values, in every shape in which tools write them: one array, pages `{"value":[…]}`,
//! envelopes `{"records":[…]}`, lines, values one after another with or without commas, printed over many lines or not.
//!
//! A record is an object that stands in nothing but arrays and envelopes. [`cutter`] finds places to cut a long stream at;
//! [`each`] gives the records of a piece that begins with one, or with the stream.

use super::json;
use memchr::{memchr, memchr3};

/// The members of an envelope that hold its records.
const HOLDERS: [&[u8]; 4] = [b"value", b"records", b"Records", b"items"];
/// The member of a page that names the next one.
const NEXT_PAGE: &[u8] = b"nextLink";
/// How far the head of an envelope is looked through before it is taken for a record.
const HEAD_BYTES_MAX: usize = 4096;
/// Above that many bytes an unfinished record is looked for by the next line that begins one.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// What stands in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// An object begins here. Who reads it by itself tells its length; to others it comes as [`Frame::Record`].
    Begin(&'a [u8]),
    /// An object, as written.
    Record(&'a [u8]),
    /// A page that says there is another one.
    NextPage,
    /// Something that is no value, or a record that is cut off.
    Broken(&'a [u8]),
}

/// What an object in the place of a record is.
enum Head {
    Record,
    /// Its records begin after this many bytes; the second says whether a next page was named before them.
    Envelope(usize, bool),
    /// It takes more bytes to tell.
    Unknown,
}

/// Tells an envelope from a record by its first members.
fn head(text: &[u8]) -> Head {
    let mut rest = text.get(1..).unwrap_or_default();
    let mut next_page = false;
    let mut first = true;
    loop {
        rest = rest.trim_ascii_start();
        let Some(opening) = rest.first() else { return unknown(text) };
        if *opening != b'"' {
            return Head::Record;
        }
        let Some(length) = json::raw_string(rest) else { return unknown(text) };
        let key = rest.get(1..length - 1).unwrap_or_default();
        if first && !key.starts_with(b"@odata.") && !HOLDERS.contains(&key) && !key.ends_with(NEXT_PAGE) {
            return Head::Record;
        }
        first = false;
        let Some(after) = rest.get(length..).map(<[u8]>::trim_ascii_start).filter(|after| !after.is_empty()) else {
            return unknown(text);
        };
        let Some(value) = after.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else { return Head::Record };
        match value.first() {
            None => return unknown(text),
            Some(b'[') if HOLDERS.contains(&key) => return Head::Envelope(text.len() - value.len() + 1, next_page),
            Some(b'[' | b'{') => return Head::Record,
            Some(_) => {}
        }
        next_page |= key.ends_with(NEXT_PAGE);
        let Some(length) = json::scalar(value) else { return unknown(text) };
        rest = value.get(length..).unwrap_or_default().trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest);
    }
}

fn unknown(text: &[u8]) -> Head {
    if text.len() > HEAD_BYTES_MAX { Head::Record } else { Head::Unknown }
}

/// Makes what tells a long stream's places to cut.
pub(super) fn cutter() -> super::Cutter {
    let mut walker = Walker::default();
    Box::new(move |bytes| {
        let found = walker.last_record(bytes);
        let to_the_end = walker.at + found.unwrap_or_default() == bytes.len();
        (found, to_the_end && walker.is_open())
    })
}

/// A level of nesting above the records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Array,
    /// An envelope and the array in it: two brackets.
    Envelope,
}

/// Walks over a stream once, as it comes in.
#[derive(Default)]
struct Walker {
    /// How far the bytes at hand were walked over.
    at: usize,
    levels: Vec<Level>,
    /// Open brackets inside the record or envelope at hand.
    depth: usize,
    in_string: bool,
    /// Behind the records of an envelope, before its closing bracket.
    in_tail: bool,
    /// The last byte that was no blank.
    last: u8,
    line_start: bool,
}

impl Walker {
    fn last_record(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.at > bytes.len() {
            *self = Walker::default();
        }
        let mut found = None;
        while let Some(&byte) = bytes.get(self.at) {
            if self.in_string {
                if !self.string(bytes) {
                    break;
                }
                continue;
            }
            let begins_line = std::mem::replace(&mut self.line_start, byte == b'\n');
            if byte == b'{' {
                // Nothing but a record that lost its end is followed by an object without a comma.
                if self.depth > 0 && begins_line && !matches!(self.last, b',' | b':' | b'[') {
                    self.depth = 0;
                }
                if self.depth == 0 && !self.in_tail {
                    match head(bytes.get(self.at..).unwrap_or_default()) {
                        Head::Unknown => {
                            self.line_start = begins_line;
                            break;
                        }
                        Head::Envelope(length, _) => {
                            self.levels.push(Level::Envelope);
                            self.at += length;
                            self.last = b'[';
                            continue;
                        }
                        Head::Record => {
                            if self.levels.is_empty() {
                                self.at = last_line(bytes, self.at);
                            }
                            if self.at > 0 {
                                found = Some(self.at);
                            }
                        }
                    }
                }
            }
            self.step(byte);
            self.at += 1;
        }
        if let Some(cut) = found {
            self.at -= cut;
        }
        found
    }

    /// Whether the bytes walked over end outside of records, in an array or an envelope. A record that breaks off tells so itself.
    fn is_open(&self) -> bool {
        !self.levels.is_empty() && self.depth == 0 && !self.in_string
    }

    /// Walks to the end of a string; false where the bytes end first.
    fn string(&mut self, bytes: &[u8]) -> bool {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let Some(next) = memchr3(b'"', b'\\', b'\n', rest) else {
            self.at = bytes.len();
            return false;
        };
        match rest.get(next) {
            Some(b'\\') if rest.len() < next + 2 => {
                self.at += next;
                return false;
            }
            Some(b'\\') => self.at += next + 2,
            Some(b'"') => {
                self.in_string = false;
                self.last = b'"';
                self.at += next + 1;
            }
            // A line feed cannot stand in a string: the record lost its end.
            _ => {
                self.in_string = false;
                self.at += next;
            }
        }
        true
    }

    fn step(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return,
            b'"' => self.in_string = true,
            b'[' if self.depth == 0 && !self.in_tail => self.levels.push(Level::Array),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b']' => match self.levels.last() {
                Some(Level::Array) => {
                    self.levels.pop();
                }
                Some(Level::Envelope) => self.in_tail = true,
                None => {}
            },
            b'}' if self.in_tail => {
                self.in_tail = false;
                self.levels.pop();
            }
            _ => {}
        }
        self.last = byte;
    }
}

/// The last of the lines from the one at `at` on that follow one another with a record and nothing else on each: what is in those before
/// it need not be walked over.
fn last_line(bytes: &[u8], at: usize) -> usize {
    let mut last = at;
    while let Some(end) = bytes.get(last..).and_then(|rest| memchr(b'\n', rest)).map(|length| last + length) {
        let line = bytes.get(last..end).unwrap_or_default();
        let next = bytes.get(end + 1..).unwrap_or_default();
        let is_whole = line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"}");
        if !is_whole || !next.starts_with(b"{") || !matches!(head(next), Head::Record) {
            break;
        }
        last = end + 1;
    }
    last
}

/// Gives what stands in a piece of a stream, in its order; of a record only the whole.
pub(super) fn each<'a>(bytes: &'a [u8], mut f: impl FnMut(Frame<'a>)) {
    each_or_its_begin(bytes, |frame| {
        if !matches!(frame, Frame::Begin(_)) {
            f(frame);
        }
        None
    });
}

/// Gives what stands in a piece of a stream, in its order. `f` may answer [`Frame::Begin`] with the length of the record, which is then
/// done with.
pub(super) fn each_or_its_begin<'a>(bytes: &'a [u8], mut f: impl FnMut(Frame<'a>) -> Option<usize>) {
    let mut rest = bytes;
    loop {
        let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b'[' | b']' | b'}' | 0x1e | 0xef | 0xbb | 0xbf);
        let start = rest.iter().position(|b| !blank(b)).unwrap_or(rest.len());
        rest = rest.get(start..).unwrap_or_default();
        match rest.first() {
            None => return,
            Some(b'{') => rest = object(rest, &mut f),
            Some(b'"') => rest = member(rest, &mut f),
            Some(_) => {
                let end = rest.iter().position(|b| matches!(b, b'\n' | b'{' | b'[' | b',' | b']' | b'}')).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.trim_ascii() != b"null" {
                    f(Frame::Broken(word));
                }
                rest = after;
            }
        }
    }
}

fn object<'a>(text: &'a [u8], f: &mut impl FnMut(Frame<'a>) -> Option<usize>) -> &'a [u8] {
    if let Head::Envelope(length, next_page) = head(text) {
        if next_page {
            f(Frame::NextPage);
        }
        return text.get(length..).unwrap_or_default();
    }
    if let Some(rest) = f(Frame::Begin(text)).and_then(|length| text.get(length..)) {
        return rest;
    }
    if let Some(length) = json::nested(text) {
        let (record, rest) = text.split_at(length);
        f(Frame::Record(record));
        return rest;
    }
    let within = text.get(..text.len().min(RECORD_BYTES_MAX)).unwrap_or(text);
    let end = memchr::memmem::find(within.get(1..).unwrap_or_default(), b"\n{").map_or(text.len(), |at| at + 2);
    let (broken, rest) = text.split_at(end);
    f(Frame::Broken(broken));
    rest
}

/// A member of an envelope behind its records.
fn member<'a>(text: &'a [u8], f: &mut impl FnMut(Frame<'a>) -> Option<usize>) -> &'a [u8] {
    let broken = |f: &mut dyn FnMut(Frame<'a>) -> Option<usize>| {
        let (line, rest) = text.split_at(memchr(b'\n', text).map_or(text.len(), |at| at + 1));
        f(Frame::Broken(line));
        rest
    };
    let Some(length) = json::raw_string(text) else { return broken(f) };
    let key = text.get(1..length - 1).unwrap_or_default();
    let Some(value) = text.get(length..).and_then(|after| after.trim_ascii_start().strip_prefix(b":")).map(<[u8]>::trim_ascii_start) else {
        return broken(f);
    };
    let length = match value.first() {
        Some(b'{' | b'[') => json::nested(value),
        _ => json::scalar(value),
    };
    let Some(length) = length else { return broken(f) };
    if key.ends_with(NEXT_PAGE) && value.starts_with(b"\"") {
        f(Frame::NextPage);
    }
    value.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORDS: [&str; 3] =
        [r#"{"id":"1","value":[{"a":"}]\"{"}]}"#, "{\n  \"id\": \"2\",\n  \"status\": {\n    \"errorCode\": 0\n  }\n}", r#"{"id":"3\\"}"#];

    fn shapes() -> Vec<String> {
        let [a, b, c] = RECORDS;
        vec![
            format!("[{a},{b},{c}]"),
            format!("[\n  {a},\n  {b},\n  {c}\n]\n"),
            format!(
                r#"{{"@odata.context":"https://x/$metadata#auditLogs","@odata.nextLink":"https://x","value":[{a},{b}]}}{{"value":[{c}],"@odata.nextLink":null}}"#
            ),
            format!(r#"{{"records":[{a},{b}]}}{}{{"records":[{c}]}}"#, '\n'),
            format!("{a}\n{b}\n{c}\n"),
            format!("[{a}][{b}]\n[{c}]"),
            format!("   {a}{b},\r\n{c}"),
            format!("[]\nnull\n[[{a}],[{b},{c}]]"),
            format!(r#"{{"@odata.type":"x",{}"#, &a[1..]) + b + c,
        ]
    }

    fn records(bytes: &[u8]) -> Vec<&[u8]> {
        let mut found = Vec::new();
        each(bytes, |frame| match frame {
            Frame::Record(record) => found.push(record),
            Frame::NextPage | Frame::Begin(_) => {}
            Frame::Broken(text) => panic!("broken: {}", String::from_utf8_lossy(text)),
        });
        found
    }

    #[test]
    fn trap_16_records_are_found_in_every_shape() {
        for shape in shapes() {
            let found = records(shape.as_bytes());
            assert_eq!(found.len(), 3, "{shape}");
            assert_eq!(found[1..], [RECORDS[1].as_bytes(), RECORDS[2].as_bytes()], "{shape}");
        }
    }

    #[test]
    fn a_stream_that_ends_between_its_records_has_no_end_and_lines_need_none() {
        let [a, b, c] = RECORDS;
        for step in [1, 7, 400] {
            let is_open = |text: &str| {
                let (mut cutter, mut rest, mut open) = (cutter(), Vec::new(), false);
                for more in text.as_bytes().chunks(step) {
                    rest.extend(more);
                    let (cut, unended) = cutter(&rest);
                    rest.drain(..cut.unwrap_or_default());
                    open = unended;
                }
                open
            };
            for text in shapes() {
                assert!(!is_open(&text), "{text}");
            }
            for text in [
                format!("[{a},{b}"),
                format!("[\n  {a},\n  {b},\n"),
                format!(r#"{{"value":[{a},{b},"#),
                format!(r#"{{"value":[{a}],"@odata.nextLink":"https://x""#),
                format!(r#"{{"records":[{a}]}}{}{{"records":[{c}"#, '\n'),
            ] {
                assert!(is_open(&text), "{text}");
            }
            // It tells so itself.
            assert!(!is_open(&format!(r#"[{a},{{"id":"2","x":{{"y":1"#)));
        }
    }

    /// Cuts a stream as intake does, reading `step` more bytes at a time.
    fn pieces(bytes: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut cutter = cutter();
        let mut pieces = Vec::new();
        let mut rest: Vec<u8> = Vec::new();
        for more in bytes.chunks(step) {
            rest.extend(more);
            if let (Some(cut), _) = cutter(&rest) {
                let tail = rest.split_off(cut);
                pieces.push(std::mem::replace(&mut rest, tail));
            }
        }
        pieces.push(rest);
        pieces
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_records() {
        for shape in shapes() {
            let whole: Vec<Vec<u8>> = records(shape.as_bytes()).into_iter().map(<[u8]>::to_vec).collect();
            for step in [1, 2, 7, 30, 61, 200] {
                let pieces = pieces(shape.as_bytes(), step);
                let cut: Vec<Vec<u8>> = pieces.iter().flat_map(|p| records(p)).map(<[u8]>::to_vec).collect();
                assert_eq!(cut, whole, "{step} {shape}");
            }
        }
    }

    #[test]
    fn lines_between_other_shapes_are_cut_as_if_there_were_none() {
        let [a, _, c] = RECORDS;
        let lines = format!("{a}\n{c}\r\n{a}\n{c}\n");
        let page = format!("{{\"value\":[{a}\n{c}\n],\"stats\":{{\"n\":1}}}}\n");
        let text = [&lines[..], "[", &lines, "]\n", &page, &lines, &page, "{\"id\":{\n", &lines].concat();
        let whole: Vec<Option<Vec<u8>>> = frames(text.as_bytes());
        assert_eq!(whole.len(), 21);
        for step in 1..text.len() {
            let cut: Vec<Option<Vec<u8>>> = pieces(text.as_bytes(), step).iter().flat_map(|piece| frames(piece)).collect();
            assert_eq!(cut, whole, "{step}");
        }
    }

    /// Records, and nothing for what is broken.
    fn frames(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut found = Vec::new();
        each(bytes, |frame| match frame {
            Frame::Record(record) => found.push(Some(record.to_vec())),
            Frame::Broken(_) => found.push(None),
            Frame::NextPage | Frame::Begin(_) => {}
        });
        found
    }

    #[test]
    fn a_page_that_names_the_next_one_says_so() {
        for text in [r#"{"@odata.nextLink":"https://x","value":[{"id":"1"}]}"#, r#"{"value":[{"id":"1"}],"@odata.nextLink":"https://x"}"#] {
            let mut pages = 0;
            each(text.as_bytes(), |frame| pages += u32::from(frame == Frame::NextPage));
            assert_eq!(pages, 1);
        }
    }

    #[test]
    fn a_record_that_lost_its_end_costs_no_other() {
        let text = "{\"id\":\"1\"}\n{\"id\":\"2\n{\"id\":\"3\"}\n{\"id\":{\n{\"id\":\"4\"}\n";
        let mut found = (0, 0);
        each(text.as_bytes(), |frame| match frame {
            Frame::Record(_) => found.0 += 1,
            _ => found.1 += 1,
        });
        assert_eq!(found, (3, 2));
        assert_eq!(pieces(text.as_bytes(), 1).len(), 5);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\":,\\\n a1n"[..]), 0..200), step in 1usize..20) {
            each(&bytes, |_| {});
            pieces(&bytes, step);
        }
    }
}
