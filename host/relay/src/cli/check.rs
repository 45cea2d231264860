//! `posthouse check`: everything that is wrong with a configuration, at once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::terminal::say;
use crate::config;
use crate::policies::Policies;
use crate::snapshot::Snapshot;

pub(super) fn check(path: &Path) -> Result<ExitCode, String> {
    let loaded = config::load(path);
    let Some(config) = loaded.config.clone() else {
        say(&loaded.report().to_string());
        return Ok(ExitCode::FAILURE);
    };
    // What only building shows: trust that holds no root, policies that do not compile or do not take their settings.
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start the runtime: {error}"))?;
    let policies = Policies::on_trial(&config).map_err(|error| error.to_string())?;
    let code = match runtime.block_on(Snapshot::build(Arc::new(config), &Arc::new(policies), None)) {
        Ok(snapshot) => {
            say(&loaded.report().with_refused_policies(&snapshot.refused_policies).to_string());
            if snapshot.refused_policies.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&loaded.report().unusable(&error.to_string()).to_string());
            ExitCode::FAILURE
        }
    };
    Ok(code)
}
