//! When a token is renewed, and when a failed request is made again: pure answers.

use std::time::Duration;

use crate::error::Error;

/// Temporary failures: the first pause and the longest.
const TEMPORARY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Permanent ones: asking more often is what endpoints take for an attack.
const PERMANENT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));

/// After so long it is asked again whether the refresh token has come back from another process.
pub(super) const ELSEWHERE: Duration = Duration::from_secs(10);

/// How long after its issue a token is renewed: at 70 % of its life, give or take a tenth of that.
pub(super) fn renewal(lifetime: Duration, seed: u64) -> Duration {
    lifetime.mul_f64(0.7 * jitter(seed, 0))
}

/// How long the endpoint is left alone after this many failures in a row.
pub(super) fn pause(error: &Error, failures: u32, seed: u64) -> Duration {
    let (first, longest) = if error.is_permanent() { PERMANENT } else { TEMPORARY };
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    let own = doubled.mul_f64(jitter(seed, failures));
    error.retry_after().map_or(own, |asked| asked.max(own))
}

/// A factor between 0.9 and 1.1, always the same for the same account and turn.
fn jitter(seed: u64, turn: u32) -> f64 {
    // SplitMix64: neighbouring seeds give factors that have nothing to do with each other.
    let mut bits = seed.wrapping_add(u64::from(turn)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let share = f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / f64::from(u32::MAX);
    0.9 + 0.2 * share
}
