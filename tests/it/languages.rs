//! Every language says everything: what the sources say stands in each catalogue, and nothing else does.
//!
//! The sources are read as text; the catalogues are asked.

use crate::command::analyze;
use crate::evidence::{files, fixture, project};
use mailtrail::say::{Lang, Piece, pieces};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The macros that say something, and which of their arguments the sentence is.
const MACROS: [(&str, usize); 4] = [("say!", 0), ("said!", 1), ("words!", 1), ("counted!", 3)];

/// The parts of a macro's arguments, split at its outermost commas.
fn arguments(after: &str) -> Vec<&str> {
    let (mut depth, mut in_string, mut escaped, mut start) = (0, false, false, 0);
    let mut found = Vec::new();
    for (at, c) in after.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 1 => {
                found.push(after[start..at].trim());
                return found;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 1 => {
                found.push(after[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        if at == 0 {
            start = 1;
        }
    }
    found
}

/// The text of a string literal; `None` of anything else.
fn text(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut lines = inner.split("\\\n");
    let first = lines.next()?.to_owned();
    let joined = lines.fold(first, |whole, line| whole + line.trim_start());
    Some(joined.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// Every sentence of some code.
fn said(code: &str) -> BTreeSet<String> {
    let product = code.split("#[cfg(test)]\nmod ").next().unwrap_or(code);
    let bare: String = product.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
    let mut said = BTreeSet::new();
    for (name, which) in MACROS {
        for (at, _) in bare.match_indices(name) {
            let whole = !bare[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let literal = arguments(&bare[at + name.len()..]).get(which).and_then(|literal| text(literal));
            said.extend(literal.filter(|_| whole));
        }
    }
    said
}

fn everything_said() -> BTreeSet<String> {
    let sources = files(&project().join("src"));
    let product = sources.iter().filter(|(path, _)| path.ends_with(".rs") && !path.ends_with("tests.rs") && !path.starts_with("say/"));
    product.flat_map(|(_, bytes)| said(&String::from_utf8_lossy(bytes))).collect()
}

fn slots(template: &str) -> BTreeSet<&str> {
    pieces(template).filter_map(|piece| if let Piece::Slot(slot) = piece { Some(slot) } else { None }).collect()
}

#[test]
fn sentences_are_found_in_code() {
    let code = "x(say!(\n    \"a \\\"b\\\", {n}\",\n    n = f(1, 2)\n), words!(l, \"c\")); // say!(\"no\")\n  // say!(\"no\")\ncounted!(f(a), n, \"one\", \"many\")";
    assert_eq!(said(code).into_iter().collect::<Vec<_>>(), ["a \"b\", {n}", "c", "many", "no"]);
    assert!(everything_said().len() > 200, "the sentences were not found");
}

#[test]
fn every_sentence_is_in_every_catalogue_once_with_the_same_names() {
    let said = everything_said();
    for lang in Lang::ALL.into_iter().filter(|lang| *lang != Lang::En) {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        for (english, other) in lang.sentences().iter().flat_map(|part| part.iter()) {
            assert!(known.insert(english, other).is_none(), "twice: {english}");
            assert_eq!(slots(english), slots(other), "other names in: {english}");
            assert!(!other.is_empty() && !other.contains('\n'), "{english}");
        }
        let missing: Vec<&String> = said.iter().filter(|english| !known.contains_key(english.as_str())).collect();
        assert!(missing.is_empty(), "src/say/{} lacks {missing:#?}", lang.as_str());
        let unused: Vec<&str> = known.keys().filter(|english| !said.contains(**english)).copied().collect();
        assert!(unused.is_empty(), "said nowhere, but in src/say/{}: {unused:#?}", lang.as_str());
    }
}

/// Words in quotes that some functions give, one for each variant of an enum.
fn words_of(path: &str, from: &str) -> Vec<String> {
    let code = std::fs::read_to_string(project().join("src").join(path)).unwrap();
    let after = code.split_once(from).unwrap_or_else(|| panic!("{path} has no {from}")).1;
    let body = after.split("\n    }\n").next().unwrap();
    body.lines().filter_map(|line| line.split_once("=> \"")).filter_map(|(_, word)| word.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn every_word_for_machines_is_explained_once() {
    let outcomes = words_of("domain/outcome.rs", "impl Outcome");
    let reasons = words_of("domain/outcome.rs", "impl Reason");
    let actions = words_of("domain/action.rs", "impl ActionKind");
    let ignored = words_of("formats/batch.rs", "impl Ignored");
    assert!(outcomes.len() == 9 && reasons.len() == 10 && actions.len() > 30 && ignored.len() > 5, "{outcomes:?} {reasons:?} {ignored:?}");
    let signs = std::fs::read_to_string(project().join("src/analysis/signs.rs")).unwrap();
    let signs = signs.lines().filter(|line| line.starts_with("    (Sign::")).filter_map(|line| line.split('"').nth(1)).map(str::to_owned);
    let words: BTreeSet<String> = [outcomes, reasons, actions, ignored].concat().into_iter().chain(signs).collect();
    for lang in Lang::ALL.into_iter().filter(|lang| *lang != Lang::En) {
        let terms: Vec<&str> = lang.terms().iter().map(|(word, _)| *word).collect();
        assert_eq!(terms.len(), terms.iter().collect::<BTreeSet<_>>().len(), "a term stands twice");
        let missing: Vec<&String> = words.iter().filter(|word| !terms.contains(&word.as_str())).collect();
        assert!(missing.is_empty(), "src/say/{} does not explain {missing:?}", lang.as_str());
    }
}

/// Where two documents differ, as paths with `*` for places in lists, and the text that stands there in the second.
fn differences(one: &Value, other: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "other keys at {path}");
            a.iter().for_each(|(key, value)| differences(value, &b[key], &format!("{path}/{key}"), found));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "another number at {path}");
            a.iter().zip(b).for_each(|(a, b)| differences(a, b, &format!("{path}/*"), found));
        }
        (Value::String(a), Value::String(b)) if a != b => found.push((path.to_owned(), b.clone())),
        _ => assert_eq!(one, other, "at {path}"),
    }
}

#[test]
fn a_language_changes_sentences_and_no_figure_or_word_for_machines() {
    const FREE: [&str; 7] = ["lang", "limitations", "because", "note", "notes", "text", "why"];
    for name in ["soka-postfix", "soka-exchange", "soka-m365"] {
        let [en, ja] = ["en", "ja"].map(|lang| analyze(&[fixture(name)], &["--lang", lang]));
        assert_eq!((en.code, &en.stderr), (ja.code, &ja.stderr), "{name}: messages stay English");
        let mut found = Vec::new();
        differences(&en.json, &ja.json, "", &mut found);
        assert!(found.len() > 10, "{name}: hardly anything was said in Japanese: {found:?}");
        for (path, said) in found {
            let key = path.trim_end_matches("/*").rsplit('/').next().unwrap();
            assert!(FREE.contains(&key), "{name}: {path}: {said}");
            assert!(path == "/lang" || said.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c)), "{name}: {path}: {said}");
        }
    }
}
