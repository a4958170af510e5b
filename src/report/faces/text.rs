//! The report for a terminal: what the analyst reads first.

use super::layout::{Look, columns, wrap};
use crate::report::document::{Block, Depth, Document, Fact, Line, Section, Tone};
use crate::report::story::Extent;
use crate::report::{Face, Style, View, inventory, story};
use unicode_width::UnicodeWidthStr;

pub(in crate::report) const FINDINGS: Face = Face {
    id: "text",
    view: View::Findings,
    title: "summary for the terminal",
    file_name: None,
    render: |report, style| page(&story::compose(report, Extent::Cited), *style),
};

pub(in crate::report) const INVENTORY: Face = Face {
    id: "text",
    view: View::Inventory,
    title: "inventory for the terminal",
    file_name: None,
    render: |report, style| page(&inventory::compose(report), *style),
};

/// Below this a page is not made narrower; the terminal wraps it.
const WIDTH_MIN: usize = 60;

fn page(document: &Document, style: Style) -> String {
    let style = Style { width: style.width.max(WIDTH_MIN), ..style };
    let tlp = document.tlp.terminal().to_string();
    let mark = format!("{}{tlp}\n", " ".repeat(style.width.saturating_sub(tlp.width())));
    let mut out = mark.clone();
    put(&document.title, Look::Dim, 0, style, &mut out);
    for section in &document.sections {
        out.push('\n');
        put_section(section, style, &mut out);
    }
    out.push('\n');
    out.push_str(&mark);
    out
}

fn put_section(section: &Section, style: Style, out: &mut String) {
    let (indent, look) = match (section.depth, section.tone) {
        (Depth::First, Tone::Plain) => (0, Look::Strong),
        (Depth::First, tone) => (0, Look::Toned(tone)),
        (Depth::Second, _) => (2, Look::Strong),
    };
    put(&section.title, look, indent, style, out);
    for block in &section.blocks {
        match block {
            Block::Prose(line) => put(line, Look::Plain, indent + 2, style, out),
            Block::List(items) => items.iter().for_each(|item| put_hanging("- ", item, indent + 2, style, out)),
            Block::Facts(facts) => put_facts(facts, indent + 2, style, out),
            Block::Table(table) => out.push_str(&columns(table, indent + 2, style.width, style.color)),
        }
    }
}

fn put_facts(facts: &[Fact], indent: usize, style: Style, out: &mut String) {
    let wide = facts.iter().map(|fact| fact.label.width()).max().unwrap_or(0);
    for fact in facts {
        let pad = " ".repeat(wide - fact.label.width());
        put_hanging(&format!("{}{pad}  ", fact.label), &fact.value, indent, style, out);
    }
}

fn put(line: &Line, look: Look, indent: usize, style: Style, out: &mut String) {
    for strip in wrap(line, style.width - indent) {
        out.push_str(&" ".repeat(indent));
        let strip = if look == Look::Plain { strip } else { strip.look(look) };
        strip.paint(style.color, out);
        out.push('\n');
    }
}

/// Puts a line behind a label, its further rows under its first.
fn put_hanging(label: &str, line: &Line, indent: usize, style: Style, out: &mut String) {
    let hang = indent + label.width();
    for (i, strip) in wrap(line, style.width.saturating_sub(hang).max(20)).iter().enumerate() {
        if i == 0 {
            out.push_str(&" ".repeat(indent));
            out.push_str(label);
        } else {
            out.push_str(&" ".repeat(hang));
        }
        strip.paint(style.color, out);
        out.push('\n');
    }
}
