//! How an account comes back: by a new consent, or by an old one that its provider takes again.

use std::sync::Arc;

use posthouse_oauth::cache::{TokenCache, TokenState};
use posthouse_oauth::error::Error as OAuthError;
use posthouse_oauth::secret::Secret;

use super::Account;
use crate::keeper::unix_now;

/// Why a new consent is not taken. The old one stays.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotRenewed {
    /// The account logs in otherwise.
    #[error("the account has no grant of the kind refresh_token, and so no consent")]
    NoConsent,
    /// The provider does not take it, or cannot be asked.
    #[error("{0}")]
    Refused(Arc<OAuthError>),
    /// It is used, and lives as long as this process.
    #[error("the refresh token is in use but could not be kept: {0}")]
    NotKept(String),
}

impl Account {
    /// A new consent of the mailbox's owner: tried at the provider, kept, used from now on.
    ///
    /// # Errors
    /// The provider does not take it, or it could not be kept.
    pub(crate) async fn renew_consent(&self, consent: &Secret) -> Result<(), NotRenewed> {
        let tokens = self.credentials.tokens.as_ref().filter(|_| self.takes_consent());
        let tokens = tokens.ok_or(NotRenewed::NoConsent)?;
        tokens.adopt(consent).await.map_err(NotRenewed::Refused)?;
        self.credentials.life.begin(unix_now());
        self.pool.renew_credentials();
        match tokens.state() {
            TokenState::Ready { unkept: Some(reason), .. } => Err(NotRenewed::NotKept(reason)),
            TokenState::Ready { unkept: None, .. } | TokenState::Unused | TokenState::Failing { .. } => Ok(()),
        }
    }

    /// Whether its grant is a consent.
    pub(crate) fn takes_consent(&self) -> bool {
        use crate::config::account::Grant;
        use posthouse_oauth::grant::Grant as Asked;
        matches!(&self.origin.settings.grant, Grant::Token { grant: Asked::RefreshToken { .. }, .. })
    }

    /// Asks for a token though no message wants one, if the endpoint may be asked: the consent may have been given again,
    /// and one that nobody uses would end.
    pub(crate) fn ask_for_a_token(&self) {
        if let Some(tokens) = self.credentials.tokens.clone() {
            tokio::spawn(async move { tokens.token().await.map(drop) });
        }
    }

    /// Whether its consent has ended, and the last token that it brought as well.
    pub(super) fn has_no_token(&self) -> bool {
        let state = self.credentials.tokens.as_ref().map(TokenCache::state);
        matches!(state, Some(TokenState::Failing { error, .. }) if error.is_permanent())
    }

    /// Whether its consent has ended, as far as is known.
    pub(crate) fn needs_consent(&self) -> bool {
        let trouble = self.credentials.tokens.as_ref().and_then(|tokens| tokens.trouble());
        trouble.is_some_and(|trouble| trouble.error.is_permanent())
    }
}
