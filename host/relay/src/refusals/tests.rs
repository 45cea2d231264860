//! Refusals, by whom they concern and for how long.

use std::time::Duration;

use posthouse_smtp::path::{ForwardPath, Mailbox, ReversePath};
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::Refusals;

fn recipient(address: &str) -> ForwardPath {
    ForwardPath::Mailbox(address.parse::<Mailbox>().unwrap())
}

fn unknown() -> Reply {
    Reply::new(550, EnhancedCode::new(5, 1, 1), "no such user")
}

#[test]
fn a_refusal_is_heard_again_for_an_hour() {
    let (refusals, now) = (Refusals::default(), Instant::now());
    refusals.remember(&ReversePath::Null, &recipient("a@example.com"), unknown(), now);
    assert_eq!(refusals.heard(&ReversePath::Null, &recipient("a@EXAMPLE.com"), now).unwrap().code(), 550);
    assert!(
        refusals.heard(&ReversePath::Null, &recipient("A@example.com"), now).is_none(),
        "local parts keep their case"
    );
    assert!(refusals.heard(&ReversePath::Null, &recipient("b@example.com"), now).is_none());
    let other = ReversePath::Mailbox("other@example.com".parse().unwrap());
    assert!(refusals.heard(&other, &recipient("a@example.com"), now).is_none(), "another sender asks for itself");
    assert!(
        refusals.heard(&ReversePath::Null, &recipient("a@example.com"), now + Duration::from_secs(3_600)).is_none()
    );
}

#[test]
fn the_memory_is_bounded() {
    let (refusals, now) = (Refusals::default(), Instant::now());
    for number in 0..10_000 {
        refusals.remember(&ReversePath::Null, &recipient(&format!("r{number}@example.com")), unknown(), now);
    }
    assert!(refusals.heard.lock().unwrap().len() <= super::MOST);
    assert!(refusals.heard(&ReversePath::Null, &recipient("r9999@example.com"), now).is_some());
}

#[test]
fn a_passing_refusal_is_heard_once() {
    let (refusals, now) = (Refusals::default(), Instant::now());
    let busy = Reply::new(450, EnhancedCode::new(4, 2, 1), "busy");
    refusals.remember(&ReversePath::Null, &recipient("a@example.com"), busy, now);
    assert_eq!(refusals.heard(&ReversePath::Null, &recipient("a@example.com"), now).unwrap().code(), 450);
    assert!(refusals.heard(&ReversePath::Null, &recipient("a@example.com"), now).is_none());
}
