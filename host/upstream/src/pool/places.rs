//! The account's places: how many sessions it may have, and who may have one now.
//!
//! A place is held by whoever uses, opens or ends a session; an idle session holds none. Places are
//! given first come, first served. Invariant: the places in existence are as many as are allowed,
//! plus those that are still held from before the number was lowered (the debt). Another process may have a share of what
//! is allowed: that is not given out here. Nor is more than a ceiling or than it is held to, for as long as that stands.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// One account's places.
#[derive(Debug)]
pub(super) struct Places {
    permits: Arc<Semaphore>,
    allowed: Mutex<Allowed>,
    debt: Arc<Debt>,
}

/// The sessions that the mailbox may have, and those of them that are not ours.
#[derive(Debug, Clone)]
struct Allowed {
    all: usize,
    elsewhere: usize,
    /// What may be all by the rules of whoever has those.
    by_others: usize,
    /// The numbers of those who may still open sessions by rules of before.
    ceilings: Vec<usize>,
    /// What another process counts on, whatever is configured, learned or forgotten here.
    held_to: usize,
}

/// Places that are held and too many.
#[derive(Debug, Default)]
struct Debt {
    /// So many of those that become free next go.
    owed: AtomicUsize,
    /// So many holders end their sessions for it.
    claimed: AtomicUsize,
}

/// No more places than this are given out as long as it lives.
#[derive(Debug)]
pub(super) struct Ceiling {
    places: Arc<Places>,
    sessions: usize,
}

/// The right to use, open or end one session; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    debt: Arc<Debt>,
    /// Its session ends for the debt.
    is_last: bool,
}

impl Places {
    pub(super) fn new(allowed: usize) -> Self {
        let all = allowed.clamp(1, Semaphore::MAX_PERMITS);
        let allowed = Allowed { all, elsewhere: 0, by_others: usize::MAX, ceilings: Vec::new(), held_to: usize::MAX };
        Self { permits: Arc::new(Semaphore::new(all)), allowed: Mutex::new(allowed), debt: Arc::default() }
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
        let allowed = self.state();
        (allowed.all, allowed.elsewhere)
    }

    /// How many places are held; never less than the truth.
    pub(super) fn held(&self) -> usize {
        let allowed = self.state();
        (allowed.here() + self.debt.owed.load(Ordering::SeqCst)).saturating_sub(self.permits.available_permits())
    }

    /// Allows another number of sessions. Places that are held stay so; as many as are too many go
    /// when they become free.
    pub(super) fn allow(&self, sessions: usize) {
        self.change(|allowed| allowed.all = sessions.clamp(1, Semaphore::MAX_PERMITS));
    }

    /// Leaves so many of them to another process, be it all, by whose rules there may be so many everywhere.
    pub(super) fn leave_elsewhere(&self, sessions: usize, by_others: usize) {
        let by_others = if sessions == 0 { usize::MAX } else { by_others };
        self.change(|allowed| (allowed.elsewhere, allowed.by_others) = (sessions, by_others));
    }

    /// Whatever is allowed from now on, no more than this everywhere until [`Self::hold_no_more`].
    pub(super) fn hold_to(&self, sessions: usize) {
        self.change(|allowed| allowed.held_to = sessions);
    }

    /// What is allowed is given out again.
    pub(super) fn hold_no_more(&self) {
        self.change(|allowed| allowed.held_to = usize::MAX);
    }

    /// How many there may be everywhere by the rules of all others.
    pub(super) fn by_others(&self) -> usize {
        self.state().by_others()
    }

    /// Whatever is allowed from now on, no more than this until the answer is dropped.
    pub(super) fn ceiling(self: &Arc<Self>, sessions: usize) -> Ceiling {
        let sessions = sessions.max(1);
        self.change(|allowed| allowed.ceilings.push(sessions));
        Ceiling { places: Arc::clone(self), sessions }
    }

    fn change(&self, change: impl FnOnce(&mut Allowed)) {
        let mut allowed = self.state();
        let before = allowed.here();
        change(&mut allowed);
        let now = allowed.here();
        for _ in now..before {
            self.debt.owed.fetch_add(1, Ordering::SeqCst);
            if self.permits.forget_permits(1) == 1 && !self.debt.pay() {
                self.permits.add_permits(1); // somebody else has paid in the meantime
            }
        }
        for _ in before..now {
            if !self.debt.pay() {
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
    fn here(&self) -> usize {
        self.all.min(self.by_others()).min(self.held_to).saturating_sub(self.elsewhere)
    }

    fn by_others(&self) -> usize {
        self.ceilings.iter().copied().fold(self.by_others, usize::min)
    }
}

impl Debt {
    /// A place less, if one is owed.
    fn pay(&self) -> bool {
        self.owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |owed| owed.checked_sub(1)).is_ok()
    }

    /// Whether one more session is to end for it.
    fn claim(&self) -> bool {
        let owed = self.owed.load(Ordering::SeqCst);
        let claim = |claimed| (claimed < owed).then_some(claimed + 1);
        owed > 0 && self.claimed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, claim).is_ok()
    }
}

impl Drop for Ceiling {
    fn drop(&mut self) {
        self.places.change(|allowed| {
            if let Some(index) = allowed.ceilings.iter().position(|ceiling| *ceiling == self.sessions) {
                allowed.ceilings.swap_remove(index);
            }
        });
    }
}

impl Place {
    /// Whether its session is to end, since fewer are allowed now; said of as many as are owed. The debt is paid by
    /// whichever place is free first: one whose session is still being ended is a session to the provider.
    pub(super) fn is_owed(&mut self) -> bool {
        self.is_last = self.is_last || self.debt.claim();
        self.is_last
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_last {
            self.debt.claimed.fetch_sub(1, Ordering::SeqCst);
        }
        let Some(permit) = self.permit.take() else { return };
        if self.debt.owed.load(Ordering::SeqCst) > 0 && self.debt.pay() {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests;
