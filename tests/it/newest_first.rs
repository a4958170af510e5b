//! Logs whose newest line stands first, as `journalctl -r` and search tools hand them on: they tell what the same logs tell in their order.

use crate::command::{Report, analyze};
use crate::compare;
use crate::evidence::{self, Exercise};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

type Files = Vec<(String, Vec<String>)>;

/// The lines of all files of a folder, by the paths of the files within it.
fn files(folder: &Path) -> Files {
    let read = |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect());
    evidence::files(folder).into_iter().map(read).collect()
}

/// The lines that the incidents of a report point at, of sources numbered by name.
fn pointed_at(report: &Report, files: &Files) -> BTreeSet<String> {
    fn collect(value: &Value, files: &Files, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.values().for_each(|field| collect(field, files, into)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, files, into)),
            Value::String(text) => {
                let place = text.strip_prefix('E').and_then(|place| place.split_once(':'));
                if let Some((Ok(source), Ok(line))) = place.map(|(source, line)| (source.parse::<usize>(), line.parse::<usize>())) {
                    into.insert(files[source - 1].1[line - 1].clone());
                }
            }
            _ => {}
        }
    }
    let mut lines = BTreeSet::new();
    report.incidents().iter().for_each(|incident| collect(incident, files, &mut lines));
    lines
}

#[test]
fn a_log_read_from_its_end_tells_the_same_and_points_at_the_same_lines() {
    let layouts: [&[&str]; 5] = [
        &[],
        &["--queue-ids", "long", "--hosts", "two"],
        &["--envelope", "iso"],
        &["--envelope", "rfc5424", "--rotate", "daily"],
        &["--envelope", "journal-json"],
    ];
    for layout in layouts {
        let exercise = Exercise::new("soka", 2, layout);
        let turned = tempfile::tempdir().unwrap();
        for (name, lines) in files(&exercise.logs()) {
            let text: String = lines.iter().rev().map(|line| format!("{line}\n")).collect();
            let written = fs::metadata(exercise.logs().join(&name)).and_then(|file| file.modified()).unwrap();
            fs::create_dir_all(turned.path().join(&name).parent().unwrap()).unwrap();
            fs::write(turned.path().join(&name), text).unwrap();
            File::options().append(true).open(turned.path().join(&name)).unwrap().set_modified(written).unwrap();
        }
        let (report, as_written) = (analyze(&[turned.path()], &[]), analyze(&[exercise.logs()], &[]));
        let differences = compare::report(&report.json, &exercise.truth);
        assert!(differences.is_empty(), "{layout:?}:\n  {}", differences.join("\n  "));
        assert_eq!(report.json["limitations"], as_written.json["limitations"], "{layout:?}");
        let lines = pointed_at(&report, &files(turned.path()));
        assert!(lines.len() >= 3, "{layout:?}");
        assert_eq!(lines, pointed_at(&as_written, &files(&exercise.logs())), "{layout:?}");
        assert!(report.json["evidence"].to_string().contains("newest line stands first"), "{layout:?}");
    }
}
