//! Every default of the main file, with its reason.

use std::time::Duration;

use super::{Limits, Timeouts};

/// The tenants' directory, beside the main file.
pub const TENANTS: &str = "tenants";
/// What is logged.
pub const LOG_LEVEL: &str = "info";

/// The bounds.
pub const LIMITS: Limits = Limits {
    // Each costs some kilobytes while idle, and a descriptor.
    connections: 10_000,
    connections_per_address: 1_000,
    content_memory: 256 << 20,
    // What Gmail takes (providers' EHLO, 2026).
    message_size: 35_882_577,
    // RFC 5321 4.5.3.1.8: at least 100; Gmail takes 100.
    recipients: 100,
    stream_threshold: 256 << 10,
    errors_per_session: 20,
    commands_without_message: 100,
    login_failures: 3,
};

/// How long things may take.
pub const TIMEOUTS: Timeouts = Timeouts {
    // RFC 5321 4.5.3.2.7.
    command: Duration::from_mins(5),
    // RFC 5321 4.5.3.2.5.
    content: Duration::from_mins(3),
    message: Duration::from_mins(30),
    handshake: Duration::from_secs(10),
    // Clients wait 10 minutes for the reply to their content (RFC 5321 4.5.3.2.6): we answer first.
    delivery: Duration::from_mins(2),
    connect: Duration::from_secs(30),
    session_wait: Duration::from_secs(30),
    shutdown_grace: Duration::from_secs(30),
};

/// The most bytes of a message that can be allowed: what Microsoft 365 can be set to.
pub const LARGEST_MESSAGE: u64 = 157_286_400;
