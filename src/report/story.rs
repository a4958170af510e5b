//! What the report says, in the order in which an analyst asks: what happened, how sure that is, what the evidence covers, what it
//! cannot say. Figures are taken from the model as they are.

use super::document::{Block, Column, Document, Line, Row, Section, Table, Tone, log, range, said, text, time};
use super::words::counted;
use super::{incident, words};
use crate::analysis::model::{Account, Coverage, Evidence, Incident, Report, Verdict};
use crate::say::words;
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
    Document { lang: report.lang, tlp: tlp(report), title: title(words!(report.lang, "Mail log analysis"), report), sections }
}

pub(crate) fn tlp(report: &Report) -> super::escape::Untrusted {
    format!("TLP:{}", report.tlp).into()
}

pub(crate) fn title(what: &str, report: &Report) -> Line {
    let tool = format!("{} {}", report.tool.name, report.tool.version);
    said!(report.lang, "{what}, {tool}, times in {zone}", what, tool, zone = &report.timezone)
}

fn headline(report: &Report) -> Section {
    let lang = report.lang;
    let confirmed = report.incidents.iter().filter(|i| i.verdict == Verdict::Confirmed).count() as u64;
    let suspected = report.incidents.len() as u64 - confirmed;
    let sure = || counted!(lang, confirmed, "{n} confirmed incident", "{n} confirmed incidents");
    let (title, tone) = match (confirmed, suspected) {
        (0, 0) => (said!(lang, "No incident found"), Tone::Good),
        (0, s) => (text(counted!(lang, s, "{n} suspected incident", "{n} suspected incidents")), Tone::Warning),
        (_, 0) => (text(sure()), Tone::Bad),
        (_, s) => (said!(lang, "{confirmed} and {n} suspected", confirmed = sure(), n = s), Tone::Bad),
    };
    let mut blocks: Vec<Block> = pseudonymized(report).into_iter().collect();
    if report.incidents.is_empty() {
        blocks.push(Block::Prose(behind(said!(lang, "No account in the evidence shows signs of a takeover. "), report)));
    }
    if !report.complete {
        blocks.push(Block::Prose(incomplete(report)));
    }
    if !report.hints.is_empty() {
        blocks.push(Block::Prose(Line::default().strong(words!(lang, "Told by the analyst, and overriding the judgement:"))));
        blocks.push(Block::List(report.hints.iter().map(|hint| text(hint.as_str())).collect()));
    }
    Section::first(title, tone, blocks)
}

/// Says that names and addresses are not the true ones.
pub(crate) fn pseudonymized(report: &Report) -> Option<Block> {
    let lang = report.lang;
    let key = report.pseudonymized.as_ref()?.key.as_str();
    let line = Line::default().strong(words!(lang, "Names and addresses are pseudonyms"));
    Some(Block::Prose(line.line(said!(lang, " (key {key}): an IP address or AS number here is not that of whoever uses it.", key))))
}

/// Ends a sentence that says "none" with the coverage it stands on.
pub(crate) fn behind(line: Line, report: &Report) -> Line {
    const SHOWN_MAX: usize = 4;
    let lang = report.lang;
    if report.coverage.is_empty() {
        return line.strong(words!(lang, "The evidence covers no time at all, so this says nothing."));
    }
    let mut list = Line::default();
    for (i, covered) in report.coverage.iter().take(SHOWN_MAX).enumerate() {
        list = list.text(if i > 0 { lang.semicolon() } else { "" }).line(said!(
            lang,
            "{system} on {host} from {range}, {gaps}",
            system = &covered.system,
            host = log(covered.host.as_str()),
            range = range(lang, covered.from, covered.to),
            gaps = words::gaps(lang, &covered.gaps)
        ));
    }
    line.line(match report.coverage.len().saturating_sub(SHOWN_MAX) {
        0 => said!(lang, "The evidence covers {list}.", list),
        rest => said!(lang, "The evidence covers {list}; and {n} more, see Coverage.", list, n = rest as u64),
    })
}

/// Says which evidence could not be read whole.
pub(crate) fn incomplete(report: &Report) -> Line {
    const SHOWN_MAX: usize = 5;
    let lang = report.lang;
    let broken: Vec<String> = report.evidence.iter().filter(|e| !e.complete).map(|e| e.path.clone()).collect();
    let line = Line::default().strong(words!(lang, "The evidence is incomplete"));
    if broken.is_empty() {
        return line.line(said!(lang, ": see Limitations. Figures and \"none\" hold only for what could be read."));
    }
    let list = Line::default().logs(lang, &broken, SHOWN_MAX);
    line.line(said!(lang, ": could not be read whole: {list}. Figures and \"none\" hold only for what could be read.", list))
}

fn accounts(report: &Report) -> Option<Section> {
    let lang = report.lang;
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
            incident::known(lang, sent(account)),
            incident::known(lang, account.recipients.as_ref().map(|r| r.total)),
            text(words::count(account.logins)),
            text(words::count(account.failures)),
            text(words::count(account.origins)),
            time(account.first),
            time(account.last),
        ])
    });
    let table = Table {
        caption: words!(lang, "Accounts that sent most"),
        columns: vec![
            Column::words(words!(lang, "Account")),
            Column::number(words!(lang, "Messages")),
            Column::number(words!(lang, "Recipients")),
            Column::number(words!(lang, "Logins")),
            Column::number(words!(lang, "Failures")),
            Column::number(words!(lang, "Origins")),
            Column::words(words!(lang, "First seen")),
            Column::words(words!(lang, "Last seen")),
        ],
        rows: rows.collect(),
    };
    let note = (report.accounts.len() > ACCOUNTS_MAX).then(|| {
        Block::Prose(said!(lang, "The {shown} busiest of {n} accounts.", shown = ACCOUNTS_MAX as u64, n = report.accounts.len() as u64))
    });
    Some(Section::first(said!(lang, "Accounts"), Tone::Plain, note.into_iter().chain([Block::Table(table)]).collect()))
}

