//! `posthouse check`: everything that is wrong with a configuration, at once.

use std::path::Path;
use std::process::ExitCode;

use super::terminal::say;
use crate::config;
use crate::snapshot::Snapshot;

pub(super) fn check(path: &Path) -> Result<ExitCode, String> {
    let loaded = config::load(path);
    say(&loaded.report().to_string());
    let Some(config) = loaded.config else { return Ok(ExitCode::FAILURE) };
    // What only building shows: certificates that do not fit their keys, trust that holds no root.
    match Snapshot::build(&config) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}
