//! How numbers are worded in prose faces. Machine faces use none of this.

use super::document::Line;
use crate::analysis::model::Gap;
use crate::say::{Lang, words};

/// `1,510,000`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 message`, `795 messages`: the second sentence is the one that other languages translate; see [`counted!`].
pub(crate) fn with_noun(lang: Lang, n: u64, one: &'static str, many: &'static str) -> String {
    let template = if lang == Lang::En && n == 1 { one } else { lang.template(many) };
    template.replace("{n}", &count(n))
}

/// A number with its noun: `counted!(lang, n, "{n} message", "{n} messages")`.
macro_rules! counted {
    ($lang:expr, $n:expr, $one:literal, $many:literal $(,)?) => {{
        const { assert!($crate::say::fits($one, &["n"]) && $crate::say::fits($many, &["n"]), "the number is missing") };
        $crate::report::words::with_noun($lang, $n, $one, $many)
    }};
}
pub(crate) use counted;

/// `no gaps`, `1 gap`, `3 gaps`.
pub(crate) fn gaps(lang: Lang, gaps: &[Gap]) -> String {
    match gaps.len() {
        0 => words!(lang, "no gaps").to_owned(),
        n => counted!(lang, n as u64, "{n} gap", "{n} gaps"),
    }
}

/// A word of the report for machines, explained.
pub(crate) fn term(lang: Lang, word: &str) -> Line {
    Line::default().text(lang.term(word).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, shown) in [(0, "0"), (784, "784"), (1_000, "1,000"), (12_345, "12,345"), (1_510_000, "1,510,000")] {
            assert_eq!(count(n), shown);
        }
        assert_eq!(counted!(Lang::En, 1, "{n} gap", "{n} gaps"), "1 gap");
        assert_eq!(counted!(Lang::En, 2_000, "{n} gap", "{n} gaps"), "2,000 gaps");
    }
}
