//! The last minute: how many messages, and how long their delivery took, in slots of some seconds.
//!
//! A slot takes 300 octets: those of two seconds are for whoever's curve is drawn, the longer ones for the thousands of
//! others. Not a metric: nobody has to collect it. Counting takes no lock, and is a handful of atomic operations. Readings are
//! estimates: of a latency its bucket is kept, which is a quarter of an octave wide.
//!
//! # Race window
//! Whoever begins a slot anew sets its counts to nothing. A message that is counted by another thread in between is not
//! seen here; `Tally` has it all the same.

use std::array;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::tally::Fate;

/// What is read of slots that have ended.
const MINUTE: Duration = Duration::from_secs(60);
/// Buckets to an octave.
const STEPS: usize = 4;
/// Octaves from a millisecond: beyond two minutes no delivery goes on.
const OCTAVES: usize = 17;
/// Buckets: up to a millisecond, each quarter of an octave, and all that is longer.
const BUCKETS: usize = 2 + STEPS * OCTAVES;
/// The end of the first bucket, in microseconds.
const FIRST: u64 = 1000;

/// The last minute of somebody's messages.
#[derive(Debug)]
pub(crate) struct Recent {
    began: Instant,
    grain: Grain,
    /// Those that are read, the one that is being filled, and one between the newest and the oldest.
    slots: Box<[Slot]>,
}

/// How long a slot is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Two seconds.
    #[default]
    Fine,
    /// Ten seconds.
    Coarse,
}

#[derive(Debug)]
struct Slot {
    /// Which slot since the beginning it is, from 1; 0 is none.
    number: AtomicU64,
    delivered: AtomicU32,
    undelivered: AtomicU32,
    latencies: [AtomicU32; BUCKETS],
}

/// A reading of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Reading {
    /// Messages that providers took.
    pub delivered: u64,
    /// Messages answered 4yz or 5yz.
    pub undelivered: u64,
    /// Deliveries a second, over the minute.
    pub per_second: f64,
    /// What half of the deliveries did not exceed, in milliseconds; none where there was no delivery.
    pub p50_ms: Option<f64>,
    /// The same for 95 of a hundred.
    pub p95_ms: Option<f64>,
}

/// The same slot by slot, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Deliveries a second.
    pub per_second: Vec<f64>,
    /// What 95 of a hundred deliveries did not exceed, in milliseconds; nothing where there was none.
    pub p95_ms: Vec<f64>,
}

impl Recent {
    /// Nothing yet.
    pub(crate) fn since(began: Instant, grain: Grain) -> Self {
        let slots = (0..grain.read() + 2).map(|_| Slot::new()).collect();
        Self { began, grain, slots }
    }

