//! Why a message was not delivered, by whose doing it was and how far the exchange had come.
//!
//! What the client is told, and what becomes of the account, is derived from these values in
//! `verdict`, in one place. No variant holds a secret.

use std::io;
use std::time::Duration;

use posthouse_mail::address::Malformed;
use posthouse_smtp::client;
use posthouse_smtp::reply::Reply;

use crate::gate::Closed;
use crate::login::LoginError;
use crate::meaning::Meaning;
use crate::pool::lessons::Paused;
use crate::replies::Reading;
use crate::stage::Stage;

/// How many addresses a text names.
const SHOWN: usize = 5;

/// The outcome of a delivery that did not deliver.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Us: all of the account's sessions were in use for as long as a message may wait for one.
    #[error("no session of the account came free within {waited:?}")]
    Busy {
        /// How long the message waited.
        waited: Duration,
    },
    /// Account: there are no credentials to log in with.
    #[error("no login: {0}")]
    NoLogin(#[source] LoginError),
    /// Account: earlier logins were refused, and the pause that followed is not over.
    #[error("logins are paused after: {}", .0.reply)]
    LoginsPaused(Closed),
    /// Account: the provider has refused in a way after which it is left alone for a while.
    #[error("the account is left alone after: {}", .0.reply)]
    LeftAlone(Box<Paused>),
    /// Network: no connection came about.
    #[error("cannot reach {target}: {source}")]
    Unreachable {
        /// Host and port.
        target: String,
        /// What the last address that was tried answered.
        source: io::Error,
    },
    /// Provider: TLS as demanded could not be had, so that nothing was said to the peer.
    #[error("no trustworthy TLS with {target}: {source}")]
    Insecure {
        /// Host and port.
        target: String,
        /// The handshake's complaint.
        source: posthouse_net::error::Error,
    },
    /// Network: the connection ended before the message was handed over whole.
    #[error("connection lost {state} ({stage}): {source}")]
    ConnectionLost {
        /// How far the exchange had come.
        stage: Stage,
        /// What was being waited for.
        state: &'static str,
        /// How the connection ended.
        source: io::Error,
    },
    /// Provider: it did not answer in time, and does not have the whole message.
    #[error("timed out {state} ({stage})")]
    TimedOut {
        /// How far the exchange had come.
        stage: Stage,
        /// What was being waited for.
        state: &'static str,
    },
    /// Provider: it said what no SMTP server says, or offers no TLS or no usable login.
    #[error("the provider breaks the protocol ({stage}): {source}")]
    Protocol {
        /// How far the exchange had come.
        stage: Stage,
        /// The complaint.
        source: client::Error,
    },
    /// Provider: it refused, for now or for good.
    #[error("the provider refuses at {stage}: {reply}")]
    Refused {
        /// Where.
        stage: Stage,
        /// What it means for message and account.
        reading: Reading,
        /// The decisive reply.
        reply: Reply,
        /// The recipients that were refused, by position, where the refusal is theirs.
        recipients: Vec<(usize, Reply)>,
    },
    /// Provider: it accepted some recipients and refused others, so that nobody got the message.
    #[error("the provider refuses {} of the recipients", refused.len())]
    PartlyRefused {
        /// The refused recipients, by position.
        refused: Vec<(usize, Reply)>,
    },
    /// Nobody: the provider has the whole message, and its answer was lost. It may have been
    /// delivered; it must not be sent again from here.
    #[error("the answer to the whole message was lost {state}: {source}")]
    Ambiguous {
        /// What was being waited for.
        state: &'static str,
        /// How the answer was lost.
        source: io::Error,
    },
    /// Provider: what answers over HTTP is not its interface, so that nothing can be known from it.
    #[error("{target} does not answer as its interface does: {complaint}")]
    NotTheInterface {
        /// Host and port.
        target: String,
        /// What came instead.
        complaint: String,
    },
    /// Message: its header and its envelope do not name the same recipients, and the provider reads the header.
    #[error("the provider takes recipients from the header: {0}")]
    HeaderUnfit(Unfit),
    /// Message: it needs what the provider does not offer.
    #[error("the message needs {0}, which the provider does not offer")]
    NotOffered(Need),
    /// Client: its content ended before its end, so that nobody got the message.
    #[error("the content was abandoned before its end")]
    Abandoned,
    /// Client: its content stopped coming while a session was held for it.
    #[error("the content stood still for {0:?}")]
    ContentStalled(Duration),
}

impl Error {
    /// What the provider's refusal means, where this is one of all of the message.
    pub fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Refused { reading, .. } => Some(reading.meaning),
            _ => None,
        }
    }
}

/// Why a message's header cannot stand for its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It names these, who are no recipients of this transaction.
    Others(Vec<String>),
    /// A field of this name is no list of addresses.
    Unreadable {
        /// The field's name.
        field: &'static str,
        /// How far it was understood.
        malformed: Malformed,
    },
    /// A line before the body is no field: where the header ends is read differently, and with it who is named.
    NoField {
        /// Its first octet's place in the message.
        at: usize,
    },
    /// A recipient of the envelope that no header can name.
    Unnameable(String),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Others(addresses) => {
                let shown: Vec<&str> = addresses.iter().take(SHOWN).map(String::as_str).collect();
                write!(f, "To, Cc or Bcc name {}", shown.join(", "))?;
                if addresses.len() > SHOWN {
                    write!(f, " and {} more", addresses.len() - SHOWN)?;
                }
                f.write_str(" besides the recipients; send one transaction with all of them, or use SMTP")
            }
            Self::Unreadable { field, malformed } => {
                write!(f, "{field} is {malformed}; mend it, or use SMTP")
            }
            Self::NoField { at } => {
                write!(f, "the line from octet {at} on is no field; end the header with an empty line, or use SMTP")
            }
            Self::Unnameable(recipient) => write!(f, "<{recipient}> cannot stand there; give it a domain, or use SMTP"),
        }
    }
}

/// What a message needs of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// SMTPUTF8 (RFC 6531).
    SmtpUtf8,
    /// Room for this many octets (SIZE, RFC 1870).
    Size {
        /// The message.
        octets: u64,
        /// The most that the provider takes.
        limit: u64,
    },
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SmtpUtf8 => f.write_str("SMTPUTF8"),
            Self::Size { octets, limit } => write!(f, "room for {octets} octets where {limit} are allowed"),
        }
    }
}
