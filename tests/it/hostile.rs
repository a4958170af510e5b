//! Everything in a log is hostile text, and so are the names of files: no face lets any of it act.

use crate::command::{Run, ZONE, analyze, command, ended};
use crate::damage::replace;
use crate::evidence::{fixture, read_json, unpack};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Clears a screen, sets a title, turns the direction of text, opens a page, starts a program from a spreadsheet, breaks a table.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{2066}\u{9b}31m<script>alert(1)</script><img/src=x/onerror=alert(1)>=cmd|'/c'!A0|](http://bad.example)`*_\u{7f}";

/// The known incident with hostile text in the names of clients, in HELO, in replies and in the account's own name, and a hostile path.
struct Trap {
    folder: TempDir,
}

impl Trap {
    fn new() -> Trap {
        let folder = unpack(&fixture("soka-postfix/logs.tar.gz"));
        let log = folder.path().join("logs/dept/mail.log");
        let written = fs::metadata(&log).unwrap().modified().unwrap();
        let truth = read_json(&fixture("soka-postfix/truth.json"));
        let account = truth["incidents"][0]["accounts"][0].as_str().unwrap().to_owned();
        let mut text = fs::read(&log).unwrap();
        fs::remove_file(&log).unwrap();
        for (from, to) in [
            ("helo=<User>", format!("helo=<{HOSTILE}>")),
            ("Message blocked by outbound filter", format!("Message blocked {HOSTILE} by outbound filter")),
            (&*account, format!("{}{account}", HOSTILE.replace(['<', '>', ',', '\'', '\u{7f}'], ""))),
        ] {
            text = replace(&text, from.as_bytes(), to.as_bytes());
        }
        let log = folder.path().join("mail\u{1b}[31m\u{202e}<b>|.log");
        fs::write(&log, text).unwrap();
        File::options().append(true).open(&log).unwrap().set_modified(written).unwrap();
        // A file that is warned of, with a hostile name as well.
        let broken = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default()).finish().unwrap();
        fs::write(folder.path().join("cut\u{1b}[5m\u{202e}<i>.gz"), &broken[..broken.len() - 6]).unwrap();
        Trap { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

fn face(evidence: &Path, format: &str) -> Run {
    let mut command = command();
    command.args(["analyze", "--tz", ZONE, "--color", "never", "--format", format]).arg(evidence);
    ended(command.output().unwrap())
}

/// Characters that act on a terminal, or that change the order in which text is read.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn assert_harmless(text: &str, of: &str) {
    let found: Vec<&str> = text.lines().filter(|line| line.chars().any(acts)).take(3).collect();
    assert!(found.is_empty(), "{of}: {found:?}");
}

#[test]
fn the_incident_is_found_whatever_is_written_into_the_log() {
    let trap = Trap::new();
    let truth = read_json(&fixture("soka-postfix/truth.json"));
    let report = analyze(&[trap.path()], &[]);
    let incident = report.only_incident();
    for unit in ["messages", "recipients"] {
        for figure in ["total", "delivered", "blocked"] {
            assert_eq!(incident[unit][figure], truth["incidents"][0][unit][figure], "{unit} {figure}");
        }
    }
}

#[test]
fn no_face_lets_text_of_a_log_act() {
    let trap = Trap::new();
    for format in ["text", "markdown", "github", "html"] {
        let run = face(&trap.path(), format);
        assert!(run.text().contains("784"), "{format} tells no incident");
        assert_harmless(run.text(), format);
        assert_harmless(&run.stderr, "standard error");
        // It is shown, only without effect: evidence that is hidden would be as bad.
        assert!(run.text().contains("script"), "{format} hides what was logged");
    }
}

#[test]
fn nothing_of_a_log_is_markup_in_a_page() {
    let trap = Trap::new();
    for format in ["html", "markdown", "github"] {
        let page = face(&trap.path(), format);
        // Between two backticks Markdown knows no markup.
        let text: String = if format == "html" { page.text().to_owned() } else { page.text().split('`').step_by(2).collect() };
        for tag in ["<script", "<img", "<b>", "<i>", "onerror=alert(1)>"] {
            assert!(!text.contains(tag), "{tag} in the {format} face");
        }
    }
}

#[test]
fn a_bar_in_a_log_does_not_break_a_table() {
    let trap = Trap::new();
    for format in ["markdown", "github"] {
        let page = face(&trap.path(), format);
        let mut columns = None;
        for line in page.text().lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
            assert_eq!(*columns.get_or_insert(bars), bars, "{format}: {line}");
        }
    }
}

#[test]
fn the_report_for_machines_holds_hostile_text_letter_by_letter_and_is_still_json() {
    let trap = Trap::new();
    let report = analyze(&[trap.path()], &[]);
    let raw: Vec<u8> = report.bytes.iter().copied().filter(|byte| *byte < b' ' && *byte != b'\n').collect();
    assert!(raw.is_empty(), "control characters stand raw in the JSON: {raw:?}");
    assert!(report.json["incidents"].to_string().contains("<script>alert(1)</script>"));
}
