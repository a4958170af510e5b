//! What stands before the text of a line: time, host, program and process, in each of the shapes a mail log comes in.

use crate::domain::time::{SECOND, Timestamp, Zone};
use crate::simulate::put::Put;
use crate::simulate::request::Envelope;
use chrono::{DateTime, Datelike, Timelike};

/// The programs that write lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Program {
    #[default]
    Smtpd,
    Submission,
    Smtps,
    Cleanup,
    Qmgr,
    Smtp,
    Lmtp,
    Error,
    Bounce,
    Anvil,
    Master,
    Script,
    Dovecot,
}

impl Program {
    pub(super) const COUNT: usize = 13;

    fn tag(self) -> &'static str {
        match self {
            Program::Smtpd => "postfix/smtpd",
            Program::Submission => "postfix/submission/smtpd",
            Program::Smtps => "postfix/smtps/smtpd",
            Program::Cleanup => "postfix/cleanup",
            Program::Qmgr => "postfix/qmgr",
            Program::Smtp => "postfix/smtp",
            Program::Lmtp => "postfix/lmtp",
            Program::Error => "postfix/error",
            Program::Bounce => "postfix/bounce",
            Program::Anvil => "postfix/anvil",
            Program::Master => "postfix/master",
            Program::Script => "postfix/postfix-script",
            Program::Dovecot => "dovecot",
        }
    }
}

/// Writes envelopes; keeps the text of the current second, as lines come in the order of time.
#[derive(Debug)]
pub(super) struct Stamper {
    envelope: Envelope,
    zone: Zone,
    host: &'static str,
    second: i64,
    /// The stamp up to the second, and for ISO forms the offset that ends it.
    stamp: Vec<u8>,
    offset: Vec<u8>,
    written: u64,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Stamper {
    pub(super) fn new(envelope: Envelope, zone: Zone, host: &'static str) -> Stamper {
        Stamper { envelope, zone, host, second: i64::MIN, stamp: Vec::new(), offset: Vec::new(), written: 0 }
    }

    /// Appends a whole line, its newline included. `pid` is left out for Dovecot, which opens syslog without it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, at: i64, program: Program, pid: u32, body: &[u8]) {
        if at.div_euclid(SECOND) != self.second {
            self.set_second(at.div_euclid(SECOND));
        }
        self.written += 1;
        match self.envelope {
            Envelope::Rfc3164 => {
                out.bytes(&self.stamp).text(self.host).text(" ");
                put_tag(out, program, pid);
                out.bytes(body);
            }
            Envelope::Iso => {
                self.put_iso(out, at);
                out.text(" ").text(self.host).text(" ");
                put_tag(out, program, pid);
                out.bytes(body);
            }
            Envelope::Rfc5424 => {
                out.text(if is_warning(body) { "<20>1 " } else { "<22>1 " });
                self.put_iso(out, at);
                out.text(" ").text(self.host).text(" ").text(program.tag()).text(" ");
                if program == Program::Dovecot {
                    out.text("-");
                } else {
                    out.number(u64::from(pid));
                }
                // The second blank was the first of the old-style message.
                out.text(" - -  ").bytes(body);
            }
            Envelope::JournalJson => self.put_json(out, at, program, pid, body),
        }
        out.push(b'\n');
    }

    fn put_iso(&self, out: &mut Vec<u8>, at: i64) {
        out.bytes(&self.stamp).text(".").padded(at.rem_euclid(SECOND) as u64, 6).bytes(&self.offset);
    }

    fn set_second(&mut self, second: i64) {
        self.second = second;
        let offset = self.zone.offset_at(Timestamp::from_seconds(second));
        let wall = DateTime::from_timestamp(second + i64::from(offset), 0).unwrap_or_default();
        let (hour, minute, second) = (u64::from(wall.hour()), u64::from(wall.minute()), u64::from(wall.second()));
        self.stamp.clear();
        self.offset.clear();
        if self.envelope == Envelope::Rfc3164 {
            self.stamp.text(MONTHS[wall.month0() as usize]).text(if wall.day() < 10 { "  " } else { " " });
            self.stamp.number(u64::from(wall.day())).text(" ");
        } else {
            self.stamp.padded(wall.year().unsigned_abs().into(), 4).text("-").padded(u64::from(wall.month()), 2);
            self.stamp.text("-").padded(u64::from(wall.day()), 2).text("T");
            let minutes = u64::from(offset.unsigned_abs()) / 60;
            self.offset.text(if offset < 0 { "-" } else { "+" }).padded(minutes / 60, 2).text(":").padded(minutes % 60, 2);
        }
        self.stamp.padded(hour, 2).text(":").padded(minute, 2).text(":").padded(second, 2);
        if self.envelope == Envelope::Rfc3164 {
            self.stamp.text(" ");
        }
    }

