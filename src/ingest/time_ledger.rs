//! The time ledger: which year and which zone a source's stamps are read with, and what decided it.

use super::scout::Scout;
use super::speakers::Speakers;
use crate::config::Settings;
use crate::domain::time::{DAY, MINUTE, SECOND, Timestamp, Zone, date_exists, days_from_civil, year_of};
use crate::formats::clock::{Clock, WallTime, Witness, WitnessKind};
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
    /// The hosts it speaks of, as far as is known before it is read.
    pub(super) speakers: Speakers,
}

/// The year of stamps that nothing dates: long before any log this tool reads, so that it cannot pass for a real one.
const NO_YEAR: i32 = 1970;
/// How far the first line of a log may lie behind the time its file was written, for clocks that differ.
const WRITTEN_SLACK: i64 = DAY;

/// Offsets of zones in use are whole quarters of an hour, at most 14 hours from UTC.
const QUARTER_HOUR: i64 = 15 * MINUTE;
const OFFSET_QUARTERS_MAX: i64 = 14 * 4;
/// How long after its last line's stamp a file may have been written.
const WRITING_SLACK: i64 = 5 * SECOND;
/// To ask a zone for its offset on a day of the year.
const AN_ORDINARY_YEAR: i32 = 2022;

/// Decides year and zone of every source.
pub(super) fn resolve(survey: &Survey, scouts: Vec<Scout>, settings: &Settings) -> Vec<Plan> {
    let common = common_offset(&scouts);
    let by_host = offsets_by_host(&scouts);
    let years = years_by_host(&scouts);
    survey.sources.iter().zip(scouts).map(|(source, scout)| plan(source, scout, settings, common, &by_host, &years)).collect()
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

fn plan(
    source: &Source,
    scout: Scout,
    settings: &Settings,
    common: Option<i32>,
    by_host: &BTreeMap<Vec<u8>, i32>,
    years: &BTreeMap<Vec<u8>, i32>,
) -> Plan {
    let speakers = Speakers::of(&scout.scouted.hosts);
    let Some(first) = scout.scouted.first_yearless else {
        let first = scout.scouted.first_absolute;
        let mut clock = Clock::new(Zone::UTC, NO_YEAR);
        clock.day_first = scout.scouted.day_first;
        return Plan { clock, year_from: None, zone_from: None, first, written: None, scout, speakers };
    };
    let (zone, zone_from) = zone(source, &scout, settings, common, by_host);
    let year = year(source, &scout, settings, first, zone, years);
    let clock = Clock::new(zone, year.year);
    let first = clock.clone().read_yearless(first).at;
    let first = scout.scouted.first_absolute.map_or(first, |absolute| absolute.min(first));
    Plan { scout, clock, year_from: Some(year.from), zone_from: Some(zone_from), first: Some(first), written: year.written, speakers }
}

fn zone(
    source: &Source,
    scout: &Scout,
    settings: &Settings,
    common: Option<i32>,
    by_host: &BTreeMap<Vec<u8>, i32>,
) -> (Zone, &'static str) {
    if let Some(zone) = given_zone(settings, &source.path) {
        return (zone, "option");
    }
    if let Some((offset, kind)) = offset_of(&scout.scouted.witnesses) {
        return (named_if_it_agrees(settings.report_zone, offset, &scout.scouted.witnesses), witness_name(kind));
    }
    if let Some((offset, from)) = scout.last_yearless.and_then(|last| offset_of_writing(last, &source.hints)) {
        return (agreeing(settings.report_zone, offset, scout), from);
    }
    let neighbour = scout.scouted.hosts.iter().find_map(|h| by_host.get(h)).copied().or(common);
    match neighbour {
        Some(offset) => (agreeing(settings.report_zone, offset, scout), "other-source"),
        None => (Zone::UTC, "assumed"),
    }
}

fn witness_name(kind: WitnessKind) -> &'static str {
    match kind {
        WitnessKind::QueueId => "queue-id",
        WitnessKind::MessageId => "message-id",
    }
}

/// The offset that the best witnesses agree on most, in seconds, to the quarter hour.
fn offset_of(witnesses: &[Witness]) -> Option<(i32, WitnessKind)> {
    let best = witnesses.iter().map(|w| w.kind).min()?;
    let mut votes: BTreeMap<i32, usize> = BTreeMap::new();
    for witness in witnesses.iter().filter(|w| w.kind == best) {
        if let Some(offset) = witness_offset(witness) {
            *votes.entry(offset).or_default() += 1;
        }
    }
    votes.into_iter().max_by_key(|(offset, n)| (*n, std::cmp::Reverse(offset.abs()))).map(|(offset, _)| (offset, best))
}

