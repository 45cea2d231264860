//! The content: announced, sent, answered.

use super::core::Core;
use super::envelope::reset;
use super::state::{CONTENT, DATA, END, State, Step};
use super::{ContentPhase, Error, Event, Outcome, Stage, Wait};
use crate::reply::{Reply, Severity};

/// Sender and recipients are accepted; nothing of the content was announced.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) recipients: Vec<Reply>,
}

/// What reply is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// To DATA: 354.
    GoAhead,
    /// None yet: the content is being sent.
    Nothing,
    /// To the chunk.
    Chunk,
    /// To the final dot.
    FinalDot,
}

/// The content is under way.
#[derive(Debug)]
pub(super) struct Transfer {
    awaited: Awaited,
    /// MAIL or RCPT was refused before, in the same batch.
    refusal: Option<Outcome>,
    recipients: Vec<Reply>,
}

pub(super) fn announce_chunk(state: State, size: u64, core: &mut Core) -> State {
    let State::Accepted(Accepted { recipients }) = state else { return State::Failed };
    core.say(&format!("BDAT {size} LAST"));
    State::Transfer(Transfer { awaited: Awaited::Chunk, refusal: None, recipients })
}

pub(super) fn ask_for_go_ahead(state: State, core: &mut Core) -> State {
    let State::Accepted(Accepted { recipients }) = state else { return State::Failed };
    core.say("DATA");
    State::Transfer(Transfer { awaited: Awaited::GoAhead, refusal: None, recipients })
}

pub(super) fn sent(state: State, _core: &mut Core) -> State {
    match state {
        State::Transfer(Transfer { awaited: Awaited::Nothing, refusal, recipients }) => {
            State::Transfer(Transfer { awaited: Awaited::FinalDot, refusal, recipients })
        }
        _ => State::Failed,
    }
}

impl Transfer {
    pub(super) fn chunk(refusal: Option<Outcome>, recipients: Vec<Reply>) -> Self {
        Self { awaited: Awaited::Chunk, refusal, recipients }
    }

    pub(super) fn data(refusal: Option<Outcome>, recipients: Vec<Reply>) -> Self {
        Self { awaited: Awaited::GoAhead, refusal, recipients }
    }

    pub(super) fn content_phase(&self) -> ContentPhase {
        match self.awaited {
            Awaited::GoAhead => ContentPhase::NotBegun,
            Awaited::Nothing | Awaited::Chunk => ContentPhase::MayHaveBeenSent,
            Awaited::FinalDot => ContentPhase::FinalDotSent,
        }
    }

    pub(super) fn wait(&self) -> &'static Wait {
        match self.awaited {
            Awaited::GoAhead => &DATA,
            Awaited::Nothing => &CONTENT,
            Awaited::Chunk | Awaited::FinalDot => &END,
        }
    }

    pub(super) fn advance(self, core: &mut Core) -> Step {
        let Some(reply) = core.reply()? else { return Ok((State::Transfer(self), Some(Event::NeedInput))) };
        match self.awaited {
            Awaited::GoAhead => self.go_ahead(reply, core),
            Awaited::Nothing => Ok((State::Failed, Some(Event::EarlyReply(reply)))),
            Awaited::Chunk => self.chunk_answered(reply, core),
            Awaited::FinalDot => self.content_answered(reply),
        }
    }

    fn go_ahead(self, reply: Reply, core: &mut Core) -> Step {
        match (reply.code(), self.refusal) {
            // Whatever is sent now would be delivered to nobody, or to somebody: it is not sent.
            (354, Some(_)) => Err(Error::UnexpectedReply { state: DATA.name, reply }),
            (354, None) => {
                let sending = Self { awaited: Awaited::Nothing, refusal: None, recipients: self.recipients };
                Ok((State::Transfer(sending), Some(Event::GoAhead)))
            }
            (400..=599, Some(refusal)) => Ok(over(refusal, core)),
            (400..=599, None) => Ok(over(Outcome { stage: Stage::Data, reply, recipients: self.recipients }, core)),
            _ => Err(Error::UnexpectedReply { state: DATA.name, reply }),
        }
    }

    fn chunk_answered(self, reply: Reply, core: &mut Core) -> Step {
        match (reply.severity(), self.refusal) {
            (Severity::Success, Some(_)) | (Severity::Intermediate, _) => {
                Err(Error::UnexpectedReply { state: END.name, reply })
            }
            (_, Some(refusal)) => Ok(over(refusal, core)),
            (Severity::Success, None) => {
                let outcome = Outcome { stage: Stage::Content, reply, recipients: self.recipients };
                Ok((State::Ready, Some(Event::Answered(outcome))))
            }
            // RFC 3030 2: after a refused chunk only RSET makes the session whole.
            (_, None) => Ok(over(Outcome { stage: Stage::Content, reply, recipients: self.recipients }, core)),
        }
    }

    fn content_answered(self, reply: Reply) -> Step {
        match reply.severity() {
            Severity::Intermediate => Err(Error::UnexpectedReply { state: END.name, reply }),
            _ => {
                let outcome = Outcome { stage: Stage::Content, reply, recipients: self.recipients };
                Ok((State::Ready, Some(Event::Answered(outcome))))
            }
        }
    }
}

/// A refused transaction: taken back where the server still listens.
fn over(outcome: Outcome, core: &mut Core) -> (State, Option<Event>) {
    if core.is_closing {
        return (State::Ready, Some(Event::Answered(outcome)));
    }
    (reset(outcome, core), None)
}
