//! What the report says, in the order in which an analyst asks: what happened, how sure that is, what the evidence covers, what it
//! cannot say. Figures are taken from the model as they are.

use super::document::{Block, Column, Document, Line, Row, Section, Table, Tone, log, text, time};
use super::{incident, words};
use crate::analysis::model::{Account, Coverage, Evidence, Incident, Report, Verdict};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How much of the evidence a page lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The sources that the page points to.
    Cited,
    /// Every source with its hash.
    Full,
}

/// Accounts listed where there is no incident.
const ACCOUNTS_MAX: usize = 10;

/// Composes the page of a finished analysis.
pub(crate) fn compose(report: &Report, extent: Extent) -> Document {
    let mut sections = vec![headline(report)];
    for incident in &report.incidents {
        sections.extend(incident::sections(incident, report));
    }
    if report.incidents.is_empty() {
        sections.extend(accounts(report));
    }
    sections.push(coverage(report));
    sections.extend(limitations(report));
    sections.extend(merges(report));
    sections.extend(match extent {
        Extent::Cited => cited(report),
        Extent::Full => evidence(report),
    });
    Document { tlp: tlp(report), title: title("Mail log analysis", report), sections }
}

pub(crate) fn tlp(report: &Report) -> super::escape::Untrusted {
    format!("TLP:{}", report.tlp).into()
}

pub(crate) fn title(what: &str, report: &Report) -> Line {
    text(format!("{what}, {} {}, times in {}", report.tool.name, report.tool.version, report.timezone))
}

fn headline(report: &Report) -> Section {
    let confirmed = report.incidents.iter().filter(|i| i.verdict == Verdict::Confirmed).count() as u64;
    let suspected = report.incidents.len() as u64 - confirmed;
    let (said, tone) = match (confirmed, suspected) {
        (0, 0) => ("No incident found".to_owned(), Tone::Good),
        (0, s) => (words::counted(s, "suspected incident", "suspected incidents"), Tone::Warning),
        (c, 0) => (words::counted(c, "confirmed incident", "confirmed incidents"), Tone::Bad),
        (c, s) => {
            (format!("{} and {} suspected", words::counted(c, "confirmed incident", "confirmed incidents"), words::count(s)), Tone::Bad)
        }
    };
    let mut blocks = Vec::new();
    if report.incidents.is_empty() {
        blocks.push(Block::Prose(behind(text("No account in the evidence shows signs of a takeover. "), report)));
    }
    if !report.complete {
        blocks.push(Block::Prose(incomplete(report)));
    }
    if !report.hints.is_empty() {
        blocks.push(Block::Prose(Line::default().strong("Told by the analyst, and overriding the judgement:")));
        blocks.push(Block::List(report.hints.iter().map(|hint| text(hint.as_str())).collect()));
    }
    Section::first(text(said), tone, blocks)
}

/// Ends a sentence that says "none" with the coverage it stands on.
pub(crate) fn behind(line: Line, report: &Report) -> Line {
    const SHOWN_MAX: usize = 4;
    if report.coverage.is_empty() {
        return line.strong("The evidence covers no time at all, so this says nothing.");
    }
    let mut line = line.text("The evidence covers ");
    for (i, covered) in report.coverage.iter().take(SHOWN_MAX).enumerate() {
        let before = if i > 0 { "; " } else { "" };
        line = line.text(format!("{before}{} on ", covered.system)).log(covered.host.as_str());
        line = line.text(" from ").range(covered.from, covered.to).text(format!(", {}", words::gaps(&covered.gaps)));
    }
    match report.coverage.len().saturating_sub(SHOWN_MAX) {
        0 => line.text("."),
        rest => line.text(format!("; and {} more, see Coverage.", words::count(rest as u64))),
    }
}

/// Says which evidence could not be read whole.
pub(crate) fn incomplete(report: &Report) -> Line {
    const SHOWN_MAX: usize = 5;
    let broken: Vec<&Evidence> = report.evidence.iter().filter(|e| !e.complete).collect();
    let mut line = Line::default().strong("The evidence is incomplete");
    if broken.is_empty() {
        return line.text(": see Limitations. Figures and \"none\" hold only for what could be read.");
    }
    line = line.text(": could not be read whole: ");
    for (i, source) in broken.iter().take(SHOWN_MAX).enumerate() {
        line = line.text(if i > 0 { ", " } else { "" }).log(source.path.as_str());
    }
    if broken.len() > SHOWN_MAX {
        line = line.text(format!(" and {} more", words::count((broken.len() - SHOWN_MAX) as u64)));
    }
    line.text(". Figures and \"none\" hold only for what could be read.")
}

