//! JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, signed and never read.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::base64url;
use crate::error::Error;
use crate::key::{Algorithm, SigningKey};

/// How far ahead of the endpoint's this host's clock may be: an assertion is dated back by so much.
pub(crate) const CLOCK_AHEAD: Duration = Duration::from_secs(60);
/// How far behind it may be: an assertion is valid for so long.
pub(crate) const CLOCK_BEHIND: Duration = Duration::from_secs(9 * 60);

/// By what the endpoint finds the key: a header field and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyName {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

/// The time of a token: when it was issued and when it ends, in seconds since 1970.
pub(crate) struct Span {
    pub(crate) issued: u64,
    pub(crate) ends: u64,
}

impl Span {
    /// A span that holds at `now`, whether this clock or the reader's is a little wrong.
    pub(crate) fn around(now: SystemTime) -> Self {
        let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            issued: since_1970.saturating_sub(CLOCK_AHEAD).as_secs(),
            ends: since_1970.saturating_add(CLOCK_BEHIND).as_secs(),
        }
    }
}

/// A signed token.
pub(crate) fn signed(
    key: &SigningKey,
    algorithm: Algorithm,
    name: Option<&KeyName>,
    claims: &Value,
) -> Result<String, Error> {
    let mut header = json!({ "typ": "JWT", "alg": algorithm.name() });
    if let Some(name) = name {
        header[name.field] = json!(name.value);
    }
    let mut token = base64url::text(header.to_string().as_bytes());
    token.push('.');
    base64url::push(&mut token, claims.to_string().as_bytes());
    let signature = key.sign(algorithm, token.as_bytes()).ok_or(Error::NoRandomness)?;
    token.push('.');
    base64url::push(&mut token, &signature);
    Ok(token)
}

#[cfg(test)]
mod tests;
