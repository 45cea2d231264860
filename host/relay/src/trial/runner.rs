//! Runs cases in their order: each call a fresh instance, all of them one tenant's memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::call::{Cost, Settings};
use posthouse_policy::log::Lines;
use posthouse_policy::policy::{Policy, Terms};
use posthouse_policy::tenant::TenantMemory;

use super::cases::{Case, Hook};
use super::question::{Question, has_hook, inquiry};
use super::seen::Seen;
use super::world::World;

/// Far from each other, so that choices by a part of the number differ too: 2^64 divided by the golden ratio.
const SEEDS: u64 = 0x9e37_79b9_7f4a_7c15;

/// A policy that is tried, and what its calls leave behind.
pub(crate) struct Runner {
    policy: Policy,
    world: World,
    tenant: Arc<TenantMemory>,
    later: Duration,
    calls: u64,
    /// What the policy has against settings; empty for nothing.
    against: BTreeMap<Settings, String>,
}

/// What came of a case.
pub(crate) struct Ran {
    pub(crate) seen: Seen,
    pub(crate) cost: Cost,
    pub(crate) lines: Lines,
}

impl Runner {
    pub(crate) fn new(policy: Policy, world: World) -> Self {
        let (later, against) = (Duration::ZERO, BTreeMap::new());
        Self { policy, world, tenant: TenantMemory::new(), later, calls: 0, against }
    }

    /// Runs a case; the last of its repetitions counts.
    ///
    /// # Errors
    /// It cannot be asked at all, for want of a hook or of settings that the policy takes.
    pub(crate) async fn run(&mut self, case: &Case) -> Result<Ran, String> {
        self.later += case.after;
        if !has_hook(&self.policy, case.hook) {
            return Err(format!("the policy does not export {}", case.hook.name()));
        }
        let own = case.settings.as_ref().map(|table| Arc::new(table.settings()));
        let settings = own.unwrap_or_else(|| Arc::clone(&self.world.settings));
        if case.hook != Hook::Settings {
            self.check(case, &settings).await?;
        }
        let before = self.tenant.counters.counts();
        let mut question = Question::of(case);
        for _ in 1..case.repeat {
            self.ask(case, &settings, &mut question).await;
        }
        let mut ran = self.ask(case, &settings, &mut question).await;
        let counted: BTreeMap<String, u64> = before.into_iter().collect();
        let added = |(name, count): (String, u64)| {
            let before = counted.get(&name).copied().unwrap_or(0);
            (name, count - before)
        };
        ran.seen.counters = self.tenant.counters.counts().into_iter().map(added).collect();
        Ok(ran)
    }

    async fn ask(&mut self, case: &Case, settings: &Settings, question: &mut Question) -> Ran {
        self.calls += 1;
        let seed = case.seed.unwrap_or_else(|| self.calls.wrapping_mul(SEEDS));
        let inquiry = inquiry(case, &self.world, self.later, seed);
        let report = question.ask(&self.under(settings), inquiry).await;
        Ran { seen: Seen::of(case, question, &report), cost: report.cost, lines: report.lines }
    }

    /// A relay would not load a policy that refuses its settings.
    async fn check(&mut self, case: &Case, settings: &Settings) -> Result<(), String> {
        if !self.against.contains_key(settings) {
            let inquiry = inquiry(case, &self.world, self.later, 0);
            let reason = match self.under(settings).check_settings(inquiry).await.result {
                Ok(Ok(())) => String::new(),
                Ok(Err(reason)) => format!("the policy refuses the settings: {reason}"),
                Err(failure) => format!("the policy fails on the settings: {failure}"),
            };
            self.against.insert(Arc::clone(settings), reason);
        }
        let reason = &self.against[settings];
        if reason.is_empty() { Ok(()) } else { Err(reason.clone()) }
    }

    /// The policy on these settings. Its failures so far are forgotten, so that each case is on its own.
    fn under(&self, settings: &Settings) -> Policy {
        let (settings, tenant) = (Arc::clone(settings), Arc::clone(&self.tenant));
        self.policy.on(Terms { limits: self.world.limits, settings, tenant })
    }
}
