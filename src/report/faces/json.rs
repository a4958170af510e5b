//! The report as the document `mailtrail.report/1`: for machines, and the only face that holds hostile text letter by letter.

use crate::analysis::model::{Coverage, Evidence, EvidenceFile, Pseudonymized, Report, Tool};
use crate::report::escape::is_hidden;
use crate::report::{Face, Style, View};
use crate::say::Lang;
use serde::Serialize;

pub(in crate::report) const FINDINGS: Face = Face {
    id: "json",
    view: View::Findings,
    title: "the document mailtrail.report/1",
    file_name: Some("report.json"),
    render: |report, _: &Style| write(report),
};

pub(in crate::report) const INVENTORY: Face = Face {
    id: "json",
    view: View::Inventory,
    title: "the document mailtrail.inspect/1",
    file_name: None,
    render: |report, _: &Style| write(&Inventory::of(report)),
};

/// The parts of a report that describe the evidence, under the names they have there.
#[derive(Serialize)]
struct Inventory<'a> {
    schema: &'static str,
    tool: &'a Tool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pseudonymized: Option<&'a Pseudonymized>,
    timezone: &'a str,
    lang: Lang,
    tlp: &'a str,
    evidence: &'a [Evidence],
    files: &'a [EvidenceFile],
    coverage: &'a [Coverage],
    limitations: &'a [String],
    complete: bool,
}

impl Inventory<'_> {
    fn of(report: &Report) -> Inventory<'_> {
        Inventory {
            schema: "mailtrail.inspect/1",
            tool: &report.tool,
            pseudonymized: report.pseudonymized.as_ref(),
            timezone: &report.timezone,
            lang: report.lang,
            tlp: &report.tlp,
            evidence: &report.evidence,
            files: &report.files,
            coverage: &report.coverage,
            limitations: &report.limitations,
            complete: report.complete,
        }
    }
}

/// Pretty JSON with a line feed at its end. Characters that would drive a terminal are written as `\u…`, which means the same.
fn write(value: &impl Serialize) -> String {
    // Fails only for maps whose keys are not strings and for a failing `Serialize`; the model has neither.
    let pretty = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\": {:?}}}", error.to_string()));
    let mut out = String::with_capacity(pretty.len() + 1);
    for c in pretty.chars() {
        if c != '\n' && is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
