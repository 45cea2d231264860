//! How a delivery comes by a session: an idle one, else a new one, else, while the login gate is
//! closed, one that another delivery is done with.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::gauges::{Counters, Open, Waiting};
use super::lease::Lease;
use super::places::Place;
use super::shelf::Turn;
use super::{Inner, Pool};
use crate::dial::{self, Failed, Opened};
use crate::error::Error;
use crate::gate::{Attempt, Cause, Closed};
use crate::login::LoginSource;
use crate::replies::Replies;
use crate::session::{Line, Session};
use crate::transport::Transport;

/// With fewer messages on a session nothing is opened ahead: where mail is sparser than sessions may be idle, each of a
/// message's own would be followed by one that nobody uses. Of those that are spent after more the messages came closer, or
/// they would have ended idle before; and the one too many that stands behind the last of them is a tenth at most.
const WORTH_OPENING_AHEAD: u32 = 10;

/// Where a delivery may take its session from.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Any session.
    Any,
    /// A new one, in the place of one that was dead.
    Fresh(Place),
}

impl Pool {
    /// A session for one message.
    ///
    /// # Errors
    /// None came free in time, or none could be opened.
    pub(crate) async fn acquire(
        &self,
        wanted: Wanted,
        (logins, replies): (&dyn LoginSource, &Replies),
        now: Instant,
        deadline: Instant,
    ) -> Result<Lease, Error> {
        let patience = deadline.min(now + self.inner.limits.acquire_deadline);
        let place = match wanted {
            Wanted::Fresh(place) => {
                let session = Box::pin(self.inner.dial((logins, replies), Instant::now(), deadline)).await;
                return match session? {
                    Ok(session) => Ok(Lease::opened(self.clone(), session, place, Duration::ZERO, now.elapsed())),
                    Err(closed) => Err(Error::LoginsPaused(closed)),
                };
            }
            Wanted::Any => {
                self.end_of_pause(patience).await?;
                let place = self.place(now, patience).await?;
                // Another delivery may have learned something meanwhile.
                self.end_of_pause(patience).await?;
                place
            }
        };
        let placed = Instant::now();
        if let Some(session) = self.inner.sessions.take_idle(placed) {
            return Ok(Lease::reused(self.clone(), session, place, placed - now));
        }
        // Rare enough to be boxed, which keeps every delivery's future small.
        Box::pin(self.open(place, (logins, replies), now, patience, deadline)).await
    }

    /// Opens a session for the next message, where none is at hand and a place is free: it does not wait for the
    /// handshakes then. What fails the login gate knows, as of any login; nobody is told.
    pub async fn open_ahead(&self, logins: &dyn LoginSource, replies: &Replies) {
        let Inner { target, limits, sessions } = &*self.inner;
        let now = Instant::now();
        let is_smtp = target.transport == Transport::Smtp; // over HTTP only a message proves the login
        let is_worth_it = is_smtp && limits.messages_per_session >= WORTH_OPENING_AHEAD;
        if !is_worth_it || sessions.is_retired.load(Ordering::SeqCst) || sessions.recall(now).is_some() {
            return;
        }
        let Some(place) = sessions.mailbox.places.at_once() else { return };
        // Not before: whoever is done with a session puts it down, and then frees its place.
        if sessions.shelf.idle() > 0 {
            return;
        }
        if let Ok(Ok(session)) = self.inner.dial((logins, replies), now, now + limits.dial_deadline).await {
            sessions.give_back(limits, session, place);
        }
    }

    async fn open(
        &self,
        place: Place,
        by: (&dyn LoginSource, &Replies),
        asked: Instant,
        patience: Instant,
        deadline: Instant,
    ) -> Result<Lease, Error> {
        loop {
            let now = Instant::now();
            if let Some(session) = self.inner.sessions.take_idle(now) {
                return Ok(Lease::reused(self.clone(), session, place, now - asked));
            }
            match self.inner.dial(by, now, deadline).await? {
                Ok(session) => return Ok(Lease::opened(self.clone(), session, place, now - asked, now.elapsed())),
                Err(closed) => {
                    if let Some(session) = self.inner.wait_at_gate(closed, patience).await? {
                        return Ok(Lease::reused(self.clone(), session, place, asked.elapsed()));
                    }
                }
            }
        }
    }
}

