//! One mail server: its processes, its queue files, and its lines on their way to the log in the order of time.

use super::envelope::{Program, Stamper};
use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, Zone};
use crate::simulate::SimulateError;
use crate::simulate::output::Sink;
use crate::simulate::put::Put;
use crate::simulate::request::{Gz, Layout, QueueIds, Rotation};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

/// A queue id with the inode it was made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueId {
    text: [u8; 20],
    length: u8,
    inode: u32,
}

impl QueueId {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }
}

#[derive(Default)]
struct Slot {
    program: Program,
    pid: u32,
    body: Vec<u8>,
}

/// A process of a program, and until when it is busy.
struct Process {
    pid: u32,
    free_at: i64,
    uses: u32,
}

/// Postfix ends an idle process after this long (`max_idle`) and any after 100 uses (`max_use`).
const IDLE_MAX: i64 = 100 * SECOND;
const USES_MAX: u32 = 100;

pub(super) struct Host {
    pub(super) fqdn: &'static str,
    pub(super) ip: &'static str,
    pub(super) qmgr: u32,
    pub(super) lines: u64,
    queue_ids: QueueIds,
    zone: Zone,
    pids: u32,
    processes: [Vec<Process>; Program::COUNT],
    /// Inodes of queue files: free from then on, and free already (lowest first, as file systems hand them out).
    released: BinaryHeap<Reverse<(i64, u32)>>,
    available: BinaryHeap<Reverse<(u32, i64)>>,
    inodes: u32,
    slots: Vec<Slot>,
    unused: Vec<u32>,
    waiting: BinaryHeap<Reverse<(i64, u64, u32)>>,
    sequence: u64,
    stamper: Stamper,
    sink: Sink,
    /// Starts of the files after the current one, the next last.
    rotations: Vec<(i64, PathBuf)>,
    last: i64,
}

/// The name of a host and where it stands.
pub(super) struct Place {
    pub(super) short: &'static str,
    pub(super) fqdn: &'static str,
    pub(super) ip: &'static str,
    pub(super) first_pid: u32,
}

impl Host {
    pub(super) fn new(place: &Place, layout: &Layout, zone: Zone, span: (i64, i64), out: &Path) -> Host {
        let mut rotations = files(layout, zone, span, &out.join("logs").join(place.short));
        let mut sink = Sink::start();
        if let Some((_, first)) = rotations.pop() {
            sink.open(first);
        }
        Host {
            fqdn: place.fqdn,
            ip: place.ip,
            qmgr: place.first_pid + 4,
            lines: 0,
            queue_ids: layout.queue_ids,
            zone,
            pids: place.first_pid + 10,
            processes: std::array::from_fn(|_| Vec::new()),
            released: BinaryHeap::new(),
            available: BinaryHeap::new(),
            inodes: 0x2_0f31,
            slots: Vec::new(),
            unused: Vec::new(),
            waiting: BinaryHeap::new(),
            sequence: 0,
            stamper: Stamper::new(layout.envelope, zone, place.short),
            sink,
            rotations,
            last: span.0,
        }
    }

    /// Begins a line; the caller appends its text. It may lie in the future, never before what was flushed.
    pub(super) fn line(&mut self, at: i64, program: Program, pid: u32) -> &mut Vec<u8> {
        let number = self.unused.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        self.waiting.push(Reverse((at, self.sequence, number)));
        self.sequence += 1;
        let slot = &mut self.slots[number as usize];
        slot.program = program;
        slot.pid = pid;
        slot.body.clear();
        &mut slot.body
    }

    /// Begins a line about a queue id.
    pub(super) fn queue_line(&mut self, at: i64, program: Program, pid: u32, id: &QueueId) -> &mut Vec<u8> {
        let body = self.line(at, program, pid);
        body.bytes(id.bytes()).text(": ")
    }

