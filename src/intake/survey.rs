//! The list of what is in the evidence: files on disk, sources in them, and everything that could not be read.

use super::Limits;
use super::codec::Codec;
use super::hash::{hash_bytes, hash_file};
use super::sniff::{self, HEAD_BYTES, Kind};
use super::source::{Budget, Source, TimeHints};
use super::stored::{Hashing, Layered, Stored};
use super::walk::{self, show_path, walk};
use super::{tar, zip};
use crate::domain::place::SourceId;
use crate::domain::time::Timestamp;
use crate::say::{Phrase, say};
use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// Members of compressed archives that are kept in memory once decoded, all together. Listing a compressed archive decodes it
/// anyway, so most evidence is decoded only once.
pub(super) const KEPT_BYTES_MAX: u64 = 256 << 20;
/// Larger members are decoded again when they are read: they must not push many small ones out.
const KEPT_MEMBER_BYTES_MAX: u64 = 64 << 20;
/// Standard input and pipes can be read only once, so they are held in memory up to this size.
const PIPE_BYTES_MAX: u64 = 4 << 30;

/// A file handed in: its hash is part of the evidence list.
#[derive(Clone, Debug)]
pub struct FileOnDisk {
    /// For display; `-` for standard input.
    pub path: String,
    /// To open it; `None` for standard input and pipes.
    pub disk_path: Option<PathBuf>,
    /// In bytes.
    pub size: u64,
    /// The one source that this file is, if it is not an archive. Reading that source to its end gives the hash of the file.
    pub source: Option<SourceId>,
    /// `None` until known: standard input and archives that are read whole for their listing have it from the start, others by
    /// [`FileOnDisk::hash`], and single files by [`Survey::record_hash`].
    pub sha256: Option<[u8; 32]>,
}

impl FileOnDisk {
    /// Fills in the hash by reading the file once more, unless it is known.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn hash(&mut self) -> io::Result<()> {
        if let (None, Some(path)) = (self.sha256, &self.disk_path) {
            self.sha256 = Some(hash_file(path)?);
        }
        Ok(())
    }
}

/// Something that could not be read, or was passed over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path of the file or member, for display.
    pub path: String,
    /// What happened and what to do, as the rest of a sentence that begins with the path.
    pub what: Phrase,
    /// Whether evidence may be missing because of it.
    pub serious: bool,
}

/// What is in the evidence.
#[derive(Clone, Default)]
pub struct Survey {
    /// By path.
    pub files: Vec<FileOnDisk>,
    /// By path; a source's place in this list is its number.
    pub sources: Vec<Source>,
    /// By path.
    pub problems: Vec<Problem>,
}

impl Survey {
    /// Gives a file the hash that came from reading its only source; does nothing for a member of an archive.
    pub fn record_hash(&mut self, source: SourceId, sha256: [u8; 32]) {
        if let Some(file) = self.files.iter_mut().find(|file| file.source == Some(source)) {
            file.sha256 = Some(sha256);
        }
    }
}

/// Lists what is in `paths`: files, folders and, for `-`, standard input. Reads heads and archive lists, no log.
///
/// The result does not depend on the order of the paths; a file that is reached twice counts once.
#[must_use]
pub fn survey(paths: &[PathBuf], limits: &Limits) -> Survey {
    survey_with(paths, limits, KEPT_BYTES_MAX, &mut io::stdin())
}

pub(super) fn survey_with(paths: &[PathBuf], limits: &Limits, kept_bytes_max: u64, stdin: &mut dyn Read) -> Survey {
    let walk = walk(paths);
    let mut surveyor = Surveyor::new(limits, kept_bytes_max, walk.problems);
    if walk.stdin {
        surveyor.pipe("-".to_owned(), stdin);
    }
    for path in walk.pipes {
        match std::fs::File::open(&path) {
            Ok(mut pipe) => surveyor.pipe(show_path(&path), &mut pipe),
            Err(error) => surveyor.problem(&show_path(&path), true, say!("cannot be read: {error}", error = error.to_string())),
        }
    }
    for (path, metadata) in walk.files {
        surveyor.file(path, &metadata);
    }
    surveyor.finish()
}

