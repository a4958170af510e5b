//! The arguments of `simulate`, as typed.

use crate::domain::time::Zone;
use clap::builder::NonEmptyStringValueParser;
use std::path::PathBuf;

/// Write exercise logs of a known incident, with the answer beside them
///
/// Invents an organisation's mail logs around one story, the same bytes for the same seed on every machine, and writes `truth.json` with
/// what an analyst should find in them. All names and addresses are from ranges reserved for examples.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Mail system whose logs are written
    #[arg(long, value_name = "SYSTEM", default_value = "postfix", value_parser = NonEmptyStringValueParser::new())]
    pub(super) system: String,
    /// What happens: soka, niigata, lateral, slowburn, newsletter or quiet
    #[arg(long, value_name = "STORY", value_parser = NonEmptyStringValueParser::new())]
    pub(super) story: String,
    /// Size of the ordinary traffic around the story; 1 is a small organisation
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = parse_scale)]
    pub(super) scale: f64,
    /// Seed; the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Folder for the logs; must be new or empty
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) layout: Layout,
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// How the logs lie on disk.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Layout")]
pub(super) struct Layout {
    /// Compression of rotated logs
    #[arg(long, value_name = "KIND", default_value = "none")]
    pub(super) compress: Compress,
    /// Days in one log before it is rotated
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rotate: u32,
    /// Mail hosts that share the traffic
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) hosts: u32,
    /// Head of each line
    #[arg(long, value_name = "FORM", default_value = "rfc3164")]
    pub(super) envelope: Envelope,
    /// Length of queue ids
    #[arg(long, value_name = "FORM", default_value = "short")]
    pub(super) queue_ids: QueueIds,
    /// Put all logs into one archive
    #[arg(long, value_name = "KIND", default_value = "none")]
    pub(super) archive: Archive,
    /// Zone of the hosts' clocks
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = Zone::parse)]
    pub(super) zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Compress {
    None,
    Gz,
    Bz2,
    Xz,
    Zst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Envelope {
    /// `Oct 31 16:01:20 mx1 postfix/smtpd[123]:`, without year and zone
    Rfc3164,
    /// `2022-10-31T16:01:20.123456+09:00 mx1 postfix/smtpd[123]:`
    Rfc3339,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum QueueIds {
    Short,
    Long,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Archive {
    None,
    Zip,
    Tar,
}

const EXAMPLES: &str = "\
Examples:
  mailtrail simulate --story soka --scale 0.1 --seed 7 --out exercise
  mailtrail analyze --tz Asia/Tokyo exercise/logs";

fn parse_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 => Ok(scale),
        _ => Err("give a number above 0, such as 0.1 or 20".to_owned()),
    }
}
