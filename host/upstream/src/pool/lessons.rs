//! What a provider's refusals have taught of one account: how many sessions it bears, and until when
//! it is left alone.
//!
//! Learned fast and forgotten slowly: a refusal for too many sessions takes some away at once, each
//! quiet while gives one back, up to what is configured. No clock and no sleep in here: `now` is an
//! argument. Logins have their own memory, the gate.

use std::time::Duration;

use posthouse_smtp::reply::Reply;
use tokio::time::Instant;

use super::learned::Refusal;
use crate::meaning::Meaning;
use crate::replies::Reading;
use crate::stage::Stage;

/// Refusals within this time of a lowering are about the sessions from before it.
const SETTLING: Duration = Duration::from_secs(5);
/// After so long without such a refusal one session more is tried. Three Outlook sessions are back in ten
/// minutes, ten of Gmail within the hour; a limit that still holds costs one refusal in that time.
const RECOVERY: Duration = Duration::from_mins(5);

/// An account that is left alone, as it is told to a message that wanted it.
#[derive(Debug, Clone)]
pub struct Paused {
    /// The end of it.
    pub until: Instant,
    /// How long that is from when the message asked.
    pub wait: Duration,
    /// What the refusal meant.
    pub reading: Reading,
    /// The refusal.
    pub reply: Reply,
}

/// One account's lessons.
#[derive(Debug)]
pub(super) struct Lessons {
    configured: usize,
    allowed: usize,
    /// When `allowed` was changed, or the last reason not to raise it came.
    changed: Option<Instant>,
    paused: Option<(Instant, Reading, Reply)>,
}

impl Lessons {
    pub(super) fn new(configured: usize) -> Self {
        let configured = configured.max(1);
        Self { configured, allowed: configured, changed: None, paused: None }
    }

    /// A refusal came while so many sessions were open. The number of sessions from now on, where it changes.
    pub(super) fn learn(
        &mut self,
        stage: Stage,
        reading: &Reading,
        reply: &Reply,
        open: usize,
        now: Instant,
    ) -> Option<usize> {
        self.leave_alone(reading, reply, now);
        if is_about_concurrency(reading.meaning, stage, open) { self.fewer(stage, open, now) } else { None }
    }

    /// From now on the account is left alone, if the reading says for how long.
    pub(super) fn leave_alone(&mut self, reading: &Reading, reply: &Reply, now: Instant) {
        let Some(pause) = reading.treatment.pause else { return };
        self.leave_alone_until(now + pause, reading.clone(), reply.clone());
    }

    /// It is left alone at least until then.
    pub(super) fn leave_alone_until(&mut self, until: Instant, reading: Reading, reply: Reply) {
        if self.paused.as_ref().is_none_or(|(before, ..)| *before < until) {
            self.paused = Some((until, reading, reply));
        }
    }

    /// The number of sessions, where that is fewer than are configured, and since when.
    pub(super) fn fewer_since(&self) -> Option<(usize, Instant)> {
        self.changed.filter(|_| self.allowed < self.configured).map(|since| (self.allowed, since))
    }

    /// Why it is left alone, for another process.
    pub(super) fn refusal(&self, now: Instant) -> Option<Refusal> {
        let (until, reading, reply) = self.paused.as_ref().filter(|(until, ..)| *until > now)?;
        Some(Refusal::of(*until, reading, reply))
    }

    /// Another process has learned that it bears so many sessions. The number from now on, where it changes.
    pub(super) fn bear(&mut self, sessions: usize, since: Instant) -> Option<usize> {
        let sessions = sessions.max(1);
        if sessions >= self.allowed {
            return None;
        }
        (self.allowed, self.changed) = (sessions, Some(since));
        Some(sessions)
    }

    fn fewer(&mut self, stage: Stage, open: usize, now: Instant) -> Option<usize> {
        if self.changed.is_some_and(|at| now < at + SETTLING) && self.allowed < self.configured {
            return None;
        }
        self.changed = Some(now);
        let before = self.allowed;
        // Who is refused before MAIL is not in; those that are in may stay. Else half of them have to go.
        self.allowed = if stage.is_before_mail() { open.min(before) } else { before / 2 }.max(1);
        (self.allowed < before).then_some(self.allowed)
    }

    /// The number of sessions from now on, where a quiet while has raised it.
    pub(super) fn recover(&mut self, now: Instant) -> Option<usize> {
        let is_over = self.changed.is_some_and(|at| now >= at + RECOVERY);
        if self.allowed >= self.configured || !is_over {
            return None;
        }
        // One at a time, however long nobody asked: more have not been tried.
        self.allowed += 1;
        self.changed = Some(now);
        Some(self.allowed)
    }

    /// Why the account is left alone, if it is.
    pub(super) fn paused(&mut self, now: Instant) -> Option<Paused> {
        self.paused.take_if(|(until, ..)| *until <= now);
        let (until, reading, reply) = self.paused.as_ref()?;
        Some(Paused { until: *until, wait: *until - now, reading: reading.clone(), reply: reply.clone() })
    }

    /// The operator has another number in mind.
    pub(super) fn configure(&mut self, sessions: usize) {
        self.configured = sessions.max(1);
        self.allowed = self.configured;
        self.changed = None;
    }
}

/// Whether a refusal says that there are too many sessions. One that turns a new session away says so only where
/// there are others.
fn is_about_concurrency(meaning: Meaning, stage: Stage, open: usize) -> bool {
    match meaning {
        Meaning::TooManySessions => true,
        Meaning::ServerBusy | Meaning::Closing => stage.is_before_mail() && open > 0,
        Meaning::CredentialsRefused
        | Meaning::LoginDisabled
        | Meaning::TooManyLogins
        | Meaning::LoginUnavailable
        | Meaning::NotAuthenticated
        | Meaning::DailyQuota
        | Meaning::OrganisationQuota
        | Meaning::SenderNotAllowed
        | Meaning::Blocked
        | Meaning::MailboxFull
        | Meaning::UnusualRate
        | Meaning::TooManyRecipients
        | Meaning::Unwelcome
        | Meaning::OutOfStep
        | Meaning::Deferred
        | Meaning::Refused => false,
    }
}

#[cfg(test)]
mod tests;
