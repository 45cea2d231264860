//! Authentication, by who is let in.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use super::{Authentication, Refusal};
use crate::config::password;

static HASH: LazyLock<String> = LazyLock::new(|| password::hash(b"correct"));

fn here() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

async fn login(authentication: &Authentication, from: IpAddr, password: &[u8]) -> Result<(), Refusal> {
    authentication.verify(from, "app", password, Some(&HASH)).await
}

#[tokio::test]
async fn only_the_right_password_of_a_known_login_is_let_in() {
    let authentication = Authentication::new([7; 32]);
    assert_eq!(login(&authentication, here(), b"wrong").await, Err(Refusal::WrongCredentials));
    assert_eq!(login(&authentication, here(), b"correct").await, Ok(()));
    assert_eq!(authentication.verify(here(), "nobody", b"correct", None).await, Err(Refusal::WrongCredentials));
}

#[tokio::test]
async fn a_remembered_password_does_not_outlive_its_hash() {
    let authentication = Authentication::new([7; 32]);
    login(&authentication, here(), b"correct").await.unwrap();
    let other = password::hash(b"changed");
    assert_eq!(authentication.verify(here(), "app", b"correct", Some(&other)).await, Err(Refusal::WrongCredentials));
    assert_eq!(authentication.verify(here(), "app", b"correct", None).await, Err(Refusal::WrongCredentials));
}

#[tokio::test]
async fn failures_shut_the_door_here_but_not_elsewhere() {
    tokio::time::pause();
    let authentication = Authentication::new([7; 32]);
    for _ in 0..6 {
        assert_eq!(login(&authentication, here(), b"wrong").await, Err(Refusal::WrongCredentials));
    }
    assert_eq!(login(&authentication, here(), b"correct").await, Err(Refusal::TooManyFailures));
    assert_eq!(login(&authentication, "192.0.2.2".parse().unwrap(), b"correct").await, Ok(()));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(login(&authentication, here(), b"correct").await, Ok(()));
}

#[tokio::test]
async fn one_address_cannot_try_many_logins() {
    tokio::time::pause();
    let authentication = Authentication::new([7; 32]);
    for guess in 0..21 {
        let _ = authentication.verify(here(), &format!("guess-{guess}"), b"x", None).await;
    }
    assert_eq!(authentication.verify(here(), "another", b"x", None).await, Err(Refusal::TooManyFailures));
}

#[tokio::test]
async fn a_burst_of_guesses_is_counted_before_it_is_answered() {
    let authentication = std::sync::Arc::new(Authentication::new([7; 32]));
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let authentication = authentication.clone();
        guesses.spawn(async move { login(&authentication, here(), b"wrong").await });
    }
    let answers = guesses.join_all().await;
    let verified = answers.iter().filter(|answer| **answer == Err(Refusal::WrongCredentials)).count();
    assert!(verified <= 7, "{verified} guesses were verified");
}

#[tokio::test]
async fn a_client_with_many_connections_is_no_guesser() {
    let authentication = std::sync::Arc::new(Authentication::new([7; 32]));
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let authentication = authentication.clone();
        logins.spawn(async move { login(&authentication, here(), b"correct").await });
    }
    assert!(logins.join_all().await.iter().all(Result::is_ok));
}
