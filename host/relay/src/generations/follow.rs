//! How a line follows its configuration: a file that has changed is another generation, and what is to run is loaded.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::SystemTime;

use posthouse_policy::failure::LoadError;
use posthouse_store::digest::Digest;
use posthouse_store::error::Error as StoreError;
use posthouse_store::generations::{Generation, Stage, Upload};

use super::archive::CONFIGURATION;
use super::shadow::Comparison;
use super::{Canary, Changed, Line, Shadow, Steps};
use crate::config::policy::Policy as Settings;
use crate::policies::{Policies, TenantPolicy};
use crate::snapshot::Known;

/// The line of a tenant whose configuration says so, after the line `before`; without one after what the archive has.
///
/// # Errors
/// The archive cannot be read, or there is no engine for policies.
pub(crate) async fn follow(
    policies: &Policies,
    settings: &Settings,
    known: &Known,
    before: Option<&Line>,
) -> Result<Changed, LoadError> {
    let line = match before {
        Some(before) => before.clone(),
        None => Line::of(policies.archive().list(&known.tenant.id).await.map_err(|error| not_kept(&error))?),
    };
    let mut changed = Changed::to(line, Steps::default());
    if let Some(file) = &settings.file {
        let octets = tokio::fs::read(file).await;
        match octets.map_err(|error| LoadError::Unfit(format!("it cannot be read: {error}"))) {
            Ok(octets) => changed.bring_file(policies, settings, known, &octets).await?,
            Err(unreadable) => changed.refused.push(unreadable),
        }
    }
    changed.run(policies, settings, known).await?;
    Ok(changed)
}

impl Changed {
    /// What is in the file is a generation of its own, unless it is the one that the file brought last. One that was kept and
    /// never came to decide was brought by nobody who came to anything.
    async fn bring_file(
        &mut self,
        policies: &Policies,
        settings: &Settings,
        known: &Known,
        octets: &[u8],
    ) -> Result<(), LoadError> {
        let digest = Digest::of(octets);
        let is_from_file = |generation: &&Generation| generation.upload.who == CONFIGURATION;
        let is_unfinished = |generation: &Generation| generation.stage == Stage::Uploaded;
        let latest = self.line.history.iter().rev().filter(is_from_file).find(|brought| !is_unfinished(brought));
        let same = latest.filter(|latest| latest.digest == digest && latest.upload.settings == settings.settings);
        // What could not even describe itself is tried again: the fault may have been in its settings or in our own house.
        // What was taken back because it kept failing is not.
        let was_refused = same.is_some_and(|same| same.stage == Stage::Refused && same.upload.policy.is_empty());
        if same.is_some() && !was_refused {
            return Ok(());
        }
        match policies.load(settings, octets, known).await {
            Ok(policy) => {
                let upload = upload(settings, &policy);
                let generation = match unfinished(policies, &known.tenant.id, digest, &upload).await? {
                    Some(unfinished) => unfinished,
                    None => policies.keep(&known.tenant.id, octets, upload, Stage::Uploaded).await?,
                };
                let (number, policy) = (generation.number, Arc::new(policy.numbered(generation.number)));
                self.line.history.retain(|known| known.number != number);
                self.line.add(generation);
                self.steps = self.line.bring(number, Stage::Active).expect("what was taken just now can be promoted");
                self.line.active = Some(policy);
            }
            Err(error @ LoadError::Engine(_)) => return Err(error),
            Err(error) => {
                if !was_refused {
                    let upload = Upload { note: error.to_string(), ..unknown(settings) };
                    let refused = policies.keep(&known.tenant.id, octets, upload, Stage::Refused).await?;
                    self.line.add(refused);
                }
                self.refused.push(error);
            }
        }
        Ok(())
    }

