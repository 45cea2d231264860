//! How an account stands, in the words of an operator: what keeps it from carrying mail, and until when.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use posthouse_upstream::deliver::Delivered;
use posthouse_upstream::error::Error as UpstreamError;
use posthouse_upstream::gate::Cause;
use posthouse_upstream::login::LoginError;
use serde::Serialize;
use tokio::time::Instant;

use super::Account;
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
    /// When it is tried again, in seconds since 1970.
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
    /// It has had its part of 24 hours, or its directory has.
    OverBudget,
}

/// Whether the grant still holds, learned from deliveries that had to log in.
#[derive(Debug, Default)]
pub(super) struct Consent {
    ended: Mutex<Option<(String, u64)>>,
}

impl Consent {
    pub(super) fn learn(&self, delivered: &Result<Delivered, UpstreamError>) {
        let ended = || self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match delivered {
            // A session that was at hand says nothing of the grant.
            Ok(delivered) if !delivered.reused => *ended() = None,
            Err(UpstreamError::NoLogin(LoginError::NeedsConsent(reason))) => {
                ended().get_or_insert_with(|| (reason.clone(), unix(Duration::ZERO)));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

impl Account {
    /// How it stands.
    pub fn state(&self) -> State {
        if let Some((reason, since)) = self.consent.ended.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return State { name: Name::NeedsConsent, reason: Some(reason), since: Some(since), until: None };
        }
        if let Some(left_alone) = self.pool.left_alone() {
            let (reason, until) = (Some(left_alone.reply.to_string()), Some(unix(left_alone.wait)));
            return State { name: Name::LeftAlone, reason, since: None, until };
        }
        let Some(closed) = self.pool.logins_paused() else {
            return self.budget_state();
        };
        let name = match closed.cause {
            Cause::Throttled => Name::Throttled,
            Cause::Broken => Name::Refused,
        };
        let until = unix(closed.until.saturating_duration_since(Instant::now()));
        State { name, reason: Some(closed.reply.to_string()), since: None, until: Some(until) }
    }

    /// Ready, or over the budget that will be the last to have place again.
    fn budget_state(&self) -> State {
        let until = |budget: &Budget| budget.standing().passes_at;
        let over = self.budgets.iter().filter_map(|budget| Some((until(budget)?, budget)));
        match over.max_by_key(|(until, _)| *until) {
            Some((until, budget)) => {
                let reason = Some(budget.describe());
                State { name: Name::OverBudget, reason, since: None, until: Some(until) }
            }
            None => State { name: Name::Ready, reason: None, since: None, until: None },
        }
    }
}

/// The moment that is so far from now, in seconds since 1970.
fn unix(ahead: Duration) -> u64 {
    (SystemTime::now() + ahead).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
