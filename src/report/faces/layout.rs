//! Words on a page of fixed width: wrapping and columns, measured in the cells a terminal gives each character (two for most CJK).

use crate::report::document::{Line, Span, Table, Tone};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a piece of text looks where colour is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Strong,
    Dim,
    Toned(Tone),
}

/// A word, or a part of one, already escaped.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    look: Look,
    /// Whether it stands against the piece before it, without a blank.
    glued: bool,
}

/// One row of a page: escaped text with its looks.
#[derive(Clone, Debug, Default)]
pub(super) struct Strip {
    pieces: Vec<Piece>,
}

impl Strip {
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().enumerate().map(|(i, p)| p.text.width() + usize::from(i > 0 && !p.glued)).sum()
    }

    /// Gives the whole strip one look.
    pub(super) fn look(mut self, look: Look) -> Strip {
        self.pieces.iter_mut().for_each(|piece| piece.look = look);
        self
    }

    pub(super) fn paint(&self, color: bool, out: &mut String) {
        for (i, piece) in self.pieces.iter().enumerate() {
            if i > 0 && !piece.glued {
                out.push(' ');
            }
            match sgr(piece.look).filter(|_| color && !piece.text.is_empty()) {
                Some(code) => out.push_str(&format!("\x1b[{code}m{}\x1b[0m", piece.text)),
                None => out.push_str(&piece.text),
            }
        }
    }
}

fn sgr(look: Look) -> Option<&'static str> {
    match look {
        Look::Plain | Look::Toned(Tone::Plain) => None,
        Look::Strong => Some("1"),
        Look::Dim => Some("2"),
        Look::Toned(Tone::Good) => Some("1;32"),
        Look::Toned(Tone::Warning) => Some("1;33"),
        Look::Toned(Tone::Bad) => Some("1;31"),
    }
}

/// Breaks a line at blanks, and between the characters of scripts that write none, into strips of at most `width` cells. A word that is longer than that stands alone and runs over, so that
/// it can be copied whole.
pub(super) fn wrap(line: &Line, width: usize) -> Vec<Strip> {
    flow(words(line, true), width)
}

fn flow(words: Vec<Vec<Piece>>, width: usize) -> Vec<Strip> {
    let mut strips = vec![Strip::default()];
    let mut used = 0;
    for word in words {
        let wide: usize = word.iter().map(|p| p.text.width()).sum();
        let blank = usize::from(used > 0 && word.first().is_some_and(|piece| !piece.glued));
        if used > 0 && used + blank + wide > width {
            strips.push(Strip::default());
            used = wide;
        } else {
            used += blank + wide;
        }
        if let Some(strip) = strips.last_mut() {
            strip.pieces.extend(word);
        }
    }
    strips
}

/// What a line is broken into, in the order of the line.
#[derive(Default)]
struct Words(Vec<Vec<Piece>>);

impl Words {
    /// Begins a word, behind a blank or against what stands before.
    fn begin(&mut self, text: &str, look: Look, glued: bool) {
        self.0.push(vec![Piece { text: text.to_owned(), look, glued }]);
    }

    /// Goes on with the last word, unless a line may break there.
    fn go_on(&mut self, text: &str, look: Look) {
        let before = self.0.last().and_then(|word| word.last()).and_then(|piece| piece.text.chars().last());
        match self.0.last_mut() {
            Some(word) if !breaks(before, text.chars().next()) => word.push(Piece { text: text.to_owned(), look, glued: true }),
            last => {
                let glued = last.is_some();
                self.begin(text, look, glued);
            }
        }
    }
}

/// Whether a line may break between two characters that no blank divides: beside a wide one, but neither behind an opening bracket nor
/// before what closes or lengthens the word before it.
fn breaks(before: Option<char>, after: Option<char>) -> bool {
    const OPENING: &str = "（「『【〔([<\"";
    const CLOSING: &str = "、。，．・：；！？）」』】〕々ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.:;!?)]>\"%";
    let wide = |c: char| c.width() == Some(2);
    before.zip(after).is_some_and(|(b, a)| (wide(b) || wide(a)) && !OPENING.contains(b) && !CLOSING.contains(a))
}

