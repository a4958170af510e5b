//! Tables with any separator, whose cells may hold line feeds, and what stands above them.

use super::fields::Field;
use super::record::Record;
use super::{dates, outcomes, values};
use crate::domain::time::parse_offset;
use crate::formats::marks::{RowMarks, Stop};
use crate::formats::scan;
use bumpalo::Bump;
use memchr::{memchr, memchr2};

/// What a table's first lines say of the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) separator: u8,
    /// The field of each column.
    pub(super) columns: Vec<Option<Field>>,
    /// Bytes up to the first row.
    pub(super) length: usize,
    /// Rows above that: the heading, and what programs write on top of it.
    pub(super) rows: u32,
    /// Seconds from UTC of the times in local columns, where the names of these say so.
    pub(super) offset: Option<i32>,
}

impl Heading {
    /// Reads the first lines of a table; `None` if they are no heading of two columns at least.
    pub(super) fn read(text: &[u8], scratch: &Bump) -> Option<Heading> {
        let mut at = 0;
        let mut rows = 0;
        let mut given = None;
        loop {
            let rest = text.get(at..)?;
            let line = rest.get(..memchr(b'\n', rest).map_or(rest.len(), |end| end + 1))?;
            match line.strip_prefix(b"sep=") {
                Some(separator) => given = separator.first().copied(),
                None if line.starts_with(b"#TYPE ") => {}
                None => break,
            }
            at += line.len();
            rows += 1;
        }
        let rest = text.get(at..)?;
        let line = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len()))?;
        let count = |separator: u8| line.iter().filter(|b| **b == separator).count();
        let likely = [b',', b';', b'\t'].into_iter().max_by_key(|separator| (count(*separator), *separator == b','))?;
        let separator = given.unwrap_or(likely);
        let mut names = Vec::new();
        let length = cells(rest, separator, scratch, |_, cell| names.push(cell)).length;
        if names.len() < 2 {
            return None;
        }
        let offset = names.iter().find_map(|name| offset_in(name)).map(|(_, offset)| offset);
        let columns = names.iter().map(|name| column(name)).collect();
        Some(Heading { separator, columns, length: at + length, rows: rows + 1, offset })
    }

    /// Whether the names alone say that it is a table of sign-ins.
    fn is_of_sign_ins(&self) -> bool {
        super::shape_of(&self.shape()) == Some(super::Shape::SignIn)
    }

    /// Whether a portal's table of sign-ins has names that are not known, and lacks one that it should have.
    pub(super) fn lacks_names(&self) -> bool {
        let has = |field| self.columns.contains(&Some(field));
        let wanted = [Field::UserName, Field::Ip, Field::Code];
        self.columns.len() >= super::GUESS_COLUMNS_MIN && self.columns.contains(&None) && !wanted.into_iter().all(has)
    }

    /// A record with every column that the heading names, empty.
    pub(super) fn shape(&self) -> Record<'static> {
        let mut record = Record::EMPTY;
        self.columns.iter().flatten().for_each(|field| record.put(*field, b""));
        record
    }

    /// Tells the columns of a portal's table of sign-ins by what the rows hold, for languages whose names are not known or not all of
    /// them. A name that is known is believed; no content overrides it.
    pub(super) fn guess(&mut self, rows: &[u8], scratch: &Bump) -> bool {
        let named: Vec<Option<Field>> = self.columns.iter().map(|column| column.filter(|field| field.is_of_sign_ins())).collect();
        let in_part = self.is_of_sign_ins();
        let mut samples: Vec<Vec<&[u8]>> = vec![Vec::new(); self.columns.len()];
        let mut rest = rows;
        for _ in 0..SAMPLE_ROWS {
            if rest.is_empty() {
                break;
            }
            let row = cells(rest, self.separator, scratch, |column, cell| {
                if let Some(sample) = samples.get_mut(column).filter(|_| !cell.is_empty()) {
                    sample.push(cell);
                }
            });
            rest = rest.get(row.length..).unwrap_or_default();
        }
        let number = |cell: &[u8]| std::str::from_utf8(cell).ok().and_then(|text| text.parse::<u32>().ok());
        let is_code = |cell: &[u8]| number(cell).is_some_and(|n| outcomes::of_code(n).is_some());
        // New numbers come up; beside one that is known, and is no zero, they are numbers of results all the same.
        let may_be_code = |sample: &[&[u8]]| {
            sample.iter().all(|cell| number(cell).is_some()) && sample.iter().any(|cell| number(cell) != Some(0) && is_code(cell))
        };
        // Beside known names an unknown identifier may be anything's, and two rows of one id would count as one.
        let ids: &[Field] = if in_part { &[] } else { &[Field::Id, Field::Correlation, Field::UserId] };
        let tests: [(&[Field], Test); 5] = [
            (&[Field::Time], |cell| cell.len() > 9 && dates::read(cell, None).is_some()),
            (ids, values::is_guid),
            (&[Field::UserName], values::is_mail_address),
            (&[Field::Ip], |cell| values::address(cell, &Bump::new()).is_some()),
            (&[Field::UserAgent], |cell| cell.starts_with(b"Mozilla/")),
        ];
        let mut guessed = named.clone();
        for (fields, test) in tests {
            let mut fields = fields.iter().filter(|field| !named.contains(&Some(**field)));
            for (slot, sample) in guessed.iter_mut().zip(&samples) {
                if slot.is_none() && !sample.is_empty() && sample.iter().all(|cell| test(cell)) {
                    *slot = fields.next().copied();
                }
            }
        }
        let column_of = |test: &dyn Fn(&[&[u8]]) -> bool| {
            samples.iter().zip(&guessed).position(|(sample, slot)| slot.is_none() && !sample.is_empty() && test(sample))
        };
        // Nothing but zeros says little: a column of results that are none is believed before it.
        let is_all_codes = |sample: &[&[u8]]| sample.iter().all(|cell| is_code(cell));
        let tells = |sample: &[&[u8]]| is_all_codes(sample) && sample.iter().any(|cell| number(cell) != Some(0));
        let code = column_of(&tells).or_else(|| column_of(&may_be_code)).or_else(|| column_of(&is_all_codes));
        // A nested status has the number in it.
        let nested = |(slot, sample): (&Option<Field>, &Vec<&[u8]>)| {
            *slot == Some(Field::Status) && sample.iter().any(|cell| cell.starts_with(b"{") || cell.starts_with(b"@{"))
        };
        let is_told = guessed.contains(&Some(Field::Code)) || guessed.iter().zip(&samples).any(nested);
        if let Some(slot) = code.filter(|_| !is_told).and_then(|code| guessed.get_mut(code)) {
            *slot = Some(Field::Code);
        }
        let found = |field| guessed.contains(&Some(field));
        // Who, when and from where stands in many tables; the number of a result only in those of sign-ins.
        if !in_part && ![Field::Time, Field::Id, Field::UserName, Field::Ip, Field::Code].into_iter().all(found) {
            return false;
        }
        for (column, guess) in self.columns.iter_mut().zip(guessed) {
            *column = guess.or(*column);
        }
        true
    }
}

