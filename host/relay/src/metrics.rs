//! Every metric of the relay, in one list: its name, its labels, its handle.
//!
//! Labels are bounded: they come from configuration or from closed sets in the code, never from
//! what a client or a provider sends. Handles are made once, so that counting is one atomic
//! operation on the way of a message. A series with a tenant or an account in it lives as long as they do (`series`).

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::control::report::Report;

/// Upper bounds of the histogram of policies' processor time, in seconds.
pub(crate) const POLICY_BUCKETS: &[f64] =
    &[0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0];

/// Upper bounds of the latency histograms, in seconds.
pub(crate) const LATENCY_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// What is counted of the front door, whoever the client is.
#[derive(Clone, Debug)]
pub struct FrontDoor {
    /// Client connections that are open.
    pub connections: Gauge,
    /// Client connections that were accepted.
    pub accepted: Counter,
    /// Client connections answered with 421 at once, because a limit was reached.
    pub turned_away: Counter,
    /// Logins that succeeded.
    pub logins: Counter,
    /// Logins that failed.
    pub login_failures: Counter,
    /// TLS handshakes with clients that failed.
    pub handshake_failures: Counter,
    /// Sessions ended because a deadline passed.
    pub timeouts: Counter,
    /// Contents refused for a bare CR or LF.
    pub bare_newlines: Counter,
    /// Octets of message content held in memory.
    pub content_memory: Gauge,
}

impl FrontDoor {
    /// Registers the metrics with whatever recorder is installed.
    pub fn register() -> Self {
        describe_gauge!("posthouse_connections", "client connections that are open");
        describe_counter!("posthouse_connections_total", "client connections that were accepted");
        describe_counter!("posthouse_connections_refused_total", "client connections answered with 421 at once");
        describe_counter!("posthouse_logins_total", "logins of clients, by result");
        describe_counter!("posthouse_tls_handshake_failures_total", "TLS handshakes with clients that failed");
        describe_counter!("posthouse_session_timeouts_total", "sessions ended because a deadline passed");
        describe_counter!("posthouse_bare_newlines_total", "contents refused for a bare CR or LF");
        describe_gauge!("posthouse_content_memory_bytes", "octets of message content held in memory");
        Self {
            connections: gauge!("posthouse_connections"),
            accepted: counter!("posthouse_connections_total"),
            turned_away: counter!("posthouse_connections_refused_total"),
            logins: counter!("posthouse_logins_total", "result" => "accepted"),
            login_failures: counter!("posthouse_logins_total", "result" => "refused"),
            handshake_failures: counter!("posthouse_tls_handshake_failures_total"),
            timeouts: counter!("posthouse_session_timeouts_total"),
            bare_newlines: counter!("posthouse_bare_newlines_total"),
            content_memory: gauge!("posthouse_content_memory_bytes"),
        }
    }
}

/// What is counted of reloads.
#[derive(Clone, Debug)]
pub struct ReloadMetrics {
    generation: Gauge,
    /// Whether the last one was refused, in whole or in part.
    failed: Gauge,
    seconds: Histogram,
}

impl ReloadMetrics {
    /// Registers the metrics.
    pub fn register() -> Self {
        describe_gauge!("posthouse_generation", "the number of the generation that holds");
        describe_gauge!("posthouse_reload_failed", "1 where something of the last reload was not taken");
        describe_counter!("posthouse_reloads_total", "reloads, by cause and result");
        describe_histogram!("posthouse_reload_seconds", "how long a reload took");
        Self {
            generation: gauge!("posthouse_generation"),
            failed: gauge!("posthouse_reload_failed"),
            seconds: histogram!("posthouse_reload_seconds"),
        }
    }

    /// Another generation holds.
    #[expect(clippy::cast_precision_loss, reason = "generations fit the 53 bits of a gauge")]
    pub fn published(&self, generation: u64) {
        self.generation.set(generation as f64);
    }

    /// Counts one.
    pub fn record(&self, report: &Report) {
        let (cause, result) = (report.cause.as_str(), report.outcome.as_str());
        counter!("posthouse_reloads_total", "cause" => cause, "result" => result).increment(1);
        self.published(report.generation);
        self.failed.set(f64::from(u8::from(!report.is_good())));
        self.seconds.record(report.took_ms / 1000.0);
    }
}

/// What is counted of one tenant's policy.
#[derive(Clone, Debug)]
pub struct PolicyMetrics {
    tenant: String,
    /// Calls of `on-recipient`.
    pub recipient: HookMetrics,
    /// Calls of `on-message`.
    pub message: HookMetrics,
    /// Calls of `on-outcome`.
    pub outcome: HookMetrics,
    /// Messages sent on although an edit breaks a DKIM signature.
    pub signatures_broken: Counter,
    /// Log lines of the policy that were not written.
    pub log_lines_dropped: Counter,
}

