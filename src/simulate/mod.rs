//! Exercise data: the logs of a mail system during a known incident (or none), with `truth.json` that says what happened.
//!
//! A run depends on nothing but its request: no clock, no machine, no order of hashing. The truth is counted while the story happens
//! and shares nothing with the reading of logs. Only compressed bytes may differ between machines; what they hold does not.

mod campaign;
mod cast;
mod exchange;
mod happenings;
mod hybrid;
mod logins;
mod m365;
mod noise;
mod ordinary;
mod output;
mod postfix;
mod put;
mod random;
mod relay;
mod request;
mod stories;
mod tally;
mod truth;
mod world;

#[cfg(test)]
mod tests;

pub use request::{
    AuditForm, Columns, Culture, Envelope, Forms, Guise, Gz, Hosts, Layout, QueueIds, Request, Rotation, SignInForm, Story, System,
    TraceForm, UnknownName,
};
pub use truth::{HostTotals, SCHEMA};

use cast::Cast;
use exchange::Exchange;
use happenings::{MailSystem, Stage};
use hybrid::Hybrid;
use m365::Cloud;
use postfix::Postfix;
use random::Random;
use relay::Relay;
use std::path::{Path, PathBuf};
use truth::Teller;
use world::World;

/// What was written.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Log text by host, before compression.
    pub hosts: Vec<HostTotals>,
    /// Messages the accounts sent or tried to send, and messages from outside.
    pub submitted: u64,
    pub inbound: u64,
}

/// Why nothing useful was written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("{} is not empty; give a folder that is new or empty", path.display())]
    NotEmpty { path: PathBuf },
    #[error("cannot read {}: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("cannot write {}: {cause}", path.display())]
    Write { path: PathBuf, cause: std::io::Error },
    #[error("the scale must be above 0 and at most {SCALE_MAX}, not {scale}")]
    Scale { scale: f64 },
    #[error("the writing thread ended without a word")]
    WriterLost,
}

impl SimulateError {
    fn write(path: &Path, cause: std::io::Error) -> SimulateError {
        SimulateError::Write { path: path.to_owned(), cause }
    }

    fn read(path: &Path, cause: std::io::Error) -> SimulateError {
        SimulateError::Read { path: path.to_owned(), cause }
    }
}

/// The largest scale: a hundred times the known figures.
pub const SCALE_MAX: f64 = 100.0;

/// Writes `logs/<host>/…` (or `logs.tar.gz`) and `truth.json` into the request's folder.
///
/// `watch` hears now and then how many bytes of log text were written.
///
/// # Errors
/// Fails if the folder is not new or empty, if the scale makes no sense, or if something cannot be written.
pub fn simulate(request: &Request, watch: &mut dyn FnMut(u64)) -> Result<Summary, SimulateError> {
    if !(request.scale > 0.0 && request.scale <= SCALE_MAX) {
        return Err(SimulateError::Scale { scale: request.scale });
    }
    claim(&request.out)?;
    let span = stories::span(request.story);
    let hosts = request.layout.hosts.unwrap_or_else(|| stories::hosts(request.story));
    match request.system {
        System::Postfix => tell(request, hosts, Postfix::new(request, hosts, span), watch),
        // The service is one server for everybody.
        System::M365 => tell(request, Hosts::One, Cloud::new(request, span), watch),
        System::Hybrid => tell(request, hosts, Hybrid::new(Cloud::new(request, span), Postfix::new(request, hosts, span)), watch),
        System::Relay => {
            let postfix = Postfix::new(request, Hosts::One, span);
            tell(request, Hosts::One, Relay::new(Cloud::new(request, span), postfix), watch)
        }
        System::Exchange => tell(request, hosts, Exchange::new(request, hosts, span), watch),
    }
}

/// Lets the story happen to a system and writes the truth beside its logs.
fn tell<S: MailSystem>(request: &Request, hosts: Hosts, system: S, watch: &mut dyn FnMut(u64)) -> Result<Summary, SimulateError> {
    let (_, end) = stories::span(request.story);
    let mut random = Random::new(request.seed);
    let cast = Cast::new(&mut random);
    let mut world = World::new(system, cast, random, end);
    stories::set_up(&mut world, request.story, request.guise, request.scale);
    world.run(watch)?;
    let World { stage: Stage { cast, book, .. }, system, .. } = world;
    let totals = system.finish(end)?;
    if request.layout.archive {
        output::archive(&request.out)?;
    }
    Teller { request, hosts, cast: &cast, book: &book, totals: &totals }.write(&request.out.join("truth.json"))?;
    Ok(Summary { hosts: totals, submitted: book.submitted, inbound: book.inbound })
}

/// Makes the folder, or makes sure that it is empty.
fn claim(out: &Path) -> Result<(), SimulateError> {
    std::fs::create_dir_all(out).map_err(|cause| SimulateError::write(out, cause))?;
    let mut entries = std::fs::read_dir(out).map_err(|cause| SimulateError::read(out, cause))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(SimulateError::NotEmpty { path: out.to_owned() }),
    }
}
