//! Pausing and resuming: the next generation is the one that holds, but for that.

use std::time::SystemTime;

use tracing::error;

use super::change::Plane;
use super::{NotPaused, Paused};
use crate::audit::{Actor, Deed};
use crate::pauses::{Pause, Subject};
use crate::snapshot::Snapshot;

impl Plane {
    /// Sets the subject aside for this reason, or ends that.
    pub(super) async fn pause(
        &self,
        actor: Actor,
        subject: Subject,
        reason: Option<String>,
    ) -> Result<Paused, NotPaused> {
        let action = if reason.is_some() { "pause" } else { "resume" };
        let came = self.pause_for(&actor, &subject, reason.clone());
        if let Ok(Paused { pause, is_new: true, .. }) = &came {
            self.keep(&subject, pause.clone()).await;
        }
        let (outcome, detail) = match &came {
            Ok(Paused { is_new: true, .. }) => ("done", reason),
            Ok(Paused { is_new: false, .. }) => ("unchanged", reason),
            Err(error) => ("refused", Some(error.to_string())),
        };
        let Subject { tenant, account } = subject;
        let generation = self.publisher.current().generation;
        let (action, outcome) = (action.into(), outcome.into());
        self.audit.record(actor, Deed { action, tenant: Some(tenant), account, outcome, detail, generation });
        came
    }

    fn pause_for(&self, actor: &Actor, subject: &Subject, reason: Option<String>) -> Result<Paused, NotPaused> {
        let current = self.publisher.current();
        check(&current, subject)?;
        let before = current.pauses.get(subject);
        if let Some(pause) = before.filter(|pause| pause.by_operator && actor.tenant.is_some()) {
            return Err(NotPaused::ByOperator(pause.clone()));
        }
        let pause = reason.map(|reason| pause(actor, reason));
        let same = |one: &Pause, other: &Pause| (&one.reason, &one.by) == (&other.reason, &other.by);
        match (before, &pause) {
            (None, None) => return Ok(Paused { pause: None, is_new: false, generation: current.generation }),
            (Some(before), Some(pause)) if same(before, pause) => {
                return Ok(Paused { pause: Some(before.clone()), is_new: false, generation: current.generation });
            }
            _ => {}
        }
        let next = self.publisher.replace(current.pausing(subject, current.pauses.with(subject, pause.clone())));
        self.metrics.published(next.generation);
        Ok(Paused { pause, is_new: true, generation: next.generation })
    }
}

impl Plane {
    /// Holds the pause, or its end, through restarts. Where that fails it holds all the same, for as long as this process.
    async fn keep(&self, subject: &Subject, pause: Option<Pause>) {
        let Some(store) = self.publisher.current().store().cloned() else { return };
        let paused = subject.kept();
        let kept = tokio::task::spawn_blocking(move || match pause {
            Some(pause) => store.pauses().set(&paused, &pause.kept()),
            None => store.pauses().clear(&paused).map(drop),
        });
        if let Err(error) = kept.await.expect("writing a pause does not panic") {
            let Subject { tenant, account } = subject;
            error!(tenant, account, %error, "a pause or its end is not kept: a restart would bring back what was before");
        }
    }
}

fn check(snapshot: &Snapshot, subject: &Subject) -> Result<(), NotPaused> {
    let Subject { tenant, account } = subject;
    let found = snapshot.tenants.get(tenant).ok_or_else(|| NotPaused::NoTenant(tenant.clone()))?;
    match account {
        Some(account) if !found.accounts.contains_key(account) => {
            Err(NotPaused::NoAccount { tenant: tenant.clone(), account: account.clone() })
        }
        _ => Ok(()),
    }
}

fn pause(actor: &Actor, reason: String) -> Pause {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Pause { reason, by: actor.who.clone(), by_operator: actor.tenant.is_none(), since }
}
