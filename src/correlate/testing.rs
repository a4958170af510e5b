//! What the tests of correlation share: the lines of an incident in, what became of each message out.

use super::{Correlator, Located};
use crate::config::{Config, Overrides, Settings};
use crate::domain::outcome::MessageOutcome;
use crate::domain::place::SourceId;
use crate::domain::rows::Rows;
use crate::domain::time::Zone;
use crate::formats::batch::Batch;
use crate::formats::clock::Clock;
use crate::formats::{self, Chunk};

/// The rows that lines of `Oct 31 2022` make, each given as `16:01:02 host tag: body` (or as a whole line).
pub(super) fn rows(lines: &str) -> Rows {
    let text: String = lines.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| format!("Oct 31 {l}\n")).collect();
    rows_of_files(&[&text])
}

/// The rows that whole files make, in the order given.
pub(super) fn rows_of_files(files: &[&str]) -> Rows {
    rows_by_domain(Some("u.example"), files)
}

/// The same, with names completed by this domain or by none.
pub(super) fn rows_by_domain(default_domain: Option<&str>, files: &[&str]) -> Rows {
    let config = Config { default_domain: default_domain.map(str::to_owned), ..Config::default() };
    let settings = Settings::from_parts(config, Overrides::default()).unwrap();
    let mut correlator = Correlator::default();
    for (number, text) in files.iter().enumerate() {
        take(&mut correlator, SourceId(number as u32), text, number + 1 < files.len());
    }
    correlator.finish(&settings)
}

fn take(correlator: &mut Correlator, source: SourceId, text: &str, again: bool) {
    let format = formats::ALL.iter().max_by_key(|f| (f.sniff)(text.as_bytes())).unwrap();
    let (scratch, mut batch, mut clock) = (bumpalo::Bump::new(), Batch::default(), Clock::new(Zone::UTC, 2022));
    (format.parse)(
        Chunk {
            bytes: text.as_bytes(),
            before: b"",
            heading: b"",
            scratch: &scratch,
            names: &crate::formats::host_names::NO_HOST_NAMES,
            fingerprints: false,
            unended: false,
        },
        &mut clock,
        &mut batch,
    );
    correlator.take(&[Located { source, first_line: 1, batch: &batch, duplicates: &[], again }]);
}

/// One line a message: `account: outcome [address=outcome …]`, in the order of submission; addresses in the order of the alphabet.
pub(super) fn fates(lines: &str) -> Vec<String> {
    shown(&rows(lines))
}

/// The same of rows.
pub(super) fn shown(rows: &Rows) -> Vec<String> {
    let show = |message: &crate::domain::rows::Message| {
        let mut ends: Vec<String> =
            rows.recipients_of(message).iter().map(|r| format!("{}={}", rows.show(r.address), r.outcome.as_str())).collect();
        ends.sort();
        let outcome = match message.outcome {
            MessageOutcome::Whole(outcome) => outcome.as_str(),
            MessageOutcome::PartlyDelivered => "partly_delivered",
        };
        format!("{}: {outcome} [{}]", message.account.map_or("-".to_owned(), |a| rows.show(a)), ends.join(" "))
    };
    rows.messages.iter().map(show).collect()
}
