//! Names that are taken already, and where: for what has to be unique.

use std::collections::BTreeMap;

use crate::config::source::Mark;

/// Names of one kind.
#[derive(Debug)]
pub(super) struct Taken<'s> {
    names: BTreeMap<String, Mark<'s>>,
}

impl<'s> Taken<'s> {
    /// None yet.
    pub(super) fn none() -> Self {
        Self { names: BTreeMap::new() }
    }

    /// Takes the name, or tells where it was taken before.
    pub(super) fn take(&mut self, name: &str, mark: Mark<'s>) -> Result<(), &Mark<'s>> {
        if self.names.contains_key(name) {
            return Err(&self.names[name]);
        }
        self.names.insert(name.to_owned(), mark);
        Ok(())
    }

    /// Takes the name; a name that is taken already is noted as an error.
    pub(super) fn claim(&mut self, name: &str, mark: &Mark<'s>) {
        if let Err(before) = self.take(name, mark.clone()) {
            mark.fault(format!("the name is taken already, at {}", before.place())).shown(format!("{name:?}")).error();
        }
    }

    /// Whether the name is known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}
