//! From the contract's exports to a policy's traits, and the macro that makes the exports.
//!
//! The one invariant: a hook is only called on a policy that its settings have made.

use crate::bindings::description::exports::posthouse::policy::policy;
use crate::bindings::message::exports::posthouse::policy::on_message;
use crate::bindings::outcome::exports::posthouse::policy::on_outcome;
use crate::bindings::posthouse::policy::decision::Decision as RawDecision;
use crate::bindings::recipient::exports::posthouse::policy::on_recipient;
use crate::{Attempt, Decision, Envelope, Message, MessageHook, Next, OutcomeHook, Policy, RecipientHook};
use crate::{Settings, Verdict, log};

/// Exports a policy with its hooks: `posthouse_policy::export!(MyPolicy: recipient, message, outcome);`, of which
/// only those hooks are named that the policy has.
#[macro_export]
macro_rules! export {
    ($policy:ident : $($hook:ident),+ $(,)?) => {
        impl $crate::export::Named for $policy {
            const NAME: &'static str = $crate::export::name(env!("CARGO_PKG_NAME"));
            const VERSION: &'static str = $crate::export::name(env!("CARGO_PKG_VERSION"));
        }
        $crate::bindings::description::export_description!($policy with_types_in $crate::bindings::description);
        $($crate::export_hook!($hook $policy);)+
    };
}

/// One hook's exports.
#[doc(hidden)]
#[macro_export]
macro_rules! export_hook {
    (recipient $policy:ident) => {
        $crate::bindings::recipient::export_recipient!($policy with_types_in $crate::bindings::recipient);
    };
    (message $policy:ident) => {
        $crate::bindings::message::export_message!($policy with_types_in $crate::bindings::message);
    };
    (outcome $policy:ident) => {
        $crate::bindings::outcome::export_outcome!($policy with_types_in $crate::bindings::outcome);
    };
    ($other:ident $policy:ident) => {
        compile_error!(concat!("`", stringify!($other), "` is no hook: there are recipient, message and outcome"));
    };
}

/// A policy's name and version, from its `Cargo.toml`.
pub trait Named {
    /// The package's name.
    const NAME: &'static str;
    /// The package's version.
    const VERSION: &'static str;
}

/// A name as the contract allows it, checked while the policy is compiled.
pub const fn name(text: &'static str) -> &'static str {
    let octets = text.as_bytes();
    assert!(!octets.is_empty() && octets.len() <= 64, "a policy's name and version have 1 to 64 characters");
    let mut at = 0;
    while at < octets.len() {
        let known = octets[at].is_ascii_alphanumeric() || matches!(octets[at], b'.' | b'_' | b'-');
        assert!(known, "a policy's name and version are of letters, digits and `.`, `_`, `-`");
        at += 1;
    }
    text
}

impl<P: Policy + Named> policy::Guest for P {
    fn describe() -> policy::Description {
        policy::Description { name: P::NAME.to_owned(), version: P::VERSION.to_owned(), needs_body: P::NEEDS_BODY }
    }

    fn check_settings() -> Result<(), String> {
        log::panics();
        P::from_settings(&Settings::of_call()).map(drop).map_err(|error| error.to_string())
    }
}

impl<P: RecipientHook> on_recipient::Guest for P {
    fn decide(envelope: Envelope, address: String) -> Verdict {
        made_by_settings::<P>().on_recipient(&envelope, &address)
    }
}

impl<P: MessageHook> on_message::Guest for P {
    fn decide(envelope: Envelope, message: Message, decision: RawDecision) -> Verdict {
        made_by_settings::<P>().on_message(&envelope, &message, &Decision::new(&decision))
    }
}

impl<P: OutcomeHook> on_outcome::Guest for P {
    fn decide(envelope: Envelope, attempt: Attempt) -> Next {
        made_by_settings::<P>().on_outcome(&envelope, &attempt)
    }
}

fn made_by_settings<P: Policy>() -> P {
    log::panics();
    P::from_settings(&Settings::of_call()).unwrap_or_else(|error| panic!("the settings are wrong: {error}"))
}
