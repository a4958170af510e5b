//! The time ledger: which year and which zone a source's stamps are read with, and what decided it.

use super::scout::{Beginning, Scout};
use super::speakers::Speakers;
use crate::config::Settings;
use crate::domain::time::{DAY, MINUTE, SECOND, Timestamp, Zone, date_exists, days_from_civil, year_of};
use crate::formats::clock::{Clock, Offset, WallTime, Witness, WitnessKind};
use crate::formats::host_names::HostNames;
use crate::intake::{MemberZone, Source, Survey, TimeHints};
use std::collections::BTreeMap;

/// A source with all that is needed to read it.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) scout: Scout,
    pub(super) clock: Clock,
    /// `None` where stamps carry a year.
    pub(super) year_from: Option<&'static str>,
    /// `None` where stamps carry an offset.
    pub(super) zone_from: Option<&'static str>,
    /// The first stamp, as an instant.
    pub(super) first: Option<Timestamp>,
    /// When the content was last written, if that decided the year.
    pub(super) written: Option<Timestamp>,
    /// Of an extract of other sources: the first stamp of the last of them. It is read after them, since what it leaves out is the
    /// context of what it holds.
    pub(super) after: Option<Timestamp>,
    /// The hosts it speaks of, as far as is known before it is read.
    pub(super) speakers: Speakers,
}

impl Plan {
    /// The hosts in its head, as a logger names them.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &[u8]> {
        self.scout.scouted.hosts.iter().filter(|_| self.scout.may_shorten_hosts()).map(Vec::as_slice)
    }

    /// The two instants that the first stamp can mean, if it lies in the autumn hour that comes twice.
    pub(super) fn both_rounds(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.scout.scouted.first_yearless?;
        let (early, late) = self.clock.zone.instants(wall_instant(first, year_of(self.first?)));
        late.map(|late| (early, late))
    }
}

/// The year of stamps that nothing dates: long before any log this tool reads, so that it cannot pass for a real one.
const NO_YEAR: i32 = 1970;
/// How far the first line of a log may lie behind the time its file was written, for clocks that differ.
const WRITTEN_SLACK: i64 = DAY;

/// Offsets of zones in use are whole quarters of an hour.
const QUARTER_HOUR: i64 = 15 * MINUTE;
/// Those that are whole hours go from here to there, in quarters of an hour.
const WHOLE_HOURS: std::ops::RangeInclusive<i64> = -12 * 4..=14 * 4;
/// The others, from the Marquesas over Newfoundland, Iran, Afghanistan, India, Nepal, Burma, Eucla, Adelaide and Lord Howe to the Chathams,
/// summer time included (the IANA time zone database).
const ODD_OFFSETS: [i64; 13] = [-38, -14, -10, 14, 18, 22, 23, 26, 35, 38, 42, 51, 55];
/// How long after its last line's stamp a file may have been written.
const WRITING_SLACK: i64 = 5 * SECOND;

/// What decided a year or a zone, the best first. The ways to know when the content was written stand among themselves as they do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    Given,
    QueueId,
    MessageId,
    MemberMtime,
    GzipMtime,
    FileName,
    FileMtime,
    OtherSource,
    Assumed,
}

impl Ground {
    fn name(self) -> &'static str {
        match self {
            Ground::Given => "option",
            Ground::QueueId => "queue-id",
            Ground::MessageId => "message-id",
            Ground::MemberMtime => "member-mtime",
            Ground::GzipMtime => "gzip-mtime",
            Ground::FileName => "file-name",
            Ground::FileMtime => "file-mtime",
            Ground::OtherSource => "other-source",
            Ground::Assumed => "assumed",
        }
    }

    fn of(witness: &Witness) -> Ground {
        match witness.kind {
            WitnessKind::QueueId => Ground::QueueId,
            WitnessKind::MessageId => Ground::MessageId,
        }
    }

    /// Whether it is the time at which the content was written, which every copying may set anew.
    fn is_writing(self) -> bool {
        (Ground::MemberMtime..=Ground::FileMtime).contains(&self)
    }
}

/// A year or a zone, and how it is known.
#[derive(Clone, Copy)]
struct Decided<T> {
    value: T,
    ground: Ground,
    /// When the content was written, if that is the ground.
    written: Option<Timestamp>,
}

impl<T> Decided<T> {
    fn new(value: T, ground: Ground) -> Decided<T> {
        Decided { value, ground, written: None }
    }

