//! New consents: no generation is made by one, since the account's token is no part of the configuration.

use std::sync::Arc;

use posthouse_oauth::secret::Secret;

use super::change::Plane;
use crate::account::state::State;
use crate::account::{Account, NotRenewed};
use crate::audit::{Actor, Deed};
use crate::pauses::Subject;

/// Why a consent is not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotConsented {
    /// There is no such tenant.
    #[error("there is no tenant {0:?}")]
    NoTenant(String),
    /// The tenant has no such account.
    #[error("tenant {tenant:?} has no account {account:?}")]
    NoAccount {
        /// The tenant.
        tenant: String,
        /// The account.
        account: String,
    },
    /// The account does not take it.
    #[error(transparent)]
    Account(#[from] NotRenewed),
}

impl Plane {
    pub(super) async fn consent(&self, actor: Actor, subject: Subject, token: Secret) -> Result<State, NotConsented> {
        let came = self.consent_of(&subject, &token).await;
        let (outcome, detail) = match &came {
            Ok(_) => ("done", None),
            Err(error) => ("refused", Some(error.to_string())),
        };
        let Subject { tenant, account } = subject;
        let generation = self.publisher.current().generation;
        let (action, outcome) = ("consent".into(), outcome.into());
        self.audit.record(actor, Deed { action, tenant: Some(tenant), account, outcome, detail, generation });
        came
    }

    async fn consent_of(&self, subject: &Subject, token: &Secret) -> Result<State, NotConsented> {
        let account = self.account(subject)?;
        account.renew_consent(token).await?;
        Ok(account.state())
    }

    fn account(&self, Subject { tenant, account }: &Subject) -> Result<Arc<Account>, NotConsented> {
        let current = self.publisher.current();
        let found = current.tenants.get(tenant).ok_or_else(|| NotConsented::NoTenant(tenant.clone()))?;
        let account = account.as_deref().unwrap_or_default();
        let none = || NotConsented::NoAccount { tenant: tenant.clone(), account: account.to_owned() };
        found.accounts.get(account).cloned().ok_or_else(none)
    }
}
