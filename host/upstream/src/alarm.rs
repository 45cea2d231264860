//! The one timer of a delivery: each stage has a time of its own, none reaches beyond the whole.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Bounds everything that is done under it by one deadline.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    set_to: Instant,
    deadline: Instant,
    /// The time from the alarm's making to its deadline: a stage that may take longer than that
    /// needs no look at the clock.
    whole: Duration,
}

impl Alarm {
    pub(crate) fn new(now: Instant, deadline: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(deadline)), set_to: deadline, deadline, whole: deadline - now }
    }

    /// The result of `work`, or `None` where `patience` or the deadline ends first. Work that is
    /// done when it is first looked at costs no timer.
    pub(crate) async fn within<T>(&mut self, patience: Duration, work: impl Future<Output = T>) -> Option<T> {
        let due = match patience < self.whole {
            true => self.deadline.min(Instant::now() + patience),
            false => self.deadline,
        };
        if due != self.set_to {
            self.sleep.as_mut().reset(due);
            self.set_to = due;
        }
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep.as_mut() => None,
        }
    }
}
