//! All windows in memory, with the journal that makes them outlive the process, and the fold into the database.
//!
//! Every change has a number. The database says up to which number it holds all changes, in the same transaction as
//! the counts: a journal that was folded and not yet emptied is not counted twice. While one journal is folded, changes
//! go to the other. One lock is held for one write(2), never for the disk.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{ReadableTable, TableDefinition};

use super::journal::{self, Journal, Record};
use super::window::{Change, Window, bucket_of};
use super::{Apart, NotTaken, Refused, Wanted};
use super::{BUCKET, WINDOW};
use crate::database::{Database, NUMBERS, number, sync_directory, table};
use crate::error::Error;

/// By bucket first: what has left the window stands in front.
const TABLE: TableDefinition<'_, (u64, &str), u64> = TableDefinition::new("budgets");
/// The number of the last change that is in the table.
const FOLDED: &str = "budgets-folded";

/// The budgets of a store, in memory.
#[derive(Debug)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    /// Held for a fold: there is one at a time.
    folding: Mutex<()>,
    torn: u64,
}

#[derive(Debug)]
struct State {
    windows: HashMap<Arc<str>, Window>,
    journals: [Journal; 2],
    active: usize,
    /// The number of the last change.
    number: u64,
    /// The journals are another process's.
    is_detached: bool,
    /// What has changed since, and that process was not told of.
    apart: HashMap<(String, u64), i64>,
    /// The counts that differ from the database's.
    changed: HashMap<Arc<str>, Vec<u64>>,
    buffer: Vec<u8>,
}

impl Ledger {
    /// From the database, and what the journals hold beyond that.
    pub(crate) fn open(database: &Database, directory: &Path) -> Result<Self, Error> {
        let (mut windows, folded) = read(database)?;
        let [first, second] = journal::paths(directory);
        let (first, records, torn) = Journal::open(first)?;
        let (second, more, torn_too) = Journal::open(second)?;
        let synced = sync_directory(database.path());
        synced.map_err(|source| Error::File { attempt: "sync", path: directory.to_owned(), source })?;
        let mut records: Vec<Record> =
            records.into_iter().chain(more).filter(|record| record.number > folded).collect();
        records.sort_by_key(|record| record.number);
        let number = records.last().map_or(folded, |record| record.number);
        let mut changed: HashMap<Arc<str>, Vec<u64>> = HashMap::new();
        for Record { key, change, .. } in records {
            let key: Arc<str> = key.into();
            windows.entry(Arc::clone(&key)).or_default().apply(change);
            note(changed.entry(key).or_default(), change.bucket);
        }
        let state = State {
            windows,
            journals: [first, second],
            active: 0,
            number,
            is_detached: false,
            apart: HashMap::new(),
            changed,
            buffer: Vec::new(),
        };
        Ok(Self { state: Mutex::new(state), folding: Mutex::default(), torn: torn + torn_too })
    }