    /// Counts one message, answered now.
    pub(crate) fn count(&self, fate: Fate, now: Instant) {
        let slot = self.slot(self.number(now));
        match fate {
            Fate::Delivered { took, .. } => {
                slot.delivered.fetch_add(1, Ordering::Relaxed);
                slot.latencies[bucket(took)].fetch_add(1, Ordering::Relaxed);
            }
            Fate::Deferred | Fate::Refused => {
                slot.undelivered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Reads the last minute, and what there is of the slot that is being filled.
    pub(crate) fn reading(&self, now: Instant) -> Reading {
        let current = self.number(now);
        let (mut delivered, mut undelivered, mut latencies) = (0, 0, [0; BUCKETS]);
        for slot in (current.saturating_sub(self.grain.read())..=current).filter_map(|number| self.filled(number)) {
            delivered += u64::from(slot.delivered.load(Ordering::Relaxed));
            undelivered += u64::from(slot.undelivered.load(Ordering::Relaxed));
            slot.add_to(&mut latencies);
        }
        let begun = now.saturating_duration_since(self.began).as_millis() % self.grain.slot().as_millis();
        let seconds = f64::from(u32::try_from(begun).unwrap_or(0)) / 1000.0 + MINUTE.as_secs_f64();
        Reading {
            delivered,
            undelivered,
            per_second: number(delivered) / seconds,
            p50_ms: quantile(&latencies, 0.5),
            p95_ms: quantile(&latencies, 0.95),
        }
    }

    /// The slots that have ended.
    pub(crate) fn series(&self, now: Instant) -> Series {
        let mut series = Series::default();
        let current = self.number(now);
        for slot in
            (1..=self.grain.read()).rev().map(|ago| current.checked_sub(ago).and_then(|number| self.filled(number)))
        {
            let delivered = slot.map_or(0, |slot| slot.delivered.load(Ordering::Relaxed));
            let mut latencies = [0; BUCKETS];
            slot.into_iter().for_each(|slot| slot.add_to(&mut latencies));
            series.per_second.push(f64::from(delivered) / self.grain.slot().as_secs_f64());
            series.p95_ms.push(quantile(&latencies, 0.95).unwrap_or(0.0));
        }
        series
    }

    fn number(&self, now: Instant) -> u64 {
        let slots = now.saturating_duration_since(self.began).as_millis() / self.grain.slot().as_millis();
        u64::try_from(slots).unwrap_or(u64::MAX - 1) + 1
    }

    fn place(&self, number: u64) -> &Slot {
        &self.slots[usize::try_from(number).unwrap_or(0) % self.slots.len()]
    }

    /// The slot of this number, begun anew if it was another's before.
    fn slot(&self, number: u64) -> &Slot {
        let slot = self.place(number);
        let before = slot.number.load(Ordering::Relaxed);
        let take = || slot.number.compare_exchange(before, number, Ordering::Relaxed, Ordering::Relaxed);
        if before < number && take().is_ok() {
            slot.latencies.iter().chain([&slot.delivered, &slot.undelivered]).for_each(|count| {
                count.store(0, Ordering::Relaxed);
            });
        }
        slot
    }

    /// The slot of this number, if anything was counted in it.
    fn filled(&self, number: u64) -> Option<&Slot> {
        let slot = self.place(number);
        (number > 0 && slot.number.load(Ordering::Relaxed) == number).then_some(slot)
    }
}

impl Grain {
    const fn slot(self) -> Duration {
        match self {
            Self::Fine => Duration::from_secs(2),
            Self::Coarse => Duration::from_secs(10),
        }
    }

    /// Slots of a minute.
    const fn read(self) -> u64 {
        MINUTE.as_secs() / self.slot().as_secs()
    }
}

impl Slot {
    fn new() -> Self {
        let latencies = array::from_fn(|_| AtomicU32::new(0));
        Self { number: AtomicU64::new(0), delivered: AtomicU32::new(0), undelivered: AtomicU32::new(0), latencies }
    }

    fn add_to(&self, latencies: &mut [u64; BUCKETS]) {
        for (sum, count) in latencies.iter_mut().zip(&self.latencies) {
            *sum += u64::from(count.load(Ordering::Relaxed));
        }
    }
}

fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // How many of the bounds it has reached.
    (0..BUCKETS - 1).take_while(|bucket| end(*bucket) <= micros).count()
}

/// The end of a bucket, in microseconds; the last one has none.
fn end(bucket: usize) -> u64 {
    let (octave, step) = (bucket / STEPS, bucket % STEPS);
    (FIRST << octave) * (STEPS + step) as u64 / STEPS as u64
}

/// What this share of the latencies does not exceed, in milliseconds; evenly spread within a bucket.
fn quantile(latencies: &[u64; BUCKETS], share: f64) -> Option<f64> {
    let wanted = number(latencies.iter().sum()) * share;
    let mut below = 0;
    for (bucket, count) in latencies.iter().enumerate().filter(|(_, count)| **count > 0) {
        if number(below + count) >= wanted {
            let begins = bucket.checked_sub(1).map_or(0, end);
            let ends = if bucket + 1 < BUCKETS { end(bucket) } else { begins };
            let within = (wanted - number(below)) / number(*count);
            let micros = number(begins) + within * number(ends - begins);
            return Some((micros / 10.0).round() / 100.0);
        }
        below += count;
    }
    None
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds of a minute fit 53 bits")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
