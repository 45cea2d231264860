//! The admin address: what operators, tenants and their programs see and change of a relay that runs. The only importer
//! of axum.
//!
//! `connections` carries requests, `guard` looks at where they come from, `routes` lists every endpoint with who may use
//! it, and `access` decides that, for all of them. Nothing here changes anything but by `Control`, and no answer holds a
//! secret.

mod access;
mod body;
mod connections;
mod consent;
mod failure;
mod guard;
mod health;
mod history;
mod page;
mod pausing;
mod policies;
mod routes;
mod status;
mod tenants;
mod tracing;
mod turns;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use posthouse_net::listen::Listener;
use posthouse_net::stream::Stream;
use tokio::sync::watch;

use self::turns::Turns;
use crate::authentication::failures::Failures;
use crate::control::Control;
use crate::doors::{Addresses, next_step};
use crate::front::Front;
use crate::inherited::ADMIN;
use crate::series::Series;
use crate::shutdown::Draining;
use crate::snapshot::Snapshot;

/// What endpoints answer from.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    front: Arc<Front>,
    control: Control,
    addresses: Addresses,
    series: Option<Series>,
    draining: Draining,
    failures: Arc<Failures>,
    turns: Arc<Turns>,
    began: (Instant, SystemTime),
}

/// The admin address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("admin: cannot listen on {address}: {source}{}", next_step(source))]
pub struct NotServed {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: std::io::Error,
}

/// The admin address's socket, which another process may take over.
#[derive(Debug)]
pub(crate) struct AdminDoor {
    socket: OwnedFd,
    accepting: watch::Sender<bool>,
}

impl AdminDoor {
    /// The socket once more, with its name among the listeners'.
    pub(crate) fn duplicate(&self) -> std::io::Result<(String, OwnedFd)> {
        Ok((ADMIN.to_owned(), self.socket.try_clone()?))
    }

    /// Stops accepting. Who connects meanwhile waits.
    pub(crate) fn halt(&self) {
        self.accepting.send_replace(false);
    }

    /// Accepts again.
    pub(crate) fn open(&self) {
        self.accepting.send_replace(true);
    }
}

/// Accepts while it is told to.
#[derive(Debug)]
pub(crate) struct Accepting {
    listener: Listener,
    told: watch::Receiver<bool>,
}

impl Accepting {
    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            if self.told.wait_for(|told| *told).await.is_err() {
                return self.listener.accept().await;
            }
            tokio::select! {
                accepted = self.listener.accept() => return accepted,
                _ = self.told.changed() => {}
            }
        }
    }
}

/// Listens on the admin address, by the socket that came with the process if there is one; says where that is.
///
/// # Errors
/// The address cannot be listened on.
pub(crate) fn bind(
    address: SocketAddr,
    inherited: Option<std::net::TcpListener>,
) -> Result<(Accepting, AdminDoor, SocketAddr), NotServed> {
    let listener = inherited.map_or_else(|| Listener::bind(address), Listener::from_std);
    let open = listener.and_then(|listener| {
        let (accepting, told) = watch::channel(true);
        let (socket, address) = (listener.duplicate()?, listener.local_address()?);
        Ok((Accepting { listener, told }, AdminDoor { socket, accepting }, address))
    });
    open.map_err(|source| NotServed { address, source })
}

/// Serves the admin address until the relay is gone.
pub(crate) fn serve(listener: Accepting, admin: Admin) {
    tokio::spawn(connections::accept(listener, admin));
}

impl Admin {
    /// Of a relay that begins now.
    pub(crate) fn new(
        front: Arc<Front>,
        control: Control,
        addresses: Addresses,
        series: Option<Series>,
        draining: Draining,
    ) -> Self {
        let (failures, began) = (Arc::default(), (Instant::now(), SystemTime::now()));
        let turns = Arc::default();
        Self { front, control, addresses, series, draining, failures, turns, began }
    }

    /// What holds now.
    fn snapshot(&self) -> Arc<Snapshot> {
        self.front.snapshots.current()
    }
}
