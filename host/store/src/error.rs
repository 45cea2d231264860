//! What can go wrong, by culprit: another process, the file, the operator's keys, the system.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::keys::KeyId;

/// Why the store did not do what it was asked to. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the store.
    #[error(
        "{} is in use by another process: stop the other relay, or give this one a state_directory of its own",
        .path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// This process has closed it for another one.
    #[error("{} is with the process that takes over", .path.display())]
    HandedOver {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote it.
    #[error(
        "{} was written by a newer release (schema {found}; this release knows {known}): start that release, or put \
         the copy from before the upgrade in place",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it says.
        found: u64,
        /// The newest version that is known here.
        known: u64,
    },
    /// The file is no store, or no longer.
    #[error("{} is damaged or no store ({reason}): put a copy of it in place, or move it away to start anew", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A record does not read as what it should be.
    #[error("{record} in {} cannot be read ({reason}): put a copy of the file in place", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The record.
        record: String,
        /// What does not fit.
        reason: String,
    },
    /// The system did not read or write a file.
    #[error("cannot {attempt} {}: {source}", .path.display())]
    File {
        /// What was attempted.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database did not carry something out.
    #[error("cannot {attempt} in {}: {reason}", .path.display())]
    Failed {
        /// What was attempted.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
    /// A secret is sealed under a key that was not given.
    #[error("{record} is sealed under the key {wanted}, and the keys given are {given}: add that key behind them")]
    KeyMissing {
        /// The record.
        record: String,
        /// The key that opens it.
        wanted: KeyId,
        /// The keys at hand.
        given: String,
    },
    /// A secret does not open under the key that it names.
    #[error("{record} does not open under its key {key}: it was altered, or moved here from another record")]
    Forged {
        /// The record.
        record: String,
        /// The key that it names.
        key: KeyId,
    },
    /// There is no such generation.
    #[error("tenant {tenant} has no policy generation {number}")]
    NoGeneration {
        /// The tenant.
        tenant: String,
        /// Its number.
        number: u64,
    },
    /// A generation names a component that is not there.
    #[error("there is no component {digest}: no generation names it any more")]
    NoComponent {
        /// Its digest.
        digest: Digest,
    },
    /// The system gave no randomness.
    #[error("the system has no randomness")]
    Randomness,
}
