//! Cheap writing of the pieces of a log line into a byte buffer: numbers, hexadecimal, Postfix delays, base64.

/// Appends text to a line without a formatter in between.
pub(super) trait Put {
    fn text(&mut self, text: &str) -> &mut Self;
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self;
    fn number(&mut self, number: u64) -> &mut Self;
    /// A number with leading zeros to at least `width` digits.
    fn padded(&mut self, number: u64, width: usize) -> &mut Self;
    /// Upper-case hexadecimal, with leading zeros to at least `width` digits.
    fn hex(&mut self, number: u64, width: usize) -> &mut Self;
    /// Microseconds as Postfix prints a delay in seconds: two significant digits, nothing below 0.01, no trailing zeros.
    fn delay(&mut self, micros: i64) -> &mut Self;
    /// Base64 without padding.
    fn base64(&mut self, bytes: &[u8]) -> &mut Self;
}

impl Put for Vec<u8> {
    fn text(&mut self, text: &str) -> &mut Self {
        self.extend_from_slice(text.as_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.padded(number, 1)
    }

    fn padded(&mut self, mut number: u64, width: usize) -> &mut Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        while number > 0 || digits.len() - start < width.min(20) {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.extend_from_slice(&digits[start..]);
        self
    }

    fn hex(&mut self, mut number: u64, width: usize) -> &mut Self {
        let mut digits = [b'0'; 16];
        let mut start = digits.len();
        while number > 0 || digits.len() - start < width.min(16) {
            start -= 1;
            digits[start] = b"0123456789ABCDEF"[(number & 15) as usize];
            number >>= 4;
        }
        self.extend_from_slice(&digits[start..]);
        self
    }

    fn delay(&mut self, micros: i64) -> &mut Self {
        let micros = micros.max(0) as u64;
        let resolution = match micros / 1_000_000 {
            0 => 10_000,
            1..=9 => 100_000,
            _ => 1_000_000,
        };
        let rounded = micros + resolution / 2;
        let (seconds, fraction) = (rounded / 1_000_000, rounded % 1_000_000);
        self.number(seconds);
        if fraction >= resolution {
            let hundredths = fraction / 10_000;
            self.push(b'.');
            self.push(b'0' + (hundredths / 10) as u8);
            if resolution == 10_000 && hundredths % 10 > 0 {
                self.push(b'0' + (hundredths % 10) as u8);
            }
        }
        self
    }

    fn base64(&mut self, bytes: &[u8]) -> &mut Self {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for group in bytes.chunks(3) {
            let padded = [group[0], group.get(1).copied().unwrap_or(0), group.get(2).copied().unwrap_or(0)];
            let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
            for place in 0..=group.len() {
                self.push(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_look_as_postfix_prints_them() {
        for (micros, expected) in [
            (0, "0"),
            (4_999, "0"),
            (12_000, "0.01"),
            (96_000, "0.1"),
            (123_456, "0.12"),
            (996_000, "1"),
            (1_040_000, "1"),
            (3_470_000, "3.5"),
            (9_960_000, "10"),
            (30_400_000, "30"),
            (1_927_300_000, "1927"),
        ] {
            let mut out = Vec::new();
            out.delay(micros);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{micros}");
        }
    }

    #[test]
    fn base64_has_no_padding() {
        let mut out = Vec::new();
        out.base64(b"Password:").base64(b"ab");
        assert_eq!(out, b"UGFzc3dvcmQ6YWI");
    }
}