    /// Loads what is to run and does not on these terms, and lets go of what is to run no more. What cannot be loaded
    /// leaves what was loaded.
    pub(crate) async fn run(
        &mut self,
        policies: &Policies,
        settings: &Settings,
        known: &Known,
    ) -> Result<(), LoadError> {
        self.ran = self.line.running().map(|(_, policy)| Arc::clone(policy)).collect();
        self.line.active = match self.line.stage_of(Stage::Active).cloned() {
            Some(generation) => {
                let loaded = self.line.active.clone();
                self.loaded(policies, settings, known, &generation, loaded).await?
            }
            None => None,
        };
        let is_canary = |generation: &&Generation| matches!(generation.stage, Stage::Canary { .. });
        let canary = self.line.history.iter().rev().find(is_canary).cloned();
        self.line.canary = match canary {
            Some(generation @ Generation { stage: Stage::Canary { percent }, .. }) => {
                let before = self.line.canary.clone();
                let loaded = before.as_ref().map(|canary| Arc::clone(&canary.policy));
                let policy = self.loaded(policies, settings, known, &generation, loaded).await?;
                let messages = before.filter(|before| before.percent == percent).map(|before| before.messages);
                let messages = messages.unwrap_or_else(|| Arc::new(AtomicU64::new(0)));
                policy.map(|policy| Canary { percent, policy, messages })
            }
            _ => None,
        };
        self.line.shadow = match self.line.stage_of(Stage::Shadow).cloned() {
            Some(generation) => {
                let before = self.line.shadow.clone();
                let loaded = before.as_ref().map(|shadow| Arc::clone(&shadow.policy));
                let policy = self.loaded(policies, settings, known, &generation, loaded).await?;
                let goes_on = |before: &Shadow| before.policy.generation == generation.number;
                policy.map(|policy| match before.filter(goes_on) {
                    Some(before) if Arc::ptr_eq(&before.policy, &policy) => before,
                    // What it remembers is its own: the tenant's memory is for what decides.
                    Some(before) => Shadow { policy: Arc::new(policy.apart()), comparison: before.comparison },
                    None => Shadow { policy: Arc::new(policy.apart()), comparison: Arc::new(Comparison::default()) },
                })
            }
            None => None,
        };
        Ok(())
    }

    async fn loaded(
        &mut self,
        policies: &Policies,
        settings: &Settings,
        known: &Known,
        generation: &Generation,
        loaded: Option<Arc<TenantPolicy>>,
    ) -> Result<Option<Arc<TenantPolicy>>, LoadError> {
        let terms = settings.on_those_of(generation);
        let loaded = loaded.filter(|loaded| loaded.generation == generation.number);
        if let Some(loaded) = loaded.as_ref().filter(|loaded| loaded.is_on(&terms)) {
            return Ok(Some(Arc::clone(loaded)));
        }
        if let Some(ready) = self.at_hand.take_if(|ready| ready.generation == generation.number && ready.is_on(&terms))
        {
            return Ok(Some(ready));
        }
        // The same generation may have run at another stage, on these very terms.
        let is_it =
            |ran: &&Arc<TenantPolicy>| ran.generation == generation.number && ran.is_on(&terms) && ran.shares_memory();
        if let Some(ran) = self.ran.iter().find(is_it) {
            return Ok(Some(Arc::clone(ran)));
        }
        if !self.loads {
            return Ok(loaded);
        }
        match policies.load_again(generation, settings, known).await {
            Ok(policy) => Ok(Some(policy)),
            Err(error @ LoadError::Engine(_)) => Err(error),
            Err(error) => {
                self.refused.push(error);
                Ok(loaded)
            }
        }
    }
}

/// The generation of this very file that was kept and never came to decide: its reload was refused for something else,
/// or the process ended in between.
async fn unfinished(
    policies: &Policies,
    tenant: &str,
    digest: Digest,
    upload: &Upload,
) -> Result<Option<Generation>, LoadError> {
    let kept = policies.archive().list(tenant).await.map_err(|error| not_kept(&error))?;
    Ok(kept.into_iter().rev().find(|kept| {
        let is_same = kept.digest == digest && kept.upload.settings == upload.settings;
        is_same && kept.stage == Stage::Uploaded && kept.upload.who == CONFIGURATION
    }))
}

/// What a file brings whose policy has described itself.
fn upload(settings: &Settings, policy: &TenantPolicy) -> Upload {
    let description = &policy.policy.description;
    Upload { policy: description.name.clone(), version: description.version.clone(), ..unknown(settings) }
}

/// What a file brings.
fn unknown(settings: &Settings) -> Upload {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Upload {
        policy: String::new(),
        version: String::new(),
        settings: settings.settings.clone(),
        who: CONFIGURATION.to_owned(),
        when: now,
        from: settings.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        signer: None,
        note: String::new(),
    }
}

fn not_kept(error: &StoreError) -> LoadError {
    LoadError::Unfit(format!("its generations cannot be read or kept: {error}"))
}

impl Policies {
    /// Loads a generation out of the archive.
    ///
    /// # Errors
    /// It is not there, or is not taken on these terms.
    pub(crate) async fn load_again(
        &self,
        generation: &Generation,
        settings: &Settings,
        known: &Known,
    ) -> Result<Arc<TenantPolicy>, LoadError> {
        let octets = self.archive().component(&known.tenant.id, generation.digest).await;
        let octets = octets.map_err(|error| not_kept(&error))?;
        let policy = self.load(&settings.on_those_of(generation), &octets, known).await?;
        Ok(Arc::new(policy.numbered(generation.number)))
    }

    async fn keep(&self, tenant: &str, octets: &[u8], upload: Upload, stage: Stage) -> Result<Generation, LoadError> {
        self.archive().append(tenant, octets, upload, stage).await.map_err(|error| not_kept(&error))
    }
}
