//! Whether a policy is asked at all: one that keeps failing rests for a while, and is tried again.
//!
//! A rest costs the tenant what its cause would, and costs nobody else a processor. It begins with a
//! second and doubles to a minute; one good call ends it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{Cause, Failure};

/// Calls are judged together for this long.
const WINDOW: Duration = Duration::from_secs(30);
/// Fewer calls than this say nothing.
const CALLS_LEAST: u32 = 20;
/// So many calls in a row that ran out of time are enough.
const TIMEOUTS: u32 = 5;
/// The first rest.
const REST: Duration = Duration::from_secs(1);
/// The longest.
const REST_MOST: Duration = Duration::from_mins(1);

/// The breaker of one hook of one generation.
#[derive(Debug)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Asking { since: Instant, calls: u32, failures: u32, timeouts: u32 },
    Resting { until: Instant, rest: Duration, cause: Cause },
    Trying { rest: Duration, cause: Cause },
}

/// A call that is let through; its result is to be told.
#[derive(Debug)]
pub struct Entry<'a> {
    breaker: &'a Breaker,
    is_told: bool,
    is_trial: bool,
}

impl Breaker {
    /// Of a policy that was never asked.
    pub fn new(now: Instant) -> Self {
        Self { state: Mutex::new(State::asking(now)) }
    }

    /// Lets a call through, or says how long the policy rests.
    ///
    /// # Errors
    /// [`Failure::Resting`].
    pub fn enter(&self, now: Instant) -> Result<Entry<'_>, Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_trial = false;
        match *state {
            State::Asking { .. } => {}
            State::Resting { until, rest, cause } if now >= until => {
                *state = State::Trying { rest, cause };
                is_trial = true;
            }
            State::Resting { until, cause, .. } => return Err(Failure::Resting { wait: until - now, cause }),
            State::Trying { rest, cause } => return Err(Failure::Resting { wait: rest, cause }),
        }
        Ok(Entry { breaker: self, is_told: false, is_trial })
    }

    /// Whether the policy rests, or is being tried again.
    pub fn is_open(&self) -> bool {
        self.open_for().is_some()
    }

    /// What it is open for.
    pub fn open_for(&self) -> Option<Cause> {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Asking { .. } => None,
            State::Resting { cause, .. } | State::Trying { cause, .. } => Some(cause),
        }
    }
}

impl Entry<'_> {
    /// Tells how the call ended.
    pub fn tell(mut self, failure: Option<&Failure>, now: Instant) {
        if failure.is_some_and(|failure| !failure.is_the_policys()) {
            // It was not asked, which says nothing of it: the same as a call that was given up.
            return;
        }
        self.is_told = true;
        let mut state = self.breaker.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = match (&*state, failure) {
            // A call from before the rest says nothing of the trial.
            (State::Trying { rest, cause }, _) if !self.is_trial => State::Trying { rest: *rest, cause: *cause },
            (State::Trying { .. }, None) => State::asking(now),
            (State::Trying { rest, .. }, Some(failure)) => State::resting((*rest * 2).min(REST_MOST), failure, now),
            (State::Resting { until, rest, cause }, _) => State::Resting { until: *until, rest: *rest, cause: *cause },
            (State::Asking { since, calls, failures, timeouts }, failure) => {
                let (calls, failures) = if now - *since > WINDOW { (0, 0) } else { (*calls, *failures) };
                let since = if now - *since > WINDOW { now } else { *since };
                let is_timeout =
                    matches!(failure, Some(Failure::Cpu { .. } | Failure::Time { .. } | Failure::Overdrawn { .. }));
                let timeouts = if is_timeout { timeouts + 1 } else { 0 };
                State::Asking { since, calls: calls + 1, failures: failures + u32::from(failure.is_some()), timeouts }
                    .judged(failure, now)
            }
        };
    }
}

impl Drop for Entry<'_> {
    /// A call that was given up says nothing; if it was the trial, the next one is.
    fn drop(&mut self) {
        if self.is_told || !self.is_trial {
            return;
        }
        let mut state = self.breaker.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Trying { rest, cause } = *state {
            *state = State::Resting { until: Instant::now(), rest, cause };
        }
    }
}

impl State {
    fn asking(now: Instant) -> Self {
        Self::Asking { since: now, calls: 0, failures: 0, timeouts: 0 }
    }

    /// After this failure, which was one too many.
    fn resting(rest: Duration, failure: &Failure, now: Instant) -> Self {
        let cause = if failure.is_overload() { Cause::Overdrafts } else { Cause::Failures };
        Self::Resting { until: now + rest, rest, cause }
    }

    fn judged(self, failure: Option<&Failure>, now: Instant) -> Self {
        match (&self, failure) {
            (Self::Asking { calls, failures, timeouts, .. }, Some(failure))
                if *timeouts >= TIMEOUTS || (*calls >= CALLS_LEAST && *failures * 2 >= *calls) =>
            {
                Self::resting(REST, failure, now)
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
