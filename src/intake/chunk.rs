//! Cutting the decoded bytes of a source into pieces that can be parsed apart from each other.

use super::source::{Finished, SourceReader};
use memchr::{memchr, memchr_iter, memmem, memrchr, memrchr2_iter};
use std::io::Read;

/// The usual size of a chunk, in bytes.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Of a longer line only this many bytes are kept, so that a source without line ends cannot fill the memory.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// How much of what came before is given along with a chunk, in bytes.
const BEFORE_BYTES_MAX: usize = 16 << 10;
/// An entry longer than this is cut at a line end all the same.
const ENTRY_BYTES_MAX: usize = 64 << 20;
/// So much without a row's end outside quotes means that a closing quote was lost.
const QUOTED_BYTES_MAX: usize = 16 << 20;
/// Of a longer heading line nothing is kept.
const HEADING_BYTES_MAX: usize = 64 << 10;

/// Where a source may be cut.
pub enum Cut {
    /// After any line feed. Lines longer than [`LINE_BYTES_MAX`] are shortened.
    Lines,
    /// Before a line that begins with this marker. Lines are left as they are, because entries may hold counted binary fields; an
    /// entry of more than 64 MiB is cut at a line end.
    Before(&'static [u8]),
    /// Before a row of a table. Lines are left as they are.
    Rows(Rows),
    /// Where this says that a record begins. Lines are left as they are.
    Records(Cutter),
}

/// Tells where the last record begins in what it is given: all bytes since the last place it told. Called again with more bytes after
/// them, it looks only at those. With it comes whether what was begun around the records has not ended there.
pub type Cutter = Box<dyn FnMut(&[u8]) -> (Option<usize>, bool) + Send>;

/// What a table is cut by.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Whether cells in double quotes may hold line feeds, so that a row ends only outside of them. Where no end is found for long, a
    /// closing quote was lost, and the next line that can begin a row begins one.
    pub quoted: bool,
    /// Whether a row can begin so.
    pub begins: fn(&[u8]) -> bool,
    /// A line that begins with one of these says how to read what follows it, until the next one of its kind.
    pub headings: &'static [&'static [u8]],
}

/// A piece of a source. The pieces in their order are the source, but for the ends of overlong lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedChunk {
    pub bytes: Vec<u8>,
    /// The last whole lines before this piece, up to 16 KiB; empty for the first.
    pub before: Vec<u8>,
    /// For tables, what says how to read this piece: the first line of the source (with what programs write above it) and then the last heading of each kind before this
    /// piece, each with its line end; empty for the first piece.
    pub heading: Vec<u8>,
    /// Bytes of the source read so far, as they lie in the evidence.
    pub encoded_bytes: u64,
    /// Lines in `bytes` that were shortened to [`LINE_BYTES_MAX`].
    pub overlong_lines: u64,
    /// This is the last piece, and what was begun around its records has no end.
    pub unended: bool,
}

/// Reads a source and cuts it.
pub struct Chunker {
    reader: SourceReader,
    place: CutPlace,
    headings: Headings,
    chunk_bytes: usize,
    line_bytes_max: usize,
    entry_bytes_max: usize,
    /// Read but not given out: what follows the last cut.
    rest: Vec<u8>,
    before: Vec<u8>,
    spare: Vec<u8>,
    /// Inside an overlong line, of which nothing more is kept.
    dropping: bool,
    ended: bool,
}

/// What a cut is searched by.
enum CutPlace {
    /// Any line feed.
    Line,
    /// A line feed and the marker.
    Marker(Vec<u8>),
    Row(Rows),
    Record(Cutter),
}

/// The chunk being read.
struct Filling {
    /// Only the first `len` bytes count; the others are room that was written before and need not be cleared again.
    bytes: Vec<u8>,
    len: usize,
    /// Where the last, unfinished line begins.
    line_start: usize,
    overlong_lines: u64,
}

impl Chunker {
    /// Cuts what `reader` gives into pieces of about `chunk_bytes` bytes; a piece is longer only if a line or entry is.
    #[must_use]
    pub fn new(reader: SourceReader, cut: Cut, chunk_bytes: usize) -> Chunker {
        let place = match cut {
            Cut::Lines => CutPlace::Line,
            Cut::Before(marker) => CutPlace::Marker([b"\n", marker].concat()),
            Cut::Rows(rows) => CutPlace::Row(rows),
            Cut::Records(cutter) => CutPlace::Record(cutter),
        };
        Chunker {
            reader,
            place,
            headings: Headings::default(),
            chunk_bytes: chunk_bytes.max(1),
            line_bytes_max: LINE_BYTES_MAX,
            entry_bytes_max: ENTRY_BYTES_MAX,
            rest: Vec::new(),
            before: Vec::new(),
            spare: Vec::new(),
            dropping: false,
            ended: false,
        }
    }

