//! Provider profiles: hosts, ports, endpoints and limits, as data.
//!
//! Three are built in. `[providers.NAME]` overrides one of them or derives another, and an account
//! overrides once more.

use std::path::PathBuf;
use std::time::Duration;

use posthouse_smtp::client::TlsRule;
use posthouse_smtp::sasl::Mechanism;
use posthouse_upstream::provider::ProviderKind;

/// How a provider is reached, and what it bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: String,
    /// Which built-in it goes back to: how its replies are read.
    pub kind: ProviderKind,
    /// Host name or address; never empty in an account.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsRule,
    /// Where access tokens are asked for; `{directory}` stands for the account's directory.
    pub token_url: Option<String>,
    /// The scope that is asked for.
    pub scope: Option<String>,
    /// How logins are presented, where something else than the usual was said.
    pub mechanism: Option<Mechanism>,
    /// Sessions at a time for each account.
    pub sessions: usize,
    /// Messages after which a session is ended.
    pub messages_per_session: u32,
    /// Time after which a session is ended.
    pub session_age: Duration,
    /// Time that a session may lie idle.
    pub idle: Duration,
    /// How long before its access token ends a session is ended.
    pub token_margin: Duration,
    /// Messages in each minute for each account; none is no limit.
    pub messages_per_minute: Option<u32>,
    /// Recipients in one message.
    pub recipients_per_message: usize,
    /// Roots to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
}
