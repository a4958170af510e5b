//! What the tests of the parsers share: a line in its envelope, a whole text parsed at once.

use super::batch::Batch;
use super::clock::Clock;
use super::event::{Event, Kind};
use super::{Chunk, Format, syslog};
use crate::domain::time::Zone;

/// A syslog line of host `mx1` with a tag (with or without process id) and a body.
pub(super) fn tag(tag: &str, body: &str) -> String {
    format!("Oct 31 16:01:02 mx1 {tag}: {body}")
}

/// Parses a text as one chunk, with a clock in UTC and 2022.
pub(super) fn parse_whole<'a>(format: &Format, bytes: &'a [u8], scratch: &'a bumpalo::Bump) -> Batch<'a> {
    let mut batch = Batch::default();
    let mut clock = Clock::new(Zone::UTC, 2022);
    (format.parse)(
        Chunk {
            bytes,
            before: b"",
            heading: b"",
            scratch,
            names: &crate::formats::host_names::NO_HOST_NAMES,
            fingerprints: true,
            unended: false,
        },
        &mut clock,
        &mut batch,
    );
    assert!(batch.ledger.adds_up());
    batch
}

/// All events of a batch in the order of their lines.
pub(super) fn events<'a>(batch: Batch<'a>) -> Vec<Event<'a>> {
    let mut events: Vec<Event<'a>> = batch.shards.into_iter().flatten().collect();
    events.sort_by_key(|event| (event.line, !matches!(event.kind, Kind::Queue { .. })));
    events
}

/// The kinds of event of a syslog text.
pub(super) fn kinds(text: &str) -> Vec<Kind<'_>> {
    kinds_of(&syslog::FORMAT, text)
}

/// The kinds of event of a text in the given format. The scratch memory lives as long as the test.
pub(super) fn kinds_of<'a>(format: &Format, text: &'a str) -> Vec<Kind<'a>> {
    let scratch: &'static bumpalo::Bump = Box::leak(Box::default());
    events(parse_whole(format, text.as_bytes(), scratch)).into_iter().map(|event| event.kind).collect()
}
