//! How far a run has come, on standard error: a bar on a terminal, plain lines of warning elsewhere.

use super::interrupt::Interrupt;
use super::plan::Talk;
use crate::pipeline::Watch;
use crate::report::escape;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A run shorter than this shows no bar.
const QUIET_FOR: Duration = Duration::from_millis(250);

/// Shows the analyst a run.
pub(super) struct Progress {
    talk: Talk,
    bar: ProgressBar,
    /// Whether a bar is wanted that is not shown yet.
    waiting: AtomicBool,
    started: Instant,
    lines: Arc<AtomicU64>,
    interrupt: Interrupt,
}

impl Progress {
    pub(super) fn new(talk: Talk, interrupt: Interrupt) -> Progress {
        Progress {
            talk,
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            waiting: AtomicBool::new(talk != Talk::Quiet && std::io::stderr().is_terminal()),
            started: Instant::now(),
            lines: Arc::default(),
            interrupt,
        }
    }

    /// Takes the bar away. Nothing is shown after that.
    pub(super) fn finish(&self) {
        self.waiting.store(false, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }

    /// Says something in a line of its own.
    fn say(&self, line: &str) {
        self.bar.suspend(|| writeln!(std::io::stderr(), "{}", escape::terminal(line)).ok());
    }

    fn show_if_due(&self) {
        if self.waiting.load(Ordering::Relaxed) && self.started.elapsed() >= QUIET_FOR && self.waiting.swap(false, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let lines = Arc::clone(&self.lines);
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let per_second = lines.load(Ordering::Relaxed) as f64 / state.elapsed().as_secs_f64().max(0.001);
            write!(out, "{} lines/s", HumanCount(per_second as u64)).ok();
        };
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
    }
}

impl Watch for Progress {
    fn listed(&self, sources: u64, bytes: Option<u64>) {
        if self.talk == Talk::Verbose {
            let size = bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
            self.say(&format!("{sources} sources{size}"));
        }
        match bytes {
            Some(bytes) => {
                self.bar.set_length(bytes);
                self.bar.set_style(self.style("{msg:10} {wide_bar} {bytes}/{total_bytes}  {rate}  {eta} left"));
            }
            None => self.bar.set_style(self.style("{msg:10} {spinner} {bytes}  {rate}")),
        }
        self.show_if_due();
    }

    fn advanced(&self, bytes: u64, lines: u64) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.bar.inc(bytes);
        self.show_if_due();
    }

    fn warn(&self, message: &str) {
        if self.talk != Talk::Quiet {
            self.say(&format!("warning: {message}"));
        }
    }

    fn stage(&self, name: &str) {
        if self.talk == Talk::Verbose {
            self.say(&format!("{:>8.2} s  {name}", self.started.elapsed().as_secs_f64()));
        }
        self.bar.set_message(name.to_owned());
        self.show_if_due();
    }

    fn stopped(&self) -> bool {
        self.interrupt.stopped()
    }
}
