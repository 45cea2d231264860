//! A session's beginning: the proxy's header, implicit TLS, the network's login; and its end.

use std::net::IpAddr;
use std::sync::Arc;

use posthouse_net::proxy::{self, Proxied};
use posthouse_net::stream::Stream;
use posthouse_smtp::server::{Channel, ServerSession};
use tokio::time::{Instant, timeout};
use tracing::info;

use super::Session;
use crate::admission::Admitted;
use crate::client::Client;
use crate::front::Front;
use crate::listener::{Rules, TlsMode, any_contains};
use crate::shutdown::Draining;

/// Serves one client until it is gone.
pub(crate) async fn serve(
    mut stream: Stream,
    peer: IpAddr,
    rules: Arc<Rules>,
    front: Arc<Front>,
    draining: Draining,
    place: Admitted,
) {
    let id = front.identifiers.session();
    let entered = timeout(rules.timeouts.handshake, enter(&mut stream, peer, &rules)).await;
    let client = match entered {
        Ok(Ok(client)) => client,
        Ok(Err(reason)) => {
            front.metrics.handshake_failures.increment(1);
            info!(session = %id, %peer, reason, "client not let in");
            return;
        }
        Err(_) => {
            front.metrics.handshake_failures.increment(1);
            info!(session = %id, %peer, "client took too long to begin");
            return;
        }
    };
    let mut session = Session::begin(id, stream, client, (rules, front), draining, place);
    info!(session = %id, peer = %session.client.address, listener = session.rules.name, "session begun");
    session.tell_begun();
    if session.client.login.is_some() && !session.is_of_its_tenant() {
        session.close_for_tenant();
    }
    let began = Instant::now();
    let end = session.run().await;
    session.log_end(&end);
    session.tell_ended(&end, began);
    session.stream.close().await;
}

/// PROXY header from named networks, then TLS where it is implicit.
async fn enter(stream: &mut Stream, peer: IpAddr, rules: &Rules) -> Result<Client, String> {
    let (mut client, mut is_named) = (Client::new(peer), true);
    if any_contains(&rules.proxy_protocol_from, client.address) {
        match proxy::read(stream).await.map_err(|error| error.to_string())? {
            Proxied::Client { source, .. } => client = Client::new(source.ip()),
            // The proxy speaks for itself, or for nobody it can name: no network's login comes with that.
            Proxied::Local => is_named = false,
        }
    }
    if let (TlsMode::Implicit, Some(acceptor)) = (rules.tls_mode, &rules.tls) {
        stream.accept_tls(acceptor).await.map_err(|error| error.to_string())?;
        client.tls = true;
    }
    client.network_login = rules.login_of(client.address).filter(|_| is_named).cloned();
    client.is_its_network();
    Ok(client)
}

impl Session {
    fn begin(
        id: crate::identifiers::SessionId,
        stream: Stream,
        client: Client,
        (rules, front): (Arc<Rules>, Arc<Front>),
        draining: Draining,
        place: Admitted,
    ) -> Self {
        let trusted = any_contains(&rules.xclient_from, client.address);
        let settings = if trusted { &rules.protocol_with_xclient } else { &rules.protocol };
        let channel = if client.tls { Channel::Tls } else { Channel::Plaintext };
        let mut protocol = ServerSession::new(Arc::clone(settings), channel);
        if client.login.is_some() {
            protocol.presume_login();
        }
        let deadline = Instant::now() + rules.timeouts.command;
        Self {
            id,
            stream,
            protocol,
            client,
            rules,
            front,
            draining,
            transaction: None,
            transactions: 0,
            in_flight: None,
            unacknowledged: None,
            deadline,
            _place: place,
            of_tenant: None,
        }
    }
}
