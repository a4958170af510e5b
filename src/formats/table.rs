//! Tables as logs write them: comma-separated rows with quoted cells, W3C rows, columns by name, and lists inside a cell.
//!
//! Cells borrow from the text; only a cell with doubled quotes in it is copied. Which columns matter, and what they mean, is the
//! business of the format that asks.

use super::scan;
use bumpalo::Bump;
use memchr::{memchr, memchr2};

/// Columns that a format may ask for, at most.
pub(super) const CELLS_MAX: usize = 24;
/// A column nobody asked for.
const UNWANTED: u8 = u8::MAX;
/// What some editors and `copy a+b` leave at the beginning of a line.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the wanted columns stand in the rows that follow a heading.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// For each column of the file the place of the wanted one.
    slots: Vec<u8>,
}

impl Layout {
    /// Finds the wanted columns, each by any of its names, among those that a heading names. Of columns with the same name the first
    /// counts.
    pub(super) fn new(names: &[&[u8]], wanted: &[&[&str]]) -> Layout {
        let mut taken = [false; CELLS_MAX];
        let slots = names.iter().map(|name| {
            let known = wanted.iter().position(|spellings| spellings.iter().any(|s| name.eq_ignore_ascii_case(s.as_bytes())));
            match known.and_then(|at| Some((at, taken.get_mut(at)?))) {
                Some((at, free)) if !*free => {
                    *free = true;
                    at as u8
                }
                _ => UNWANTED,
            }
        });
        Layout { slots: slots.collect() }
    }

    /// How many cells a whole row has.
    pub(super) fn columns(&self) -> usize {
        self.slots.len()
    }
}

/// One row: the wanted cells, unquoted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    cells: [&'a [u8]; CELLS_MAX],
    /// All cells, wanted or not.
    pub(super) count: usize,
    /// Lines of the text it takes up.
    pub(super) lines: u32,
    /// A closing quote is missing.
    pub(super) torn: bool,
    pub(super) text: &'a [u8],
}

impl<'a> Row<'a> {
    /// A wanted cell by its place among the wanted columns; empty where the row has none.
    pub(super) fn cell(&self, place: usize) -> &'a [u8] {
        self.cells.get(place).copied().unwrap_or_default()
    }

    /// Puts other text in the place of a wanted cell's.
    pub(super) fn put(&mut self, place: usize, text: &'a [u8]) {
        if let Some(cell) = self.cells.get_mut(place) {
            *cell = text;
        }
    }
}

/// Reads one comma-separated row; returns it and what follows it.
///
/// A cell whose closing quote is missing runs on into other rows. Where a line inside it could begin a row and the quote that ends it
/// cannot end a cell, the row is torn and ends before that line.
pub(super) fn csv_row<'a>(text: &'a [u8], layout: &Layout, begins: fn(&[u8]) -> bool, scratch: &'a Bump) -> (Row<'a>, &'a [u8]) {
    let mut cells = [&b""[..]; CELLS_MAX];
    let row = each_cell(text, begins, |number, cell| {
        let place = layout.slots.get(number).copied().unwrap_or(UNWANTED);
        if let Some(slot) = cells.get_mut(usize::from(place)) {
            *slot = cell.unquoted(scratch);
        }
    });
    let (whole, rest) = text.split_at_checked(row.length).unwrap_or((text, b""));
    let body = whole.strip_suffix(b"\n").unwrap_or(whole);
    // Only a quoted cell goes over several lines; and of most rows none is quoted.
    let lines = if row.quoted { memchr::memchr_iter(b'\n', body).count() as u32 + 1 } else { 1 };
    let text = body.strip_suffix(b"\r").unwrap_or(body);
    (Row { cells, count: row.count, lines, torn: row.torn, text }, rest)
}

