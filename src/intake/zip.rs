//! The members of a zip archive, by its central directory.

use super::MemberZone;
use super::codec::Codec;
use super::part::Whole;
use super::stored::{Hashing, Layered, Seekable, Stored};
use super::survey::{Item, Names, Surveyor};
use super::walk::show;
use crate::domain::time::{Timestamp, date_exists, days_from_civil};
use crate::say::{Phrase, say};
use ::zip::CompressionMethod;
use ::zip::read::{Config, ZipFileEntry};
use ::zip::unstable::read::ZipIterable;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The length of a local header without its name and extra fields.
const LOCAL_HEADER_BYTES: usize = 30;

/// Lists a zip archive into the survey.
pub(super) fn list(surveyor: &mut Surveyor, archive: &Item) {
    let stored = match reachable(surveyor, archive) {
        Ok(Some(stored)) => stored,
        Ok(None) => return,
        Err(error) => {
            return surveyor.problem(&archive.path, true, say!("is a zip archive that cannot be read: {error}", error = error.to_string()));
        }
    };
    if let Err(error) = list_members(surveyor, archive, &stored) {
        let what = say!(
            "is a zip archive whose list of members cannot be read ({error}); it was cut off or damaged; what can be saved of it by a repair program (zip -FF) can be given instead",
            error = error.to_string()
        );
        surveyor.problem(&archive.path, true, what);
    }
}

/// The archive where its members can be reached by their offset: as it lies, or decoded into memory.
fn reachable(surveyor: &mut Surveyor, archive: &Item) -> io::Result<Option<Stored>> {
    let content = &archive.content;
    if content.layers.is_empty() && !matches!(content.stored, Stored::Part { .. }) {
        return Ok(Some(content.stored.clone()));
    }
    let room = surveyor.room();
    let mut stream = content.open(surveyor.limits.ratio_max, Hashing::Yes)?;
    let mut bytes = Vec::new();
    stream.by_ref().take(room + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > room {
        let what = say!("is a zip archive inside compressed data and too large to be held in memory; unpack it and give the folder");
        surveyor.problem(&archive.path, true, what);
        return Ok(None);
    }
    let sha256 = stream.drain();
    let mut troubles = Vec::new();
    stream.troubles(&mut troubles);
    for what in troubles {
        surveyor.problem(&archive.path, true, say!("could not be read in full: {what}", what));
    }
    if archive.depth == 0
        && let Some(file) = surveyor.files.get_mut(archive.file)
    {
        file.sha256 = sha256;
    }
    Ok(Some(surveyor.keep(bytes)))
}

fn list_members(surveyor: &mut Surveyor, archive: &Item, stored: &Stored) -> Result<(), ::zip::result::ZipError> {
    let Some(direct) = stored.open_seekable()? else { return Ok(()) };
    let mut zip = ZipIterable::try_new(BufReader::new(direct), Config::default())?;
    let entries = zip.files()?;
    let mut names = Names::default();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if entry.is_dir() {
            continue;
        }
        let name = names.distinct(entry.name_raw());
        match member(entries.reader_mut(), archive, stored, &entry, &name) {
            Ok(item) => surveyor.examine(item, None),
            Err(Passed { what, serious }) => surveyor.problem(&format!("{}!{}", archive.path, show(&name)), serious, what),
        }
    }
    Ok(())
}

/// Why a member is not read.
struct Passed {
    what: Phrase,
    serious: bool,
}

