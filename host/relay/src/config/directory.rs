//! `[directories.NAME]`: Microsoft directories, and what Microsoft lets all mailboxes of one send together.
//!
//! There is no default: the limit (TERRL) goes by the number of licences, which nobody but the operator knows.

use std::cell::Cell;
use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::config::section::Section;
use crate::config::source::Mark;

/// A directory with a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Its name, as the configuration writes it.
    pub name: String,
    /// Recipients in 24 hours, over all accounts in it.
    pub recipients_per_day: u64,
}

/// Those of the main file, by name in lower case.
#[derive(Debug, Default)]
pub(super) struct Directories<'s> {
    named: BTreeMap<String, (Directory, Mark<'s>, Cell<bool>)>,
}

/// The section `directories`.
pub(super) fn read<'s>(root: &Section<'s>) -> Directories<'s> {
    let mut named = BTreeMap::new();
    for (name, entry) in root.section("directories").iter().flat_map(Section::named) {
        let Some(section) = entry.section() else { continue };
        let limit = section.required(
            "recipients_per_day",
            "what Microsoft lets all its mailboxes send to in 24 hours",
            |entry| entry.number(1..=u64::from(u32::MAX)),
        );
        section.finish();
        if let Some(recipients_per_day) = limit {
            let directory = Directory { name: name.to_owned(), recipients_per_day };
            named.insert(name.to_lowercase(), (directory, entry.mark, Cell::new(false)));
        }
    }
    Directories { named }
}

impl Directories<'_> {
    /// That of an account, by its section.
    pub(super) fn of(&self, account: &Section<'_>) -> Option<Directory> {
        // The grant's own reader tells what is wrong with it.
        let DeValue::Table(grant) = account.entry("grant")?.value else { return None };
        let DeValue::String(name) = grant.get("directory")?.get_ref() else { return None };
        let (directory, _, is_used) = self.named.get(&name.to_lowercase())?;
        is_used.set(true);
        Some(directory.clone())
    }

    /// Notes those that no account is in: a name that is written in another way limits nothing.
    pub(super) fn warn_of_unused(&self) {
        for (_, mark, is_used) in self.named.values() {
            if !is_used.get() {
                let reason = "no account's grant has this `directory`, so that it limits nothing";
                mark.fault(reason).suggest("write it as the accounts do: the id, or the domain").warning();
            }
        }
    }
}
