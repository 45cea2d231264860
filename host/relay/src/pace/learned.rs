//! The rate that a provider was seen to bear, where that is less than what is configured.

use std::time::Duration;

use tokio::time::Instant;

/// Refusals within this time of a lowering are about the messages from before it.
const SETTLING: Duration = Duration::from_secs(10);
/// Each quiet while of this length gives a tenth back: from half to all in about ten minutes.
const RECOVERY: Duration = Duration::from_mins(1);
/// Never slower than a message in ten seconds: less than that is a pause, and those are the reply table's.
const SLOWEST: u32 = 6;
const MINUTE: Duration = Duration::from_mins(1);

/// One account's.
#[derive(Debug, Default)]
pub(super) struct Learned {
    now: Option<Slower>,
    counted: Option<Counted>,
}

/// A rate that was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slower {
    pub(crate) per_minute: u32,
    /// At this rate the lesson is forgotten.
    pub(crate) until: u32,
    pub(crate) lowered: Instant,
    pub(crate) changed: Instant,
}

/// Messages of this minute and of the one before.
#[derive(Debug)]
struct Counted {
    since: Instant,
    messages: u32,
    before: u32,
}

impl Learned {
    /// The lesser of what is configured and what was learned; none is no limit.
    pub(super) fn allowance(&mut self, configured: Option<u32>, now: Instant) -> Option<u32> {
        while let Some(lowered) = &mut self.now {
            if lowered.per_minute >= lowered.until {
                self.now = None;
            } else if now >= lowered.changed + RECOVERY {
                lowered.per_minute += (lowered.per_minute / 10).max(1);
                lowered.changed += RECOVERY;
            } else {
                return Some(lowered.per_minute);
            }
        }
        configured
    }

    /// Another rate was configured: what was learned ends there.
    pub(super) fn configure(&mut self, configured: Option<u32>) {
        if let (Some(lowered), Some(configured)) = (&mut self.now, configured) {
            lowered.until = configured;
        }
    }

    /// What was learned and holds still.
    pub(super) fn slower(&mut self, configured: Option<u32>, now: Instant) -> Option<Slower> {
        self.allowance(configured, now);
        self.now
    }

    /// Another process has learned this; it holds where it is less than what holds here.
    pub(super) fn relearn(&mut self, slower: Slower, configured: Option<u32>, now: Instant) {
        let allowed = self.allowance(configured, now);
        if allowed.is_none_or(|allowed| slower.per_minute < allowed) {
            self.now = Some(Slower { until: configured.unwrap_or(slower.until), ..slower });
        }
    }

    /// Counts a message.
    pub(super) fn count(&mut self, now: Instant) {
        let counted = self.counted.get_or_insert(Counted { since: now, messages: 0, before: 0 });
        counted.turn(now);
        counted.messages = counted.messages.saturating_add(1);
    }

    /// Halves the rate. The new one, where it is lower.
    pub(super) fn slow_down(&mut self, configured: Option<u32>, now: Instant) -> Option<u32> {
        let allowed = self.allowance(configured, now);
        if let Some(lowered) = &mut self.now {
            lowered.changed = now;
            if now < lowered.lowered + SETTLING {
                return None;
            }
        }
        let seen = self.counted.as_mut().map_or(0, |counted| counted.in_a_minute(now));
        let from = allowed.unwrap_or(u32::MAX).min(seen.max(SLOWEST));
        let slowest = SLOWEST.min(configured.unwrap_or(SLOWEST));
        let per_minute = (from / 2).max(slowest);
        // Without a configured rate the lesson is over at twice of what was too much.
        let until = self.now.as_ref().map_or(configured.unwrap_or(from.saturating_mul(2)), |lowered| lowered.until);
        let is_lower = allowed.is_none_or(|allowed| per_minute < allowed);
        self.now = Some(Slower { per_minute, until, lowered: now, changed: now });
        is_lower.then_some(per_minute)
    }
}

impl Counted {
    fn turn(&mut self, now: Instant) {
        if now >= self.since + MINUTE {
            self.before = if now < self.since + 2 * MINUTE { self.messages } else { 0 };
            *self = Self { since: now, messages: 0, before: self.before };
        }
    }

    /// The busier of the two minutes: the younger one has perhaps only begun.
    fn in_a_minute(&mut self, now: Instant) -> u32 {
        self.turn(now);
        self.messages.max(self.before)
    }
}
