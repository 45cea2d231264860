//! What goes wrong on purpose: where, how, how often and for whom.
//!
//! Nothing is done here: a connection asks at each stage whether something is to go wrong, and does it. Where no fault
//! is set for a stage, asking costs one load.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::random::Random;

/// Where in a connection something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Accepted, before TLS and greeting.
    Connect,
    /// Before the greeting (on the implicit port: behind the handshake).
    Greeting,
    /// At EHLO or HELO.
    Ehlo,
    /// At STARTTLS.
    StartTls,
    /// At AUTH, the credentials being known.
    Auth,
    /// At MAIL.
    Mail,
    /// At RCPT.
    Recipient,
    /// At DATA, or at the first BDAT.
    ContentStart,
    /// Amid the content: a part of it has come, and not its end.
    Body,
    /// The content is whole; nothing is recorded yet. The message is only recorded where the action lets it pass
    /// ([`Action::Proceed`], [`Action::Garbage`], [`Action::Append`]).
    Content,
    /// The message was recorded; the client does not know it yet.
    Recorded,
    /// The client was sent the reply to its content.
    Replied,
    /// Logged in, between messages, and quiet for the fault's [`Fault::delay`].
    Idle,
}

/// How something goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Not at all; together with [`Fault::delay`], later.
    Proceed,
    /// The connection is reset (RST).
    Reset,
    /// The connection is closed (FIN, without TLS' close_notify).
    Close,
    /// The server's direction is closed (FIN); what the client sends is read and thrown away.
    HalfClose,
    /// No answer any more; what the client sends is read and thrown away.
    Stall,
    /// No answer any more, and nothing is read: the client's writes block. Lasts until the simulator stops.
    StopReading,
    /// This reply instead of the usual one: code, perhaps an enhanced code, text; `\n` separates lines. A 421 is
    /// followed by the connection's end, and so is any reply at [`Stage::Connect`] and [`Stage::Greeting`].
    Reply(String),
    /// This status instead of the usual one, where HTTP is spoken; elsewhere nothing.
    Answer {
        /// The status.
        status: u16,
        /// The error's code (Graph) or reason (Gmail).
        code: String,
        /// The seconds of Retry-After.
        retry_after: Option<u64>,
    },
    /// These octets instead of the usual reply; the session goes on as if it had been given.
    Garbage(Vec<u8>),
    /// These octets right behind the usual reply.
    Append(Vec<u8>),
}

impl Action {
    /// [`Action::Reply`].
    pub fn reply(text: impl Into<String>) -> Self {
        Self::Reply(text.into())
    }

    /// [`Action::Answer`].
    pub fn answer(status: u16, code: impl Into<String>, retry_after: Option<u64>) -> Self {
        Self::Answer { status, code: code.into(), retry_after }
    }
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Where.
    pub stage: Stage,
    /// How.
    pub action: Action,
    /// After how much time.
    pub delay: Duration,
    /// How often until it is over; for ever when none.
    pub times: Option<u64>,
    /// How many occasions it lets pass before it begins.
    pub skip: u64,
    /// With which probability on each occasion.
    pub probability: f64,
    /// What the probability's sequence begins with.
    pub seed: u64,
    /// For this mailbox only.
    pub mailbox: Option<String>,
    /// For this MAIL FROM only.
    pub sender: Option<String>,
    /// For messages (at [`Stage::Recipient`]: for recipients) to this address only.
    pub recipient: Option<String>,
}

impl Fault {
    /// Goes wrong once, at the next occasion.
    pub const fn new(stage: Stage, action: Action) -> Self {
        Self {
            stage,
            action,
            delay: Duration::ZERO,
            times: Some(1),
            skip: 0,
            probability: 1.0,
            seed: 0,
            mailbox: None,
            sender: None,
            recipient: None,
        }
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

    /// After so many occasions.
    #[must_use]
    pub const fn skip(mut self, occasions: u64) -> Self {
        self.skip = occasions;
        self
    }

    /// After so much time.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// With this probability on each occasion, until it is taken away; the same seed gives the same sequence.
    #[must_use]
    pub const fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = probability;
        self.seed = seed;
        self.times = None;
        self
    }

    /// For this mailbox only.
    #[must_use]
    pub fn mailbox(mut self, address: impl Into<String>) -> Self {
        self.mailbox = Some(address.into());
        self
    }

