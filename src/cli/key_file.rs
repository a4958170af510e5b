//! The file of the key that pseudonyms are made with. What is said of it never holds any of its bytes.

use super::message::Failure;
use super::plan::Talk;
use crate::pseudonym::Key;
use crate::report::escape;
use std::io::{Read, Write};
use std::path::Path;

/// More than any key has: a log given by mistake is not read whole.
const KEY_BYTES_MAX: u64 = 1 << 20;

/// Reads a key, and warns if others can read it too.
pub(super) fn read(path: &Path, talk: Talk) -> Result<Key, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::usage(format!("key {shown}: {error}"));
    let file = std::fs::File::open(path).map_err(failed)?;
    if is_open_to_others(&file) && talk != Talk::Quiet {
        let warning = format!("warning: key {shown} can be read by everybody on this machine; chmod 600 it");
        // A warning that nobody can read stops nothing.
        writeln!(std::io::stderr(), "{}", escape::terminal(&warning)).ok();
    }
    let mut bytes = Vec::new();
    file.take(KEY_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Key::new(&bytes).map_err(|error| {
        Failure::usage(format!("key {shown}: {error}")).hint("make one with: head -c 32 /dev/urandom | base64 > key; chmod 600 key")
    })
}

#[cfg(unix)]
fn is_open_to_others(file: &std::fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_with_how_to_make_one() {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("key");
        let said = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            read(&file, Talk::Quiet).err().map(|failure| failure.shown())
        };
        assert_eq!(said(&[b'k'; 32]), None);
        let refused = said(b"hunter2\n").unwrap();
        assert!(refused.contains("7 bytes") && refused.contains("/dev/urandom") && !refused.contains("hunter2"), "{refused}");
        assert!(read(&here.path().join("none"), Talk::Quiet).is_err());
    }
}
