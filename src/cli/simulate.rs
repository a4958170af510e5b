//! `simulate`: its arguments as typed, and the run.

use super::exit::Exit;
use super::message::Failure;
use crate::domain::time::Zone;
use crate::simulate::{
    self, AuditForm, Columns, Culture, Envelope, Forms, Guise, Gz, Hosts, QueueIds, Request, Rotation, SignInForm, SimulateError, Story,
    Summary, System, TraceForm, UnknownName,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

/// Write exercise logs of a known incident, with the answer beside them
///
/// Invents an organisation's mail logs around one story, the same bytes for the same seed on every machine, and writes `truth.json` with
/// what an analyst should find in them. All names and addresses are from ranges reserved for examples.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Simulate {
    /// Mail system whose logs are written
    #[arg(long, value_name = "SYSTEM", default_value = "postfix", value_parser = one_of(System::ALL, System::as_str))]
    system: System,
    /// What happens
    ///
    /// soka: one account, 795 messages in a night, nearly all blocked by the own systems. niigata: two accounts, 1.51 million messages
    /// in four days through two servers. lateral: a spray opens three accounts, one sends, mailboxes are read. slowburn: thirty
    /// messages a day for weeks, the owner active beside. newsletter: a large mailing from its usual place, no incident. quiet:
    /// internet noise alone, no incident.
    #[arg(long, value_name = "STORY", value_parser = one_of(Story::ALL, Story::as_str))]
    story: Story,
    /// How the attackers hide: from the owners' own network, behind many addresses, or with a list of which all are received
    #[arg(long, value_name = "GUISE", default_value = "plain", value_parser = one_of(Guise::ALL, Guise::as_str))]
    guise: Guise,
    /// Size of the story; 1 gives the figures it is known by
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
    /// Seed; the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for the logs and truth.json; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    layout: Layout,
    #[command(flatten)]
    exports: Exports,
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    quiet: bool,
}

/// How the logs lie on disk.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Layout")]
struct Layout {
    /// Compress closed logs
    #[arg(long, value_name = "KIND", value_parser = one_of(Gz::ALL, Gz::as_str))]
    compress: Option<Gz>,
    /// When a log of Postfix is closed and the next begun
    #[arg(long, value_name = "WHEN", default_value = "none", value_parser = one_of(Rotation::ALL, Rotation::as_str))]
    rotate: Rotation,
    /// Whether one server does all, or a second one talks to the internet [default: as in the story]
    #[arg(long, value_name = "NUMBER", value_parser = one_of(Hosts::ALL, Hosts::as_str))]
    hosts: Option<Hosts>,
    /// Head of each line of Postfix
    #[arg(long, value_name = "FORM", default_value = "rfc3164", value_parser = one_of(Envelope::ALL, Envelope::as_str))]
    envelope: Envelope,
    /// Form of the queue ids of Postfix
    #[arg(long, value_name = "FORM", default_value = "short", value_parser = one_of(QueueIds::ALL, QueueIds::as_str))]
    queue_ids: QueueIds,
    /// Version of Exchange, which decides the columns of its logs
    #[arg(long, value_name = "VERSION", default_value = "2019", value_parser = one_of(Columns::ALL, Columns::as_str))]
    columns: Columns,
    /// Put all logs into one logs.tar.gz
    #[arg(long)]
    archive: bool,
    /// Zone of the servers' clocks
    #[arg(long, value_name = "ZONE", default_value = "Asia/Tokyo", value_parser = Zone::parse)]
    zone: Zone,
}

/// How the logs of Microsoft 365 are exported.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Exports of Microsoft 365")]
struct Exports {
    /// Shape of the sign-ins
    #[arg(long, value_name = "FORM", default_value = "portal-csv", value_parser = one_of(SignInForm::ALL, SignInForm::as_str))]
    sign_ins: SignInForm,
    /// Container of the audit log
    #[arg(long, value_name = "FORM", default_value = "search-csv", value_parser = one_of(AuditForm::ALL, AuditForm::as_str))]
    audit_log: AuditForm,
    /// Shape of the message trace
    #[arg(long, value_name = "FORM", default_value = "trace-csv", value_parser = one_of(TraceForm::ALL, TraceForm::as_str))]
    message_trace: TraceForm,
    /// Culture in which PowerShell prints dates
    #[arg(long, value_name = "CULTURE", default_value = "en-us", value_parser = one_of(Culture::ALL, Culture::as_str))]
    culture: Culture,
}

const EXAMPLES: &str = "\
Examples:
  mailtrail simulate --story soka --seed 7 --out exercise
  mailtrail analyze --tz Asia/Tokyo exercise/logs";

/// Reads one of a closed set of names.
fn one_of<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = UnknownName> + Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|one| name(*one))).try_map(|name| name.parse::<T>())
}

/// Writes the exercise.
pub(super) fn run(args: Simulate) -> Result<Exit, Failure> {
    let layout = simulate::Layout {
        compress: args.layout.compress,
        rotate: args.layout.rotate,
        hosts: args.layout.hosts,
        envelope: args.layout.envelope,
        queue_ids: args.layout.queue_ids,
        columns: args.layout.columns,
        archive: args.layout.archive,
    };
    let forms = Forms {
        sign_ins: args.exports.sign_ins,
        audit: args.exports.audit_log,
        trace: args.exports.message_trace,
        culture: args.exports.culture,
    };
    let request = Request {
        system: args.system,
        story: args.story,
        guise: args.guise,
        scale: args.scale,
        seed: args.seed,
        out: args.out,
        layout,
        forms,
        zone: args.layout.zone,
    };
    let summary = simulate::simulate(&request, &mut |_| {}).map_err(|error| failure(&error))?;
    if !args.quiet {
        // The exercise is written; a summary that nobody can read is no failure.
        std::io::stderr().write_all(told(&summary, &request).as_bytes()).ok();
    }
    Ok(Exit::Done)
}

fn told(summary: &Summary, request: &Request) -> String {
    let mut text = format!(
        "{} as {} tells it, in {}: {} submissions, {} messages from outside\n",
        request.story,
        request.system,
        request.out.display(),
        summary.submitted,
        summary.inbound
    );
    for host in &summary.hosts {
        text.push_str(&format!("  {}: {} lines, {} bytes\n", host.host, host.lines, host.bytes));
    }
    text
}

fn failure(error: &SimulateError) -> Failure {
    match error {
        SimulateError::NotEmpty { .. } | SimulateError::Scale { .. } => Failure::usage(error.to_string()),
        SimulateError::Read { .. } | SimulateError::Write { .. } | SimulateError::WriterLost => Failure::unwritten(error.to_string()),
    }
}
