//! The host of tenants' policies: WebAssembly components that decide what becomes of a message.
//!
//! There is no SMTP here, no account and no configuration: what a policy may see and name is a
//! [`realm::Realm`] that the caller hands in, and what it decides is a value that the caller carries out. The one
//! invariant: whatever a policy does, its call ends in bounded time with bounded memory, as a decision
//! or as a [`failure::Failure`], and nothing of it outlives the call but the tenant's own memory.
#![deny(missing_docs)]

pub mod admission;
pub mod breaker;
pub mod cache;
pub mod call;
pub mod compile;
pub mod counters;
pub mod decided;
pub mod engine;
pub mod failure;
pub mod key_value;
pub mod limits;
pub mod log;
pub mod meter;
pub mod policy;
pub mod realm;
pub mod sections;
pub mod share;
pub mod tenant;
pub mod worker;

mod bindings;
mod host;
mod lane;
mod memory;
mod places;
mod tunables;
