//! Between messages: what the server may say unasked, how a message begins, how a session ends.
//!
//! The invariant: a message begins only where the server owes no reply and keeps nothing of an
//! earlier message. After anything but a success RSET goes ahead of the next MAIL, and no content
//! leaves before that was answered.

use super::core::Core;
use super::envelope::{self, Envelope};
use super::state::{State, Step};
use super::{ContentPhase, Error, Event, Framing, Origin, Outcome, Stage, Transaction};
use crate::reply::{EnhancedCode, Reply, Severity};

/// Between messages.
#[derive(Debug, Default)]
pub(super) struct Ready {
    ahead: Ahead,
}

/// What has to be said before MAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ahead {
    #[default]
    Nothing,
    /// RSET: the server may keep something of an earlier message.
    Reset,
}

/// A message that this side refuses by itself; nothing of it was sent.
#[derive(Debug)]
pub(super) struct Unsent {
    ready: Ready,
    outcome: Outcome,
}

/// RSET was sent ahead of MAIL.
#[derive(Debug)]
pub(super) struct Resetting {
    envelope: Envelope,
}

/// What a transaction is begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To send content in this way.
    Deliver(Framing),
    /// To hear what the server says of the recipients.
    Ask,
}

impl Ready {
    pub(super) fn begin(self, transaction: &Transaction<'_>, purpose: Purpose, core: &mut Core) -> State {
        if let Some(reply) = envelope::lacks(transaction, &core.capabilities) {
            let outcome = Outcome { stage: Stage::MailFrom, reply, recipients: Vec::new(), origin: Origin::Session };
            return State::Unsent(Unsent { ready: self, outcome });
        }
        let envelope = envelope::begin(transaction, purpose, self.ahead, core);
        match self.ahead {
            Ahead::Nothing => State::Envelope(envelope),
            Ahead::Reset => State::Resetting(Resetting { envelope }),
        }
    }
}

impl Unsent {
    pub(super) fn advance(self) -> (State, Option<Event>) {
        (State::Ready(self.ready), Some(Event::Answered(self.outcome)))
    }
}

impl Resetting {
    pub(super) fn advance(mut self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Resetting(self), Some(Event::NeedInput))) };
        if reply.severity() == Severity::Success {
            self.envelope.release_next(core)?;
            return Ok((State::Envelope(self.envelope), None));
        }
        // A server that cannot take a message back must not be given another one. That is no fault of
        // the message, which nobody has seen: it is as if the server had closed.
        let (reply, origin) = match reply.closes() {
            true => (reply, Origin::Server),
            false => (UNUSABLE.reply(), Origin::Session),
        };
        let outcome = Outcome { stage: Stage::MailFrom, reply, recipients: Vec::new(), origin };
        Ok((State::Over, Some(Event::Answered(outcome))))
    }
}

/// A transaction is over, and the session is good for another one, unless the server closes. RSET
/// waits for that other one: an answer must not be lost with a connection that ends at its reply.
pub(super) fn over(outcome: Outcome, core: &mut Core) -> (State, Option<Event>) {
    core.phase = ContentPhase::NotBegun;
    let delivered = outcome.stage == Stage::Content && outcome.reply.severity() == Severity::Success;
    let ahead = if delivered { Ahead::Nothing } else { Ahead::Reset };
    let state = if core.must_be_left { State::Over } else { State::Ready(Ready { ahead }) };
    (state, Some(Event::Answered(outcome)))
}

/// What a server says while nothing was asked of it: that it closes, or nothing that makes sense.
pub(super) fn idle(state: State, core: &mut Core) -> Step {
    match core.reply()? {
        None => Ok((state, Some(Event::NeedInput))),
        Some(reply) if reply.closes() => Err(Error::Refused { stage: Stage::Connection, reply, detail: None }),
        Some(_) => Err(Error::StrayInput),
    }
}

/// Says goodbye where the server would understand it. In the middle of content it would be content.
pub(super) fn quit(state: &State, core: &mut Core) -> State {
    match state {
        State::Identified | State::Unauthenticated | State::Ready(_) | State::Unsent(_) | State::Accepted(_) => {
            core.say(&["QUIT"]);
            State::Quitting
        }
        _ => State::Over,
    }
}

/// Whatever the answer is, it is the last one.
pub(super) fn quitting(core: &mut Core) -> Step {
    let state = if core.reply()?.is_some() { State::Over } else { State::Quitting };
    Ok((state, Some(Event::NeedInput)))
}

/// A reply of this side's own.
pub(super) struct Own(pub(super) u16, pub(super) EnhancedCode, pub(super) &'static str);

impl Own {
    pub(super) fn reply(&self) -> Reply {
        Reply::new(self.0, self.1, self.2)
    }
}

const UNUSABLE: Own = Own(421, EnhancedCode::new(4, 3, 0), "session cannot be reset");