/// From when to when each log speaks, with its holes.
pub(crate) fn coverage(report: &Report) -> Section {
    let lang = report.lang;
    if report.coverage.is_empty() {
        let none = Block::Prose(said!(lang, "None of the evidence has a usable time."));
        return Section::first(said!(lang, "Coverage"), Tone::Warning, vec![none]);
    }
    let row = |covered: &Coverage| {
        let range = range(lang, covered.from, covered.to);
        Row::of([text(covered.system.as_str()), log(covered.host.as_str()), range, text(words::gaps(lang, &covered.gaps))])
    };
    let table = Table {
        caption: words!(lang, "Coverage of the evidence by system and host"),
        columns: vec![
            Column::words(words!(lang, "System")),
            Column::words(words!(lang, "Host")),
            Column::words(words!(lang, "Speaks from … to")),
            Column::words(words!(lang, "Gaps")),
        ],
        rows: report.coverage.iter().map(row).collect(),
    };
    let gaps: Vec<Line> = report
        .coverage
        .iter()
        .flat_map(|covered| covered.gaps.iter().map(move |gap| (covered, gap)))
        .map(|(covered, gap)| {
            said!(
                lang,
                "Gap in {system} on {host}: {range}, {why}",
                system = &covered.system,
                host = log(covered.host.as_str()),
                range = range(lang, gap.from, gap.to),
                why = &gap.why
            )
        })
        .collect();
    let mut blocks = vec![Block::Table(table)];
    for database in &report.geoip {
        let line = said!(
            lang,
            "Countries and networks by {path} ({kind}), built {time}",
            path = log(database.path.as_str()),
            kind = &database.kind,
            time = database.built
        );
        blocks.push(Block::Prose(line));
    }
    if !gaps.is_empty() {
        blocks.push(Block::List(gaps));
    }
    Section::first(said!(lang, "Coverage"), Tone::Plain, blocks)
}

/// What the evidence cannot say.
pub(crate) fn limitations(report: &Report) -> Option<Section> {
    let lang = report.lang;
    let items: Vec<Line> = report.limitations.iter().map(|l| text(l.as_str())).collect();
    (!items.is_empty()).then(|| Section::first(said!(lang, "Limitations"), Tone::Warning, vec![Block::List(items)]))
}

fn merges(report: &Report) -> Option<Section> {
    let lang = report.lang;
    let rows = report.merges.iter().map(|m| Row::of([log(m.spelling.as_str()), log(m.account.as_str()), text(m.why.as_str())]));
    let table = Table {
        caption: words!(lang, "Spellings counted as one account"),
        columns: vec![Column::words(words!(lang, "Spelling")), Column::words(words!(lang, "Account")), Column::words(words!(lang, "Why"))],
        rows: rows.collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(said!(lang, "Spellings joined"), Tone::Plain, vec![Block::Table(table)]))
}

fn cited(report: &Report) -> Option<Section> {
    let lang = report.lang;
    let ids: BTreeSet<&str> = report.incidents.iter().flat_map(pointers).filter_map(|p| p.split(':').next()).collect();
    let rows = report.evidence.iter().filter(|e| ids.contains(e.id.as_str()));
    let table = Table {
        caption: words!(lang, "Sources pointed to above"),
        columns: vec![Column::words(words!(lang, "Source")), Column::words(words!(lang, "Path"))],
        rows: rows.map(|e| Row::of([text(e.id.as_str()), log(e.path.as_str())])).collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(said!(lang, "Evidence pointed to"), Tone::Plain, vec![Block::Table(table)]))
}

/// Every pointer into the evidence that an incident's page shows.
fn pointers(incident: &Incident) -> impl Iterator<Item = &String> {
    let logins = incident.first_login.iter().chain(incident.per_account.values().filter_map(|a| a.first_login.as_ref()));
    let changes = incident.account_changes.iter().flat_map(|c| &c.evidence);
    let reasons = incident.reasons.iter().flat_map(|r| &r.evidence);
    let programs = incident.same_client.iter().flatten().flat_map(|same| same.accounts.iter().chain(&same.own_accounts));
    let same = programs.chain(incident.same_asn.iter().flatten().flat_map(|same| &same.accounts)).flat_map(|used| &used.evidence);
    logins.flat_map(|l| &l.evidence).chain(same).chain(changes).chain(reasons).chain(incident.basis.iter().flat_map(|b| &b.evidence))
}

fn evidence(report: &Report) -> Option<Section> {
    let lang = report.lang;
    let row = |e: &Evidence| {
        Row::of([
            text(e.id.as_str()),
            log(e.path.as_str()),
            e.format.as_deref().map_or_else(|| said!(lang, "not recognised"), text),
            text(words::count(e.lines.total)),
            e.sha256.as_deref().map_or_else(|| said!(lang, "unknown"), log),
        ])
    };
    let table = Table {
        caption: words!(lang, "Sources with their hashes"),
        columns: vec![
            Column::words(words!(lang, "Source")),
            Column::words(words!(lang, "Path")),
            Column::words(words!(lang, "Format")),
            Column::number(words!(lang, "Lines")),
            Column::words(words!(lang, "SHA-256")),
        ],
        rows: report.evidence.iter().map(row).collect(),
    };
    (!table.rows.is_empty()).then(|| Section::first(said!(lang, "Evidence"), Tone::Plain, vec![Block::Table(table)]))
}
