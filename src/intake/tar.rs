//! The members of a tar archive, plain or compressed.

use super::part::Whole;
use super::source::Budget;
use super::stored::{Hashing, Layered, Seekable, Stored};
use super::survey::{Item, Names, Surveyor};
use super::walk::show;
use crate::domain::time::Timestamp;
use crate::say::{Phrase, say};
use ::tar::{Archive, Entry, EntryType};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::Arc;

/// Bytes per read while a compressed archive is listed.
const LIST_BYTES: usize = 256 << 10;
/// The first bytes of a member that is not kept: a bzip2 block must be whole before it gives anything.
const HEAD_BYTES: u64 = 1 << 20;
/// The size of everything in tar, and of the least that marks its end.
const BLOCK_BYTES: u64 = 512;
/// Bytes that the description of one member (long names, extended headers) may take.
const DESCRIPTION_BYTES_MAX: u64 = 1 << 20;

/// Lists a tar archive into the survey.
pub(super) fn list(surveyor: &mut Surveyor, archive: &Item) {
    let listed = match archive.content.stored.open_seekable() {
        Ok(Some(direct)) if archive.content.layers.is_empty() => list_direct(surveyor, archive, direct),
        Ok(_) => list_stream(surveyor, archive),
        Err(error) => Err(error),
    };
    if let Err(error) = listed {
        surveyor.problem(&archive.path, true, say!("is a tar archive that cannot be read: {error}", error = error.to_string()));
    }
}

/// An archive whose members can be reached by their offset.
fn list_direct(surveyor: &mut Surveyor, archive: &Item, direct: Seekable) -> io::Result<()> {
    let allowance = Rc::new(Cell::new(DESCRIPTION_BYTES_MAX));
    let mut tar = Archive::new(Watched { inner: direct, zeros: 0, allowance: Rc::clone(&allowance), budget: None });
    tar.set_ignore_zeros(true);
    let mut listing = Listing::new(archive);
    for entry in tar.entries_with_seek()? {
        let Ok(entry) = listing.check(surveyor, entry) else { break };
        allowance.set(entry.size().saturating_add(DESCRIPTION_BYTES_MAX));
        let Some(member) = listing.member(surveyor, entry).map(|(member, _)| member) else { continue };
        if let Some(stored) = archive.content.stored.part(member.start, member.size) {
            surveyor.examine(member.item(archive, stored), None);
        }
    }
    let watched = tar.into_inner();
    listing.finish(surveyor, watched.zeros);
    Ok(())
}

/// An archive that must be decoded from its start.
fn list_stream(surveyor: &mut Surveyor, archive: &Item) -> io::Result<()> {
    let stream = archive.content.open(surveyor.limits.ratio_max, Hashing::Yes)?;
    let whole = Whole::of_many(archive.content.clone());
    let allowance = Rc::new(Cell::new(DESCRIPTION_BYTES_MAX));
    let budget = Some(Arc::clone(&surveyor.listing));
    let inner = BufReader::with_capacity(LIST_BYTES, stream);
    let mut tar = Archive::new(Watched { inner, zeros: 0, allowance: Rc::clone(&allowance), budget });
    tar.set_ignore_zeros(true);
    let mut listing = Listing::new(archive);
    for entry in tar.entries()? {
        let Ok(entry) = listing.check(surveyor, entry) else { break };
        allowance.set(entry.size().saturating_add(DESCRIPTION_BYTES_MAX));
        let Some((member, mut entry)) = listing.member(surveyor, entry) else { continue };
        let (stored, head) = fetch(surveyor, &whole, &member, &mut entry);
        surveyor.examine(member.item(archive, stored), head);
    }
    let watched = tar.into_inner();
    listing.finish(surveyor, watched.zeros);
    let mut stream = watched.inner.into_inner();
    let sha256 = stream.drain();
    let mut troubles = Vec::new();
    stream.troubles(&mut troubles);
    for what in troubles {
        surveyor.problem(&archive.path, true, say!("could not be listed in full: {what}", what));
    }
    if archive.depth == 0
        && let Some(file) = surveyor.files.get_mut(archive.file)
    {
        file.sha256 = sha256;
    }
    Ok(())
}

/// Keeps a small member in memory; of another, only where it lies and, to tell what it is, its first bytes.
fn fetch(surveyor: &mut Surveyor, whole: &Arc<Whole>, member: &Member, entry: &mut impl Read) -> (Stored, Option<Vec<u8>>) {
    let keep = surveyor.may_keep(member.size);
    let most = if keep { member.size } else { member.size.min(HEAD_BYTES) };
    let mut bytes = Vec::new();
    // A member that cannot be read whole is read again as a part of the archive, which then says what is wrong.
    let read = entry.take(most).read_to_end(&mut bytes);
    if keep && read.is_ok() && bytes.len() as u64 == member.size {
        return (surveyor.keep(bytes), None);
    }
    (Stored::Part { of: Arc::clone(whole), start: member.start, len: member.size }, Some(bytes))
}

/// A file in the archive.
struct Member {
    name: Vec<u8>,
    start: u64,
    size: u64,
    mtime: Option<Timestamp>,
}

