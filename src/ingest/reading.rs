//! Reading in waves, three of them at a time: one is read, decoded and hashed while the one before it is parsed and the events of the one
//! before that are taken in. The last of these is made of the smallest parts, so it comes last: threads that are done with the others
//! share what is left of it.
//!
//! A wave of a log is one chunk per thread: text and events are then still in the processor's caches when they are wanted again. A wave of
//! records in JSON is two, because they are long and give few events, most of which one shard takes in.

use super::duplicates::Duplicates;
use super::rotation::log_of;
use super::sources::SourceSummary;
use super::speakers::Speakers;
use super::time_ledger::Plan;
use crate::correlate::{Correlator, Located};
use crate::domain::place::{Place, SourceId};
use crate::domain::time::{DAY, SECOND, Timestamp};
use crate::formats::batch::{Batch, EventRoom, Ignored, Malformed};
use crate::formats::clock::Clock;
use crate::formats::host_names::HostNames;
use crate::formats::record_kind::RecordKinds;
use crate::formats::remark::Remarks;
use crate::formats::service::Services;
use crate::formats::{self, Chunk, Format, Framing};
use crate::intake::{self, CHUNK_BYTES, Chunker, Cut, Finished, OwnedChunk, Survey};
use crate::say::{Phrase, say};
use crate::watch::Watch;
use bumpalo::Bump;
use rayon::prelude::*;
use self_cell::{MutBorrow, self_cell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A jump in time beyond which the year of a chunk is worked out again from the end of the chunk before it.
const YEAR_DOUBT: i64 = 150 * DAY;
/// How far back that guess lies. With the doubt above it stays below half a year, so it can never mistake the year.
const GUESS_BACK: i64 = 20 * DAY;
/// Sources whose spans come this close may hold copies of the same records.
const OVERLAP_SLACK: i64 = 2 * SECOND;
/// Said of a source that no format recognises.
const UNKNOWN_FORMAT: Phrase = say!("no log of a known format; not read");
/// Malformed lines shown per source.
const SAMPLES: usize = 5;

/// What is known of a source while it is read.
struct State {
    plan: Plan,
    summary: SourceSummary,
    clock: Clock,
    speakers: Speakers,
    /// Whether the last chunk could hold copies, or be copied.
    overlapping: bool,
    clock_steps: u64,
    zone_conflicts: u64,
    ambiguous_times: u64,
    overlong_lines: u64,
    /// Records that break off within a cell, and the first of their lines.
    cut_records: u64,
    first_cut_record: Option<u64>,
    /// The first malformed lines, in the order of reading; the last ones where that goes backwards.
    malformed: VecDeque<(u64, Malformed)>,
    done: bool,
}

/// A chunk with the source it is of.
struct Piece {
    source: usize,
    chunk: OwnedChunk,
    /// Bytes of evidence this chunk took.
    advanced: u64,
}

/// What parsing a chunk gave.
struct Parsed<'a> {
    batch: Batch<'a>,
    clock: Clock,
    /// Whether its records were given fingerprints.
    fingerprints: bool,
}

/// A chunk's events, with their place in the evidence.
struct Settled<'a> {
    source: SourceId,
    /// Number of the chunk's first line in its source, from 1.
    first_line: u64,
    batch: Batch<'a>,
    /// Lines that are copies of others, sorted.
    duplicates: Vec<u32>,
    /// Whether a source yet to come may speak of the same time of the same host.
    again: bool,
}

/// What the events of a wave are made of.
struct Ground {
    pieces: Vec<Piece>,
    bumps: MutBorrow<Vec<Bump>>,
    /// For what is parsed once more.
    spare: MutBorrow<Vec<Bump>>,
    names: Arc<HostNames>,
}

type AllSettled<'a> = Vec<Settled<'a>>;

self_cell!(
    /// The events of a wave, together with what they are made of.
    struct Taken {
        owner: Ground,
        #[not_covariant]
        dependent: AllSettled,
    }
);

impl Taken {
    /// Gives back what can be used again: the room of the events and the bytes of the chunks.
    fn spent(mut self) -> (Vec<EventRoom>, impl Iterator<Item = Vec<u8>>) {
        let rooms = self.with_dependent_mut(|_, settled| settled.drain(..).map(|settled| settled.batch.into_room()).collect());
        let bytes = self.into_owner().pieces.into_iter().map(|piece| piece.chunk.bytes);
        (rooms, bytes.filter(|bytes| bytes.capacity() <= 2 * CHUNK_BYTES))
    }
}

