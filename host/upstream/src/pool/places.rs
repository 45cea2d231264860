//! The account's places: how many sessions it may have, and who may have one now.
//!
//! A place is held by whoever uses, opens or ends a session; an idle session holds none. Places are
//! given first come, first served. Invariant: the places in existence are as many as are allowed,
//! plus those that are still held from before the number was lowered (the debt). Another process may have a share of what
//! is allowed: that is not given out here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// One account's places.
#[derive(Debug)]
pub(super) struct Places {
    permits: Arc<Semaphore>,
    allowed: Mutex<Allowed>,
    debt: Arc<AtomicUsize>,
}

/// The sessions that the mailbox may have, and those of them that are not ours.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    all: usize,
    elsewhere: usize,
}

/// The right to use, open or end one session; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    debt: Arc<AtomicUsize>,
    /// It pays a part of the debt, and is not free again.
    is_last: bool,
}

impl Places {
    pub(super) fn new(allowed: usize) -> Self {
        let all = allowed.clamp(1, Semaphore::MAX_PERMITS);
        let allowed = Mutex::new(Allowed { all, elsewhere: 0 });
        Self { permits: Arc::new(Semaphore::new(all)), allowed, debt: Arc::default() }
    }

    /// A place that is free now, and that nobody waits for.
    pub(super) fn at_once(&self) -> Option<Place> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(self.place(permit))
    }

    /// A place, when all who came earlier have had one.
    pub(super) async fn wait(&self, deadline: Instant) -> Option<Place> {
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await.ok()?.ok()?;
        Some(self.place(permit))
    }

    /// How many sessions are allowed here.
    pub(super) fn allowed(&self) -> usize {
        self.state().here()
    }

    /// How many sessions are allowed, and how many of them are another process's.
    pub(super) fn everywhere(&self) -> (usize, usize) {
        let Allowed { all, elsewhere } = *self.state();
        (all, elsewhere)
    }

    /// How many places are held; never less than the truth.
    pub(super) fn held(&self) -> usize {
        let allowed = self.state();
        (allowed.here() + self.debt.load(Ordering::SeqCst)).saturating_sub(self.permits.available_permits())
    }

    /// Allows another number of sessions. Places that are held stay so; as many as are too many go
    /// when they become free.
    pub(super) fn allow(&self, sessions: usize) {
        self.change(|allowed| allowed.all = sessions.clamp(1, Semaphore::MAX_PERMITS));
    }

    /// Leaves so many of them to another process, be it all.
    pub(super) fn leave_elsewhere(&self, sessions: usize) {
        self.change(|allowed| allowed.elsewhere = sessions);
    }

    fn change(&self, change: impl FnOnce(&mut Allowed)) {
        let mut allowed = self.state();
        let before = allowed.here();
        change(&mut allowed);
        let now = allowed.here();
        for _ in now..before {
            self.debt.fetch_add(1, Ordering::SeqCst);
            if self.permits.forget_permits(1) == 1 && !pay(&self.debt) {
                self.permits.add_permits(1); // somebody else has paid in the meantime
            }
        }
        for _ in before..now {
            if !pay(&self.debt) {
                self.permits.add_permits(1);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, Allowed> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { permit: Some(permit), debt: Arc::clone(&self.debt), is_last: false }
    }
}

impl Allowed {
    fn here(self) -> usize {
        self.all.saturating_sub(self.elsewhere)
    }
}

impl Place {
    /// Whether it goes once it is free, since fewer are allowed now; said of as many as are owed.
    pub(super) fn is_owed(&mut self) -> bool {
        self.is_last = self.is_last || (self.debt.load(Ordering::SeqCst) > 0 && pay(&self.debt));
        self.is_last
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let owed = self.is_owed();
        if let Some(permit) = self.permit.take()
            && owed
        {
            permit.forget();
        }
    }
}

fn pay(debt: &AtomicUsize) -> bool {
    debt.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |debt| debt.checked_sub(1)).is_ok()
}

#[cfg(test)]
mod tests;