    /// Writes the lines before `until`; returns whether a buffer went to disk meanwhile.
    pub(super) fn flush(&mut self, until: i64) -> bool {
        let mut handed_over = false;
        while let Some(&Reverse((at, _, number))) = self.waiting.peek() {
            if at >= until {
                break;
            }
            self.waiting.pop();
            while self.rotations.last().is_some_and(|(start, _)| *start <= at) {
                self.rotate();
            }
            let slot = &self.slots[number as usize];
            self.stamper.write(self.sink.buffer(), at, slot.program, slot.pid, &slot.body);
            self.unused.push(number);
            self.lines += 1;
            self.last = at;
            handed_over |= self.sink.settle();
        }
        handed_over
    }

    fn rotate(&mut self) {
        if let Some((_, next)) = self.rotations.pop() {
            self.sink.close(self.last.div_euclid(SECOND));
            self.sink.open(next);
        }
    }

    /// Writes what is left before `end`, closes the files and returns the number of bytes.
    pub(super) fn finish(mut self, end: i64) -> Result<(u64, u64), SimulateError> {
        self.flush(end);
        while !self.rotations.is_empty() {
            self.rotate();
        }
        self.sink.close(self.last.div_euclid(SECOND));
        let counts = (self.lines, self.sink.bytes);
        self.sink.finish().map(|()| counts)
    }

    /// An instant as the traditional stamp of this host's clock, for lines that speak of another time.
    pub(super) fn traditional(&self, at: i64) -> String {
        let offset = self.zone.offset_at(Timestamp(at));
        let wall = chrono::DateTime::from_timestamp(at.div_euclid(SECOND) + i64::from(offset), 0).unwrap_or_default();
        wall.format("%b %e %H:%M:%S").to_string()
    }

    /// Bytes of log text handed to the writer so far.
    pub(super) fn bytes(&self) -> u64 {
        self.sink.bytes
    }

    /// Whether the files cannot be written any more.
    pub(super) fn failed(&self) -> bool {
        self.sink.failed()
    }

    /// The number of a new process.
    pub(super) fn spawn(&mut self) -> u32 {
        // Other work on the machine takes numbers as well.
        self.pids += 1 + (self.pids % 3);
        self.pids
    }

    /// Takes an idle process of a program, or starts one, for the time from `start` to `end`.
    pub(super) fn process(&mut self, program: Program, start: i64, end: i64) -> u32 {
        let pool = &mut self.processes[program as usize];
        pool.retain(|process| start - process.free_at < IDLE_MAX);
        if let Some(process) = pool.iter_mut().find(|process| process.free_at <= start && process.uses < USES_MAX) {
            process.free_at = end;
            process.uses += 1;
            return process.pid;
        }
        let pid = self.spawn();
        self.processes[program as usize].push(Process { pid, free_at: end, uses: 1 });
        pid
    }

    /// Frees a process that was taken without a known end.
    pub(super) fn release(&mut self, program: Program, pid: u32, at: i64) {
        if let Some(process) = self.processes[program as usize].iter_mut().find(|process| process.pid == pid) {
            process.free_at = at;
        }
    }

    /// Makes a queue file. Its id is the microsecond of its birth and its inode, so it is unique among files that exist at a time
    /// and, in the short form, comes again later.
    pub(super) fn create(&mut self, at: i64) -> QueueId {
        while let Some(&Reverse((when, inode))) = self.released.peek() {
            if when > at {
                break;
            }
            self.released.pop();
            self.available.push(Reverse((inode, when)));
        }
        // Lives are written ahead, so a file may have been given up a little later than this one is made.
        let mut too_late = None;
        let inode = loop {
            match self.available.pop() {
                Some(Reverse((inode, when))) if when <= at => break inode,
                Some(Reverse(entry)) if too_late.is_none() => too_late = Some(entry),
                Some(other) => {
                    self.available.push(other);
                    self.inodes += 1;
                    break self.inodes;
                }
                None => {
                    self.inodes += 1;
                    break self.inodes;
                }
            }
        };
        self.available.extend(too_late.map(Reverse));
        queue_id(self.queue_ids, at, inode)
    }

