//! What is kept of a transaction: one log line, its counts, and the refusals worth remembering.

use posthouse_smtp::reply::Reply;
use posthouse_upstream::deliver::Delivered;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Transaction;
use crate::answer::Undelivered;
use crate::decide::{Carrier, Decision};
use crate::metrics::{count_refusal, count_undecided};
use crate::tally::Fate;
use crate::trace::{Event, millis, without_text};

impl Transaction {
    pub(super) fn record(&self, outcome: &Result<Delivered, Undelivered>, size: u64, started: Instant) {
        let took = started.elapsed();
        match outcome {
            Ok(delivered) => self.record_delivered(delivered, size, took),
            Err(undelivered) => self.record_undelivered(undelivered, size, took),
        }
    }

    /// A recipient, or the content, that is refused before there is a message to deliver.
    pub(crate) fn record_refusal(&self, at: &'static str, reason: &'static str, reply: &Reply) {
        count_refusal(&self.known.tenant.id, at, reason);
        self.trace.tell(|| Event {
            event: if at == "rcpt" { "recipient_refused" } else { "content_refused" },
            reply: Some(without_text(reply)),
            reason: Some(reason),
            ..self.event()
        });
        info!(
            transaction = %self.id,
            generation = self.snapshot.generation,
            policy_generation = self.policy.as_ref().map(|policy| policy.generation),
            tenant = self.known.tenant.id,
            login = self.known.login.name,
            sender = %self.reverse_path,
            at,
            reason,
            %reply,
            "refused"
        );
    }

    pub(super) fn tell_decision(&self, decision: &Decision, started: Instant) {
        self.trace.tell(|| Event {
            event: "decided",
            carrier: Some(match &decision.carrier {
                Carrier::Account(id) => format!("account {id}"),
                Carrier::Accounts(ids) => format!("accounts {}", ids.join(", ")),
                Carrier::Route(name) => format!("route {name}"),
                Carrier::Nobody => "nobody".to_owned(),
            }),
            took_ms: Some(millis(started.elapsed())),
            ..self.event()
        });
    }

    /// What all of its events say.
    fn event(&self) -> Event {
        Event {
            session: self.id.session().to_string(),
            transaction: Some(self.id.to_string()),
            generation: Some(self.snapshot.generation),
            tenant: Some(self.known.tenant.id.clone()),
            login: Some(self.known.login.name.clone()),
            account: self.account.as_ref().map(|account| account.id.clone()),
            recipients: Some(self.recipients.len()),
            ..Event::default()
        }
    }

    fn count(&self, fate: Fate) {
        let now = Instant::now();
        self.snapshot.tally.count(fate, now);
        self.known.tenant.tally.count(fate, now);
        if let Some(account) = &self.account {
            account.tally.count(fate, now);
        }
    }

    fn record_delivered(&self, delivered: &Delivered, size: u64, took: std::time::Duration) {
        let Some(account) = &self.account else { return };
        self.count(Fate::Delivered { size, took });
        let metrics = &account.metrics;
        self.trace.tell(|| Event {
            event: "delivered",
            size: Some(size),
            reply: Some(without_text(&delivered.reply)),
            took_ms: Some(millis(took)),
            ..self.event()
        });
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
        let reply = crate::answer::reply(undelivered, self.clients);
        let result = if reply.code() >= 500 { "refused" } else { "deferred" };
        self.trace.tell(|| Event {
            event: result,
            size: Some(size),
            reply: Some(without_text(&reply)),
            reason: Some(undelivered.reason()),
            took_ms: Some(millis(took)),
            ..self.event()
        });
        self.count(if reply.code() >= 500 { Fate::Refused } else { Fate::Deferred });
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
