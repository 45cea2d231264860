//! The accounts that may carry a message, before it is decided which one does.
//!
//! Without a policy that is known at MAIL. A policy chooses when the header block is complete: until then what
//! is said at RCPT has to hold for whichever of the tenant's accounts it will be.

use std::sync::Arc;

use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use crate::account::Account;
use crate::answer::Undelivered;
use crate::decide;
use crate::policies::{Refusal, TenantPolicy};
use crate::refusals::heard_by_any;
use crate::snapshot::Known;
use crate::tenant::Tenant;

/// Who may carry a message.
#[derive(Debug)]
pub(crate) enum Prospects {
    /// This account.
    One(Arc<Account>),
    /// Any account of the tenant: its policy will say.
    Any(Arc<Tenant>),
}

impl Prospects {
    /// Those of mail from this sender.
    ///
    /// # Errors
    /// Nobody carries it, or the policy that would decide is not there.
    pub(crate) fn of(
        known: &Known,
        policy: Option<&TenantPolicy>,
        reverse_path: &ReversePath,
    ) -> Result<Self, Undelivered> {
        if let Some(pause) = &known.tenant.pauses.whole {
            return Err(Undelivered::TenantPaused { reason: pause.reason.clone() });
        }
        if known.tenant.lacks_policy {
            return Err(Refusal::Unavailable.into());
        }
        if policy.is_some_and(|policy| policy.policy.decides_messages()) {
            return Ok(Self::Any(Arc::clone(&known.tenant)));
        }
        let carrier = decide::native(&known.tenant, &known.login, reverse_path);
        let account = decide::resolve(&known.tenant, &carrier, reverse_path).into_iter().next();
        account.map(Self::One).ok_or_else(|| decide::nobody(&known.tenant, &carrier))
    }

    /// The account, where it is known.
    pub(crate) fn only(&self) -> Option<&Arc<Account>> {
        match self {
            Self::One(account) => Some(account),
            Self::Any(_) => None,
        }
    }

    /// Recipients that each of them takes in one message.
    pub(crate) fn recipients_per_message(&self) -> usize {
        match self {
            Self::One(account) => account.recipients_per_message,
            Self::Any(tenant) => tenant.recipients_per_message,
        }
    }

    /// What a provider has answered to this recipient within the hour, when it refused it. Of several prospects it is
    /// the answer of one.
    pub(crate) fn heard(&self, sender: &ReversePath, recipient: &ForwardPath, now: Instant) -> Option<Reply> {
        match self {
            Self::One(account) => account.refusals.heard(sender, recipient, now),
            Self::Any(tenant) => {
                heard_by_any(tenant.accounts.values(), &tenant.refused_of_late, (sender, recipient), now)
            }
        }
    }
}
