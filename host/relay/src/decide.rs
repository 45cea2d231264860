//! Which account carries a message, where no policy says otherwise.
//!
//! A decision is a value of names: it stands between `decide` and `edit`, and says nothing of
//! hosts, sessions or tokens. A policy will make the same value.

use std::sync::Arc;

use posthouse_mail::edit::Edits;
use posthouse_smtp::path::ReversePath;

use crate::account::Account;
use crate::tenant::{Login, Tenant};

/// What is to happen to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Who carries it.
    pub carrier: Carrier,
    /// What changes in its header block.
    pub edits: Edits,
}

/// Who carries a message, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Carrier {
    /// One account of the tenant.
    Account(String),
    /// The first account of a route that is not out of order.
    Route(String),
    /// The tenant has named nobody.
    #[default]
    Nobody,
}

/// The native rule: a login bound to an account uses it; else the account whose address is the
/// reverse-path; else the tenant's default route.
pub fn native(tenant: &Tenant, login: &Login, reverse_path: &ReversePath) -> Decision {
    let bound = login.account.as_ref();
    let own = || match reverse_path {
        ReversePath::Mailbox(mailbox) => tenant.account_of(mailbox).map(|account| &account.id),
        ReversePath::Null => None,
    };
    let carrier = match (bound.or_else(own), &tenant.default_route) {
        (Some(account), _) => Carrier::Account(account.clone()),
        (None, Some(route)) => Carrier::Route(route.clone()),
        (None, None) => Carrier::Nobody,
    };
    Decision { carrier, edits: Edits::default() }
}

/// The account behind a name, if it is this tenant's: a decision can name nobody else's.
pub fn resolve<'a>(tenant: &'a Tenant, carrier: &Carrier) -> Option<&'a Arc<Account>> {
    match carrier {
        Carrier::Account(id) => tenant.accounts.get(id),
        Carrier::Route(name) => {
            let mut accounts = tenant.routes.get(name)?.iter().filter_map(|id| tenant.accounts.get(id));
            let first = accounts.next()?;
            Some(std::iter::once(first).chain(accounts).find(|account| account.is_in_order()).unwrap_or(first))
        }
        Carrier::Nobody => None,
    }
}