/// The field that a column's name stands for.
fn column(name: &[u8]) -> Option<Field> {
    let Some((bare, _)) = offset_in(name) else { return Field::of(name) };
    match Field::of(bare) {
        Some(Field::Time) => Some(Field::LocalTime),
        Some(Field::Written) => Some(Field::WrittenLocal),
        field => field,
    }
}

/// The offset at the end of a column's name, `Date (UTC+09:00)`, with the name before it. UTC alone is no local time.
fn offset_in(name: &[u8]) -> Option<(&[u8], i32)> {
    let inner = name.trim_ascii().strip_suffix(b")").or_else(|| name.trim_ascii().strip_suffix(b"]"))?;
    let (bare, zone) = scan::split_last(inner, b"(").or_else(|| scan::split_last(inner, b"["))?;
    let offset = parse_offset(zone.strip_prefix(b"UTC").or_else(|| zone.strip_prefix(b"GMT"))?.trim_ascii())?;
    Some((bare, offset))
}

/// What every cell of a column must pass to be taken for one of some fields.
type Test = fn(&[u8]) -> bool;

/// Rows looked at to tell columns by what they hold.
const SAMPLE_ROWS: usize = 50;

/// How a row ended.
pub(super) struct RowEnd {
    /// Its bytes, with the line end.
    pub(super) length: usize,
    pub(super) cells: usize,
    /// A closing quote is missing.
    pub(super) torn: bool,
}

