//! `posthouse policy`: for those who write policies.

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {}

pub(super) fn policy(command: &Command) -> Result<ExitCode, String> {
    match *command {}
}
