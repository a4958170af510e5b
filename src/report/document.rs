//! A report as a page: sections of sentences, facts, lists and tables, before any face has put it into its own notation.
//!
//! What is said is decided by `story` and `inventory`; how it looks is decided by the faces. All text is [`Untrusted`], so that a face
//! can print nothing without naming its escape.

use super::escape::Untrusted;
use crate::domain::time::Stamp;
use crate::say::{Lang, Piece, pieces};

/// A sentence as a line: `said!(lang, "last login of {account}", account = log(name))`.
macro_rules! said {
    ($lang:expr, $english:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        const { assert!($crate::say::fits($english, &[$(stringify!($name)),*]), "the names in braces are not those given") };
        let parts = [$((stringify!($name), $crate::report::document::Line::from($crate::say::value!($name $(= $value)?)))),*];
        $crate::report::document::Line::filled($lang.template($english), &parts)
    }};
}
pub(crate) use said;

/// A whole page.
pub(crate) struct Document {
    pub(crate) lang: Lang,
    /// The mark of the Traffic Light Protocol, `TLP:AMBER+STRICT`.
    pub(crate) tlp: Untrusted,
    pub(crate) title: Line,
    pub(crate) sections: Vec<Section>,
}

/// A headed part of the page. Sections of the second depth belong to the last one of the first.
pub(crate) struct Section {
    pub(crate) depth: Depth,
    pub(crate) title: Line,
    pub(crate) tone: Tone,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    First,
    Second,
}

/// What a colour would say; never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

pub(crate) enum Block {
    Prose(Line),
    Facts(Vec<Fact>),
    List(Vec<Line>),
    Table(Table),
}

/// A named value.
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: Line,
}

pub(crate) struct Table {
    /// What the table shows, for readers who cannot see its place on the page.
    pub(crate) caption: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) numeric: bool,
}

#[derive(Default)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Line>,
    /// Whether the row is the sum of the others.
    pub(crate) total: bool,
    /// The row's part of the whole, from 0 to 1, where a bar helps the eye.
    pub(crate) share: Option<(f64, Tone)>,
}

/// A run of text, part by part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) spans: Vec<Span>,
}

#[derive(Clone, Debug)]
pub(crate) enum Span {
    Text(Untrusted),
    Strong(Untrusted),
    /// A time, not to be broken across rows of prose.
    Time(Stamp),
    /// Taken from the evidence letter by letter.
    Log(Untrusted),
    /// Where a fact stands in the evidence.
    Pointer(Untrusted),
}

impl Line {
    /// Whether it says that there is nothing to say.
    pub(crate) fn is_blank(&self) -> bool {
        self.spans.iter().all(|span| matches!(span, Span::Text(text) if text.is_blank()))
    }

    pub(crate) fn text(self, text: impl Into<Untrusted>) -> Line {
        self.with(Span::Text(text.into()))
    }

    pub(crate) fn strong(self, text: impl Into<Untrusted>) -> Line {
        self.with(Span::Strong(text.into()))
    }

    pub(crate) fn time(self, at: Stamp) -> Line {
        self.with(Span::Time(at))
    }

