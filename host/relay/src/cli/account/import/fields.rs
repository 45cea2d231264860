//! The older proxy's fields, and what becomes of each. A table, so that it can be read as the answer.

use std::fmt;

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It keeps its name.
    Used,
    /// It is called something else here.
    Renamed(&'static str),
    /// It has become a file that is named there.
    Secret(&'static str),
    /// It has gone, for this reason.
    Dropped(&'static str),
    /// Nothing is known of it.
    Unknown,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used => f.write_str("used"),
            Self::Renamed(to) => write!(f, "renamed: {to}"),
            Self::Secret(to) => write!(f, "in a file, named by {to}"),
            Self::Dropped(why) => write!(f, "dropped: {why}"),
            Self::Unknown => f.write_str("dropped: not known; look for it in configs/tenants/acme.toml"),
        }
    }
}

/// The field's meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Id,
    Address,
    SourceAddress,
    Provider,
    ClientId,
    ClientSecret,
    RefreshToken,
    Password,
    Server,
    Host,
    Port,
    TokenUrl,
    Directory,
    Scope,
    Sessions,
    MessagesPerHour,
    MessagesPerMinute,
    MessagesPerSession,
    Nothing,
}

/// Names that were seen for each, what it means here, and what is said of it.
const FIELDS: &[(&[&str], Meaning, Fate)] = &[
    (&["account_id", "id", "name"], Meaning::Id, Fate::Renamed("id")),
    (&["email", "address", "username", "user"], Meaning::Address, Fate::Renamed("address")),
    (&["ip_address", "source_ip", "bind_ip"], Meaning::SourceAddress, Fate::Renamed("source_address")),
    (&["provider"], Meaning::Provider, Fate::Used),
    (&["client_id"], Meaning::ClientId, Fate::Renamed("grant.client_id")),
    (&["client_secret"], Meaning::ClientSecret, Fate::Secret("grant.client_secret")),
    (&["refresh_token"], Meaning::RefreshToken, Fate::Secret("grant.refresh_token")),
    (&["password", "app_password"], Meaning::Password, Fate::Secret("grant.password")),
    (
        &["oauth_endpoint", "smtp_endpoint"],
        Meaning::Server,
        Fate::Renamed("host and port, where they are not the provider's own"),
    ),
    (&["smtp_host", "host"], Meaning::Host, Fate::Renamed("host, where it is not the provider's own")),
    (&["smtp_port", "port"], Meaning::Port, Fate::Renamed("port, where it is not the provider's own")),
    (
        &["oauth_token_url", "token_url"],
        Meaning::TokenUrl,
        Fate::Renamed("grant.directory, or token_url where it is not the provider's own"),
    ),
    (&["tenant_id", "directory", "tenant"], Meaning::Directory, Fate::Renamed("grant.directory")),
    (&["scope", "scopes"], Meaning::Scope, Fate::Renamed("scope")),
    (&["max_concurrent_connections", "max_connections", "pool_size"], Meaning::Sessions, Fate::Renamed("sessions")),
    (
        &["max_messages_per_hour"],
        Meaning::MessagesPerHour,
        Fate::Renamed("messages_per_minute (a 60th, and at least 1)"),
    ),
    (
        &["max_messages_per_minute", "messages_per_minute"],
        Meaning::MessagesPerMinute,
        Fate::Renamed("messages_per_minute"),
    ),
    (&["max_messages_per_connection"], Meaning::MessagesPerSession, Fate::Renamed("messages_per_session")),
    (&["vmta_name", "vmta"], Meaning::Nothing, Fate::Dropped("PowerMTA's own; let its virtual MTA use the login")),
    (
        &["access_token", "token_expiry", "expires_at", "token_expires_at"],
        Meaning::Nothing,
        Fate::Dropped("a new one is asked for"),
    ),
    (
        &["enabled", "active"],
        Meaning::Nothing,
        Fate::Dropped("an account that is here is used; remove those that are not to be"),
    ),
    (
        &["max_retries", "retry_count", "retry_delay"],
        Meaning::Nothing,
        Fate::Dropped("the client keeps the message and tries again"),
    ),
    (
        &["timeout", "connection_timeout", "connect_timeout"],
        Meaning::Nothing,
        Fate::Dropped("[timeouts] in the main file holds for all accounts"),
    ),
];

/// What this field means, and what is said of it.
pub(super) fn known(name: &str) -> (Meaning, Fate) {
    let is_it = |(names, _, _): &&(&[&str], Meaning, Fate)| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    FIELDS.iter().find(is_it).map_or((Meaning::Nothing, Fate::Unknown), |(_, meaning, fate)| (*meaning, *fate))
}
