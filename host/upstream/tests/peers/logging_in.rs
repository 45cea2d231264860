//! Logging in: renewal of refused credentials, the gate, and what the client hears meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthouse_upstream::error::Error;
use posthouse_upstream::gate::Cause;
use posthouse_upstream::login::{LoginError, LoginFuture, LoginSource, SessionLogin};
use posthouse_upstream::pool::Pool;
use posthouse_upstream::verdict::{AccountEffect, Clients};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::provider::{Act, At, Moment, Provider};
use crate::relay::{Tokens, limits, pool, pool_with, send, send_with, until};

const REFUSED: &str = "535 5.7.8 Username and Password not accepted";
const TOO_MANY: &str = "454 4.7.0 Too many login attempts, please try again later";

/// A provider that answers so many of the first logins with this.
async fn refusing(logins: usize, reply: &'static str) -> Provider {
    let count = AtomicUsize::new(0);
    Provider::with(move |moment: &Moment| match moment.at {
        At::Auth if count.fetch_add(1, Ordering::SeqCst) < logins => Act::Say(reply),
        _ => Act::Usual,
    })
    .await
}

fn attempts(provider: &Provider) -> usize {
    provider.lines().iter().filter(|line| line.starts_with("AUTH")).count()
}

#[tokio::test]
async fn refused_credentials_are_renewed_once_and_the_message_goes_out() {
    let provider = refusing(1, REFUSED).await;
    let (pool, logins) = (pool(&provider), Tokens::default());
    send_with(&pool, &logins).await.unwrap();
    assert_eq!((logins.refused.load(Ordering::SeqCst), attempts(&provider), provider.messages().len()), (1, 2, 1));
    let lines = provider.lines();
    let auth: Vec<_> = lines.iter().filter(|line| line.starts_with("AUTH")).collect();
    assert_ne!(auth[0], auth[1], "the second login is by the new token");
    assert!(pool.logins_paused().is_none());
}

