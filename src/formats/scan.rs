//! Small steps over bytes that every line parser takes: numbers, addresses in angle brackets, `key=value` pieces.
//!
//! Nothing here allocates, and nothing here knows a log format.

use memchr::{memchr, memchr2, memmem};

/// So many digits fit into a `u64`, whichever they are.
const DIGITS_SAFE: usize = 19;

/// Reads decimal digits at the start; `None` if there are none. Saturates rather than wraps.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut length = 0;
    while let Some(digit) = text.get(length).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        let digit = u64::from(digit);
        value =
            if length < DIGITS_SAFE { value.wrapping_mul(10).wrapping_add(digit) } else { value.saturating_mul(10).saturating_add(digit) };
        length += 1;
    }
    (length > 0).then(|| (value, text.get(length..).unwrap_or_default()))
}

/// Reads decimal digits at the start as a `u32`, 0 if there are none or too many.
pub(super) fn small_number(text: &[u8]) -> u32 {
    number(text).and_then(|(n, _)| u32::try_from(n).ok()).unwrap_or(0)
}

/// The number after `key` where it first stands in `text`.
pub(super) fn number_after(text: &[u8], key: &[u8]) -> Option<u64> {
    after(text, key).and_then(number).map(|(n, _)| n)
}

/// Below this many bytes, trying each place where the first byte fits beats preparing a search.
const SHORT: usize = 512;

/// Where `needle` first stands. Most texts here are short and most needles are looked for once.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    if text.len() >= SHORT {
        return memmem::find(text, needle);
    }
    memchr::memchr_iter(first, text).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(needle)))
}

/// Where `needle` last stands.
pub(super) fn find_last(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    if text.len() >= SHORT {
        return memmem::rfind(text, needle);
    }
    memchr::memrchr_iter(first, text).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(needle)))
}

/// Bytes looked at by [`first_of`] before a search that takes longer to begin and less for each byte.
const SOON: usize = 48;

/// Where one of these bytes first stands. Most pieces of a record end within a few bytes, where eight at a time in a register, without a
/// call, are the quickest way.
#[inline]
pub(super) fn first_of<const N: usize>(text: &[u8], bytes: [u8; N]) -> Option<usize> {
    let (words, _) = text.get(..text.len().min(SOON)).unwrap_or(text).as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = bytes.iter().fold(0, |found, byte| found | zeros(word ^ u64::from_ne_bytes([*byte; 8])));
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let from = words.len() * 8;
    let rest = text.get(from..)?;
    let found = match (rest.len() < 8, bytes.as_slice()) {
        (false, [a]) => memchr(*a, rest),
        (false, [a, b]) => memchr2(*a, *b, rest),
        (false, [a, b, c]) => memchr::memchr3(*a, *b, *c, rest),
        _ => rest.iter().position(|b| bytes.contains(b)),
    };
    found.map(|at| from + at)
}

/// Marks the bytes of a word that are zero; the lowest mark is always right, higher ones may stand too high.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
}

/// What follows the first `needle`.
pub(super) fn after<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    find(text, needle).and_then(|at| text.get(at + needle.len()..))
}

/// What stands before and after the first `needle`.
pub(super) fn split<'a>(text: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(text, needle)?;
    Some((text.get(..at)?, text.get(at + needle.len()..)?))
}

/// What stands before and after the last `needle`.
pub(super) fn split_last<'a>(text: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find_last(text, needle)?;
    Some((text.get(..at)?, text.get(at + needle.len()..)?))
}

/// What stands before the first `needle`, or all of it.
pub(super) fn until<'a>(text: &'a [u8], needle: &[u8]) -> &'a [u8] {
    split(text, needle).map_or(text, |(head, _)| head)
}

/// What stands before and after the first byte `b`.
#[inline]
pub(super) fn split_byte(text: &[u8], b: u8) -> Option<(&[u8], &[u8])> {
    let at = first_of(text, [b])?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `needle` occurs.
pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    find(text, needle).is_some()
}

/// Takes leading blanks away.
pub(super) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(b" ") {
        text = rest;
    }
    text
}

/// `::ffff:192.0.2.7`, as a server writes that listens for both kinds at once, is 192.0.2.7 (RFC 4291, section 2.5.5.2).
pub(super) fn plain_address(address: &[u8]) -> &[u8] {
    address.strip_prefix(b"::ffff:").filter(|rest| rest.contains(&b'.')).unwrap_or(address)
}

/// `None` for an empty text, for fields that the log leaves empty instead of leaving them out.
pub(super) fn non_empty(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text)
}

/// Reads an address in angle brackets at the start; returns what is inside and what follows the closing bracket.
///
/// The local part may be quoted and then hold anything (`<"x>, relay=y"@d>`); before Postfix 3.5 it may hold a bare `>`. A closing
/// bracket therefore counts only outside quotes and where `closes` likes what follows. A line cut inside the address gives all of
/// the rest.
pub(super) fn angle(text: &[u8], closes: fn(&[u8]) -> bool) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"<")?;
    let mut from = 0;
    let mut quoted = false;
    while let Some(at) = inner.get(from..).and_then(|rest| first_of(rest, [b'"', b'>'])).map(|at| at + from) {
        let escaped = quoted && backslashes_before(inner, at) % 2 == 1;
        from = at + 1;
        if inner.get(at) == Some(&b'"') {
            // Only a quote at the start of the local part, or the one that ends it, is syntax.
            if !escaped && (quoted || at == 0) {
                quoted = !quoted;
            }
            continue;
        }
        let rest = inner.get(from..).unwrap_or_default();
        if !quoted && closes(rest) {
            return Some((inner.get(..at)?, rest));
        }
    }
    // An opening quote that never ends is no quote: take the first bracket that can close.
    if quoted && let Some(found) = first_closing(inner, closes) {
        return Some(found);
    }
    Some((inner, b""))
}

