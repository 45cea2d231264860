//! Recipients that a provider has refused, remembered for a while by account.
//!
//! A message whose recipients were refused in part goes to nobody; when the client sends it again,
//! the refused ones hear the provider's own answer at RCPT, and the others get their mail. Not a
//! suppression list: it holds only what a provider said within the hour, and only for the account
//! that was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    heard: Mutex<Heard>,
    /// Its tenant's.
    of_late: Arc<OfLate>,
}

#[derive(Debug, Default)]
struct Heard {
    by_key: HashMap<String, Entry>,
    /// How many there have been.
    count: u64,
}

#[derive(Debug)]
struct Entry {
    reply: Reply,
    until: Instant,
    /// Its number, from 1.
    number: u64,
}

/// A refusal as another process is told of it.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Whose it is, in this file's words.
    pub(crate) key: String,
    /// What was answered.
    pub(crate) reply: Reply,
    /// When it is forgotten.
    pub(crate) until: Instant,
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
        let mut heard = self.memory();
        if heard.by_key.is_empty() {
            return None;
        }
        let key = key(sender, recipient);
        let Entry { reply, until, .. } = heard.by_key.get(&key)?;
        if now < *until && reply.severity() == Severity::Permanent {
            return Some(reply.clone());
        }
        heard.by_key.remove(&key).filter(|entry| now < entry.until).map(|entry| entry.reply)
    }

    /// Remembers what the provider answered to this recipient.
    pub fn remember(&self, sender: &ReversePath, recipient: &ForwardPath, reply: Reply, now: Instant) {
        self.keep(Refusal { key: key(sender, recipient), reply, until: now + REMEMBERED }, now);
    }

    /// Whether there were more than so many.
    pub(crate) fn are_more_than(&self, count: u64) -> bool {
        self.memory().count > count
    }

    /// Those behind so many, in their order and no more than `most`; they are among those many from then on.
    pub(crate) fn behind(&self, count: &mut u64, most: usize) -> Vec<Refusal> {
        let heard = self.memory();
        let mut news: Vec<_> = heard.by_key.iter().filter(|(_, entry)| entry.number > *count).collect();
        news.sort_unstable_by_key(|(_, entry)| entry.number);
        *count = match news.get(most) {
            Some((_, next)) => next.number - 1,
            None => heard.count,
        };
        news.truncate(most);
        let refusal = |(key, entry): (&String, &Entry)| Refusal {
            key: key.clone(),
            reply: entry.reply.clone(),
            until: entry.until,
        };
        news.into_iter().map(refusal).collect()
    }

    /// Remembers a refusal until it is forgotten, which is not later than if it were of now.
    pub(crate) fn keep(&self, refusal: Refusal, now: Instant) {
        let Refusal { key, reply, until } = refusal;
        let until = until.min(now + REMEMBERED);
        let mut heard = self.memory();
        if heard.by_key.len() >= MOST {
            heard.by_key.retain(|_, entry| now < entry.until);
            if heard.by_key.len() >= MOST {
                heard.by_key.clear();
            }
        }
        self.of_late.note(&key, until);
        heard.count += 1;
        let number = heard.count;
        heard.by_key.insert(key, Entry { reply, until, number });
    }

    fn memory(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
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
