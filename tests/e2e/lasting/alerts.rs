//! The webhook: one alert for each change that somebody must act on, brought until it is taken, and no secret in it.

use posthouse_simulator::provider::Provider;

use super::receiver::{Brought, Receiver};
use super::{account, give_consent, until_state};
use crate::admin::operated::{Operated, acme};
use crate::post::{APP, send};

const BOX: &str = "mail@acme.example";
const TO: &[&str] = &["ann@example.org"];
const MAIL: &str = "Subject: hi\r\n\r\nbody\r\n";

/// A relay with its two tenants, whose alerts go there.
async fn relay(receiver: &Receiver) -> Operated {
    let alerts = format!(
        "[alerts]\nwebhook = \"http://{}/hook?key=in-the-url\"\ntoken = \"bearer-token\"\nsigning_key = \"signing-key\"\n",
        receiver.address
    );
    Operated::with(&format!("metrics_token = false\n{alerts}")).await
}

async fn deliver(relay: &Operated) -> String {
    let mut client = relay.files.client(APP).await;
    send(&mut client, BOX, TO, MAIL).await
}

/// Everything but the fields that carry them is free of secrets.
fn no_secret(brought: &Brought) {
    for secret in ["posthouse-secret", "refresh-", "bearer-token", "signing-key", "in-the-url"] {
        assert!(!brought.body.contains(secret), "{secret} in {}", brought.body);
    }
}

#[tokio::test]
async fn a_refused_account_is_one_alert_and_a_healed_one_is_another() {
    let receiver = Receiver::start().await;
    let relay = relay(&receiver).await;
    relay.files.simulator.disable(Provider::Gmail, BOX).expect("a mailbox");
    for _ in 0..3 {
        assert!(deliver(&relay).await.starts_with("454 4.7.0"), "it cannot log in");
    }
    let requests = receiver.requests(1).await;
    let alerts = requests[0].alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let alert = &alerts[0];
    for (field, value) in
        [("event", "refused"), ("tenant", "acme"), ("account", "gmail"), ("before", "ready"), ("after", "refused")]
    {
        assert_eq!(alert[field], value, "{alert}");
    }
    assert!(
        alert["since"].is_u64() && alert["reason"].as_str().is_some_and(|reason| reason.starts_with("535 ")),
        "{alert}"
    );
    assert!(alert["text"].as_str().is_some_and(|text| text.contains("posthouse account test acme/gmail")), "{alert}");
    assert_eq!(requests[0].json()["text"], alert["text"], "what chat services show");
    assert!(requests[0].head.contains("authorization: bearer bearer-token"), "{}", requests[0].head);
    assert!(requests[0].head.contains("posthouse-signature: sha256="), "{}", requests[0].head);
    // The API says the same.
    let shown = account(&relay, "gmail").await;
    assert_eq!(shown["state"]["since"], alert["since"], "{shown}");
    // Another consent opens the gate at once.
    relay.files.simulator.enable(Provider::Gmail, BOX).expect("a mailbox");
    give_consent(&relay, "gmail", &format!("refresh-{BOX}")).await.done();
    assert!(deliver(&relay).await.starts_with("250 "));
    let requests = receiver.requests(2).await;
    let healed = requests[1].alerts();
    assert_eq!(healed.len(), 1, "{healed:?}");
    assert!(healed[0]["event"] == "healed" && healed[0]["before"] == "refused" && healed[0]["after"] == "ready");
    assert_eq!(requests.len(), 2, "no more than that");
    requests.iter().for_each(no_secret);
}

#[tokio::test]
async fn mail_flows_while_nobody_takes_alerts_and_they_come_when_somebody_does() {
    let receiver = Receiver::start().await;
    let relay = relay(&receiver).await;
    receiver.answer(503);
    relay.files.simulator.revoke(Provider::Outlook, "box@acme.example").expect("a mailbox");
    let mut client = relay.files.client(APP).await;
    assert!(send(&mut client, "box@acme.example", TO, MAIL).await.starts_with("454 4.7.0"));
    let first = receiver.requests(1).await.remove(0).alerts();
    for _ in 0..20 {
        assert!(deliver(&relay).await.starts_with("250 "));
    }
    receiver.answer(200);
    let requests = receiver.requests(receiver.so_far().len() + 1).await;
    let last = requests.last().expect("there is one").alerts();
    assert_eq!(last, first, "the same alert, by the same id");
    assert_eq!(last[0]["event"], "needs_consent");
    requests.iter().for_each(no_secret);
}

/// The consent is given again at the provider: nothing is sent and nobody reloads, and the account is ready.
#[tokio::test]
async fn an_account_whose_consent_is_given_again_is_ready_without_a_message() {
    let receiver = Receiver::start().await;
    let relay = relay(&receiver).await;
    relay.files.simulator.revoke(Provider::Gmail, BOX).expect("a mailbox");
    assert!(deliver(&relay).await.starts_with("454 4.7.0"));
    until_state(&relay, "gmail", "needs_consent").await;
    receiver.requests(1).await;
    relay.files.simulator.consent(Provider::Gmail, BOX).expect("a mailbox");
    until_state(&relay, "gmail", "ready").await;
    let requests = receiver.requests(2).await;
    assert_eq!(requests[1].alerts()[0]["event"], "healed");
    assert!(deliver(&relay).await.starts_with("250 "));
}

#[tokio::test]
async fn a_webhook_that_is_taken_out_of_the_configuration_hears_nothing() {
    let receiver = Receiver::start().await;
    let relay = relay(&receiver).await;
    let main = relay.files.main_file(&crate::admin::operated::admin(""));
    relay.files.change("posthouse.toml", &main).await;
    relay.files.write("tenants/acme.toml", &acme(&relay.files));
    relay.files.simulator.revoke(Provider::Gmail, BOX).expect("a mailbox");
    assert!(deliver(&relay).await.starts_with("454 4.7.0"));
    until_state(&relay, "gmail", "needs_consent").await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert!(receiver.so_far().is_empty());
}
