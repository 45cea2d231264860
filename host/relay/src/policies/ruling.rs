//! What a tenant's policy says, as the relay takes it: every failure has become the answer that the tenant
//! has chosen for it, every call is counted, and its log lines are written.

use std::sync::Arc;
use std::time::Duration;

use metrics::Counter;
use posthouse_policy::call::{Attempt, Envelope, Inquiry, Mail, Report};
use posthouse_policy::decided::{Decided, Instructions, Next, Reply as Wording, Verdict};
use posthouse_policy::failure::Failure;
use posthouse_policy::log::{Level, Lines};
use posthouse_smtp::reply::{EnhancedCode, Reply};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::TenantPolicy;
use crate::config::policy::{OnFailure, SignedFields};
use crate::generations::shadow::{Asked, AskedAbout};
use crate::metrics::HookMetrics;
use crate::snapshot::Known;

/// What becomes of a message or a recipient.
#[derive(Debug)]
pub(crate) enum Ruling {
    /// It goes on as the policy says.
    Proceed(Box<Instructions>),
    /// It goes on as if there were no policy.
    Native,
}

/// Why it does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The policy has decided so.
    #[error("{}", .0.text())]
    Ruled(Reply),
    /// The policy has failed, and the tenant would rather wait.
    #[error("the policy for this mail cannot decide now; try again")]
    Deferred,
    /// The policy has failed, and the tenant would rather not send.
    #[error("the policy for this mail cannot decide")]
    Rejected,
    /// The tenant's policy was not taken when the relay loaded it.
    #[error("the policy for this mail cannot be loaded; ask the relay's operator")]
    Unavailable,
    /// All places for calls were taken.
    #[error("too many messages are being decided on; try again")]
    Busy,
}

impl TenantPolicy {
    /// Puts a recipient to the policy.
    pub(crate) async fn recipient(
        &self,
        known: &Known,
        envelope: Envelope,
        address: String,
        shadow: Option<AskedAbout>,
    ) -> Result<(), Refusal> {
        let transaction = envelope.transaction.clone();
        let report = self.policy.recipient(self.inquiry(known, envelope), address).await;
        if let Some(shadow) = shadow {
            shadow.compare(report.result.as_ref().ok().cloned());
        }
        let hook = &self.metrics.recipient;
        self.record(hook, report.result.as_ref().ok().map(|verdict| counter(hook, verdict)), &transaction, &report);
        match report.result {
            Ok(Verdict::Proceed) => Ok(()),
            Ok(Verdict::Reject(reply) | Verdict::Defer(reply)) => Err(Refusal::Ruled(reply_of(reply))),
            Err(failure) => self.failed(&failure).map(drop),
        }
    }

    /// Puts a message to the policy; it is given back.
    pub(crate) async fn message(
        &self,
        known: &Known,
        envelope: Envelope,
        mail: Mail,
        shadow: Option<Asked>,
    ) -> (Result<Ruling, Refusal>, Mail) {
        let transaction = envelope.transaction.clone();
        let (mut report, mail) = self.policy.message(self.inquiry(known, envelope), mail).await;
        if let Some(shadow) = shadow {
            shadow.compare(report.result.as_ref().ok().cloned());
        }
        report.result = report.result.and_then(|decided| self.check_signatures(decided, &transaction));
        let hook = &self.metrics.message;
        let counter = report.result.as_ref().ok().map(|decided| counter(hook, &decided.verdict));
        self.record(hook, counter, &transaction, &report);
        let ruling = match report.result {
            Ok(Decided { verdict: Verdict::Proceed, instructions }) => Ok(Ruling::Proceed(Box::new(instructions))),
            Ok(Decided { verdict: Verdict::Reject(reply) | Verdict::Defer(reply), .. }) => {
                Err(Refusal::Ruled(reply_of(reply)))
            }
            Err(failure) => self.failed(&failure),
        };
        (ruling, mail)
    }

    /// What it would decide, of which nothing but its cost is counted and nothing is applied.
    pub(crate) async fn would_decide(&self, known: &Known, envelope: Envelope, mail: Mail) -> Result<Decided, String> {
        let (report, _) = self.policy.message(self.inquiry(known, envelope), mail).await;
        report.result.map_err(|failure| failure.reason().to_owned())
    }

