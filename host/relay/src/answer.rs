//! What the client hears: the one place where the relay's errors become SMTP replies.
//!
//! Ours first, the provider's words quoted behind. Whatever is about an account and not about the
//! message is 4yz here, so that a mail server upstream of us keeps the message in its queue; what
//! clients hear that have none is their listener's choice.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use posthouse_upstream::error::Error as UpstreamError;
use posthouse_upstream::verdict::Clients;
use thiserror::Error;

use crate::budget::{OverBudget, Whose, utc};
use crate::policies::Refusal;

/// Why a message was not delivered.
#[derive(Debug, Error)]
pub enum Undelivered {
    /// The tenant has no account for it.
    #[error("no account carries mail of this sender: bind the login to an account or set a default route")]
    NoCarrier,
    /// The tenant is set aside for a while.
    #[error("mail of this tenant is paused: {reason}")]
    TenantPaused {
        /// Why.
        reason: String,
    },
    /// So is every account that could carry it.
    #[error("account {account} is paused: {reason}")]
    AccountPaused {
        /// The account.
        account: String,
        /// Why.
        reason: String,
    },
    /// The mailbox's messages per minute are used up.
    #[error("the mailbox's rate is used up; the next message may go in {} s, at {}", whole(*wait), utc(*passes_at))]
    OverRate {
        /// How long until it will pass.
        wait: Duration,
        /// When that is, in Unix seconds.
        passes_at: u64,
    },
    /// So are the tenant's.
    #[error("the tenant's rate is used up; the next message may go in {} s, at {}", whole(*wait), utc(*passes_at))]
    TenantOverRate {
        /// How long until it will pass.
        wait: Duration,
        /// When that is, in Unix seconds.
        passes_at: u64,
    },
    /// All of the tenant's deliveries are under way.
    #[error("all {most} sessions that this tenant may use at a time are busy; try again")]
    TenantBusy {
        /// How many there are.
        most: usize,
    },
    /// A budget of 24 hours is used up.
    #[error("{0}")]
    OverBudget(OverBudget),
    /// The memory for message content is taken.
    #[error("the relay is short of memory for message content; try again")]
    NoContentMemory,
    /// The message has come by too many hosts.
    #[error("too many hops: this message is in a loop")]
    TooManyHops,
    /// The header block does not end.
    #[error("the header block is larger than what is read before a decision")]
    EndlessHeader,
    /// The header block is more than a policy is given.
    #[error("the header block is too large for the policy of this mail: at most 256 KiB and 2048 fields")]
    HeaderTooLarge,
    /// The provider refuses who is a recipient by the policy's doing.
    #[error("the provider refuses a recipient that the policy for this mail has added")]
    AddedRefused,
    /// The policy's address is none.
    #[error("the policy names an address that is none: {0}")]
    NoAddress(String),
    /// The account takes fewer recipients in one message.
    #[error("account {account} takes {most} recipients in one message")]
    TooManyRecipients {
        /// The account.
        account: String,
        /// How many it takes.
        most: usize,
    },
    /// The tenant's policy.
    #[error(transparent)]
    Policy(#[from] Refusal),
    /// The provider, or the way to it.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl Undelivered {
    /// The word by which metrics and logs tell the causes apart.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoCarrier => "no_carrier",
            Self::TenantPaused { .. } => "tenant_paused",
            Self::AccountPaused { .. } => "account_paused",
            Self::OverRate { .. } => "over_rate",
            Self::TenantOverRate { .. } => "tenant_over_rate",
            Self::TenantBusy { .. } => "tenant_busy",
            Self::OverBudget(OverBudget { whose: Whose::Account(_), .. }) => "over_budget",
            Self::OverBudget(OverBudget { whose: Whose::Directory(_), .. }) => "directory_over_budget",
            Self::OverBudget(OverBudget { whose: Whose::Tenant, .. }) => "tenant_over_budget",
            Self::NoContentMemory => "no_content_memory",
            Self::TooManyHops => "too_many_hops",
            Self::EndlessHeader => "endless_header",
            Self::HeaderTooLarge => "header_too_large",
            Self::AddedRefused => "added_recipient_refused",
            Self::NoAddress(_) => "no_address",
            Self::TooManyRecipients { .. } => "too_many_recipients",
            Self::Policy(Refusal::Ruled(_)) => "policy",
            Self::Policy(Refusal::Deferred | Refusal::Rejected) => "policy_failed",
            Self::Policy(Refusal::Unavailable) => "policy_unavailable",
            Self::Policy(Refusal::Busy) => "policy_busy",
            Self::Upstream(error) => error.reason(),
        }
    }

    /// Whether another account of the tenant may try: the provider has not judged message, sender or rate.
    ///
    /// A budget of ours is no provider's word. The other account is the operator's own mailbox as well, named for this
    /// mail and within its own limit: no limit is passed, and no block dodged.
    pub fn another_account_may_try(&self) -> bool {
        match self {
            Self::OverRate { .. } | Self::TooManyRecipients { .. } => true,
            Self::OverBudget(over) => over.whose != Whose::Tenant,
            Self::Upstream(error) => error.another_account_may_try(),
            Self::NoCarrier
            | Self::TenantPaused { .. }
            | Self::AccountPaused { .. }
            | Self::TenantOverRate { .. }
            | Self::TenantBusy { .. }
            | Self::NoContentMemory
            | Self::TooManyHops
            | Self::EndlessHeader
            | Self::HeaderTooLarge
            | Self::AddedRefused
            | Self::NoAddress(_)
            | Self::Policy(_) => false,
        }
    }
}

