//! Where a session's credentials come from.
//!
//! This crate knows nothing of OAuth: a token cache, a static password or the absence of any login
//! stands behind one trait. Invariant: credentials are asked for only when a session is opened,
//! never for a message.

use std::future::Future;
use std::pin::Pin;

use posthouse_smtp::client::login::Login;
use tokio::time::Instant;

/// What one session is authenticated with.
#[derive(Debug, Clone)]
pub struct SessionLogin {
    /// The credentials; `None` for a server that relays without AUTH.
    pub login: Option<Login>,
    /// When they end, and with them every session that they opened. `None`: they do not.
    pub valid_until: Option<Instant>,
}

/// The answer of a [`LoginSource`]. Boxed, since it is awaited once per session and not per message.
pub type LoginFuture<'a> = Pin<Box<dyn Future<Output = Result<SessionLogin, LoginError>> + Send + 'a>>;

/// A source of one account's credentials.
pub trait LoginSource: Send + Sync {
    /// Credentials for a new session.
    fn login(&self) -> LoginFuture<'_>;

    /// The provider has refused these: other, newer ones, or [`LoginError::NothingNewer`].
    fn refused<'a>(&'a self, refused: &'a SessionLogin) -> LoginFuture<'a>;
}

/// Why there are no credentials. The texts are the source's own and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The grant has ended; nothing but a person's new consent, or new credentials, helps.
    #[error("the account needs new consent: {0}")]
    NeedsConsent(String),
    /// They cannot be had at the moment.
    #[error("credentials cannot be had at the moment: {0}")]
    Unavailable(String),
    /// The refused credentials are the only ones, as passwords are.
    #[error("there are no newer credentials than the refused ones")]
    NothingNewer,
}
