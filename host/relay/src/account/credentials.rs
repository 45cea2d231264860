//! What an account logs in with, as the pool asks for it: a token, a password, or nothing.

use std::sync::Arc;

use metrics::Histogram;
use posthouse_oauth::cache::{AccessToken, NoRotation, Rotation, TokenCache};
use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::error::Error as OAuthError;
use posthouse_oauth::grant::Grant as OAuthGrant;
use posthouse_oauth::secret::Secret as Text;
use posthouse_smtp::client::login::Login;
use posthouse_smtp::sasl::{Mechanism, Secret};
use posthouse_store::error::Error as StoreError;
use posthouse_store::store::Store;
use posthouse_upstream::login::{LoginError, LoginFuture, LoginSource, SessionLogin};
use tokio::time::Instant;
use tracing::error;

use super::rotation::Place;
use super::{Surroundings, seed};
use crate::config::account::{Account as Settings, Grant};
use crate::metrics::token_waits;

pub(super) fn credentials(tenant: &str, settings: &Settings, around: &Surroundings<'_>) -> Arc<dyn LoginSource> {
    let identity = |mechanism| Identity {
        mechanism,
        user: settings.user.clone(),
        server: (settings.provider.host.clone(), settings.provider.port),
    };
    match &settings.grant {
        Grant::None => Arc::new(Password { login: None }),
        Grant::Password { password, mechanism } => {
            Arc::new(Password { login: Some(identity(*mechanism).login(password)) })
        }
        Grant::Token { endpoint, grant, mechanism } => {
            let endpoint = Endpoint::clone(endpoint);
            let (grant, rotation) = rotation(tenant, settings, grant, around);
            let tokens = TokenCache::new(around.tokens.clone(), endpoint, grant, rotation, seed(tenant, &settings.id));
            Arc::new(Tokens { identity: identity(*mechanism), tokens, waits: token_waits() })
        }
    }
}

/// The newest grant that is known, and where a newer one is kept.
fn rotation(
    tenant: &str,
    settings: &Settings,
    grant: &OAuthGrant,
    around: &Surroundings<'_>,
) -> (OAuthGrant, Arc<dyn Rotation>) {
    let place = around.store.as_ref().and_then(|store| Place::new(store, tenant, &settings.id, grant));
    let Some(place) = place else { return (grant.clone(), Arc::new(NoRotation)) };
    let newest = place.newest(grant).unwrap_or_else(|error| {
        // It was there a moment ago, when the snapshot was begun.
        error!(tenant, account = settings.id, %error, "going on with the refresh token of the configuration");
        grant.clone()
    });
    (newest, Arc::new(place))
}

/// Makes sure that what was kept for an account can be read: takes the file of an earlier release in, and looks.
///
/// # Errors
/// It cannot: no key opens it, or the store cannot be read.
pub(crate) fn look_up(store: &Arc<Store>, tenant: &str, settings: &Settings) -> Result<(), StoreError> {
    let Grant::Token { grant, .. } = &settings.grant else { return Ok(()) };
    let Some(place) = Place::new(store, tenant, &settings.id, grant) else { return Ok(()) };
    place.migrate()?;
    place.newest(grant).map(drop)
}

/// Who the account is to its provider.
struct Identity {
    mechanism: Mechanism,
    user: String,
    server: (String, u16),
}

impl Identity {
    fn login(&self, secret: &Text) -> Login {
        Login {
            mechanism: self.mechanism,
            user: self.user.clone(),
            secret: Secret::new(secret.expose()),
            server: self.server.clone(),
        }
    }
}

/// A password that does not change, or nothing.
struct Password {
    login: Option<Login>,
}

impl LoginSource for Password {
    fn login(&self) -> LoginFuture<'_> {
        Box::pin(async { Ok(SessionLogin { login: self.login.clone(), valid_until: None }) })
    }

    fn refused<'a>(&'a self, _refused: &'a SessionLogin) -> LoginFuture<'a> {
        Box::pin(async { Err(LoginError::NothingNewer) })
    }
}

/// Tokens from a cache.
struct Tokens {
    identity: Identity,
    tokens: TokenCache,
    /// How long logins wait that find no token at hand.
    waits: Histogram,
}

impl Tokens {
    /// A token that has to be asked for.
    async fn awaited(&self) -> Result<Arc<AccessToken>, LoginError> {
        let asked = Instant::now();
        let token = self.tokens.token().await;
        self.waits.record(asked.elapsed());
        token.map_err(|error| failed(&error))
    }

    fn session_login(&self, token: &AccessToken) -> SessionLogin {
        let login = Some(self.identity.login(token.secret()));
        SessionLogin { login, valid_until: Some(token.expires_at()) }
    }
}

impl LoginSource for Tokens {
    fn login(&self) -> LoginFuture<'_> {
        Box::pin(async {
            let token = match self.tokens.at_hand() {
                Some(token) => token,
                None => self.awaited().await?,
            };
            Ok(self.session_login(&token))
        })
    }

    fn refused<'a>(&'a self, refused: &'a SessionLogin) -> LoginFuture<'a> {
        Box::pin(async {
            let current = self.tokens.token().await.map_err(|error| failed(&error))?;
            let was_current = refused
                .login
                .as_ref()
                .is_some_and(|login| login.secret.expose() == current.secret().expose().as_bytes());
            // Another session may have had the same refusal, and the newer token is here already.
            let token =
                if was_current { self.tokens.renew(&current).await.map_err(|error| failed(&error))? } else { current };
            Ok(self.session_login(&token))
        })
    }
}

fn failed(error: &OAuthError) -> LoginError {
    if error.is_permanent() {
        LoginError::NeedsConsent(error.to_string())
    } else {
        LoginError::Unavailable(error.to_string())
    }
}
