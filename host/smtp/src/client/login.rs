//! A login, and the SASL messages it becomes (RFC 4616, RFC 7628, XOAUTH2).
//!
//! One writer: what could change the meaning of a message is refused here, before anything is sent.

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
    pub(super) fn messages(&self) -> Result<Vec<Secret>, Error> {
        let secret = self.secret.expose();
        if !is_name(&self.user) {
            return Err(Error::Unwritable("user"));
        }
        if !self.secret_is_writable() {
            return Err(Error::Unwritable("secret"));
        }
        let user = self.user.as_bytes();
        let message = |parts: &[&[u8]]| Secret::new(parts.concat());
        match self.mechanism {
            Mechanism::Plain => Ok(vec![message(&[b"\0", user, b"\0", secret])]),
            Mechanism::Login => Ok(vec![Secret::new(user), self.secret.clone()]),
            Mechanism::XOAuth2 => Ok(vec![message(&[b"user=", user, b"\x01auth=Bearer ", secret, b"\x01\x01"])]),
            Mechanism::OAuthBearer => {
                let (host, port) = &self.server;
                if !is_name(host) {
                    return Err(Error::Unwritable("server's name"));
                }
                // RFC 5801 4: the two octets that have a meaning in the header.
                let user = self.user.replace('=', "=3D").replace(',', "=2C");
                let head = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ");
                Ok(vec![message(&[head.as_bytes(), secret, b"\x01\x01"])])
            }
        }
    }

    fn secret_is_writable(&self) -> bool {
        let secret = self.secret.expose();
        let octets_are_legal = match self.mechanism {
            // RFC 4616 2: a NUL separates, everything else is the password's.
            Mechanism::Plain | Mechanism::Login => !secret.contains(&0),
            // RFC 6750 2.1, and what is printable besides: providers' tokens are opaque.
            Mechanism::XOAuth2 | Mechanism::OAuthBearer => secret.iter().all(|octet| (0x21..=0x7e).contains(octet)),
        };
        octets_are_legal && !secret.is_empty()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
