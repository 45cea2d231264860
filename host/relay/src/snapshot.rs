//! Everything that a transaction may ask, of one generation: built whole, published at once.
//!
//! A snapshot is immutable: a transaction pins the one of its MAIL and sees no other.

mod build;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_net::error::Error as NetError;
use posthouse_oauth::error::Error as OAuthError;
use posthouse_policy::failure::LoadError;
use tokio::sync::watch;

use crate::config::Config;
use crate::listener::Rules;
use crate::policies::Policies;
use crate::tenant::{Login, Tenant};

/// One generation.
#[derive(Debug)]
pub struct Snapshot {
    /// The relay's own name.
    pub hostname: String,
    /// How long a delivery may take.
    pub delivery_deadline: Duration,
    /// The longest silence of a content that flows through.
    pub content_silence: Duration,
    /// How long all of a content may take to come.
    pub content_deadline: Duration,
    /// The tenants, by id.
    pub tenants: HashMap<String, Arc<Tenant>>,
    /// Why a tenant's policy was not taken. Such a tenant's mail is deferred.
    pub refused_policies: Vec<BuildError>,
    logins: HashMap<String, Known>,
    listeners: HashMap<String, Arc<Rules>>,
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
    #[error("{place}: policy.file: {file}: {source}")]
    Policy {
        /// Where the configuration names it.
        place: String,
        /// The file.
        file: String,
        /// Why it is not taken.
        source: LoadError,
    },
    /// What all policies need.
    #[error("policies: {0}")]
    Policies(LoadError),
    /// The client of the token endpoints.
    #[error(transparent)]
    Tokens(#[from] OAuthError),
}

impl Snapshot {
    /// Builds a snapshot.
    ///
    /// # Errors
    /// A certificate or a trusted root cannot be used, or no policy at all. One tenant's policy that cannot be used is
    /// told in [`Self::refused_policies`].
    pub async fn build(config: &Config, policies: &Arc<Policies>) -> Result<Self, BuildError> {
        build::snapshot(config, policies).await
    }

    /// The login of this name.
    pub fn login(&self, name: &str) -> Option<&Known> {
        self.logins.get(name)
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
pub fn publish(first: Snapshot) -> (Publisher, Snapshots) {
    let (publish, current) = watch::channel(Arc::new(first));
    (Publisher { publish }, Snapshots { current })
}

impl Publisher {
    /// Puts another snapshot in the place of the current one.
    pub fn replace(&self, next: Snapshot) {
        self.publish.send_replace(Arc::new(next));
    }
}

impl Snapshots {
    /// What holds now; whoever keeps it keeps that generation.
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.borrow())
    }
}
