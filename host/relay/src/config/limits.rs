//! `[limits]` and `[timeouts]`: how much, and how long.

use std::time::Duration;

use crate::config::defaults;
use crate::config::section::Section;
use crate::config::units;
use crate::config::value::Entry;

/// How much the relay takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Client connections at a time; more hear 421.
    pub connections: usize,
    /// Client connections at a time from one address.
    pub connections_per_address: usize,
    /// Client connections at a time that have logged in for one tenant; none is half of them, and all for an only one.
    pub connections_per_tenant: Option<usize>,
    /// Octets of message content in memory, over all sessions.
    pub content_memory: u64,
    /// What of it one tenant may hold; none is half of it, and all for an only one.
    pub content_memory_per_tenant: Option<u64>,
    /// Octets of one message; a listener may have its own.
    pub message_size: u64,
    /// Recipients of one message.
    pub recipients: usize,
    /// From this many octets on content flows through instead of being read whole.
    pub stream_threshold: u64,
    /// Errors of a client's making until its session is ended.
    pub errors_per_session: u32,
    /// Commands without a message among them until the session is ended.
    pub commands_without_message: u32,
    /// Failed logins until the session is ended.
    pub login_failures: u32,
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
    pub handshake: Duration,
    /// Opening a session at a provider, from the first packet to the reply to AUTH.
    pub connect: Duration,
    /// The wait for one of an account's sessions.
    pub session_wait: Duration,
    /// A whole delivery: the client is answered by then.
    pub delivery: Duration,
    /// What is in flight when the relay is told to end.
    pub shutdown_grace: Duration,
    /// A new process that is to take this one's place, until it is ready.
    pub upgrade: Duration,
}

/// The `[limits]` of the configuration; the defaults where there are none.
pub(super) fn read_limits(root: &Section<'_>) -> Limits {
    let Some(section) = root.section("limits") else { return Limits::default() };
    let default = Limits::default();
    let any = |entry: &Entry<'_>| entry.number(1..=defaults::COUNT_MOST);
    let sessions = |entry: &Entry<'_>| entry.number(1..=u32::MAX);
    let threshold = defaults::STREAM_THRESHOLD_LEAST..=defaults::STREAM_THRESHOLD_MOST;
    let connections = section.or("connections", default.connections, any);
    let stream_threshold = section.or("stream_threshold", default.stream_threshold, |entry| entry.size(threshold));
    let content_memory = content_memory(&section, stream_threshold);
    let limits = Limits {
        connections,
        connections_per_address: connections_per_address(&section, connections),
        connections_per_tenant: section
            .optional("connections_per_tenant", |entry| at_most(entry, connections, "limits.connections")),
        content_memory,
        content_memory_per_tenant: section.optional("content_memory_per_tenant", |entry| {
            content_memory_part(entry, content_memory, stream_threshold)
        }),
        message_size: section.or("message_size", default.message_size, message_size),
        recipients: section.or("recipients", default.recipients, |entry| entry.number(1..=defaults::RECIPIENTS_MOST)),
        stream_threshold,
        errors_per_session: section.or("errors_per_session", default.errors_per_session, sessions),
        commands_without_message: section.or("commands_without_message", default.commands_without_message, sessions),
        login_failures: section.or("login_failures", default.login_failures, sessions),
    };
    section.finish();
    limits
}

/// A bound of a message's size, of all listeners or of one.
pub(super) fn message_size(entry: &Entry<'_>) -> Option<u64> {
    entry.size(defaults::MESSAGE_SIZE_LEAST..=defaults::MESSAGE_SIZE_MOST)
}

fn connections_per_address(section: &Section<'_>, connections: usize) -> usize {
    let default = defaults::CONNECTIONS_PER_ADDRESS.min(connections);
    section.or("connections_per_address", default, |entry| at_most(entry, connections, "limits.connections"))
}

fn at_most(entry: &Entry<'_>, most: usize, named: &str) -> Option<usize> {
    let value = entry.number(1..=defaults::COUNT_MOST)?;
    if value > most {
        entry.fault(format!("it is more than {named} ({most})")).error();
    }
    Some(value)
}

