//! Why there is no token, and whether waiting helps.
//!
//! What is permanent is told by the OAuth `error` field and nothing else: providers say themselves
//! that their texts and numbers change.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Why a token request failed. No variant holds what was sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Operator: the endpoint cannot be used.
    #[error("token endpoint cannot be used: {0}")]
    Endpoint(&'static str),
    /// Account: the endpoint refuses it, and will go on to, until somebody does something.
    #[error("token endpoint refuses: {code}: {description}")]
    Refused {
        /// The OAuth `error` field.
        code: String,
        /// What the endpoint said besides, cleaned and cut.
        description: String,
    },
    /// Account: nobody has consented yet, so that the endpoint was not asked.
    #[error("nobody has given consent yet: run `posthouse account login TENANT/ACCOUNT`")]
    NoConsent,
    /// Operator: the endpoint refuses what was signed here, and the clocks differ by more than it bears.
    #[error(
        "token endpoint refuses, and this host's clock is {clock}: set the clock (NTP); it says {code}: {description}"
    )]
    ClockSkew {
        /// How far the clocks are apart.
        clock: Skew,
        /// The OAuth `error` field.
        code: String,
        /// What the endpoint said besides.
        description: String,
    },
    /// Operator: the endpoint refuses, and the certificate has ended.
    #[error(
        "token endpoint refuses, and the certificate has expired on {}: upload and configure a new one; it says {code}: \
         {description}",
        httpdate::fmt_http_date(*.ended)
    )]
    CertificateExpired {
        /// When it ended.
        ended: SystemTime,
        /// The OAuth `error` field.
        code: String,
        /// What the endpoint said besides.
        description: String,
    },
    /// Operator: the file of a federated token cannot be used.
    #[error("the federated token in {} cannot be used: {reason}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Provider: not now.
    #[error("token endpoint is not able to answer: {reason}")]
    Unavailable {
        /// Status or error field.
        reason: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Network: no answer came.
    #[error("token endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// Provider: the answer is none.
    #[error("token endpoint gave no usable answer: {0}")]
    Nonsense(&'static str),
    /// Us: the system gave no randomness to sign with.
    #[error("the system has no randomness")]
    NoRandomness,
    /// Us: another process has this account's refresh token now.
    #[error("the process that takes over asks for this account's tokens now")]
    Elsewhere,
    /// Us: the task that asked was ended.
    #[error("the token request was interrupted")]
    Interrupted,
}

impl Unusable {
    /// Whether it is the key's fault, and not the certificate's or the file's.
    pub fn is_of_key(self) -> bool {
        match self {
            Self::NoKey | Self::EncryptedKey | Self::NotRsa | Self::OtherKey => true,
            Self::NoCertificate | Self::NoServiceAccount => false,
        }
    }
}

/// How this host's clock differs from the endpoint's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skew {
    /// It is ahead by so much.
    Ahead(Duration),
    /// It is behind by so much.
    Behind(Duration),
}

impl std::fmt::Display for Skew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (by, word) = match self {
            Self::Ahead(by) => (by, "ahead of"),
            Self::Behind(by) => (by, "behind"),
        };
        match by.as_secs() {
            seconds @ 0..120 => write!(f, "{seconds} s {word} the endpoint's"),
            seconds => write!(f, "{} min {word} the endpoint's", seconds / 60),
        }
    }
}

/// Why a key, a certificate or a key file cannot be used. No variant holds what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is no certificate.
    #[error("no X.509 certificate found; PEM with `BEGIN CERTIFICATE` is expected")]
    NoCertificate,
    /// There is no key.
    #[error("no private key found; unencrypted PEM (PKCS#8 or PKCS#1) is expected")]
    NoKey,
    /// The key is encrypted.
    #[error("the private key is encrypted and nobody is there to type its passphrase; decrypt it with `openssl pkey`")]
    EncryptedKey,
    /// The key is of another kind, too short, or damaged.
    #[error("the private key is no RSA key of 2048 bits or more, which assertions are signed with")]
    NotRsa,
    /// The key is another certificate's.
    #[error("the private key belongs to another certificate")]
    OtherKey,
    /// The file is no service account's.
    #[error("this is no key file of a service account; JSON with `\"type\": \"service_account\"` is expected")]
    NoServiceAccount,
}

impl Error {
    /// Whether only a person's doing helps: a new consent, a new secret, another configuration.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Endpoint(_) | Self::Refused { .. } | Self::NoConsent | Self::CertificateExpired { .. } => true,
            // Clocks are set and files are written without anybody telling us.
            Self::ClockSkew { .. } | Self::TokenFile { .. } => false,
            Self::Unavailable { .. }
            | Self::Unreachable(_)
            | Self::Nonsense(_)
            | Self::NoRandomness
            | Self::Elsewhere
            | Self::Interrupted => false,
        }
    }

    /// When the endpoint wants to be asked again, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Endpoint(_)
            | Self::Refused { .. }
            | Self::NoConsent
            | Self::ClockSkew { .. }
            | Self::CertificateExpired { .. }
            | Self::TokenFile { .. }
            | Self::Unreachable(_)
            | Self::Nonsense(_)
            | Self::NoRandomness
            | Self::Elsewhere
            | Self::Interrupted => None,
        }
    }
}
