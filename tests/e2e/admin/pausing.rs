//! Pausing and resuming, as clients, operators and tenants see it.

use posthouse_simulator::provider::Provider;
use serde_json::Value;

use super::operated::{ACME, GLOBEX, OPERATOR, Operated, acme};
use crate::post::{APP, OTHER, send};
use crate::wire::Wire;

const TENANT: &str = "/v1/tenants/acme";
const GMAIL: &str = "/v1/tenants/acme/accounts/gmail";
const OUTLOOK: &str = "/v1/tenants/acme/accounts/outlook";

async fn mail(client: &mut Wire, from: &str) -> String {
    send(client, from, &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await
}

#[tokio::test]
async fn a_paused_tenants_mail_stays_with_its_clients_and_nobody_elses() {
    let relay = Operated::new().await;
    let (mut app, mut other) = (relay.files.client(APP).await, relay.files.client(OTHER).await);
    // What is under way ends as it began.
    app.expect("MAIL FROM:<me@acme.example>", "250").await;
    let answer = relay.pause(TENANT, OPERATOR).await.done();
    assert_eq!(
        (&answer["changed"], &answer["generation"], &answer["pause"]["by"]),
        (&true.into(), &3.into(), &"ops".into())
    );
    app.expect("RCPT TO:<ann@example.org>", "250").await;
    app.expect("DATA", "354").await;
    app.send("Subject: hi\r\n\r\nbody\r\n.\r\n").await;
    app.hear("250 ").await;
    let heard = app.ask("MAIL FROM:<me@acme.example>").await;
    assert_eq!(heard, "451 4.3.2 mail of this tenant is paused: moving house\r\n");
    assert!(mail(&mut other, "me@globex.example").await.starts_with("250 "));
    // Again is no news.
    let answer = relay.pause(TENANT, OPERATOR).await.done();
    assert_eq!((&answer["changed"], &answer["generation"]), (&false.into(), &3.into()));
    // It outlives reloads, and even its file's absence.
    let more = acme(&relay.files) + "[[routes]]\nname = \"more\"\naccounts = [\"gmail\"]\n";
    assert!(relay.files.change("tenants/acme.toml", &more).await.is_good());
    app.expect("MAIL FROM:<me@acme.example>", "451 4.3.2").await;
    relay.files.remove("tenants/acme.toml");
    assert!(relay.files.reload().await.is_good());
    assert!(relay.files.change("tenants/acme.toml", &more).await.is_good());
    let mut again = relay.files.client(APP).await;
    again.expect("MAIL FROM:<me@acme.example>", "451 4.3.2").await;
    let shown = relay.get(TENANT, ACME).await.done();
    assert_eq!((&shown["state"], &shown["pause"]["reason"]), (&"paused".into(), &"moving house".into()));
    assert_eq!(relay.get("/v1/status", OPERATOR).await.done()["tenants_paused"], 1);
    let answer = relay.post("/v1/tenants/acme/resume", OPERATOR).await.done();
    assert_eq!((&answer["changed"], &answer["pause"]), (&true.into(), &Value::Null));
    assert!(mail(&mut again, "me@acme.example").await.starts_with("250 "));
    assert_eq!(relay.post("/v1/tenants/acme/resume", OPERATOR).await.done()["changed"], false);
    assert_eq!(relay.files.simulator.ledger().messages().len(), 3);
}

#[tokio::test]
async fn a_paused_account_is_not_chosen() {
    let relay = Operated::new().await;
    let mut app = relay.files.client(APP).await;
    let state = |answer: Value, index: usize| answer["account_list"][index]["state"]["name"].clone();
    relay.pause(GMAIL, ACME).await.done();
    assert_eq!(state(relay.get(TENANT, ACME).await.done(), 0), "paused");
    assert!(mail(&mut app, "me@acme.example").await.starts_with("250 "));
    let messages = relay.files.simulator.ledger().wait_for(1).await;
    assert_eq!(messages[0].provider, Provider::Outlook);
    relay.pause(OUTLOOK, ACME).await.done();
    let heard = app.ask("MAIL FROM:<me@acme.example>").await;
    assert_eq!(heard, "451 4.3.2 account gmail is paused: moving house\r\n");
    relay
        .files
        .change("tenants/acme.toml", &(acme(&relay.files) + "[[routes]]\nname = \"more\"\naccounts = [\"gmail\"]\n"))
        .await;
    app.expect("MAIL FROM:<me@acme.example>", "451 4.3.2").await;
    relay.post("/v1/tenants/acme/accounts/gmail/resume", ACME).await.done();
    assert!(mail(&mut app, "me@acme.example").await.starts_with("250 "));
    let messages = relay.files.simulator.ledger().wait_for(2).await;
    assert_eq!(messages[1].provider, Provider::Gmail);
    // The other tenant has an account of the same name.
    let globex = relay.get("/v1/tenants/globex", GLOBEX).await.done();
    assert_eq!((state(globex.clone(), 0), &globex["totals"]["delivered"]), ("ready".into(), &0.into()));
    let acme = relay.get(TENANT, ACME).await.done();
    assert_eq!((&acme["totals"]["delivered"], &acme["accounts_ready"]), (&2.into(), &1.into()));
}

#[tokio::test]
async fn a_tenant_does_not_end_what_an_operator_has_paused() {
    let relay = Operated::new().await;
    relay.pause(TENANT, OPERATOR).await.done();
    let error = relay.post("/v1/tenants/acme/resume", ACME).await.refused(403);
    assert_eq!(error, "an operator has paused it: moving house");
    // Nor does it put its own pause in the place of that one, to end it then.
    relay.pause(TENANT, ACME).await.refused(403);
    assert_eq!(relay.get(TENANT, ACME).await.done()["state"], "paused");
    // The other way round an operator may.
    relay.pause(GMAIL, ACME).await.done();
    relay.post("/v1/tenants/acme/accounts/gmail/resume", OPERATOR).await.done();
    relay.pause(GMAIL, ACME).await.done();
    assert_eq!(relay.pause(GMAIL, OPERATOR).await.done()["pause"]["by_operator"], true);
    relay.post("/v1/tenants/acme/accounts/gmail/resume", ACME).await.refused(403);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let relay = Operated::new().await;
    relay.pause(GMAIL, ACME).await.done();
    relay.pause(TENANT, OPERATOR).await.done();
    relay.post("/v1/tenants/acme/resume", ACME).await.refused(403);
    relay.post("/v1/reload", OPERATOR).await.done();
    relay.files.write("tenants/acme.toml", "[[logins");
    relay.post("/v1/reload", OPERATOR).await.refused(422);
    let entries = relay.get("/v1/audit", OPERATOR).await.done();
    let entries = entries["entries"].as_array().expect("entries");
    let told = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
        [text("who"), text("of_tenant"), text("from"), text("action"), text("tenant"), text("account"), text("outcome")]
            .join(" ")
    };
    assert_eq!(
        entries.iter().map(told).collect::<Vec<_>>(),
        [
            "ops - 127.0.0.1 reload - - refused",
            "ops - 127.0.0.1 reload - - unchanged",
            "acme-app acme 127.0.0.1 resume acme - refused",
            "ops - 127.0.0.1 pause acme - done",
            "acme-app acme 127.0.0.1 pause acme gmail done",
            // The set-up's own.
            "signal - - reload - - done",
        ]
    );
    assert!(entries[0]["detail"].as_str().is_some_and(|detail| detail.contains("tenants/acme.toml:1")), "{entries:?}");
    assert_eq!((&entries[4]["detail"], &entries[4]["generation"]), (&"moving house".into(), &3.into()));
}
