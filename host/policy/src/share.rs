//! A tenant's part of the processors for calls that are slower than a tick.
//!
//! Neighbours feel a slow policy by the worker threads that it holds: so a tenant has one slow call
//! running at a time, slow calls of all tenants take turns on half the cores, and beyond a burst a
//! tenant's slow calls have only their share of one core. A call whose time is over
//! while it waits is overload and not its policy's failure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::limits::{SHARE_BURST, SHARE_MOST};

/// One tenant's share.
#[derive(Debug)]
pub(crate) struct Share {
    lane: Arc<Semaphore>,
    /// When all that was used is paid for.
    paid_at: Mutex<Option<Instant>>,
}

/// The right of a slow call to run until the next tick.
#[derive(Debug)]
pub(crate) struct Turn {
    lane: OwnedSemaphorePermit,
    core: OwnedSemaphorePermit,
}

impl Share {
    pub(crate) fn new() -> Self {
        Self { lane: Arc::new(Semaphore::new(1)), paid_at: Mutex::default() }
    }

    /// The next turn of a call that has used `new` since it was last asked; `held` is the turn before. `owed` grows by
    /// the nanoseconds that the tenant has to wait for its share.
    pub(crate) async fn turn(
        &self,
        held: Option<Turn>,
        new: Duration,
        share: u32,
        slow: &Arc<Semaphore>,
        owed: &AtomicU64,
    ) -> Turn {
        // The core goes to whoever waits for it; the lane stays with the call until it is done.
        let lane = match held {
            Some(Turn { lane, core }) => {
                drop(core);
                lane
            }
            None => closed_never(Arc::clone(&self.lane).acquire_owned().await),
        };
        let wait = self.charge(new, share, Instant::now());
        owed.fetch_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if wait.is_zero() {
            tokio::task::yield_now().await
        } else {
            sleep(wait).await
        }
        Turn { lane, core: closed_never(Arc::clone(slow).acquire_owned().await) }
    }

    /// Charges what was used; the answer is how long to wait before more is.
    fn charge(&self, new: Duration, share: u32, now: Instant) -> Duration {
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        let price = new * SHARE_MOST / share.clamp(1, SHARE_MOST);
        let after = paid_at.map_or(now, |at| at.max(now)) + price;
        *paid_at = Some(after);
        let burst = SHARE_BURST * SHARE_MOST / share.clamp(1, SHARE_MOST);
        after.saturating_duration_since(now).saturating_sub(burst)
    }
}

fn closed_never(permit: Result<OwnedSemaphorePermit, tokio::sync::AcquireError>) -> OwnedSemaphorePermit {
    permit.expect("no semaphore of the policy host is ever closed")
}

#[cfg(test)]
mod tests;