/// The end of a source.
struct Ending {
    source: usize,
    /// How many chunks of its wave stand before it.
    after: usize,
    finished: Result<Finished, Phrase>,
}

/// What one turn of the reader gave.
#[derive(Default)]
struct Wave {
    pieces: Vec<Piece>,
    endings: Vec<Ending>,
}

/// Reads all sources in the order of their first instants, extracts after what they were taken from.
pub(super) struct Reading {
    survey: Survey,
    states: Vec<State>,
    duplicates: Duplicates,
    /// The hosts that lines name in two ways.
    names: Arc<HostNames>,
    problems: Vec<Phrase>,
    threads: usize,
}

impl Reading {
    pub(super) fn new(survey: Survey, plans: Vec<Plan>, names: HostNames, threads: usize) -> Reading {
        let mut problems: Vec<Phrase> =
            survey.problems.iter().filter(|p| p.serious).map(|p| say!("{path}: {what}", path = &p.path, what = p.what.clone())).collect();
        let states: Vec<State> = survey.sources.iter().zip(plans).map(|(source, plan)| state(source, plan, &names)).collect();
        for state in &states {
            if let Some(trouble) = &state.plan.scout.trouble {
                problems.push(trouble.clone());
            }
        }
        let journals = (0..).zip(&states).filter(|(_, state)| state.may_be_of_a_journal()).map(|(number, _)| number).collect();
        let duplicates = Duplicates::new(states.iter().any(|state| state.plan.scout.lacks_hosts()), journals);
        Reading { survey, states, duplicates, names: Arc::new(names), problems, threads: threads.max(1) }
    }

    /// Reads everything; false if the run was stopped. Logs that lost their hosts come last: what they tell of as well as others do is
    /// then told with its host, and a queue file's lines stay together.
    pub(super) fn run(&mut self, correlator: &mut Correlator, watch: &dyn Watch) -> bool {
        let mut order: Vec<usize> = (0..self.states.len()).filter(|&s| self.states[s].plan.scout.trouble.is_none()).collect();
        order.sort_by_key(|&s| {
            let Plan { first, after, .. } = self.states[s].plan;
            (self.states[s].plan.scout.lacks_hosts(), first.max(after), after.is_some(), s)
        });
        let sources = self.survey.sources.clone();
        let ways: Vec<Way> =
            self.states.iter().map(|s| Way { format: s.plan.scout.format, backwards: s.plan.scout.newest_first }).collect();
        let threads = self.threads;
        let mut feed = Feed { sources: &sources, ways: &ways, order: order.into_iter(), current: None, threads, spare: Vec::new() };
        let (mut wave, mut before, mut rooms) = (feed.next(), None, Vec::new());
        while let Some(now) = wave {
            if watch.stopped() {
                return false;
            }
            let room = std::mem::take(&mut rooms);
            let (next, taken) = rayon::join(|| feed.next(), || self.wave(now, before.as_ref(), room, correlator, watch));
            wave = next;
            if let Some(before) = before.replace(taken) {
                let (spent_rooms, spent_bytes) = before.spent();
                rooms = spent_rooms;
                feed.spare.extend(spent_bytes);
            }
        }
        if let Some(last) = before {
            last.with_dependent(|_, settled| take(correlator, settled));
        }
        true
    }

    /// Parses a wave while the events of the one before it are taken in, and takes copies out.
    fn wave(&mut self, wave: Wave, before: Option<&Taken>, rooms: Vec<EventRoom>, correlator: &mut Correlator, watch: &dyn Watch) -> Taken {
        let Wave { pieces, endings } = wave;
        let mut endings = endings.into_iter().peekable();
        let bumps = || MutBorrow::new(pieces.iter().map(|_| Bump::new()).collect());
        let ground = Ground { bumps: bumps(), spare: bumps(), names: Arc::clone(&self.names), pieces };
        let mut rooms = rooms.into_iter();
        let settle = |before: &[Settled<'_>]| {
            Taken::new(ground, |ground| {
                let empty: Vec<Batch<'_>> = ground.pieces.iter().map(|_| Batch::in_room(rooms.next().unwrap_or_default())).collect();
                let (states, bumps) = (&self.states, ground.bumps.borrow_mut());
                let (parsed, ()) =
                    rayon::join(|| parse_all(&ground.pieces, states, &ground.names, bumps, empty), || take(correlator, before));
                let mut settled = Vec::with_capacity(ground.pieces.len());
                for (done, ((piece, parsed), bump)) in ground.pieces.iter().zip(parsed).zip(ground.spare.borrow_mut()).enumerate() {
                    while let Some(ending) = endings.next_if(|ending| ending.after <= done) {
                        self.end(ending, watch);
                    }
                    settled.push(self.settle(piece, parsed, &ground.names, bump, watch));
                }
                settled
            })
        };
        let taken = match before {
            Some(before) => before.with_dependent(|_, before| settle(before)),
            None => settle(&[]),
        };
        endings.for_each(|ending| self.end(ending, watch));
        taken
    }

