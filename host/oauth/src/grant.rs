//! What a token is asked for with, and the form in which it is put.
//!
//! Assertions are made for one request and one endpoint; the time is the caller's.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use crate::base64url;
use crate::certificate::ClientCertificate;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::jwt::{self, Span};
use crate::key::Algorithm;
use crate::secret::Secret;
use crate::service_account::ServiceAccount;

const REFRESH_TOKEN: &str = "refresh_token";
const CLIENT_CREDENTIALS: &str = "client_credentials";
/// RFC 7523 2.1 and 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const JWT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A file that is longer holds no token.
const TOKEN_FILE: usize = 64 * 1024;

/// A grant (RFC 6749 1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A mailbox's consent, given once and carried on (RFC 6749 6).
    RefreshToken {
        /// The application.
        client_id: String,
        /// Its proof, where it has one.
        client_secret: Option<Secret>,
        /// The consent; some providers replace it with each use. None has been given yet where there is none.
        refresh_token: Option<Secret>,
    },
    /// An application that acts for itself (RFC 6749 4.4): an administrator has let it into mailboxes.
    ClientCredentials {
        /// The application.
        client_id: String,
        /// Its proof.
        proof: Proof,
    },
    /// A service account that acts for a mailbox (RFC 7523 2.1).
    ServiceAccount(ServiceAccount),
}

/// How an application proves that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a secret.
    Secret(Secret),
    /// By an assertion that its certificate's key has signed (RFC 7523 2.2).
    Certificate(ClientCertificate),
    /// By an assertion that another issuer keeps fresh in a file, which is read for each request.
    TokenFile(PathBuf),
}

/// A form's fields.
pub(crate) type Form<'a> = Vec<(&'static str, Cow<'a, str>)>;

impl Grant {
    /// The fields of the request's form.
    pub(crate) async fn form<'a>(&'a self, endpoint: &'a Endpoint, now: SystemTime) -> Result<Form<'a>, Error> {
        let mut form: Form<'a> = match self {
            Self::RefreshToken { client_id, client_secret, refresh_token } => {
                let refresh_token = refresh_token.as_ref().ok_or(Error::NoConsent)?;
                let mut form = client(REFRESH_TOKEN, client_id);
                form.push(("refresh_token", refresh_token.expose().into()));
                form.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.expose().into())));
                form
            }
            Self::ClientCredentials { client_id, proof } => {
                let mut form = client(CLIENT_CREDENTIALS, client_id);
                prove(&mut form, client_id, proof, endpoint, now).await?;
                form
            }
            // The scope is in the assertion.
            Self::ServiceAccount(account) => {
                return Ok(vec![
                    ("grant_type", JWT_BEARER.into()),
                    ("assertion", delegation(account, endpoint, now)?.into()),
                ]);
            }
        };
        form.extend(endpoint.scope.as_deref().map(|scope| ("scope", scope.into())));
        Ok(form)
    }

    /// The grant with the refresh token that took the place of its own; none where nothing changed.
    pub(crate) fn rotated(&self, to: &Secret) -> Option<Self> {
        match self {
            Self::RefreshToken { refresh_token, .. } if refresh_token.as_ref() == Some(to) => None,
            Self::RefreshToken { client_id, client_secret, .. } => Some(Self::RefreshToken {
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: Some(to.clone()),
            }),
            Self::ClientCredentials { .. } | Self::ServiceAccount(_) => None,
        }
    }

    /// Whether nobody has consented yet.
    pub(crate) fn lacks_consent(&self) -> bool {
        matches!(self, Self::RefreshToken { refresh_token: None, .. })
    }

    /// The consent, where the grant is one and it was given.
    pub fn refresh_token(&self) -> Option<&Secret> {
        match self {
            Self::RefreshToken { refresh_token, .. } => refresh_token.as_ref(),
            Self::ClientCredentials { .. } | Self::ServiceAccount(_) => None,
        }
    }

    /// Whether what is sent is signed with the time in it, so that a wrong clock makes it worthless.
    pub(crate) fn is_dated(&self) -> bool {
        match self {
            Self::ClientCredentials { proof: Proof::Certificate(_), .. } | Self::ServiceAccount(_) => true,
            Self::ClientCredentials { proof: Proof::Secret(_) | Proof::TokenFile(_), .. } => false,
            Self::RefreshToken { .. } => false,
        }
    }

    /// When the certificate ends that it stands on.
    pub fn certificate_ends(&self) -> Option<SystemTime> {
        match self {
            Self::ClientCredentials { proof: Proof::Certificate(certificate), .. } => Some(certificate.ends()),
            Self::ClientCredentials { proof: Proof::Secret(_) | Proof::TokenFile(_), .. }
            | Self::ServiceAccount(_)
            | Self::RefreshToken { .. } => None,
        }
    }
}

fn client<'a>(grant_type: &'static str, client_id: &'a str) -> Form<'a> {
    vec![("grant_type", grant_type.into()), ("client_id", client_id.into())]
}

async fn prove<'a>(
    form: &mut Form<'a>,
    client_id: &str,
    proof: &'a Proof,
    endpoint: &Endpoint,
    now: SystemTime,
) -> Result<(), Error> {
    let assertion = match proof {
        Proof::Secret(secret) => {
            form.push(("client_secret", secret.expose().into()));
            return Ok(());
        }
        Proof::Certificate(certificate) => assertion(client_id, certificate, endpoint, now)?,
        Proof::TokenFile(path) => token_in(path).await?,
    };
    form.extend([("client_assertion_type", JWT_ASSERTION.into()), ("client_assertion", assertion.into())]);
    Ok(())
}

/// What an application says of itself (RFC 7523 3): once, to this endpoint, now.
fn assertion(
    client_id: &str,
    certificate: &ClientCertificate,
    endpoint: &Endpoint,
    now: SystemTime,
) -> Result<String, Error> {
    let Span { issued, ends } = Span::around(now);
    let mut once = [0; 16];
    aws_lc_rs::rand::fill(&mut once).map_err(|_| Error::NoRandomness)?;
    let claims = json!({
        "aud": endpoint.token_url, "iss": client_id, "sub": client_id,
        "jti": base64url::text(&once), "iat": issued, "nbf": issued, "exp": ends,
    });
    let (key, algorithm, name) = certificate.key();
    jwt::signed(key, algorithm, Some(name), &claims)
}

/// What a service account says: whom it acts for, and for what.
fn delegation(account: &ServiceAccount, endpoint: &Endpoint, now: SystemTime) -> Result<String, Error> {
    let Span { issued, ends } = Span::around(now);
    let claims = json!({
        "iss": account.email, "sub": account.subject, "scope": endpoint.scope.as_deref().unwrap_or_default(),
        "aud": endpoint.token_url, "iat": issued, "exp": ends,
    });
    jwt::signed(&account.key, Algorithm::Rs256, Some(&account.name), &claims)
}

/// The token that is in a file now.
async fn token_in(path: &Path) -> Result<String, Error> {
    let unreadable = |reason: String| Error::TokenFile { path: path.to_owned(), reason };
    let text = tokio::fs::read_to_string(path).await.map_err(|error| unreadable(error.to_string()))?;
    let token = text.trim();
    let is_token = token.bytes().all(|octet| octet.is_ascii_graphic()) && token.split('.').count() == 3;
    if is_token && token.len() <= TOKEN_FILE {
        return Ok(token.to_owned());
    }
    Err(unreadable("it holds no token of three parts".to_owned()))
}

#[cfg(test)]
mod tests;