/// Reads one row and gives its cells, unquoted.
pub(super) fn cells<'a>(text: &'a [u8], separator: u8, scratch: &'a Bump, mut f: impl FnMut(usize, &'a [u8])) -> RowEnd {
    let mut at = 0;
    let mut count = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let (cell, length, torn) = if rest.starts_with(b"\"") { quoted(rest, scratch) } else { bare(rest, separator) };
        f(count, cell);
        count += 1;
        at += length;
        // Text behind a closing quote belongs to nothing.
        let behind = text.get(at..).unwrap_or_default();
        at += memchr2(separator, b'\n', behind).unwrap_or(behind.len());
        match text.get(at) {
            Some(b'\n') => return RowEnd { length: at + 1, cells: count, torn },
            Some(_) => at += 1,
            None => return RowEnd { length: at, cells: count, torn },
        }
    }
}

/// A cell as it stands in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Plain(&'a [u8]),
    /// What stands between its quotes, where each quote in it is still written twice.
    Doubled(&'a [u8]),
}

impl<'a> Cell<'a> {
    /// The text of the cell.
    pub(super) fn text(self, scratch: &'a Bump) -> &'a [u8] {
        match self {
            Cell::Plain(text) => text,
            Cell::Doubled(inner) => undouble(inner, scratch),
        }
    }
}

/// Bytes whose marks are read at once; the marks of so many stay in the processor's nearest cache.
const WINDOW_BYTES: usize = 64 << 10;
/// So many at first, and again where a row could not be read.
const FIRST_WINDOW_BYTES: usize = 4 << 10;

/// Reads rows one after another by the marks of many at once. What it cannot read so it reads as [`cells`] does, and both find the same.
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    separator: u8,
    scratch: &'a Bump,
    marks: RowMarks,
    /// Bytes read since the place where the marks begin.
    done: usize,
    window_bytes: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a [u8], separator: u8, scratch: &'a Bump) -> Rows<'a> {
        Rows { rest: text, separator, scratch, marks: RowMarks::default(), done: 0, window_bytes: FIRST_WINDOW_BYTES }
    }

    /// The next row with its text. Its cells are put into `into`.
    pub(super) fn next(&mut self, into: &mut Vec<Cell<'a>>) -> Option<(&'a [u8], RowEnd)> {
        if self.rest.is_empty() {
            return None;
        }
        let row = self.marked(into).or_else(|_| self.marked_anew(into)).unwrap_or_else(|_| {
            self.marks = RowMarks::default();
            self.window_bytes = FIRST_WINDOW_BYTES;
            into.clear();
            cells(self.rest, self.separator, self.scratch, |_, cell| into.push(Cell::Plain(cell)))
        });
        let (text, rest) = self.rest.split_at(row.length);
        self.rest = rest;
        self.done += row.length;
        Some((text, row))
    }

    /// Reads marks from the next row on, and the row by them.
    fn marked_anew(&mut self, into: &mut Vec<Cell<'a>>) -> Result<RowEnd, Stop> {
        if matches!(self.separator, b'"' | b'\n' | b'\r') {
            return Err(Stop::Broken);
        }
        let mut bytes = self.window_bytes;
        loop {
            let window = self.rest.get(..bytes).unwrap_or(self.rest);
            self.marks.read(window, self.separator);
            self.done = 0;
            match self.marked(into) {
                Err(Stop::Short) if self.marks.sound == window.len() && bytes < self.rest.len() => bytes = bytes.saturating_mul(2),
                found => {
                    self.window_bytes = (bytes * 4).min(WINDOW_BYTES);
                    return found;
                }
            }
        }
    }

