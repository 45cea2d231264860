//! What goes wrong at the token endpoint on purpose.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::faults::Injected;
use crate::provider::Provider;

/// How a request for a token goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAction {
    /// Not at all; together with [`TokenFault::delay`], later.
    Proceed,
    /// This status, these headers and this body.
    Answer {
        /// The status, 200 to 599.
        status: u16,
        /// Headers, such as `Retry-After`.
        headers: Vec<(String, String)>,
        /// The body; it is said to be JSON, whatever it is.
        body: String,
    },
    /// These octets, which need not be HTTP, and then the connection's end.
    Garbage(Vec<u8>),
    /// The connection is closed without an answer. The request was not carried out.
    Drop,
    /// The request is carried out (a refresh token may be rotated); the connection is closed without an answer.
    DropAnswer,
    /// No answer until the client gives up.
    Stall,
}

/// A request for a token that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFault {
    /// How.
    pub action: TokenAction,
    /// After how much time.
    pub delay: Duration,
    /// How often until it is over; for ever when none.
    pub times: Option<u64>,
    /// For requests to this provider only.
    pub provider: Option<Provider>,
    /// For the refresh tokens of this mailbox only.
    pub mailbox: Option<String>,
}

impl TokenFault {
    /// Goes wrong once, at the next request.
    pub const fn new(action: TokenAction) -> Self {
        Self { action, delay: Duration::ZERO, times: Some(1), provider: None, mailbox: None }
    }

    /// An answer of this status and JSON body.
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::new(TokenAction::Answer { status, headers: Vec::new(), body: body.into() })
    }

    /// With this header, where it is an answer.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let TokenAction::Answer { headers, .. } = &mut self.action {
            headers.push((name.into(), value.into()));
        }
        self
    }

    /// So many times.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Until it is taken away.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// After so much time.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// For requests to this provider only.
    #[must_use]
    pub const fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// For the refresh tokens of this mailbox only.
    #[must_use]
    pub fn mailbox(mut self, address: impl Into<String>) -> Self {
        self.mailbox = Some(address.into());
        self
    }
}

#[derive(Debug)]
struct Set {
    fault: TokenFault,
    hits: watch::Sender<u64>,
}

/// The faults of the token endpoint.
#[derive(Debug, Default)]
pub(crate) struct TokenFaults(Mutex<Vec<Set>>);

impl TokenFaults {
    pub(crate) fn inject(&self, fault: TokenFault) -> Injected {
        let (hits, receiver) = watch::channel(0);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Set { fault, hits });
        Injected::new(receiver)
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What goes wrong with this request, if anything; the first fault that suits decides.
    pub(crate) fn strike(&self, provider: Provider, mailbox: Option<&str>) -> Option<(TokenAction, Duration)> {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = set.iter().position(|Set { fault, .. }| {
            let is_owner = |wanted: &String| mailbox.is_some_and(|mailbox| mailbox.eq_ignore_ascii_case(wanted));
            fault.provider.is_none_or(|wanted| wanted == provider) && fault.mailbox.as_ref().is_none_or(is_owner)
        })?;
        let found = &set[position];
        found.hits.send_modify(|hits| *hits += 1);
        let strike = (found.fault.action.clone(), found.fault.delay);
        if found.fault.times.is_some_and(|times| *found.hits.borrow() >= times) {
            set.remove(position);
        }
        Some(strike)
    }
}
