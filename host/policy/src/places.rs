//! Places for calls: each holds a slot of the pool, running or waiting.
//!
//! A tenant takes no more than a quarter of what is free, so that many tenants whose calls wait leave places for
//! others. A call that gets none waits behind its own tenant's, and for nobody else's turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, Semaphore};

use crate::limits::{CALLS_PER_TENANT, FREE_PART};

/// The places of an engine.
#[derive(Debug)]
pub(crate) struct Places {
    free: AtomicUsize,
    freed: Notify,
}

/// One tenant's line for them.
#[derive(Debug)]
pub(crate) struct Line {
    first: Semaphore,
    taken: AtomicUsize,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    line: Arc<Line>,
}

impl Places {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(count), freed: Notify::new() })
    }

    /// How many nobody has.
    pub(crate) fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }

    /// A place for a call of the tenant whose line it is.
    pub(crate) async fn place(self: &Arc<Self>, line: &Arc<Line>) -> Place {
        let _first = line.first.acquire().await.expect("no semaphore of the policy host is ever closed");
        loop {
            let freed = self.freed.notified();
            if let Some(place) = self.take(line) {
                return place;
            }
            // What is freed between the look and the wait is not missed: `freed` was made before.
            freed.await;
        }
    }

    /// A place, if the tenant may have one now. To be called by the first in line alone.
    fn take(self: &Arc<Self>, line: &Arc<Line>) -> Option<Place> {
        let taken = line.taken.load(Ordering::Relaxed);
        let less = |free: usize| (taken < allowance(free)).then(|| free - 1);
        self.free.fetch_update(Ordering::AcqRel, Ordering::Relaxed, less).ok()?;
        line.taken.fetch_add(1, Ordering::Relaxed);
        Some(Place { places: Arc::clone(self), line: Arc::clone(line) })
    }
}

impl Line {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { first: Semaphore::new(1), taken: AtomicUsize::new(0) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.taken.fetch_sub(1, Ordering::Relaxed);
        self.places.free.fetch_add(1, Ordering::AcqRel);
        self.places.freed.notify_waiters();
    }
}

/// What a tenant may have in all before it takes one of so many.
fn allowance(free: usize) -> usize {
    if free == 0 { 0 } else { (free / FREE_PART).clamp(1, CALLS_PER_TENANT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tenants_that_take_all_they_may_leave_places_for_others() {
        let places = Places::new(128);
        let mut taken = Vec::new();
        for _ in 0..16 {
            let line = Line::new();
            let mine: Vec<Place> = std::iter::from_fn(|| places.take(&line)).collect();
            assert!(!mine.is_empty() && mine.len() <= CALLS_PER_TENANT);
            taken.push(mine);
        }
        assert!(places.free() > 0);
        assert!(places.take(&Line::new()).is_some(), "one who has none gets one");
        taken.clear();
        assert_eq!(places.free(), 128);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_of_a_place_that_another_tenant_frees() {
        let (places, one, other) = (Places::new(1), Line::new(), Line::new());
        let place = places.place(&one).await;
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.place(&other).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(place);
        waiting.await.expect("it got the place");
    }
}
