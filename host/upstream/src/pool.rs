//! One account's sessions: bounded, shared by its deliveries, watched while idle.
//!
//! Whoever delivers has one of the account's places first, in the order of asking; then the session
//! that was used last, and only where none is idle a new one. Invariant: a session is opened only
//! by the holder of a place, and only while idle sessions and held places together are not more
//! than the account is allowed, whichever of its pools has them. Nothing here is shared between accounts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use posthouse_smtp::reply::Reply;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::Error;
use crate::gate::{Closed, LoginGate};
use crate::limits::PoolLimits;
use crate::replies::Reading;
use crate::session::Session;
use crate::target::Target;
use gauges::{Counters, Gauges, Waiting};
use lessons::{Lessons, Paused};
use places::{Ceiling, Place, Places};
use shelf::{PutDown, Shelf};

pub mod gauges;
mod keeper;
pub mod learned;
pub(crate) mod lease;
pub mod lessons;
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

/// Which sessions a pool goes on with that takes the place of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherited {
    /// Those of its predecessor: they are logged in as the same mailbox, at the same server, by the same grant.
    Sessions,
    /// None. Its predecessor's end with the message that they serve.
    Nothing,
}

#[derive(Debug)]
struct Inner {
    target: Target,
    limits: PoolLimits,
    sessions: Arc<Sessions>,
}

/// What pools that follow each other share while their sessions are interchangeable.
#[derive(Debug)]
struct Sessions {
    shelf: Shelf,
    gate: Mutex<LoginGate>,
    mailbox: Mailbox,
    counters: Arc<Counters>,
    is_retired: AtomicBool,
    /// As long as anybody may open one of these, the mailbox has no more sessions than it was allowed: those of the next
    /// pool may be of another kind, of which the provider bears more.
    ceiling: OnceLock<Ceiling>,
}

/// What is the mailbox's own, whoever logs in: its provider counts, limits and blocks them all together.
#[derive(Debug, Clone)]
struct Mailbox {
    places: Arc<Places>,
    lessons: Arc<Mutex<Lessons>>,
    /// Those of the pool that came last, where one has taken another's place with none of its sessions: nobody else's
    /// lie idle, and idle ones count beside the places that are held.
    last: Arc<Mutex<Weak<Sessions>>>,
}

impl Mailbox {
    fn new(sessions: usize) -> Self {
        let lessons = Arc::new(Mutex::new(Lessons::new(sessions)));
        Self { places: Arc::new(Places::new(sessions)), lessons, last: Arc::default() }
    }

    fn last(&self) -> MutexGuard<'_, Weak<Sessions>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// A pool without sessions; nothing is opened before it is needed.
    pub fn new(target: Target, limits: PoolLimits) -> Self {
        let sessions = Arc::new(Sessions::of(Mailbox::new(limits.sessions), Arc::default(), LoginGate::new()));
        Self::of(target, limits, sessions)
    }

    fn of(target: Target, limits: PoolLimits, sessions: Arc<Sessions>) -> Self {
        Self { inner: Arc::new(Inner { target, limits, sessions }) }
    }

    /// The pool that is to take this one's place, for the same mailbox: both together never have more sessions than are
    /// allowed. Nothing happens to this one before [`Self::take_over`].
    #[must_use]
    pub fn successor(&self, target: Target, limits: PoolLimits, inherited: Inherited) -> Self {
        let old = &self.inner.sessions;
        let sessions = match inherited {
            Inherited::Sessions => Arc::clone(old),
            Inherited::Nothing => {
                let gate = LoginGate::new(); // what is known of it then is handed over by `take_over`
                Arc::new(Sessions::of(old.mailbox.clone(), Arc::clone(&old.counters), gate))
            }
        };
        Self::of(target, limits, sessions)
    }

