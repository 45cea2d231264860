//! `[[accounts]]`: the mailboxes that a tenant's mail leaves through.

use std::net::IpAddr;

use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::secret::Secret;
use posthouse_smtp::path::Mailbox;
use posthouse_smtp::sasl::Mechanism;

use crate::config::profile::Profile;

/// A mailbox at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Unique in the tenant.
    pub id: String,
    /// The mailbox's address.
    pub address: Mailbox,
    /// Who logs in: the address unless something else was said.
    pub user: String,
    /// The provider, with all that was overridden for it and for this account.
    pub profile: Profile,
    /// What it logs in with.
    pub grant: Grant,
    /// The local address to connect from; none leaves it to the system.
    pub source_address: Option<IpAddr>,
}

/// What an account logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Access tokens, which are asked for at an endpoint (`kind = "refresh_token"`).
    Token {
        /// Where.
        endpoint: Endpoint,
        /// With what.
        grant: posthouse_oauth::grant::Grant,
        /// How the token is presented.
        mechanism: Mechanism,
    },
    /// A password (`kind = "password"`).
    Password {
        /// The password.
        password: Secret,
        /// How it is presented.
        mechanism: Mechanism,
    },
    /// Nothing: the server asks for no login (`kind = "none"`).
    None,
}
