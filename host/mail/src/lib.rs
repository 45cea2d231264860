//! What a message's content looks like to a relay: a header block in slices, the edits asked of
//! it, and the trace field that the relay adds.
//!
//! There is no I/O here, no clock and no SMTP. The one invariant of the crate: octets that no edit
//! names are kept as they came, to the last one.
#![deny(missing_docs)]

pub mod address;
pub mod date;
pub mod dkim;
pub mod edit;
pub mod header;
pub mod received;
