//! Whether an account may log in right now.
//!
//! A provider that answers "too many logins", or that refuses the credentials, is left alone for a
//! while; the sessions that are already authenticated stay in use. The gate holds no clock and no
//! randomness: both are arguments. Invariant: after a back-off one attempt goes through at a time,
//! until one of them succeeds.

use std::time::Duration;

use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use crate::pool::learned::Refusal;
use crate::replies::Reading;

/// First and longest pause after "too many logins" and its like.
const THROTTLED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 60));
/// First and longest pause after the provider has refused the credentials for good.
const BROKEN: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));
/// How long the others wait for the outcome of the one attempt after a back-off. When that attempt
/// ends without an outcome (its client went away), the next one goes through after this time.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Why the gate is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The provider wants fewer logins, or fewer connections.
    Throttled,
    /// The provider refuses the credentials, also after they were renewed.
    Broken,
}

/// A closed gate, as it is told to those who wanted to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Why it was closed.
    pub cause: Cause,
    /// When the next attempt may go through.
    pub until: Instant,
    /// Whether an attempt is being made, which may open the gate at any moment.
    pub is_being_tried: bool,
    /// The reply that closed it.
    pub reply: Reply,
    /// What it means.
    pub reading: Reading,
}

/// The right to try one login, and the memory of when it was given.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    closings: u64,
}

/// One account's login gate.
#[derive(Debug, Default)]
pub struct LoginGate {
    closed: Option<Closed>,
    /// The pause that was last imposed, without its jitter.
    pause: Duration,
    /// How often the gate was closed: an attempt from before the last time says nothing new.
    closings: u64,
}

impl LoginGate {
    /// A gate that is open.
    pub fn new() -> Self {
        Self::default()
    }

    /// The gate as it stands for other credentials of the same mailbox: what was wrong with the old ones says nothing
    /// of these, while a provider that wants fewer logins means all of them.
    pub fn for_new_credentials(&self) -> Self {
        match &self.closed {
            Some(closed) if closed.cause == Cause::Throttled => {
                Self { closed: Some(closed.clone()), pause: self.pause, closings: self.closings }
            }
            Some(_) | None => Self::new(),
        }
    }

    /// Asks for one login attempt. The caller reports its outcome, where it comes to one.
    ///
    /// # Errors
    /// The gate is closed; the reason and the time are in the error.
    pub fn enter(&mut self, now: Instant) -> Result<Attempt, Closed> {
        match &mut self.closed {
            Some(closed) if now < closed.until => return Err(closed.clone()),
            Some(closed) => {
                closed.until = now + ATTEMPT;
                closed.is_being_tried = true;
            }
            None => {}
        }
        Ok(Attempt { closings: self.closings })
    }

    /// An attempt that nobody asked for: a session from before whatever closing was told something. Where the gate is
    /// closed for the same cause already, that is nothing new.
    pub fn unasked() -> Attempt {
        Attempt { closings: u64::MAX }
    }

    /// That the provider wants fewer logins and the back-off that was reached, for another process.
    pub(crate) fn learned(&self) -> Option<(Duration, Refusal)> {
        let Closed { until, reply, reading, .. } =
            self.closed.as_ref().filter(|closed| closed.cause == Cause::Throttled)?;
        Some((self.pause, Refusal::of(*until, reading, reply)))
    }

    /// Another process was turned away: it closes until then, unless it is closed for longer.
    pub(crate) fn take_over(&mut self, pause: Duration, refusal: Refusal, reading: Reading) {
        let Refusal { until, reply, .. } = refusal;
        if self.closed.as_ref().is_some_and(|closed| closed.until >= until) {
            return;
        }
        self.pause = self.pause.max(pause);
        self.closings += 1;
        self.closed = Some(Closed { cause: Cause::Throttled, until, is_being_tried: false, reply, reading });
    }

    /// Why the gate is closed, if it is.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// A login succeeded. Says whether that opened the gate: a login that began before the gate
    /// was closed by another one does not.
    pub fn succeeded(&mut self, attempt: Attempt) -> bool {
        if attempt.closings != self.closings {
            return false;
        }
        self.pause = Duration::ZERO;
        self.closed.take().is_some()
    }

    /// The provider wants no more logins for now. `spread` (0 to 1) is the jitter, so that accounts
    /// that were throttled together do not come back together.
    pub fn throttled(&mut self, attempt: Attempt, now: Instant, refusal: (Reading, Reply), spread: f64) {
        if attempt.closings == self.closings || self.closed.is_none() {
            self.close(Cause::Throttled, THROTTLED, now, refusal, spread);
        }
    }

    /// The provider refuses the credentials, and newer ones cannot be had or were refused as well.
    pub fn broken(&mut self, attempt: Attempt, now: Instant, refusal: (Reading, Reply), spread: f64) {
        let broken = self.closed.as_ref().is_some_and(|closed| closed.cause == Cause::Broken);
        if attempt.closings == self.closings || !broken {
            self.close(Cause::Broken, BROKEN, now, refusal, spread);
        }
    }

    fn close(
        &mut self,
        cause: Cause,
        (first, longest): (Duration, Duration),
        now: Instant,
        (reading, reply): (Reading, Reply),
        spread: f64,
    ) {
        let again = self.closed.as_ref().is_some_and(|closed| closed.cause == cause);
        self.pause = if again { (self.pause * 2).clamp(first, longest) } else { first };
        self.closings += 1;
        // Up to half as long again.
        let until = now + self.pause.mul_f64(1.0 + spread.clamp(0.0, 1.0) / 2.0);
        self.closed = Some(Closed { cause, until, is_being_tried: false, reply, reading });
    }
}

#[cfg(test)]
mod tests;
