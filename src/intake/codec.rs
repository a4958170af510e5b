//! The compressed formats, each as a step from an input slice to an output slice.
//!
//! What lies between and behind the streams of a file (members, padding, garbage) is the work of `decoder`.

use crate::say::{Phrase, say};
use std::io;

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    /// The bare stream inside zip archives.
    Deflate,
    Bzip2,
    Xz,
    /// The format before xz, `.lzma`.
    Lzma,
    Zstd,
}

impl Codec {
    /// The name used in messages.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Codec::Gzip => "gzip",
            Codec::Deflate => "deflate",
            Codec::Bzip2 => "bzip2",
            Codec::Xz => "xz",
            Codec::Lzma => "lzma",
            Codec::Zstd => "zstd",
        }
    }
}

/// What one step did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) state: State,
}

pub(super) enum State {
    More,
    /// The stream ended as it should, checksums included.
    End,
    /// Nothing can follow; the library's own words.
    Broken(Phrase),
}

/// A decoder for one stream of one format.
pub(super) enum Engine {
    Flate(flate2::Decompress),
    Bzip2(bzip2::Decompress),
    Lzma(liblzma::stream::Stream),
    Zstd(zstd::stream::raw::Decoder<'static>),
}

/// Memory an xz or zstd stream may ask for. `xz -9` needs 65 MiB, `zstd --long=30` 1 GiB.
const MEMORY_BYTES_MAX: u64 = (1 << 30) + (64 << 20);
const ZSTD_WINDOW_LOG_MAX: u32 = 30;

impl Engine {
    pub(super) fn new(codec: Codec) -> io::Result<Engine> {
        Ok(match codec {
            Codec::Gzip => Engine::Flate(flate2::Decompress::new_gzip(15)),
            Codec::Deflate => Engine::Flate(flate2::Decompress::new(false)),
            Codec::Bzip2 => Engine::Bzip2(bzip2::Decompress::new(false)),
            Codec::Xz => Engine::Lzma(liblzma::stream::Stream::new_stream_decoder(MEMORY_BYTES_MAX, 0)?),
            Codec::Lzma => Engine::Lzma(liblzma::stream::Stream::new_lzma_decoder(MEMORY_BYTES_MAX)?),
            Codec::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new()?;
                decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
                Engine::Zstd(decoder)
            }
        })
    }

    /// Decodes some of `input` into some of `output`; both may be left half used.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Engine::Flate(engine) => flate_step(engine, input, output),
            Engine::Bzip2(engine) => bzip2_step(engine, input, output),
            Engine::Lzma(engine) => lzma_step(engine, input, output),
            Engine::Zstd(engine) => zstd_step(engine, input, output),
        }
    }
}

fn flate_step(engine: &mut flate2::Decompress, input: &[u8], output: &mut [u8]) -> Step {
    let (before_in, before_out) = (engine.total_in(), engine.total_out());
    let state = match engine.decompress(input, output, flate2::FlushDecompress::None) {
        Ok(flate2::Status::StreamEnd) => State::End,
        Ok(flate2::Status::Ok | flate2::Status::BufError) => State::More,
        // What was decoded before the fault comes with a good status; the call after it gets this instead of the reason.
        Err(error) => {
            let why = error.message().filter(|&why| why != "repeated call with bad state");
            State::Broken(why.map_or_else(|| say!("corrupt data"), Phrase::verbatim))
        }
    };
    step((engine.total_in() - before_in, engine.total_out() - before_out), state)
}

fn bzip2_step(engine: &mut bzip2::Decompress, input: &[u8], output: &mut [u8]) -> Step {
    let (before_in, before_out) = (engine.total_in(), engine.total_out());
    let state = match engine.decompress(input, output) {
        Ok(bzip2::Status::StreamEnd) => State::End,
        Ok(_) => State::More,
        Err(_) => State::Broken(say!("corrupt data")),
    };
    step((engine.total_in() - before_in, engine.total_out() - before_out), state)
}

fn lzma_step(engine: &mut liblzma::stream::Stream, input: &[u8], output: &mut [u8]) -> Step {
    let (before_in, before_out) = (engine.total_in(), engine.total_out());
    let state = match engine.process(input, output, liblzma::stream::Action::Run) {
        Ok(liblzma::stream::Status::StreamEnd) => State::End,
        Ok(_) => State::More,
        Err(liblzma::stream::Error::MemLimit | liblzma::stream::Error::Mem) => {
            State::Broken(say!("it asks for more than {n} bytes of memory", n = MEMORY_BYTES_MAX))
        }
        Err(liblzma::stream::Error::Options) => State::Broken(say!("it uses an unknown method")),
        Err(_) => State::Broken(say!("corrupt data")),
    };
    step((engine.total_in() - before_in, engine.total_out() - before_out), state)
}

fn zstd_step(engine: &mut zstd::stream::raw::Decoder<'static>, input: &[u8], output: &mut [u8]) -> Step {
    use zstd::stream::raw::{InBuffer, Operation, OutBuffer};
    let mut from = InBuffer::around(input);
    let mut to = OutBuffer::around(output);
    let state = match engine.run(&mut from, &mut to) {
        Ok(0) => State::End,
        Ok(_) => State::More,
        Err(error) => State::Broken(Phrase::verbatim(error.to_string())),
    };
    Step { consumed: from.pos(), produced: to.pos(), state }
}

fn step((consumed, produced): (u64, u64), state: State) -> Step {
    Step { consumed: consumed as usize, produced: produced as usize, state }
}
