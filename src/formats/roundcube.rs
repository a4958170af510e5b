//! Roundcube: logins to the webmail in its `userlogins.log`, and who sent which message in its `sendmail.log`; or both through syslog.

use super::batch::{Batch, Ignored, Malformed};
use super::clock::{Clock, Scouted};
use super::event::{LoginEvent, LoginResult, Protocol, WebSendEvent};
use super::reader::Reader;
use super::scan;
use super::sink::{Fate, Sink};
use super::syslog::daemon::Daemon;
use super::syslog::envelope::Rest;
use super::syslog::stamp::{self, Stamp};
use super::{Chunk, Format, Framing};

/// `[31-Oct-2022 16:01:02 +0100]: <session> Successful login for U (ID: 1) from 192.0.2.7 in session …`
pub(super) const FORMAT: Format = Format {
    id: "roundcube.userlogins",
    system: "roundcube",
    title: "Roundcube login and sending logs",
    framing: Framing::Lines,
    sniff,
    parse,
    scout,
};

fn split(line: &[u8]) -> Option<(Stamp, &[u8])> {
    let (stamp, rest) = scan::split(line.strip_prefix(b"[")?, b"]: ")?;
    Some((stamp::day_first(stamp)?, rest))
}

/// Whether the text after the stamp is Roundcube's and not another PHP program's.
fn is_known(text: &[u8]) -> bool {
    let text = without_session(text);
    [&b"Successful login for "[..], b"Failed login for ", b"User "].iter().any(|start| text.starts_with(start))
}

fn sniff(head: &[u8]) -> u8 {
    let mut known = 0;
    let mut lines = 0;
    scan::each_line(head.get(..head.len().min(1 << 16)).unwrap_or(head), |_, line| {
        lines += u32::from(!line.is_empty());
        known += u32::from(split(line).is_some_and(|(_, text)| is_known(text)));
    });
    if known * 2 > lines { 90 } else { 0 }
}

fn parse<'a>(chunk: Chunk<'a>, clock: &mut Clock, out: &mut Batch<'a>) {
    let mut reader = Reader::new(chunk, clock, out);
    scan::each_line(chunk.bytes, |number, line| match split(line) {
        Some((stamp, body)) => {
            let reading = reader.instant(number, stamp);
            reader.record(number, reading, Rest { host: b"", tag: b"", pid: 0, body }, Some(Daemon::Roundcube));
        }
        None if line.is_empty() => reader.settle(number, Fate::Ignored(Ignored::Empty)),
        None => reader.unreadable(number, line, Malformed::NoTime),
    });
    reader.finish();
}

fn scout(bytes: &[u8]) -> Scouted {
    let mut found = Scouted::default();
    scan::each_line(bytes, |_, line| {
        found.lines += 1;
        if let Some((stamp, _)) = split(line) {
            found.readable += 1;
            if let (Stamp::Absolute(at), None) = (stamp, found.first_absolute) {
                found.first_absolute = Some(at);
            }
        }
    });
    found
}

fn without_session(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"<").and_then(|inner| scan::split(inner, b"> ")) {
        Some((session, rest)) if session.len() <= 64 => rest,
        _ => text,
    }
}

/// Reads one body.
pub(super) fn body<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let text = without_session(body);
    let (result, rest) = if let Some(rest) = text.strip_prefix(b"Successful login for ") {
        (LoginResult::Success, rest)
    } else if let Some(rest) = text.strip_prefix(b"Failed login for ") {
        (LoginResult::Failure { attempts: 1 }, rest)
    } else {
        return sent(text).map_or(Fate::NO_FACT, |event| sink.web_send(event));
    };
    // The name is a stranger's text; the address is looked for from the end.
    let (head, session) = scan::split_last(rest, b" in session ").unwrap_or((rest, b""));
    let Some((name, address)) = scan::split_last(head, b" from ") else { return Fate::BAD_BODY };
    let name = scan::split_last(name, b" (ID: ").map_or(name, |(name, _)| name);
    let address = connected(address);
    let (session, detail) = scan::split(session, b" (error: ").unwrap_or((session, b""));
    sink.login(LoginEvent {
        protocol: Protocol::Webmail,
        account: scan::non_empty(name),
        address: scan::non_empty(address),
        result,
        mechanism: None,
        session: scan::non_empty(session),
        detail: detail.strip_suffix(b")").unwrap_or(detail),
        client: None,
        user_agent: None,
        provider: None,
        passed_on: false,
    })
}

