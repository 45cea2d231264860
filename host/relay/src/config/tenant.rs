//! `tenants/NAME.toml`: a tenant's logins, accounts and routes.

use std::fmt;

use posthouse_smtp::path::Mailbox;

use crate::config::account::Account;

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The stem of its file's name.
    pub id: String,
    /// Who may send for it.
    pub logins: Vec<Login>,
    /// The mailboxes that its mail leaves through.
    pub accounts: Vec<Account>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// The route of a message that no other rule places.
    pub default_route: Option<String>,
}

/// Who a client may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name, unique over all tenants.
    pub name: String,
    /// The Argon2id hash of its password; none for a login that only networks are mapped to.
    pub password: Option<String>,
    /// The reverse-paths that it may use.
    pub senders: Vec<Sender>,
    /// The account that all its mail leaves through.
    pub account: Option<String>,
}

/// What a login may put into MAIL FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// This address.
    Address(Mailbox),
    /// Any address of this domain.
    Domain(String),
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

/// A named way out: accounts in order of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its name, unique in the tenant.
    pub name: String,
    /// Ids of the tenant's accounts.
    pub accounts: Vec<String>,
}
