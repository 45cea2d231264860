//! What has to be equal for two deliveries to share sessions.
//!
//! A session is authenticated: whoever gets a wrong one sends as somebody else. So the key is
//! written down here, field by field, and not gathered from whatever is at hand. Pools live across
//! reloads of the configuration; a pool is kept only while its key stays the same.

use std::net::IpAddr;

use posthouse_smtp::client::TlsRule;

use crate::transport::Transport;

/// The identity of one account's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolKey {
    /// Two tenants may use the same mailbox by grants of their own: neither may ride on a session
    /// that the other one's grant has opened, nor use up its share of sessions.
    pub tenant: String,
    /// Two accounts of a tenant are separate for the provider's limits, even on one host.
    pub account: String,
    /// A session logged in as one mailbox would send another's mail in its name. Not implied by
    /// the account: an account keeps its name when its user is corrected.
    pub user: String,
    /// A session speaks one protocol only.
    pub transport: Transport,
    /// A session to the old host must not serve after an account has moved to another one.
    pub host: String,
    /// The submission ports of one host may be different services with different rules.
    pub port: u16,
    /// A session that was opened without TLS must not serve once TLS is demanded.
    pub tls: TlsRule,
    /// The peer was checked to be this name; for another name it has never been checked.
    pub server_name: String,
    /// Which roots vouched for the peer (a name or digest): trust withdrawn is withdrawn from the
    /// sessions that it opened as well.
    pub trust: String,
    /// Mail that is to leave from one address must not leave from another one.
    pub source: Option<IpAddr>,
    /// The peer was greeted with this name and may show it in what it writes into messages.
    pub hostname: String,
}
