//! Recipients that a provider has refused to the old process, as the new one is told: a client that tries again hears it
//! there as well. Whoever it is not told of is put to the provider again.

use std::time::Duration;

use posthouse_smtp::reply::Reply;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::lessons::milliseconds;
use crate::refusals::Refusal;

/// Of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refused {
    key: String,
    left_ms: u64,
    code: u16,
    enhanced: Option<String>,
    text: String,
}

impl Refused {
    pub(super) fn of(refusal: Refusal, now: Instant) -> Self {
        let Refusal { key, reply, until } = refusal;
        Self {
            key,
            left_ms: milliseconds(until.saturating_duration_since(now)),
            code: reply.code(),
            enhanced: reply.enhanced().map(|code| code.to_string()),
            text: reply.text().to_owned(),
        }
    }

    pub(super) fn refusal(&self, now: Instant) -> Refusal {
        let enhanced = self.enhanced.as_ref().and_then(|code| code.parse().ok());
        let reply = Reply::new(self.code, enhanced, self.text.clone());
        Refusal { key: self.key.clone(), reply, until: now + Duration::from_millis(self.left_ms) }
    }
}
