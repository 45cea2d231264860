//! A small memory that the tenant's calls share, on one relay; with a `state_directory` it outlives the relay's ordinary
//! end, not a kill. Every entry has an end.

use std::time::Duration;

use crate::bindings::posthouse::policy::key_value as raw;

pub use raw::{Error, delete, get};

/// Puts a value at a key, for at most 30 days.
pub fn set(key: &str, value: &[u8], time: Duration) -> Result<(), Error> {
    raw::set(key, value, seconds(time))
}

/// Adds to a number in one step and answers with the sum. A number begins at 0 when its key is new, and its time
/// runs from then on.
pub fn add(key: &str, value: i64, time: Duration) -> Result<i64, Error> {
    raw::add(key, value, seconds(time))
}

/// Whole seconds, at least one: an entry without time would be none.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1)
}