impl Member {
    fn item(&self, archive: &Item, stored: Stored) -> Item {
        let content = Layered { stored, size: self.size, is_member: true, crc32: None, layers: Vec::new() };
        let mut item = archive.member(&self.name, content);
        if let Some(mtime) = self.mtime {
            item.hints.member_mtime = Some(mtime);
            item.hints.member_zone = super::MemberZone::Utc;
        }
        item
    }
}

/// What was seen of an archive so far.
struct Listing<'a> {
    archive: &'a Item,
    names: Names,
    seen: BTreeSet<Vec<u8>>,
    /// Hard links and what they point to.
    links: Vec<(Vec<u8>, Vec<u8>)>,
    count: u64,
    broken: bool,
}

impl<'a> Listing<'a> {
    fn new(archive: &'a Item) -> Listing<'a> {
        Listing { archive, names: Names::default(), seen: BTreeSet::new(), links: Vec::new(), count: 0, broken: false }
    }

    /// Reports a member that cannot be made out; nothing after it can be found either.
    fn check<T>(&mut self, surveyor: &mut Surveyor, entry: io::Result<T>) -> Result<T, ()> {
        entry.map_err(|error| {
            self.broken = true;
            let what = say!("is damaged after {n} members ({error}); what comes after is lost", n = self.count, error = error.to_string());
            surveyor.problem(&self.archive.path, true, what);
        })
    }

    /// Passes files on, and notes everything else.
    fn member<'e, R: Read>(&mut self, surveyor: &mut Surveyor, mut entry: Entry<'e, R>) -> Option<(Member, Entry<'e, R>)> {
        self.count += 1;
        let name = entry.path_bytes().into_owned();
        let target = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous if is_sparse(&mut entry) => self.note(surveyor, &name, true, SPARSE),
            EntryType::GNUSparse => self.note(surveyor, &name, true, SPARSE),
            // The oldest tar programs mark a folder by the slash alone.
            EntryType::Regular if name.ends_with(b"/") && entry.size() == 0 => {}
            EntryType::Regular | EntryType::Continuous => {
                self.seen.insert(name.clone());
                let seconds = entry.header().mtime().ok().filter(|&seconds| seconds > 0);
                let mtime = seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(Timestamp::from_seconds);
                let member = Member { name: self.names.distinct(&name), start: entry.raw_file_position(), size: entry.size(), mtime };
                return Some((member, entry));
            }
            EntryType::Directory | EntryType::XGlobalHeader => {}
            EntryType::Link => self.links.push((name, target)),
            EntryType::Symlink => {
                let what = say!("is a symbolic link to {target} and was not followed", target = show(&target));
                self.note(surveyor, &name, false, what);
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                self.note(surveyor, &name, false, say!("is a device or pipe and was passed over"));
            }
            other => {
                let what = say!("is of an unknown kind ({kind}) and was passed over", kind = format!("{:?}", char::from(other.as_byte())));
                self.note(surveyor, &name, true, what);
            }
        }
        None
    }

    fn note(&self, surveyor: &mut Surveyor, name: &[u8], serious: bool, what: Phrase) {
        surveyor.problem(&format!("{}!{}", self.archive.path, show(name)), serious, what);
    }

    /// Says what the archive as a whole lacks. `zeros` is how many zero bytes it ended with.
    fn finish(&self, surveyor: &mut Surveyor, zeros: u64) {
        for (name, target) in &self.links {
            if !self.seen.contains(target) {
                let what = say!("is a hard link to {target}, which is not in the archive; its content is missing", target = show(target));
                self.note(surveyor, name, true, what);
            }
        }
        if !self.broken && zeros < BLOCK_BYTES {
            let what = say!("has no end marker after its {n} members; it was cut off, and members may be missing", n = self.count);
            surveyor.problem(&self.archive.path, true, what);
        }
    }
}

const SPARSE: Phrase = say!("is stored as a sparse file, which is not read; unpack the archive and give the folder");

/// Whether an extended header says that the data is a sparse map and its blocks.
fn is_sparse<R: Read>(entry: &mut Entry<'_, R>) -> bool {
    let Ok(Some(extensions)) = entry.pax_extensions() else { return false };
    extensions.flatten().any(|extension| extension.key_bytes().starts_with(b"GNU.sparse."))
}

/// Watches what the tar library reads: how many zeros came last, and that no member's description fills the memory.
struct Watched<R> {
    inner: R,
    zeros: u64,
    /// Bytes that may be read before the next member is given out.
    allowance: Rc<Cell<u64>>,
    budget: Option<Arc<Budget>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let zeros = bytes.iter().rev().take_while(|&&b| b == 0).count() as u64;
        let all_zeros = zeros == read as u64;
        self.zeros = if all_zeros { self.zeros + zeros } else { zeros };
        // Padding behind the end is read block by block and may be of any length.
        if !(all_zeros && buffer.len() as u64 <= BLOCK_BYTES) {
            let left = self.allowance.get().checked_sub(read as u64);
            self.allowance.set(left.ok_or_else(|| io::Error::other("a member's name or extended header is longer than 1 MiB"))?);
        }
        match &self.budget {
            Some(budget) if !budget.book(read as u64) => Err(io::Error::other(budget.sentence().to_string())),
            _ => Ok(read),
        }
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if to != SeekFrom::Current(0) {
            self.zeros = 0;
        }
        self.inner.seek(to)
    }
}
