//! Containers built in memory for the tests of intake. They hold no log lines of their own.

use super::source::SourceReader;
use super::survey::{KEPT_BYTES_MAX, survey_with};
use super::{Finished, Limits, Source, Survey};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

pub(super) fn gz(content: &[u8]) -> Vec<u8> {
    gz_at(content, 1_667_199_662)
}

pub(super) fn gz_at(content: &[u8], mtime: u32) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().mtime(mtime).write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn bz2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn lzma(content: &[u8]) -> Vec<u8> {
    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zst(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    // As the zstd command does.
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive whose members were written at second 1667199600.
pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mtime(1_667_199_600);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A zip archive whose members bear the DOS time 2022-10-31 16:01:20.
pub(super) fn zip(members: &[(&str, &[u8])], method: ::zip::CompressionMethod) -> Vec<u8> {
    let time = ::zip::DateTime::from_date_and_time(2022, 10, 31, 16, 1, 20).unwrap();
    let options = ::zip::write::SimpleFileOptions::default().compression_method(method).last_modified_time(time);
    let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Log-like lines that do not repeat, about `bytes` bytes of them.
pub(super) fn lines(bytes: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state: u64 = 1;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(text, "Oct 31 16:01:20 mx1 postfix/qmgr[{}]: {state:X}: removed", state % 9999).unwrap();
    }
    text
}

/// A folder for one test.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn with(self, name: &str, content: &[u8]) -> Folder {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(super) fn survey(&self) -> Survey {
        survey_of(&[self.path().to_owned()], &Limits::default())
    }

    /// The paths of the sources, relative to this folder.
    pub(super) fn names(&self, survey: &Survey) -> Vec<String> {
        let prefix = format!("{}/", self.path().display());
        survey.sources.iter().map(|s| s.path.strip_prefix(&prefix).unwrap_or(&s.path).to_owned()).collect()
    }
}

pub(super) fn survey_of(paths: &[PathBuf], limits: &Limits) -> Survey {
    survey_with(paths, limits, KEPT_BYTES_MAX, &mut std::io::empty())
}

/// The whole content of a source.
pub(super) fn read(source: &Source) -> (Vec<u8>, Finished) {
    read_all(source.open().unwrap())
}

pub(super) fn read_all(mut reader: SourceReader) -> (Vec<u8>, Finished) {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    (bytes, reader.finish())
}

pub(super) fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
    use sha2::Digest;
    Some(sha2::Sha256::digest(bytes).into())
}
