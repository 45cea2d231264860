//! Which recipients may have been refused of late to any of a tenant's accounts, told without a look at the accounts.
//!
//! Not the refusals: each account remembers its own. Invariant: what an account remembers is here as well, for at least
//! as long; that something is here says little, since recipients share slots.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

/// 4 KiB for a tenant that has heard a refusal, and next to nothing for one that has not. A thousand refused recipients
/// within the hour send every other one to the accounts.
const SLOTS: usize = 1024;

/// What a tenant knows of them all. Atomics, since its accounts share nothing else on the way of a message.
#[derive(Debug)]
pub struct OfLate {
    began: Instant,
    /// Each the second, from `began` on, at which its refusals are forgotten.
    slots: OnceLock<Box<[AtomicU32]>>,
}

impl Default for OfLate {
    fn default() -> Self {
        Self { began: Instant::now(), slots: OnceLock::new() }
    }
}

impl OfLate {
    /// Whether any refusal may be remembered at all.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.get().is_none()
    }

    /// Whether one with this key may be.
    pub(super) fn may_know(&self, key: &str, now: Instant) -> bool {
        self.slots.get().is_some_and(|slots| u64::from(slots[slot(key)].load(Ordering::Relaxed)) > self.second(now))
    }

    /// One with this key is, until then.
    pub(super) fn note(&self, key: &str, until: Instant) {
        let slots = self.slots.get_or_init(|| (0..SLOTS).map(|_| AtomicU32::new(0)).collect());
        let until = u32::try_from(self.second(until) + 1).unwrap_or(u32::MAX);
        slots[slot(key)].fetch_max(until, Ordering::Relaxed);
    }

    fn second(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_secs()
    }
}

fn slot(key: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % SLOTS as u64).expect("a slot's number is small")
}
