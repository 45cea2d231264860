//! How an account stands, in the words of an operator: what keeps it from carrying mail, and until when.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use posthouse_oauth::cache::{TokenCache, Trouble};
use posthouse_upstream::gate::Cause;
use posthouse_upstream::meaning::Meaning;
use serde::Serialize;
use tokio::time::Instant;

use super::Account;
use super::life::due;
use crate::budget::Budget;

/// The state of an account, but for a pause, which is its tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// Which.
    pub name: Name,
    /// Why, where it is not ready: the provider's words.
    pub reason: Option<String>,
    /// Since when, in seconds since 1970, where that is known.
    pub since: Option<u64>,
    /// When it is tried again, or for [`Name::Expiring`] ends, in seconds since 1970.
    pub until: Option<u64>,
}

/// What an operator has to do something about, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// It can log in, as far as is known.
    Ready,
    /// Somebody has set it aside.
    Paused,
    /// Its grant has ended: a person has to consent anew.
    NeedsConsent,
    /// Its provider wants fewer logins.
    Throttled,
    /// Its provider refuses its credentials.
    Refused,
    /// Its provider has limited or blocked it, or its mailbox is full; the reply table says for how long it is left alone.
    LeftAlone,
    /// It can log in, and what it logs in with ends within thirty days.
    Expiring,
    /// It has had its part of 24 hours, or its directory has.
    OverBudget,
}

/// Since when an account has been in a state, by whoever looks at it again and again.
#[derive(Debug, Default)]
pub(super) struct Since(Mutex<Option<(Name, u64)>>);

impl Since {
    fn of(&self, name: Name) -> Option<u64> {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.filter(|(seen, _)| *seen == name).map(|(_, since)| since)
    }
}

impl Name {
    /// Its word, in answers and alerts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::NeedsConsent => "needs_consent",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::LeftAlone => "left_alone",
            Self::Expiring => "expiring",
            Self::OverBudget => "over_budget",
        }
    }
}

impl State {
    fn new(name: Name) -> Self {
        Self { name, reason: None, since: None, until: None }
    }

    /// Whether mail goes through the account, as far as is known.
    pub fn is_ready(&self) -> bool {
        matches!(self.name, Name::Ready | Name::Expiring)
    }
}

impl Account {
    /// How it stands.
    pub fn state(&self) -> State {
        let state = self.ailment().or_else(|| self.over_budget()).or_else(|| self.expiring());
        self.dated(state.unwrap_or_else(|| State::new(Name::Ready)))
    }

    /// What a person has to do something about, if there is such a thing.
    pub(crate) fn alarm(&self) -> Option<State> {
        let is_for_a_person = |state: &State| match state.name {
            Name::NeedsConsent | Name::Refused => true,
            Name::LeftAlone => self.is_blocked_or_full(),
            Name::Throttled | Name::Paused | Name::OverBudget | Name::Expiring | Name::Ready => false,
        };
        let alarm = self.ailment().filter(is_for_a_person).or_else(|| self.expiring());
        alarm.map(|state| self.dated(state))
    }

    /// It was looked at: from now on it is known since when it has been so. (Budgets say themselves until when.)
    pub(crate) fn look(&self, now: u64) {
        let name = self.ailment().or_else(|| self.expiring()).map_or(Name::Ready, |state| state.name);
        let mut seen = self.since.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|(before, _)| before != name) {
            *seen = Some((name, now));
        }
    }

    fn dated(&self, state: State) -> State {
        State { since: state.since.or_else(|| self.since.of(state.name)), ..state }
    }

    /// What keeps it from sending, but for its budgets.
    fn ailment(&self) -> Option<State> {
        let trouble = self.credentials.tokens.as_ref().and_then(TokenCache::trouble);
        if let Some(Trouble { error, since }) = trouble.filter(|trouble| trouble.error.is_permanent()) {
            let since = Some(unix(Duration::ZERO).saturating_sub(since.elapsed().as_secs()));
            return Some(State { reason: Some(error.to_string()), since, ..State::new(Name::NeedsConsent) });
        }
        if let Some(left_alone) = self.pool.left_alone() {
            let (reason, until) = (Some(left_alone.reply.to_string()), Some(unix(left_alone.wait)));
            return Some(State { reason, until, ..State::new(Name::LeftAlone) });
        }
        let closed = self.pool.logins_paused()?;
        let name = match closed.cause {
            Cause::Throttled => Name::Throttled,
            Cause::Broken => Name::Refused,
        };
        let until = Some(unix(closed.until.saturating_duration_since(Instant::now())));
        Some(State { reason: Some(closed.reply.to_string()), until, ..State::new(name) })
    }

    fn is_blocked_or_full(&self) -> bool {
        let meaning = self.pool.left_alone().map(|left_alone| left_alone.reading.meaning);
        matches!(meaning, Some(Meaning::Blocked | Meaning::MailboxFull))
    }

    /// The credential that ends soon.
    fn expiring(&self) -> Option<State> {
        let expiry = due(self)?;
        let reason = Some(expiry.describe(unix(Duration::ZERO)));
        Some(State { name: Name::Expiring, reason, since: Some(expiry.notice()), until: Some(expiry.at) })
    }

    /// The budget that will be the last to have place again, where one has none.
    fn over_budget(&self) -> Option<State> {
        let until = |budget: &Budget| budget.standing().passes_at;
        let over = self.budgets.iter().filter_map(|budget| Some((until(budget)?, budget)));
        let (until, budget) = over.max_by_key(|(until, _)| *until)?;
        Some(State { reason: Some(budget.describe()), until: Some(until), ..State::new(Name::OverBudget) })
    }
}

/// The moment that is so far from now, in seconds since 1970.
fn unix(ahead: Duration) -> u64 {
    (SystemTime::now() + ahead).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