    /// Takes of all keys or of none: one lock, and one write(2), for all of them.
    pub(super) fn take_all(&self, wanted: &[Wanted<'_>], now: u64) -> Result<(), Refused> {
        let mut state = self.state();
        let mut changes = Vec::with_capacity(wanted.len());
        for (index, Wanted { key, count, limit }) in wanted.iter().enumerate() {
            let full = |frees_at| Refused { index, why: NotTaken::Full { frees_at } };
            if let Some(window) = state.windows.get_mut(*key) {
                changes.extend(window.put_back(now).into_iter().map(|change| (*key, change)));
                window.expire(now);
                if window.total().saturating_add(*count) > *limit {
                    return Err(full(window.frees_at(*count, *limit, now)));
                }
            } else if count > limit {
                return Err(full(None));
            }
            let by = i64::try_from(*count).unwrap_or(i64::MAX);
            changes.push((*key, Change { bucket: bucket_of(now), by }));
        }
        state.carry_out(&changes).map_err(|error| Refused { index: 0, why: error.into() })
    }

    pub(super) fn give_back(&self, key: &str, recipients: u64, taken_at: u64) -> Result<(), Error> {
        let mut state = self.state();
        let change = state.windows.get(key).and_then(|window| window.returned(recipients, taken_at));
        change.map_or(Ok(()), |change| state.carry_out(&[(key, change)]))
    }

    pub(super) fn used(&self, now: u64) -> Vec<(String, u64)> {
        let state = self.state();
        let used = state.windows.iter().map(|(key, window)| (key.to_string(), window.used(now)));
        used.filter(|(_, used)| *used > 0).collect()
    }

    pub(super) fn used_by(&self, key: &str, now: u64) -> u64 {
        self.state().windows.get(key).map_or(0, |window| window.used(now))
    }

    pub(super) fn frees_at(&self, key: &str, need: u64, limit: u64, now: u64) -> Option<u64> {
        match self.state().windows.get(key) {
            Some(window) => window.frees_at(need, limit, now),
            None => (need <= limit).then_some(now),
        }
    }

    /// Leaves the journals alone from now on.
    pub(crate) fn detach(&self) {
        let _no_fold = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        self.state().is_detached = true;
    }

    /// The journals are this process's again. What was taken meanwhile comes into the database with the next fold.
    pub(crate) fn attach(&self) {
        let mut state = self.state();
        state.is_detached = false;
        state.apart.clear();
    }

    pub(super) fn apart(&self) -> Vec<Apart> {
        apart(&mut self.state().apart)
    }

    pub(super) fn add(&self, apart: &[Apart]) -> Result<(), Error> {
        let changes: Vec<_> = apart.iter().map(Apart::change).collect();
        self.state().carry_out(&changes)
    }

    pub(super) fn torn(&self) -> u64 {
        self.torn
    }

    pub(super) fn sync(&self) -> Result<(), Error> {
        for journal in 0..2 {
            if self.state().is_detached {
                return Ok(());
            }
            let unsynced = self.state().journals[journal].unsynced();
            let Some((file, path)) = unsynced else { continue };
            if let Err(source) = file.sync_data() {
                self.state().journals[journal].not_synced();
                return Err(Error::File { attempt: "sync", path, source });
            }
        }
        Ok(())
    }

    pub(super) fn fold(&self, database: &Database, now: u64) -> Result<usize, Error> {
        let _one = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        if state.is_detached {
            return Ok(0);
        }
        let (counts, through) = state.begin_fold(now);
        drop(state);
        if counts.is_empty() {
            return Ok(0);
        }
        let oldest = bucket_of(now).saturating_sub(WINDOW + BUCKET);
        let written = database.write("fold budgets", |transaction| {
            let mut table = transaction.open_table(TABLE)?;
            for Count { key, bucket, count } in &counts {
                match count {
                    0 => drop(table.remove((*bucket, &**key))?),
                    count => drop(table.insert((*bucket, &**key), count)?),
                }
            }
            table.retain_in(..(oldest, ""), |_, _| false)?;
            transaction.open_table(NUMBERS)?.insert(FOLDED, through)?;
            Ok(())
        });
        let mut state = self.state();
        if let Err(error) = written {
            for Count { key, bucket, .. } in counts {
                note(state.changed.entry(key).or_default(), bucket);
            }
            return Err(error);
        }
        let folded = 1 - state.active;
        state.journals[folded].clear()?;
        Ok(counts.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A count as it is to stand in the database.
struct Count {
    key: Arc<str>,
    bucket: u64,
    count: u64,
}

impl State {
    /// Into the journal first, then into memory: what could not be written did not happen.
    fn carry_out(&mut self, changes: &[(&str, Change)]) -> Result<(), Error> {
        self.buffer.clear();
        for ((key, change), number) in changes.iter().zip(self.number + 1..) {
            journal::write(&mut self.buffer, number, key, *change);
        }
        if self.is_detached {
            for (key, Change { bucket, by }) in changes {
                *self.apart.entry(((*key).to_owned(), *bucket)).or_default() += by;
            }
        } else {
            self.journals[self.active].append(&self.buffer)?;
        }
        self.number += changes.len() as u64;
        for (key, change) in changes {
            if !self.windows.contains_key(*key) {
                self.windows.insert((*key).into(), Window::default());
            }
            if !self.changed.contains_key(*key) {
                self.changed.insert((*key).into(), Vec::new());
            }
            let (window, noted) = (self.windows.get_mut(*key), self.changed.get_mut(*key));
            let (Some(window), Some(noted)) = (window, noted) else { continue };
            window.apply(*change);
            note(noted, change.bucket);
        }
        Ok(())
    }

    /// The counts that changed, the number up to which they hold everything, and the other journal for what comes.
    fn begin_fold(&mut self, now: u64) -> (Vec<Count>, u64) {
        for window in self.windows.values_mut() {
            window.expire(now);
        }
        let mut counts = Vec::new();
        for (key, buckets) in std::mem::take(&mut self.changed) {
            for bucket in buckets {
                let count = self.windows.get(&key).map_or(0, |window| window.count(bucket));
                counts.push(Count { key: Arc::clone(&key), bucket, count });
            }
        }
        self.windows.retain(|_, window| !window.is_empty());
        // One that a failed fold has left behind is emptied first, by this fold.
        if !counts.is_empty() && self.journals[1 - self.active].is_empty() {
            self.active = 1 - self.active;
        }
        (counts, self.number)
    }
}

/// Takes out what has changed.
pub(super) fn apart(changed: &mut HashMap<(String, u64), i64>) -> Vec<Apart> {
    let changed = changed.drain().filter(|(_, by)| *by != 0);
    changed.map(|((key, bucket), by)| Apart { key, bucket, by }).collect()
}

impl Apart {
    fn change(&self) -> (&str, Change) {
        (&self.key, Change { bucket: self.bucket, by: self.by })
    }
}

/// Notes that a bucket changed. The newest one stands last, and is nearly always the one.
fn note(buckets: &mut Vec<u64>, bucket: u64) {
    if !buckets.iter().rev().any(|noted| *noted == bucket) {
        buckets.push(bucket);
    }
}

fn read(database: &Database) -> Result<(HashMap<Arc<str>, Window>, u64), Error> {
    database.read("read budgets", |transaction| {
        let mut windows: HashMap<Arc<str>, Window> = HashMap::new();
        if let Some(counts) = table(transaction, TABLE)? {
            for entry in counts.iter()? {
                let (key, count) = entry?;
                let (bucket, key) = key.value();
                let by = i64::try_from(count.value()).unwrap_or(i64::MAX);
                windows.entry(key.into()).or_default().apply(Change { bucket, by });
            }
        }
        Ok((windows, number(transaction, FOLDED)?.unwrap_or_default()))
    })
}
