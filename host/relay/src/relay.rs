//! A relay that runs: listeners, the admin address, and its end.
//!
//! In a process of its own or inside a test: nothing here reads arguments, files or signals.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthouse_store::store::Store;
use posthouse_upstream::replies::unlisted::Shape;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::error;

use crate::account::forget_logins;
use crate::admin::{self, Accepting, Admin, AdminDoor};
use crate::admission::{Connections, ContentMemory};
use crate::alerts;
use crate::aside::Aside;
use crate::audit::Audit;
use crate::authentication::Authentication;
use crate::config::Config;
use crate::config::files::Sources;
use crate::control::{Beginning, Control};
use crate::doors::{Addresses, Bound, Doors, NotOpened};
use crate::front::Front;
use crate::generations::archive::Archive;
use crate::handover::failure::NotTakenOver;
use crate::handover::predecessor::Taking;
use crate::handover::shares::leave;
use crate::handover::successor::Successor;
use crate::identifiers::Identifiers;
use crate::inherited::{Inherited, NotInherited};
use crate::keeper::Keeper;
use crate::metrics::FrontDoor;
use crate::policies::Policies;
use crate::series::Series;
use crate::shutdown::{Draining, Shutdown, shutdown};
use crate::snapshot::{BuildError, Publisher, Snapshot, Snapshots, publish};
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
    /// A socket that came with the process has no listener.
    #[error(transparent)]
    Inherited(#[from] NotInherited),
    /// The system gives no threads.
    #[error("the system gives no more threads: {0}")]
    Threads(std::io::Error),
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
    keeper: Option<Keeper>,
    /// Follows the process whose place this one has taken.
    before: Option<JoinHandle<()>>,
}

/// What a relay begins with that was there before it.
#[derive(Debug, Default)]
pub struct Beginnings {
    /// Sockets that are open already.
    pub inherited: Inherited,
    /// The second with which the session ids of the process began whose place it takes.
    pub started_before: Option<u32>,
}

/// A relay that lacks nothing and has not opened its doors.
#[derive(Debug)]
pub struct Prepared {
    origin: Origin,
    publisher: Publisher,
    policies: Arc<Policies>,
    audit: Arc<Audit>,
    front: Arc<Front>,
    shutdown: Shutdown,
    draining: Draining,
    doors: Doors,
    bound: Bound,
    admin: Option<(Accepting, AdminDoor, SocketAddr)>,
    series: Option<Series>,
    aside: Arc<Aside>,
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
    /// Starts a relay. `series` are the metrics of the recorder that was installed, shown on the admin address; without
    /// them there are none.
    ///
    /// # Errors
    /// The configuration cannot be used, or an address is taken.
    pub async fn start(config: &Config, series: Option<Series>) -> Result<Self, StartError> {
        Self::start_from(Origin::default(), config, series).await
    }

    /// Starts a relay whose configuration can be read again.
    ///
    /// # Errors
    /// The configuration cannot be used, or an address is taken.
    pub async fn start_from(origin: Origin, config: &Config, series: Option<Series>) -> Result<Self, StartError> {
        Ok(Self::prepare(origin, config, series, Beginnings::default()).await?.open())
    }

    /// Makes everything of a relay that can fail, the store among it, and opens no door yet.
    ///
    /// # Errors
    /// The configuration cannot be used, an address is taken, or a socket that came with the process is nobody's.
    pub async fn prepare(
        origin: Origin,
        config: &Config,
        series: Option<Series>,
        beginnings: Beginnings,
    ) -> Result<Prepared, StartError> {
        let Beginnings { inherited, started_before } = beginnings;
        let config_at_start = Arc::new(config.clone());
        let opening = Arc::clone(&config_at_start);
        let store = tokio::task::spawn_blocking(move || state::open(&opening)).await;
        let store = store.expect("opening the store does not panic")?;
        let archive = store.clone().map_or_else(Archive::default, Archive::of);
        let policies = Arc::new(Policies::open(config, archive).map_err(BuildError::Policies)?);
        let audit = Arc::new(recall(store.clone(), &policies, config).await?);
        let first = Snapshot::first(config_at_start, &policies, store.clone()).await?;
        for refused in first.refused_policies.iter() {
            error!(%refused, "this tenant's mail is deferred: its policy is not taken");
        }
        // One that is to take another's place writes down what is new once it has that: until then it may come to nothing.
        if started_before.is_none() {
            policies.write_down(&first.stages).await;
        }
        let (publisher, snapshots) = publish(first);
        let front = Arc::new(front(config, snapshots, started_before)?);
        let (shutdown, draining) = shutdown();
        let doors = Doors::new(Arc::clone(&front), draining.clone());
        // Every listener is bound before any accepts: a relay that starts has all its doors.
        let mut claimed = inherited.claim(&config.listeners, config.admin.as_ref().map(|admin| admin.listen))?;
        let admin = config.admin.as_ref().map(|admin| admin::bind(admin.listen, claimed.admin.take())).transpose()?;
        let bound = doors.bind(&config.listeners, claimed)?;
        let aside = Aside::new().map_err(StartError::Threads)?;
        // As late as this: a start that comes to nothing leaves a release of before what it knows.
        if let (None, Some(store)) = (started_before, store) {
            let forgotten = tokio::task::spawn_blocking(move || forget_logins(&store)).await;
            forgotten.expect("writing the store does not panic").map_err(BuildError::Store)?;
        }
        Ok(Prepared {
            origin,
            publisher,
            policies,
            audit,
            front,
            shutdown,
            draining,
            doors,
            bound,
            admin,
            series,
            aside,
        })
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

    /// How things stand in a few words, at each moment that it is asked.
    pub fn standing(&self) -> impl Fn() -> String + Send + Sync + 'static {
        let front = Arc::clone(&self.front);
        move || {
            let generation = front.snapshots.current().generation;
            format!("relaying: generation {generation}, sessions {}", front.connections.standing().0)
        }
    }