    /// Makes sure of a chunk's times and copies, parsing it again where the guess about either was wrong, and counts its lines.
    fn settle<'a>(
        &mut self,
        piece: &'a Piece,
        parsed: Parsed<'a>,
        names: &'a HostNames,
        bump: &'a mut Bump,
        watch: &dyn Watch,
    ) -> Settled<'a> {
        let Parsed { mut batch, mut clock, fingerprints } = parsed;
        self.states[piece.source].speakers.add(&batch.hosts);
        if batch.ambiguous_times > 0 && self.states[piece.source].summary.ledger.total == 0 {
            self.states[piece.source].clock.last = self.end_of_part_before(piece.source);
        }
        let state = &self.states[piece.source];
        let jumps = batch.first.zip(state.clock.last).is_some_and(|(first, last)| first.since(last).abs() > YEAR_DOUBT);
        let in_doubt = batch.ambiguous_times > 0 || jumps;
        let overlapping = self.overlaps(piece.source, &batch);
        if in_doubt || (overlapping && !fingerprints) {
            let from = if in_doubt { state.clock.clone() } else { guess(&state.clock) };
            (batch, clock) = parse(piece, state, from, names, overlapping, bump, Batch::default());
        }
        if clock.last.is_none() {
            clock.last = state.clock.last;
        }
        let state = &mut self.states[piece.source];
        state.clock = clock;
        state.overlapping = overlapping;
        if let Some(span) = batch.first.zip(batch.last).filter(|_| state.gives_fingerprints()) {
            state.speakers.heard(&batch.hosts, span, overlapping);
        }
        let mut duplicates = if overlapping { self.duplicates.take_out(piece.source as u32, &mut batch) } else { Vec::new() };
        self.duplicates.take_out_unique(&mut batch, &mut duplicates);
        self.duplicates.take_out_alike(piece.source as u32, &mut batch, &mut duplicates);
        let first_line = self.states[piece.source].summary.ledger.total + 1;
        self.account(piece, &batch);
        watch.advanced(piece.advanced, batch.ledger.total);
        Settled { source: SourceId(piece.source as u32), first_line, batch, duplicates, again: overlapping }
    }

    /// Where the log that this source goes on from ended, by name another part of one rotated log, if that was within the hour that comes
    /// twice: a file that was begun in the second round of that hour does not show that there was a first.
    fn end_of_part_before(&self, source: usize) -> Option<Timestamp> {
        let (early, late) = self.states[source].plan.both_rounds()?;
        let log = |state: &State| log_of(&state.summary.path).to_owned();
        let of_this_log = log(&self.states[source]);
        let parts = self.states.iter().enumerate().filter(|(number, part)| *number != source && part.done && log(part) == of_this_log);
        let ends = parts.filter_map(|(_, part)| part.summary.last);
        // What ends later than this source can begin is no part before it but a copy.
        ends.max().filter(|end| early < *end && *end <= late.plus(OVERLAP_SLACK))
    }

    /// What this reading taught, if heads and first stamps had not told which sources hold copies of each other's records or which names
    /// are of one host, or if an extract was read before what it was taken from: the plans and names by which reading once more does
    /// better. A log put together backwards, a host that a central log names late, lines picked out of a log: these do that.
    pub(super) fn learnt(&self) -> Option<(Vec<Plan>, HostNames)> {
        let missed = self.states.iter().enumerate().any(|(number, state)| {
            let mut others = self.states.iter().enumerate().filter(|(other, _)| *other != number);
            others.any(|(_, other)| state.speakers.missed(&other.speakers))
        });
        let mut plans: Vec<Plan> = self.states.iter().map(State::taught).collect();
        let mut extracts = false;
        for (extract, whole) in self.duplicates.partial() {
            let (extract, whole) = (extract as usize, whole as usize);
            let first = plans.get(whole).and_then(|plan| plan.first);
            if self.states[extract].records() < self.states[whole].records() {
                extracts = true;
                plans[extract].after = plans[extract].after.max(first);
            }
        }
        let names = self.names_as_read();
        (missed || extracts || names != *self.names).then_some((plans, names))
    }

    /// The names of hosts, as far as reading told them.
    fn names_as_read(&self) -> HostNames {
        let as_scouted = self.states.iter().flat_map(|state| state.plan.hosts());
        let as_read = self.states.iter().filter(|state| state.plan.scout.may_shorten_hosts()).flat_map(|state| &state.summary.hosts);
        HostNames::of(as_scouted.chain(as_read.map(String::as_bytes)))
    }

    /// Whether a batch may hold records that stand in another source too: in one still to be read, or in one whose records are known.
    fn overlaps(&self, source: usize, batch: &Batch<'_>) -> bool {
        let (Some(first), Some(last)) = (batch.first, batch.last) else { return false };
        let speakers = &self.states[source].speakers;
        self.states.iter().enumerate().filter(|(other, _)| *other != source).any(|(other, state)| {
            let comes_again = !state.done && state.plan.first.is_some_and(|f| f <= last.plus(OVERLAP_SLACK));
            let is_known = || self.duplicates.reach(other as u32).is_some_and(|until| until >= first.plus(-OVERLAP_SLACK).seconds());
            (comes_again || is_known()) && speakers.may_meet(&state.speakers)
        })
    }

    fn account(&mut self, piece: &Piece, batch: &Batch<'_>) {
        debug_assert!(batch.ledger.adds_up(), "the lines of a chunk do not add up");
        let state = &mut self.states[piece.source];
        let before = state.summary.ledger.total;
        let backwards = state.plan.scout.newest_first;
        for (line, why) in &batch.malformed_samples {
            if backwards && state.malformed.len() == SAMPLES {
                state.malformed.pop_front();
            }
            if state.malformed.len() < SAMPLES {
                state.malformed.push_back((before + u64::from(*line) + 1, *why));
            }
        }
        state.summary.ledger.add(&batch.ledger);
        state.summary.remarks.join(&batch.remarks);
        state.summary.kinds.join(&batch.kinds);
        state.summary.services.join(batch.services);
        state.summary.first = [state.summary.first, batch.first].into_iter().flatten().min();
        state.summary.last = state.summary.last.max(batch.last);
        state.clock_steps += batch.clock_steps;
        state.zone_conflicts += batch.zone_conflicts;
        state.ambiguous_times += batch.ambiguous_times;
        state.overlong_lines += piece.chunk.overlong_lines;
        // An object of JSON ends with its bracket, whatever follows it.
        let lines = state.plan.scout.format.is_some_and(|format| matches!(format.framing, Framing::Lines));
        state.summary.open_line |= lines && !matches!(piece.chunk.bytes.last(), None | Some(b'\n' | b'}'));
        state.cut_records += batch.cut_records;
        state.first_cut_record = state.first_cut_record.or(batch.first_cut_record.map(|line| before + u64::from(line) + 1));
        for host in batch.hosts.iter().filter(|h| !h.is_empty()) {
            let host = String::from_utf8_lossy(host);
            if !state.summary.hosts.iter().any(|known| *known == host) {
                state.summary.hosts.push(host.into_owned());
            }
        }
    }

    fn end(&mut self, ending: Ending, watch: &dyn Watch) {
        let state = &mut self.states[ending.source];
        state.done = true;
        match ending.finished {
            Ok(finished) => {
                state.summary.sha256 = finished.sha256.map(|hash| hex(&hash));
                if let Some(hash) = finished.sha256 {
                    self.survey.record_hash(SourceId(ending.source as u32), hash);
                }
                if let Some(damage) = finished.damage {
                    state.damaged(damage, &mut self.problems, watch);
                }
                if state.summary.format.is_none() && !state.plan.scout.empty {
                    state.summary.notes.push(UNKNOWN_FORMAT);
                }
            }
            Err(trouble) => state.damaged(trouble, &mut self.problems, watch),
        }
        state.close(&mut self.problems, watch);
        let left = self.states.iter().filter(|s| !s.done).filter_map(|s| s.plan.first).min();
        self.duplicates.forget_before(left);
    }

    /// The place as the evidence has it, of one by the order of reading.
    pub(super) fn in_evidence(&self, place: Place) -> Place {
        let state = self.states.get(place.source.0 as usize);
        Place { line: state.map_or(place.line, |state| state.line_in_source(place.line)), ..place }
    }

    /// Whether a source was read from its end to its beginning.
    pub(super) fn went_backwards(&self) -> bool {
        self.states.iter().any(|state| state.plan.scout.newest_first)
    }

    /// The survey, what became of each source, and the problems.
    pub(super) fn finish(self) -> (Survey, Vec<SourceSummary>, Vec<Phrase>) {
        (self.survey, self.states.into_iter().map(|s| s.summary).collect(), self.problems)
    }
}

