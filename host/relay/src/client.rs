//! What the relay knows of a client: where it comes from, how it came, who it is.

use std::net::IpAddr;
use std::sync::Arc;

use posthouse_mail::received::Protocol;

/// The facts on one client connection. They grow: PROXY and XCLIENT name the true address, TLS and
/// AUTH add theirs.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address; behind a proxy, the one that the proxy names.
    pub address: IpAddr,
    /// Whether the channel is encrypted.
    pub tls: bool,
    /// The login that it proved, or that its network is mapped to.
    pub login: Option<Arc<str>>,
    /// The login that its network is mapped to.
    pub network_login: Option<Arc<str>>,
    /// The HELO name that a named network vouched for by XCLIENT.
    pub helo: Option<String>,
}

impl Client {
    /// A client that has only just connected.
    pub fn new(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), tls: false, login: None, network_login: None, helo: None }
    }

    /// The protocol as the Received field says it.
    pub fn protocol(&self, extended: bool, utf8: bool) -> Protocol {
        Protocol { extended, utf8, tls: self.tls, authenticated: self.login.is_some() }
    }
}
