//! Refusals, by whom they concern and for how long.

use std::sync::Arc;
use std::time::Duration;

use posthouse_smtp::path::{ForwardPath, Mailbox, ReversePath};
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;

use super::of_late::OfLate;
use super::{Refusals, heard_by_any, key};
use crate::account::Account;

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
    assert!(refusals.memory().by_key.len() <= super::MOST);
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

#[tokio::test(start_paused = true)]
async fn a_tenant_knows_of_what_any_account_remembers_for_as_long() {
    let of_late = Arc::new(OfLate::default());
    let [one, other] = [Refusals::of(&of_late), Refusals::of(&of_late)];
    let key = |address: &str| key(&ReversePath::Null, &recipient(address));
    let looking = || std::iter::from_fn(|| -> Option<&Arc<Account>> { panic!("no account is looked at") });
    let asked = (&ReversePath::Null, &recipient("c@example.com"));
    assert!(heard_by_any(looking(), &of_late, asked, Instant::now()).is_none());
    tokio::time::advance(Duration::from_millis(1_500)).await;
    let began = Instant::now();
    one.remember(&ReversePath::Null, &recipient("a@example.com"), unknown(), began);
    tokio::time::advance(Duration::from_secs(600)).await;
    other.remember(&ReversePath::Null, &recipient("b@EXAMPLE.com"), unknown(), Instant::now());
    let last = began + Duration::from_secs(3_600) - Duration::from_millis(1);
    assert!(one.heard(&ReversePath::Null, &recipient("a@example.com"), last).is_some());
    assert!(of_late.may_know(&key("a@example.com"), last) && of_late.may_know(&key("b@example.com"), last));
    let later = last + Duration::from_secs(2);
    assert!(!of_late.may_know(&key("a@example.com"), later), "an hour is over");
    assert!(of_late.may_know(&key("b@example.com"), later));
    assert!(heard_by_any(looking(), &of_late, asked, later).is_none());
    let strangers = (0..1_000).filter(|number| of_late.may_know(&key(&format!("r{number}@example.com")), later));
    assert!(strangers.count() < 10, "one slot of many");
}

#[test]
fn what_another_process_was_told_it_is_not_told_again_and_remembers_no_longer() {
    let (old, new, now) = (Refusals::default(), Refusals::default(), Instant::now());
    for number in 0..5 {
        old.remember(&ReversePath::Null, &recipient(&format!("r{number}@example.com")), unknown(), now);
    }
    let mut told = 0;
    for (most, expected, is_more) in [(2, 2, true), (0, 0, true), (2, 2, true), (9, 1, false), (9, 0, false)] {
        let news = old.behind(&mut told, most);
        assert_eq!((news.len(), old.are_more_than(told)), (expected, is_more));
        let later = now + Duration::from_secs(600);
        news.into_iter().for_each(|refusal| new.keep(refusal, later));
    }
    let [known, last] = [0, 3_599].map(|seconds| now + Duration::from_secs(seconds));
    for number in 0..5 {
        let recipient = recipient(&format!("r{number}@example.com"));
        assert!(new.heard(&ReversePath::Null, &recipient, known).is_some());
        assert!(new.heard(&ReversePath::Null, &recipient, last).is_some());
        assert!(new.heard(&ReversePath::Null, &recipient, last + Duration::from_secs(1)).is_none());
        assert!(new.of_late().may_know(&key(&ReversePath::Null, &recipient), last));
    }
    old.remember(&ReversePath::Null, &recipient("late@example.com"), unknown(), now);
    assert_eq!(old.behind(&mut told, 9).len(), 1);
}