    /// Takes back the bytes of a chunk that was parsed, to fill them again.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        self.spare = bytes;
    }

    /// Ends the reading and tells what came of it.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.reader.finish()
    }

    /// Reads the next piece; `None` at the end of the source.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not take buffers back")]
    pub fn next(&mut self) -> Option<OwnedChunk> {
        let mut wanted = self.chunk_bytes.max(self.rest.len().saturating_mul(2));
        let mut filling = Filling { bytes: std::mem::take(&mut self.spare), len: 0, line_start: 0, overlong_lines: 0 };
        filling.make_room(wanted);
        filling.append(&self.rest);
        let mut searched = 0;
        loop {
            self.fill(&mut filling, wanted);
            let cut = if self.ended { Some(filling.len) } else { self.cut(&filling, searched) };
            if let Some(cut) = cut {
                let unended = match &mut self.place {
                    CutPlace::Record(cutter) if self.ended => cutter(filling.filled()).1,
                    _ => false,
                };
                return self.give(filling, cut, unended);
            }
            searched = filling.len;
            wanted = filling.len.saturating_mul(2).max(wanted);
            filling.make_room(wanted);
        }
    }

    /// Reads until the chunk is `wanted` bytes long, or the source ends.
    fn fill(&mut self, filling: &mut Filling, wanted: usize) {
        while filling.len < wanted && !self.ended {
            let old = filling.len;
            while filling.len < wanted {
                let room = filling.bytes.get_mut(filling.len..wanted).unwrap_or_default();
                match self.reader.read(room).unwrap_or(0) {
                    0 => {
                        self.ended = true;
                        break;
                    }
                    read => filling.len += read,
                }
            }
            if matches!(self.place, CutPlace::Line) {
                if self.dropping {
                    self.dropping = !filling.drop_to_line_end(old);
                }
                if !self.dropping {
                    self.dropping = filling.shorten_lines(self.line_bytes_max);
                }
            }
        }
        if self.ended && std::mem::take(&mut self.dropping) {
            filling.overlong_lines += 1;
        }
    }

    /// Where the chunk may end, if it may. Up to `searched` no place was found before.
    fn cut(&mut self, filling: &Filling, searched: usize) -> Option<usize> {
        let filled = filling.filled();
        let found = match &mut self.place {
            CutPlace::Line => return Some(filling.line_start).filter(|&at| at > 0),
            CutPlace::Marker(marker) => {
                let from = searched.saturating_sub(marker.len());
                memmem::rfind(filled.get(from..).unwrap_or_default(), marker).map(|at| from + at + 1)
            }
            CutPlace::Row(rows) => {
                let lost = filled.len() >= self.entry_bytes_max.min(QUOTED_BYTES_MAX);
                rows.last_start(filled, rows.quoted).or_else(|| lost.then(|| rows.last_start(filled, false))?)
            }
            CutPlace::Record(cutter) => cutter(filled).0,
        };
        let too_long = filled.len() >= self.entry_bytes_max;
        found.or_else(|| too_long.then(|| memrchr(b'\n', filled).map_or(filled.len(), |at| at + 1)))
    }

    fn give(&mut self, mut filling: Filling, cut: usize, unended: bool) -> Option<OwnedChunk> {
        self.rest.clear();
        self.rest.extend_from_slice(filling.filled().get(cut..).unwrap_or_default());
        filling.bytes.truncate(cut);
        if filling.bytes.is_empty() {
            return None;
        }
        let next_before = last_lines(&self.before, &filling.bytes);
        let heading = self.headings.in_force();
        if let CutPlace::Row(rows) = &self.place {
            self.headings.read(rows, &filling.bytes);
        }
        Some(OwnedChunk {
            before: std::mem::replace(&mut self.before, next_before),
            heading,
            bytes: filling.bytes,
            encoded_bytes: self.reader.encoded_bytes(),
            overlong_lines: filling.overlong_lines,
            unended,
        })
    }
}

impl Rows {
    /// Where the last row in `filled` begins, other than at its start; `quoted` asks for a place outside quotes.
    fn last_start(&self, filled: &[u8], quoted: bool) -> Option<usize> {
        // A piece begins outside quotes, so an even number of them before a place means that it is outside too.
        let mut quotes = if quoted { memchr_iter(b'"', filled).count() } else { 0 };
        for at in memrchr2_iter(b'\n', b'"', filled) {
            if filled.get(at) == Some(&b'"') {
                quotes = quotes.wrapping_sub(1);
                continue;
            }
            let row = filled.get(at + 1..).unwrap_or_default();
            if (!quoted || quotes % 2 == 0) && !row.is_empty() && (self.begins)(row) {
                return Some(at + 1);
            }
        }
        None
    }
}

