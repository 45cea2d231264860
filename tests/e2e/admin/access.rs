//! Who may do what: every endpoint with every token that is not good for it, taken from the API's own description.

use serde_json::Value;

use super::http::{Answer, Ask};
use super::operated::{ACME, ACME_WATCHER, GLOBEX, NOBODYS, OPERATOR, Operated, WATCHER, acme, admin};
use crate::post::{APP, guest_file};

/// Everybody who has a token, and the roles that it gives at the tenant `acme`.
const CALLERS: [(&str, &[&str]); 5] = [
    (WATCHER, &["any", "relay:read", "tenant:read"]),
    (ACME, &["any", "tenant:read", "tenant:change"]),
    (ACME_WATCHER, &["any", "tenant:read"]),
    (GLOBEX, &["any"]),
    (OPERATOR, &["any", "relay:read", "relay:change", "tenant:read", "tenant:change"]),
];

/// Every operation: method, path (of acme's gmail), the role that it needs, and a request that would be done.
pub(super) async fn operations(relay: &Operated) -> Vec<(String, String, Option<String>, Ask)> {
    let description = relay.ask(&Ask::get("/v1/openapi.json")).await.done();
    let mut found = Vec::new();
    for (template, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let path = template.replace("{tenant}", "acme").replace("{account}", "gmail").replace("{number}", "1");
            assert!(!path.contains('{'), "{path} has a parameter that this test does not know");
            let role = operation["security"][0]["token"][0].as_str().map(str::to_owned);
            let ask = with_body(Ask::new(method, &path), &operation["requestBody"]["content"]);
            found.push((method.clone(), template.clone(), role, ask));
        }
    }
    assert!(found.len() >= 15, "{found:?}");
    found
}

/// A body of the kind that is described, if one is.
fn with_body(ask: Ask, content: &Value) -> Ask {
    if content.get("application/wasm").is_some() {
        let component = std::fs::read(guest_file("scripted")).expect("a prebuilt guest");
        let settings = ask.field("posthouse-settings", "{\"message\":\"proceed\"}");
        return settings.field("content-type", "application/wasm").body(component);
    }
    match content["application/json"]["schema"]["$ref"].as_str() {
        None => ask,
        Some("#/components/schemas/Reason") => ask.json("{\"reason\":\"moving house\"}"),
        Some("#/components/schemas/Consent") => ask.json("{\"refresh_token\":\"refresh-mail@acme.example\"}"),
        Some("#/components/schemas/SettingsWish") => ask.json("{\"settings\":{\"message\":\"proceed\"}}"),
        Some("#/components/schemas/StageWish") => ask.json("{\"stage\":\"active\"}"),
        Some(other) => panic!("this test does not know the body {other}"),
    }
}

#[tokio::test]
async fn every_endpoint_refuses_every_token_that_is_not_good_for_it() {
    let relay = Operated::new().await;
    for (index, (method, path, role, ask)) in operations(&relay).await.into_iter().enumerate() {
        let name = format!("{method} {path}");
        for (token, roles) in CALLERS {
            let answer = relay.ask(&ask.clone().token(token)).await;
            match &role {
                Some(role) if !roles.contains(&role.as_str()) => drop(answer.refused(403)),
                // This relay was started without a recorder of metrics.
                _ if path == "/metrics" => drop(answer.refused(404)),
                // It has no policy and may bring none.
                _ if path.contains("/policies") => {
                    assert!(matches!(answer.status, 200 | 404 | 409), "{name}: {answer:?}")
                }
                _ => assert_eq!(answer.status, 200, "{name} with {token}: {answer:?}"),
            }
        }
        // What an operator has paused is no tenant's to change: the next endpoint begins anew.
        for at in ["/v1/tenants/acme", "/v1/tenants/acme/accounts/gmail"] {
            relay.post(&format!("{at}/resume"), OPERATOR).await.done();
        }
        // From an address of its own each, since wrong tokens are counted.
        let from = |kind: u8| [127, 0, 1 + kind, u8::try_from(index + 1).expect("few operations")];
        let basic = ask.clone().field("authorization", "Basic b3BzOm9wcw==");
        let two = ask.clone().token(OPERATOR).token(OPERATOR);
        let long = ask.clone().token(&"x".repeat(300));
        let near = ask.clone().token(&OPERATOR[..OPERATOR.len() - 1]);
        let wrong = [ask.clone(), basic, two, long, near, ask.clone().token(NOBODYS), ask.clone().token("")];
        for (wrong, kind) in wrong.into_iter().zip(1..) {
            let answer = relay.ask(&wrong.from(from(kind))).await;
            match &role {
                Some(_) => {
                    answer.refused(401);
                    assert_eq!(answer.field("www-authenticate"), Some("Bearer"), "{name}");
                }
                None => assert!(matches!(answer.status, 200 | 404), "{name}: {answer:?}"),
            }
            no_neighbours(&answer);
        }
    }
}

/// What is refused names nobody whom the caller may not know.
fn no_neighbours(answer: &Answer) {
    assert!(!answer.body.contains("globex") || answer.body.contains("openapi"), "{answer:?}");
}