/// What one tenant may hold: enough for its own messages, as all of it has to be for all.
fn content_memory_part(entry: &Entry<'_>, all: u64, stream_threshold: u64) -> Option<u64> {
    entry.size((stream_threshold * defaults::MESSAGES_IN_MEMORY_LEAST).min(all)..=all)
}

/// A message that is read whole may hold twice the threshold for a moment (its buffer grows by
/// doubling), and one message must not have to wait for all the others.
fn content_memory(section: &Section<'_>, stream_threshold: u64) -> u64 {
    let least = stream_threshold * defaults::MESSAGES_IN_MEMORY_LEAST;
    let memory = section.or("content_memory", defaults::CONTENT_MEMORY, |entry| entry.size(0..=u64::MAX));
    if memory < least {
        let (least, threshold) = (units::size_text(least), units::size_text(stream_threshold));
        section
            .mark_of("content_memory")
            .fault(format!("{} is too little for limits.stream_threshold = \"{threshold}\"", units::size_text(memory)))
            .suggest(format!("at least \"{least}\" is needed"))
            .error();
    }
    memory
}

/// The `[timeouts]` of the configuration; the defaults where there are none.
pub(super) fn read_timeouts(root: &Section<'_>) -> Timeouts {
    let Some(section) = root.section("timeouts") else { return Timeouts::default() };
    let default = Timeouts::default();
    let delivery_bounds = defaults::TIMEOUT_LEAST..=defaults::DELIVERY_MOST;
    let delivery = section.or("delivery", default.delivery, |entry| entry.duration_within(delivery_bounds));
    let part_of_delivery = |entry: &Entry<'_>| {
        let part = entry.duration()?;
        if part > delivery {
            let whole = units::duration_text(delivery);
            entry
                .fault(format!("it is longer than the delivery that it is a part of (timeouts.delivery = \"{whole}\")"))
                .error();
        }
        Some(part)
    };
    let timeouts = Timeouts {
        command: section.or("command", default.command, Entry::duration),
        content: section.or("content", default.content, Entry::duration),
        message: section.or("message", default.message, Entry::duration),
        handshake: section.or("handshake", default.handshake, Entry::duration),
        connect: section.or("connect", default.connect, part_of_delivery),
        session_wait: section.or("session_wait", default.session_wait, part_of_delivery),
        delivery,
        shutdown_grace: section.or("shutdown_grace", default.shutdown_grace, Entry::duration),
        upgrade: section.or("upgrade", default.upgrade, Entry::duration),
    };
    section.finish();
    timeouts
}

impl Limits {
    /// Client connections that one of so many tenants may have.
    pub fn connections_of_one(&self, tenants: usize) -> usize {
        let part = if tenants > 1 { self.connections.div_ceil(defaults::TENANTS_PART) } else { self.connections };
        self.connections_per_tenant.unwrap_or(part)
    }

    /// The content memory that one of so many tenants may hold.
    pub fn content_memory_of_one(&self, tenants: usize) -> u64 {
        let least = self.stream_threshold * defaults::MESSAGES_IN_MEMORY_LEAST;
        let half = (self.content_memory / defaults::TENANTS_PART as u64).max(least).min(self.content_memory);
        self.content_memory_per_tenant.unwrap_or(if tenants > 1 { half } else { self.content_memory })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: defaults::CONNECTIONS,
            connections_per_address: defaults::CONNECTIONS_PER_ADDRESS,
            connections_per_tenant: None,
            content_memory: defaults::CONTENT_MEMORY,
            content_memory_per_tenant: None,
            message_size: defaults::MESSAGE_SIZE,
            recipients: defaults::RECIPIENTS,
            stream_threshold: defaults::STREAM_THRESHOLD,
            errors_per_session: defaults::ERRORS_PER_SESSION,
            commands_without_message: defaults::COMMANDS_WITHOUT_MESSAGE,
            login_failures: defaults::LOGIN_FAILURES,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            command: defaults::COMMAND,
            content: defaults::CONTENT,
            message: defaults::MESSAGE,
            handshake: defaults::HANDSHAKE,
            connect: defaults::CONNECT,
            session_wait: defaults::SESSION_WAIT,
            delivery: defaults::DELIVERY,
            shutdown_grace: defaults::SHUTDOWN_GRACE,
            upgrade: defaults::UPGRADE,
        }
    }
}
