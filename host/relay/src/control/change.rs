//! The task that carries changes out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::offer::Entrance;
use super::policies::Relapse;
use super::report::{Cause, Outcome, Report, Status};
use super::{Beginning, Request};
use crate::admin::AdminDoor;
use crate::aside::Aside;
use crate::audit::{Actor, Audit, Deed};
use crate::config::files::Sources;
use crate::config::{Config, Loaded, load};
use crate::doors::Doors;
use crate::inherited::Claimed;
use crate::metrics::ReloadMetrics;
use crate::policies::Policies;
use crate::shutdown::Draining;
use crate::snapshot::{Publisher, Snapshot};

/// What holds, and the means to change it.
pub(super) struct Plane {
    pub(super) publisher: Publisher,
    pub(super) policies: Arc<Policies>,
    pub(super) doors: Doors,
    pub(super) admin: Option<AdminDoor>,
    /// Where configurations are read and built.
    aside: Arc<Aside>,
    file: Option<PathBuf>,
    /// What the process has started with.
    began_with: Arc<Config>,
    status: watch::Sender<Arc<Status>>,
    pub(super) metrics: ReloadMetrics,
    pub(super) audit: Arc<Audit>,
    /// When it was last tried to take a generation back, by tenant and number.
    pub(super) taken_back: HashMap<(String, u64), Instant>,
    /// Where policies are loaded aside.
    pub(super) entrance: Entrance,
    /// What is being loaded to take others back.
    pub(super) relapses: JoinSet<Relapse>,
    /// Hears when the relay begins to end.
    pub(super) ending: Draining,
}

/// How often policies are looked at that keep failing.
const LOOK: Duration = Duration::from_millis(250);

/// Why a configuration is not taken: one line for each thing that is wrong.
type Wrong = Vec<String>;

