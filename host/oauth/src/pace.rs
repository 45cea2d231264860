//! How often token endpoints are asked: so many requests at a time, so many a second, and first what a message waits for.
//!
//! Three hundred accounts that wake at once are a storm to an endpoint, which answers it by refusing all of them. One
//! [`Pace`] goes with one client; hosts do not wait for each other. The invariant: a request holds its [`Turn`] until
//! its answer is there.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until};

/// Requests that one host has at a time.
const AT_ONCE: usize = 16;
/// From one request to the next: 100 a second. Two thousand accounts that have no tokens yet have them in 20 seconds, which
/// messages wait for (`timeouts.connect`); at half of that rate the last ones were answered 451. Their renewals afterwards are
/// one in two seconds.
const APART: Duration = Duration::from_millis(10);

/// Who waits for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A message, or a person.
    Awaited,
    /// Nobody: the token at hand is still good.
    Ahead,
}

/// The right to make one request, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "it is held, and given back")] OwnedSemaphorePermit);

/// The requests to all hosts.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    line: Mutex<Line>,
}

/// Who waits for a turn at one host.
#[derive(Debug)]
struct Line {
    awaited: VecDeque<oneshot::Sender<Turn>>,
    ahead: VecDeque<oneshot::Sender<Turn>>,
    /// When the next request may go.
    next: Instant,
    /// Whether somebody gives turns out.
    is_served: bool,
}

impl Pace {
    /// Waits for a turn at this host.
    pub(crate) async fn turn(&self, host: &str, urgency: Urgency) -> Turn {
        let host = self.host(host);
        loop {
            let (given, turn) = oneshot::channel();
            host.stand_in_line(given, urgency);
            // It is not given only where the runtime is ending.
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(name.to_owned()).or_default())
    }
}

impl Default for Host {
    fn default() -> Self {
        let line = Line { awaited: VecDeque::new(), ahead: VecDeque::new(), next: Instant::now(), is_served: false };
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), line: Mutex::new(line) }
    }
}

impl Host {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand_in_line(self: &Arc<Self>, given: oneshot::Sender<Turn>, urgency: Urgency) {
        let mut line = self.line();
        match urgency {
            Urgency::Awaited => line.awaited.push_back(given),
            Urgency::Ahead => line.ahead.push_back(given),
        }
        if !std::mem::replace(&mut line.is_served, true) {
            tokio::spawn(Arc::clone(self).serve());
        }
    }

    /// Gives turns out until nobody waits.
    async fn serve(self: Arc<Self>) {
        loop {
            let place = Arc::clone(&self.places).acquire_owned().await.expect("the places are never closed");
            let next = self.line().next;
            sleep_until(next).await;
            let mut line = self.line();
            let waiting = line.awaited.pop_front().or_else(|| line.ahead.pop_front());
            let Some(waiting) = waiting else {
                line.is_served = false;
                return;
            };
            // Who has gone meanwhile costs no time.
            if waiting.send(Turn(place)).is_ok() {
                line.next = Instant::now() + APART;
            }
        }
    }
}

#[cfg(test)]
mod tests;
