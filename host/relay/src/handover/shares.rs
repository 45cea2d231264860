//! Each mailbox's sessions, divided between the process that drains and the one that has begun (promise P6).
//!
//! A provider counts the sessions of both. The old process keeps what it uses or waits for, at least one where there is
//! anybody left that might send, and hands over what it needs no more; the new one has the rest. Invariant: what the
//! old one keeps only becomes less, whatever it learns or is told meanwhile, and it is less before the new one is told.
//!
//! # Race window
//! A session that the old process ends is over at the provider a round trip later, when the new one may have opened
//! another already.

use std::collections::HashMap;
use std::sync::Arc;

use posthouse_store::budgets::Apart;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::lessons::{Known, Lessons};
use super::refused::Refused;
use crate::account::Account;
use crate::budget::Books;
use crate::front::Front;
use crate::pace::Sent;
use crate::snapshot::Snapshot;

/// Refused recipients that are told at a time, of all mailboxes: the others are told next, while nobody waits for it.
const REFUSED: usize = 1_000;

/// What the old process keeps of one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Whose: [`Account::mailbox`].
    mailbox: String,
    /// Sessions that it may still have.
    sessions: usize,
    /// What it may have of them at most: where it hands mail over otherwise than the new one, the provider may bear more
    /// there.
    #[serde(default)]
    most: Option<usize>,
    /// What counts of the mailbox's messages per minute, and was not told before.
    sent: Vec<Sent>,
    /// What its provider has taught.
    #[serde(default)]
    lessons: Lessons,
    /// Whom it has refused of late, and was not told before.
    #[serde(default)]
    refused: Vec<Refused>,
}

/// What the old process keeps of all mailboxes, and what it has taken of budgets that the new one does not know of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left {
    shares: Vec<Share>,
    #[serde(default)]
    taken: Vec<Taken>,
}

/// A key of the budgets, a bucket of it, and by how much that has changed.
type Taken = (String, u64, i64);

/// The shares that the old process keeps.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    kept: Vec<Kept>,
    books: Option<Arc<Books>>,
    /// Not told yet.
    taken: Vec<Taken>,
}

/// Numbers are of all sessions that are not the new process's: the old one's, and those of one before it that drains.
#[derive(Debug)]
struct Kept {
    account: Arc<Account>,
    mailbox: String,
    now: usize,
    /// What is known of it, as the new process is told.
    known: Known,
    /// Messages that have been told of.
    begun: u64,
    /// Messages that are to be told of.
    sent: Vec<Sent>,
    /// Refused recipients that have been told of.
    refused: u64,
    /// Whether there is anything that the new process was not told.
    is_news: bool,
}

impl Shares {
    /// Keeps of each mailbox what is needed. To be called within a runtime.
    pub(crate) fn keep(snapshot: &Snapshot) -> Self {
        let kept = accounts(snapshot).map(|(mailbox, account)| {
            let (sessions, now) = (account.pool().allowed_everywhere(), Instant::now());
            // Be it all of them: what comes back of them later is the new process's.
            account.pool().hold_to(sessions);
            let (known, (sent, begun)) = (Known::of(account, now), account.pace().told(now));
            let account = Arc::clone(account);
            let mut kept = Kept { account, mailbox, now: sessions, known, begun, sent, refused: 0, is_news: true };
            kept.shrink();
            kept
        });
        let mut shares = Self { kept: kept.collect(), books: Some(Arc::clone(snapshot.books())), taken: Vec::new() };
        shares.take();
        shares
    }

    /// Lets go of what is needed no more, and learns; whether there is anything to tell.
    pub(crate) fn shrink(&mut self) -> bool {
        self.take();
        let now = Instant::now();
        for kept in &mut self.kept {
            kept.shrink();
            kept.learn(now);
        }
        self.kept.iter().any(|kept| kept.is_news) || !self.taken.is_empty()
    }

    fn take(&mut self) {
        let apart = self.books.iter().flat_map(|books| books.apart());
        self.taken.extend(apart.map(|Apart { key, bucket, by }| (key, bucket, by)));
    }

    /// What the new process was not told yet; it is now.
    pub(crate) fn told(&mut self) -> Left {
        let now = Instant::now();
        let (news, mut room) = (self.kept.iter_mut().filter(|kept| kept.is_news), REFUSED);
        Left { shares: news.map(|kept| kept.told(now, &mut room)).collect(), taken: std::mem::take(&mut self.taken) }
    }

    /// Takes everything back: there is no new process after all.
    pub(crate) fn take_back(self) {
        self.kept.iter().for_each(|kept| kept.account.pool().hold_no_more());
        if let Some(books) = &self.books {
            books.together();
        }
    }
}

impl Kept {
    fn shrink(&mut self) {
        let pool = self.account.pool();
        let needed = pool.needed().max(1) + pool.elsewhere();
        if needed < self.now {
            pool.hold_to(needed);
            (self.now, self.is_news) = (needed, true);
        }
    }

    fn learn(&mut self, now: Instant) {
        let known = Known::of(&self.account, now);
        let sent = self.account.pace().told_since(&mut self.begun);
        self.is_news |= known != self.known || sent.is_some() || self.account.refusals.are_more_than(self.refused);
        self.known = known;
        self.sent.extend(sent);
    }

    fn told(&mut self, now: Instant, room: &mut usize) -> Share {
        self.is_news = false;
        let refused = self.account.refusals.behind(&mut self.refused, *room);
        *room -= refused.len();
        Share {
            mailbox: self.mailbox.clone(),
            sessions: self.now,
            most: Some(self.account.pool().most()),
            sent: std::mem::take(&mut self.sent),
            lessons: self.known.told(now),
            refused: refused.into_iter().map(|refusal| Refused::of(refusal, now)).collect(),
        }
    }
}

/// Leaves these to the old process, takes its messages for sent, and learns what it has learned. To be called within a
/// runtime.
pub(crate) fn leave(front: &Front, Left { shares, taken }: &Left) {
    let by_mailbox: HashMap<&str, &Share> = shares.iter().map(|share| (share.mailbox.as_str(), share)).collect();
    let (snapshot, now) = (front.snapshots.current(), Instant::now());
    let apart = |(key, bucket, by): &Taken| Apart { key: key.clone(), bucket: *bucket, by: *by };
    snapshot.books().add(&taken.iter().map(apart).collect::<Vec<_>>());
    for (mailbox, account) in accounts(&snapshot) {
        if let Some(share) = by_mailbox.get(mailbox.as_str()) {
            account.pool().leave_elsewhere(share.sessions, share.most.unwrap_or(usize::MAX));
            account.pace().take_over(now, &share.sent);
            share.lessons.teach(account, &snapshot.replies, now);
            share.refused.iter().for_each(|refused| account.refusals.keep(refused.refusal(now), now));
        }
    }
}

/// The old process is gone: everything is this one's.
pub(crate) fn leave_nothing(front: &Front) {
    accounts(&front.snapshots.current()).for_each(|(_, account)| account.pool().leave_elsewhere(0, usize::MAX));
}

/// All accounts, by mailbox.
fn accounts(snapshot: &Snapshot) -> impl Iterator<Item = (String, &Arc<Account>)> {
    snapshot
        .tenants
        .values()
        .flat_map(|tenant| tenant.accounts.values().map(|account| (account.mailbox(&tenant.id), account)))
}

#[cfg(test)]
mod tests;