    /// The moment from which this pool stands in the place of `old`, whose successor it is; nobody delivers by this one
    /// before. Deliveries that hold the old one go on with it; sessions that were not inherited end. To be called within
    /// a runtime.
    pub fn take_over(&self, old: &Self) {
        let (sessions, before) = (&self.inner.sessions, &old.inner.sessions);
        let is_inherited = Arc::ptr_eq(sessions, before);
        if !is_inherited {
            *sessions.mailbox.last() = Arc::downgrade(sessions);
            before.ceiling.get_or_init(|| before.mailbox.places.ceiling(old.inner.limits.sessions));
        }
        // A number that was learned from the provider is not forgotten because something else has changed.
        if self.inner.limits.sessions != old.inner.limits.sessions {
            self.set_sessions(self.inner.limits.sessions);
        }
        if !is_inherited {
            let gate = before.gate().for_new_credentials();
            *sessions.gate() = gate;
            old.retire();
        }
    }

    /// Ends the idle sessions now, and those in use after their message. To be called within a runtime.
    pub fn retire(&self) {
        let sessions = &self.inner.sessions;
        sessions.is_retired.store(true, Ordering::SeqCst);
        sessions.end_idle();
        // Who waits at the gate for a session of this pool may have to open one of its own.
        sessions.shelf.let_look_again();
    }

    /// What was refused to another account holds for this one too: it is left alone as well, if the reading says so.
    pub fn leave_alone(&self, reading: &Reading, reply: &Reply) {
        self.inner.sessions.lessons().leave_alone(reading, reply, Instant::now());
    }

    /// The account has newer credentials: what was wrong with the old ones says nothing of these.
    pub fn renew_credentials(&self) {
        let mut gate = self.inner.sessions.gate();
        *gate = gate.for_new_credentials();
        drop(gate);
        self.inner.sessions.shelf.let_look_again();
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
        self.inner.sessions.lessons().configure(sessions);
        self.inner.sessions.allow(sessions);
    }

    /// No more sessions than this, here and elsewhere, until [`Self::hold_no_more`]: another process counts on it, whatever
    /// is configured or learned here.
    pub fn hold_to(&self, sessions: usize) {
        self.inner.sessions.mailbox.places.hold_to(sessions);
        self.inner.sessions.end_surplus();
    }

    /// Allows again what is configured, as far as the provider has not taught otherwise.
    pub fn hold_no_more(&self) {
        self.inner.sessions.mailbox.places.hold_no_more();
    }

    /// Leaves so many of the mailbox's sessions to another process, be it all, whatever number is allowed. As long as it has
    /// any there are no more everywhere than `most`, which its rules allow. To be called within a runtime.
    pub fn leave_elsewhere(&self, sessions: usize, most: usize) {
        self.inner.sessions.mailbox.places.leave_elsewhere(sessions, most);
        self.inner.sessions.end_surplus();
    }

    /// How many sessions the mailbox may have, here and elsewhere.
    pub fn allowed_everywhere(&self) -> usize {
        self.inner.sessions.mailbox.places.everywhere().0
    }

    /// How many it may have by the rules of all who deliver by any of them.
    pub fn most(&self) -> usize {
        self.inner.limits.sessions.min(self.inner.sessions.mailbox.places.by_others())
    }

    /// How many of them are another process's.
    pub fn elsewhere(&self) -> usize {
        self.inner.sessions.mailbox.places.everywhere().1
    }

    /// Sessions that are needed now: those in use, being opened or ended, and one for each delivery that waits.
    pub fn needed(&self) -> usize {
        let sessions = &self.inner.sessions;
        sessions.mailbox.places.held() + sessions.counters.waiting()
    }

