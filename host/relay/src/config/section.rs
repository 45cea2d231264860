//! A table of the configuration, read key by key.
//!
//! Whoever reads a key says what it takes there and what holds without it; what does not fit is
//! noted as a fault and reading goes on, so that all faults are told at once. Invariant: a key that
//! nobody asked for is a fault (`finish`), so that no misspelt key is silently a default.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::nearest::{listed, nearest};
use crate::config::source::{Mark, Source};
use crate::config::value::Entry;

/// A table.
#[derive(Debug)]
pub(super) struct Section<'s> {
    /// Where it begins.
    pub(super) mark: Mark<'s>,
    table: &'s DeTable<'s>,
    known: RefCell<Vec<&'static str>>,
}

impl<'s> Section<'s> {
    /// The file's outermost table.
    pub(super) fn root(source: &'s Source<'s>, table: &'s DeTable<'s>) -> Self {
        Self::new(source.whole(), table)
    }

    /// The table that stands at this place.
    pub(super) fn new(mark: Mark<'s>, table: &'s DeTable<'s>) -> Self {
        Self { mark, table, known: RefCell::default() }
    }

    /// What stands at the key, if anything does.
    pub(super) fn entry(&self, key: &'static str) -> Option<Entry<'s>> {
        self.known.borrow_mut().push(key);
        self.table.get(key).map(|value| self.child(key, value))
    }

    /// The key's value; `default` without it (or where it is a fault, which is noted).
    pub(super) fn or<T>(&self, key: &'static str, default: T, read: impl FnOnce(&Entry<'s>) -> Option<T>) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// The key's value, which may be missing.
    pub(super) fn optional<T>(&self, key: &'static str, read: impl FnOnce(&Entry<'s>) -> Option<T>) -> Option<T> {
        self.entry(key).as_ref().and_then(read)
    }

    /// The key's value; it is a fault where it is missing. `meaning` says what it would be.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        meaning: &str,
        read: impl FnOnce(&Entry<'s>) -> Option<T>,
    ) -> Option<T> {
        let entry = self.entry(key);
        if entry.is_none() {
            self.missing(key, meaning);
        }
        entry.as_ref().and_then(read)
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &str, meaning: &str) {
        self.mark_of(key).fault(format!("missing: {meaning}")).error();
    }

    /// The place of a key; that of the section where it is missing.
    pub(super) fn mark_of(&self, key: &str) -> Mark<'s> {
        self.placed(key, self.table.get(key).map(|value| value.span().start).or(self.mark.offset))
    }

    /// The table at the key; it may be missing.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'s>> {
        self.optional(key, Entry::section)
    }

    /// The tables in the list at the key; none where it is missing.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'s>> {
        self.or(key, Vec::new(), |entry| Some(entry.list()?.iter().filter_map(Entry::section).collect()))
    }

    /// All that stands here, whatever the keys: for tables whose keys are names.
    pub(super) fn named(&self) -> Vec<(&'s str, Entry<'s>)> {
        self.table.iter().map(|(name, value)| (&**name.get_ref(), self.child(name.get_ref(), value))).collect()
    }

    /// Notes each key that nobody asked for.
    pub(super) fn finish(self) {
        self.finish_with(|_| None);
    }

    /// The same, with advice for keys that have their place elsewhere.
    pub(super) fn finish_with(self, advice: impl Fn(&str) -> Option<&'static str>) {
        let mut known = self.known.take();
        known.sort_unstable();
        known.dedup();
        for key in self.table.keys() {
            if known.binary_search(&&**key.get_ref()).is_ok() {
                continue;
            }
            let suggestion = match (advice(key.get_ref()), nearest(key.get_ref(), known.iter().copied())) {
                (Some(advice), _) => advice.to_owned(),
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => format!("the keys here are {}", listed(known.iter().copied()).replace(" or ", " and ")),
            };
            self.placed(key.get_ref(), Some(key.span().start)).fault("unknown key").suggest(suggestion).error();
        }
    }

    fn child(&self, key: &str, value: &'s Spanned<DeValue<'s>>) -> Entry<'s> {
        Entry { mark: self.placed(key, Some(value.span().start)), value: value.get_ref() }
    }

    fn placed(&self, key: &str, offset: Option<usize>) -> Mark<'s> {
        let is_bare =
            !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"_-".contains(&octet));
        let key = if is_bare { key.to_owned() } else { format!("{key:?}") };
        let key = if self.mark.key.is_empty() { key } else { format!("{}.{key}", self.mark.key) };
        Mark { source: self.mark.source, offset, key }
    }
}
