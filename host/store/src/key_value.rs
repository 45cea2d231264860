//! Policies' key-value data between two lives of the relay: saved whole at the end, loaded whole at the start.

use redb::TableDefinition;

use crate::database::{Database, next_name, table};
use crate::error::Error;

/// When the entry ends, what its octets are, and they.
const TABLE: TableDefinition<'_, (&str, &str), (u64, u8, &[u8])> = TableDefinition::new("policy-key-value");
const OCTETS: u8 = 0;
const NUMBER: u8 = 1;

/// What a policy keeps at a key. The two are told apart: only a number can be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Octets.
    Octets(Vec<u8>),
    /// A number.
    Number(i64),
}

/// An entry of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// When it ends, in Unix seconds.
    pub expires: u64,
}

/// The key-value data of a store.
#[derive(Debug, Clone, Copy)]
pub struct KeyValue<'s> {
    database: &'s Database,
}

impl<'s> KeyValue<'s> {
    pub(crate) fn new(database: &'s Database) -> Self {
        Self { database }
    }

    /// Keeps these entries of a tenant instead of those that are there.
    ///
    /// # Errors
    /// They could not be written; what was there stays.
    pub fn save(&self, tenant: &str, entries: &[Entry]) -> Result<(), Error> {
        self.database.write("save policies' data", |transaction| {
            let mut data = transaction.open_table(TABLE)?;
            let next = next_name(tenant);
            data.retain_in((tenant, "")..(next.as_str(), ""), |_, _| false)?;
            for entry in entries {
                let number;
                let (kind, octets) = match &entry.value {
                    Value::Octets(octets) => (OCTETS, octets.as_slice()),
                    Value::Number(value) => {
                        number = value.to_be_bytes();
                        (NUMBER, number.as_slice())
                    }
                };
                data.insert((tenant, entry.key.as_str()), (entry.expires, kind, octets))?;
            }
            Ok(())
        })
    }

    /// A tenant's entries that have not ended by `now` (Unix seconds), by key.
    ///
    /// # Errors
    /// They could not be read.
    pub fn load(&self, tenant: &str, now: u64) -> Result<Vec<Entry>, Error> {
        self.database.read("load policies' data", |transaction| {
            let mut entries = Vec::new();
            let Some(data) = table(transaction, TABLE)? else { return Ok(entries) };
            let next = next_name(tenant);
            for entry in data.range((tenant, "")..(next.as_str(), ""))? {
                let (key, record) = entry?;
                let (expires, kind, octets) = record.value();
                let key = key.value().1.to_owned();
                let unreadable =
                    |reason: &str| self.database.unreadable(format!("the key {key:?} of {tenant}"), &reason);
                let value = match kind {
                    OCTETS => Value::Octets(octets.to_vec()),
                    NUMBER => octets
                        .try_into()
                        .map(|octets| Value::Number(i64::from_be_bytes(octets)))
                        .map_err(|_| unreadable("it is no number of 8 octets"))?,
                    _ => return Err(unreadable("its kind is not known").into()),
                };
                if now < expires {
                    entries.push(Entry { key, value, expires });
                }
            }
            Ok(entries)
        })
    }
}

#[cfg(test)]
mod tests;
