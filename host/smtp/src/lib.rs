//! The SMTP protocol (RFC 5321 and its extensions), both sides, as state machines over bytes.
//!
//! Bytes go in, events and bytes come out. There are no sockets here, no clock, no log and no
//! async: whoever drives a session reads, writes, waits and times out. The one invariant of the
//! crate: what leaves it is well-formed, whatever came in.
#![deny(missing_docs)]

pub mod base64;
pub mod capability;
pub mod client;
pub mod command;
pub mod data;
pub mod path;
pub mod reply;
pub mod reply_reader;
pub mod sasl;
pub mod server;
