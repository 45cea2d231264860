//! One account's sessions: bounded, shared by its deliveries, watched while idle.
//!
//! Whoever delivers has one of the account's places first, in the order of asking; then the session
//! that was used last, and only where none is idle a new one. Invariant: a session is opened only
//! by the holder of a place, and only while idle sessions and held places together are not more
//! than the account is allowed. Nothing here is shared between accounts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::gate::{Closed, LoginGate};
use crate::limits::PoolLimits;
use crate::session::Session;
use crate::target::Target;
use gauges::{Counters, Gauges, Waiting};
use places::{Place, Places};
use shelf::{PutDown, Shelf};

pub mod gauges;
mod keeper;
pub(crate) mod lease;
pub(crate) mod opening;
mod places;
mod shelf;

/// How long a session's goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The sessions of one account. Clones are handles to the same sessions, which end with the last.
#[derive(Debug, Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    target: Target,
    limits: PoolLimits,
    places: Places,
    shelf: Shelf,
    gate: Mutex<LoginGate>,
    counters: Arc<Counters>,
}

impl Pool {
    /// A pool without sessions; nothing is opened before it is needed.
    pub fn new(target: Target, limits: PoolLimits) -> Self {
        let inner = Inner {
            target,
            limits,
            places: Places::new(limits.sessions),
            shelf: Shelf::default(),
            gate: Mutex::default(),
            counters: Arc::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Where the sessions go.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// The bounds that the pool was made with.
    pub fn limits(&self) -> &PoolLimits {
        &self.inner.limits
    }

    /// Allows another number of sessions from now on, at least one. Sessions in use end their
    /// message first; idle ones that are too many are ended.
    pub fn set_sessions(&self, sessions: usize) {
        self.inner.places.allow(sessions);
        self.inner.end_surplus();
    }

    /// A reading of the pool.
    pub fn gauges(&self) -> Gauges {
        let (counters, idle) = (&self.inner.counters, self.inner.shelf.idle());
        let open = counters.open();
        Gauges {
            allowed: self.inner.places.allowed(),
            open,
            idle,
            in_use: open.saturating_sub(idle),
            waiting: counters.waiting(),
            logins: Counters::read(&counters.logins),
            refused_logins: Counters::read(&counters.refused_logins),
            reuses: Counters::read(&counters.reuses),
            retries: Counters::read(&counters.retries),
            ended_by_provider: Counters::read(&counters.ended_by_provider),
        }
    }

    /// Why the account does not log in at present, if it does not.
    pub fn logins_paused(&self) -> Option<Closed> {
        self.inner.gate().closed().cloned()
    }

    /// Says goodbye on all idle sessions; at most two seconds. Sessions in use are left alone.
    pub async fn close_idle(&self) {
        let mut goodbyes = tokio::task::JoinSet::new();
        while let Some(session) = self.inner.shelf.take_newest() {
            goodbyes.spawn(timeout(GOODBYE, session.quit()));
        }
        while goodbyes.join_next().await.is_some() {}
    }

    pub(crate) fn count_retry(&self) {
        Counters::count(&self.inner.counters.retries);
    }

    /// One of the account's places: at once where one is free, else in turn.
    async fn place(&self, asked: Instant, patience: Instant) -> Result<Place, Error> {
        if let Some(place) = self.inner.places.at_once() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.inner.counters);
        let place = self.inner.places.wait(patience).await;
        place.ok_or_else(|| Error::Busy { waited: asked.elapsed() })
    }
}

impl Inner {
    fn gate(&self) -> MutexGuard<'_, LoginGate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The idle session that was used last and is still good.
    fn take_idle(&self, now: Instant) -> Option<Box<Session>> {
        loop {
            let mut session = self.shelf.take_newest()?;
            if session.is_quiet() && now < session.idle_until() {
                Counters::count(&self.counters.reuses);
                return Some(session);
            }
        }
    }

    /// Ends the oldest idle sessions until those left and the held places are no more than allowed.
    fn end_surplus(&self) {
        while self.shelf.idle() > 0 && self.shelf.idle() + self.places.held() > self.places.allowed() {
            drop(self.shelf.take_oldest());
        }
    }

    /// Takes a session back, and its place, in this order: whoever gets the place finds the session.
    fn give_back(self: &Arc<Self>, mut session: Box<Session>, mut place: Place) {
        if place.is_owed() || !session.may_serve_again(&self.limits, Instant::now()) {
            return retire(session, place);
        }
        match self.shelf.put_down(session) {
            PutDown::Watched => {}
            PutDown::WantsKeeper => drop(tokio::spawn(keeper::keep(Arc::downgrade(self)))),
            PutDown::Ended(session) => {
                self.count_ended_by_provider();
                drop(session);
            }
        }
        drop(place);
    }

    fn count_ended_by_provider(&self) {
        Counters::count(&self.counters.ended_by_provider);
    }
}

/// Ends a session in the background, politely and soon. It is a session to the provider until then,
/// so that its place is kept.
fn retire(session: Box<Session>, place: Place) {
    if !session.is_usable() {
        drop(session); // before its place is free
        return drop(place);
    }
    tokio::spawn(async move {
        let _late = timeout(GOODBYE, session.quit()).await;
        drop(place);
    });
}
