//! Puts on the disk what others count and note in passing: budgets, the audit log, policies' data.
//!
//! Each second what was taken of budgets and what was changed; each minute budgets go from their journal into the
//! database; at the end all of it, with what policies leave behind. A death of the process alone costs nothing of the
//! budgets, and at most a second of the audit log. Nothing here runs on a thread that carries mail.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthouse_store::error::Error as StoreError;
use posthouse_store::store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, warn};

use crate::audit::{Audit, Entry};
use crate::policies::Policies;
use crate::shutdown::Draining;

const EACH: Duration = Duration::from_secs(1);
/// Turns between two folds.
const FOLD_EACH: u64 = 60;

/// What is kept, and where.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    pub(crate) store: Arc<Store>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) policies: Arc<Policies>,
}

impl Keeper {
    /// Keeps until the relay begins to end; whoever ends it calls [`Self::end`] then.
    pub(crate) fn begin(&self, mut ending: Draining) {
        let keeper = self.clone();
        tokio::spawn(async move {
            let mut turns = interval(EACH);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for turn in 1_u64.. {
                tokio::select! {
                    _ = turns.tick() => keeper.turn(turn.is_multiple_of(FOLD_EACH)).await,
                    () = ending.begun() => return,
                }
            }
        });
    }

    /// Keeps what there is, for the last time: before the store is closed for another process, or the relay has ended.
    pub(crate) async fn end(self) {
        self.turn(true).await;
        let saved = tokio::task::spawn_blocking(move || self.policies.save(&self.store)).await;
        saved.expect("saving policies' data does not panic");
    }

    async fn turn(&self, with_fold: bool) {
        let keeper = self.clone();
        let kept = tokio::task::spawn_blocking(move || keeper.keep(with_fold)).await;
        kept.expect("keeping does not panic");
    }

    fn keep(&self, with_fold: bool) {
        if let Err(error) = self.store.budgets().sync() {
            error!(%error, "budgets are not on the disk: were the machine to die now, the last of them would be lost");
        }
        if with_fold && let Err(error) = self.store.budgets().fold(unix_now()) {
            error!(%error, "budgets stay in their journal; the next minute tries again");
        }
        let entries = self.audit.unwritten();
        if entries.is_empty() {
            return;
        }
        let kept: Vec<_> = entries.iter().map(Entry::kept).collect();
        if let Err(error) = self.store.audit().append(&kept) {
            // Where the store is with the process that takes over, that one's log goes on.
            if !matches!(error, StoreError::HandedOver { .. }) {
                warn!(%error, entries = entries.len(), "the audit log is not written; the next second tries again");
            }
            self.audit.not_written(entries);
        }
    }
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
