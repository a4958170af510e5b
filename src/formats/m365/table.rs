//! Tables with any separator, whose cells may hold line feeds, and what stands above them.

use super::fields::Field;
use super::record::Record;
use super::{dates, outcomes, values};
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
        let columns = names.iter().map(|name| Field::of(name)).collect();
        Some(Heading { separator, columns, length: at + length, rows: rows + 1 })
    }

    /// A record with every column that the heading names, empty.
    pub(super) fn shape(&self) -> Record<'static> {
        let mut record = Record::EMPTY;
        self.columns.iter().flatten().for_each(|field| record.put(*field, b""));
        record
    }

    /// Tells the columns of a portal's table of sign-ins by what the rows hold, for languages whose names are not known.
    pub(super) fn guess(&mut self, rows: &[u8], scratch: &Bump) -> bool {
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
        let is_code =
            |cell: &[u8]| std::str::from_utf8(cell).ok().and_then(|t| t.parse().ok()).is_some_and(|n| outcomes::of_code(n).is_some());
        let tests: [(&[Field], Test); 5] = [
            (&[Field::Time], |cell| cell.len() > 9 && dates::read(cell, None).is_some()),
            (&[Field::Id, Field::Correlation, Field::UserId], values::is_guid),
            (&[Field::UserName], values::is_mail_address),
            (&[Field::Ip], |cell| values::address(cell, &Bump::new()).is_some()),
            (&[Field::UserAgent], |cell| cell.starts_with(b"Mozilla/")),
        ];
        let mut guessed: Vec<Option<Field>> = vec![None; self.columns.len()];
        for (fields, test) in tests {
            let mut fields = fields.iter();
            for (slot, sample) in guessed.iter_mut().zip(&samples) {
                if slot.is_none() && !sample.is_empty() && sample.iter().all(|cell| test(cell)) {
                    *slot = fields.next().copied();
                }
            }
        }
        let code = samples
            .iter()
            .zip(&guessed)
            .position(|(sample, slot)| slot.is_none() && !sample.is_empty() && sample.iter().all(|c| is_code(c)));
        if let Some(slot) = code.and_then(|code| guessed.get_mut(code)) {
            *slot = Some(Field::Code);
        }
        let found = |field| guessed.contains(&Some(field));
        if ![Field::Time, Field::Id, Field::UserName, Field::Ip].into_iter().all(found) {
            return false;
        }
        for (column, guess) in self.columns.iter_mut().zip(guessed) {
            *column = guess.or(*column);
        }
        true
    }
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

fn undouble<'a>(text: &[u8], scratch: &'a Bump) -> &'a [u8] {
    let mut out = bumpalo::collections::Vec::with_capacity_in(text.len(), scratch);
    let mut rest = text;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(rest.get(..=quote).unwrap_or_default());
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.into_bump_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_stands_above_the_heading_is_passed_over() {
        let scratch = Bump::new();
        let heading =
            Heading::read(b"#TYPE System.Management.Automation.PSCustomObject\nsep=;\nRequest ID;Status\n1;2\n", &scratch).unwrap();
        assert_eq!((heading.separator, heading.rows, heading.columns.len()), (b';', 3, 2));
        assert_eq!(heading.columns, [Some(Field::Id), Some(Field::Status)]);
    }
}
