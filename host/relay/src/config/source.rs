//! A file of the configuration and the places in it that faults are told of.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeTable;

use crate::config::fault::{Fault, Findings, Gravity};

/// One file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Its place among the files: faults are told in this order.
    pub(super) order: usize,
    /// Its name in faults.
    pub(super) file: String,
    /// What paths in it are relative to.
    pub(super) directory: PathBuf,
    /// Its text; none where it could not be read.
    pub(super) text: Option<&'a str>,
    /// Where faults are noted.
    pub(super) findings: &'a Findings,
}

impl<'a> Source<'a> {
    /// The file's tables, if it is TOML at all; all its errors of syntax are noted.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text?);
        for error in &errors {
            let offset = error.span().map(|span| span.start);
            Mark { source: self, offset, key: String::new() }.fault(error.message().trim()).error();
        }
        errors.is_empty().then_some(table)
    }

    /// The file itself, as a place.
    pub(super) fn whole(&self) -> Mark<'_> {
        Mark { source: self, offset: None, key: String::new() }
    }

    /// A path in this file, seen from here.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.directory.join(Path::new(written))
    }

    /// Line and column of an offset, from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.and_then(|text| text.get(..offset)).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.bytes().filter(|octet| *octet == b'\n').count() + 1, line.chars().count() + 1)
    }
}

/// A place in a file, and the key that stands there.
#[derive(Debug, Clone)]
pub(super) struct Mark<'s> {
    pub(super) source: &'s Source<'s>,
    /// None is the whole file.
    pub(super) offset: Option<usize>,
    pub(super) key: String,
}

impl Mark<'_> {
    /// A fault at this place; it counts once `error` or `warning` is called.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Draft<'_> {
        Draft { mark: self, value: None, reason: reason.into(), suggestion: None }
    }

    /// The place for people: `tenants/acme.toml:12`.
    pub(super) fn place(&self) -> String {
        match self.offset {
            Some(offset) => format!("{}:{}", self.source.file, self.source.position(offset).0),
            None => self.source.file.clone(),
        }
    }
}

/// A fault that is being worded.
#[derive(Debug)]
#[must_use = "a draft counts only as an error or as a warning"]
pub(super) struct Draft<'m> {
    mark: &'m Mark<'m>,
    value: Option<String>,
    reason: String,
    suggestion: Option<String>,
}

impl Draft<'_> {
    /// Shows what stands there. Never called with a secret.
    pub(super) fn shown(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Says what to do.
    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The configuration cannot be used.
    pub(super) fn error(self) {
        self.note(Gravity::Error);
    }

    /// It can, but should not.
    pub(super) fn warning(self) {
        self.note(Gravity::Warning);
    }

    fn note(self, gravity: Gravity) {
        let Self { mark, value, reason, suggestion } = self;
        let source = mark.source;
        let (line, column) = mark.offset.map(|offset| source.position(offset)).unzip();
        let fault = Fault { file: source.file.clone(), line, column, key: mark.key.clone(), value, reason, suggestion };
        source.findings.note(gravity, source.order, mark.offset.unwrap_or(0), fault);
    }
}
