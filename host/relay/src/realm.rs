//! What a policy may see and name: a login's tenant, with nobody else's accounts, routes or senders in it.

use posthouse_policy::realm::{Account, Realm};
use posthouse_smtp::path::{Mailbox, ReversePath};
use posthouse_upstream::provider::ProviderKind;

use crate::snapshot::Known;
use crate::tenant::Tenant;

impl Realm for Known {
    fn accounts(&self) -> Vec<Account> {
        let mut accounts: Vec<Account> =
            self.tenant.accounts.values().map(|account| seen(&self.tenant, account)).collect();
        accounts.sort_by(|one, other| one.id.cmp(&other.id));
        accounts
    }

    fn has_account(&self, id: &str) -> bool {
        self.tenant.accounts.contains_key(id)
    }

    fn routes(&self) -> Vec<String> {
        let mut routes: Vec<String> = self.tenant.routes.keys().cloned().collect();
        routes.sort_unstable();
        routes
    }

    fn check_sender(&self, address: &str) -> Result<(), String> {
        let mailbox = mailbox(address)?;
        // An account's own address needs no permission: the mailbox is the tenant's.
        if self.tenant.account_of(&mailbox).is_some() || self.login.may_send_as(&ReversePath::Mailbox(mailbox)) {
            return Ok(());
        }
        Err(format!("login {} may not send with it, and it is no account's address", self.login.name))
    }

    fn check_recipient(&self, address: &str) -> Result<(), String> {
        mailbox(address).map(drop)
    }
}

/// An address that a policy may set. Whether a message needs SMTPUTF8 is its client's to say, and was said.
pub(crate) fn mailbox(address: &str) -> Result<Mailbox, String> {
    let mailbox = address.parse::<Mailbox>().map_err(|error| error.to_string())?;
    if mailbox.is_ascii() { Ok(mailbox) } else { Err("it is not US-ASCII".to_owned()) }
}

fn seen(tenant: &Tenant, account: &crate::account::Account) -> Account {
    let gauges = account.pool().gauges();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Account {
        id: account.id.clone(),
        address: account.address.as_str().to_owned(),
        provider: match account.pool().target().provider {
            ProviderKind::Gmail => "gmail",
            ProviderKind::Outlook => "outlook",
            ProviderKind::Generic => "generic",
        },
        is_ready: account.is_in_order() && tenant.pause_of(account).is_none(),
        in_use: count(gauges.in_use),
        allowed: count(gauges.allowed),
        waiting: count(gauges.waiting),
    }
}
