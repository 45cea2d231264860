//! The policies of all tenants: the engine they share, the compiler, and what each tenant's leave behind.
//!
//! The engine is made with the first policy: a relay without policies has no ticker and no pool. What
//! policies leave behind is kept by tenant and outlives every generation.

mod ruling;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use posthouse_policy::cache::{Cache, Digest};
use posthouse_policy::call::{Envelope, Inquiry};
use posthouse_policy::compile::Compiler;
use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::failure::LoadError;
use posthouse_policy::limits;
use posthouse_policy::policy::{Policy, Terms};
use posthouse_policy::tenant::TenantMemory;
use tracing::{info, warn};

use crate::config::Config;
use crate::config::policy::Policy as Settings;
use crate::metrics::PolicyMetrics;
use crate::moments::Moments;
use crate::rate::Rate;
use crate::snapshot::Known;
use crate::tenant::Login;

pub(crate) use ruling::{Refusal, Ruling};

/// Log lines of a tenant's policies in a minute; what is beyond is counted.
const LOG_LINES_PER_MINUTE: u32 = 6_000;

/// What the policies of a relay share.
#[derive(Debug)]
pub struct Policies {
    engine: Mutex<Option<Arc<Engine>>>,
    compiler: Compiler,
    moments: Arc<Moments>,
    memories: Mutex<HashMap<String, Arc<TenantMemory>>>,
}

/// A tenant's policy, with what its tenant wants of it.
#[derive(Debug)]
pub struct TenantPolicy {
    /// The policy itself.
    pub policy: Policy,
    settings: Settings,
    /// Octets of a message that are read before it is decided on, where the policy needs the body.
    body: usize,
    tenant: String,
    moments: Arc<Moments>,
    metrics: PolicyMetrics,
    log_rate: Rate,
}

impl Policies {
    /// Of a configuration. Nothing is compiled yet.
    ///
    /// # Errors
    /// The code cache cannot be used, or this program's own file cannot be found.
    pub fn open(config: &Config) -> Result<Self, LoadError> {
        let wants_cache = config.tenants.iter().any(|tenant| tenant.policy.is_some());
        let cache = config.state_directory.as_deref().filter(|state| wants_cache && state.is_dir());
        let program = match &config.policies.compile_worker {
            Some(program) => program.clone(),
            None => own_program()?,
        };
        Ok(Self {
            engine: Mutex::default(),
            compiler: Compiler::new(program, cache.map(Cache::open).transpose()?),
            moments: Arc::default(),
            memories: Mutex::default(),
        })
    }

    /// Loads a tenant's policy, or goes on with the one `before` where it is the same on the same terms. `known` is the
    /// tenant with an account of everything but the policy.
    ///
    /// # Errors
    /// The file cannot be read or is not taken.
    pub async fn load(
        &self,
        settings: &Settings,
        known: Known,
        before: Option<&Arc<TenantPolicy>>,
    ) -> Result<Arc<TenantPolicy>, LoadError> {
        let engine = self.engine()?;
        let file = tokio::fs::read(&settings.file).await;
        let file = file.map_err(|error| LoadError::Unfit(format!("it cannot be read: {error}")))?;
        if let Some(before) = before
            && before.settings.has_terms_of(settings)
            && before.policy.digest == Digest::of(&file)
        {
            return Ok(Arc::clone(before));
        }
        let tenant = known.tenant.id.clone();
        let terms = Terms {
            limits: settings.limits,
            settings: Arc::new(settings.settings.clone()),
            tenant: self.memory(&tenant),
        };
        let inquiry = Inquiry { realm: Arc::new(known), envelope: Envelope::none(), moment: self.moments.now() };
        let policy = Policy::load(&engine, &self.compiler, &file, terms, inquiry).await?;
        info!(
            tenant,
            policy = policy.description.name,
            version = policy.description.version,
            digest = %policy.digest,
            origin = ?policy.origin,
            took_ms = ruling::millis(policy.loading),
            "policy loaded"
        );
        if let Some(trouble) = &policy.cache_trouble {
            warn!(tenant, trouble, "the compiled policy is not kept: the next start compiles it again");
        }
        Ok(Arc::new(TenantPolicy {
            settings: settings.clone(),
            body: if policy.description.needs_body { settings.body } else { 0 },
            moments: Arc::clone(&self.moments),
            metrics: PolicyMetrics::register(&tenant, &policy.description.name),
            log_rate: Rate::per_minute(Some(LOG_LINES_PER_MINUTE)),
            policy,
            tenant,
        }))
    }

    fn engine(&self) -> Result<Arc<Engine>, LoadError> {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*engine {
            return Ok(Arc::clone(engine));
        }
        let made = Engine::new(Mode::Fast, limits::MEMORY_MOST)?;
        *engine = Some(Arc::clone(&made));
        Ok(made)
    }

    fn memory(&self, tenant: &str) -> Arc<TenantMemory> {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(memories.entry(tenant.to_owned()).or_insert_with(TenantMemory::new))
    }
}

impl TenantPolicy {
    /// From this size on a message flows through; `usual` is the listener's threshold.
    pub fn stream_threshold(&self, usual: usize) -> usize {
        usual.max(self.body)
    }
}

/// The login by which a policy is asked before there is a client.
pub(crate) fn nobody() -> Login {
    Login { name: String::new(), password: None, senders: Vec::new(), account: None }
}

/// This program, also after its file was replaced by a newer one.
fn own_program() -> Result<PathBuf, LoadError> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return Ok(running);
    }
    std::env::current_exe().map_err(|error| LoadError::Worker {
        program: "posthouse".to_owned(),
        reason: format!("this program's own file cannot be found: {error}"),
    })
}
