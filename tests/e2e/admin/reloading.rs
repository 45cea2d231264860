//! `POST /v1/reload` and `GET /v1/status`; the states of accounts that are out of order.

use super::operated::{ACME, OPERATOR, Operated, acme};
use crate::post::{APP, OTHER, send};

const MESSAGE: &str = "Subject: hi\r\n\r\nbody\r\n";

#[tokio::test]
async fn a_reload_is_reported_to_whoever_asked_and_in_the_status() {
    let relay = Operated::new().await;
    let report = relay.post("/v1/reload", OPERATOR).await.done();
    assert_eq!(
        (&report["outcome"], &report["generation"], &report["cause"]),
        (&"unchanged".into(), &2.into(), &"api".into())
    );
    let good = acme(&relay.files);
    relay.files.write("tenants/acme.toml", &good.replace("provider = \"gmail\"", "provider = \"gmial\""));
    let answer = relay.post("/v1/reload", OPERATOR).await;
    let error = answer.refused(422);
    assert!(error.contains("tenants/acme.toml:") && error.contains("did you mean `gmail`?"), "{error}");
    let status = relay.get("/v1/status", OPERATOR).await.done();
    assert_eq!((&status["generation"], &status["reload"]), (&2.into(), &answer.json()["report"]));
    relay.files.write("tenants/acme.toml", &(good + "[[routes]]\nname = \"more\"\naccounts = [\"gmail\"]\n"));
    assert_eq!(relay.post("/v1/reload", OPERATOR).await.done()["generation"], 3);
    let status = relay.get("/v1/status", OPERATOR).await.done();
    assert_eq!((&status["generation"], &status["reload"]["outcome"]), (&3.into(), &"published".into()));
}

#[tokio::test]
async fn the_status_tells_what_the_relay_does() {
    let relay = Operated::new().await;
    let mut app = relay.files.client(APP).await;
    let mut other = relay.files.client(OTHER).await;
    for _ in 0..3 {
        assert!(send(&mut app, "me@acme.example", &["ann@example.org"], MESSAGE).await.starts_with("250 "));
    }
    assert!(send(&mut other, "me@globex.example", &["ann@example.org"], MESSAGE).await.starts_with("250 "));
    let status = relay.get("/v1/status", OPERATOR).await.done();
    let number = |pointer: &str| {
        status.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or_else(|| panic!("{pointer}"))
    };
    assert_eq!((number("/totals/delivered"), number("/totals/deferred")), (4, 0));
    assert_eq!((number("/connections/open"), number("/sessions/idle"), number("/sessions/waiting")), (2, 2, 0));
    assert_eq!((number("/tenants"), number("/accounts"), number("/accounts_ready")), (2, 3, 3));
    assert!(number("/totals/delivered_bytes") >= 4 * MESSAGE.len() as u64);
    assert!(status["totals"]["delivered_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{status}");
    let address = relay.files.address().to_string();
    assert_eq!(
        (&status["listeners"][0]["name"], &status["listeners"][0]["address"]),
        (&"plain".into(), &address.into())
    );
    let accounts = relay.get("/v1/tenants/acme/accounts", ACME).await.done();
    let gmail = &accounts["accounts"][0];
    assert_eq!(
        (&gmail["id"], &gmail["totals"]["delivered"], &gmail["sessions"]["idle"]),
        (&"gmail".into(), &3.into(), &1.into())
    );
    assert_eq!((&gmail["logins"]["accepted"], &gmail["session_reuses"]), (&1.into(), &2.into()));
    // Counts outlive a reload.
    let more = acme(&relay.files) + "[[routes]]\nname = \"more\"\naccounts = [\"gmail\"]\n";
    relay.files.change("tenants/acme.toml", &more).await;
    assert_eq!(relay.get("/v1/tenants/acme", ACME).await.done()["totals"]["delivered"], 3);
}

#[tokio::test]
async fn a_rate_shows_what_is_left_of_it() {
    let relay = Operated::new().await;
    let limited =
        acme(&relay.files).replace("provider = \"gmail\"\n", "provider = \"gmail\"\nmessages_per_minute = 5\n");
    assert!(relay.files.change("tenants/acme.toml", &limited).await.is_good());
    let mut app = relay.files.client(APP).await;
    for _ in 0..2 {
        assert!(send(&mut app, "me@acme.example", &["ann@example.org"], MESSAGE).await.starts_with("250 "));
    }
    let accounts = relay.get("/v1/tenants/acme/accounts", ACME).await.done();
    assert_eq!(accounts["accounts"][0]["rate"], serde_json::json!({ "per_minute": 5, "left": 3 }));
}

#[tokio::test]
async fn an_account_whose_grant_has_ended_needs_consent_until_it_has_one() {
    let relay = Operated::new().await;
    let mut app = relay.files.client(APP).await;
    let good = acme(&relay.files);
    let bad = good.replace(&relay.files.mailboxes[0].refresh_token, "a-token-that-was-revoked");
    relay.files.change("tenants/acme.toml", &bad.replace("[\"gmail\", \"outlook\"]", "[\"gmail\"]")).await;
    assert!(send(&mut app, "me@acme.example", &["ann@example.org"], MESSAGE).await.starts_with("454 4.7.0"));
    let accounts = relay.get("/v1/tenants/acme/accounts", ACME).await.done();
    let state = &accounts["accounts"][0]["state"];
    assert_eq!(state["name"], "needs_consent", "{state}");
    assert!(state["reason"].as_str().is_some_and(|reason| reason.contains("invalid_grant")), "{state}");
    assert!(state["since"].is_u64(), "{state}");
    relay.files.change("tenants/acme.toml", &good).await;
    assert!(send(&mut app, "me@acme.example", &["ann@example.org"], MESSAGE).await.starts_with("250 "));
    let accounts = relay.get("/v1/tenants/acme/accounts", ACME).await.done();
    assert_eq!(accounts["accounts"][0]["state"]["name"], "ready");
}
