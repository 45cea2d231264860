//! What a policy is tried with: settings, limits, a tenant on paper, and a clock that stands still.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use posthouse_policy::call::{Envelope, Inquiry, Moment, Settings};
use posthouse_policy::limits::Limits;
use posthouse_policy::policy::Terms;
use posthouse_policy::realm::{Account, Realm};
use posthouse_policy::tenant::TenantMemory;
use serde::Deserialize;
use tokio::time::Instant;

use super::cases::{self, Cases};
use super::document::{self, Document, LimitsTable, SettingsTable};
use super::realm::{self, AccountTable, PaperRealm};
use crate::tenant::Sender;

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) limits: Limits,
    pub(crate) realm: Arc<dyn Realm>,
    pub(crate) moment: Moment,
}

impl World {
    /// A tenant with nothing.
    pub(crate) fn empty() -> Self {
        Self::of(&SettingsTable::default(), &LimitsTable::default(), PaperRealm::default(), cases::new_year())
    }

    /// The one that a file of cases describes.
    pub(crate) fn of_cases(cases: &Cases) -> Self {
        let accounts = cases.accounts.iter().map(AccountTable::account).collect();
        let routes = cases.routes.iter().map(|route| route.get_ref().name.clone()).collect();
        let realm = PaperRealm::new(accounts, routes, cases.senders.clone());
        Self::of(&cases.settings, &cases.limits, realm, cases.now)
    }

    /// A tenant's file: its accounts, routes and senders, and what it says under `[policy]`.
    pub(crate) fn of_tenant(path: &Path) -> Result<Self, String> {
        let file: TenantFile = Document::read(path)?.parsed()?;
        let policy = file.policy.unwrap_or_default();
        let accounts = file.accounts.iter().map(TenantAccount::account).collect();
        let routes = file.routes.iter().map(|route| route.name.clone()).collect();
        let senders = file.logins.into_iter().filter_map(|login| login.senders).flatten().collect();
        let realm = PaperRealm::new(accounts, routes, Some(senders));
        let limits = LimitsTable { cpu: policy.cpu, time: policy.time, memory: policy.memory };
        Ok(Self::of(&policy.settings, &limits, realm, cases::new_year()))
    }

    /// A tenant with nothing but the settings in this file.
    pub(crate) fn of_settings(path: &Path) -> Result<Self, String> {
        let settings: SettingsTable = Document::read(path)?.parsed()?;
        Ok(Self::of(&settings, &LimitsTable::default(), PaperRealm::default(), cases::new_year()))
    }

    fn of(settings: &SettingsTable, limits: &LimitsTable, realm: PaperRealm, unix_milliseconds: u64) -> Self {
        let moment = Moment { unix_milliseconds, seed: 0, now: Instant::now() };
        Self { settings: Arc::new(settings.settings()), limits: limits.limits(), realm: Arc::new(realm), moment }
    }

    /// Terms with a memory of their own.
    pub(crate) fn terms(&self) -> Terms {
        Terms { limits: self.limits, settings: Arc::clone(&self.settings), tenant: TenantMemory::new() }
    }

    /// A question about no message.
    pub(crate) fn inquiry(&self) -> Inquiry {
        Inquiry { realm: Arc::clone(&self.realm), envelope: Envelope::none(), moment: self.moment }
    }
}

/// What concerns policies in a tenant's file. `posthouse check` reads the rest.
#[derive(Debug, Deserialize)]
struct TenantFile {
    policy: Option<TenantPolicy>,
    #[serde(default)]
    accounts: Vec<TenantAccount>,
    #[serde(default)]
    routes: Vec<TenantRoute>,
    #[serde(default)]
    logins: Vec<TenantLogin>,
}

#[derive(Debug, Default, Deserialize)]
struct TenantPolicy {
    #[serde(default)]
    settings: SettingsTable,
    #[serde(default, deserialize_with = "document::cpu")]
    cpu: Option<Duration>,
    #[serde(default, deserialize_with = "document::time")]
    time: Option<Duration>,
    #[serde(default, deserialize_with = "document::memory")]
    memory: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct TenantAccount {
    id: String,
    address: String,
    /// Also one of the main file's own, whose kind is not known here.
    provider: String,
}

#[derive(Debug, Deserialize)]
struct TenantRoute {
    name: String,
}

#[derive(Debug, Deserialize)]
struct TenantLogin {
    #[serde(default, deserialize_with = "document::senders")]
    senders: Option<Vec<Sender>>,
}

impl TenantAccount {
    fn account(&self) -> Account {
        let known = ["gmail", "outlook"].into_iter().find(|name| *name == self.provider);
        Account {
            id: self.id.clone(),
            address: self.address.clone(),
            provider: known.unwrap_or("generic"),
            is_ready: true,
            in_use: 0,
            allowed: realm::SESSIONS,
            waiting: 0,
        }
    }
}