/// A text without blanks in the parts between which a line may break.
fn breakable(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut before) = (text, None);
    for (at, c) in text.char_indices() {
        if breaks(before, Some(c)) {
            let (part, after) = rest.split_at(at - (text.len() - rest.len()));
            parts.push(part);
            rest = after;
        }
        before = Some(c);
    }
    parts.push(rest);
    parts
}

/// The words of a line, each made of one or more pieces. A time may be kept as one word; what a log says is never broken but at blanks.
fn words(line: &Line, whole_times: bool) -> Vec<Vec<Piece>> {
    let mut words = Words::default();
    for span in &line.spans {
        let (shown, look, ours) = match span {
            Span::Text(text) => (text.terminal().to_string(), Look::Plain, true),
            Span::Log(text) => (text.terminal().to_string(), Look::Plain, false),
            Span::Strong(text) => (text.terminal().to_string(), Look::Strong, true),
            Span::Time(at) if whole_times => {
                words.go_on(&at.prose(), Look::Plain);
                continue;
            }
            Span::Time(at) => (at.prose(), Look::Plain, false),
            Span::Pointer(text) => (text.terminal().to_string(), Look::Dim, false),
        };
        for (i, word) in shown.split(' ').enumerate() {
            let parts = if ours { breakable(word) } else { vec![word] };
            for (j, part) in parts.into_iter().enumerate() {
                match (i, j) {
                    (0, 0) => words.go_on(part, look),
                    (_, 0) => words.begin(part, look, false),
                    _ => words.begin(part, look, true),
                }
            }
        }
    }
    words.0
}

/// Sets a table in columns, `indent` blanks before each row. The widest column of words gives way if the page is too narrow.
pub(super) fn columns(table: &Table, indent: usize, width: usize, color: bool) -> String {
    const BETWEEN: usize = 2;
    let mut widths = natural_widths(table);
    let spare = width.saturating_sub(indent + BETWEEN * widths.len().saturating_sub(1));
    narrow(table, &mut widths, spare);
    let mut out = String::new();
    let titles: Vec<Vec<Strip>> = table.columns.iter().zip(&widths).map(|(c, w)| head(c.title, *w)).collect();
    let mut put = |cells: &[Vec<Strip>]| {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for i in 0..height {
            let mut row = " ".repeat(indent);
            for ((cell, column), wide) in cells.iter().zip(&table.columns).zip(&widths) {
                let strip = cell.get(i).cloned().unwrap_or_default();
                let pad = " ".repeat(wide.saturating_sub(strip.width()));
                if column.numeric {
                    row.push_str(&pad);
                }
                strip.paint(color, &mut row);
                if !column.numeric {
                    row.push_str(&pad);
                }
                row.push_str(&" ".repeat(BETWEEN));
            }
            out.push_str(row.trim_end());
            out.push('\n');
        }
    };
    put(&titles);
    for row in &table.rows {
        let look = |strip: Strip| if row.total { strip.look(Look::Strong) } else { strip };
        let cell = |(line, wide): (&Line, &usize)| wrap_hard(line, *wide).into_iter().map(look).collect();
        let cells: Vec<Vec<Strip>> = row.cells.iter().zip(&widths).map(cell).collect();
        put(&cells);
    }
    out
}

fn head(title: &'static str, width: usize) -> Vec<Strip> {
    wrap(&Line::default().text(title), width).into_iter().map(|strip| strip.look(Look::Dim)).collect()
}

fn natural_widths(table: &Table) -> Vec<usize> {
    let cell = |line: &Line| wrap(line, usize::MAX).first().map_or(0, Strip::width);
    let widest = |i: usize| table.rows.iter().filter_map(|row| row.cells.get(i)).map(cell).max().unwrap_or(0);
    table.columns.iter().enumerate().map(|(i, column)| widest(i).max(column.title.width())).collect()
}

