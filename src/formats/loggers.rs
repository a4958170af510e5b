//! What loggers and clock daemons say of themselves: lost lines, starts and stops, clock steps.

use super::event::SystemEvent;
use super::scan;
use super::sink::{Fate, Sink};

/// A line of rsyslogd, syslogd, syslog-ng or the journal.
pub(super) fn logger<'a>(tag: &'a [u8], body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    if let Some(count) = lost(body) {
        return sink.system(SystemEvent::LinesLost { count });
    }
    // `[origin software="rsyslogd" …] start`; `rsyslogd was HUPed` is a rotation and loses nothing.
    if body.ends_with(b"] start") || body.starts_with(b"restart") || body.starts_with(b"syslog-ng starting up") {
        return sink.system(SystemEvent::Started { version: tag });
    }
    if scan::contains(body, b"exiting on signal") || body.starts_with(b"syslog-ng shutting down") || body.starts_with(b"Journal stopped") {
        return sink.system(SystemEvent::Stopped);
    }
    Fate::NO_FACT
}

/// `Some` if a logger says that it lost lines, with their number if it says so.
fn lost(body: &[u8]) -> Option<Option<u64>> {
    if let Some((head, _)) = scan::split(body, b" messages lost due to rate-limiting") {
        return Some(last_number(head));
    }
    if let Some(rest) = scan::after(body, b" lost ").filter(|rest| scan::contains(rest, b"rate-limiting")) {
        return Some(scan::number(rest).map(|(n, _)| n));
    }
    if let Some(rest) = body.strip_prefix(b"Suppressed ") {
        return scan::contains(rest, b" messages from").then(|| scan::number(rest).map(|(n, _)| n));
    }
    let unnumbered = [&b"begin to drop messages"[..], b"Missed ", b"dropped messages", b"message discarded"];
    unnumbered.iter().any(|words| scan::contains(body, words)).then_some(None)
}

fn last_number(text: &[u8]) -> Option<u64> {
    let word = text.rsplit(|b| *b == b' ').next()?;
    scan::number(word).map(|(n, _)| n)
}

/// A line of a daemon that keeps the clock.
pub(super) fn clock_daemon<'a>(body: &'a [u8], sink: &mut Sink<'_, 'a>) -> Fate {
    let words = [
        &b"clock was stepped"[..],
        b"time jump detected",
        b"time reset ",
        b"step time server",
        b"Time has been changed",
        b"clock wrong by",
    ];
    if words.iter().any(|words| scan::contains(body, words)) {
        return sink.system(SystemEvent::ClockStep { detail: body });
    }
    Fate::OTHER_PROGRAM
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::{kinds, tag};

    #[test]
    fn a_logger_that_lost_lines_says_how_many() {
        for (tag_text, body, count) in [
            ("rsyslogd", "imuxsock[pid 711]: begin to drop messages due to rate-limiting", None),
            ("rsyslogd", "imuxsock lost 123 messages from pid 711 due to rate-limiting", Some(123)),
            ("rsyslogd", "imjournal: 4567 messages lost due to rate-limiting (20000 allowed within 600 seconds)", Some(4567)),
            ("systemd-journald[9]", "Suppressed 89 messages from postfix.service", Some(89)),
        ] {
            assert_eq!(kinds(&tag(tag_text, body)), [Kind::System(SystemEvent::LinesLost { count })], "{body}");
        }
    }

    #[test]
    fn starts_stops_and_clock_steps_are_told_and_the_rest_is_not() {
        assert!(matches!(
            kinds(&tag("rsyslogd", r#"[origin software="rsyslogd" x-pid="1"] start"#))[0],
            Kind::System(SystemEvent::Started { .. })
        ));
        assert!(matches!(
            kinds(&tag("rsyslogd", r#"[origin software="rsyslogd"] exiting on signal 15."#))[0],
            Kind::System(SystemEvent::Stopped)
        ));
        assert!(matches!(
            kinds(&tag("chronyd[9]", "System clock was stepped by -3599.99 seconds"))[0],
            Kind::System(SystemEvent::ClockStep { .. })
        ));
        assert!(kinds(&tag("rsyslogd", r#"[origin software="rsyslogd"] rsyslogd was HUPed"#)).is_empty());
        assert!(kinds(&tag("systemd[1]", "Started Session 4 of user root.")).is_empty());
    }
}
