//! What a running simulator knows of a mailbox: its counts, its windows and whether it is open.
//!
//! One value per mailbox, shared by its connections; nothing is shared between mailboxes. Nothing is answered here.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{Excess, Limits, Rate};
use crate::mailbox::{Mailbox, Report, Violations};
use crate::window::Window;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A counter of the ledger: only ever read to be reported.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are at a time, and how many there were at most.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    now: AtomicUsize,
    highest: AtomicUsize,
}

impl Gauge {
    /// One more; how many there are with it.
    fn enter(&self) -> usize {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.highest.fetch_max(now, Ordering::Relaxed);
        now
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }
}

/// How often each limit was run into.
#[derive(Debug, Default)]
pub(crate) struct Violated {
    pub(crate) connections: Count,
    pub(crate) submissions: Count,
    pub(crate) rate: Count,
    pub(crate) daily: Count,
    pub(crate) recipients: Count,
    pub(crate) logins: Count,
    pub(crate) messages_per_connection: Count,
    pub(crate) send_as: Count,
}

#[derive(Debug)]
struct Windows {
    messages: Option<Window>,
    logins: Option<Window>,
    day: Option<Instant>,
    recipients: u64,
}

/// What the rate says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Now,
    At(Instant),
    Refused,
}

/// A mailbox at work.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) mailbox: Mailbox,
    pub(crate) limits: Limits,
    pub(crate) connections: Gauge,
    pub(crate) submissions: Gauge,
    pub(crate) logins: Count,
    pub(crate) refused_logins: Count,
    pub(crate) tokens: Count,
    pub(crate) messages: Count,
    pub(crate) recipients: Count,
    pub(crate) violated: Violated,
    disabled: AtomicBool,
    windows: Mutex<Windows>,
}

impl Account {
    pub(crate) fn new(mailbox: Mailbox, limits: Limits) -> Self {
        let windows = Windows {
            messages: limits.rate.map(|rate| Window::per_minute(rate.messages)),
            logins: limits.logins_per_minute.map(Window::per_minute),
            day: None,
            recipients: 0,
        };
        Self {
            mailbox,
            limits,
            connections: Gauge::default(),
            submissions: Gauge::default(),
            logins: Count::default(),
            refused_logins: Count::default(),
            tokens: Count::default(),
            messages: Count::default(),
            recipients: Count::default(),
            violated: Violated::default(),
            disabled: AtomicBool::new(false),
            windows: Mutex::new(windows),
        }
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.disabled.load(Ordering::Relaxed)
    }

    pub(crate) fn disable(&self, disabled: bool) {
        self.disabled.store(disabled, Ordering::Relaxed);
    }

    /// Whether one more login is within the rate; it counts if it is.
    pub(crate) fn admits_login(&self, now: Instant) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.logins.as_mut().is_none_or(|window| window.admits(now))
    }

    /// When one more message is within the rate; it counts unless it is refused.
    pub(crate) fn pace(&self, now: Instant) -> Pace {
        let Some(Rate { excess, .. }) = self.limits.rate else { return Pace::Now };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(window) = windows.messages.as_mut() else { return Pace::Now };
        match excess {
            Excess::Refuse if window.admits(now) => Pace::Now,
            Excess::Refuse => Pace::Refused,
            Excess::Delay => match window.slot(now) {
                slot if slot > now => Pace::At(slot),
                _ => Pace::Now,
            },
        }
    }

    /// Whether so many more recipients are within the day's; they count if they are.
    pub(crate) fn admits_recipients(&self, number: u64, now: Instant) -> bool {
        let Some(limit) = self.limits.recipients_per_day else { return true };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.day.is_none_or(|start| now.duration_since(start) >= DAY) {
            windows.day = Some(now);
            windows.recipients = 0;
        }
        let admitted = windows.recipients + number <= limit;
        if admitted {
            windows.recipients += number;
        }
        admitted
    }

    /// The day begins anew, and so do the minutes.
    pub(crate) fn forget_quotas(&self) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.messages = self.limits.rate.map(|rate| Window::per_minute(rate.messages));
        windows.logins = self.limits.logins_per_minute.map(Window::per_minute);
        windows.day = None;
    }

    pub(crate) fn report(&self) -> Report {
        let violated = &self.violated;
        Report {
            provider: self.mailbox.provider,
            address: self.mailbox.address.clone(),
            connections: self.connections.now(),
            highest_connections: self.connections.highest.load(Ordering::Relaxed),
            highest_submissions: self.submissions.highest.load(Ordering::Relaxed),
            logins: self.logins.value(),
            refused_logins: self.refused_logins.value(),
            tokens: self.tokens.value(),
            messages: self.messages.value(),
            recipients: self.recipients.value(),
            violations: Violations {
                connections: violated.connections.value(),
                submissions: violated.submissions.value(),
                rate: violated.rate.value(),
                daily: violated.daily.value(),
                recipients: violated.recipients.value(),
                logins: violated.logins.value(),
                messages_per_connection: violated.messages_per_connection.value(),
                send_as: violated.send_as.value(),
            },
        }
    }
}

/// A connection that is logged in. Dropping it logs it out.
#[derive(Debug)]
pub(crate) struct Attendance {
    account: Arc<Account>,
    /// How many there were when it began, itself among them.
    pub(crate) rank: usize,
}

impl Attendance {
    pub(crate) fn begin(account: &Arc<Account>) -> Self {
        let rank = account.connections.enter();
        Self { account: Arc::clone(account), rank }
    }

    pub(crate) const fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.account.connections.leave();
    }
}

/// A message in submission. Dropping it ends the submission.
#[derive(Debug)]
pub(crate) struct Submission {
    account: Arc<Account>,
    /// How many there were when it began, itself among them.
    pub(crate) rank: usize,
}

impl Submission {
    pub(crate) fn begin(account: &Arc<Account>) -> Self {
        let rank = account.submissions.enter();
        Self { account: Arc::clone(account), rank }
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        self.account.submissions.leave();
    }
}
