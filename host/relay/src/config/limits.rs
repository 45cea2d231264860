//! `[limits]` and `[timeouts]`: how much, and how long.

use std::time::Duration;

/// How much the relay takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Client connections at a time; more hear 421.
    pub connections: usize,
    /// Client connections at a time from one address.
    pub connections_per_address: usize,
    /// Octets of message content in memory, over all sessions.
    pub content_memory: u64,
    /// Octets of one message; a listener may have its own.
    pub message_size: u64,
    /// Recipients of one message; a listener may have its own.
    pub recipients: usize,
    /// From this many octets on content flows through instead of being read whole.
    pub stream_threshold: usize,
    /// Errors of a client's making until its session is ended.
    pub errors_per_session: u32,
    /// Commands without a message among them until the session is ended.
    pub commands_without_message: u32,
    /// Failed logins until the session is ended.
    pub failed_logins_per_session: u32,
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// A client's next command.
    pub command: Duration,
    /// A client's next piece of content.
    pub content: Duration,
    /// The whole content of a message.
    pub message: Duration,
    /// A client's TLS handshake, and a proxy's header.
    pub tls_handshake: Duration,
    /// Opening a session at a provider, from the first packet to the reply to AUTH.
    pub dial: Duration,
    /// The wait for one of an account's sessions.
    pub session_wait: Duration,
    /// A whole delivery: the client is answered by then.
    pub delivery: Duration,
    /// What is in flight when the relay is told to end.
    pub shutdown: Duration,
}
