//! Microsoft 365 and Entra ID: sign-ins, the audit log, the directory's log and the message trace, in every shape in which tenants'
//! people and tools export them.
//!
//! A record is told by the fields it has and not by its file's name: [`shape_of`] is the list. The reading of each family is its own
//! module; what is common to all, from cells and members to events, is here.

mod audit;
mod clients;
mod cmdlets;
mod code_pages;
pub(in crate::formats) mod dates;
mod directory;
mod fields;
mod first_look;
mod objects;
mod outcomes;
mod record;
mod refusals;
mod service;
mod sign_ins;
mod table;
#[cfg(test)]
mod tests;
mod trace;
mod values;

use super::batch::{Alike, Batch, Ignored, Malformed};
use super::clock::Clock;
use super::record_kind::RecordKind;
use super::remark::Remark;
use super::sink::{Fate, Sink};
use super::{Chunk, Format, Framing, frames};
use crate::domain::time::{Timestamp, Zone};
use bumpalo::Bump;
use dates::{Moment, Order};
use fields::Field;
use first_look::{scout, sniff_table, sniff_values};
use frames::Frame;
use objects::Objects;
use record::Record;
use std::hash::{BuildHasher, Hasher};
use table::{Cell, Heading};

/// Where a tenant's message trace speaks, as a host.
pub const TRACE_HOST: &[u8] = trace::HOST;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    SignIn,
    SignInDetail,
    /// A record of the audit log.
    Audit,
    /// A row or an object with such a record in it.
    AuditRow,
    Directory,
    Trace,
    TraceDetail,
    TraceSummary,
    TraceStep,
    Mail,
    PostDelivery,
    /// A record in the envelope of diagnostic settings, which names its category.
    Diagnostic,
    /// A row of any other table of Defender's hunting, with or without the record of the audit log that it was made of.
    Hunting,
    /// A record that a forwarder put into a string.
    Wrapped,
}

/// Tells what a record is by the fields it has; `None` for a stranger's.
fn shape_of(record: &Record<'_>) -> Option<Shape> {
    use Field::{
        ActionTrigger, ActionType, Activity, AuditData, Category, Code, CreationTime, DeliveryAction, Event, EventId, EventTime, Id,
        InitiatedBy, InternalId, Ip, LocalTime, Message, Method, NetworkId, Operation, OriginTime, Properties, Received, Recipient,
        RecipientStatus, RecordType, Sender, ServicePrincipal, Status, Succeeded, Targets, Time, Timestamp, TraceId, UserName, Workload,
        Written, WrittenLocal,
    };
    let has = |fields: &[Field]| record.has_all(fields);
    let timed = has(&[Time]) || has(&[Written]) || has(&[LocalTime]) || has(&[WrittenLocal]);
    Some(match () {
        () if has(&[Properties, Category]) => Shape::Diagnostic,
        () if has(&[AuditData]) => Shape::AuditRow,
        () if has(&[OriginTime, RecipientStatus]) => Shape::TraceSummary,
        () if has(&[EventTime, EventId, InternalId]) => Shape::TraceStep,
        () if has(&[NetworkId, DeliveryAction]) => Shape::Mail,
        () if has(&[NetworkId, ActionTrigger]) => Shape::PostDelivery,
        () if has(&[TraceId, Event]) => Shape::TraceDetail,
        () if has(&[TraceId, Received, Status]) => Shape::Trace,
        // Columns that name no message may have been taken out: who wrote to whom, when, and what became of it is a message trace still.
        () if (timed || has(&[Received])) && has(&[Sender, Recipient, Status]) => Shape::Trace,
        () if has(&[InitiatedBy, Targets]) || has(&[InitiatedBy, Activity]) => Shape::Directory,
        () if has(&[Id, Method, Succeeded]) => Shape::SignInDetail,
        () if has(&[CreationTime, Operation]) || has(&[Workload, Operation]) || has(&[CreationTime, RecordType]) => Shape::Audit,
        () if has(&[Timestamp, ActionType]) => Shape::Hunting,
        () if timed && (has(&[Code]) || has(&[Status])) && (has(&[UserName]) || has(&[ServicePrincipal, Ip])) => Shape::SignIn,
        // The envelope alone: what was in it is lost.
        () if has(&[Written]) && record.get(Category).is_some_and(|category| shape_of_category(category).is_some()) => Shape::Diagnostic,
        () if has(&[Message]) && record.get(Message).is_some_and(|text| text.starts_with(b"{")) => Shape::Wrapped,
        () => return None,
    })
}

