//! From the arguments as typed to what will be done: everything is checked here, before any evidence is read.

use super::args::{Analyze, FailOn, Hints, Inspect, Output, Reading};
use super::case_folder::CaseFolder;
use super::key_file;
use super::message::Failure;
use super::terminal::Color;
use crate::analysis::model::Verdict;
use crate::config::{self, Config, Overrides, Settings};
use crate::geo::Geo;
use crate::intake::Limits;
use crate::pseudonym::Key;
use crate::report::{self, Face, View};
use sha2::Digest;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A checked run.
pub(super) struct Plan {
    pub(super) evidence: Vec<PathBuf>,
    pub(super) settings: Settings,
    /// The face for standard output, if any goes there.
    pub(super) stdout: Option<&'static Face>,
    pub(super) color: Color,
    pub(super) talk: Talk,
    /// The key of the pseudonyms that stand for names and addresses, if they are asked for.
    pub(super) key: Option<Key>,
}

/// A checked run of `analyze`.
pub(super) struct AnalyzePlan {
    pub(super) plan: Plan,
    pub(super) case: Option<CaseFolder>,
    /// The face for standard error, if any goes there.
    pub(super) stderr: Option<&'static Face>,
    pub(super) fail_on: Option<Verdict>,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    Quiet,
    Normal,
    Verbose,
}

pub(super) fn analyze(args: Analyze) -> Result<AnalyzePlan, Failure> {
    let plan = plan(args.reading, Some(args.hints), &args.output, View::Findings)?;
    let case = args.out.as_deref().map(|out| CaseFolder::check(out, &plan.evidence)).transpose()?;
    let summary_to_stderr = case.is_some() && args.output.format.is_none();
    let stderr = if summary_to_stderr && plan.talk != Talk::Quiet { plan.stdout } else { None };
    let stdout = if summary_to_stderr { None } else { plan.stdout };
    let fail_on = match args.fail_on {
        FailOn::None => None,
        FailOn::Suspected => Some(Verdict::Suspected),
        FailOn::Confirmed => Some(Verdict::Confirmed),
    };
    Ok(AnalyzePlan { plan: Plan { stdout, ..plan }, case, stderr, fail_on })
}

pub(super) fn inspect(args: Inspect) -> Result<Plan, Failure> {
    plan(args.reading, None, &args.output, View::Inventory)
}

fn plan(reading: Reading, hints: Option<Hints>, output: &Output, view: View) -> Result<Plan, Failure> {
    check_evidence(&reading.evidence)?;
    let evidence = reading.evidence.clone();
    let talk = match (output.quiet, output.verbose) {
        (true, _) => Talk::Quiet,
        (false, true) => Talk::Verbose,
        (false, false) => Talk::Normal,
    };
    let id = output.format.as_deref().unwrap_or("text");
    let face = report::find(view, id).ok_or_else(|| Failure::usage(format!("there is no face \"{id}\" of this")))?;
    let settings = settings(reading, hints, output)?;
    let key = output.pseudonymize.as_deref().map(|file| key_file::read(file, talk)).transpose()?;
    Ok(Plan { evidence, settings, stdout: Some(face), color: output.color, talk, key })
}

fn check_evidence(evidence: &[PathBuf]) -> Result<(), Failure> {
    let stdin = Path::new("-");
    if evidence.iter().filter(|path| *path == stdin).count() > 1 {
        return Err(Failure::usage("standard input (-) was given more than once"));
    }
    for path in evidence.iter().filter(|path| *path != stdin) {
        if let Err(error) = path.symlink_metadata() {
            return Err(Failure::usage(format!("evidence {}: {error}", path.display())));
        }
    }
    Ok(())
}

fn settings(reading: Reading, hints: Option<Hints>, output: &Output) -> Result<Settings, Failure> {
    let (config, path) = match reading.config {
        None => (Config::default(), PathBuf::new()),
        Some(path) => (read_config(&path)?, path),
    };
    let defaults = Limits::default();
    let overrides = Overrides {
        report_zone: reading.tz,
        log_zones: reading.log_tz,
        years: reading.year,
        lang: output.lang,
        tlp: output.tlp.clone(),
        limits: Limits {
            ratio_max: reading.limit_ratio.unwrap_or(defaults.ratio_max),
            total_bytes_max: reading.limit_bytes.unwrap_or(defaults.total_bytes_max),
            ..defaults
        },
        threads: reading.threads.map_or_else(cores, usize::from),
        ..Overrides::default()
    };
    let mut settings = Settings::from_parts(config, overrides).map_err(|error| Failure::config(&path, &error))?;
    settings.geo = Arc::new(read_geoip(&reading.geoip)?);
    if let Some(hints) = hints {
        add_hints(&mut settings, hints)?;
    }
    Ok(settings)
}

