//! One record, whatever it was written as: the text of each field it has, found by its name.
//!
//! A nested value stays as it is written, JSON, and is looked into only where it matters; in tables the same values stand in cells.

use super::fields::Field;
use crate::formats::json;
use bumpalo::Bump;

/// The fields of one record. Later ones of the same name fill in what earlier ones leave empty.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    cells: [Option<&'a [u8]>; Field::COUNT],
    /// Whether [`Field::AuditData`] is as it stands in its cell, each quote twice.
    pub(super) is_doubled: bool,
}

impl<'a> Record<'a> {
    pub(super) const EMPTY: Record<'static> = Record { cells: [None; Field::COUNT], is_doubled: false };

    /// Reads an object; `None` if it is not one.
    pub(super) fn of_json(text: &'a [u8], scratch: &'a Bump) -> Option<Record<'a>> {
        let mut record = Record::EMPTY;
        json::each_member(text, |key, raw| {
            if let Some(field) = Field::of(key) {
                record.put(field, json::text(raw, scratch));
            }
        })?;
        Some(record)
    }

    pub(super) fn put(&mut self, field: Field, text: &'a [u8]) {
        if let Some(cell) = self.cells.get_mut(field as usize)
            && cell.is_none_or(<[u8]>::is_empty)
        {
            *cell = Some(text);
        }
    }

    /// Whether the record has the field, be it empty.
    pub(super) fn has(&self, field: Field) -> bool {
        self.cells.get(field as usize).is_some_and(Option::is_some)
    }

    pub(super) fn has_all(&self, fields: &[Field]) -> bool {
        fields.iter().all(|field| self.has(*field))
    }

    /// What a field says; `None` where it says nothing in one of the many ways to do so.
    pub(super) fn get(&self, field: Field) -> Option<&'a [u8]> {
        let text = self.cells.get(field as usize).copied().flatten()?.trim_ascii();
        (!is_nothing(text)).then_some(text)
    }

    /// Whether a field says something.
    pub(super) fn has_text(&self, field: Field) -> bool {
        self.get(field).is_some()
    }

    /// The first of several fields that says something.
    pub(super) fn first(&self, fields: &[Field]) -> Option<&'a [u8]> {
        fields.iter().find_map(|field| self.get(*field))
    }

    /// Whether the record says that what it tells of came to nothing; what came about in part came about.
    pub(super) fn failed(&self) -> bool {
        let words: [&[u8]; 3] = [b"failure", b"failed", b"false"];
        let said = self.first(&[Field::Result, Field::ResultStatus]);
        said.is_some_and(|said| words.iter().any(|word| said.eq_ignore_ascii_case(word)))
    }

    /// A member of a field that holds an object.
    pub(super) fn within(&self, field: Field, name: &[u8], scratch: &'a Bump) -> Option<&'a [u8]> {
        member(self.get(field)?, name, scratch)
    }

    /// The record inside a field that holds one.
    pub(super) fn inner(&self, field: Field, scratch: &'a Bump) -> Option<Record<'a>> {
        Record::of_json(self.get(field)?, scratch)
    }

    /// Whether a nested value was printed by a tool that does not print nested values.
    pub(super) fn is_degraded(&self, field: Field) -> bool {
        self.get(field).is_some_and(|text| text.starts_with(b"@{") || is_type_name(text))
    }
}

/// Whether a text stands for no value.
pub(super) fn is_nothing(text: &[u8]) -> bool {
    matches!(text, b"" | b"-" | b"null" | b"None" | b"none" | b"<null>" | b"Not Available" | b"00000000-0000-0000-0000-000000000000")
}

/// The name of a type, which some tools print in place of a value.
pub(super) fn is_type_name(text: &[u8]) -> bool {
    text.starts_with(b"System.") || text.starts_with(b"Microsoft.Graph.PowerShell.Models.")
}

/// A member of an object, by its name in any case: JSON, or `@{name=value; name=value}` as PowerShell prints it.
pub(super) fn member<'a>(object: &'a [u8], name: &[u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    let [found] = members(object, [name], scratch);
    found
}

/// Several members of an object, as [`member`] gives each, in one walk.
pub(super) fn members<'a, const N: usize>(object: &'a [u8], names: [&[u8]; N], scratch: &'a Bump) -> [Option<&'a [u8]>; N] {
    if let Some(inner) = object.strip_prefix(b"@{") {
        return names.map(|name| printed_member(inner, name));
    }
    let mut found: [Option<&[u8]>; N] = [None; N];
    let whole = json::each_member(object, |key, raw| {
        for (name, found) in names.iter().zip(&mut found) {
            if found.is_none_or(is_nothing) && key.eq_ignore_ascii_case(name) {
                *found = Some(json::text(raw, scratch));
            }
        }
    });
    found.map(|text| text.filter(|text| whole.is_some() && !is_nothing(text)))
}

fn printed_member<'a>(inner: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let inner = inner.strip_suffix(b"}").unwrap_or(inner);
    let pairs = inner.split(|b| *b == b';').filter_map(|pair| crate::formats::scan::split_byte(pair, b'='));
    let mut found = pairs.filter(|(key, _)| key.trim_ascii().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_ascii());
    found.next().filter(|text| !is_nothing(text))
}

/// Calls `f` with name and value of each of a list of pairs, `[{"Name":…,"Value":…}]`, whatever the two are called.
pub(super) fn pairs<'a>(list: &'a [u8], scratch: &'a Bump, mut f: impl FnMut(&'a [u8], &'a [u8])) {
    json::each_item(list, |item| {
        let mut both = (None, None);
        json::each_member(item, |key, raw| {
            if ["name", "key", "id", "displayname"].iter().any(|n| key.eq_ignore_ascii_case(n.as_bytes())) {
                both.0 = Some(json::text(raw, scratch));
            } else if ["value", "type", "newvalue"].iter().any(|n| key.eq_ignore_ascii_case(n.as_bytes())) {
                both.1 = Some(json::text(raw, scratch));
            }
        });
        if let (Some(name), Some(value)) = both {
            f(name, value);
        }
    });
}

/// The value of one name in a list of pairs.
pub(super) fn pair<'a>(list: Option<&'a [u8]>, name: &[u8], scratch: &'a Bump) -> Option<&'a [u8]> {
    let mut found = None;
    pairs(list?, scratch, |key, value| {
        if found.is_none() && key.eq_ignore_ascii_case(name) && !is_nothing(value) {
            found = Some(value);
        }
    });
    found
}

/// `true`, however it is written.
pub(super) fn is_true(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"true") || text == b"1"
}
