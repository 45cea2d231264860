//! The same counts for whoever has no state directory: they end with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::window::{Change, Window, bucket_of};
use super::{Apart, NotTaken, Refused, Wanted, ledger};

/// Windows by key, and nothing on a disk.
#[derive(Debug, Default)]
pub struct InMemory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    windows: HashMap<String, Window>,
    /// What has changed since another process was told, once one was.
    apart: Option<HashMap<(String, u64), i64>>,
}

impl State {
    fn apply(&mut self, key: &str, change: Change) {
        if let Some(apart) = &mut self.apart {
            *apart.entry((key.to_owned(), change.bucket)).or_default() += change.by;
        }
        if !self.windows.contains_key(key) {
            self.windows.insert(key.to_owned(), Window::default());
        }
        if let Some(window) = self.windows.get_mut(key) {
            window.apply(change);
        }
    }
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
        let mut state = self.state();
        for (index, Wanted { key, count, limit }) in wanted.iter().enumerate() {
            if !state.windows.contains_key(*key) {
                // Keys come and go with the configuration: here is where those are dropped whose counts are over.
                state.windows.retain(|_, window| window.used(now) > 0);
            }
            let put_back = state.windows.get(*key).map(|window| window.put_back(now)).unwrap_or_default();
            for change in put_back {
                state.apply(key, change);
            }
            let window = state.windows.entry((*key).to_owned()).or_default();
            window.expire(now);
            if window.total().saturating_add(*count) > *limit {
                let frees_at = window.frees_at(*count, *limit, now);
                return Err(Refused { index, why: NotTaken::Full { frees_at } });
            }
        }
        for Wanted { key, count, .. } in wanted {
            let by = i64::try_from(*count).unwrap_or(i64::MAX);
            state.apply(key, Change { bucket: bucket_of(now), by });
        }
        Ok(())
    }

    /// As [`super::Budgets::give_back`].
    pub fn give_back(&self, key: &str, recipients: u64, taken_at: u64) {
        let mut state = self.state();
        let change = state.windows.get(key).and_then(|window| window.returned(recipients, taken_at));
        if let Some(change) = change {
            state.apply(key, change);
        }
    }

    /// As [`super::Budgets::apart`]; the first time all that counts.
    pub fn apart(&self) -> Vec<Apart> {
        let mut state = self.state();
        let State { windows, apart } = &mut *state;
        let all = || {
            let of = |(key, window): (&String, &Window)| -> Vec<_> {
                window.counts().map(|change| ((key.clone(), change.bucket), change.by)).collect()
            };
            windows.iter().flat_map(of).collect()
        };
        ledger::apart(apart.get_or_insert_with(all))
    }

    /// There is no other process after all.
    pub fn together(&self) {
        self.state().apart = None;
    }

    /// As [`super::Budgets::add`].
    pub fn add(&self, apart: &[Apart]) {
        let mut state = self.state();
        for Apart { key, bucket, by } in apart {
            state.apply(key, Change { bucket: *bucket, by: *by });
        }
    }

    /// The count of one key.
    pub fn used_by(&self, key: &str, now: u64) -> u64 {
        self.state().windows.get(key).map_or(0, |window| window.used(now))
    }

    /// Since when there is place for so many: now, later, or never.
    pub fn frees_at(&self, key: &str, need: u64, limit: u64, now: u64) -> Option<u64> {
        match self.state().windows.get(key) {
            Some(window) => window.frees_at(need, limit, now),
            None => (need <= limit).then_some(now),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
