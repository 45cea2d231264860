//! A mailbox as a test describes it, and what was counted of it.
//!
//! Only values: what a running simulator knows of a mailbox is `account`.

use crate::provider::Provider;

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Where it is.
    pub provider: Provider,
    /// Its address, which is also the user of XOAUTH2.
    pub address: String,
    /// The refresh token that its owner consented to.
    pub refresh_token: String,
    /// The application that may redeem the refresh token.
    pub client_id: String,
    /// That application's secret; none for a public client.
    pub client_secret: Option<String>,
    /// The Entra directory (Microsoft's tenant) whose token endpoint has to be asked; any when none.
    pub directory: Option<String>,
    /// The password for PLAIN (Gmail) and LOGIN; without it no password opens the mailbox.
    pub password: Option<String>,
}

impl Mailbox {
    /// A mailbox with made-up secrets: refresh token `refresh-ADDRESS`, client `posthouse` with the secret
    /// `posthouse-secret`, any directory, no password.
    pub fn new(provider: Provider, address: impl Into<String>) -> Self {
        let address = address.into();
        Self {
            provider,
            refresh_token: format!("refresh-{address}"),
            address,
            client_id: "posthouse".to_owned(),
            client_secret: Some("posthouse-secret".to_owned()),
            directory: None,
            password: None,
        }
    }

    /// With this refresh token.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<String>) -> Self {
        self.refresh_token = token.into();
        self
    }

    /// With this client.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>, secret: Option<&str>) -> Self {
        self.client_id = id.into();
        self.client_secret = secret.map(str::to_owned);
        self
    }

    /// In this Entra directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<String>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// With this password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }
}

/// How often a limit of a mailbox was run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Violations {
    /// Messages or logins refused for too many connections.
    pub connections: u64,
    /// Messages refused for too many submissions at a time.
    pub submissions: u64,
    /// Messages delayed or refused for the rate.
    pub rate: u64,
    /// Messages refused for the day's recipients.
    pub daily: u64,
    /// Recipients refused for the message's number of them.
    pub recipients: u64,
    /// Logins refused for their rate.
    pub logins: u64,
    /// Messages refused for their number on a connection.
    pub messages_per_connection: u64,
    /// Messages refused for their sender.
    pub send_as: u64,
}

impl Violations {
    /// All of them together.
    pub const fn total(&self) -> u64 {
        self.connections
            + self.submissions
            + self.rate
            + self.daily
            + self.recipients
            + self.logins
            + self.messages_per_connection
            + self.send_as
    }
}

/// What was counted of a mailbox since the simulator's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Where it is.
    pub provider: Provider,
    /// Its address.
    pub address: String,
    /// Connections that are logged in now.
    pub connections: usize,
    /// The most connections that were logged in at a time.
    pub highest_connections: usize,
    /// The most messages that were in submission at a time.
    pub highest_submissions: usize,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that were refused, for whatever reason.
    pub refused_logins: u64,
    /// Access tokens that were issued.
    pub tokens: u64,
    /// Messages that were accepted.
    pub messages: u64,
    /// Recipients of the accepted messages.
    pub recipients: u64,
    /// The limits it ran into.
    pub violations: Violations,
}
