//! What is brought and asked for over the API: a policy for a tenant, and its way from stage to stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use posthouse_policy::failure::LoadError;
use posthouse_store::digest::Digest;
use posthouse_store::error::Error as StoreError;
use posthouse_store::generations::{Generation, Stage, Upload};
use tracing::{error, info};

use super::change::Plane;
use crate::audit::{Actor, Deed};
use crate::config::policy::Policy as Settings;
use crate::generations::signature::Subject;
use crate::generations::{Changed, Line, StageError};
use crate::hex;
use crate::policies::{TenantPolicy, nobody};
use crate::snapshot::Known;
use crate::tenant::Tenant;
use crate::trial;

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
    #[error("tenant {0} takes signed policies only; sign it with `posthouse policy sign`")]
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
    /// It does not come to that stage.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// It could not be kept.
    #[error("it cannot be kept, so that a restart would forget it: {0}")]
    NotKept(#[from] StoreError),
}

impl Plane {
    /// Uploaded -> checked -> compiled -> described, settings checked -> its author's cases passed -> its stage.
    pub(super) async fn push(&mut self, push: Push) -> Result<Generation, Rejected> {
        let (actor, tenant) = (push.actor.clone(), push.tenant.clone());
        let outcome = self.push_for(push).await;
        self.note(actor, "policy_push", tenant, &outcome);
        outcome
    }

    async fn push_for(&mut self, push: Push) -> Result<Generation, Rejected> {
        let (tenant, settings) = self.tenant(&push.tenant)?;
        let component = match push.component {
            Component::Octets(octets) => Arc::new(octets),
            Component::OfActive => {
                let active = active(&tenant.line).ok_or(Rejected::NothingActive)?;
                self.policies.archive().component(&tenant.id, active.digest).await?
            }
        };
        let digest = Digest::of(&component);
        check_digest(&digest, push.digest.as_deref())?;
        let own = push.settings.clone().or_else(|| settings_of(&tenant.line));
        let terms = Settings { settings: own.unwrap_or_else(|| settings.settings.clone()), ..settings.clone() };
        let known = Known { tenant: Arc::clone(&tenant), login: Arc::new(nobody()) };
        let policy = self.policies.load(&terms, &component, &known).await?;
        let description = policy.policy.description.clone();
        let subject =
            Subject { tenant: &push.tenant, name: &description.name, version: &description.version, digest: &digest };
        let signer = signer(&settings, &subject, push.signature.as_deref())?;
        if let Some(cases) = trial::carried(&component) {
            // Apart: what its cases leave behind is nothing of the tenant's.
            let passed = trial::passes(policy.apart().policy, cases).await?;
            info!(tenant = tenant.id, passed, "the policy's own cases pass");
        }
        let upload = Upload {
            policy: description.name,
            version: description.version,
            settings: terms.settings.clone(),
            who: push.actor.who.clone(),
            when: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            from: push.actor.from.map(|from| from.to_string()).unwrap_or_default(),
            signer,
            note: push.note,
        };
        // A share that cannot be is said before anything is kept.
        if let Stage::Canary { percent } = push.to
            && !(1..=99).contains(&percent)
        {
            return Err(StageError::Share(percent).into());
        }
        let archive = self.policies.archive();
        let generation = archive.append(&tenant.id, &component, upload, Stage::Uploaded).await?;
        let mut line = tenant.line.clone();
        line.add(generation.clone());
        if push.to == Stage::Uploaded {
            self.publish_line(&tenant, line);
            return Ok(generation);
        }
        let stages = line.bring(generation.number, push.to)?;
        self.publish_run((&tenant, &settings), Changed::to(line, stages), generation.number, &push.actor.who).await
    }

    /// Promotes, rolls back, makes a canary or a shadow of, or retires a generation.
    pub(super) async fn bring(&mut self, wanted: Move) -> Result<Generation, Rejected> {
        let (actor, tenant) = (wanted.actor.clone(), wanted.tenant.clone());
        let action = if wanted.number.is_some() { "policy_stage" } else { "policy_rollback" };
        let outcome = self.bring_for(wanted).await;
        self.note(actor, action, tenant, &outcome);
        outcome
    }

