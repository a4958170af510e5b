//! What kind of terminal there is, and whether colour is wanted.

use crate::report::Style;
use std::io::IsTerminal;

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// Columns of a page that goes to a file or a pipe.
const WIDTH_DEFAULT: usize = 100;
/// A wider page is hard to read.
const WIDTH_MAX: usize = 160;

/// The style of a page on standard output.
pub(super) fn stdout_style(color: Color) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let width = if terminal { terminal_size::terminal_size_of(std::io::stdout()) } else { None };
    style(color, terminal, width)
}

/// The style of a page on standard error.
pub(super) fn stderr_style(color: Color) -> Style {
    let terminal = std::io::stderr().is_terminal();
    let width = if terminal { terminal_size::terminal_size_of(std::io::stderr()) } else { None };
    style(color, terminal, width)
}

fn style(color: Color, terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Style {
    let variable = |name: &str| std::env::var(name).ok();
    let width = size.map_or(WIDTH_DEFAULT, |(width, _)| usize::from(width.0).min(WIDTH_MAX));
    Style { color: wanted(color, variable, terminal), width }
}

/// `--color`, else `NO_COLOR`, else `CLICOLOR_FORCE`, else `CLICOLOR=0`, else whether a terminal reads it.
fn wanted(color: Color, variable: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR").is_some() => false,
        Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto if set("CLICOLOR").is_some_and(|value| value == "0") => false,
        Color::Auto => terminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_beats_the_environment_and_the_environment_the_terminal() {
        let given = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        assert!(wanted(Color::Always, given(&[("NO_COLOR", "1")]), false));
        assert!(!wanted(Color::Never, given(&[("CLICOLOR_FORCE", "1")]), true));
        assert!(!wanted(Color::Auto, given(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), true));
        assert!(wanted(Color::Auto, given(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")]), false));
        assert!(!wanted(Color::Auto, given(&[("CLICOLOR_FORCE", "0"), ("CLICOLOR", "0")]), true));
        assert!(wanted(Color::Auto, given(&[]), true));
        assert!(!wanted(Color::Auto, given(&[]), false));
    }
}