/// A run of bytes that may be a log, a compressed log or an archive.
pub(super) struct Item {
    /// The path as bytes, one part for the file and one for each member: the order of the sources.
    pub(super) key: Vec<Vec<u8>>,
    pub(super) path: String,
    pub(super) content: Layered,
    pub(super) hints: TimeHints,
    pub(super) file: usize,
    /// How many archives lie around it.
    pub(super) depth: u32,
}

impl Item {
    /// A member of the archive that this item is.
    pub(super) fn member(&self, name: &[u8], content: Layered) -> Item {
        let mut key = self.key.clone();
        key.push(name.to_vec());
        let last = name.rsplit(|&b| b == b'/').next().unwrap_or(name);
        let hints = TimeHints { name: walk::show(last), gzip_mtime: None, ..self.hints.clone() };
        let path = format!("{}!{}", self.path, walk::show(name));
        Item { key, path, content, hints, file: self.file, depth: self.depth + 1 }
    }
}

/// Tells apart members of one archive that have the same name: the second `mail.log` is shown as `mail.log#2`.
#[derive(Default)]
pub(super) struct Names(std::collections::HashMap<Vec<u8>, u64>);

impl Names {
    pub(super) fn distinct(&mut self, name: &[u8]) -> Vec<u8> {
        let count = self.0.entry(name.to_vec()).or_default();
        *count += 1;
        match *count {
            1 => name.to_vec(),
            n => [name, format!("#{n}").as_bytes()].concat(),
        }
    }
}

pub(super) struct Surveyor {
    pub(super) limits: Limits,
    /// Decoded bytes of compressed archives while they are listed.
    pub(super) listing: Arc<Budget>,
    budget: Arc<Budget>,
    /// Bytes that may still be kept in memory.
    room: u64,
    pub(super) files: Vec<FileOnDisk>,
    found: Vec<Item>,
    problems: Vec<Problem>,
}

impl Surveyor {
    fn new(limits: &Limits, room: u64, problems: Vec<Problem>) -> Surveyor {
        Surveyor {
            limits: *limits,
            listing: Arc::new(Budget::new(limits)),
            budget: Arc::new(Budget::new(limits)),
            room,
            files: Vec::new(),
            found: Vec::new(),
            problems,
        }
    }

    pub(super) fn problem(&mut self, path: &str, serious: bool, what: Phrase) {
        self.problems.push(Problem { path: path.to_owned(), what, serious });
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) {
        let stored = Stored::Disk { path: Arc::from(path.as_path()), start: 0, len: None };
        let mtime = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let file_mtime = mtime.and_then(|since| i64::try_from(since.as_micros()).ok()).map(Timestamp);
        let name = show_path(path.file_name().map_or(path.as_path(), Path::new));
        let hints = TimeHints { file_mtime, name, ..TimeHints::default() };
        let (key, shown) = (path.as_os_str().as_encoded_bytes().to_vec(), show_path(&path));
        self.top(key, shown, Some(path), stored, metadata.len(), hints);
    }

    /// Holds a stream that can be read only once.
    fn pipe(&mut self, path: String, pipe: &mut dyn Read) {
        let most = PIPE_BYTES_MAX.min(self.limits.total_bytes_max);
        let mut bytes = Vec::new();
        if let Err(error) = pipe.take(most).read_to_end(&mut bytes) {
            self.problem(&path, true, say!("cannot be read past byte {n}: {error}", n = bytes.len(), error = error.to_string()));
        }
        if bytes.len() as u64 == most && pipe.read(&mut [0]).unwrap_or(0) > 0 {
            let what = say!("gives more than {n} bytes, and the rest was not read; write it to a file and give its path", n = most);
            self.problem(&path, true, what);
        }
        let (size, sha256) = (bytes.len() as u64, hash_bytes(&bytes));
        let hints = TimeHints { name: path.clone(), ..TimeHints::default() };
        let file = self.files.len();
        self.top(path.clone().into_bytes(), path, None, Stored::memory(bytes), size, hints);
        if let Some(file) = self.files.get_mut(file) {
            file.sha256 = Some(sha256);
        }
    }

    fn top(&mut self, key: Vec<u8>, path: String, disk_path: Option<PathBuf>, stored: Stored, size: u64, hints: TimeHints) {
        let file = self.files.len();
        let content = Layered { stored, size, is_member: false, crc32: None, layers: Vec::new() };
        self.files.push(FileOnDisk { path: path.clone(), disk_path, size, source: None, sha256: None });
        self.examine(Item { key: vec![key], path, content, hints, file, depth: 0 }, None);
    }

