//! What one tenant may take at a time: of the relay's places, and of what its own file grants it.
//!
//! It hangs on the tenant and outlives generations. The one invariant: what a tenant waits for in here keeps nothing
//! from another tenant.

use std::sync::Arc;

use crate::admission::ContentMemory;
use crate::admission::places::Places;
use crate::config::limits::Limits as RelayLimits;
use crate::config::tenant::Limits as OwnLimits;
use crate::pace::Pace;

/// The numbers, as the configuration has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    connections: usize,
    content_memory: u64,
    sessions: usize,
    messages_per_minute: Option<u32>,
}

/// One tenant's places.
#[derive(Debug)]
pub struct TenantLimits {
    /// Client connections that have logged in.
    pub connections: Places,
    /// Its part of the content memory.
    pub content_memory: ContentMemory,
    /// Deliveries at a time, over all accounts.
    pub sessions: Places,
    /// Its messages per minute, over all accounts.
    pub pace: Arc<Pace>,
}

impl Allowance {
    /// Of one of so many tenants.
    pub fn of(relay: &RelayLimits, own: &OwnLimits, tenants: usize) -> Self {
        Self {
            connections: relay.connections_of_one(tenants),
            content_memory: relay.content_memory_of_one(tenants),
            sessions: own.sessions.unwrap_or(usize::MAX),
            messages_per_minute: own.messages_per_minute,
        }
    }
}

impl TenantLimits {
    /// All places free.
    pub fn new(allowance: &Allowance) -> Arc<Self> {
        Arc::new(Self {
            connections: Places::new(allowance.connections),
            content_memory: ContentMemory::new(allowance.content_memory),
            sessions: Places::new(allowance.sessions),
            pace: Pace::per_minute(allowance.messages_per_minute),
        })
    }

    /// Other numbers from now on. To be called within a runtime.
    pub fn allow(&self, allowance: &Allowance) {
        self.connections.allow(allowance.connections);
        self.content_memory.allow(allowance.content_memory);
        self.sessions.allow(allowance.sessions);
        self.pace.allow(allowance.messages_per_minute);
    }
}
