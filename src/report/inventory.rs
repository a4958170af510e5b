//! What is here, before any question is asked of it: each source with its format, span, ledger of lines, and what decided its year and
//! zone; then coverage and limitations.

use super::document::{Block, Column, Document, Fact, Line, Row, Section, Table, Tone, log, text};
use super::{story, words};
use crate::analysis::model::{Evidence, Report};

/// Composes the page of what the evidence is.
pub(crate) fn compose(report: &Report) -> Document {
    let mut sections = vec![headline(report)];
    if !report.evidence.is_empty() {
        sections.push(overview(report));
    }
    sections.push(story::coverage(report));
    sections.extend(story::limitations(report));
    sections.extend(report.evidence.iter().map(source));
    Document { tlp: story::tlp(report), title: story::title("Evidence inventory", report), sections }
}

fn headline(report: &Report) -> Section {
    let sources = words::counted(report.evidence.len() as u64, "source", "sources");
    let files = words::counted(report.files.len() as u64, "file", "files");
    let title = text(format!("{sources} in {files}"));
    if report.complete {
        return Section::first(title, Tone::Plain, Vec::new());
    }
    Section::first(title, Tone::Warning, vec![Block::Prose(story::incomplete(report))])
}

fn overview(report: &Report) -> Section {
    let rows = report.evidence.iter().map(|e| {
        Row::of([
            text(e.id.as_str()),
            log(e.path.as_str()),
            text(e.format.as_deref().unwrap_or("not recognised")),
            e.host.as_deref().map_or_else(|| text("-"), log),
            text(words::count(e.lines.total)),
            text(words::count(e.lines.used)),
            text(words::count(e.lines.malformed)),
        ])
    });
    let table = Table {
        caption: "Sources with their lines",
        columns: vec![
            Column::words("Source"),
            Column::words("Path"),
            Column::words("Format"),
            Column::words("Host"),
            Column::number("Lines"),
            Column::number("Used"),
            Column::number("Malformed"),
        ],
        rows: rows.collect(),
    };
    Section::first(text("Sources"), Tone::Plain, vec![Block::Table(table)])
}

/// One source: what the overview has no room for.
fn source(e: &Evidence) -> Section {
    let fact = |label, value| Fact { label, value };
    let size = words::counted(e.size, "byte", "bytes");
    let speaks = match (e.first, e.last) {
        (Some(first), Some(last)) => Line::default().range(first, last),
        _ => text("no usable time"),
    };
    let mut facts = vec![
        fact("Speaks from", speaks),
        fact("Size", text(if e.complete { size } else { format!("{size}; could not be read whole") })),
        fact("SHA-256", e.sha256.as_deref().map_or_else(|| text("unknown"), log)),
        fact("Format", text(e.format.as_deref().unwrap_or("not recognised"))),
        fact("Year from", e.year_from.as_deref().map_or_else(|| text("not decided"), text)),
        fact("Zone", zone(e)),
        fact("Lines", ledger(e)),
    ];
    if e.hosts.len() > 1 {
        facts.push(fact("Hosts", Line::default().logs(&e.hosts, 20)));
    }
    let mut blocks = vec![Block::Facts(facts)];
    let malformed = e.lines.malformed_samples.iter().map(|sample| text("Malformed line ").log(sample.as_str()));
    let remarks: Vec<Line> = e.notes.iter().map(|n| text(n.as_str())).chain(malformed).collect();
    if !remarks.is_empty() {
        blocks.push(Block::List(remarks));
    }
    let tone = if e.complete { Tone::Plain } else { Tone::Warning };
    Section::first(text(e.id.as_str()).text(" ").log(e.path.as_str()), tone, blocks)
}

fn zone(e: &Evidence) -> Line {
    match (&e.zone, &e.zone_from) {
        (Some(zone), Some(from)) => text(format!("{zone}, from {from}")),
        (None, Some(from)) => text(from.as_str()),
        (Some(zone), None) => text(zone.as_str()),
        (None, None) => text("not decided"),
    }
}

/// `9 = 7 used + 2 ignored (2 connect) + 0 malformed`.
fn ledger(e: &Evidence) -> Line {
    let lines = &e.lines;
    let because: Vec<String> = lines.ignored_because.iter().map(|(why, n)| format!("{} {why}", words::count(*n))).collect();
    let because = if because.is_empty() { String::new() } else { format!(" ({})", because.join(", ")) };
    text(format!(
        "{} = {} used + {} ignored{because} + {} malformed",
        words::count(lines.total),
        words::count(lines.used),
        words::count(lines.ignored),
        words::count(lines.malformed)
    ))
}
