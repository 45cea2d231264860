//! Everything that a transaction may ask, of one generation: built whole, published at once.
//!
//! A snapshot is immutable: a transaction pins the one of its MAIL and sees no other.

mod build;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_net::acceptor::Acceptor;
use posthouse_net::error::Error as NetError;
use posthouse_oauth::client::Client as TokenClient;
use posthouse_oauth::error::Error as OAuthError;
use posthouse_policy::failure::LoadError;
use posthouse_smtp::reply::Reply;
use posthouse_store::error::Error as StoreError;
use posthouse_store::store::Store;
use posthouse_upstream::replies::{Reading, Replies};
use tokio::sync::watch;
use tracing::warn;

use crate::account::Account;
use crate::budget::Books;
use crate::config::Config;
use crate::generations::Steps;
use crate::listener::Rules;
use crate::pauses::{Pauses, Subject};
use crate::policies::Policies;
use crate::snapshot::build::Connectors;
use crate::tally::Tally;
use crate::tenant::{Login, Tenant};
use crate::validity::Validity;

/// What the admin address is called among the listeners that have certificates.
pub(crate) const ADMIN: &str = "admin";

/// One generation.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its number, from 1, given when it is published.
    pub generation: u64,
    /// What it was built from.
    pub config: Arc<Config>,
    /// The relay's own name.
    pub hostname: String,
    /// How long a delivery may take.
    pub delivery_deadline: Duration,
    /// The longest silence of a content that flows through.
    pub content_silence: Duration,
    /// How long all of a content may take to come.
    pub content_deadline: Duration,
    /// What providers' replies are read by.
    pub replies: Replies,
    /// The tenants, by id.
    pub tenants: HashMap<String, Arc<Tenant>>,
    /// Why a tenant's policy was not taken. Such a tenant's mail is deferred.
    pub refused_policies: Arc<Vec<String>>,
    /// Stages of tenants' policies that are to be written down when this snapshot is published.
    pub(crate) stages: Vec<(String, Steps)>,
    /// Who is set aside for a while; each tenant holds its own part.
    pub pauses: Arc<Pauses>,
    /// What became of all messages.
    pub tally: Arc<Tally>,
    /// The certificate of the admin address, where it has one.
    pub admin_tls: Option<Acceptor>,
    /// How long that is good.
    pub admin_certificate: Option<Validity>,
    logins: Arc<HashMap<String, (String, Arc<Login>)>>,
    listeners: Arc<HashMap<String, Arc<Rules>>>,
    shared: Shared,
}

/// What is dear to make and goes on from one generation to the next.
#[derive(Debug, Clone)]
struct Shared {
    connectors: Connectors,
    tokens: TokenClient,
    store: Option<Arc<Store>>,
    books: Arc<Books>,
}

/// A login and the tenant it belongs to.
#[derive(Debug, Clone)]
pub struct Known {
    /// The tenant.
    pub tenant: Arc<Tenant>,
    /// The login.
    pub login: Arc<Login>,
}

/// Why a configuration without faults cannot be used all the same.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The certificate of the admin address.
    #[error("admin: {0}")]
    AdminCertificate(NetError),
    /// A listener's certificate.
    #[error("listener {listener}: {source}")]
    Certificate {
        /// The listener.
        listener: String,
        /// What is wrong with it.
        source: NetError,
    },
    /// The roots that a provider is verified against.
    #[error("account {account} of tenant {tenant}: ca_file: {source}")]
    Trust {
        /// The tenant.
        tenant: String,
        /// The account.
        account: String,
        /// What is wrong with them.
        source: NetError,
    },
    /// A tenant's policy.
    #[error("{place}: policy{file}: {source}")]
    Policy {
        /// Where the configuration names it.
        place: String,
        /// The file, as `.file: name`; empty where there is none.
        file: String,
        /// Why it is not taken.
        source: LoadError,
    },
    /// What all policies need.
    #[error("policies: {0}")]
    Policies(LoadError),
    /// What was kept for an account.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The client of the token endpoints.
    #[error(transparent)]
    Tokens(#[from] OAuthError),
}

impl Snapshot {
    /// Builds the snapshot that is to follow `previous`. Nothing happens to what they share before [`Publisher::replace`].
    ///
    /// # Errors
    /// A certificate or a trusted root cannot be used, or no policy at all. One tenant's policy that cannot be used is
    /// told in [`Self::refused_policies`].
    pub async fn build(
        config: Arc<Config>,
        policies: &Arc<Policies>,
        previous: Option<Arc<Self>>,
    ) -> Result<Self, BuildError> {
        build::snapshot(config, policies, previous, None).await
    }

    /// Builds the first snapshot of a relay; those that follow have its store.
    ///
    /// # Errors
    /// As [`Self::build`], or what was kept for an account cannot be read.
    pub async fn first(
        config: Arc<Config>,
        policies: &Arc<Policies>,
        store: Option<Arc<Store>>,
    ) -> Result<Self, BuildError> {
        build::snapshot(config, policies, None, store).await
    }

