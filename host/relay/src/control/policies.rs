//! What is brought and asked for over the API: a policy for a tenant, and its way from stage to stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::failure::LoadError;
use posthouse_store::error::Error as StoreError;
use posthouse_store::generations::{Generation, Stage};
use tokio::time::Instant;
use tracing::{error, info};

use super::change::Plane;
use crate::audit::{Actor, Deed};
use crate::config::policy::Policy as Settings;
use crate::control::offer::Offered;
use crate::generations::course::Course;
use crate::generations::{Changed, Line, StageError};
use crate::policies::{TenantPolicy, nobody};
use crate::snapshot::{Known, Snapshot};
use crate::tenant::Tenant;
use crate::trial;

/// How long before it is tried again to take a policy back.
const AGAIN: Duration = Duration::from_secs(60);
/// Who takes back what keeps failing.
const RELAY: &str = "relay";

/// A policy that somebody brings.
#[derive(Debug)]
pub struct Push {
    /// The tenant that it is for.
    pub tenant: String,
    /// The component.
    pub component: Component,
    /// Its digest, as whoever brings it knows it.
    pub digest: Option<String>,
    /// Its settings; none are those of the generation that decides, or of the configuration.
    pub settings: Option<BTreeMap<String, String>>,
    /// A signature, in hexadecimal digits.
    pub signature: Option<String>,
    /// The stage that it is brought to once it has passed.
    pub to: Stage,
    /// Who brings it.
    pub actor: Actor,
    /// What they say of it.
    pub note: String,
}

/// A component that is brought.
#[derive(Debug)]
pub enum Component {
    /// These octets.
    Octets(Vec<u8>),
    /// That of the generation that decides: for other settings.
    OfActive,
}

/// A generation that is to come to another stage.
#[derive(Debug)]
pub struct Move {
    /// The tenant.
    pub tenant: String,
    /// The generation; none is the one that decided before the one that decides now.
    pub number: Option<u64>,
    /// The stage.
    pub to: Stage,
    /// Who wants it.
    pub actor: Actor,
}

impl Move {
    /// What it is for a line.
    pub(super) fn course(&self) -> Course {
        self.number.map_or(Course::RollBack, |number| Course::Bring(number, self.to))
    }

    /// Its word in the audit log.
    pub(super) fn action(&self) -> &'static str {
        if self.number.is_some() { "policy_stage" } else { "policy_rollback" }
    }
}

/// A generation that keeps failing, and what was loaded to take it back.
#[derive(Debug)]
pub(super) struct Relapse {
    tenant: String,
    policy_generation: u64,
    at_hand: Result<Option<Arc<TenantPolicy>>, Rejected>,
}

