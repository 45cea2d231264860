//! Whose turn it is to bring a policy: one of a tenant at a time, and so many in all. Looking at one takes memory and
//! processors, which are everybody's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Admin;
use super::access::TenantScope;
use super::failure::Failure;

/// Policies that are looked at at a time.
const AT_A_TIME: usize = 4;

/// Who is bringing one.
#[derive(Debug)]
pub(super) struct Turns {
    places: Arc<Semaphore>,
    tenants: Mutex<HashSet<String>>,
}

/// A tenant's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    tenant: String,
    turns: Arc<Turns>,
    _place: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_A_TIME)), tenants: Mutex::default() }
    }
}

impl Turns {
    fn tenants(&self) -> MutexGuard<'_, HashSet<String>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, tenant: &str) -> Result<Turn, Failure> {
        let busy = |error: &str| Failure::new(StatusCode::SERVICE_UNAVAILABLE, error, "try again in a moment");
        if !self.tenants().insert(tenant.to_owned()) {
            return Err(busy("another policy of this tenant is looked at just now"));
        }
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Ok(Turn { tenant: tenant.to_owned(), turns: Arc::clone(self), _place: place }),
            Err(_) => {
                self.tenants().remove(tenant);
                Err(busy("others are bringing policies just now"))
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.tenants().remove(&self.tenant);
    }
}

impl FromRequestParts<Admin> for Turn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Failure> {
        let TenantScope { tenant } = TenantScope::from_request_parts(parts, admin).await?;
        admin.turns.take(&tenant.id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{AT_A_TIME, Turns};

    #[test]
    fn a_tenant_has_one_turn_at_a_time_and_all_together_so_many() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("acme").expect("nobody else is there");
        assert!(turns.take("acme").is_err());
        let others: Vec<_> = (1..AT_A_TIME).map(|n| turns.take(&n.to_string()).expect("there is room")).collect();
        assert!(turns.take("late").is_err());
        drop(first);
        drop(turns.take("late").expect("one is gone"));
        drop(turns.take("acme").expect("and its tenant may come again"));
        drop(others);
    }
}
