//! The login gate, by when it opens again.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::{ATTEMPT, Cause, LoginGate};
use crate::provider::ProviderKind::Gmail;
use crate::replies::{Reading, Table};
use crate::stage::Stage::Auth;

fn read(reply: Reply) -> (Reading, Reply) {
    (Table::shipped().read(Gmail, Auth, &reply), reply)
}

fn too_many() -> (Reading, Reply) {
    read(Reply::new(454, EnhancedCode::new(4, 7, 0), "Too many login attempts, please try again later"))
}

fn refused() -> (Reading, Reply) {
    read(Reply::new(535, EnhancedCode::new(5, 7, 8), "Username and Password not accepted"))
}

/// Lets one attempt through as soon as it may and has it throttled; the pause that follows.
fn throttle(gate: &mut LoginGate, now: &mut Instant, spread: f64) -> Duration {
    let attempt = gate.enter(*now).unwrap();
    gate.throttled(attempt, *now, too_many(), spread);
    let until = gate.closed().unwrap().until;
    let pause = until - *now;
    *now = until;
    pause
}

#[test]
fn too_many_logins_pause_one_second_then_twice_as_long_up_to_half_an_hour() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    let pauses: Vec<u64> = (0..13).map(|_| throttle(&mut gate, &mut now, 0.0).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800]);
}

#[test]
fn jitter_lengthens_a_pause_by_at_most_a_half() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    assert_eq!(throttle(&mut gate, &mut now, 1.0), Duration::from_millis(1500));
    assert_eq!(throttle(&mut gate, &mut now, 7.0), Duration::from_secs(3));
}

#[test]
fn while_closed_nobody_enters_and_is_told_why_and_until_when() {
    let (mut gate, now) = (LoginGate::new(), Instant::now());
    let attempt = gate.enter(now).unwrap();
    gate.throttled(attempt, now, too_many(), 0.0);
    let closed = gate.enter(now + Duration::from_millis(999)).unwrap_err();
    assert_eq!(
        (closed.cause, closed.until, closed.reply),
        (Cause::Throttled, now + Duration::from_secs(1), too_many().1)
    );
}

#[test]
fn after_a_pause_one_attempt_goes_through_at_a_time() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    throttle(&mut gate, &mut now, 0.0);
    let attempt = gate.enter(now).unwrap();
    assert_eq!(gate.enter(now).unwrap_err().until, now + ATTEMPT);
    assert!(gate.succeeded(attempt));
    gate.enter(now).unwrap();
    gate.enter(now).unwrap();
}

#[test]
fn an_attempt_without_an_outcome_does_not_keep_the_gate_closed_for_ever() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    throttle(&mut gate, &mut now, 0.0);
    gate.enter(now).unwrap();
    gate.enter(now + ATTEMPT).unwrap();
}

#[test]
fn attempts_that_began_together_and_fail_together_are_one_failure() {
    let (mut gate, now) = (LoginGate::new(), Instant::now());
    let together: Vec<_> = (0..3).map(|_| gate.enter(now).unwrap()).collect();
    for attempt in together {
        gate.throttled(attempt, now, too_many(), 0.0);
    }
    assert_eq!(gate.closed().unwrap().until, now + Duration::from_secs(1));
}

#[test]
fn a_login_that_began_before_the_gate_closed_does_not_open_it() {
    let (mut gate, now) = (LoginGate::new(), Instant::now());
    let (one, other) = (gate.enter(now).unwrap(), gate.enter(now).unwrap());
    gate.throttled(one, now, too_many(), 0.0);
    assert!(!gate.succeeded(other));
    gate.enter(now).unwrap_err();
}

#[test]
fn refused_credentials_pause_five_minutes_then_twice_as_long_up_to_an_hour() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    let mut minutes = Vec::new();
    for _ in 0..6 {
        let attempt = gate.enter(now).unwrap();
        gate.broken(attempt, now, refused(), 0.0);
        let until = gate.closed().unwrap().until;
        minutes.push((until - now).as_secs() / 60);
        now = until;
    }
    assert_eq!(minutes, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn a_late_throttling_does_not_shorten_the_pause_of_refused_credentials() {
    let (mut gate, now) = (LoginGate::new(), Instant::now());
    let (one, other) = (gate.enter(now).unwrap(), gate.enter(now).unwrap());
    gate.broken(one, now, refused(), 0.0);
    gate.throttled(other, now, too_many(), 0.0);
    assert_eq!(gate.closed().unwrap().cause, Cause::Broken);
}

#[test]
fn a_success_makes_the_gate_forget_its_pauses() {
    let (mut gate, mut now) = (LoginGate::new(), Instant::now());
    throttle(&mut gate, &mut now, 0.0);
    throttle(&mut gate, &mut now, 0.0);
    let attempt = gate.enter(now).unwrap();
    gate.succeeded(attempt);
    assert_eq!(throttle(&mut gate, &mut now, 0.0), Duration::from_secs(1));
}
