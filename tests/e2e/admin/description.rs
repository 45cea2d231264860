//! The description of the API, held against a relay that runs: statuses, types and every field, both ways.

use serde_json::Value;

use super::access::operations;
use super::http::{Answer, Ask};
use super::operated::{OPERATOR, Operated, acme};
use crate::post::{APP, guest_file, send};

/// What does not fit the schema, as a path to it.
fn check(value: &Value, schema: &Value, whole: &Value, at: &str) {
    let schema = resolved(schema, whole);
    if let Some(kinds) = schema.get("anyOf") {
        let kinds = kinds.as_array().expect("a list");
        // A value or null: here there are no others.
        let kind = kinds.iter().find(|kind| (kind["type"] == "null") == value.is_null()).expect("null or a value");
        return check(value, kind, whole, at);
    }
    if let Some(words) = schema.get("enum") {
        assert!(words.as_array().expect("a list").contains(value), "{at}: {value} is none of {words}");
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => true,
    };
    assert!(fits, "{at}: {value} is not of {schema}");
    if let (Some(fields), Some(properties)) = (value.as_object(), schema.get("properties")) {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(name.as_str().expect("a name")), "{at} has no {name}: {value}");
        }
        for (name, value) in fields {
            let property = properties.get(name).unwrap_or_else(|| panic!("{at}.{name} is not described"));
            check(value, property, whole, &format!("{at}.{name}"));
        }
    }
    if let (Some(values), Some(items)) = (value.as_array(), schema.get("items")) {
        values.iter().for_each(|value| check(value, items, whole, &format!("{at}[]")));
    }
}

fn resolved<'v>(value: &'v Value, whole: &'v Value) -> &'v Value {
    match value["$ref"].as_str() {
        Some(to) => whole.pointer(to.trim_start_matches('#')).expect("the reference leads somewhere"),
        None => value,
    }
}

/// The answer is one that the operation may give.
fn fits(answer: &Answer, operation: &Value, whole: &Value, name: &str) {
    let described = operation["responses"].get(answer.status.to_string());
    let described = described.unwrap_or_else(|| panic!("{name} does not describe {}: {answer:?}", answer.status));
    let content = resolved(described, whole)["content"].as_object().expect("content");
    let kind = answer.field("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let content = content.get(kind).unwrap_or_else(|| panic!("{name} does not describe {kind}"));
    if kind == "application/json" {
        check(&answer.json(), &content["schema"], whole, name);
    }
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let relay = Operated::new().await;
    // Something to show in each list: a message, a pause, a change.
    let mut client = relay.files.client(APP).await;
    assert!(
        send(&mut client, "me@acme.example", &["ann@example.org"], "Subject: hi\r\n\r\nbody\r\n")
            .await
            .starts_with("250 ")
    );
    relay.pause("/v1/tenants/acme/accounts/outlook", OPERATOR).await.done();
    // And generations of a policy, of which one can be taken back.
    relay.files.change("tenants/acme.toml", &(acme(&relay.files) + "[policy]\n")).await;
    let component = std::fs::read(guest_file("scripted")).expect("a prebuilt guest");
    for message in ["proceed", "count seen 1; proceed"] {
        let push = Ask::post("/v1/tenants/acme/policies?stage=active").token(OPERATOR);
        let settings = serde_json::json!({ "message": message }).to_string();
        let push = push.field("posthouse-settings", &settings).field("content-type", "application/wasm");
        relay.ask(&push.body(&component)).await.done();
    }
    relay.post("/v1/reload", OPERATOR).await.done();
    let whole = relay.ask(&Ask::get("/v1/openapi.json")).await.done();
    for (method, path, role, ask) in operations(&relay).await {
        let (operation, name) = (&whole["paths"][&path][&method], format!("{method} {path}"));
        let answer = relay.ask(&ask.clone().token(OPERATOR)).await;
        // What is active already is not brought there again.
        let is_done = answer.status == 200 || path == "/metrics" || path.ends_with("/stage") && answer.status == 409;
        assert!(is_done, "{name}: {answer:?}");
        fits(&answer, operation, &whole, &name);
        // What goes wrong is described as well.
        if role.is_some() {
            fits(&relay.ask(&ask).await, operation, &whole, &name);
        }
        if !["/healthz", "/readyz"].contains(&path.as_str()) {
            fits(&relay.ask(&ask.clone().token(OPERATOR).host("evil.example")).await, operation, &whole, &name);
        }
        if path.contains('{') {
            let answer = relay.ask(&ask.clone().at(&path.replace("{tenant}", "nobody")).token(OPERATOR)).await;
            answer.refused(404);
            fits(&answer, operation, &whole, &name);
        }
        if method == "post" {
            for body in ["", "{", "[]", "{\"reason\":1}", "{\"reason\":\"\"}", "{\"reason\":\"x\",\"more\":1}"] {
                let path = path.replace("{tenant}", "acme").replace("{account}", "gmail").replace("{number}", "1");
                let answer = relay.ask(&Ask::post(&path).token(OPERATOR).json(body)).await;
                fits(&answer, operation, &whole, &name);
            }
        }
    }
    // A reload that is refused shows its report.
    relay.files.write("tenants/acme.toml", "[[logins");
    let answer = relay.post("/v1/reload", OPERATOR).await;
    answer.refused(422);
    fits(&answer, &whole["paths"]["/v1/reload"]["post"], &whole, "post /v1/reload");
    check(&answer.json()["report"], &whole["components"]["schemas"]["Report"], &whole, "report");
}