/// The cells of one comma-separated line, such as a heading.
pub(super) fn csv_cells<'a>(line: &'a [u8], scratch: &'a Bump) -> Vec<&'a [u8]> {
    let mut cells = Vec::new();
    each_cell(line, |_| false, |_, cell| cells.push(cell.unquoted(scratch)));
    cells
}

/// Reads one row of cells with blanks between them, as W3C logs have; they quote nothing, and an empty cell is `-`.
pub(super) fn w3c_row<'a>(text: &'a [u8], layout: &Layout) -> (Row<'a>, &'a [u8]) {
    let (line, rest) = scan::split_byte(text, b'\n').unwrap_or((text, b""));
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut cells = [&b""[..]; CELLS_MAX];
    let mut count = 0;
    for cell in line.split(|b| *b == b' ').filter(|cell| !cell.is_empty()) {
        let place = layout.slots.get(count).copied().unwrap_or(UNWANTED);
        if let Some(slot) = cells.get_mut(usize::from(place)).filter(|_| cell != b"-") {
            *slot = cell;
        }
        count += 1;
    }
    (Row { cells, count, lines: 1, torn: false, text: line }, rest)
}

/// A cell as it stands: inside its quotes, if it has any.
#[derive(Clone, Copy)]
struct Cell<'a> {
    inner: &'a [u8],
    /// Holds quotes written twice.
    doubled: bool,
}

impl<'a> Cell<'a> {
    fn unquoted(self, scratch: &'a Bump) -> &'a [u8] {
        if self.doubled { undouble(self.inner, b'"', scratch) } else { self.inner }
    }
}

/// Where a row ended.
struct RowEnd {
    length: usize,
    count: usize,
    /// One of its cells is in quotes.
    quoted: bool,
    torn: bool,
}

fn each_cell<'a>(text: &'a [u8], begins: fn(&[u8]) -> bool, mut found: impl FnMut(usize, Cell<'a>)) -> RowEnd {
    let mut at = 0;
    let mut count = 0;
    let mut any_quoted = false;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'"') {
            any_quoted = true;
            let quoted = Quoted::read(rest);
            if !quoted.closed
                && let Some(end) = row_inside(rest, begins)
            {
                found(count, Cell { inner: rest.get(1..end).unwrap_or_default(), doubled: false });
                return RowEnd { length: at + end, count: count + 1, quoted: true, torn: true };
            }
            found(count, Cell { inner: rest.get(1..quoted.inner_end).unwrap_or_default(), doubled: quoted.doubled });
            at += quoted.end;
            if !quoted.closed && quoted.end == rest.len() {
                return RowEnd { length: at, count: count + 1, quoted: true, torn: true };
            }
        } else {
            let end = scan::first_of(rest, [b',', b'\n']).unwrap_or(rest.len());
            let cell = rest.get(..end).unwrap_or_default();
            let ends_row = rest.get(end) != Some(&b',');
            let inner = if ends_row { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
            found(count, Cell { inner, doubled: false });
            at += end;
        }
        count += 1;
        match text.get(at) {
            Some(b',') => at += 1,
            Some(b'\n') => return RowEnd { length: at + 1, count, quoted: any_quoted, torn: false },
            _ => return RowEnd { length: at, count, quoted: any_quoted, torn: false },
        }
    }
}

/// A cell in quotes, from its opening one.
struct Quoted {
    /// Where the inside ends.
    inner_end: usize,
    /// Where the comma or line feed after the cell stands.
    end: usize,
    doubled: bool,
    /// Whether the closing quote is there, and what follows it can follow a cell.
    closed: bool,
}

