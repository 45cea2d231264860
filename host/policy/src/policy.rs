//! A policy that is loaded: one generation of it, for one tenant.
//!
//! Each call gets a fresh instance, and nothing of the one before it. What a hook costs that a policy does
//! not export is one look at an `Option`.

mod answer;
mod run;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::ResourcesRequired;
use wasmtime::component::{Component, InstancePre};

use crate::bindings::exports::posthouse::policy as exported;
use crate::breaker::Breaker;
use crate::cache::Digest;
use crate::call::{Attempt, Call, Inquiry, Mail, Report, Settings};
use crate::compile::{Compiler, Origin};
use crate::decided::{Decided, Next, Verdict};
use crate::engine::Engine;
use crate::failure::{Cause, LoadError};
use crate::lane::Pace;
use crate::limits::{self, Limits};
use crate::tenant::TenantMemory;

/// What a policy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it reads the body.
    pub needs_body: bool,
}

/// What a policy is loaded with.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What a call may take.
    pub limits: Limits,
    /// The tenant's settings.
    pub settings: Settings,
    /// What the tenant's policies share.
    pub tenant: Arc<TenantMemory>,
}

/// One generation of a policy.
pub struct Policy {
    engine: Arc<Engine>,
    code: Arc<Code>,
    terms: Terms,
    breakers: Breakers,
    pace: Pace,
    /// What it says of itself.
    pub description: Description,
    /// What its file is.
    pub digest: Digest,
    /// Where its code came from.
    pub origin: Origin,
    /// Why the cache has not kept its code: the next start compiles it again.
    pub cache_trouble: Option<String>,
    /// How long it took to load.
    pub loading: Duration,
}

/// What a call is made from: it may go on after its policy was replaced.
struct Code {
    instances: InstancePre<Call>,
    hooks: Hooks,
}

/// A hook that works must not hide one that fails.
struct Breakers {
    recipient: Breaker,
    message: Breaker,
    outcome: Breaker,
}

impl Breakers {
    fn new(now: Instant) -> Self {
        Self { recipient: Breaker::new(now), message: Breaker::new(now), outcome: Breaker::new(now) }
    }
}

/// The exports that were found.
struct Hooks {
    policy: exported::policy::GuestIndices,
    recipient: Option<exported::on_recipient::GuestIndices>,
    message: Option<exported::on_message::GuestIndices>,
    outcome: Option<exported::on_outcome::GuestIndices>,
}

impl Policy {
    /// Loads a policy: code from the cache or a worker, then its own description and its view of the settings.
    /// `inquiry` is whom it is asked for then: a realm, and a message that there is not.
    ///
    /// # Errors
    /// It is not taken; what was loaded before is not touched.
    pub async fn load(
        engine: &Arc<Engine>,
        compiler: &Compiler,
        file: &[u8],
        terms: Terms,
        inquiry: Inquiry,
    ) -> Result<Self, LoadError> {
        let began = Instant::now();
        let mut policy = Self::unasked(engine, compiler, file, terms).await?;
        policy.describe(inquiry.clone()).await.result.map_err(LoadError::Undescribed)??;
        let settings = policy.check_settings(inquiry).await.result.map_err(LoadError::Undescribed)?;
        settings.map_err(LoadError::Settings)?;
        policy.loading = began.elapsed();
        Ok(policy)
    }

    /// Loads the code alone: for authors' tools, which ask step by step and show each report.
    ///
    /// # Errors
    /// The file is no policy, or cannot be compiled.
    pub async fn unasked(
        engine: &Arc<Engine>,
        compiler: &Compiler,
        file: &[u8],
        terms: Terms,
    ) -> Result<Self, LoadError> {
        let (began, digest) = (Instant::now(), Digest::of(file));
        let (component, origin, trouble) = component(engine, compiler, file, digest).await?;
        let cache_trouble = trouble.map(|error| error.to_string());
        check_size(&component, &terms.limits)?;
        let unfit = |error: wasmtime::Error| LoadError::Unfit(format!("it does not fit the contract: {error:#}"));
        let instances = engine.linker.instantiate_pre(&component).map_err(unfit)?;
        let hooks = Hooks::find(&component, &instances).map_err(unfit)?;
        let description = Description { name: String::new(), version: String::new(), needs_body: false };
        let (engine, code) = (Arc::clone(engine), Arc::new(Code { instances, hooks }));
        let (breakers, pace, loading) = (Breakers::new(began), Pace::default(), began.elapsed());
        Ok(Self { engine, code, terms, breakers, pace, description, digest, origin, cache_trouble, loading })
    }

