//! What all sessions share, and it is little: the published snapshot and the counts that outlive it.

use crate::admission::ContentMemory;
use crate::authentication::Authentication;
use crate::identifiers::Identifiers;
use crate::metrics::FrontDoor;
use crate::snapshot::Snapshots;

/// The state of the front door.
#[derive(Debug)]
pub struct Front {
    /// What holds now: tenants, accounts, rules.
    pub snapshots: Snapshots,
    /// Verifies logins, and remembers.
    pub authentication: Authentication,
    /// The memory for message content.
    pub content_memory: ContentMemory,
    /// Gives out session ids.
    pub identifiers: Identifiers,
    /// Counts.
    pub metrics: FrontDoor,
}
