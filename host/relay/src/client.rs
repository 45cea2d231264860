//! What the relay knows of a client: where it comes from, how it came, who it is.

use std::net::IpAddr;
use std::sync::Arc;

use posthouse_mail::received::Protocol;

use crate::snapshot::Known;

/// The facts on one client connection. They grow: PROXY and XCLIENT name the true address, TLS and
/// AUTH add theirs.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address; behind a proxy, the one that the proxy names.
    pub address: IpAddr,
    /// Whoever speaks on the connection: another one, where XCLIENT named a client.
    pub speaker: IpAddr,
    /// Whether the channel is encrypted.
    pub tls: bool,
    /// The login that it proved, or that its network is mapped to.
    pub login: Option<Arc<str>>,
    /// What it proved to be that login; none where its network says so.
    pub proof: Option<Proof>,
    /// The login that its network is mapped to.
    pub network_login: Option<Arc<str>>,
    /// The HELO name that a named network vouched for by XCLIENT.
    pub helo: Option<String>,
}

/// A login as it was when its password was verified. A session outlives generations: a name may be another tenant's
/// tomorrow, and a password that was taken away is to open nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    tenant: String,
    hash: Option<String>,
}

impl Proof {
    /// Of a login whose password was verified.
    pub fn of(known: &Known) -> Self {
        Self { tenant: known.tenant.id.clone(), hash: known.login.password.clone() }
    }
}

impl Client {
    /// A client that has only just connected.
    pub fn new(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, speaker: address, tls: false, login: None, proof: None, network_login: None, helo: None }
    }

    /// It is somebody else now: whoever its network is, if anybody.
    pub fn is_its_network(&mut self) {
        self.login.clone_from(&self.network_login);
        self.proof = None;
    }

    /// The protocol as the Received field says it.
    pub fn protocol(&self, extended: bool, utf8: bool) -> Protocol {
        Protocol { extended, utf8, tls: self.tls, authenticated: self.login.is_some() }
    }
}
