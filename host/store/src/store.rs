//! The store of a state directory: one file, opened by one process, with a handle for each part.

use std::path::Path;
use std::sync::Arc;

use crate::audit::Audit;
use crate::budgets::Budgets;
use crate::budgets::ledger::Ledger;
use crate::database::Database;
use crate::error::Error;
use crate::generations::Generations;
use crate::key_value::KeyValue;
use crate::keys::Keys;
use crate::lives::Lives;
use crate::pauses::Pauses;
use crate::refresh_tokens::RefreshTokens;
use crate::renewals::{Renewal, Renewals};

/// The store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    keys: Keys,
    ledger: Ledger,
    renewals: Arc<Renewals>,
}

impl Store {
    /// Opens `posthouse.redb` in the state directory, and the budgets' journals beside it; makes them where they are not
    /// there yet. The whole file is checked: about a second for each GiB.
    ///
    /// # Errors
    /// Another process has it, a newer release wrote it, it is damaged, or the system does not let us.
    pub fn open(directory: &Path, keys: Keys) -> Result<Self, Error> {
        let database = Database::open(directory)?;
        // Only now: whoever holds the database is the one that writes the journals.
        let ledger = Ledger::open(&database, directory)?;
        Ok(Self { database, keys, ledger, renewals: Arc::default() })
    }

    /// Whether a state directory has a store. Opens nothing.
    pub fn exists(directory: &Path) -> bool {
        directory.join(crate::database::FILE).exists()
    }

    /// Closes the file for another process, once renewals and transactions that have begun are over; all that is asked
    /// until [`Self::reopen`] is an error. Blocks, for as long as a token endpoint may take. Budgets go on in memory, from
    /// what was counted so far: their journals are the other process's.
    pub fn close(&self) {
        if self.renewals.close() {
            self.ledger.detach();
            self.database.close();
        }
    }

    /// Opens the file again, unless it is open.
    ///
    /// # Errors
    /// The other process has it still, or has damaged it.
    pub fn reopen(&self) -> Result<(), Error> {
        self.database.reopen()?;
        self.ledger.attach();
        self.renewals.open();
        Ok(())
    }

    /// Begins to ask for a token of which a newer refresh token may come: until it is dropped, the file stays open for that.
    ///
    /// # Errors
    /// The file is with another process, or goes there now, and renewals are that one's.
    pub fn renewal(&self) -> Result<Renewal, Error> {
        self.renewals.begin().ok_or_else(|| Error::HandedOver { path: self.path().to_owned() })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Rotated refresh tokens.
    pub fn refresh_tokens(&self) -> RefreshTokens<'_> {
        RefreshTokens::new(&self.database, &self.keys)
    }

    /// How long refresh tokens have lived.
    pub fn lives(&self) -> Lives<'_> {
        Lives::new(&self.database)
    }

    /// Recipients of the last 24 hours.
    pub fn budgets(&self) -> Budgets<'_> {
        Budgets::new(&self.database, &self.ledger)
    }

    /// Policies' generations and their components.
    pub fn generations(&self) -> Generations<'_> {
        Generations::new(&self.database)
    }

    /// Who did what.
    pub fn audit(&self) -> Audit<'_> {
        Audit::new(&self.database)
    }

    /// What is paused.
    pub fn pauses(&self) -> Pauses<'_> {
        Pauses::new(&self.database)
    }

    /// What policies left behind at the last end.
    pub fn key_value(&self) -> KeyValue<'_> {
        KeyValue::new(&self.database)
    }
}

#[cfg(test)]
mod tests;
