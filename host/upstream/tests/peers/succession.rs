//! A pool that takes another one's place: what it goes on with, and what ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use posthouse_upstream::pool::Inherited;
use tokio::sync::Notify;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{Tokens, limits, pool, pool_with, send, send_with, until};

#[tokio::test]
async fn a_successor_goes_on_with_the_sessions_of_its_predecessor() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    let next = pool.successor(provider.target(), limits(), Inherited::Sessions);
    next.take_over(&pool);
    drop(pool);
    assert!(send(&next).await.unwrap().reused);
    assert_eq!(provider.connections(), 1);
    // The keeper watches for whoever has the sessions now.
    let short = next.successor(
        provider.target(),
        posthouse_upstream::limits::PoolLimits { idle: std::time::Duration::from_millis(20), ..limits() },
        Inherited::Sessions,
    );
    short.take_over(&next);
    drop(next);
    send(&short).await.unwrap();
    until(|| short.gauges().open == 0).await;
}

#[tokio::test]
async fn sessions_of_other_credentials_end() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    let next = pool.successor(provider.target(), limits(), Inherited::Nothing);
    assert_eq!(pool.gauges().idle, 1, "nothing has happened yet");
    next.take_over(&pool);
    until(|| provider.seen.quits.load(Ordering::SeqCst) == 1).await;
    assert!(!send(&next).await.unwrap().reused);
    // A delivery of the old generation ends its own session, whatever it was.
    send(&pool).await.unwrap();
    until(|| provider.seen.quits.load(Ordering::SeqCst) == 2).await;
    assert_eq!((provider.connections(), next.gauges().idle), (3, 1));
}

#[tokio::test]
async fn old_and_new_sessions_together_are_no_more_than_allowed() {
    let (bell, reached) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (go, here) = (Arc::clone(&bell), Arc::clone(&reached));
    let provider = Provider::with(move |moment: &Moment| match (moment.at, moment.connection) {
        (At::Content, 1) => {
            here.notify_one();
            Act::UsualAt(Arc::clone(&go))
        }
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let one = posthouse_upstream::limits::PoolLimits { sessions: 1, ..limits() };
    let next = pool.successor(provider.target(), one, Inherited::Nothing);
    next.take_over(&pool);
    let old = tokio::spawn(async move { send(&pool).await });
    reached.notified().await;
    let new = tokio::spawn(async move { send(&next).await.map(|delivered| (delivered, next.gauges().open)) });
    until(|| provider.connections() == 1).await;
    tokio::task::yield_now().await;
    assert!(!new.is_finished(), "the only place is held by the old session");
    bell.notify_one();
    old.await.unwrap().unwrap();
    let (_, open) = new.await.unwrap().unwrap();
    assert_eq!((provider.connections(), open), (2, 1));
}

#[tokio::test]
async fn what_is_still_sent_by_an_old_pool_counts_beside_the_idle_sessions_of_the_new_one() {
    let provider = Provider::friendly().await;
    let one = posthouse_upstream::limits::PoolLimits { sessions: 1, ..limits() };
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let next = pool.successor(provider.target(), one, Inherited::Nothing);
    next.take_over(&pool);
    let last = next.successor(provider.target(), one, Inherited::Nothing);
    last.take_over(&next);
    for old in [&pool, &next] {
        send(&last).await.unwrap();
        assert_eq!(last.gauges().idle, 1);
        send(old).await.unwrap();
        assert_eq!(last.gauges().idle, 0, "it made room");
    }
    send(&last).await.unwrap();
    assert_eq!((provider.connections(), provider.seen.most_concurrent.load(Ordering::SeqCst)), (5, 1));
}

#[tokio::test]
async fn more_sessions_of_another_kind_wait_for_those_who_may_still_open_old_ones() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let two = posthouse_upstream::limits::PoolLimits { sessions: 2, ..limits() };
    let next = pool.successor(provider.target(), two, Inherited::Nothing);
    next.take_over(&pool);
    send(&pool).await.unwrap();
    send(&next).await.unwrap();
    assert_eq!((next.gauges().allowed, next.allowed_everywhere()), (1, 2));
    drop(pool);
    assert_eq!(next.gauges().allowed, 2);
    // Where they are of one kind nobody has to wait.
    let three = posthouse_upstream::limits::PoolLimits { sessions: 3, ..limits() };
    let last = next.successor(provider.target(), three, Inherited::Sessions);
    last.take_over(&next);
    assert_eq!(next.gauges().allowed, 3);
}

#[tokio::test]
async fn those_who_may_still_open_old_ones_are_of_every_generation_that_shared_them() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let idle = std::time::Duration::from_secs(30);
    let same = posthouse_upstream::limits::PoolLimits { sessions: 1, idle, ..limits() };
    let second = pool.successor(provider.target(), same, Inherited::Sessions);
    second.take_over(&pool);
    let two = posthouse_upstream::limits::PoolLimits { sessions: 2, ..limits() };
    let third = second.successor(provider.target(), two, Inherited::Nothing);
    third.take_over(&second);
    drop(second);
    assert_eq!((third.gauges().allowed, third.allowed_everywhere()), (1, 2), "the first one delivers still");
    drop(pool);
    assert_eq!(third.gauges().allowed, 2);
}

#[tokio::test]
async fn refused_credentials_are_not_held_against_their_successors() {
    let provider = Provider::with(|moment: &Moment| match (moment.at, moment.connection) {
        (At::Auth, 1 | 2) => Act::Say("535 5.7.8 Username and Password not accepted"),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    send_with(&pool, &Tokens::default()).await.unwrap_err();
    assert!(pool.logins_paused().is_some());
    let next = pool.successor(provider.target(), limits(), Inherited::Nothing);
    send(&next).await.unwrap();
}

#[tokio::test]
async fn a_throttle_that_comes_while_the_successor_is_made_holds_for_it() {
    let provider = Provider::with(|moment: &Moment| match (moment.at, moment.connection) {
        (At::Auth, 1) => Act::SayAndClose("454 4.7.0 Too many login attempts, please try again later"),
        _ => Act::Usual,
    })
    .await;
    let impatient =
        posthouse_upstream::limits::PoolLimits { acquire_deadline: std::time::Duration::from_millis(10), ..limits() };
    let pool = pool_with(&provider, |limits| *limits = impatient);
    let next = pool.successor(provider.target(), impatient, Inherited::Nothing);
    send(&pool).await.unwrap_err();
    next.take_over(&pool);
    assert!(next.logins_paused().is_some());
    send(&next).await.unwrap_err();
    assert_eq!(provider.connections(), 1);
}
