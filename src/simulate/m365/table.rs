//! Writing CSV as the portals and PowerShell do: quotes where needed or around every cell, CRLF at the end of each row.

use std::fmt::Display;

/// Which cells are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Only those that need it, as the Entra portal and Log Analytics write them.
    Needed,
    /// All of them, as `Export-Csv` and the message trace reports do.
    Always,
}

/// A row that is being written.
pub(super) struct Row<'a> {
    out: &'a mut Vec<u8>,
    quotes: Quotes,
    begun: bool,
}

/// Writes a row.
pub(super) fn row(out: &mut Vec<u8>, quotes: Quotes, fill: impl FnOnce(&mut Row)) {
    fill(&mut Row { out, quotes, begun: false });
    out.extend(b"\r\n");
}

/// Writes the names of the columns, which are given in one string with commas between.
pub(super) fn header(out: &mut Vec<u8>, quotes: Quotes, names: &str) {
    row(out, quotes, |row| {
        for name in names.split(',') {
            row.cell(name);
        }
    });
}

impl Row<'_> {
    pub(super) fn cell(&mut self, value: impl Display) -> &mut Self {
        let text = value.to_string();
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        if self.quotes == Quotes::Always || text.contains([',', '"', '\r', '\n']) {
            self.out.push(b'"');
            self.out.extend(text.replace('"', "\"\"").bytes());
            self.out.push(b'"');
        } else {
            self.out.extend(text.bytes());
        }
        self
    }

    /// Cells that hold nothing.
    pub(super) fn empty(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            self.cell("");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_when_it_must_be_or_always() {
        let mut out = Vec::new();
        for quotes in [Quotes::Needed, Quotes::Always] {
            row(&mut out, quotes, |row| {
                row.cell("Sato, Aya").cell("plain").cell("say \"hi\"").empty(1);
            });
        }
        let text = "\"Sato, Aya\",plain,\"say \"\"hi\"\"\",\r\n\"Sato, Aya\",\"plain\",\"say \"\"hi\"\"\",\"\"\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}
