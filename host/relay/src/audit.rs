//! Who has changed what, from where, and what came of it.
//!
//! The newest entries are kept in memory, all go into the log; where there is a state directory the keeper writes them
//! there within a second, and the next start reads them back. No entry holds a secret.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use posthouse_store::audit::Entry as KeptEntry;
use serde::{Deserialize, Serialize};
use tracing::info;

/// Entries kept; the oldest go first.
const KEPT: usize = 1000;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name of the token, or `files` and `signal`.
    pub who: String,
    /// The address that the request came from; none for what happens on the relay's own host.
    pub from: Option<IpAddr>,
    /// The tenant whose token it is; none is an operator's.
    #[serde(rename = "of_tenant")]
    pub tenant: Option<String>,
}

/// One change, or the try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// What was done.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// `reload`, `pause`, `resume`.
    pub action: Cow<'static, str>,
    /// The tenant that it was done to, where it was one.
    pub tenant: Option<String>,
    /// The account, where it was one.
    pub account: Option<String>,
    /// What came of it: `done`, `unchanged` or `refused`.
    pub outcome: Cow<'static, str>,
    /// Why: a pause's reason, or why it was refused.
    pub detail: Option<String>,
    /// The generation that held afterwards.
    pub generation: u64,
}

/// The log of changes.
#[derive(Debug, Default)]
pub struct Audit {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    count: u64,
    /// What is still to be stored, where anything is: at most as many as are kept.
    unwritten: Option<VecDeque<Entry>>,
}

impl Entry {
    /// As the store keeps it: all of it is in the detail.
    pub(crate) fn kept(&self) -> KeptEntry {
        KeptEntry {
            when: self.at,
            who: self.actor.who.clone(),
            from: self.actor.from.map_or_else(|| "here".to_owned(), |from| from.to_string()),
            action: self.deed.action.clone().into_owned(),
            tenant: self.deed.tenant.clone(),
            detail: serde_json::to_string(self).expect("text and numbers are JSON"),
        }
    }
}

impl Actor {
    /// The relay's own host: a changed file, a signal.
    pub fn here(what: &str) -> Self {
        Self { who: what.to_owned(), from: None, tenant: None }
    }
}

impl Audit {
    /// That of a relay whose store has these entries, the newest first; new ones are to be stored as well.
    pub(crate) fn stored(entries: &[KeptEntry]) -> Self {
        let entries: VecDeque<Entry> =
            entries.iter().rev().filter_map(|entry| serde_json::from_str(&entry.detail).ok()).collect();
        let count = entries.back().map_or(0, |newest| newest.number);
        Self { kept: Mutex::new(Kept { entries, count, unwritten: Some(VecDeque::new()) }) }
    }

    /// How many entries are kept in memory.
    pub(crate) const KEPT: usize = KEPT;

    /// The entries that are to be stored now.
    pub(crate) fn unwritten(&self) -> Vec<Entry> {
        self.kept().unwritten.as_mut().map(|unwritten| unwritten.drain(..).collect()).unwrap_or_default()
    }

    /// These could not be stored.
    pub(crate) fn not_written(&self, entries: Vec<Entry>) {
        if let Some(unwritten) = &mut self.kept().unwritten {
            entries.into_iter().rev().for_each(|entry| unwritten.push_front(entry));
        }
    }

    /// Writes an entry.
    pub fn record(&self, actor: Actor, deed: Deed) {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        info!(
            who = actor.who,
            from = actor.from.map(tracing::field::display),
            of_tenant = actor.tenant,
            action = %deed.action,
            tenant = deed.tenant,
            account = deed.account,
            outcome = %deed.outcome,
            detail = deed.detail,
            generation = deed.generation,
            "change"
        );
        let mut kept = self.kept();
        kept.count += 1;
        let entry = Entry { number: kept.count, at, actor, deed };
        if kept.entries.len() == KEPT {
            kept.entries.pop_front();
        }
        if let Some(unwritten) = &mut kept.unwritten {
            if unwritten.len() == KEPT {
                unwritten.pop_front();
            }
            unwritten.push_back(entry.clone());
        }
        kept.entries.push_back(entry);
    }

    /// The entries that are kept, the newest first; those about one tenant, or all.
    pub fn recent(&self, tenant: Option<&str>) -> Vec<Entry> {
        let concerns = |entry: &&Entry| tenant.is_none() || entry.deed.tenant.as_deref() == tenant;
        self.kept().entries.iter().rev().filter(concerns).cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
