//! Rates, by when the next event may happen.

use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

#[test]
fn a_minutes_allowance_may_go_at_once_and_comes_back_evenly() {
    let (rate, start) = (Rate::per_minute(30), Instant::now());
    assert!((0..30).all(|_| rate.takes(start)));
    // Refusals take no place.
    assert!((0..100).all(|_| !rate.takes(start)));
    assert!(rate.takes(start + Duration::from_secs(2)));
    assert!(!rate.takes(start + Duration::from_secs(2)));
}