impl Plane {
    pub(super) fn new(
        beginning: Beginning,
        entrance: Entrance,
        ending: Draining,
    ) -> (Self, watch::Receiver<Arc<Status>>) {
        let Beginning { publisher, policies, audit, doors, admin, aside, file, sources } = beginning;
        let snapshot = publisher.current();
        let mut last = Report::new(Cause::Start, Outcome::Published, snapshot.generation, Duration::ZERO);
        last.refused_policies = snapshot.refused_policies.to_vec();
        let metrics = ReloadMetrics::register();
        metrics.record(&last);
        let (status, standing) = watch::channel(Arc::new(Status { last, sources }));
        (
            Self {
                publisher,
                policies,
                doors,
                admin,
                aside,
                file,
                began_with: Arc::clone(&snapshot.config),
                status,
                metrics,
                audit,
                ending,
                taken_back: HashMap::new(),
                entrance,
                relapses: JoinSet::new(),
            },
            standing,
        )
    }

    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let request = tokio::select! {
                request = requests.recv() => request,
                () = self.ending.begun() => None,
                _ = look.tick() => {
                    self.take_back_failing();
                    continue;
                }
                Some(loaded) = self.relapses.join_next() => {
                    if let Ok(relapse) = loaded {
                        self.take_back(relapse).await;
                    }
                    continue;
                }
            };
            match request {
                Some(request) => self.carry_out(request).await,
                None => return,
            }
        }
    }

    async fn carry_out(&mut self, request: Request) {
        match request {
            Request::Reload { cause, actor, answer } => {
                let report = self.reload(cause).await;
                self.note_reload(actor, &report);
                let _nobody_waits = answer.send(report);
            }
            Request::Publish { config, answer } => {
                let (sources, began) = (self.status.borrow().sources.clone(), Instant::now());
                let outcome = self.take(*config).await;
                let report = self.reported(Cause::Given, outcome, Vec::new(), sources, began);
                let _nobody_waits = answer.send(report);
            }
            Request::Take { offered, answer } => {
                let outcome = self.take_offered(*offered).await;
                let _nobody_waits = answer.send(outcome);
            }
            Request::Move { wanted, at_hand, answer } => {
                let outcome = self.bring(wanted, at_hand).await;
                let _nobody_waits = answer.send(outcome);
            }
            Request::Pause { actor, subject, reason, answer } => {
                let _nobody_waits = answer.send(self.pause(actor, subject, reason).await);
            }
            Request::Consent { actor, subject, token, answer } => {
                let _nobody_waits = answer.send(self.consent(actor, subject, token).await);
            }
            Request::HandOver { program, answer } => {
                let outcome = self.hand_over(&program).await;
                let _nobody_waits = answer.send(outcome);
            }
        }
    }

    /// The number of the generation that holds, for the metrics; no reload made it.
    pub(super) fn note_generation(&self) {
        self.metrics.published(self.publisher.current().generation);
    }

    async fn reload(&mut self, cause: Cause) -> Report {
        let began = Instant::now();
        let Some(file) = self.file.clone() else {
            let reason = "this relay was started without a configuration file; there is nothing to reload".to_owned();
            return self.reported(cause, Err(vec![reason]), Vec::new(), Sources::default(), began);
        };
        let loaded = self.aside.spawn_blocking(move || load(&file));
        let Loaded { config, errors, warnings, sources } = loaded.await.expect("reading files does not panic");
        let outcome = match config {
            Some(config) => self.take(config).await,
            None => Err(errors.iter().map(ToString::to_string).collect()),
        };
        self.reported(cause, outcome, warnings.iter().map(ToString::to_string).collect(), sources, began)
    }

    /// Files that are looked at and say the same are no change of anybody's.
    fn note_reload(&self, actor: Actor, report: &Report) {
        let outcome = match report.outcome {
            Outcome::Unchanged if report.cause != Cause::Api => return,
            Outcome::Unchanged => "unchanged",
            Outcome::Published => "done",
            Outcome::Refused => "refused",
        };
        let detail = report.errors.first().or(report.refused_policies.first()).cloned();
        let (tenant, account, generation) = (None, None, report.generation);
        self.audit.record(
            actor,
            Deed { action: "reload".into(), tenant, account, outcome: outcome.into(), detail, generation },
        );
    }

    /// Builds the next snapshot, binds what it listens on, and publishes; or nothing of it.
    async fn take(&mut self, config: Config) -> Result<(Outcome, Arc<Snapshot>, Vec<&'static str>), Wrong> {
        let old = self.publisher.current();
        let at_restart = at_restart(&self.began_with, &config);
        let config = Arc::new(config);
        let building = {
            let (config, policies, old) = (Arc::clone(&config), Arc::clone(&self.policies), Arc::clone(&old));
            self.aside.spawn(async move { Snapshot::build(config, &policies, Some(old)).await })
        };
        let next =
            building.await.expect("building a snapshot does not panic").map_err(|error| vec![error.to_string()])?;
        if next.is_like(&old) {
            return Ok((Outcome::Unchanged, old, at_restart));
        }
        let mut bound =
            self.doors.bind(&config.listeners, Claimed::default()).map_err(|error| vec![error.to_string()])?;
        self.doors.halt(&config.listeners, &mut bound).await;
        self.policies.write_down(&next.stages).await;
        let next = self.publisher.replace(next);
        self.doors.open(&config.listeners, bound);
        self.doors.front().allow(&config.limits);
        self.policies.forget_all_but(|tenant| next.tenants.contains_key(tenant)).await;
        Ok((Outcome::Published, next, at_restart))
    }

    /// Writes the report into the log, the metrics and the status.
    fn reported(
        &mut self,
        cause: Cause,
        outcome: Result<(Outcome, Arc<Snapshot>, Vec<&'static str>), Wrong>,
        warnings: Vec<String>,
        sources: Sources,
        began: Instant,
    ) -> Report {
        let generation = self.publisher.current().generation;
        let mut report = Report::new(cause, Outcome::Refused, generation, began.elapsed());
        report.warnings = warnings;
        match outcome {
            Ok((outcome, snapshot, at_restart)) => {
                report.outcome = outcome;
                report.at_restart = at_restart;
                report.refused_policies = snapshot.refused_policies.to_vec();
            }
            Err(wrong) => report.errors = wrong,
        }
        log(&report);
        self.metrics.record(&report);
        self.status.send_replace(Arc::new(Status { last: report.clone(), sources }));
        report
    }
}

fn log(report: &Report) {
    let (cause, generation, took_ms) = (report.cause.as_str(), report.generation, report.took_ms);
    report.warnings.iter().for_each(|warning| warn!(generation, warning, "configuration"));
    report.errors.iter().for_each(|reason| error!(generation, reason, "configuration not taken"));
    report.refused_policies.iter().for_each(|reason| error!(generation, reason, "policy not taken"));
    report.at_restart.iter().for_each(|key| warn!(generation, key, "takes effect at the next start"));
    match report.outcome {
        Outcome::Published => info!(cause, generation, took_ms, "configuration published"),
        Outcome::Unchanged => info!(cause, generation, took_ms, "configuration unchanged"),
        Outcome::Refused => error!(cause, generation, took_ms, "configuration refused; the old one holds"),
    }
}

/// What a process decides when it starts and not again.
fn at_restart(began_with: &Config, new: &Config) -> Vec<&'static str> {
    let admin = |config: &Config| config.admin.as_ref().map(|admin| admin.listen);
    let differs = [
        ("admin.listen", admin(began_with) != admin(new)),
        ("state_directory", began_with.state_directory != new.state_directory),
        ("store", began_with.store_keys != new.store_keys),
        ("log", began_with.log != new.log),
        ("policies.compile_worker", began_with.policies != new.policies),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}