impl Shape {
    fn host(self) -> &'static [u8] {
        match self {
            Shape::SignIn | Shape::SignInDetail | Shape::Diagnostic | Shape::Wrapped => sign_ins::HOST,
            Shape::Audit | Shape::AuditRow | Shape::Hunting => audit::HOST,
            Shape::Directory => directory::HOST,
            Shape::Trace | Shape::TraceDetail | Shape::TraceSummary | Shape::TraceStep | Shape::Mail | Shape::PostDelivery => trace::HOST,
        }
    }
}

/// The categories of diagnostic settings by what their records are.
fn shape_of_category(category: &[u8]) -> Option<Shape> {
    match category {
        b"AuditLogs" => Some(Shape::Directory),
        b"AdvancedHunting-EmailEvents" => Some(Shape::Mail),
        b"AdvancedHunting-EmailPostDeliveryEvents" => Some(Shape::PostDelivery),
        _ if category.ends_with(b"SignInLogs") => Some(Shape::SignIn),
        _ => None,
    }
}

/// Reads the records of one piece.
struct Reader<'r, 'a> {
    sink: Sink<'r, 'a>,
    scratch: &'a Bump,
    order: Option<Order>,
    /// Of times in local columns, where it is known.
    zone: Option<Zone>,
    /// What makes the record at hand the same as another one, where it has an id of its own.
    identity: Option<u64>,
    /// What tells the record at hand by what it says, where other exports of it have no ids.
    alike: Option<Alike>,
    objects: Objects<'a>,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn new(chunk: Chunk<'a>, clock: &Clock, batch: &'r mut Batch<'a>) -> Reader<'r, 'a> {
        batch.host(b"");
        let order = clock.day_first.map(|day_first| if day_first { Order::DayFirst } else { Order::MonthFirst });
        let mut sink = Sink::new(batch);
        sink.absolute = true;
        let zone = Some(clock.zone).filter(|zone| *zone != Zone::UTC);
        Reader { sink, scratch: chunk.scratch, order, zone, identity: None, alike: None, objects: Objects::new(chunk.scratch) }
    }

    /// The first of several fields that holds a time.
    fn time(&mut self, record: &Record<'a>, fields: &[Field]) -> Option<Timestamp> {
        let (field, moment) = fields.iter().find_map(|field| Some((*field, self.moment(record.get(*field)?)?)))?;
        if moment.either_way && self.order.is_none() {
            self.remark(Remark::DoubtfulTime);
        }
        if matches!(field, Field::LocalTime | Field::WrittenLocal) && !moment.zoned {
            return Some(self.local(moment.at));
        }
        Some(moment.at)
    }

    /// The instant of a wall clock's time in the zone in which the source prints local times.
    fn local(&mut self, wall: Timestamp) -> Timestamp {
        let (at, second) = self.zone.unwrap_or(Zone::UTC).instants(wall);
        if self.zone.is_none() {
            self.remark(Remark::UnknownZone);
        } else if second.is_some() {
            self.remark(Remark::DoubtfulTime);
        }
        at
    }

    fn moment(&self, text: &[u8]) -> Option<Moment> {
        dates::read(text, self.order)
    }

    fn counts(&mut self, kind: RecordKind) {
        self.sink.batch.kinds.add(kind);
    }

    fn remark(&mut self, remark: Remark) {
        self.sink.batch.remarks.add(remark);
    }

    /// The record at hand breaks off.
    fn cut(&mut self) {
        self.sink.batch.cut_records += 1;
        self.sink.batch.first_cut_record.get_or_insert(self.sink.line);
    }

    /// Sets where and when the events of the record at hand stand.
    fn on(&mut self, host: &'static [u8], at: Timestamp) {
        self.sink.host = self.sink.batch.host(host);
        self.sink.at = at;
        self.sink.batch.saw(at);
    }

    /// `title name=value; name=value`.
    fn detail(&self, title: &[u8], pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> &'a [u8] {
        let mut text = bumpalo::collections::Vec::new_in(self.scratch);
        text.extend_from_slice(title);
        for (number, (name, value)) in pairs.enumerate() {
            text.extend_from_slice(if number > 0 {
                b"; "
            } else if title.is_empty() {
                b""
            } else {
                b" "
            });
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
        }
        text.into_bump_slice()
    }

    /// A host as `name[address]`; empty where neither is known.
    fn peer(&self, name: &[u8], address: &[u8]) -> &'a [u8] {
        if name.is_empty() && address.is_empty() {
            return b"";
        }
        self.scratch.alloc_slice_copy(&[name, b"[", address, b"]"].concat())
    }

    /// Takes note of what makes a record the same as another one.
    fn same_as(&mut self, family: &[u8], parts: &[&[u8]]) {
        let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
        hasher.write(family);
        for part in parts {
            hasher.write_usize(part.len());
            if part.iter().any(u8::is_ascii_uppercase) {
                hasher.write(&part.to_ascii_lowercase());
            } else {
                hasher.write(part);
            }
        }
        self.identity = Some(hasher.finish());
    }

    /// Takes note of what a record says, where some of its exports have no ids. Tools write nested values with other blanks and escapes.
    fn says(&mut self, has_id: bool, parts: &[&[u8]]) {
        let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
        let mut plain = Vec::new();
        for part in parts {
            plain.clear();
            plain.extend(part.iter().filter(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'\\')).map(u8::to_ascii_lowercase));
            hasher.write_usize(plain.len());
            hasher.write(&plain);
        }
        self.alike = Some(Alike { line: self.sink.line, second: self.sink.at.seconds(), hash: hasher.finish(), has_id });
    }

    /// Reads one record and puts it into the ledger.
    fn record(&mut self, number: u32, record: &Record<'a>, shape: Option<Shape>, raw: &[u8]) {
        self.sink.line = number;
        self.identity = None;
        self.alike = None;
        let fate = match shape {
            Some(shape) => self.read(record, shape, raw),
            None => Fate::Ignored(Ignored::UnknownFormat),
        };
        self.settle(fate);
    }

    fn read(&mut self, record: &Record<'a>, shape: Shape, raw: &[u8]) -> Fate {
        match shape {
            Shape::SignIn => sign_ins::read(record, None, self),
            Shape::SignInDetail => sign_ins::read_detail(record, self),
            Shape::Audit => audit::read(record, self),
            Shape::AuditRow => audit::read_row(record, self),
            Shape::Hunting => match record.inner(Field::RawEvent, self.scratch) {
                Some(inner) => audit::read(&inner, self),
                None => Fate::OTHER_PROGRAM,
            },
            Shape::Directory => directory::read(record, None, self),
            Shape::Diagnostic => self.diagnostic(record),
            Shape::Wrapped => self.wrapped(record, raw),
            _ => {
                let fields = [Field::TraceId, Field::Recipient, Field::Status, Field::Event, Field::Time];
                if record.has_text(Field::TraceId) {
                    self.same_as(shape.host(), &fields.map(|field| record.get(field).unwrap_or_default()));
                } else {
                    self.same_as(shape.host(), &[raw]);
                }
                match shape {
                    Shape::Trace => trace::read(record, self),
                    Shape::TraceDetail => trace::read_detail(record, self),
                    Shape::TraceSummary => trace::read_summary(record, self),
                    Shape::TraceStep => trace::read_step(record, self),
                    Shape::PostDelivery => trace::read_post_delivery(record, self),
                    _ => trace::read_defender(record, self),
                }
            }
        }
    }

    /// A record of diagnostic settings: what matters is in its properties.
    fn diagnostic(&mut self, envelope: &Record<'a>) -> Fate {
        let Some(shape) = envelope.get(Field::Category).and_then(shape_of_category) else { return Fate::OTHER_PROGRAM };
        let Some(inner) = envelope.get(Field::Properties).and_then(|text| self.objects.inner(text)) else { return Fate::BAD_BODY };
        match shape {
            Shape::SignIn => sign_ins::read(&inner, Some(envelope), self),
            Shape::Directory => directory::read(&inner, Some(envelope), self),
            shape => self.read(&inner, shape, envelope.get(Field::Properties).unwrap_or_default()),
        }
    }

    /// Records in a string, one or an envelope of many; they share the place of the record around them.
    fn wrapped(&mut self, outer: &Record<'a>, _: &[u8]) -> Fate {
        let mut fate = Fate::NO_FACT;
        let text = outer.get(Field::Message).unwrap_or_default();
        frames::each(text, |frame| match frame {
            Frame::Record(raw) => {
                let Some(inner) = Record::of_json(raw, self.scratch) else { return };
                let Some(shape) = shape_of(&inner).filter(|shape| *shape != Shape::Wrapped) else { return };
                if self.read(&inner, shape, raw) == Fate::Used {
                    fate = Fate::Used;
                }
            }
            Frame::Begin(_) => {}
            Frame::NextPage => self.remark(Remark::NextPage),
            Frame::Broken(_) => fate = if fate == Fate::NO_FACT { Fate::BAD_BODY } else { fate },
        });
        self.same_as(b"wrapped", &[text]);
        self.alike = None;
        fate
    }

    fn settle(&mut self, fate: Fate) {
        let (line, identity, alike) = (self.sink.line, self.identity, self.alike);
        let batch = &mut *self.sink.batch;
        batch.ledger.total += 1;
        match fate {
            Fate::Used => {
                batch.used();
                batch.unique.extend(identity.map(|hash| (line, hash)));
                batch.alike.extend(alike);
            }
            Fate::Ignored(why) => batch.ignored(why),
            Fate::Malformed(why) => batch.malformed(line, why),
        }
    }
}

