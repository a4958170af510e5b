//! The command: arguments as typed → a checked plan → a run → an exit code. No analysis happens here.
//!
//! Only this module reads the environment, knows a terminal, and writes to standard output and standard error.

mod args;
mod case_folder;
mod custody;
mod exit;
mod interrupt;
mod key_file;
mod message;
mod plan;
mod progress;
mod run;
mod simulate;
mod terminal;
mod when;

pub use exit::Exit;

use args::{Args, Command};
use clap::{CommandFactory, Parser};
use message::Failure;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the command with the arguments given, the first of them its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    dispatch(&arguments).into()
}

fn dispatch(arguments: &[OsString]) -> Exit {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(said) => {
            // Help and version are printed to standard output and are no error; a closed pipe does not change that.
            said.print().ok();
            return if said.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let done = match args.command {
        Command::Analyze(analyze) => plan::analyze(analyze).and_then(|plan| run::analyze(&plan, arguments)),
        Command::Inspect(inspect) => plan::inspect(inspect).and_then(|plan| run::inspect(&plan)),
        Command::Simulate(args) => simulate::run(args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "mailtrail", &mut script);
            run::to_stdout(&script).map(|()| Exit::Done)
        }
        Command::Man => manual().and_then(|pages| run::to_stdout(&pages)).map(|()| Exit::Done),
    };
    done.unwrap_or_else(|failure| {
        // Nothing is left to tell if standard error is closed as well.
        write!(std::io::stderr(), "{}", failure.shown()).ok();
        failure.exit
    })
}

/// The manual: the page of the command and of each sub-command, one after another.
fn manual() -> Result<Vec<u8>, Failure> {
    let mut command = Args::command();
    command.build();
    let mut pages = Vec::new();
    let mut render = |command: clap::Command| clap_mangen::Man::new(command).render(&mut pages);
    render(command.clone()).map_err(|error| Failure::output("the manual", &error))?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
        render(sub.clone()).map_err(|error| Failure::output("the manual", &error))?;
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(arguments: &[&str]) -> Exit {
        dispatch(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_arguments_are_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn wrong_use_is_told_from_help() {
        assert_eq!(exit(&["mailtrail", "--version"]), Exit::Done);
        assert_eq!(exit(&["mailtrail", "analyze"]), Exit::Usage);
        assert_eq!(exit(&["mailtrail", "analyse", "x"]), Exit::Usage);
        assert_eq!(exit(&["mailtrail", "analyze", "/no/such/evidence"]), Exit::Usage);
        assert_eq!(exit(&["mailtrail", "analyze", "--since", "31/10", "x"]), Exit::Usage);
    }

    #[test]
    fn the_manual_has_a_page_for_each_command() {
        let pages = String::from_utf8(manual().unwrap()).unwrap();
        for page in [".TH mailtrail 1", ".TH mailtrail-analyze 1", ".TH mailtrail-inspect 1"] {
            assert!(pages.contains(page), "{page}");
        }
    }
}
