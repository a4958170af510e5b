//! What tables and exports do not say: headings lost, pages left over, searches that stopped at a round number, results lost.

use super::Facts;
use super::limits::list;
use crate::formats::batch::Ignored;
use crate::formats::remark::Remark;
use crate::ingest::sources::SourceSummary;

/// Numbers of records at which searches and downloads of Microsoft 365 stop: pages of the message trace (1,000 and 5,000), downloads of
/// sign-ins (100,000 and 250,000), searches of the audit log (5,000 and 50,000), and what tools and portals ask for at most.
const CAPS: [u64; 7] = [1_000, 5_000, 10_000, 30_000, 50_000, 100_000, 250_000];

/// The sentence for each remark; `{n}` stands for how many records it was made about.
const SENTENCES: [(Remark, &str); 9] = [
    (Remark::NextPage, "a page names a following one, which may not have been collected: there may be more records"),
    (Remark::QueryError, "the search failed for {n} record(s): what they would have said is missing"),
    (Remark::OutcomeLost, "an export tool lost the result of {n} sign-in(s): whether they succeeded is unknown"),
    (Remark::Degraded, "values of {n} record(s) were cut or printed as text by a tool; parts of them are unreadable"),
    (Remark::DoubtfulTime, "{n} time(s) lost their date or hour, or could be read with day and month either way"),
    (Remark::UnknownZone, "{n} time(s) stand in the zone chosen when the export was made, which the file does not tell"),
    (
        Remark::Throttled,
        "access to a mailbox was no longer recorded for up to 24 hours ({n} record(s) say so): what was read then is unknown",
    ),
    (Remark::RolledUp, "{n} row(s) may stand for several sign-ins each, so logins are at least as many as counted"),
    (Remark::NoHeading, "the heading of a table is lost; its columns were told by what they hold, which may be wrong for some"),
];

/// Every limitation that exports bring with them.
pub(super) fn export_limits(facts: Facts<'_>) -> Vec<String> {
    let told = SENTENCES.iter().filter_map(|(remark, sentence)| {
        let of: Vec<&SourceSummary> = facts.sources.iter().filter(|s| s.remarks.count(*remark) > 0).collect();
        let count: u64 = of.iter().map(|s| s.remarks.count(*remark)).sum();
        let paths: Vec<&str> = of.iter().map(|s| s.path.as_str()).collect();
        (count > 0).then(|| format!("Tables and exports: {} ({}).", sentence.replace("{n}", &count.to_string()), list(&paths)))
    });
    told.chain(capped(facts)).collect()
}

fn capped(facts: Facts<'_>) -> Option<String> {
    let of: Vec<String> = facts
        .sources
        .iter()
        .filter(|s| s.format.is_some_and(|(_, system)| system == "m365") && CAPS.contains(&records(s)))
        .map(|s| format!("{} with {}", s.path, records(s)))
        .collect();
    let paths: Vec<&str> = of.iter().map(String::as_str).collect();
    (!of.is_empty()).then(|| {
        format!("Tables and exports: a number of records at which searches stop; there may be more than were exported ({}).", list(&paths))
    })
}

/// Records of a source, without headings and blank lines.
fn records(source: &SourceSummary) -> u64 {
    let ledger = &source.ledger;
    ledger.total - ledger.ignored[Ignored::Framing as usize] - ledger.ignored[Ignored::Empty as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_remark_has_its_sentence() {
        assert!(Remark::ALL.iter().all(|remark| SENTENCES.iter().filter(|(of, _)| of == remark).count() == 1));
    }
}
