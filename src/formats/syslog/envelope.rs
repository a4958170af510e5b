//! The part of a syslog line before its text: priority, stamp, host, tag and process id, in every shape met in mail logs.
//!
//! Shapes may change in the middle of a file, so each line is judged by itself. Outer wrappers (container runtimes, compose, octet
//! counts) are taken off first.

use super::stamp::{self, Stamp};
use crate::formats::batch::Malformed;
use crate::formats::scan;
use memchr::memchr;

/// What stands before the text of a line, and the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Envelope<'a> {
    pub(in crate::formats) stamp: Stamp,
    /// How many bytes the stamp takes at the start of the line; 0 if something stands before it.
    pub(in crate::formats) stamp_length: usize,
    pub(in crate::formats) rest: Rest<'a>,
}

/// What follows the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct Rest<'a> {
    /// Empty where the line names no host.
    pub(in crate::formats) host: &'a [u8],
    /// Program with its instance and service labels, `postfix/submission/smtpd`.
    pub(in crate::formats) tag: &'a [u8],
    /// 0 if there is none or if it was cut.
    pub(in crate::formats) pid: u32,
    pub(in crate::formats) body: &'a [u8],
}

/// How often wrappers may be nested.
const WRAPPERS_MAX: u32 = 4;

/// Reads the envelope of a line.
pub(in crate::formats) fn read(line: &[u8]) -> Result<Envelope<'_>, Malformed> {
    read_within(line, WRAPPERS_MAX)
}

/// Reads the envelope of a line that may have this many wrappers: a hostile one has as many as fit into a line.
fn read_within(line: &[u8], depth: u32) -> Result<Envelope<'_>, Malformed> {
    match stamp::read(line) {
        Ok((stamp, after)) => after_stamp(line, stamp, after, depth),
        Err(Malformed::BadTime) => Err(Malformed::BadTime),
        Err(why) => dressed(line, depth).unwrap_or(Err(why)),
    }
}

fn after_stamp<'a>(line: &'a [u8], stamp: Stamp, after: &'a [u8], depth: u32) -> Result<Envelope<'a>, Malformed> {
    let stamp_length = line.len() - after.len();
    if let Some(depth) = depth.checked_sub(1)
        && let Some(inner) = container_text(after).or_else(|| stamped_again(stamp, after))
    {
        // The line inside a container runtime's line has a stamp of its own, or else the outer one is all there is.
        return read_within(inner, depth)
            .map(|envelope| Envelope { stamp: envelope.stamp.taken_in_at(stamp), stamp_length: 0, ..envelope })
            .or_else(|_| Ok(Envelope { stamp, stamp_length: 0, rest: tag_and_body(b"", inner) }));
    }
    rest(after).map(|rest| Envelope { stamp, stamp_length, rest })
}

/// Reads what follows the stamp in an RFC 3164 or ISO line.
pub(in crate::formats) fn rest(after: &[u8]) -> Result<Rest<'_>, Malformed> {
    let Some(text) = after.strip_prefix(b" ") else {
        // `Mar 11 09:39:39: --- last message repeated 5 times ---`
        let body = after.strip_prefix(b": ").ok_or(Malformed::NoTag)?;
        return Ok(Rest { host: b"", tag: b"", pid: 0, body });
    };
    // FreeBSD's `syslogd -v` puts `<mail.info>` before the host.
    let text = match text.strip_prefix(b"<").and_then(|t| scan::split(t, b"> ")) {
        Some((priority, rest)) if priority.len() < 24 => rest,
        _ => text,
    };
    let Some((token, text_after)) = scan::split_byte(text, b' ') else {
        return if text.is_empty() { Err(Malformed::NoTag) } else { Ok(tag_and_body(b"", text)) };
    };
    if token.ends_with(b":") || token.ends_with(b"]") {
        return Ok(tag_and_body(b"", text));
    }
    Ok(after_host(last_hop(token), text_after))
}

/// Reads what follows the host and its blank.
pub(in crate::formats) fn after_host<'a>(host: &'a [u8], text: &'a [u8]) -> Rest<'a> {
    tag_and_body(host, without_facility(text))
}

