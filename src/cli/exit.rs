//! The exit codes, which scripts rely on.

use crate::analysis::model::{Report, Verdict};
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, and nothing at or above `--fail-on`.
    Done,
    /// Done, with an incident at or above `--fail-on`.
    Incident,
    /// Wrong use: arguments, configuration, paths.
    Usage,
    /// Evidence was unreadable, damaged, or held no usable record; the report was still written.
    Incomplete,
    /// What was verified is not what was recorded.
    Mismatch,
    /// Output could not be written.
    Output,
    /// Stopped by the user.
    Interrupted,
}

/// The table of exit codes, as the help shows it.
pub(super) const HELP: &str = "\
Exit codes:
    0  done; no incident at or above --fail-on
    1  done; an incident at or above --fail-on (this wins over 3)
    2  wrong use: arguments, configuration or paths
    3  evidence incomplete: unreadable, damaged, or no usable record; the report is still written
    4  integrity mismatch
    5  output could not be written
  130  interrupted";

impl Exit {
    /// The number given to the system.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Incident => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Mismatch => 4,
            Exit::Output => 5,
            Exit::Interrupted => 130,
        }
    }

    /// How a run with this report ends, `fail_on` being the least verdict that counts as a failure.
    ///
    /// An incident wins over missing evidence: who asked for an alarm gets it, and the report says what was missing.
    #[must_use]
    pub fn of(report: &Report, fail_on: Option<Verdict>) -> Exit {
        if fail_on.is_some_and(|least| report.incidents.iter().any(|incident| incident.verdict >= least)) {
            Exit::Incident
        } else if report.complete {
            Exit::Done
        } else {
            Exit::Incomplete
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{quiet, taken_over};

    #[test]
    fn an_incident_fails_only_a_run_that_asked_for_it() {
        let mut report = taken_over();
        report.complete = true;
        assert_eq!(Exit::of(&report, None), Exit::Done);
        assert_eq!(Exit::of(&report, Some(Verdict::Suspected)), Exit::Incident);
        report.incidents[0].verdict = Verdict::Suspected;
        assert_eq!(Exit::of(&report, Some(Verdict::Confirmed)), Exit::Done);
        assert_eq!(Exit::of(&quiet(), Some(Verdict::Suspected)), Exit::Done);
    }

    #[test]
    fn incomplete_evidence_has_a_code_of_its_own() {
        let damaged = taken_over();
        assert_eq!(Exit::of(&damaged, None), Exit::Incomplete);
        assert_eq!(Exit::of(&damaged, Some(Verdict::Confirmed)), Exit::Incident);
    }

    #[test]
    fn the_help_lists_every_code() {
        let all = [Exit::Done, Exit::Incident, Exit::Usage, Exit::Incomplete, Exit::Mismatch, Exit::Output, Exit::Interrupted];
        for exit in all {
            assert!(HELP.lines().any(|line| line.split_whitespace().next() == Some(&exit.code().to_string())), "{exit:?}");
        }
    }
}