/// The lines of a table that say how to read it.
#[derive(Default)]
struct Headings {
    /// The first line of the source.
    first: Option<Vec<u8>>,
    /// The last line of each kind, by the kind's place in [`Rows::headings`].
    last: Vec<Vec<u8>>,
}

impl Headings {
    fn in_force(&self) -> Vec<u8> {
        let mut lines = self.first.clone().unwrap_or_default();
        self.last.iter().for_each(|line| lines.extend_from_slice(line));
        lines
    }

    /// Takes note of the headings in a piece that begins with a row.
    fn read(&mut self, rows: &Rows, piece: &[u8]) {
        self.first.get_or_insert_with(|| first_lines(piece));
        self.last.resize(rows.headings.len(), Vec::new());
        for (marker, last) in rows.headings.iter().zip(&mut self.last) {
            let mut found = piece.starts_with(marker).then_some(0);
            let (mut counted, mut quotes) = (0, 0);
            for at in memmem::find_iter(piece, &[b"\n", *marker].concat()) {
                quotes += memchr_iter(b'"', piece.get(counted..at).unwrap_or_default()).count();
                counted = at;
                if !rows.quoted || quotes % 2 == 0 {
                    found = Some(at + 1);
                }
            }
            if let Some(at) = found {
                *last = line_at(piece, at);
            }
        }
    }
}

/// Lines that programs write above a table's own first line: PowerShell the type of its objects, spreadsheets the separator.
const ABOVE_TABLES: [&[u8]; 2] = [b"#TYPE ", b"sep="];

/// The first line, and the ones above it that belong to no table.
fn first_lines(piece: &[u8]) -> Vec<u8> {
    let mut lines = line_at(piece, 0);
    let mut last = lines.len();
    while last > 0 && ABOVE_TABLES.iter().any(|above| lines.get(lines.len() - last..).is_some_and(|line| line.starts_with(above))) {
        let next = line_at(piece, lines.len());
        last = next.len();
        lines.extend(next);
    }
    lines
}

/// The line that begins at `start`, with its line end; empty if it is too long.
fn line_at(piece: &[u8], start: usize) -> Vec<u8> {
    let rest = piece.get(start..).unwrap_or_default();
    let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    if end > HEADING_BYTES_MAX { Vec::new() } else { rest.get(..end).unwrap_or_default().to_vec() }
}

impl Filling {
    fn make_room(&mut self, wanted: usize) {
        if self.bytes.is_empty() {
            self.bytes = vec![0; wanted];
        } else if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to.min(self.len)).unwrap_or_default()
    }

    /// Takes out the bytes from `from` to the line end after it; says whether there was one.
    fn drop_to_line_end(&mut self, from: usize) -> bool {
        let Some(end) = memchr(b'\n', self.slice(from, self.len)) else {
            self.len = from;
            return false;
        };
        self.bytes.copy_within(from + end..self.len, from);
        self.len -= end;
        self.overlong_lines += 1;
        true
    }

    /// Shortens every line of more than `most` bytes; says whether the last one was and goes on.
    fn shorten_lines(&mut self, most: usize) -> bool {
        while self.len > self.line_start + most {
            let window = self.slice(self.line_start, self.line_start + most + 1);
            match memrchr(b'\n', window) {
                Some(at) => self.line_start += at + 1,
                None => {
                    if !self.drop_to_line_end(self.line_start + most) {
                        return true;
                    }
                    self.line_start += most + 1;
                }
            }
        }
        if let Some(at) = memrchr(b'\n', self.slice(self.line_start, self.len)) {
            self.line_start += at + 1;
        }
        false
    }
}

