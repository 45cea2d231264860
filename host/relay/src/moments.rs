//! Readings of the clock, with a number by chance: what a policy's call knows of time.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use posthouse_policy::call::Moment;
use tokio::time::Instant;

/// Makes moments.
#[derive(Debug, Default)]
pub struct Moments {
    chance: RandomState,
    taken: AtomicU64,
}

impl Moments {
    /// Now, with a seed that nobody can foretell.
    pub fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Moment {
            unix_milliseconds: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            seed: self.chance.hash_one(self.taken.fetch_add(1, Ordering::Relaxed)),
            now: Instant::now(),
        }
    }
}
