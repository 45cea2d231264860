//! What is kept of a transaction: one log line, its counts, and the refusals worth remembering.

use posthouse_upstream::deliver::Delivered;
use posthouse_upstream::error::Error as UpstreamError;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Transaction;
use crate::answer::Undelivered;

impl Transaction {
    pub(super) fn record(&self, outcome: &Result<Delivered, Undelivered>, size: u64, started: Instant) {
        let took = started.elapsed();
        match outcome {
            Ok(delivered) => self.record_delivered(delivered, size, took),
            Err(undelivered) => self.record_undelivered(undelivered, size, took),
        }
    }

    fn record_delivered(&self, delivered: &Delivered, size: u64, took: std::time::Duration) {
        let metrics = &self.account.metrics;
        metrics.delivered.increment(1);
        metrics.delivered_bytes.increment(size);
        metrics.delivery_seconds.record(took);
        metrics.wait_seconds.record(delivered.timings.waited);
        info!(
            transaction = %self.id,
            tenant = self.known.tenant.id,
            login = self.known.login.name,
            account = self.account.id,
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
        self.account.metrics.count_undelivered(result, undelivered.reason());
        if let Undelivered::Upstream(error) = undelivered {
            self.learn(error);
        }
        warn!(
            transaction = %self.id,
            tenant = self.known.tenant.id,
            login = self.known.login.name,
            account = self.account.id,
            sender = %self.reverse_path,
            recipients = self.recipients.len(),
            size,
            reason = undelivered.reason(),
            took_ms = millis(took),
            %reply,
            "not delivered"
        );
    }

    /// Recipients whose refusal kept the message from the others are told so at the client's next RCPT.
    fn learn(&self, error: &UpstreamError) {
        if error.is_ambiguous() {
            self.account.metrics.ambiguous.increment(1);
        }
        // Where all were refused the client has heard the provider's own words, and nobody waits.
        let UpstreamError::PartlyRefused { refused } = error else { return };
        for (index, reply) in refused {
            if let Some(recipient) = self.recipients.get(*index) {
                self.account.refusals.remember(&self.reverse_path, recipient, reply.clone(), Instant::now());
            }
        }
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}
