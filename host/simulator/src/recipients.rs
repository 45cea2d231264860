//! Recipients that get a fixed answer, always and at both providers, by their local part.
//!
//! The table stands in the crate's header, too.

use std::time::Duration;

use crate::faults::{Action, Stage, Strike};
use crate::provider::{Provider, Refusal};

/// What such a recipient is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixed {
    Unknown,
    Full,
    Busy,
    Rejected,
    Deferred,
    Quota,
    Throttled,
    Slow,
    Dropped,
    Lost,
    Stalled,
}

impl Fixed {
    pub(crate) fn named(address: &str) -> Option<Self> {
        let (local, _) = address.split_once('@')?;
        Some(match local {
            "unknown" => Self::Unknown,
            "full" => Self::Full,
            "busy" => Self::Busy,
            "rejected" => Self::Rejected,
            "deferred" => Self::Deferred,
            "quota" => Self::Quota,
            "throttled" => Self::Throttled,
            "slow" => Self::Slow,
            "dropped" => Self::Dropped,
            "lost" => Self::Lost,
            "stalled" => Self::Stalled,
            _ => return None,
        })
    }

    const fn stage(self) -> Stage {
        match self {
            Self::Unknown | Self::Full | Self::Busy => Stage::Recipient,
            Self::Lost => Stage::Recorded,
            Self::Rejected
            | Self::Deferred
            | Self::Quota
            | Self::Throttled
            | Self::Slow
            | Self::Dropped
            | Self::Stalled => Stage::Content,
        }
    }

    /// What is to be done at this stage, if it is the one.
    pub(crate) fn strike(self, provider: Provider, stage: Stage) -> Option<Strike> {
        if self.stage() != stage {
            return None;
        }
        let delay = if self == Self::Slow { Duration::from_secs(1) } else { Duration::ZERO };
        Some(Strike { action: self.action(provider), delay })
    }

    fn action(self, provider: Provider) -> Action {
        match self {
            Self::Unknown => Action::reply("550 5.1.1 The email account that you tried to reach does not exist"),
            Self::Full => Action::reply("452 4.2.2 The recipient's inbox is out of storage space"),
            Self::Busy => Action::reply("450 4.2.1 The recipient is receiving mail at too high a rate"),
            Self::Rejected => Action::reply("550 5.7.1 Message rejected for its content"),
            Self::Deferred => Action::reply("451 4.3.0 Temporary system problem, try again later"),
            Self::Quota => Action::Reply(provider.refusal(Refusal::DailyRecipients).to_string()),
            Self::Throttled => Action::Reply(provider.refusal(Refusal::Concurrency).to_string()),
            Self::Slow => Action::Proceed,
            Self::Dropped | Self::Lost => Action::Close,
            Self::Stalled => Action::Stall,
        }
    }
}
