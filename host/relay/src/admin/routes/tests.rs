//! The list of endpoints and the description of the API say the same.

use std::collections::BTreeMap;

use axum::routing::MethodFilter;
use serde_json::Value;

use super::operations;
use crate::admin::history::DESCRIPTION;

/// Method and path of each operation, and the role that it needs, if it needs a token.
type Operations = BTreeMap<(&'static str, String), Option<String>>;

fn described(description: &Value) -> Operations {
    let mut found = Operations::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = match method.as_str() {
                "get" => "get",
                "post" => "post",
                other => panic!("{other} is no method of this API"),
            };
            let role = operation["security"].as_array().unwrap().first().map(|needed| needed["token"][0].clone());
            found.insert((method, path.clone()), role.map(|role| role.as_str().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn every_endpoint_is_described_with_its_access_and_nothing_else_is() {
    let listed = operations().into_iter().map(|operation| {
        let method = if operation.method == MethodFilter::GET { "get" } else { "post" };
        ((method, operation.path.to_owned()), operation.access.name().map(str::to_owned))
    });
    let listed: Operations = listed.collect();
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    assert_eq!(listed, described(&description));
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    fn check(value: &Value, whole: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    assert!(whole.pointer(to.trim_start_matches('#')).is_some(), "{to} leads nowhere");
                }
                fields.values().for_each(|value| check(value, whole));
            }
            Value::Array(values) => values.iter().for_each(|value| check(value, whole)),
            _ => {}
        }
    }
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    assert_eq!(description["openapi"], "3.1.0");
    check(&description, &description);
}
