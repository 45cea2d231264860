//! So many in so long, counted in the tenant's memory.

use std::time::Duration;

use crate::key_value::{self, Error};

/// A limit such as `20 per 1 h`. The time begins with the first that is counted, and is then over for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many there may be.
    pub count: u32,
    /// In how long.
    pub time: Duration,
}

impl Rate {
    /// Counts one at a key, and says whether it is within the limit.
    pub fn admits(&self, key: &str) -> Result<bool, Error> {
        Ok(key_value::add(key, 1, self.time)? <= i64::from(self.count))
    }
}
