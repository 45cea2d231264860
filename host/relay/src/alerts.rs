//! What a person has to know of accounts and certificates: one alert for each change that somebody must act on, or has
//! acted on.
//!
//! `lookout` looks at all accounts each second and notices changes, `certificates` does so for those that clients see, `pending` holds what the webhook has not heard yet, and
//! `courier` brings it there. Nothing here is on the way of a message. The invariant: no alert holds a secret, since none
//! is made of anything but configured names and the words of providers.

mod certificates;
mod courier;
mod lookout;
mod pending;

use std::sync::{Arc, Mutex};

use serde::Serialize;
use tokio::sync::Notify;

use crate::account::state::{Name, State};
use crate::alerts::courier::Courier;
use crate::alerts::lookout::Lookout;
use crate::alerts::pending::Pending;
use crate::metrics::AlertMetrics;
use crate::shutdown::Draining;
use crate::snapshot::Snapshots;

/// Whom or what an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
enum Subject {
    Account {
        tenant: String,
        account: String,
        address: String,
    },
    /// What clients or operators are shown.
    Certificate {
        listener: String,
    },
}

/// One change, as it was noticed.
struct News {
    subject: Subject,
    /// `healed`, or the state that it came to.
    event: &'static str,
    before: Name,
    state: State,
    /// When the credential or the certificate ends that ends first.
    expires: Option<u64>,
    /// All of it for people, with the next thing to do.
    text: String,
}

/// One change, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Alert {
    /// The same when it is brought again: who has had it can tell.
    id: String,
    event: &'static str,
    /// When it was noticed, in seconds since 1970.
    at: u64,
    #[serde(flatten)]
    subject: Subject,
    before: Name,
    after: Name,
    /// Why: the provider's words, or what ends.
    reason: Option<String>,
    /// Since when it is so.
    since: Option<u64>,
    expires: Option<u64>,
    text: String,
}

/// What the lookout and the courier share.
#[derive(Debug)]
struct Desk {
    pending: Mutex<Pending>,
    news: Notify,
    metrics: AlertMetrics,
}

/// Looks and tells until the relay begins to end.
pub(crate) fn begin(snapshots: Snapshots, draining: &Draining) {
    let desk = Arc::new(Desk {
        pending: Mutex::new(Pending::default()),
        news: Notify::new(),
        metrics: AlertMetrics::register(),
    });
    let courier = Courier::new(snapshots.clone(), Arc::clone(&desk));
    // The end waits for both, since they hold the store by what they look at.
    let (mut looking, mut telling) = (draining.clone(), draining.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = Lookout::new(snapshots, desk).look() => {}
            () = looking.begun() => {}
        }
    });
    tokio::spawn(async move {
        tokio::select! {
            () = courier.run() => {}
            () = telling.begun() => {}
        }
    });
}