/// Reads `tag[pid]: body`. A tag cut at 32 bytes may lack the colon, the bracket and digits of the process id.
fn tag_and_body<'a>(host: &'a [u8], text: &'a [u8]) -> Rest<'a> {
    let end = scan::first_of(text, [b'[', b':', b' ']).unwrap_or(text.len());
    let tag = text.get(..end).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let body_of = |rest: &'a [u8]| without_solaris_id(scan::trim_start(rest.strip_prefix(b":").unwrap_or(rest)));
    let Some(bracket) = after.strip_prefix(b"[") else {
        return if after.starts_with(b":") || tag.is_empty() {
            Rest { host, tag, pid: 0, body: body_of(after) }
        } else {
            // No colon: a logger without tags (`last message repeated`, `-- MARK --`), or a tag followed by a blank.
            Rest { host, tag: b"", pid: 0, body: text }
        };
    };
    match scan::number(bracket) {
        Some((pid, rest)) => {
            let whole = rest.strip_prefix(b"]");
            let pid = if whole.is_some() { u32::try_from(pid).unwrap_or(0) } else { 0 };
            Rest { host, tag, pid, body: body_of(whole.unwrap_or(rest)) }
        }
        None => {
            // `tag[name]: body`
            let rest = memchr(b']', bracket).and_then(|at| bracket.get(at + 1..)).unwrap_or(bracket);
            Rest { host, tag, pid: 0, body: body_of(rest) }
        }
    }
}

/// Solaris puts `[ID 197553 mail.info] ` before the text.
fn without_solaris_id(body: &[u8]) -> &[u8] {
    match body.strip_prefix(b"[ID ") {
        Some(rest) => scan::split(rest, b"] ").map_or(body, |(_, text)| text),
        None => body,
    }
}

/// syslog-ng chains host names as `relay/host`; the last one wrote the line.
fn last_hop(host: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', host).and_then(|at| host.get(at + 1..)).unwrap_or(host)
}

/// Takes `mail.info ` off, which busybox writes between host and tag.
fn without_facility(text: &[u8]) -> &[u8] {
    // Most lines are Postfix's, whose tag no facility begins like.
    if text.first() == Some(&b'p') {
        return text;
    }
    scan::split_byte(text, b' ').filter(|(word, _)| is_facility(word)).map_or(text, |(_, rest)| rest)
}

fn is_facility(word: &[u8]) -> bool {
    let Some((facility, level)) = scan::split_byte(word, b'.') else { return false };
    let known = matches!(facility, b"mail" | b"auth" | b"authpriv" | b"daemon" | b"user" | b"syslog" | b"kern" | b"cron")
        || facility.starts_with(b"local") && facility.len() == 6;
    known && !level.is_empty() && level.iter().all(u8::is_ascii_lowercase)
}

/// The text behind `stdout F ` of a container runtime's line.
pub(in crate::formats) fn container_text(after: &[u8]) -> Option<&[u8]> {
    [&b" stdout F "[..], b" stderr F ", b" stdout P ", b" stderr P "].iter().find_map(|mark| after.strip_prefix(*mark))
}

/// The line behind a stamp that somebody put before it who knew the instant (`docker logs -t`): no host is called like a month and followed
/// by a day and a time.
fn stamped_again(stamp: Stamp, after: &[u8]) -> Option<&[u8]> {
    let inner = after.strip_prefix(b" ").filter(|inner| inner.first().is_some_and(u8::is_ascii_uppercase))?;
    let again = matches!((stamp, stamp::read(inner)), (Stamp::Absolute(_), Ok((Stamp::Yearless(_), _))));
    again.then_some(inner)
}

/// A line that begins with something else than its stamp: a priority, RFC 5424, an octet count, a compose or pod prefix.
fn dressed(line: &[u8], depth: u32) -> Option<Result<Envelope<'_>, Malformed>> {
    let depth = depth.checked_sub(1)?;
    let inner = match line.first()? {
        b'<' => {
            let (_, rest) = scan::number(line.get(1..)?)?;
            let rest = rest.strip_prefix(b">")?;
            if rest.first()?.is_ascii_digit() && rest.get(1) == Some(&b' ') {
                return Some(rfc5424(rest.get(2..)?));
            }
            scan::trim_start(rest)
        }
        b'0'..=b'9' => scan::number(line)?.1.strip_prefix(b" ").filter(|rest| rest.starts_with(b"<"))?,
        b'\xef' => line.strip_prefix(b"\xef\xbb\xbf")?,
        // `kubectl logs --prefix`
        b'[' => scan::split(line.strip_prefix(b"[pod/")?, b"] ")?.1,
        _ => {
            let head = line.get(..line.len().min(64))?;
            let (name, _) = scan::split(head, b" | ").or_else(|| scan::split(head, b"| "))?;
            let at = line.get(name.len()..)?;
            scan::trim_start(at.strip_prefix(b" | ").or_else(|| at.strip_prefix(b"| "))?)
        }
    };
    Some(match stamp::read(inner) {
        Ok((stamp, after)) => after_stamp(inner, stamp, after, depth).map(|envelope| Envelope { stamp_length: 0, ..envelope }),
        Err(Malformed::BadTime) => Err(Malformed::BadTime),
        Err(why) => dressed(inner, depth).unwrap_or(Err(why)),
    })
}

