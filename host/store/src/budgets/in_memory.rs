//! The same counts for whoever has no state directory: they end with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::window::{Change, Window, bucket_of};
use super::{NotTaken, Refused, Wanted};

/// Windows by key, and nothing on a disk.
#[derive(Debug, Default)]
pub struct InMemory {
    windows: Mutex<HashMap<String, Window>>,
}

impl InMemory {
    /// As [`super::Budgets::take_within`].
    ///
    /// # Errors
    /// There is no place; nothing was taken.
    pub fn take_within(&self, key: &str, recipients: u64, limit: u64, now: u64) -> Result<(), NotTaken> {
        self.take_all(&[Wanted { key, count: recipients, limit }], now).map_err(|refused| refused.why)
    }

    /// As [`super::Budgets::take_all`].
    ///
    /// # Errors
    /// One of them has no place; nothing was taken.
    pub fn take_all(&self, wanted: &[Wanted<'_>], now: u64) -> Result<(), Refused> {
        let mut windows = self.windows();
        for (index, Wanted { key, count, limit }) in wanted.iter().enumerate() {
            if !windows.contains_key(*key) {
                // Keys come and go with the configuration: here is where those are dropped whose counts are over.
                windows.retain(|_, window| window.used(now) > 0);
            }
            let window = windows.entry((*key).to_owned()).or_default();
            for change in window.put_back(now) {
                window.apply(change);
            }
            window.expire(now);
            if window.total().saturating_add(*count) > *limit {
                let frees_at = window.frees_at(*count, *limit, now);
                return Err(Refused { index, why: NotTaken::Full { frees_at } });
            }
        }
        for Wanted { key, count, .. } in wanted {
            let by = i64::try_from(*count).unwrap_or(i64::MAX);
            windows.entry((*key).to_owned()).or_default().apply(Change { bucket: bucket_of(now), by });
        }
        Ok(())
    }

    /// As [`super::Budgets::give_back`].
    pub fn give_back(&self, key: &str, recipients: u64, taken_at: u64) {
        let mut windows = self.windows();
        let Some(window) = windows.get_mut(key) else { return };
        if let Some(change) = window.returned(recipients, taken_at) {
            window.apply(change);
        }
    }

    /// The count of one key.
    pub fn used_by(&self, key: &str, now: u64) -> u64 {
        self.windows().get(key).map_or(0, |window| window.used(now))
    }

    /// Since when there is place for so many: now, later, or never.
    pub fn frees_at(&self, key: &str, need: u64, limit: u64, now: u64) -> Option<u64> {
        match self.windows().get(key) {
            Some(window) => window.frees_at(need, limit, now),
            None => (need <= limit).then_some(now),
        }
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<String, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
