//! Rows of the SMTP receive protocol: sessions of clients with the front end, and of the front end with the hub.

use super::columns::Kind;
use super::server::Server;
use super::text::{mail_date, put_cell, put_stamp};
use crate::domain::time::Zone;
use crate::simulate::put::Put;

/// One SMTP session as one log tells it.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    kind: Kind,
    connector: String,
    pub(super) id: String,
    local: String,
    remote: String,
    next: u32,
}

impl Wire {
    pub(super) fn new(server: &mut Server, kind: Kind, connector: &str, port: u16, remote: String) -> Wire {
        let connector = format!("{}\\{connector} {}", server.place.name, server.place.name);
        let local = format!("{}:{port}", server.place.ip);
        Wire { kind, connector, id: server.session(), local, remote, next: 0 }
    }

    /// Writes a row; `event` is `+`, `-`, `>`, `<` or `*`.
    pub(super) fn tell(&mut self, server: &mut Server, at: i64, event: char, data: &str, context: &str) {
        let mut out = Vec::with_capacity(160);
        put_stamp(&mut out, at);
        out.text(",").text(&self.connector).text(",").text(&self.id).text(",").number(u64::from(self.next)).text(",");
        out.text(&self.local).text(",").text(&self.remote).text(",");
        out.push(event as u8);
        out.push(b',');
        put_cell(&mut out, data);
        out.push(b',');
        put_cell(&mut out, context);
        self.next += 1;
        server.row(self.kind, at, out);
    }

    pub(super) fn received(&mut self, server: &mut Server, at: i64, command: &str) {
        self.tell(server, at, '<', command, "");
    }

    pub(super) fn sent(&mut self, server: &mut Server, at: i64, reply: &str) {
        self.tell(server, at, '>', reply, "");
    }

    /// The connection, the greeting and the first EHLO.
    pub(super) fn greet(&mut self, server: &mut Server, zone: Zone, at: i64, helo: &str, ip: &str, features: &str) {
        self.tell(server, at, '+', "", "");
        let fqdn = server.place.fqdn;
        self.sent(server, at + 2_000, &format!("220 {fqdn} Microsoft ESMTP MAIL Service ready at {}", mail_date(at, zone)));
        self.hello(server, at + 21_000, helo, ip, features);
    }

    /// EHLO and its answer, joined into one row as since 2013.
    pub(super) fn hello(&mut self, server: &mut Server, at: i64, helo: &str, ip: &str, features: &str) {
        self.received(server, at, &format!("EHLO {helo}"));
        let answer = format!("250  {} Hello [{ip}] SIZE 36700160 PIPELINING DSN ENHANCEDSTATUSCODES {features}", server.place.fqdn);
        self.sent(server, at + 1_000, &answer);
    }

    /// STARTTLS and what follows it.
    pub(super) fn encrypt(&mut self, server: &mut Server, at: i64) {
        self.received(server, at, "STARTTLS");
        self.sent(server, at + 1_000, "220 2.0.0 SMTP server ready");
        let fqdn = server.place.fqdn;
        let certificate = format!(
            " CN={fqdn} CN=Example Issuing CA, O=Example 4B1F9A07 6D2E1C0B9A8F7E6D5C4B3A29180F7E6D {fqdn} 2022-01-12T00:00:00.000Z 2024-01-12T00:00:00.000Z"
        );
        self.tell(server, at + 2_000, '*', &certificate, "Sending certificate");
        let negotiated = "TLS protocol SP_PROT_TLS1_2_SERVER negotiation succeeded using bulk encryption algorithm CALG_AES_256 with strength 256 bits, MAC hash algorithm CALG_SHA_384 with strength 0 bits and key exchange algorithm CALG_ECDHE with strength 255 bits";
        self.tell(server, at + 31_000, '*', "", negotiated);
    }

    /// The dialogue of AUTH LOGIN up to the decision.
    pub(super) fn authenticate(&mut self, server: &mut Server, at: i64) {
        self.received(server, at, "AUTH LOGIN");
        self.sent(server, at + 1_000, "334 <authentication response>");
        self.sent(server, at + 18_000, "334 <authentication response>");
    }
}
