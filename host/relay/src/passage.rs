//! What a message takes before it goes to its provider, and what it gives back where the provider never had it.
//!
//! Budgets of 24 hours first, which cost no waiting; then a place in the minute, the tenant's before the account's; then
//! one of the tenant's sessions, which are held only while a message goes out. All waiting together is bounded by one
//! deadline. What is ambiguous stays taken: the provider may have counted it.

use posthouse_upstream::deliver::Delivered;
use posthouse_upstream::error::Error as UpstreamError;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::account::Account;
use crate::answer::Undelivered;
use crate::budget::{Receipt, unix_after};
use crate::pace::{OverPace, Place};
use crate::tenant::Tenant;

/// A message's places and its part of the budgets. Dropped, all of it counts as used.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    budgets: Receipt<'a>,
    places: [Place; 2],
    _session: OwnedSemaphorePermit,
}

impl<'a> Passage<'a> {
    /// Takes all that a message to so many recipients needs, waiting at most until `deadline`, and no longer than messages
    /// wait for a session.
    ///
    /// # Errors
    /// Something is used up for longer than that; nothing is taken.
    pub(crate) async fn take(
        tenant: &'a Tenant,
        account: &'a Account,
        recipients: usize,
        deadline: Instant,
    ) -> Result<Self, Undelivered> {
        let budgets = tenant.budget.iter().chain(account.budgets());
        let budgets = Receipt::take(budgets, recipients).map_err(Undelivered::OverBudget)?;
        let asked = Instant::now();
        let until = deadline.min(asked + account.pool().limits().acquire_deadline);
        let places = places(tenant, account, until).await;
        account.metrics.passage_seconds.record(asked.elapsed().as_secs_f64());
        match places {
            Ok((places, session)) => Ok(Self { budgets, places, _session: session }),
            Err(undelivered) => {
                budgets.give_back();
                Err(undelivered)
            }
        }
    }

    /// The provider has answered, or nobody can know.
    pub(crate) fn end(self, outcome: &Result<Delivered, UpstreamError>) {
        let Err(error) = outcome else { return };
        if !error.is_ambiguous() {
            self.budgets.give_back();
        }
        if was_never_seen(error) {
            self.places.into_iter().for_each(Place::give_back);
        }
    }
}

async fn places(
    tenant: &Tenant,
    account: &Account,
    until: Instant,
) -> Result<([Place; 2], OwnedSemaphorePermit), Undelivered> {
    let over = |OverPace { wait }| Undelivered::TenantOverRate { wait, passes_at: unix_after(wait) };
    let of_tenant = tenant.limits.pace.place(until).await.map_err(over)?;
    let over = |OverPace { wait }| Undelivered::OverRate { wait, passes_at: unix_after(wait) };
    let of_account = match account.pace().place(until).await.map_err(over) {
        Ok(place) => place,
        Err(undelivered) => {
            of_tenant.give_back();
            return Err(undelivered);
        }
    };
    let places = [of_tenant, of_account];
    match timeout_at(until, tenant.limits.sessions.take(1)).await {
        Ok(session) => Ok((places, session)),
        Err(_) => {
            places.into_iter().for_each(Place::give_back);
            Err(Undelivered::TenantBusy { most: tenant.limits.sessions.all() })
        }
    }
}

/// Whether the provider heard nothing of the message. (A delivery that was begun may have been counted.)
fn was_never_seen(error: &UpstreamError) -> bool {
    matches!(
        error,
        UpstreamError::Busy { .. }
            | UpstreamError::LoginsPaused(_)
            | UpstreamError::LeftAlone(_)
            | UpstreamError::NoLogin(_)
            | UpstreamError::Unreachable { .. }
            | UpstreamError::Insecure { .. }
    )
}
