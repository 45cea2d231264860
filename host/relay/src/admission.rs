//! What the relay lets in: connections, in all and by address, and memory for content.
//!
//! Everything is bounded by configuration (promise P8). Beyond a bound the answer is immediate for
//! connections, and waits a moment for memory, since content in flight frees it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Content memory is counted in pieces of this size.
const PIECE: usize = 4 * 1024;
/// How long a client is left unread before a lack of content memory becomes its answer.
const MEMORY_PATIENCE: Duration = Duration::from_secs(10);

/// Counts client connections.
#[derive(Debug)]
pub struct Connections {
    all: Arc<Semaphore>,
    per_address: usize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// One admitted connection; the place is free again when it is dropped.
#[derive(Debug)]
pub struct Admitted {
    _place: OwnedSemaphorePermit,
    address: IpAddr,
    connections: Arc<Connections>,
}

impl Connections {
    /// At most `all` connections, and at most `per_address` from one client address.
    pub fn new(all: usize, per_address: usize) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { all, per_address, addresses: Mutex::default() })
    }

    /// A place for a connection from `address`, if there is one.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let place = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(address).or_insert(0);
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Admitted { _place: place, address, connections: Arc::clone(self) })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut addresses = self.connections.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

/// The memory that message content may take, over all sessions.
#[derive(Debug, Clone)]
pub struct ContentMemory {
    pieces: Arc<Semaphore>,
    all: usize,
}

/// What one message holds of the content memory; free again when it is dropped.
#[derive(Debug, Default)]
pub struct Held {
    permit: Option<OwnedSemaphorePermit>,
}

/// There was no memory for a message's content within the time that a client may be left waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContentMemory;

impl ContentMemory {
    /// A budget of this many bytes.
    pub fn new(bytes: u64) -> Self {
        let all = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(PIECE).min(Semaphore::MAX_PERMITS);
        Self { pieces: Arc::new(Semaphore::new(all)), all }
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        (self.all - self.pieces.available_permits()) * PIECE
    }

    /// Makes sure that `held` covers `bytes`, waiting a moment where the memory is taken.
    ///
    /// # Errors
    /// The memory stayed taken for the whole wait.
    pub async fn cover(&self, held: &mut Held, bytes: usize) -> Result<(), NoContentMemory> {
        let has = held.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = bytes.div_ceil(PIECE).saturating_sub(has);
        if wanted == 0 {
            return Ok(());
        }
        let wanted = u32::try_from(wanted).map_err(|_| NoContentMemory)?;
        let more = match Arc::clone(&self.pieces).try_acquire_many_owned(wanted) {
            Ok(more) => more,
            Err(_) => timeout(MEMORY_PATIENCE, Arc::clone(&self.pieces).acquire_many_owned(wanted))
                .await
                .map_err(|_| NoContentMemory)?
                .map_err(|_| NoContentMemory)?,
        };
        match &mut held.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
