//! The report as one HTML page that needs nothing beside itself: no script, no remote asset, and a policy that forbids both.

use super::markdown::put;
use crate::report::document::{Block, Depth, Document, Line, Row, Section, Span, Table, Tone};
use crate::report::story::Extent;
use crate::report::{Face, View, inventory, story};
use sha2::{Digest, Sha256};

pub(in crate::report) const FINDINGS: Face = Face {
    id: "html",
    view: View::Findings,
    title: "one page for a browser or a printer",
    file_name: Some("report.html"),
    render: |report, _| page(&story::compose(report, Extent::Full)),
};

pub(in crate::report) const INVENTORY: Face = Face {
    id: "html",
    view: View::Inventory,
    title: "one page for a browser or a printer",
    file_name: None,
    render: |report, _| page(&inventory::compose(report)),
};

const CSS: &str = include_str!("html.css");

/// Pixels of a bar that stands for the whole.
const BAR_WIDTH: f64 = 160.0;

fn page(document: &Document) -> String {
    let lang = document.lang.as_str();
    let mut out = format!("<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n");
    let css = format!("{CSS}{}", margins(document));
    // Only this very style sheet is let in, by its hash: a style that came with log text would not apply.
    put(
        &mut out,
        format_args!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n",
            base64(&Sha256::digest(css.as_bytes()))
        ),
    );
    out.push_str(
        "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    put(&mut out, format_args!("<title>{} {}</title>\n", document.tlp.html(), plain(&document.title)));
    put(&mut out, format_args!("<style>{css}</style>\n</head>\n<body>\n"));
    let mark = tlp(document);
    put(&mut out, format_args!("<header>\n{mark}<h1>{}</h1>\n</header>\n<main>\n", inline(&document.title)));
    document.sections.iter().for_each(|part| section(part, &mut out));
    put(&mut out, format_args!("</main>\n<footer>\n{mark}</footer>\n</body>\n</html>\n"));
    out
}

/// The mark in the margins of every printed page, for browsers that print such margins.
fn margins(document: &Document) -> String {
    let shown = document.tlp.terminal().to_string();
    let mark: String = shown.chars().filter(|c| c.is_ascii_alphabetic() || matches!(c, ':' | '+')).collect();
    let boxed = format!(
        "content: \"{mark}\"; background: #000; color: {}; font: 700 12pt sans-serif; width: 56mm; height: 8mm; margin: auto 0 auto auto; text-align: center",
        mark_color(&mark)
    );
    format!("@page {{ margin: 20mm 15mm; @top-right {{ {boxed} }} @bottom-right {{ {boxed} }} }}\n")
}

/// The colours that the Traffic Light Protocol gives its marks, on black.
fn mark_color(mark: &str) -> &'static str {
    const COLORS: [(&str, &str); 3] = [("RED", "#ff2b2b"), ("AMBER", "#ffc000"), ("GREEN", "#33ff00")];
    COLORS.iter().find(|(name, _)| mark.contains(name)).map_or("#ffffff", |(_, color)| color)
}

fn tlp(document: &Document) -> String {
    let shown = document.tlp.html().to_string();
    let class = ["red", "amber", "green"].into_iter().find(|c| shown.to_ascii_lowercase().contains(c)).unwrap_or("clear");
    format!("<p class=\"tlp\"><span class=\"{class}\">{shown}</span></p>\n")
}

fn section(section: &Section, out: &mut String) {
    let heading = if section.depth == Depth::First { "h2" } else { "h3" };
    put(out, format_args!("<section>\n<{heading} class=\"{}\">{}</{heading}>\n", tone(section.tone), inline(&section.title)));
    for block in &section.blocks {
        match block {
            Block::Prose(line) => put(out, format_args!("<p>{}</p>\n", inline(line))),
            Block::List(items) => {
                out.push_str("<ul>\n");
                items.iter().for_each(|item| put(out, format_args!("<li>{}</li>\n", inline(item))));
                out.push_str("</ul>\n");
            }
            Block::Facts(facts) => {
                out.push_str("<dl>\n");
                facts.iter().for_each(|fact| put(out, format_args!("<dt>{}</dt><dd>{}</dd>\n", fact.label, inline(&fact.value))));
                out.push_str("</dl>\n");
            }
            Block::Table(table) => put_table(table, out),
        }
    }
    out.push_str("</section>\n");
}

