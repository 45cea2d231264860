//! Sessions last from message to message, and end when their time or their provider says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{Tokens, limits, pool, pool_with, replies, send, send_with, until};

#[tokio::test]
async fn messages_one_after_the_other_share_one_session() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    let mut reused = Vec::new();
    for _ in 0..5 {
        let delivered = send(&pool).await.unwrap();
        assert_eq!(delivered.session, 1);
        reused.push(delivered.reused);
    }
    assert_eq!(reused, [false, true, true, true, true]);
    assert_eq!((provider.connections(), provider.logins(), provider.messages().len()), (1, 1, 5));
    let gauges = pool.gauges();
    assert_eq!((gauges.open, gauges.idle, gauges.in_use, gauges.logins, gauges.reuses), (1, 1, 0, 1, 4));
}

#[tokio::test]
async fn a_session_ends_politely_after_its_number_of_messages() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.messages_per_session = 2);
    for _ in 0..5 {
        send(&pool).await.unwrap();
    }
    until(|| provider.seen.quits.load(Ordering::SeqCst) == 2).await;
    assert_eq!((provider.connections(), provider.messages().len()), (3, 5));
}

#[tokio::test]
async fn sessions_that_begin_together_do_not_end_together() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.messages_per_session = 40);
    let mut counts = BTreeMap::<u64, u32>::new();
    // At least nine sessions are over; that all of them have had the same length is one of seven to the eighth.
    for _ in 0..400 {
        *counts.entry(send(&pool).await.unwrap().session).or_default() += 1;
    }
    counts.pop_last();
    let lengths: BTreeSet<u32> = counts.into_values().collect();
    assert!(lengths.len() > 1 && lengths.iter().all(|length| (34..=40).contains(length)), "{lengths:?}");
}

#[tokio::test]
async fn behind_a_sessions_last_message_the_next_one_is_opened_ahead() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.messages_per_session = 10);
    let ahead = async || pool.open_ahead(&Tokens::default(), &replies()).await;
    let nine = async || {
        for _ in 0..9 {
            assert!(!send(&pool).await.unwrap().was_last);
        }
    };
    nine().await;
    ahead().await;
    assert_eq!(provider.connections(), 1, "one is at hand");
    assert!(send(&pool).await.unwrap().was_last);
    ahead().await;
    let next = send(&pool).await.unwrap();
    assert!(next.reused && !next.was_last && next.timings.connect.is_zero(), "{next:?}");
    assert_eq!((provider.connections(), provider.messages().len()), (2, 11));
    for _ in 0..8 {
        send(&pool).await.unwrap();
    }
    assert!(send(&pool).await.unwrap().was_last);
    pool.retire();
    ahead().await;
    assert_eq!(provider.connections(), 2, "nobody delivers by this pool any more");
}

/// Where each message has a session of its own, and the next message comes long after, twice as many would be opened.
#[tokio::test]
async fn nothing_is_opened_ahead_behind_few_messages() {
    let provider = Provider::friendly().await;
    for few in [1, 9] {
        let pool = pool_with(&provider, |limits| limits.messages_per_session = few);
        let before = provider.connections();
        for _ in 1..few {
            assert!(!send(&pool).await.unwrap().was_last);
        }
        assert!(send(&pool).await.unwrap().was_last);
        pool.open_ahead(&Tokens::default(), &replies()).await;
        assert_eq!(provider.connections(), before + 1, "behind {few}");
    }
}

#[tokio::test]
async fn nothing_is_opened_ahead_beyond_the_places_nor_of_an_account_that_is_left_alone() {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    let provider = Provider::with(move |moment: &Moment| match moment.at {
        At::Content => Act::UsualAt(Arc::clone(&ring)),
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.sessions = 1);
    let ahead = async || pool.open_ahead(&Tokens::default(), &replies()).await;
    let (sent, ()) = tokio::join!(send(&pool), async {
        until(|| provider.connections() == 1).await;
        ahead().await;
        assert_eq!(provider.connections(), 1, "the one place is taken");
        bell.notify_one();
    });
    sent.unwrap();

    let refusing = Provider::with(|moment: &Moment| match moment.at {
        At::Mail => Act::Say("550 5.4.5 Daily user sending limit exceeded."),
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&refusing, |limits| limits.session_age = Duration::ZERO);
    send(&pool).await.unwrap_err();
    assert!(pool.left_alone().is_some());
    pool.open_ahead(&Tokens::default(), &replies()).await;
    assert_eq!(refusing.connections(), 1);
}

#[tokio::test]
async fn a_session_ends_before_its_token_does() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    let logins = Tokens { lifetime: Some(limits().token_margin), ..Tokens::default() };
    for _ in 0..3 {
        send_with(&pool, &logins).await.unwrap();
    }
    assert_eq!((provider.connections(), logins.asked.load(Ordering::SeqCst)), (3, 3));
}

#[tokio::test]
async fn a_session_that_has_been_idle_for_long_is_ended_politely() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.idle = Duration::from_millis(30));
    send(&pool).await.unwrap();
    until(|| pool.gauges().open == 0).await;
    provider.seen.closed.notified().await;
    assert_eq!(provider.seen.quits.load(Ordering::SeqCst), 1);
    send(&pool).await.unwrap();
    assert_eq!(provider.connections(), 2);
}

#[tokio::test]
async fn an_old_session_is_ended_however_busy_it_is() {
    let provider = Provider::friendly().await;
    let pool = pool_with(&provider, |limits| limits.session_age = Duration::ZERO);
    send(&pool).await.unwrap();
    send(&pool).await.unwrap();
    assert_eq!(provider.connections(), 2);
}

/// The provider does something to the idle session; it is noticed without a message, and the next
/// message finds a new one.
async fn notices_while_idle(ending: impl Fn(Arc<Notify>) -> Act + Send + Sync + 'static) {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    let provider = Provider::with(move |moment: &Moment| match (moment.at, moment.connection) {
        (At::Afterwards, 1) => ending(Arc::clone(&bell)),
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    assert_eq!(pool.gauges().idle, 1);
    ring.notify_one();
    until(|| pool.gauges().open == 0).await;
    assert_eq!(pool.gauges().ended_by_provider, 1);
    assert!(!send(&pool).await.unwrap().reused);
    assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (2, 2, 0));
}

#[tokio::test]
async fn a_provider_that_closes_an_idle_session_is_noticed_at_once() {
    notices_while_idle(Act::CloseAt).await;
}

#[tokio::test]
async fn a_provider_that_resets_an_idle_session_is_noticed_at_once() {
    notices_while_idle(Act::ResetAt).await;
}

#[tokio::test]
async fn a_421_on_an_idle_session_is_noticed_at_once() {
    notices_while_idle(|bell| Act::SayAndCloseAt("421 4.4.2 Idle for too long", bell)).await;
}

#[tokio::test]
async fn unasked_words_on_an_idle_session_retire_it() {
    notices_while_idle(|bell| Act::SayAt("250 2.0.0 Surprise", bell)).await;
}

#[tokio::test]
async fn sessions_end_with_their_pool() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    drop(pool);
    provider.seen.closed.notified().await;
}

#[tokio::test]
async fn closing_says_goodbye_on_idle_sessions() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    pool.close_idle().await;
    assert_eq!((provider.seen.quits.load(Ordering::SeqCst), pool.gauges().open), (1, 0));
}

#[tokio::test]
async fn a_delivery_on_a_session_at_hand_starts_no_task() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    for _ in 0..50 {
        send(&pool).await.unwrap();
    }
    assert_eq!(metrics.num_alive_tasks(), before);
}