    /// The next row by the marks at hand, if they reach to its end and all its cells are written as they should be.
    fn marked(&self, into: &mut Vec<Cell<'a>>) -> Result<RowEnd, Stop> {
        into.clear();
        let mut at = 0;
        loop {
            let end = self.marks.end_from(self.done + at).ok_or(Stop::Short)? - self.done;
            if self.done + end >= self.marks.sound {
                return Err(Stop::Broken);
            }
            let is_last = *self.rest.get(end).ok_or(Stop::Short)? == b'\n';
            let written = self.rest.get(at..end).ok_or(Stop::Short)?;
            let written = if is_last { written.strip_suffix(b"\r").unwrap_or(written) } else { written };
            into.push(match written {
                [b'"', inner @ .., b'"'] => {
                    let from = self.done + at + 1;
                    if self.marks.has_quote(from, from + inner.len()) { Cell::Doubled(inner) } else { Cell::Plain(inner) }
                }
                [b'"', ..] => return Err(Stop::Broken),
                _ => Cell::Plain(written),
            });
            at = end + 1;
            if is_last {
                return Ok(RowEnd { length: at, cells: into.len(), torn: false });
            }
        }
    }
}

/// A cell without quotes: up to the separator or the end of the line.
fn bare(text: &[u8], separator: u8) -> (&[u8], usize, bool) {
    let end = memchr2(separator, b'\n', text).unwrap_or(text.len());
    let cell = text.get(..end).unwrap_or_default();
    let cell = if text.get(end) == Some(&b'\n') || end == text.len() { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
    (cell, cell.len(), false)
}

/// A cell in quotes, in which a quote is written twice.
fn quoted<'a>(text: &'a [u8], scratch: &'a Bump) -> (&'a [u8], usize, bool) {
    let mut at = 1;
    let mut doubled = false;
    loop {
        let Some(quote) = memchr(b'"', text.get(at..).unwrap_or_default()).map(|found| at + found) else {
            return (text.get(1..).unwrap_or_default(), text.len(), true);
        };
        if text.get(quote + 1) == Some(&b'"') {
            doubled = true;
            at = quote + 2;
            continue;
        }
        let inner = text.get(1..quote).unwrap_or_default();
        return (if doubled { undouble(inner, scratch) } else { inner }, quote + 1, false);
    }
}