    /// Removes a queue file.
    pub(super) fn remove(&mut self, id: &QueueId, at: i64) {
        self.released.push(Reverse((at, id.inode)));
    }
}

fn queue_id(form: QueueIds, at: i64, inode: u32) -> QueueId {
    const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    let mut text = Vec::with_capacity(20);
    let (seconds, micros) = (at.div_euclid(SECOND) as u64, at.rem_euclid(SECOND) as u64);
    match form {
        QueueIds::Short => {
            text.hex(micros, 5).hex(u64::from(inode), 1);
        }
        QueueIds::Long => {
            put_base(&mut text, ALPHABET, seconds, 52, 6);
            put_base(&mut text, ALPHABET, micros, 52, 4);
            text.push(b'z');
            put_base(&mut text, ALPHABET, u64::from(inode), 51, 1);
        }
    }
    let mut id = QueueId { text: [0; 20], length: text.len().min(20) as u8, inode };
    for (to, from) in id.text.iter_mut().zip(&text) {
        *to = *from;
    }
    id
}

fn put_base(out: &mut Vec<u8>, alphabet: &[u8; 52], mut number: u64, base: u64, width: usize) {
    let start = out.len();
    while number > 0 || out.len() - start < width {
        out.push(alphabet[(number % base) as usize]);
        number /= base;
    }
    out[start..].reverse();
}

/// The files of a host with the instant each begins, the first last: `mail.log` is the newest, `mail.log.1` the one before it, older ones
/// are compressed if asked, as logrotate's `delaycompress` leaves them.
fn files(layout: &Layout, zone: Zone, span: (i64, i64), folder: &Path) -> Vec<(i64, PathBuf)> {
    let mut starts = vec![span.0];
    if layout.rotate == Rotation::Daily {
        starts.extend(midnights(zone, span));
    }
    let count = starts.len();
    let name = |age: usize| match (age, layout.compress) {
        (0, Some(Gz::Gzip)) if count == 1 => "mail.log.gz".to_owned(),
        (0, _) => "mail.log".to_owned(),
        (2.., Some(Gz::Gzip)) => format!("mail.log.{age}.gz"),
        _ => format!("mail.log.{age}"),
    };
    let mut files: Vec<_> = starts.iter().enumerate().map(|(i, start)| (*start, folder.join(name(count - 1 - i)))).collect();
    files.reverse();
    files
}

/// The midnights of a zone's wall clock strictly inside a span.
fn midnights(zone: Zone, (start, end): (i64, i64)) -> Vec<i64> {
    let local = |at: i64| at + i64::from(zone.offset_at(Timestamp(at))) * SECOND;
    let mut wall = local(start) - local(start).rem_euclid(DAY) + DAY;
    let mut found = Vec::new();
    while wall - 26 * HOUR < end {
        let at = zone.instants(Timestamp(wall)).0.0;
        if start + MINUTE < at && at < end {
            found.push(at);
        }
        wall += DAY;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_encode_the_instant_and_the_inode() {
        // 2022-10-31T16:01:02.123456Z and inode 131313, in both forms.
        let at = 1_667_232_062_123_456;
        assert_eq!(queue_id(QueueIds::Long, at, 131_313).bytes(), b"4N1Hv20sf8zySl");
        assert_eq!(queue_id(QueueIds::Short, at, 131_313).bytes(), b"1E240200F1");
    }

    #[test]
    fn the_newest_file_has_no_number_and_the_oldest_the_highest() {
        let layout = Layout { rotate: Rotation::Daily, compress: Some(Gz::Gzip), ..Layout::default() };
        let names: Vec<_> = files(&layout, Zone::UTC, (0, 3 * DAY + HOUR), Path::new("d")).into_iter().map(|f| (f.0 / DAY, f.1)).collect();
        let expected = [(3, "d/mail.log"), (2, "d/mail.log.1"), (1, "d/mail.log.2.gz"), (0, "d/mail.log.3.gz")];
        assert_eq!(names, expected.map(|(day, name)| (day, PathBuf::from(name))));
    }
}
