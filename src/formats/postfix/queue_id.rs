//! Postfix queue ids: the short form (microseconds and inode in hexadecimal) and the long form, which tells when it was made.

use crate::domain::time::{SECOND, Timestamp};
use memchr::memrchr;

/// Digits of the long form's time part: ten digits, then the consonants, upper and lower case.
const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
/// Digits that hold the microseconds.
const MICROS_DIGITS: usize = 4;
/// Digits that hold the seconds, at least.
const SECONDS_DIGITS_MIN: usize = 6;
/// The longest id met: 21 digits on file systems with 64-bit inodes; more is no id.
const LENGTH_MAX: usize = 32;

/// Whether the text has the short form: at least six upper-case hexadecimal digits, the first five of which are microseconds.
#[must_use]
pub fn is_short(text: &[u8]) -> bool {
    has_short_letters(text) && text.get(..5).is_some_and(|micros| micros <= b"F423F".as_slice())
}

/// Whether the text has the long form.
#[must_use]
pub fn is_long(text: &[u8]) -> bool {
    decode_time(text).is_some()
}

/// When a queue file with a long id was made; `None` for anything else.
#[must_use]
pub fn decode_time(text: &[u8]) -> Option<Timestamp> {
    if text.len() > LENGTH_MAX || text.len() < SECONDS_DIGITS_MIN + MICROS_DIGITS + 2 {
        return None;
    }
    let separator = memrchr(b'z', text)?;
    let (time, inode) = (text.get(..separator)?, text.get(separator + 1..)?);
    let seconds = time.get(..time.len().checked_sub(MICROS_DIGITS)?)?;
    if seconds.len() < SECONDS_DIGITS_MIN || seconds.len() > 8 || inode.is_empty() || !inode.iter().all(|b| digit(*b).is_some()) {
        return None;
    }
    let seconds = value(seconds)?;
    let micros = value(time.get(time.len() - MICROS_DIGITS..)?)?;
    // 1990 to 2100: anything else is a word that happens to have no vowels.
    ((600_000_000..4_200_000_000).contains(&seconds) && micros < SECOND).then(|| Timestamp::from_seconds(seconds).plus(micros))
}

/// Takes the queue id off the start of a body, `ID: rest`. The microseconds are not checked here, so that an id altered by whoever
/// made the log anonymous still keeps its lines together.
pub(super) fn split(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut forms = SHORT | LONG;
    let mut end = 0;
    // To the first byte that fits none of the forms that all before it fit.
    let stop = loop {
        let byte = *body.get(end)?;
        let fits = forms & FORMS[usize::from(byte)];
        if fits == 0 || end > LENGTH_MAX {
            break byte;
        }
        forms = fits;
        end += 1;
    };
    if stop != b':' || !(6..=LENGTH_MAX).contains(&end) {
        return None;
    }
    let (id, rest) = (body.get(..end)?, body.get(end + 1..)?);
    let rest = rest.strip_prefix(b" ").or_else(|| rest.is_empty().then_some(rest))?;
    (forms & SHORT != 0 || is_long(id)).then_some((id, rest))
}

/// The forms of id that a byte may stand in.
const SHORT: u8 = 1;
const LONG: u8 = 2;
const FORMS: [u8; 256] = {
    let mut forms = [0; 256];
    let mut byte = 0;
    while byte < forms.len() {
        if is_short_letter(byte as u8) {
            forms[byte] |= SHORT;
        }
        byte += 1;
    }
    let mut digit = 0;
    while digit < ALPHABET.len() {
        forms[ALPHABET[digit] as usize] |= LONG;
        digit += 1;
    }
    forms
};

fn has_short_letters(text: &[u8]) -> bool {
    (6..=LENGTH_MAX).contains(&text.len()) && text.iter().all(|b| is_short_letter(*b))
}

const fn is_short_letter(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'A'..=b'F')
}

fn value(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |sum, b| Some(sum * 52 + i64::from(digit(*b)?)))
}

fn digit(b: u8) -> Option<u8> {
    const NONE: u8 = 255;
    const VALUES: [u8; 256] = {
        let mut values = [NONE; 256];
        let mut i = 0;
        while i < ALPHABET.len() {
            values[ALPHABET[i] as usize] = i as u8;
            i += 1;
        }
        values
    };
    let value = VALUES[usize::from(b)];
    (value != NONE).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;

    #[test]
    fn trap_2_a_long_id_tells_its_time_and_its_case_matters() {
        let at = decode_time(b"4N1Hv20sf8zySl").unwrap();
        assert_eq!(Zone::UTC.stamp(at).to_string(), "2022-10-31T16:01:02.123456+00:00");
        assert_ne!(decode_time(b"4n1hv20sf8zysl"), Some(at));
        // A `z` inside the time part does not end it.
        assert!(is_long(b"4N1Hz20sf8zySl"));
    }

    #[test]
    fn short_and_long_are_told_apart_and_foreign_ids_are_neither() {
        assert!(is_short(b"1E240200F1") && !is_long(b"1E240200F1"));
        assert!(!is_short(b"4N1Hv20sf8zySl"));
        for foreign in ["FFFFF200F1", "1oPabc-0003Ab-7X", "29VF12ab012345", "NOQUEUE", "warning", "1e240200f1", "12345", ""] {
            assert!(!is_short(foreign.as_bytes()) && !is_long(foreign.as_bytes()), "{foreign}");
        }
    }

    #[test]
    fn only_an_id_and_a_colon_start_a_queue_line() {
        assert_eq!(split(b"1E240200F1: removed"), Some((&b"1E240200F1"[..], &b"removed"[..])));
        assert_eq!(split(b"statistics: max"), None);
        assert_eq!(split(b"1E240200F1 removed"), None);
    }
}
