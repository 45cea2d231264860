//! What a call has used of a processor, and its turns once it is slow.
//!
//! Time is that of the thread that polls the call, so that a machine that is busy with something
//! else ends nobody's call. The one invariant: guest code that runs is looked at each tick, and gives way at the second.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Semaphore;
use wasmtime::UpdateDeadline;

use crate::limits::{Limits, TICK};
use crate::share::{Share, Turn};

/// One call's meter.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    /// Nanoseconds used in polls that have ended.
    spent: AtomicU64,
    /// The thread's clock when the poll that runs began.
    poll_began: AtomicU64,
    /// Nanoseconds that the tenant's share was charged with.
    charged: AtomicU64,
    share: Arc<Share>,
    slow: Arc<Semaphore>,
    turn: Mutex<Option<Turn>>,
    /// Nanoseconds that it was made to wait for the tenant's share.
    owed: AtomicU64,
}

/// The call has used what it may.
#[derive(Debug, thiserror::Error)]
#[error("out of processor time")]
pub(crate) struct OutOfTime;

impl Meter {
    pub(crate) fn new(limits: Limits, share: Arc<Share>, slow: Arc<Semaphore>) -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self {
            limits,
            spent: zero(),
            poll_began: zero(),
            charged: zero(),
            share,
            slow,
            turn: Mutex::default(),
            owed: zero(),
        })
    }

    /// Runs a call under this meter.
    pub(crate) async fn measure<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        poll_fn(|context| {
            let began = thread_time();
            self.poll_began.store(began, Ordering::Relaxed);
            let polled = call.as_mut().poll(context);
            self.spent.fetch_add(thread_time().saturating_sub(began), Ordering::Relaxed);
            polled
        })
        .await
    }

    /// Whether the call was made to wait for a turn: its time by the clock is then not its own.
    pub(crate) fn has_waited(&self) -> bool {
        self.charged.load(Ordering::Relaxed) > 0
    }

    /// Whether it waited for the tenant's share most of its time: others' calls had no part in that.
    pub(crate) fn has_overdrawn(&self) -> bool {
        2 * u128::from(self.owed.load(Ordering::Relaxed)) >= self.limits.time.as_nanos()
    }

    /// What the call has used, once its last poll has ended.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    /// Called in the running guest at each tick: to go on, to let others run first, or to end.
    pub(crate) fn tick(self: &Arc<Self>) -> wasmtime::Result<UpdateDeadline> {
        let running = thread_time().saturating_sub(self.poll_began.load(Ordering::Relaxed));
        let used = Duration::from_nanos(self.spent.load(Ordering::Relaxed) + running);
        if used >= self.limits.cpu {
            return Err(wasmtime::Error::new(OutOfTime));
        }
        if used < TICK {
            // A quick call that the clock happened to meet.
            return Ok(UpdateDeadline::Continue(1));
        }
        let used = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
        let new = Duration::from_nanos(used.saturating_sub(self.charged.swap(used, Ordering::Relaxed)));
        let meter = Arc::clone(self);
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(async move { meter.wait_for_turn(new).await })))
    }

    /// One slow call of a tenant at a time, the tenants in turns, each within its share.
    async fn wait_for_turn(&self, new: Duration) {
        let held = self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
        let turn = self.share.turn(held, new, self.limits.share, &self.slow, &self.owed).await;
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
    }
}

/// Nanoseconds that this thread has used of a processor.
pub fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
