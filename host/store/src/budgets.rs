//! Recipients of the last 24 hours, by key: what providers count, right to the recipient after any death of the process.
//!
//! Reads cost no I/O; what is taken costs one write(2) to a journal, without waiting for the disk. The kernel has it
//! from then on, whatever becomes of the process. When the machine itself dies, what was taken since the last
//! [`Budgets::sync`] may be lost: callers sync each second. [`Budgets::fold`] moves the journal into the database.
//! All time is Unix seconds. Invariant: within a rolling 24 hours no more is taken than the limit, if the clock is right.

pub mod in_memory;
mod journal;
pub(crate) mod ledger;
mod window;

use crate::budgets::ledger::Ledger;
use crate::database::Database;
use crate::error::Error;

/// The time that providers look back, in seconds.
pub const WINDOW: u64 = 24 * 60 * 60;
/// The grain of counting, in seconds: what is taken counts until the end of its bucket has left the window, so up to so
/// much longer than a provider counts it.
pub const BUCKET: u64 = 10 * 60;

/// What is to be taken of one key.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'k> {
    /// The key.
    pub key: &'k str,
    /// How much.
    pub count: u64,
    /// The most that it may have had afterwards.
    pub limit: u64,
}

/// Why nothing was taken of several keys.
#[derive(Debug)]
pub struct Refused {
    /// Which of them it was for, from 0; where the journal could not be written, the first.
    pub index: usize,
    /// Why.
    pub why: NotTaken,
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The limit would be passed.
    #[error("the limit of 24 hours is reached")]
    Full {
        /// Since when there would be place, in Unix seconds, if nothing else is taken; none where what is asked for is more than
        /// the limit itself.
        frees_at: Option<u64>,
    },
    /// The journal could not be written.
    #[error(transparent)]
    Unwritten(#[from] Error),
}

/// How much a count has changed, for another process that counts the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The key.
    pub key: String,
    /// The beginning of the bucket, in Unix seconds.
    pub bucket: u64,
    /// So many were taken, or given back.
    pub by: i64,
}

/// The budgets of a store.
#[derive(Debug, Clone, Copy)]
pub struct Budgets<'s> {
    database: &'s Database,
    ledger: &'s Ledger,
}

impl<'s> Budgets<'s> {
    pub(crate) fn new(database: &'s Database, ledger: &'s Ledger) -> Self {
        Self { database, ledger }
    }

    /// Takes so many recipients, whatever the limit is.
    ///
    /// # Errors
    /// The journal could not be written; nothing was taken.
    pub fn take(&self, key: &str, recipients: u64, now: u64) -> Result<(), Error> {
        match self.take_within(key, recipients, u64::MAX, now) {
            Err(NotTaken::Unwritten(error)) => Err(error),
            // Below a limit that no count reaches there is always place.
            Ok(()) | Err(NotTaken::Full { .. }) => Ok(()),
        }
    }

    /// Takes so many recipients if the key's count stays within the limit: two that ask at once cannot pass it together.
    ///
    /// # Errors
    /// There is no place, or the journal could not be written; nothing was taken.
    pub fn take_within(&self, key: &str, recipients: u64, limit: u64, now: u64) -> Result<(), NotTaken> {
        self.take_all(&[Wanted { key, count: recipients, limit }], now).map_err(|refused| refused.why)
    }

    /// Takes of all these keys, which differ, if each stays within its limit, and else of none. It costs one write(2).
    ///
    /// # Errors
    /// One of them has no place, or the journal could not be written; nothing was taken.
    pub fn take_all(&self, wanted: &[Wanted<'_>], now: u64) -> Result<(), Refused> {
        self.ledger.take_all(wanted, now)
    }

    /// Gives back what was taken at `taken_at` and not used. What has left the window is left alone.
    ///
    /// # Errors
    /// The journal could not be written; nothing was given back.
    pub fn give_back(&self, key: &str, recipients: u64, taken_at: u64) -> Result<(), Error> {
        self.ledger.give_back(key, recipients, taken_at)
    }

    /// The count of each key that has one.
    pub fn used(&self, now: u64) -> Vec<(String, u64)> {
        self.ledger.used(now)
    }

    /// The count of one key.
    pub fn used_by(&self, key: &str, now: u64) -> u64 {
        self.ledger.used_by(key, now)
    }

    /// Since when there is place for so many: now, later, or never.
    pub fn frees_at(&self, key: &str, need: u64, limit: u64, now: u64) -> Option<u64> {
        self.ledger.frees_at(key, need, limit, now)
    }

    /// What was taken and given back since the store was closed for another process, or since this was asked last: that
    /// process does not know of it.
    pub fn apart(&self) -> Vec<Apart> {
        self.ledger.apart()
    }

    /// Counts what another process has taken, whatever the limit is.
    ///
    /// # Errors
    /// The journal could not be written; nothing was counted.
    pub fn add(&self, apart: &[Apart]) -> Result<(), Error> {
        self.ledger.add(apart)
    }

    /// Puts what was taken on the disk. Blocks on it, and nobody else.
    ///
    /// # Errors
    /// The system could not do it.
    pub fn sync(&self) -> Result<(), Error> {
        self.ledger.sync()
    }

    /// Moves the journal into the database, and forgets what has left the window. Says how many counts were written.
    ///
    /// # Errors
    /// It could not be written: the journal stays, and the next fold takes it up.
    pub fn fold(&self, now: u64) -> Result<usize, Error> {
        self.ledger.fold(self.database, now)
    }

    /// Octets at the journals' ends that were no whole records when the store was opened, and were dropped: more than
    /// none only after the machine itself has died, or a disk was full.
    pub fn torn(&self) -> u64 {
        self.ledger.torn()
    }
}

#[cfg(test)]
mod tests;