impl Quoted {
    fn read(text: &[u8]) -> Quoted {
        let mut at = 1;
        let mut doubled = false;
        while let Some(quote) = memchr(b'"', text.get(at..).unwrap_or_default()).map(|found| at + found) {
            let after = text.get(quote + 1..).unwrap_or_default();
            let after = match after {
                [b'"', ..] => {
                    doubled = true;
                    at = quote + 2;
                    continue;
                }
                [b'\r', b'\n', ..] | [b'\r'] => 1,
                [] | [b',' | b'\n', ..] => 0,
                _ => {
                    // A stray quote: the cell runs on to the next comma or line end.
                    let end = memchr2(b',', b'\n', after).map_or(text.len(), |found| quote + 1 + found);
                    return Quoted { inner_end: end, end, doubled, closed: false };
                }
            };
            return Quoted { inner_end: quote, end: quote + 1 + after, doubled, closed: true };
        }
        Quoted { inner_end: text.len(), end: text.len(), doubled, closed: false }
    }
}

/// Where a line inside a cell that is never closed begins another row.
fn row_inside(text: &[u8], begins: fn(&[u8]) -> bool) -> Option<usize> {
    memchr::memchr_iter(b'\n', text).map(|at| at + 1).find(|&at| text.get(at..).is_some_and(|line| !line.is_empty() && begins(line)))
}

/// Takes out the second of each two quotes.
fn undouble<'a>(text: &[u8], quote: u8, scratch: &'a Bump) -> &'a [u8] {
    let mut out = bumpalo::collections::Vec::with_capacity_in(text.len(), scratch);
    let mut rest = text;
    while let Some(at) = memchr(quote, rest) {
        out.extend_from_slice(rest.get(..=at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        rest = rest.strip_prefix(&[quote]).unwrap_or(rest);
    }
    out.extend_from_slice(rest);
    out.into_bump_slice()
}

/// The members of a list inside a cell, as Exchange writes them: `;` between them, a member that holds `;` or `'` in single quotes
/// with inner ones doubled, and `[{…};{…}]` as one member. A bare `o'brien@x.test` is a member too.
pub(super) fn members<'a>(list: &'a [u8], scratch: &'a Bump) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = (!list.is_empty()).then_some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let (member, after) = member(text, scratch);
        rest = after;
        Some(member)
    })
}

fn member<'a>(text: &'a [u8], scratch: &'a Bump) -> (&'a [u8], Option<&'a [u8]>) {
    let closed = match text {
        [b'\'', ..] => single_quoted(text).map(|end| (undouble(text.get(1..end).unwrap_or_default(), b'\'', scratch), end + 1)),
        [b'[', b'{', ..] => braced(text).map(|end| (text.get(..end).unwrap_or_default(), end)),
        _ => None,
    };
    let (member, end) = closed.unwrap_or_else(|| {
        let end = memchr(b';', text).unwrap_or(text.len());
        (text.get(..end).unwrap_or_default(), end)
    });
    (member, text.get(end..).and_then(|after| after.strip_prefix(b";")))
}

/// Where the quote stands that closes the one at the start, if a member can end there.
fn single_quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let quote = at + memchr(b'\'', text.get(at..)?)?;
        match text.get(quote + 1) {
            Some(b'\'') => at = quote + 2,
            None | Some(b';') => return Some(quote),
            Some(_) => return None,
        }
    }
}

/// Where `[{…};{…}]` ends: behind the first `}]` that a member can end at.
fn braced(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let end = at + scan::find(text.get(at..)?, b"}]")? + 2;
        if matches!(text.get(end), None | Some(b';')) {
            return Some(end);
        }
        at = end;
    }
}