fn parse_values<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let bytes = code_pages::as_utf8(chunk.bytes, chunk.scratch);
    let mut reader = Reader::new(chunk, clock, out);
    let mut number = 0;
    frames::each_or_its_begin(bytes, |frame| {
        match frame {
            Frame::Begin(text) => {
                let (record, length) = reader.objects.read(text)?;
                reader.record(number, &record, shape_of(&record), text.get(..length)?);
                number += 1;
                return Some(length);
            }
            Frame::Record(raw) => {
                match Record::of_json(raw, chunk.scratch) {
                    Some(record) => reader.record(number, &record, shape_of(&record), raw),
                    None => reader.broken(number),
                }
                number += 1;
            }
            Frame::NextPage => reader.remark(Remark::NextPage),
            Frame::Broken(_) => {
                reader.broken(number);
                number += 1;
            }
        }
        None
    });
    // Where the stream breaks off between two records, at least one is lost.
    if chunk.unended {
        reader.broken(number);
        number += 1;
    }
    // A page without records, `[]`, `null`: that nothing was found is all it says.
    if number == 0 && !chunk.bytes.is_empty() {
        reader.sink.line = 0;
        reader.settle(Fate::Ignored(Ignored::Framing));
    }
}

impl Reader<'_, '_> {
    fn broken(&mut self, number: u32) {
        self.sink.line = number;
        self.settle(Fate::Malformed(Malformed::BadBody));
    }
}

