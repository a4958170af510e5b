//! Decompression of a whole file: several streams one after another, zero padding, garbage behind the end, a missing end, and bombs.

use super::codec::{Codec, Engine, State, Step};
use super::sniff;
use super::stream::Stream;
use crate::say::{Phrase, say};
use std::io::{self, Read};

/// Bytes per read of the compressed side.
const INPUT_BYTES: usize = 256 << 10;
/// Decoded bytes before the ratio is looked at: short runs of equal lines pack very well.
const RATIO_FREE_BYTES: u64 = 16 << 20;
/// Decoded bytes between two looks at the ratio, however large the caller's buffer.
const STEP_BYTES_MAX: usize = 1 << 20;
/// Enough of a stream's first bytes to know its format by (`.lzma` needs them all).
const MAGIC_BYTES: usize = 13;

enum Phase {
    Stream,
    /// After the end of a stream: another, padding, garbage, or the end.
    Between,
    Done,
}

/// Gives the decoded bytes of what lies below it.
pub(super) struct Decoder {
    input: Input,
    codec: Codec,
    engine: Engine,
    phase: Phase,
    consumed: u64,
    produced: u64,
    ratio_max: u64,
    trouble: Option<Phrase>,
}

impl Decoder {
    pub(super) fn new(below: Box<dyn Stream>, codec: Codec, ratio_max: u64) -> io::Result<Decoder> {
        let engine = Engine::new(codec)?;
        let input = Input { below, buffer: Vec::new(), start: 0, end: 0 };
        Ok(Decoder { input, codec, engine, phase: Phase::Stream, consumed: 0, produced: 0, ratio_max, trouble: None })
    }

    fn stop(&mut self, trouble: Option<Phrase>) {
        self.phase = Phase::Done;
        self.trouble = trouble;
    }

    /// One step inside a stream; returns the bytes it gave.
    fn decode(&mut self, output: &mut [u8]) -> usize {
        let output = output.split_at_mut(output.len().min(STEP_BYTES_MAX)).0;
        let input = self.input.fill(1);
        let at_end = input.is_empty();
        let Step { consumed, produced, state } = self.engine.step(input, output);
        self.input.consume(consumed);
        self.consumed += consumed as u64;
        self.produced += produced as u64;
        let name = self.codec.as_str();
        match state {
            State::End => self.phase = Phase::Between,
            State::Broken(why) => {
                let what = say!("its {name} data is damaged at byte {n} ({why}); what comes after is lost", name, n = self.consumed, why);
                self.stop(Some(what));
            }
            State::More if consumed == 0 && produced == 0 => {
                let n = self.produced;
                self.stop(Some(if at_end {
                    say!("its {name} data ends too early: it was cut off after {n} decoded bytes", name, n)
                } else {
                    say!("its {name} data leads nowhere after {n} decoded bytes", name, n)
                }));
            }
            State::More => {}
        }
        if self.produced > RATIO_FREE_BYTES && self.produced / self.consumed.max(1) > self.ratio_max {
            let what = say!(
                "reading stopped after {n} decoded bytes because its {name} data unpacks to more than {ratio} times its size; --limit-ratio allows more",
                n = self.produced,
                name,
                ratio = self.ratio_max
            );
            self.stop(Some(what));
        }
        produced
    }

    /// Looks at what follows a stream.
    fn go_on(&mut self) {
        let skipped = self.input.skip_zeros();
        self.consumed += skipped;
        let next = sniff::codec(self.input.fill(MAGIC_BYTES));
        if self.input.fill(1).is_empty() {
            self.stop(None);
        } else if next != Some(self.codec) {
            let what = say!(
                "after the end of its {name} data, at byte {n}, lie bytes that are none; they were not read",
                name = self.codec.as_str(),
                n = self.consumed
            );
            self.stop(Some(what));
        } else {
            match Engine::new(self.codec) {
                Ok(engine) => (self.engine, self.phase) = (engine, Phase::Stream),
                Err(error) => {
                    let (name, error) = (self.codec.as_str(), error.to_string());
                    self.stop(Some(say!("its next {name} stream cannot be decoded: {error}", name, error)));
                }
            }
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !output.is_empty() {
            match self.phase {
                Phase::Done => break,
                Phase::Between => self.go_on(),
                Phase::Stream => match self.decode(output) {
                    0 => {}
                    produced => return Ok(produced),
                },
            }
        }
        Ok(0)
    }
}

impl Stream for Decoder {
    fn encoded_bytes(&self) -> u64 {
        self.input.below.encoded_bytes()
    }

    fn troubles(&self, into: &mut Vec<Phrase>) {
        self.input.below.troubles(into);
        into.extend(self.trouble.clone());
    }

    fn drain(&mut self) -> Option<[u8; 32]> {
        self.input.below.drain()
    }
}

/// The compressed bytes read but not yet decoded.
struct Input {
    below: Box<dyn Stream>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// At least `wanted` bytes, or all there are before the end.
    fn fill(&mut self, wanted: usize) -> &[u8] {
        if self.end - self.start < wanted {
            self.buffer.resize(INPUT_BYTES, 0);
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            while self.end < wanted {
                let room = self.buffer.get_mut(self.end..).unwrap_or_default();
                match self.below.read(room).unwrap_or(0) {
                    0 => break,
                    read => self.end += read,
                }
            }
        }
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }

    /// Passes over zero bytes and says how many.
    fn skip_zeros(&mut self) -> u64 {
        let mut skipped = 0;
        loop {
            let bytes = self.fill(1);
            let all = bytes.len();
            let zeros = bytes.iter().take_while(|&&b| b == 0).count();
            self.consume(zeros);
            skipped += zeros as u64;
            if all == 0 || zeros < all {
                return skipped;
            }
        }
    }
}
