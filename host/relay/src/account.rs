//! A mailbox of a tenant, ready to carry mail: its pool, its credentials, its limits, its memory.
//!
//! It is made with a snapshot and outlives the messages it carries. It knows no message and no policy.

mod credentials;
pub mod life;
mod renewal;
mod rotation;
pub mod state;
mod succession;

pub(crate) use crate::account::credentials::{keep_consent, look_up};
pub(crate) use crate::account::renewal::NotRenewed;
pub(crate) use crate::account::rotation::{copy_logins, forget_logins};

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_net::connector::Connector;
use posthouse_oauth::client::Client;
use posthouse_smtp::client::Transaction as Envelope;
use posthouse_smtp::path::{ForwardPath, Mailbox, ReversePath};
use posthouse_store::store::Store;
use posthouse_upstream::deliver::{Content, Delivered, deliver};
use posthouse_upstream::error::Error as UpstreamError;
use posthouse_upstream::gate::Cause;
use posthouse_upstream::limits::PoolLimits;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::probe::verify_recipients;
use posthouse_upstream::replies::Replies;
use posthouse_upstream::target::Target;
use tokio::time::Instant;
use tracing::warn;

use crate::account::credentials::{Credentials, credentials};
use crate::account::state::Since;
use crate::budget::{Books, Budget, Unit};
use crate::config::account::Account as Settings;
use crate::metrics::AccountMetrics;
use crate::pace::Pace;
use crate::refusals::Refusals;
use crate::refusals::of_late::OfLate;
use crate::tally::Tally;

/// One mailbox.
pub struct Account {
    /// Its id, unique in its tenant.
    pub id: String,
    /// Its address.
    pub address: Mailbox,
    /// Recipients that its provider takes in one message.
    pub recipients_per_message: usize,
    /// What its provider has refused of late.
    pub refusals: Arc<Refusals>,
    /// Its counts.
    pub metrics: AccountMetrics,
    pool: Pool,
    credentials: Credentials,
    pace: Arc<Pace>,
    budgets: Vec<Budget>,
    load: Arc<AtomicUsize>,
    /// What became of its messages.
    pub tally: Arc<Tally>,
    /// Since when it has been in the state that it is in, as far as somebody has looked.
    since: Arc<Since>,
    /// What it was made from, for whoever takes its place.
    origin: Origin,
}

/// All that an account is made from, but for the roots of trust that the settings name.
#[derive(Debug, Clone, PartialEq)]
struct Origin {
    settings: Settings,
    hostname: String,
    limits: PoolLimits,
}

/// What all accounts of a relay are built with.
pub(crate) struct Surroundings<'a> {
    pub(crate) hostname: &'a str,
    pub(crate) connect: Duration,
    pub(crate) session_wait: Duration,
    pub(crate) store: Option<Arc<Store>>,
    pub(crate) tokens: Client,
    pub(crate) books: Arc<Books>,
}

impl Account {
    pub(crate) fn new(
        (tenant, of_late): (&str, &Arc<OfLate>),
        settings: &Settings,
        connector: Connector,
        around: &Surroundings<'_>,
    ) -> Self {
        let origin = Origin::of(settings, around);
        Self {
            id: settings.id.clone(),
            address: settings.address.clone(),
            recipients_per_message: settings.provider.recipients_per_message,
            refusals: Arc::new(Refusals::of(of_late)),
            metrics: AccountMetrics::register(tenant, &settings.id),
            pool: Pool::new(origin.target(connector), origin.limits),
            credentials: credentials(tenant, settings, around),
            pace: Pace::per_minute(settings.provider.messages_per_minute),
            budgets: budgets(tenant, settings, &around.books),
            load: Arc::default(),
            tally: Arc::new(Tally::of_one_of_many()),
            since: Arc::default(),
            origin,
        }
    }

    /// Hands a message to the provider. What it takes for that is its [`crate::passage::Passage`].
    pub(crate) async fn deliver(
        &self,
        replies: &Replies,
        envelope: &Envelope<'_>,
        content: Content<'_>,
        deadline: Instant,
    ) -> Result<Delivered, UpstreamError> {
        let delivered = deliver(&self.pool, &*self.credentials.source, replies, envelope, content, deadline).await;
        if let Err(error) = &delivered
            && error.asks_for_a_lower_rate()
            && let Some(per_minute) = self.pace.slow_down(Instant::now())
        {
            warn!(account = self.id, per_minute, reason = error.reason(), "the account sends more slowly now");
        }
        if delivered.as_ref().is_ok_and(|delivered| delivered.was_last) {
            let (pool, source, replies) = (self.pool.clone(), Arc::clone(&self.credentials.source), replies.clone());
            tokio::spawn(async move { pool.open_ahead(&*source, &replies).await });
        }
        delivered
    }

    /// Puts a recipient to the provider.
    pub(crate) async fn verify(
        &self,
        replies: &Replies,
        reverse_path: &ReversePath,
        recipient: &ForwardPath,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        let recipients = std::slice::from_ref(recipient);
        let answers =
            verify_recipients(&self.pool, &*self.credentials.source, replies, reverse_path, recipients, deadline)
                .await?;
        answers.into_iter().collect()
    }

