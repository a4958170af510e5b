//! Every face of three reports, as pictures to be read; and what must hold for all of them.

use super::escape::is_hidden;
use super::samples::{PLAIN, hostile, quiet, taken_over};
use super::{ALL, Style, View, find};
use crate::analysis::model::{Report, SCHEMA};
use crate::say::Lang;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

fn view(view: View) -> &'static str {
    match view {
        View::Findings => "findings",
        View::Inventory => "inventory",
    }
}

fn snapshot(name: &str, report: &Report) {
    for face in ALL {
        let page = (face.render)(report, &PLAIN);
        insta::assert_snapshot!(format!("{name}_{}_{}", view(face.view), face.id), page);
    }
}

#[test]
fn every_face_of_one_account_taken_over() {
    snapshot("taken_over", &taken_over());
}

#[test]
fn every_face_of_a_quiet_week() {
    snapshot("quiet", &quiet());
}

#[test]
fn every_face_of_hostile_text() {
    snapshot("hostile", &hostile());
}

/// The faces alone: what the samples say in free text stays English.
#[test]
fn every_face_in_japanese() {
    snapshot("ja_taken_over", &Report { lang: Lang::Ja, ..taken_over() });
    snapshot("ja_quiet", &Report { lang: Lang::Ja, ..quiet() });
}

#[test]
fn facts_in_japanese_stand_in_one_column() {
    let report = Report { lang: Lang::Ja, ..taken_over() };
    let page = (find(View::Findings, "text").unwrap().render)(&report, &PLAIN);
    let column = |label: &str| {
        let row = page.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        let after = row.split_once(label).unwrap().1;
        row.width() - after.trim_start().width()
    };
    assert_eq!(column("最初の不正ログイン"), column("最後の送信"), "{page}");
    let wide = (find(View::Findings, "text").unwrap().render)(&report, &Style { color: false, width: 160 });
    assert!(wide.lines().all(|line| line.width() <= 160), "{wide}");
}

#[test]
fn a_face_is_found_by_its_view_and_id_and_no_two_share_them() {
    let ids: BTreeSet<_> = ALL.iter().map(|face| (view(face.view), face.id)).collect();
    assert_eq!(ids.len(), ALL.len());
    let names: Vec<_> = ALL.iter().filter_map(|face| face.file_name).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    for face in ALL {
        assert!(find(face.view, face.id).is_some_and(|found| std::ptr::eq(found, face) || found.id == face.id));
    }
    assert!(find(View::Findings, "csv").is_none());
    let of = |wanted: View| ALL.iter().filter(move |face| face.view == wanted).map(|face| face.id);
    assert!(of(View::Findings).eq(of(View::Inventory)), "both commands take the same --format");
}

/// Markdown without its backslashes and the characters they protect.
fn without_escapes(page: &str) -> String {
    let mut chars = page.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[test]
fn nothing_hidden_and_no_tag_of_the_attacker_reaches_any_page() {
    let report = hostile();
    for face in ALL {
        let page = (face.render)(&report, &PLAIN);
        assert!(!page.chars().any(|c| c != '\n' && is_hidden(c)), "{} {}", view(face.view), face.id);
        if face.id == "html" {
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("javascript:alert(1))\""));
        }
        if matches!(face.id, "markdown" | "github") {
            let bare = without_escapes(&page);
            let outside_code = bare.split('`').step_by(2).collect::<String>();
            assert!(!outside_code.contains("<script") && !outside_code.contains("<img"), "{outside_code}");
            assert!(!outside_code.contains("](") && !outside_code.contains("://"), "{outside_code}");
            assert!(!page.lines().any(|line| line.starts_with("# new heading")));
        }
    }
}

#[test]
fn the_json_face_gives_back_the_report_letter_by_letter() {
    let report = hostile();
    let face = find(View::Findings, "json").unwrap();
    let page = (face.render)(&report, &PLAIN);
    assert!(page.ends_with("}\n"));
    let back: Report = serde_json::from_str(&page).unwrap();
    assert_eq!(back.schema, SCHEMA);
    assert_eq!(back.incidents[0].accounts, report.incidents[0].accounts);
    assert_eq!((face.render)(&back, &PLAIN), page);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let face = find(View::Findings, "text").unwrap();
    let plain = (face.render)(&taken_over(), &PLAIN);
    let mut bare = (face.render)(&taken_over(), &Style { color: true, ..PLAIN });
    assert_ne!(bare, plain);
    for code in ["0", "1", "2", "1;31", "1;32", "1;33"] {
        bare = bare.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn a_wide_enough_terminal_shows_no_line_that_runs_over() {
    for width in [80, 100, 160] {
        for report in [taken_over(), quiet()] {
            let page = (find(View::Findings, "text").unwrap().render)(&report, &Style { color: false, width });
            if width >= 160 {
                assert!(page.lines().all(|line| line.width() <= width), "{page}");
            }
            assert!(page.lines().next().is_some_and(|line| line.ends_with("TLP:AMBER+STRICT")));
        }
    }
}

#[test]
fn none_is_said_with_the_coverage_behind_it() {
    let page = (find(View::Findings, "text").unwrap().render)(&quiet(), &Style { color: false, width: 400 });
    assert!(page.contains("No account in the evidence shows signs of a takeover. The evidence covers postfix on mx1 from 2022-10-01 00:00:12 +09:00 to 2022-11-02 09:10:03 +09:00, no gaps."), "{page}");
}

#[test]
fn two_accounts_of_one_incident_are_told_apart_and_what_is_unknown_is_not_zero() {
    let mut report = taken_over();
    let incident = &mut report.incidents[0];
    let mut other = incident.per_account["tanaka@u.example"].clone();
    (other.first_login, other.last_owner_login_before) = (None, None);
    incident.accounts.push("suzuki@u.example".to_owned());
    incident.per_account.insert("suzuki@u.example".to_owned(), other);
    (incident.first_login, incident.returned_notices.count, incident.prior_failed_logins.account.count) = (None, None, None);
    (incident.messages, incident.recipients) = (Some(Default::default()), Some(Default::default()));
    let page = (find(View::Findings, "text").unwrap().render)(&report, &Style { color: false, width: 400 });
    assert!(page.contains("2 accounts taken over: tanaka@u.example, suzuki@u.example"), "{page}");
    assert!(page.contains("suzuki@u.example  -                           -            2022-10-31 16:03:11 +09:00"), "{page}");
    assert!(page.contains("First unauthorised login         not seen in the evidence"));
    assert!(page.contains("Returned notices                 not determinable from this evidence"));
    assert!(page.contains("Earlier failed logins, anyone    not determinable from this evidence; Postfix before 3.9"));
    assert!(page.contains("No message is attributed to the attacker."));
}
