//! How text that an attacker may have written is made harmless, one escape for each kind of page.
//!
//! [`Untrusted`] has no `Display` of its own: a face gets at the text only by naming the escape it needs. What is escaped is shown, never
//! dropped; the exact bytes stand in the JSON face.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

/// A string of the report. Any of them may hold what an attacker wrote into a HELO, a user name or a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untrusted(String);

impl From<&str> for Untrusted {
    fn from(text: &str) -> Untrusted {
        Untrusted(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Untrusted {
        Untrusted(text)
    }
}

impl Untrusted {
    /// For a terminal: control, bidirectional and invisible characters are shown as `\x1b` or `\u{202e}`.
    #[must_use]
    pub fn terminal(&self) -> impl Display + '_ {
        Shown(&self.0, put_visible)
    }

    /// For a sentence in Markdown: metacharacters are escaped, and words that a renderer would turn into a link or a mention
    /// become code.
    #[must_use]
    pub fn markdown(&self) -> impl Display + '_ {
        MarkdownProse(&self.0)
    }

    /// For log text in Markdown: a code span, addresses of web pages defanged.
    #[must_use]
    pub fn markdown_code(&self) -> impl Display + '_ {
        MarkdownCode(defang(&self.0))
    }

    /// For HTML, between tags and in quoted attributes.
    #[must_use]
    pub fn html(&self) -> impl Display + '_ {
        Shown(&self.0, put_html)
    }

    /// For log text in HTML: as [`Untrusted::html`], addresses of web pages defanged.
    #[must_use]
    pub fn html_log(&self) -> impl Display + '_ {
        ShownOwned(defang(&self.0), put_html)
    }

    /// For a CSV cell: quoted, and with a leading `'` where a spreadsheet would take it for a formula.
    ///
    /// A spreadsheet may drop the guard when it saves the file again.
    #[must_use]
    pub fn csv(&self) -> impl Display + '_ {
        CsvCell(&self.0)
    }

    /// Whether it is empty or the dash that stands for nothing.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        matches!(self.0.as_str(), "" | "-")
    }

    /// Adds what follows.
    pub(super) fn push(&mut self, more: &Untrusted) {
        self.0.push_str(&more.0);
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes a string safe to print on a terminal, for messages outside any report.
#[must_use]
pub fn terminal(text: &str) -> impl Display + '_ {
    Shown(text, put_visible)
}

/// Whether a character moves the cursor, reorders its neighbours or cannot be seen.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

type Put = fn(char, &mut Formatter<'_>) -> fmt::Result;

struct Shown<'a>(&'a str, Put);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| (self.1)(c, f))
    }
}

struct ShownOwned<'a>(Cow<'a, str>, Put);

impl Display for ShownOwned<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| (self.1)(c, f))
    }
}

fn put_visible(c: char, f: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        c if is_hidden(c) && u32::from(c) < 0x100 => write!(f, "\\x{:02x}", u32::from(c)),
        c if is_hidden(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

fn put_html(c: char, f: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c => put_visible(c, f),
    }
}

struct MarkdownProse<'a>(&'a str);

impl Display for MarkdownProse<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut start_of_line = true;
        for piece in self.0.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end_matches(char::is_whitespace);
            let space = piece.get(word.len()..).unwrap_or_default();
            if would_link(word) {
                let bare = word.trim_end_matches([',', '.', ';', ':']);
                write!(f, "{}", MarkdownCode(defang(bare)))?;
                put_markdown(word.get(bare.len()..).unwrap_or_default(), false, f)?;
            } else {
                put_markdown(word, start_of_line, f)?;
            }
            space.chars().try_for_each(|c| put_visible(c, f))?;
            start_of_line = false;
        }
        Ok(())
    }
}

/// Whether a Markdown renderer would make a link or a mention of a word.
fn would_link(word: &str) -> bool {
    word.contains('@') || word.contains("://") || word.to_ascii_lowercase().contains("www.")
}

fn put_markdown(word: &str, start_of_line: bool, f: &mut Formatter<'_>) -> fmt::Result {
    let marker = start_of_line && word.chars().all(|c| matches!(c, '#' | '-' | '+' | '='));
    let list_number = start_of_line && word.starts_with(|c: char| c.is_ascii_digit());
    for (at, c) in word.char_indices() {
        let ends_list_number = list_number && matches!(c, '.' | ')') && at + c.len_utf8() == word.len();
        let opens_block = (marker && at == 0) || ends_list_number;
        if opens_block || matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$') {
            f.write_char('\\')?;
        }
        put_visible(c, f)?;
    }
    Ok(())
}

struct MarkdownCode<'a>(Cow<'a, str>);

