//! What a pool has learned of its mailbox, as it is told to the pool of another process that goes on with it.
//!
//! The lessons themselves are in `lessons` and `gate`. Invariant: what is taken over only ever makes this pool more
//! careful than it is.

use std::time::Duration;

use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use super::Pool;
use crate::replies::{Reading, Replies};
use crate::stage::Stage;

/// Lessons of one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Fewer sessions than are configured, and since when.
    pub sessions: Option<(usize, Instant)>,
    /// It is left alone.
    pub left_alone: Option<Refusal>,
    /// It wants fewer logins; with the back-off that was reached. (Whether credentials are refused the other process finds
    /// out by itself: it may have better ones.)
    pub logins: Option<(Duration, Refusal)>,
}

/// A refusal that holds for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The end of it.
    pub until: Instant,
    /// Where the reply came.
    pub stage: Stage,
    /// What the provider said.
    pub reply: Reply,
}

impl Pool {
    /// What is known now, for another process.
    pub fn learned(&self, now: Instant) -> Learned {
        let sessions = &self.inner.sessions;
        let logins = sessions.gate().learned();
        let lessons = sessions.lessons();
        Learned { sessions: lessons.fewer_since(), left_alone: lessons.refusal(now), logins }
    }

    /// Takes what another process has learned of the mailbox. To be called within a runtime.
    pub fn relearn(&self, learned: Learned, replies: &Replies) {
        let (sessions, provider) = (&self.inner.sessions, self.inner.target.provider);
        let read = |refusal: &Refusal| replies.read_again(provider, refusal.stage, &refusal.reply);
        let Learned { sessions: fewer, left_alone, logins } = learned;
        if let Some((pause, refusal)) = logins {
            let reading = read(&refusal);
            sessions.gate().take_over(pause, refusal, reading);
        }
        let left_alone = left_alone.map(|refusal| (read(&refusal), refusal));
        let fewer = {
            let mut lessons = sessions.lessons();
            if let Some((reading, refusal)) = left_alone {
                lessons.leave_alone_until(refusal.until, reading, refusal.reply);
            }
            fewer.and_then(|(number, since)| lessons.bear(number, since))
        };
        if let Some(number) = fewer {
            sessions.allow(number);
        }
    }
}

impl Refusal {
    pub(crate) fn of(until: Instant, reading: &Reading, reply: &Reply) -> Self {
        Self { until, stage: reading.stage, reply: reply.clone() }
    }
}

#[cfg(test)]
mod tests;
