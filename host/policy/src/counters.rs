//! The counters that a tenant's policies keep. They live on when a policy is replaced.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::limits;

/// Counters by name.
#[derive(Debug, Default)]
pub struct Counters {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    counts: BTreeMap<String, u64>,
    dropped: u64,
}

impl Counters {
    /// Adds to a counter; a name that is none, or one too many, is counted as dropped.
    pub fn add(&self, name: &str, value: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = kept.counts.get_mut(name) {
            *count = count.saturating_add(value);
        } else if kept.counts.len() < limits::COUNTERS && is_name(name) {
            kept.counts.insert(name.to_owned(), value);
        } else {
            kept.dropped = kept.dropped.saturating_add(1);
        }
    }

    /// All counters, by name.
    pub fn counts(&self) -> Vec<(String, u64)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.counts.iter().map(|(name, count)| (name.clone(), *count)).collect()
    }

    /// How often a name was not taken.
    pub fn dropped(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

fn is_name(name: &str) -> bool {
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_';
    (1..=limits::NAME).contains(&name.len()) && name.bytes().all(fits)
}
