//! Deliveries to providers of raw bytes on loopback: what the pool, the retry rule, the login gate
//! and the verdicts do when a provider behaves, and when it does not. Every test asserts on what
//! the provider has seen.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod content;
mod http;
mod lasting;
mod limits;
mod logging_in;
mod provider;
mod recipients;
mod relay;
mod retry;
mod succession;
mod tls;
