//! The content: announced, sent, answered.
//!
//! The invariant: content is sent only where every recipient was accepted or, as a chunk that the
//! server is bound to skip, along with the question; a 2yz that cannot be its reply is an error.

use super::core::Core;
use super::envelope::{self, Replies};
use super::ready::over;
use super::state::{DATA, END, State, Step};
use super::{ContentPhase, Error, Event, Stage};
use crate::reply::Severity;

/// Sender and recipients are accepted; nothing of the content was announced.
#[derive(Debug)]
pub(super) struct Accepted {
    replies: Replies,
}

/// DATA was said, and 354 is hoped for.
#[derive(Debug)]
pub(super) struct Asked {
    replies: Replies,
}

/// The content is being sent after a 354.
#[derive(Debug)]
pub(super) struct Sending {
    replies: Replies,
}

/// The content was sent, or is being sent as a chunk.
#[derive(Debug)]
pub(super) struct Answering {
    replies: Replies,
    /// The server said something before the content was its own.
    is_overtaken: bool,
}

impl Accepted {
    pub(super) fn new(replies: Replies) -> Self {
        Self { replies }
    }

    /// The octets follow whatever happens here, so that they have to be announced in any case.
    pub(super) fn send_bdat(self, size: u64, core: &mut Core) -> State {
        let is_overtaken = core.has_unread();
        envelope::announce_chunk(size, core);
        State::Answering(Answering { replies: self.replies, is_overtaken })
    }

    pub(super) fn send_data(self, core: &mut Core) -> Result<State, Error> {
        core.quiet()?;
        core.say(&["DATA"]);
        Ok(State::Asked(Asked::new(self.replies)))
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        match core.reply()? {
            None => Ok((State::Accepted(self), Some(Event::NeedInput))),
            Some(reply) if reply.closes() => Ok(over(self.replies.outcome(Stage::Data, reply), core)),
            Some(_) => Err(Error::StrayInput),
        }
    }
}

impl Asked {
    pub(super) fn new(replies: Replies) -> Self {
        Self { replies }
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Asked(self), Some(Event::NeedInput))) };
        match (reply.severity(), reply.code()) {
            (Severity::Transient | Severity::Permanent, _) => Ok(over(self.replies.outcome(Stage::Data, reply), core)),
            (Severity::Intermediate, 354) if self.replies.has_refusal() => {
                // RFC 2920 3.1 would send an empty message to nobody here. Nothing is sent: the refusal
                // stands, and the connection cannot be used for anything else.
                core.must_be_left = true;
                Ok(over(self.replies.outcome(Stage::Data, reply), core))
            }
            (Severity::Intermediate, 354) => {
                core.quiet()?;
                core.phase = ContentPhase::MayHaveBeenSent;
                Ok((State::Sending(Sending { replies: self.replies }), Some(Event::GoAhead)))
            }
            _ => Err(Error::UnexpectedReply { state: DATA.name, reply }),
        }
    }
}

impl Sending {
    pub(super) fn sent(self, core: &mut Core) -> State {
        core.phase = ContentPhase::FinalDotSent;
        State::Answering(Answering { replies: self.replies, is_overtaken: core.has_unread() })
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Sending(self), Some(Event::NeedInput))) };
        match reply.severity() {
            Severity::Transient | Severity::Permanent => Ok((State::Over, Some(Event::EarlyReply(reply)))),
            Severity::Success | Severity::Intermediate => Err(Error::StrayInput),
        }
    }
}

impl Answering {
    pub(super) fn new(replies: Replies) -> Self {
        Self { replies, is_overtaken: false }
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Answering(self), Some(Event::NeedInput))) };
        core.must_be_left |= self.is_overtaken;
        match reply.severity() {
            // A reply from before the content says nothing of it.
            Severity::Success if self.is_overtaken => Err(Error::StrayInput),
            // Somebody may have got a message that was refused to others, or with another sender.
            Severity::Success if self.replies.has_refusal() => Err(Error::UnexpectedReply { state: END.name, reply }),
            Severity::Intermediate => Err(Error::UnexpectedReply { state: END.name, reply }),
            Severity::Success | Severity::Transient | Severity::Permanent => {
                Ok(over(self.replies.outcome(Stage::Content, reply), core))
            }
        }
    }
}