impl Inner {
    /// A new session, or word that the gate is closed, be it since now.
    ///
    /// # Errors
    /// What waiting at the gate does not mend.
    async fn dial(
        &self,
        (logins, replies): (&dyn LoginSource, &Replies),
        now: Instant,
        deadline: Instant,
    ) -> Result<Result<Box<Session>, Closed>, Error> {
        let attempt = match self.sessions.gate().enter(now) {
            Ok(attempt) => attempt,
            Err(closed) => return Ok(Err(closed)),
        };
        // Of the sessions at hand the oldest makes room, where there is none: those of a later pool do not serve this one.
        self.sessions.end_surplus();
        let due = deadline.min(now + self.limits.dial_deadline);
        match dial::open(&self.target, &self.limits, logins, replies, due).await {
            Ok(Opened { line, ends_at }) => {
                let number = self.sessions.counters.count_login();
                let mut session = Session::new(line, number, ends_at, Open::new(Arc::clone(&self.sessions.counters)));
                match session.line {
                    Line::Smtp(_) => self.login_succeeded(attempt),
                    Line::Http(_) => session.unproven = Some(attempt),
                }
                Ok(Ok(Box::new(session)))
            }
            Err(failed) => self.login_failed(attempt, failed).map(Err),
        }
    }

    pub(super) fn login_succeeded(&self, attempt: Attempt) {
        let opened = self.sessions.gate().succeeded(attempt);
        if opened {
            self.sessions.shelf.let_look_again();
        }
    }

    /// A login that was refused; the closed gate where that is worth waiting at.
    pub(super) fn login_failed(&self, attempt: Attempt, failed: Failed) -> Result<Closed, Error> {
        self.sessions.learn(&failed.error);
        let Some((cause, refusal)) = failed.closes else { return Err(failed.error) };
        Counters::count(&self.sessions.counters.refused_logins);
        let (now, mut gate) = (Instant::now(), self.sessions.gate());
        match cause {
            Cause::Throttled => gate.throttled(attempt, now, refusal, spread()),
            Cause::Broken => gate.broken(attempt, now, refusal, spread()),
        }
        match gate.closed() {
            Some(closed) if cause == Cause::Throttled => Ok(closed.clone()),
            Some(_) | None => Err(failed.error),
        }
    }

    /// Waits for the gate to open, or for a session that another delivery is done with.
    ///
    /// # Errors
    /// Neither can come in time, or neither came.
    async fn wait_at_gate(&self, closed: Closed, patience: Instant) -> Result<Option<Box<Session>>, Error> {
        let nothing_to_wait_for = match closed.cause {
            Cause::Broken => true,
            Cause::Throttled => {
                closed.until >= patience && !closed.is_being_tried && self.sessions.counters.open() == 0
            }
        };
        if nothing_to_wait_for {
            return Err(Error::LoginsPaused(closed));
        }
        let _waiting = Waiting::new(&self.sessions.counters);
        let turn = self.sessions.shelf.wait();
        // What happened between the look at gate and shelf and standing in line.
        if self.sessions.gate().closed().is_none() {
            return Ok(None);
        }
        if let Some(session) = self.sessions.take_idle(Instant::now()) {
            return Ok(Some(session));
        }
        match timeout_at(closed.until.min(patience), turn).await {
            Ok(Ok(Turn::Session(mut session))) => {
                Counters::count(&self.sessions.counters.reuses);
                Ok(session.is_quiet().then_some(session))
            }
            Err(_) if closed.until >= patience => Err(Error::LoginsPaused(closed)),
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

/// A number from 0 to 1 for jitter. The standard library's hash keys are its randomness.
pub(crate) fn spread() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    f64::from(u16::try_from(RandomState::new().hash_one(0_u8) >> 48).unwrap_or(0)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests;