    /// A sentence with its names filled in; see [`said!`].
    pub(crate) fn filled(template: &'static str, parts: &[(&'static str, Line)]) -> Line {
        let mut line = Line::default();
        for piece in pieces(template) {
            match piece {
                Piece::Words(words) => line.join(Span::Text(words.into())),
                Piece::Slot(slot) => {
                    let part = parts.iter().find(|(name, _)| *name == slot);
                    part.into_iter().flat_map(|(_, part)| &part.spans).for_each(|span| line.join(span.clone()));
                }
            }
        }
        line
    }

    /// Adds a part; words that follow words become one text with them.
    fn join(&mut self, span: Span) {
        match (self.spans.last_mut(), span) {
            (Some(Span::Text(before)), Span::Text(more)) => before.push(&more),
            (_, span) => self.spans.push(span),
        }
    }

    /// Adds the parts of another line.
    pub(crate) fn line(mut self, other: Line) -> Line {
        self.spans.extend(other.spans);
        self
    }

    pub(crate) fn log(self, text: impl Into<Untrusted>) -> Line {
        self.with(Span::Log(text.into()))
    }

    /// Adds a few pointers into the evidence, in brackets; nothing if there are none.
    pub(crate) fn pointers(self, places: &[String]) -> Line {
        const SHOWN_MAX: usize = 3;
        if places.is_empty() {
            return self;
        }
        let shown = places.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = if places.len() > SHOWN_MAX { ", …" } else { "" };
        self.with(Span::Text(" ".into())).with(Span::Pointer(format!("[{shown}{rest}]").into()))
    }

    /// Adds strings of the evidence, `", "` between them, and says how many were left out beyond `shown_max`.
    pub(crate) fn logs(mut self, lang: Lang, items: &[String], shown_max: usize) -> Line {
        for (i, item) in items.iter().take(shown_max).enumerate() {
            if i > 0 {
                self = self.text(", ");
            }
            self = self.log(item.as_str());
        }
        match items.len().checked_sub(shown_max) {
            Some(rest) if rest > 0 => self.line(said!(lang, " and {n} more", n = rest as u64)),
            _ => self,
        }
    }

    fn with(mut self, span: Span) -> Line {
        self.spans.push(span);
        self
    }
}

/// Names filled into a sentence: text, numbers in groups of thousands, times.
impl From<&str> for Line {
    fn from(shown: &str) -> Line {
        text(shown)
    }
}

impl From<&String> for Line {
    fn from(shown: &String) -> Line {
        text(shown.as_str())
    }
}

impl From<String> for Line {
    fn from(shown: String) -> Line {
        text(shown)
    }
}

impl From<u64> for Line {
    fn from(n: u64) -> Line {
        text(super::words::count(n))
    }
}

impl From<Stamp> for Line {
    fn from(at: Stamp) -> Line {
        Line::default().time(at)
    }
}

/// From when to when.
pub(crate) fn range(lang: Lang, from: Stamp, to: Stamp) -> Line {
    said!(lang, "{from} to {to}", from, to)
}

/// A line of plain words.
pub(crate) fn text(text: impl Into<Untrusted>) -> Line {
    Line::default().text(text)
}

/// A time for a table cell.
pub(crate) fn time(at: Option<Stamp>) -> Line {
    at.map_or_else(|| text("-"), |at| Line::default().time(at))
}

/// A line of log text.
pub(crate) fn log(text: impl Into<Untrusted>) -> Line {
    Line::default().log(text)
}

impl Table {
    /// The same table without the columns that say nothing in any row.
    pub(crate) fn without_blank_columns(self) -> Table {
        let said = |i: usize| self.rows.iter().any(|row| row.cells.get(i).is_some_and(|cell| !cell.is_blank()));
        let keep: Vec<bool> = (0..self.columns.len()).map(said).collect();
        let kept = |i: usize| keep.get(i).copied().unwrap_or(true);
        let columns = self.columns.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, column)| *column).collect();
        let narrow = |row: Row| Row { cells: row.cells.into_iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, c)| c).collect(), ..row };
        Table { caption: self.caption, columns, rows: self.rows.into_iter().map(narrow).collect() }
    }
}

impl Column {
    pub(crate) fn words(title: &'static str) -> Column {
        Column { title, numeric: false }
    }

    pub(crate) fn number(title: &'static str) -> Column {
        Column { title, numeric: true }
    }
}

impl Row {
    pub(crate) fn of(cells: impl Into<Vec<Line>>) -> Row {
        Row { cells: cells.into(), total: false, share: None }
    }
}

impl Section {
    pub(crate) fn first(title: Line, tone: Tone, blocks: Vec<Block>) -> Section {
        Section { depth: Depth::First, title, tone, blocks }
    }

    pub(crate) fn second(title: &'static str, blocks: Vec<Block>) -> Section {
        Section { depth: Depth::Second, title: text(title), tone: Tone::Plain, blocks }
    }

    /// The rows of all tables and lists in it.
    pub(crate) fn rows(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Table(table) => table.rows.len(),
                Block::List(items) => items.len(),
                Block::Facts(facts) => facts.len(),
                Block::Prose(_) => 1,
            })
            .sum()
    }
}
