//! What is here, before any question is asked of it: each source with its format, span, ledger of lines, and what decided its year and
//! zone; then coverage and limitations.

use super::document::{Block, Column, Document, Fact, Line, Row, Section, Table, Tone, log, range, said, text};
use super::words::{counted, term};
use super::{story, words};
use crate::analysis::model::{Evidence, Report};
use crate::say::{Lang, words};

/// Composes the page of what the evidence is.
pub(crate) fn compose(report: &Report) -> Document {
    let mut sections = vec![headline(report)];
    if !report.evidence.is_empty() {
        sections.push(overview(report));
    }
    sections.push(story::coverage(report));
    sections.extend(story::limitations(report));
    sections.extend(report.evidence.iter().map(|e| source(report.lang, e)));
    let title = story::title(words!(report.lang, "Evidence inventory"), report);
    Document { lang: report.lang, tlp: story::tlp(report), title, sections }
}

fn headline(report: &Report) -> Section {
    let lang = report.lang;
    let sources = counted!(lang, report.evidence.len() as u64, "{n} source", "{n} sources");
    let files = counted!(lang, report.files.len() as u64, "{n} file", "{n} files");
    let title = said!(lang, "{sources} in {files}", sources, files);
    let mut blocks: Vec<Block> = story::pseudonymized(report).into_iter().collect();
    if report.complete {
        return Section::first(title, Tone::Plain, blocks);
    }
    blocks.push(Block::Prose(story::incomplete(report)));
    Section::first(title, Tone::Warning, blocks)
}

fn overview(report: &Report) -> Section {
    let lang = report.lang;
    let rows = report.evidence.iter().map(|e| {
        Row::of([
            text(e.id.as_str()),
            log(e.path.as_str()),
            e.format.as_deref().map_or_else(|| said!(lang, "not recognised"), text),
            e.host.as_deref().map_or_else(|| text("-"), log),
            text(words::count(e.lines.total)),
            text(words::count(e.lines.used)),
            text(words::count(e.lines.malformed)),
        ])
    });
    let table = Table {
        caption: words!(lang, "Sources with their lines"),
        columns: vec![
            Column::words(words!(lang, "Source")),
            Column::words(words!(lang, "Path")),
            Column::words(words!(lang, "Format")),
            Column::words(words!(lang, "Host")),
            Column::number(words!(lang, "Lines")),
            Column::number(words!(lang, "Used")),
            Column::number(words!(lang, "Malformed")),
        ],
        rows: rows.collect(),
    };
    Section::first(said!(lang, "Sources"), Tone::Plain, vec![Block::Table(table)])
}

/// One source: what the overview has no room for.
fn source(lang: Lang, e: &Evidence) -> Section {
    let fact = |label, value| Fact { label, value };
    let size = counted!(lang, e.size, "{n} byte", "{n} bytes");
    let size = if e.complete { text(size) } else { said!(lang, "{size}; could not be read whole", size) };
    let speaks = match (e.first, e.last) {
        (Some(first), Some(last)) => range(lang, first, last),
        _ => said!(lang, "no usable time"),
    };
    let mut facts = vec![
        fact(words!(lang, "Speaks from"), speaks),
        fact(words!(lang, "Size"), size),
        fact(words!(lang, "SHA-256"), e.sha256.as_deref().map_or_else(|| said!(lang, "unknown"), log)),
        fact(words!(lang, "Format"), e.format.as_deref().map_or_else(|| said!(lang, "not recognised"), text)),
        fact(words!(lang, "Year from"), e.year_from.as_deref().map_or_else(|| said!(lang, "not decided"), |from| term(lang, from))),
        fact(words!(lang, "Zone"), zone(lang, e)),
        fact(words!(lang, "Lines"), ledger(lang, e)),
    ];
    if e.hosts.len() > 1 {
        facts.push(fact(words!(lang, "Hosts"), Line::default().logs(lang, &e.hosts, 20)));
    }
    let mut blocks = vec![Block::Facts(facts)];
    let malformed = e.lines.malformed_samples.iter().map(|sample| said!(lang, "Malformed line {sample}", sample = log(sample.as_str())));
    let remarks: Vec<Line> = e.notes.iter().map(|n| text(n.as_str())).chain(malformed).collect();
    if !remarks.is_empty() {
        blocks.push(Block::List(remarks));
    }
    let tone = if e.complete { Tone::Plain } else { Tone::Warning };
    Section::first(text(e.id.as_str()).text(" ").log(e.path.as_str()), tone, blocks)
}

fn zone(lang: Lang, e: &Evidence) -> Line {
    match (&e.zone, &e.zone_from) {
        (Some(zone), Some(from)) => said!(lang, "{zone}, from {from}", zone, from = term(lang, from)),
        (None, Some(from)) => term(lang, from),
        (Some(zone), None) => text(zone.as_str()),
        (None, None) => said!(lang, "not decided"),
    }
}

/// `9 = 7 used + 2 ignored (2 connect) + 0 malformed`.
fn ledger(lang: Lang, e: &Evidence) -> Line {
    let lines = &e.lines;
    let because: Vec<String> = lines.ignored_because.iter().map(|(why, n)| format!("{} {}", words::count(*n), lang.term(why))).collect();
    let because = if because.is_empty() { String::new() } else { format!(" ({})", because.join(lang.comma())) };
    said!(
        lang,
        "{total} = {used} used + {ignored} ignored{because} + {malformed} malformed",
        total = lines.total,
        used = lines.used,
        ignored = lines.ignored,
        because,
        malformed = lines.malformed
    )
}
