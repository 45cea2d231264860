//! The traits that a policy implements: `Policy` always, and one for each hook that it has.

use crate::{Attempt, Decision, Envelope, Message, Next, Settings, SettingsError, Verdict};

/// What every policy has: a value that its settings make.
///
/// Each call begins with [`from_settings`](Policy::from_settings) and goes on with the hook, so that a hook never
/// meets settings that are wrong. The policy's name and version are those of its `Cargo.toml`.
pub trait Policy: Sized {
    /// Whether [`MessageHook::on_message`] reads the body. The relay then reads the message further before it
    /// asks, which costs memory and time.
    const NEEDS_BODY: bool = false;

    /// Reads the settings. It is called when the policy is loaded too, and an error is shown to whoever changed
    /// the settings. The tenant's accounts and routes can be asked for here.
    fn from_settings(settings: &Settings) -> Result<Self, SettingsError>;
}

/// Decides on each recipient, when the client names it (RCPT TO).
pub trait RecipientHook: Policy {
    /// Whether the address is accepted as a recipient.
    fn on_recipient(&self, envelope: &Envelope, address: &str) -> Verdict;
}

/// Decides on the message, when its header block is complete.
pub trait MessageHook: Policy {
    /// Whether the message goes on, and, by way of the decision, how.
    fn on_message(&self, envelope: &Envelope, message: &Message, decision: &Decision) -> Verdict;
}

/// Hears what came of an attempt, before the client does.
pub trait OutcomeHook: Policy {
    /// Takes note of an attempt, and says what follows.
    fn on_outcome(&self, envelope: &Envelope, attempt: &Attempt) -> Next;
}
