//! A login, and the SASL messages it becomes (RFC 4616, RFC 7628, XOAUTH2).
//!
//! One writer: what could change the meaning of a message is refused here.

use super::Error;
use crate::sasl::{Mechanism, Secret};

/// Who this side is to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// How it is proved.
    pub mechanism: Mechanism,
    /// The user; for tokens the mailbox.
    pub user: String,
    /// The password or access token.
    pub secret: Secret,
    /// Host and port of the server, which OAUTHBEARER names.
    pub server: (String, u16),
}

impl Login {
    /// The messages to be sent, one after the other, not yet in base64.
    ///
    /// # Errors
    /// User or secret hold octets that have a meaning of their own there.
    pub(super) fn messages(&self) -> Result<Vec<Vec<u8>>, Error> {
        let secret = self.secret.expose();
        if self.user.is_empty() || self.user.bytes().any(|octet| octet < 0x20 || octet == 0x7f) {
            return Err(Error::Unwritable("user"));
        }
        let is_token = !secret.is_empty() && secret.iter().all(|octet| (0x21..=0x7e).contains(octet));
        let user = self.user.as_bytes();
        match self.mechanism {
            Mechanism::Plain if secret.contains(&0) => Err(Error::Unwritable("password")),
            Mechanism::Plain => Ok(vec![[b"\0", user, b"\0", secret].concat()]),
            Mechanism::Login => Ok(vec![user.to_vec(), secret.to_vec()]),
            Mechanism::XOAuth2 | Mechanism::OAuthBearer if !is_token => Err(Error::Unwritable("access token")),
            Mechanism::XOAuth2 => Ok(vec![[b"user=", user, b"\x01auth=Bearer ", secret, b"\x01\x01"].concat()]),
            Mechanism::OAuthBearer => {
                let user = self.user.replace('=', "=3D").replace(',', "=2C");
                let (host, port) = &self.server;
                let head = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ");
                Ok(vec![[head.as_bytes(), secret, b"\x01\x01"].concat()])
            }
        }
    }
}
