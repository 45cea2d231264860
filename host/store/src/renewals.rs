//! Who is asking for a token of which a newer refresh token may come, to be kept here.
//!
//! Invariant: the file is not closed for another process while somebody does, and nobody begins to once it is to be
//! closed. So no refresh token comes that has nowhere to be kept, and two processes never renew the same one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The renewals of a store.
#[derive(Debug, Default)]
pub(crate) struct Renewals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    is_closed: bool,
}

/// A renewal, until it is dropped: what comes of it is kept before.
#[derive(Debug)]
pub struct Renewal {
    renewals: Arc<Renewals>,
}

impl Renewals {
    /// Begins one; none where they are closed.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Renewal> {
        let mut state = self.state();
        if state.is_closed {
            return None;
        }
        state.under_way += 1;
        Some(Renewal { renewals: Arc::clone(self) })
    }

    /// Lets none begin any more, and waits for those that have begun. Says whether they are closed still.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state();
        state.is_closed = true;
        while state.under_way > 0 && state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_closed
    }

    /// Lets them begin again; whoever waits to close does not.
    pub(crate) fn open(&self) {
        self.state().is_closed = false;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.renewals.state().under_way -= 1;
        self.renewals.changed.notify_all();
    }
}
