//! What is wrong with a configuration: where, what, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Config, Loaded};

/// One thing that is wrong, or unwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; none where it is the file as a whole.
    pub line: Option<usize>,
    /// The key, with the tables it stands in.
    pub key: String,
    /// What is wrong, and what is expected.
    pub reason: String,
}

impl Fault {
    pub(super) fn of_file(file: &Path, reason: String) -> Self {
        Self { file: file.to_owned(), line: None, key: String::new(), reason }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Faults {
    pub(super) fn error(&mut self, fault: Fault) {
        self.errors.push(fault);
    }

    pub(super) fn warn(&mut self, fault: Fault) {
        self.warnings.push(fault);
    }

    pub(super) fn loaded(mut self, config: Option<Config>) -> Loaded {
        let place = |fault: &Fault| (fault.file.clone(), fault.line);
        self.errors.sort_by_key(place);
        self.warnings.sort_by_key(place);
        let config = config.filter(|_| self.errors.is_empty());
        Loaded { config, errors: self.errors, warnings: self.warnings }
    }
}

impl Loaded {
    /// What there is to say of it, for a person.
    pub fn report(&self) -> Report<'_> {
        Report(self)
    }
}

/// A report; its `Display` is a paragraph for each fault and a summary.
#[derive(Debug)]
pub struct Report<'a>(&'a Loaded);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded { config, errors, warnings } = self.0;
        for error in errors {
            writeln!(f, "error: {error}")?;
        }
        for warning in warnings {
            writeln!(f, "warning: {warning}")?;
        }
        match config {
            Some(config) => {
                let accounts: usize = config.tenants.iter().map(|tenant| tenant.accounts.len()).sum();
                let (listeners, tenants) = (config.listeners.len(), config.tenants.len());
                write!(f, "configuration is good: {listeners} listeners, {tenants} tenants, {accounts} accounts")
            }
            None => write!(f, "configuration is not good: {} errors", errors.len()),
        }
    }
}
