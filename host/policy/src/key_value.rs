//! The memory that a tenant's calls share: small, bounded, and every entry has an end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// What an entry costs beside its key and value.
const ENTRY: usize = 96;

/// Entries by key.
#[derive(Debug, Default)]
pub struct KeyValue {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, Living>,
    bytes: usize,
}

#[derive(Debug)]
struct Living {
    value: Value,
    until: Instant,
}

/// What is at a key. Only a number can be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Octets.
    Octets(Vec<u8>),
    /// A number.
    Number(i64),
}

/// An entry, for whoever keeps it from one life of the relay to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// How much of its life is left.
    pub left: Duration,
}

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteError {
    /// The key or the value is too long.
    TooLarge,
    /// The memory is full.
    Full,
    /// `add` found octets.
    NotANumber,
}

impl KeyValue {
    /// The value at a key; a number is written in decimal.
    pub fn get(&self, key: &str, now: Instant) -> Option<Vec<u8>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.entries.get(key).filter(|entry| now < entry.until)?;
        Some(match &entry.value {
            Value::Octets(octets) => octets.clone(),
            Value::Number(number) => number.to_string().into_bytes(),
        })
    }

    /// Puts a value at a key.
    ///
    /// # Errors
    /// It is too long, or the memory is full; what was at the key stays.
    pub fn set(&self, key: &str, value: Vec<u8>, life: Duration, now: Instant) -> Result<(), WriteError> {
        if value.len() > limits::VALUE {
            return Err(WriteError::TooLarge);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(key, Value::Octets(value), now + life.min(limits::KEY_VALUE_LIFE), now)
    }

    /// Takes a key away.
    pub fn delete(&self, key: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Adds to a number; one that is new begins at 0, and its life begins with it.
    ///
    /// # Errors
    /// There are octets at the key, or no place for it.
    pub fn add(&self, key: &str, value: i64, life: Duration, now: Instant) -> Result<i64, WriteError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.entries.get_mut(key).filter(|entry| now < entry.until) {
            Some(Living { value: Value::Number(number), .. }) => {
                *number = number.saturating_add(value);
                Ok(*number)
            }
            Some(Living { value: Value::Octets(_), .. }) => Err(WriteError::NotANumber),
            None => {
                kept.put(key, Value::Number(value), now + life.min(limits::KEY_VALUE_LIFE), now)?;
                Ok(value)
            }
        }
    }

    /// All that lives.
    pub fn entries(&self, now: Instant) -> Vec<Entry> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let living = kept.entries.iter().filter(|(_, entry)| now < entry.until);
        let entry = |(key, entry): (&String, &Living)| Entry {
            key: key.clone(),
            value: entry.value.clone(),
            left: entry.until - now,
        };
        living.map(entry).collect()
    }

    /// Puts entries back, as far as there is place: the bounds hold for them as for any.
    pub fn restore(&self, entries: Vec<Entry>, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for Entry { key, value, left } in entries {
            let _no_place = kept.put(&key, value, now + left.min(limits::KEY_VALUE_LIFE), now);
        }
    }

    /// Octets in use.
    pub fn bytes(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Kept {
    fn put(&mut self, key: &str, value: Value, until: Instant, now: Instant) -> Result<(), WriteError> {
        if key.len() > limits::KEY {
            return Err(WriteError::TooLarge);
        }
        let before = self.entries.get(key).map_or(0, |entry| cost(key, &entry.value));
        let after = cost(key, &value);
        if self.bytes - before + after > limits::KEY_VALUE {
            self.forget_the_dead(now);
        }
        // What was dead at this key is gone by now.
        let before = self.entries.get(key).map_or(0, |entry| cost(key, &entry.value));
        if self.bytes - before + after > limits::KEY_VALUE {
            return Err(WriteError::Full);
        }
        self.bytes = self.bytes - before + after;
        self.entries.insert(key.to_owned(), Living { value, until });
        Ok(())
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= cost(key, &entry.value);
        }
    }

    fn forget_the_dead(&mut self, now: Instant) {
        self.entries.retain(|_, entry| now < entry.until);
        self.bytes = self.entries.iter().map(|(key, entry)| cost(key, &entry.value)).sum();
    }
}

fn cost(key: &str, value: &Value) -> usize {
    let value = match value {
        Value::Octets(octets) => octets.len(),
        Value::Number(_) => 0,
    };
    ENTRY + key.len() + value
}

#[cfg(test)]
mod tests;