impl Display for MarkdownCode<'_> {
    /// A plain code span cannot hold a backtick or, inside a table, a pipe in a way that all renderers agree on; text with either
    /// becomes an HTML code element in which all punctuation is written as character references.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.trim().is_empty() {
            return Ok(());
        }
        if !self.0.contains(['`', '|']) {
            return write!(f, "`{}`", Shown(&self.0, put_visible));
        }
        f.write_str("<code>")?;
        let shown = Shown(&self.0, put_visible).to_string();
        for c in shown.chars() {
            match c {
                c if c.is_ascii_punctuation() => write!(f, "&#{};", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_str("</code>")
    }
}

struct CsvCell<'a>(&'a str);

impl Display for CsvCell<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
        let formula = self.0.starts_with(FORMULA) || self.0.trim_start().starts_with(FORMULA);
        f.write_str(if formula { "\"'" } else { "\"" })?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\"\"")?,
                c => put_visible(c, f)?,
            }
        }
        f.write_char('"')
    }
}

/// Makes addresses of web pages unusable by accident: `hxxps://evil[.]example/x`.
fn defang(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !text.to_ascii_lowercase().contains("www.") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_inclusive(char::is_whitespace).map(defang_word).collect())
}

fn defang_word(word: &str) -> String {
    const AFTER_HOST: [char; 8] = ['/', '?', '#', ')', '>', '"', '\'', ','];
    let lower = word.to_ascii_lowercase();
    let (head, rest) = match (word.split_once("://"), lower.find("www.")) {
        (Some((scheme, rest)), _) => (format!("{}://", scheme.replace("tt", "xx").replace("TT", "XX")), rest),
        (None, Some(at)) => (word.get(..at).unwrap_or_default().to_owned(), word.get(at..).unwrap_or_default()),
        (None, None) => return word.to_owned(),
    };
    let end = rest.find(AFTER_HOST).unwrap_or_else(|| rest.trim_end_matches(['.', ' ', '\n']).len());
    let (host, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    format!("{head}{}{}", host.replace('.', "[.]"), defang(tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn untrusted(text: &str) -> Untrusted {
        Untrusted::from(text)
    }

    #[test]
    fn a_terminal_is_shown_controls_and_not_driven_by_them() {
        let title = untrusted("\x1b]0;owned\x07 a\u{202e}b\nc\u{9b}2J 田中");
        assert_eq!(title.terminal().to_string(), "\\x1b]0;owned\\x07 a\\u{202e}b\\nc\\x9b2J 田中");
    }

    #[test]
    fn markdown_gives_no_link_no_tag_and_no_new_cell() {
        let prose = |text: &str| untrusted(text).markdown().to_string();
        assert_eq!(prose("[x](javascript:alert(1))"), "\\[x\\](javascript:alert(1))");
        assert_eq!(prose("<script>|a_b"), "\\<script\\>\\|a\\_b");
        assert_eq!(prose("see https://evil.example/a.b, tanaka@u.example."), "see `hxxps://evil[.]example/a.b`, `tanaka@u.example`.");
        assert_eq!(prose("# 1. x"), "\\# 1. x");
        assert_eq!(prose("1. x\n- y"), "1\\. x\\n- y");
    }

    #[test]
    fn markdown_code_survives_backticks_and_pipes() {
        let code = |text: &str| untrusted(text).markdown_code().to_string();
        assert_eq!(code("550 5.7.1 refused"), "`550 5.7.1 refused`");
        assert_eq!(code("a`b|<c"), "<code>a&#96;b&#124;&#60;c</code>");
        assert_eq!(code("a`\nb"), "<code>a&#96;&#92;nb</code>");
        assert_eq!(code("WWW.evil.example/x http://a.example"), "`WWW[.]evil[.]example/x hxxp://a[.]example`");
    }

    #[test]
    fn html_gives_no_tag_and_no_attribute() {
        assert_eq!(untrusted("<a href='x' title=\"y\">&").html().to_string(), "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;");
    }

    #[test]
    fn a_spreadsheet_sees_text_and_not_a_formula() {
        let csv = |text: &str| untrusted(text).csv().to_string();
        assert_eq!(csv("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(csv(" @SUM(A1)"), "\"' @SUM(A1)\"");
        assert_eq!(csv("＝1+1"), "\"'＝1+1\"");
        assert_eq!(csv("say \"hi\", a@u.example"), "\"say \"\"hi\"\", a@u.example\"");
    }

    proptest! {
        #[test]
        fn no_escape_lets_a_hidden_character_or_a_tag_through(text in any::<String>()) {
            let text = untrusted(&text);
            let shown = [text.terminal().to_string(), text.markdown().to_string(), text.markdown_code().to_string(),
                text.html().to_string(), text.html_log().to_string(), text.csv().to_string()];
            for face in &shown {
                prop_assert!(!face.chars().any(is_hidden), "{face:?}");
            }
            prop_assert!(!shown[3].contains(['<', '>', '"']));
            prop_assert!(!shown[4].contains(['<', '>', '"']));
        }
    }
}
