//! Ids of sessions and transactions: short, unique over restarts, and the same in the log and in the Received field.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives out session ids.
#[derive(Debug)]
pub struct Identifiers {
    start: u32,
    next: AtomicU64,
}

/// One session's id, shown as `6a1f30b2-1c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId {
    start: u32,
    number: u64,
}

/// One transaction's id: its session's, and its number there; shown as `6a1f30b2-1c-3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionId {
    session: SessionId,
    number: u32,
}

impl Identifiers {
    /// Ids that begin with the second in which the process started, or with the next one after that of the process whose
    /// place this one takes: two in one second must not give the same ids.
    pub fn new(unix_seconds: u64, after: Option<u32>) -> Self {
        let now = u32::try_from(unix_seconds & 0xffff_ffff).unwrap_or(0);
        let start = after.map_or(now, |before| now.max(before.wrapping_add(1)));
        Self { start, next: AtomicU64::new(1) }
    }

    /// The second with which all ids begin.
    pub(crate) fn started(&self) -> u32 {
        self.start
    }

    /// The next session's id.
    pub fn session(&self) -> SessionId {
        SessionId { start: self.start, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

impl TransactionId {
    /// The session's that it belongs to.
    pub fn session(self) -> SessionId {
        self.session
    }
}

impl SessionId {
    /// The id of this session's transaction with this number.
    pub fn transaction(self, number: u32) -> TransactionId {
        TransactionId { session: self, number }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:x}", self.start, self.number)
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.session, self.number)
    }
}

#[cfg(test)]
mod tests;
