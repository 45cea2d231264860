//! What is kept of a transaction: one log line, its counts, and the refusals worth remembering.

use posthouse_upstream::deliver::Delivered;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Transaction;
use crate::answer::Undelivered;
use crate::metrics::count_undecided;

impl Transaction {
    pub(super) fn record(&self, outcome: &Result<Delivered, Undelivered>, size: u64, started: Instant) {
        let took = started.elapsed();
        match outcome {
            Ok(delivered) => self.record_delivered(delivered, size, took),
            Err(undelivered) => self.record_undelivered(undelivered, size, took),
        }
    }

    fn record_delivered(&self, delivered: &Delivered, size: u64, took: std::time::Duration) {
        let Some(account) = &self.account else { return };
        let metrics = &account.metrics;
        metrics.delivered.increment(1);
        metrics.delivered_bytes.increment(size);
        metrics.delivery_seconds.record(took);
        metrics.wait_seconds.record(delivered.timings.waited);
        info!(
            transaction = %self.id,
            generation = self.snapshot.generation,
            policy_generation = self.policy.as_ref().map(|policy| policy.generation),
            tenant = self.known.tenant.id,
            login = self.known.login.name,
            account = account.id,
            sender = %self.reverse_path,
            recipients = self.recipients.len(),
            size,
            reused = delivered.reused,
            waited_ms = millis(delivered.timings.waited),
            took_ms = millis(took),
            reply = %delivered.reply,
            "delivered"
        );
    }

    fn record_undelivered(&self, undelivered: &Undelivered, size: u64, took: std::time::Duration) {
        let reply = crate::answer::reply(undelivered);
        let result = if reply.code() >= 500 { "refused" } else { "deferred" };
        match &self.account {
            Some(account) => account.metrics.count_undelivered(result, undelivered.reason()),
            None => count_undecided(&self.known.tenant.id, result, undelivered.reason()),
        }
        warn!(
            transaction = %self.id,
            generation = self.snapshot.generation,
            policy_generation = self.policy.as_ref().map(|policy| policy.generation),
            tenant = self.known.tenant.id,
            login = self.known.login.name,
            account = self.account.as_ref().map(|account| &account.id),
            sender = %self.reverse_path,
            recipients = self.recipients.len(),
            size,
            reason = undelivered.reason(),
            took_ms = millis(took),
            %reply,
            "not delivered"
        );
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}
