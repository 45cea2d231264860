//! So many events in a minute: a meter for what is dropped beyond it, such as policies' log lines.
//!
//! The allowance of a minute may be used at once, and comes back evenly (a leaky bucket): two minutes' worth can fall into
//! one. Where a provider counts, `pace` does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The allowance.
#[derive(Debug)]
pub struct Rate {
    per_minute: u32,
    /// The moment at which the whole allowance would be back, if nothing more came.
    full_again: Mutex<Option<Instant>>,
}

impl Rate {
    /// This many events in a minute.
    pub fn per_minute(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), full_again: Mutex::default() }
    }

    /// Whether there is a place now; it is taken then.
    pub fn takes(&self, now: Instant) -> bool {
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let each = Duration::from_mins(1) / self.per_minute;
        let after = full_again.map_or(now, |at| at.max(now)) + each;
        let has_place = after <= now + each * self.per_minute;
        if has_place {
            *full_again = Some(after);
        }
        has_place
    }
}

#[cfg(test)]
mod tests;
