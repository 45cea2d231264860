//! The client's side: TCP to the first address that answers, and TLS that is always verified.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpSocket, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::Error;
use crate::stream::Stream;

/// TLS sessions that are kept to be resumed. A ticket is a kilobyte; providers have few names.
const RESUMED: usize = 64;

/// Whom to trust.
#[derive(Clone)]
pub enum Trust {
    /// The roots that the system trusts.
    System,
    /// These certificates, in PEM, and nobody else.
    Pem(Vec<u8>),
}

/// Connects.
#[derive(Clone)]
pub struct Connector(TlsConnector);

impl Connector {
    /// A connector that trusts these roots.
    ///
    /// # Errors
    /// There are none.
    pub fn new(trust: &Trust) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        match trust {
            Trust::System => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Trust::Pem(pem) => {
                roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
            }
        }
        if roots.is_empty() {
            return Err(Error::NoRoots);
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Certificate)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(RESUMED);
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// A TCP connection to the first of the host's addresses that answers, from `source` if given.
    ///
    /// # Errors
    /// None answers; the error is that of the last.
    pub async fn connect_tcp(&self, host: &str, port: u16, source: Option<IpAddr>) -> io::Result<Stream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address of the source's family");
        for address in lookup_host((host, port)).await? {
            if source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) {
                continue;
            }
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            if let Some(source) = source {
                socket.bind(SocketAddr::new(source, 0))?;
            }
            match socket.connect(address).await {
                Ok(socket) => return Ok(Stream::plain(socket)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(crate) fn tls(&self) -> &TlsConnector {
        &self.0
    }

    pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(name.to_owned()).map_err(|_| Error::ServerName(name.to_owned()))
    }
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
