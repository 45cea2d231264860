//! Connections to the admin address: bounded in number, in time, and in what they may send before they are heard.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use posthouse_net::acceptor::Acceptor;
use posthouse_net::stream::Stream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tracing::debug;

use super::{Accepting, Admin, routes};

/// Connections at a time; more are closed at once.
const CONNECTIONS: usize = 256;
/// How long a TLS handshake may take, and the header of each request; also how long a connection may be idle.
const PATIENCE: Duration = Duration::from_secs(10);
/// About the most octets of a request's header, and of what is read ahead of a body: what one read brings is looked at.
const HEADER: usize = 32 * 1024;
/// The most fields of it.
const FIELDS: usize = 64;

/// Whose connection a request came by.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// The client's address.
    pub(super) address: IpAddr,
    /// Our own address on the connection.
    pub(super) ours: IpAddr,
    /// Ends the connection of a client that does not read.
    pub(super) hang_up: Arc<Notify>,
}

/// Accepts connections as long as the process lives.
pub(super) async fn accept(mut listener: Accepting, admin: Admin) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (router, aside) = (routes::router(&admin), Arc::clone(&admin.control.aside));
    loop {
        let (stream, peer) = listener.accept().await;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            debug!(%peer, "admin: too many connections");
            continue;
        };
        // The certificate of now: a reload between two connections shows in the second.
        let tls = admin.snapshot().admin_tls.clone();
        let router = router.clone();
        aside.spawn(async move {
            if let Err(reason) = serve(stream, peer, tls, router).await {
                debug!(%peer, reason, "admin: connection ended");
            }
            drop(place);
        });
    }
}

async fn serve(mut stream: Stream, peer: SocketAddr, tls: Option<Acceptor>, router: Router) -> Result<(), String> {
    let ours = stream.local_address().map_err(|error| error.to_string())?.ip().to_canonical();
    if let Some(acceptor) = tls {
        let handshake = timeout(PATIENCE, stream.accept_tls(&acceptor)).await;
        handshake.map_err(|_| "TLS handshake timed out".to_owned())?.map_err(|error| error.to_string())?;
    }
    let hang_up = Arc::new(Notify::new());
    let peer = Peer { address: peer.ip().to_canonical(), ours, hang_up: Arc::clone(&hang_up) };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADER)
        .max_headers(FIELDS)
        .serve_connection(TokioIo::new(stream.into_octets()), service);
    tokio::select! {
        ended = connection => ended.map_err(|error| error.to_string()),
        () = hang_up.notified() => Err("the client does not read".to_owned()),
    }
}
