//! Policies' generations: each tenant's uploads, with what became of each, and the components that they name.
//!
//! A component is stored once, however many generations of whichever tenants name it, and goes with the last of them.
//! Invariant: every operation is whole or not at all, and a generation's component is there as long as it is.

mod components;

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::database::{Database, Fault, next_name, table};
use crate::digest::Digest;
use crate::error::Error;

const TABLE: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("generations");
/// The last number that each tenant has had: one that was pruned is not given again.
const LAST_NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("generation-numbers");

/// What a generation is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is there.
    Uploaded,
    /// It is asked, and its answers are compared only.
    Shadow,
    /// It decides on a part of the messages.
    Canary {
        /// How many of a hundred.
        percent: u8,
    },
    /// It decides.
    Active,
    /// It has decided, and another took its place.
    Retired,
    /// It was not taken, or rolled back.
    Refused,
}

/// What an upload brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The policy's own name.
    pub policy: String,
    /// Its version.
    pub version: String,
    /// The tenant's settings for it.
    pub settings: BTreeMap<String, String>,
    /// Who uploaded it.
    pub who: String,
    /// When, in Unix seconds.
    pub when: u64,
    /// From where: an address, or a file.
    pub from: String,
    /// Who signed the component, if somebody did.
    pub signer: Option<String>,
    /// What people want to say of it.
    pub note: String,
}

/// A generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, from 1, counted for each tenant and never given twice.
    pub number: u64,
    /// Its component.
    pub digest: Digest,
    /// What it is used for.
    pub stage: Stage,
    /// Its place among those that have decided, in the order of their promotions; none where it never has.
    #[serde(default)]
    pub decided: Option<u64>,
    /// What it came with.
    #[serde(flatten)]
    pub upload: Upload,
}

/// The generations of a store.
#[derive(Debug, Clone, Copy)]
pub struct Generations<'s> {
    database: &'s Database,
}

impl<'s> Generations<'s> {
    pub(crate) fn new(database: &'s Database) -> Self {
        Self { database }
    }

    /// Adds a generation with its component.
    ///
    /// # Errors
    /// It could not be written.
    pub fn append(&self, tenant: &str, component: &[u8], upload: Upload, stage: Stage) -> Result<Generation, Error> {
        let digest = Digest::of(component);
        self.database.write("add a policy generation", |transaction| {
            let mut numbers = transaction.open_table(LAST_NUMBERS)?;
            let number = numbers.get(tenant)?.map_or(0, |last| last.value()) + 1;
            numbers.insert(tenant, number)?;
            components::name(transaction, &digest, component)?;
            let generation = Generation { number, digest, stage, decided: None, upload };
            write(&mut transaction.open_table(TABLE)?, tenant, &generation)?;
            Ok(generation)
        })
    }

    /// Sets the stages of generations of a tenant, all or none: a promotion is one that becomes active, and the one
    /// before that retires. `decided` is a generation with its place among those that have decided.
    ///
    /// # Errors
    /// There is no such generation, or nothing could be written.
    pub fn set_stages(&self, tenant: &str, stages: &[(u64, Stage)], decided: Option<(u64, u64)>) -> Result<(), Error> {
        self.database.write("set the stage of a policy generation", |transaction| {
            let mut generations = transaction.open_table(TABLE)?;
            for (number, stage) in stages {
                let record = generations.get((tenant, *number))?.map(|record| record.value().to_vec());
                let missing = || Error::NoGeneration { tenant: tenant.to_owned(), number: *number };
                let mut generation = self.read(tenant, *number, &record.ok_or_else(missing)?)?;
                generation.stage = *stage;
                if let Some((_, place)) = decided.filter(|(decided, _)| decided == number) {
                    generation.decided = Some(place);
                }
                write(&mut generations, tenant, &generation)?;
            }
            Ok(())
        })
    }

    /// A tenant's generations, the oldest first.
    ///
    /// # Errors
    /// They could not be read.
    pub fn list(&self, tenant: &str) -> Result<Vec<Generation>, Error> {
        self.database.read("list policy generations", |transaction| match table(transaction, TABLE)? {
            Some(generations) => self.of(tenant, &generations),
            None => Ok(Vec::new()),
        })
    }

    /// The tenants that have generations.
    ///
    /// # Errors
    /// They could not be read.
    pub fn tenants(&self) -> Result<BTreeSet<String>, Error> {
        self.database.read("list policy generations", |transaction| {
            let Some(generations) = table(transaction, TABLE)? else { return Ok(BTreeSet::new()) };
            generations.iter()?.map(|entry| Ok(entry?.0.value().0.to_owned())).collect()
        })
    }

    /// The octets of a component, which are those that its digest names.
    ///
    /// # Errors
    /// No generation names it, it was altered, or it could not be read.
    pub fn component(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let octets =
            self.database.read("read a policy's component", |transaction| components::octets(transaction, digest))?;
        let octets = octets.ok_or(Error::NoComponent { digest: *digest })?;
        if Digest::of(&octets) != *digest {
            return Err(self.database.unreadable(format!("the component {digest}"), &"its octets have another digest"));
        }
        Ok(octets)
    }

    /// Forgets what is over: of the retired ones, of the refused ones, and of those that were only ever uploaded, all but
    /// the newest `keep`, and never one that is `spared`. Says how many generations went.
    ///
    /// # Errors
    /// Nothing could be written.
    pub fn prune(&self, tenant: &str, keep: usize, spared: Option<u64>) -> Result<usize, Error> {
        self.database.write("prune policy generations", |transaction| {
            let mut generations = transaction.open_table(TABLE)?;
            let all = self.of(tenant, &generations)?;
            let mut gone = 0;
            for over in [Stage::Retired, Stage::Refused, Stage::Uploaded] {
                let is_over = |generation: &&Generation| generation.stage == over && Some(generation.number) != spared;
                for generation in all.iter().rev().filter(is_over).skip(keep) {
                    generations.remove((tenant, generation.number))?;
                    components::unname(transaction, &generation.digest)?;
                    gone += 1;
                }
            }
            Ok(gone)
        })
    }

    fn of(
        &self,
        tenant: &str,
        generations: &impl ReadableTable<(&'static str, u64), &'static [u8]>,
    ) -> Result<Vec<Generation>, Fault> {
        let next = next_name(tenant);
        let mut found = Vec::new();
        for entry in generations.range((tenant, 0)..(next.as_str(), 0))? {
            let (key, record) = entry?;
            found.push(self.read(tenant, key.value().1, record.value())?);
        }
        Ok(found)
    }

    fn read(&self, tenant: &str, number: u64, record: &[u8]) -> Result<Generation, Error> {
        let named = |error| self.database.unreadable(format!("policy generation {number} of {tenant}"), &error);
        serde_json::from_slice(record).map_err(named)
    }
}

fn write(generations: &mut Table<'_, (&str, u64), &[u8]>, tenant: &str, of: &Generation) -> Result<(), Fault> {
    let record = serde_json::to_vec(of).expect("text, numbers and maps of text are JSON");
    generations.insert((tenant, of.number), record.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests;
