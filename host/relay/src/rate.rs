//! A mailbox's messages per minute, kept before the provider has to.
//!
//! Not a queue: whoever finds no place within its patience is told when there will be one. The
//! allowance of a minute may be used at once, and comes back evenly (a leaky bucket as a meter).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The allowance of one account.
#[derive(Debug)]
pub struct Rate {
    meter: Mutex<Meter>,
}

#[derive(Debug)]
struct Meter {
    per_minute: Option<u32>,
    /// The moment at which the whole allowance would be back, if nothing more were sent.
    full_again: Option<Instant>,
}

/// No place within the patience; there will be one at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverRate {
    /// How long until the next message may go.
    pub wait: Duration,
}

impl Rate {
    /// This many messages in each minute; none is no limit.
    pub fn per_minute(per_minute: Option<u32>) -> Self {
        Self { meter: Mutex::new(Meter { per_minute, full_again: None }) }
    }

    /// Allows another number from now on; what was sent before still counts.
    pub fn allow(&self, per_minute: Option<u32>) {
        self.meter().per_minute = per_minute;
    }

    /// Takes a place, at the latest `patience` from `now`; the answer is how long to wait for it.
    ///
    /// # Errors
    /// The next place is further away than that; none is taken.
    pub fn take(&self, now: Instant, patience: Duration) -> Result<Duration, OverRate> {
        let mut meter = self.meter();
        let Some(per_minute) = meter.per_minute else { return Ok(Duration::ZERO) };
        let each = Duration::from_mins(1) / per_minute.max(1);
        let after = meter.full_again.map_or(now, |at| at.max(now)) + each;
        let wait = after.saturating_duration_since(now + each * per_minute.max(1));
        if wait > patience {
            return Err(OverRate { wait });
        }
        meter.full_again = Some(after);
        Ok(wait)
    }

    /// Gives a place back that was not used: the provider never saw the message.
    pub fn give_back(&self) {
        let mut meter = self.meter();
        let Some(per_minute) = meter.per_minute else { return };
        if let Some(at) = &mut meter.full_again {
            *at -= Duration::from_mins(1) / per_minute.max(1);
        }
    }

    /// What is allowed in a minute and how many messages could go at this moment; none is no limit.
    pub fn standing(&self, now: Instant) -> Option<(u32, u32)> {
        let meter = self.meter();
        let per_minute = meter.per_minute?.max(1);
        let each = Duration::from_mins(1) / per_minute;
        let used = meter.full_again.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let used = u32::try_from(used.as_nanos().div_ceil(each.as_nanos())).unwrap_or(u32::MAX);
        Some((per_minute, per_minute.saturating_sub(used)))
    }

    /// How long until the whole allowance is back.
    pub(crate) fn owed(&self, now: Instant) -> Duration {
        self.meter().full_again.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// Counts what somebody else has sent, whose allowance would be back after this time: two that follow each other
    /// send as one.
    pub(crate) fn owe(&self, now: Instant, owed: Duration) {
        let mut meter = self.meter();
        if meter.full_again.is_none_or(|at| at < now + owed) {
            meter.full_again = Some(now + owed);
        }
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
