//! The configuration as values, and how it is read: strictly, all of it, and with every fault said.
//!
//! Nothing here listens, connects or logs. The invariant: a `Config` exists only where there was no
//! fault in any of its files.

pub mod defaults;
pub mod fault;
pub mod listener;
mod main_file;
pub mod network;
pub mod password;
pub mod provider;
mod reader;
mod secret;
pub mod tenant;
mod units;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::configuration::fault::{Fault, Faults};
use crate::configuration::listener::Listener;
use crate::configuration::reader::Document;
use crate::configuration::tenant::Tenant;

/// All of a configuration.
#[derive(Debug)]
pub struct Config {
    /// The relay's own name: in greetings, EHLO and Received.
    pub hostname: String,
    /// Where rotated refresh tokens are kept.
    pub state_directory: Option<PathBuf>,
    /// The bounds.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// The log.
    pub log: Log,
    /// The admin address.
    pub admin: Option<SocketAddr>,
    /// The front doors.
    pub listeners: Vec<Listener>,
    /// The tenants.
    pub tenants: Vec<Tenant>,
}

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Client connections.
    pub connections: usize,
    /// Client connections from one address.
    pub connections_per_address: usize,
    /// Bytes of message content in memory, over all connections.
    pub content_memory: u64,
    /// Bytes of a message.
    pub message_size: u64,
    /// Recipients of a message.
    pub recipients: usize,
    /// Bytes of a message from which on it flows through.
    pub stream_threshold: u64,
    /// Errors of a client until its session ends.
    pub errors_per_session: u32,
    /// Commands without a message until a session ends.
    pub commands_without_message: u32,
    /// Failed logins until a session ends.
    pub login_failures: u32,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// A client's command.
    pub command: Duration,
    /// A piece of a client's content.
    pub content: Duration,
    /// All of a client's content.
    pub message: Duration,
    /// A TLS handshake with a client, or a proxy's header.
    pub handshake: Duration,
    /// A delivery, from the end of the content to the client's answer.
    pub delivery: Duration,
    /// A new session with a provider, login included.
    pub connect: Duration,
    /// Waiting for one of a mailbox's sessions.
    pub session_wait: Duration,
    /// What is in flight when the relay ends.
    pub shutdown_grace: Duration,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters say it.
    pub level: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration, where nothing is wrong with it.
    pub config: Option<Config>,
    /// What is wrong with it.
    pub errors: Vec<Fault>,
    /// What is allowed and unwise.
    pub warnings: Vec<Fault>,
}

/// Reads a configuration file and the tenants' files it names.
pub fn load(path: &Path) -> Loaded {
    let mut faults = Faults::default();
    let config = match read(path) {
        Ok(text) => {
            let document = Document::new(path, text);
            let tenants = main_file::tenants_directory(&document, &mut faults);
            let documents = tenant_documents(&tenants, &mut faults);
            main_file::config(&document, &documents, &mut faults)
        }
        Err(reason) => {
            faults.error(Fault::of_file(path, reason));
            None
        }
    };
    faults.loaded(config)
}

/// The same from texts: the main file's, and each tenant's with its id. Paths in them are relative
/// to the working directory.
pub fn from_toml(main: &str, tenants: &[(&str, &str)]) -> Loaded {
    let mut faults = Faults::default();
    let document = Document::new(Path::new("posthouse.toml"), main.to_owned());
    let documents: Vec<Document> = tenants
        .iter()
        .map(|(id, text)| Document::new(Path::new(&format!("tenants/{id}.toml")), (*text).to_owned()))
        .collect();
    let config = main_file::config(&document, &documents, &mut faults);
    faults.loaded(config)
}

fn read(path: &Path) -> Result<String, String> {
    let octets = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(octets).map_err(|_| "is not UTF-8".to_owned())
}

fn tenant_documents(directory: &Path, faults: &mut Faults) -> Vec<Document> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            faults.error(Fault::of_file(directory, format!("the tenants' directory cannot be read: {error}")));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let mut documents = Vec::new();
    for path in paths {
        match read(&path) {
            Ok(text) => documents.push(Document::new(&path, text)),
            Err(reason) => faults.error(Fault::of_file(&path, reason)),
        }
    }
    documents
}

#[cfg(test)]
mod tests;
