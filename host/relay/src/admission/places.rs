//! A number of places that can be changed while some of them are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places. Whoever waits gets one in the order of asking.
#[derive(Debug, Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    all: Arc<AtomicUsize>,
}

impl Places {
    /// So many.
    pub fn new(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all: Arc::new(AtomicUsize::new(all)) }
    }

    /// Another number from now on. What is taken above it is not taken back, and not given out again. To be called within
    /// a runtime, by one at a time.
    pub fn allow(&self, all: usize) {
        let (before, now) = (self.all.load(Ordering::SeqCst), all.min(Semaphore::MAX_PERMITS));
        self.all.store(now, Ordering::SeqCst);
        self.free.add_permits(now.saturating_sub(before));
        let mut surplus = before.saturating_sub(now);
        surplus -= self.free.forget_permits(surplus);
        let free = Arc::clone(&self.free);
        if surplus > 0 {
            // Those that are taken go one by one, each in its turn, so that nobody waits for all of them.
            tokio::spawn(async move {
                for _ in 0..surplus {
                    free.acquire().await.expect("nobody closes the places").forget();
                }
            });
        }
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.all().saturating_sub(self.free.available_permits())
    }

    /// So many places, if they are free.
    pub fn try_take(&self, count: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(count).ok()
    }

    /// So many places, when they are free.
    pub async fn take(&self, count: u32) -> OwnedSemaphorePermit {
        Arc::clone(&self.free).acquire_many_owned(count).await.expect("nobody closes the places")
    }
}
