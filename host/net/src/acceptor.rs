//! The server's side of TLS: a certificate and its key, ready to shake hands.
//!
//! An acceptor is a value of a snapshot: a new certificate is a new acceptor. It keeps nothing about
//! its peers: what resumes a session is a ticket that the client keeps.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;

use crate::error::Error;

/// A client that sends one message per connection uses one ticket and is given another.
const TICKETS: usize = 1;
/// RFC 7468 11: how an encrypted key begins.
const ENCRYPTED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
/// RFC 1421 4.6.1.1: how a key of the older form says that it is encrypted.
const ENCRYPTED_OF_OLD: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// Accepts TLS (1.2 and later).
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// From a certificate chain and its key, both in PEM; both may stand in the same file.
    ///
    /// # Errors
    /// There is no certificate or key, one is damaged or encrypted, or they do not belong together.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Cryptography)?
            .with_no_client_auth()
            .with_single_cert(chain(certificate)?, private_key(key)?)
            .map_err(Error::of_certificate)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(Error::Cryptography)?;
        config.send_tls13_tickets = TICKETS;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) fn tls(&self) -> &TlsAcceptor {
        &self.0
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|source| Error::of_pem("certificate", source))?;
    if chain.is_empty() { Err(Error::NoCertificate) } else { Ok(chain) }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    if holds(pem, ENCRYPTED) || holds(pem, ENCRYPTED_OF_OLD) {
        return Err(Error::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => Error::NoKey,
        source => Error::of_pem("private key", source),
    })
}

fn holds(pem: &[u8], sought: &[u8]) -> bool {
    pem.split(|octet| *octet == b'\n').any(|line| line.trim_ascii_start().starts_with(sought))
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

#[cfg(test)]
mod tests;