/// Seconds, never too few.
fn whole(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The reply to a message or a command that failed for this cause.
///
/// Clients that do not try again hear 5yz of what lasts until a person acts; what passes by itself is 4yz for them too.
pub fn reply(undelivered: &Undelivered, clients: Clients) -> Reply {
    let lasting = |queueing: (u16, EnhancedCode)| match clients {
        Clients::Queueing => queueing,
        Clients::Interactive => (550, EnhancedCode { class: 5, ..queueing.1 }),
    };
    let (code, enhanced) = match undelivered {
        // The tenant's file can be mended while the client keeps the message (RFC 3463 3.4: X.3.5).
        Undelivered::NoCarrier => lasting((451, EnhancedCode::new(4, 3, 5))),
        // The system does not take it now (RFC 3463 3.4: X.3.2), until an operator says so.
        Undelivered::TenantPaused { .. } | Undelivered::AccountPaused { .. } => {
            lasting((451, EnhancedCode::new(4, 3, 2)))
        }
        Undelivered::OverRate { .. } | Undelivered::TenantOverRate { .. } => (451, EnhancedCode::new(4, 7, 1)),
        Undelivered::TenantBusy { .. } => (451, EnhancedCode::new(4, 3, 2)),
        Undelivered::OverBudget(OverBudget { passes_at: Some(_), .. }) => (451, EnhancedCode::new(4, 7, 1)),
        Undelivered::OverBudget(OverBudget { passes_at: None, .. }) => lasting((452, EnhancedCode::new(4, 5, 3))),
        Undelivered::NoContentMemory => (451, EnhancedCode::new(4, 3, 1)),
        Undelivered::TooManyHops => (554, EnhancedCode::new(5, 4, 6)),
        Undelivered::EndlessHeader => (552, EnhancedCode::new(5, 3, 4)),
        Undelivered::HeaderTooLarge => (552, EnhancedCode::new(5, 3, 4)),
        // The tenant's policy can be mended while the client keeps the message.
        Undelivered::AddedRefused => lasting((451, EnhancedCode::new(4, 7, 1))),
        Undelivered::NoAddress(_) => lasting((451, EnhancedCode::new(4, 7, 1))),
        Undelivered::TooManyRecipients { .. } => lasting((452, EnhancedCode::new(4, 5, 3))),
        Undelivered::Policy(Refusal::Ruled(reply)) => return reply.clone(),
        Undelivered::Policy(Refusal::Deferred) => (451, EnhancedCode::new(4, 7, 1)),
        Undelivered::Policy(Refusal::Rejected) => (550, EnhancedCode::new(5, 7, 1)),
        Undelivered::Policy(Refusal::Unavailable) => lasting((451, EnhancedCode::new(4, 3, 5))),
        Undelivered::Policy(Refusal::Busy) => (451, EnhancedCode::new(4, 3, 2)),
        Undelivered::Upstream(error) => return error.verdict(clients).into_reply(),
    };
    Reply::new(code, enhanced, undelivered.to_string())
}

/// The same for a client whose content cannot be read to its end: 421, and the connection is closed.
pub fn closing(undelivered: &Undelivered) -> Reply {
    Reply::new(421, EnhancedCode::new(4, 3, 2), undelivered.to_string())
}

/// A provider's reply with our words before its own; code and enhanced code are kept.
pub fn quoted(reply: &Reply, ours: &str) -> Reply {
    Reply::new(reply.code(), reply.enhanced(), format!("{ours}: {}", reply.text()))
}
