//! `posthouse hash-password`: from standard input, so that no password stands in a process list.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use super::terminal::{complain, say};
use crate::config::password;

pub(super) fn hash_password() -> Result<ExitCode, String> {
    if io::stdin().is_terminal() {
        complain("type the password and press return (it is shown; a pipe is more discreet)");
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| format!("cannot read the password: {error}"))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err("the password is empty; give it on standard input: `posthouse hash-password < file`".to_owned());
    }
    say(&password::hash(password.as_bytes()));
    Ok(ExitCode::SUCCESS)
}