    /// The store of the state directory.
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.shared.store.as_ref()
    }

    /// The client of token endpoints, which serves webhooks too.
    pub(crate) fn requests(&self) -> &TokenClient {
        &self.shared.tokens
    }

    /// How long the certificates are good that clients and operators see, by listener.
    pub fn certificates(&self) -> impl Iterator<Item = (&str, Validity)> {
        let listeners = self.listeners.iter().filter_map(|(name, rules)| Some((name.as_str(), rules.certificate?)));
        listeners.chain(self.admin_certificate.map(|validity| (ADMIN, validity)))
    }

    /// What is counted of 24 hours.
    pub(crate) fn books(&self) -> &Arc<Books> {
        &self.shared.books
    }

    /// The login of this name, with its tenant.
    pub fn login(&self, name: &str) -> Option<Known> {
        let (tenant, login) = self.logins.get(name)?;
        Some(Known { tenant: Arc::clone(self.tenants.get(tenant)?), login: Arc::clone(login) })
    }

    /// Whether it says the same as another one: the same configuration, decided on by the same policies.
    pub fn is_like(&self, other: &Self) -> bool {
        let same_policy = |tenant: &Arc<Tenant>| {
            other.tenants.get(&tenant.id).is_some_and(|other| tenant.line.runs_like(&other.line))
        };
        self.config == other.config
            && self.tenants.values().all(same_policy)
            && self.refused_policies == other.refused_policies
    }

    /// The same, but for this tenant; for [`Publisher::replace`].
    #[must_use]
    pub(crate) fn with_tenant(&self, tenant: Tenant) -> Self {
        let mut next = self.clone();
        next.tenants.insert(tenant.id.clone(), Arc::new(tenant));
        next
    }

    /// The same with other pauses, of which those of `subject` are new; for [`Publisher::replace`].
    #[must_use]
    pub(crate) fn pausing(&self, subject: &Subject, pauses: Pauses) -> Self {
        let mut next = self.clone();
        if let Some(tenant) = next.tenants.get_mut(&subject.tenant) {
            *tenant = Arc::new(tenant.paused(pauses.of(&subject.tenant)));
        }
        next.pauses = Arc::new(pauses);
        next
    }

    /// All accounts of all tenants.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.tenants.values().flat_map(|tenant| tenant.accounts.values())
    }

    /// A quota of the account's whole directory is used up: all accounts in it, whichever tenant's they are, are left alone.
    pub(crate) fn leave_directory_alone(&self, account: &Account, reading: &Reading, reply: &Reply) {
        let others = self.accounts().filter(|other| other.is_of_directory_of(account));
        let left = others.map(|other| other.pool().leave_alone(reading, reply)).count();
        if left > 0 {
            warn!(account = account.id, others = left, "the other accounts of its directory are left alone as well");
        }
    }

    /// This snapshot is to hold instead of `old` from now on: what accounts share is handed over, and sessions that
    /// nobody may use any more end.
    fn take_over(&self, old: &Self) {
        for (id, tenant) in &old.tenants {
            let next = self.tenants.get(id);
            if let Some(next) = next.filter(|next| next.allowance != tenant.allowance) {
                next.limits.allow(&next.allowance);
            }
            for account in tenant.accounts.values() {
                match next.and_then(|next| next.successor_of(account)) {
                    Some(next) => next.take_over(account),
                    None => account.retire(),
                }
            }
        }
    }

    /// The rules of the listener of this name.
    pub fn listener(&self, name: &str) -> Option<&Arc<Rules>> {
        self.listeners.get(name)
    }
}

/// The end that publishes.
#[derive(Debug)]
pub struct Publisher {
    publish: watch::Sender<Arc<Snapshot>>,
}

/// The end that reads.
#[derive(Debug, Clone)]
pub struct Snapshots {
    current: watch::Receiver<Arc<Snapshot>>,
}

/// Both ends, with a first snapshot.
pub fn publish(mut first: Snapshot) -> (Publisher, Snapshots) {
    first.generation = 1;
    let (publish, current) = watch::channel(Arc::new(first));
    (Publisher { publish }, Snapshots { current })
}

impl Publisher {
    /// Puts another snapshot in the place of the current one; it is given the next number. To be called within a runtime.
    pub fn replace(&self, mut next: Snapshot) -> Arc<Snapshot> {
        next.generation = self.current().generation + 1;
        next.stages.clear();
        let next = Arc::new(next);
        // Before anybody delivers by it: whoever did would not know that a mailbox may have fewer sessions now, nor wait
        // for those that end. Who still begins by the old one is bound by what holds for both.
        next.take_over(&self.current());
        self.publish.send_replace(Arc::clone(&next));
        next
    }

    /// What holds now.
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.publish.borrow())
    }
}

impl Snapshots {
    /// Ends when another snapshot is published than was the last time.
    pub async fn changed(&mut self) {
        if self.current.changed().await.is_err() {
            // The relay is gone, and nothing is published any more.
            std::future::pending::<()>().await;
        }
    }

    /// What holds now; whoever keeps it keeps that generation.
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.borrow())
    }
}
