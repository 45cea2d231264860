//! The tenant's own accounts (mailboxes) and routes, as they are when the call begins.

pub use crate::bindings::posthouse::policy::accounts::{Account, Sessions, all, is_ready, least_loaded, load, routes};

/// The account with this id.
pub fn find(id: &str) -> Option<Account> {
    all().into_iter().find(|account| account.id == id)
}

/// Whether there is a route with this name.
pub fn has_route(name: &str) -> bool {
    routes().iter().any(|route| route == name)
}
