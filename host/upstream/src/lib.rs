//! Handing messages over to a provider: authenticated sessions, their pool per account, the
//! delivery of one message, and what its outcome means.
//!
//! There are no tenants here, no policies, no OAuth and no configuration but the reply table's text;
//! nothing is written to disk or to a log. The one invariant of the crate: a message is reported as delivered only when
//! the provider has said so, and it is never sent a second time where the first may have arrived.
#![deny(missing_docs)]

pub mod deliver;
pub mod error;
pub mod gate;
pub mod key;
pub mod limits;
pub mod login;
pub mod meaning;
pub mod pool;
pub mod probe;
pub mod provider;
pub mod replies;
pub mod stage;
pub mod target;
pub mod transport;
pub mod verdict;

mod alarm;
mod dial;
mod http;
mod session;