impl State {
    /// Whether records of this source can be compared with those of others: those of a tenant's exports carry ids of their own.
    fn gives_fingerprints(&self) -> bool {
        self.plan.scout.format.is_some_and(|format| format.system != "m365")
    }

    /// Whether its records have the stamps of the journal: in a form of the journal's own, or as text whose stamps are instants.
    fn may_be_of_a_journal(&self) -> bool {
        self.plan.scout.format.is_some_and(|f| formats::is_journal(f) || f.id == formats::SYSLOG_TEXT && self.plan.zone_from.is_none())
    }

    /// Records of use, those that another source told before among them.
    fn records(&self) -> u64 {
        self.summary.ledger.used + self.summary.ledger.ignored[Ignored::Duplicate as usize]
    }

    /// The plan to read this source by once more.
    fn taught(&self) -> Plan {
        let first = self.speakers.first().into_iter().chain(self.plan.first).min();
        Plan { first, speakers: self.speakers.afresh(), ..self.plan.clone() }
    }

    fn damaged(&mut self, what: Phrase, problems: &mut Vec<Phrase>, watch: &dyn Watch) {
        self.summary.complete = false;
        self.summary.notes.push(what.clone());
        let problem = say!("{path}: {what}", path = &self.summary.path, what);
        watch.warn(&problem.to_string());
        problems.push(problem);
    }

