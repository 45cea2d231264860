//! All mailboxes of a simulator, found by their provider and address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::account::Account;
use crate::provider::Provider;

type Key = (Provider, String);

/// The mailboxes. Addresses are compared without regard to case, as providers do.
#[derive(Debug, Default)]
pub(crate) struct Accounts(RwLock<HashMap<Key, Arc<Account>>>);

impl Accounts {
    pub(crate) fn add(&self, account: Account) -> Arc<Account> {
        let account = Arc::new(account);
        let key = key(account.mailbox.provider, &account.mailbox.address);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&account));
        account
    }

    pub(crate) fn find(&self, provider: Provider, address: &str) -> Option<Arc<Account>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key(provider, address)).cloned()
    }

    /// All of them, by provider and address.
    pub(crate) fn list(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<_> = self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        accounts.sort_by(|one, other| {
            let key = |account: &Account| (account.mailbox.provider.index(), account.mailbox.address.clone());
            key(one).cmp(&key(other))
        });
        accounts
    }
}

fn key(provider: Provider, address: &str) -> Key {
    (provider, address.to_ascii_lowercase())
}
