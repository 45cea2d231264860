//! What one account's pool may do. The values come from the operator's configuration and the
//! provider's profile; this file only says what each one bounds.

use std::time::Duration;

/// The bounds of one account's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections at any moment, idle, in use and being opened together. At least 1.
    pub sessions: usize,
    /// Messages after which a session is ended. At least 1.
    pub messages_per_session: u32,
    /// Time after which a session is ended, however busy it is.
    pub session_age: Duration,
    /// Time that a session may lie idle. To be less than the provider's own patience.
    pub idle: Duration,
    /// How long before the end of its access token a session is ended.
    pub token_margin: Duration,
    /// How long a delivery waits for a session of the account before it is answered "busy".
    pub acquire_deadline: Duration,
    /// How long a new session may take from the first packet to the reply to AUTH.
    pub dial_deadline: Duration,
}

impl Default for PoolLimits {
    /// Values that no provider is known to mind.
    fn default() -> Self {
        Self {
            sessions: 3,
            messages_per_session: 100,
            session_age: Duration::from_secs(30 * 60),
            idle: Duration::from_secs(60),
            token_margin: Duration::from_secs(60),
            acquire_deadline: Duration::from_secs(30),
            dial_deadline: Duration::from_secs(30),
        }
    }
}
