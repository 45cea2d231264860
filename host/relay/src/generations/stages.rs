//! From stage to stage: what may follow what, and what that means for the others of a line.

use posthouse_store::generations::{Generation, Stage};

use super::Line;
use super::archive::{KEPT, prune};

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
    /// A share that is none.
    #[error("a canary decides on 1 to 99 of a hundred messages, not on {0}; promote it to decide on all")]
    Share(u8),
}

impl Line {
    /// Brings a generation to a stage. The stages that change, its own and others', are for the archive.
    pub(crate) fn bring(&mut self, number: u64, to: Stage) -> Result<Vec<(u64, Stage)>, StageError> {
        let generation = self.generation(number).ok_or(StageError::Unknown(number))?;
        match (generation.stage, to) {
            (Stage::Refused, _) => return Err(StageError::Refused(number)),
            (Stage::Active, Stage::Active) => return Err(StageError::Already(number)),
            (Stage::Active, _) => return Err(StageError::Active(number)),
            (_, Stage::Canary { percent }) if !(1..=99).contains(&percent) => return Err(StageError::Share(percent)),
            _ => {}
        }
        // Of what decides, of canaries and of shadows there is one each.
        let gives_way =
            |other: &&Generation| other.number != number && kind(other.stage) == kind(to) && kind(to).is_some();
        let mut stages: Vec<_> =
            self.history.iter().filter(gives_way).map(|other| (other.number, Stage::Retired)).collect();
        stages.push((number, to));
        self.set(&stages);
        Ok(stages)
    }

    /// Brings back what decided before the one that decides now, which retires.
    pub(crate) fn roll_back(&mut self) -> Result<(u64, Vec<(u64, Stage)>), StageError> {
        let active = self.stage_of(Stage::Active).map(|generation| generation.number);
        let before = |generation: &&Generation| {
            generation.stage == Stage::Retired && active.is_none_or(|active| generation.number < active)
        };
        let earlier = self.history.iter().rev().find(before).ok_or(StageError::NothingBefore)?.number;
        Ok((earlier, self.bring(earlier, Stage::Active)?))
    }

    /// Takes a generation back that keeps failing. Where it decides, what decided before it does again; where there is
    /// none, it stays.
    pub(crate) fn take_back(&mut self, number: u64) -> Result<Vec<(u64, Stage)>, StageError> {
        let generation = self.generation(number).ok_or(StageError::Unknown(number))?;
        let mut stages = if generation.stage == Stage::Active { self.roll_back()?.1 } else { Vec::new() };
        stages.retain(|(other, _)| *other != number);
        stages.push((number, Stage::Refused));
        self.set(&stages);
        Ok(stages)
    }

    /// Adds what was brought.
    pub(crate) fn add(&mut self, generation: Generation) {
        self.history.push(generation);
        prune(&mut self.history, KEPT);
    }

    fn set(&mut self, stages: &[(u64, Stage)]) {
        for generation in &mut self.history {
            if let Some((_, stage)) = stages.iter().find(|(number, _)| *number == generation.number) {
                generation.stage = *stage;
            }
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
