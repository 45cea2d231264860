//! The configuration: `posthouse.toml` and the tenants' files, read, checked and in the operator's words.
//!
//! Data only: nothing here opens a socket, asks a provider or parses a certificate. Invariant: a
//! `Config` comes only from files without an error, so that whoever has one need not check it again.

pub mod account;
pub mod admin;
pub mod alerts;
pub mod defaults;
pub mod directory;
pub mod fault;
pub mod limits;
pub mod listener;
pub mod log;
pub mod network;
pub mod password;
pub mod policy;
pub mod provider;
pub(crate) mod replies;
pub mod report;
pub mod store;
pub mod tenant;
pub mod token;
pub(crate) mod units;

pub(crate) mod files;
mod nearest;
mod secret;
mod section;
mod settings;
mod source;
mod taken;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthouse_upstream::replies::Table;

use crate::config::admin::Admin;
use crate::config::alerts::Alerts;
use crate::config::fault::{Fault, Findings};
use crate::config::files::{File, Sources};
use crate::config::limits::{Limits, Timeouts};
use crate::config::listener::Listener;
use crate::config::log::Log;
use crate::config::policy::Policies;
use crate::config::provider::Provider;
use crate::config::report::Report;
use crate::config::section::Section;
use crate::config::store::StoreKeys;
use crate::config::tenant::Tenant;

/// A whole configuration without an error in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What the relay calls itself: in its greeting, in EHLO and in Received.
    pub hostname: String,
    /// Where rotated refresh tokens are kept; none keeps them in memory.
    pub state_directory: Option<PathBuf>,
    /// The keys that they are sealed under.
    pub store_keys: StoreKeys,
    /// How much.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
    /// What is logged.
    pub log: Log,
    /// How providers' replies are read.
    pub replies: Arc<Table>,
    /// What holds for all policies.
    pub policies: Policies,
    /// Where operators are served; none serves them nowhere.
    pub admin: Option<Admin>,
    /// Who hears of accounts that need a person; none tells nobody.
    pub alerts: Option<Alerts>,
    /// Where clients connect; at least one.
    pub listeners: Vec<Listener>,
    /// The tenants, by file name; at least one.
    pub tenants: Vec<Tenant>,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; none where there was an error.
    pub config: Option<Config>,
    /// All that is wrong, in the order of files and lines.
    pub errors: Vec<Fault>,
    /// What is allowed and unwise, likewise.
    pub warnings: Vec<Fault>,
    /// The files that it is made of, as far as they are known.
    pub sources: Sources,
}

impl Loaded {
    /// All of it, for people.
    pub fn report(&self) -> Report<'_> {
        Report::new(self)
    }
}

/// Reads the main file and the tenants' files that it names.
pub fn load(path: &Path) -> Loaded {
    let findings = Findings::default();
    let main = File::read(0, path, &findings);
    let tenants = settings::tenant_files(&main, &findings);
    loaded(&main, tenants.as_deref(), findings)
}

/// Reads a configuration that is not in files: the main text, and the tenants' texts by name.
pub fn from_toml(main: &str, tenants: &[(&str, &str)]) -> Loaded {
    let main = File::of_text("posthouse.toml", main);
    let tenant = |(id, text): &(&str, &str)| (id.to_string(), File::of_text(&format!("tenants/{id}.toml"), text));
    let tenants: Vec<_> = tenants.iter().map(tenant).collect();
    loaded(&main, Some(&tenants), Findings::default())
}

/// The providers that a main file's accounts may name; the built-in ones where there is no file.
///
/// # Errors
/// The file, or what it says of providers, cannot be used.
pub fn providers(main: Option<&Path>) -> Result<BTreeMap<String, Provider>, String> {
    let findings = Findings::default();
    let file = main.map_or_else(|| File::of_text("", ""), |path| File::read(0, path, &findings));
    let providers = {
        let source = file.source(0, &findings);
        source.parse().map(|table| provider::read(&Section::root(&source, table.get_ref())))
    };
    let (errors, ..) = findings.into_order();
    match (providers, errors.first()) {
        (Some(providers), None) => Ok(providers),
        (_, error) => Err(error.map_or_else(|| "the configuration cannot be read".to_owned(), ToString::to_string)),
    }
}

fn loaded(main: &File, tenants: Option<&[(String, File)]>, findings: Findings) -> Loaded {
    let config = settings::read(main, tenants, &findings);
    let (errors, warnings, sources) = findings.into_order();
    Loaded { config: config.filter(|_| errors.is_empty()), errors, warnings, sources }
}

#[cfg(test)]
mod tests;
