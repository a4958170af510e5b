//! The work that is the same for every line-based format: one line after another, its instant, its host, its place in the ledger,
//! its fingerprint, and lines that only say that the line before them came again.

use super::batch::{Batch, Fingerprint, Ignored, Malformed, Repeated, SHARDS};
use super::clock::{Clock, Reading};
use super::event::SystemEvent;
use super::sink::{Fate, Sink};
use super::syslog::daemon::{self, Daemon};
use super::syslog::envelope::Rest;
use super::syslog::repeat::{self, Repeat};
use super::syslog::stamp::Stamp;
use super::{Chunk, amavis, cyrus, dovecot, journal, loggers, pmg, postfix, roundcube, rspamd, scan};
use std::hash::{BuildHasher, Hasher};

/// Bytes of log text per event, in logs of busy servers.
const EVENT_BYTES: usize = 120;

/// Seconds within which a line came again before a logger says so: ten minutes at the latest.
const REPEATING_MAX: i64 = 600;

/// Places for tags whose programs are remembered.
const TAGS: usize = 32;

/// Reads the records of one chunk.
pub(super) struct Reader<'r, 'a> {
    sink: Sink<'r, 'a>,
    clock: &'r mut Clock,
    chunk: Chunk<'a>,
    last_host: &'a [u8],
    last_host_hash: u64,
    last_host_full: u32,
    /// The programs of tags met before, each in the place its bytes choose: the lines of a mail server go round a dozen tags.
    tags: [(&'a [u8], Daemon); TAGS],
    /// The last record of each host that was not a repeat, with its second, by host index: what `last message repeated` speaks of.
    previous: Vec<Option<(Rest<'a>, i64)>>,
    /// Which of them is the last of all.
    last_slot: usize,
    /// The first half of a log entry that amavis cut in two.
    amavis: amavis::Pending<'a>,
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(chunk: Chunk<'a>, clock: &'r mut Clock, batch: &'r mut Batch<'a>) -> Reader<'r, 'a> {
        let nameless = batch.host(b"");
        // About as many events as such a piece gives, so that the vectors need not grow under way.
        let expected = chunk.bytes.len() / (EVENT_BYTES * SHARDS);
        batch.shards.iter_mut().for_each(|shard| shard.reserve(expected));
        let mut sink = Sink::new(batch);
        sink.host = nameless;
        Reader {
            sink,
            clock,
            chunk,
            last_host: b"",
            last_host_hash: host_hash(b""),
            last_host_full: 0,
            tags: [(b"", Daemon::Untagged); TAGS],
            previous: Vec::new(),
            last_slot: 0,
            amavis: amavis::Pending::default(),
        }
    }

    /// Puts a line into the ledger.
    pub(super) fn settle(&mut self, line: u32, fate: Fate) {
        let batch = &mut *self.sink.batch;
        batch.ledger.total += 1;
        match fate {
            Fate::Used => batch.used(),
            Fate::Ignored(why) => batch.ignored(why),
            Fate::Malformed(why) => batch.malformed(line, why),
        }
    }

    /// Ends the chunk; every line must have ended in exactly one place.
    pub(super) fn finish(self) {
        debug_assert!(self.sink.batch.ledger.adds_up());
    }

    /// Reads a stamp and notes what the clock noticed about it.
    pub(super) fn instant(&mut self, line: u32, stamp: Stamp) -> Reading {
        let reading = stamp.read(self.clock);
        self.sink.absolute = matches!(stamp, Stamp::Absolute(_));
        self.noticed(line, reading);
        reading
    }

    /// Counts what the clock noticed.
    pub(super) fn noticed(&mut self, line: u32, reading: Reading) {
        let batch = &mut *self.sink.batch;
        batch.ambiguous_times += u64::from(reading.ambiguous);
        batch.leap_days_moved += u64::from(reading.leap_day_moved);
        if reading.stepped_back {
            batch.clock_steps += 1;
            batch.first_clock_step.get_or_insert(line);
        }
    }

    /// Reads one record whose instant is known, and settles its line.
    pub(super) fn record(&mut self, line: u32, reading: Reading, rest: Rest<'a>, daemon: Option<Daemon>) {
        self.sink.at = reading.at;
        self.sink.line = line;
        self.sink.batch.saw(reading.at);
        self.set_host(rest.host);
        let fate = self.body(rest, daemon);
        if self.chunk.fingerprints {
            self.sink.batch.fingerprints.push(self.fingerprint(line, rest, fate == Fate::Used));
            self.repeated(line, rest, fate == Fate::Used);
        }
        self.settle(line, fate);
    }

    fn body(&mut self, rest: Rest<'a>, daemon: Option<Daemon>) -> Fate {
        let daemon = daemon.unwrap_or_else(|| self.identify(rest.tag));
        self.sink.times = 1;
        self.sink.pid = rest.pid;
        match repeat::read(rest.body, daemon) {
            None => {
                self.remember(rest);
                self.dispatch(rest, daemon, false)
            }
            Some(Repeat::Quoted { times, body }) => {
                self.sink.times = times;
                self.dispatch(Rest { body, ..rest }, daemon, true)
            }
            Some(Repeat::Previous { times }) => {
                let Some((earlier, _)) = self.recall(rest.host) else {
                    // The line that is repeated stands in a file that is not here.
                    return self.sink.system(SystemEvent::LinesLost { count: Some(u64::from(times)) });
                };
                self.sink.times = times;
                self.set_host(earlier.host);
                let daemon = self.identify(earlier.tag);
                self.dispatch(earlier, daemon, true)
            }
        }
    }

    fn dispatch(&mut self, rest: Rest<'a>, daemon: Daemon, repeated: bool) -> Fate {
        // Each entry of amavis has its own number: one that comes again says nothing more about any message.
        if daemon == Daemon::Amavis && repeated {
            return Fate::NO_FACT;
        }
        let sink = &mut self.sink;
        sink.pid = rest.pid;
        match daemon {
            Daemon::Postfix(who) => postfix::body(who, rest.body, sink),
            Daemon::Dovecot => dovecot::body(rest.body, sink),
            Daemon::CyrusOrCourier => cyrus::imap_or_courier(rest.tag, rest.body, sink),
            Daemon::Saslauthd => cyrus::saslauthd(rest.body, sink),
            Daemon::Amavis => amavis::body(rest.body, &mut self.amavis, self.chunk, sink),
            Daemon::Rspamd => rspamd::body(rest.body, sink),
            Daemon::MailGateway => pmg::body(rest.body, sink),
            Daemon::Roundcube => roundcube::body(rest.body, sink),
            Daemon::Logger => loggers::logger(rest.tag, rest.body, sink),
            Daemon::TimeKeeper => loggers::clock_daemon(rest.body, sink),
            Daemon::Untagged | Daemon::Other => Fate::OTHER_PROGRAM,
        }
    }

    fn identify(&mut self, tag: &'a [u8]) -> Daemon {
        let [.., a, _, _, b] = tag else { return daemon::identify(tag) };
        let Some(known) = self.tags.get_mut((tag.len() + 5 * usize::from(*a) + 7 * usize::from(*b)) % TAGS) else {
            return daemon::identify(tag);
        };
        if known.0 != tag {
            *known = (tag, daemon::identify(tag));
        }
        known.1
    }

    fn set_host(&mut self, host: &'a [u8]) {
        // Most often it is the very bytes that the line before had.
        if !std::ptr::eq(host, self.last_host) && host != self.last_host {
            self.last_host = host;
            self.last_host_hash = host_hash(host);
            self.last_host_full = full_host_hash(host);
            self.sink.host = self.sink.batch.host(self.chunk.names.one(host));
        }
    }

    fn remember(&mut self, rest: Rest<'a>) {
        let index = usize::from(self.sink.host);
        if self.previous.len() <= index {
            self.previous.resize(index + 1, None);
        }
        if let Some(slot) = self.previous.get_mut(index) {
            *slot = Some((rest, self.sink.at.seconds()));
            self.last_slot = index;
        }
    }

    /// The last record of a host that was not itself a repeat: of this chunk, or of the end of the one before it. A repeat that
    /// names no host speaks of the last record of any.
    fn recall(&self, host: &[u8]) -> Option<(Rest<'a>, Option<i64>)> {
        let slot = if host.is_empty() { self.last_slot } else { usize::from(self.sink.host) };
        let here = self.previous.get(slot).copied().flatten().map(|(rest, second)| (rest, Some(second)));
        here.or_else(|| repeat::last_record_of(host, self.chunk.before).map(|rest| (rest, None)))
    }

    /// Where a line stands for others, notes what it stands for.
    fn repeated(&mut self, line: u32, rest: Rest<'a>, used: bool) {
        let Some(repeat) = repeat::read(rest.body, self.identify(rest.tag)) else { return };
        let (repeated, times, first) = match (repeat, self.recall(rest.host)) {
            (Repeat::Previous { times }, Some((earlier, first))) => (earlier, times, first),
            (Repeat::Previous { .. }, None) => return,
            (Repeat::Quoted { times, body }, known) => {
                let first = known.filter(|(earlier, _)| scan::trim_start(earlier.body) == body).and_then(|(_, first)| first);
                (Rest { body, ..rest }, times, first)
            }
        };
        let print = self.fingerprint(line, repeated, used);
        let earliest = print.second.saturating_sub(REPEATING_MAX);
        let since = first.map_or(earliest, |first| first.max(earliest));
        self.sink.batch.repeats.push(Repeated { print, since, times });
    }

    fn fingerprint(&self, line: u32, rest: Rest<'a>, used: bool) -> Fingerprint {
        let state = foldhash::fast::FixedState::with_seed(0);
        let mut hasher = state.build_hasher();
        hasher.write(scan::trim_start(rest.body));
        let body = hasher.finish();
        let hash = state.hash_one((self.last_host_hash, body));
        let (second, named, host) = (self.sink.at.seconds(), !self.last_host.is_empty(), self.last_host_hash as u32);
        Fingerprint { line, second, hash, body, named, host, pid: rest.pid, full_host: self.last_host_full, used }
    }

    /// A line whose envelope could not be read.
    pub(super) fn unreadable(&mut self, line: u32, text: &[u8], why: Malformed) {
        let fate = if text.is_empty() {
            Fate::Ignored(Ignored::Empty)
        } else if scan::is_not_text(text) {
            Fate::Malformed(Malformed::NotText)
        } else if journal::is_framing(text) {
            Fate::Ignored(Ignored::Framing)
        } else {
            Fate::Malformed(why)
        };
        self.settle(line, fate);
    }
}

/// Of a host's full name, which tells it from another with the same first label; 0 for a short name, which may be of either.
fn full_host_hash(host: &[u8]) -> u32 {
    if !host.contains(&b'.') {
        return 0;
    }
    let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
    host.iter().for_each(|b| hasher.write_u8(b.to_ascii_lowercase()));
    (hasher.finish() >> 32) as u32 | 1
}

/// A copy of a record may name the host in full or by its first label, in any case.
fn host_hash(host: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(0).build_hasher();
    for b in host.iter().take_while(|b| **b != b'.') {
        hasher.write_u8(b.to_ascii_lowercase());
    }
    hasher.finish()
}
