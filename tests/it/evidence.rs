//! Evidence for the tests: fixtures, exercises made on the spot, and archives unpacked with the times of their members.

use crate::command;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    project().join("fixtures").join(name)
}

pub(crate) fn read_json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Unpacks a tar archive, compressed or not, and gives the members their times.
pub(crate) fn unpack(archive: &Path) -> TempDir {
    let bytes = fs::read(archive).unwrap_or_else(|error| panic!("{}: {error}", archive.display()));
    let reader: Box<dyn Read> = match archive.extension().and_then(|end| end.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(&bytes[..])),
        Some("xz") => Box::new(liblzma::read::XzDecoder::new(&bytes[..])),
        other => panic!("{other:?} is no compression of a fixture"),
    };
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(reader).unpack(folder.path()).unwrap();
    folder
}

/// An exercise made by the simulator, with its truth.
pub(crate) struct Exercise {
    folder: TempDir,
    pub(crate) truth: Value,
}

impl Exercise {
    pub(crate) fn new(story: &str, seed: u64, layout: &[&str]) -> Exercise {
        let folder = tempfile::tempdir().unwrap();
        let seed = seed.to_string();
        let mut arguments = vec!["simulate", "--quiet", "--story", story, "--seed", &seed, "--zone", command::ZONE, "--out"];
        let out = folder.path().join("exercise");
        arguments.push(out.to_str().unwrap());
        arguments.extend(layout);
        let run = command::run(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        Exercise { truth: read_json(&out.join("truth.json")), folder }
    }

    /// The folder or archive with the logs alone, without the truth beside them.
    pub(crate) fn logs(&self) -> PathBuf {
        let out = self.folder.path().join("exercise");
        let archive = out.join("logs.tar.gz");
        if archive.exists() { archive } else { out.join("logs") }
    }
}

/// All files below a folder, by their paths in it, with their bytes, in the order of the paths.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(root: &Path, at: &Path, files: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                files.push((path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"), fs::read(&path).unwrap()));
            }
        }
    }
    let mut files_found = Vec::new();
    walk(folder, folder, &mut files_found);
    files_found.sort();
    files_found
}
