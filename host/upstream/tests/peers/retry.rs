//! A delivery is begun anew once, and only where the first cannot have arrived.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use posthouse_upstream::deliver::{Content, deliver};
use posthouse_upstream::error::Error;
use posthouse_upstream::pool::Pool;
use posthouse_upstream::verdict::Clients;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::provider::{Act, At, Moment, Provider, WITH_CHUNKING, WITHOUT_CHUNKING};
use crate::relay::{Envelope, MESSAGE, Tokens, pool, replies, send};

/// A provider that does something at a moment of each session's second message, on the first
/// so many connections.
async fn at_second_message(
    extensions: &'static str,
    at: At,
    connections: usize,
    act: impl Fn() -> Act + Send + Sync + 'static,
) -> Provider {
    Provider::start(extensions, move |moment: &Moment| {
        let second = moment.message == 2 || moment.connection > 1;
        if moment.at == at && second && moment.connection <= connections { act() } else { Act::Usual }
    })
    .await
}

async fn first_and_second(provider: &Provider) -> (Pool, Result<bool, Error>) {
    let pool = pool(provider);
    send(&pool).await.unwrap();
    let second = send(&pool).await.map(|delivered| delivered.reused);
    (pool, second)
}

#[tokio::test]
async fn a_session_at_hand_that_dies_before_the_content_is_replaced_once() {
    for act in [|| Act::Close, || Act::Reset] {
        let provider = at_second_message(WITHOUT_CHUNKING, At::Mail, 1, act).await;
        let (pool, second) = first_and_second(&provider).await;
        assert!(!second.unwrap());
        assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (2, 2, 1));
    }
}

#[tokio::test]
async fn a_421_to_mail_on_a_session_at_hand_is_answered_by_a_new_session() {
    for extensions in [WITH_CHUNKING, WITHOUT_CHUNKING] {
        let provider =
            at_second_message(extensions, At::Mail, 1, || Act::SayAndClose("421 4.4.2 Idle for too long")).await;
        let (pool, second) = first_and_second(&provider).await;
        assert!(!second.unwrap());
        assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (2, 2, 1));
    }
}

#[tokio::test]
async fn a_session_that_has_lost_its_login_is_replaced() {
    let provider =
        at_second_message(WITH_CHUNKING, At::Mail, 1, || Act::Say("530 5.7.0 Authentication required")).await;
    let (_, second) = first_and_second(&provider).await;
    assert!(!second.unwrap());
    assert_eq!((provider.connections(), provider.messages().len()), (2, 2));
}

#[tokio::test]
async fn a_delivery_is_not_begun_a_third_time() {
    let provider = at_second_message(WITHOUT_CHUNKING, At::Mail, 9, || Act::Close).await;
    let (_, second) = first_and_second(&provider).await;
    let error = second.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!((provider.connections(), provider.messages().len()), (2, 1));
}

