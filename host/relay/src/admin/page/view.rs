//! What a page shows: gathered from what the API answers to the same token.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::parts::Tone;
use super::words::{list, number, spaced, text};
use super::{Trouble, View, Wish, change, tenants::tone};
use crate::admin::access::Caller;
use crate::admin::failure::{Failure, shown};
use crate::admin::{Admin, policies, status, tenants};
use crate::snapshot::Snapshot;
use crate::tenant::Tenant;

/// Tenants on a page: with more, it would be long to send and long to read.
const TENANTS: usize = 50;
/// Changes on a page.
const CHANGES: usize = 10;

pub(super) fn view(admin: &Admin, caller: &Caller, wish: &Wish) -> Result<View, Failure> {
    let snapshot = admin.snapshot();
    let of_tenant = caller.tenant();
    let wanted = wish.tenant.as_deref().or(of_tenant);
    if let Some(wanted) = wanted {
        caller.may_open(wanted)?;
    }
    let (seen, chosen) = (those_of(&snapshot, of_tenant), those_of(&snapshot, wanted));
    if let (Some(wanted), []) = (wanted, &chosen[..]) {
        return Err(Failure::not_found(format!("there is no tenant {}", shown(wanted)), "see / for all"));
    }
    let after = |tenant: &&&Arc<Tenant>| wish.after.as_deref().is_none_or(|after| tenant.id.as_str() > after);
    let following: Vec<&Arc<Tenant>> = chosen.iter().filter(after).copied().collect();
    let page = &following[..following.len().min(TENANTS)];
    let status = of_tenant.is_none().then(|| status::standing(admin));
    let tally = match of_tenant {
        Some(_) => seen.first().map(|tenant| &tenant.tally),
        None => Some(&snapshot.tally),
    };
    let mut troubles = status.as_ref().map(|status| of_relay(status, &snapshot)).unwrap_or_default();
    troubles.extend(seen.iter().flat_map(|tenant| of_tenant_troubles(tenant)));
    Ok(View {
        now: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
        of_tenant: of_tenant.map(str::to_owned),
        hostname: snapshot.hostname.clone(),
        series: tally.map(|tally| tally.series(Instant::now())).unwrap_or_default(),
        status,
        troubles,
        tenants: page.iter().map(|tenant| whole(tenant)).collect(),
        tenants_there: seen.len(),
        followed: page.last().filter(|_| following.len() > TENANTS).map(|tenant| tenant.id.clone()),
        changes: admin.control.audit().recent(of_tenant).iter().take(CHANGES).map(change).collect(),
    })
}

/// All tenants, or the one of this id, by id.
fn those_of<'s>(snapshot: &'s Snapshot, id: Option<&str>) -> Vec<&'s Arc<Tenant>> {
    let is_wanted = |tenant: &&Arc<Tenant>| id.is_none_or(|id| id == tenant.id);
    let mut tenants: Vec<_> = snapshot.tenants.values().filter(is_wanted).collect();
    tenants.sort_by(|one, other| one.id.cmp(&other.id));
    tenants
}

fn whole(tenant: &Tenant) -> Value {
    let mut whole = tenants::whole(tenant);
    whole["policies"] = policies::all(tenant);
    whole
}

fn of_relay(status: &Value, snapshot: &Snapshot) -> Vec<Trouble> {
    let trouble =
        |tone, word: &str, why: String| Trouble { tone, word: word.to_owned(), tenant: None, account: None, why };
    let mut troubles = Vec::new();
    if status["draining"] == json!(true) {
        troubles.push(trouble(Tone::Warning, "draining", "it takes no new connections".to_owned()));
    }
    let report = &status["reload"];
    if report["outcome"] == "refused" {
        let first = list(&report["errors"]).first().map(text).unwrap_or_default();
        let why = format!("the last reload was refused, generation {} holds: {first}", number(&report["generation"]));
        troubles.push(trouble(Tone::Bad, "reload", why));
    }
    let refused = snapshot.refused_policies.iter();
    troubles.extend(refused.map(|refused| trouble(Tone::Bad, "policy", refused.clone())));
    troubles
}

fn of_tenant_troubles(tenant: &Tenant) -> Vec<Trouble> {
    let summary = tenants::summary(tenant);
    let trouble = |state: &Value, account: Option<&str>, why: &str| {
        let (tenant, account) = (Some(tenant.id.clone()), account.map(str::to_owned));
        Trouble { tone: tone(text(state)), word: spaced(state), tenant, account, why: why.to_owned() }
    };
    let mut troubles = Vec::new();
    if summary["state"] != "ready" {
        troubles.push(trouble(&summary["state"], None, text(&summary["pause"]["reason"])));
    }
    if tenant.line.active().is_some_and(|active| active.policy.is_resting()) {
        let why = "it has failed too often, and is asked again in a while";
        troubles.push(trouble(&json!("policy_rests"), None, why));
    }
    if summary["accounts_ready"] != summary["accounts"] || summary["accounts_expiring"] != 0 {
        let accounts = &tenants::whole(tenant)["account_list"];
        let is_ready = |account: &&Value| account["state"]["name"] == "ready";
        troubles.extend(list(accounts).iter().filter(|account| !is_ready(account)).map(|account| {
            let state = &account["state"];
            trouble(&state["name"], Some(text(&account["id"])), text(&state["reason"]))
        }));
    }
    troubles
}
