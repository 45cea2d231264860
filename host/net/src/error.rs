//! What can go wrong between two hosts, by whose doing it is.

use std::io;

use tokio_rustls::rustls;

/// Why TLS did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Peer: the handshake failed; its certificate is not trusted, or it speaks no TLS.
    #[error("TLS handshake failed: {0}")]
    Handshake(#[source] io::Error),
    /// Us: the stream is encrypted already, or was given up.
    #[error("the stream cannot be encrypted: it is already, or it is closed")]
    NotPlain,
    /// Operator: the name that the certificate is to bear is no host name.
    #[error("`{0}` is no host name that a certificate could bear")]
    ServerName(String),
    /// Operator: the certificate file holds no certificate.
    #[error("no certificate found; PEM with `BEGIN CERTIFICATE` is expected")]
    NoCertificate,
    /// Operator: the key file holds no usable key.
    #[error("no private key found; unencrypted PEM (PKCS#8, PKCS#1 or SEC1) is expected")]
    NoKey,
    /// Operator: certificate and key do not belong together, or are of no known kind.
    #[error("certificate and key cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
    /// Operator: there is nothing to verify a peer's certificate against.
    #[error("no trusted roots: install the system's CA certificates (package ca-certificates) or name a ca_file")]
    NoRoots,
    /// Peer: its PROXY header is none.
    #[error("no PROXY protocol header of version 2: {0}")]
    Proxy(&'static str),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}
