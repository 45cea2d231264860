//! Something wrong in the configuration: where, what, and what to do.
//!
//! Invariant: a fault never holds a secret; whoever makes one leaves the value out.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use crate::config::files::Sources;

/// One thing that is wrong, or (as a warning) unwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The key with its tables: `limits.connections`, `logins[acme-app].password`; empty at the top.
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
        match (self.key.as_str(), &self.value) {
            ("", None) => {}
            ("", Some(value)) => write!(f, " {value}:")?,
            (key, None) => write!(f, " {key}:")?,
            (key, Some(value)) => write!(f, " {key} = {value}:")?,
        }
        write!(f, " {}", self.reason)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// A fault and where it belongs among the others.
#[derive(Debug)]
struct Finding {
    order: usize,
    offset: usize,
    fault: Fault,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: RefCell<Vec<Finding>>,
    warnings: RefCell<Vec<Finding>>,
    files: RefCell<Sources>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gravity {
    /// The configuration cannot be used.
    Error,
    /// It can, but should not.
    Warning,
}

impl Findings {
    /// Notes a fault of the file that is the `order`th, at this offset in it.
    pub(super) fn note(&self, gravity: Gravity, order: usize, offset: usize, fault: Fault) {
        let findings = match gravity {
            Gravity::Error => &self.errors,
            Gravity::Warning => &self.warnings,
        };
        findings.borrow_mut().push(Finding { order, offset, fault });
    }

    /// Errors and warnings, each in the order of files and lines.
    pub(super) fn into_order(self) -> (Vec<Fault>, Vec<Fault>, Sources) {
        (in_order(self.errors.into_inner()), in_order(self.warnings.into_inner()), self.files.into_inner())
    }

    /// Notes a file that the configuration is made of, whether or not it can be read.
    pub(super) fn made_of(&self, file: &Path) {
        self.files.borrow_mut().files.insert(file.to_owned());
    }

    /// Notes the directory of the tenants' files.
    pub(super) fn tenants_in(&self, directory: &Path) {
        self.files.borrow_mut().tenants = Some(directory.to_owned());
    }
}

fn in_order(mut findings: Vec<Finding>) -> Vec<Fault> {
    findings.sort_by_key(|finding| (finding.order, finding.offset));
    findings.into_iter().map(|finding| finding.fault).collect()
}