    /// Finds out what an item is and files it. `head` stands in for its first bytes where getting at them is dear.
    pub(super) fn examine(&mut self, mut item: Item, head: Option<Vec<u8>>) {
        let kind = match self.peel(&mut item, head) {
            Ok(kind) => kind,
            Err(error) => return self.problem(&item.path, true, say!("cannot be read: {error}", error = error.to_string())),
        };
        let is_archive = matches!(kind, Kind::Tar | Kind::Zip | Kind::Foreign(_));
        if is_archive && item.depth >= self.limits.depth_max {
            let what =
                say!("is an archive inside {n} others, more than are opened; unpack the outer ones and give the result", n = item.depth);
            return self.problem(&item.path, true, what);
        }
        match kind {
            Kind::Plain => self.found.push(item),
            Kind::Tar => tar::list(self, &item),
            Kind::Zip => zip::list(self, &item),
            Kind::EmptyTar => {
                let what =
                    say!("is nothing but zero bytes: an empty tar archive, or a log that was wiped; {n} bytes", n = item.content.size);
                self.problem(&item.path, true, what);
            }
            Kind::Foreign(name) => {
                self.problem(&item.path, true, say!("is a {name} archive, which is not read; unpack it and give the folder", name));
            }
            Kind::Compressed(codec) => {
                let what = say!(
                    "is {name} data inside {n} others; unpack it and give the result",
                    name = codec.as_str(),
                    n = item.content.layers.len()
                );
                self.problem(&item.path, true, what);
            }
        }
    }

    /// Looks below one compression after another, noting them in the item.
    fn peel(&self, item: &mut Item, head: Option<Vec<u8>>) -> io::Result<Kind> {
        let mut look = item.content.clone();
        if let Some(head) = head {
            look.size = head.len() as u64;
            look.stored = Stored::memory(head);
        }
        loop {
            let head = self.head(&look)?;
            let kind = sniff::kind(&head);
            let Kind::Compressed(codec) = kind else { return Ok(kind) };
            if look.layers.len() as u64 > u64::from(self.limits.depth_max) {
                return Ok(kind);
            }
            if codec == Codec::Gzip {
                item.hints.gzip_mtime = sniff::gzip_mtime(&head);
            }
            look.layers.push(codec);
            item.content.layers.push(codec);
        }
    }

    fn head(&self, content: &Layered) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        content.open(self.limits.ratio_max, Hashing::No)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Whether a member of this size may be kept in memory.
    pub(super) fn may_keep(&self, size: u64) -> bool {
        size <= KEPT_MEMBER_BYTES_MAX && size <= self.room
    }

    /// Bytes that may still be kept in memory.
    pub(super) fn room(&self) -> u64 {
        self.room
    }

    pub(super) fn keep(&mut self, bytes: Vec<u8>) -> Stored {
        self.room = self.room.saturating_sub(bytes.len() as u64);
        Stored::memory(bytes)
    }

    fn finish(mut self) -> Survey {
        self.found.sort_by(|a, b| a.key.cmp(&b.key));
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by(|&a, &b| self.files.get(a).map(|f| &f.path).cmp(&self.files.get(b).map(|f| &f.path)));
        let mut place = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(old) {
                *place = new;
            }
        }
        let mut files: Vec<FileOnDisk> = order.iter().filter_map(|&old| self.files.get(old).cloned()).collect();
        let mut sources = Vec::with_capacity(self.found.len());
        for (rank, item) in self.found.into_iter().enumerate() {
            let id = SourceId(u32::try_from(rank).unwrap_or(u32::MAX));
            let file = place.get(item.file).copied().unwrap_or_default();
            if let (0, Some(on_disk)) = (item.depth, files.get_mut(file)) {
                on_disk.source = Some(id);
            }
            sources.push(Source {
                id,
                path: item.path,
                size: item.content.size,
                hints: item.hints,
                file,
                content: item.content,
                ratio_max: self.limits.ratio_max,
                budget: Arc::clone(&self.budget),
                booked: Arc::default(),
            });
        }
        self.problems.sort();
        Survey { files, sources, problems: self.problems }
    }
}
