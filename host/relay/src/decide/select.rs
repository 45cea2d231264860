//! Which of several accounts is asked first, by what the route says. An order, never a choice: those behind stay there.

use std::cmp::Reverse;
use std::sync::Arc;

use blake2::{Blake2s256, Digest};
use posthouse_smtp::path::ReversePath;

use crate::account::Account;
use crate::tenant::Select;

/// Puts the accounts into the order in which they are asked for mail of this sender. What is equal stays as it was.
pub(super) fn sort(accounts: &mut [Arc<Account>], select: Select, sender: &ReversePath) {
    match select {
        Select::Order => {}
        Select::LeastLoaded => accounts.sort_by_cached_key(|account| account.load()),
        Select::MostBudget => accounts.sort_by_cached_key(|account| (Reverse(account.budget_left()), account.load())),
        Select::StickySender => accounts.sort_by_cached_key(|account| Reverse(draw(sender, &account.id))),
    }
}

/// What a sender draws for an account (rendezvous hashing): where an account comes or goes, only its own senders move.
/// The hash is the same in all releases and on all relays.
fn draw(sender: &ReversePath, account: &str) -> [u8; 32] {
    let sender = match sender {
        ReversePath::Mailbox(mailbox) => mailbox.as_str().to_ascii_lowercase(),
        ReversePath::Null => String::new(),
    };
    Blake2s256::new().chain_update(sender).chain_update([0]).chain_update(account).finalize().into()
}

#[cfg(test)]
mod tests;
