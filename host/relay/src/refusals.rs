//! Recipients that a provider has refused, remembered for a while by account.
//!
//! A message whose recipients were refused in part goes to nobody; when the client sends it again,
//! the refused ones hear the provider's own answer at RCPT, and the others get their mail. Not a
//! suppression list: it holds only what a provider said within the hour, and only for the account
//! that was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posthouse_smtp::path::{ForwardPath, ReversePath};
use posthouse_smtp::reply::{Reply, Severity};
use tokio::time::Instant;

use crate::account::Account;
use of_late::OfLate;

pub mod of_late;

/// How long a refusal is remembered: longer than clients wait before they try again.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How many are remembered for one account; beyond it the memory starts anew.
const MOST: usize = 4_096;

/// The refusals that one account has heard.
#[derive(Debug, Default)]
pub struct Refusals {
    heard: Mutex<HashMap<String, (Reply, Instant)>>,
    /// Its tenant's.
    of_late: Arc<OfLate>,
}

/// What the provider of any of these accounts, which are a tenant's, has answered to this recipient, if it refused it
/// within the hour. Mostly no account is looked at, however many there are.
pub(crate) fn heard_by_any<'a>(
    accounts: impl IntoIterator<Item = &'a Arc<Account>>,
    of_late: &OfLate,
    (sender, recipient): (&ReversePath, &ForwardPath),
    now: Instant,
) -> Option<Reply> {
    if of_late.is_empty() || !of_late.may_know(&key(sender, recipient), now) {
        return None;
    }
    accounts.into_iter().find_map(|account| account.refusals.heard(sender, recipient, now))
}

impl Refusals {
    /// Of one of the accounts of a tenant.
    pub fn of(of_late: &Arc<OfLate>) -> Self {
        Self { heard: Mutex::default(), of_late: Arc::clone(of_late) }
    }

    /// What its tenant knows of all accounts.
    pub(crate) fn of_late(&self) -> &Arc<OfLate> {
        &self.of_late
    }

    /// The provider's answer to this recipient, if it refused it within the hour. A passing refusal
    /// (4yz) is heard once: it lets the client send the others their mail, and after that the
    /// provider is asked again.
    pub fn heard(&self, sender: &ReversePath, recipient: &ForwardPath, now: Instant) -> Option<Reply> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_empty() {
            return None;
        }
        let key = key(sender, recipient);
        let (reply, until) = heard.get(&key)?;
        if now < *until && reply.severity() == Severity::Permanent {
            return Some(reply.clone());
        }
        heard.remove(&key).filter(|(_, until)| now < *until).map(|(reply, _)| reply)
    }

    /// Remembers what the provider answered to this recipient.
    pub fn remember(&self, sender: &ReversePath, recipient: &ForwardPath, reply: Reply, now: Instant) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= MOST {
            heard.retain(|_, (_, until)| now < *until);
            if heard.len() >= MOST {
                heard.clear();
            }
        }
        let key = key(sender, recipient);
        self.of_late.note(&key, now + REMEMBERED);
        heard.insert(key, (reply, now + REMEMBERED));
    }
}

/// Only the host that owns a domain may say whether case matters before the `@` (RFC 5321 2.4), so
/// that two spellings are two recipients here, but for the domain.
fn key(sender: &ReversePath, recipient: &ForwardPath) -> String {
    let recipient = match recipient {
        ForwardPath::Postmaster => "postmaster".to_owned(),
        ForwardPath::Mailbox(mailbox) => format!("{}@{}", mailbox.local(), mailbox.domain().to_ascii_lowercase()),
    };
    format!("{sender}\n{recipient}")
}

#[cfg(test)]
mod tests;