fn accounts(report: &Report) -> Option<Section> {
    let mut busiest: Vec<&Account> = report.accounts.iter().collect();
    let sent = |account: &Account| account.messages.as_ref().map(|m| m.total);
    busiest.sort_by(|a, b| (Reverse(sent(a)), &a.account).cmp(&(Reverse(sent(b)), &b.account)));
    busiest.truncate(ACCOUNTS_MAX);
    if busiest.is_empty() {
        return None;
    }
    let rows = busiest.iter().map(|account| {
        Row::of([
            log(account.account.as_str()),
            incident::known(sent(account)),
            incident::known(account.recipients.as_ref().map(|r| r.total)),
            text(words::count(account.logins)),
            text(words::count(account.failures)),
            text(words::count(account.origins)),
            time(account.first),
            time(account.last),
        ])
    });
    let table = Table {
        caption: "Accounts that sent most",
        columns: vec![
            Column::words("Account"),
            Column::number("Messages"),
            Column::number("Recipients"),
            Column::number("Logins"),
            Column::number("Failures"),
            Column::number("Origins"),
            Column::words("First seen"),
            Column::words("Last seen"),
        ],
        rows: rows.collect(),
    };
    let note = (report.accounts.len() > ACCOUNTS_MAX)
        .then(|| Block::Prose(text(format!("The {ACCOUNTS_MAX} busiest of {} accounts.", words::count(report.accounts.len() as u64)))));
    Some(Section::first(text("Accounts"), Tone::Plain, note.into_iter().chain([Block::Table(table)]).collect()))
}

/// From when to when each log speaks, with its holes.
pub(crate) fn coverage(report: &Report) -> Section {
    if report.coverage.is_empty() {
        let none = Block::Prose(text("None of the evidence has a usable time."));
        return Section::first(text("Coverage"), Tone::Warning, vec![none]);
    }
    let row = |covered: &Coverage| {
        let range = Line::default().range(covered.from, covered.to);
        Row::of([text(covered.system.as_str()), log(covered.host.as_str()), range, text(words::gaps(&covered.gaps))])
    };
    let table = Table {
        caption: "Coverage of the evidence by system and host",
        columns: vec![Column::words("System"), Column::words("Host"), Column::words("Speaks from … to"), Column::words("Gaps")],
        rows: report.coverage.iter().map(row).collect(),
    };
    let gaps: Vec<Line> = report
        .coverage
        .iter()
        .flat_map(|covered| covered.gaps.iter().map(move |gap| (covered, gap)))
        .map(|(covered, gap)| {
            let whose = text(format!("Gap in {} on ", covered.system)).log(covered.host.as_str());
            whose.text(": ").range(gap.from, gap.to).text(format!(", {}", gap.why))
        })
        .collect();
    let mut blocks = vec![Block::Table(table)];
    for database in &report.geoip {
        let line = text("Countries and networks by ")
            .log(database.path.as_str())
            .text(format!(" ({}), built ", database.kind))
            .time(database.built);
        blocks.push(Block::Prose(line));
    }
    if !gaps.is_empty() {
        blocks.push(Block::List(gaps));
    }
    Section::first(text("Coverage"), Tone::Plain, blocks)
}

/// What the evidence cannot say.
pub(crate) fn limitations(report: &Report) -> Option<Section> {
    let items: Vec<Line> = report.limitations.iter().map(|l| text(l.as_str())).collect();
    (!items.is_empty()).then(|| Section::first(text("Limitations"), Tone::Warning, vec![Block::List(items)]))
}

fn merges(report: &Report) -> Option<Section> {
    let rows = report.merges.iter().map(|m| Row::of([log(m.spelling.as_str()), log(m.account.as_str()), text(m.why.as_str())]));
    let table = Table {
        caption: "Spellings counted as one account",
        columns: vec![Column::words("Spelling"), Column::words("Account"), Column::words("Why")],
        rows: rows.collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(text("Spellings joined"), Tone::Plain, vec![Block::Table(table)]))
}

fn cited(report: &Report) -> Option<Section> {
    let ids: BTreeSet<&str> = report.incidents.iter().flat_map(pointers).filter_map(|p| p.split(':').next()).collect();
    let rows = report.evidence.iter().filter(|e| ids.contains(e.id.as_str()));
    let table = Table {
        caption: "Sources pointed to above",
        columns: vec![Column::words("Source"), Column::words("Path")],
        rows: rows.map(|e| Row::of([text(e.id.as_str()), log(e.path.as_str())])).collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(text("Evidence pointed to"), Tone::Plain, vec![Block::Table(table)]))
}

/// Every pointer into the evidence that an incident's page shows.
fn pointers(incident: &Incident) -> impl Iterator<Item = &String> {
    let logins = incident.first_login.iter().chain(incident.per_account.values().filter_map(|a| a.first_login.as_ref()));
    let changes = incident.account_changes.iter().flat_map(|c| &c.evidence);
    let reasons = incident.reasons.iter().flat_map(|r| &r.evidence);
    logins.flat_map(|l| &l.evidence).chain(changes).chain(reasons).chain(incident.basis.iter().flat_map(|b| &b.evidence))
}

fn evidence(report: &Report) -> Option<Section> {
    let row = |e: &Evidence| {
        Row::of([
            text(e.id.as_str()),
            log(e.path.as_str()),
            e.format.as_deref().map_or_else(|| text("not recognised"), text),
            text(words::count(e.lines.total)),
            e.sha256.as_deref().map_or_else(|| text("unknown"), log),
        ])
    };
    let table = Table {
        caption: "Sources with their hashes",
        columns: vec![
            Column::words("Source"),
            Column::words("Path"),
            Column::words("Format"),
            Column::number("Lines"),
            Column::words("SHA-256"),
        ],
        rows: report.evidence.iter().map(row).collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(text("Evidence"), Tone::Plain, vec![Block::Table(table)]))
}
