//! Why there is no token, and whether waiting helps.
//!
//! What is permanent is told by the OAuth `error` field and nothing else: providers say themselves
//! that their texts and numbers change.

use std::time::Duration;

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
    /// Us: the task that asked was ended.
    #[error("the token request was interrupted")]
    Interrupted,
}

impl Error {
    /// Whether only a person's doing helps: a new consent, a new secret, another configuration.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Endpoint(_) | Self::Refused { .. } => true,
            Self::Unavailable { .. } | Self::Unreachable(_) | Self::Nonsense(_) | Self::Interrupted => false,
        }
    }

    /// When the endpoint wants to be asked again, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Endpoint(_) | Self::Refused { .. } | Self::Unreachable(_) | Self::Nonsense(_) | Self::Interrupted => {
                None
            }
        }
    }
}