fn parse_table<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let scratch = chunk.scratch;
    let bytes = code_pages::as_utf8(chunk.bytes, scratch);
    let first = chunk.heading.is_empty();
    let above = if first { bytes } else { code_pages::as_utf8(chunk.heading, scratch) };
    let mut reader = Reader::new(chunk, clock, out);
    let mut number = 0;
    let Some((heading, shape)) = heading(above, (!first).then_some(bytes), scratch) else {
        return reader.no_table(bytes);
    };
    reader.zone = heading.offset.map(Zone::Fixed).or(reader.zone);
    let mut rest = bytes;
    if first {
        for _ in 0..heading.rows {
            reader.sink.line = number;
            reader.settle(Fate::Ignored(Ignored::Framing));
            number += 1;
        }
        rest = bytes.get(heading.length..).unwrap_or_default();
    }
    let above = above.get(..heading.length).unwrap_or_default().trim_ascii();
    let mut rows = table::Rows::new(rest, heading.separator, scratch);
    let mut cells = Vec::new();
    while let Some((text, row)) = rows.next(&mut cells) {
        let mut record = Record::EMPTY;
        for (column, cell) in heading.columns.iter().zip(&cells) {
            match (column, cell) {
                (Some(Field::AuditData), Cell::Doubled(inner)) if !record.has_text(Field::AuditData) => {
                    record.put(Field::AuditData, inner);
                    record.is_doubled = true;
                }
                (Some(field), cell) => record.put(*field, cell.text(scratch)),
                (None, _) => {}
            }
        }
        // Only the last row of a source can lack its line end. Spreadsheets leave out empty cells at the end of rows, but end the row.
        let ended = text.ends_with(b"\n");
        let torn = row.torn || !ended && row.cells < heading.columns.len();
        // A cut within the last cell shows in nothing else, unless the cell's quote is closed.
        let may_be_torn = !ended && !text.ends_with(b"\"");
        let text = text.trim_ascii();
        reader.sink.line = number;
        if may_be_torn && !torn && !text.is_empty() {
            reader.remark(Remark::UnendedTable);
        }
        match () {
            () if text.is_empty() => reader.settle(Fate::Ignored(Ignored::Empty)),
            () if torn => reader.settle(Fate::Malformed(Malformed::Torn)),
            () if row.cells < 2 => reader.settle(Fate::BAD_BODY),
            // Tables appended to one another repeat their heading.
            () if above.ends_with(text) => reader.settle(Fate::Ignored(Ignored::Framing)),
            () => reader.record(number, &record, Some(shape), text),
        }
        number += 1;
    }
}