    fn put_json(&self, out: &mut Vec<u8>, at: i64, program: Program, pid: u32, body: &[u8]) {
        let tag = program.tag();
        let micros = at.max(0) as u64;
        let cursor = self.written;
        out.text("{\"__CURSOR\":\"s=5a1c0e6b8f4d4c2e9a7b3d2f1e0c9b8a;i=").hex(cursor, 1);
        out.text(";b=0f1e2d3c4b5a69788796a5b4c3d2e1f0;t=").hex(micros, 1).text("\",\"__REALTIME_TIMESTAMP\":\"").number(micros);
        out.text("\",\"_BOOT_ID\":\"0f1e2d3c4b5a69788796a5b4c3d2e1f0\",\"PRIORITY\":\"").text(if is_warning(body) { "4" } else { "6" });
        out.text("\",\"SYSLOG_FACILITY\":\"2\",\"SYSLOG_IDENTIFIER\":\"").text(tag);
        if program != Program::Dovecot {
            out.text("\",\"SYSLOG_PID\":\"").number(u64::from(pid));
            out.text("\",\"_PID\":\"").number(u64::from(pid));
        }
        out.text("\",\"_COMM\":\"").text(tag.rsplit('/').next().unwrap_or(tag));
        out.text("\",\"_TRANSPORT\":\"syslog\",\"_SYSTEMD_UNIT\":\"");
        out.text(if program == Program::Dovecot { "dovecot.service" } else { "postfix@-.service" });
        out.text("\",\"_SOURCE_REALTIME_TIMESTAMP\":\"").number(micros.saturating_sub(21));
        out.text("\",\"_HOSTNAME\":\"").text(self.host).text("\",\"MESSAGE\":\"");
        for &byte in body {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.text("\"}");
    }
}

fn put_tag(out: &mut Vec<u8>, program: Program, pid: u32) {
    out.text(program.tag());
    if program != Program::Dovecot {
        out.text("[").number(u64::from(pid)).text("]");
    }
    out.text(": ");
}

fn is_warning(body: &[u8]) -> bool {
    body.starts_with(b"warning: ") || body.starts_with(b"master: Warning: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(envelope: Envelope, program: Program) -> String {
        let mut out = Vec::new();
        let at = 1_667_286_062_123_456;
        Stamper::new(envelope, Zone::Fixed(32_400), "dept").write(&mut out, at, program, 712, b"4A: \"x\"");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_envelope_has_its_shape() {
        assert_eq!(line(Envelope::Rfc3164, Program::Submission), "Nov  1 16:01:02 dept postfix/submission/smtpd[712]: 4A: \"x\"\n");
        assert_eq!(line(Envelope::Iso, Program::Dovecot), "2022-11-01T16:01:02.123456+09:00 dept dovecot: 4A: \"x\"\n");
        assert_eq!(line(Envelope::Rfc5424, Program::Qmgr), "<22>1 2022-11-01T16:01:02.123456+09:00 dept postfix/qmgr 712 - -  4A: \"x\"\n");
    }

    #[test]
    fn the_journal_form_is_json_with_the_message_as_it_was() {
        let value: serde_json::Value = serde_json::from_str(&line(Envelope::JournalJson, Program::Qmgr)).unwrap();
        assert_eq!(value["MESSAGE"], "4A: \"x\"");
        assert_eq!(value["SYSLOG_IDENTIFIER"], "postfix/qmgr");
        assert_eq!(value["__REALTIME_TIMESTAMP"], "1667286062123456");
    }
}
