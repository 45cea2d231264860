//! Tenants and their accounts, as operators and the tenants themselves see them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_upstream::provider::ProviderKind;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Admin;
use super::access::{Caller, TenantScope};
use crate::account::Account;
use crate::account::state::{Name, State as AccountState};
use crate::budget::{Budget, Whose};
use crate::tenant::{Route, Tenant};

/// Those that the caller may see.
pub(super) async fn list(State(admin): State<Admin>, caller: Caller) -> Json<Value> {
    let snapshot = admin.snapshot();
    let is_seen = |tenant: &&Arc<Tenant>| caller.tenant().is_none_or(|own| own == tenant.id);
    let mut tenants: Vec<&Arc<Tenant>> = snapshot.tenants.values().filter(is_seen).collect();
    tenants.sort_by(|one, other| one.id.cmp(&other.id));
    Json(json!({ "tenants": tenants.into_iter().map(|tenant| summary(tenant)).collect::<Vec<_>>() }))
}

/// One tenant, with its routes and its accounts.
pub(super) async fn show(TenantScope { tenant }: TenantScope) -> Json<Value> {
    Json(whole(&tenant))
}

/// All that is told of a tenant.
pub(super) fn whole(tenant: &Tenant) -> Value {
    let mut shown = summary(tenant);
    let mut routes: Vec<(&String, &Route)> = tenant.routes.iter().collect();
    routes.sort_by_key(|(name, _)| *name);
    let route =
        |(name, route): (&String, &Route)| json!({ "name": name, "accounts": route.accounts, "select": route.select });
    shown["default_route"] = json!(tenant.default_route);
    shown["routes"] = routes.into_iter().map(route).collect();
    shown["account_list"] = accounts_of(tenant);
    shown
}

/// The accounts of one tenant.
pub(super) async fn accounts(TenantScope { tenant }: TenantScope) -> Json<Value> {
    Json(json!({ "accounts": accounts_of(&tenant) }))
}

/// How many of its accounts can carry mail, as far as is known.
pub(super) fn ready(tenant: &Tenant) -> usize {
    tenant.accounts.values().filter(|account| state(tenant, account).is_ready()).count()
}

/// How many of its accounts have credentials that end soon.
pub(super) fn expiring(tenant: &Tenant) -> usize {
    tenant.accounts.values().filter(|account| state(tenant, account).name == Name::Expiring).count()
}

/// What is told of a tenant in a list.
pub(super) fn summary(tenant: &Tenant) -> Value {
    let state = match (&tenant.pauses.whole, tenant.lacks_policy) {
        (Some(_), _) => "paused",
        (None, true) => "policy_missing",
        (None, false) => "ready",
    };
    json!({
        "id": tenant.id,
        "state": state,
        "pause": tenant.pauses.whole,
        "has_policy": tenant.line.active().is_some() || tenant.lacks_policy,
        "accounts": tenant.accounts.len(),
        "accounts_ready": ready(tenant),
        "accounts_expiring": expiring(tenant),
        "budgets": tenant.budget.iter().map(budget).collect::<Value>(),
        "totals": tenant.tally.totals(),
        "recent": tenant.tally.recent(Instant::now()),
    })
}

fn budget(budget: &Budget) -> Value {
    let standing = budget.standing();
    let whose = match budget.whose() {
        Whose::Account(_) => "account",
        Whose::Directory(_) => "directory",
        Whose::Tenant => "tenant",
    };
    json!({
        "of": whose,
        "unit": budget.unit().name(),
        "per_day": standing.limit,
        "used": standing.used,
        "full_until": standing.passes_at,
    })
}

fn accounts_of(tenant: &Tenant) -> Value {
    let mut accounts: Vec<&Arc<Account>> = tenant.accounts.values().collect();
    accounts.sort_by(|one, other| one.id.cmp(&other.id));
    accounts.into_iter().map(|account| shown(tenant, account)).collect()
}

fn state(tenant: &Tenant, account: &Account) -> AccountState {
    match tenant.pause_of(account) {
        Some(pause) => {
            let (reason, since) = (Some(pause.reason.clone()), Some(pause.since));
            AccountState { name: Name::Paused, reason, since, until: None }
        }
        None => account.state(),
    }
}

fn shown(tenant: &Tenant, account: &Account) -> Value {
    let gauges = account.pool().gauges();
    let rate = account.rate().map(|(per_minute, left)| json!({ "per_minute": per_minute, "left": left }));
    let provider = match account.pool().target().provider {
        ProviderKind::Gmail => "gmail",
        ProviderKind::Outlook => "outlook",
        ProviderKind::Generic => "generic",
    };
    json!({
        "id": account.id,
        "address": account.address.as_str(),
        "provider": provider,
        "transport": account.pool().target().transport.word(),
        "state": state(tenant, account),
        "pause": tenant.pause_of(account),
        "expires": account.expiry(),
        "sessions": {
            "idle": gauges.idle,
            "in_use": gauges.in_use,
            "allowed": gauges.allowed,
            "waiting": gauges.waiting,
        },
        "logins": { "accepted": gauges.logins.saturating_sub(gauges.refused_logins), "refused": gauges.refused_logins },
        "session_reuses": gauges.reuses,
        "rate": rate,
        "budgets": account.budgets().iter().map(budget).collect::<Value>(),
        "totals": account.tally.totals(),
        "recent": account.tally.recent(Instant::now()),
    })
}
