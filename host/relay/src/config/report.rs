//! What came of reading a configuration, for people.

use std::fmt;

use crate::config::Loaded;

/// A `Loaded`, easy on the eye.
#[derive(Debug, Clone, Copy)]
pub struct Report<'l> {
    pub(super) loaded: &'l Loaded,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded { config, errors, warnings, .. } = self.loaded;
        for error in errors {
            writeln!(f, "error    {error}")?;
        }
        for warning in warnings {
            writeln!(f, "warning  {warning}")?;
        }
        if !errors.is_empty() || !warnings.is_empty() {
            writeln!(f)?;
        }
        match config {
            Some(config) => {
                let accounts = config.tenants.iter().map(|tenant| tenant.accounts.len()).sum();
                let logins = config.tenants.iter().map(|tenant| tenant.logins.len()).sum();
                write!(
                    f,
                    "The configuration is good: {}, {}, {}, {}",
                    counted(config.listeners.len(), "listener"),
                    counted(config.tenants.len(), "tenant"),
                    counted(logins, "login"),
                    counted(accounts, "account"),
                )?;
            }
            None => write!(f, "The configuration cannot be used: {}", counted(errors.len(), "error"))?,
        }
        if warnings.is_empty() { write!(f, ".") } else { write!(f, "; {}.", counted(warnings.len(), "warning")) }
    }
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
