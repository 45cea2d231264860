//! `accounts`: the tenant's own, with their state.

use crate::bindings::posthouse::policy::accounts::{Account, Host, Sessions};
use crate::call::Call;

impl Host for Call {
    fn all(&mut self) -> wasmtime::Result<Vec<Account>> {
        let account = |account: &crate::realm::Account| Account {
            id: account.id.clone(),
            address: account.address.clone(),
            provider: account.provider.to_owned(),
        };
        Ok(self.accounts().iter().map(account).collect())
    }

    fn least_loaded(&mut self) -> wasmtime::Result<Vec<String>> {
        let mut ready: Vec<_> = self.accounts().iter().filter(|account| account.is_ready).collect();
        // The part of the sessions that is taken or waited for; equal ones keep the order of their ids.
        let load = |account: &crate::realm::Account| {
            f64::from(account.in_use.saturating_add(account.waiting)) / f64::from(account.allowed.max(1))
        };
        ready.sort_by(|one, other| load(one).total_cmp(&load(other)));
        Ok(ready.iter().map(|account| account.id.clone()).collect())
    }

    fn is_ready(&mut self, id: String) -> wasmtime::Result<bool> {
        Ok(self.accounts().iter().any(|account| account.id == id && account.is_ready))
    }

    fn load(&mut self, id: String) -> wasmtime::Result<Option<Sessions>> {
        let found = self.accounts().iter().find(|account| account.id == id);
        Ok(found.map(|account| Sessions { in_use: account.in_use, allowed: account.allowed, waiting: account.waiting }))
    }

    fn routes(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.inquiry.realm.routes())
    }
}