    /// The less, the better; of two times of writing the earlier one is nearer to the log's own.
    fn order(&self) -> (Ground, Timestamp) {
        let ground = if self.ground.is_writing() { Ground::MemberMtime } else { self.ground };
        (ground, self.written.unwrap_or(Timestamp(i64::MAX)))
    }
}

/// Decides year and zone of every source.
pub(super) fn resolve(survey: &Survey, scouts: Vec<Scout>, settings: &Settings) -> Vec<Plan> {
    let sources = || survey.sources.iter().zip(&scouts);
    let neighbours = Neighbours::new(sources());
    let zones = shared_by_copies(&scouts, sources().map(|(source, scout)| zone(source, scout, settings, &neighbours)).collect());
    let years = sources().zip(&zones).map(|((source, scout), zone)| year(source, scout, settings, zone.value, &neighbours)).collect();
    let years = shared_by_copies(&scouts, years);
    let own_writing: Vec<_> = sources().map(|(source, _)| written(&source.hints)).collect();
    let decided = zones.into_iter().zip(years).zip(own_writing);
    scouts.into_iter().zip(decided).map(|(scout, ((zone, year), written))| plan(scout, zone, year, written.map(|(_, at)| at))).collect()
}

/// Copies of one log are of one time: what is known best of any of them holds for all, whenever each was written to disk.
fn shared_by_copies<T: Copy>(scouts: &[Scout], mut decided: Vec<Decided<T>>) -> Vec<Decided<T>> {
    let mut best: BTreeMap<Beginning, Decided<T>> = BTreeMap::new();
    for (scout, one) in scouts.iter().zip(&decided) {
        if let Some(beginning) = scout.beginning {
            best.entry(beginning).and_modify(|best| *best = if one.order() < best.order() { *one } else { *best }).or_insert(*one);
        }
    }
    for (scout, one) in scouts.iter().zip(&mut decided).filter(|(_, one)| one.ground != Ground::Given) {
        if let Some(best) = scout.beginning.and_then(|beginning| best.get(&beginning)) {
            *one = *best;
        }
    }
    decided
}

/// The zone that `--log-tz` or the configuration gives for a path.
pub(super) fn given_zone(settings: &Settings, path: &str) -> Option<Zone> {
    given(&settings.log_zones, path)
}

/// The year that `--year` gives for a path.
pub(super) fn given_year(settings: &Settings, path: &str) -> Option<i32> {
    given(&settings.years, path)
}

fn given<T: Copy>(rules: &[(Option<String>, T)], path: &str) -> Option<T> {
    rules.iter().find(|(glob, _)| glob.as_ref().is_none_or(|g| matches(g, path))).map(|(_, value)| *value)
}

/// Whether a glob fits a path, or the last part of it.
fn matches(glob: &str, path: &str) -> bool {
    let Ok(glob) = globset::Glob::new(glob) else { return false };
    let matcher = glob.compile_matcher();
    let name = path.rsplit(['/', '!', '\\']).next().unwrap_or(path);
    matcher.is_match(path) || matcher.is_match(name)
}

fn plan(scout: Scout, zone: Decided<Zone>, year: Decided<i32>, written: Option<Timestamp>) -> Plan {
    let speakers = Speakers::of(&scout.scouted.hosts);
    let Some(first) = scout.scouted.first_yearless else {
        let first = scout.scouted.first_absolute;
        // A tenant's exports are in UTC but for columns in local time, and only the option knows of which zone these are.
        let local = scout.format.is_some_and(|format| format.system == "m365") && zone.ground == Ground::Given;
        let mut clock = Clock::new(if local { zone.value } else { Zone::UTC }, NO_YEAR);
        clock.day_first = scout.scouted.day_first;
        return Plan { clock, year_from: None, zone_from: None, first, written: None, after: None, scout, speakers };
    };
    let mut clock = Clock::new(zone.value, year.value);
    clock.day_first = scout.scouted.day_first;
    let first = clock.clone().read_yearless(first).at;
    let first = scout.scouted.first_absolute.map_or(first, |absolute| absolute.min(first));
    let written = written.filter(|_| year.ground.is_writing());
    Plan {
        clock,
        year_from: scout.scouted.first_year.is_none().then(|| year.ground.name()),
        zone_from: Some(zone.ground.name()),
        first: Some(first),
        written,
        after: None,
        speakers,
        scout,
    }
}