    /// The number of a line as the source has it, of one that was read as the `nth`.
    fn line_in_source(&self, nth: u64) -> u64 {
        if self.plan.scout.newest_first { (self.summary.ledger.total + 1).saturating_sub(nth) } else { nth }
    }

    /// Draws the conclusions from a whole source.
    fn close(&mut self, problems: &mut Vec<Phrase>, watch: &dyn Watch) {
        let mut samples: Vec<(u64, Malformed)> = self.malformed.iter().map(|(nth, why)| (self.line_in_source(*nth), *why)).collect();
        samples.sort_unstable_by_key(|(line, _)| *line);
        self.summary.malformed_samples = samples.into_iter().map(|(line, why)| say!("{line}: {why}", line, why = why.said())).collect();
        if self.plan.scout.newest_first {
            self.summary.notes.push(say!("its newest line stands first: it was read from its end to its beginning"));
        }
        if self.clock_steps > 0 {
            self.summary.notes.push(say!("time goes back by more than a minute {n} time(s)", n = self.clock_steps));
        }
        if self.ambiguous_times > 0 {
            self.summary.notes.push(say!("{n} line(s) lie in the autumn hour that comes twice", n = self.ambiguous_times));
        }
        self.summary.zone_conflicts = self.zone_conflicts;
        if self.zone_conflicts > 0 {
            let zone = self.plan.clock.zone.name();
            self.summary.notes.push(say!(
                "{n} line(s) tell a time of their own that does not fit the zone {zone}; give --log-tz if the clock changed to or from summer time",
                n = self.zone_conflicts,
                zone
            ));
        }
        if self.plan.written.zip(self.summary.last).is_some_and(|(written, last)| last.since(written) > DAY) {
            self.summary.notes.push(say!("the log runs on after the time its file was written: its year may be wrong, give --year"));
        }
        if self.overlong_lines > 0 {
            self.damaged(say!("{n} line(s) longer than 1 MiB were cut", n = self.overlong_lines), problems, watch);
        }
        if let Some(line) = self.first_cut_record {
            let n = self.cut_records;
            self.damaged(
                say!("{n} record(s) break off within a cell, and what stood behind that is lost; the first is line {line}", n, line),
                problems,
                watch,
            );
        }
        let ledger = self.summary.ledger;
        let nothing_used = ledger.total > 0 && ledger.used == 0;
        let duplicate = ledger.ignored[Ignored::Duplicate as usize] > 0;
        if !self.plan.scout.empty && self.summary.format.is_some() && nothing_used && !duplicate && ledger.malformed > 0 {
            self.damaged(say!("no usable line in it"), problems, watch);
        } else if ledger.malformed > 0 {
            let (n, all) = (ledger.malformed, ledger.total);
            let what = match self.summary.malformed_samples.first() {
                Some(first) => say!("{n} of {all} lines cannot be read; the first is line {first}", n, all, first = first.clone()),
                None => say!("{n} of {all} lines cannot be read", n, all),
            };
            self.damaged(what, problems, watch);
        }
    }
}