#[tokio::test]
async fn the_reason_in_the_refusal_of_a_token_is_kept() {
    // {"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}
    let challenge =
        "334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
    let provider = refusing(99, challenge).await;
    let error = send(&pool(&provider)).await.unwrap_err();
    assert_eq!(error.account_effect(), AccountEffect::CredentialsRefused);
    assert!(error.to_string().contains(r#"{"status":"400""#), "{error}");
    assert_eq!(attempts(&provider), 2);
}

#[tokio::test]
async fn credentials_that_are_refused_again_pause_logins_and_the_client_hears_454_at_once() {
    let provider = refusing(99, REFUSED).await;
    let (pool, logins) = (pool(&provider), Tokens::default());
    let error = send_with(&pool, &logins).await.unwrap_err();
    assert_eq!(error.account_effect(), AccountEffect::CredentialsRefused);
    let connections = provider.connections();
    for _ in 0..5 {
        let error = send_with(&pool, &logins).await.unwrap_err();
        assert!(matches!(&error, Error::LoginsPaused(closed) if closed.cause == Cause::Broken), "{error}");
        let heard = error.verdict(Clients::Queueing).into_reply().to_string();
        assert_eq!(heard, format!("454 4.7.0 account cannot log in: {REFUSED}"));
        assert_eq!(error.account_effect(), AccountEffect::CredentialsRefused);
    }
    assert_eq!((provider.connections(), attempts(&provider)), (connections, 2));
    let until = pool.logins_paused().unwrap().until;
    assert!(until > Instant::now() + Duration::from_secs(4 * 60));
}

#[tokio::test]
async fn a_refused_password_is_tried_once() {
    let provider = refusing(99, REFUSED).await;
    let logins = Tokens { renewal: Err(LoginError::NothingNewer), ..Tokens::default() };
    let error = send_with(&pool(&provider), &logins).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 454);
    assert_eq!(attempts(&provider), 1);
}

#[tokio::test]
async fn a_grant_that_has_ended_is_said_so_and_not_tried_again() {
    let provider = refusing(99, REFUSED).await;
    let pool = pool(&provider);
    let logins = Tokens { renewal: Err(LoginError::NeedsConsent("invalid_grant".into())), ..Tokens::default() };
    let error = send_with(&pool, &logins).await.unwrap_err();
    assert_eq!(error.account_effect(), AccountEffect::NeedsConsent);
    send_with(&pool, &logins).await.unwrap_err();
    assert_eq!(attempts(&provider), 1);
}

#[tokio::test]
async fn a_login_that_is_switched_off_is_not_renewed() {
    let provider = refusing(99, "534 5.7.9 Application-specific password required").await;
    let logins = Tokens::default();
    let error = send_with(&pool(&provider), &logins).await.unwrap_err();
    assert_eq!(error.account_effect(), AccountEffect::LoginDisabled);
    assert_eq!((attempts(&provider), logins.refused.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_temporary_trouble_with_logins_is_tried_once_more() {
    let provider = refusing(1, "454 4.7.0 Cannot authenticate due to temporary system problem").await;
    send(&pool(&provider)).await.unwrap();
    assert_eq!((provider.connections(), provider.messages().len()), (2, 1));
}

#[tokio::test]
async fn after_too_many_logins_one_is_tried_after_a_pause_and_the_message_goes_out() {
    let provider = refusing(1, TOO_MANY).await;
    let (pool, began) = (pool(&provider), Instant::now());
    send(&pool).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!((attempts(&provider), pool.gauges().refused_logins), (2, 1));
    assert!(pool.logins_paused().is_none());
}

#[tokio::test]
async fn a_pause_of_logins_beyond_the_messages_patience_is_answered_at_once() {
    let provider = refusing(99, TOO_MANY).await;
    let pool = pool_with(&provider, |limits| limits.acquire_deadline = Duration::from_millis(500));
    let began = Instant::now();
    for _ in 0..3 {
        let error = send(&pool).await.unwrap_err();
        let heard = error.verdict(Clients::Queueing).into_reply().to_string();
        assert_eq!(heard, format!("451 4.7.0 account's logins are paused: {TOO_MANY}"));
        assert_eq!(error.account_effect(), AccountEffect::LoginsThrottled);
    }
    assert!(began.elapsed() < Duration::from_millis(400));
    assert_eq!(attempts(&provider), 1);
}

#[tokio::test]
async fn while_logins_are_paused_a_message_gets_the_session_that_another_is_done_with() {
    let (bell, count) = (Arc::new(Notify::new()), AtomicUsize::new(0));
    let ring = Arc::clone(&bell);
    let provider = Provider::with(move |moment: &Moment| match (moment.at, moment.connection, moment.message) {
        (At::Auth, ..) if count.fetch_add(1, Ordering::SeqCst) > 0 => Act::Say(TOO_MANY),
        (At::Content, 1, 1) => Act::UsualAt(Arc::clone(&bell)),
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.acquire_deadline = Duration::from_secs(60));
    let deliver = |pool: &Pool| {
        let pool = pool.clone();
        tokio::spawn(async move { send(&pool).await })
    };
    let first = deliver(&pool);
    until(|| pool.gauges().open == 1).await;
    let second = deliver(&pool);
    until(|| pool.gauges().waiting == 1).await;
    ring.notify_one();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!((first.session, second.session, second.reused), (1, 1, true));
    assert_eq!(provider.messages().len(), 2);
    assert!(pool.logins_paused().is_some(), "nothing but a login opens the gate");
}

#[tokio::test]
async fn a_421_as_greeting_pauses_logins() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Greeting => Act::SayAndClose("421 4.7.0 Try again later, closing connection."),
        _ => Act::Usual,
    })
    .await;
    let pool = pool_with(&provider, |limits| limits.acquire_deadline = Duration::from_millis(500));
    let error = send(&pool).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
    send(&pool).await.unwrap_err();
    assert_eq!(provider.connections(), 1);
}

#[tokio::test]
async fn a_provider_that_does_not_want_us_is_never_a_bounce() {
    let provider = Provider::with(|moment: &Moment| match moment.at {
        At::Greeting => Act::SayAndClose("554 5.7.1 No service for you"),
        _ => Act::Usual,
    })
    .await;
    let error = send(&pool(&provider)).await.unwrap_err();
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
}

struct NoTokens;

impl LoginSource for NoTokens {
    fn login(&self) -> LoginFuture<'_> {
        Box::pin(async { Err(LoginError::Unavailable("the token endpoint is down".into())) })
    }

    fn refused<'a>(&'a self, _refused: &'a SessionLogin) -> LoginFuture<'a> {
        self.login()
    }
}

#[tokio::test]
async fn without_credentials_no_connection_is_made_but_sessions_at_hand_serve() {
    let provider = Provider::friendly().await;
    let pool = pool(&provider);
    let error = send_with(&pool, &NoTokens).await.unwrap_err();
    assert_eq!((error.verdict(Clients::Queueing).reply().code(), provider.connections()), (454, 0));
    send(&pool).await.unwrap();
    send_with(&pool, &NoTokens).await.unwrap();
    assert_eq!((provider.connections(), provider.messages().len()), (1, 2));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_temporary() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut target = Provider::friendly().await.target();
    target.port = closed;
    let error = send(&Pool::new(target, limits())).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(error.verdict(Clients::Queueing).reply().code(), 451);
}

#[tokio::test]
async fn opening_a_session_takes_no_longer_than_it_may() {
    for at in [At::Greeting, At::Ehlo, At::Auth] {
        let provider =
            Provider::with(move |moment: &Moment| if moment.at == at { Act::Stall } else { Act::Usual }).await;
        let pool = pool_with(&provider, |limits| limits.dial_deadline = Duration::from_millis(50));
        let error = send(&pool).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert_eq!(pool.gauges().open, 0);
    }
}
