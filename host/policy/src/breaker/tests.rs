//! When a policy rests, and when it is asked again.

use super::*;

const TRAP: Failure = Failure::Stack;

fn ask(breaker: &Breaker, failure: Option<&Failure>, now: Instant) {
    breaker.enter(now).expect("it is asked").tell(failure, now);
}

#[test]
fn half_of_twenty_calls_failing_is_a_rest() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..10 {
        ask(&breaker, None, now);
    }
    for _ in 0..10 {
        ask(&breaker, Some(&TRAP), now);
    }
    assert_eq!(breaker.enter(now).unwrap_err(), Failure::Resting { wait: REST, cause: Cause::Failures });
}

#[test]
fn fewer_failures_are_none() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..100 {
        ask(&breaker, None, now);
        ask(&breaker, None, now);
        ask(&breaker, Some(&TRAP), now);
    }
    assert!(!breaker.is_open());
}

#[test]
fn five_timeouts_in_a_row_are_enough() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
    }
    assert!(breaker.is_open());
}

#[test]
fn a_rest_ends_with_one_good_call_and_doubles_with_a_bad_one() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
    }
    let now = now + REST;
    let trial = breaker.enter(now).expect("one call is tried");
    assert!(breaker.enter(now).is_err(), "and one only");
    trial.tell(Some(&TRAP), now);
    assert_eq!(breaker.enter(now).unwrap_err(), Failure::Resting { wait: 2 * REST, cause: Cause::Failures });
    let now = now + 2 * REST;
    ask(&breaker, None, now);
    assert!(!breaker.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_was_given_up_leaves_the_next_one_to_try() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
    }
    tokio::time::advance(REST).await;
    drop(breaker.enter(Instant::now()).expect("one call is tried"));
    ask(&breaker, None, Instant::now());
    assert!(!breaker.is_open());
}

#[test]
fn a_policy_that_uses_up_its_share_rests_and_its_mail_is_to_come_again() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Overdrawn { limit: REST }), now);
    }
    let resting = breaker.enter(now).unwrap_err();
    assert_eq!(resting, Failure::Resting { wait: REST, cause: Cause::Overdrafts });
    assert!(resting.is_overload());
}

#[test]
fn overload_is_not_the_policys_fault() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..100 {
        ask(&breaker, Some(&Failure::Busy), now);
    }
    assert!(!breaker.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_found_no_place_closes_nothing() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
    }
    tokio::time::advance(REST).await;
    ask(&breaker, Some(&Failure::Busy), Instant::now());
    assert!(breaker.is_open());
    ask(&breaker, None, Instant::now());
    assert!(!breaker.is_open());
}

#[test]
fn overload_between_timeouts_forgives_none_of_them() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
        if !breaker.is_open() {
            ask(&breaker, Some(&Failure::Busy), now);
        }
    }
    assert!(breaker.is_open());
}

#[test]
fn a_call_from_before_the_rest_is_no_trial() {
    let now = Instant::now();
    let breaker = Breaker::new(now);
    let straggler = breaker.enter(now).expect("it is asked");
    for _ in 0..5 {
        ask(&breaker, Some(&Failure::Cpu { limit: REST }), now);
    }
    let trial = breaker.enter(now + REST).expect("one call is tried");
    straggler.tell(None, now + REST);
    assert!(breaker.is_open(), "the trial decides");
    trial.tell(None, now + REST);
    assert!(!breaker.is_open());
}