    /// Whether it can log in, as far as is known. A provider that throttles it has not put it out of order:
    /// that is waited out, and never dodged by another mailbox.
    pub fn is_in_order(&self) -> bool {
        !self.pool.logins_paused().is_some_and(|paused| paused.cause == Cause::Broken) && !self.has_no_token()
    }

    /// What it may send in a minute, and at this moment; none is no limit.
    pub fn rate(&self) -> Option<(u32, u32)> {
        self.pace.standing(Instant::now())
    }

    /// Its messages per minute.
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// Its budgets of 24 hours: its own, and its directory's.
    pub(crate) fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// What is left of its 24 hours; as much as there can be where nothing limits it.
    pub(crate) fn budget_left(&self) -> u64 {
        self.budgets.iter().map(Budget::left).min().unwrap_or(u64::MAX)
    }

    /// Whether it could carry a message now, as far as is known: it can log in, and is within its budgets.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_in_order() && self.budget_left() > 0
    }

    /// One more message is on its way to it, or waits for it, until the answer is dropped.
    pub(crate) fn engage(&self) -> Engaged {
        self.load.fetch_add(1, Ordering::Relaxed);
        Engaged(Arc::clone(&self.load))
    }

    /// Makes sure that it has a token if a message is on its way to it: another process is to ask for the next one.
    pub(crate) async fn provide(&self) {
        if self.load.load(Ordering::Relaxed) > 0 {
            // Where there is none, the message hears it.
            let _there = self.credentials.source.login().await;
        }
    }

    /// Messages on their way to it or waiting for it, by its sessions: in thousandths.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed).saturating_mul(1000) / self.pool.limits().sessions.max(1)
    }

    /// Whether it is another account of the same Microsoft directory, as far as the configuration says. What is no
    /// directory of anybody's own (`organizations` and its like) says nothing.
    pub(crate) fn is_of_directory_of(&self, other: &Self) -> bool {
        let directory = |account: &Self| account.origin.settings.own_directory();
        !std::ptr::eq(self, other) && directory(self).is_some() && directory(self) == directory(other)
    }

    /// Its mailbox, by a name that another process of the same configuration gives it too.
    pub(crate) fn mailbox(&self, tenant: &str) -> String {
        let Settings { address, user, provider, .. } = &self.origin.settings;
        let (host, port) = &provider.submission;
        format!("{tenant} {address} {user} {host}:{port}")
    }

    /// Its sessions, for gauges and for the end.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }
}

/// A message that an account is to carry.
#[derive(Debug)]
pub(crate) struct Engaged(Arc<AtomicUsize>);

impl Drop for Engaged {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn budgets(tenant: &str, settings: &Settings, books: &Arc<Books>) -> Vec<Budget> {
    let Settings { id, user, provider, directory, .. } = settings;
    let own = |unit, limit: Option<u64>| {
        limit.map(|limit| Budget::of_account((tenant, id), (&provider.submission.0, user), (unit, limit), books))
    };
    let recipients = own(Unit::Recipients, provider.recipients_per_day);
    let messages = own(Unit::Messages, provider.messages_per_day);
    let directory =
        directory.as_ref().map(|directory| Budget::of_directory(&directory.name, directory.recipients_per_day, books));
    recipients.into_iter().chain(messages).chain(directory).collect()
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Origin {
    fn of(settings: &Settings, around: &Surroundings<'_>) -> Self {
        let provider = &settings.provider;
        let limits = PoolLimits {
            sessions: provider.sessions,
            messages_per_session: provider.messages_per_session,
            session_age: provider.session_age,
            idle: provider.idle,
            token_margin: provider.token_margin,
            acquire_deadline: around.session_wait,
            dial_deadline: around.connect,
        };
        Self { settings: settings.clone(), hostname: around.hostname.to_owned(), limits }
    }

    fn target(&self, connector: Connector) -> Target {
        let Settings { provider, source_address, .. } = &self.settings;
        Target {
            provider: provider.kind,
            transport: provider.transport,
            host: provider.host.clone(),
            port: provider.port,
            tls: provider.tls,
            server_name: self.server_name().to_owned(),
            connector,
            source: *source_address,
            hostname: self.hostname.clone(),
        }
    }

    fn server_name(&self) -> &str {
        let provider = &self.settings.provider;
        provider.server_name.as_deref().unwrap_or(&provider.host)
    }
}

/// The sessions of an account that nobody else knows of.
pub(crate) fn pool(settings: &Settings, connector: Connector, around: &Surroundings<'_>) -> Pool {
    let origin = Origin::of(settings, around);
    Pool::new(origin.target(connector), origin.limits)
}

/// One account's share of the seed by which renewals are spread.
fn seed(tenant: &str, account: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (tenant, account).hash(&mut hasher);
    hasher.finish()
}
