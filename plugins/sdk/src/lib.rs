//! Writes policies for the Posthouse relay in Rust.
//!
//! A policy is a type. What it knows it reads from its settings; which hooks it has, it says by the traits
//! that it implements and by the line that exports them:
//!
//! ```
//! use posthouse_policy::{Decision, Envelope, Message, MessageHook, Policy, Settings, SettingsError, Verdict};
//!
//! struct Stamp {
//!     text: String,
//! }
//!
//! impl Policy for Stamp {
//!     fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
//!         settings.allow_only(&["text"])?;
//!         Ok(Stamp { text: settings.text("text")? })
//!     }
//! }
//!
//! impl MessageHook for Stamp {
//!     fn on_message(&self, envelope: &Envelope, message: &Message, decision: &Decision) -> Verdict {
//!         if message.header("Subject").is_none() {
//!             return Verdict::reject("5.6.0", "a message needs a subject");
//!         }
//!         decision.add_header("X-Stamp", &format!("{} for {}", self.text, envelope.login()));
//!         Verdict::Proceed
//!     }
//! }
//!
//! posthouse_policy::export!(Stamp: message);
//! ```
//!
//! There is nothing else to reach: no files, no network, no clock but [`environment::now`]. A call begins with
//! fresh memory, so what must last goes to [`key_value`]. A panic is written to the tenant's log and makes the
//! call a failure, which the client hears as the tenant's `on_failure` says.
#![deny(missing_docs)]
#![warn(clippy::all, unreachable_pub, unused_qualifications)]

pub mod accounts;
pub mod address;
#[doc(hidden)]
pub mod bindings;
mod body;
mod decision;
#[doc(hidden)]
pub mod export;
mod hooks;
pub mod key_value;
pub mod log;
#[cfg(target_family = "wasm")]
mod memory;
mod quantity;
mod rate;
mod settings;
mod verdict;

pub use bindings::outcome::exports::posthouse::policy::on_outcome::Next;
pub use bindings::posthouse::policy::attempt::{Attempt, Outcome};
pub use bindings::posthouse::policy::envelope::Envelope;
pub use bindings::posthouse::policy::message::{BodyError, Message};
pub use bindings::posthouse::policy::types::{Reply, Verdict};
pub use bindings::posthouse::policy::{counters, environment};
pub use body::Body;
pub use decision::Decision;
pub use hooks::{MessageHook, OutcomeHook, Policy, RecipientHook};
pub use rate::Rate;
pub use settings::{Settings, SettingsError};
