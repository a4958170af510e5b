//! The lines of a source from its last to its first, for exports whose newest line stands first.
//!
//! No line is changed: only their order, and an end for the last line where it has none.

/// The text of a source, given out line by line from its end.
#[derive(Default)]
pub(super) struct Backwards {
    text: Vec<u8>,
    /// Where the line at hand begins; what stands before it is still to come.
    start: usize,
    /// What is left of the line at hand.
    left: std::ops::Range<usize>,
}

impl Backwards {
    pub(super) fn new(mut text: Vec<u8>) -> Backwards {
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        let end = text.len();
        Backwards { text, start: end, left: end..end }
    }

    /// Fills a buffer as far as there is text; 0 at the end.
    pub(super) fn give(&mut self, buffer: &mut [u8]) -> usize {
        let mut given = 0;
        while given < buffer.len() && (!self.left.is_empty() || self.next_line()) {
            let count = self.left.len().min(buffer.len() - given);
            let from = self.text.get(self.left.start..self.left.start + count).unwrap_or_default();
            buffer.iter_mut().skip(given).zip(from).for_each(|(to, from)| *to = *from);
            self.left.start += count;
            given += count;
        }
        given
    }

    /// Takes the line before the one at hand; false where there is none.
    fn next_line(&mut self) -> bool {
        let Some(before) = self.start.checked_sub(1).and_then(|end| self.text.get(..end)) else { return false };
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        self.left = start..self.start;
        self.start = start;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Backwards;

    fn backwards(text: &str, buffer: usize) -> String {
        let mut reader = Backwards::new(text.as_bytes().to_vec());
        let (mut all, mut piece) = (Vec::new(), vec![0; buffer]);
        loop {
            match reader.give(&mut piece) {
                0 => return String::from_utf8(all).unwrap(),
                given => all.extend_from_slice(&piece[..given]),
            }
        }
    }

    #[test]
    fn the_last_line_comes_first_whatever_the_size_of_the_buffer() {
        for buffer in 1..12 {
            assert_eq!(backwards("third\nsecond\r\n\nfirst", buffer), "first\n\nsecond\r\nthird\n");
            assert_eq!(backwards("\n\n", buffer), "\n\n");
            assert_eq!(backwards("", buffer), "");
        }
    }
}