fn state(source: &crate::intake::Source, plan: Plan, names: &HostNames) -> State {
    let format = plan.scout.format;
    let shows_zone = plan.zone_from.is_some();
    let mut hosts: Vec<String> = Vec::new();
    for host in plan.scout.scouted.hosts.iter().filter(|host| !host.is_empty()) {
        let host = if plan.scout.may_shorten_hosts() { names.one(host) } else { host };
        let host = String::from_utf8_lossy(host).into_owned();
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let summary = SourceSummary {
        id: source.id,
        path: source.path.clone(),
        size: source.size,
        sha256: None,
        format: format.map(|f| (f.id, f.system)),
        hosts,
        first: None,
        last: None,
        ledger: crate::formats::batch::Ledger::default(),
        malformed_samples: Vec::new(),
        year_from: plan.year_from,
        zone_from: plan.zone_from,
        zone: shows_zone.then_some(plan.clock.zone),
        zone_conflicts: 0,
        open_line: false,
        remarks: Remarks::default(),
        kinds: RecordKinds::default(),
        services: Services::default(),
        notes: plan.scout.trouble.iter().cloned().collect(),
        complete: plan.scout.trouble.is_none(),
    };
    let done = plan.scout.trouble.is_some();
    State {
        clock: plan.clock.clone(),
        speakers: plan.speakers.clone(),
        plan,
        summary,
        overlapping: false,
        clock_steps: 0,
        zone_conflicts: 0,
        ambiguous_times: 0,
        overlong_lines: 0,
        cut_records: 0,
        first_cut_record: None,
        malformed: VecDeque::new(),
        done,
    }
}

/// The clock a chunk is parsed with before the chunk in front of it is done. Its last instant lies well back, so that the year comes
/// out the same and a step back at the cut of two chunks is never counted, wherever the cuts of the waves fall.
fn guess(clock: &Clock) -> Clock {
    let mut guess = clock.clone();
    guess.last = guess.last.map(|last| last.plus(-GUESS_BACK));
    guess
}

/// Hands the events of some chunks on.
fn take(correlator: &mut Correlator, settled: &[Settled<'_>]) {
    let located: Vec<Located<'_, '_>> = settled
        .iter()
        .map(|Settled { source, first_line, batch, duplicates, again }| Located {
            source: *source,
            first_line: *first_line,
            batch,
            duplicates,
            again: *again,
        })
        .collect();
    correlator.take(&located);
}

/// Parses some chunks side by side.
fn parse_all<'a>(
    pieces: &'a [Piece],
    states: &[State],
    names: &'a HostNames,
    bumps: &'a mut [Bump],
    empty: Vec<Batch<'a>>,
) -> Vec<Parsed<'a>> {
    let places = pieces.par_iter().zip(bumps.par_iter_mut().zip(empty)).with_max_len(1);
    let parsed = places.map(|(piece, (bump, empty))| {
        let state = &states[piece.source];
        let fingerprints = state.overlapping;
        let (batch, clock) = parse(piece, state, guess(&state.clock), names, fingerprints, bump, empty);
        Parsed { batch, clock, fingerprints }
    });
    parsed.collect()
}

