//! Brings alerts to the webhook: all that wait in one request, again with growing pauses where it does not come through.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use posthouse_oauth::client::Client;
use posthouse_oauth::error::Error;
use serde_json::json;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::pending::Pending;
use super::{Alert, Desk};
use crate::config::alerts::Alerts;
use crate::keeper::unix_now;
use crate::snapshot::Snapshots;

/// Alerts in one request.
const AT_ONCE: usize = 100;
/// From one request to the next: who reads them is a person.
const APART: Duration = Duration::from_secs(5);
/// The first pause after a request that did not come through, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

pub(super) struct Courier {
    snapshots: Snapshots,
    desk: Arc<Desk>,
    /// Trusts the roots of the configuration that it was made for, where there are such.
    trusting: Option<(Vec<u8>, Client)>,
}

/// What came of one request.
enum Came {
    Through,
    /// It is made again.
    NotYet(String),
    /// It never will come through as it is.
    Never(String),
}

impl Courier {
    pub(super) fn new(snapshots: Snapshots, desk: Arc<Desk>) -> Self {
        Self { snapshots, desk, trusting: None }
    }

    pub(super) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let alerts = self.pending().next(AT_ONCE);
            if alerts.is_empty() {
                self.desk.news.notified().await;
                continue;
            }
            let Some(settings) = self.snapshots.current().config.alerts.clone() else {
                self.pending().clear();
                continue;
            };
            let pause = match self.bring(&settings, &alerts).await {
                Came::Through => {
                    failures = 0;
                    self.desk.metrics.sent.increment(alerts.len() as u64);
                    info!(alerts = alerts.len(), "the webhook has taken alerts");
                    self.done(&alerts)
                }
                Came::Never(reason) => {
                    failures = 0;
                    self.desk.metrics.dropped.increment(alerts.len() as u64);
                    error!(
                        reason,
                        alerts = alerts.len(),
                        "the webhook refuses alerts, which are dropped: look at [alerts]"
                    );
                    self.done(&alerts)
                }
                Came::NotYet(reason) => {
                    failures += 1;
                    self.desk.metrics.failures.increment(1);
                    let pause = pause(failures);
                    warn!(reason, again_in_s = pause.as_secs(), "alerts do not reach the webhook");
                    pause
                }
            };
            sleep(pause).await;
        }
    }

    async fn bring(&mut self, settings: &Alerts, alerts: &[Alert]) -> Came {
        let client = match self.client(settings) {
            Ok(client) => client,
            Err(error) => return Came::NotYet(error.to_string()),
        };
        let relay = self.snapshots.current().hostname.clone();
        match client.bring(&settings.webhook, body(&relay, alerts)).await {
            Ok(200..=299) => Came::Through,
            Ok(status @ (408 | 429 | 500..=599)) => Came::NotYet(format!("it answers HTTP {status}")),
            Ok(status) => Came::Never(format!("it answers HTTP {status}")),
            Err(error @ Error::Endpoint(_)) => Came::Never(error.to_string()),
            Err(error) => Came::NotYet(error.to_string().replacen("token endpoint", "webhook", 1)),
        }
    }

    /// The relay's own client, or one that trusts more.
    fn client(&mut self, settings: &Alerts) -> Result<Client, Error> {
        let Some(roots) = &settings.ca_pem else { return Ok(self.snapshots.current().requests().clone()) };
        if let Some((_, client)) = self.trusting.as_ref().filter(|(trusted, _)| trusted == roots) {
            return Ok(client.clone());
        }
        let client = Client::new(Some(roots))?;
        self.trusting = Some((roots.clone(), client.clone()));
        Ok(client)
    }

    fn done(&self, alerts: &[Alert]) -> Duration {
        let mut pending = self.pending();
        pending.taken(alerts);
        self.desk.show(&pending);
        APART
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.desk.pending()
    }
}

impl Desk {
    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how many wait.
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand wait")]
    pub(super) fn show(&self, pending: &Pending) {
        self.metrics.waiting.set(pending.len() as f64);
    }
}

/// `text` is what chat services show; programs read `alerts`.
fn body(relay: &str, alerts: &[Alert]) -> String {
    let lines: Vec<&str> = alerts.iter().map(|alert| alert.text.as_str()).collect();
    json!({ "relay": relay, "at": unix_now(), "text": lines.join("\n"), "alerts": alerts }).to_string()
}

fn pause(failures: u32) -> Duration {
    let (first, longest) = AGAIN;
    first.saturating_mul(1 << (failures - 1).min(16)).min(longest)
}
