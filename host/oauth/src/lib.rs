//! Access tokens: how they are obtained (RFC 6749), kept, and renewed before they end.
//!
//! The only importer of reqwest, and so also the one that brings JSON to an operator's webhook. There are no mailboxes
//! here, no SMTP and no configuration. The one invariant: a secret leaves this crate only towards the token endpoint or
//! webhook it was made for, or to the caller who asks for it by name.
#![deny(missing_docs)]

pub mod cache;
pub mod certificate;
pub mod client;
pub mod consent;
pub mod endpoint;
pub mod error;
pub mod grant;
pub mod key;
pub mod pace;
pub mod secret;
pub mod service_account;
pub mod webhook;

mod base64url;
mod der;
mod jwt;
mod response;

#[cfg(test)]
mod fixture;
