//! The ports of a simulator: each can be closed, so that the host refuses connections, and opened again.
//!
//! Connections outlive their port. What is running ends when this is dropped.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use posthouse_net::listen::Listener;
use tokio::task::{JoinHandle, JoinSet};

use crate::connection::{self, Port};
use crate::provider::Provider;
use crate::world::World;

type Connections = Arc<Mutex<JoinSet<()>>>;

/// A port that mail is taken on.
#[derive(Debug)]
struct MailPort {
    provider: Provider,
    port: Port,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// All ports that mail is taken on.
#[derive(Debug)]
pub(crate) struct Ports {
    world: Arc<World>,
    ports: Mutex<Vec<MailPort>>,
    connections: Connections,
}

impl Ports {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world, ports: Mutex::default(), connections: Connections::default() }
    }

    /// Listens on this port of this host.
    pub(crate) fn open(&self, provider: Provider, port: Port, number: u16) -> io::Result<SocketAddr> {
        let listener = Listener::bind(loopback(number))?;
        let address = listener.local_address()?;
        let accepting = Some(self.accept(listener, provider, port));
        self.ports().push(MailPort { provider, port, address, accepting });
        Ok(address)
    }

    pub(crate) fn address(&self, provider: Provider, port: Port) -> Option<SocketAddr> {
        self.ports().iter().find(|one| one.provider == provider && one.port == port).map(|one| one.address)
    }

    /// Refuses connections from now on.
    pub(crate) async fn close(&self, provider: Provider) {
        let mut accepting = Vec::new();
        for port in self.ports().iter_mut().filter(|port| port.provider == provider) {
            accepting.extend(port.accepting.take());
        }
        for task in accepting {
            task.abort();
            // Its socket is closed when it has ended.
            let _ = task.await;
        }
    }

    /// Accepts connections again, on the same ports.
    pub(crate) fn reopen(&self, provider: Provider) -> io::Result<()> {
        for port in self.ports().iter_mut().filter(|port| port.provider == provider && port.accepting.is_none()) {
            let listener = Listener::bind(port.address)?;
            port.accepting = Some(self.accept(listener, provider, port.port));
        }
        Ok(())
    }

    /// Cuts all connections off.
    pub(crate) async fn stop(&self) {
        for provider in Provider::ALL {
            self.close(provider).await;
        }
        let mut connections = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        connections.shutdown().await;
    }

    fn accept(&self, listener: Listener, provider: Provider, port: Port) -> JoinHandle<()> {
        let (world, connections) = (Arc::clone(&self.world), Arc::clone(&self.connections));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await;
                spawn(&connections, connection::serve(stream, provider, port, Arc::clone(&world)));
            }
        })
    }

    fn ports(&self) -> std::sync::MutexGuard<'_, Vec<MailPort>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        for port in self.ports().iter_mut() {
            if let Some(task) = port.accepting.take() {
                task.abort();
            }
        }
        // The accepting tasks hold on to the set until they have ended.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

fn spawn(connections: &Connections, connection: impl Future<Output = ()> + Send + 'static) {
    let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
    while connections.try_join_next().is_some() {}
    connections.spawn(connection);
}

/// A port of this host that nobody else reaches.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
