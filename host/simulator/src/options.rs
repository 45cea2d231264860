//! What a simulator is started with.

use std::time::Duration;

use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::provider::Provider;

/// What is kept of a message that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keep {
    /// All of it.
    Whole,
    /// Its envelope, its length and its digests.
    Digest,
    /// Nothing; it is counted. Memory then does not grow with the number of messages.
    Count,
}

/// Where mail may be sent without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plaintext {
    /// Nowhere, as with the real ones: AUTH is not offered before TLS, and MAIL needs AUTH.
    Refused,
    /// On the ports with STARTTLS: for peers of raw bytes and for measurements without cryptography.
    Allowed,
}

/// What becomes of a Microsoft refresh token that was replaced by a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// None is replaced: answers carry no refresh token.
    Off,
    /// Each use brings a new one; the old ones stay valid (what Microsoft does).
    OldStayValid,
    /// Each use brings a new one; the old one is dead at once.
    OldDie,
}

/// One provider's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderOptions {
    /// The port with TLS from the first octet; 0 lets the system choose.
    pub implicit_port: u16,
    /// The port with STARTTLS; 0 lets the system choose.
    pub starttls_port: u16,
    /// The port with HTTP under TLS; 0 lets the system choose.
    pub api_port: u16,
    /// The limits of each mailbox.
    pub limits: Limits,
    /// How long each reply is on its way. Commands that arrive together are answered together: one such time for a
    /// pipelined batch, as with a network that is half of it away.
    pub latency: Duration,
    /// Whether PIPELINING is offered.
    pub pipelining: bool,
    /// Whether CHUNKING is offered.
    pub chunking: bool,
    /// How long access tokens are valid.
    pub token_lifetime: Duration,
    /// What becomes of refresh tokens.
    pub rotation: Rotation,
}

impl ProviderOptions {
    /// As the provider is known to be, on ports that the system chooses, without latency.
    pub const fn of(provider: Provider) -> Self {
        Self {
            implicit_port: 0,
            starttls_port: 0,
            api_port: 0,
            limits: Limits::of(provider),
            latency: Duration::ZERO,
            pipelining: true,
            chunking: true,
            token_lifetime: Duration::from_secs(3_599),
            rotation: match provider {
                Provider::Gmail => Rotation::Off,
                Provider::Outlook => Rotation::OldStayValid,
            },
        }
    }
}

/// What a simulator is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The mailboxes; more can be added later.
    pub mailboxes: Vec<Mailbox>,
    /// Gmail's side.
    pub gmail: ProviderOptions,
    /// Outlook's side.
    pub outlook: ProviderOptions,
    /// The token endpoint's port; 0 lets the system choose.
    pub token_port: u16,
    /// What is kept of messages.
    pub keep: Keep,
    /// Where mail may be sent without TLS.
    pub plaintext: Plaintext,
}

impl Options {
    /// Both providers as they are known to be, all messages kept whole.
    pub fn new(mailboxes: Vec<Mailbox>) -> Self {
        Self {
            mailboxes,
            gmail: ProviderOptions::of(Provider::Gmail),
            outlook: ProviderOptions::of(Provider::Outlook),
            token_port: 0,
            keep: Keep::Whole,
            plaintext: Plaintext::Refused,
        }
    }

    /// For measurements: no quotas over time, only counts kept, any number of connections of a mailbox.
    pub fn for_load(mailboxes: Vec<Mailbox>) -> Self {
        let mut options = Self { keep: Keep::Count, ..Self::new(mailboxes) };
        for provider in Provider::ALL {
            let limits = &mut options.provider_mut(provider).limits;
            *limits = Limits { connections: None, submissions: None, ..Limits::without_quotas(provider) };
        }
        options
    }

    /// This provider's side.
    pub const fn provider(&self, provider: Provider) -> &ProviderOptions {
        match provider {
            Provider::Gmail => &self.gmail,
            Provider::Outlook => &self.outlook,
        }
    }

    /// This provider's side, to be changed.
    pub const fn provider_mut(&mut self, provider: Provider) -> &mut ProviderOptions {
        match provider {
            Provider::Gmail => &mut self.gmail,
            Provider::Outlook => &mut self.outlook,
        }
    }
}
