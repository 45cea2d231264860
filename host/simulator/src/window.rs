//! So many events in any sixty seconds, to the letter: no burst beyond, no averaging.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// The times of the last events, as many as a minute allows.
#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    times: VecDeque<Instant>,
}

impl Window {
    pub(crate) fn per_minute(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1), times: VecDeque::new() }
    }

    /// When an event at `now` may happen; from then on it counts. Events queue up in the order in which they ask.
    pub(crate) fn slot(&mut self, now: Instant) -> Instant {
        let slot = self.earliest(now);
        self.note(slot);
        slot
    }

    /// Counts an event at `now` if it may happen now.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let admitted = self.earliest(now) <= now;
        if admitted {
            self.note(now);
        }
        admitted
    }

    fn earliest(&self, now: Instant) -> Instant {
        match self.times.front() {
            Some(oldest) if self.times.len() >= self.limit => now.max(*oldest + MINUTE),
            _ => now,
        }
    }

    fn note(&mut self, time: Instant) {
        if self.times.len() >= self.limit {
            self.times.pop_front();
        }
        self.times.push_back(time);
    }
}

#[cfg(test)]
mod tests;
