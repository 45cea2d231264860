//! A mailbox's messages per minute, kept before the provider has to.
//!
//! Not a queue: whoever finds no place within its patience is told when there will be one. The
//! allowance of a minute may be used at once, and comes back evenly (a leaky bucket as a meter). Where
//! the provider says that it is too much, the allowance is halved; quiet minutes bring it back.

mod learned;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use learned::Learned;

/// The allowance of one account.
#[derive(Debug)]
pub struct Rate {
    used: Mutex<Used>,
}

#[derive(Debug)]
struct Used {
    configured: Option<u32>,
    /// The moment at which the whole allowance would be back, if nothing more were sent.
    full_again: Option<Instant>,
    learned: Learned,
}

impl Used {
    fn allowance(&mut self, now: Instant) -> Option<u32> {
        self.learned.allowance(self.configured, now)
    }
}

/// No place within the patience; there will be one at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverRate {
    /// How long until the next message may go.
    pub wait: Duration,
}

impl Rate {
    /// This many messages in each minute; none is no limit.
    pub fn per_minute(configured: Option<u32>) -> Self {
        Self { used: Mutex::new(Used { configured, full_again: None, learned: Learned::default() }) }
    }

    /// Allows another number from now on; what was sent before still counts, and what was learned where it is less.
    pub fn allow(&self, per_minute: Option<u32>) {
        let mut used = self.used();
        used.configured = per_minute;
        used.learned.configure(per_minute);
    }

    /// Takes a place, at the latest `patience` from `now`; the answer is how long to wait for it.
    ///
    /// # Errors
    /// The next place is further away than that; none is taken.
    pub fn take(&self, now: Instant, patience: Duration) -> Result<Duration, OverRate> {
        let mut used = self.used();
        let Some(per_minute) = used.allowance(now) else {
            used.learned.count(now);
            return Ok(Duration::ZERO);
        };
        let each = Duration::from_mins(1) / per_minute.max(1);
        let after = used.full_again.map_or(now, |at| at.max(now)) + each;
        let wait = after.saturating_duration_since(now + each * per_minute.max(1));
        if wait > patience {
            return Err(OverRate { wait });
        }
        used.full_again = Some(after);
        used.learned.count(now);
        Ok(wait)
    }

    /// Gives a place back that was not used: the provider never saw the message.
    pub fn give_back(&self, now: Instant) {
        let mut used = self.used();
        let Some(per_minute) = used.allowance(now) else { return };
        if let Some(at) = &mut used.full_again {
            *at -= Duration::from_mins(1) / per_minute.max(1);
        }
    }

    /// The provider says that it was too much. The messages per minute from now on, where that is news.
    pub fn slow_down(&self, now: Instant) -> Option<u32> {
        let mut used = self.used();
        let configured = used.configured;
        let slower = used.learned.slow_down(configured, now)?;
        // What was sent so far has used this minute up.
        used.full_again = Some(now + Duration::from_mins(1));
        Some(slower)
    }

    /// What is allowed in a minute, as of now, and how many messages could go at this moment; none is no limit.
    pub fn standing(&self, now: Instant) -> Option<(u32, u32)> {
        let mut used = self.used();
        let per_minute = used.allowance(now)?.max(1);
        let each = Duration::from_mins(1) / per_minute;
        let taken = used.full_again.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let taken = u32::try_from(taken.as_nanos().div_ceil(each.as_nanos())).unwrap_or(u32::MAX);
        Some((per_minute, per_minute.saturating_sub(taken)))
    }

    /// How long until the whole allowance is back.
    pub(crate) fn owed(&self, now: Instant) -> Duration {
        self.used().full_again.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// Counts what somebody else has sent, whose allowance would be back after this time: two that follow each other
    /// send as one.
    pub(crate) fn owe(&self, now: Instant, owed: Duration) {
        let mut used = self.used();
        if used.full_again.is_none_or(|at| at < now + owed) {
            used.full_again = Some(now + owed);
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
