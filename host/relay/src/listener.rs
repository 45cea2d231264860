//! One listening address: what holds for its clients, and the loop that accepts them.
//!
//! Nothing is read from a client here. Beyond the bounds a client hears 421 at once.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::listen::Listener;
use posthouse_net::stream::Stream;
use posthouse_smtp::server::settings::Settings;
use posthouse_upstream::verdict::Clients;
use tokio::sync::oneshot;
use tracing::{debug, info};

use crate::config::network::Network;
use crate::front::Front;
use crate::session;
use crate::shutdown::Draining;
use crate::validity::Validity;

/// What a client hears that finds no place (RFC 5321 3.8: 421 may answer the connection itself).
const NO_PLACE: &[u8] = b"421 4.3.2 too many connections; try again later\r\n";

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

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For each command (RFC 5321 4.5.3.2.7: 5 minutes).
    pub command: Duration,
    /// For each piece of content (RFC 5321 4.5.3.2.5: 3 minutes).
    pub content: Duration,
    /// For a whole message's content.
    pub message: Duration,
    /// For a TLS handshake, and for a proxy's header.
    pub handshake: Duration,
}

/// The rules of one listener, of one generation.
#[derive(Debug)]
pub struct Rules {
    /// Its name in the configuration.
    pub name: String,
    /// When TLS begins.
    pub tls_mode: TlsMode,
    /// Its certificate, where it has one.
    pub tls: Option<Acceptor>,
    /// How long that is good.
    pub certificate: Option<Validity>,
    /// What the protocol offers and bounds.
    pub protocol: Arc<Settings>,
    /// The same for networks that may say XCLIENT.
    pub protocol_with_xclient: Arc<Settings>,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// Client networks that are a login without saying so.
    pub networks: Vec<(Network, Arc<str>)>,
    /// Whose PROXY header is believed; nobody else's.
    pub proxy_protocol_from: Vec<Network>,
    /// Whose XCLIENT is believed; nobody else's.
    pub xclient_from: Vec<Network>,
    /// What its clients do with a 4yz.
    pub clients: Clients,
    /// Whether each recipient is put to the provider before it is answered.
    pub verify_recipients: bool,
    /// From this size on, content flows through instead of being read whole.
    pub stream_threshold: usize,
}

impl Rules {
    /// The login that this address is mapped to.
    pub fn login_of(&self, address: IpAddr) -> Option<&Arc<str>> {
        self.networks.iter().find(|(network, _)| network.contains(address)).map(|(_, login)| login)
    }
}

/// Whether one of the networks holds the address.
pub fn any_contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Accepts clients until the relay drains, or until `stop`: the socket is given back, with whoever waits at it.
pub(crate) async fn accept(
    listener: Arc<Listener>,
    name: String,
    front: Arc<Front>,
    mut draining: Draining,
    stop: oneshot::Receiver<()>,
) -> Arc<Listener> {
    let mut stop = Some(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = draining.begun() => break,
            () = told(&mut stop) => return listener,
        };
        let_in((stream, peer), &name, &front, &draining).await;
    }
    info!(listener = name, "no longer accepting");
    listener
}

/// Serves a client of the listener of this name, or turns it away.
pub(crate) async fn let_in((stream, peer): (Stream, SocketAddr), name: &str, front: &Arc<Front>, draining: &Draining) {
    // The rules of now: a reload between two connections shows in the second.
    let Some(rules) = front.snapshots.current().listener(name).cloned() else { return };
    let Some(place) = front.connections.admit(peer.ip()) else {
        return turn_away(stream, peer, front).await;
    };
    front.metrics.accepted.increment(1);
    front.metrics.connections.increment(1.0);
    let (front, draining) = (Arc::clone(front), draining.clone());
    tokio::spawn(async move {
        session::serve(stream, peer.ip(), rules, Arc::clone(&front), draining, place).await;
        front.metrics.connections.decrement(1.0);
    });
}

/// Ends when it is told to. Where whoever could tell is gone, nobody will: the door stays open.
async fn told(stop: &mut Option<oneshot::Receiver<()>>) {
    if let Some(receiver) = stop
        && receiver.await.is_ok()
    {
        return;
    }
    *stop = None;
    std::future::pending().await
}

/// Says why. A fresh socket takes a line at once, so that nobody else waits for this; and no task is
/// spawned, so that a flood costs nothing but its own connections.
async fn turn_away(mut stream: Stream, peer: SocketAddr, front: &Front) {
    front.metrics.turned_away.increment(1);
    debug!(%peer, "connection refused: too many");
    let _ = tokio::time::timeout(Duration::from_millis(10), stream.send(NO_PLACE)).await;
}
