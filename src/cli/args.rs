//! The arguments as typed. What they mean together is the plan's concern.

use super::exit;
use super::terminal::Color;
use super::when::{self, When};
use crate::config;
use crate::domain::time::Zone;
use crate::report::{self, View};
use crate::say::Lang;
use clap::builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;

/// Says who abused a mail account, since when, what was sent and what of it arrived, from archived mail logs, offline.
#[derive(Debug, clap::Parser)]
#[command(name = "mailtrail", version, max_term_width = 100, after_help = exit::HELP, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Analyze(Analyze),
    Inspect(Inspect),
    Simulate(super::simulate::Simulate),
    /// Print a completion script for a shell
    Completions {
        shell: clap_complete::Shell,
    },
    /// Print the manual in roff, for `man -l -`
    Man,
}

/// Find compromised accounts and what was done with them
///
/// Reads mail logs and says for each compromised account: the first unauthorised login, from where, what was sent, what of it arrived,
/// what was blocked and by whom, what else was touched, and how sure that is. Without hints it looks for such accounts by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP, after_long_help = format!("{ANALYZE_EXAMPLES}\n\n{}", exit::HELP))]
pub(super) struct Analyze {
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) hints: Hints,
    #[command(flatten)]
    pub(super) output: Output,
    /// Write a case folder: reports, hashes of the evidence, record of the run
    ///
    /// The folder must be new or empty and lie outside the evidence; it appears complete or not at all. The summary then goes to
    /// standard error, and standard output stays empty unless --format is given.
    #[arg(long, value_name = "CASE_DIR", help_heading = OUTPUT)]
    pub(super) out: Option<PathBuf>,
    /// End with exit code 1 if there is an incident of this verdict or a surer one
    #[arg(long, value_name = "VERDICT", default_value = "none", help_heading = OUTPUT)]
    pub(super) fail_on: FailOn,
}

/// Show what the evidence is: formats, hosts, time spans, gaps, damage
///
/// Lists each source with its format, host, span and ledger of lines, says how its year and zone were decided, and shows where the
/// evidence has gaps. Do this first, and check that the times are right, before you trust any finding.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP, after_long_help = format!("{INSPECT_EXAMPLES}\n\n{}", exit::HELP))]
pub(super) struct Inspect {
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) output: Output,
}

const EVIDENCE: &str = "Evidence";
const TIME: &str = "Time";
const HINTS: &str = "Hints";
const OUTPUT: &str = "Output";

#[derive(Debug, clap::Args)]
pub(super) struct Reading {
    /// Log files, folders and archives; - for standard input
    ///
    /// Folders are read with all that is in them, archives and compressed files with all that is in those. What a file is, is decided by
    /// its content and never by its name. Nothing is written to the evidence or beside it.
    #[arg(required = true, value_name = "EVIDENCE")]
    pub(super) evidence: Vec<PathBuf>,
    /// Describe the organisation: its domains, hosts, networks, zone, aliases
    #[arg(long, value_name = "FILE", help_heading = EVIDENCE)]
    pub(super) config: Option<PathBuf>,
    /// A database of countries or networks of addresses, in the MaxMind DB format (.mmdb); repeatable
    ///
    /// Such as GeoLite2-City and GeoLite2-ASN, or others of the same form. The first that knows a fact counts. Nothing is fetched.
    #[arg(long, value_name = "FILE.mmdb", help_heading = EVIDENCE)]
    pub(super) geoip: Vec<PathBuf>,
    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = EVIDENCE)]
    pub(super) threads: Option<u16>,
    /// Stop unpacking a stream that grows by more than this factor
    #[arg(long, value_name = "FACTOR", value_parser = clap::value_parser!(u64).range(1..), help_heading = EVIDENCE)]
    pub(super) limit_ratio: Option<u64>,
    /// Stop unpacking after this many bytes in all; K, M, G and T may follow
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, help_heading = EVIDENCE)]
    pub(super) limit_bytes: Option<u64>,
    /// Zone of the report [default: that of the configuration, else UTC]
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse, help_heading = TIME)]
    pub(super) tz: Option<Zone>,
    /// Zone of log times that carry none, for the sources that match GLOB or for all
    ///
    /// May be given more than once; the first that matches a source counts. Where nothing is given, the zone is taken from the evidence
    /// itself as far as it tells, never from this machine.
    #[arg(long, value_name = "[GLOB=]ZONE", value_parser = parse_log_tz, help_heading = TIME)]
    pub(super) log_tz: Vec<(Option<String>, Zone)>,
    /// Year of the first line where log times carry none, for the sources that match GLOB or for all
    #[arg(long, value_name = "[GLOB=]YYYY", value_parser = parse_year, help_heading = TIME)]
    pub(super) year: Vec<(Option<String>, i32)>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = HINTS)]
