//! Whether another account of the same tenant may try a message that this one could not deliver.
//!
//! Only where nobody can have the message, and never to get around what a provider said of sender,
//! message or rate: a limit or a block is obeyed, not dodged.

use crate::error::Error;
use crate::gate::Cause;
use crate::meaning::Meaning;

impl Error {
    /// Whether another account may try.
    pub fn another_account_may_try(&self) -> bool {
        match self {
            // The account has no session or no login to offer; the provider was told nothing of the message.
            Self::Busy { .. } | Self::NoLogin(_) | Self::Unreachable { .. } | Self::Insecure { .. } => true,
            Self::LoginsPaused(closed) => match closed.cause {
                Cause::Broken => true,
                Cause::Throttled => false,
            },
            // By their meaning the provider does not have the whole message.
            Self::ConnectionLost { .. } | Self::TimedOut { .. } => true,
            Self::Refused { reading, .. } => reading.another_account_may_try,
            Self::LeftAlone(paused) => paused.reading.another_account_may_try,
            // The provider was told nothing of it, and one that reads envelopes can carry it.
            Self::HeaderUnfit(_) => true,
            // Nobody can know what the provider made of it.
            Self::Protocol { .. } | Self::NotTheInterface { .. } | Self::Ambiguous { .. } => false,
            // About the message, its recipients or its client: another account would hear the same.
            Self::PartlyRefused { .. } | Self::NotOffered(_) | Self::Abandoned | Self::ContentStalled(_) => false,
        }
    }
}

/// Whether a refusal of this meaning is the account's own trouble, and neither a limit nor a judgement.
pub(crate) fn is_the_accounts_own(meaning: Meaning) -> bool {
    match meaning {
        Meaning::CredentialsRefused
        | Meaning::LoginDisabled
        | Meaning::LoginUnavailable
        | Meaning::NotAuthenticated
        | Meaning::MailboxFull => true,
        Meaning::TooManyLogins
        | Meaning::TooManySessions
        | Meaning::DailyQuota
        | Meaning::OrganisationQuota
        | Meaning::SenderNotAllowed
        | Meaning::Blocked
        | Meaning::UnusualRate
        | Meaning::ServerBusy
        | Meaning::TooManyRecipients
        | Meaning::Closing
        | Meaning::Unwelcome
        | Meaning::OutOfStep
        | Meaning::Deferred
        | Meaning::Refused => false,
    }
}