/// `2022-10-31T16:01:02.1+01:00 host app pid msgid sd msg`, what follows the version.
fn rfc5424(text: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let (stamp, after) = stamp::read(text)?;
    let mut fields = after.strip_prefix(b" ").ok_or(Malformed::NoTag)?;
    let mut field = || {
        let (field, rest) = scan::split_byte(fields, b' ').unwrap_or((fields, b""));
        fields = rest;
        if field == b"-" { &b""[..] } else { field }
    };
    let (host, tag, pid, _msgid) = (field(), field(), field(), field());
    if host.is_empty() && tag.is_empty() && fields.is_empty() {
        return Err(Malformed::NoTag);
    }
    let body = after_structured_data(fields);
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let pid = scan::number(pid).filter(|(_, rest)| rest.is_empty()).and_then(|(n, _)| u32::try_from(n).ok()).unwrap_or(0);
    Ok(Envelope { stamp, stamp_length: 0, rest: Rest { host: last_hop(host), tag, pid, body: scan::trim_start(body) } })
}

/// Steps over `-` or `[id k="v" …][…]`, whose values escape `"`, `\` and `]`.
fn after_structured_data(text: &[u8]) -> &[u8] {
    if let Some(rest) = text.strip_prefix(b"-") {
        return scan::trim_start(rest);
    }
    let mut at = 0;
    let mut quoted = false;
    let mut inside = false;
    while let Some(b) = text.get(at) {
        match (b, quoted, inside) {
            (b'\\', true, _) => at += 1,
            (b'"', _, true) => quoted = !quoted,
            (b'[', false, false) => inside = true,
            (b']', false, true) => inside = false,
            (_, _, false) => break,
            _ => {}
        }
        at += 1;
    }
    scan::trim_start(text.get(at..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, String, u32, String) {
        let rest = read(line.as_bytes()).unwrap().rest;
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (text(rest.host), text(rest.tag), rest.pid, text(rest.body))
    }

    fn smtpd(host: &str) -> (String, String, u32, String) {
        (host.to_owned(), "postfix/smtpd".to_owned(), 123, "connect from a[192.0.2.1]".to_owned())
    }

    #[test]
    fn a_line_of_nothing_but_wrappers_ends() {
        for wrapper in ["2024-05-01T10:00:00Z stdout F ", "2024-05-01T10:00:00Z May  1 10:00:00 stdout F ", "a | ", "<22>", "[pod/a/b] "] {
            // No program is to be found in it; what matters is that the search ends.
            let line = wrapper.repeat(40_000);
            assert!(read(line.as_bytes()).map_or(0, |envelope| envelope.rest.pid) == 0, "{wrapper}");
        }
    }

    #[test]
    fn a_runtimes_stamp_decides_year_and_zone_of_the_line_inside() {
        let body = "mx1 postfix/smtpd[123]: connect from a[192.0.2.1]";
        let instant = |line: &str| {
            let envelope = read(line.as_bytes()).unwrap();
            assert_eq!((envelope.rest.host, envelope.stamp_length), (&b"mx1"[..], 0), "{line}");
            match envelope.stamp {
                Stamp::Absolute(at) => crate::domain::time::Zone::UTC.stamp(at).to_string(),
                other => format!("{other:?}"),
            }
        };
        for (outer, inner, told) in [
            ("2024-05-01T10:00:00.123456789Z", "May  1 10:00:00", "2024-05-01T10:00:00+00:00"),
            ("2024-05-01T10:00:01.1Z", "May  1 19:00:00", "2024-05-01T10:00:00+00:00"),
            ("2024-05-01T10:00:01.1Z", "May  1 15:30:00", "2024-05-01T10:00:00+00:00"),
            ("2024-05-01T10:00:00.1Z", "Apr 30 22:00:00", "2024-05-01T10:00:00+00:00"),
            ("2024-12-31T15:30:00.1Z", "Jan  1 00:30:00", "2024-12-31T15:30:00+00:00"),
            ("2024-05-01T19:00:00.1+09:00", "May  1 10:00:00", "2024-05-01T10:00:00+00:00"),
        ] {
            for between in ["stdout F ", ""] {
                for before in ["", "postfix-1  | ", "[pod/postfix-0/postfix] "] {
                    assert_eq!(instant(&format!("{before}{outer} {between}{inner} {body}")), told);
                }
            }
        }
        // Old lines that were printed again keep their time, in the year that lies nearest.
        assert!(instant(&format!("2024-05-01T10:00:00Z stdout F Apr  3 10:00:00 {body}")).starts_with("Local(2024"));
        // A host may be called like a month.
        assert_eq!(parts("2024-05-01T10:00:00+00:00 May postfix/smtpd[123]: connect from a[192.0.2.1]"), smtpd("May"));
    }

    #[test]
    fn every_shape_of_envelope_gives_host_tag_pid_and_body() {
        let body = "postfix/smtpd[123]: connect from a[192.0.2.1]";
        for line in [
            format!("Oct 31 16:01:02 mx1 {body}"),
            format!("Oct 31 16:01:02.123456 mx1 {body}"),
            format!("2022-10-31T16:01:02.123456+01:00 mx1 {body}"),
            format!("<22>Oct 31 16:01:02 mx1 {body}"),
            format!("<22>2022-10-31T16:01:02+01:00 mx1 {body}"),
            format!("Mon 2022-10-31 17:01:02 CET mx1 {body}"),
            format!("1667232062.123400 mx1 {body}"),
            format!("Oct 31 16:01:02 <mail.info> mx1 {body}"),
            format!("Oct 31 16:01:02 mx1 mail.info {body}"),
            format!("Oct 31 16:01:02 relay1/mx1 {body}"),
            "Oct 31 16:01:02 mx1 postfix/smtpd[123]: [ID 197553 mail.info] connect from a[192.0.2.1]".to_owned(),
            format!("2022-10-31T15:01:02.5Z stdout F Oct 31 16:01:02 mx1 {body}"),
            format!("postfix-1  | Oct 31 16:01:02 mx1 {body}"),
            "<22>1 2022-10-31T16:01:02.1+01:00 mx1 postfix/smtpd 123 - - connect from a[192.0.2.1]".to_owned(),
            "<22>1 2022-10-31T16:01:02.1+01:00 mx1 postfix/smtpd 123 - -  connect from a[192.0.2.1]".to_owned(),
            r#"143 <22>1 2022-10-31T16:01:02Z mx1 postfix/smtpd 123 - [m@1 k="a\"]b"][n@1 z="1"] connect from a[192.0.2.1]"#.to_owned(),
        ] {
            assert_eq!(parts(&line), smtpd("mx1"), "{line}");
        }
    }

    #[test]
    fn a_line_without_a_host_keeps_its_tag() {
        assert_eq!(parts("Oct 31 16:01:02 postfix/smtpd[123]: connect from a[192.0.2.1]"), smtpd(""));
        assert_eq!(parts("2022-10-31T16:01:02Z stdout F postfix/smtpd[123]: connect from a[192.0.2.1]"), smtpd(""));
    }

    #[test]
    fn trap_14_a_tag_cut_at_32_bytes_still_names_the_program_but_no_process() {
        for (line, pid) in [
            ("Oct 31 16:01:02 mx1 postfix/submission/smtpd[12345]: connect", 12345),
            ("Oct 31 16:01:02 mx1 postfix/submission/smtpd[123456] connect", 123_456),
            ("Oct 31 16:01:02 mx1 postfix/submission/smtpd[1234567 connect", 0),
        ] {
            assert_eq!(parts(line), ("mx1".into(), "postfix/submission/smtpd".into(), pid, "connect".into()), "{line}");
        }
    }

    #[test]
    fn loggers_without_a_tag_keep_their_words() {
        assert_eq!(parts("Oct 31 16:01:02 mx1 last message repeated 3 times").3, "last message repeated 3 times");
        assert_eq!(parts("Oct 31 16:01:02 mx1 -- MARK --").3, "-- MARK --");
        assert_eq!(parts("Oct 31 16:01:02 mx1 dovecot: imap-login: Login: x").1, "dovecot");
        assert_eq!(parts("Oct 31 16:01:02: --- last message repeated 5 times ---").3, "--- last message repeated 5 times ---");
    }
}