/// The value of a key in a list of `T:key=value` members, whatever the type `T`.
pub(super) fn value<'a>(list: &'a [u8], key: &[u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    // Most lists do not name the key at all, which a plain search tells soonest.
    if !scan::contains(list, key) {
        return None;
    }
    members(list, scratch).find_map(|member| {
        let (name, value) = scan::split_byte(member, b'=')?;
        let name = scan::split_byte(name, b':').map_or(name, |(_, name)| name);
        (name == key).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(line: &[u8]) -> bool {
        line.starts_with(b"2")
    }

    fn rows(text: &str) -> Vec<(Vec<String>, u32, bool)> {
        let scratch = Bump::new();
        let layout = Layout::new(&[b"a", b"b", b"c"], &[&["a"], &["b"], &["c"]]);
        let mut rest = text.as_bytes();
        let mut found = Vec::new();
        while !rest.is_empty() {
            let (row, after) = csv_row(rest, &layout, begins, &scratch);
            let cells = (0..row.count.min(3)).map(|n| String::from_utf8(row.cell(n).to_vec()).unwrap()).collect();
            found.push((cells, row.lines, row.torn));
            rest = after;
        }
        found
    }

    #[test]
    fn quoted_cells_hold_commas_quotes_and_line_breaks() {
        let found = rows("2,\"x,y\",\"say \"\"hi\"\"\"\r\n2,\"one\r\ntwo\",C:\\new\r\n2,,");
        let shown: Vec<(&[String], u32)> = found.iter().map(|(cells, lines, _)| (&cells[..], *lines)).collect();
        let text = |cells: [&str; 3]| cells.map(str::to_owned);
        assert_eq!(
            shown,
            [(&text(["2", "x,y", "say \"hi\""])[..], 1), (&text(["2", "one\r\ntwo", "C:\\new"])[..], 2), (&text(["2", "", ""])[..], 1)]
        );
    }

    #[test]
    fn a_torn_row_costs_itself_and_not_the_next_one() {
        let found = rows("2,\"torn\r\n2,b,\"quoted, well\"\r\n2,b,c\r\n2,\"never ends");
        assert_eq!(found.iter().map(|f| f.2).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(found[1].0, ["2", "b", "quoted, well"]);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_case() {
        let scratch = Bump::new();
        let layout = Layout::new(&[b"Extra", b"SENDER", b"", b"date"], &[&["date-time", "date"], &["sender"]]);
        let (row, rest) = csv_row(b"x,s,,d\n", &layout, begins, &scratch);
        assert_eq!((row.cell(0), row.cell(1), row.cell(2), row.count, rest), (&b"d"[..], &b"s"[..], &b""[..], 4, &b""[..]));
    }

    #[test]
    fn lists_are_split_where_their_writer_joined_them() {
        let scratch = Bump::new();
        let split = |list: &'static str| -> Vec<String> {
            members(list.as_bytes(), &scratch).map(|m| String::from_utf8(m.to_vec()).unwrap()).collect()
        };
        assert_eq!(split("'o''brien@x.test';b@x.test"), ["o'brien@x.test", "b@x.test"]);
        assert_eq!(split("o'brien@x.test;b@x.test"), ["o'brien@x.test", "b@x.test"]);
        assert_eq!(
            split("[{LED=550 5.7.1 no};{MSG=};{FQDN=mx.x.test};{IP=192.0.2.9};{LRT=}];250 2.1.5 ok"),
            ["[{LED=550 5.7.1 no};{MSG=};{FQDN=mx.x.test};{IP=192.0.2.9};{LRT=}]", "250 2.1.5 ok"]
        );
        assert_eq!(split("'a;b'"), ["a;b"]);
        assert_eq!(split("'never closed;b"), ["'never closed", "b"]);
        assert_eq!(split("[{never closed;b"), ["[{never closed", "b"]);
        assert_eq!(split("a;;b;"), ["a", "", "b", ""]);
        assert!(split("").is_empty());
    }

    #[test]
    fn a_value_is_found_by_its_key_and_never_inside_another_value() {
        let scratch = Bump::new();
        let list = b"S:From=x;'S:OriginalFromAddress=a;S:Mailbox=forged';I32:Mailbox=one=two;S:Mailboxes=3";
        assert_eq!(value(list, b"Mailbox", &scratch), Some(&b"one=two"[..]));
        assert_eq!(value(list, b"OriginalFromAddress", &scratch), Some(&b"a;S:Mailbox=forged"[..]));
        assert_eq!(value(list, b"IsProbe", &scratch), None);
    }
}