/// Counts as a loaded policy as long as it lives.
#[derive(Debug)]
pub struct LoadedPolicy {
    loaded: Gauge,
}

impl LoadedPolicy {
    /// One more.
    pub fn new() -> Self {
        describe_gauge!("posthouse_policies_loaded", "policies in memory, of whatever stage");
        let loaded = gauge!("posthouse_policies_loaded");
        loaded.increment(1.0);
        Self { loaded }
    }
}

impl Default for LoadedPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for LoadedPolicy {
    fn drop(&mut self) {
        self.loaded.decrement(1.0);
    }
}

/// What is counted of one hook.
#[derive(Clone, Debug)]
pub struct HookMetrics {
    /// The hook's name.
    pub name: &'static str,
    /// Calls that let things go on.
    pub proceed: Counter,
    /// Calls that rejected.
    pub reject: Counter,
    /// Calls that deferred.
    pub defer: Counter,
    /// Calls that asked for the next account.
    pub next_account: Counter,
    /// Calls that came to no decision.
    pub failure: Counter,
    /// Time on a processor of a call.
    pub cpu_seconds: Histogram,
}

impl PolicyMetrics {
    /// Registers the metrics of this tenant's policies. What a policy calls itself is no label: a tenant may bring as many
    /// names as it likes.
    pub fn register(tenant: &str) -> Self {
        describe_counter!("posthouse_policy_calls_total", "calls of a tenant's policy, by hook and result");
        describe_counter!("posthouse_policy_failures_total", "calls that came to no decision, by reason");
        describe_histogram!("posthouse_policy_cpu_seconds", "time on a processor of one call, by hook");
        describe_counter!("posthouse_policy_signatures_broken_total", "messages whose DKIM signature an edit breaks");
        describe_counter!("posthouse_policy_log_lines_dropped_total", "log lines of a policy that were not written");
        let labels = [("tenant", tenant.to_owned())];
        let hook = |name| HookMetrics::register(&labels, name);
        Self {
            recipient: hook("recipient"),
            message: hook("message"),
            outcome: hook("outcome"),
            signatures_broken: counter!("posthouse_policy_signatures_broken_total", &labels),
            log_lines_dropped: counter!("posthouse_policy_log_lines_dropped_total", &labels),
            tenant: tenant.to_owned(),
        }
    }

    /// Counts a failure; the reason is a word of a closed set.
    pub fn count_failure(&self, reason: &'static str) {
        counter!("posthouse_policy_failures_total", "tenant" => self.tenant.clone(), "reason" => reason).increment(1);
    }
}

