//! What is said when the command cannot go on: what happened, where, and what to do about it.

use super::exit::Exit;
use crate::config::ConfigError;
use crate::pipeline::RunError;
use crate::report::escape;
use std::error::Error;
use std::path::Path;

/// A reason to stop.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    text: String,
    hint: Option<String>,
}

impl Failure {
    pub(super) fn usage(text: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, text: text.into(), hint: None }
    }

    /// Output that could not be written; `what` names it.
    pub(super) fn output(what: &str, error: &std::io::Error) -> Failure {
        Failure { exit: Exit::Output, text: format!("cannot write {what}: {error}"), hint: None }
    }

    /// Something could not be written.
    pub(super) fn unwritten(text: impl Into<String>) -> Failure {
        Failure { exit: Exit::Output, text: text.into(), hint: None }
    }

    pub(super) fn interrupted() -> Failure {
        Failure { exit: Exit::Interrupted, text: "interrupted; nothing was written".to_owned(), hint: None }
    }

    pub(super) fn config(path: &Path, error: &ConfigError) -> Failure {
        Failure::usage(format!("configuration {}: {error}", path.display()))
    }

    pub(super) fn run(error: &RunError) -> Failure {
        match error {
            RunError::Interrupted => Failure::interrupted(),
            RunError::NoEvidence => {
                Failure::usage(with_causes(error)).hint("give log files, folders or archives that hold some, or - for standard input")
            }
            RunError::Threads { .. } => Failure::usage(with_causes(error)).hint("ask for fewer with --threads"),
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// The lines for standard error. Paths in them may be hostile.
    pub(super) fn shown(&self) -> String {
        let lines = |text: &str| text.lines().map(|line| escape::terminal(line).to_string()).collect::<Vec<_>>().join("\n  ");
        let hint = self.hint.as_deref().map_or_else(String::new, |hint| format!("hint: {}\n", lines(hint)));
        format!("error: {}\n{hint}", lines(&self.text))
    }
}

/// An error with the errors that caused it, in one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_message_cannot_drive_the_terminal() {
        let failure = Failure::usage("no such evidence: a\x1b[2Jb").hint("look\r there");
        assert_eq!(failure.shown(), "error: no such evidence: a\\x1b[2Jb\nhint: look\\r there\n");
    }
}
