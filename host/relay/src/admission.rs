//! What the relay lets in: connections, in all and by address, and memory for content.
//!
//! Everything is bounded by configuration (promise P8). Beyond a bound the answer is immediate for
//! connections, and waits a moment for memory, since content in flight frees it. Of both one tenant has a part only
//! (`tenant_limits`), so that its flood leaves the others what they need.

pub mod places;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::admission::places::Places;

/// Content memory is counted in pieces of this size.
const PIECE: usize = 4 * 1024;
/// How long a client is left unread before a lack of content memory becomes its answer.
const MEMORY_PATIENCE: Duration = Duration::from_secs(10);

/// Counts client connections.
#[derive(Debug)]
pub struct Connections {
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    all: usize,
    per_address: usize,
    open: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// One admitted connection; the place is free again when it is dropped.
#[derive(Debug)]
pub struct Admitted {
    address: IpAddr,
    connections: Arc<Connections>,
}

impl Connections {
    /// At most `all` connections, and at most `per_address` from one client address.
    pub fn new(all: usize, per_address: usize) -> Arc<Self> {
        let counts = Counts { all, per_address, open: 0, addresses: HashMap::new() };
        Arc::new(Self { counts: Mutex::new(counts) })
    }

    /// Other bounds from now on. Connections that are open stay so.
    pub fn allow(&self, all: usize, per_address: usize) {
        let mut counts = self.counts();
        counts.all = all;
        counts.per_address = per_address;
    }

    /// A place for a connection from `address`, if there is one.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let mut counts = self.counts();
        let of_address = counts.addresses.get(&address).copied().unwrap_or(0);
        if counts.open >= counts.all || of_address >= counts.per_address {
            return None;
        }
        counts.open += 1;
        counts.addresses.insert(address, of_address + 1);
        Some(Admitted { address, connections: Arc::clone(self) })
    }

    /// How many are open, and how many may be.
    pub fn standing(&self) -> (usize, usize) {
        let counts = self.counts();
        (counts.open, counts.all)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.connections.counts();
        counts.open -= 1;
        if let Some(count) = counts.addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.addresses.remove(&self.address);
            }
        }
    }
}

/// The memory that message content may take: over all sessions, or of one tenant's.
#[derive(Debug, Clone)]
pub struct ContentMemory {
    pieces: Places,
}

/// What one message holds of the content memory; free again when it is dropped.
#[derive(Debug, Default)]
pub struct Held {
    of_tenant: Option<OwnedSemaphorePermit>,
    of_relay: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// As much for a copy, out of the same memories: none where it is not free at once, so that nobody waits for a copy.
    pub fn beside(&self, bytes: usize) -> Option<Self> {
        let count = u32::try_from(bytes.div_ceil(PIECE)).ok()?;
        let take = |held: &Option<OwnedSemaphorePermit>| {
            Arc::clone(held.as_ref()?.semaphore()).try_acquire_many_owned(count).ok()
        };
        Some(Self { of_tenant: Some(take(&self.of_tenant)?), of_relay: Some(take(&self.of_relay)?) })
    }
}

/// There was no memory for a message's content within the time that a client may be left waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContentMemory;

impl ContentMemory {
    /// A budget of this many bytes.
    pub fn new(bytes: u64) -> Self {
        Self { pieces: Places::new(pieces(bytes)) }
    }

    /// Another budget from now on. What is held above it is not taken back, and not given out again. To be called within a
    /// runtime.
    pub fn allow(&self, bytes: u64) {
        self.pieces.allow(pieces(bytes));
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        self.pieces.taken() * PIECE
    }

    /// Makes sure that `held` covers `bytes` of this memory and of the tenant's part in it, waiting a moment where one of
    /// them is taken. A tenant waits at its own part first: what it waits for there it keeps from nobody else.
    ///
    /// # Errors
    /// The memory stayed taken for the whole wait, or there is not as much in all.
    pub async fn cover(&self, part: &Self, held: &mut Held, bytes: usize) -> Result<(), NoContentMemory> {
        let deadline = Instant::now() + MEMORY_PATIENCE;
        part.grow(&mut held.of_tenant, bytes, deadline).await?;
        self.grow(&mut held.of_relay, bytes, deadline).await
    }

    async fn grow(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
        deadline: Instant,
    ) -> Result<(), NoContentMemory> {
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = bytes.div_ceil(PIECE).saturating_sub(has);
        if wanted == 0 {
            return Ok(());
        }
        // What there never is need not be waited for.
        if has + wanted > self.pieces.all() {
            return Err(NoContentMemory);
        }
        let wanted = u32::try_from(wanted).map_err(|_| NoContentMemory)?;
        let more = match self.pieces.try_take(wanted) {
            Some(more) => more,
            None => timeout_at(deadline, self.pieces.take(wanted)).await.map_err(|_| NoContentMemory)?,
        };
        match held {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

fn pieces(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(PIECE)
}

#[cfg(test)]
mod tests;
