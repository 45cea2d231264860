//! What outlives the process: rotated refresh tokens, budgets, policies' generations, the audit log, pauses, and
//! policies' key-value data, in one file of the state directory.
//!
//! There is no tokio here, no clock and no log, and nothing of ours is imported: calls block (callers move them off their
//! runtime), time is an argument, names are text. The one invariant: what a call has said to be done is there after
//! any death of the process, whole, and what it has not said is there whole or not at all.
#![deny(missing_docs)]

pub mod audit;
pub mod budgets;
pub mod digest;
pub mod error;
pub mod generations;
pub mod key_value;
pub mod keys;
pub mod lives;
pub mod pauses;
pub mod refresh_tokens;
pub mod renewals;
pub mod secret;
pub mod store;

mod database;
#[cfg(test)]
mod scratch;