    /// The same code on other terms, and with no failures behind it. It is asked nothing anew.
    pub fn on(&self, terms: Terms) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            code: Arc::clone(&self.code),
            terms,
            breakers: Breakers::new(Instant::now()),
            pace: Pace::default(),
            description: self.description.clone(),
            digest: self.digest,
            origin: self.origin,
            cache_trouble: self.cache_trouble.clone(),
            loading: self.loading,
        }
    }

    /// Octets of memory that a call begins with: those of its largest memory.
    pub fn initial_memory(&self) -> usize {
        self.code.instances.component().resources_required().map_or(0, |needed| initial_memory(&needed))
    }

    /// Whether it decides on recipients.
    pub fn decides_recipients(&self) -> bool {
        self.code.hooks.recipient.is_some()
    }

    /// Whether it decides on messages.
    pub fn decides_messages(&self) -> bool {
        self.code.hooks.message.is_some()
    }

    /// Whether it hears outcomes.
    pub fn hears_outcomes(&self) -> bool {
        self.code.hooks.outcome.is_some()
    }

    /// Whether one of its hooks rests, having failed too much.
    pub fn is_resting(&self) -> bool {
        let Breakers { recipient, message, outcome } = &self.breakers;
        recipient.is_open() || message.is_open() || outcome.is_open()
    }

    /// Whether one of its hooks rests for its own failures. A policy that has used up its tenant's share does not fail.
    pub fn keeps_failing(&self) -> bool {
        let Breakers { recipient, message, outcome } = &self.breakers;
        [recipient, message, outcome].into_iter().any(|breaker| breaker.open_for() == Some(Cause::Failures))
    }

    /// What it was loaded with.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Asks `on-recipient`. To be called only where [`Self::decides_recipients`].
    pub async fn recipient(&self, inquiry: Inquiry, address: String) -> Report<Verdict> {
        let (report, _) = self.guarded(inquiry, Mail::none(), None, run::Question::Recipient(address)).await;
        report.map(|answer| match answer {
            run::Answer::Verdict(verdict) => verdict,
            _ => unreachable!("a question about a recipient is answered by a verdict"),
        })
    }

    /// Asks `on-message`; the message is given back. To be called only where [`Self::decides_messages`].
    pub async fn message(&self, inquiry: Inquiry, mail: Mail) -> (Report<Decided>, Mail) {
        let (report, mail) = self.guarded(inquiry, mail, None, run::Question::Message).await;
        let report = report.map(|answer| match answer {
            run::Answer::Decided(decided) => *decided,
            _ => unreachable!("a question about a message is answered by a decision"),
        });
        (report, mail)
    }

    /// Asks `on-outcome`. To be called only where [`Self::hears_outcomes`].
    pub async fn outcome(&self, inquiry: Inquiry, attempt: Attempt) -> Report<Next> {
        let (report, _) = self.guarded(inquiry, Mail::none(), Some(attempt), run::Question::Outcome).await;
        report.map(|answer| match answer {
            run::Answer::Next(next) => next,
            _ => unreachable!("a question about an outcome is answered by what is next"),
        })
    }

    /// A call that the breaker allows and hears of.
    async fn guarded(
        &self,
        inquiry: Inquiry,
        mail: Mail,
        attempt: Option<Attempt>,
        question: run::Question,
    ) -> (Report<run::Answer>, Mail) {
        let breaker = match question {
            run::Question::Recipient(_) => &self.breakers.recipient,
            run::Question::Outcome => &self.breakers.outcome,
            run::Question::Message | run::Question::Describe | run::Question::CheckSettings => &self.breakers.message,
        };
        match breaker.enter(Instant::now()) {
            Ok(entry) => {
                // A call takes some KiB, which every session would have room for otherwise.
                let (report, mail) = Box::pin(self.ask(inquiry, mail, attempt, question)).await;
                entry.tell(report.result.as_ref().err(), Instant::now());
                (report, mail)
            }
            Err(resting) => (Report::of_none(resting), mail),
        }
    }

    /// Asks it what it is; what it says holds from then on, if it can be used.
    pub async fn describe(&mut self, inquiry: Inquiry) -> Report<Result<(), LoadError>> {
        let (report, _) = self.ask(inquiry, Mail::none(), None, run::Question::Describe).await;
        report.map(|answer| match answer {
            run::Answer::Description(description) => {
                self.description = answer::check_description(description)?;
                Ok(())
            }
            _ => unreachable!("a policy that is to describe itself answers with a description"),
        })
    }

    /// Asks it about the settings it was loaded with; the error is its own.
    pub async fn check_settings(&self, inquiry: Inquiry) -> Report<Result<(), String>> {
        let (report, _) = self.ask(inquiry, Mail::none(), None, run::Question::CheckSettings).await;
        report.map(|answer| match answer {
            run::Answer::Settings(taken) => taken.map_err(|reason| answer::complaint(&reason)),
            _ => unreachable!("a question about settings is answered by what is wrong with them"),
        })
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("description", &self.description).field("digest", &self.digest).finish()
    }
}

