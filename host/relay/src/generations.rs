//! The generations of a tenant's policy: what was brought, what became of it, and which of them decide now.
//!
//! A line is an immutable value of a snapshot, as everything else that a transaction may ask: promoting and rolling back is
//! publishing another line. The one invariant: what runs in a line is in its history, at the stage that it runs at.

pub mod archive;
pub(crate) mod course;
mod follow;
pub mod shadow;
pub mod signature;
mod stages;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use posthouse_policy::failure::LoadError;
use posthouse_store::generations::{Generation, Stage};

use crate::generations::shadow::{Comparison, Counts};
use crate::policies::TenantPolicy;

pub(crate) use follow::follow;
pub use stages::StageError;

/// One tenant's generations.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// All that are remembered, the oldest first.
    pub history: Vec<Generation>,
    active: Option<Arc<TenantPolicy>>,
    canary: Option<Canary>,
    shadow: Option<Shadow>,
    /// What was brought back because another one kept failing: it has proved itself, and is not taken back by the relay.
    brought_back: Option<u64>,
}

/// A generation that decides on a part of the messages.
#[derive(Debug, Clone)]
struct Canary {
    percent: u8,
    policy: Arc<TenantPolicy>,
    /// Messages since it began.
    messages: Arc<AtomicU64>,
}

/// A generation that is asked beside the one that decides.
#[derive(Debug, Clone)]
pub(crate) struct Shadow {
    pub(crate) policy: Arc<TenantPolicy>,
    pub(crate) comparison: Arc<Comparison>,
}

/// Stages that change together, for the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) stages: Vec<(u64, Stage)>,
    /// The generation that was promoted, and its place among those that have decided.
    pub(crate) decided: Option<(u64, u64)>,
}

/// What a line is being changed to, and what the archive has to be told of it.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) line: Line,
    /// Stages to be written down when the line is published.
    pub(crate) steps: Steps,
    /// What should run and could not be loaded, or was brought by a file and is not taken.
    pub(crate) refused: Vec<LoadError>,
    /// A generation that is loaded already.
    pub(crate) at_hand: Option<Arc<TenantPolicy>>,
    /// Whether others are loaded that should run and do not.
    pub(crate) loads: bool,
    /// What ran before.
    ran: Vec<Arc<TenantPolicy>>,
}

impl Changed {
    /// To this line, whose stages are to be written down.
    pub(crate) fn to(line: Line, steps: Steps) -> Self {
        Self { line, steps, refused: Vec::new(), at_hand: None, loads: true, ran: Vec::new() }
    }

    /// The same, without loading anything: what was not loaded before and is not at hand stays as it is.
    pub(crate) fn with(self, at_hand: Option<Arc<TenantPolicy>>) -> Self {
        Self { at_hand, loads: false, ..self }
    }
}

impl Line {
    /// A line whose generations are known and not loaded.
    pub(crate) fn of(history: Vec<Generation>) -> Self {
        Self { history, ..Self::default() }
    }

    /// The policy that decides on the next message. Of every hundred messages a canary has its share, spread evenly.
    pub(crate) fn deciding(&self) -> Option<&Arc<TenantPolicy>> {
        if let Some(Canary { percent, policy, messages }) = &self.canary {
            let (percent, count) = (u64::from(*percent), messages.fetch_add(1, Ordering::Relaxed));
            if (count + 1) * percent / 100 > count * percent / 100 {
                return Some(policy);
            }
        }
        self.active.as_ref()
    }

    /// The one that is asked beside it.
    pub(crate) fn shadow(&self) -> Option<&Shadow> {
        self.shadow.as_ref()
    }

    /// What came of comparing the shadow with what decides.
    pub fn comparison(&self) -> Option<Counts> {
        self.shadow.as_ref().map(|shadow| shadow.comparison.counts())
    }

    /// The policy that decides where there is no canary.
    pub fn active(&self) -> Option<&Arc<TenantPolicy>> {
        self.active.as_ref()
    }

    /// What runs, each at its stage.
    pub fn running(&self) -> impl Iterator<Item = (Stage, &Arc<TenantPolicy>)> {
        let canary = |canary: &Canary| Stage::Canary { percent: canary.percent };
        let active = self.active.iter().map(|policy| (Stage::Active, policy));
        let canary = self.canary.iter().map(move |running| (canary(running), &running.policy));
        active.chain(canary).chain(self.shadow.iter().map(|shadow| (Stage::Shadow, &shadow.policy)))
    }

    /// A generation, by its number.
    pub fn generation(&self, number: u64) -> Option<&Generation> {
        self.history.iter().find(|generation| generation.number == number)
    }

    /// Whether the same policies run in both, at the same stages.
    pub(crate) fn runs_like(&self, other: &Self) -> bool {
        let running =
            |line: &Self| -> Vec<_> { line.running().map(|(stage, policy)| (stage, Arc::as_ptr(policy))).collect() };
        running(self) == running(other)
    }

    fn stage_of(&self, wanted: Stage) -> Option<&Generation> {
        self.history.iter().rev().find(|generation| generation.stage == wanted)
    }
}
