//! Tenants and accounts that are set aside for a while: by whom, why, since when.
//!
//! A value of a snapshot that goes on from one generation to the next, whatever the configuration says meanwhile; a
//! tenant or an account that is gone and comes back is paused still. The store has the same, for the next start.

use std::collections::BTreeMap;

use posthouse_store::pauses::{Pause as KeptPause, Paused as KeptSubject};
use serde::Serialize;

/// One pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// Why, in the words of whoever paused; clients hear it.
    pub reason: String,
    /// The token's name.
    pub by: String,
    /// Whether that was an operator: a tenant does not end what an operator has begun.
    pub by_operator: bool,
    /// When, in seconds since 1970.
    pub since: u64,
}

/// What is paused of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantPauses {
    /// The tenant as a whole.
    pub whole: Option<Pause>,
    /// Its accounts, by id.
    pub accounts: BTreeMap<String, Pause>,
}

/// All pauses, by tenant; tenants without any are not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pauses {
    tenants: BTreeMap<String, TenantPauses>,
}

/// What is paused or resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The tenant.
    pub tenant: String,
    /// One of its accounts; none is the tenant as a whole.
    pub account: Option<String>,
}

impl Pause {
    /// As the store keeps it.
    pub(crate) fn kept(&self) -> KeptPause {
        let Self { reason, by, by_operator, since } = self.clone();
        KeptPause { who: by, by_operator, when: since, reason }
    }
}

impl Subject {
    /// As the store names it.
    pub(crate) fn kept(&self) -> KeptSubject {
        KeptSubject { tenant: self.tenant.clone(), account: self.account.clone() }
    }
}

impl TenantPauses {
    /// The pause of this account alone.
    pub fn of(&self, account: &str) -> Option<&Pause> {
        self.accounts.get(account)
    }
}

impl Pauses {
    /// Those that a store has kept.
    pub(crate) fn stored(kept: BTreeMap<KeptSubject, KeptPause>) -> Self {
        kept.into_iter().fold(Self::default(), |pauses, (KeptSubject { tenant, account }, pause)| {
            let KeptPause { who: by, by_operator, when: since, reason } = pause;
            pauses.with(&Subject { tenant, account }, Some(Pause { reason, by, by_operator, since }))
        })
    }

    /// What is paused of this tenant.
    pub fn of(&self, tenant: &str) -> TenantPauses {
        self.tenants.get(tenant).cloned().unwrap_or_default()
    }

    /// The pause of a subject.
    pub fn get(&self, subject: &Subject) -> Option<&Pause> {
        let tenant = self.tenants.get(&subject.tenant)?;
        match &subject.account {
            Some(account) => tenant.of(account),
            None => tenant.whole.as_ref(),
        }
    }

    /// The same with this pause of the subject, or with none.
    #[must_use]
    pub fn with(&self, subject: &Subject, pause: Option<Pause>) -> Self {
        let mut tenants = self.tenants.clone();
        let tenant = tenants.entry(subject.tenant.clone()).or_default();
        match (&subject.account, pause) {
            (None, pause) => tenant.whole = pause,
            (Some(account), Some(pause)) => drop(tenant.accounts.insert(account.clone(), pause)),
            (Some(account), None) => drop(tenant.accounts.remove(account)),
        }
        if *tenant == TenantPauses::default() {
            tenants.remove(&subject.tenant);
        }
        Self { tenants }
    }
}