    /// For this MAIL FROM only.
    #[must_use]
    pub fn sender(mut self, address: impl Into<String>) -> Self {
        self.sender = Some(address.into());
        self
    }

    /// For this recipient only.
    #[must_use]
    pub fn recipient(mut self, address: impl Into<String>) -> Self {
        self.recipient = Some(address.into());
        self
    }
}

/// What is known where a fault is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Occasion<'a> {
    pub(crate) mailbox: Option<&'a str>,
    pub(crate) sender: Option<&'a str>,
    pub(crate) recipients: &'a [String],
}

impl Occasion<'_> {
    fn suits(&self, fault: &Fault) -> bool {
        let same = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| given.is_some_and(|given| given.eq_ignore_ascii_case(wanted)))
        };
        let is_recipient = |wanted: &String| self.recipients.iter().any(|given| given.eq_ignore_ascii_case(wanted));
        same(&fault.mailbox, self.mailbox)
            && same(&fault.sender, self.sender)
            && fault.recipient.as_ref().is_none_or(is_recipient)
    }
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) action: Action,
    pub(crate) delay: Duration,
}

/// A fault that was set: how often it went wrong so far.
#[derive(Debug)]
pub struct Injected {
    hits: watch::Receiver<u64>,
}

impl Injected {
    pub(crate) const fn new(hits: watch::Receiver<u64>) -> Self {
        Self { hits }
    }

    /// How often it went wrong.
    pub fn hits(&self) -> u64 {
        *self.hits.borrow()
    }

    /// Waits until it went wrong so many times. `false` when it was taken away or used up before.
    pub async fn wait_for(&self, hits: u64) -> bool {
        self.hits.clone().wait_for(|count| *count >= hits).await.is_ok()
    }
}

#[derive(Debug)]
struct Set {
    fault: Fault,
    random: Random,
    hits: watch::Sender<u64>,
}

impl Set {
    fn is_over(&self) -> bool {
        self.fault.times.is_some_and(|times| *self.hits.borrow() >= times)
    }

    fn strikes(&mut self) -> bool {
        if self.fault.skip > 0 {
            self.fault.skip -= 1;
            return false;
        }
        self.fault.probability >= 1.0 || self.random.happens(self.fault.probability)
    }
}

/// The faults of one provider.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// A bit for each stage that has a fault.
    stages: AtomicU32,
    set: Mutex<Vec<Set>>,
    idle: watch::Sender<()>,
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) -> Injected {
        let (hits, receiver) = watch::channel(0);
        let is_idle = fault.stage == Stage::Idle;
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.push(Set { random: Random::seeded(fault.seed), fault, hits });
        self.mark(&set);
        drop(set);
        if is_idle {
            self.idle.send_replace(());
        }
        Injected::new(receiver)
    }

    pub(crate) fn clear(&self) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.clear();
        self.mark(&set);
    }

    /// Tells that a fault for idle connections was set.
    pub(crate) fn idle_changes(&self) -> watch::Receiver<()> {
        self.idle.subscribe()
    }

    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.stages.load(Ordering::Relaxed) & 1 << stage as u32 != 0
    }

    /// How long a connection has to be quiet for the first fault that suits.
    pub(crate) fn quiet(&self, occasion: Occasion<'_>) -> Option<Duration> {
        if !self.has(Stage::Idle) {
            return None;
        }
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let suits = |set: &&Set| set.fault.stage == Stage::Idle && occasion.suits(&set.fault);
        set.iter().find(suits).map(|set| set.fault.delay)
    }

    /// What goes wrong now, if anything; the first fault that suits decides.
    pub(crate) fn strike(&self, stage: Stage, occasion: Occasion<'_>) -> Option<Strike> {
        if !self.has(stage) {
            return None;
        }
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let position =
            set.iter_mut().position(|set| set.fault.stage == stage && occasion.suits(&set.fault) && set.strikes())?;
        let found = &set[position];
        found.hits.send_modify(|hits| *hits += 1);
        let strike = Strike { action: found.fault.action.clone(), delay: found.fault.delay };
        if found.is_over() {
            set.remove(position);
            self.mark(&set);
        }
        Some(strike)
    }

    fn mark(&self, set: &[Set]) {
        let stages = set.iter().fold(0, |stages, set| stages | 1 << set.fault.stage as u32);
        self.stages.store(stages, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