/// Of `203.0.113.4(X-Forwarded-For: 192.0.2.7)` the address that connected: the rest is what a client says, or a proxy before it.
fn connected(address: &[u8]) -> &[u8] {
    scan::plain_address(scan::until(scan::until(address, b"("), b" "))
}

/// `User U [192.0.2.7]; Message <id> for a@x.example, …; 250: 2.0.0 Ok: queued as QID`. Older versions give no `<id>`.
fn sent(text: &[u8]) -> Option<WebSendEvent<'_>> {
    let (head, rest) = scan::split(text.strip_prefix(b"User ")?, b"]; Message ")?;
    let (account, address) = scan::split_last(head, b" [")?;
    let message_id = if rest.starts_with(b"<") { rest.get(..=scan::find(rest, b">")?)? } else { b"" };
    // Recipients are a stranger's text and stand before the reply.
    let reply = scan::split_last(rest, b"; ").map_or(&b""[..], |(_, reply)| reply);
    let queue_id = scan::after(reply, b"queued as ").map_or(&b""[..], |id| scan::until(id, b" "));
    let told = !account.is_empty() && (message_id.len() > 2 || !queue_id.is_empty());
    told.then_some(WebSendEvent { account, address: connected(address), message_id, queue_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds_of, parse_whole};

    const LOG: &str = "[31-Oct-2022 16:01:02 +0100]: <a1b2c3d4> Successful login for suzuki (ID: 7) from 192.0.2.7 in session a1b2c3d4e5\n\
                       [31-Oct-2022 16:01:09 +0100]: <a1b2c3d5> Failed login for x from y from 192.0.2.8 in session a1b2c3d5e5 (error: 0)\n\
                       [31-Oct-2022 16:02:09 +0100]: <a1b2c3d4> User suzuki [192.0.2.7]; Message <m@u.example> for a@x.example; 250: 2.0.0 Ok: queued as 1E240200F1\n";

    #[test]
    fn webmail_logins_and_failures_are_read_with_their_offset() {
        assert!(sniff(LOG.as_bytes()) > 80);
        let found = kinds_of(&FORMAT, LOG);
        let [Kind::Login(good), Kind::Login(bad), Kind::WebSend(sent)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((good.account, good.address, good.session), (Some(&b"suzuki"[..]), Some(&b"192.0.2.7"[..]), Some(&b"a1b2c3d4e5"[..])));
        assert_eq!(
            (bad.account, bad.address, bad.result),
            (Some(&b"x from y"[..]), Some(&b"192.0.2.8"[..]), LoginResult::Failure { attempts: 1 })
        );
        assert_eq!(
            *sent,
            WebSendEvent { account: b"suzuki", address: b"192.0.2.7", message_id: b"<m@u.example>", queue_id: b"1E240200F1" }
        );
        let scratch = bumpalo::Bump::new();
        let batch = parse_whole(&FORMAT, LOG.as_bytes(), &scratch);
        assert_eq!((batch.ledger.total, batch.ledger.used, batch.ledger.malformed), (3, 3, 0));
        assert_eq!(batch.first.unwrap().seconds(), 1_667_228_462);
    }

    #[test]
    fn of_a_message_that_was_sent_the_line_tells_what_its_version_and_its_server_say() {
        let told = |line: &str| {
            let line = format!("[31-Oct-2022 16:02:09 +0100]: {line}\n");
            let found = kinds_of(&FORMAT, &line);
            let [Kind::WebSend(sent)] = &found[..] else { return None };
            let show = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            Some([sent.account, sent.address, sent.message_id, sent.queue_id].map(show).join(" "))
        };
        let truth = |fields: &str| Some(fields.to_owned());
        // An older version, behind a proxy, and by a server that names no queue id.
        let old = "User suzuki [192.0.2.7]; Message for a@x.example; 250: 2.0.0 Ok: queued as 1E240200F1";
        assert_eq!(told(old), truth("suzuki 192.0.2.7  1E240200F1"));
        let proxied = "User suzuki [192.0.2.7(X-Forwarded-For: 198.51.100.7)]; Message <m@u.example> for a@x.example, b@x.example; 250: Ok";
        assert_eq!(told(proxied), truth("suzuki 192.0.2.7 <m@u.example> "));
        // A recipient that looks like a reply, and a line that tells neither id.
        let hostile = "User suzuki [192.0.2.7]; Message <m@u.example> for \"queued as 1A2B3C4D5E \"@x.example; 250: Ok";
        assert_eq!(told(hostile), truth("suzuki 192.0.2.7 <m@u.example> "));
        assert_eq!(told("User suzuki [192.0.2.7]; Message for a@x.example; 250: Ok"), None);
    }
}
