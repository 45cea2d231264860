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

use super::life::Life;
use super::rotation::Place;
use super::{Surroundings, seed};
use crate::config::account::{Account as Settings, Grant};
use crate::keeper::unix_now;
use crate::metrics::token_waits;

/// What an account logs in with, and what else there is to know of that.
#[derive(Clone)]
pub(super) struct Credentials {
    /// As the pool asks for it.
    pub(super) source: Arc<dyn LoginSource>,
    /// Where it logs in with tokens.
    pub(super) tokens: Option<TokenCache>,
    /// How long they last.
    pub(super) life: Arc<Life>,
}

pub(super) fn credentials(tenant: &str, settings: &Settings, around: &Surroundings<'_>) -> Credentials {
    let identity = |mechanism| Identity {
        mechanism,
        user: settings.user.clone(),
        server: (settings.provider.host.clone(), settings.provider.port),
    };
    let password = |login| Credentials { source: Arc::new(Password { login }), tokens: None, life: Arc::default() };
    match &settings.grant {
        Grant::None => password(None),
        Grant::Password { password: secret, mechanism } => password(Some(identity(*mechanism).login(secret))),
        Grant::Token { endpoint, grant, mechanism } => {
            let endpoint = Endpoint::clone(endpoint);
            let place = around.store.as_ref().and_then(|store| Place::of(store, tenant, settings));
            let life = Arc::new(Life::at(place.clone()));
            let (grant, rotation) = rotation(tenant, settings, grant, place);
            let tokens = TokenCache::new(around.tokens.clone(), endpoint, grant, rotation, seed(tenant, &settings.id));
            let source = Tokens { identity: identity(*mechanism), tokens: tokens.clone(), waits: token_waits() };
            Credentials { source: Arc::new(source), tokens: Some(tokens), life }
        }
    }
}

/// The newest grant that is known, and where a newer one is kept.
fn rotation(
    tenant: &str,
    settings: &Settings,
    grant: &OAuthGrant,
    place: Option<Place>,
) -> (OAuthGrant, Arc<dyn Rotation>) {
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
    let Some(place) = Place::of(store, tenant, settings) else { return Ok(()) };
    place.migrate()?;
    place.newest(grant).map(drop)
}

/// Keeps a new consent for an account, while no relay has the store; says whether its grant is one.
///
/// # Errors
/// It could not be written.
pub(crate) fn keep_consent(
    store: &Arc<Store>,
    tenant: &str,
    settings: &Settings,
    token: &Text,
) -> Result<bool, StoreError> {
    let Some(place) = Place::of(store, tenant, settings) else { return Ok(false) };
    place.begin(token, unix_now()).map(|()| true)
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
            let token = if was_current {
                self.tokens.renew(&current).await.map_err(|error| not_newer(&error))?
            } else {
                current
            };
            Ok(self.session_login(&token))
        })
    }
}

/// Where another process asks for tokens, what there is here is what there is: nobody waits for a newer one.
fn not_newer(error: &OAuthError) -> LoginError {
    if matches!(error, OAuthError::Elsewhere) { LoginError::NothingNewer } else { failed(error) }
}

fn failed(error: &OAuthError) -> LoginError {
    if error.is_permanent() {
        LoginError::NeedsConsent(error.to_string())
    } else {
        LoginError::Unavailable(error.to_string())
    }
}
