//! What is told of a configuration, word by word.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod accounts;
mod fixture;
mod good;
mod listeners;
mod reference;
mod secrets;
mod syntax;
mod tenants;
