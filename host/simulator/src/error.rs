//! Why a simulator does not start.

use std::io;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Operator: a port cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; another port, or 0, may be free")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Us: the certificates could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[source] rcgen::Error),
    /// Us: the certificates could not be used.
    #[error("cannot use the certificate just made: {0}")]
    Tls(#[source] posthouse_net::error::Error),
    /// Us: a key just made does not sign.
    #[error("cannot use the key just made")]
    Key,
    /// Operator: there is no such mailbox.
    #[error("no mailbox `{0}` here")]
    NoSuchMailbox(String),
}
