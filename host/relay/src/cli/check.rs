//! `posthouse check`: everything that is wrong with a configuration, at once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::terminal::say;
use crate::config;
use crate::generations::archive::Archive;
use crate::policies::Policies;
use crate::snapshot::Snapshot;

pub(super) fn check(path: &Path) -> Result<ExitCode, String> {
    let loaded = config::load(path);
    say(&loaded.report().to_string());
    let Some(config) = loaded.config else { return Ok(ExitCode::FAILURE) };
    // What only building shows: certificates that do not fit their keys, trust that holds no root,
    // policies that do not compile or do not take their settings.
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start the runtime: {error}"))?;
    let policies = Policies::open(&config, Archive::default()).map_err(|error| error.to_string())?;
    match runtime.block_on(Snapshot::build(Arc::new(config), &Arc::new(policies), None)) {
        Ok(snapshot) if snapshot.refused_policies.is_empty() => Ok(ExitCode::SUCCESS),
        Ok(snapshot) => {
            let refused = snapshot.refused_policies.join("\n");
            Err(format!("{refused}\nA relay would start, and defer the mail of these tenants."))
        }
        Err(error) => Err(error.to_string()),
    }
}