impl HookMetrics {
    fn register([tenant]: &[(&'static str, String); 1], name: &'static str) -> Self {
        let hook = ("hook", name.to_owned());
        let count = |result: &str| {
            let labels = [tenant.clone(), hook.clone(), ("result", result.to_owned())];
            counter!("posthouse_policy_calls_total", &labels)
        };
        Self {
            name,
            proceed: count("proceed"),
            reject: count("reject"),
            defer: count("defer"),
            next_account: count("next_account"),
            failure: count("failure"),
            cpu_seconds: histogram!("posthouse_policy_cpu_seconds", &[tenant.clone(), hook.clone()]),
        }
    }
}

/// Counts a message that was not delivered and that no account was chosen for.
pub fn count_undecided(tenant: &str, result: &'static str, reason: &'static str) {
    let labels = [("tenant", tenant.to_owned()), ("account", "none".to_owned())];
    let [tenant, account] = labels.clone();
    counter!("posthouse_messages_total", &[tenant, account, ("result", result.to_owned())]).increment(1);
    let [tenant, account] = labels;
    counter!("posthouse_undelivered_total", &[tenant, account, ("reason", reason.to_owned())]).increment(1);
}

/// Counts a MAIL, RCPT or DATA that was refused, before there was a message to deliver.
pub fn count_refusal(tenant: &str, at: &'static str, reason: &'static str) {
    describe_counter!("posthouse_refused_total", "MAIL, RCPT and DATA that were refused, by reason");
    counter!("posthouse_refused_total", "tenant" => tenant.to_owned(), "at" => at, "reason" => reason).increment(1);
}

/// Counts a message that went on to another account, as its policy asked.
pub fn count_next_account(tenant: &str, account: &str, reason: &'static str) {
    counter!(
        "posthouse_next_account_total",
        "tenant" => tenant.to_owned(), "account" => account.to_owned(), "reason" => reason
    )
    .increment(1);
}

/// How long logins waited for an access token, of those that found none at hand.
pub fn token_waits() -> Histogram {
    describe_histogram!("posthouse_token_wait_seconds", "how long logins without a token at hand waited for one");
    histogram!("posthouse_token_wait_seconds")
}

/// What is counted of alerts.
#[derive(Clone, Debug)]
pub struct AlertMetrics {
    /// Alerts that the webhook took.
    pub sent: Counter,
    /// Alerts that were given up: the webhook refused them, or too many waited.
    pub dropped: Counter,
    /// Requests that did not come through, and were or will be made again.
    pub failures: Counter,
    /// Alerts that wait.
    pub waiting: Gauge,
}

impl AlertMetrics {
    /// Registers the metrics.
    pub fn register() -> Self {
        describe_counter!("posthouse_alerts_total", "alerts about accounts, by result (sent, dropped)");
        describe_counter!(
            "posthouse_alert_failures_total",
            "requests to the webhook of alerts that did not come through"
        );
        describe_gauge!("posthouse_alerts_waiting", "alerts that the webhook has not taken yet");
        Self {
            sent: counter!("posthouse_alerts_total", "result" => "sent"),
            dropped: counter!("posthouse_alerts_total", "result" => "dropped"),
            failures: counter!("posthouse_alert_failures_total"),
            waiting: gauge!("posthouse_alerts_waiting"),
        }
    }
}

/// What is counted of one tenant, whichever account it is about. As long as it lives, so do all series of the tenant's own.
#[derive(Clone, Debug)]
pub struct TenantMetrics {
    /// Connections that the tenant had no place for.
    pub turned_away: Counter,
}

impl TenantMetrics {
    /// Registers the metrics of this tenant.
    pub fn register(tenant: &str) -> Self {
        Self { turned_away: counter!("posthouse_tenant_connections_refused_total", "tenant" => tenant.to_owned()) }
    }
}

/// What is counted of one account's messages.
#[derive(Clone, Debug)]
pub struct AccountMetrics {
    tenant: String,
    account: String,
    /// Messages that the provider accepted.
    pub delivered: Counter,
    /// Octets of content that the provider accepted.
    pub delivered_bytes: Counter,
    /// From the end of the client's content to the provider's 250, in seconds.
    pub delivery_seconds: Histogram,
    /// Waiting for a session of the account, in seconds.
    pub wait_seconds: Histogram,
    /// Waiting for a place in the minutes and among the deliveries of tenant and account, in seconds.
    pub passage_seconds: Histogram,
    /// Outcomes that nobody can know: the connection was lost behind the final dot.
    pub ambiguous: Counter,
}

impl AccountMetrics {
    /// Registers the metrics of this account.
    pub fn register(tenant: &str, account: &str) -> Self {
        describe_counter!("posthouse_messages_total", "messages by tenant, account and result");
        describe_counter!("posthouse_undelivered_total", "messages that were not delivered, by reason");
        describe_counter!("posthouse_next_account_total", "messages that went on to another account of their tenant");
        describe_counter!("posthouse_delivered_bytes_total", "octets of content that a provider accepted");
        describe_histogram!("posthouse_delivery_seconds", "end of content to the provider's 250");
        describe_histogram!("posthouse_session_wait_seconds", "waiting for an authenticated session");
        describe_histogram!("posthouse_passage_wait_seconds", "waiting for what limits allow, before a session");
        describe_counter!("posthouse_ambiguous_total", "messages whose outcome was lost behind the final dot");
        let (t, a) = (tenant.to_owned(), account.to_owned());
        let result = "delivered";
        Self {
            delivered: counter!("posthouse_messages_total", "tenant" => t.clone(), "account" => a.clone(), "result" => result),
            delivered_bytes: counter!("posthouse_delivered_bytes_total", "tenant" => t.clone(), "account" => a.clone()),
            delivery_seconds: histogram!("posthouse_delivery_seconds", "tenant" => t.clone(), "account" => a.clone()),
            wait_seconds: histogram!("posthouse_session_wait_seconds", "tenant" => t.clone(), "account" => a.clone()),
            passage_seconds: histogram!("posthouse_passage_wait_seconds", "tenant" => t.clone(), "account" => a.clone()),
            ambiguous: counter!("posthouse_ambiguous_total", "tenant" => t.clone(), "account" => a.clone()),
            tenant: t,
            account: a,
        }
    }

    /// Counts a message that was not delivered; `reason` is a word of a closed set.
    pub fn count_undelivered(&self, result: &'static str, reason: &'static str) {
        let (tenant, account) = (self.tenant.clone(), self.account.clone());
        counter!("posthouse_messages_total", "tenant" => tenant.clone(), "account" => account.clone(), "result" => result)
            .increment(1);
        counter!("posthouse_undelivered_total", "tenant" => tenant, "account" => account, "reason" => reason)
            .increment(1);
    }
}
