//! A session on loan for one message. Dropped in the middle of one, it is closed and its place is
//! free: nobody else ever gets a session that is not known to stand between two messages.

use std::time::Duration;

use super::Pool;
use super::places::Place;
use crate::dial::Failed;
use crate::error::Error;
use crate::gate::LoginGate;
use crate::session::Session;

/// A session and its place.
#[derive(Debug)]
pub(crate) struct Lease {
    // In this order: the connection is closed before its place is free.
    pub(crate) session: Box<Session>,
    place: Place,
    pool: Pool,
    /// Whether the session has been idle before, so that its provider may have ended it unnoticed.
    pub(crate) reused: bool,
    /// How long the message waited for a session.
    pub(crate) waited: Duration,
    /// How long the session took to open; nothing for one that was at hand.
    pub(crate) opening: Duration,
}

impl Lease {
    pub(super) fn reused(pool: Pool, session: Box<Session>, place: Place, waited: Duration) -> Self {
        Self { session, place, pool, reused: true, waited, opening: Duration::ZERO }
    }

    pub(super) fn opened(pool: Pool, session: Box<Session>, place: Place, waited: Duration, opening: Duration) -> Self {
        Self { session, place, pool, reused: false, waited, opening }
    }

    /// The provider has looked at the session's credentials, and finds them good.
    pub(crate) fn proved(&mut self) {
        if let Some(attempt) = self.session.unproven.take() {
            self.pool.inner.login_succeeded(attempt);
        }
    }

    /// It has, and does not. The session is of no more use.
    pub(crate) fn refused(mut self, failed: Failed) -> Error {
        let inner = &self.pool.inner;
        let attempt = self.session.unproven.take().unwrap_or_else(LoginGate::unasked);
        match inner.login_failed(attempt, failed) {
            Ok(closed) => Error::LoginsPaused(closed),
            Err(error) => error,
        }
    }

    /// The message is done with; the session goes back, or is ended where its time has come.
    pub(crate) fn give_back(self) {
        let Self { session, place, pool, .. } = self;
        pool.inner.sessions.give_back(&pool.inner.limits, session, place);
    }

    /// The session is of no more use; its place is kept for another one.
    pub(crate) fn discard(self) -> Place {
        let Self { session, place, .. } = self;
        drop(session);
        place
    }
}
