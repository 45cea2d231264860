//! What a token endpoint answers (RFC 6749 5), read strictly and within bounds.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::secret::Secret;

/// A token that says nothing of its life, or says nonsense, lives within these bounds.
const SHORTEST: Duration = Duration::from_secs(60);
const USUAL: Duration = Duration::from_secs(3_600);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// What is shown of a description.
const DESCRIPTION: usize = 300;

/// A token that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub access_token: Secret,
    /// How long it lives.
    pub lifetime: Duration,
    /// The refresh token that takes the place of the one used, or the first one.
    pub rotated: Option<Secret>,
    /// What the token is good for, where the endpoint says so.
    pub scope: Option<String>,
}

#[derive(Deserialize)]
struct Success {
    access_token: String,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Reads an answer with this status.
pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Result<Issued, Error> {
    if status == 200 {
        return success(body);
    }
    match serde_json::from_slice::<Failure>(body) {
        Ok(failure) if is_permanent(&failure.error) && (400..500).contains(&status) => {
            Err(Error::Refused { code: cleaned(&failure.error), description: cleaned(&failure.error_description) })
        }
        Ok(failure) => Err(Error::Unavailable { reason: format!("{status} {}", cleaned(&failure.error)), retry_after }),
        Err(_) if matches!(status, 408 | 429 | 500..=599) => {
            Err(Error::Unavailable { reason: status.to_string(), retry_after })
        }
        Err(_) if (300..400).contains(&status) => Err(Error::Nonsense("a redirect, which is not followed")),
        Err(_) => Err(Error::Nonsense("neither a token nor an OAuth error")),
    }
}

fn success(body: &[u8]) -> Result<Issued, Error> {
    let success: Success = serde_json::from_slice(body).map_err(|_| Error::Nonsense("no JSON with an access_token"))?;
    let is_token = |token: &str| !token.is_empty() && token.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
    if !is_token(&success.access_token) {
        return Err(Error::Nonsense("an access_token of octets that no token has"));
    }
    // Some endpoints write the number as a text.
    let seconds = success.expires_in.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let lifetime = seconds.map_or(USUAL, Duration::from_secs).clamp(SHORTEST, LONGEST);
    let rotated = success.refresh_token.filter(|token| is_token(token)).map(Secret::new);
    let scope = success.scope.as_deref().map(cleaned);
    Ok(Issued { access_token: Secret::new(success.access_token), lifetime, rotated, scope })
}

/// The OAuth `error` field, where there is one.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Failure>(body).ok().map(|failure| failure.error)
}

/// RFC 6749 5.2, RFC 8628 3.5, OpenID Connect Core 3.1.2.6, and what Google and Microsoft add.
fn is_permanent(error: &str) -> bool {
    matches!(
        error,
        "invalid_request"
            | "invalid_client"
            | "invalid_grant"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "invalid_scope"
            | "invalid_resource"
            | "interaction_required"
            | "consent_required"
            | "login_required"
            | "access_denied"
            | "admin_policy_enforced"
            | "authorization_declined"
            | "expired_token"
            | "deleted_client"
            | "disabled_client"
            | "org_internal"
            | "invalid_rapt"
    )
}

fn cleaned(text: &str) -> String {
    text.chars().take(DESCRIPTION).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
