//! How fast each stage is by itself: splitting, decompression with hashing, parsing, correlation.
//!
//! `cargo bench` runs them all on a simulated log of some thousand messages. What a user would notice is measured by `compare.py`.

use bumpalo::Bump;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mailtrail::config::{Config, Overrides, Settings};
use mailtrail::correlate::{Correlator, Located};
use mailtrail::domain::place::SourceId;
use mailtrail::domain::time::Zone;
use mailtrail::formats::batch::Batch;
use mailtrail::formats::clock::Clock;
use mailtrail::formats::host_names::NO_HOST_NAMES;
use mailtrail::formats::{self, Chunk, Format};
use mailtrail::intake::{Limits, survey};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

fn main() {
    divan::main();
}

/// Share of the 1.51 million messages of the simulated incident.
const SCALE: &str = "0.01";

/// Simulated logs, made once: the department's server as plain text and, rotated, as gz.
struct Logs {
    folder: tempfile::TempDir,
    text: Vec<u8>,
}

static LOGS: LazyLock<Logs> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    simulate(&folder.path().join("plain"), &[]);
    simulate(&folder.path().join("gz"), &["--rotate", "daily", "--compress", "gz"]);
    let text = std::fs::read(folder.path().join("plain/logs/dept/mail.log")).expect("the simulated log");
    Logs { folder, text }
});

fn simulate(out: &Path, more: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailtrail"));
    command.args(["simulate", "--story", "niigata", "--scale", SCALE, "--seed", "1", "--out"]).arg(out).args(more);
    assert!(command.output().expect("mailtrail runs").status.success());
}

fn syslog() -> &'static Format {
    formats::ALL.iter().find(|format| format.id == "postfix.syslog").expect("the format of syslog text")
}

fn parse<'a>(bytes: &'a [u8], scratch: &'a Bump) -> Batch<'a> {
    let (mut batch, mut clock) = (Batch::default(), Clock::new(Zone::UTC, 2023));
    (syslog().parse)(
        Chunk { bytes, before: b"", heading: b"", scratch, names: &NO_HOST_NAMES, fingerprints: false, unended: false },
        &mut clock,
        &mut batch,
    );
    batch
}

fn lines() -> usize {
    memchr::memchr_iter(b'\n', &LOGS.text).count()
}

#[divan::bench]
fn split_into_lines(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::new(LOGS.text.len())).bench(lines);
}

#[divan::bench]
fn sniff(bencher: Bencher<'_, '_>) {
    let head = &LOGS.text[..LOGS.text.len().min(1 << 16)];
    bencher.counter(BytesCount::new(head.len())).bench(|| (syslog().sniff)(black_box(head)));
}

#[divan::bench]
fn parse_envelopes_and_bodies(bencher: Bencher<'_, '_>) {
    let scratch = Bump::new();
    let piece = &LOGS.text[..LOGS.text.len().min(1 << 20)];
    bencher.counter(BytesCount::new(piece.len())).bench_local(|| parse(black_box(piece), &scratch).ledger.total);
}

#[divan::bench]
fn correlate(bencher: Bencher<'_, '_>) {
    let scratch = Bump::new();
    let batch = parse(&LOGS.text, &scratch);
    let settings = Settings::from_parts(Config::default(), Overrides::default()).expect("plain settings");
    bencher.counter(ItemsCount::new(lines())).bench_local(|| {
        let mut correlator = Correlator::default();
        correlator.take(&[Located { source: SourceId(0), first_line: 1, batch: &batch, duplicates: &[], again: false }]);
        correlator.finish(&settings).messages.len()
    });
}

fn read_all(folder: PathBuf) -> usize {
    let survey = survey(&[folder], &Limits::default());
    let mut block = vec![0; 1 << 20];
    let mut sum = 0;
    for source in &survey.sources {
        let mut reader = source.open().expect("a simulated source");
        while let Ok(read @ 1..) = reader.read(&mut block) {
            sum += read;
        }
        black_box(reader.finish());
    }
    sum
}

#[divan::bench]
fn read_and_hash_plain_text(bencher: Bencher<'_, '_>) {
    let folder = LOGS.folder.path().join("plain/logs");
    bencher.counter(BytesCount::new(read_all(folder.clone()))).bench(|| read_all(folder.clone()));
}

#[divan::bench]
fn inflate_and_hash_gz(bencher: Bencher<'_, '_>) {
    let folder = LOGS.folder.path().join("gz/logs");
    bencher.counter(BytesCount::new(read_all(folder.clone()))).bench(|| read_all(folder.clone()));
}
