//! What is to become of a message: who carries it, and what changes on the way.
//!
//! A decision is a value of names: it stands between `decide` and `edit`, and says nothing of
//! hosts, sessions or tokens. A tenant's policy makes it, or the native rule does.

mod select;

use std::sync::Arc;

use posthouse_mail::edit::Edits;
use posthouse_policy::decided::{Choice, Instructions};
use posthouse_smtp::path::{ForwardPath, Mailbox, ReversePath};

use crate::account::Account;
use crate::answer::Undelivered;
use crate::tenant::{Login, Tenant};

/// What is to happen to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Who carries it.
    pub carrier: Carrier,
    /// What changes in its header block.
    pub edits: Edits,
    /// Another reverse-path.
    pub reverse_path: Option<ReversePath>,
    /// Other recipients; none where they stay.
    pub recipients: Option<Rewritten>,
    /// What the policy has left for its `on-outcome`.
    pub carried: Vec<u8>,
}

/// Recipients that a policy has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Who gets the message; nobody twice.
    pub paths: Vec<ForwardPath>,
    /// Which of the client's recipients each of them was; none for one on top.
    pub origins: Vec<Option<usize>>,
}

/// Who carries a message, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Carrier {
    /// One account of the tenant.
    Account(String),
    /// The first of these accounts that is ready.
    Accounts(Vec<String>),
    /// The account of a route that its `select` puts first, of those that are ready.
    Route(String),
    /// The tenant has named nobody.
    #[default]
    Nobody,
}

impl Decision {
    /// The native rule's.
    pub fn native(tenant: &Tenant, login: &Login, reverse_path: &ReversePath) -> Self {
        Self { carrier: native(tenant, login, reverse_path), ..Self::default() }
    }

    /// A policy's; what it leaves open the native rule decides, for the sender that the policy has set.
    ///
    /// # Errors
    /// An address that the realm has passed is none all the same.
    pub fn of(
        instructions: Instructions,
        tenant: &Tenant,
        login: &Login,
        sender: &ReversePath,
        recipients: &[ForwardPath],
    ) -> Result<Self, Undelivered> {
        let Instructions { choice, edits, sender: other, replaced, added, carried, .. } = instructions;
        let mailbox = |address: String| address.parse::<Mailbox>().map_err(|_| Undelivered::NoAddress(address));
        let reverse_path = other.map(mailbox).transpose()?.map(ReversePath::Mailbox);
        let carrier = match choice {
            Some(Choice::Route(name)) => Carrier::Route(name),
            Some(Choice::Accounts(ids)) => Carrier::Accounts(ids),
            None => native(tenant, login, reverse_path.as_ref().unwrap_or(sender)),
        };
        let rewritten = if replaced.is_empty() && added.is_empty() {
            None
        } else {
            let mut paths: Vec<_> = recipients.iter().cloned().zip((0..).map(Some)).collect();
            for (index, address) in replaced {
                paths[index].0 = ForwardPath::Mailbox(mailbox(address)?);
            }
            for address in added {
                paths.push((ForwardPath::Mailbox(mailbox(address)?), None));
            }
            Some(Rewritten::of(paths))
        };
        Ok(Self { carrier, edits, reverse_path, recipients: rewritten, carried })
    }
}

impl Rewritten {
    fn of(paths: Vec<(ForwardPath, Option<usize>)>) -> Self {
        let mut rewritten = Self::default();
        for (path, origin) in paths {
            if !rewritten.paths.contains(&path) {
                rewritten.paths.push(path);
                rewritten.origins.push(origin);
            }
        }
        rewritten
    }
}

/// The native rule: a login bound to an account uses it; else the account whose address is the
/// reverse-path; else the tenant's default route.
pub fn native(tenant: &Tenant, login: &Login, reverse_path: &ReversePath) -> Carrier {
    let bound = login.account.as_ref();
    let own = || match reverse_path {
        ReversePath::Mailbox(mailbox) => tenant.account_of(mailbox).map(|account| &account.id),
        ReversePath::Null => None,
    };
    match (bound.or_else(own), &tenant.default_route) {
        (Some(account), _) => Carrier::Account(account.clone()),
        (None, Some(route)) => Carrier::Route(route.clone()),
        (None, None) => Carrier::Nobody,
    }
}

/// The accounts behind a name that may carry mail of this sender, if they are this tenant's: a decision can name nobody
/// else's. They stand in the order of the route's `select`, or of the policy that has named them. Those that are in order
/// and within their budgets come first; where none is, all are kept, so that the client hears why. Paused ones are not
/// among them.
pub fn resolve(tenant: &Tenant, carrier: &Carrier, sender: &ReversePath) -> Vec<Arc<Account>> {
    let accounts = named(tenant, carrier).filter(|account| tenant.pause_of(account).is_none());
    let mut accounts: Vec<Arc<Account>> = accounts.cloned().collect();
    if accounts.len() < 2 {
        return accounts;
    }
    if let Carrier::Route(name) = carrier
        && let Some(route) = tenant.routes.get(name)
    {
        select::sort(&mut accounts, route.select, sender);
    }
    accounts.sort_by_cached_key(|account| !account.is_ready());
    accounts
}

/// Whether the next of these accounts may try without a policy's word: the tenant has named several for this mail, and
/// this one is over a budget of ours.
pub fn goes_on_by_itself(carrier: &Carrier, undelivered: &Undelivered) -> bool {
    matches!(carrier, Carrier::Route(_))
        && matches!(undelivered, Undelivered::OverBudget(_))
        && undelivered.another_account_may_try()
}

/// Why `resolve` has found nobody.
pub fn nobody(tenant: &Tenant, carrier: &Carrier) -> Undelivered {
    let paused = named(tenant, carrier).find_map(|account| Some((account, tenant.pause_of(account)?)));
    match paused {
        Some((account, pause)) => {
            Undelivered::AccountPaused { account: account.id.clone(), reason: pause.reason.clone() }
        }
        None => Undelivered::NoCarrier,
    }
}

fn named<'t>(tenant: &'t Tenant, carrier: &'t Carrier) -> impl Iterator<Item = &'t Arc<Account>> {
    let ids = match carrier {
        Carrier::Account(id) => std::slice::from_ref(id),
        Carrier::Accounts(ids) => &ids[..],
        Carrier::Route(name) => tenant.routes.get(name).map_or(&[][..], |route| &route.accounts),
        Carrier::Nobody => &[],
    };
    ids.iter().filter_map(|id| tenant.accounts.get(id))
}
