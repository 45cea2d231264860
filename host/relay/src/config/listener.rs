//! `[[listeners]]`: the addresses that clients connect to, and what holds there.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::network::Network;

/// One address that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name, unique; in logs and metrics.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: TlsMode,
    /// Its certificate; there is one unless `tls` is none.
    pub certificate: Option<CertificateFiles>,
    /// Whether AUTH is offered.
    pub auth: Auth,
    /// Whether AUTH is taken on a connection that is not encrypted.
    pub auth_over_cleartext: bool,
    /// Networks whose clients are a login without saying so.
    pub networks: Vec<MappedNetwork>,
    /// Proxies whose PROXY protocol v2 header is believed.
    pub proxy_protocol_from: Vec<Network>,
    /// Servers whose XCLIENT is believed.
    pub xclient_from: Vec<Network>,
    /// Whether each recipient is put to the provider before it is answered.
    pub verify_recipients: bool,
    /// Octets of one message: its own figure, or that of `[limits]`.
    pub message_size: u64,
    /// Recipients of one message: its own figure, or that of `[limits]`.
    pub recipients: usize,
}

/// When TLS begins on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    None,
    /// When the client says STARTTLS.
    StartTls,
    /// With the first octet.
    Implicit,
}

/// Whether AUTH is offered. No message is taken from a client without a login either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Whoever is not in one of the listener's networks has to log in.
    Required,
    /// AUTH is not offered: only the listener's networks may send.
    None,
}

/// A certificate's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Clients of this network are this login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedNetwork {
    /// The network.
    pub network: Network,
    /// The login's name.
    pub login: String,
}