impl Hooks {
    fn find(component: &Component, instances: &InstancePre<Call>) -> wasmtime::Result<Self> {
        let has = |hook: &str| component.get_export_index(None, format!("posthouse:policy/{hook}@0.1.0")).is_some();
        Ok(Self {
            policy: exported::policy::GuestIndices::new(instances)?,
            recipient: has("on-recipient").then(|| exported::on_recipient::GuestIndices::new(instances)).transpose()?,
            message: has("on-message").then(|| exported::on_message::GuestIndices::new(instances)).transpose()?,
            outcome: has("on-outcome").then(|| exported::on_outcome::GuestIndices::new(instances)).transpose()?,
        })
    }
}

/// The component of a file. Code from the cache that this relay cannot use is compiled anew.
async fn component(
    engine: &Arc<Engine>,
    compiler: &Compiler,
    file: &[u8],
    digest: Digest,
) -> Result<(Component, Origin, Option<LoadError>), LoadError> {
    let mode = engine.mode();
    if let Some(code) = compiler.cached(mode, digest).await
        && let Ok(component) = trusted(engine, &code)
    {
        return Ok((component, Origin::Cache, None));
    }
    let (code, trouble) = compiler.compile(mode, digest, file).await?;
    let unfit = |error: wasmtime::Error| LoadError::Unfit(format!("it needs what no call has: {error:#}"));
    Ok((trusted(engine, &code).map_err(unfit)?, Origin::Worker, trouble))
}

/// Machine code as a component.
#[expect(unsafe_code, reason = "the code is our own worker's, straight from it or under the cache's MAC")]
fn trusted(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` was made by `worker::compile` in a process of ours: it comes either from that process'
    // standard output or from a cache entry whose MAC was verified. No octet of it is a tenant's.
    unsafe { Component::deserialize(&engine.wasmtime, code) }
}

/// A page of WebAssembly's memory.
const PAGE: usize = 64 * 1024;

/// What can never be instantiated is refused when it comes, with a number.
fn check_size(component: &Component, limits: &Limits) -> Result<(), LoadError> {
    let Some(needed) = component.resources_required() else {
        return Err(LoadError::Unfit("it imports core modules".to_owned()));
    };
    let initial = initial_memory(&needed);
    if initial > limits.memory {
        let (initial, limit) = (initial / 1024, limits.memory / 1024);
        return Err(LoadError::Unfit(format!("it begins with {initial} KiB of memory, and may have {limit} KiB")));
    }
    let counts = [("memories", needed.num_memories, limits::MEMORIES), ("tables", needed.num_tables, limits::TABLES)];
    match counts.iter().find(|(_, count, most)| count > most) {
        Some((what, count, most)) => Err(LoadError::Unfit(format!("it has {count} {what}, and may have {most}"))),
        None => Ok(()),
    }
}

/// In octets; wasmtime counts in pages.
fn initial_memory(needed: &ResourcesRequired) -> usize {
    let pages = usize::try_from(needed.max_initial_memory_size.unwrap_or(0)).unwrap_or(usize::MAX);
    pages.saturating_mul(PAGE)
}
