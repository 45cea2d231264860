//! Budgets of 24 hours: how many recipients or messages an account, a directory or a tenant may have, and has had.
//!
//! Counted where the store keeps it, or in memory where there is no state directory. A budget is what the operator has
//! written down and the provider enforces; no provider's word is in here. Invariant: within a rolling 24 hours no more
//! is taken than the limit, unless the disk is full: mail goes on then, and that it is not counted is said.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use metrics::counter;
use posthouse_mail::date::Date;
use posthouse_store::budgets::in_memory::InMemory;
use posthouse_store::budgets::{Apart, NotTaken, Refused, Wanted};
use posthouse_store::store::Store;
use tracing::error;

use crate::keeper::unix_now;

/// Where the counts are.
#[derive(Debug)]
pub(crate) enum Books {
    /// In the state directory.
    Kept(Arc<Store>),
    /// In this process.
    InMemory(InMemory),
}

/// Whose a budget is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// An account's: the mailbox's at its provider.
    Account(String),
    /// A Microsoft directory's, over all accounts in it.
    Directory(String),
    /// All of a tenant's.
    Tenant,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Recipients, each of each message.
    Recipients,
    /// Messages.
    Messages,
}

/// One count and its limit.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    whose: Whose,
    unit: Unit,
    key: Arc<str>,
    limit: u64,
    books: Arc<Books>,
}

/// There is no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// Whose budget.
    pub whose: Whose,
    /// Of what.
    pub unit: Unit,
    /// How much it is.
    pub limit: u64,
    /// When it will pass, in Unix seconds, if nothing else is taken; none where it never will.
    pub passes_at: Option<u64>,
}

/// How a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    /// When there is place for one again, where there is none.
    pub(crate) passes_at: Option<u64>,
}

/// What was taken of one budget.
#[derive(Debug)]
struct Taken<'b> {
    budget: &'b Budget,
    count: u64,
    at: u64,
}

/// What a message has taken. Dropped, it stays taken.
#[derive(Debug)]
pub(crate) struct Receipt<'b> {
    taken: Vec<Taken<'b>>,
}

impl Books {
    /// Those of the store, if there is one.
    pub(crate) fn of(store: Option<&Arc<Store>>) -> Arc<Self> {
        Arc::new(match store {
            Some(store) => Self::Kept(Arc::clone(store)),
            None => Self::InMemory(InMemory::default()),
        })
    }

    /// What was taken and given back in this process, which another one that goes on with it does not know of yet.
    pub(crate) fn apart(&self) -> Vec<Apart> {
        match self {
            Self::Kept(store) => store.budgets().apart(),
            Self::InMemory(books) => books.apart(),
        }
    }

    /// There is no other process after all.
    pub(crate) fn together(&self) {
        match self {
            // It knows from whether it has its files.
            Self::Kept(_) => {}
            Self::InMemory(books) => books.together(),
        }
    }

    /// Counts what another process has taken.
    pub(crate) fn add(&self, apart: &[Apart]) {
        match self {
            Self::Kept(store) => {
                if let Err(error) = store.budgets().add(apart) {
                    unwritten("those of the process before", &error);
                }
            }
            Self::InMemory(books) => books.add(apart),
        }
    }

    fn take_all(&self, wanted: &[Wanted<'_>], now: u64) -> Result<(), Refused> {
        match self {
            Self::Kept(store) => store.budgets().take_all(wanted, now),
            Self::InMemory(books) => books.take_all(wanted, now),
        }
    }

    fn give_back(&self, key: &str, count: u64, taken_at: u64) {
        match self {
            Self::Kept(store) => {
                if let Err(error) = store.budgets().give_back(key, count, taken_at) {
                    unwritten(key, &error);
                }
            }
            Self::InMemory(books) => books.give_back(key, count, taken_at),
        }
    }

    fn used(&self, key: &str, now: u64) -> u64 {
        match self {
            Self::Kept(store) => store.budgets().used_by(key, now),
            Self::InMemory(books) => books.used_by(key, now),
        }
    }

    fn frees_at(&self, key: &str, limit: u64, now: u64) -> Option<u64> {
        match self {
            Self::Kept(store) => store.budgets().frees_at(key, 1, limit, now),
            Self::InMemory(books) => books.frees_at(key, 1, limit, now),
        }
    }
}

impl Budget {
    /// Of an account: what its provider counts is the mailbox's, whatever the account is called; and each tenant is
    /// counted for itself.
    pub(crate) fn of_account(
        (tenant, account): (&str, &str),
        (host, user): (&str, &str),
        (unit, limit): (Unit, u64),
        books: &Arc<Books>,
    ) -> Self {
        let key = format!("account/{}/{tenant}/{}/{}", unit.name(), host.to_lowercase(), user.to_lowercase());
        Self { whose: Whose::Account(account.to_owned()), unit, key: key.into(), limit, books: Arc::clone(books) }
    }

