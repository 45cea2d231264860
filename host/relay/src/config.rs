//! The configuration: `posthouse.toml` and the tenants' files, read, checked and in the operator's words.
//!
//! Data only: nothing here opens a socket, asks a provider or parses a certificate. Invariant: a
//! `Config` comes only from files without an error, so that whoever has one need not check it again.

pub mod account;
pub mod defaults;
pub mod fault;
pub mod limits;
pub mod listener;
pub mod log;
pub mod network;
pub mod password;
pub mod profile;
pub mod tenant;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::fault::Fault;
use crate::config::limits::{Limits, Timeouts};
use crate::config::listener::Listener;
use crate::config::log::Log;
use crate::config::tenant::Tenant;

/// A whole configuration without an error in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What the relay calls itself: in its greeting, in EHLO and in Received.
    pub hostname: String,
    /// Where rotated refresh tokens are kept; none keeps them in memory.
    pub state_directory: Option<PathBuf>,
    /// How much.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
    /// What is logged.
    pub log: Log,
    /// Where metrics and health are served; none serves them nowhere.
    pub admin: Option<SocketAddr>,
    /// Where clients connect; at least one.
    pub listeners: Vec<Listener>,
    /// The tenants, by file name; at least one.
    pub tenants: Vec<Tenant>,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; none where there was an error.
    pub config: Option<Config>,
    /// All that is wrong, in the order of files and lines.
    pub errors: Vec<Fault>,
    /// What is allowed and unwise, likewise.
    pub warnings: Vec<Fault>,
}
