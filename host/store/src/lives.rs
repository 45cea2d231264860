//! When each chain of refresh tokens began, and when it was last used: what a consent's end is counted from.
//!
//! As with the tokens, a life is its chain's whatever the account is called: nobody's consent begins anew by a new id.

use std::collections::HashMap;

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use crate::database::{Database, Fault, table};
use crate::error::Error;
use crate::refresh_tokens::{Chain, Key, LOGIN, kept_as};

const TABLE: TableDefinition<'_, Key, (u64, u64)> = TableDefinition::new("refresh-token-lives");

/// What is known of a chain's life. In Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// When the consent was given, or first seen.
    pub began: u64,
    /// When a token of the chain was last used.
    pub used: u64,
}

/// The lives of a store.
#[derive(Debug, Clone, Copy)]
pub struct Lives<'s> {
    database: &'s Database,
}

impl<'s> Lives<'s> {
    pub(crate) fn new(database: &'s Database) -> Self {
        Self { database }
    }

    /// Keeps these, all or none; each takes the place of what was known of its chain.
    ///
    /// # Errors
    /// They could not be written.
    pub fn keep(&self, lives: &[(Chain, Life)]) -> Result<(), Error> {
        self.database.write("keep the lives of refresh tokens", |transaction| {
            let mut kept = transaction.open_table(TABLE)?;
            for older in older(&kept, lives)? {
                kept.remove(older.key())?;
            }
            for (chain, life) in lives {
                kept.insert(chain.key(), (life.began, life.used))?;
            }
            Ok(())
        })
    }

    /// What is known of a chain, be it from when its account had another id.
    ///
    /// # Errors
    /// It could not be read.
    pub fn get(&self, chain: &Chain) -> Result<Option<Life>, Error> {
        self.database.read("read the life of a refresh token", |transaction| {
            let Some(kept) = table(transaction, TABLE)? else { return Ok(None) };
            let Some(chain) = kept_as(&kept, chain)? else { return Ok(None) };
            let life = kept.get(chain.key())?.map(|life| life.value());
            Ok(life.map(|(began, used)| Life { began, used }))
        })
    }
}

/// What is kept of these chains' origins under other ids. All are looked through once, however many are given.
fn older(kept: &impl ReadableTable<Key, (u64, u64)>, lives: &[(Chain, Life)]) -> Result<Vec<Chain>, Fault> {
    let chains = lives.iter().map(|(chain, _)| chain).filter(|chain| chain.origin != LOGIN);
    let given: HashMap<_, _> = chains.map(|chain| ((&*chain.tenant, &*chain.origin), chain)).collect();
    let mut older = Vec::new();
    for entry in kept.iter()? {
        let chain = Chain::of(entry?.0.value());
        if given.get(&(&*chain.tenant, &*chain.origin)).is_some_and(|given| **given != chain) {
            older.push(chain);
        }
    }
    Ok(older)
}

/// Whether one chain is known to have been used later than another.
pub(crate) fn is_newer(transaction: &WriteTransaction, one: &Chain, other: &Chain) -> Result<bool, Fault> {
    let lives = transaction.open_table(TABLE)?;
    let used = |chain: &Chain| Ok::<_, Fault>(lives.get(chain.key())?.map(|life| life.value().1));
    Ok(used(one)?.zip(used(other)?).is_some_and(|(one, other)| one > other))
}

/// Gives a chain's life to another chain as well.
pub(crate) fn copy(transaction: &WriteTransaction, from: &Chain, to: &Chain) -> Result<(), Fault> {
    let mut lives = transaction.open_table(TABLE)?;
    let life = lives.get(from.key())?.map(|life| life.value());
    if let Some((began, used)) = life {
        for older in older(&lives, &[(to.clone(), Life { began, used })])? {
            lives.remove(older.key())?;
        }
        lives.insert(to.key(), (began, used))?;
    }
    Ok(())
}

/// Forgets a chain's life.
pub(crate) fn forget(transaction: &WriteTransaction, chain: &Chain) -> Result<(), Fault> {
    transaction.open_table(TABLE)?.remove(chain.key())?;
    Ok(())
}

#[cfg(test)]
mod tests;
