//! Lessons that go from one pool to another, by what the other one does then.

use std::time::Duration;

use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::Learned;
use crate::gate::LoginGate;
use crate::pool::lessons::Lessons;
use crate::provider::ProviderKind::{Gmail, Outlook};
use crate::replies::Table;
use crate::stage::Stage::{Auth, Content, MailFrom};

#[test]
fn a_throttled_login_goes_on_being_throttled_and_backs_off_further() {
    let reply = Reply::new(454, EnhancedCode::new(4, 7, 0), "Too many login attempts, please try again later");
    let refusal = || (Table::shipped().read(Gmail, Auth, &reply), reply.clone());
    let (mut old, mut now) = (LoginGate::new(), Instant::now());
    for _ in 0..4 {
        let attempt = old.enter(now).unwrap();
        old.throttled(attempt, now, refusal(), 0.0);
        now = old.closed().unwrap().until;
    }
    let (pause, refused) = old.learned().unwrap();
    let mut new = LoginGate::new();
    new.take_over(pause, refused.clone(), refusal().0);
    assert!(new.enter(now - Duration::from_millis(1)).is_err());
    let attempt = new.enter(now).unwrap();
    new.throttled(attempt, now, refusal(), 0.0);
    assert_eq!(new.closed().unwrap().until - now, Duration::from_secs(16));
    // What is known better is not forgotten.
    new.take_over(pause, refused, refusal().0);
    assert_eq!(new.closed().unwrap().until - now, Duration::from_secs(16));
}

#[test]
fn credentials_that_were_refused_are_tried_by_whoever_may_have_others() {
    let reply = Reply::new(535, EnhancedCode::new(5, 7, 8), "Username and Password not accepted");
    let reading = Table::shipped().read(Gmail, Auth, &reply);
    let (mut old, now) = (LoginGate::new(), Instant::now());
    let attempt = old.enter(now).unwrap();
    old.broken(attempt, now, (reading, reply), 0.0);
    assert_eq!(old.learned(), None);
}

#[test]
fn fewer_sessions_and_a_pause_go_over_and_never_make_it_less_careful() {
    let (mut old, now) = (Lessons::new(10), Instant::now());
    let many = Reply::new(432, EnhancedCode::new(4, 3, 2), "Concurrent connections limit exceeded");
    old.learn(MailFrom, &Table::shipped().read(Outlook, MailFrom, &many), &many, 10, now);
    let blocked = Reply::new(550, EnhancedCode::new(5, 1, 8), "Access denied, bad outbound sender");
    let reading = Table::shipped().read(Outlook, Content, &blocked);
    old.learn(Content, &reading, &blocked, 1, now);
    let learned = Learned { sessions: old.fewer_since(), left_alone: old.refusal(now), logins: None };
    assert_eq!(learned.sessions, Some((5, now)));
    let refusal = learned.left_alone.unwrap();
    assert_eq!((refusal.stage, &refusal.reply), (Content, &blocked));
    let mut new = Lessons::new(10);
    assert_eq!(new.bear(5, now), Some(5));
    assert_eq!(new.bear(7, now), None);
    new.leave_alone_until(refusal.until, reading.clone(), blocked.clone());
    new.leave_alone_until(now, reading, blocked);
    assert_eq!(new.paused(now).unwrap().until, refusal.until);
    // And it comes back as it would have at the old one.
    assert_eq!(new.recover(now + Duration::from_mins(5)), Some(6));
    assert_eq!(old.recover(now + Duration::from_mins(5)), Some(6));
}