/// The last whole lines of `before` and then `bytes`, up to [`BEFORE_BYTES_MAX`].
fn last_lines(before: &[u8], bytes: &[u8]) -> Vec<u8> {
    if bytes.last() != Some(&b'\n') {
        return Vec::new();
    }
    let both = match bytes.len().checked_sub(BEFORE_BYTES_MAX + 1) {
        Some(from) => bytes.get(from..).unwrap_or_default().to_vec(),
        None => [before, bytes].concat(),
    };
    let Some(from) = both.len().checked_sub(BEFORE_BYTES_MAX + 1) else { return both };
    let tail = both.get(from..).unwrap_or_default();
    let start = memchr(b'\n', tail).map_or(tail.len(), |at| at + 1);
    tail.get(start..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::super::source::Budget;
    use super::super::stream::Stream;
    use super::*;
    use proptest::prelude::*;
    use std::io;
    use std::sync::Arc;

    /// Gives its bytes in small pieces of changing size.
    struct Dribble {
        bytes: Vec<u8>,
        at: usize,
        sizes: Vec<usize>,
        turn: usize,
    }

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.sizes[self.turn % self.sizes.len()].max(1);
            self.turn += 1;
            let n = most.min(buffer.len()).min(self.bytes.len() - self.at);
            buffer[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
            self.at += n;
            Ok(n)
        }
    }

    impl Stream for Dribble {
        fn encoded_bytes(&self) -> u64 {
            self.at as u64
        }
        fn troubles(&self, _into: &mut Vec<crate::say::Phrase>) {}
        fn drain(&mut self) -> Option<[u8; 32]> {
            None
        }
    }

    fn chunker(bytes: &[u8], cut: Cut, chunk_bytes: usize, sizes: &[usize]) -> Chunker {
        let dribble = Dribble { bytes: bytes.to_vec(), at: 0, sizes: sizes.to_vec(), turn: 0 };
        let budget = Arc::new(Budget::new(&Limits::default()));
        Chunker::new(SourceReader::new(Box::new(dribble), budget, Arc::default()), cut, chunk_bytes)
    }

    fn all(mut chunker: Chunker, recycle: bool) -> (Vec<OwnedChunk>, Finished) {
        let mut chunks = Vec::new();
        while let Some(chunk) = chunker.next() {
            if recycle {
                // Old content must never show through.
                chunker.recycle(vec![b'\n'; chunk.bytes.len() * 2 + 3]);
            }
            chunks.push(chunk);
        }
        assert_eq!(chunker.next(), None);
        (chunks, chunker.finish())
    }

    /// Text with few distinct bytes, so that line ends and markers are frequent, and without a mark of its encoding in front, which
    /// would be taken off. It begins with a line, without whose end carriage returns would be the ends of lines.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\n".to_vec()),
            Just(b"__CURSOR=s\n".to_vec()),
            Just(b"\n__CUR".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
            (0..60_usize).prop_map(|n| vec![b'x'; n]),
        ];
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| [b"text\n".to_vec(), pieces.concat()].concat())
    }

    /// What is left of `bytes` if each line keeps `most` bytes, and how many lines were longer.
    fn shortened(bytes: &[u8], most: usize) -> (Vec<u8>, u64) {
        let mut out = Vec::new();
        let mut overlong = 0;
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            let (body, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |body| (body, b"\n"));
            overlong += u64::from(body.len() > most);
            out.extend_from_slice(&body[..body.len().min(most)]);
            out.extend_from_slice(end);
        }
        (out, overlong)
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_doubled(
            bytes in text(), chunk in 1..200_usize, sizes in proptest::collection::vec(1..50_usize, 1..5), recycle in any::<bool>(),
        ) {
            let (chunks, finished) = all(chunker(&bytes, Cut::Lines, chunk, &sizes), recycle);
            let mut so_far = Vec::new();
            for (i, piece) in chunks.iter().enumerate() {
                prop_assert!(i + 1 == chunks.len() || piece.bytes.ends_with(b"\n"));
                prop_assert_eq!(&piece.before, &so_far);
                so_far.extend_from_slice(&piece.bytes);
            }
            prop_assert_eq!(so_far, bytes.clone());
            prop_assert_eq!(finished.decoded_bytes, bytes.len() as u64);
        }

        #[test]
        fn long_lines_are_shortened_wherever_the_reads_and_chunks_end(
            bytes in text(), chunk in 1..200_usize, sizes in proptest::collection::vec(1..50_usize, 1..5), most in 1..50_usize,
        ) {
            let mut chunker = chunker(&bytes, Cut::Lines, chunk, &sizes);
            chunker.line_bytes_max = most;
            let (chunks, _) = all(chunker, true);
            let (expected, overlong) = shortened(&bytes, most);
            prop_assert_eq!(chunks.iter().flat_map(|c| c.bytes.clone()).collect::<Vec<_>>(), expected);
            prop_assert_eq!(chunks.iter().map(|c| c.overlong_lines).sum::<u64>(), overlong);
        }

        #[test]
        fn entries_are_cut_only_before_their_marker(
            bytes in text(), chunk in 1..200_usize, sizes in proptest::collection::vec(1..50_usize, 1..5),
        ) {
            let (chunks, _) = all(chunker(&bytes, Cut::Before(b"__CURSOR="), chunk, &sizes), true);
            for (i, piece) in chunks.iter().enumerate() {
                prop_assert!(i == 0 || piece.bytes.starts_with(b"__CURSOR="));
            }
            prop_assert_eq!(chunks.iter().flat_map(|c| c.bytes.clone()).collect::<Vec<_>>(), bytes);
        }
    }

    /// Rows begin with `r`, `#F` is a heading.
    fn table(quoted: bool) -> Cut {
        Cut::Rows(Rows { quoted, begins: |line| line.starts_with(b"r") || line.starts_with(b"#"), headings: &[b"#F", b"#T"] })
    }

    #[test]
    fn a_table_is_cut_only_before_rows_and_each_piece_knows_its_headings() {
        let block = "#T one\n#F a,b\nr1,2\nr\"x\n#F not one\nr3\n\",4\n#F b,a\nr5,6\nr7,8\n";
        for size in 1..60 {
            let (chunks, _) = all(chunker(block.as_bytes(), table(true), size, &[7]), true);
            assert_eq!(chunks.iter().flat_map(|c| c.bytes.clone()).collect::<Vec<_>>(), block.as_bytes());
            for piece in &chunks[1..] {
                let text = String::from_utf8(piece.bytes.clone()).unwrap();
                assert!(["#T", "#F", "r1", "r\"", "r5", "r7"].iter().any(|start| text.starts_with(start)), "{size}: {text}");
                let later = text.starts_with("r5") || text.starts_with("r7");
                let heading = String::from_utf8(piece.heading.clone()).unwrap();
                assert!(heading.starts_with("#T one\n") && (heading.ends_with("#F b,a\n#T one\n") == later), "{size}: {heading}");
            }
        }
    }

    #[test]
    fn a_lost_closing_quote_does_not_make_one_piece_of_the_rest() {
        let bytes = [b"r\"torn\n".to_vec(), b"r1,\"a\nb\"\n".repeat(500)].concat();
        let mut chunker = chunker(&bytes, table(true), 64, &[usize::MAX]);
        chunker.entry_bytes_max = 256;
        let (chunks, _) = all(chunker, false);
        assert!(chunks.len() > 50 && chunks[1..].iter().all(|c| c.bytes.starts_with(b"r1")), "{}", chunks.len());
        assert_eq!(chunks.iter().flat_map(|c| c.bytes.clone()).collect::<Vec<_>>(), bytes);
    }

    #[test]
    fn a_line_of_50_megabytes_costs_one() {
        let bytes = [b"first\n".to_vec(), vec![b'x'; 50 << 20], b"\nlast".to_vec()].concat();
        let (chunks, finished) = all(chunker(&bytes, Cut::Lines, CHUNK_BYTES, &[usize::MAX]), false);
        let sum: usize = chunks.iter().map(|c| c.bytes.len()).sum();
        assert_eq!(sum, 6 + LINE_BYTES_MAX + 5);
        assert_eq!(chunks.iter().map(|c| c.overlong_lines).sum::<u64>(), 1);
        assert!(chunks.iter().all(|c| c.bytes.capacity() <= 2 * CHUNK_BYTES));
        assert_eq!(finished.decoded_bytes, bytes.len() as u64);
    }

    #[test]
    fn an_entry_without_end_is_cut_all_the_same() {
        let bytes = [b"__CURSOR=1\n".to_vec(), vec![b'x'; 500], b"\nM=1\n".to_vec(), vec![b'y'; 500]].concat();
        let mut chunker = chunker(&bytes, Cut::Before(b"__CURSOR="), 64, &[100]);
        chunker.entry_bytes_max = 256;
        let (chunks, _) = all(chunker, false);
        assert!(chunks.len() > 1 && chunks.iter().all(|c| c.bytes.len() <= 1024));
        assert_eq!(chunks.iter().flat_map(|c| c.bytes.clone()).collect::<Vec<_>>(), bytes);
    }

    #[test]
    fn what_came_before_is_whole_lines_of_at_most_16_kib() {
        let line = [vec![b'x'; 999], b"\n".to_vec()].concat();
        let (chunks, _) = all(chunker(&line.repeat(100), Cut::Lines, 10_000, &[usize::MAX]), true);
        assert_eq!(chunks.iter().map(|c| c.before.len()).take(4).collect::<Vec<_>>(), [0, 10_000, 16_000, 16_000]);
        assert!(last_lines(b"a\n", &[vec![b'x'; 20_000], b"\n".to_vec()].concat()).is_empty());
    }
}
