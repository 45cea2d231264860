//! One key's rolling window: counts by bucket, the oldest first. No I/O, no clock.
//!
//! Invariant: `total` is the sum of the buckets, and no bucket is empty.

use std::collections::VecDeque;

use super::{BUCKET, WINDOW};

/// The counts of one key.
#[derive(Debug, Default)]
pub(super) struct Window {
    buckets: VecDeque<Bucket>,
    total: u64,
}

#[derive(Debug)]
struct Bucket {
    start: u64,
    count: u64,
}

/// A count that changed by so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) bucket: u64,
    pub(super) by: i64,
}

/// The bucket of a moment.
pub(super) fn bucket_of(now: u64) -> u64 {
    now - now % BUCKET
}

/// When a bucket has left the window: with the last second of it.
pub(super) fn end_of(bucket: u64) -> u64 {
    bucket.saturating_add(BUCKET + WINDOW)
}

impl Window {
    /// Forgets what has left the window.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some(oldest) = self.buckets.front().filter(|bucket| end_of(bucket.start) <= now) {
            self.total -= oldest.count;
            self.buckets.pop_front();
        }
    }

    /// What has to change where the clock was put back: a bucket that has yet to begin was taken by now at the latest,
    /// and must not count for longer. (A clock that was years ahead for a moment would block for years.) Usually nothing.
    pub(super) fn put_back(&self, now: u64) -> Vec<Change> {
        let current = bucket_of(now);
        let mut changes = Vec::new();
        for ahead in self.buckets.iter().rev().take_while(|bucket| bucket.start > current) {
            let by = signed(ahead.count);
            changes.extend([Change { bucket: ahead.start, by: -by }, Change { bucket: current, by }]);
        }
        changes
    }

    /// Carries a change out, as far as there is something to take away.
    pub(super) fn apply(&mut self, change: Change) {
        let at = self.buckets.binary_search_by_key(&change.bucket, |bucket| bucket.start);
        let by = change.by.unsigned_abs();
        match (at, change.by > 0) {
            (Ok(at), true) => {
                self.buckets[at].count = self.buckets[at].count.saturating_add(by);
            }
            (Err(at), true) => self.buckets.insert(at, Bucket { start: change.bucket, count: by }),
            (Ok(at), false) => {
                let by = by.min(self.buckets[at].count);
                self.buckets[at].count -= by;
                self.total -= by;
                if self.buckets[at].count == 0 {
                    self.buckets.remove(at);
                }
            }
            (Err(_), false) => {}
        }
        if change.by > 0 {
            self.total += by;
        }
    }

    /// The change that gives back what was taken at this moment; none where it is gone.
    pub(super) fn returned(&self, recipients: u64, taken_at: u64) -> Option<Change> {
        // Where the clock was put back since, it counts in the newest bucket there is.
        let bucket = bucket_of(taken_at).min(self.buckets.back()?.start);
        let count = self.count(bucket).min(recipients);
        (count > 0).then_some(Change { bucket, by: -signed(count) })
    }

    /// All of it, as changes.
    pub(super) fn counts(&self) -> impl Iterator<Item = Change> {
        self.buckets.iter().map(|bucket| Change { bucket: bucket.start, by: signed(bucket.count) })
    }

    pub(super) fn count(&self, bucket: u64) -> u64 {
        let at = self.buckets.binary_search_by_key(&bucket, |bucket| bucket.start);
        at.map_or(0, |at| self.buckets[at].count)
    }

    /// What counts, once what has left the window was forgotten.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// What counts at this moment.
    pub(super) fn used(&self, now: u64) -> u64 {
        self.live(now).map(|bucket| bucket.count).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Since when there is place for so many, if nothing else is taken.
    pub(super) fn frees_at(&self, need: u64, limit: u64, now: u64) -> Option<u64> {
        let place = limit.checked_sub(need)?;
        let mut used = self.used(now);
        let mut at = now;
        for bucket in self.live(now) {
            if used <= place {
                break;
            }
            used -= bucket.count;
            at = end_of(bucket.start.min(bucket_of(now)));
        }
        Some(at)
    }

    fn live(&self, now: u64) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().skip_while(move |bucket| end_of(bucket.start) <= now)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
