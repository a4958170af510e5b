//! The unified audit log: what each record says of itself, and the containers in which people export the records.

use super::acts;
use super::clock;
use super::directory::Directory;
use super::export::Sheet;
use super::guid::Guid;
use super::json::{Object, text_of, with_escaped_slashes};
use super::table::{Quotes, Row, header, row};
use crate::simulate::request::{AuditForm, Culture};

/// A record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: i64,
    pub(super) id: Guid,
    pub(super) act: acts::Act,
}

/// How the log names a kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordType {
    ExchangeAdmin = 1,
    ExchangeItem = 2,
    AzureActiveDirectory = 8,
    AzureActiveDirectoryStsLogon = 15,
    SecurityComplianceAlerts = 40,
    ExchangeItemAggregated = 50,
}

impl RecordType {
    fn name(self) -> &'static str {
        match self {
            RecordType::ExchangeAdmin => "ExchangeAdmin",
            RecordType::ExchangeItem => "ExchangeItem",
            RecordType::AzureActiveDirectory => "AzureActiveDirectory",
            RecordType::AzureActiveDirectoryStsLogon => "AzureActiveDirectoryStsLogon",
            RecordType::SecurityComplianceAlerts => "SecurityComplianceAlerts",
            RecordType::ExchangeItemAggregated => "ExchangeItemAggregated",
        }
    }

    fn workload(self) -> &'static str {
        match self {
            RecordType::ExchangeAdmin | RecordType::ExchangeItem | RecordType::ExchangeItemAggregated => "Exchange",
            RecordType::AzureActiveDirectory | RecordType::AzureActiveDirectoryStsLogon => "AzureActiveDirectory",
            RecordType::SecurityComplianceAlerts => "SecurityComplianceCenter",
        }
    }
}

impl Record {
    /// `AuditData`: the record itself, as JSON with escaped slashes.
    pub(super) fn data(&self, directory: &Directory) -> String {
        let text = text_of(|o| {
            o.text("CreationTime", clock::bare(self.at)).text("Id", self.id).text("Operation", self.act.operation());
            o.text("OrganizationId", directory.tenant).raw("RecordType", self.act.record_type() as u32);
            o.text("ResultStatus", self.act.status());
            self.put_user(o, directory);
            o.raw("Version", 1).text("Workload", self.act.record_type().workload());
            self.act.put(o, directory, self);
        });
        with_escaped_slashes(&text)
    }

    fn put_user(&self, o: &mut Object, directory: &Directory) {
        o.text("UserKey", self.act.user_key(directory)).raw("UserType", self.act.user_type()).text("UserId", self.act.user(directory));
    }
}

/// A search returns its hits in pages of this size, the newest first.
const PAGE: usize = 1000;
/// The first hits of a page are the last of the one before: records arrive while the search goes on.
const OVERLAP: usize = 2;

const SEARCH: &str = "RecordType,CreationDate,UserIds,Operations,AuditData,ResultIndex,ResultCount,Identity,IsValid,ObjectState";
const PURVIEW: &str = "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames";

/// An export of the records, which are given in the order of time. They stand the newest first, and some of them twice.
pub(super) fn export(sheet: &mut Sheet, directory: &Directory, records: &[Record], form: AuditForm, culture: Culture) {
    match form {
        AuditForm::Search => sheet.head(|out| header(out, Quotes::Always, SEARCH)),
        AuditForm::Purview => sheet.head(|out| header(out, Quotes::Needed, PURVIEW)),
        AuditForm::JsonLines | AuditForm::None => {}
    }
    for index in paged(records.len()) {
        let Some(record) = records.iter().rev().nth(index) else { continue };
        sheet.record(|out| match form {
            AuditForm::Search => row(out, Quotes::Always, |row| {
                put_search(row, directory, record, culture);
                row.cell(index + 1).cell(records.len()).cell(record.id).cell("True").cell("Unchanged");
            }),
            AuditForm::Purview => row(out, Quotes::Needed, |row| put_purview(row, directory, record)),
            AuditForm::JsonLines | AuditForm::None => {
                out.extend(record.data(directory).bytes());
                out.push(b'\n');
            }
        });
    }
}

/// The places of the hits of a search, page by page.
fn paged(hits: usize) -> impl Iterator<Item = usize> {
    (0..hits).step_by(PAGE).flat_map(move |start| start.saturating_sub(OVERLAP)..(start + PAGE).min(hits))
}

fn put_search(row: &mut Row, directory: &Directory, record: &Record, culture: Culture) {
    row.cell(record.act.record_type().name()).cell(clock::in_culture(record.at, culture));
    row.cell(record.act.user(directory)).cell(record.act.operation()).cell(record.data(directory));
}

fn put_purview(row: &mut Row, directory: &Directory, record: &Record) {
    row.cell(record.id).cell(format!("{}.0000000Z ", clock::bare(record.at))).cell(record.act.record_type() as u32);
    row.cell(record.act.operation()).cell(record.act.user(directory)).cell(record.data(directory)).empty(2);
}
