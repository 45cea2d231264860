//! The idle sessions of one account, the last used on top, and who watches over them.
//!
//! Sessions are put down watched: the keeper's waker is registered with the connection, so that a
//! delivery costs neither a system call nor a task's turn, and a session that its provider ends is
//! noticed at once. The lock is short and never held across a wait.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::session::Session;

/// One account's idle sessions.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// In the order in which they became idle.
    idle: VecDeque<Box<Session>>,
    /// Who has a place, but may not log in now: served before the shelf is, in their order.
    waiting: VecDeque<oneshot::Sender<Turn>>,
    keeper: Keeper,
}

/// What somebody who waits for a session is given.
#[derive(Debug)]
pub(super) enum Turn {
    /// A session that another delivery is done with.
    Session(Box<Session>),
    /// Logging in may be possible again.
    LookAgain,
}

#[derive(Debug, Default)]
struct Keeper {
    is_running: bool,
    waker: Option<Waker>,
    wakes_at: Option<Instant>,
}

/// What there is to do after a session was put down.
#[derive(Debug)]
pub(super) enum PutDown {
    /// Nothing.
    Watched,
    /// The first one: a keeper is to be started.
    WantsKeeper,
    /// The provider has ended it, or has said something unasked.
    Ended(Box<Session>),
}

/// What the keeper found.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// Sessions that their provider has ended, or that have said something unasked.
    pub(super) ended: VecDeque<Box<Session>>,
    /// Sessions whose time is over.
    pub(super) expired: VecDeque<Box<Session>>,
    /// When to look again: at the latest when the next one's time is over.
    pub(super) next: Option<Instant>,
}

impl Shelf {
    /// The session that was used last.
    pub(super) fn take_newest(&self) -> Option<Box<Session>> {
        self.lock().idle.pop_back()
    }

    /// The session that has been idle for longest.
    pub(super) fn take_oldest(&self) -> Option<Box<Session>> {
        self.lock().idle.pop_front()
    }

    pub(super) fn idle(&self) -> usize {
        self.lock().idle.len()
    }

    /// Gives the session to whoever waits for one, or puts it down, to be watched.
    pub(super) fn put_down(&self, session: Box<Session>) -> PutDown {
        let mut inner = self.lock();
        let mut session = match hand_over(&mut inner.waiting, session) {
            Ok(()) => return PutDown::Watched,
            Err(session) => session,
        };
        let Some(waker) = &inner.keeper.waker else {
            // The keeper looks at everything on the shelf when it begins.
            inner.idle.push_back(session);
            let first = !std::mem::replace(&mut inner.keeper.is_running, true);
            return if first { PutDown::WantsKeeper } else { PutDown::Watched };
        };
        if session.is_noisy(&mut Context::from_waker(waker)) {
            return PutDown::Ended(session);
        }
        let until = session.idle_until();
        if inner.keeper.wakes_at.is_none_or(|at| until < at) {
            waker.wake_by_ref();
            inner.keeper.wakes_at = Some(until);
        }
        inner.idle.push_back(session);
        PutDown::Watched
    }

    /// Looks at every idle session on behalf of the keeper, whose waker they call from now on.
    pub(super) fn sweep(&self, context: &mut Context<'_>, now: Instant) -> Swept {
        let mut inner = self.lock();
        // A plan that is still ahead is kept even where nothing is idle: otherwise, on a busy
        // account, each session that is put down would wake the keeper to make a new one.
        let mut swept = Swept { next: inner.keeper.wakes_at.filter(|at| *at > now), ..Swept::default() };
        for mut session in std::mem::take(&mut inner.idle) {
            if session.is_noisy(context) {
                swept.ended.push_back(session);
            } else if session.idle_until() <= now {
                swept.expired.push_back(session);
            } else {
                swept.next = Some(swept.next.map_or(session.idle_until(), |next| next.min(session.idle_until())));
                inner.idle.push_back(session);
            }
        }
        inner.keeper.waker = Some(context.waker().clone());
        inner.keeper.wakes_at = swept.next;
        swept
    }

    /// Stands in line for a session that another delivery is done with.
    pub(super) fn wait(&self) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.waiting.retain(|waiting| !waiting.is_closed());
        inner.waiting.push_back(sender);
        receiver
    }

    /// Lets everybody in that line look again.
    pub(super) fn let_look_again(&self) {
        for waiting in std::mem::take(&mut self.lock().waiting) {
            let _gone = waiting.send(Turn::LookAgain);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // The keeper ends when it finds its pool gone.
        if let Some(waker) = self.lock().keeper.waker.take() {
            waker.wake();
        }
    }
}

fn hand_over(waiting: &mut VecDeque<oneshot::Sender<Turn>>, session: Box<Session>) -> Result<(), Box<Session>> {
    if waiting.is_empty() {
        return Err(session);
    }
    let mut turn = Turn::Session(session);
    while let Some(next) = waiting.pop_front() {
        match next.send(turn) {
            Ok(()) => return Ok(()),
            Err(back) => turn = back,
        }
    }
    match turn {
        Turn::Session(session) => Err(session),
        Turn::LookAgain => unreachable!("a session was put in and nothing else"),
    }
}
