//! A tenant as a transaction sees it: its logins, its accounts, its routes.
//!
//! Immutable, and one value for all of a tenant: what belongs together changes together. What
//! lives on across a change (sessions, tokens, rates) hangs on the accounts and on its `TenantLimits`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use posthouse_smtp::path::{Mailbox, ReversePath};
use serde::Serialize;

use crate::account::Account;
use crate::budget::Budget;
use crate::config::account::Account as Settings;
use crate::generations::Line;
use crate::metrics::TenantMetrics;
use crate::pauses::{Pause, TenantPauses};
use crate::refusals::of_late::OfLate;
use crate::tally::Tally;
use crate::tenant_limits::{Allowance, TenantLimits};

/// One tenant.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id: the stem of its file's name.
    pub id: String,
    /// Its accounts, by id.
    pub accounts: HashMap<String, Arc<Account>>,
    /// Its routes, by name.
    pub routes: HashMap<String, Route>,
    /// The route of a message that no other rule places.
    pub default_route: Option<String>,
    /// What decides on its messages; where nothing is in it that is the native rule.
    pub line: Line,
    /// No generation of its policy is taken: its mail stays with its clients until one is, and nobody else's is touched.
    pub lacks_policy: bool,
    /// What is set aside of it for a while.
    pub pauses: Arc<TenantPauses>,
    /// Its counts.
    pub metrics: TenantMetrics,
    /// What became of its messages; outlives generations.
    pub tally: Arc<Tally>,
    /// What it may take at a time; outlives generations.
    pub limits: Arc<TenantLimits>,
    /// The numbers that hold for that from this generation on.
    pub allowance: Allowance,
    /// Which recipients any of its accounts may have seen refused of late; outlives generations.
    pub refused_of_late: Arc<OfLate>,
    /// Recipients that each of its accounts takes in one message.
    pub recipients_per_message: usize,
    /// Its recipients of 24 hours, where they are limited.
    pub(crate) budget: Option<Budget>,
    /// Account ids by the address of the mailbox, in lower case.
    addresses: HashMap<String, String>,
}

impl Tenant {
    /// A tenant of these accounts and routes, without a policy.
    pub fn new(
        id: String,
        accounts: HashMap<String, Arc<Account>>,
        routes: HashMap<String, Route>,
        default_route: Option<String>,
        allowance: Allowance,
    ) -> Self {
        let address = |account: &Arc<Account>| account.address.as_str().to_ascii_lowercase();
        let addresses = accounts.values().map(|account| (address(account), account.id.clone())).collect();
        let recipients = accounts.values().map(|account| account.recipients_per_message).min();
        Self {
            metrics: TenantMetrics::register(&id),
            id,
            accounts,
            routes,
            default_route,
            line: Line::default(),
            lacks_policy: false,
            pauses: Arc::default(),
            tally: Arc::default(),
            limits: TenantLimits::new(&allowance),
            allowance,
            refused_of_late: Arc::default(),
            recipients_per_message: recipients.unwrap_or(usize::MAX),
            budget: None,
            addresses,
        }
    }

    /// The same tenant with a budget of 24 hours, or without.
    pub(crate) fn within(self, budget: Option<Budget>) -> Self {
        Self { budget, ..self }
    }

    /// The same tenant, whose accounts share this knowledge.
    pub(crate) fn knowing(self, refused_of_late: Arc<OfLate>) -> Self {
        Self { refused_of_late, ..self }
    }

    /// The same tenant with what goes on of the one that it follows.
    pub fn after(self, before: &Self) -> Self {
        let (pauses, tally, limits) = (&before.pauses, &before.tally, &before.limits);
        Self { pauses: Arc::clone(pauses), tally: Arc::clone(tally), limits: Arc::clone(limits), ..self }
    }

    /// The same tenant with these pauses.
    pub fn paused(&self, pauses: TenantPauses) -> Self {
        Self { pauses: Arc::new(pauses), ..self.clone() }
    }

    /// The pause of this account alone.
    pub fn pause_of(&self, account: &Account) -> Option<&Pause> {
        self.pauses.of(&account.id)
    }

    /// The same tenant, whose policy has these generations.
    pub fn with_line(&self, line: Line) -> Self {
        Self { lacks_policy: line.active().is_none(), line, ..self.clone() }
    }

    /// The account of this tenant, of the generation before, of whose mailbox these settings are: the one of the same id
    /// where it is that, since one mailbox may be two accounts.
    pub(crate) fn predecessor_of(&self, settings: &Settings) -> Option<&Arc<Account>> {
        let same_id = self.accounts.get(&settings.id).filter(|account| account.is_mailbox_of(settings));
        same_id.or_else(|| self.accounts.values().find(|account| account.is_mailbox_of(settings)))
    }

    /// The account that goes on with the mailbox of this one, of the generation before.
    pub(crate) fn successor_of(&self, account: &Account) -> Option<&Arc<Account>> {
        let same_id = self.accounts.get(&account.id).filter(|next| next.goes_on_with(account));
        same_id.or_else(|| self.accounts.values().find(|next| next.goes_on_with(account)))
    }

    /// The account whose mailbox is this address.
    pub fn account_of(&self, address: &Mailbox) -> Option<&Arc<Account>> {
        self.accounts.get(self.addresses.get(&address.as_str().to_ascii_lowercase())?)
    }
}

/// A named way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Account ids, in order of preference.
    pub accounts: Vec<String>,
    /// Which of them carries a message.
    pub select: Select,
}

/// Which of a route's accounts carries a message, of those that can.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// The first one.
    #[default]
    Order,
    /// The one with the fewest messages under way for each of its sessions.
    LeastLoaded,
    /// The one with the most left of its 24 hours.
    MostBudget,
    /// For each sender the same one, for as long as it can.
    StickySender,
}

/// Who a client may be: a name, a password's hash, and what it may send.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// The name, unique over all tenants.
    pub name: String,
    /// The Argon2id hash of its password (PHC string); none for a login that only networks map to.
    pub password: Option<String>,
    /// The reverse-paths that it may use.
    pub senders: Vec<Sender>,
    /// The account that it is bound to.
    pub account: Option<String>,
}

impl Login {
    /// Whether this login may send with this reverse-path. Notifications (`<>`) carry nobody's
    /// address and are always allowed (RFC 5321 4.5.5).
    pub fn may_send_as(&self, reverse_path: &ReversePath) -> bool {
        match reverse_path {
            ReversePath::Null => true,
            ReversePath::Mailbox(mailbox) => self.senders.iter().any(|sender| sender.allows(mailbox)),
        }
    }
}

/// What a login may put into MAIL FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum Sender {
    /// This address.
    Address(Mailbox),
    /// Any address of this domain.
    Domain(String),
}

impl Sender {
    fn allows(&self, mailbox: &Mailbox) -> bool {
        match self {
            Self::Address(address) => address.eq_ignore_ascii_case(mailbox),
            Self::Domain(domain) => domain.eq_ignore_ascii_case(mailbox.domain()),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}
