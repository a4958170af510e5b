//! From the paths given to the files on disk: folders, symbolic links, and what is not a file at all.
//!
//! Symbolic links inside a folder are not followed: those of a copied `/var/log` would lead to the logs of the analyst's own machine.

use super::survey::Problem;
use crate::say::{Part, Phrase, say};
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

/// What the paths given lead to.
#[derive(Default)]
pub(super) struct Walk {
    /// The files, each once, by their path as it is shown.
    pub(super) files: BTreeMap<PathBuf, Metadata>,
    /// Pipes given as arguments, which can be read only once.
    pub(super) pipes: Vec<PathBuf>,
    pub(super) stdin: bool,
    pub(super) problems: Vec<Problem>,
    links: Vec<PathBuf>,
    /// Real paths of everything walked, and the path under which each file is shown.
    shown: BTreeMap<PathBuf, PathBuf>,
    folders: Vec<PathBuf>,
}

/// Lists the files under `paths`. The order of the paths has no influence.
pub(super) fn walk(paths: &[PathBuf]) -> Walk {
    let (stdin, named): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|path| path.as_os_str() == "-");
    let mut walk = Walk { stdin: !stdin.is_empty(), ..Walk::default() };
    let mut named: Vec<PathBuf> = named.into_iter().map(|path| tidy(path)).collect();
    named.sort();
    named.dedup();
    for path in named {
        match fs::metadata(&path) {
            Ok(metadata) => walk.argument(path, metadata),
            Err(error) => walk.unreadable(&path, &error),
        }
    }
    walk.judge_links();
    walk
}

/// `./logs//mail.log` and `logs/mail.log` are shown as the same path.
fn tidy(path: &Path) -> PathBuf {
    let tidy: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    if tidy.as_os_str().is_empty() { PathBuf::from(".") } else { tidy }
}

/// Shows a path or member name: UTF-8 as it is, every other byte as `\xNN`, so that different names look different.
pub(super) fn show(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

pub(super) fn show_path(path: &Path) -> String {
    show(path.as_os_str().as_encoded_bytes())
}

impl Walk {
    fn argument(&mut self, path: PathBuf, metadata: Metadata) {
        if metadata.is_dir() {
            self.folder(path);
        } else if metadata.is_file() {
            self.file(path, metadata);
        } else if is_pipe(&metadata) {
            self.pipes.push(path);
        } else {
            self.problem(&path, true, say!("is a device or socket and cannot be evidence; give files, folders or - for standard input"));
        }
    }

    fn folder(&mut self, top: PathBuf) {
        let mut folders = vec![top];
        while let Some(folder) = folders.pop() {
            self.folders.extend(fs::canonicalize(&folder));
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.unreadable(&folder, &error);
                    continue;
                }
            };
            for entry in entries {
                match entry {
                    Ok(entry) => self.entry(tidy(&entry.path()), &mut folders),
                    Err(error) => self.unreadable(&folder, &error),
                }
            }
        }
    }

    fn entry(&mut self, path: PathBuf, folders: &mut Vec<PathBuf>) {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => self.links.push(path),
            Ok(metadata) if metadata.is_dir() => folders.push(path),
            Ok(metadata) if metadata.is_file() => self.file(path, metadata),
            Ok(_) => self.problem(&path, false, say!("is a device, socket or pipe and was passed over")),
            Err(error) => self.unreadable(&path, &error),
        }
    }

    /// Adds a file; of several paths to the same file the first in order is the one shown.
    fn file(&mut self, path: PathBuf, metadata: Metadata) {
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if let Some(known) = self.shown.get(&real) {
            if *known <= path {
                return;
            }
            self.files.remove(known);
        }
        self.shown.insert(real, path.clone());
        self.files.insert(path, metadata);
    }

    /// Tells which symbolic links lead out of the evidence; the others lead to what is read anyway.
    fn judge_links(&mut self) {
        for link in std::mem::take(&mut self.links) {
            let target = fs::canonicalize(&link);
            let known = target.as_ref().is_ok_and(|real| self.shown.contains_key(real) || self.folders.contains(real));
            if known {
                continue;
            }
            let named = fs::read_link(&link).map_or_else(|_| Part::from(say!("an unknown place")), |to| show_path(&to).into());
            let what = match target {
                Ok(_) => say!(
                    "is a symbolic link to {target}, outside the evidence, and was not followed; give that path too if it is evidence",
                    target = named
                ),
                Err(_) => {
                    say!("is a symbolic link to {target}, which does not exist here; if that was a log, it is missing", target = named)
                }
            };
            self.problem(&link, true, what);
        }
        self.problems.sort();
        self.problems.dedup();
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.problem(path, true, say!("cannot be read: {error}", error = error.to_string()));
    }

    fn problem(&mut self, path: &Path, serious: bool, what: Phrase) {
        self.problems.push(Problem { path: show_path(path), what, serious });
    }
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &Metadata) -> bool {
    false
}
