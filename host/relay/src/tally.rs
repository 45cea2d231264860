//! Counts that operators read: messages by what became of them, of an account, a tenant, the relay.
//!
//! Metrics are for those who collect them over time; these are what `status` shows without such a collector.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::recent::{Grain, Reading, Recent, Series};

/// The counts; they outlive generations.
#[derive(Debug, Default)]
pub struct Tally {
    delivered: AtomicU64,
    deferred: AtomicU64,
    refused: AtomicU64,
    delivered_bytes: AtomicU64,
    delivered_micros: AtomicU64,
    /// Made with the first message: most accounts of most minutes have none.
    recent: OnceLock<Box<Recent>>,
    grain: Grain,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The provider has it.
    Delivered {
        /// Its octets.
        size: u64,
        /// From the content's end to the provider's reply.
        took: Duration,
    },
    /// The client keeps it: 4yz.
    Deferred,
    /// The client gives up: 5yz.
    Refused,
}

/// A reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Messages that providers have.
    pub delivered: u64,
    /// Messages answered 4yz.
    pub deferred: u64,
    /// Messages answered 5yz.
    pub refused: u64,
    /// Octets of those delivered.
    pub delivered_bytes: u64,
    /// Time of all deliveries together, in seconds; over `delivered` it is their mean.
    pub delivered_seconds: f64,
}

impl Tally {
    /// Of one of thousands: the last minute is known in coarser pieces.
    pub(crate) fn of_one_of_many() -> Self {
        Self { grain: Grain::Coarse, ..Self::default() }
    }

    /// Counts one message, answered now.
    pub fn count(&self, fate: Fate, now: Instant) {
        self.recent.get_or_init(|| Box::new(Recent::since(now, self.grain))).count(fate, now);
        let add = |counter: &AtomicU64, count: u64| {
            counter.fetch_add(count, Ordering::Relaxed);
        };
        match fate {
            Fate::Delivered { size, took } => {
                add(&self.delivered, 1);
                add(&self.delivered_bytes, size);
                add(&self.delivered_micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            }
            Fate::Deferred => add(&self.deferred, 1),
            Fate::Refused => add(&self.refused, 1),
        }
    }

    /// The last minute.
    pub fn recent(&self, now: Instant) -> Reading {
        self.recent.get().map(|recent| recent.reading(now)).unwrap_or_default()
    }

    /// The last minute, in pieces of some seconds; empty before the first message.
    pub fn series(&self, now: Instant) -> Series {
        self.recent.get().map(|recent| recent.series(now)).unwrap_or_default()
    }

    /// Reads them.
    pub fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            delivered: read(&self.delivered),
            deferred: read(&self.deferred),
            refused: read(&self.refused),
            delivered_bytes: read(&self.delivered_bytes),
            delivered_seconds: Duration::from_micros(read(&self.delivered_micros)).as_secs_f64(),
        }
    }
}
