//! The report as Markdown: CommonMark with the tables of GitHub.

use crate::report::document::{Block, Depth, Document, Line, Section, Span, Table, said, text};
use crate::report::story::Extent;
use crate::report::{Face, View, inventory, story};
use crate::say::Lang;
use std::fmt::Write;

pub(in crate::report) const FINDINGS: Face = Face {
    id: "markdown",
    view: View::Findings,
    title: "Markdown with tables",
    file_name: Some("report.md"),
    render: |report, _| page(&story::compose(report, Extent::Full)),
};

pub(in crate::report) const INVENTORY: Face = Face {
    id: "markdown",
    view: View::Inventory,
    title: "Markdown with tables",
    file_name: None,
    render: |report, _| page(&inventory::compose(report)),
};

fn page(document: &Document) -> String {
    let mut out = format!("**{}**\n\n# {}\n\n", document.tlp.markdown(), inline(&document.title));
    for part in &document.sections {
        out.push_str(&section(document.lang, part, 2, usize::MAX));
    }
    out.push_str(&format!("**{}**\n", document.tlp.markdown()));
    out
}

/// One section under a heading of `level` (one more for the second depth). Tables of more rows than `open_rows_max` are folded away.
pub(super) fn section(lang: Lang, section: &Section, level: usize, open_rows_max: usize) -> String {
    let level = if section.depth == Depth::First { level } else { level + 1 };
    let mut out = format!("{} {}\n\n", "#".repeat(level), inline(&section.title));
    for block in &section.blocks {
        match block {
            Block::Prose(line) => out.push_str(&inline(line)),
            Block::List(items) => items.iter().for_each(|item| put(&mut out, format_args!("- {}\n", inline(item)))),
            Block::Facts(facts) => {
                facts.iter().for_each(|fact| put(&mut out, format_args!("- **{}:** {}\n", fact.label, inline(&fact.value))));
            }
            Block::Table(table) if table.rows.len() > open_rows_max => {
                let summary = said!(lang, "{caption} ({n} rows)", caption = table.caption, n = text(table.rows.len().to_string()));
                put(&mut out, format_args!("<details><summary>{}</summary>\n\n", inline(&summary)));
                put_table(table, &mut out);
                out.push_str("\n</details>\n");
            }
            Block::Table(table) => put_table(table, &mut out),
        }
        out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
    }
    out
}

fn put_table(table: &Table, out: &mut String) {
    let titles: Vec<&str> = table.columns.iter().map(|c| c.title).collect();
    let rules: Vec<&str> = table.columns.iter().map(|c| if c.numeric { "---:" } else { "---" }).collect();
    put(out, format_args!("| {} |\n| {} |\n", titles.join(" | "), rules.join(" | ")));
    for row in &table.rows {
        let cell = |line: &Line| if row.total { format!("**{}**", inline(line)) } else { inline(line) };
        let cells: Vec<String> = row.cells.iter().map(cell).collect();
        put(out, format_args!("| {} |\n", cells.join(" | ")));
    }
}

pub(super) fn inline(line: &Line) -> String {
    let mut out = String::new();
    for span in &line.spans {
        match span {
            Span::Text(text) | Span::Pointer(text) => put(&mut out, format_args!("{}", text.markdown())),
            Span::Time(at) => out.push_str(&at.prose()),
            Span::Strong(text) => put(&mut out, format_args!("**{}**", text.markdown())),
            Span::Log(text) => put(&mut out, format_args!("{}", text.markdown_code())),
        }
    }
    out
}

/// Writing into a string cannot fail.
pub(super) fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).unwrap_or_default();
}
