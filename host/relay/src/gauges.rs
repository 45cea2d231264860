//! Gauges that nobody keeps up to date while mail flows: they are read when somebody asks.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use posthouse_policy::policy::Policy;

use crate::account::Account;
use crate::budget::{Budget, Whose};
use crate::front::Front;
use crate::replies;
use crate::tenant::Tenant;

/// Reads what is to be shown now into the metrics.
pub fn record(front: &Front) {
    describe_gauge!("posthouse_sessions", "sessions with the provider, by state");
    describe_gauge!("posthouse_session_waiters", "messages that wait for a session");
    describe_gauge!("posthouse_account_ready", "1 where the account can log in, as far as is known");
    describe_gauge!("posthouse_account_pause_seconds", "how long the account is left alone after a refusal");
    describe_gauge!(
        "posthouse_account_expires_timestamp_seconds",
        "when a credential of the account ends, by credential (certificate, client_secret, refresh_token)"
    );
    describe_gauge!(
        "posthouse_certificate_expires_timestamp_seconds",
        "when the certificate of a listener or of the admin address ends"
    );
    describe_gauge!("posthouse_account_messages_per_minute", "the rate of now, learned from refusals or configured");
    describe_counter!("posthouse_provider_logins_total", "logins at the provider, by result");
    describe_counter!("posthouse_session_reuses_total", "messages sent on a session that was at hand");
    describe_counter!("posthouse_delivery_retries_total", "deliveries begun anew, nothing of them having been sent");
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory fit the 53 bits of a gauge")]
    front.metrics.content_memory.set(front.content_memory.held() as f64);
    let snapshot = front.snapshots.current();
    replies::record(snapshot.replies.unlisted());
    describe_gauge!("posthouse_policy_missing", "1 where a tenant's policy was not taken and its mail is deferred");
    describe_gauge!("posthouse_policy_resting", "1 while a policy rests after many failures");
    describe_gauge!("posthouse_policy_key_value_bytes", "octets in a tenant's key-value memory");
    describe_counter!("posthouse_policy_counter_total", "the policies' own counters");
    describe_gauge!("posthouse_budget_limit", "the most of 24 hours, by unit (recipients, messages)");
    describe_gauge!("posthouse_budget_used", "what of it was used");
    describe_gauge!("posthouse_directory_budget_limit", "recipients of 24 hours that a Microsoft directory may have");
    describe_gauge!("posthouse_directory_budget_used", "what of it was used");
    describe_counter!(
        "posthouse_budget_unwritten_total",
        "changes of budgets that could not be written, and do not count"
    );
    describe_gauge!("posthouse_account_load", "messages that an account carries, or that wait for it, by its sessions");
    describe_gauge!("posthouse_tenant_connections", "client connections that have logged in");
    describe_gauge!("posthouse_tenant_content_memory_bytes", "octets of message content held in memory");
    describe_gauge!("posthouse_tenant_deliveries", "messages on their way to a provider");
    describe_counter!("posthouse_tenant_connections_refused_total", "connections that their tenant had no place for");
    describe_counter!("posthouse_policy_counters_dropped_total", "additions to counters that a policy may not have");
    for (listener, validity) in snapshot.certificates() {
        let gauge = gauge!("posthouse_certificate_expires_timestamp_seconds", "listener" => listener.to_owned());
        set_moment(gauge, validity.ends);
    }
    for tenant in snapshot.tenants.values() {
        let lacks = f64::from(u8::from(tenant.lacks_policy));
        gauge!("posthouse_policy_missing", &[("tenant", tenant.id.clone())]).set(lacks);
        if let Some(policy) = tenant.line.active() {
            record_policy(&tenant.id, &policy.policy);
        }
        record_tenant(tenant);
        tenant.accounts.values().for_each(|account| record_account(&tenant.id, account));
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit the 53 bits of a gauge")]
#[expect(clippy::needless_pass_by_value, reason = "a handle is made for this")]
fn set_moment(gauge: metrics::Gauge, at: u64) {
    gauge.set(at as f64);
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes of memory fit the 53 bits of a gauge")]
fn record_tenant(tenant: &Tenant) {
    let set = |name: &'static str, value: usize| gauge!(name, "tenant" => tenant.id.clone()).set(value as f64);
    set("posthouse_tenant_connections", tenant.limits.connections.taken());
    set("posthouse_tenant_content_memory_bytes", tenant.limits.content_memory.held());
    set("posthouse_tenant_deliveries", tenant.limits.sessions.taken());
    if let Some(budget) = &tenant.budget {
        record_budget(budget, &tenant.id, "none");
    }
}

/// A tenant's own budget has the account `none`; a directory's belongs to no tenant.
#[expect(clippy::cast_precision_loss, reason = "recipients of a day fit the 53 bits of a gauge")]
fn record_budget(budget: &Budget, tenant: &str, account: &str) {
    let (standing, unit) = (budget.standing(), budget.unit().name());
    let (limit, used) = (standing.limit as f64, standing.used as f64);
    if let Whose::Directory(directory) = budget.whose() {
        gauge!("posthouse_directory_budget_limit", "directory" => directory.clone()).set(limit);
        gauge!("posthouse_directory_budget_used", "directory" => directory.clone()).set(used);
        return;
    }
    let labels = [("tenant", tenant.to_owned()), ("account", account.to_owned()), ("unit", unit.to_owned())];
    gauge!("posthouse_budget_limit", &labels).set(limit);
    gauge!("posthouse_budget_used", &labels).set(used);
}

#[expect(clippy::cast_precision_loss, reason = "octets of a memory of 1 MiB fit a gauge")]
fn record_policy(tenant: &str, policy: &Policy) {
    let label = || [("tenant", tenant.to_owned())];
    gauge!("posthouse_policy_resting", &label()).set(f64::from(u8::from(policy.is_resting())));
    let memory = &policy.terms().tenant;
    gauge!("posthouse_policy_key_value_bytes", &label()).set(memory.key_value.bytes() as f64);
    counter!("posthouse_policy_counters_dropped_total", &label()).absolute(memory.counters.dropped());
    for (name, count) in memory.counters.counts() {
        let [tenant] = label();
        counter!("posthouse_policy_counter_total", &[tenant, ("name", name)]).absolute(count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of sessions fit the 53 bits of a gauge")]
fn record_account(tenant: &str, account: &Account) {
    let gauges = account.pool().gauges();
    let labels = || [("tenant", tenant.to_owned()), ("account", account.id.clone())];
    let set = |name: &'static str, state: &'static str, value: usize| {
        let [tenant, account] = labels();
        gauge!(name, &[tenant, account, ("state", state.to_owned())]).set(value as f64);
    };
    set("posthouse_sessions", "idle", gauges.idle);
    set("posthouse_sessions", "in_use", gauges.in_use);
    set("posthouse_sessions", "allowed", gauges.allowed);
    let paused = account.pool().left_alone().map_or(0.0, |paused| paused.wait.as_secs_f64());
    gauge!("posthouse_account_pause_seconds", &labels()).set(paused);
    if let Some(per_minute) = account.rate().map(|(per_minute, _)| per_minute) {
        gauge!("posthouse_account_messages_per_minute", &labels()).set(f64::from(per_minute));
    }
    for expiry in account.expiries() {
        let [tenant, account] = labels();
        let labels = [tenant, account, ("credential", expiry.credential.word().to_owned())];
        set_moment(gauge!("posthouse_account_expires_timestamp_seconds", &labels), expiry.at);
    }
    gauge!("posthouse_session_waiters", &labels()).set(gauges.waiting as f64);
    gauge!("posthouse_account_load", &labels()).set(account.load() as f64 / 1000.0);
    account.budgets().iter().for_each(|budget| record_budget(budget, tenant, &account.id));
    gauge!("posthouse_account_ready", &labels()).set(f64::from(u8::from(account.is_in_order())));
    let count = |name: &'static str, result: &'static str, value: u64| {
        let [tenant, account] = labels();
        counter!(name, &[tenant, account, ("result", result.to_owned())]).absolute(value);
    };
    count("posthouse_provider_logins_total", "accepted", gauges.logins.saturating_sub(gauges.refused_logins));
    count("posthouse_provider_logins_total", "refused", gauges.refused_logins);
    counter!("posthouse_session_reuses_total", &labels()).absolute(gauges.reuses);
    counter!("posthouse_delivery_retries_total", &labels()).absolute(gauges.retries);
}
