//! Whether a message that was refused is put to the provider again while its client waits.
//!
//! Invariant: only after the provider's own refusal of all of it, so that nobody has it, and only content that is here
//! whole. A lost answer is no refusal.

use std::time::Duration;

use tokio::time::Instant;

use super::Content;
use crate::error::Error;
use crate::pool::opening::spread;

/// Tries of one message. With pauses of 1, 2, 4 and 5 s that is some 12 s: who is still over the limit then has others
/// in the way that do not go.
const TRIES: u32 = 5;
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// The pause after which the message is tried again, having been tried so often.
pub(super) fn after(error: &Error, content: &Content<'_>, tried: u32, deadline: Instant) -> Option<Duration> {
    let Error::Refused { reading, .. } = error else { return None };
    let first = reading.treatment.retry?;
    if tried >= TRIES || matches!(content, Content::Streamed(_)) {
        return None;
    }
    // Those that were refused together do not come back together.
    let pause = (first * (1 << (tried - 1))).mul_f64(1.0 + spread() / 2.0).min(LONGEST);
    (Instant::now() + pause < deadline).then_some(pause)
}
