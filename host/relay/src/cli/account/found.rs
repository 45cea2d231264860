//! The account that a command is about, in the configuration.

use std::path::Path;

use crate::config::account::Account;
use crate::config::{self, Config};

/// An account by `TENANT/ID`.
///
/// # Errors
/// The configuration cannot be used, or holds no such account.
pub(super) fn account<'c>(config: &'c Config, name: &str) -> Result<&'c Account, String> {
    let (tenant, id) = name.split_once('/').ok_or_else(|| format!("`{name}` is no TENANT/ID"))?;
    let known = || {
        let tenants = config.tenants.iter();
        let names = tenants.flat_map(|tenant| tenant.accounts.iter().map(move |account| (&tenant.id, &account.id)));
        names.map(|(tenant, id)| format!("{tenant}/{id}")).collect::<Vec<_>>().join(", ")
    };
    let tenant = config.tenants.iter().find(|known| known.id == tenant);
    let account = tenant.and_then(|tenant| tenant.accounts.iter().find(|known| known.id == id));
    account.ok_or_else(|| format!("there is no account {name}; there are {}", known()))
}

/// The configuration, without an error.
pub(super) fn config(path: &Path) -> Result<Config, String> {
    let loaded = config::load(path);
    let report = loaded.report().to_string();
    loaded.config.ok_or(report)
}
