//! The policies of all tenants: the engine they share, the compiler, and what each tenant's leave behind.
//!
//! The engine is made with the first policy: a relay without policies has no ticker and no pool. What
//! policies leave behind is kept by tenant and outlives every generation.

mod ruling;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use posthouse_policy::cache::Cache;
use posthouse_policy::call::{Envelope, Inquiry};
use posthouse_policy::compile::Compiler;
use posthouse_policy::engine::{Engine, Mode};
use posthouse_policy::failure::LoadError;
use posthouse_policy::key_value::{Entry, Value};
use posthouse_policy::limits;
use posthouse_policy::policy::{Policy, Terms};
use posthouse_policy::tenant::TenantMemory;
use posthouse_store::error::Error as StoreError;
use posthouse_store::key_value::{Entry as Kept, Value as KeptValue};
use posthouse_store::store::Store;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::config::policy::Policy as Settings;
use crate::generations::Steps;
use crate::generations::archive::Archive;
use crate::keeper::unix_now;
use crate::metrics::{LoadedPolicy, PolicyMetrics};
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
    engine: OnceCell<Arc<Engine>>,
    /// The threads that mail is on: what the engine starts has their priority.
    main: Option<Handle>,
    compiler: Compiler,
    archive: Archive,
    moments: Arc<Moments>,
    memories: Mutex<HashMap<String, Arc<TenantMemory>>>,
}

/// A tenant's policy, with what its tenant wants of it.
#[derive(Debug)]
pub struct TenantPolicy {
    /// The policy itself.
    pub policy: Policy,
    /// Its number among its tenant's.
    pub generation: u64,
    settings: Settings,
    /// Whether it has a memory of its own, instead of its tenant's.
    is_apart: bool,
    /// Octets of a message that are read before it is decided on, where the policy needs the body.
    body: usize,
    tenant: String,
    moments: Arc<Moments>,
    metrics: PolicyMetrics,
    log_rate: Rate,
    _loaded: LoadedPolicy,
}

impl Policies {
    /// Of a configuration. Nothing is compiled yet.
    ///
    /// # Errors
    /// The code cache cannot be used, or this program's own file cannot be found.
    pub fn open(config: &Config, archive: Archive) -> Result<Self, LoadError> {
        let wants_cache = config.tenants.iter().any(|tenant| tenant.policy.is_some());
        let cache = config.state_directory.as_deref().filter(|state| wants_cache && state.is_dir());
        Self::compiling_into(cache.map(Cache::open).transpose()?, config, archive)
    }

    /// To see whether a configuration's policies are taken. What is compiled is not kept: the directory is the relay's, and
    /// whoever looks may be another user.
    ///
    /// # Errors
    /// This program's own file cannot be found.
    pub fn on_trial(config: &Config) -> Result<Self, LoadError> {
        Self::compiling_into(None, config, Archive::default())
    }

    fn compiling_into(cache: Option<Cache>, config: &Config, archive: Archive) -> Result<Self, LoadError> {
        let program = match &config.policies.compile_worker {
            Some(program) => program.clone(),
            None => own_program()?,
        };
        Ok(Self {
            engine: OnceCell::new(),
            main: Handle::try_current().ok(),
            compiler: Compiler::new(program, cache),
            archive,
            moments: Arc::default(),
            memories: Mutex::default(),
        })
    }

    /// Where generations are kept.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Loads a tenant's policy. `known` is the tenant with an account of everything but the policy.
    ///
    /// # Errors
    /// It is not taken.
    pub async fn load(&self, settings: &Settings, octets: &[u8], known: &Known) -> Result<TenantPolicy, LoadError> {
        let engine = Arc::clone(self.engine.get_or_try_init(|| self.new_engine()).await?);
        let tenant = known.tenant.id.clone();
        let terms = Terms {
            limits: settings.limits,
            settings: Arc::new(settings.settings.clone()),
            tenant: self.memory_of(&tenant).await,
        };
        let inquiry =
            Inquiry { realm: Arc::new(known.clone()), envelope: Envelope::none(), moment: self.moments.now() };
        let policy = Policy::load(&engine, &self.compiler, octets, terms, inquiry).await?;
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
        Ok(TenantPolicy {
            settings: settings.clone(),
            generation: 0,
            is_apart: false,
            body: if policy.description.needs_body { settings.body } else { 0 },
            moments: Arc::clone(&self.moments),
            metrics: PolicyMetrics::register(&tenant),
            log_rate: Rate::per_minute(LOG_LINES_PER_MINUTE),
            _loaded: LoadedPolicy::new(),
            policy,
            tenant,
        })
    }

    /// Writes down what became of generations. A relay that cannot goes on, and says so: after a restart the stages before
    /// would hold again.
    pub(crate) async fn write_down(&self, stages: &[(String, Steps)]) {
        for (tenant, steps) in stages {
            if let Err(error) = self.archive.set_stages(tenant, steps.clone()).await {
                error!(tenant, %error, "the stages of its policy are not kept: a restart would bring back those before");
            }
        }
    }

    /// Keeps what policies leave behind for the next start.
    pub(crate) fn save(&self, store: &Store) {
        let memories = self.memories().clone();
        memories.iter().for_each(|(tenant, memory)| save(store, tenant, memory));
    }

