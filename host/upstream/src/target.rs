//! Where an account's mail is handed over, and how it is reached.

use std::fmt;
use std::net::IpAddr;

use posthouse_net::connector::Connector;
use posthouse_smtp::client::TlsRule;

use crate::provider::ProviderKind;
use crate::transport::Transport;

/// A provider's submission service, as one account reaches it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The dialect of its replies.
    pub provider: ProviderKind,
    /// The protocol by which it takes mail.
    pub transport: Transport,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected. [`TlsRule::None`] is for loopback and explicit choice only.
    pub tls: TlsRule,
    /// The name that the certificate has to bear; as a rule the host.
    pub server_name: String,
    /// The roots that the certificate is checked against.
    pub connector: Connector,
    /// The local address to connect from; `None` leaves it to the system.
    pub source: Option<IpAddr>,
    /// The argument of EHLO.
    pub hostname: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
