//! Who did what, from where: the newest entries; the oldest make place for new ones.

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::database::{Database, table};
use crate::error::Error;

/// By number, counted up for ever: the order in which things were done.
const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// Entries that are kept: with 1 KiB each, 10 MiB.
pub const AUDIT_ENTRIES: u64 = 10_000;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in Unix seconds.
    pub when: u64,
    /// Who.
    pub who: String,
    /// From where: an address, or the command line.
    pub from: String,
    /// What, in a word.
    pub action: String,
    /// To which tenant, if to one.
    pub tenant: Option<String>,
    /// What else there is to know. No secrets.
    pub detail: String,
}

/// The audit log of a store.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'s> {
    database: &'s Database,
}

impl<'s> Audit<'s> {
    pub(crate) fn new(database: &'s Database) -> Self {
        Self { database }
    }

    /// Adds entries in this order, all or none. They are durable on return.
    ///
    /// # Errors
    /// They could not be written.
    pub fn append(&self, entries: &[Entry]) -> Result<(), Error> {
        self.database.write("write the audit log", |transaction| {
            let mut log = transaction.open_table(TABLE)?;
            let mut number = log.last()?.map_or(0, |(last, _)| last.value());
            for entry in entries {
                number += 1;
                log.insert(number, serde_json::to_vec(entry).expect("text and numbers are JSON").as_slice())?;
            }
            while log.len()? > AUDIT_ENTRIES {
                log.pop_first()?;
            }
            Ok(())
        })
    }

    /// The newest entries first, at most `limit`; those of one tenant if one is named.
    ///
    /// # Errors
    /// They could not be read.
    pub fn list(&self, limit: usize, tenant: Option<&str>) -> Result<Vec<Entry>, Error> {
        self.database.read("read the audit log", |transaction| {
            let mut entries = Vec::new();
            let Some(log) = table(transaction, TABLE)? else { return Ok(entries) };
            for entry in log.iter()?.rev() {
                if entries.len() == limit {
                    break;
                }
                let (number, record) = entry?;
                let entry: Entry = serde_json::from_slice(record.value())
                    .map_err(|error| self.database.unreadable(format!("audit entry {}", number.value()), &error))?;
                if tenant.is_none() || entry.tenant.as_deref() == tenant {
                    entries.push(entry);
                }
            }
            Ok(entries)
        })
    }
}

#[cfg(test)]
mod tests;
