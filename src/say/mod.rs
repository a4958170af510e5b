//! What is said to people, in the language they asked for.
//!
//! A sentence is written in English where it is said, `say!("{n} of {all} recipients were blocked", n, all = total)`, and stands in the
//! catalogue of each other language under that very text. Names in braces are filled in, in whatever order a language wants them.
//! Singular and plural are chosen before, by giving two sentences. Words that machines read (`delivered`, `new-origin`) are terms: they
//! stay as they are and get an explanation beside them.
//!
//! A compiler error tells a name without a value; `tests/it/languages.rs` tells a sentence that a catalogue lacks, or has for nothing.

mod ja;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

/// A language of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    En,
    Ja,
}

/// One line of a catalogue: English, then the other language.
pub type Entry = (&'static str, &'static str);

impl Lang {
    /// Every language, the one the sources are written in first.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ja];

    /// The code of ISO 639-1.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
        }
    }

    /// Reads a code.
    ///
    /// # Errors
    /// Returns a sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Lang, String> {
        let codes = || Lang::ALL.map(Lang::as_str).join(", ");
        let known = Lang::ALL.into_iter().find(|lang| text.eq_ignore_ascii_case(lang.as_str()));
        known.ok_or_else(|| format!("unknown language \"{text}\"; give one of {}", codes()))
    }

    /// The sentences of its catalogue.
    #[must_use]
    pub fn sentences(self) -> &'static [&'static [Entry]] {
        match self {
            Lang::En => &[],
            Lang::Ja => ja::SENTENCES,
        }
    }

    /// The words of reports and tables that it explains.
    #[must_use]
    pub fn terms(self) -> &'static [Entry] {
        match self {
            Lang::En => &[],
            Lang::Ja => ja::TERMS,
        }
    }

    /// A sentence, its names still to be filled in. What no catalogue has is said in English rather than not at all.
    #[must_use]
    pub fn template(self, english: &'static str) -> &'static str {
        let known = self.sentences().iter().flat_map(|part| part.iter()).find(|(key, _)| *key == english);
        known.map_or(english, |(_, said)| said)
    }

    /// A word that machines read, with what it means beside it.
    #[must_use]
    pub fn term(self, word: &str) -> Cow<'_, str> {
        match self.terms().iter().find(|(key, _)| *key == word) {
            Some((key, meaning)) => Cow::Owned(format!("{meaning} ({key})")),
            None => Cow::Owned(word.to_owned()),
        }
    }

    /// What stands between the parts of a list.
    #[must_use]
    pub fn comma(self) -> &'static str {
        match self {
            Lang::En => ", ",
            Lang::Ja => "、",
        }
    }

    /// What stands between sentences that were put together to one.
    #[must_use]
    pub fn semicolon(self) -> &'static str {
        match self {
            Lang::En => "; ",
            Lang::Ja => "。",
        }
    }
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    Words(&'t str),
    /// The name of what is to be filled in.
    Slot(&'t str),
}

/// Takes a template apart.
pub fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    template.split('{').enumerate().flat_map(|(i, part)| {
        let (slot, words) =
            if i == 0 { (None, part) } else { part.split_once('}').map_or((None, part), |(slot, words)| (Some(slot), words)) };
        slot.map(Piece::Slot).into_iter().chain((!words.is_empty()).then_some(Piece::Words(words)))
    })
}

/// Something to say, in no language yet.
#[derive(Clone, Debug)]
pub struct Phrase {
    english: &'static str,
    parts: Vec<(&'static str, Part)>,
}

/// What a name of a phrase stands for.
#[derive(Clone, Debug)]
pub enum Part {
    /// The same in every language.
    Text(String),
    /// A word that machines read.
    Term(&'static str),
    Phrase(Phrase),
    /// Several, with commas between.
    List(Vec<Part>),
}

impl Phrase {
    /// For the macro alone, which checks the names.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(english: &'static str, parts: Vec<(&'static str, Part)>) -> Phrase {
        Phrase { english, parts }
    }

    /// The phrase in a language.
    #[must_use]
    pub fn to(&self, lang: Lang) -> String {
        let mut out = String::new();
        for piece in pieces(lang.template(self.english)) {
            match piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Slot(slot) => {
                    if let Some((_, part)) = self.parts.iter().find(|(name, _)| *name == slot) {
                        out.push_str(&part.to(lang));
                    }
                }
            }
        }
        out
    }

    /// Rewrites every text that is filled in, and no word of the sentence.
    pub fn rewrite(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.parts.iter_mut().for_each(|(_, part)| part.rewrite(change));
    }

    /// A phrase that is one text in every language: words of the system or of a library.
    #[must_use]
    pub fn verbatim(text: impl Into<String>) -> Phrase {
        Phrase::new("{text}", vec![("text", Part::Text(text.into()))])
    }
}