fn zone(source: &Source, scout: &Scout, settings: &Settings, neighbours: &Neighbours) -> Decided<Zone> {
    if let Some(zone) = given_zone(settings, &source.path) {
        return Decided::new(zone, Ground::Given);
    }
    let witnesses = &scout.scouted.witnesses;
    if let Some((offset, ground)) = offset_of(witnesses) {
        return Decided::new(agreeing(settings.report_zone, offset.seconds, witnesses.iter().map(|w| w.instant)), ground);
    }
    if let Some((offset, ground)) = scout.last_yearless.and_then(|last| offset_of_writing(last, &source.hints)) {
        let zone = agreeing(settings.report_zone, offset.seconds, [offset.at].into_iter());
        return Decided { value: zone, ground, written: Some(offset.at) };
    }
    match neighbours.offset(&scout.scouted.hosts) {
        Some(offset) => Decided::new(agreeing(settings.report_zone, offset.seconds, [offset.at].into_iter()), Ground::OtherSource),
        None => Decided::new(Zone::UTC, Ground::Assumed),
    }
}

/// The offset that the best witnesses agree on most, to the quarter hour.
fn offset_of(witnesses: &[Witness]) -> Option<(Offset, Ground)> {
    let first = witnesses.iter().min_by_key(|w| w.kind)?;
    let best = first.kind;
    let mut votes: BTreeMap<i32, usize> = BTreeMap::new();
    for witness in witnesses.iter().filter(|w| w.kind == best) {
        if let Some(offset) = witness_offset(witness) {
            *votes.entry(offset).or_default() += 1;
        }
    }
    let (seconds, _) = votes.into_iter().max_by_key(|(offset, n)| (*n, std::cmp::Reverse(offset.abs())))?;
    Some((Offset { seconds, at: first.instant }, Ground::of(first)))
}

fn witness_offset(witness: &Witness) -> Option<i32> {
    let wall = wall_instant(witness.wall, local_year(witness));
    let quarters = (wall.since(witness.instant) as f64 / QUARTER_HOUR as f64).round() as i64;
    is_in_use(quarters).then_some(quarters as i32 * 15 * 60)
}

/// Whether any zone has an offset of so many quarters of an hour. Other differences are a clock's or a copy's.
fn is_in_use(quarters: i64) -> bool {
    WHOLE_HOURS.contains(&quarters) && quarters % 4 == 0 || ODD_OFFSETS.contains(&quarters)
}

/// The year on the writer's wall clock: that of the instant, or a neighbour at the turn of the year.
fn local_year(witness: &Witness) -> i32 {
    let year = year_of(witness.instant);
    let distance = |y: &i32| wall_instant(witness.wall, *y).since(witness.instant).abs();
    [year, year - 1, year + 1].into_iter().min_by_key(distance).unwrap_or(year)
}

fn wall_instant(wall: WallTime, year: i32) -> Timestamp {
    Timestamp(days_from_civil(year, u32::from(wall.month), u32::from(wall.day)) * DAY + wall.micros_of_day)
}

/// The report's own zone, if it has that offset at all of these instants: unlike a bare offset it knows when summer time changes.
fn agreeing(report: Zone, offset: i32, mut instants: impl Iterator<Item = Timestamp>) -> Zone {
    let agrees = matches!(report, Zone::Named(_)) && instants.all(|at| report.offset_at(at) == offset);
    if agrees { report } else { Zone::Fixed(offset) }
}

/// A log's last line is written when its file is: the difference between its wall time and the file's instant is the zone, if it is a
/// whole number of quarter hours to within a few seconds.
fn offset_of_writing(last: WallTime, hints: &TimeHints) -> Option<(Offset, Ground)> {
    let member = hints.member_mtime.filter(|_| hints.member_zone == MemberZone::Utc).map(|t| (t, Ground::MemberMtime));
    let file = hints.file_mtime.filter(|_| hints.member_mtime.is_none()).map(|t| (t, Ground::FileMtime));
    let times = [member, hints.gzip_mtime.map(|t| (t, Ground::GzipMtime)), file];
    times.into_iter().flatten().find_map(|(written, ground)| {
        let year = year_of(written);
        let nearest = [year, year - 1, year + 1]
            .into_iter()
            .map(|y| wall_instant(last, y).since(written))
            .min_by_key(|difference| difference.abs())?;
        let quarters = (nearest as f64 / QUARTER_HOUR as f64).round() as i64;
        let exact = (nearest - quarters * QUARTER_HOUR).abs() <= WRITING_SLACK;
        let offset = Offset { seconds: quarters as i32 * 15 * 60, at: written };
        (exact && is_in_use(quarters)).then_some((offset, ground))
    })
}

