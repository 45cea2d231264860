//! Tokens over real HTTP: issued, rotated, refused.

use std::time::{Duration, Instant};

use super::client::{Client, auth, exchange, form, fresh_token, path, post};
use super::{GMAIL, OUTLOOK, options, started};
use crate::provider::Provider;
use crate::token_faults::{TokenAction, TokenFault};

#[tokio::test]
async fn each_provider_issues_tokens_in_its_words() {
    let simulator = started(options()).await;
    simulator.set_token_lifetime(Provider::Gmail, Duration::from_secs(1_200));
    let (head, google) = post(&simulator, "/google/token", &form("refresh-sales@example.com")).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("no-store"), "{head}");
    assert_eq!((&google["expires_in"], &google["token_type"]), (&1_200.into(), &"Bearer".into()));
    assert!(google.get("refresh_token").is_none());
    let (_, microsoft) = post(&simulator, path(Provider::Outlook), &form("refresh-office@example.org")).await;
    assert_eq!(microsoft["expires_in"], 3_599);
    let rotated = microsoft["refresh_token"].as_str().unwrap();
    let (head, _) = post(&simulator, path(Provider::Outlook), &form(rotated)).await;
    assert!(head.starts_with("HTTP/1.1 200 "));
    let counters = simulator.ledger().counters(Provider::Outlook);
    assert_eq!((counters.token_requests, counters.tokens), (2, 2));
}

#[tokio::test]
async fn errors_come_with_their_name_and_status() {
    let simulator = started(options()).await;
    simulator.revoke(Provider::Gmail, GMAIL).unwrap();
    let good = form("refresh-office@example.org");
    let wrong_secret = good.replace("posthouse-secret", "another");
    let cases = [
        ("/google/token", form("refresh-sales@example.com"), 400, "invalid_grant"),
        (path(Provider::Outlook), wrong_secret, 401, "invalid_client"),
        (path(Provider::Outlook), good.replace("refresh_token&", "password&"), 400, "unsupported_grant_type"),
        (path(Provider::Outlook), good.clone() + "&scope=https%3A%2F%2Fgraph.microsoft.com%2F", 400, "invalid_scope"),
        (path(Provider::Outlook), good.clone() + "&client_id=twice", 400, "invalid_request"),
        ("/elsewhere.test/oauth2/v2.0/token", good.clone(), 400, "invalid_request"),
        ("/a/b/oauth2/v2.0/token", good.clone(), 404, "not_found"),
    ];
    for (path, form, status, error) in cases {
        let (head, body) = post(&simulator, path, &form).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert_eq!(body["error"], error, "{path} {form}");
    }
    let (_, body) = post(&simulator, path(Provider::Outlook), &form("unknown")).await;
    assert_eq!(body["error_codes"][0], 50_173);
    simulator.consent(Provider::Gmail, GMAIL).unwrap();
    fresh_token(&simulator, Provider::Gmail).await;
}

#[tokio::test]
async fn introspection_tells_whom_a_token_is_for() {
    let simulator = started(options()).await;
    let token = fresh_token(&simulator, Provider::Gmail).await;
    let (_, body) = post(&simulator, "/introspect", &format!("token={token}")).await;
    assert_eq!((&body["active"], &body["username"]), (&true.into(), &GMAIL.into()));
    let (_, body) = post(&simulator, "/introspect", "token=unknown").await;
    assert_eq!(body["active"], false);
}

#[tokio::test]
async fn the_endpoint_goes_wrong_as_it_is_told() {
    let simulator = started(options()).await;
    let ask = async || exchange(&simulator, "/google/token", &form("refresh-sales@example.com")).await;
    let busy = simulator.inject_token_fault(TokenFault::answer(503, "busy").header("Retry-After", "7"));
    let (head, body) = ask().await;
    assert!(head.starts_with("HTTP/1.1 503 ") && head.to_lowercase().contains("retry-after: 7"), "{head}");
    assert_eq!((&*body, busy.hits()), ("busy", 1));

    simulator
        .inject_token_fault(TokenFault::new(TokenAction::Garbage(b"\0\xffno HTTP".map(|octet| octet & 127).to_vec())));
    assert_eq!(ask().await.0, "\0\x7fno HTTP");

    simulator.inject_token_fault(TokenFault::new(TokenAction::Drop));
    let before = simulator.ledger().counters(Provider::Gmail).tokens;
    assert_eq!(ask().await.0, "");
    assert_eq!(simulator.ledger().counters(Provider::Gmail).tokens, before);
    simulator.inject_token_fault(TokenFault::new(TokenAction::DropAnswer));
    assert_eq!(ask().await.0, "");
    assert_eq!(simulator.ledger().counters(Provider::Gmail).tokens, before + 1);

    let start = Instant::now();
    simulator.inject_token_fault(TokenFault::new(TokenAction::Proceed).delay(Duration::from_millis(100)));
    assert!(ask().await.0.starts_with("HTTP/1.1 200 "));
    assert!(start.elapsed() >= Duration::from_millis(100));

    simulator.inject_token_fault(TokenFault::new(TokenAction::Stall).provider(Provider::Gmail).mailbox(GMAIL).always());
    assert!(tokio::time::timeout(Duration::from_millis(100), ask()).await.is_err());
    fresh_token(&simulator, Provider::Outlook).await;
    simulator.clear_token_faults();
    assert!(ask().await.0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_token_that_has_expired_by_itself_opens_nothing() {
    let simulator = started(options()).await;
    simulator.set_token_lifetime(Provider::Outlook, Duration::ZERO);
    let token = fresh_token(&simulator, Provider::Outlook).await;
    let mut client = Client::greeted(&simulator, Provider::Outlook).await;
    client.ask("EHLO client.test\r\n").await;
    assert!(client.ask(auth(OUTLOOK, &token)).await.starts_with("535 5.7.3 "));
}
