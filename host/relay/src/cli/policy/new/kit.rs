//! The SDK and the contract as they are in this repository, in this program.
//!
//! Their places to each other stay, since the SDK names the contract by a relative path. A test compares the list
//! with the folders.

/// Paths from the repository's root, and texts.
macro_rules! kit {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $path)))),+]
    };
}

pub(super) const KIT: &[(&str, &str)] = kit![
    "plugins/sdk/Cargo.toml",
    "plugins/sdk/src/accounts.rs",
    "plugins/sdk/src/address.rs",
    "plugins/sdk/src/address/tests.rs",
    "plugins/sdk/src/bindings.rs",
    "plugins/sdk/src/body.rs",
    "plugins/sdk/src/decision.rs",
    "plugins/sdk/src/export.rs",
    "plugins/sdk/src/hooks.rs",
    "plugins/sdk/src/key_value.rs",
    "plugins/sdk/src/lib.rs",
    "plugins/sdk/src/log.rs",
    "plugins/sdk/src/memory.rs",
    "plugins/sdk/src/quantity.rs",
    "plugins/sdk/src/rate.rs",
    "plugins/sdk/src/settings.rs",
    "plugins/sdk/src/settings/tests.rs",
    "plugins/sdk/src/verdict.rs",
    "plugins/sdk/src/verdict/tests.rs",
    "wit/README.md",
    "wit/accounts.wit",
    "wit/attempt.wit",
    "wit/counters.wit",
    "wit/decision.wit",
    "wit/envelope.wit",
    "wit/environment.wit",
    "wit/key-value.wit",
    "wit/log.wit",
    "wit/message.wit",
    "wit/on-message.wit",
    "wit/on-outcome.wit",
    "wit/on-recipient.wit",
    "wit/policy.wit",
    "wit/settings.wit",
    "wit/types.wit",
    "wit/worlds.wit",
];

/// The versions of what the SDK needs.
pub(super) const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/Cargo.lock"));
