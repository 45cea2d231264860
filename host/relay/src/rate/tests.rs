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
    rate.give_back(start);
    assert_eq!(rate.take(start, NO_PATIENCE), Ok(Duration::ZERO));
}

#[test]
fn without_a_limit_nothing_waits() {
    let (rate, start) = (Rate::per_minute(None), Instant::now());
    assert!((0..100_000).all(|_| rate.take(start, NO_PATIENCE) == Ok(Duration::ZERO)));
}

/// Messages that may go within this time, one after the other as soon as they may.
fn sent(rate: &Rate, from: Instant, within: Duration) -> u32 {
    let (mut now, mut sent) = (from, 0);
    while now < from + within {
        match rate.take(now, NO_PATIENCE) {
            Ok(_) => sent += 1,
            Err(over) => now += over.wait,
        }
    }
    sent
}

fn allowance(rate: &Rate, now: Instant) -> Option<u32> {
    rate.standing(now).map(|(per_minute, _)| per_minute)
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_rate_that_was_too_much_is_halved_at_once_and_what_was_sent_counts() {
    let (rate, start) = (Rate::per_minute(Some(60)), Instant::now());
    assert_eq!(sent(&rate, start, Duration::from_secs(1)), 60);
    let now = start + Duration::from_secs(1);
    assert_eq!(rate.slow_down(now), Some(30));
    assert_eq!(rate.take(now, NO_PATIENCE), Err(OverRate { wait: Duration::from_secs(2) }));
}

#[test]
fn refusals_that_come_together_lower_the_rate_once() {
    let (rate, start) = (Rate::per_minute(Some(60)), Instant::now());
    sent(&rate, start, Duration::from_secs(1));
    assert_eq!(rate.slow_down(start), Some(30));
    assert_eq!(rate.slow_down(start + Duration::from_secs(9)), None);
    assert_eq!(allowance(&rate, start + Duration::from_secs(9)), Some(30));
    assert_eq!(rate.slow_down(start + Duration::from_secs(20)), Some(15));
}

#[test]
fn quiet_minutes_bring_the_rate_back_slowly_and_no_further_than_configured() {
    let (rate, start) = (Rate::per_minute(Some(30)), Instant::now());
    sent(&rate, start, Duration::from_secs(1));
    rate.slow_down(start);
    let after = |minutes: u32| allowance(&rate, start + minutes * MINUTE).unwrap();
    assert_eq!((after(0), after(1), after(5), after(9)), (15, 16, 20, 28));
    let whole = (1..60).find(|minutes| after(*minutes) == 30).unwrap();
    assert!((10..=15).contains(&whole), "{whole}");
    assert_eq!(after(600), 30);
}

#[test]
fn without_a_configured_rate_what_was_seen_is_halved_and_forgotten_in_the_end() {
    let (rate, start) = (Rate::per_minute(None), Instant::now());
    for _ in 0..400 {
        rate.take(start, NO_PATIENCE).unwrap();
    }
    assert_eq!(rate.slow_down(start + MINUTE), Some(200));
    assert_eq!(allowance(&rate, start + 10 * MINUTE), Some(468));
    assert_eq!(allowance(&rate, start + 60 * MINUTE), None);
}

#[test]
fn an_account_with_little_mail_is_not_slowed_to_nothing() {
    let (rate, mut now) = (Rate::per_minute(Some(30)), Instant::now());
    rate.take(now, NO_PATIENCE).unwrap();
    for _ in 0..5 {
        rate.slow_down(now);
        now += Duration::from_secs(11);
    }
    assert_eq!(allowance(&rate, now), Some(6));
    let slow = Rate::per_minute(Some(2));
    assert_eq!(slow.slow_down(now), None);
    assert_eq!(allowance(&slow, now), Some(2));
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