    /// Ends the relay, whose place another process has taken: as [`Self::stop`], while the other one gets each mailbox's
    /// sessions as they are needed no more. One whose place this one took is waited for.
    pub async fn hand_on(mut self, successor: Successor) -> usize {
        let before = self.before.take();
        let (ended, until_ended) = oneshot::channel();
        let endowing = tokio::spawn(successor.endow(until_ended));
        let left = self.stop().await;
        if let Some(before) = before {
            let _ended = before.await;
        }
        let _nobody_to_tell = ended.send(());
        let _told = timeout(GOODBYE, endowing).await;
        left
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
        let _ = timeout(GOODBYE, goodbyes.join_all()).await;
        if let Some(keeper) = self.keeper {
            keeper.end().await;
        }
        left
    }
}

impl Prepared {
    /// Opens the doors.
    pub fn open(self) -> Relay {
        let Self {
            origin,
            publisher,
            policies,
            audit,
            front,
            shutdown,
            draining,
            mut doors,
            bound,
            admin,
            series,
            aside,
        } = self;
        let addresses = doors.addresses();
        doors.open(&publisher.current().config.listeners, bound);
        let watcher = draining.watcher();
        let Origin { file, sources } = origin;
        let (admin, serving) = admin.map(|(accepting, door, address)| (door, (accepting, address))).unzip();
        let keeper = publisher.current().store().cloned().map(|store| {
            let keeper = Keeper { store, audit: Arc::clone(&audit), policies: Arc::clone(&policies) };
            keeper.begin(draining.watcher());
            keeper
        });
        alerts::begin(front.snapshots.clone(), &draining);
        let beginning = Beginning { publisher, policies, audit, doors, admin, aside, file, sources };
        let control = Control::begin(beginning, &draining);
        let admin = serving.map(|(accepting, address)| {
            let (front, addresses) = (Arc::clone(&front), addresses.clone());
            admin::serve(accepting, Admin::new(front, control.clone(), addresses, series, watcher));
            address
        });
        Relay { addresses, admin, front, shutdown, control, keeper, before: None }
    }

    /// Opens the doors in the place of a process that accepts no more, and follows that until it has ended. `main` hears
    /// when the service manager knows this process.
    ///
    /// # Errors
    /// The process before is gone.
    pub async fn open_after(mut self, before: Taking, main: oneshot::Sender<()>) -> Result<Relay, NotTakenOver> {
        self.bound.listen()?;
        let leaving = self.bound.leaving(&self.publisher.current().config.listeners);
        self.doors.expect(&leaving);
        let draining = self.draining.clone();
        leave(&self.front, &before.left);
        self.policies.write_down(&self.publisher.current().stages).await;
        let mut relay = self.open();
        let staying = leaving.stay(&relay.front, &draining);
        let following = before.open().await?;
        relay.before = Some(tokio::spawn(following.follow(Arc::clone(&relay.front), (main, staying))));
        Ok(relay)
    }
}

/// What was kept of the life before: the audit log, and what policies left behind. (Pauses come with the first snapshot.)
async fn recall(store: Option<Arc<Store>>, policies: &Arc<Policies>, config: &Config) -> Result<Audit, BuildError> {
    let Some(store) = store else { return Ok(Audit::default()) };
    let with_policy = config.tenants.iter().filter(|tenant| tenant.policy.is_some());
    let (policies, tenants) = (Arc::clone(policies), with_policy.map(|tenant| tenant.id.clone()).collect::<Vec<_>>());
    let recalled = tokio::task::spawn_blocking(move || {
        policies.restore(&store, &tenants)?;
        Ok(Audit::stored(&store.audit().list(Audit::KEPT, None)?))
    });
    recalled.await.expect("reading the store does not panic")
}

fn front(config: &Config, snapshots: Snapshots, started_before: Option<u32>) -> Result<Front, StartError> {
    let [mut key, mut trace_key] = [[0; 32]; 2];
    getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut trace_key)).map_err(|_| StartError::Randomness)?;
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Front {
        snapshots,
        authentication: Authentication::new(key),
        connections: Connections::new(config.limits.connections, config.limits.connections_per_address),
        content_memory: ContentMemory::new(config.limits.content_memory),
        identifiers: Identifiers::new(started.as_secs(), started_before),
        trace: Trace::new(trace_key),
        metrics: FrontDoor::register(),
    })
}
