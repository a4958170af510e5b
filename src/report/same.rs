//! What else came by the programs and out of the networks that the attackers came by: lists beside the accounts they tried, which judge
//! nobody.

use super::document::{Block, Column, Line, Row, Section, Table, log, said, text, time};
use super::words;
use crate::analysis::model::{Incident, SameClient, SameUse};
use crate::say::{Lang, words};

/// Addresses of the attackers named for each program.
const ATTACKERS_MAX: usize = 3;

/// Other use by a program of the attackers'.
pub(super) fn clients(lang: Lang, incident: &Incident) -> Option<Section> {
    let title = words!(lang, "Other use by the attackers' programs");
    let Some(same) = &incident.same_client else {
        let unknown = said!(lang, "Not determinable from this evidence: no login of the attackers says what program it came by.");
        return Some(Section::second(title, vec![Block::Prose(unknown)]));
    };
    let rows: Vec<Row> = same.iter().flat_map(|client| client_rows(lang, client)).collect();
    let columns = [Column::words(words!(lang, "Program, in its own words")), Column::words(words!(lang, "Attackers with it"))];
    let warning =
        said!(lang, "Honest people may use the same program, and a program may lie about its name: this is no verdict on anybody.");
    section(title, words!(lang, "Logins from other addresses by programs that the attackers came by"), warning, columns.into(), rows, lang)
}

fn client_rows(lang: Lang, same: &SameClient) -> impl Iterator<Item = Row> {
    let kind = if same.kind == "helo" { said!(lang, "greeting") } else { said!(lang, "user agent") };
    let program = said!(lang, "{client} ({kind})", client = log(same.client.as_str()), kind);
    let shown = same.attackers.len().min(ATTACKERS_MAX);
    let attackers = listed(lang, same.attackers.get(..shown).unwrap_or_default(), same.attacker_origins);
    let others = same.accounts.iter().map(move |used| (used, account(lang, used)));
    let own = same.own_accounts.iter().map(move |used| (used, said!(lang, "{account} (of this incident)", account = account(lang, used))));
    others.chain(own).map(move |(used, account)| row(lang, vec![program.clone(), attackers.clone()], account, used))
}

/// Other use out of an autonomous system of the attackers'.
pub(super) fn systems(lang: Lang, incident: &Incident) -> Option<Section> {
    let same = incident.same_asn.iter().flatten();
    let rows =
        same.flat_map(|same| same.accounts.iter().map(|used| row(lang, vec![text(format!("AS{}", same.asn))], account(lang, used), used)));
    let warning = said!(lang, "A provider has many customers, and most of them are honest: this is no verdict on anybody.");
    section(
        words!(lang, "Other use out of the attackers' networks"),
        words!(lang, "Logins from other addresses in autonomous systems that the attackers came from"),
        warning,
        vec![Column::words(words!(lang, "Network"))],
        rows.collect(),
        lang,
    )
}

fn account(lang: Lang, used: &SameUse) -> Line {
    used.account.as_deref().map_or_else(|| said!(lang, "users that the log does not name"), log)
}

fn row(lang: Lang, mut cells: Vec<Line>, account: Line, used: &SameUse) -> Row {
    let steps = if used.interrupted == 0 { Line::default() } else { text(words::count(used.interrupted)) };
    cells.extend([
        account,
        text(words::count(used.successes)),
        text(words::count(used.failures)),
        steps,
        if used.password_known { said!(lang, "yes") } else { said!(lang, "no") },
        listed(lang, &used.origins, used.origin_count),
        time(Some(used.first)).pointers(&used.evidence),
        time(Some(used.last)),
    ]);
    Row { cells, total: false, share: None }
}

/// Addresses, of which the report names the first.
fn listed(lang: Lang, addresses: &[String], all: u64) -> Line {
    let named = Line::default().logs(lang, addresses, usize::MAX);
    match all.saturating_sub(addresses.len() as u64) {
        0 => named,
        rest => named.line(said!(lang, " and {n} more", n = rest)),
    }
}

fn section(
    title: &'static str,
    caption: &'static str,
    warning: Line,
    mut columns: Vec<Column>,
    rows: Vec<Row>,
    lang: Lang,
) -> Option<Section> {
    columns.extend([
        Column::words(words!(lang, "Account")),
        Column::number(words!(lang, "Logins")),
        Column::number(words!(lang, "Failures")),
        Column::number(words!(lang, "Unfinished")),
        Column::words(words!(lang, "Password known")),
        Column::words(words!(lang, "From")),
        Column::words(words!(lang, "First")),
        Column::words(words!(lang, "Last")),
    ]);
    let table = Table { caption, columns, rows };
    (!table.rows.is_empty()).then(|| Section::second(title, vec![Block::Prose(warning), Block::Table(table.without_blank_columns())]))
}