    /// What it would say to a recipient, likewise.
    pub(crate) async fn would_allow(
        &self,
        known: &Known,
        envelope: Envelope,
        address: String,
    ) -> Result<Verdict, String> {
        let report = self.policy.recipient(self.inquiry(known, envelope), address).await;
        report.result.map_err(|failure| failure.reason().to_owned())
    }

    /// Tells the policy what came of an attempt. A failure changes nothing of it.
    pub(crate) async fn outcome(&self, known: &Known, envelope: Envelope, attempt: Attempt) -> Next {
        let transaction = envelope.transaction.clone();
        let report = self.policy.outcome(self.inquiry(known, envelope), attempt).await;
        let hook = &self.metrics.outcome;
        let counter = report.result.as_ref().ok().map(|next| match next {
            Next::Done => &hook.proceed,
            Next::NextAccount => &hook.next_account,
        });
        self.record(hook, counter, &transaction, &report);
        report.result.unwrap_or(Next::Done)
    }

    fn inquiry(&self, known: &Known, envelope: Envelope) -> Inquiry {
        Inquiry { realm: Arc::new(known.clone()), envelope, moment: self.moments.now() }
    }

    /// What the tenant wants of a failure. Overload is nobody's fault and never loses mail.
    fn failed(&self, failure: &Failure) -> Result<Ruling, Refusal> {
        match (failure, self.settings.on_failure) {
            (failure, _) if failure.is_overload() => Err(Refusal::Busy),
            (_, OnFailure::Defer) => Err(Refusal::Deferred),
            (_, OnFailure::Reject) => Err(Refusal::Rejected),
            (_, OnFailure::Pass) => Ok(Ruling::Native),
        }
    }

    fn check_signatures(&self, decided: Decided, transaction: &str) -> Result<Decided, Failure> {
        let fields = &decided.instructions.signed_fields_edited;
        if fields.is_empty() || decided.verdict != Verdict::Proceed {
            return Ok(decided);
        }
        let fields = fields.join(", ");
        match self.settings.signed_fields {
            SignedFields::Warn => {
                self.metrics.signatures_broken.increment(1);
                warn!(tenant = self.tenant, transaction, fields, "the policy edits fields under a DKIM signature");
                Ok(decided)
            }
            SignedFields::Refuse => Err(Failure::Instruction(format!("a DKIM signature covers {fields}"))),
        }
    }

    fn record<T>(&self, hook: &HookMetrics, counter: Option<&Counter>, transaction: &str, report: &Report<T>) {
        counter.unwrap_or(&hook.failure).increment(1);
        hook.cpu_seconds.record(report.cost.cpu);
        self.write(&report.lines, transaction);
        let Err(failure) = &report.result else { return };
        let reason = failure.reason();
        self.metrics.count_failure(reason);
        warn!(
            tenant = self.tenant,
            transaction,
            policy = self.policy.description.name,
            version = self.policy.description.version,
            policy_generation = self.generation,
            hook = hook.name,
            reason,
            cpu_ms = millis(report.cost.cpu),
            %failure,
            "policy failed"
        );
    }

    /// The policy's own lines, as far as its tenant's share of the log goes.
    fn write(&self, lines: &Lines, transaction: &str) {
        if lines.is_empty() {
            return;
        }
        let mut dropped = u64::from(lines.dropped);
        for line in lines.iter() {
            if !self.log_rate.takes(Instant::now()) {
                dropped += 1;
                continue;
            }
            let (tenant, policy, says) = (&self.tenant, &self.policy.description.name, &line.text);
            match line.level {
                Level::Debug => debug!(tenant, transaction, policy, says, "policy"),
                Level::Info => info!(tenant, transaction, policy, says, "policy"),
                Level::Warn => warn!(tenant, transaction, policy, says, "policy"),
                Level::Error => error!(tenant, transaction, policy, says, "policy"),
            }
        }
        self.metrics.log_lines_dropped.increment(dropped);
    }
}

fn counter<'h>(hook: &'h HookMetrics, verdict: &Verdict) -> &'h Counter {
    match verdict {
        Verdict::Proceed => &hook.proceed,
        Verdict::Reject(_) => &hook.reject,
        Verdict::Defer(_) => &hook.defer,
    }
}

fn reply_of(wording: Wording) -> Reply {
    let (class, subject, detail) = wording.enhanced;
    Reply::new(wording.code, EnhancedCode::new(class, subject, detail), wording.text)
}

pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}