    /// Of a directory, whichever tenants' accounts are in it: Microsoft counts them together.
    pub(crate) fn of_directory(name: &str, limit: u64, books: &Arc<Books>) -> Self {
        let (unit, key) = (Unit::Recipients, format!("directory/{}", name.to_lowercase()));
        Self { whose: Whose::Directory(name.to_owned()), unit, key: key.into(), limit, books: Arc::clone(books) }
    }

    /// Of a tenant.
    pub(crate) fn of_tenant(tenant: &str, limit: u64, books: &Arc<Books>) -> Self {
        let (unit, key) = (Unit::Recipients, format!("tenant/{tenant}"));
        Self { whose: Whose::Tenant, unit, key: key.into(), limit, books: Arc::clone(books) }
    }

    /// Whose it is.
    pub(crate) fn whose(&self) -> &Whose {
        &self.whose
    }

    /// What it counts.
    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        format!("{} has had its {} {} of 24 hours", self.whose, self.limit, self.unit.name())
    }

    /// How it stands.
    pub(crate) fn standing(&self) -> Standing {
        let now = unix_now();
        let used = self.books.used(&self.key, now);
        let passes_at = (used >= self.limit).then(|| self.books.frees_at(&self.key, self.limit, now)).flatten();
        Standing { limit: self.limit, used, passes_at }
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.books.used(&self.key, unix_now()))
    }

    fn wanted(&self, recipients: u64) -> Wanted<'_> {
        let count = match self.unit {
            Unit::Recipients => recipients,
            Unit::Messages => 1,
        };
        Wanted { key: &self.key, count, limit: self.limit }
    }
}

impl<'b> Receipt<'b> {
    /// Takes a message's part of each budget, or nothing of any.
    ///
    /// # Errors
    /// One of them has no place.
    pub(crate) fn take(budgets: impl IntoIterator<Item = &'b Budget>, recipients: usize) -> Result<Self, OverBudget> {
        let (at, budgets) = (unix_now(), budgets.into_iter().collect::<Vec<_>>());
        let Some(first) = budgets.first() else { return Ok(Self { taken: Vec::new() }) };
        let wanted: Vec<Wanted<'_>> = budgets.iter().map(|budget| budget.wanted(recipients as u64)).collect();
        match first.books.take_all(&wanted, at) {
            Ok(()) => {
                let taken = budgets.iter().zip(&wanted).map(|(budget, of)| Taken { budget, count: of.count, at });
                Ok(Self { taken: taken.collect() })
            }
            Err(Refused { index, why: NotTaken::Full { frees_at: passes_at } }) => {
                let Budget { whose, unit, limit, .. } = budgets[index];
                Err(OverBudget { whose: whose.clone(), unit: *unit, limit: *limit, passes_at })
            }
            // The provider keeps its limit by itself; that all mail stands still would be the greater evil.
            Err(Refused { why: NotTaken::Unwritten(error), .. }) => {
                unwritten(&first.key, &error);
                Ok(Self { taken: Vec::new() })
            }
        }
    }

    /// The provider has not taken the message.
    pub(crate) fn give_back(self) {
        for Taken { budget, count, at } in self.taken {
            budget.books.give_back(&budget.key, count, at);
        }
    }
}

impl Unit {
    /// The word in metrics, keys and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recipients => "recipients",
            Self::Messages => "messages",
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account {account}"),
            Self::Directory(directory) => write!(f, "directory {directory}"),
            Self::Tenant => write!(f, "this tenant"),
        }
    }
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whose, limit, passes_at, .. } = self;
        let unit = self.unit.name();
        match passes_at {
            Some(at) => write!(
                f,
                "{whose} is over its budget of {limit} {unit} in 24 hours; this message will pass at {}",
                utc(*at)
            ),
            None => write!(f, "{whose} has a budget of {limit} {unit} in 24 hours: send to fewer at a time"),
        }
    }
}

/// The moment that is so far from now, in Unix seconds; a part of a second counts as a whole one.
pub(crate) fn unix_after(wait: Duration) -> u64 {
    let then = (SystemTime::now() + wait).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    then.as_secs() + u64::from(then.subsec_nanos() > 0)
}

/// A moment as clients read it.
pub(crate) fn utc(unix_seconds: u64) -> String {
    Date::from_unix_seconds(unix_seconds).rfc3339()
}

fn unwritten(key: &str, error: &dyn fmt::Display) {
    counter!("posthouse_budget_unwritten_total").increment(1);
    error!(key, %error, "a budget is not counted: free the state directory's disk");
}

#[cfg(test)]
mod tests;