/// Reads the databases of countries and networks.
fn read_geoip(paths: &[PathBuf]) -> Result<Geo, Failure> {
    let mut geo = Geo::default();
    for path in paths {
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Failure::usage(format!("database {shown}: {error}")))?;
        let sha256 = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        geo.add(&shown, sha256, bytes).map_err(|error| Failure::usage(format!("database {shown}: {error}")))?;
    }
    Ok(geo)
}

fn read_config(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("configuration {}: {error}", path.display())))?;
    Config::parse(&text).map_err(|error| Failure::config(path, &error))
}

/// Adds the hints; their times need the zone of the report, which is known only now.
fn add_hints(settings: &mut Settings, hints: Hints) -> Result<(), Failure> {
    let zone = settings.report_zone;
    let (since, until) = (hints.since.map(|at| at.since(zone)), hints.until.map(|at| at.until(zone)));
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        let shown = format!("--until ({}) is not after --since ({})", zone.stamp(until).prose(), zone.stamp(since).prose());
        return Err(Failure::usage(shown));
    }
    let accounts = hints.account.iter().map(|account| settings.accounts.canonical(account)).collect();
    settings.hints = config::Hints { name: None, accounts, attacker_networks: hints.attacker_ip, since, until };
    settings.trusted_networks.extend(hints.trusted_network);
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::super::args::{Args, Command};
    use super::*;
    use clap::Parser;

    fn plan(arguments: &[&str]) -> Result<AnalyzePlan, Failure> {
        let all = ["mailtrail", "analyze", "-"].iter().chain(arguments);
        match Args::try_parse_from(all).unwrap().command {
            Command::Analyze(args) => analyze(args),
            other => panic!("{other:?}"),
        }
    }

    fn ids(plan: &AnalyzePlan) -> (Option<&str>, Option<&str>) {
        (plan.plan.stdout.map(|face| face.id), plan.stderr.map(|face| face.id))
    }

    #[test]
    fn the_summary_moves_to_standard_error_when_a_case_folder_is_written() {
        let here = tempfile::tempdir().unwrap();
        let out = here.path().join("case");
        let out = out.to_str().unwrap();
        assert_eq!(ids(&plan(&[]).unwrap()), (Some("text"), None));
        assert_eq!(ids(&plan(&["--format", "json"]).unwrap()), (Some("json"), None));
        assert_eq!(ids(&plan(&["--out", out]).unwrap()), (None, Some("text")));
        assert_eq!(ids(&plan(&["--out", out, "--quiet"]).unwrap()), (None, None));
        assert_eq!(ids(&plan(&["--out", out, "--format", "text"]).unwrap()), (Some("text"), None));
    }

    #[test]
    fn hints_are_read_in_the_zone_of_the_report() {
        let here = tempfile::tempdir().unwrap();
        let config = here.path().join("mailtrail.toml");
        std::fs::write(&config, "default_domain = 'u.example'\ntimezone = 'Asia/Tokyo'\ntrusted_networks = ['192.0.2.0/24']").unwrap();
        let args = [
            "--config",
            config.to_str().unwrap(),
            "--since",
            "2022-10-31",
            "--account",
            "UNIV\\Tanaka",
            "--trusted-network",
            "198.51.100.1",
        ];
        let settings = plan(&args).unwrap().plan.settings;
        assert_eq!(settings.report_zone.stamp(settings.hints.since.unwrap()).to_string(), "2022-10-31T00:00:00+09:00");
        assert_eq!(settings.hints.accounts, ["tanaka@u.example"]);
        assert_eq!(settings.trusted_networks.len(), 2);
        assert!(settings.threads >= 1);
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_refused() {
        let said = plan(&["--since", "2022-10-31", "--until", "2022-10-30"]).err().unwrap().shown();
        assert!(said.contains("--until (2022-10-31 00:00:00 +00:00) is not after --since"), "{said}");
    }
}
