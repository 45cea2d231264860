//! The one module that writes to the terminal. Colour only where somebody sees it.
#![expect(clippy::print_stderr, reason = "the commands' own output; the relay itself logs")]

use std::io::{self, IsTerminal, Write};

/// How a piece of text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

/// Text in a style, if standard output is a terminal that wants colour (<https://no-color.org>).
pub(super) fn styled(style: Style, text: &str) -> String {
    let code = match style {
        Style::Strong => "1",
        Style::Faint => "2",
        Style::Good => "32",
        Style::Warning => "33",
        Style::Bad => "31",
    };
    if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// A line on standard output. A reader that went away (`posthouse demo | head`) is no error.
pub(super) fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A message on standard error.
pub(super) fn complain(message: &str) {
    eprintln!("posthouse: {message}");
}
