//! Text in a code page of Windows, which spreadsheets write when they save a table again.

use bumpalo::Bump;
use encoding_rs::{SHIFT_JIS, WINDOWS_1252};

/// The text in UTF-8: as it is, or rewritten from the Japanese code page (932) or the Western one (1252).
pub(super) fn as_utf8<'a>(text: &'a [u8], scratch: &'a Bump) -> &'a [u8] {
    let Err(error) = std::str::from_utf8(text) else { return text };
    // A character that is cut off at the end, or a few damaged ones in a text that is UTF-8 otherwise.
    if error.error_len().is_none() || is_mostly_utf8(text) {
        return text;
    }
    let page = if is_japanese(text) { SHIFT_JIS } else { WINDOWS_1252 };
    let (decoded, _, _) = page.decode(text);
    scratch.alloc_str(&decoded).as_bytes()
}

fn is_mostly_utf8(text: &[u8]) -> bool {
    let high = text.iter().filter(|b| !b.is_ascii()).count();
    let valid: usize = text.utf8_chunks().map(|chunk| chunk.valid().bytes().filter(|b| !b.is_ascii()).count()).sum();
    valid * 10 >= high * 9
}

/// In code page 932 nearly every character begins with a byte that is a quotation mark or nothing at all in the Western one.
fn is_japanese(text: &[u8]) -> bool {
    let (decoded, _, failed) = SHIFT_JIS.decode(text);
    let wide = decoded.chars().filter(|c| !c.is_ascii()).count();
    let leads = text.iter().filter(|b| matches!(b, 0x81..=0x9f)).count();
    !failed && leads * 2 > wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_saved_by_a_spreadsheet_reads_like_the_original() {
        let scratch = Bump::new();
        for (text, page) in [
            ("日付,ユーザー名,IP アドレス,状態\n2025/12/04,山田,192.0.2.7,成功\n", SHIFT_JIS),
            ("Dirección IP,Ubicación,Número\n192.0.2.7,\"Málaga, ES\",José Ñandú\n", WINDOWS_1252),
        ] {
            let (bytes, _, failed) = page.encode(text);
            assert!(!failed);
            assert_eq!(as_utf8(&bytes, &scratch), text.as_bytes());
            assert_eq!(as_utf8(text.as_bytes(), &scratch), text.as_bytes());
        }
    }
}
