//! Sockets whose place others have taken at the same port (`0.0.0.0:25` became `127.0.0.1:25`, or the reverse): until they
//! are closed, the kernel may lead clients to them.
//!
//! Invariant: whoever comes by one is served by the listener that has the address now at which it came, and by none where
//! nobody has that.
//!
//! # Race window
//! A client that connects in the last moments of a socket, which is [`HANDSHAKE`], is served a second later, when its
//! system tries again. One whose handshake takes longer than that is refused, and has to connect again.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use posthouse_net::listen::Listener;
use posthouse_net::stream::Stream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::debug;

use crate::config::listener::Listener as Settings;
use crate::front::Front;
use crate::listener::let_in;
use crate::shutdown::Draining;

/// How long handshakes that have begun may take when a socket is closed: longer than most ways there and back.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// Such sockets, and who is where now.
#[derive(Debug)]
pub(crate) struct Leaving {
    sockets: Vec<Arc<Listener>>,
    listeners: Arc<Vec<(String, SocketAddr)>>,
}

/// They stay open until this is dropped.
#[derive(Debug)]
pub(crate) struct Staying {
    _until: Vec<oneshot::Sender<()>>,
}

impl Leaving {
    /// Those of these sockets at whose port one of these listeners is; the others are closed.
    pub(super) fn of(sockets: Vec<Arc<Listener>>, listeners: &[Settings]) -> Self {
        let listeners: Vec<_> =
            listeners.iter().map(|Settings { name, address, .. }| (name.clone(), *address)).collect();
        let is_taken = |port: u16| listeners.iter().any(|(_, address)| address.port() == port);
        let stays = |socket: &Arc<Listener>| socket.local_address().is_ok_and(|address| is_taken(address.port()));
        Self { sockets: sockets.into_iter().filter(stays).collect(), listeners: Arc::new(listeners) }
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = Weak<Listener>> {
        self.sockets.iter().map(Arc::downgrade)
    }

    /// Serves whoever comes until the answer is dropped, since another process may still have the same sockets; then they
    /// are closed.
    pub(crate) fn stay(self, front: &Arc<Front>, draining: &Draining) -> Staying {
        let Self { sockets, listeners } = self;
        let staying = sockets.into_iter().map(|socket| {
            let (staying, over) = oneshot::channel();
            let (listeners, front, draining) = (Arc::clone(&listeners), Arc::clone(front), draining.clone());
            tokio::spawn(serve(socket, listeners, front, draining, over));
            staying
        });
        Staying { _until: staying.collect() }
    }
}

async fn serve(
    socket: Arc<Listener>,
    listeners: Arc<Vec<(String, SocketAddr)>>,
    front: Arc<Front>,
    mut draining: Draining,
    mut over: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            biased;
            _ = &mut over => break,
            () = draining.begun() => return,
            client = socket.accept() => serve_one(client, &listeners, &front, &draining).await,
        }
    }
    if let Err(error) = socket.hear_no_new_client() {
        debug!(%error, "a client that connects while a socket is closed may have to connect again");
    }
    let last = async {
        loop {
            serve_one(socket.accept().await, &listeners, &front, &draining).await;
        }
    };
    let _over = timeout(HANDSHAKE, last).await;
    while let Some(client) = socket.accept_waiting() {
        serve_one(client, &listeners, &front, &draining).await;
    }
}

async fn serve_one(
    (stream, peer): (Stream, SocketAddr),
    listeners: &[(String, SocketAddr)],
    front: &Arc<Front>,
    draining: &Draining,
) {
    let at = stream.local_address().ok();
    if let Some(name) = at.and_then(|at| listener_at(at, listeners)) {
        let_in((stream, peer), name, front, draining).await;
    }
}

/// The listener that is at this address: one of that very address before one of all addresses.
fn listener_at(at: SocketAddr, listeners: &[(String, SocketAddr)]) -> Option<&str> {
    let ip = at.ip().to_canonical();
    let here = |wanted: IpAddr| {
        let is_it = move |(_, address): &&(String, SocketAddr)| address.port() == at.port() && address.ip() == wanted;
        listeners.iter().find(is_it)
    };
    let all = match ip {
        IpAddr::V4(_) => IpAddr::from([0_u8; 4]),
        IpAddr::V6(_) => IpAddr::from([0_u16; 8]),
    };
    here(ip).or_else(|| here(all)).map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::listener_at;

    #[test]
    fn a_client_is_the_listener_s_that_has_the_address_at_which_it_came() {
        let listeners = [("wide", "0.0.0.0:25"), ("narrow", "127.0.0.1:2525"), ("six", "[::]:26")];
        let listeners = listeners.map(|(name, address)| (name.to_owned(), address.parse().expect("an address")));
        let at = |address: &str| listener_at(address.parse().expect("an address"), &listeners);
        assert_eq!(at("127.0.0.1:25"), Some("wide"));
        assert_eq!(at("192.0.2.1:25"), Some("wide"));
        assert_eq!(at("127.0.0.1:2525"), Some("narrow"));
        assert_eq!(at("192.0.2.1:2525"), None, "nobody listens there any more");
        assert_eq!(at("[2001:db8::1]:26"), Some("six"));
        assert_eq!(at("[2001:db8::1]:25"), None);
        assert_eq!(at("[::ffff:127.0.0.1]:25"), Some("wide"), "by a socket of both families");
    }
}
