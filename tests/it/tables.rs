//! The Parquet tables, read back as another engine would: every row is there, and they tell what the report tells.

use crate::command::{ZONE, analyze, command, ended};
use crate::evidence::fixture;
use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A table out of its bytes.
pub(crate) fn read(bytes: &[u8]) -> DataFrame {
    ParquetReader::new(Cursor::new(bytes.to_vec())).finish().unwrap()
}

/// Times as their number: polars shows those with a zone only with a database of zones.
fn shown(value: AnyValue<'_>) -> String {
    match value {
        AnyValue::String(text) => text.to_owned(),
        AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..) => micros.to_string(),
        other => other.to_string(),
    }
}

/// Every cell of a table on a line of its own, under the name of its column: what can be searched without knowing the encoding.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for column in read(bytes).columns() {
        text.push_str(column.name());
        text.push('\n');
        for value in column.as_materialized_series().iter() {
            text.push_str(&shown(value));
            text.push('\n');
        }
    }
    text
}

fn tables(of: &Path, here: &Path) -> BTreeMap<String, DataFrame> {
    let out = here.join("case");
    let mut command = command();
    command.args(["analyze", "--quiet", "--tz", ZONE, "--out"]).arg(&out).arg(of);
    assert_eq!(ended(command.output().unwrap()).code, 0);
    let names = ["logins", "messages", "recipients", "actions", "sources"];
    names.map(|name| (name.to_owned(), read(&std::fs::read(out.join(format!("tables/{name}.parquet"))).unwrap()))).into()
}

fn cell(table: &DataFrame, column: &str, row: usize) -> String {
    shown(table.column(column).unwrap().get(row).unwrap())
}

fn known_incident() -> [PathBuf; 3] {
    ["soka-postfix", "soka-exchange", "soka-m365"].map(fixture)
}

/// One account, 795 messages, 11 delivered and 784 blocked: counted in the tables and not in the report.
#[test]
fn the_tables_tell_what_the_report_tells() {
    for logs in known_incident() {
        let here = tempfile::tempdir().unwrap();
        let tables = tables(&logs, here.path());
        let report = analyze(&[&logs], &[]);
        let incident = report.only_incident();
        let account = incident["accounts"][0].as_str().unwrap();
        let (messages, recipients) = (&tables["messages"], &tables["recipients"]);
        assert!(messages.column("submitted").unwrap().dtype().to_string().contains("UTC"), "times are instants, not a wall clock's");
        let attackers: Vec<&str> = incident["origins"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|origin| origin["verdict"] == "attacker")
            .map(|origin| origin["ip"].as_str().unwrap())
            .collect();
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        let mut of_message: BTreeMap<String, u64> = BTreeMap::new();
        for row in 0..messages.height() {
            if cell(messages, "account", row) == account && attackers.contains(&cell(messages, "ip", row).as_str()) {
                *counted.entry(cell(messages, "outcome", row)).or_default() += 1;
                of_message.insert(cell(messages, "message", row), 0);
            }
        }
        assert_eq!(json!({"delivered": counted["delivered"], "blocked": counted["blocked"]}), json!({"delivered": 11, "blocked": 784}));
        for row in 0..recipients.height() {
            if let Some(count) = of_message.get_mut(&cell(recipients, "message", row)) {
                *count += 1;
            }
        }
        assert!(of_message.values().all(|count| *count > 0), "a message without recipients");
        assert_eq!(json!(of_message.values().sum::<u64>()), incident["recipients"]["total"]);
        assert_eq!(tables["sources"].height(), report.json["evidence"].as_array().unwrap().len());
    }
}
