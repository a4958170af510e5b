//! The top-level fields of a JSON object on one line, without building a tree: only what is wanted is unescaped.

use super::scan;
use bumpalo::Bump;

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A string, unescaped.
    Text(&'a [u8]),
    /// An array, as written.
    Array(&'a [u8]),
    /// A number, word or object, as written.
    Other(&'a [u8]),
}

/// Calls `f` for each field in turn; `None` if the line is no object.
pub(super) fn each_field<'a>(line: &'a [u8], scratch: &'a Bump, mut f: impl FnMut(&'a [u8], Value<'a>)) -> Option<()> {
    let mut rest = line.trim_ascii().strip_prefix(b"{")?;
    loop {
        rest = rest.trim_ascii_start();
        if rest.starts_with(b"}") {
            return Some(());
        }
        let (key, after) = string(rest, scratch)?;
        let after = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let (value, after) = value(after, scratch)?;
        f(key, value);
        let after = after.trim_ascii_start();
        rest = match after.first()? {
            b',' => after.get(1..)?,
            b'}' => return Some(()),
            _ => return None,
        };
    }
}

/// Calls `f` with the name of each member, as written, and its value, as written; `None` if the text is no object.
pub(super) fn each_member<'a>(text: &'a [u8], mut f: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    let mut rest = text.trim_ascii().strip_prefix(b"{")?;
    loop {
        rest = rest.trim_ascii_start();
        if rest.starts_with(b"}") {
            return Some(());
        }
        let key_length = raw_string(rest).filter(|_| rest.starts_with(b"\""))?;
        let key = rest.get(1..key_length - 1)?;
        let value = rest.get(key_length..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let length = length(value)?;
        f(key, value.get(..length)?);
        let after = value.get(length..)?.trim_ascii_start();
        rest = match after.first()? {
            b',' => after.get(1..)?,
            b'}' => return Some(()),
            _ => return None,
        };
    }
}

/// Calls `f` with each item of an array, as written; with the text itself if it is an object: tools take a list of one apart.
pub(super) fn each_item<'a>(text: &'a [u8], mut f: impl FnMut(&'a [u8])) {
    find_item(text, |item| {
        f(item);
        None::<()>
    });
}

/// The first that `f` makes of an item, each as [`each_item`] gives it.
pub(super) fn find_item<'a, T>(text: &'a [u8], mut f: impl FnMut(&'a [u8]) -> Option<T>) -> Option<T> {
    let text = text.trim_ascii();
    if text.starts_with(b"{") {
        return f(text);
    }
    let mut rest = text.strip_prefix(b"[")?;
    loop {
        rest = rest.trim_ascii_start();
        let (item, after) = rest.split_at(length(rest)?);
        if let Some(found) = f(item) {
            return Some(found);
        }
        rest = after.trim_ascii_start().strip_prefix(b",")?;
    }
}

/// The text of a value as written: a string without its quotes and escapes, nothing for `null`, anything else as it is.
pub(super) fn text<'a>(raw: &'a [u8], scratch: &'a Bump) -> &'a [u8] {
    match raw {
        // The value as written ends with its own closing quote, and without escapes there is none before that.
        [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => inner,
        [b'"', ..] => string(raw, scratch).map_or(raw, |(text, _)| text),
        b"null" => b"",
        _ => raw,
    }
}

/// The length of the value at the start.
fn length(value: &[u8]) -> Option<usize> {
    match value.first()? {
        b'{' | b'[' => nested(value),
        _ => scalar(value),
    }
}

/// An array of byte values as bytes; of an array of strings (a field that was given twice) the last one.
pub(super) fn bytes_or_last<'a>(raw: &'a [u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    let inner = raw.strip_prefix(b"[")?.strip_suffix(b"]")?.trim_ascii();
    if inner.starts_with(b"\"") {
        let mut rest = inner;
        loop {
            let (text, after) = string(rest.trim_ascii_start(), scratch)?;
            match after.trim_ascii_start().strip_prefix(b",") {
                Some(more) => rest = more,
                None => return Some(text),
            }
        }
    }
    let mut bytes = Vec::new();
    for piece in inner.split(|b| *b == b',') {
        let (number, _) = scan::number(piece.trim_ascii())?;
        bytes.push(u8::try_from(number).ok()?);
    }
    Some(scratch.alloc_slice_copy(&bytes))
}

fn value<'a>(text: &'a [u8], scratch: &'a Bump) -> Option<(Value<'a>, &'a [u8])> {
    match text.first()? {
        b'"' => string(text, scratch).map(|(text, rest)| (Value::Text(text), rest)),
        b'[' | b'{' => {
            let length = nested(text)?;
            let raw = text.get(..length)?;
            let value = if raw.starts_with(b"[") { Value::Array(raw) } else { Value::Other(raw) };
            Some((value, text.get(length..)?))
        }
        _ => {
            let length = text.iter().position(|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace())?;
            (length > 0).then(|| text.split_at(length)).map(|(raw, rest)| (Value::Other(raw), rest))
        }
    }
}

/// The length of the array or object at the start.
pub(super) fn nested(text: &[u8]) -> Option<usize> {
    let mut depth = 0u32;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => at += raw_string(text.get(at..)?)?,
            b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

/// The length of the string literal at the start, quotes included. A line feed cannot stand in one.
pub(super) fn raw_string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += scan::first_of(text.get(at..)?, [b'"', b'\\', b'\n'])?;
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// The length of the string, number or word at the start.
pub(super) fn scalar(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"\"") {
        return raw_string(text);
    }
    let length = text.iter().position(|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace()).unwrap_or(text.len());
    (length > 0).then_some(length)
}

fn string<'a>(text: &'a [u8], scratch: &'a Bump) -> Option<(&'a [u8], &'a [u8])> {
    text.strip_prefix(b"\"")?;
    let length = raw_string(text)?;
    let inner = text.get(1..length - 1)?;
    let rest = text.get(length..)?;
    if memchr::memchr(b'\\', inner).is_none() {
        return Some((inner, rest));
    }
    let literal = std::str::from_utf8(text.get(..length)?).ok();
    let unescaped: Option<String> = literal.and_then(|literal| serde_json::from_str(literal).ok());
    // An escape no JSON writer makes: the raw text is better than losing the line.
    Some((unescaped.map_or(inner, |text| scratch.alloc_str(&text).as_bytes()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Option<Vec<String>> {
        let scratch = Bump::new();
        let mut found = Vec::new();
        each_field(line.as_bytes(), &scratch, |key, value| {
            found.push(format!(
                "{}={}",
                String::from_utf8_lossy(key),
                match value {
                    Value::Text(text) | Value::Array(text) | Value::Other(text) => String::from_utf8_lossy(text),
                }
            ));
        })?;
        Some(found)
    }

    #[test]
    fn fields_of_every_kind_are_told_apart() {
        let line = r#"{"a":"x\"y\u00e9", "b" : [1,["]"]], "c":{"d":"}"},"e":null,"f":-1.5e3}"#;
        assert_eq!(fields(line).unwrap(), [r#"a=x"yé"#, r#"b=[1,["]"]]"#, r#"c={"d":"}"}"#, "e=null", "f=-1.5e3"]);
        assert_eq!(fields("{}").unwrap(), Vec::<String>::new());
        for broken in ["", "[1]", "{\"a\":\"x", "{\"a\" 1}", "{\"a\":1", "{\"a\":}", "{\"a\":1 \"b\":2}"] {
            assert_eq!(fields(broken), None, "{broken}");
        }
    }

    #[test]
    fn bytes_and_repeated_fields_become_one_text() {
        let scratch = Bump::new();
        assert_eq!(bytes_or_last(b"[104, 105]", &scratch), Some(&b"hi"[..]));
        assert_eq!(bytes_or_last(br#"["a","b"]"#, &scratch), Some(&b"b"[..]));
        assert_eq!(bytes_or_last(b"[300]", &scratch), None);
    }
}
