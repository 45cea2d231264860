//! What a token is asked for with.

use crate::secret::Secret;

/// A grant (RFC 6749 1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A mailbox's consent, given once and carried on (RFC 6749 6).
    RefreshToken {
        /// The application.
        client_id: String,
        /// Its proof, where it has one.
        client_secret: Option<Secret>,
        /// The consent; some providers replace it with each use.
        refresh_token: Secret,
    },
}

impl Grant {
    /// The fields of the request's form.
    pub(crate) fn form<'a>(&'a self, scope: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
        match self {
            Self::RefreshToken { client_id, client_secret, refresh_token } => {
                let mut form = vec![
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id.as_str()),
                    ("refresh_token", refresh_token.expose()),
                ];
                form.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
                form.extend(scope.map(|scope| ("scope", scope)));
                form
            }
        }
    }

    /// The grant with the refresh token that took the place of its own; none where nothing changed.
    pub(crate) fn rotated(&self, to: &Secret) -> Option<Self> {
        match self {
            Self::RefreshToken { refresh_token, .. } if refresh_token == to => None,
            Self::RefreshToken { client_id, client_secret, .. } => Some(Self::RefreshToken {
                client_id: client_id.clone(),
                client_secret: client_secret.clone(),
                refresh_token: to.clone(),
            }),
        }
    }
}
