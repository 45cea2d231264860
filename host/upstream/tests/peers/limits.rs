//! How many sessions there are, who gets them, and for how long one waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_upstream::error::Error;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::verdict::Clients;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{pool, pool_with, send, send_by, until};

/// A provider that takes its time over each message, so that deliveries meet.
async fn slow() -> Provider {
    Provider::with(|moment: &Moment| match moment.at {
        At::Content => Act::SayLater("250 2.0.0 Taken", Duration::from_millis(2)),
        _ => Act::Usual,
    })
    .await
}

async fn send_many(pool: &Pool, messages: usize) {
    let mut deliveries = JoinSet::new();
    for _ in 0..messages {
        let pool = pool.clone();
        deliveries.spawn(async move { send(&pool).await.map(|_| ()) });
    }
    while let Some(delivered) = deliveries.join_next().await {
        delivered.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_deliveries_at_once_never_have_more_sessions_than_allowed() {
    let provider = slow().await;
    let pool = pool(&provider);
    send_many(&pool, 200).await;
    assert_eq!(provider.seen.most_concurrent.load(Ordering::SeqCst), 3);
    assert_eq!((provider.connections(), provider.messages().len()), (3, 200));
    let gauges = pool.gauges();
    assert_eq!((gauges.open, gauges.idle, gauges.in_use, gauges.waiting), (3, 3, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_break_all_the_time_do_not_leak_places_or_exceed_the_limit() {
    let count = AtomicUsize::new(0);
    let provider = Provider::without_chunking(move |moment: &Moment| {
        let odd = count.fetch_add(1, Ordering::SeqCst).is_multiple_of(7);
        match moment.at {
            At::Mail if odd => Act::Reset,
            At::Afterwards if odd => Act::Close,
            _ => Act::Usual,
        }
    })
    .await;
    let pool = pool(&provider);
    let mut deliveries = JoinSet::new();
    for _ in 0..200 {
        let pool = pool.clone();
        deliveries.spawn(async move { send(&pool).await.is_ok() });
    }
    let mut delivered = 0;
    while let Some(taken) = deliveries.join_next().await {
        delivered += usize::from(taken.unwrap());
    }
    assert_eq!(provider.messages().len(), delivered);
    assert!(provider.seen.most_concurrent.load(Ordering::SeqCst) <= 3 + 1, "one may be closing");
    until(|| pool.gauges().in_use == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_sessions_are_used_once_fewer_are_allowed_and_more_again_later() {
    let provider = slow().await;
    let pool = pool(&provider);
    send_many(&pool, 30).await;
    pool.set_sessions(1);
    until(|| pool.gauges().open <= 1).await;
    assert_eq!(pool.gauges().allowed, 1);
    let connections = provider.connections();
    send_many(&pool, 30).await;
    assert!(provider.connections() <= connections + 1);
    assert_eq!(pool.gauges().open, 1);
    pool.set_sessions(4);
    send_many(&pool, 60).await;
    assert_eq!((pool.gauges().open, provider.messages().len()), (4, 120));
}

#[tokio::test]
async fn lowering_the_number_ends_sessions_when_their_message_is_done() {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    let provider = Provider::with(move |moment: &Moment| match moment.at {
        At::Content => Act::UsualAt(Arc::clone(&bell)),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let mut deliveries = JoinSet::new();
    for _ in 0..3 {
        let pool = pool.clone();
        deliveries.spawn(async move { send(&pool).await });
    }
    until(|| pool.gauges().in_use == 3).await;
    pool.set_sessions(1);
    until(|| provider.lines().iter().filter(|line| line.starts_with("BDAT")).count() == 3).await;
    ring.notify_waiters();
    while let Some(delivered) = deliveries.join_next().await {
        delivered.unwrap().unwrap();
    }
    until(|| pool.gauges().open == 1).await;
    assert_eq!(provider.messages().len(), 3);
}

#[tokio::test]
async fn a_message_waits_for_a_session_no_longer_than_it_may() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Content => Act::Stall,
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| {
        limits.sessions = 1;
        limits.acquire_deadline = Duration::from_millis(50);
    });
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { send(&pool).await }
    });
    until(|| pool.gauges().in_use == 1).await;
    let error = send(&pool).await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(error.verdict(Clients::Queueing).reply().to_string(), "451 4.3.2 all sessions of the account are busy");
    assert_eq!((provider.connections(), pool.gauges().waiting), (1, 0));
    first.abort();
}

#[tokio::test]
async fn messages_get_the_only_session_in_the_order_of_their_coming() {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    let provider = Provider::with(move |moment: &Moment| match (moment.at, moment.message) {
        (At::Content, 1) => Act::UsualAt(Arc::clone(&bell)),
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let mut deliveries = JoinSet::new();
    for number in 0..10_usize {
        let (delivering, waiting) = (pool.clone(), pool.gauges().waiting);
        deliveries.spawn(async move {
            let to = format!("user{number}@example.org");
            crate::relay::send_to(&delivering, &[&to]).await.map(|_| ())
        });
        match number {
            0 => until(|| pool.gauges().in_use == 1).await,
            _ => until(|| pool.gauges().waiting == waiting + 1).await,
        }
    }
    ring.notify_one();
    while let Some(delivered) = deliveries.join_next().await {
        delivered.unwrap().unwrap();
    }
    let order: Vec<String> = provider.lines().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    let expected: Vec<String> = (0..10).map(|number| format!("RCPT TO:<user{number}@example.org>")).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place_and_closes_its_session() {
    let provider = Provider::with(|moment: &Moment| match (moment.at, moment.connection) {
        (At::Content, 1) => Act::Stall,
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let abandoned = tokio::spawn({
        let pool = pool.clone();
        async move { send(&pool).await }
    });
    until(|| provider.lines().iter().any(|line| line.starts_with("BDAT"))).await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(pool.gauges().open, 0);
    send(&pool).await.unwrap();
    assert_eq!(provider.connections(), 2);
}

/// A provider that answers the content so, as often as is said, and then takes it.
async fn refusing_content(times: usize, reply: &'static str) -> Provider {
    let count = AtomicUsize::new(0);
    Provider::with(move |moment: &Moment| match moment.at {
        At::Content if count.fetch_add(1, Ordering::SeqCst) < times => Act::Say(reply),
        _ => Act::Usual,
    })
    .await
}

#[tokio::test]
async fn a_refusal_for_concurrency_takes_sessions_away_until_a_quiet_while_has_passed() {
    let provider = refusing_content(1, "432 4.3.2 Concurrent connections limit exceeded").await;
    let pool = pool_with(&provider, |limits| limits.sessions = 4);
    // The message itself is tried again, and there.
    send(&pool).await.unwrap();
    assert_eq!((provider.messages().len(), pool.gauges().retries, pool.gauges().allowed), (1, 1, 2));
    // Paused only now: the provider's own task has a clock as well.
    tokio::time::pause();
    for allowed in [3, 4, 4] {
        tokio::time::advance(Duration::from_mins(5)).await;
        let _sent = send(&pool).await;
        assert_eq!(pool.gauges().allowed, allowed);
    }
}

#[tokio::test]
async fn what_is_learned_while_another_process_counts_on_its_share_raises_nothing_and_holds_afterwards() {
    let provider = refusing_content(1, "432 4.3.2 Concurrent connections limit exceeded").await;
    let pool = pool_with(&provider, |limits| limits.sessions = 8);
    pool.hold_to(2);
    send(&pool).await.unwrap();
    assert_eq!((pool.gauges().allowed, pool.allowed_everywhere()), (2, 4));
    // Paused only now: the provider's own task has a clock as well.
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(5)).await;
    let _sent = send(&pool).await;
    assert_eq!((pool.gauges().allowed, pool.allowed_everywhere()), (2, 5));
    pool.hold_no_more();
    assert_eq!(pool.gauges().allowed, 5);
}

#[tokio::test]
async fn who_is_over_the_limit_for_good_is_told_so_before_the_deadline() {
    let provider = refusing_content(usize::MAX, "432 4.3.2 Concurrent connections limit exceeded").await;
    let pool = pool(&provider);
    let deadline = Instant::now() + Duration::from_secs(3);
    let error = send_by(&pool, deadline).await.unwrap_err();
    assert!(error.verdict(Clients::Queueing).reply().to_string().starts_with("451 4.3.2 "), "{error}");
    // After 1 to 1.5 s once more; the next pause would end behind the deadline.
    assert_eq!(pool.gauges().retries, 1);
    assert!(Instant::now() < deadline && provider.messages().is_empty());
}

#[tokio::test]
async fn an_account_over_its_quota_is_left_alone_until_its_pause_is_over() {
    let provider = refusing_content(1, "550 5.4.5 Daily user sending quota exceeded").await;
    let pool = pool(&provider);
    assert_eq!(send(&pool).await.unwrap_err().verdict(Clients::Queueing).reply().code(), 452);
    for _ in 0..3 {
        let error = send(&pool).await.unwrap_err();
        assert!(matches!(error, Error::LeftAlone(_)), "{error}");
        assert_eq!(error.verdict(Clients::Queueing).reply().code(), 452);
        assert!(!error.another_account_may_try());
    }
    assert!(pool.left_alone().is_some());
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(15)).await;
    tokio::time::resume();
    send(&pool).await.unwrap();
    assert!(pool.left_alone().is_none());
    assert_eq!(provider.messages().len(), 1);
}