/// Why a policy is not taken, or does not come to a stage.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// There is no such tenant.
    #[error("there is no tenant {0}")]
    NoTenant(String),
    /// The tenant's configuration has no place for policies.
    #[error("tenant {0} has no [policy] in its configuration, which says what a policy of its may take; add one")]
    NoPolicies(String),
    /// There is no generation that decides.
    #[error("no generation decides, so that there is none to be given other settings")]
    NothingActive,
    /// What came is not what was sent.
    #[error("its digest is sha256:{found}, and sha256:{said} was said; it was damaged on the way, or is another file")]
    Damaged {
        /// Of what came.
        found: String,
        /// What was said.
        said: String,
    },
    /// The tenant takes signed policies only.
    #[error(
        "tenant {0} takes signed policies only; push it with `--sign-key FILE` (`posthouse policy keygen FILE` makes one, \
             and its public half is a [[policy.signers]] of the tenant)"
    )]
    Unsigned(String),
    /// The signature is none, or by nobody who may sign, or for something else.
    #[error("no signer of tenant {0} has signed this component, under its name and version, for this tenant")]
    NotSigned(String),
    /// It cannot be loaded, described or settled.
    #[error(transparent)]
    Unfit(#[from] LoadError),
    /// Its author's cases do not pass.
    #[error(transparent)]
    Failed(#[from] trial::Failed),
    /// Its tenant's configuration changed while it was looked at.
    #[error("the [policy] of tenant {0} changed while this one was looked at; bring it again")]
    Overtaken(String),
    /// It does not come to that stage.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// It could not be kept.
    #[error("it cannot be kept, so that a restart would forget it: {0}")]
    NotKept(#[from] StoreError),
}

impl Plane {
    /// Takes a policy that was checked and tried, as the next generation, and brings it to its stage.
    pub(super) async fn take_offered(&mut self, offered: Offered) -> Result<Generation, Rejected> {
        let (actor, tenant) = (offered.actor.clone(), offered.tenant.clone());
        let outcome = self.take_for(offered).await;
        self.audit.record(actor, deed("policy_push", tenant, &outcome, self.publisher.current().generation));
        outcome
    }

    async fn take_for(&mut self, offered: Offered) -> Result<Generation, Rejected> {
        let (tenant, settings) = place_for(&self.publisher.current(), &offered.tenant)?;
        if !settings.has_terms_of(&offered.settings) {
            return Err(Rejected::Overtaken(offered.tenant));
        }
        let archive = self.policies.archive();
        let generation = archive.append(&tenant.id, &offered.component, offered.upload, Stage::Uploaded).await?;
        let mut line = tenant.line.clone();
        line.add(generation.clone());
        if offered.to == Stage::Uploaded {
            self.publish_line(&tenant, line);
            return Ok(generation);
        }
        let steps = line.bring(generation.number, offered.to)?;
        let at_hand = Some(Arc::new(offered.policy.numbered(generation.number)));
        let changed = Changed::to(line, steps).with(at_hand);
        self.publish_run((&tenant, &settings), changed, generation.number, &offered.actor.who).await
    }

    /// Promotes, rolls back, makes a canary or a shadow of, or retires a generation.
    pub(super) async fn bring(
        &mut self,
        wanted: Move,
        at_hand: Option<Arc<TenantPolicy>>,
    ) -> Result<Generation, Rejected> {
        let (course, who) = (wanted.course(), wanted.actor.who.clone());
        let outcome = self.follow(&wanted.tenant, course, at_hand, &who).await;
        let deed = deed(wanted.action(), wanted.tenant, &outcome, self.publisher.current().generation);
        self.audit.record(wanted.actor, deed);
        outcome
    }

    /// What was to be loaded is loaded; where that is something else by now, whoever asked has to ask again.
    async fn follow(
        &mut self,
        tenant: &str,
        course: Course,
        at_hand: Option<Arc<TenantPolicy>>,
        who: &str,
    ) -> Result<Generation, Rejected> {
        let (tenant, settings) = place_for(&self.publisher.current(), tenant)?;
        let mut line = tenant.line.clone();
        let (number, steps) = course.take(&mut line)?;
        if let Some(lacks) = tenant.line.lacks(&steps, &settings) {
            let is_it = |ready: &Arc<TenantPolicy>| {
                ready.generation == lacks.number && ready.is_on(&settings.on_those_of(lacks))
            };
            if !at_hand.as_ref().is_some_and(is_it) {
                return Err(Rejected::Overtaken(tenant.id.clone()));
            }
        }
        self.publish_run((&tenant, &settings), Changed::to(line, steps).with(at_hand), number, who).await
    }

    /// Begins to take back what keeps failing: what has to be loaded for that is loaded aside.
    pub(super) fn take_back_failing(&mut self) {
        let current = self.publisher.current();
        for tenant in current.tenants.values() {
            let is_failing = |running: &(Stage, &Arc<TenantPolicy>)| running.1.policy.keeps_failing();
            let failing: Vec<u64> =
                tenant.line.running().filter(is_failing).map(|(_, policy)| policy.generation).collect();
            for policy_generation in failing {
                let tenant = &tenant.id;
                // Once a minute: where it cannot be taken back now, it costs a load to find that out.
                let (now, tried) = (Instant::now(), (tenant.clone(), policy_generation));
                self.taken_back.retain(|_, at| now < *at + AGAIN);
                if self.taken_back.contains_key(&tried) {
                    continue;
                }
                self.taken_back.insert(tried, now);
                let (entrance, tenant) = (self.entrance.clone(), tenant.clone());
                self.relapses.spawn(async move {
                    let at_hand = entrance.make_ready(&tenant, Course::TakeBack(policy_generation)).await;
                    Relapse { tenant, policy_generation, at_hand }
                });
            }
        }
    }

    /// Takes it back: a canary and a shadow end, and what decided before decides again.
    pub(super) async fn take_back(&mut self, Relapse { tenant, policy_generation, at_hand }: Relapse) {
        let outcome = match at_hand {
            Ok(at_hand) => self.follow(&tenant, Course::TakeBack(policy_generation), at_hand, RELAY).await,
            Err(rejected) => Err(rejected),
        };
        match &outcome {
            Ok(_) => error!(tenant, policy_generation, "a policy that keeps failing was taken back"),
            // There is nothing to go back to: what becomes of its failures the tenant has said.
            Err(Rejected::Stage(StageError::NothingBefore)) => return,
            Err(error) => error!(tenant, policy_generation, %error, "it keeps failing and cannot be taken back"),
        }
        let deed = deed("policy_taken_back", tenant, &outcome, self.publisher.current().generation);
        self.audit.record(Actor::here(RELAY), deed);
    }

    /// Lets run what is loaded, writes the stages down, and publishes; or nothing of it.
    async fn publish_run(
        &mut self,
        (tenant, settings): (&Arc<Tenant>, &Settings),
        mut changed: Changed,
        number: u64,
        who: &str,
    ) -> Result<Generation, Rejected> {
        let known = Known { tenant: Arc::clone(tenant), login: Arc::new(nobody()) };
        changed.run(&self.policies, settings, &known).await?;
        if let Some(refused) = changed.refused.pop() {
            return Err(refused.into());
        }
        self.policies.archive().set_stages(&tenant.id, changed.steps.clone()).await?;
        let generation = changed.line.generation(number).cloned().ok_or(StageError::Unknown(number))?;
        self.publish_line(tenant, changed.line);
        let stage = word(generation.stage);
        info!(tenant = tenant.id, policy_generation = number, stage, who, "a policy came to another stage");
        Ok(generation)
    }

    fn publish_line(&mut self, tenant: &Tenant, line: Line) {
        let next = self.publisher.current().with_tenant(tenant.with_line(line));
        self.publisher.replace(next);
        self.note_generation();
    }
}

/// The tenant, and what its configuration says of its policies.
pub(super) fn place_for(snapshot: &Snapshot, id: &str) -> Result<(Arc<Tenant>, Settings), Rejected> {
    let tenant = snapshot.tenants.get(id).ok_or_else(|| Rejected::NoTenant(id.to_owned()))?;
    let settings = snapshot.config.tenants.iter().find(|settings| settings.id == id);
    let policy = settings.and_then(|settings| settings.policy.clone());
    Ok((Arc::clone(tenant), policy.ok_or_else(|| Rejected::NoPolicies(id.to_owned()))?))
}

/// What was done, and what came of it.
pub(super) fn deed(
    action: &'static str,
    tenant: String,
    outcome: &Result<Generation, Rejected>,
    generation: u64,
) -> Deed {
    let (outcome, detail) = match outcome {
        Ok(of) => ("done", format!("generation {} is {}", of.number, word(of.stage))),
        Err(rejected) => ("refused", rejected.to_string()),
    };
    let (action, outcome) = (action.into(), outcome.into());
    Deed { action, tenant: Some(tenant), account: None, outcome, detail: Some(detail), generation }
}

/// A stage, for people.
fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Uploaded => "uploaded",
        Stage::Shadow => "a shadow",
        Stage::Canary { .. } => "a canary",
        Stage::Active => "active",
        Stage::Retired => "retired",
        Stage::Refused => "refused",
    }
}
