//! Where finished lines go: files per host, rotated and compressed as asked, written by a thread of their own.
//!
//! Each file's modification time is the time of its last line, since year-less lines have no other witness of the year.

use super::SimulateError;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

/// Lines are handed to the writing thread in pieces of about this size.
const CHUNK_BYTES: usize = 1 << 20;

enum Order {
    /// Begin this file; a path that ends in `.gz` is compressed.
    Open(PathBuf),
    Bytes(Vec<u8>),
    /// End the file; its last line was written at this second.
    Close(i64),
}

/// The log files of one host.
pub(super) struct Sink {
    orders: SyncSender<Order>,
    writer: JoinHandle<Result<(), SimulateError>>,
    buffer: Vec<u8>,
    spent: Receiver<Vec<u8>>,
    /// Bytes of log text handed over, before any compression.
    pub(super) bytes: u64,
}

impl Sink {
    pub(super) fn start() -> Sink {
        let (orders, taken) = sync_channel(8);
        let (give_back, spent) = sync_channel(16);
        let writer = std::thread::spawn(move || write_all(&taken, &give_back));
        Sink { orders, writer, buffer: Vec::with_capacity(CHUNK_BYTES + 4096), spent, bytes: 0 }
    }

    pub(super) fn open(&mut self, path: PathBuf) {
        self.order(Order::Open(path));
    }

    /// The buffer to append whole lines to; [`Sink::settle`] must follow.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Hands the buffer over if it is full; returns whether it was.
    pub(super) fn settle(&mut self) -> bool {
        if self.buffer.len() < CHUNK_BYTES {
            return false;
        }
        self.hand_over();
        true
    }

    pub(super) fn close(&mut self, last_second: i64) {
        self.hand_over();
        self.order(Order::Close(last_second));
    }

    /// Waits until all is written.
    pub(super) fn finish(mut self) -> Result<(), SimulateError> {
        self.hand_over();
        drop(self.orders);
        self.writer.join().unwrap_or(Err(SimulateError::WriterLost))
    }

    fn hand_over(&mut self) {
        self.bytes += self.buffer.len() as u64;
        let mut next = self.spent.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK_BYTES + 4096));
        next.clear();
        let full = std::mem::replace(&mut self.buffer, next);
        self.order(Order::Bytes(full));
    }

    /// A writer that failed has hung up; its error comes out of [`Sink::finish`].
    fn order(&mut self, order: Order) {
        drop(self.orders.send(order));
    }

    /// Whether the writer gave up.
    pub(super) fn failed(&self) -> bool {
        self.writer.is_finished()
    }
}

enum Target {
    Plain(File),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

fn write_all(orders: &Receiver<Order>, give_back: &SyncSender<Vec<u8>>) -> Result<(), SimulateError> {
    let mut open: Option<(PathBuf, Target)> = None;
    while let Ok(order) = orders.recv() {
        match order {
            Order::Open(path) => {
                let target = create(&path)?;
                open = Some((path, target));
            }
            Order::Bytes(bytes) => {
                if let Some((path, target)) = &mut open {
                    let written = match target {
                        Target::Plain(file) => file.write_all(&bytes),
                        Target::Gzip(encoder) => encoder.write_all(&bytes),
                    };
                    written.map_err(|cause| SimulateError::write(path, cause))?;
                }
                drop(give_back.try_send(bytes));
            }
            Order::Close(last_second) => {
                if let Some((path, target)) = open.take() {
                    close(target, last_second).map_err(|cause| SimulateError::write(&path, cause))?;
                }
            }
        }
    }
    Ok(())
}

fn create(path: &Path) -> Result<Target, SimulateError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|cause| SimulateError::write(folder, cause))?;
    }
    let file = File::create_new(path).map_err(|cause| SimulateError::write(path, cause))?;
    Ok(if path.extension().is_some_and(|extension| extension == "gz") {
        let encoder = GzBuilder::new().write(BufWriter::with_capacity(1 << 18, file), Compression::default());
        Target::Gzip(Box::new(encoder))
    } else {
        Target::Plain(file)
    })
}

/// Stamps the file, and the gzip header's own time (bytes 4 to 7), with the time of the last line.
fn close(target: Target, last_second: i64) -> std::io::Result<()> {
    let seconds = u32::try_from(last_second).unwrap_or(0);
    let file = match target {
        Target::Plain(file) => file,
        Target::Gzip(encoder) => {
            let mut file = encoder.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(4))?;
            file.write_all(&seconds.to_le_bytes())?;
            file
        }
    };
    file.set_modified(UNIX_EPOCH + Duration::from_secs(u64::from(seconds)))
}

/// Packs the folder `logs` of `out` into `logs.tar.gz` (members in the order of their names, times kept) and removes it.
pub(super) fn archive(out: &Path) -> Result<(), SimulateError> {
    let folder = out.join("logs");
    let packed = out.join("logs.tar.gz");
    let failed = |cause| SimulateError::write(&packed, cause);
    let file = File::create_new(&packed).map_err(failed)?;
    let encoder = GzEncoder::new(BufWriter::new(file), Compression::best());
    let mut tar = tar::Builder::new(encoder);
    for member in members(&folder)? {
        append(&mut tar, out, &member).map_err(failed)?;
    }
    tar.into_inner().and_then(GzEncoder::finish).and_then(|mut file| file.flush()).map_err(failed)?;
    fs::remove_dir_all(&folder).map_err(|cause| SimulateError::write(&folder, cause))
}

fn append<W: Write>(tar: &mut tar::Builder<W>, out: &Path, member: &Path) -> std::io::Result<()> {
    let mut file = File::open(member)?;
    let metadata = file.metadata()?;
    let seconds = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut header = tar::Header::new_ustar();
    header.set_size(metadata.len());
    header.set_mtime(seconds);
    header.set_mode(0o640);
    tar.append_data(&mut header, member.strip_prefix(out).unwrap_or(member), &mut file)
}

/// The files below a folder, in the order of their paths.
fn members(folder: &Path) -> Result<Vec<PathBuf>, SimulateError> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    };
    let mut all = Vec::new();
    for path in list().map_err(|cause| SimulateError::read(folder, cause))? {
        if path.is_dir() {
            all.extend(members(&path)?);
        } else {
            all.push(path);
        }
    }
    Ok(all)
}