/// What the sources tell of each other's time.
struct Neighbours {
    /// The hosts that they name in two ways; by host means by the one name.
    names: HostNames,
    offsets: BTreeMap<Vec<u8>, Offset>,
    /// The offset of all sources that tell one, if it is the same.
    common: Option<Offset>,
    years: BTreeMap<Vec<u8>, i32>,
}

impl Neighbours {
    fn new<'s>(sources: impl Iterator<Item = (&'s Source, &'s Scout)> + Clone) -> Neighbours {
        let named = sources.clone().filter(|(_, scout)| scout.may_shorten_hosts());
        let names = HostNames::of(named.flat_map(|(_, scout)| &scout.scouted.hosts).map(Vec::as_slice));
        let mut by_witness = Vec::new();
        let mut by_stamp = Vec::new();
        let mut by_writing = Vec::new();
        let mut years = BTreeMap::new();
        for (source, scout) in sources {
            let scouted = &scout.scouted;
            let host = scouted.hosts.first().map(|host| names.one(host).to_vec());
            if let Some((offset, _)) = offset_of(&scouted.witnesses) {
                by_witness.push((host.clone(), offset));
            } else if let Some((offset, _)) = scout.last_yearless.and_then(|last| offset_of_writing(last, &source.hints)) {
                by_writing.push((host.clone(), offset));
            }
            by_stamp.extend(scouted.offsets.iter().map(|(host, offset)| (Some(names.one(host).to_vec()), *offset)));
            if let (Some(witness), Some(host)) = (scouted.witnesses.iter().min_by_key(|w| w.kind), host) {
                years.entry(host).or_insert_with(|| local_year(witness));
            }
        }
        let told: Vec<_> = [by_witness, by_stamp, by_writing].concat();
        let common = told.first().map(|(_, offset)| *offset);
        let common = common.filter(|common| told.iter().all(|(_, offset)| offset.seconds == common.seconds));
        let mut offsets = BTreeMap::new();
        for (host, offset) in told {
            if let Some(host) = host {
                offsets.entry(host).or_insert(offset);
            }
        }
        Neighbours { names, offsets, common, years }
    }

    /// What the logs of these hosts say of their zone, or else all logs together.
    fn offset(&self, hosts: &[Vec<u8>]) -> Option<Offset> {
        hosts.iter().find_map(|host| self.offsets.get(self.names.one(host))).copied().or(self.common)
    }
}

fn year(source: &Source, scout: &Scout, settings: &Settings, zone: Zone, neighbours: &Neighbours) -> Decided<i32> {
    // What the stamps themselves say needs no other ground.
    if let Some(year) = scout.scouted.first_year {
        return Decided::new(year, Ground::Given);
    }
    if let Some(year) = given_year(settings, &source.path) {
        return Decided::new(year, Ground::Given);
    }
    let Some(first) = scout.scouted.first_yearless else { return Decided::new(NO_YEAR, Ground::Assumed) };
    if let Some(witness) = scout.scouted.witnesses.iter().min_by_key(|w| w.kind) {
        let year = local_year(witness);
        // The witness stands at or after the first line: a first line later in the calendar is of the year before.
        let earlier = (first.month, first.day) > (witness.wall.month, witness.wall.day);
        return Decided::new(year - i32::from(earlier), Ground::of(witness));
    }
    if let Some((ground, written)) = written(&source.hints) {
        return Decided { value: latest_year_before(first, written, zone), ground, written: Some(written) };
    }
    match scout.scouted.hosts.iter().find_map(|h| neighbours.years.get(neighbours.names.one(h))) {
        Some(year) => Decided::new(*year, Ground::OtherSource),
        None => Decided::new(NO_YEAR, Ground::Assumed),
    }
}

/// When the content was written, by the witnesses outside it, the best first.
fn written(hints: &TimeHints) -> Option<(Ground, Timestamp)> {
    let named = || date_in_name(&hints.name);
    hints
        .member_mtime
        .map(|t| (Ground::MemberMtime, t))
        .or_else(|| hints.gzip_mtime.map(|t| (Ground::GzipMtime, t)))
        .or_else(|| named().map(|t| (Ground::FileName, t)))
        .or_else(|| hints.file_mtime.map(|t| (Ground::FileMtime, t)))
}

