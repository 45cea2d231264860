//! What all sessions share, and it is little: the published snapshot and the counts that outlive it.

use std::sync::Arc;

use crate::admission::{Connections, ContentMemory};
use crate::authentication::Authentication;
use crate::config::limits::Limits;
use crate::identifiers::Identifiers;
use crate::metrics::FrontDoor;
use crate::snapshot::Snapshots;
use crate::trace::Trace;

/// The state of the front door.
#[derive(Debug)]
pub struct Front {
    /// What holds now: tenants, accounts, rules.
    pub snapshots: Snapshots,
    /// Verifies logins, and remembers.
    pub authentication: Authentication,
    /// The places for client connections.
    pub connections: Arc<Connections>,
    /// The memory for message content.
    pub content_memory: ContentMemory,
    /// Gives out session ids.
    pub identifiers: Identifiers,
    /// Tells what happens to whoever listens.
    pub(crate) trace: Trace,
    /// Counts.
    pub metrics: FrontDoor,
}

impl Front {
    /// Other bounds from now on.
    pub(crate) fn allow(&self, limits: &Limits) {
        self.connections.allow(limits.connections, limits.connections_per_address);
        self.content_memory.allow(limits.content_memory);
    }
}
