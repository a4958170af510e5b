//! The five tables as Parquet: what other engines read, and what a later run can start from.
//!
//! This is the only place that knows polars. Times are microseconds since 1970 in UTC; absent knowledge is null. Each table has one
//! schema, built column by column in its own function, so that names and types stand in one place.

use crate::domain::place::Place;
use crate::domain::rows::{Message, Recipient, Rows};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::ingest::sources::SourceSummary;
use polars::prelude::{
    Column, DataFrame, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, PolarsError, PolarsResult, Series, TimeUnit, TimeZone,
};
use std::fs::File;
use std::path::Path;

/// A table that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{table}.parquet cannot be written: {cause}; check the space left and the permissions of the folder")]
    Write { table: &'static str, cause: PolarsError },
    #[error("{table}.parquet cannot be created: {cause}; check the permissions of the folder")]
    Create { table: &'static str, cause: std::io::Error },
}

/// Makes one table.
type MakeFrame = fn(&Rows, &[SourceSummary]) -> PolarsResult<DataFrame>;

/// Names of the tables, each `<name>.parquet`.
pub const TABLES: [&str; 5] = ["logins", "messages", "recipients", "actions", "sources"];

/// Writes all tables into `folder`, which must exist.
///
/// # Errors
/// Fails at the first table that cannot be written.
pub fn write(rows: &Rows, sources: &[SourceSummary], folder: &Path) -> Result<(), TableError> {
    let frames: [MakeFrame; 5] = [logins, messages, recipients, actions, sources_frame];
    for (table, frame) in TABLES.into_iter().zip(frames) {
        let mut frame = frame(rows, sources).map_err(|cause| TableError::Write { table, cause })?;
        let file = File::create_new(folder.join(format!("{table}.parquet"))).map_err(|cause| TableError::Create { table, cause })?;
        ParquetWriter::new(file)
            .with_compression(ParquetCompression::Snappy)
            .finish(&mut frame)
            .map_err(|cause| TableError::Write { table, cause })?;
    }
    Ok(())
}

/// Builds the columns of one table.
struct Frame<'r> {
    rows: &'r Rows,
    height: usize,
    columns: Vec<Column>,
}

