//! A tenant as a transaction sees it: its logins, its accounts, its routes.
//!
//! Immutable, and one value for all of a tenant: what belongs together changes together. What
//! lives on across a change (sessions, tokens, rates) hangs on the accounts.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use posthouse_smtp::path::{Mailbox, ReversePath};

use crate::account::Account;
use crate::generations::Line;
use crate::pauses::{Pause, TenantPauses};
use crate::tally::Tally;

/// One tenant.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id: the stem of its file's name.
    pub id: String,
    /// Its accounts, by id.
    pub accounts: HashMap<String, Arc<Account>>,
    /// Its routes: account ids in order, by the route's name.
    pub routes: HashMap<String, Vec<String>>,
    /// The route of a message that no other rule places.
    pub default_route: Option<String>,
    /// What decides on its messages; where nothing is in it that is the native rule.
    pub line: Line,
    /// No generation of its policy is taken: its mail stays with its clients until one is, and nobody else's is touched.
    pub lacks_policy: bool,
    /// What is set aside of it for a while.
    pub pauses: Arc<TenantPauses>,
    /// What became of its messages; outlives generations.
    pub tally: Arc<Tally>,
    /// Account ids by the address of the mailbox, in lower case.
    addresses: HashMap<String, String>,
}

impl Tenant {
    /// A tenant of these accounts and routes, without a policy.
    pub fn new(
        id: String,
        accounts: HashMap<String, Arc<Account>>,
        routes: HashMap<String, Vec<String>>,
        default_route: Option<String>,
    ) -> Self {
        let address = |account: &Arc<Account>| account.address.as_str().to_ascii_lowercase();
        let addresses = accounts.values().map(|account| (address(account), account.id.clone())).collect();
        let (line, pauses, tally) = (Line::default(), Arc::default(), Arc::default());
        Self { id, accounts, routes, default_route, line, lacks_policy: false, pauses, tally, addresses }
    }

    /// The same tenant with what goes on of the one that it follows.
    pub fn after(self, before: &Self) -> Self {
        Self { pauses: Arc::clone(&before.pauses), tally: Arc::clone(&before.tally), ..self }
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

    /// The account whose mailbox is this address.
    pub fn account_of(&self, address: &Mailbox) -> Option<&Arc<Account>> {
        self.accounts.get(self.addresses.get(&address.as_str().to_ascii_lowercase())?)
    }
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
