//! `posthouse simulate`
use std::process::ExitCode;
/// Options.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}
pub(super) fn simulate(_options: &Options) -> Result<ExitCode, String> {
    Err("not yet".to_owned())
}
