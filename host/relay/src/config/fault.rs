//! Something wrong in the configuration: where, what, and what to do.
//!
//! Invariant: a fault never holds a secret; whoever makes one leaves the value out.

use std::fmt;

/// One thing that is wrong, or (as a warning) unwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The key with its tables: `limits.connections`, `logins[2].password`; empty at the top.
    pub key: String,
    /// What stands there, unless it is a secret.
    pub value: Option<String>,
    /// What is wrong with it, or what was expected.
    pub reason: String,
    /// What to do.
    pub suggestion: Option<String>,
}

impl fmt::Display for Fault {
    /// `configs/posthouse.toml:12: limits.conections: unknown key; did you mean `connections`?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(f, " {value}:")?;
        }
        write!(f, " {}", self.reason)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}
