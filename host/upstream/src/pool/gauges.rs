//! What a pool can tell of itself at any moment, for metrics and operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A reading of one pool. Numbers of different fields may be a moment apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Sessions that the account may have at present.
    pub allowed: usize,
    /// Authenticated sessions.
    pub open: usize,
    /// Those of them that wait for a message.
    pub idle: usize,
    /// Those of them that serve a message, or are being ended.
    pub in_use: usize,
    /// Deliveries that wait for a session.
    pub waiting: usize,
    /// Logins that succeeded, since the start.
    pub logins: u64,
    /// Logins that were refused, since the start.
    pub refused_logins: u64,
    /// Deliveries that found a session at hand, since the start.
    pub reuses: u64,
    /// Deliveries that were begun anew because a session at hand turned out to be dead.
    pub retries: u64,
    /// Idle sessions that the provider ended, since the start.
    pub ended_by_provider: u64,
}

/// The counters behind the gauges; they are one account's own.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) open: AtomicUsize,
    pub(super) waiting: AtomicUsize,
    pub(super) logins: AtomicU64,
    pub(super) refused_logins: AtomicU64,
    pub(super) reuses: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) ended_by_provider: AtomicU64,
}

impl Counters {
    /// Counts a login; its number, from 1.
    pub(super) fn count_login(&self) -> u64 {
        self.logins.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts as an open session for as long as it lives.
#[derive(Debug)]
pub(crate) struct Open(Arc<Counters>);

impl Open {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        counters.open.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts as a waiting delivery for as long as it lives.
pub(super) struct Waiting<'a>(&'a Counters);

impl<'a> Waiting<'a> {
    pub(super) fn new(counters: &'a Counters) -> Self {
        counters.waiting.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
