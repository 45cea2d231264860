//! The client's side: TCP to the first address that answers, and TLS that is always verified.
//!
//! A connector holds no connections. The sessions that it remembers to resume belong to whoever
//! shares its trusted roots: they shorten a handshake, and say nothing of a login.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::lookup_host;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::Error;
use crate::stream::Stream;

pub(crate) mod race;

/// Server names whose sessions are kept to be resumed, each with a few tickets of a kilobyte.
const RESUMED: usize = 64;

/// Whom to trust.
#[derive(Clone)]
pub enum Trust {
    /// The roots that the system trusts, as they are now.
    System,
    /// These certificates, in PEM, and nobody else.
    Pem(Vec<u8>),
}

/// Connects. Cheap to clone; the clones share what they remember of TLS sessions.
#[derive(Clone)]
pub struct Connector(TlsConnector);

impl Connector {
    /// A connector that trusts these roots.
    ///
    /// # Errors
    /// There are none, or one of the given ones is damaged.
    pub fn new(trust: &Trust) -> Result<Self, Error> {
        let roots = match trust {
            Trust::System => roots_of_the_system()?,
            Trust::Pem(pem) => roots_in(pem)?,
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Cryptography)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(RESUMED);
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// A TCP connection to that one of the host's addresses which answers first, from `source` if
    /// given. How long it may take is the caller's to say.
    ///
    /// # Errors
    /// The name has no address, or none of them answers; the error is that of the last.
    pub async fn connect_tcp(&self, host: &str, port: u16, source: Option<IpAddr>) -> io::Result<Stream> {
        let addresses = lookup_host((host, port)).await?;
        race::first_to_answer(addresses, source).await.map(Stream::plain)
    }

    pub(crate) fn tls(&self) -> &TlsConnector {
        &self.0
    }

    pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(name.to_owned()).map_err(|_| Error::ServerName(name.to_owned()))
    }
}

/// Systems carry roots that no parser likes; one of them spoils nothing.
fn roots_of_the_system() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reason = found.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
        return Err(Error::NoSystemRoots { reason });
    }
    Ok(roots)
}

/// What the operator names is meant, all of it.
fn roots_in(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|source| Error::of_pem("certificate", source))?;
        roots.add(certificate).map_err(Error::Root)?;
    }
    if roots.is_empty() { Err(Error::NoCertificate) } else { Ok(roots) }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "the system's roots",
            Self::Pem(_) => "given roots",
        })
    }
}

#[cfg(test)]
mod tests;