    /// A reading of the pool.
    pub fn gauges(&self) -> Gauges {
        let (counters, idle) = (&self.inner.sessions.counters, self.inner.sessions.shelf.idle());
        let open = counters.open();
        Gauges {
            allowed: self.inner.sessions.mailbox.places.allowed(),
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
        self.inner.sessions.gate().closed().cloned()
    }

    /// Why the account is left alone at present, if it is.
    pub fn left_alone(&self) -> Option<Paused> {
        self.inner.sessions.lessons().paused(Instant::now())
    }

    /// Says goodbye on all idle sessions; at most two seconds. Sessions in use are left alone.
    pub async fn close_idle(&self) {
        let mut goodbyes = tokio::task::JoinSet::new();
        while let Some(session) = self.inner.sessions.shelf.take_newest() {
            goodbyes.spawn(timeout(GOODBYE, session.quit()));
        }
        while goodbyes.join_next().await.is_some() {}
    }

    /// Takes what can be learned from a delivery's end.
    pub(crate) fn learn(&self, error: &Error) {
        self.inner.sessions.learn(error);
    }

    pub(crate) fn count_retry(&self) {
        Counters::count(&self.inner.sessions.counters.retries);
    }

    /// Waits while the account is left alone, where that is over in time.
    async fn end_of_pause(&self, patience: Instant) -> Result<(), Error> {
        loop {
            match self.inner.sessions.recall(Instant::now()) {
                None => return Ok(()),
                Some(paused) if paused.until < patience => sleep_until(paused.until).await,
                Some(paused) => return Err(Error::LeftAlone(Box::new(paused))),
            }
        }
    }

    /// One of the account's places: at once where one is free, else in turn.
    async fn place(&self, asked: Instant, patience: Instant) -> Result<Place, Error> {
        if let Some(place) = self.inner.sessions.mailbox.places.at_once() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.inner.sessions.counters);
        let place = self.inner.sessions.mailbox.places.wait(patience).await;
        place.ok_or_else(|| Error::Busy { waited: asked.elapsed() })
    }
}

impl Sessions {
    fn of(mailbox: Mailbox, counters: Arc<Counters>, gate: LoginGate) -> Self {
        let (shelf, gate) = (Shelf::default(), Mutex::new(gate));
        Self { shelf, gate, mailbox, counters, is_retired: AtomicBool::new(false), ceiling: OnceLock::new() }
    }

    fn gate(&self) -> MutexGuard<'_, LoginGate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lessons(&self) -> MutexGuard<'_, Lessons> {
        self.mailbox.lessons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, error: &Error) {
        let Error::Refused { stage, reading, reply, .. } = error else { return };
        let fewer = self.lessons().learn(*stage, reading, reply, self.counters.open(), Instant::now());
        if let Some(sessions) = fewer {
            self.allow(sessions);
        }
    }

    /// What earlier refusals ask for now: sessions come back after a while, and a pause may not be over.
    fn recall(&self, now: Instant) -> Option<Paused> {
        let mut lessons = self.lessons();
        if let Some(sessions) = lessons.recover(now) {
            self.mailbox.places.allow(sessions);
        }
        lessons.paused(now)
    }

    fn allow(&self, sessions: usize) {
        self.mailbox.places.allow(sessions);
        self.end_surplus();
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

    /// Ends the oldest idle sessions until those left and the held places are no more than allowed, be they of the pool that
    /// has taken this one's place.
    fn end_surplus(&self) {
        self.end_own_surplus();
        let last = self.mailbox.last().upgrade();
        if let Some(last) = last.filter(|last| !std::ptr::eq(&**last, self)) {
            last.end_own_surplus();
        }
    }

    fn end_own_surplus(&self) {
        while self.shelf.idle() > 0 && self.shelf.idle() + self.mailbox.places.held() > self.mailbox.places.allowed() {
            drop(self.shelf.take_oldest());
        }
    }

    /// Ends all that are idle, politely where there is a place for the goodbye.
    fn end_idle(&self) {
        while let Some(session) = self.shelf.take_oldest() {
            if let Some(place) = self.mailbox.places.at_once() {
                retire(session, place);
            }
        }
    }

    /// Takes a session back, and its place, in this order: whoever gets the place finds the session.
    fn give_back(self: &Arc<Self>, limits: &PoolLimits, mut session: Box<Session>, mut place: Place) {
        let is_retired = || self.is_retired.load(Ordering::SeqCst);
        if place.is_owed() || is_retired() || !session.may_serve_again(limits, Instant::now()) {
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
        if is_retired() {
            // It was retired between the look and the putting down.
            self.end_idle();
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