pub(super) struct Hints {
    /// An account to report on, whatever the score says; repeatable
    #[arg(long, value_name = "ACCOUNT", value_parser = NonEmptyStringValueParser::new())]
    pub(super) account: Vec<String>,
    /// A network or address known to be the attacker's; repeatable
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    pub(super) attacker_ip: Vec<IpNet>,
    /// A network or address whose logins are the owners' own; repeatable
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    pub(super) trusted_network: Vec<IpNet>,
    /// Look for the incident from this time on
    ///
    /// RFC 3339 (2022-10-31T16:00:00+09:00), or 2022-10-31 16:00, or 2022-10-31; the latter two in the report's zone.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub(super) since: Option<When>,
    /// Look for the incident before this time; a day is included whole
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    pub(super) until: Option<When>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = OUTPUT)]
pub(super) struct Output {
    /// Form of the result on standard output [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(super) format: Option<String>,
    /// Language of the report, en or ja [default: that of the configuration, else en]
    ///
    /// All that the report says to people, sentences in the JSON report included; its keys and words for machines are the same in every
    /// language. Messages on standard error stay English.
    #[arg(long, value_name = "LANG", value_parser = Lang::parse)]
    pub(super) lang: Option<Lang>,
    /// Traffic Light Protocol mark of the report [default: that of the configuration, else AMBER+STRICT]
    #[arg(long, value_name = "MARK", value_parser = config::parse_tlp)]
    pub(super) tlp: Option<String>,
    /// Put pseudonyms made with the key in KEYFILE in place of names, addresses and hosts
    ///
    /// For a result that is handed on. The key is any 32 bytes or more, such as `head -c 32 /dev/urandom | base64 > key` makes; the same
    /// key gives the same pseudonyms in every case. Keep it to yourself. Countries, times and figures stay as they are; warnings on
    /// standard error name true paths.
    #[arg(long, value_name = "KEYFILE")]
    pub(super) pseudonymize: Option<PathBuf>,
    /// Colour; auto heeds NO_COLOR, CLICOLOR_FORCE and CLICOLOR=0, in this order, then asks for a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Say nothing on standard error but errors
    #[arg(long, short, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say on standard error what is being done
    #[arg(long, short)]
    pub(super) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FailOn {
    None,
    Suspected,
    Confirmed,
}

const ANALYZE_EXAMPLES: &str = "\
Examples:
  mailtrail analyze --tz Asia/Tokyo logs/ mail.log.2.gz
  mailtrail analyze --config mailtrail.toml --out case-42 evidence.zip
  mailtrail analyze --account tanaka@u.example --attacker-ip 203.0.113.7 --format json logs/";

const INSPECT_EXAMPLES: &str = "\
Examples:
  mailtrail inspect --tz Asia/Tokyo logs/
  mailtrail inspect --year '**/mail.log*=2022' --log-tz Asia/Tokyo --format json evidence.zip";

/// The faces that can be asked for; both views have the same.
fn formats() -> PossibleValuesParser {
    let faces = report::ALL.iter().filter(|face| face.view == View::Findings);
    PossibleValuesParser::new(faces.map(|face| PossibleValue::new(face.id).help(face.title)))
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    text.parse::<IpNet>()
        .map(|net| net.trunc())
        .map_err(|_| "give an address such as 203.0.113.7 or a network such as 203.0.113.0/24".to_owned())
}

/// Splits `GLOB=VALUE`; without a `=` the value is for all.
fn split_glob(text: &str) -> Result<(Option<String>, &str), String> {
    match text.rsplit_once('=') {
        None => Ok((None, text)),
        Some(("", _)) => Err("the pattern before = is empty".to_owned()),
        Some((glob, value)) => match globset::Glob::new(glob) {
            Ok(_) => Ok((Some(glob.to_owned()), value)),
            Err(error) => Err(format!("bad pattern: {error}")),
        },
    }
}

fn parse_log_tz(text: &str) -> Result<(Option<String>, Zone), String> {
    let (glob, zone) = split_glob(text)?;
    Ok((glob, Zone::parse(zone)?))
}

fn parse_year(text: &str) -> Result<(Option<String>, i32), String> {
    let (glob, year) = split_glob(text)?;
    match year.parse::<i32>() {
        Ok(year) if (1970..=2199).contains(&year) => Ok((glob, year)),
        _ => Err("give a year of four digits, such as 2022 or 'mx1/*=2022'".to_owned()),
    }
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(char, u32); 4] = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let upper = text.to_ascii_uppercase();
    let (digits, shift) = UNITS.iter().find_map(|(unit, shift)| Some((upper.strip_suffix(*unit)?, *shift))).unwrap_or((&upper, 0));
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).filter(|n| *n > 0);
    bytes.ok_or_else(|| "give a number of bytes above 0, such as 500000000 or 20G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn analyze(arguments: &[&str]) -> Result<Analyze, String> {
        let all = ["mailtrail", "analyze"].iter().chain(arguments);
        match Args::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Analyze(analyze) => Ok(analyze),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn hints_and_patterns_are_read_as_typed() {
        let args = analyze(&[
            "logs",
            "-",
            "--account",
            "a",
            "--account",
            "b",
            "--attacker-ip",
            "::ffff:203.0.113.7",
            "--attacker-ip",
            "2001:db8::1/32",
            "--log-tz",
            "mx*/mail.log=Asia/Tokyo",
            "--log-tz",
            "UTC",
            "--year",
            "**/old=2022",
            "--limit-bytes",
            "2g",
        ]);
        let args = args.unwrap();
        assert_eq!(args.reading.evidence.len(), 2);
        assert_eq!(args.hints.account, ["a", "b"]);
        assert_eq!(args.hints.attacker_ip, ["203.0.113.7/32".parse().unwrap(), "2001:db8::/32".parse::<IpNet>().unwrap()]);
        assert_eq!(args.reading.log_tz[0].0.as_deref(), Some("mx*/mail.log"));
        assert_eq!(args.reading.log_tz[1], (None, Zone::UTC));
        assert_eq!(args.reading.year, [(Some("**/old".to_owned()), 2022)]);
        assert_eq!(args.reading.limit_bytes, Some(2 << 30));
        assert_eq!(args.output.format, None);
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_is_accepted() {
        let refused = |arguments: &[&str], why: &str| {
            let said = analyze(&[&["x"], arguments].concat()).unwrap_err();
            assert!(said.contains(why), "{said}");
        };
        refused(&["--since", "31/10"], "2022-10-31 16:00");
        refused(&["--tz", "Tokio"], "Asia/Tokyo");
        refused(&["--attacker-ip", "203.0.113"], "203.0.113.0/24");
        refused(&["--year", "22"], "four digits");
        refused(&["--log-tz", "a[=UTC"], "bad pattern");
        refused(&["--tlp", "white"], "AMBER+STRICT");
        refused(&["--lang", "fr"], "en, ja");
        refused(&["--threads", "0"], "1..");
        refused(&["--limit-bytes", "0"], "above 0");
        refused(&["--quiet", "-v"], "cannot be used with");
    }
}
