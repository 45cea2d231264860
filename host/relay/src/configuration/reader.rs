//! Reads a TOML table key by key, and notes what is wrong without stopping at it.
//!
//! Each key that is asked for is known; at the end, the others are said to be unknown, each with the
//! known one that is nearest to it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Faults};
use super::units;

/// One file's text.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Document {
    pub(super) fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    /// The text as a table; a fault where it is no TOML.
    pub(super) fn parse(&self, faults: &mut Faults) -> Option<Spanned<DeTable<'_>>> {
        match DeTable::parse(&self.text) {
            Ok(table) => Some(table),
            Err(error) => {
                let line = error.span().map(|span| self.line(span.start));
                let reason = format!("not TOML: {}", error.message());
                faults.error(Fault { file: self.path.clone(), line, key: String::new(), reason });
                None
            }
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset.min(self.text.len())].iter().filter(|octet| **octet == b'\n').count() + 1
    }
}

/// A table being read.
pub(super) struct Section<'a> {
    document: &'a Document,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn root(document: &'a Document, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { document, table: table.get_ref(), span: 0..0, path: String::new(), known: Vec::new() }
    }

    /// The directory that relative paths in this file start from.
    pub(super) fn directory(&self) -> PathBuf {
        self.document.path.parent().map(Path::to_owned).unwrap_or_default()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes that something is wrong with a key, or with the table where the key is not there.
    pub(super) fn error(&self, key: &str, reason: impl Into<String>, faults: &mut Faults) {
        faults.error(self.fault(key, reason.into()));
    }

    pub(super) fn warn(&self, key: &str, reason: impl Into<String>, faults: &mut Faults) {
        faults.warn(self.fault(key, reason.into()));
    }

    fn fault(&self, key: &str, reason: String) -> Fault {
        let at = self.table.get(key).map_or(self.span.start, |value| value.span().start);
        let line = Some(self.document.line(at));
        Fault { file: self.document.path.clone(), line, key: self.name(key), reason }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// A value made from a text; a fault where it cannot be.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        faults: &mut Faults,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let parsed = value.get_ref().as_str().and_then(parse);
        if parsed.is_none() {
            let shown =
                value.get_ref().as_str().map_or(value.get_ref().type_str().to_owned(), |text| format!("`{text}`"));
            self.error(key, format!("{shown} is not what is expected: {expected}"), faults);
        }
        parsed
    }

    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults) -> Option<String> {
        self.parsed(key, "a text that is not empty", faults, |text| (!text.is_empty()).then(|| text.to_owned()))
    }

    pub(super) fn required(&mut self, key: &'static str, faults: &mut Faults) -> Option<String> {
        let text = self.text(key, faults);
        self.require(key, faults);
        text
    }

    /// Notes where a key is missing that has to be there.
    pub(super) fn require(&self, key: &str, faults: &mut Faults) {
        if !self.has(key) {
            self.error(key, "missing", faults);
        }
    }

    pub(super) fn duration(&mut self, key: &'static str, default: Duration, faults: &mut Faults) -> Duration {
        let expected = format!("a duration such as \"{}\"", units::shown_duration(default));
        let parsed =
            self.parsed(key, &expected, faults, |text| units::duration(text).filter(|duration| !duration.is_zero()));
        parsed.unwrap_or(default)
    }

    pub(super) fn size(&mut self, key: &'static str, default: u64, faults: &mut Faults) -> u64 {
        let expected = format!("a size such as \"{}\"", units::shown_size(default));
        self.parsed(key, &expected, faults, |text| units::size(text).filter(|size| *size > 0)).unwrap_or(default)
    }

    /// A whole number from 1 on.
    pub(super) fn count<T: TryFrom<u64> + Copy>(&mut self, key: &'static str, default: T, faults: &mut Faults) -> T {
        let Some(value) = self.value(key) else { return default };
        let number = value.get_ref().as_integer().and_then(|number| {
            u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok().filter(|number| *number > 0)
        });
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => number,
            None => {
                self.error(key, "a whole number from 1 on is expected", faults);
                default
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool, faults: &mut Faults) -> bool {
        let Some(value) = self.value(key) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.error(key, "true or false is expected", faults);
            default
        })
    }

    /// A list of values made from texts.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        faults: &mut Faults,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.error(key, format!("a list is expected, of {expected}"), faults);
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(|text| (text, parse(text))) {
                Some((_, Some(parsed))) => list.push(parsed),
                Some((text, None)) => self.error(key, format!("`{text}` is not what is expected: {expected}"), faults),
                None => self.error(key, format!("a list of texts is expected: {expected}"), faults),
            }
        }
        list
    }

    /// The table of this name.
    pub(super) fn table(&mut self, key: &'static str, faults: &mut Faults) -> Option<Section<'a>> {
        let value = self.value(key)?;
        let section = self.section(key, value);
        if section.is_none() {
            self.error(key, "a table is expected", faults);
        }
        section
    }

    /// The tables of this name.
    pub(super) fn tables(&mut self, key: &'static str, faults: &mut Faults) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.error(key, format!("tables are expected: [[{}]]", self.name(key)), faults);
            return Vec::new();
        };
        items.iter().filter_map(|item| self.section(key, item)).collect()
    }

    /// All tables in this one, with their names.
    pub(super) fn named_tables(&mut self, faults: &mut Faults) -> Vec<(&'a str, Section<'a>)> {
        let mut sections = Vec::new();
        for (name, value) in self.table {
            match self.section(name.get_ref(), value) {
                Some(section) => sections.push((&**name.get_ref(), section)),
                None => self.error(name.get_ref(), "a table is expected", faults),
            }
        }
        sections
    }

    fn section(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<Section<'a>> {
        let table = value.get_ref().as_table()?;
        Some(Section { document: self.document, table, span: value.span(), path: self.name(key), known: Vec::new() })
    }

    /// Says which keys of the table are unknown.
    pub(super) fn finish(self, faults: &mut Faults) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let nearest = self.known.iter().min_by_key(|known| distance(known, name));
            let reason = match nearest.filter(|known| distance(known, name) <= 1 + name.len() / 3) {
                Some(known) => format!("unknown key; did you mean `{known}`?"),
                None => format!("unknown key; known are: {}", self.known.join(", ")),
            };
            let line = Some(self.document.line(key.span().start));
            faults.error(Fault { file: self.document.path.clone(), line, key: self.name(name), reason });
        }
    }
}

/// How many characters have to change (Levenshtein).
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in two.iter().enumerate() {
            let next = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[two.len()]
}
