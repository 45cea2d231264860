//! What ends by itself: the state, the API and the page tell it while mail still flows.

use super::account;
use super::receiver::Receiver;
use crate::admin::http::Ask;
use crate::admin::operated::{OPERATOR, Operated, acme};
use crate::files::Files;
use crate::post::{APP, send};

/// A day so many days from now, as the configuration writes it.
pub(super) fn day(from_now: u64) -> String {
    let output = std::process::Command::new("date").args(["-u", "-d", &format!("+{from_now} days"), "+%F"]).output();
    String::from_utf8(output.expect("there is `date`").stdout).expect("text").trim().to_owned()
}

#[tokio::test]
async fn a_secret_that_ends_soon_is_told_and_mail_flows() {
    let receiver = Receiver::start().await;
    let relay = Operated::with(&format!("[alerts]\nwebhook = \"http://{}/\"\n", receiver.address)).await;
    // Nobody has said when the secret ends; the consent does when nobody uses it for half a year.
    let credential = &super::until_state(&relay, "gmail", "ready").await["expires"]["credential"];
    assert!(credential == "refresh_token" || credential.is_null(), "{credential}");
    let with_end = |days| {
        let secret = "client_secret = \"posthouse-secret\"\n";
        acme(&relay.files).replacen(secret, &format!("{secret}client_secret_expires = \"{}\"\n", day(days)), 1)
    };
    relay.files.change("tenants/acme.toml", &with_end(60)).await;
    let found = account(&relay, "gmail").await;
    assert!(found["state"]["name"] == "ready" && found["expires"]["credential"] == "client_secret", "{found}");
    relay.files.change("tenants/acme.toml", &with_end(10)).await;
    let found = account(&relay, "gmail").await;
    let (state, at) = (&found["state"], found["expires"]["at"].as_u64().expect("a moment"));
    assert_eq!(state["name"], "expiring", "{found}");
    assert_eq!(state["until"], at);
    assert_eq!(state["since"], at - 30 * 86_400);
    assert!(
        state["reason"].as_str().is_some_and(|reason| reason.starts_with("its client secret ends in 9 days")),
        "{found}"
    );
    let status = relay.get("/v1/status", OPERATOR).await.done();
    assert!(status["accounts_ready"] == status["accounts"] && status["accounts_expiring"] == 1, "{status}");
    let page = relay.ask(&Ask::get("/").token(OPERATOR)).await.body;
    assert!(page.contains("expiring") && page.contains("ends in"), "the page tells it");
    let mut client = relay.files.client(APP).await;
    assert!(send(&mut client, "mail@acme.example", &["ann@example.org"], "x\r\n").await.starts_with("250 "));
    let alert = receiver.requests(1).await.remove(0).alerts().remove(0);
    assert!(alert["event"] == "expiring" && alert["expires"] == at, "{alert}");
    // A new secret is no trouble any more.
    relay.files.change("tenants/acme.toml", &with_end(700)).await;
    let healed = receiver.requests(2).await.remove(1).alerts().remove(0);
    assert!(healed["event"] == "healed" && healed["before"] == "expiring", "{healed}");
}

#[tokio::test]
async fn a_consent_that_lives_for_a_week_is_counted_from_its_first_use_through_restarts_and_by_any_id() {
    let mut files = Files::new().await;
    let provider = "provider = \"gmail\"\n";
    files
        .change(
            "tenants/acme.toml",
            &files.acme("").replacen(provider, &format!("{provider}refresh_token_age = \"7 d\"\n"), 1),
        )
        .await;
    let mut client = files.client(APP).await;
    assert!(send(&mut client, "mail@acme.example", &["ann@example.org"], "x\r\n").await.starts_with("250 "));
    drop(client);
    let expiry = |files: &Files, id: &str| files.relay.snapshot().tenants["acme"].accounts[id].expiry();
    let before = expiry(&files, "gmail").expect("it was used");
    assert_eq!(before.credential.word(), "refresh_token");
    assert_eq!(files.relay.snapshot().tenants["acme"].accounts["gmail"].state().name.word(), "expiring");
    // Were it counted anew, it would end later: ends are whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    files.restart().await;
    assert_eq!(expiry(&files, "gmail"), Some(before));
    let file = std::fs::read_to_string(files.path("tenants/acme.toml")).expect("it is there");
    let renamed = file.replace("id = \"gmail\"", "id = \"letters\"").replace("[\"gmail\"]", "[\"letters\"]");
    files.stop().await;
    files.write("tenants/acme.toml", &renamed);
    files.start().await;
    assert_eq!(expiry(&files, "letters"), Some(before));
}
