//! Policies over HTTP that are not taken, each for its own reason, and what is left as it was.

use super::http::{Answer, Ask};
use super::operated::{ACME, Operated, acme};
use crate::post::guest_file;

const PATH: &str = "/v1/tenants/acme/policies";

async fn taking_uploads() -> Operated {
    let relay = Operated::new().await;
    let report = relay.files.change("tenants/acme.toml", &(acme(&relay.files) + "[policy]\n")).await;
    assert!(report.is_good(), "{report}");
    relay
}

fn guest() -> Vec<u8> {
    std::fs::read(guest_file("scripted")).expect("a guest")
}

fn upload() -> Ask {
    Ask::post(PATH).token(ACME).field("content-type", "application/wasm")
}

async fn refused(relay: &Operated, ask: Ask, status: u16, told: &str) {
    let answer: Answer = relay.ask(&ask).await;
    let error = answer.refused(status);
    assert!(error.contains(told), "{told} is not in {error}");
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_is_said_and_nothing_is_kept() {
    let relay = taking_uploads().await;
    let json = Ask::post(PATH).token(ACME).field("content-type", "application/json").body(guest());
    refused(&relay, json, 415, "not said to be a component").await;
    refused(&relay, Ask::post(PATH).token(ACME).body(guest()), 415, "not said to be a component").await;
    refused(&relay, upload().body(vec![0; 33 << 20]), 413, "longer than").await;
    refused(&relay, upload().body(b"\x7fELF"), 422, "no WebAssembly").await;
    refused(&relay, upload().body(&guest()[..2000]), 422, "damaged").await;
    refused(&relay, upload().field("posthouse-digest", "sha256:00").body(guest()), 422, "damaged on the way").await;
    refused(&relay, upload().field("posthouse-settings", "[1]").body(guest()), 422, "posthouse-settings").await;
    let settings = upload().field("posthouse-settings", "{\"message\": \"no-such-step\"}");
    refused(&relay, settings.body(guest()), 422, "no-such-step").await;
    refused(&relay, upload().field("posthouse-signature", "zz").body(guest()), 403, "no signer").await;
    for (query, told) in [
        ("stage=everything", "query"),
        ("percent=5", "only a canary"),
        ("stage=canary", "has a `percent`"),
        ("stage=canary&percent=100", "1 to 99"),
        ("note=two%0Alines", "one line"),
        ("colour=blue", "query"),
    ] {
        let answer = relay.ask(&upload().at(&format!("{PATH}?{query}")).body(guest())).await;
        assert!(matches!(answer.status, 409 | 422) && answer.body.contains(told), "{query}: {answer:?}");
    }
    let kept = relay.get(PATH, ACME).await.done();
    assert_eq!(kept["generations"], serde_json::json!([]));
    // And what is good is taken, by curl as by the command.
    let taken = relay.ask(&upload().at(&format!("{PATH}?stage=active&note=the%20first")).body(guest())).await.done();
    assert_eq!((&taken["number"], &taken["stage"], &taken["note"]), (&1.into(), &"active".into(), &"the first".into()));
}

#[tokio::test]
async fn a_stage_that_cannot_be_is_a_conflict() {
    let relay = taking_uploads().await;
    let stage = |number: &str, stage: &str| {
        Ask::post(&format!("{PATH}/{number}/stage")).token(ACME).json(&format!("{{\"stage\": \"{stage}\"}}"))
    };
    refused(&relay, stage("1", "active"), 404, "no generation 1").await;
    refused(&relay, stage("first", "active"), 404, "no number").await;
    refused(&relay, Ask::post(&format!("{PATH}/rollback")).token(ACME), 409, "no earlier generation").await;
    let settings = Ask::post(&format!("{PATH}/settings")).token(ACME).json("{\"settings\": {}}");
    refused(&relay, settings, 409, "no generation decides").await;
    relay.ask(&upload().at(&format!("{PATH}?stage=active")).body(guest())).await.done();
    refused(&relay, stage("1", "active"), 409, "decides already").await;
    refused(&relay, stage("1", "retired"), 409, "generation 1 decides").await;
}