fn member(
    reader: &mut BufReader<Seekable>,
    archive: &Item,
    stored: &Stored,
    entry: &ZipFileEntry<'_>,
    name: &[u8],
) -> Result<Item, Passed> {
    let missing = |what: Phrase| Passed { what, serious: true };
    if entry.is_symlink() {
        return Err(Passed { what: say!("is a symbolic link and was not followed"), serious: false });
    }
    if entry.encrypted() {
        return Err(missing(say!("is encrypted and was not read; unpack the archive with its password and give the folder")));
    }
    let codec = codec(entry.compression()).map_err(missing)?;
    let local = local_header(reader, entry.header_start())
        .map_err(|error| missing(say!("cannot be found in the archive: {error}", error = error.to_string())))?;
    let outside = || missing(say!("points outside the archive"));
    let packed = stored.part(local.data_start, entry.compressed_size()).ok_or_else(outside)?;
    let content_stored = match codec {
        None => packed,
        Some(codec) => {
            let size = entry.compressed_size();
            let of = Layered { stored: packed, size, is_member: true, crc32: None, layers: vec![codec] };
            Stored::Part { of: Whole::of_one(of), start: 0, len: entry.size() }
        }
    };
    let content = Layered { stored: content_stored, size: entry.size(), is_member: true, crc32: Some(entry.crc32()), layers: Vec::new() };
    let mut item = archive.member(name, content);
    if let Some(mtime) = local.mtime {
        (item.hints.member_mtime, item.hints.member_zone) = (Some(mtime), MemberZone::Utc);
    } else if let Some(mtime) = dos_time(entry) {
        (item.hints.member_mtime, item.hints.member_zone) = (Some(mtime), MemberZone::Unknown);
    }
    Ok(item)
}

/// The decoder of a method; the zip library knows fewer of them by name than can be decoded here.
fn codec(method: CompressionMethod) -> Result<Option<Codec>, Phrase> {
    Ok(match method {
        CompressionMethod::Stored => None,
        CompressionMethod::Deflated => Some(Codec::Deflate),
        CompressionMethod::BZIP2 => Some(Codec::Bzip2),
        CompressionMethod::ZSTD => Some(Codec::Zstd),
        CompressionMethod::XZ => Some(Codec::Xz),
        other => {
            return Err(say!(
                "is packed by a method that is not read ({method}); unpack the archive and give the folder",
                method = other.to_string()
            ));
        }
    })
}

/// What stands before a member's data.
struct Local {
    data_start: u64,
    /// The extended time stamp, in UTC.
    mtime: Option<Timestamp>,
}

fn local_header(reader: &mut BufReader<Seekable>, at: u64) -> io::Result<Local> {
    let damaged = || io::Error::other("its local header is damaged");
    reader.seek(SeekFrom::Start(at))?;
    let mut header = [0; LOCAL_HEADER_BYTES];
    reader.read_exact(&mut header)?;
    let [b'P', b'K', 3, 4, .., n0, n1, x0, x1] = header else { return Err(damaged()) };
    let (name_len, extra_len) = (u16::from_le_bytes([n0, n1]), u16::from_le_bytes([x0, x1]));
    let mut fields = vec![0; usize::from(name_len) + usize::from(extra_len)];
    reader.read_exact(&mut fields)?;
    let mtime = extended_time(fields.get(usize::from(name_len)..).unwrap_or_default());
    let data_start = at.checked_add((LOCAL_HEADER_BYTES + fields.len()) as u64).ok_or_else(damaged)?;
    Ok(Local { data_start, mtime })
}

/// The extra field `UT`: a byte of flags, then the modification time in seconds since 1970 if the lowest bit is set.
fn extended_time(mut extra: &[u8]) -> Option<Timestamp> {
    while let [a, b, l0, l1, rest @ ..] = extra {
        let (data, after) = rest.split_at_checked(usize::from(u16::from_le_bytes([*l0, *l1])))?;
        if let ([b'U', b'T'], [flags, t0, t1, t2, t3, ..]) = ([*a, *b], data) {
            let seconds = i32::from_le_bytes([*t0, *t1, *t2, *t3]);
            return (flags & 1 == 1).then(|| Timestamp::from_seconds(i64::from(seconds)));
        }
        extra = after;
    }
    None
}

/// The DOS time as if it were UTC; 1980-01-01 00:00 is what programs write that know no time.
fn dos_time(entry: &ZipFileEntry<'_>) -> Option<Timestamp> {
    let time = entry.last_modified()?;
    let (year, month, day) = (i32::from(time.year()), u32::from(time.month()), u32::from(time.day()));
    let of_day = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let known = date_exists(year, month, day) && (year, month, day, of_day) != (1980, 1, 1, 0);
    known.then(|| Timestamp::from_seconds(days_from_civil(year, month, day) * 86_400 + of_day))
}
