//! From stage to stage: what may follow what, and what that means for the others of a line.

use posthouse_store::generations::{Generation, Stage};

use super::archive::{KEPT, prune};
use super::{Line, Steps};

/// Why a generation does not come to the stage that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// There is no such generation.
    #[error("there is no generation {0}; `posthouse policy list` shows those that are kept")]
    Unknown(u64),
    /// It was not taken when it was brought.
    #[error("generation {0} was not taken when it was brought, and cannot run; bring a better one")]
    Refused(u64),
    /// It is the one that decides.
    #[error("generation {0} decides; promote another one, or roll back")]
    Active(u64),
    /// It decides already.
    #[error("generation {0} decides already")]
    Already(u64),
    /// There is none before it.
    #[error("there is no earlier generation that has decided; promote the one that is wanted")]
    NothingBefore,
    /// There is none whose messages it could have a share of.
    #[error("no generation decides yet, so that there is nothing to have a share of; promote this one")]
    NothingDecides,
    /// A share that is none.
    #[error("a canary decides on 1 to 99 of a hundred messages, not on {0}; promote it to decide on all")]
    Share(u8),
}

impl Line {
    /// Brings a generation to a stage. The steps, its own and others', are for the archive.
    pub(crate) fn bring(&mut self, number: u64, to: Stage) -> Result<Steps, StageError> {
        let last = self.history.iter().filter_map(|generation| generation.decided).max();
        let mut steps = self.move_to(number, to)?;
        if to == Stage::Active {
            steps.decided = Some((number, last.unwrap_or(0) + 1));
            self.brought_back = None;
        }
        self.take(&steps);
        Ok(steps)
    }

    /// Brings back what decided before the one that decides now, which retires. What has never decided is nothing to go
    /// back to, and each step goes further back.
    pub(crate) fn roll_back(&mut self) -> Result<(u64, Steps), StageError> {
        let now = self.stage_of(Stage::Active).and_then(|generation| generation.decided);
        let is_before = |generation: &&Generation| {
            generation.stage == Stage::Retired && generation.decided.is_some_and(|at| now.is_none_or(|now| at < now))
        };
        let earlier = self.history.iter().filter(is_before).max_by_key(|generation| generation.decided);
        let earlier = earlier.ok_or(StageError::NothingBefore)?.number;
        let steps = self.move_to(earlier, Stage::Active)?;
        self.take(&steps);
        Ok((earlier, steps))
    }

    /// Takes a generation back that keeps failing. Where it decides, what decided before it does again; where there is
    /// none, or it was brought back itself, it stays.
    pub(crate) fn take_back(&mut self, number: u64) -> Result<Steps, StageError> {
        let generation = self.generation(number).ok_or(StageError::Unknown(number))?;
        let mut steps = Steps::default();
        if generation.stage == Stage::Active {
            if self.brought_back == Some(number) {
                return Err(StageError::NothingBefore);
            }
            let (earlier, back) = self.roll_back()?;
            self.brought_back = Some(earlier);
            steps = back;
        }
        steps.stages.retain(|(other, _)| *other != number);
        steps.stages.push((number, Stage::Refused));
        self.take(&steps);
        Ok(steps)
    }

    /// Whether a generation that is brought next may come to this stage: said before anything of it is kept.
    pub(crate) fn check_stage_of_next(&self, to: Stage) -> Result<(), StageError> {
        match to {
            Stage::Canary { percent } if !(1..=99).contains(&percent) => Err(StageError::Share(percent)),
            // Its tenant's mail waits for the first that decides; a canary or a shadow alone would never be asked.
            Stage::Canary { .. } | Stage::Shadow if self.stage_of(Stage::Active).is_none() => {
                Err(StageError::NothingDecides)
            }
            _ => Ok(()),
        }
    }

    fn move_to(&self, number: u64, to: Stage) -> Result<Steps, StageError> {
        let generation = self.generation(number).ok_or(StageError::Unknown(number))?;
        match (generation.stage, to) {
            (Stage::Refused, _) => return Err(StageError::Refused(number)),
            (Stage::Active, Stage::Active) => return Err(StageError::Already(number)),
            (Stage::Active, _) => return Err(StageError::Active(number)),
            _ => self.check_stage_of_next(to)?,
        }
        // Of what decides, of canaries and of shadows there is one each.
        let gives_way =
            |other: &&Generation| other.number != number && kind(other.stage) == kind(to) && kind(to).is_some();
        let mut stages: Vec<_> =
            self.history.iter().filter(gives_way).map(|other| (other.number, Stage::Retired)).collect();
        stages.push((number, to));
        Ok(Steps { stages, decided: None })
    }

    /// What has to be written down so that what is kept says what holds here. What is not known here was brought by somebody
    /// who came to nothing, and never decided.
    pub(crate) fn steps_from(&self, kept: &[Generation]) -> Steps {
        let holds = |kept: &Generation| match self.generation(kept.number) {
            Some(known) => known.stage,
            None if kind(kept.stage).is_some() => Stage::Uploaded,
            None => kept.stage,
        };
        let differs = |kept: &&Generation| holds(kept) != kept.stage;
        let stages = kept.iter().filter(differs).map(|kept| (kept.number, holds(kept))).collect();
        Steps { stages, decided: None }
    }

    /// Adds what was brought.
    pub(crate) fn add(&mut self, generation: Generation) {
        self.history.push(generation);
        prune(&mut self.history, KEPT);
    }

    fn take(&mut self, steps: &Steps) {
        for generation in &mut self.history {
            steps.apply(generation);
        }
    }
}

impl Steps {
    /// What they are for this generation.
    pub(crate) fn apply(&self, generation: &mut Generation) {
        if let Some((_, stage)) = self.stages.iter().find(|(number, _)| *number == generation.number) {
            generation.stage = *stage;
        }
        if let Some((_, place)) = self.decided.filter(|(number, _)| *number == generation.number) {
            generation.decided = Some(place);
        }
    }
}

/// The stages of which a line has one at a time.
fn kind(stage: Stage) -> Option<u8> {
    match stage {
        Stage::Active => Some(0),
        Stage::Canary { .. } => Some(1),
        Stage::Shadow => Some(2),
        Stage::Uploaded | Stage::Retired | Stage::Refused => None,
    }
}

#[cfg(test)]
mod tests;