    async fn bring_for(&mut self, wanted: Move) -> Result<Generation, Rejected> {
        let (tenant, settings) = self.tenant(&wanted.tenant)?;
        let mut line = tenant.line.clone();
        let (number, stages) = match wanted.number {
            Some(number) => (number, line.bring(number, wanted.to)?),
            None => line.roll_back()?,
        };
        self.publish_run((&tenant, &settings), Changed::to(line, stages), number, &wanted.actor.who).await
    }

    /// Takes back what keeps failing: a canary and a shadow end, and what decided before decides again.
    pub(super) async fn take_back_failing(&mut self) {
        let current = self.publisher.current();
        for tenant in current.tenants.values() {
            let is_failing = |running: &(Stage, &Arc<TenantPolicy>)| running.1.policy.is_resting();
            let failing: Vec<u64> =
                tenant.line.running().filter(is_failing).map(|(_, policy)| policy.generation).collect();
            for policy_generation in failing {
                let tenant = &tenant.id;
                match self.take_back(tenant, policy_generation).await {
                    Ok(()) => error!(tenant, policy_generation, "a policy that keeps failing was taken back"),
                    // There is nothing to go back to: what becomes of its failures the tenant has said.
                    Err(Rejected::Stage(StageError::NothingBefore)) => {}
                    Err(error) => {
                        error!(tenant, policy_generation, %error, "it keeps failing and cannot be taken back")
                    }
                }
            }
        }
    }

    async fn take_back(&mut self, id: &str, number: u64) -> Result<(), Rejected> {
        let (tenant, settings) = self.tenant(id)?;
        let mut line = tenant.line.clone();
        let stages = line.take_back(number)?;
        let outcome = self.publish_run((&tenant, &settings), Changed::to(line, stages), number, RELAY).await;
        self.note(Actor::here(RELAY), "policy_taken_back", id.to_owned(), &outcome);
        outcome.map(drop)
    }

    /// Writes down who did what, and what came of it.
    fn note(&self, actor: Actor, action: &'static str, tenant: String, outcome: &Result<Generation, Rejected>) {
        let (outcome, detail) = match outcome {
            Ok(of) => ("done", format!("generation {} is {}", of.number, word(of.stage))),
            Err(rejected) => ("refused", rejected.to_string()),
        };
        let generation = self.publisher.current().generation;
        let (tenant, detail) = (Some(tenant), Some(detail));
        self.audit.record(actor, Deed { action, tenant, account: None, outcome, detail, generation });
    }

    fn tenant(&self, id: &str) -> Result<(Arc<Tenant>, Settings), Rejected> {
        let current = self.publisher.current();
        let tenant = current.tenants.get(id).ok_or_else(|| Rejected::NoTenant(id.to_owned()))?;
        let settings = current.config.tenants.iter().find(|settings| settings.id == id);
        let policy = settings.and_then(|settings| settings.policy.clone());
        Ok((Arc::clone(tenant), policy.ok_or_else(|| Rejected::NoPolicies(id.to_owned()))?))
    }

    /// Loads what is to run, writes the stages down, and publishes; or nothing of it.
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
        self.policies.archive().set_stages(&tenant.id, changed.stages.clone()).await?;
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

fn check_digest(found: &Digest, said: Option<&str>) -> Result<(), Rejected> {
    let Some(said) = said else { return Ok(()) };
    let said = said.strip_prefix("sha256:").unwrap_or(said);
    if said.eq_ignore_ascii_case(&found.to_string()) {
        return Ok(());
    }
    Err(Rejected::Damaged { found: found.to_string(), said: said.to_owned() })
}

/// Who has signed; nobody where nobody has to.
fn signer(settings: &Settings, subject: &Subject<'_>, signature: Option<&str>) -> Result<Option<String>, Rejected> {
    let tenant = || subject.tenant.to_owned();
    match signature {
        Some(signature) => {
            let signature = hex::octets(signature).ok_or_else(|| Rejected::NotSigned(tenant()))?;
            let signer = subject.signer(&signature, &settings.signers);
            Ok(Some(signer.ok_or_else(|| Rejected::NotSigned(tenant()))?.name.clone()))
        }
        None if settings.require_signature => Err(Rejected::Unsigned(tenant())),
        None => Ok(None),
    }
}

/// The settings of the generation that decides.
fn settings_of(line: &Line) -> Option<BTreeMap<String, String>> {
    active(line).map(|active| active.upload.settings.clone())
}

fn active(line: &Line) -> Option<&Generation> {
    line.history.iter().rev().find(|generation| generation.stage == Stage::Active)
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
