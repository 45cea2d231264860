//! `GET /v1/status`: how the relay as a whole stands. `POST /v1/reload`: its configuration is read anew.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::access::Caller;
use super::body::Nothing;
use super::failure::Failure;
use super::{Admin, tenants};
use crate::config::listener::Listener;
use crate::control::report::{Cause, Outcome, Report};
use crate::listener::TlsMode;
use crate::snapshot::Snapshot;

pub(super) async fn status(State(admin): State<Admin>) -> Json<Value> {
    Json(standing(&admin))
}

/// How the relay stands now.
pub(super) fn standing(admin: &Admin) -> Value {
    let snapshot = admin.snapshot();
    let (began, at) = admin.began;
    let (open, allowed) = admin.front.connections.standing();
    let held = admin.front.content_memory.held();
    let is_paused = |tenant: &&std::sync::Arc<crate::tenant::Tenant>| tenant.pauses.whole.is_some();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "hostname": snapshot.hostname,
        "started_at": at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
        "uptime_seconds": began.elapsed().as_secs(),
        "draining": admin.draining.is_draining(),
        "generation": snapshot.generation,
        "reload": admin.control.status().last,
        "listeners": listeners(admin, &snapshot),
        "connections": { "open": open, "allowed": allowed },
        "content_memory": { "held": held, "allowed": snapshot.config.limits.content_memory },
        "sessions": sessions(&snapshot),
        "tenants": snapshot.tenants.len(),
        "tenants_paused": snapshot.tenants.values().filter(is_paused).count(),
        "accounts": snapshot.accounts().count(),
        "accounts_ready": snapshot.tenants.values().map(|tenant| tenants::ready(tenant)).sum::<usize>(),
        "accounts_expiring": snapshot.tenants.values().map(|tenant| tenants::expiring(tenant)).sum::<usize>(),
        "totals": snapshot.tally.totals(),
        "recent": snapshot.tally.recent(Instant::now()),
    })
}

pub(super) async fn reload(State(admin): State<Admin>, caller: Caller, _: Nothing) -> Result<Json<Report>, Failure> {
    let report = admin.control.reload_for(caller.actor(), Cause::Api).await?;
    if report.outcome != Outcome::Refused {
        return Ok(Json(report));
    }
    let error = report.errors.first().cloned().unwrap_or_else(|| "the configuration is not taken".to_owned());
    let next = "mend what `report` names and reload again; the old configuration holds";
    Err(Failure::unfit(error, next).with(serde_json::to_value(report).unwrap_or_default()))
}

/// Where clients connect, in the order of the configuration.
fn listeners(admin: &Admin, snapshot: &Snapshot) -> Vec<Value> {
    let listener = |listener: &Listener| {
        let tls = match listener.tls {
            TlsMode::None => "none",
            TlsMode::StartTls => "starttls",
            TlsMode::Implicit => "implicit",
        };
        let address = admin.addresses.of(&listener.name).unwrap_or(listener.address);
        let expires =
            snapshot.listener(&listener.name).and_then(|rules| rules.certificate).map(|validity| validity.ends);
        json!({ "name": listener.name, "address": address, "tls": tls, "certificate_expires": expires })
    };
    snapshot.config.listeners.iter().map(listener).collect()
}

/// Sessions with providers, over all accounts.
fn sessions(snapshot: &Snapshot) -> Value {
    let (mut idle, mut in_use, mut allowed, mut waiting) = (0, 0, 0, 0);
    for gauges in snapshot.accounts().map(|account| account.pool().gauges()) {
        idle += gauges.idle;
        in_use += gauges.in_use;
        allowed += gauges.allowed;
        waiting += gauges.waiting;
    }
    json!({ "idle": idle, "in_use": in_use, "allowed": allowed, "waiting": waiting })
}