impl<'a> Reader<'_, 'a> {
    /// A piece whose heading is lost.
    fn no_table(&mut self, bytes: &'a [u8]) {
        super::scan::each_line(bytes, |number, _| self.broken(number));
    }
}

/// The columns of a table, and what its rows are; for a heading in an unknown language by what the rows hold, which stand below it if
/// they are not given.
fn heading(above: &[u8], rows: Option<&[u8]>, scratch: &Bump) -> Option<(Heading, Shape)> {
    let mut heading = Heading::read(above, scratch)?;
    if let Some(shape) = shape_of(&heading.shape()) {
        if shape == Shape::SignIn && heading.lacks_names() {
            let rows = rows.or_else(|| above.get(heading.length..)).unwrap_or_default();
            heading.guess(rows, scratch);
        }
        return Some((heading, shape));
    }
    // Names that are known are no sign-ins' are believed, whatever the columns look like.
    if heading.columns.iter().flatten().any(|field| field.is_of_mail()) {
        return None;
    }
    let rows = rows.or_else(|| above.get(heading.length..))?;
    let guessed = heading.columns.len() >= GUESS_COLUMNS_MIN && heading.guess(rows, scratch);
    guessed.then_some((heading, Shape::SignIn))
}

/// The portal's tables of sign-ins have many columns.
const GUESS_COLUMNS_MIN: usize = 10;

const TABLE: Framing =
    Framing::Rows { quoted: true, begins: |row| row.first().is_some_and(|b| *b == b'"' || b.is_ascii_alphanumeric()), headings: &[] };

macro_rules! formats {
    ($($name:ident: $id:literal, $title:literal, $kind:ident, [$($shape:ident),*];)*) => {
        $(
            pub(super) const $name: Format = formats!(@$kind $id, $title, [$($shape),*]);
        )*
        /// All formats of this family.
        #[cfg(test)]
        const ALL: &[Format] = &[$($name),*];
    };
    (@table $id:literal, $title:literal, [$($shape:ident),*]) => {
        Format {
            id: $id,
            system: "m365",
            title: $title,
            framing: TABLE,
            sniff: |head| sniff_table(head, &[$(Shape::$shape),*]),
            parse: parse_table,
            scout: |bytes| scout(bytes, parse_table),
        }
    };
    (@values $id:literal, $title:literal, [$($shape:ident),*]) => {
        Format {
            id: $id,
            system: "m365",
            title: $title,
            framing: Framing::Values(frames::cutter),
            sniff: |head| sniff_values(head, &[$(Shape::$shape),*]),
            parse: parse_values,
            scout: |bytes| scout(bytes, parse_values),
        }
    };
}

formats! {
    SIGN_INS: "m365.sign-ins.csv", "Entra ID sign-ins, table", table, [SignIn];
    SIGN_INS_JSON: "m365.sign-ins.json", "Entra ID sign-ins, JSON", values, [SignIn, Wrapped];
    SIGN_IN_DETAILS: "m365.sign-in-details.csv", "Entra ID authentication details, table", table, [SignInDetail];
    AUDIT: "m365.audit.csv", "unified audit log, table", table, [Audit, AuditRow];
    AUDIT_JSON: "m365.audit.json", "unified audit log, JSON", values, [Audit, AuditRow];
    DIRECTORY: "m365.directory.csv", "Entra ID audit log, table", table, [Directory];
    DIRECTORY_JSON: "m365.directory.json", "Entra ID audit log, JSON", values, [Directory];
    TRACE: "m365.trace.csv", "message trace, table", table, [Trace];
    TRACE_JSON: "m365.trace.json", "message trace, JSON", values, [Trace, TraceDetail];
    TRACE_DETAIL: "m365.trace-detail.csv", "message trace detail, table", table, [TraceDetail];
    TRACE_SUMMARY: "m365.trace-summary.csv", "historical search, summary", table, [TraceSummary];
    TRACE_REPORT: "m365.trace-report.csv", "historical search, extended report", table, [TraceStep];
    DEFENDER: "m365.defender.csv", "Defender hunting, table", table, [Mail, PostDelivery, Hunting];
    DEFENDER_JSON: "m365.defender.json", "Defender hunting, JSON", values, [Mail, PostDelivery, Hunting];
}
