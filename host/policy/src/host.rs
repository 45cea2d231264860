//! What a policy may call: a file for each imported interface.
//!
//! Every function answers from memory, in bounded time. What cannot be followed ends the call
//! ([`Mistake`]), so that no policy goes on as if it had been.

mod accounts;
mod attempt;
mod counters;
mod decision;
mod envelope;
mod environment;
mod key_value;
mod log;
mod message;
mod settings;

use crate::bindings::posthouse::policy::types;
use crate::call::Call;

/// The one envelope of a call; there is nothing in the handle.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct EnvelopeHandle;
/// The one message of a call.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct MessageHandle;
/// The one decision of a call.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct DecisionHandle;
/// The one attempt of a call.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct AttemptHandle;

/// An instruction that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Mistake(pub(crate) String);

fn mistake<T>(reason: impl Into<String>) -> wasmtime::Result<T> {
    Err(wasmtime::Error::new(Mistake(reason.into())))
}

impl types::Host for Call {}
