//! `posthouse demo`
use std::process::ExitCode;
pub(super) fn demo(_once: bool) -> Result<ExitCode, String> {
    Err("not yet".to_owned())
}
