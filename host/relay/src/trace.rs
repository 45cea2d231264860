//! What sessions and messages do, as it happens, for whoever listens: without content, subjects, secrets or addresses.
//!
//! Nobody waits for a listener: one that is slow loses events and is told how many, of those it may see. While nobody
//! listens an event costs one look at a number, and is not made.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use blake2::Blake2sMac256;
use blake2::digest::{FixedOutput, KeyInit, Update};
use posthouse_smtp::path::{Mailbox, ReversePath};
use posthouse_smtp::reply::Reply;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::hex;

/// Events that wait for a slow listener.
const WAITING: usize = 256;
/// Listeners at a time.
const LISTENERS: usize = 32;

/// Where events are told.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// How many listen: what costs nothing to look at.
    count: AtomicUsize,
    listeners: RwLock<Vec<Listener>>,
    /// Local parts are told by their hash under this key, which nobody else has and no restart keeps.
    key: [u8; 32],
}

#[derive(Debug)]
struct Listener {
    tenant: Option<String>,
    queue: mpsc::Sender<Arc<Event>>,
    lost: Arc<AtomicU64>,
}

/// The end that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    queue: mpsc::Receiver<Arc<Event>>,
    lost: Arc<AtomicU64>,
    trace: Trace,
}

/// One thing that happened. What does not apply is left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Event {
    /// What: the name of the event.
    pub(crate) event: &'static str,
    /// When, in milliseconds since 1970; set when it is told.
    pub(crate) at_ms: u64,
    pub(crate) session: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<u64>,
    /// Whose tenant's token may see it; without one only operators do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listener: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipients: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// What was decided: the account or route, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) carrier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// The code and the enhanced code that the client hears, without the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transactions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) took_ms: Option<f64>,
}

/// What a listener gets next.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An event.
    Event(Arc<Event>),
    /// So many events were lost since the last time, of those that it may see.
    Lost(u64),
}

impl Trace {
    /// Nobody listens yet; `key` is fresh randomness of this process.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { inner: Arc::new(Inner { count: AtomicUsize::new(0), listeners: RwLock::default(), key }) }
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.inner.count.load(Ordering::Relaxed) > 0
    }

    /// Tells an event to whoever may see it; it is made only if somebody listens.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if !self.is_heard() {
            return;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let event = Arc::new(Event { at_ms, ..event() });
        let listeners = self.inner.listeners.read().unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.iter().filter(|listener| listener.may_see(&event)) {
            if listener.queue.try_send(Arc::clone(&event)).is_err() {
                listener.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Listens to what concerns one tenant, or to everything; none where too many listen.
    pub(crate) fn listen(&self, tenant: Option<String>) -> Option<Listening> {
        let mut listeners = self.inner.listeners.write().unwrap_or_else(PoisonError::into_inner);
        if listeners.len() >= LISTENERS {
            return None;
        }
        let (queue, events) = mpsc::channel(WAITING);
        let lost = Arc::<AtomicU64>::default();
        listeners.push(Listener { tenant, queue, lost: Arc::clone(&lost) });
        self.inner.count.store(listeners.len(), Ordering::Relaxed);
        Some(Listening { queue: events, lost, trace: self.clone() })
    }

    /// A sender, of whom the domain is told, and the local part by its hash: the same one looks the same.
    pub(crate) fn sender(&self, path: &ReversePath) -> String {
        match path {
            ReversePath::Null => String::new(),
            ReversePath::Mailbox(mailbox) => self.redacted(mailbox),
        }
    }

    fn redacted(&self, mailbox: &Mailbox) -> String {
        let mut mac = Blake2sMac256::new_from_slice(&self.inner.key).expect("32 octets are a key of Blake2s");
        mac.update(mailbox.as_str().as_bytes());
        let hash: [u8; 32] = mac.finalize_fixed().into();
        format!("{}..@{}", hex::digits(&hash[..4]), mailbox.domain())
    }
}

/// A reply's codes: its text may quote addresses.
pub(crate) fn without_text(reply: &Reply) -> String {
    match reply.enhanced() {
        Some(enhanced) => format!("{} {enhanced}", reply.code()),
        None => reply.code().to_string(),
    }
}

/// To a hundredth of a millisecond.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

impl Listener {
    fn may_see(&self, event: &Event) -> bool {
        self.tenant.is_none() || self.tenant == event.tenant
    }
}

impl Listening {
    /// What happens next.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => self.queue.recv().await.map(Heard::Event),
            lost => Some(Heard::Lost(lost)),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listeners = self.trace.inner.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !Arc::ptr_eq(&listener.lost, &self.lost));
        self.trace.inner.count.store(listeners.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