/// Parses one chunk into an empty batch. A panic in a parser loses the chunk, says so, and nothing else.
fn parse<'a>(
    piece: &'a Piece,
    state: &State,
    mut clock: Clock,
    names: &'a HostNames,
    fingerprints: bool,
    scratch: &'a mut Bump,
    mut batch: Batch<'a>,
) -> (Batch<'a>, Clock) {
    let before = clock.clone();
    let OwnedChunk { bytes, before: lines_before, heading, unended, .. } = &piece.chunk;
    let chunk = Chunk { bytes, before: lines_before, heading, scratch, names, fingerprints, unended: *unended };
    let Some(format) = state.plan.scout.format else {
        let bytes = &piece.chunk.bytes;
        return (if state.plan.scout.text { no_log(bytes) } else { unreadable(bytes, Malformed::NotText) }, before);
    };
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        (format.parse)(chunk, &mut clock, &mut batch);
        (batch, clock)
    }));
    parsed.unwrap_or_else(|_| (unreadable(&piece.chunk.bytes, Malformed::BadBody), before))
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64 + u64::from(bytes.last().is_some_and(|b| *b != b'\n'))
}

/// A batch of text that is no log.
fn no_log(bytes: &[u8]) -> Batch<'_> {
    let mut batch = Batch::default();
    batch.ledger.total = count_lines(bytes);
    batch.ledger.ignored[Ignored::UnknownFormat as usize] = batch.ledger.total;
    batch
}

/// A batch in which every line is malformed.
fn unreadable(bytes: &[u8], why: Malformed) -> Batch<'_> {
    let mut batch = Batch::default();
    batch.ledger.total = count_lines(bytes);
    batch.ledger.malformed = batch.ledger.total;
    batch.malformed_samples.push((0, why));
    batch
}

/// How a source is read.
#[derive(Clone, Copy)]
struct Way {
    format: Option<&'static Format>,
    backwards: bool,
}

/// Gives chunks, source after source.
struct Feed<'s> {
    sources: &'s [crate::intake::Source],
    ways: &'s [Way],
    order: std::vec::IntoIter<usize>,
    current: Option<(usize, Chunker, u64)>,
    threads: usize,
    /// The bytes of chunks that are done with, to be filled again.
    spare: Vec<Vec<u8>>,
}

impl Feed<'_> {
    /// The next wave; `None` when all is read.
    fn next(&mut self) -> Option<Wave> {
        let mut wave = Wave::default();
        while wave.pieces.len() < self.threads * self.chunks_per_thread() {
            if self.current.is_none() && !self.open(&mut wave) {
                break;
            }
            let Some((source, chunker, encoded)) = &mut self.current else { continue };
            if let Some(spare) = self.spare.pop() {
                chunker.recycle(spare);
            }
            match chunker.next() {
                Some(chunk) => {
                    let advanced = chunk.encoded_bytes.saturating_sub(*encoded);
                    *encoded = chunk.encoded_bytes;
                    wave.pieces.push(Piece { source: *source, chunk, advanced });
                }
                None => {
                    if let Some((source, chunker, _)) = self.current.take() {
                        wave.endings.push(Ending { source, after: wave.pieces.len(), finished: Ok(chunker.finish()) });
                    }
                }
            }
        }
        (!wave.pieces.is_empty() || !wave.endings.is_empty()).then_some(wave)
    }

    /// How many chunks of the source at hand a wave has for each thread.
    fn chunks_per_thread(&self) -> usize {
        let format = self.current.as_ref().and_then(|(source, ..)| self.ways[*source].format);
        if format.is_some_and(|format| matches!(format.framing, Framing::Values(_))) { 2 } else { 1 }
    }

    /// Opens the next source; false when there is none.
    fn open(&mut self, wave: &mut Wave) -> bool {
        let Some(source) = self.order.next() else { return false };
        match self.sources[source].open() {
            Ok(reader) => {
                let Way { format, backwards } = self.ways[source];
                let reader = if backwards { reader.backwards() } else { reader };
                let cut = match format.map(|f| f.framing) {
                    Some(Framing::JournalEntries) => Cut::Before(b"__CURSOR="),
                    Some(Framing::Rows { quoted, begins, headings }) => Cut::Rows(intake::Rows { quoted, begins, headings }),
                    Some(Framing::Values(cutter)) => Cut::Records(cutter()),
                    Some(Framing::Lines) | None => Cut::Lines,
                };
                self.current = Some((source, Chunker::new(reader, cut, CHUNK_BYTES), 0));
            }
            Err(error) => wave.endings.push(Ending { source, after: wave.pieces.len(), finished: Err(error.sentence()) }),
        }
        true
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}
