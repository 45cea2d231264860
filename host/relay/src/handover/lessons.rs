//! What the old process has learned of a mailbox from its provider, as the new one is told (promise P6).
//!
//! A provider that has throttled logins, wants fewer sessions or slower mail, or has blocked a mailbox does not forget it
//! because a process was upgraded. Moments go over as distances from now: the processes have no clock in common but the
//! system's, which may be set.

use std::time::Duration;

use posthouse_smtp::reply::Reply;
use posthouse_upstream::pool::learned::{Learned, Refusal};
use posthouse_upstream::replies::Replies;
use posthouse_upstream::stage::Stage;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::account::Account;
use crate::pace::Slower;

/// The lessons of one mailbox, where there are any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lessons {
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<Fewer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_alone: Option<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logins: Option<Throttled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
}

/// The same, within this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pool: Learned,
    rate: Option<Slower>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fewer {
    sessions: usize,
    for_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    left_ms: u64,
    /// Its word.
    stage: String,
    code: u16,
    enhanced: Option<String>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Throttled {
    back_off_ms: u64,
    refused: Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rate {
    per_minute: u32,
    until: u32,
    lowered_ms: u64,
    changed_ms: u64,
}

impl Known {
    pub(super) fn of(account: &Account, now: Instant) -> Self {
        Self { pool: account.pool().learned(now), rate: account.pace().slower(now) }
    }

    /// As the new process is told.
    pub(super) fn told(&self, now: Instant) -> Lessons {
        let Learned { sessions, left_alone, logins } = &self.pool;
        let ago = |moment: Instant| milliseconds(now.saturating_duration_since(moment));
        let rate = |slower: &Slower| Rate {
            per_minute: slower.per_minute,
            until: slower.until,
            lowered_ms: ago(slower.lowered),
            changed_ms: ago(slower.changed),
        };
        Lessons {
            sessions: sessions.map(|(sessions, since)| Fewer { sessions, for_ms: ago(since) }),
            left_alone: left_alone.as_ref().map(|refusal| Refused::of(refusal, now)),
            logins: logins.as_ref().map(|(back_off, refusal)| Throttled {
                back_off_ms: milliseconds(*back_off),
                refused: Refused::of(refusal, now),
            }),
            rate: self.rate.as_ref().map(rate),
        }
    }
}

impl Lessons {
    /// The account goes on with them. To be called within a runtime.
    pub(super) fn teach(&self, account: &Account, replies: &Replies, now: Instant) {
        let ago = |ms: u64| now.checked_sub(Duration::from_millis(ms)).unwrap_or(now);
        let learned = Learned {
            sessions: self.sessions.as_ref().map(|fewer| (fewer.sessions, ago(fewer.for_ms))),
            left_alone: self.left_alone.as_ref().and_then(|refused| refused.refusal(now)),
            logins: self.logins.as_ref().and_then(|Throttled { back_off_ms, refused }| {
                Some((Duration::from_millis(*back_off_ms), refused.refusal(now)?))
            }),
        };
        account.pool().relearn(learned, replies);
        if let Some(Rate { per_minute, until, lowered_ms, changed_ms }) = &self.rate {
            let (lowered, changed) = (ago(*lowered_ms), ago(*changed_ms));
            account.pace().relearn(Slower { per_minute: *per_minute, until: *until, lowered, changed }, now);
        }
    }
}

impl Refused {
    fn of(refusal: &Refusal, now: Instant) -> Self {
        let Refusal { until, stage, reply } = refusal;
        Self {
            left_ms: milliseconds(until.saturating_duration_since(now)),
            stage: stage.word().to_owned(),
            code: reply.code(),
            enhanced: reply.enhanced().map(|code| code.to_string()),
            text: reply.text().to_owned(),
        }
    }

    /// None where it is of a stage that is not known here.
    fn refusal(&self, now: Instant) -> Option<Refusal> {
        let stage = Stage::ALL.into_iter().find(|stage| stage.word() == self.stage)?;
        let enhanced = self.enhanced.as_ref().and_then(|code| code.parse().ok());
        let reply = Reply::new(self.code, enhanced, self.text.clone());
        Some(Refusal { until: now + Duration::from_millis(self.left_ms), stage, reply })
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
