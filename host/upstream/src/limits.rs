//! What one account's pool may do. The values come from the operator's configuration and the
//! provider's profile; this file only says what each one bounds.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// The bounds of one account's pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections at any moment, idle, in use and being opened together. At least 1.
    pub sessions: usize,
    /// Messages after which a session is ended. At least 1.
    pub messages_per_session: u32,
    /// Time after which a session is ended, however busy it is.
    pub session_age: Duration,
    /// Time that a session may lie idle. To be less than the provider's own patience.
    pub idle: Duration,
    /// How long before the end of its access token a session is ended.
    pub token_margin: Duration,
    /// How long a delivery waits for a session of the account before it is answered "busy".
    pub acquire_deadline: Duration,
    /// How long a new session may take from the first packet to the reply to AUTH.
    pub dial_deadline: Duration,
}

/// So many messages each session has, if it may have them.
const FEW: u64 = 10;

/// How much earlier than its limits allow one session ends. Sessions that were opened together would otherwise end
/// together: as many logins at once for the provider, and as many handshakes beside mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Earlier(u8);

impl Earlier {
    /// By chance, for each session anew.
    pub(crate) fn by_chance() -> Self {
        let [chance, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
        Self(chance)
    }
}

impl PoolLimits {
    /// The messages of one session: up to a quarter fewer than `messages_per_session`, where those are more than a few.
    pub(crate) fn messages_of(&self, earlier: Earlier) -> u32 {
        let most = u64::from(self.messages_per_session);
        let fewer = most.saturating_sub(FEW) / 4 * u64::from(earlier.0) / 256;
        u32::try_from(most - fewer).unwrap_or(self.messages_per_session)
    }

    /// The age of one session: up to an eighth less than `session_age`.
    pub(crate) fn age_of(&self, earlier: Earlier) -> Duration {
        self.session_age - self.session_age / 8 * u32::from(earlier.0) / 256
    }
}

impl Default for PoolLimits {
    /// Values that no provider is known to mind.
    fn default() -> Self {
        Self {
            sessions: 3,
            messages_per_session: 100,
            session_age: Duration::from_secs(30 * 60),
            idle: Duration::from_secs(60),
            token_margin: Duration::from_secs(60),
            acquire_deadline: Duration::from_secs(30),
            dial_deadline: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_a_little_earlier_and_never_later() {
        let limits = PoolLimits::default();
        let all = || (0..=u8::MAX).map(Earlier);
        let messages: Vec<u32> = all().map(|earlier| limits.messages_of(earlier)).collect();
        assert_eq!((messages[0], messages[255]), (100, 79));
        assert!(messages.is_sorted_by(|one, next| one >= next));
        assert_eq!(limits.age_of(Earlier(0)), limits.session_age);
        assert!(all().all(|earlier| limits.age_of(earlier) > limits.session_age * 7 / 8));
        // Where a session has few messages each of them counts.
        for messages_per_session in 1..=10 {
            let few = PoolLimits { messages_per_session, ..limits };
            assert!(all().all(|earlier| few.messages_of(earlier) == messages_per_session));
        }
    }

    #[test]
    fn chance_is_another_one_each_time() {
        let mut chances: Vec<u8> = (0..64).map(|_| Earlier::by_chance().0).collect();
        chances.sort_unstable();
        chances.dedup();
        assert!(chances.len() > 16, "{chances:?}");
    }
}
