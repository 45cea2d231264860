//! What is done before a policy that somebody brings has its turn: it is checked, compiled, asked and tried. One that is to
//! run again is loaded.
//!
//! In the task of whoever brings it, so that no other change waits for a tenant's policy. Nothing is kept here and
//! nothing is published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use posthouse_store::digest::Digest;
use posthouse_store::generations::{Generation, Stage, Upload};
use tracing::info;

use super::policies::{Component, Push, Rejected, place_for};
use crate::audit::Actor;
use crate::config::policy::Policy as Settings;
use crate::generations::Line;
use crate::generations::course::Course;
use crate::generations::signature::Subject;
use crate::hex;
use crate::policies::{Policies, TenantPolicy, nobody};
use crate::snapshot::{Known, Snapshots};
use crate::trial;

/// Where policies are looked at.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    pub(super) snapshots: Snapshots,
    pub(super) policies: Arc<Policies>,
}

/// A policy that may have its turn.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(super) tenant: String,
    /// What its tenant's configuration said then.
    pub(super) settings: Settings,
    pub(super) component: Arc<Vec<u8>>,
    pub(super) policy: TenantPolicy,
    pub(super) upload: Upload,
    pub(super) to: Stage,
    pub(super) actor: Actor,
}

impl Entrance {
    /// Checked -> compiled -> described, settings checked -> signed -> its author's cases passed.
    pub(super) async fn look_at(&self, push: Push) -> Result<Offered, Rejected> {
        let (tenant, settings) = place_for(&self.snapshots.current(), &push.tenant)?;
        tenant.line.check_stage_of_next(push.to)?;
        let component = match push.component {
            Component::Octets(octets) => Arc::new(octets),
            Component::OfActive => {
                let active = active(&tenant.line).ok_or(Rejected::NothingActive)?;
                self.policies.archive().component(&tenant.id, active.digest).await?
            }
        };
        let digest = Digest::of(&component);
        check_digest(&digest, push.digest.as_deref())?;
        let own = push.settings.or_else(|| active(&tenant.line).map(|active| active.upload.settings.clone()));
        let terms = Settings { settings: own.unwrap_or_else(|| settings.settings.clone()), ..settings.clone() };
        let known = Known { tenant: Arc::clone(&tenant), login: Arc::new(nobody()) };
        let policy = self.policies.load(&terms, &component, &known).await?;
        let (name, version) = (policy.policy.description.name.clone(), policy.policy.description.version.clone());
        let subject = Subject { tenant: &push.tenant, name: &name, version: &version, digest: &digest };
        let signer = match signer(&settings, &subject, push.signature.as_deref()) {
            // Other settings for what was signed already: the signature is about the component.
            Err(Rejected::Unsigned(_)) if active(&tenant.line).is_some_and(|active| is_signed(active, &digest)) => {
                active(&tenant.line).and_then(|active| active.upload.signer.clone())
            }
            signer => signer?,
        };
        if let Some(cases) = trial::carried(&component) {
            // Apart: what its cases leave behind is nothing of the tenant's.
            let passed = trial::passes(policy.apart().policy, cases).await?;
            info!(tenant = tenant.id, passed, "the policy's own cases pass");
        }
        let upload = upload((name, version), &terms.settings, &push.actor, signer, push.note);
        Ok(Offered { tenant: push.tenant, settings, component, policy, upload, to: push.to, actor: push.actor })
    }
}

impl Entrance {
    /// Loads what is to run by this course and does not yet; nothing where there is nothing to load.
    pub(super) async fn make_ready(&self, tenant: &str, course: Course) -> Result<Option<Arc<TenantPolicy>>, Rejected> {
        let (tenant, settings) = place_for(&self.snapshots.current(), tenant)?;
        let (_, steps) = course.take(&mut tenant.line.clone())?;
        let Some(generation) = tenant.line.lacks(&steps, &settings) else { return Ok(None) };
        let known = Known { tenant: Arc::clone(&tenant), login: Arc::new(nobody()) };
        Ok(Some(self.policies.load_again(generation, &settings, &known).await?))
    }
}

fn upload(
    (policy, version): (String, String),
    settings: &BTreeMap<String, String>,
    actor: &Actor,
    signer: Option<String>,
    note: String,
) -> Upload {
    let when = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let from = actor.from.map(|from| from.to_string()).unwrap_or_default();
    Upload { policy, version, settings: settings.clone(), who: actor.who.clone(), when, from, signer, note }
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

fn is_signed(active: &Generation, digest: &Digest) -> bool {
    active.digest == *digest && active.upload.signer.is_some()
}

fn active(line: &Line) -> Option<&Generation> {
    line.history.iter().rev().find(|generation| generation.stage == Stage::Active)
}