fn witness_offset(witness: &Witness) -> Option<i32> {
    let wall = wall_instant(witness.wall, local_year(witness));
    let quarters = (wall.since(witness.instant) as f64 / QUARTER_HOUR as f64).round() as i64;
    (quarters.abs() <= OFFSET_QUARTERS_MAX).then_some(quarters as i32 * 15 * 60)
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

/// The report's own zone, if it has the offset that the log's clock had: unlike a bare offset it knows when summer time changes.
fn named_if_it_agrees(report: Zone, offset: i32, witnesses: &[Witness]) -> Zone {
    let agrees = matches!(report, Zone::Named(_)) && witnesses.iter().all(|w| report.offset_at(w.instant) == offset);
    if agrees { report } else { Zone::Fixed(offset) }
}

/// The report's own zone, if it has that offset when the log begins.
fn agreeing(report: Zone, offset: i32, scout: &Scout) -> Zone {
    let Some(first) = scout.scouted.first_yearless else { return Zone::Fixed(offset) };
    // Half the year has one offset, half the other; which year it is does not matter for that.
    let at = wall_instant(first, AN_ORDINARY_YEAR).plus(-i64::from(offset) * SECOND);
    let agrees = matches!(report, Zone::Named(_)) && report.offset_at(at) == offset;
    if agrees { report } else { Zone::Fixed(offset) }
}

/// A log's last line is written when its file is: the difference between its wall time and the file's instant is the zone, if it is a
/// whole number of quarter hours to within a few seconds.
fn offset_of_writing(last: WallTime, hints: &TimeHints) -> Option<(i32, &'static str)> {
    let member = hints.member_mtime.filter(|_| hints.member_zone == MemberZone::Utc).map(|t| (t, "member-mtime"));
    let file = hints.file_mtime.filter(|_| hints.member_mtime.is_none()).map(|t| (t, "file-mtime"));
    let times = [member, hints.gzip_mtime.map(|t| (t, "gzip-mtime")), file];
    times.into_iter().flatten().find_map(|(written, from)| {
        let year = year_of(written);
        let nearest = [year, year - 1, year + 1]
            .into_iter()
            .map(|y| wall_instant(last, y).since(written))
            .min_by_key(|difference| difference.abs())?;
        let quarters = (nearest as f64 / QUARTER_HOUR as f64).round() as i64;
        let exact = (nearest - quarters * QUARTER_HOUR).abs() <= WRITING_SLACK;
        (exact && quarters.abs() <= OFFSET_QUARTERS_MAX).then_some((quarters as i32 * 15 * 60, from))
    })
}

fn offsets_by_host(scouts: &[Scout]) -> BTreeMap<Vec<u8>, i32> {
    let mut offsets = BTreeMap::new();
    for scout in scouts {
        if let (Some((offset, _)), Some(host)) = (offset_of(&scout.scouted.witnesses), scout.scouted.hosts.first()) {
            offsets.entry(host.clone()).or_insert(offset);
        }
    }
    offsets
}

/// The offset of all sources that tell one, if it is the same.
fn common_offset(scouts: &[Scout]) -> Option<i32> {
    let mut offsets: Vec<i32> = scouts.iter().filter_map(|s| offset_of(&s.scouted.witnesses)).map(|(o, _)| o).collect();
    offsets.dedup();
    match offsets[..] {
        [only] => Some(only),
        _ => None,
    }
}

fn years_by_host(scouts: &[Scout]) -> BTreeMap<Vec<u8>, i32> {
    let mut years = BTreeMap::new();
    for scout in scouts {
        let (Some(witness), Some(host)) = (scout.scouted.witnesses.iter().min_by_key(|w| w.kind), scout.scouted.hosts.first()) else {
            continue;
        };
        years.entry(host.clone()).or_insert_with(|| local_year(witness));
    }
    years
}

struct Year {
    year: i32,
    from: &'static str,
    written: Option<Timestamp>,
}

fn year(source: &Source, scout: &Scout, settings: &Settings, first: WallTime, zone: Zone, years: &BTreeMap<Vec<u8>, i32>) -> Year {
    if let Some(year) = given_year(settings, &source.path) {
        return Year { year, from: "option", written: None };
    }
    if let Some(witness) = scout.scouted.witnesses.iter().min_by_key(|w| w.kind) {
        let year = local_year(witness);
        // The witness stands at or after the first line: a first line later in the calendar is of the year before.
        let earlier = (first.month, first.day) > (witness.wall.month, witness.wall.day);
        return Year { year: year - i32::from(earlier), from: witness_name(witness.kind), written: None };
    }
    if let Some((from, written)) = written(&source.hints) {
        return Year { year: latest_year_before(first, written, zone), from, written: Some(written) };
    }
    match scout.scouted.hosts.iter().find_map(|h| years.get(h)) {
        Some(year) => Year { year: *year, from: "other-source", written: None },
        None => Year { year: NO_YEAR, from: "assumed", written: None },
    }
}

/// When the content was written, by the witnesses outside it, the best first.
fn written(hints: &TimeHints) -> Option<(&'static str, Timestamp)> {
    let named = || date_in_name(&hints.name);
    hints
        .member_mtime
        .map(|t| ("member-mtime", t))
        .or_else(|| hints.gzip_mtime.map(|t| ("gzip-mtime", t)))
        .or_else(|| named().map(|t| ("file-name", t)))
        .or_else(|| hints.file_mtime.map(|t| ("file-mtime", t)))
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
        assert_eq!(offset_of_writing(last, &hints("2022-11-02T10:29:35Z")), Some((32_400, "member-mtime")));
        // Copied at some other time: says nothing.
        assert_eq!(offset_of_writing(last, &hints("2022-11-02T10:37:35Z")), None);
        assert_eq!(offset_of_writing(last, &hints("2022-11-09T10:29:35Z")), None);
    }

    #[test]
    fn a_message_id_in_utc_tells_the_zone_of_the_clock_even_across_new_year() {
        let witness = Witness { kind: WitnessKind::MessageId, wall: wall(1, 1, 8), instant: instant("2022-12-31T23:00:01Z") };
        assert_eq!(offset_of(&[witness]), Some((32_400, WitnessKind::MessageId)));
        assert_eq!(local_year(&witness), 2023);
    }
}
