//! What is to become of a line, before anything is loaded for it.

use posthouse_store::generations::{Generation, Stage};

use super::{Line, StageError, Steps};
use crate::config::policy::Policy as Settings;

/// A change of stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// This generation comes to this stage.
    Bring(u64, Stage),
    /// What decided before the one that decides now does again.
    RollBack,
    /// This generation, which keeps failing, is taken back.
    TakeBack(u64),
}

impl Course {
    /// Takes it. The generation that it is about, and the steps for the archive.
    pub(crate) fn take(self, line: &mut Line) -> Result<(u64, Steps), StageError> {
        match self {
            Self::Bring(number, to) => Ok((number, line.bring(number, to)?)),
            Self::RollBack => line.roll_back(),
            Self::TakeBack(number) => Ok((number, line.take_back(number)?)),
        }
    }
}

impl Line {
    /// The generation that has to be loaded before these steps are taken, on the terms of the configuration; none where
    /// everything that is to run runs already.
    pub(crate) fn lacks(&self, steps: &Steps, settings: &Settings) -> Option<&Generation> {
        let runs = |stage: Stage| matches!(stage, Stage::Active | Stage::Canary { .. } | Stage::Shadow);
        let (number, _) = steps.stages.iter().find(|(_, stage)| runs(*stage))?;
        let generation = self.generation(*number)?;
        let terms = settings.on_those_of(generation);
        let runs_already = self
            .running()
            .any(|(_, policy)| policy.generation == *number && policy.is_on(&terms) && policy.shares_memory());
        (!runs_already).then_some(generation)
    }
}

impl Settings {
    /// The same, with the settings that a generation was brought with.
    pub(crate) fn on_those_of(&self, generation: &Generation) -> Self {
        Self { settings: generation.upload.settings.clone(), ..self.clone() }
    }
}
