//! A relay that runs: listeners, the admin address, and its end.
//!
//! In a process of its own or inside a test: nothing here reads arguments, files or signals.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::PrometheusHandle;
use posthouse_net::listen::Listener;
use tracing::{error, info};

use crate::admin;
use crate::admission::{Connections, ContentMemory};
use crate::authentication::Authentication;
use crate::config::Config;
use crate::front::Front;
use crate::identifiers::Identifiers;
use crate::listener;
use crate::metrics::FrontDoor;
use crate::policies::Policies;
use crate::shutdown::{Draining, Shutdown, shutdown};
use crate::snapshot::{BuildError, Publisher, Snapshot, publish};

/// How long idle sessions with providers may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration cannot be used.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// An address cannot be listened on.
    #[error("{what}: cannot listen on {address}: {source}")]
    Listen {
        /// The listener, or the admin address.
        what: String,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gave no randomness.
    #[error("the system has no randomness")]
    Randomness,
}

/// A relay that runs.
#[derive(Debug)]
pub struct Relay {
    addresses: HashMap<String, SocketAddr>,
    admin: Option<SocketAddr>,
    front: Arc<Front>,
    shutdown: Shutdown,
    grace: Duration,
    _publisher: Publisher,
}

impl Relay {
    /// Starts a relay. `prometheus` shows the metrics of the recorder that was installed, on the admin address.
    ///
    /// # Errors
    /// The configuration cannot be used, or an address is taken.
    pub async fn start(config: &Config, prometheus: Option<PrometheusHandle>) -> Result<Self, StartError> {
        let policies = Arc::new(Policies::open(config).map_err(BuildError::Policies)?);
        let (publisher, snapshots) = publish(Snapshot::build(config, &policies).await?);
        for refused in &snapshots.current().refused_policies {
            error!(%refused, "this tenant's mail is deferred: its policy is not taken");
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| StartError::Randomness)?;
        let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let front = Arc::new(Front {
            snapshots,
            authentication: Authentication::new(key),
            content_memory: ContentMemory::new(config.limits.content_memory),
            identifiers: Identifiers::new(started.as_secs()),
            metrics: FrontDoor::register(),
        });
        let (shutdown, draining) = shutdown();
        let addresses = listen(config, &front, &draining)?;
        let admin = match (config.admin, prometheus) {
            (Some(address), Some(prometheus)) => {
                let served = admin::serve(address, Arc::clone(&front), prometheus, draining.watcher()).await;
                Some(served.map_err(|source| StartError::Listen { what: "admin".to_owned(), address, source })?)
            }
            _ => None,
        };
        Ok(Self { addresses, admin, front, shutdown, grace: config.timeouts.shutdown_grace, _publisher: publisher })
    }

    /// Why tenants' policies were not taken.
    pub fn refused_policies(&self) -> Vec<String> {
        self.front.snapshots.current().refused_policies.iter().map(ToString::to_string).collect()
    }

    /// Where the listener of this name listens.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.addresses.get(listener).copied()
    }

    /// All listeners, by name.
    pub fn addresses(&self) -> &HashMap<String, SocketAddr> {
        &self.addresses
    }

    /// Where the admin address is.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Ends the relay: what is in flight finishes, at most within the grace; says how many sessions
    /// were cut off.
    pub async fn stop(self) -> usize {
        let left = self.shutdown.drain(self.grace).await;
        let snapshot = self.front.snapshots.current();
        let accounts = snapshot.tenants.values().flat_map(|tenant| tenant.accounts.values().cloned());
        let goodbyes: tokio::task::JoinSet<()> =
            accounts.map(|account| async move { account.pool().close_idle().await }).collect();
        let _ = tokio::time::timeout(GOODBYE, goodbyes.join_all()).await;
        left
    }
}

/// Binds every listener before any accepts: a relay that starts has all its doors.
fn listen(config: &Config, front: &Arc<Front>, draining: &Draining) -> Result<HashMap<String, SocketAddr>, StartError> {
    let mut bound = Vec::new();
    for listener in &config.listeners {
        let address = listener.address;
        let failed = |source| StartError::Listen { what: format!("listener {}", listener.name), address, source };
        let socket = Listener::bind(address).map_err(failed)?;
        let address = socket.local_address().map_err(failed)?;
        bound.push((listener.name.clone(), address, socket));
    }
    let places = Connections::new(config.limits.connections, config.limits.connections_per_address);
    let mut addresses = HashMap::new();
    for (name, address, socket) in bound {
        info!(listener = name, %address, "listening");
        addresses.insert(name.clone(), address);
        let (front, places) = (Arc::clone(front), Arc::clone(&places));
        tokio::spawn(listener::accept(socket, name, front, places, draining.clone()));
    }
    Ok(addresses)
}