/// Takes cells from the widest columns of words until the table fits, but leaves each enough to be read.
fn narrow(table: &Table, widths: &mut [usize], spare: usize) {
    const READABLE: usize = 16;
    loop {
        let total: usize = widths.iter().sum();
        let over = total.saturating_sub(spare);
        let widest = widths.iter().zip(&table.columns).enumerate().filter(|(_, (w, c))| !c.numeric && **w > READABLE);
        let Some((at, _)) = widest.max_by_key(|(i, (w, _))| (**w, *i)).filter(|_| over > 0) else {
            return;
        };
        // The runner-up sets how far the widest may shrink in one step, so that equally long columns share the loss.
        let next = widths.iter().zip(&table.columns).enumerate().filter(|(i, (_, c))| *i != at && !c.numeric).map(|(_, (w, _))| *w).max();
        if let Some(wide) = widths.get_mut(at) {
            let floor = next.unwrap_or(0).clamp(READABLE, *wide - 1);
            *wide = (*wide).saturating_sub(over).max(floor);
        }
    }
}

/// As [`wrap`], but cuts words that are too long, so that columns stay columns.
fn wrap_hard(line: &Line, width: usize) -> Vec<Strip> {
    let mut strips = Vec::new();
    for strip in flow(words(line, false), width) {
        if strip.width() <= width {
            strips.push(strip);
            continue;
        }
        let mut row = Strip::default();
        let mut used = 0;
        for piece in strip.pieces {
            let mut part = Piece { text: String::new(), look: piece.look, glued: true };
            for c in piece.text.chars() {
                let wide = c.width().unwrap_or(0);
                if used + wide > width && used > 0 {
                    row.pieces.push(std::mem::replace(&mut part, Piece { text: String::new(), look: piece.look, glued: true }));
                    strips.push(std::mem::take(&mut row));
                    used = 0;
                }
                part.text.push(c);
                used += wide;
            }
            row.pieces.push(part);
        }
        strips.push(row);
    }
    strips
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Column, Row, log, text};

    fn plain(strips: &[Strip]) -> Vec<String> {
        let paint = |strip: &Strip| {
            let mut out = String::new();
            strip.paint(false, &mut out);
            out
        };
        strips.iter().map(paint).collect()
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_stay_whole() {
        let line = text("first login from ").log("2001:db8:ffff:ffff::1").text(", then nothing");
        assert_eq!(plain(&wrap(&line, 16)), ["first login from", "2001:db8:ffff:ffff::1,", "then nothing"]);
    }

    #[test]
    fn japanese_breaks_between_characters_but_never_before_a_full_stop_and_never_in_a_name() {
        let line = text("宛先 262 件がブロック（理由").text("）。").log("田中太郎@u.example").text("による。");
        let rows = plain(&wrap(&line, 16));
        assert_eq!(rows, ["宛先 262 件がブ", "ロック（理由）。", "田中太郎@u.example", "による。"]);
        assert!(rows.iter().all(|row| row.width() <= 18));
    }

    #[test]
    fn columns_line_up_under_wide_characters() {
        let table = Table {
            caption: "",
            columns: vec![Column::words("Account"), Column::number("Messages")],
            rows: vec![Row::of([log("田中太郎@u.example"), text("1,234")]), Row::of([log("a@u.example"), text("9")])],
        };
        let expected = ["  Account             Messages", "  田中太郎@u.example     1,234", "  a@u.example                9"];
        assert_eq!(columns(&table, 2, 80, false).lines().collect::<Vec<_>>(), expected);
        assert!(expected.iter().all(|row| row.width() == 30));
    }

    #[test]
    fn a_narrow_page_cuts_the_widest_column_between_characters() {
        let table = Table {
            caption: "",
            columns: vec![Column::words("Path"), Column::number("Lines")],
            rows: vec![Row::of([log("証拠/とても長い名前のフォルダ/mail.log"), text("12")])],
        };
        let set = columns(&table, 0, 30, false);
        assert!(set.lines().all(|row| row.width() <= 30), "{set}");
        assert_eq!(
            set.lines().skip(1).map(|row| row.get(..).unwrap().trim_end_matches("12").trim()).collect::<String>(),
            "証拠/とても長い名前のフォルダ/mail.log"
        );
    }
}
