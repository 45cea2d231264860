//! The tenant that a file describes: accounts, routes and senders, as a policy sees them.

use posthouse_policy::realm::{Account, Realm};
use posthouse_smtp::path::{Mailbox, ReversePath};
use serde::Deserialize;

use crate::tenant::{Login, Sender};

/// Sessions of an account of which nothing else is said: Gmail's limit for one mailbox.
pub(crate) const SESSIONS: u32 = 10;

/// An account in a file of cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountTable {
    pub(crate) id: String,
    address: String,
    #[serde(default)]
    provider: Provider,
    #[serde(default = "yes")]
    ready: bool,
    #[serde(default)]
    in_use: u32,
    #[serde(default = "sessions")]
    allowed: u32,
    #[serde(default)]
    waiting: u32,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Provider {
    Gmail,
    Outlook,
    #[default]
    Generic,
}

/// A route.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteTable {
    pub(crate) name: String,
    /// Ids of accounts. A policy sees the name only.
    #[serde(default)]
    pub(crate) accounts: Vec<String>,
}

/// A tenant that is on paper only.
#[derive(Debug, Default)]
pub(crate) struct PaperRealm {
    accounts: Vec<Account>,
    routes: Vec<String>,
    /// None may send as anybody.
    login: Option<Login>,
}

impl AccountTable {
    pub(crate) fn account(&self) -> Account {
        Account {
            id: self.id.clone(),
            address: self.address.clone(),
            provider: match self.provider {
                Provider::Gmail => "gmail",
                Provider::Outlook => "outlook",
                Provider::Generic => "generic",
            },
            is_ready: self.ready,
            in_use: self.in_use,
            allowed: self.allowed,
            waiting: self.waiting,
        }
    }
}

impl PaperRealm {
    pub(crate) fn new(mut accounts: Vec<Account>, mut routes: Vec<String>, senders: Option<Vec<Sender>>) -> Self {
        accounts.sort_by(|one, other| one.id.cmp(&other.id));
        routes.sort_unstable();
        let login = |senders| Login { name: "app".to_owned(), password: None, senders, account: None };
        Self { accounts, routes, login: senders.map(login) }
    }
}

impl Realm for PaperRealm {
    fn accounts(&self) -> Vec<Account> {
        self.accounts.clone()
    }

    fn has_account(&self, id: &str) -> bool {
        self.accounts.iter().any(|account| account.id == id)
    }

    fn routes(&self) -> Vec<String> {
        self.routes.clone()
    }

    fn check_sender(&self, address: &str) -> Result<(), String> {
        let mailbox = crate::realm::mailbox(address)?;
        let is_accounts = self.accounts.iter().any(|account| is_address(account, &mailbox));
        match &self.login {
            Some(login) if !is_accounts && !login.may_send_as(&ReversePath::Mailbox(mailbox)) => {
                Err("the login may not send with it (`senders`), and it is no account's address".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_recipient(&self, address: &str) -> Result<(), String> {
        crate::realm::mailbox(address).map(drop)
    }
}

fn is_address(account: &Account, mailbox: &Mailbox) -> bool {
    account.address.eq_ignore_ascii_case(mailbox.as_str())
}

fn yes() -> bool {
    true
}

fn sessions() -> u32 {
    SESSIONS
}