/// The latest year in which a log that was written until `written` can begin with this stamp.
fn latest_year_before(first: WallTime, written: Timestamp, zone: Zone) -> i32 {
    let limit = written.plus(WRITTEN_SLACK);
    let latest = year_of(limit) + 1;
    let fits = |year: &i32| {
        date_exists(*year, u32::from(first.month), u32::from(first.day)) && zone.instants(wall_instant(first, *year)).0 <= limit
    };
    (latest - 9..=latest).rev().find(fits).unwrap_or(latest - 1)
}

/// The date in the name of a rotated log, `mail.log-20221030` or `mail.log.20221030-002000`: the day of the rotation, at its end.
fn date_in_name(name: &str) -> Option<Timestamp> {
    let digits_at = |start: usize| name.get(start..start + 8).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    for start in 0..name.len().saturating_sub(7) {
        let bounded = |at: Option<u8>| at.is_none_or(|b| !b.is_ascii_digit());
        let before = start.checked_sub(1).and_then(|at| name.as_bytes().get(at).copied());
        let Some(digits) = digits_at(start).filter(|_| bounded(before) && bounded(name.as_bytes().get(start + 8).copied())) else {
            continue;
        };
        let (Ok(year), Ok(month), Ok(day)) = (digits[..4].parse::<i32>(), digits[4..6].parse::<u32>(), digits[6..].parse::<u32>()) else {
            continue;
        };
        if (1990..2100).contains(&year) && date_exists(year, month, day) {
            return Some(Timestamp((days_from_civil(year, month, day) + 1) * DAY));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::HOUR;

    fn instant(text: &str) -> Timestamp {
        Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
    }

    fn wall(month: u8, day: u8, hour: i64) -> WallTime {
        WallTime { month, day, micros_of_day: hour * HOUR }
    }

    #[test]
    fn a_log_written_in_february_that_begins_in_december_is_of_the_year_before() {
        assert_eq!(latest_year_before(wall(12, 31, 22), instant("2023-02-03T00:00:00Z"), Zone::UTC), 2022);
        assert_eq!(latest_year_before(wall(1, 31, 22), instant("2023-02-03T00:00:00Z"), Zone::UTC), 2023);
        assert_eq!(latest_year_before(wall(2, 29, 1), instant("2023-02-03T00:00:00Z"), Zone::UTC), 2020);
    }

    #[test]
    fn the_name_of_a_rotated_log_tells_the_day_it_was_closed() {
        let day = |t: &str| Some(instant(t));
        assert_eq!(date_in_name("maillog-20221030.gz"), day("2022-10-31T00:00:00Z"));
        assert_eq!(date_in_name("mail.log.20230101-002000.gz"), day("2023-01-02T00:00:00Z"));
        assert_eq!(date_in_name("mail.log.123456789"), None);
        assert_eq!(date_in_name("mail.log.1"), None);
        assert_eq!(date_in_name("日本語-20220101"), day("2022-01-02T00:00:00Z"));
    }

    #[test]
    fn the_last_line_and_the_time_its_file_was_written_tell_the_zone() {
        let hints = |at: &str| TimeHints { member_mtime: Some(instant(at)), ..TimeHints::default() };
        let last = WallTime { month: 11, day: 2, micros_of_day: 19 * HOUR + 29 * MINUTE + 34 * SECOND };
        assert_eq!(
            offset_of_writing(last, &hints("2022-11-02T10:29:35Z")),
            Some((Offset { seconds: 32_400, at: instant("2022-11-02T10:29:35Z") }, Ground::MemberMtime))
        );
        // Copied at some other time: says nothing.
        assert_eq!(offset_of_writing(last, &hints("2022-11-02T10:37:35Z")), None);
        assert_eq!(offset_of_writing(last, &hints("2022-11-09T10:29:35Z")), None);
    }

    #[test]
    fn a_message_id_in_utc_tells_the_zone_of_the_clock_even_across_new_year() {
        let witness = Witness { kind: WitnessKind::MessageId, wall: wall(1, 1, 8), instant: instant("2022-12-31T23:00:01Z") };
        assert_eq!(offset_of(&[witness]), Some((Offset { seconds: 32_400, at: witness.instant }, Ground::MessageId)));
        assert_eq!(local_year(&witness), 2023);
    }
}
