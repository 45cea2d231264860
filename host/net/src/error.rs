//! What can go wrong between two hosts, by whose doing it is.
//!
//! No message holds key material or what a peer sent, beyond what rustls says of it.

use std::io;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

/// Why a connection, or what secures it, did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Peer: its certificate is not one to trust. Nothing was told to it.
    #[error("the peer's certificate is not trusted: {0}; compare the server name, the trusted roots and the clock")]
    Untrusted(#[source] rustls::Error),
    /// Peer, or operator: what came is no TLS.
    #[error("the peer does not speak TLS at once; the port may be one for STARTTLS, or for no TLS at all")]
    NotTls,
    /// Peer: the handshake failed otherwise, or the connection broke in it.
    #[error("TLS handshake failed: {0}")]
    Handshake(#[source] io::Error),
    /// Peer: its PROXY header is none.
    #[error("no PROXY protocol header of version 2: {0}")]
    Proxy(&'static str),
    /// Peer: the connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// Operator: the name that the certificate is to bear is no host name.
    #[error("`{0}` is no host name that a certificate could bear")]
    ServerName(String),
    /// Operator: the certificate file holds no certificate.
    #[error("no certificate found; PEM with `BEGIN CERTIFICATE` is expected")]
    NoCertificate,
    /// Operator: the key file holds no key.
    #[error("no private key found; unencrypted PEM (PKCS#8, PKCS#1 or SEC1) is expected")]
    NoKey,
    /// Operator: the key is encrypted.
    #[error("the private key is encrypted and nobody is there to type its passphrase; decrypt it with `openssl pkey`")]
    EncryptedKey,
    /// Operator: a file begins as PEM and does not go on so.
    #[error("the {what} is damaged: {source}; write it anew")]
    DamagedPem {
        /// Certificate or private key.
        what: &'static str,
        /// Where reading ended.
        source: pem::Error,
    },
    /// Operator: certificate and key do not belong together.
    #[error(
        "the private key belongs to another certificate; the server's own comes first in its file, its issuers behind"
    )]
    KeyMismatch,
    /// Operator: certificate or key are of no known kind.
    #[error("certificate and key cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
    /// Operator: a trusted root cannot be read.
    #[error("a trusted root cannot be used: {0}; X.509 certificates in PEM are expected")]
    Root(#[source] rustls::Error),
    /// Operator: the system has no certificates to verify a peer against.
    #[error("the system has no trusted roots{reason}; install its package ca-certificates, or name a ca_file")]
    NoSystemRoots {
        /// What was met while looking for them, in brackets, or nothing.
        reason: String,
    },

    /// Us: the stream is encrypted already, or was given up.
    #[error("the stream cannot be encrypted: it is already, or it is closed")]
    NotPlain,
    /// Us: the cryptographic library does not do what is asked of it.
    #[error("TLS cannot be set up: {0}")]
    Cryptography(#[source] rustls::Error),
}

impl Error {
    /// Whether it is the private key that is wrong, where a certificate and its key are read.
    pub fn is_of_key(&self) -> bool {
        matches!(
            self,
            Self::NoKey | Self::EncryptedKey | Self::KeyMismatch | Self::DamagedPem { what: "private key", .. }
        )
    }

    /// What a failed handshake failed of.
    pub(crate) fn of_handshake(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(inner @ rustls::Error::InvalidCertificate(_)) => Self::Untrusted(inner.clone()),
            Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => Self::NotTls,
            _ => Self::Handshake(error),
        }
    }

    /// What is wrong with a certificate and its key.
    pub(crate) fn of_certificate(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch) => Self::KeyMismatch,
            error => Self::Certificate(error),
        }
    }

    /// What is wrong with a PEM file, where it is not that nothing was found in it.
    pub(crate) fn of_pem(what: &'static str, source: pem::Error) -> Self {
        Self::DamagedPem { what, source }
    }
}
