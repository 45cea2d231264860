//! Rates, by when the next message may go.

use std::time::Duration;

use tokio::time::Instant;

use super::{OverRate, Rate};

const NO_PATIENCE: Duration = Duration::ZERO;

#[test]
fn a_minutes_allowance_may_go_at_once_and_comes_back_evenly() {
    let (rate, start) = (Rate::per_minute(Some(30)), Instant::now());
    for _ in 0..30 {
        assert_eq!(rate.take(start, NO_PATIENCE), Ok(Duration::ZERO));
    }
    assert_eq!(rate.take(start, NO_PATIENCE), Err(OverRate { wait: Duration::from_secs(2) }));
    assert_eq!(rate.take(start + Duration::from_secs(2), NO_PATIENCE), Ok(Duration::ZERO));
    assert!(rate.take(start + Duration::from_secs(2), NO_PATIENCE).is_err());
}

#[test]
fn patience_takes_a_place_ahead_and_refusals_take_none() {
    let (rate, start) = (Rate::per_minute(Some(60)), Instant::now());
    (0..60).for_each(|_| assert_eq!(rate.take(start, NO_PATIENCE).unwrap(), Duration::ZERO));
    assert_eq!(rate.take(start, Duration::from_secs(5)), Ok(Duration::from_secs(1)));
    assert_eq!(rate.take(start, Duration::from_secs(5)), Ok(Duration::from_secs(2)));
    for _ in 0..100 {
        assert_eq!(rate.take(start, NO_PATIENCE), Err(OverRate { wait: Duration::from_secs(3) }));
    }
}

#[test]
fn a_place_given_back_can_be_taken_again() {
    let (rate, start) = (Rate::per_minute(Some(1)), Instant::now());
    rate.take(start, NO_PATIENCE).unwrap();
    assert!(rate.take(start, NO_PATIENCE).is_err());
    rate.give_back();
    assert_eq!(rate.take(start, NO_PATIENCE), Ok(Duration::ZERO));
}

#[test]
fn without_a_limit_nothing_waits() {
    let (rate, start) = (Rate::per_minute(None), Instant::now());
    assert!((0..100_000).all(|_| rate.take(start, NO_PATIENCE) == Ok(Duration::ZERO)));
}

#[test]
fn what_another_process_has_sent_counts_here() {
    let (now, none) = (Instant::now(), Duration::ZERO);
    let (old, new) = (Rate::per_minute(Some(2)), Rate::per_minute(Some(2)));
    for _ in 0..2 {
        old.take(now, none).expect("the allowance may be used at once");
    }
    assert_eq!(old.owed(now), Duration::from_mins(1));
    new.owe(now, old.owed(now));
    assert!(new.take(now, none).is_err());
    // Less than is known already changes nothing.
    new.owe(now, none);
    assert_eq!(new.owed(now), Duration::from_mins(1));
}