#[tokio::test]
async fn a_tenants_token_learns_nothing_of_other_tenants() {
    let relay = Operated::new().await;
    let of = |id: &str| format!("/v1/tenants/{id}");
    let there = relay.get(&of("globex"), ACME).await;
    let not_there = relay.get(&of("nobody"), ACME).await;
    assert_eq!((there.refused(403), &there.body), (not_there.refused(403), &not_there.body));
    for path in ["/v1/tenants/globex/accounts", "/v1/tenants/globex/accounts/gmail/pause", "/v1/tenants/globex/pause"] {
        let method = if path.ends_with("pause") { "POST" } else { "GET" };
        relay.ask(&Ask::new(method, path).token(ACME).json("{\"reason\":\"x\"}")).await.refused(403);
    }
    let ids = |answer: Value| {
        answer["tenants"].as_array().expect("tenants").iter().map(|t| t["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(relay.get("/v1/tenants", ACME).await.done()), ["acme"]);
    assert_eq!(ids(relay.get("/v1/tenants", WATCHER).await.done()), ["acme", "globex"]);
    // Of the audit log only what was done to it.
    relay.pause("/v1/tenants/globex", OPERATOR).await.done();
    relay.pause("/v1/tenants/acme", OPERATOR).await.done();
    let entries = relay.get("/v1/audit", ACME).await.done();
    let entries = entries["entries"].as_array().expect("entries");
    assert!(entries.len() == 1 && entries[0]["tenant"] == "acme", "{entries:?}");
    relay.get("/v1/tenants/nobody", OPERATOR).await.refused(404);
}

#[tokio::test]
async fn wrong_tokens_are_slowed_down_and_the_right_one_never() {
    let relay = Operated::new().await;
    let from = [127, 0, 0, 7];
    let wrong = Ask::get("/v1/status").token(NOBODYS).from(from);
    for _ in 0..6 {
        relay.ask(&wrong).await.refused(401);
    }
    let answer = relay.ask(&wrong).await;
    answer.refused(429);
    let seconds: u64 = answer.field("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=301).contains(&seconds), "{seconds}");
    // Whoever shares the address is not locked out, and nobody elsewhere notices.
    relay.ask(&Ask::get("/v1/status").token(OPERATOR).from(from)).await.done();
    relay.ask(&wrong.from([127, 0, 0, 8])).await.refused(401);
}

#[tokio::test]
async fn tokens_change_with_a_reload() {
    let relay = Operated::new().await;
    let files = &relay.files;
    relay.get("/v1/tenants/acme", ACME).await.done();
    let text = acme(files);
    let (before, _) = text.split_once("[[tokens]]").expect("the tenant has tokens");
    files.change("tenants/acme.toml", before).await;
    relay.get("/v1/tenants/acme", ACME).await.refused(401);
    files.change("tenants/acme.toml", &text).await;
    relay.get("/v1/tenants/acme", ACME).await.done();
    // The same token is another tenant's now: it opens that one, and the old one no more.
    let globex = std::fs::read_to_string(files.path("tenants/globex.toml")).expect("a file");
    let moved = super::operated::token("globex-app", ACME, "");
    let globex = globex.split_once("[[tokens]]").expect("the tenant has tokens").0.to_owned() + &moved;
    files.write("tenants/acme.toml", before);
    let report = files.change("tenants/globex.toml", &globex).await;
    assert!(report.is_good(), "{report}");
    relay.get("/v1/tenants/acme", ACME).await.refused(403);
    relay.get("/v1/tenants/globex", ACME).await.done();
    // An operator's goes too.
    let main = files.main_file(&admin("").replace("name = \"ops\"", "name = \"someone\""));
    files.change("posthouse.toml", &main.replace("scope = \"operator\"", "scope = \"read\"")).await;
    relay.get("/v1/status", OPERATOR).await.done();
    relay.post("/v1/reload", OPERATOR).await.refused(403);
}

#[tokio::test]
async fn metrics_need_a_token_where_the_configuration_says_so() {
    let relay = Operated::with("metrics_token = true").await;
    relay.ask(&Ask::get("/metrics")).await.refused(401);
    relay.get("/metrics", ACME).await.refused(403);
    // This relay was started without a recorder: whoever may look is told so.
    relay.get("/metrics", WATCHER).await.refused(404);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(relay.ask(&Ask::get(path).host("anything.example")).await.status, 200);
    }
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let relay = Operated::new().await;
    let mut client = relay.files.client(APP).await;
    crate::post::send(&mut client, "me@acme.example", &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n").await;
    let mut secrets = vec![relay.files.hash.clone()];
    for mailbox in &relay.files.mailboxes {
        secrets.push(mailbox.refresh_token.clone());
        secrets.extend(mailbox.client_secret.clone());
    }
    for (_, path, _, ask) in operations(&relay).await {
        let answer = relay.ask(&ask.token(OPERATOR)).await;
        for secret in secrets.iter().map(String::as_str).chain([OPERATOR, ACME, "blake2s:", "$argon2id"]) {
            assert!(!answer.body.contains(secret) || path == "/v1/openapi.json", "{path} shows {secret}");
        }
        assert_eq!((answer.field("set-cookie"), answer.field("access-control-allow-origin")), (None, None), "{path}");
        // What the page is made of is the same for everybody.
        let kept = if path.starts_with("/page.") { "no-cache" } else { "no-store" };
        assert_eq!(answer.field("cache-control"), Some(kept), "{path}");
    }
}
