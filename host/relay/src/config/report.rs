//! What came of reading a configuration, for people.

use std::fmt;

use crate::config::Loaded;

/// A `Loaded`, easy on the eye.
#[derive(Debug, Clone, Copy)]
pub struct Report<'l> {
    pub(super) loaded: &'l Loaded,
    found: Found<'l>,
}

/// What only building has shown.
#[derive(Debug, Clone, Copy)]
enum Found<'l> {
    Nothing,
    /// Policies that are not taken; all else works.
    RefusedPolicies(&'l [String]),
    /// Why nothing can be made of it.
    Unusable(&'l str),
}

impl<'l> Report<'l> {
    pub(super) fn new(loaded: &'l Loaded) -> Self {
        Self { loaded, found: Found::Nothing }
    }

    /// The same, and these policies are not taken.
    #[must_use]
    pub fn with_refused_policies(self, refused: &'l [String]) -> Self {
        if refused.is_empty() { self } else { Self { found: Found::RefusedPolicies(refused), ..self } }
    }

    /// The same, and for this reason it cannot be used.
    #[must_use]
    pub fn unusable(self, reason: &'l str) -> Self {
        Self { found: Found::Unusable(reason), ..self }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded { config, errors, warnings, .. } = self.loaded;
        for error in errors {
            writeln!(f, "error    {error}")?;
        }
        let (policies, reason) = match self.found {
            Found::Nothing => (&[][..], None),
            Found::RefusedPolicies(refused) => (refused, None),
            Found::Unusable(reason) => (&[][..], Some(reason)),
        };
        for error in policies.iter().map(String::as_str).chain(reason) {
            writeln!(f, "error    {error}")?;
        }
        for warning in warnings {
            writeln!(f, "warning  {warning}")?;
        }
        let errors = errors.len() + policies.len() + usize::from(reason.is_some());
        if errors > 0 || !warnings.is_empty() {
            writeln!(f)?;
        }
        match config {
            Some(config) if reason.is_none() => {
                match policies.len() {
                    0 => write!(f, "The configuration is good: ")?,
                    1 => write!(
                        f,
                        "The configuration can be used, but a policy is refused and its tenant's mail deferred: "
                    )?,
                    more => write!(
                        f,
                        "The configuration can be used, but {more} policies are refused and their tenants' mail deferred: "
                    )?,
                }
                let accounts = config.tenants.iter().map(|tenant| tenant.accounts.len()).sum();
                let logins = config.tenants.iter().map(|tenant| tenant.logins.len()).sum();
                write!(
                    f,
                    "{}, {}, {}, {}",
                    counted(config.listeners.len(), "listener"),
                    counted(config.tenants.len(), "tenant"),
                    counted(logins, "login"),
                    counted(accounts, "account"),
                )?;
            }
            _ => write!(f, "The configuration cannot be used: {}", counted(errors, "error"))?,
        }
        if warnings.is_empty() { write!(f, ".") } else { write!(f, "; {}.", counted(warnings.len(), "warning")) }
    }
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
