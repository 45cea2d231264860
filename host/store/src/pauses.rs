//! What an operator has paused: a tenant, or one of its accounts.

use std::collections::BTreeMap;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::database::{Database, table};
use crate::error::Error;

/// A whole tenant stands under the empty account.
const TABLE: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("pauses");

/// What a pause stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paused {
    /// The tenant.
    pub tenant: String,
    /// One of its accounts; none stops all of the tenant.
    pub account: Option<String>,
}

/// Why it is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who paused it.
    pub who: String,
    /// Whether that was an operator, and not the tenant itself.
    #[serde(default)]
    pub by_operator: bool,
    /// Since when, in Unix seconds.
    pub when: u64,
    /// What for.
    pub reason: String,
}

/// The pauses of a store.
#[derive(Debug, Clone, Copy)]
pub struct Pauses<'s> {
    database: &'s Database,
}

impl<'s> Pauses<'s> {
    pub(crate) fn new(database: &'s Database) -> Self {
        Self { database }
    }

    /// Pauses; takes the place of a pause that is there.
    ///
    /// # Errors
    /// It could not be written.
    pub fn set(&self, paused: &Paused, pause: &Pause) -> Result<(), Error> {
        let record = serde_json::to_vec(pause).expect("text and numbers are JSON");
        self.database.write("set a pause", |transaction| {
            transaction.open_table(TABLE)?.insert(paused.key(), record.as_slice())?;
            Ok(())
        })
    }

    /// Ends a pause; says whether there was one.
    ///
    /// # Errors
    /// It could not be written.
    pub fn clear(&self, paused: &Paused) -> Result<bool, Error> {
        self.database
            .write("clear a pause", |transaction| Ok(transaction.open_table(TABLE)?.remove(paused.key())?.is_some()))
    }

    /// All pauses.
    ///
    /// # Errors
    /// They could not be read.
    pub fn all(&self) -> Result<BTreeMap<Paused, Pause>, Error> {
        self.database.read("list pauses", |transaction| {
            let Some(pauses) = table(transaction, TABLE)? else { return Ok(BTreeMap::new()) };
            let mut all = BTreeMap::new();
            for entry in pauses.iter()? {
                let (key, record) = entry?;
                let (tenant, account) = key.value();
                let pause = serde_json::from_slice(record.value())
                    .map_err(|error| self.database.unreadable(format!("the pause of {tenant}/{account}"), &error))?;
                let account = Some(account.to_owned()).filter(|account| !account.is_empty());
                all.insert(Paused { tenant: tenant.to_owned(), account }, pause);
            }
            Ok(all)
        })
    }
}

impl Paused {
    fn key(&self) -> (&str, &str) {
        (&self.tenant, self.account.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
