//! Log files that Dovecot and rspamd write themselves: a stamp and the text, no host and no tag.

use super::batch::{Batch, Ignored, Malformed};
use super::clock::{Clock, Scouted};
use super::reader::Reader;
use super::sink::Fate;
use super::syslog::daemon::Daemon;
use super::syslog::envelope::Rest;
use super::syslog::{self, stamp};
use super::{Chunk, Format, Framing, dovecot, rspamd, scan};

/// `Oct 31 16:01:02 imap-login: Info: Login: user=<…>, …`
pub(super) const DOVECOT: Format = Format {
    id: "dovecot.log",
    system: "dovecot",
    title: "Dovecot's own log file",
    framing: Framing::Lines,
    sniff: |head| sniff(head, dovecot::is_own_line),
    parse: |chunk, clock, out| parse(chunk, clock, out, Daemon::Dovecot),
    scout,
};

/// `2022-10-31 16:01:02 #123(rspamd_proxy) <a1b2c3>; task; rspamd_task_write_log: …`
pub(super) const RSPAMD: Format = Format {
    id: "rspamd.log",
    system: "rspamd",
    title: "rspamd's own log file",
    framing: Framing::Lines,
    sniff: |head| sniff(head, rspamd::is_own_line),
    parse: |chunk, clock, out| parse(chunk, clock, out, Daemon::Rspamd),
    scout,
};

fn sniff(head: &[u8], is_own_line: fn(&[u8]) -> bool) -> u8 {
    let mut lines = 0;
    let mut own = 0;
    scan::each_line(head.get(..head.len().min(1 << 16)).unwrap_or(head), |_, line| {
        lines += u32::from(!line.is_empty());
        let text = stamp::read(line).ok().and_then(|(_, rest)| rest.strip_prefix(b" "));
        own += u32::from(text.is_some_and(is_own_line));
    });
    if own * 2 > lines { 96 } else { 0 }
}

fn parse<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>, daemon: Daemon) {
    let mut reader = Reader::new(chunk, clock, out);
    scan::each_line(chunk.bytes, |number, line| match stamp::read(line) {
        Ok((stamp, rest)) => {
            let reading = reader.instant(number, stamp);
            reader.record(number, reading, Rest { host: b"", tag: b"", pid: 0, body: scan::trim_start(rest) }, Some(daemon));
        }
        Err(_) if line.is_empty() => reader.settle(number, Fate::Ignored(Ignored::Empty)),
        // The rest of an entry over several lines.
        Err(Malformed::NoTime) if matches!(line.first(), Some(b' ' | b'\t')) => reader.settle(number, Fate::Ignored(Ignored::Framing)),
        Err(why) => reader.unreadable(number, line, why),
    });
    reader.finish();
}

fn scout(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    scan::each_line(bytes, |_, line| {
        found.lines += 1;
        if let Ok((stamp, _)) = stamp::read(line) {
            found.readable += 1;
            syslog::note_stamp(&mut found, stamp);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::kinds_of;

    const LOG: &str = "Oct 31 16:01:00 master: Info: Dovecot v2.3.19.1 (9b53102964) starting up for imap\n\
                       Oct 31 16:01:02 imap-login: Info: Login: user=<suzuki>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.25, mpid=1, TLS, session=<SiGdu>\n\
                       Oct 31 16:01:09 imap(a b)<1><SiGdu>: Info: Disconnected: Logged out in=32 out=781\n";

    #[test]
    fn dovecots_own_file_is_known_and_read() {
        assert!((DOVECOT.sniff)(LOG.as_bytes()) > (syslog::FORMAT.sniff)(LOG.as_bytes()));
        let found = kinds_of(&DOVECOT, LOG);
        let [Kind::System(_), Kind::Login(login), Kind::Mailbox(mailbox)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((login.account, mailbox.account), (Some(&b"suzuki"[..]), Some(&b"a b"[..])));
    }

    #[test]
    fn rspamds_own_file_is_known_and_read() {
        let line = "2022-10-31 16:01:02 #123(rspamd_proxy) <a1b2c3>; task; rspamd_task_write_log: id: <m@x>, qid: <1E240200F1>, ip: 192.0.2.7, user: suzuki, from: <s@u.example>, (default: F (no action): [0.1/15.00] []), len: 9, rcpts: <a@x.example>, mime_rcpts: <a@x.example>\n";
        assert!((RSPAMD.sniff)(line.as_bytes()) > 90);
        assert!(matches!(kinds_of(&RSPAMD, line)[..], [Kind::Queue { id: b"1E240200F1", .. }]));
    }
}
