//! How the relay ends: no new connections, what is in flight finishes, idle sessions hear 421.
//!
//! Nothing here knows what a session does; it only tells all of them, and counts them out.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// The end that tells.
#[derive(Debug)]
pub struct Shutdown {
    tell: watch::Sender<bool>,
    working: mpsc::Receiver<()>,
}

/// The end that listens.
#[derive(Debug, Clone)]
pub struct Draining {
    told: watch::Receiver<bool>,
    /// As long as one of these exists, shutdown waits.
    _working: Option<mpsc::Sender<()>>,
}

/// A pair of both ends; each clone of the second is a task that shutdown waits for.
pub fn shutdown() -> (Shutdown, Draining) {
    let (tell, told) = watch::channel(false);
    let (alive, working) = mpsc::channel(1);
    (Shutdown { tell, working }, Draining { told, _working: Some(alive) })
}

impl Shutdown {
    /// Tells every listening end, and waits until all that work are gone; at most `grace`.
    /// Says how many were still there when the grace ended.
    pub async fn drain(mut self, grace: Duration) -> usize {
        self.tell.send_replace(true);
        match timeout(grace, self.working.recv()).await {
            Ok(_) => 0,
            Err(_) => self.working.sender_strong_count(),
        }
    }
}

impl Draining {
    /// Another listening end, which shutdown does not wait for.
    pub fn watcher(&self) -> Self {
        Self { told: self.told.clone(), _working: None }
    }

    /// Whether the relay is ending.
    pub fn is_draining(&self) -> bool {
        *self.told.borrow()
    }

    /// Ends when the relay begins to end.
    pub async fn begun(&mut self) {
        // An error means that the telling end is gone, which is an end as well.
        let _ = self.told.wait_for(|told| *told).await;
    }
}

#[cfg(test)]
mod tests;
