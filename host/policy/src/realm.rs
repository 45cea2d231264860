//! What a policy may see and name: its tenant's own accounts, routes and senders.
//!
//! A trait, since there are two of them: a tenant of the relay, and the one that an author's test
//! cases describe. The check of a name is here and nowhere else, so that a decision that names
//! somebody else's account has never been made.

use std::fmt::Debug;

/// An account, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The mailbox's address.
    pub address: String,
    /// `gmail`, `outlook` or `generic`.
    pub provider: &'static str,
    /// Whether it can log in, as far as is known.
    pub is_ready: bool,
    /// Sessions that carry a message.
    pub in_use: u32,
    /// The most sessions.
    pub allowed: u32,
    /// Messages that wait for a session.
    pub waiting: u32,
}

/// One tenant, for one login.
pub trait Realm: Debug + Send + Sync {
    /// All accounts with their state of now, in the order of their ids.
    fn accounts(&self) -> Vec<Account>;

    /// Whether this is one of its accounts.
    fn has_account(&self, id: &str) -> bool;

    /// The names of its routes, in order.
    fn routes(&self) -> Vec<String>;

    /// Whether mail of the login may go out with this reverse-path.
    ///
    /// # Errors
    /// Why not, in words.
    fn check_sender(&self, address: &str) -> Result<(), String>;

    /// Whether this can be a recipient.
    ///
    /// # Errors
    /// Why not, in words.
    fn check_recipient(&self, address: &str) -> Result<(), String>;
}
