//! What tables and exports do not say: headings lost, pages left over, searches that stopped at a round number, results lost.

use super::Facts;
use super::limits::{list, shortened};
use crate::formats::batch::Ignored;
use crate::formats::remark::Remark;
use crate::ingest::sources::SourceSummary;
use crate::say::{Part, Phrase, say};

/// Numbers of records at which searches and downloads of Microsoft 365 stop: pages of the message trace (1,000 and 5,000), downloads of
/// sign-ins (100,000 and 250,000), searches of the audit log (5,000 and 50,000), and what tools and portals ask for at most.
const CAPS: [u64; 7] = [1_000, 5_000, 10_000, 30_000, 50_000, 100_000, 250_000];

/// What a remark means that was made about some records.
fn meaning(remark: Remark, n: u64) -> Phrase {
    match remark {
        Remark::NextPage => say!("a page names a following one, which may not have been collected: there may be more records"),
        Remark::QueryError => say!("the search failed for {n} record(s): what they would have said is missing", n),
        Remark::OutcomeLost => say!("an export tool lost the result of {n} sign-in(s): whether they succeeded is unknown", n),
        Remark::Degraded => say!("values of {n} record(s) were cut or printed as text by a tool; parts of them are unreadable", n),
        Remark::DoubtfulTime => say!("{n} time(s) lost their date or hour, or could be read with day and month either way", n),
        Remark::UnknownZone => say!("{n} time(s) stand in the zone chosen when the export was made, which the file does not tell", n),
        Remark::Throttled => {
            say!("access to a mailbox was no longer recorded for up to 24 hours ({n} record(s) say so): what was read then is unknown", n)
        }
        Remark::RolledUp => say!("{n} row(s) may stand for several sign-ins each, so logins are at least as many as counted", n),
        Remark::NoHeading => {
            say!("the heading of a table is lost; its columns were told by what they hold, which may be wrong for some")
        }
    }
}

/// Every limitation that exports bring with them.
pub(super) fn export_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let told = Remark::ALL.into_iter().filter_map(|remark| {
        let of: Vec<&SourceSummary> = facts.sources.iter().filter(|s| s.remarks.count(remark) > 0).collect();
        let count: u64 = of.iter().map(|s| s.remarks.count(remark)).sum();
        let paths: Vec<&str> = of.iter().map(|s| s.path.as_str()).collect();
        (count > 0).then(|| say!("Tables and exports: {meaning} ({list}).", meaning = meaning(remark, count), list = list(&paths)))
    });
    told.chain(capped(facts)).collect()
}

fn capped(facts: Facts<'_>) -> Option<Phrase> {
    let of = facts.sources.iter().filter(|s| s.format.is_some_and(|(_, system)| system == "m365") && CAPS.contains(&records(s)));
    let of: Vec<Part> = of.map(|s| say!("{path} with {n}", path = &s.path, n = records(s)).into()).collect();
    (!of.is_empty()).then(|| {
        say!(
            "Tables and exports: a number of records at which searches stop; there may be more than were exported ({list}).",
            list = shortened(of)
        )
    })
}

/// Records of a source, without headings and blank lines.
fn records(source: &SourceSummary) -> u64 {
    let ledger = &source.ledger;
    ledger.total - ledger.ignored[Ignored::Framing as usize] - ledger.ignored[Ignored::Empty as usize]
}
