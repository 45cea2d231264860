//! An operator's webhook: JSON that is brought to a URL, with a bearer token, a signature, or neither.
//!
//! It shares the client of token endpoints: its roots, its bounds in time and size, and that nothing is followed
//! elsewhere. What is brought, and when again, is the caller's. Neither URL nor token is ever shown: people put secrets
//! into either.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::secret::Secret;

/// The field that holds the body's HMAC-SHA256: `sha256=` and 64 hexadecimal digits.
pub const SIGNATURE: &str = "posthouse-signature";

/// Where JSON is brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its URL: https, or http to a loopback address.
    pub url: Secret,
    /// The token that it wants (RFC 6750).
    pub token: Option<Secret>,
    /// The key that the body is signed with.
    pub signing_key: Option<Secret>,
}

impl Webhook {
    /// Whether it may be asked at all.
    ///
    /// # Errors
    /// It is no URL, or secrets would go over the network in the clear.
    pub fn check(&self) -> Result<(), Error> {
        self.place().map(drop)
    }

    fn place(&self) -> Result<reqwest::Url, Error> {
        Endpoint { token_url: self.url.expose().to_owned(), scope: None }.check()
    }
}

impl Client {
    /// Brings a body of JSON to a webhook; the status of its answer.
    ///
    /// # Errors
    /// It cannot be used, or no answer came.
    pub async fn bring(&self, webhook: &Webhook, body: String) -> Result<u16, Error> {
        let mut request = self.request(webhook.place()?).header(CONTENT_TYPE, "application/json");
        if let Some(token) = &webhook.token {
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut bearer = bearer.map_err(|_| Error::Endpoint("its token cannot stand in a header field"))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(key) = &webhook.signing_key {
            request = request.header(SIGNATURE, signature(key, &body));
        }
        Ok(self.ask(request.body(body)).await?.status)
    }
}

fn signature(key: &Secret, body: &str) -> String {
    use std::fmt::Write;
    let tag = sign(&Key::new(HMAC_SHA256, key.expose().as_bytes()), body.as_bytes());
    tag.as_ref().iter().fold("sha256=".to_owned(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use crate::secret::Secret;

    /// RFC 4231 4.3.
    #[test]
    fn a_body_is_signed_as_everybody_does_it() {
        let signed = super::signature(&Secret::new("Jefe"), "what do ya want for nothing?");
        assert_eq!(signed, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
