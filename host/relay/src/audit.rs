//! Who has changed what, from where, and what came of it.
//!
//! The newest entries are kept in memory, all go into the log. Whoever stores them for good stores an [`Entry`] in
//! [`Audit::record`], which is the one way in. No entry holds a secret.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use tracing::info;

/// Entries kept; the oldest go first.
const KEPT: usize = 1000;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// `reload`, `pause`, `resume`.
    pub action: &'static str,
    /// The tenant that it was done to, where it was one.
    pub tenant: Option<String>,
    /// The account, where it was one.
    pub account: Option<String>,
    /// What came of it: `done`, `unchanged` or `refused`.
    pub outcome: &'static str,
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
}

impl Actor {
    /// The relay's own host: a changed file, a signal.
    pub fn here(what: &str) -> Self {
        Self { who: what.to_owned(), from: None, tenant: None }
    }
}

impl Audit {
    /// Writes an entry.
    pub fn record(&self, actor: Actor, deed: Deed) {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        info!(
            who = actor.who,
            from = actor.from.map(tracing::field::display),
            of_tenant = actor.tenant,
            action = deed.action,
            tenant = deed.tenant,
            account = deed.account,
            outcome = deed.outcome,
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
