//! How numbers are worded in prose faces. Machine faces use none of this.

use crate::analysis::model::Gap;

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

/// `1 message`, `795 messages`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `no gaps`, `1 gap`, `3 gaps`.
pub(crate) fn gaps(gaps: &[Gap]) -> String {
    match gaps.len() {
        0 => "no gaps".to_owned(),
        n => counted(n as u64, "gap", "gaps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, shown) in [(0, "0"), (784, "784"), (1_000, "1,000"), (12_345, "12,345"), (1_510_000, "1,510,000")] {
            assert_eq!(count(n), shown);
        }
        assert_eq!(counted(1, "message", "messages"), "1 message");
        assert_eq!(counted(2_000, "message", "messages"), "2,000 messages");
    }
}
