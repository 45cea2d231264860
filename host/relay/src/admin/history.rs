//! `GET /v1/audit`: who has changed what. `GET /v1/openapi.json`: what there is to ask for.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};

use super::Admin;
use super::access::Caller;

/// The description of this API, written by hand; `routes` lists the same operations.
pub(super) const DESCRIPTION: &str = include_str!("openapi.json");

/// The newest first; a tenant's token sees what concerns its tenant.
pub(super) async fn audit(State(admin): State<Admin>, caller: Caller) -> Json<Value> {
    Json(json!({ "entries": admin.control.audit().recent(caller.tenant()) }))
}

pub(super) async fn description() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION)
}
