//! The report as the summary of a GitHub Actions step: Markdown that starts at the third level and always fits.
//!
//! GitHub drops a summary of more than 1 MiB whole, so this face stays below 900 KiB by leaving out whole sections, visibly.

use super::markdown;
use crate::report::document::{Document, Section, said};
use crate::report::story::Extent;
use crate::report::words::counted;
use crate::report::{Face, View, inventory, story};
use crate::say::words;

pub(in crate::report) const FINDINGS: Face = Face {
    id: "github",
    view: View::Findings,
    title: "summary of a GitHub Actions step",
    file_name: None,
    render: |report, _| page(&story::compose(report, Extent::Full), BUDGET_BYTES),
};

pub(in crate::report) const INVENTORY: Face = Face {
    id: "github",
    view: View::Inventory,
    title: "summary of a GitHub Actions step",
    file_name: None,
    render: |report, _| page(&inventory::compose(report), BUDGET_BYTES),
};

/// Bytes of a page at most.
const BUDGET_BYTES: usize = 900 * 1024;
/// Kept free for the footer with its list of what was cut.
const RESERVE_BYTES: usize = 4 * 1024;
/// Tables of more rows are folded away.
const OPEN_ROWS_MAX: usize = 10;
/// Sections named in the list of what was cut.
const CUT_NAMED_MAX: usize = 10;

fn page(document: &Document, budget_bytes: usize) -> String {
    let mut out = format!("### {}\n\n**{}**\n\n", markdown::inline(&document.title), document.tlp.markdown());
    let mut cut: Vec<&Section> = Vec::new();
    for section in &document.sections {
        let text = markdown::section(document.lang, section, 4, OPEN_ROWS_MAX);
        if out.len() + text.len() + RESERVE_BYTES <= budget_bytes {
            out.push_str(&text);
        } else {
            cut.push(section);
        }
    }
    if !cut.is_empty() {
        let rows: usize = cut.iter().map(|section| section.rows()).sum();
        let lang = document.lang;
        let sections = counted!(lang, cut.len() as u64, "{n} section", "{n} sections");
        let left_out = said!(lang, " {sections} with {n} rows left out; the JSON report has them all.", sections, n = rows as u64);
        out.push_str(&format!("**{}**{}\n\n", words!(lang, "Cut to fit:"), markdown::inline(&left_out)));
        for section in cut.iter().take(CUT_NAMED_MAX) {
            let title: String = markdown::inline(&section.title);
            if title.len() <= RESERVE_BYTES / (2 * CUT_NAMED_MAX) {
                out.push_str(&format!("- {title}\n"));
            }
        }
        out.push('\n');
    }
    out.push_str(&format!("**{}**\n", document.tlp.markdown()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_page_never_outgrows_its_budget_and_says_what_was_cut() {
        let mut report = samples::taken_over();
        let one = report.incidents[0].origins[0].clone();
        report.incidents[0].origins = vec![one; 20_000];
        let page = (FINDINGS.render)(&report, &samples::PLAIN);
        assert!(page.len() <= BUDGET_BYTES, "{}", page.len());
        assert!(page.starts_with("### "));
        assert!(page.contains("**Cut to fit:** 1 section with 20,000 rows left out"), "{page}");
        assert!(page.contains("- Origins\n"));
        assert!(page.contains("#### Limitations"), "what comes after the cut is still there");
    }

    #[test]
    fn long_tables_are_folded_away() {
        let mut report = samples::taken_over();
        let one = report.incidents[0].origins[0].clone();
        report.incidents[0].origins = vec![one; 11];
        let page = (FINDINGS.render)(&report, &samples::PLAIN);
        assert!(page.contains("<details><summary>Addresses the accounts were used or tried from (11 rows)</summary>\n\n| Origin"));
    }
}