impl<'r> Frame<'r> {
    fn new(rows: &'r Rows, height: usize) -> Frame<'r> {
        Frame { rows, height, columns: Vec::new() }
    }

    fn times(&mut self, name: &str, values: impl Iterator<Item = Option<Timestamp>>) {
        let micros: Vec<Option<i64>> = values.map(|t| t.map(|t| t.0)).collect();
        // A cast would lose the zone: polars knows zones only with a feature that brings a second database of them.
        let series = Series::new(name.into(), micros).into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        self.columns.push(series.into_column());
    }

    fn texts(&mut self, name: &str, values: impl Iterator<Item = Option<Text>>) {
        let rows = self.rows;
        let shown: Vec<Option<std::borrow::Cow<'_, str>>> = values.map(|t| t.map(|t| rows.texts.show(t))).collect();
        let borrowed: Vec<Option<&str>> = shown.iter().map(|t| t.as_deref()).collect();
        self.columns.push(Series::new(name.into(), borrowed).into_column());
    }

    fn words<S: AsRef<str>>(&mut self, name: &str, values: impl Iterator<Item = Option<S>>) {
        let owned: Vec<Option<S>> = values.collect();
        let borrowed: Vec<Option<&str>> = owned.iter().map(|w| w.as_ref().map(AsRef::as_ref)).collect();
        self.columns.push(Series::new(name.into(), borrowed).into_column());
    }

    fn numbers(&mut self, name: &str, values: impl Iterator<Item = Option<u64>>) {
        let numbers: Vec<Option<u64>> = values.collect();
        self.columns.push(Series::new(name.into(), numbers).into_column());
    }

    fn flags(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        let flags: Vec<bool> = values.collect();
        self.columns.push(Series::new(name.into(), flags).into_column());
    }

    /// Where each row stands in the evidence: the source and the line.
    fn places(&mut self, places: impl Iterator<Item = Place> + Clone) {
        self.words("source", places.clone().map(|p| Some(p.source.to_string())));
        self.numbers("line", places.map(|p| Some(p.line)));
    }

    fn finish(self) -> PolarsResult<DataFrame> {
        DataFrame::new(self.height, self.columns)
    }
}

/// An empty text is null in the tables.
fn said(rows: &Rows, text: Text) -> Option<Text> {
    (!rows.texts.bytes(text).is_empty()).then_some(text)
}

fn logins(rows: &Rows, _: &[SourceSummary]) -> PolarsResult<DataFrame> {
    let logins = &rows.logins;
    let mut frame = Frame::new(rows, logins.len());
    frame.times("time", logins.iter().map(|l| Some(l.at)));
    frame.texts("host", logins.iter().map(|l| said(rows, l.host)));
    frame.texts("account", logins.iter().map(|l| l.account));
    frame.flags("account_inferred", logins.iter().map(|l| l.inferred));
    frame.texts("ip", logins.iter().map(|l| l.address));
    frame.words("protocol", logins.iter().map(|l| Some(l.protocol.as_str())));
    frame.words("result", logins.iter().map(|l| Some(l.result.as_str())));
    frame.numbers("times", logins.iter().map(|l| Some(u64::from(l.times))));
    frame.texts("mechanism", logins.iter().map(|l| l.mechanism));
    frame.texts("client", logins.iter().map(|l| l.client));
    frame.texts("introduction", logins.iter().map(|l| Some(l.introduction?.words)));
    frame.words("introduced_by", logins.iter().map(|l| Some(l.introduction?.by.as_str())));
    frame.texts("session", logins.iter().map(|l| l.session));
    frame.texts("event_id", logins.iter().map(|l| l.provider.as_ref()?.event_id));
    frame.texts("correlation", logins.iter().map(|l| l.provider.as_ref()?.correlation));
    frame.texts("application", logins.iter().map(|l| l.provider.as_ref()?.application));
    frame.flags("token", logins.iter().map(|l| l.provider.as_ref().is_some_and(|w| w.token)));
    frame.numbers("code", logins.iter().map(|l| l.provider.as_ref()?.code.map(u64::from)));
    frame.texts("country", logins.iter().map(|l| l.provider.as_ref()?.country));
    frame.texts("city", logins.iter().map(|l| l.provider.as_ref()?.city));
    frame.numbers("asn", logins.iter().map(|l| l.provider.as_ref()?.asn.map(u64::from)));
    frame.places(logins.iter().map(|l| l.place));
    frame.finish()
}

fn messages(rows: &Rows, _: &[SourceSummary]) -> PolarsResult<DataFrame> {
    let messages: &[Message] = &rows.messages;
    let mut frame = Frame::new(rows, messages.len());
    frame.numbers("message", (0..messages.len() as u64).map(Some));
    frame.times("submitted", messages.iter().map(|m| Some(m.submitted)));
    frame.texts("host", messages.iter().map(|m| said(rows, m.host)));
    frame.texts("queue_id", messages.iter().map(|m| said(rows, m.queue_id)));
    frame.texts("message_id", messages.iter().map(|m| said(rows, m.message_id)));
    frame.words("kind", messages.iter().map(|m| Some(m.kind.as_str())));
    frame.texts("account", messages.iter().map(|m| m.account));
    frame.words("attribution", messages.iter().map(|m| Some(m.attribution.as_str())));
    frame.texts("sender", messages.iter().map(|m| Some(m.sender)));
    frame.texts("ip", messages.iter().map(|m| m.address));
    frame.texts("client", messages.iter().map(|m| m.client));
    frame.numbers("size", messages.iter().map(|m| m.size));
    frame.numbers("recipients", messages.iter().map(|m| Some(u64::from(m.recipients))));
    frame.words("outcome", messages.iter().map(|m| Some(m.outcome.as_str())));
    frame.places(messages.iter().map(|m| m.place));
    frame.finish()
}

fn recipients(rows: &Rows, _: &[SourceSummary]) -> PolarsResult<DataFrame> {
    let recipients: &[Recipient] = &rows.recipients;
    let mut frame = Frame::new(rows, recipients.len());
    frame.numbers("message", recipients.iter().map(|r| Some(u64::from(r.message))));
    frame.texts("recipient", recipients.iter().map(|r| said(rows, r.address)));
    frame.words("outcome", recipients.iter().map(|r| Some(r.outcome.as_str())));
    frame.words("by", recipients.iter().map(|r| r.by.map(|b| b.as_str())));
    frame.words("reason", recipients.iter().map(|r| r.reason.map(|b| b.as_str())));
    frame.words("reply", recipients.iter().map(|r| said(rows, r.reply).map(|_| rows.reply(r))));
    frame.texts("relay", recipients.iter().map(|r| said(rows, r.relay)));
    frame.times("decided", recipients.iter().map(|r| r.at));
    frame.numbers("attempts", recipients.iter().map(|r| Some(u64::from(r.attempts))));
    frame.places(recipients.iter().map(|r| r.place));
    frame.finish()
}

/// What was done in mailboxes: their sessions first, then what was changed, searched or deleted.
fn actions(rows: &Rows, _: &[SourceSummary]) -> PolarsResult<DataFrame> {
    let (uses, acts) = (&rows.mailbox_uses, &rows.actions);
    let mut frame = Frame::new(rows, uses.len() + acts.len());
    frame.times("time", uses.iter().map(|u| Some(u.at)).chain(acts.iter().map(|a| Some(a.at))));
    frame.texts("account", uses.iter().map(|u| u.account).chain(acts.iter().map(|a| a.account)));
    frame.texts("actor", uses.iter().map(|u| u.account).chain(acts.iter().map(|a| a.actor)));
    frame.words("action", uses.iter().map(|_| Some("mailbox-session")).chain(acts.iter().map(|a| Some(a.kind.as_str()))));
    frame.words("protocol", uses.iter().map(|u| Some(u.protocol.as_str())).chain(acts.iter().map(|_| None)));
    frame.texts("ip", uses.iter().map(|u| u.address).chain(acts.iter().map(|a| a.address)));
    frame.texts("client", uses.iter().map(|_| None).chain(acts.iter().map(|a| a.client)));
    frame.texts("session", uses.iter().map(|u| u.session).chain(acts.iter().map(|_| None)));
    frame.words("scope", uses.iter().map(|u| Some(u.scope.as_str())).chain(acts.iter().map(|_| None)));
    frame.numbers("bytes_out", uses.iter().map(|u| Some(u.bytes_out)).chain(acts.iter().map(|_| None)));
    frame.numbers("items", uses.iter().map(|u| u.items).chain(acts.iter().map(|_| None)));
    frame.numbers("deleted", uses.iter().map(|u| Some(u.deleted)).chain(acts.iter().map(|_| None)));
    frame.texts("detail", uses.iter().map(|_| None).chain(acts.iter().map(|a| said(rows, a.detail))));
    frame.places(uses.iter().map(|u| u.place).chain(acts.iter().map(|a| a.place)));
    frame.finish()
}

fn sources_frame(rows: &Rows, sources: &[SourceSummary]) -> PolarsResult<DataFrame> {
    let mut frame = Frame::new(rows, sources.len());
    frame.words("source", sources.iter().map(|s| Some(s.id.to_string())));
    frame.words("path", sources.iter().map(|s| Some(&s.path)));
    frame.numbers("size", sources.iter().map(|s| Some(s.size)));
    frame.words("sha256", sources.iter().map(|s| s.sha256.as_ref()));
    frame.words("format", sources.iter().map(|s| s.format.map(|(id, _)| id)));
    frame.words("host", sources.iter().map(|s| s.hosts.first()));
    frame.times("first", sources.iter().map(|s| s.first));
    frame.times("last", sources.iter().map(|s| s.last));
    frame.numbers("lines", sources.iter().map(|s| Some(s.ledger.total)));
    frame.numbers("used", sources.iter().map(|s| Some(s.ledger.used)));
    frame.numbers("ignored", sources.iter().map(|s| Some(s.ledger.ignored_all())));
    frame.numbers("malformed", sources.iter().map(|s| Some(s.ledger.malformed)));
    frame.words("year_from", sources.iter().map(|s| s.year_from));
    frame.words("zone_from", sources.iter().map(|s| s.zone_from));
    frame.finish()
}