fn put_table(table: &Table, out: &mut String) {
    let bars = table.rows.iter().any(|row| row.share.is_some());
    // A table that may scroll must be reachable by keyboard.
    put(
        out,
        format_args!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\">\n<table>\n<caption>{0}</caption>\n<thead><tr>",
            table.caption
        ),
    );
    for column in &table.columns {
        put(out, format_args!("<th scope=\"col\"{}>{}</th>", if column.numeric { " class=\"n\"" } else { "" }, column.title));
    }
    out.push_str(if bars { "<td aria-hidden=\"true\"></td></tr></thead>\n<tbody>\n" } else { "</tr></thead>\n<tbody>\n" });
    table.rows.iter().for_each(|row| put_row(row, table, bars, out));
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn put_row(row: &Row, table: &Table, bars: bool, out: &mut String) {
    out.push_str(if row.total { "<tr class=\"total\">" } else { "<tr>" });
    for (i, (cell, column)) in row.cells.iter().zip(&table.columns).enumerate() {
        let class = if column.numeric { " class=\"n\"" } else { "" };
        match (i, column.numeric) {
            (0, false) => put(out, format_args!("<th scope=\"row\">{}</th>", inline(cell))),
            _ => put(out, format_args!("<td{class}>{}</td>", inline(cell))),
        }
    }
    if bars {
        out.push_str("<td aria-hidden=\"true\">");
        if let Some((share, tone)) = row.share {
            put_bar(share, tone, out);
        }
        out.push_str("</td>");
    }
    out.push_str("</tr>\n");
}

/// A bar; what is there at all gets at least two pixels.
fn put_bar(share: f64, of: Tone, out: &mut String) {
    let width = if share > 0.0 { (share.min(1.0) * BAR_WIDTH).max(2.0) } else { 0.0 };
    let class = tone(of);
    put(
        out,
        format_args!(
            "<svg width=\"{BAR_WIDTH:.0}\" height=\"10\"><rect class=\"{class}\" width=\"{width:.1}\" height=\"10\" rx=\"1\"/></svg>"
        ),
    );
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

fn inline(line: &Line) -> String {
    let mut out = String::new();
    for span in &line.spans {
        match span {
            Span::Text(text) => put(&mut out, format_args!("{}", text.html())),
            Span::Time(at) => put(&mut out, format_args!("<time datetime=\"{at}\">{}</time>", at.prose())),
            Span::Strong(text) => put(&mut out, format_args!("<strong>{}</strong>", text.html())),
            Span::Log(text) if text.is_empty() => {}
            Span::Log(text) => put(&mut out, format_args!("<code>{}</code>", text.html_log())),
            Span::Pointer(text) => put(&mut out, format_args!("<span class=\"at\">{}</span>", text.html())),
        }
    }
    out
}

/// A line without any element, for the title of the window.
fn plain(line: &Line) -> String {
    let shown = |span: &Span| match span {
        Span::Text(text) | Span::Strong(text) | Span::Log(text) | Span::Pointer(text) => text.html().to_string(),
        Span::Time(at) => at.prose(),
    };
    line.spans.iter().map(shown).collect()
}

/// Base64 with padding, the form a policy wants its hashes in.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = word >> (18 - 6 * i) & 63;
            out.push(if i <= group.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_as_a_policy_wants_them() {
        assert_eq!(base64(b"abc"), "YWJj");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b"a"), "YQ==");
    }

    #[test]
    fn a_small_share_is_still_seen() {
        let mut out = String::new();
        put_bar(0.000_1, Tone::Bad, &mut out);
        assert!(out.contains("width=\"2.0\""));
    }
}
