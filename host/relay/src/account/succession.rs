//! What an account takes over from the one of its mailbox in the generation before, whatever that was called.
//!
//! A reload must not forget what the provider will not forget: sessions that are open, messages of the last minute,
//! logins that it throttles. Nor may it carry over what no longer holds: a session that other credentials opened.

use std::sync::Arc;

use blake2::{Blake2s256, Digest};
use posthouse_net::connector::Connector;
use posthouse_upstream::key::PoolKey;
use posthouse_upstream::pool::Inherited;

use super::credentials::credentials;
use super::{Account, Origin, Surroundings, budgets};
use crate::config::account::Account as Settings;
use crate::hex;
use crate::metrics::AccountMetrics;

impl Account {
    /// Whether these settings are of this account's mailbox.
    pub(crate) fn is_mailbox_of(&self, settings: &Settings) -> bool {
        mailbox(&self.origin.settings) == mailbox(settings)
    }

    /// Whether it goes on with what was known of the mailbox in `old`.
    pub(crate) fn goes_on_with(&self, old: &Self) -> bool {
        Arc::ptr_eq(&self.pace, &old.pace)
    }

    /// The account as it is to be from now on: this very one where nothing has changed. It stands in this one's place
    /// from [`Self::take_over`] on, and nothing happens before.
    pub(crate) fn successor(
        self: &Arc<Self>,
        tenant: &str,
        settings: &Settings,
        connector: Connector,
        around: &Surroundings<'_>,
    ) -> Arc<Self> {
        let origin = Origin::of(settings, around);
        if origin == self.origin {
            return Arc::clone(self);
        }
        if !self.is_mailbox_of(settings) {
            return Arc::new(Self::new((tenant, self.refusals.of_late()), settings, connector, around));
        }
        let same_login = origin.settings.grant == self.origin.settings.grant;
        let same_sessions = same_login && origin.pool_key(tenant) == self.origin.pool_key(tenant);
        let inherited = if same_sessions { Inherited::Sessions } else { Inherited::Nothing };
        Arc::new(Self {
            id: settings.id.clone(),
            address: settings.address.clone(),
            recipients_per_message: settings.provider.recipients_per_message,
            refusals: Arc::clone(&self.refusals),
            metrics: if self.id == settings.id {
                self.metrics.clone()
            } else {
                AccountMetrics::register(tenant, &settings.id)
            },
            pool: self.pool.successor(origin.target(connector), origin.limits, inherited),
            credentials: if same_login { self.credentials.clone() } else { credentials(tenant, settings, around) },
            pace: Arc::clone(&self.pace),
            budgets: budgets(tenant, settings, &around.books),
            load: Arc::clone(&self.load),
            tally: Arc::clone(&self.tally),
            since: Arc::clone(&self.since),
            origin,
        })
    }

    /// The moment from which this account stands in the place of `old`.
    pub(crate) fn take_over(self: &Arc<Self>, old: &Arc<Self>) {
        if Arc::ptr_eq(self, old) {
            return;
        }
        if !self.goes_on_with(old) {
            return old.retire();
        }
        self.pace.allow(self.origin.settings.provider.messages_per_minute);
        self.pool.take_over(&old.pool);
    }

    /// Its tenant has it no more: its sessions end.
    pub(crate) fn retire(&self) {
        self.pool.retire();
    }
}

/// What the provider knows the mailbox by, to which its limits belong, whatever it is talked to over.
fn mailbox(settings: &Settings) -> impl PartialEq {
    let Settings { address, user, provider, .. } = settings;
    let (host, port) = &provider.submission;
    (address.as_str().to_lowercase(), user.to_lowercase(), provider.kind, host.to_lowercase(), *port)
}

impl Origin {
    /// What has to be the same for sessions to go on.
    fn pool_key(&self, tenant: &str) -> PoolKey {
        let Settings { id, user, provider, source_address, .. } = &self.settings;
        let digest = |pem: &Arc<[u8]>| hex::digits(&Blake2s256::digest(pem));
        let trust = provider.ca_pem.as_ref().map_or_else(String::new, digest);
        PoolKey {
            tenant: tenant.to_owned(),
            account: id.clone(),
            user: user.clone(),
            transport: provider.transport,
            host: provider.host.clone(),
            port: provider.port,
            tls: provider.tls,
            server_name: self.server_name().to_owned(),
            trust,
            source: *source_address,
            hostname: self.hostname.clone(),
        }
    }
}