    /// Takes up what was kept of these tenants' policies.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn restore(&self, store: &Store, tenants: &[String]) -> Result<(), StoreError> {
        let (now, unix) = (Instant::now(), unix_now());
        for tenant in tenants {
            let entries = store.key_value().load(tenant, unix)?.into_iter().map(|kept| entry(kept, unix)).collect();
            self.memory(tenant).key_value.restore(entries, now);
        }
        Ok(())
    }

    /// Forgets tenants that are no more, but for what the store keeps: what their policies left behind is there if they come
    /// back.
    pub(crate) async fn forget_all_but(&self, is_there: impl Fn(&str) -> bool) {
        let gone: Vec<_> = {
            let mut memories = self.memories();
            memories.extract_if(|tenant, _| !is_there(tenant)).collect()
        };
        self.archive.forget_all_but(is_there);
        if let Some(store) = self.archive.store().cloned().filter(|_| !gone.is_empty()) {
            let saved =
                tokio::task::spawn_blocking(move || gone.iter().for_each(|(tenant, of)| save(&store, tenant, of)));
            saved.await.expect("saving policies' data does not panic");
        }
    }

    /// Not where the caller is: a policy may be loaded on a thread of low priority, which the engine's own would have too.
    async fn new_engine(&self) -> Result<Arc<Engine>, LoadError> {
        let make = || Engine::new(Mode::Fast, limits::MEMORY_MOST);
        match &self.main {
            Some(main) => {
                let ends = |_| LoadError::Engine("the relay ends".to_owned());
                main.spawn(async move { make() }).await.map_err(ends)?
            }
            None => make(),
        }
    }

    fn memory(&self, tenant: &str) -> Arc<TenantMemory> {
        Arc::clone(self.memories().entry(tenant.to_owned()).or_insert_with(TenantMemory::new))
    }

    /// The memory of a tenant, which may have been there before.
    async fn memory_of(&self, tenant: &str) -> Arc<TenantMemory> {
        let known = self.memories().get(tenant).cloned();
        if let Some(known) = known {
            return known;
        }
        if let Some(store) = self.archive.store().cloned() {
            let (of, unix) = (tenant.to_owned(), unix_now());
            let loaded = tokio::task::spawn_blocking(move || store.key_value().load(&of, unix)).await;
            match loaded.expect("reading the store does not panic") {
                Ok(kept) => {
                    let memory = TenantMemory::new();
                    memory.key_value.restore(kept.into_iter().map(|kept| entry(kept, unix)).collect(), Instant::now());
                    return Arc::clone(self.memories().entry(tenant.to_owned()).or_insert(memory));
                }
                Err(error) => warn!(tenant, %error, "what its policy left behind is not there any more"),
            }
        }
        self.memory(tenant)
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<String, Arc<TenantMemory>>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TenantPolicy {
    /// The same policy, as the generation of this number.
    pub(crate) fn numbered(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// Whether it was loaded on these terms.
    pub(crate) fn is_on(&self, terms: &Settings) -> bool {
        self.settings.has_terms_of(terms)
    }

    /// Whether it reads and writes its tenant's memory.
    pub(crate) fn shares_memory(&self) -> bool {
        !self.is_apart
    }

    /// The same policy with a memory, a share and counters of its own, so that nothing that it does is seen.
    pub(crate) fn apart(&self) -> Self {
        let terms = Terms { tenant: TenantMemory::new(), ..self.policy.terms().clone() };
        Self {
            policy: self.policy.on(terms),
            generation: self.generation,
            settings: self.settings.clone(),
            is_apart: true,
            body: self.body,
            tenant: self.tenant.clone(),
            moments: Arc::clone(&self.moments),
            metrics: self.metrics.clone(),
            log_rate: Rate::per_minute(LOG_LINES_PER_MINUTE),
            _loaded: LoadedPolicy::new(),
        }
    }

    /// From this size on a message flows through; `usual` is the listener's threshold.
    pub fn stream_threshold(&self, usual: usize) -> usize {
        usual.max(self.body)
    }
}

fn save(store: &Store, tenant: &str, memory: &TenantMemory) {
    let (now, unix) = (Instant::now(), unix_now());
    let entries: Vec<Kept> = memory.key_value.entries(now).into_iter().map(|entry| kept(entry, unix)).collect();
    if let Err(error) = store.key_value().save(tenant, &entries)
        && !matches!(error, StoreError::HandedOver { .. })
    {
        error!(tenant, %error, "what its policy remembers is not kept");
    }
}

fn kept(entry: Entry, unix: u64) -> Kept {
    let value = match entry.value {
        Value::Octets(octets) => KeptValue::Octets(octets),
        Value::Number(number) => KeptValue::Number(number),
    };
    Kept { key: entry.key, value, expires: unix + entry.left.as_secs() }
}

fn entry(kept: Kept, unix: u64) -> Entry {
    let value = match kept.value {
        KeptValue::Octets(octets) => Value::Octets(octets),
        KeptValue::Number(number) => Value::Number(number),
    };
    Entry { key: kept.key, value, left: Duration::from_secs(kept.expires.saturating_sub(unix)) }
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

#[cfg(test)]
mod tests;
