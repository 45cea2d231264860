//! `pause` and `resume`, of a tenant or of one of its accounts.

use axum::Json;
use axum::extract::{RawPathParams, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Admin;
use super::access::{Caller, TenantScope};
use super::body::{self, Nothing};
use super::failure::{Failure, shown};
use crate::control::{NotPaused, Paused};
use crate::pauses::Subject;

/// The longest reason, in characters: it stands in replies of SMTP.
const REASON: usize = 200;

/// What a pause is asked for with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Why; clients hear it.
    reason: String,
}

pub(super) async fn pause(
    State(admin): State<Admin>,
    caller: Caller,
    tenant: TenantScope,
    params: RawPathParams,
    body::Json(wish): body::Json<Wish>,
) -> Result<Json<Value>, Failure> {
    let reason = reason(&wish.reason)?;
    let paused = admin.control.pause(caller.actor(), subject(&tenant, &params), reason).await;
    paused.map(answer).map_err(not_paused)
}

pub(super) async fn resume(
    State(admin): State<Admin>,
    caller: Caller,
    tenant: TenantScope,
    params: RawPathParams,
    _: Nothing,
) -> Result<Json<Value>, Failure> {
    let resumed = admin.control.resume(caller.actor(), subject(&tenant, &params)).await;
    resumed.map(answer).map_err(not_paused)
}

/// The tenant is the one that access was decided for.
fn subject(TenantScope { tenant }: &TenantScope, params: &RawPathParams) -> Subject {
    let account = params.iter().find(|(name, _)| *name == "account").map(|(_, id)| id.to_owned());
    Subject { tenant: tenant.id.clone(), account }
}

fn reason(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if (1..=REASON).contains(&text.len()) && text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return Ok(text.to_owned());
    }
    let error = format!("`reason` is not 1 to {REASON} printable characters of US-ASCII");
    Err(Failure::unfit(error, "clients hear it in a reply of SMTP: say it in a line"))
}

fn answer(Paused { pause, is_new, generation }: Paused) -> Json<Value> {
    Json(json!({ "pause": pause, "changed": is_new, "generation": generation }))
}

fn not_paused(error: NotPaused) -> Failure {
    match error {
        NotPaused::NoTenant(tenant) => {
            Failure::not_found(format!("there is no tenant {}", shown(&tenant)), "GET /v1/tenants lists them")
        }
        NotPaused::NoAccount { tenant, account } => {
            let error = format!("tenant {tenant} has no account {}", shown(&account));
            Failure::not_found(error, format!("GET /v1/tenants/{tenant}/accounts lists them"))
        }
        NotPaused::ByOperator(_) => Failure::forbidden(error.to_string(), "ask the relay's operator to resume it"),
        NotPaused::Ending(ending) => ending.into(),
    }
}