impl Part {
    fn rewrite(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Part::Text(text) => change(text),
            Part::Term(_) => {}
            Part::Phrase(phrase) => phrase.rewrite(change),
            Part::List(parts) => parts.iter_mut().for_each(|part| part.rewrite(change)),
        }
    }

    fn to(&self, lang: Lang) -> Cow<'_, str> {
        match self {
            Part::Text(text) => Cow::Borrowed(text),
            Part::Term(word) => lang.term(word),
            Part::Phrase(phrase) => Cow::Owned(phrase.to(lang)),
            Part::List(parts) => Cow::Owned(parts.iter().map(|part| part.to(lang)).collect::<Vec<_>>().join(lang.comma())),
        }
    }
}

/// In English, as errors and progress are told.
impl Display for Phrase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to(Lang::En))
    }
}

/// Phrases are compared by their English.
impl Ord for Phrase {
    fn cmp(&self, other: &Phrase) -> std::cmp::Ordering {
        self.to(Lang::En).cmp(&other.to(Lang::En))
    }
}

impl PartialOrd for Phrase {
    fn partial_cmp(&self, other: &Phrase) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Phrase {
    fn eq(&self, other: &Phrase) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Phrase {}

impl From<Phrase> for Part {
    fn from(phrase: Phrase) -> Part {
        Part::Phrase(phrase)
    }
}

macro_rules! text_parts {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Part {
            fn from(text: $kind) -> Part {
                Part::Text(text.to_string())
            }
        }
    )* };
}
text_parts!(String, &str, &String, Cow<'_, str>, u32, u64, usize, i64);

/// Whether the names in a template are exactly the given ones; the compiler asks.
#[doc(hidden)]
#[must_use]
pub const fn fits(template: &str, names: &[&str]) -> bool {
    let text = template.as_bytes();
    let mut i = 0;
    let mut slots_known = true;
    while i < text.len() {
        if text[i] == b'{' {
            let mut known = false;
            let mut n = 0;
            while n < names.len() {
                known |= slot_is(text, i, names[n].as_bytes());
                n += 1;
            }
            slots_known &= known;
        }
        i += 1;
    }
    let mut names_used = true;
    let mut n = 0;
    while n < names.len() {
        let mut used = false;
        let mut i = 0;
        while i < text.len() {
            used |= text[i] == b'{' && slot_is(text, i, names[n].as_bytes());
            i += 1;
        }
        names_used &= used;
        n += 1;
    }
    slots_known && names_used
}

/// Whether `{name}` stands at a place.
const fn slot_is(text: &[u8], at: usize, name: &[u8]) -> bool {
    if at + name.len() + 1 >= text.len() || text[at + name.len() + 1] != b'}' {
        return false;
    }
    let mut i = 0;
    while i < name.len() {
        if text[at + 1 + i] != name[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A phrase: `say!("{n} lines of {path}", n, path = source.path)`.
macro_rules! say {
    ($english:literal $(,)?) => { $crate::say::Phrase::new($english, Vec::new()) };
    ($english:literal $(, $name:ident $(= $value:expr)?)+ $(,)?) => {{
        const { assert!($crate::say::fits($english, &[$(stringify!($name)),+]), "the names in braces are not those given") };
        $crate::say::Phrase::new($english, vec![$((stringify!($name), $crate::say::Part::from($crate::say::value!($name $(= $value)?)))),+])
    }};
}

/// What a name stands for: its value, or the variable of that name.
macro_rules! value {
    ($name:ident) => {
        $name
    };
    ($name:ident = $value:expr) => {
        $value
    };
}

/// Fixed words in a language, for headings: `words!(lang, "Accounts")`.
macro_rules! words {
    ($lang:expr, $english:literal) => {{
        const { assert!($crate::say::fits($english, &[]), "headings have no names in braces") };
        $lang.template($english)
    }};
}

pub(crate) use {say, value, words};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_filled_in_whatever_order_a_language_wants() {
        let known = say!("{n} of {all}", n = 3_u64, all = say!("{x} and {x}", x = "a"));
        assert_eq!(known.to_string(), "3 of a and a");
        assert_eq!(pieces("{b} の {a}").collect::<Vec<_>>(), [Piece::Slot("b"), Piece::Words(" の "), Piece::Slot("a")]);
        assert_eq!(Phrase::verbatim("{x} 50%").to(Lang::Ja), "{x} 50%");
    }

    #[test]
    fn names_without_a_value_and_values_without_a_name_are_found() {
        assert!(fits("a {b} c {d}", &["d", "b"]) && fits("a", &[]) && fits("{a}", &["a"]));
        assert!(!fits("a {b}", &[]) && !fits("a", &["b"]) && !fits("{bb}", &["b"]) && !fits("{", &["b"]) && !fits("{b", &["b"]));
    }

    #[test]
    fn a_term_stays_and_is_explained() {
        assert_eq!(Lang::En.term("delivered"), "delivered");
        assert_eq!(Lang::Ja.term("delivered"), "配送済み (delivered)");
        assert_eq!(Lang::Ja.term("postfix"), "postfix");
    }

    #[test]
    fn a_language_is_known_by_its_code() {
        assert_eq!(Lang::parse("JA"), Ok(Lang::Ja));
        assert!(Lang::parse("fr").unwrap_err().contains("en, ja"));
    }
}
