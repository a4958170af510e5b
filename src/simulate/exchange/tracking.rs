//! Rows of message tracking.

use super::columns::{Kind, build};
use super::server::Server;
use super::text::{put_cell, put_stamp};
use crate::simulate::put::Put;
use crate::simulate::request::Columns;

/// What a row says; what it leaves out is an empty cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Row<'a> {
    pub(super) client_ip: &'a str,
    pub(super) client: &'a str,
    pub(super) server_ip: &'a str,
    pub(super) server: &'a str,
    pub(super) context: &'a str,
    pub(super) connector: &'a str,
    pub(super) source: &'a str,
    pub(super) event: &'a str,
    pub(super) related: &'a str,
    pub(super) reference: &'a str,
    /// Addresses and their statuses, joined.
    pub(super) recipients: &'a str,
    pub(super) status: &'a str,
    pub(super) count: usize,
    pub(super) info: &'a str,
    pub(super) original_server_ip: &'a str,
    pub(super) custom: &'a str,
}

/// What all rows of one message say alike.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// The message's number on the server that writes.
    pub(super) number: u64,
    pub(super) message_id: String,
    pub(super) network_id: String,
    pub(super) subject: String,
    pub(super) sender: String,
    pub(super) return_path: String,
    pub(super) size: u64,
    /// `Originating` or `Incoming`.
    pub(super) direction: &'static str,
    pub(super) original_ip: String,
}

impl Server {
    /// Writes a row of tracking.
    pub(super) fn track(&mut self, kind: Kind, at: i64, head: &Head, row: &Row<'_>) {
        let mut out = Vec::with_capacity(640);
        put_stamp(&mut out, at);
        let number = if head.number == 0 { String::new() } else { head.number.to_string() };
        let (size, count) = (head.size.to_string(), row.count.to_string());
        let before = [
            row.client_ip,
            row.client,
            row.server_ip,
            row.server,
            row.context,
            row.connector,
            row.source,
            row.event,
            &number,
            &head.message_id,
            &head.network_id,
            row.recipients,
            row.status,
            &size,
            &count,
            row.related,
            row.reference,
            &head.subject,
            &head.sender,
            &head.return_path,
            row.info,
            head.direction,
            "",
            &head.original_ip,
            row.original_server_ip,
            row.custom,
        ];
        for cell in before {
            out.push(b',');
            put_cell(&mut out, cell);
        }
        if self.columns == Columns::New {
            let number = self.next_row();
            let log_id = format!("7c1e9a40-5b2d-4f6e-a{:03x}-{:012x}", number >> 48, number & 0xffff_ffff_ffff);
            out.text(",Email,").text(&log_id).text(",").text(build(self.columns));
        }
        self.row(kind, at, out);
    }
}

/// Joins the members of a collection; one that holds a separator or a quote is wrapped in single quotes.
pub(super) fn joined<'a>(members: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for (number, member) in members.into_iter().enumerate() {
        if number > 0 {
            all.push(';');
        }
        if member.contains([';', '\'']) && !member.starts_with("[{") {
            all.push('\'');
            all.push_str(&member.replace('\'', "''"));
            all.push('\'');
        } else {
            all.push_str(member);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_a_separator_or_a_quote_are_wrapped() {
        assert_eq!(joined(["a@x.test", "o'brien@x.test"]), "a@x.test;'o''brien@x.test'");
        assert_eq!(joined(["S:A=b;c"]), "'S:A=b;c'");
        assert_eq!(joined(["[{LED=550 5.1.1 x};{MSG=}]"]), "[{LED=550 5.1.1 x};{MSG=}]");
    }
}
