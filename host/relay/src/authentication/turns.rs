//! One verification at a time of the same proof; the others with it wait for their turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as TurnLock, OwnedMutexGuard};

use crate::authentication::verified::Proof;

/// Whose turn it is, by proof; empty when nothing is being verified.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: Mutex<HashMap<Proof, Waiting>>,
}

/// The turn, and how many hold or want it.
type Waiting = (Arc<TurnLock<()>>, usize);

/// The turn; whoever holds it verifies.
pub(super) struct Turn {
    _held: OwnedMutexGuard<()>,
}

impl Turns {
    pub(super) async fn take(&self, proof: Proof) -> Turn {
        let lock = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let (lock, count) = waiting.entry(proof).or_default();
            *count += 1;
            Arc::clone(lock)
        };
        Turn { _held: lock.lock_owned().await }
    }

    /// # Race window
    /// A session that is cancelled while it waits leaves its count behind, and with it one small
    /// entry; sessions are not cancelled while they authenticate, except at the end of the process.
    pub(super) fn give_back(&self, proof: &Proof, turn: Turn) {
        drop(turn);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = waiting.get_mut(proof) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(proof);
            }
        }
    }
}
