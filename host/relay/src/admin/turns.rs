//! Whose turn it is to bring a policy: one of a tenant at a time, and so many in all. Looking at one takes memory and
//! processors, which are everybody's. Who is slow to send one holds its turn for as long as a body may take (`body`), and
//! others wait for longer than that, in the order of asking: nobody is sent away because of somebody slow.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Admin;
use super::access::TenantScope;
use super::failure::Failure;

/// Policies that are looked at at a time.
const AT_A_TIME: usize = 4;
/// How long one may wait for its turn: longer than the slowest body takes.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who is bringing one.
#[derive(Debug)]
pub(super) struct Turns {
    places: Arc<Semaphore>,
    tenants: Mutex<HashSet<String>>,
}

/// A tenant's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _only: Only,
    _place: OwnedSemaphorePermit,
}

/// The only one of its tenant.
#[derive(Debug)]
struct Only {
    tenant: String,
    turns: Arc<Turns>,
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

    async fn take(self: &Arc<Self>, tenant: &str) -> Result<Turn, Failure> {
        let busy = |error: &str| Failure::new(StatusCode::SERVICE_UNAVAILABLE, error, "try again in a moment");
        if !self.tenants().insert(tenant.to_owned()) {
            return Err(busy("another policy of this tenant is looked at just now"));
        }
        let only = Only { tenant: tenant.to_owned(), turns: Arc::clone(self) };
        match timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(Turn { _only: only, _place: place }),
            Ok(Err(_)) | Err(_) => Err(busy("others are bringing policies just now")),
        }
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        self.turns.tenants().remove(&self.tenant);
    }
}

impl FromRequestParts<Admin> for Turn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Failure> {
        let TenantScope { tenant } = TenantScope::from_request_parts(parts, admin).await?;
        admin.turns.take(&tenant.id).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::{AT_A_TIME, PATIENCE, Turns};
    use crate::admin::body;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_one_turn_at_a_time_and_all_together_so_many() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("acme").await.expect("nobody else is there");
        assert!(turns.take("acme").await.is_err());
        let mut others = Vec::new();
        for number in 1..AT_A_TIME {
            others.push(turns.take(&number.to_string()).await.expect("there is room"));
        }
        let asked = Instant::now();
        assert!(turns.take("late").await.is_err());
        assert_eq!(asked.elapsed(), PATIENCE);
        drop(first);
        drop(turns.take("late").await.expect("one is gone"));
        drop(turns.take("acme").await.expect("and its tenant may come again"));
        drop(others);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_sent_away_because_others_send_slowly() {
        let turns = Arc::new(Turns::default());
        for number in 0..AT_A_TIME {
            let slow = turns.take(&number.to_string()).await.expect("there is room");
            tokio::spawn(async move {
                sleep(body::PATIENCE).await;
                drop(slow);
            });
        }
        drop(turns.take("acme").await.expect("they have had their time"));
        // One that gives up waiting leaves nothing behind.
        let held: Vec<_> = (0..AT_A_TIME).map(|_| Arc::clone(&turns.places).try_acquire_owned()).collect();
        sleep(Duration::from_millis(1)).await;
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take("globex").await.is_ok() }
        });
        sleep(Duration::from_secs(1)).await;
        assert!(turns.tenants().contains("globex"));
        waiting.abort();
        assert!(waiting.await.is_err() && turns.tenants().is_empty());
        drop(held);
    }
}
