//! Writing JSON with its keys in the order the products write them.

use std::fmt::Display;

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

/// Writes an object.
pub(super) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object)) {
    out.push(b'{');
    fill(&mut Object { out, begun: false });
    out.push(b'}');
}

/// Writes an object as text of its own.
pub(super) fn text_of(fill: impl FnOnce(&mut Object)) -> String {
    let mut out = Vec::new();
    object(&mut out, fill);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes a list; `put` writes one member.
pub(super) fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        put(out, item);
    }
    out.push(b']');
}

/// Writes a string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..0x20 => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// The text with every slash escaped, as the audit log writes its records. Slashes stand in strings alone.
pub(super) fn with_escaped_slashes(text: &str) -> String {
    text.replace('/', "\\/")
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    pub(super) fn text(&mut self, key: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        string(self.key(key), &value);
        self
    }

    /// A string, or `null` for an empty one.
    pub(super) fn text_or_null(&mut self, key: &str, value: &str) -> &mut Self {
        if value.is_empty() { self.raw(key, "null") } else { self.text(key, value) }
    }

    /// A number, `true`, `false` or `null`.
    pub(super) fn raw(&mut self, key: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        self.key(key).extend(value.bytes());
        self
    }

    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object)) -> &mut Self {
        object(self.key(key), fill);
        self
    }

    pub(super) fn list<T>(&mut self, key: &str, items: impl IntoIterator<Item = T>, put: impl FnMut(&mut Vec<u8>, T)) -> &mut Self {
        list(self.key(key), items, put);
        self
    }

    /// A list of `{"Name": …, "Value": …}`, the audit log's way of telling anything.
    pub(super) fn pairs<V: Display>(&mut self, key: &str, pairs: &[(&str, V)]) -> &mut Self {
        self.list(key, pairs, |out, (name, value)| {
            object(out, |o| {
                o.text("Name", name).text("Value", value);
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_in_its_order() {
        let text = text_of(|o| {
            o.text("z", "a \"b\"\r\n\\c\u{1}").raw("n", 50126).text_or_null("empty", "");
            o.object("o", |o| {
                o.pairs("p", &[("Name", "x/y")]);
            });
        });
        assert!(text.starts_with("{\"z\":") && text.contains("\"n\":50126,\"empty\":null"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&with_escaped_slashes(&text)).unwrap();
        assert_eq!(value["z"], "a \"b\"\r\n\\c\u{1}");
        assert_eq!(value["o"]["p"][0]["Value"], "x/y");
    }
}