/// A text with each two quotes made one.
pub(super) fn undouble<'a>(text: &[u8], scratch: &'a Bump) -> &'a [u8] {
    let mut out = bumpalo::collections::Vec::with_capacity_in(text.len(), scratch);
    let mut rest = text;
    while let Some(quote) = scan::first_of(rest, [b'"']) {
        out.extend_from_slice_copy(rest.get(..=quote).unwrap_or_default());
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    out.extend_from_slice_copy(rest);
    out.into_bump_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str, separator: u8) -> Vec<Vec<String>> {
        let scratch = Bump::new();
        let mut rows = Vec::new();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let mut row = Vec::new();
            let end = cells(rest, separator, &scratch, |_, cell| row.push(String::from_utf8_lossy(cell).into_owned()));
            rest = &rest[end.length..];
            rows.push(row);
        }
        rows
    }

    #[test]
    fn trap_2_a_cell_with_line_ends_stays_one_record() {
        let text = "a,\"b\r\nc\",d\r\n\"{\"\"k\"\":\"\"v\\\"\"w\"\"}\",,x\r\n";
        assert_eq!(rows(text, b','), [vec!["a", "b\r\nc", "d"], vec!["{\"k\":\"v\\\"w\"}", "", "x"]]);
        assert_eq!(rows("a;\"b;c\"\n1;2", b';'), [vec!["a", "b;c"], vec!["1", "2"]]);
        assert_eq!(rows("a,\"b\"x,c\n", b','), [vec!["a", "b", "c"]]);
        assert_eq!(rows("a,\n,b\n", b','), [vec!["a", ""], vec!["", "b"]]);
        assert_eq!(rows("\"torn,b\nc", b','), [vec!["torn,b\nc"]]);
    }

    /// The rows of a text as [`Rows`] gives them, with their lengths.
    fn rows_by_marks(text: &[u8], separator: u8) -> Vec<(Vec<Vec<u8>>, usize, bool)> {
        let scratch = Bump::new();
        let mut rows = Rows::new(text, separator, &scratch);
        let (mut cells, mut found) = (Vec::new(), Vec::new());
        while let Some((text, end)) = rows.next(&mut cells) {
            assert_eq!((text.len(), cells.len()), (end.length, end.cells));
            found.push((cells.iter().map(|cell| cell.text(&scratch).to_vec()).collect(), end.length, end.torn));
        }
        found
    }

    fn rows_by_bytes(text: &[u8], separator: u8) -> Vec<(Vec<Vec<u8>>, usize, bool)> {
        let scratch = Bump::new();
        let mut found = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut row = Vec::new();
            let end = cells(rest, separator, &scratch, |_, cell| row.push(cell.to_vec()));
            rest = &rest[end.length..];
            found.push((row, end.length, end.torn));
        }
        found
    }

    #[test]
    fn rows_of_any_length_are_the_same_by_marks() {
        for width in [0, 1, 60, 61, 62, 63, 64, 65, FIRST_WINDOW_BYTES, 3 * WINDOW_BYTES] {
            let wide = "w".repeat(width);
            let row = format!("1,\"{wide}\",\"a \"\"b\"\"\r\n\",{wide},\"\"\r\n");
            let odd = format!("1,{wide}\"x\n2,\"a\"{wide},b\n3,\"\"\"\",\n");
            let text = [row.repeat(5), odd, row.repeat(3), "4,5".to_owned()].concat();
            assert_eq!(rows_by_marks(text.as_bytes(), b','), rows_by_bytes(text.as_bytes(), b','), "{width}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_the_same_by_marks(
            bytes in prop::collection::vec(prop::sample::select(&b"\"\"\"\",,;\n\n\ra1"[..]), 0..200),
            separator in prop::sample::select(&b",;\"\n\r"[..]),
        ) {
            prop_assert_eq!(rows_by_marks(&bytes, separator), rows_by_bytes(&bytes, separator));
        }
    }

    #[test]
    fn a_heading_tells_the_offset_of_its_local_times() {
        let scratch = Bump::new();
        let read = |text: &[u8]| Heading::read(text, &scratch).map(|heading| (heading.columns, heading.offset)).unwrap();
        assert_eq!(read(b"Date (UTC+09:00),Request ID"), (vec![Some(Field::LocalTime), Some(Field::Id)], Some(32_400)));
        assert_eq!(read(b"TimeGenerated [UTC-05:00],Id"), (vec![Some(Field::WrittenLocal), Some(Field::Id)], Some(-18_000)));
        assert_eq!(read(b"Date (UTC),Request ID"), (vec![Some(Field::Time), Some(Field::Id)], None));
        assert_eq!(read(b"Date (local),Request ID"), (vec![Some(Field::LocalTime), Some(Field::Id)], None));
    }

    #[test]
    fn what_stands_above_the_heading_is_passed_over() {
        let scratch = Bump::new();
        let heading =
            Heading::read(b"#TYPE System.Management.Automation.PSCustomObject\nsep=;\nRequest ID;Status\n1;2\n", &scratch).unwrap();
        assert_eq!((heading.separator, heading.rows, heading.columns.len()), (b';', 3, 2));
        assert_eq!(heading.columns, [Some(Field::Id), Some(Field::Status)]);
    }
}
