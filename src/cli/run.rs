//! Doing what was planned, and putting each result where it belongs.

use super::custody::RunRecord;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::message::Failure;
use super::plan::{AnalyzePlan, Plan};
use super::progress::Progress;
use super::terminal;
use crate::pipeline::{self, Case};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::{Instant, SystemTime};

/// Runs `analyze`.
pub(super) fn analyze(plan: &AnalyzePlan, arguments: &[OsString]) -> Result<Exit, Failure> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    let interrupt = Interrupt::listen();
    let case = read(&plan.plan, &interrupt)?;
    if let Some(folder) = &plan.case {
        let record = RunRecord::new(arguments, started, clock.elapsed(), plan.plan.settings.threads);
        let record = if plan.plan.key.is_some() { record.without_names() } else { record };
        folder.write(&case, &record, &interrupt)?;
    }
    if let Some(face) = plan.stderr {
        let page = (face.render)(&case.report, &terminal::stderr_style(plan.plan.color));
        // The case folder is complete; a summary that nobody can read is no failure.
        io::stderr().write_all(page.as_bytes()).ok();
    }
    show(&plan.plan, &case)?;
    Ok(Exit::of(&case.report, plan.fail_on))
}

/// Runs `inspect`.
pub(super) fn inspect(plan: &Plan) -> Result<Exit, Failure> {
    let case = read(plan, &Interrupt::listen())?;
    show(plan, &case)?;
    Ok(Exit::of(&case.report, None))
}

fn read(plan: &Plan, interrupt: &Interrupt) -> Result<Case, Failure> {
    let progress = Progress::new(plan.talk, interrupt.clone());
    let case = pipeline::analyze(&plan.evidence, &plan.settings, &progress);
    progress.finish();
    let mut case = case.map_err(|error| Failure::run(&error))?;
    if let Some(key) = &plan.key {
        case.pseudonymize(key, &plan.settings);
    }
    if interrupt.stopped() { Err(Failure::interrupted()) } else { Ok(case) }
}

fn show(plan: &Plan, case: &Case) -> Result<(), Failure> {
    match plan.stdout {
        Some(face) => to_stdout((face.render)(&case.report, &terminal::stdout_style(plan.color)).as_bytes()),
        None => Ok(()),
    }
}

/// Writes to standard output. A reader that has seen enough and closes the pipe is no failure.
pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::output("standard output", &error)),
        _ => Ok(()),
    }
}
