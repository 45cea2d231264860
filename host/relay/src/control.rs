//! Whatever changes a relay that runs, one change at a time: load, validate, publish.
//!
//! Changes are carried out by a task of their own, so that nobody who stops waiting for one leaves it half done. The one
//! invariant: a change is published whole, or nothing of it has happened.

mod change;
pub mod consenting;
mod hand_over;
mod offer;
mod pausing;
pub mod policies;
pub mod report;
pub mod sources;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use posthouse_oauth::secret::Secret;
use posthouse_store::generations::Generation;
use tokio::sync::{mpsc, oneshot, watch as channel};
use tracing::error;

use crate::account::state::State;
use crate::admin::AdminDoor;
use crate::aside::Aside;
use crate::audit::{Actor, Audit};
use crate::config::Config;
use crate::config::files::Sources;
use crate::control::change::Plane;
use crate::control::consenting::NotConsented;
use crate::control::offer::{Entrance, Offered};
use crate::control::policies::{Move, Push, Rejected};
use crate::control::report::{Cause, Report, Status};
use crate::doors::Doors;
use crate::handover::failure::NotHandedOver;
use crate::handover::program::Program;
use crate::handover::successor::Successor;
use crate::pauses::{Pause, Subject};
use crate::policies::{Policies, TenantPolicy};
use crate::snapshot::Publisher;

/// Changes that may wait for their turn.
const WAITING: usize = 64;

/// The handle of whoever wants something changed.
#[derive(Debug, Clone)]
pub struct Control {
    requests: mpsc::Sender<Request>,
    entrance: Entrance,
    status: channel::Receiver<Arc<Status>>,
    audit: Arc<Audit>,
    /// Where what is no mail is done.
    pub(crate) aside: Arc<Aside>,
}

/// The relay is ending, and changes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay is ending and takes no changes")]
pub struct Ending;

/// One change, and where its outcome goes.
#[derive(Debug)]
enum Request {
    /// Reads the configuration's files.
    Reload { cause: Cause, actor: Actor, answer: oneshot::Sender<Report> },
    /// Takes this configuration, which is in no file.
    Publish { config: Box<Config>, answer: oneshot::Sender<Report> },
    /// Takes a policy.
    Take { offered: Box<Offered>, answer: oneshot::Sender<Result<Generation, Rejected>> },
    /// Brings a generation to a stage.
    Move { wanted: Move, at_hand: Option<Arc<TenantPolicy>>, answer: oneshot::Sender<Result<Generation, Rejected>> },
    /// Sets a tenant or an account aside for this reason, or ends that.
    Pause { actor: Actor, subject: Subject, reason: Option<String>, answer: oneshot::Sender<Result<Paused, NotPaused>> },
    /// Gives an account a new consent.
    Consent { actor: Actor, subject: Subject, token: Secret, answer: oneshot::Sender<Result<State, NotConsented>> },
    /// Lets a new process take this one's place.
    HandOver { program: Program, answer: oneshot::Sender<Result<Successor, NotHandedOver>> },
}

/// What came of a pause, or of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// The pause that holds now.
    pub pause: Option<Pause>,
    /// Whether that is news.
    pub is_new: bool,
    /// The generation that holds now.
    pub generation: u64,
}

/// Why nothing is paused or resumed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPaused {
    /// There is no such tenant.
    #[error("there is no tenant {0:?}")]
    NoTenant(String),
    /// The tenant has no such account.
    #[error("tenant {tenant:?} has no account {account:?}")]
    NoAccount {
        /// The tenant.
        tenant: String,
        /// The account.
        account: String,
    },
    /// What an operator has paused a tenant does not touch.
    #[error("an operator has paused it: {}", .0.reason)]
    ByOperator(Pause),
    /// The relay is ending.
    #[error(transparent)]
    Ending(#[from] Ending),
}

/// What a control begins with.
pub(crate) struct Beginning {
    pub(crate) publisher: Publisher,
    pub(crate) policies: Arc<Policies>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) doors: Doors,
    pub(crate) admin: Option<AdminDoor>,
    pub(crate) aside: Arc<Aside>,
    /// The main file, where there is one.
    pub(crate) file: Option<PathBuf>,
    /// What the first configuration was made of.
    pub(crate) sources: Sources,
}