#[tokio::test]
async fn a_new_session_that_fails_is_not_replaced() {
    for act in [|| Act::Close, || Act::SayAndClose("421 4.3.0 Temporary System Problem")] {
        let provider = Provider::without_chunking(move |moment: &Moment| match moment.at {
            At::Mail => act(),
            _ => Act::Usual,
        })
        .await;
        let pool = pool(&provider);
        let error = send(&pool).await.unwrap_err();
        assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
        assert!(!error.is_ambiguous());
        assert_eq!((provider.connections(), pool.gauges().retries, pool.gauges().open), (1, 0, 0));
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_whole_message_is_ambiguous_and_never_sent_again() {
    for extensions in [WITH_CHUNKING, WITHOUT_CHUNKING] {
        for act in [|| Act::Close, || Act::Reset, || Act::SayAndClose("2xx what")] {
            let provider = at_second_message(extensions, At::Content, 9, act).await;
            let (pool, second) = first_and_second(&provider).await;
            let error = second.unwrap_err();
            assert!(error.is_ambiguous(), "{error}");
            assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
            assert_eq!((provider.connections(), pool.gauges().retries, pool.gauges().open), (1, 0, 0));
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_a_message_left_with_its_commands_is_ambiguous() {
    let provider = at_second_message(WITH_CHUNKING, At::Mail, 9, || Act::Close).await;
    let (_, second) = first_and_second(&provider).await;
    let error = second.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    assert_eq!(provider.connections(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_ambiguous() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Content => Act::Stall,
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let (envelope, deadline) = (Envelope::to(&["user@example.org"]), Instant::now() + Duration::from_millis(100));
    let sent =
        deliver(&pool, &Tokens::default(), &replies(), &envelope.transaction(), Content::Whole(&[MESSAGE]), deadline)
            .await;
    assert!(sent.unwrap_err().is_ambiguous());
    assert!(deadline.elapsed() < Duration::from_secs(2));
    assert_eq!((provider.connections(), pool.gauges().open), (1, 0));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_before_the_content_is_not_ambiguous() {
    let provider = Provider::without_chunking(|moment: &Moment| match moment.at {
        At::Data => Act::Stall,
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    let (envelope, deadline) = (Envelope::to(&["user@example.org"]), Instant::now() + Duration::from_millis(100));
    let sent =
        deliver(&pool, &Tokens::default(), &replies(), &envelope.transaction(), Content::Whole(&[MESSAGE]), deadline)
            .await;
    let error = sent.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert_eq!(provider.seen.messages.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_session_that_is_already_dead_when_it_is_taken_costs_no_retry() {
    // Two die at once; the message after that opens one.
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Afterwards if moment.connection < 3 => Act::Close,
        _ => Act::Usual,
    })
    .await;
    let pool = pool(&provider);
    for _ in 0..3 {
        send(&pool).await.unwrap();
        let closing = provider.connections() < 3;
        if closing {
            provider.seen.closed.notified().await;
        }
    }
    assert_eq!((provider.messages().len(), pool.gauges().retries), (3, 0));
    assert_eq!(provider.seen.most_concurrent.load(Ordering::SeqCst), 1);
}

/// Delivers one message to a provider that then ends the session in a way that the relay, whose
/// thread is kept busy, does not come to notice before it sends the next one.
async fn second_after_an_unseen(
    extensions: &'static str,
    ending: fn(Arc<Notify>) -> Act,
) -> (Pool, Provider, Result<(), Error>) {
    let bell = Arc::new(Notify::new());
    let ring = Arc::clone(&bell);
    let provider = Provider::on_a_thread(extensions, move |moment: &Moment| match (moment.at, moment.connection) {
        (At::Afterwards, 1) => ending(Arc::clone(&bell)),
        _ => Act::Usual,
    });
    let pool = pool(&provider);
    send(&pool).await.unwrap();
    ring.notify_one();
    while provider.open() > 0 {
        std::thread::yield_now();
    }
    let second = send(&pool).await.map(|_| ());
    (pool, provider, second)
}

#[tokio::test]
async fn a_write_of_which_no_octet_left_is_begun_anew() {
    let (pool, provider, second) = second_after_an_unseen(WITH_CHUNKING, Act::ResetAt).await;
    second.unwrap();
    assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (2, 2, 1));
}

#[tokio::test]
async fn a_message_written_into_an_end_that_was_not_seen_is_ambiguous() {
    let (pool, provider, second) = second_after_an_unseen(WITH_CHUNKING, Act::CloseAt).await;
    assert!(second.unwrap_err().is_ambiguous());
    assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (1, 1, 0));
}

#[tokio::test]
async fn commands_written_into_an_end_that_was_not_seen_are_begun_anew() {
    let (pool, provider, second) = second_after_an_unseen(WITHOUT_CHUNKING, Act::CloseAt).await;
    second.unwrap();
    assert_eq!((provider.connections(), provider.messages().len(), pool.gauges().retries), (2, 2, 1));
}
