//! A relay that runs: listeners, the admin address, and its end.
//!
//! In a process of its own or inside a test: nothing here reads arguments, files or signals.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::PrometheusHandle;
use posthouse_upstream::replies::unlisted::Shape;
use tracing::error;

use crate::admin::{self, Admin};
use crate::admission::{Connections, ContentMemory};
use crate::authentication::Authentication;
use crate::config::Config;
use crate::config::files::Sources;
use crate::control::{Beginning, Control};
use crate::doors::{Addresses, Doors, NotOpened};
use crate::front::Front;
use crate::generations::archive::Archive;
use crate::identifiers::Identifiers;
use crate::metrics::FrontDoor;
use crate::policies::Policies;
use crate::shutdown::{Shutdown, shutdown};
use crate::snapshot::{BuildError, Snapshot, Snapshots, publish};
use crate::state::{self, StateError};
use crate::trace::Trace;

/// How long idle sessions with providers may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration cannot be used.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The store cannot be opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// A listener's address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] NotOpened),
    /// Nor can the admin address.
    #[error(transparent)]
    Admin(#[from] admin::NotServed),
    /// The system gave no randomness.
    #[error("the system has no randomness")]
    Randomness,
}

/// A relay that runs.
#[derive(Debug)]
pub struct Relay {
    addresses: Addresses,
    admin: Option<SocketAddr>,
    front: Arc<Front>,
    shutdown: Shutdown,
    control: Control,
}

/// Where a configuration comes from: the main file, if it is in one, and all that it is made of.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The main file.
    pub file: Option<PathBuf>,
    /// All files.
    pub sources: Sources,
}

impl Relay {
    /// Starts a relay. `prometheus` shows the metrics of the recorder that was installed, on the admin address; without
    /// it there are none.
    ///
    /// # Errors
    /// The configuration cannot be used, or an address is taken.
    pub async fn start(config: &Config, prometheus: Option<PrometheusHandle>) -> Result<Self, StartError> {
        Self::start_from(Origin::default(), config, prometheus).await
    }

    /// Starts a relay whose configuration can be read again.
    ///
    /// # Errors
    /// The configuration cannot be used, or an address is taken.
    pub async fn start_from(
        origin: Origin,
        config: &Config,
        prometheus: Option<PrometheusHandle>,
    ) -> Result<Self, StartError> {
        let config_at_start = Arc::new(config.clone());
        let opening = Arc::clone(&config_at_start);
        let store = tokio::task::spawn_blocking(move || state::open(&opening)).await;
        let store = store.expect("opening the store does not panic")?;
        let archive = store.clone().map_or_else(Archive::default, Archive::of);
        let policies = Arc::new(Policies::open(config, archive).map_err(BuildError::Policies)?);
        let first = Snapshot::first(config_at_start, &policies, store).await?;
        for refused in first.refused_policies.iter() {
            error!(%refused, "this tenant's mail is deferred: its policy is not taken");
        }
        policies.write_down(&first.stages).await;
        let (publisher, snapshots) = publish(first);
        let front = Arc::new(front(config, snapshots)?);
        let (shutdown, draining) = shutdown();
        let mut doors = Doors::new(Arc::clone(&front), draining.clone());
        let addresses = doors.addresses();
        // Every listener is bound before any accepts: a relay that starts has all its doors.
        let bound = doors.bind(&config.listeners)?;
        let admin = config.admin.as_ref().map(|admin| admin::bind(admin.listen)).transpose()?;
        doors.open(&config.listeners, bound);
        let watcher = draining.watcher();
        let Origin { file, sources } = origin;
        let control = Control::begin(Beginning { publisher, policies, doors, file, sources }, draining);
        let admin = admin.map(|(listener, address)| {
            let (front, addresses) = (Arc::clone(&front), addresses.clone());
            admin::serve(listener, Admin::new(front, control.clone(), addresses, prometheus, watcher));
            address
        });
        Ok(Self { addresses, admin, front, shutdown, control })
    }

    /// Changes it while it runs.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// What holds now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.front.snapshots.current()
    }

    /// Why tenants' policies were not taken.
    pub fn refused_policies(&self) -> Vec<String> {
        self.front.snapshots.current().refused_policies.to_vec()
    }

    /// The replies that the reply table does not explain, by their shape, and how often each came.
    pub fn unlisted_replies(&self) -> Vec<(Shape, u64)> {
        self.front.snapshots.current().replies.unlisted().shapes()
    }

    /// Where the listener of this name listens.
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        self.addresses.of(listener)
    }

    /// All listeners, by name.
    pub fn addresses(&self) -> HashMap<String, SocketAddr> {
        self.addresses.all()
    }

    /// Where the admin address is.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Ends the relay: what is in flight finishes, at most within the grace; says how many sessions
    /// were cut off.
    pub async fn stop(self) -> usize {
        let grace = self.front.snapshots.current().config.timeouts.shutdown_grace;
        let left = self.shutdown.drain(grace).await;
        let snapshot = self.front.snapshots.current();
        let accounts = snapshot.accounts().cloned();
        let goodbyes: tokio::task::JoinSet<()> =
            accounts.map(|account| async move { account.pool().close_idle().await }).collect();
        let _ = tokio::time::timeout(GOODBYE, goodbyes.join_all()).await;
        left
    }
}

fn front(config: &Config, snapshots: Snapshots) -> Result<Front, StartError> {
    let [mut key, mut trace_key] = [[0; 32]; 2];
    getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut trace_key)).map_err(|_| StartError::Randomness)?;
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Front {
        snapshots,
        authentication: Authentication::new(key),
        connections: Connections::new(config.limits.connections, config.limits.connections_per_address),
        content_memory: ContentMemory::new(config.limits.content_memory),
        identifiers: Identifiers::new(started.as_secs()),
        trace: Trace::new(trace_key),
        metrics: FrontDoor::register(),
    })
}