impl Control {
    /// Begins; it ends when the relay drains.
    pub(crate) fn begin(beginning: Beginning, draining: &crate::shutdown::Draining) -> Self {
        let (requests, waiting) = mpsc::channel(WAITING);
        let (audit, aside) = (Arc::clone(&beginning.audit), Arc::clone(&beginning.aside));
        // A watcher: the control itself would keep the relay from ending.
        let snapshots = beginning.doors.front().snapshots.clone();
        let entrance = Entrance { snapshots, policies: Arc::clone(&beginning.policies) };
        let (plane, status) = Plane::new(beginning, entrance.clone(), draining.watcher());
        tokio::spawn(async move {
            if tokio::spawn(plane.run(waiting)).await.is_err() {
                error!(
                    "the task that carries changes out has died; mail flows on, and nothing can be changed: restart"
                );
            }
        });
        Self { requests, entrance, status, audit, aside }
    }

    /// Reads the configuration anew and publishes it, if it is good. What came of it is in the report.
    ///
    /// # Errors
    /// The relay is ending.
    pub async fn reload(&self, cause: Cause) -> Result<Report, Ending> {
        self.reload_for(Actor::here(cause.as_str()), cause).await
    }

    /// The same for somebody.
    ///
    /// # Errors
    /// The relay is ending.
    pub async fn reload_for(&self, actor: Actor, cause: Cause) -> Result<Report, Ending> {
        self.ask(|answer| Request::Reload { cause, actor, answer }).await
    }

    /// Sets a tenant or an account aside for a reason.
    ///
    /// # Errors
    /// There is no such thing, or it is not the actor's to pause.
    pub async fn pause(&self, actor: Actor, subject: Subject, reason: String) -> Result<Paused, NotPaused> {
        self.ask(|answer| Request::Pause { actor, subject, reason: Some(reason), answer }).await?
    }

    /// Ends a pause, if there is one.
    ///
    /// # Errors
    /// There is no such thing, or it is not the actor's to resume.
    pub async fn resume(&self, actor: Actor, subject: Subject) -> Result<Paused, NotPaused> {
        self.ask(|answer| Request::Pause { actor, subject, reason: None, answer }).await?
    }

    /// Gives an account, which the subject names, a new consent; how it stands then.
    ///
    /// # Errors
    /// The relay is ending. The inner error says why the consent is not taken.
    pub async fn consent(
        &self,
        actor: Actor,
        subject: Subject,
        token: Secret,
    ) -> Result<Result<State, NotConsented>, Ending> {
        self.ask(|answer| Request::Consent { actor, subject, token, answer }).await
    }

    /// Who has changed what.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Publishes a configuration that is in no file.
    ///
    /// # Errors
    /// The relay is ending.
    pub async fn publish(&self, config: Config) -> Result<Report, Ending> {
        self.ask(|answer| Request::Publish { config: Box::new(config), answer }).await
    }

    /// Takes a policy for a tenant, as the next generation of its own.
    ///
    /// # Errors
    /// The relay is ending, or the policy is not taken; what decided before goes on deciding.
    pub async fn push(&self, push: Push) -> Result<Result<Generation, Rejected>, Ending> {
        let (actor, tenant) = (push.actor.clone(), push.tenant.clone());
        match self.entrance.look_at(push).await {
            Ok(offered) => self.ask(|answer| Request::Take { offered: Box::new(offered), answer }).await,
            Err(rejected) => Ok(self.not_taken("policy_push", actor, tenant, rejected)),
        }
    }

    /// It did not come to its turn.
    fn not_taken(
        &self,
        action: &'static str,
        actor: Actor,
        tenant: String,
        rejected: Rejected,
    ) -> Result<Generation, Rejected> {
        let (outcome, generation) = (Err(rejected), self.entrance.snapshots.current().generation);
        self.audit.record(actor, policies::deed(action, tenant, &outcome, generation));
        outcome
    }

    /// Brings a generation of a tenant's policy to another stage.
    ///
    /// # Errors
    /// The relay is ending, or it cannot come to that stage; everything stays as it was.
    pub async fn bring(&self, wanted: Move) -> Result<Result<Generation, Rejected>, Ending> {
        match self.entrance.make_ready(&wanted.tenant, wanted.course()).await {
            Ok(at_hand) => self.ask(|answer| Request::Move { wanted, at_hand, answer }).await,
            Err(rejected) => Ok(self.not_taken(wanted.action(), wanted.actor, wanted.tenant, rejected)),
        }
    }

    /// Starts the program anew and lets it take this relay's place. Where that came about nobody accepts here any more,
    /// and the relay is to end by `Relay::hand_on`; where not, nothing has changed.
    ///
    /// # Errors
    /// The relay is ending. The inner error says why the new process did not take over.
    pub async fn hand_over(&self, program: Program) -> Result<Result<Successor, NotHandedOver>, Ending> {
        self.ask(|answer| Request::HandOver { program, answer }).await
    }

    /// How things stand.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status.borrow())
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Ending> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| Ending)?;
        answered.await.map_err(|_| Ending)
    }
}
