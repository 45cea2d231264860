//! Each mailbox's sessions, divided between the process that drains and the one that has begun (promise P6).
//!
//! A provider counts the sessions of both. The old process keeps what it uses or waits for, at least one where there is
//! anybody left that might send, and hands over what it needs no more; the new one has the rest. Invariant: what the
//! old one keeps only becomes less, and it is less before the new one is told.
//!
//! # Race window
//! A session that the old process ends is over at the provider a round trip later, when the new one may have opened
//! another already.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::account::Account;
use crate::front::Front;
use crate::pace::Sent;
use crate::snapshot::Snapshot;

/// What the old process keeps of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Whose: [`Account::mailbox`].
    mailbox: String,
    /// Sessions that it may still have.
    sessions: usize,
    /// What counts of the mailbox's messages per minute.
    sent: Vec<Sent>,
}

/// The shares that the old process keeps.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    kept: Vec<Kept>,
}

/// Numbers are of all sessions that are not the new process's: the old one's, and those of one before it that drains.
#[derive(Debug)]
struct Kept {
    account: Arc<Account>,
    mailbox: String,
    /// All that the mailbox may have, should the hand-over fail.
    all: usize,
    now: usize,
}

impl Shares {
    /// Keeps of each mailbox what is needed. To be called within a runtime.
    pub(crate) fn keep(snapshot: &Snapshot) -> Self {
        let kept = accounts(snapshot).map(|(mailbox, account)| {
            let all = account.pool().allowed_everywhere();
            let mut kept = Kept { account: Arc::clone(account), mailbox, all, now: all };
            kept.shrink();
            kept
        });
        Self { kept: kept.collect() }
    }

    /// Lets go of what is needed no more; whether there was anything.
    pub(crate) fn shrink(&mut self) -> bool {
        self.kept.iter_mut().map(Kept::shrink).filter(|shrunk| *shrunk).count() > 0
    }

    /// As the new process is told.
    pub(crate) fn told(&self) -> Vec<Share> {
        let now = Instant::now();
        let share = |Kept { account, mailbox, now: sessions, .. }: &Kept| Share {
            mailbox: mailbox.clone(),
            sessions: *sessions,
            sent: account.pace().told(now),
        };
        self.kept.iter().map(share).collect()
    }

    /// Takes everything back: there is no new process after all.
    pub(crate) fn take_back(self) {
        self.kept.iter().for_each(|kept| kept.account.pool().hold_to(kept.all));
    }
}

impl Kept {
    fn shrink(&mut self) -> bool {
        let pool = self.account.pool();
        let needed = pool.needed().max(1) + pool.elsewhere();
        if needed >= self.now {
            return false;
        }
        pool.hold_to(needed);
        self.now = needed;
        true
    }
}

/// Leaves these to the old process, and takes its messages of the last minute for sent.
pub(crate) fn leave(front: &Front, shares: &[Share]) {
    let by_mailbox: HashMap<&str, &Share> = shares.iter().map(|share| (share.mailbox.as_str(), share)).collect();
    for (mailbox, account) in accounts(&front.snapshots.current()) {
        if let Some(share) = by_mailbox.get(mailbox.as_str()) {
            account.pool().leave_elsewhere(share.sessions);
            account.pace().take_over(Instant::now(), &share.sent);
        }
    }
}

/// The old process is gone: everything is this one's.
pub(crate) fn leave_nothing(front: &Front) {
    accounts(&front.snapshots.current()).for_each(|(_, account)| account.pool().leave_elsewhere(0));
}

/// All accounts, by mailbox.
fn accounts(snapshot: &Snapshot) -> impl Iterator<Item = (String, &Arc<Account>)> {
    snapshot
        .tenants
        .values()
        .flat_map(|tenant| tenant.accounts.values().map(|account| (account.mailbox(&tenant.id), account)))
}