fn first_closing(inner: &[u8], closes: fn(&[u8]) -> bool) -> Option<(&[u8], &[u8])> {
    memchr::memchr_iter(b'>', inner).find_map(|at| {
        let rest = inner.get(at + 1..)?;
        closes(rest).then_some((inner.get(..at)?, rest))
    })
}

fn backslashes_before(text: &[u8], at: usize) -> usize {
    text.get(..at).unwrap_or_default().iter().rev().take_while(|b| **b == b'\\').count()
}

/// For [`angle`]: the line ends here, or a comma follows.
pub(super) fn comma_or_end(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with(b",")
}

/// For [`angle`]: the line ends here, or one of the separators of a rejection's tail follows.
pub(super) fn tail_or_end(rest: &[u8]) -> bool {
    matches!(rest.first(), None | Some(b' ' | b',' | b':' | b';'))
}

/// Calls `f` for each line without its line feed and carriage return; a last line without line feed counts, nothing after the last line feed does not.
pub(super) fn each_line<'a>(bytes: &'a [u8], mut f: impl FnMut(u32, &'a [u8])) {
    let mut number = 0u32;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain((bytes.last().is_some_and(|b| *b != b'\n')).then_some(bytes.len())) {
        let line = bytes.get(start..end).unwrap_or_default();
        f(number, line.strip_suffix(b"\r").unwrap_or(line));
        number = number.saturating_add(1);
        start = end + 1;
    }
}

/// Whether a line is not text at all: NUL bytes, control bytes in number, or longer than any logger writes.
pub(super) fn is_not_text(line: &[u8]) -> bool {
    if line.len() >= 1 << 20 || memchr(0, line).is_some() {
        return true;
    }
    let head = line.get(..line.len().min(512)).unwrap_or_default();
    let control = head.iter().filter(|b| **b < 0x20 && !matches!(**b, b'\t' | 0x1b | 0x1e)).count();
    let eight_bit = head.iter().filter(|b| **b >= 0x80).count();
    control * 8 > head.len() || (eight_bit * 2 > head.len() && std::str::from_utf8(line).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_at_the_bracket_outside_its_quotes() {
        let parse = |text: &'static [u8]| angle(text, comma_or_end).unwrap();
        assert_eq!(parse(b"<a@x.example>, relay=none"), (&b"a@x.example"[..], &b", relay=none"[..]));
        assert_eq!(parse(br#"<"x>, relay=y"@d.example>, relay=none"#), (&br#""x>, relay=y"@d.example"#[..], &b", relay=none"[..]));
        assert_eq!(parse(br#"<"x\">, y"@d>, r"#), (&br#""x\">, y"@d"#[..], &b", r"[..]));
        assert_eq!(parse(b"<a>b@x.example>, relay=none").0, b"a>b@x.example");
        assert_eq!(parse(b"<cut@x.exa"), (&b"cut@x.exa"[..], &b""[..]));
        assert_eq!(parse(br#"<"never@closed.example>, relay=none"#).0, br#""never@closed.example"#);
    }

    #[test]
    fn short_and_long_texts_are_searched_alike() {
        for length in [0, 100, SHORT, SHORT * 3] {
            let text = [&vec![b'a'; length][..], b"; from=<x; from=<y", &vec![b';'; length][..]].concat();
            assert_eq!(find(&text, b"; from=<"), Some(length));
            assert_eq!(find_last(&text, b"; from=<"), Some(length + 9));
            assert_eq!((find(&text, b"; to=<"), find_last(&text, b"zz"), find(&text, b"")), (None, None, None));
        }
    }

    #[test]
    fn the_first_of_some_bytes_is_found_wherever_it_stands() {
        for length in 0..120 {
            let mut text = vec![b'-'; 120];
            assert_eq!(first_of(&text, [b',', b'\n']), None);
            // A byte that differs from one looked for by its lowest bit, before and behind.
            text[length] = b',';
            text.insert(length, b'-');
            text.insert(length + 2, b'\n');
            assert_eq!((first_of(&text, [b',', b'\n']), first_of(&text, [b'"', b'\\', b'\n'])), (Some(length + 1), Some(length + 2)));
            assert_eq!(first_of(text.get(..length + 1).unwrap(), [b',', b'\n']), None);
        }
        assert_eq!(first_of(b"\x80\xff\x00\x01,", [b',', b'\n']), Some(4));
    }

    #[test]
    fn numbers_are_read_to_the_last_that_fits_and_no_further_than_their_digits() {
        for (text, value, rest) in [
            ("0/1", 0, "/1"),
            ("007", 7, ""),
            ("9999999999999999999:", 9_999_999_999_999_999_999, ":"),
            ("18446744073709551615", u64::MAX, ""),
            ("18446744073709551616 ", u64::MAX, " "),
            ("99999999999999999999999x", u64::MAX, "x"),
        ] {
            assert_eq!(number(text.as_bytes()), Some((value, rest.as_bytes())));
        }
        assert_eq!((number(b""), number(b"/1"), number(b":1")), (None, None, None));
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let count = |bytes: &[u8]| {
            let mut n = 0;
            each_line(bytes, |_, _| n += 1);
            n
        };
        assert_eq!((count(b""), count(b"a"), count(b"a\n"), count(b"a\n\nb"), count(b"\n")), (0, 1, 1, 3, 1));
    }

    #[test]
    fn binary_is_not_text_but_japanese_is() {
        assert!(is_not_text(b"\x00\x01\x02"));
        assert!(is_not_text(&[0x9f; 40]));
        assert!(!is_not_text("件名：テスト".as_bytes()));
        assert!(!is_not_text(b"plain\ttext"));
    }
}
